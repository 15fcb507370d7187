"""The tools of conda's family on PATH: what one says it would do, and having it done."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Literal

from safepip.decisions.fixing.condas_answer import parse_moves, parse_refusal
from safepip.values.environment import FAMILY
from safepip.values.errors import CondaFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.effects.making import Maker
    from safepip.values.channel import Moved

_GLANCE = 0.2
"""Seconds between two looks at whether the tool has ended."""
_MOST_BYTES = 64 * 1024 * 1024


def tool_on_path(wanted: str, environ: Mapping[str, str]) -> Maker | Literal[""]:
    """Give the tool that is wanted, else another of its family; empty where PATH has none."""
    path = environ.get("PATH", os.defpath)
    named = sorted(FAMILY, key=lambda tool: tool != wanted)
    return next((tool for tool in named if shutil.which(tool, path=path)), "")


def would_move(
    words: Sequence[str], environ: Mapping[str, str], looking: Callable[[], None]
) -> tuple[Moved, ...]:
    """Give what a command of a tool would add, change and remove, by its own dry run.

    ``looking`` is called while it is waited for.

    Raises: CondaFailed, where it refuses, or is not understood.
    """
    command = [*words, "--dry-run", "--json"]
    try:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CondaFailed(f"cannot start `{words[0]}`: {error.strerror}") from error
    with process, contextlib.ExitStack() as ending:
        ending.callback(process.kill)
        said = _all_of(process.stdout, looking)
        process.wait()
    try:
        answer: object = json.loads(said)
    except ValueError:
        answer = None
    moves = parse_moves(answer)
    if moves is None:
        message = f"{words[0]} did not say what it would do"
        raise CondaFailed(message, why=parse_refusal(answer))
    return moves


def _all_of(stream: IO[bytes] | None, looking: Callable[[], None]) -> bytes:
    said = bytearray()
    if stream is None:  # pragma: no cover - it is a pipe
        return b""
    while True:
        looking()
        if not select.select([stream], [], [], _GLANCE)[0]:
            continue
        more = os.read(stream.fileno(), 65536)
        if not more:
            return bytes(said)
        if len(said) <= _MOST_BYTES:
            said += more


def carry_out(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Let the tool do it, and give its exit code; what it says goes to stderr.

    An interruption is the tool's to hear, which puts back what it has begun.
    """
    done = subprocess.run(
        [*words, "-y"],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    return done.returncode
