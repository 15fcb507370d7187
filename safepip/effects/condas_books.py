"""What conda's part of a request brings into an environment, and conda's own history of it."""

from __future__ import annotations

import filecmp
import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.planning.files import bytecode_of
from safepip.decisions.undoing.conda_history import (
    dist_of,
    history_text,
    is_noted,
    without_entry,
)
from safepip.effects.opened import read_bytes
from safepip.effects.records import RECORD_LIMIT, read_object
from safepip.effects.transaction import all_in
from safepip.effects.writing import replace_bytes
from safepip.values.environment import FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from safepip.values.environment import Environment
    from safepip.values.journal import Entry

HISTORY = "conda-meta/history"
_LIMIT = 64 * 1024 * 1024


class Staged(NamedTuple):
    """What lies in a folder as it would lie in an environment."""

    paths: tuple[str, ...]
    """Below the folder."""
    dists: tuple[str, ...]
    """The packages, as conda's history names them."""


def read_staged(folder: str, but: Iterable[str]) -> Staged:
    """Give what was staged in a folder. ``but``: records that are there for others to read."""
    start = f"{folder}/"
    left_out = {HISTORY, *(f"conda-meta/{name}" for name in but)}
    files = (path.removeprefix(start) for path in all_in(folder)[0])
    paths = tuple(sorted(path for path in files if path not in left_out))
    records = [path.removeprefix("conda-meta/") for path in paths if _is_record(path)]
    return Staged(paths, dists_of(folder, records))


def _is_record(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder == "conda-meta" and name.endswith(".json")


def dists_of(prefix: str, records: Iterable[str]) -> tuple[str, ...]:
    """Give packages as conda's history names them, by the names of their records' files."""
    found = []
    for name in records:
        raw = read_object(f"{prefix}/conda-meta/{name}", RECORD_LIMIT)
        channel, platform = (str(raw.get(key) or "") for key in ("channel", "subdir"))
        found.append(dist_of(channel, platform, name.removesuffix(".json")))
    return tuple(sorted(found))


def written_over(prefix: str, folder: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Give what the environment has already in the place of something else that is staged.

    Also a file or a link where a folder would be: through a link, files would lie elsewhere.
    """
    there = (
        path
        for path in paths
        if os.path.lexists(f"{prefix}/{path}")
        and not _is_alike(f"{prefix}/{path}", f"{folder}/{path}")
    )
    folders = sorted({parent for path in paths for parent in _parents(path)})
    no_folders = (path for path in folders if not _may_be_folder(f"{prefix}/{path}"))
    return tuple(dict.fromkeys((*no_folders, *there)))


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _may_be_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True  # nothing is there, or it is told of what is above


def _is_alike(one: str, other: str) -> bool:
    try:
        if os.path.islink(one) or os.path.islink(other):
            return os.readlink(one) == os.readlink(other)
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def touched_by(prefix: str, staged: Staged, cache_tag: str) -> tuple[str, ...]:
    """Give the absolute paths that adding what is staged may touch, the bytecode of it as well."""
    paths = [f"{prefix}/{path}" for path in staged.paths]
    beside = [f"{path}.new" for path in staged.paths if _is_record(path)]
    compiled = [bytecode_of(path, cache_tag) for path in paths if path.endswith(".py")]
    return (*paths, *(f"{prefix}/{path}" for path in beside), *compiled)


def may_be_noted(environment: Environment) -> bool:
    """Say whether conda's own history knows all that is wanted of what is there.

    Where it does not, or there is none, it would know this alone to be wanted from then on, and
    conda would take all else along with whatever it is told to remove.
    """
    return environment.manager in FAMILY and not environment.unasked


def is_in_history(prefix: str, change: str) -> bool:
    """Say whether a change was written into conda's own history, and stands there."""
    try:
        return is_noted(read_bytes(f"{prefix}/{HISTORY}", _LIMIT), change)
    except (OSError, ValueError):
        return False


def note_in_history(prefix: str, entry: Entry, command: str) -> None:
    """Write a change of conda's packages into conda's own history.

    Raises: OSError; ValueError, where the history is larger than any.
    """
    path = os.path.realpath(f"{prefix}/{HISTORY}")
    before = read_bytes(path, _LIMIT)
    newline = b"" if before.endswith(b"\n") else b"\n"
    text = history_text(entry, command, time.strftime("%Y-%m-%d %H:%M:%S"))
    replace_bytes(path, before + newline + text.encode())


def out_of_history(prefix: str, entry: Entry) -> tuple[str, ...]:
    """Take a change that comes to nothing out of conda's own history; give why that failed.

    What others have written there meanwhile stays.
    """
    if not is_in_history(prefix, entry.id):
        return ()
    path = os.path.realpath(f"{prefix}/{HISTORY}")
    try:
        replace_bytes(path, without_entry(read_bytes(path, _LIMIT), entry.id))
    except (OSError, ValueError) as error:
        return (f"{HISTORY} could not be put back: {error}",)
    return ()
