"""Looking at what a change left, and setting its paths back to what they were before it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.effects.installed import requirements_in
from safepip.effects.states import is_same, restore, state_of
from safepip.values.journal import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry


def changed_since(journal: Journal, entry: Entry) -> tuple[str, ...]:
    """Give the paths that are not as the change left them, but for bytecode."""
    return tuple(
        path
        for path, touched in entry.touched.items()
        if not path.endswith(".pyc")
        if touched.after is None or not is_same(touched.after, state_of(journal.absolute(path)))
    )


def lacking(journal: Journal, entry: Entry) -> tuple[str, ...]:
    """Give the paths of which the old bytes are needed and not kept any more."""
    kept = journal.kept(entry.id)
    return tuple(
        path
        for path, touched in entry.touched.items()
        if isinstance(touched.before, File) and not os.path.lexists(f"{kept}/{touched.before.kept}")
    )


def put_back(journal: Journal, entry: Entry) -> Iterator[tuple[str, OSError]]:
    """Set the paths of a change to what they were before it; give those where that failed.

    May be interrupted at any point and begun again.
    """
    kept = journal.kept(entry.id)
    for path, mode in sorted(entry.folders.items()):
        try:
            if path in entry.touched:  # a file took the place of a folder
                restore(journal.absolute(path), entry.touched[path].before, kept)
            _make_folder(journal.absolute(path), mode)
        except OSError as error:
            yield path, error
    for path, touched in entry.touched.items():
        try:
            restore(journal.absolute(path), touched.before, kept)
        except OSError as error:
            yield path, error


def _make_folder(path: str, mode: int) -> None:
    if not os.path.lexists(path):  # what somebody has put in its place is not ours to remove
        os.makedirs(path)
        os.chmod(path, mode)


def required_before(journal: Journal, entry: Entry) -> Mapping[str, tuple[str, ...]]:
    """Give what the distributions required that a change took away or replaced, by name."""
    found = {}
    for path, touched in entry.touched.items():
        is_metadata = path.endswith((".dist-info/METADATA", ".egg-info/PKG-INFO", ".egg-info"))
        if is_metadata and isinstance(touched.before, File):
            name, requires = requirements_in(f"{journal.kept(entry.id)}/{touched.before.kept}")
            found[name] = requires
    return found
