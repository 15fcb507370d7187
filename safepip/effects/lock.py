"""One at a time in an environment: safepip, and whoever else says that it is at work there.

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
from safepip.values.light import NamedTuple
from safepip.values.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POLL = 0.1
_NOBODY = -1
_LONGER = Retry("wait longer", variables=(("SAFEPIP_LOCK_SECONDS", "600"),))

_MAMBAS_BYTE = 21
"""Of `conda-meta/conda-meta.lock`, while mamba changes the environment.

Source: https://github.com/mamba-org/mamba/blob/main/libmamba/src/core/util.cpp, `LockFileOwner`.
"""
_PIXIS = ".guard"
"""Locked as a whole while pixi changes the environment.

Source: https://github.com/conda/rattler/tree/main/crates/rattler_prefix_guard.
"""


class Waiting(NamedTuple):
    """Another holds the environment, and is waited for."""

    prefix: str
    holder: str
    seconds: float
    """How long it is waited for."""


@contextlib.contextmanager
def locked(
    prefix: str,
    patience: float,
    tell: Callable[[Waiting], None] | None = None,
    *,
    others: bool = True,
) -> Iterator[None]:
    """Hold the environment's lock: on the folder of its records, so that nothing is left behind.

    Processes that are started meanwhile hold it too, if they are given open files: pip, which may
    outlive a safepip that is killed. Where the file system knows no locks there is none, as with
    pip alone. The locks of mamba and pixi are held as well where their files are there, which they
    are while one of them is at work. (conda has none.)

    ``tell`` is called once, when another has to be waited for. ``others=False``: the locks of
    others are left to one of them, which is started meanwhile; py-rattler takes none.

    Units: ``patience`` is in seconds.
    Raises: Busy, when another still holds it after that.
    """
    waiting = _Patience(prefix, patience, tell)
    with contextlib.ExitStack() as held:
        for take, holder in _LOCKS if others else _LOCKS[:1]:
            while (handle := take(prefix)) is None:
                waiting.go_on(holder)
            if handle != _NOBODY:
                held.callback(os.close, handle)
        yield


class _Patience:
    """How long one command waits, for whatever."""

    def __init__(self, prefix: str, seconds: float, tell: Callable[[Waiting], None] | None) -> None:
        self._prefix, self._seconds, self._tell = prefix, seconds, tell
        self._end = time.monotonic() + seconds

    def go_on(self, holder: str) -> None:
        """Wait a little.

        Raises: Busy, when it has been enough.
        """
        if time.monotonic() >= self._end:
            raise Busy(
                f"{holder} is changing `{self._prefix}`",
                why="two installs at once leave the files of both mixed",
                retry=_LONGER,
            )
        if self._tell is not None:
            self._tell(Waiting(self._prefix, holder, self._seconds))
            self._tell = None
        time.sleep(_POLL)


# Each gives the handle that holds the lock, `_NOBODY` where there is none, and None where another
# holds it.


def _safepips(prefix: str) -> int | None:
    handle = _opened(f"{prefix}/conda-meta", os.O_RDONLY)
    if handle == _NOBODY:
        return handle  # nobody may read it, which is said where it is read
    is_taken = _is_flocked(handle)
    if is_taken is None:
        # NFS locks only what is open for writing, which a folder cannot be.
        os.close(handle)
        folder = f"{prefix}/conda-meta/safepip"
        from safepip.effects.states import make_shared  # seldom needed

        with contextlib.suppress(OSError):
            make_shared(folder, prefix)
        locked = _of_file(f"{folder}/lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        return _inherited(locked) if locked is not None else None
    if is_taken:
        return _inherited(handle)
    os.close(handle)
    return None


def _inherited(handle: int) -> int:
    if handle != _NOBODY:
        os.set_inheritable(handle, True)  # noqa: FBT003 - that is its signature
    return handle


def _mambas(prefix: str) -> int | None:
    handle = _opened(f"{prefix}/conda-meta/conda-meta.lock", os.O_RDWR | os.O_NOFOLLOW)
    if handle == _NOBODY:
        return handle
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _MAMBAS_BYTE)
    except (BlockingIOError, PermissionError):
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        return _NOBODY
    return handle


def _pixis(prefix: str) -> int | None:
    return _of_file(f"{prefix}/{_PIXIS}", os.O_RDWR | os.O_NOFOLLOW)


_LOCKS = ((_safepips, "another safepip"), (_mambas, "mamba"), (_pixis, "pixi"))


def _of_file(path: str, flags: int) -> int | None:
    handle = _opened(path, flags)
    if handle == _NOBODY:
        return handle
    is_taken = _is_flocked(handle)
    if is_taken:
        return handle
    os.close(handle)
    return _NOBODY if is_taken is None else None


def _opened(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC, 0o666)
    except OSError:
        return _NOBODY


def _is_flocked(handle: int) -> bool | None:
    """Take the lock, and say whether that went; None where the file system has no such locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
