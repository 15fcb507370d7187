"""One safepip at a time in an environment.

`fcntl.flock` and not the `filelock` package: the kernel lets go of it however the holder ends, and
the import would cost as much as the whole of safepip's own work.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from safepip.values.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL = 0.1


@contextlib.contextmanager
def locked(prefix: str, patience: float) -> Iterator[None]:
    """Hold the environment's lock: on the folder of its records, so that nothing is left behind.

    Processes that are started meanwhile hold it too, if they are given open files: pip, which may
    outlive a safepip that is killed. Where the file system knows no locks there is none, as with
    pip alone.

    Units: ``patience`` is in seconds.
    Raises: Busy, when another safepip still holds it after that.
    """
    try:
        handle = os.open(f"{prefix}/conda-meta", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield  # nobody may read it, which is said where it is read
        return
    try:
        _take(handle, prefix, patience)
        os.set_inheritable(handle, True)  # noqa: FBT003 - that is its signature
        yield
    finally:
        os.close(handle)


def _take(handle: int, prefix: str, patience: float) -> None:
    end = time.monotonic() + patience
    while not _is_taken(handle):
        if time.monotonic() >= end:
            raise Busy(
                f"another safepip is changing `{prefix}`",
                why="two installs at once leave the files of both mixed",
            )
        time.sleep(_POLL)


def _is_taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
