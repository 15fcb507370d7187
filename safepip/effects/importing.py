"""Whether modules can be imported, found out by importing them in a process of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safepip.decisions.judging.imports import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_GLANCE = 0.2
"""Seconds between two looks at whether it is enough, at most."""
_PART = 0.05
"""Of the time that has passed, until it is looked whether the process has ended."""

_IMPORTER = Path(__file__).with_name("importer.py")


def failing_imports(
    python: str,
    modules: Sequence[str],
    environ: Mapping[str, str],
    seconds: float,
    is_enough: Callable[[], bool],
) -> tuple[Failure, ...]:
    """Give the modules that cannot be imported, each in the environment's own Python.

    What does not come to an end in time has not failed: nobody knows. ``is_enough`` is asked again
    and again whether anybody still wants to know.

    Units: ``seconds`` for all of them together.
    """
    if not modules:
        return ()
    # A file and not a pipe, which may be full before anybody reads it.
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder, tempfile.TemporaryFile() as told:
        try:
            process = subprocess.Popen(
                [python, str(_IMPORTER), json.dumps(list(modules)), str(told.fileno())],
                env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(told.fileno(),),
                start_new_session=True,  # what modules start is ended with it
            )
        except OSError:
            return ()
        code = _waited(process, seconds, is_enough)
        told.seek(0)
        messages = list(_messages(told.read()))
    return tuple(_failures(messages, code))


def _waited(
    process: subprocess.Popen[bytes], seconds: float, is_enough: Callable[[], bool]
) -> int | None:
    """Give the exit code; None when time was up."""
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0 and not is_enough():
            if (code := process.poll()) is not None:
                return code
            # `process.wait` with a limit may look as late as after twice the time.
            time.sleep(min(_GLANCE, left, 0.001 + (seconds - left) * _PART))
        return process.poll()
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _messages(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict):
                yield message


def _failures(messages: Sequence[Mapping[str, Any]], code: int | None) -> Iterator[Failure]:
    ended = {str(message["ends"]) for message in messages if "ends" in message}
    for message in messages:
        if "kinds" in message:
            kinds = tuple(map(str, message["kinds"]))
            yield Failure(str(message["ends"]), kinds, str(message.get("said")))
    begun = [str(message["begins"]) for message in messages if "begins" in message]
    if begun and begun[-1] not in ended and code is None:
        yield Failure(begun[-1], ("Timeout",), "it did not come to an end in time")
    elif begun and begun[-1] not in ended and code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        yield Failure(begun[-1], ("Crash",), f"the process ended by {name}")
