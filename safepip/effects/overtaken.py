"""What others installed in place of what a change was about, after that was cut off.

Putting back what was there before it would mix both: files of one version, metadata of two.
"""

from __future__ import annotations

import contextlib
import csv
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.effects.records import read_text
from safepip.values.journal import File
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.effects.journal import Journal
    from safepip.values.journal import Entry

_LIMIT = 64 * 1024 * 1024


def without_overtaken(journal: Journal, entry: Entry) -> tuple[Entry, Mapping[str, str]]:
    """Give the entry without what others have the say in by now; and that, version by name.

    A distribution counts as theirs when metadata of it lies there that the change knows nothing of,
    and that was written after the change began.
    """
    names = {step.name for step in entry.steps}
    theirs: dict[str, str] = {}
    left_alone: set[str] = set()
    folders = {os.path.dirname(os.path.dirname(path)) for path in _records(entry)}
    for info in sorted({info for folder in folders for info in _metadata_in(journal, folder)}):
        name, version = _name_and_version(info)
        record = f"{info}/RECORD"
        if name in names and record not in entry.touched and _is_newer(journal, record):
            theirs[name] = version
            left_alone |= _listed(journal.absolute(record), info)
    for path, touched in _records(entry).items():
        info = os.path.dirname(path)
        if _name_and_version(info)[0] in theirs and isinstance(touched, File):
            left_alone |= _listed(f"{journal.kept(entry.id)}/{touched.kept}", info)
    if not theirs:
        return entry, theirs
    kept = {path: state for path, state in entry.touched.items() if path not in left_alone}
    needed = {folder for path in kept for folder in _above(path)}
    made = {path: mode for path, mode in entry.folders.items() if path in needed}
    return replace(entry, touched=kept, folders=made), theirs


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _records(entry: Entry) -> dict[str, object]:
    """Give what was there before of each RECORD that the change touches, by its path."""
    return {
        path: touched.before
        for path, touched in entry.touched.items()
        if path.endswith(".dist-info/RECORD")
    }


def _metadata_in(journal: Journal, folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        names = os.listdir(journal.absolute(folder))
        yield from (f"{folder}/{name}" for name in names if name.endswith(".dist-info"))


def _name_and_version(info: str) -> tuple[str, str]:
    name, _, version = os.path.basename(info).removesuffix(".dist-info").partition("-")
    return normalised(name), version


def _is_newer(journal: Journal, path: str) -> bool:
    try:
        # By the kernel's own time: conda links files that are as old as their package.
        return os.stat(journal.absolute(path)).st_ctime_ns > journal.began_ns
    except OSError:
        return False


def _listed(record: str, info: str) -> set[str]:
    """Give what a RECORD lists, as entries have paths; ``info`` is where it lies, or lay."""
    folder = os.path.dirname(info)
    try:
        rows = list(csv.reader(read_text(record, _LIMIT).splitlines()))
    except (OSError, ValueError, csv.Error):
        return {f"{info}/RECORD"}
    found = {os.path.normpath(os.path.join(folder, row[0])) for row in rows if row}
    return {*found, f"{info}/RECORD"}
