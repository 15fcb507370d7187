"""All or nothing: what a change may touch is noted and kept before, and put back if need be.

The paths are those of the plan, which pip writes and removes exactly (see `decisions.planning`);
what an interrupted pip leaves besides is for `leftovers`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.planning.files import bytecode_of
from safepip.effects.leftovers import asides_in, clear_asides, remove_new_folders
from safepip.effects.reverting import put_back
from safepip.effects.states import Keeper, is_same, state_of
from safepip.values.errors import NotWritable
from safepip.values.journal import Touched
from safepip.values.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry
    from safepip.values.plan import Plan

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_ONCE_THERE_IS_ROOM = Retry("say it again once there is more room")


def begin(journal: Journal, entry: Entry, paths: Iterable[str], folders: Iterable[str]) -> Entry:
    """Note and keep what is at these absolute paths; give the entry, which is on the disk then.

    ``folders`` may be removed with all that is in them, which is among the paths.

    Raises: NotWritable, when what is needed to go back cannot be kept; nothing is marked then.
    """
    paths = tuple(paths)
    try:
        return _begun(journal, entry, paths, folders)
    except OSError as error:
        _forget(journal, entry)
        raise _not_kept(journal, paths, error) from error


def _not_kept(journal: Journal, paths: Iterable[str], error: OSError) -> NotWritable:
    """Give the error of a folder in which nothing can be kept, with what it lacks."""
    said = f"cannot keep in `{journal.folder}` what is needed to go back: {error.strerror}"
    why = "should it fail half-way, the environment could not be put back"
    if error.errno not in _NO_ROOM:
        return NotWritable(said, why=why)
    needed = 0
    for path in paths:
        with contextlib.suppress(OSError):
            needed += os.lstat(path).st_size
    why += f"; {_left_in(journal.prefix)}, what is kept has up to {_megabytes(needed)}"
    why += ", and what is new needs room, too"
    return NotWritable(said, why=why, retry=_ONCE_THERE_IS_ROOM)


def _left_in(folder: str) -> str:
    try:
        found = os.statvfs(folder)
    except OSError:
        return "there is too little room"
    return f"{_megabytes(found.f_bavail * found.f_frsize)} are free there"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"


def _begun(journal: Journal, entry: Entry, paths: Iterable[str], folders: Iterable[str]) -> Entry:
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


def finish(journal: Journal, entry: Entry) -> Entry:
    """Note what is there now, and give the entry of a change that is done.

    Raises: OSError.
    """
    touched = {}
    for path, was in entry.touched.items():
        after = state_of(journal.absolute(path))
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


def abandon(journal: Journal, entry: Entry, left: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Take back a change that came to nothing, and forget it; give a line for each thing left.

    With anything left it stays marked as unfinished, and the next command tries again. ``left``:
    what is left elsewhere.
    """
    problems = (*left, *take_back(journal, entry))
    if not problems:
        _forget(journal, entry)
    return problems


def _forget(journal: Journal, entry: Entry) -> None:
    journal.unmark()
    journal.forget(entry.id)


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
                mode = os.stat(folder).st_mode
            except OSError:
                mode = 0
            if stat.S_ISDIR(mode):
                there[folder] = stat.S_IMODE(mode)
            else:
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
    """Give the files that a path stands for, and the folders: itself, or all that it holds.

    A link to a folder is no folder.
    """
    if not os.path.isdir(path) or os.path.islink(path):
        return [path], []
    files: list[str] = []
    folders = []
    for folder, inner, names in os.walk(path):
        folders.append(folder)
        links = [name for name in inner if os.path.islink(os.path.join(folder, name))]
        files += (os.path.join(folder, name) for name in (*names, *links))
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
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        found.folders.append(entry.path)
                        waiting.append(entry.path)
                    elif entry.is_symlink() and entry.is_dir():
                        found.links.append(entry.path)
                    elif entry.path not in going:
                        return None
        except OSError:
            return None
    return found
