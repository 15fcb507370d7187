"""What is at one path: noted, kept, and put back.

Kept files are hard links where they can be: pip unlinks before it writes, so that they keep the old
bytes at no cost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.values.journal import Absent, File, Link

if TYPE_CHECKING:
    from safepip.values.journal import State

BESIDE = ".safepip~"
"""The end of the names of files that are about to take the place of others."""


def restore(path: str, state: State, kept: str) -> None:
    """Have a path in this state; ``kept`` is the folder of the kept files.

    Raises: OSError.
    """
    match state:
        case Absent() if os.path.isdir(path) and not os.path.islink(path):
            return  # a folder in the way of the plan, which was there before
        case Absent():
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(path)
        case Link(target):
            if not os.path.islink(path) or os.readlink(path) != target:
                beside = path + BESIDE
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(beside)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(target, beside)
                os.replace(beside, path)
        case File():
            if not _is_as_it_was(path, state, f"{kept}/{state.kept}"):
                _put(path, state, f"{kept}/{state.kept}")


def state_of(path: str) -> State:
    """Give what is at a path; folders count as nothing."""
    try:
        found = os.lstat(path)
    except OSError:
        return Absent()
    if stat.S_ISLNK(found.st_mode):
        return Link(os.readlink(path))
    if not stat.S_ISREG(found.st_mode):
        return Absent()
    mode = stat.S_IMODE(found.st_mode)
    return File(mode, found.st_size, found.st_mtime_ns)


def make_shared(folder: str, prefix: str) -> None:
    """Make a folder of safepip's, for everybody who may write to conda's records.

    Raises: OSError.
    """
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    books = f"{prefix}/conda-meta"
    if parent.startswith(f"{books}/"):
        make_shared(parent, prefix)
    os.makedirs(folder, exist_ok=True)
    if folder.startswith(f"{books}/"):
        with contextlib.suppress(OSError):  # some file systems know no modes
            os.chmod(folder, stat.S_IMODE(os.stat(books).st_mode))


def sync_folder(folder: str) -> None:
    """Have the names in a folder on the disk, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_same(one: State, other: State) -> bool:
    """Say whether two states are of the same file, untouched, or of the same link or nothing."""
    if isinstance(one, File) and isinstance(other, File):
        facts = [(f.mode, f.size_bytes, f.mtime_ns) for f in (one, other)]
        return facts[0] == facts[1]
    return one == other


class Keeper:
    """Keeps files in a folder, which is made when there is one to keep."""

    def __init__(self, folder: str, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._count = 0

    def keep(self, path: str) -> State:
        """Keep what is at a path, and give its state."""
        state = state_of(path)
        if not isinstance(state, File):
            return state
        if not self._count:
            make_shared(self._folder, self._prefix)
        self._count += 1
        name = str(self._count)
        copy = f"{self._folder}/{name}"
        # Path files are written in place, which would change a hard link with them.
        if path.endswith((".pth", ".egg-link")):
            _copy(path, copy)
        else:
            try:
                os.link(path, copy)
            except OSError:  # another file system, or one without links
                _copy(path, copy)
        return replace(state, kept=name)

    def sync(self) -> None:
        """Have the names of what is kept on the disk."""
        if self._count:
            sync_folder(self._folder)


def _copy(path: str, copy: str) -> None:
    """Copy a file, to the disk itself: a power cut must not find it empty."""
    shutil.copy2(path, copy)
    with open(copy, "rb") as file:
        os.fsync(file.fileno())


def _is_as_it_was(path: str, state: File, kept: str) -> bool:
    try:
        found = os.lstat(path)
        if os.path.samestat(found, os.lstat(kept)):
            return stat.S_IMODE(found.st_mode) == state.mode
    except OSError:
        return False
    is_file = stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == state.mode
    return is_file and (found.st_size, found.st_mtime_ns) == (state.size_bytes, state.mtime_ns)


def _put(path: str, state: File, kept: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)  # not with what somebody may have put into it
    beside = path + BESIDE
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        os.link(kept, beside)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(kept, beside)
    os.chmod(beside, state.mode)
    os.replace(beside, path)
    if os.path.lexists(beside):  # `rename` leaves both names where they lead to one file
        os.unlink(beside)
