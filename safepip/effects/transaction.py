"""All or nothing: what a change may touch is noted and kept before, and put back if need be.

The paths are those of the plan, which pip writes and removes exactly (see `decisions.planning`);
what an interrupted pip leaves besides is known by its names.

Source: `pip._internal.utils.temp_dir.AdjacentTempDirectory` (`~umpy`),
`pip._internal.utils.filesystem.adjacent_tmp_file`, `importlib._bootstrap_external._write_atomic`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.effects.as_judged import hashes_in
from safepip.values.journal import Absent, File, Link, Touched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry, State
    from safepip.values.plan import Plan

_BESIDE = ".safepip~"
"""The end of the names of files that are about to take the place of others."""
_PIPS_OWN = re.compile(r"(INSTALLER|RECORD|REQUESTED|direct_url\.json)\w{8}\.tmp")
_ASIDE = "-~.=%0123456789"
"""What pip puts in place of the first letters of a name."""
_HALF_COMPILED = re.compile(r".+\.pyc\.\d+")


def begin(journal: Journal, entry: Entry, paths: Iterable[str], folders: Iterable[str]) -> Entry:
    """Note and keep what is at these absolute paths; give the entry, which is on the disk then.

    ``folders`` may be removed with all that is in them, which is among the paths.

    Raises: OSError.
    """
    journal.sweep()
    keeper = _Keeper(journal.kept(entry.id))
    states = {path: keeper.keep(path) for path in dict.fromkeys(paths)}
    there, new = _split({*map(os.path.dirname, states), *folders}, journal.prefix)
    entry = replace(
        entry,
        touched={journal.relative(path): Touched(state) for path, state in states.items()},
        new_folders=tuple(map(journal.relative, new)),
        folders={journal.relative(path): mode for path, mode in there.items()},
        asides=tuple(map(journal.relative, _asides(there))),
    )
    journal.write(entry)
    journal.mark(entry.id)
    return entry


def finish(journal: Journal, entry: Entry, records: Iterable[str]) -> Entry:
    """Note what is there now, and give the entry of a change that is done.

    ``records``: RECORD files that say the hashes of what they list.

    Raises: OSError.
    """
    known: dict[str, str] = {}
    for record in records:
        known.update(hashes_in(record))
    touched = {}
    for path, was in entry.touched.items():
        absolute = journal.absolute(path)
        after = state_of(absolute, known.get(absolute, ""))
        if not is_same(was.before, after):
            touched[path] = replace(was, after=after)
    entry = replace(entry, stage="done", touched=touched)
    if not entry.can_undo:
        entry = for_history(entry)
    journal.write(entry)
    journal.unmark()
    if not entry.can_undo:
        journal.drop_kept(entry.id)
    return entry


def for_history(entry: Entry) -> Entry:
    """Give an entry without what is needed to go back."""
    return replace(entry, can_undo=False, touched={}, new_folders=(), folders={}, asides=())


def take_back(journal: Journal, entry: Entry) -> tuple[str, ...]:
    """Have everything as it was before a change; give a line for each thing that is not.

    May be interrupted at any point and begun again.
    """
    problems: list[str] = []
    for path, mode in sorted(entry.folders.items()):
        with contextlib.suppress(OSError):
            _make_folder(journal.absolute(path), mode)
    for path, was in entry.touched.items():
        try:
            restore(journal.absolute(path), was.before, journal.kept(entry.id))
        except OSError as error:
            problems.append(f"{path} could not be put back: {error.strerror}")
    _clear_asides(journal, entry)
    left = remove_new_folders(journal, entry)
    problems += [f"{path} is left, because something else was put there" for path in left]
    return tuple(problems)


def remove_new_folders(journal: Journal, entry: Entry) -> list[str]:
    """Remove the folders that a change made, and give those in which something else is by now."""
    folders = map(journal.absolute, reversed(entry.new_folders))
    return [path for path in folders if not _remove_folder(path)]


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
                beside = path + _BESIDE
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(beside)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(target, beside)
                os.replace(beside, path)
        case File():
            if not _is_as_it_was(path, state, f"{kept}/{state.kept}"):
                _put(path, state, f"{kept}/{state.kept}")


def state_of(path: str, sha256: str = "") -> State:
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
    return File(mode, found.st_size, found.st_mtime_ns, sha256)


def is_same(one: State, other: State) -> bool:
    """Say whether two states are of the same file, untouched, or of the same link or nothing."""
    if isinstance(one, File) and isinstance(other, File):
        facts = [(f.mode, f.size_bytes, f.mtime_ns) for f in (one, other)]
        return facts[0] == facts[1]
    return one == other


# ------------------------------------------------------------------------------- of a plan


def paths_of(plan: Plan, spared: Iterable[str]) -> tuple[list[str], list[str]]:
    """Give the absolute paths that carrying out a plan touches, and the folders that it removes.

    Bytecode counts whether pip compiles or not: the first import would write it.
    """
    left_out = set(spared)
    paths: dict[str, None] = {}
    folders: list[str] = []
    for change in plan.changes:
        for file in change.files:
            if file.path not in left_out:
                paths[file.path] = None
        for path in change.removes:
            if os.path.isdir(path) and not os.path.islink(path):
                for folder, _, names in os.walk(path):
                    folders.append(folder)
                    paths.update((os.path.join(folder, name), None) for name in names)
            else:
                paths[path] = None
    return list(paths), folders


def records_of(plan: Plan) -> Iterator[str]:
    """Give the RECORD of each distribution that a plan installs."""
    for change in plan.changes:
        yield from (file.path for file in change.files if _is_record(file.path))


def _is_record(path: str) -> bool:
    return path.endswith(".dist-info/RECORD")


# ------------------------------------------------------------------------------- keeping


class _Keeper:
    """Keeps files in a folder, which is made when there is one to keep."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count = 0

    def keep(self, path: str) -> State:
        """Keep what is at a path, and give its state."""
        state = state_of(path)
        if not isinstance(state, File):
            return state
        if not self._count:
            os.makedirs(self._folder, exist_ok=True)
        self._count += 1
        name = str(self._count)
        copy = f"{self._folder}/{name}"
        # Path files are written in place, which would change a hard link with them.
        if path.endswith((".pth", ".egg-link")):
            shutil.copy2(path, copy)
        else:
            try:
                os.link(path, copy)
            except OSError:  # another file system, or one without links
                shutil.copy2(path, copy)
        return replace(state, kept=name)


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
        shutil.rmtree(path)
    beside = path + _BESIDE
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


# ------------------------------------------------------------------------------- folders


def _split(folders: Iterable[str], prefix: str) -> tuple[Mapping[str, int], list[str]]:
    """Give the folders that are there, with their modes, and those that are not, outer ones first.

    With each folder go those that it is in.
    """
    there: dict[str, int] = {}
    new: set[str] = set()
    for each in folders:
        folder = each
        while folder not in there and folder not in new and folder not in ("", "/", prefix):
            try:
                there[folder] = stat.S_IMODE(os.stat(folder).st_mode)
            except OSError:
                new.add(folder)
            folder = os.path.dirname(folder)
    return there, sorted(new)


def _make_folder(path: str, mode: int) -> None:
    if not os.path.isdir(path):
        os.makedirs(path)
        os.chmod(path, mode)


def _asides(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        with contextlib.suppress(OSError):
            names = os.listdir(folder)
            yield from (f"{folder}/{name}" for name in names if name.startswith("~"))


def _clear_asides(journal: Journal, entry: Entry) -> None:
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
        name.endswith(_BESIDE) or _PIPS_OWN.fullmatch(name) or _HALF_COMPILED.fullmatch(name)
    )


def _is_aside(name: str, names: Collection[str]) -> bool:
    """Say whether pip would move one of these aside under this name: `umpy` and `numpy`."""
    rest = name.lstrip(_ASIDE)
    return name.startswith("~") and bool(rest) and any(one.endswith(rest) for one in names)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _remove_folder(path: str) -> bool:
    """Remove a folder that is empty but for what Python and pip make by the way."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(path):
            inner = f"{path}/{name}"
            if name == "__pycache__" and not os.path.islink(inner):
                _remove_bytecode(inner)
            elif _is_leftover(name) or name.startswith("~"):
                _remove(inner)
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return not os.path.lexists(path)


def _remove_bytecode(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.endswith(".pyc") or _is_leftover(name):
                os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
