"""What an interrupted pip leaves behind, known by its names, and the folders that a change made.

Source: `pip._internal.utils.temp_dir.AdjacentTempDirectory` (`~umpy`),
`pip._internal.utils.filesystem.adjacent_tmp_file`, `importlib._bootstrap_external._write_atomic`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from safepip.effects.states import BESIDE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry

_PIPS_OWN = re.compile(r"(INSTALLER|RECORD|REQUESTED|direct_url\.json)\w{8}\.tmp")
_ASIDE = "-~.=%0123456789"
"""What pip puts in place of the first letters of a name."""
_METADATA = (".dist-info", ".egg-info")
_HALF_COMPILED = re.compile(r".+\.pyc\.\d+")


def remove_new_folders(journal: Journal, entry: Entry) -> list[str]:
    """Remove the folders that a change made, and give those in which something else is by now."""
    folders = map(journal.absolute, reversed(entry.new_folders))
    return [path for path in folders if not _remove_folder(path)]


def asides_in(folders: Iterable[str]) -> Iterator[str]:
    """Give what lies in these folders under a name as of something that pip moved aside."""
    for folder in folders:
        with contextlib.suppress(OSError):
            names = os.listdir(folder)
            yield from (f"{folder}/{name}" for name in names if name.startswith("~"))


def clear_asides(journal: Journal, entry: Entry) -> None:
    """Remove what an interrupted pip, or putting back, left in folders that were there before."""
    known = set(map(journal.absolute, entry.asides))
    children: dict[str, set[str]] = {}
    for path in map(journal.absolute, entry.touched):
        folder, _, name = path.rpartition("/")
        while name not in children.setdefault(folder, set()):
            children[folder].add(name)
            folder, _, name = folder.rpartition("/")
    for folder in map(journal.absolute, entry.folders):
        names = children.get(folder, set())
        for path in _leftovers(folder, names):
            if path not in known:
                _remove(path)


def _leftovers(folder: str, names: Collection[str]) -> list[str]:
    """Give what lies in a folder because of a change to what had these names there."""
    with contextlib.suppress(OSError):
        there = os.listdir(folder)
        return [f"{folder}/{n}" for n in there if _is_leftover(n) or _is_aside(n, names)]
    return []


def _is_leftover(name: str) -> bool:
    return bool(
        name.endswith(BESIDE) or _PIPS_OWN.fullmatch(name) or _HALF_COMPILED.fullmatch(name)
    )


def _is_aside(name: str, names: Collection[str]) -> bool:
    """Say whether pip would move one of these aside under this name: `umpy` and `numpy`."""
    rest = name.lstrip(_ASIDE)
    return name.startswith("~") and bool(rest) and any(one.endswith(rest) for one in names)


def standing_again(paths: Iterable[str]) -> frozenset[str]:
    """Give those of what pip moved aside in whose place something of that name is by now.

    Of the rest it may be the only copy. Of metadata what counts is the name, in any version; and
    where one is not there again, pip was killed half-way, and nothing in that folder is certain.
    """
    found: list[str] = []
    for folder in {path.rpartition("/")[0] for path in paths}:
        asides = [path for path in paths if path.rpartition("/")[0] == folder]
        asides = [path for path in asides if path.startswith(f"{folder}/~")]
        there: list[str] = []
        with contextlib.suppress(OSError):
            there = [name for name in os.listdir(folder) if not name.startswith("~")]
        whole = [n for n in there if not n.endswith(_METADATA) or _is_whole(f"{folder}/{n}")]
        again = [path for path in asides if _is_there_again(path.rpartition("/")[2], whole)]
        if not any(path.endswith(_METADATA) for path in {*asides} - {*again}):
            found += again
    return frozenset(found)


def _is_whole(metadata: str) -> bool:
    """Say whether an install came to its end, which writes RECORD; eggs have none."""
    return metadata.endswith(".egg-info") or os.path.isfile(f"{metadata}/RECORD")


def _is_there_again(aside: str, names: Iterable[str]) -> bool:
    if not aside.endswith(_METADATA):
        return any(_is_alias(aside, name) for name in names)
    projects = {name.partition("-")[0] for name in names if name.endswith(_METADATA)}
    starts = [aside[:at] for at, letter in enumerate(aside) if letter == "-"]
    return any(_is_alias(start, project) for start in starts for project in projects)


def _is_alias(aside: str, name: str) -> bool:
    """Say whether pip would call this that when it moves it aside: `~umpy`, `~-mpy`, `~numpy`."""
    kept = len(aside) - 1
    while kept and not name.endswith(aside[-kept:]):
        kept -= 1
    is_short = len(aside) == len(name) and kept > 0
    is_long = kept == len(name) < len(aside)
    return (is_short or is_long) and all(c in _ASIDE for c in aside[1 : len(aside) - kept])


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _remove_folder(path: str) -> bool:
    """Remove a folder that is empty but for what Python and pip make by the way."""
    with contextlib.suppress(OSError):  # it is gone, or no folder, or not ours to look into
        for name in os.listdir(path):
            inner = f"{path}/{name}"
            if name == "__pycache__" and not os.path.islink(inner):
                _remove_bytecode(inner)
            elif _is_leftover(name):
                _remove(inner)
        os.rmdir(path)
    return not os.path.lexists(path)


def _remove_bytecode(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.endswith(".pyc") or _is_leftover(name):
                os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
