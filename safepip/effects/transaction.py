"""All or nothing: what a change may touch is noted and kept before, and put back if need be.

The paths are those of the plan, which pip writes and removes exactly (see `decisions.planning`);
what an interrupted pip leaves besides is for `leftovers`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.planning.files import bytecode_of
from safepip.effects.as_judged import hashes_in
from safepip.effects.leftovers import asides_in, clear_asides, remove_new_folders
from safepip.effects.reverting import put_back
from safepip.effects.states import Keeper, is_same, state_of
from safepip.values.journal import Touched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry
    from safepip.values.plan import Plan


def begin(journal: Journal, entry: Entry, paths: Iterable[str], folders: Iterable[str]) -> Entry:
    """Note and keep what is at these absolute paths; give the entry, which is on the disk then.

    ``folders`` may be removed with all that is in them, which is among the paths.

    Raises: OSError.
    """
    journal.sweep()
    keeper = Keeper(journal.kept(entry.id), journal.prefix)
    states = {path: keeper.keep(path) for path in dict.fromkeys(paths)}
    keeper.sync()
    there, new = _split({*map(os.path.dirname, states), *folders}, journal.prefix)
    entry = replace(
        entry,
        touched={journal.relative(path): Touched(state) for path, state in states.items()},
        new_folders=tuple(map(journal.relative, new)),
        folders={journal.relative(path): mode for path, mode in there.items()},
        asides=tuple(map(journal.relative, asides_in(there))),
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
    with contextlib.suppress(OSError):  # the change is done, whatever becomes of the mark
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
    problems = tuple(
        f"{path} could not be put back: {error.strerror}"
        for path, error in put_back(journal, entry)
    )
    clear_asides(journal, entry)
    remove_new_folders(journal, entry)  # one in which something else is by now simply stays
    return problems


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


# ------------------------------------------------------------------------------- of a plan


def paths_of(plan: Plan, cache_tag: str) -> tuple[list[str], list[str]]:
    """Give the absolute paths that carrying out a plan touches, and the folders that it removes.

    Bytecode counts whether pip compiles or not: the first import would write it.
    """
    paths: dict[str, None] = {}
    folders: list[str] = []
    for change in plan.changes:
        for file in change.files:
            paths[file.path] = None
            if file.path.endswith(".py") and file.member:
                paths[bytecode_of(file.path, cache_tag)] = None
        for path in change.removes:
            files, inner = all_in(path)
            paths.update(dict.fromkeys(files))
            folders += inner
    going = {path for change in plan.changes for path in change.removes}
    for folder in sorted({os.path.dirname(path) for path in going}):
        # pip moves a folder away whole when every file in it goes, with what else is in it.
        if (unlisted := _moved_whole(folder, going)) is not None:
            paths.update(dict.fromkeys(unlisted.links))
            folders += unlisted.folders
    return list(paths), folders


def all_in(path: str) -> tuple[list[str], list[str]]:
    """Give the files that a path stands for, and the folders: itself, or all that it holds."""
    if not os.path.isdir(path) or os.path.islink(path):
        return [path], []
    files: list[str] = []
    folders = []
    for folder, _, names in os.walk(path):
        folders.append(folder)
        files += (os.path.join(folder, name) for name in names)
    return files, folders


class _Inner(NamedTuple):
    """What no list of files has, in a folder."""

    links: list[str]
    """Symbolic links to folders."""
    folders: list[str]


def _moved_whole(folder: str, going: Collection[str]) -> _Inner | None:
    """Give what else is in a folder of which every file goes; None where one stays.

    Source: `pip._internal.req.req_uninstall.compress_for_rename`
    """
    found = _Inner([], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner = _moved_whole(entry.path, going)
                    if inner is None:
                        return None
                    found.folders.append(entry.path)
                    found.folders.extend(inner.folders)
                    found.links.extend(inner.links)
                elif entry.is_symlink() and entry.is_dir():
                    found.links.append(entry.path)
                elif entry.path not in going:
                    return None
    except OSError:
        return None
    return found


def records_of(plan: Plan) -> Iterator[str]:
    """Give the RECORD of each distribution that a plan installs."""
    for change in plan.changes:
        yield from (file.path for file in change.files if _is_record(file.path))


def _is_record(path: str) -> bool:
    return path.endswith(".dist-info/RECORD")
