"""What is in an environment, byte by byte: the oracle of the tests.

Read in the plainest possible way, and sharing no code with safepip: what both get wrong would be no
error.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection
from pathlib import Path

Ledger = dict[str, str]
"""By path in the prefix: the sha256 of a file, ``link:TARGET``, or ``missing``."""


def conda_bytes(prefix: Path) -> Ledger:
    """Every file that a record owns, as it is on disk now."""
    start = f"{prefix}/"
    return {path: state(start + path) for path in sorted(owned_paths(prefix))}


def owned_paths(prefix: Path) -> set[str]:
    """What the records own, below the prefix."""
    owned: set[str] = set()
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        owned.update(json.loads(record.read_bytes())["files"])
    return owned


def with_modes(folder: Path, *, without: Collection[str] = ()) -> dict[str, tuple[str, int]]:
    """Every file and link below a folder with its mode; ``without``: names of folders."""
    found: dict[str, tuple[str, int]] = {}
    folders = [""]
    while folders:
        below = folders.pop()
        with os.scandir(os.path.join(folder, below)) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders += [] if entry.name in without else [path]
                else:
                    seen = entry.stat(follow_symlinks=False)
                    found[path] = state(entry.path, seen), seen.st_mode
    return found


def everything(prefix: Path, *, bytecode: bool = False) -> Ledger:
    """Every file and link under the prefix; without ``bytecode``, nothing in a ``__pycache__``.

    Running Python writes bytecode, so it tells nothing of what an installer did.
    """
    found: Ledger = {}
    for root, folders, files in os.walk(prefix):
        if not bytecode and "__pycache__" in folders:
            folders.remove("__pycache__")
        below = os.path.relpath(root, prefix)
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in [*files, *links]:
            found[os.path.normpath(os.path.join(below, name))] = state(os.path.join(root, name))
    return dict(sorted(found.items()))


def changed(before: Ledger, after: Ledger) -> dict[str, tuple[str, str]]:
    """What differs, with ``missing`` for what only one of them has."""
    paths = sorted({*before, *after})
    pairs = {path: (before.get(path, "missing"), after.get(path, "missing")) for path in paths}
    return {path: (was, now) for path, (was, now) in pairs.items() if was != now}


_digests: dict[tuple[int, ...], str] = {}
"""By device, inode, size, and the times of the last write and the last change of any kind.

The same file is looked at before and after a command, and by two ledgers. The kernel alone sets the
last of the times, so that nobody can write a file and seem not to have. It says nothing of a file
with several links, since each environment that is made or removed links those of the package cache
anew; but whoever replaces such a file makes another inode, and who writes into it changes the other
time.
"""


def state(path: str | Path, found: os.stat_result | None = None) -> str:
    """What is at a path; ``found`` is what `lstat` has said of it."""
    try:
        found = found or os.lstat(path)
    except OSError:
        return "missing"
    if stat.S_ISLNK(found.st_mode):
        return f"link:{os.readlink(path)}"
    if not stat.S_ISREG(found.st_mode):
        return "missing"
    alone = found.st_nlink == 1
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, alone * found.st_ctime_ns)
    if key not in _digests:
        with open(path, "rb") as file:
            _digests[key] = hashlib.sha256(file.read()).hexdigest()
    return _digests[key]
