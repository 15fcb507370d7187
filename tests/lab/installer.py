"""The one connection of this process to its `worker`, which installs conda packages."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from tests.lab.recipes import lab_folder

ALIVE = ".alive"
"""The suffix of the file beside a cache that is locked for as long as the cache's owner lives."""


class InstallFailed(Exception):
    """py-rattler could not solve or install; its own words."""


def install(
    prefix: Path,
    channel: Path,
    specs: Sequence[str],
    *,
    requested: Sequence[str] = (),
    reinstall: Sequence[str] = (),
    keep: bool = False,
) -> list[str]:
    """Make ``prefix`` hold exactly what ``specs`` ask of the channel, and name the packages.

    What is there and not asked for is removed. ``requested`` goes into the records as the user's
    wish, ``reinstall`` names packages to be written anew though they are there.
    ``keep``: what is there stays in its version, unless something that is asked needs another.

    Raises: InstallFailed.
    """
    request = {
        "prefix": str(prefix),
        "channel": channel.as_uri(),
        "specs": list(specs),
        "requested": list(requested),
        "reinstall": list(reinstall),
        "keep": keep,
    }
    answer = _ask(request)
    if "error" in answer:
        raise InstallFailed(answer["error"])
    return list(answer["installed"])


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    worker = _worker(os.getpid())
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except BaseException:
        # Interrupted between question and answer: the next question would get this answer.
        worker.kill()
        _worker.cache_clear()
        raise
    if not line:
        _worker.cache_clear()
        raise InstallFailed(f"the worker ended with {worker.wait()}")
    return dict(json.loads(line))


@cache
def _worker(owner: int) -> subprocess.Popen[str]:
    """The worker of the process ``owner``: a forked child does not inherit its parent's."""
    caches = lab_folder() / "caches"
    caches.mkdir(parents=True, exist_ok=True)
    _sweep(caches)
    folder = Path(tempfile.mkdtemp(dir=caches, prefix=f"{owner}-"))
    alive = folder.with_suffix(ALIVE).open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    command = [sys.executable, "-I", str(Path(__file__).with_name("worker.py")), str(folder)]
    worker = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    atexit.register(_end, worker, owner, alive)
    return worker


def _end(worker: subprocess.Popen[str], owner: int, alive: TextIO) -> None:
    if os.getpid() == owner:
        worker.communicate()
        Path(alive.name).unlink()
        alive.close()


def _sweep(caches: Path) -> None:
    """Remove the caches of processes that were killed before they could do it.

    By a lock that ends with its process, not by the number of the process: that may be another
    container's, which works in the same folder.
    """
    for path in caches.glob(f"*{ALIVE}"):
        with suppress(OSError), path.open() as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink()
