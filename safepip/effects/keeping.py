"""Keeping files while pip works, and putting them back as they were: the same bytes and inodes."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.effects.states import BESIDE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_RECORD_LIMIT = 64 * 1024 * 1024
UNPACKED = ".safepip-unpacked-"
"""How the names of folders begin in `conda-meta` in which packages lie while they are needed."""

KEPT_MEANWHILE = ".safepip-kept-"
"""How the names of folders begin in which files lie while pip is at work; one that is killed leaves
it behind."""


@contextlib.contextmanager
def kept(paths: Iterable[str], prefix: str, otherwise: Path) -> Iterator[None]:
    """Have these paths as they are now once the block ends, whatever happens in it.

    They are kept by hard links in a folder below ``prefix``, or in ``otherwise`` when that cannot
    be written; by copies where a link is impossible.
    """
    there = [path for path in paths if os.path.lexists(path) and not _is_folder(path)]
    if not there:
        yield
        return
    folder = _private_folder(prefix, otherwise)
    try:
        copies = {path: _keep(path, f"{folder}/{i}") for i, path in enumerate(there)}
        try:
            yield
        finally:
            for path, copy in copies.items():
                _put_back(path, copy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def gone(paths: Iterable[str]) -> Iterator[None]:
    """Have those of these paths that are not there now not be there when the block ends either."""
    absent = [path for path in paths if not os.path.lexists(path)]
    try:
        yield
    finally:
        for path in absent:
            with contextlib.suppress(OSError):
                os.unlink(path)


def sweep_unpacked(prefix: str) -> None:
    """Delete what lay unpacked for a repair or conda's part when that was killed.

    For who has the lock.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(f"{prefix}/conda-meta"):
            if name.startswith(UNPACKED):
                shutil.rmtree(f"{prefix}/conda-meta/{name}", ignore_errors=True)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _private_folder(prefix: str, otherwise: Path) -> str:
    with contextlib.suppress(OSError):
        # conda and its relatives read only `*.json` in this folder.
        return tempfile.mkdtemp(prefix=KEPT_MEANWHILE, dir=f"{prefix}/conda-meta")
    return tempfile.mkdtemp(prefix="kept-", dir=otherwise)


def _keep(path: str, copy: str) -> str:
    try:
        os.link(path, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, copy, follow_symlinks=False)
    return copy


def _put_back(path: str, copy: str) -> None:
    if os.path.lexists(path) and os.path.samestat(os.lstat(path), os.lstat(copy)):
        return  # pip left it alone
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if _is_folder(path):
        shutil.rmtree(path)
    try:
        os.replace(copy, path)
    except OSError:  # another file system
        beside = path + BESIDE
        shutil.copy2(copy, beside, follow_symlinks=False)
        os.replace(beside, path)


def forget(record: str, paths: Collection[str]) -> None:
    """Take the lines of these absolute paths out of a RECORD: uninstalling leaves them then.

    Raises: OSError, ValueError.
    """
    try:
        text = read_bytes(record, _RECORD_LIMIT).decode()
    except OSError:
        return
    folder = os.path.dirname(os.path.dirname(record))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    left = [r for r in rows if not r or os.path.normpath(os.path.join(folder, r[0])) not in paths]
    if left == rows:
        return
    beside = record + BESIDE
    with open(beside, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(left)
    shutil.copymode(record, beside)
    os.replace(beside, record)
