"""Looking at the environment before and after pip changed it.

The cost follows the change: only folders that the plan writes to or removes from are looked at.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.verdict import Cleared

_SHOWN = 5

Signature = tuple[int, int, int, int]
"""Inode, size, modification time in nanoseconds, mode: unequal after any write."""


@dataclass(frozen=True)
class Photograph:
    """Every conda-owned file in the folders that a plan touches, as it was."""

    files: Mapping[str, Signature]
    """By path below the prefix."""
    present: frozenset[str]
    """Planned paths, absolute, that existed already."""


def photograph(environment: Environment, plan: Plan, given_away: Collection[str]) -> Photograph:
    """Note what the plan must leave alone.

    ``given_away`` are paths below the prefix that the user let pip take over.
    """
    files = {}
    for folder in sorted(_touched_folders(plan)):
        for path in _conda_files(environment, folder):
            if path not in given_away and (found := _signature(environment, path)) is not None:
                files[path] = found
    present = {f.path for change in plan.changes for f in change.files if os.path.lexists(f.path)}
    return Photograph(files, frozenset(present))


def check(
    environment: Environment, cleared: Cleared, before: Photograph, exit_code: int
) -> tuple[str, ...]:
    """Give what is not as it was judged after pip ended: one line each, nothing when all is well.

    pip's exit code says little: it is 0 after damage, and after a failure part of the work may have
    been done.
    """
    changed = disturbed(environment, before)
    lines = [f"{path} belongs to conda and was changed" for path in changed[:_SHOWN]]
    lines += [f"{len(changed) - _SHOWN} more files of conda"] if len(changed) > _SHOWN else []
    if exit_code == 0:
        lines += missing(cleared.plan, cleared.spared)
    else:
        left = traces(cleared.plan, before)
        lines += [f"pip failed after it had changed {name}" for name in left]
    return tuple(lines)


def disturbed(environment: Environment, before: Photograph) -> tuple[str, ...]:
    """Give the conda-owned paths that are no longer what they were."""
    return tuple(path for path, was in before.files.items() if _signature(environment, path) != was)


def missing(plan: Plan, spared: Collection[str]) -> tuple[str, ...]:
    """Give what the plan promised and is not there, or is still there: one line each."""
    lines: list[str] = []
    for change in plan.changes:
        lines += _missing_of(change, spared)
    return tuple(lines)


def _missing_of(change: Change, spared: Collection[str]) -> list[str]:
    if change.action == "remove":
        there = _is_left(change) and not change.cannot_remove
        return [f"{change.name} is still there"] if there else []
    gone = [f.path for f in change.files if f.member and f.path not in spared]
    gone = [path for path in gone if not os.path.lexists(path)]
    lines = (
        [f"{change.name} {change.after}: {len(gone)} files are missing ({gone[0]})"] if gone else []
    )
    if change.before is not None and change.action != "same" and _is_left(change):
        version = change.before.version
        lines.append(f"{change.name}: the metadata of {version} is still there")
    return lines


def _is_left(change: Change) -> bool:
    """Say whether the metadata that pip meant to remove is still there.

    pip goes by RECORD: it may not name the metadata that it lies in, and what it does not name
    keeps the folder.
    """
    old = change.before.metadata_path if change.before else ""
    files = (old, f"{old}/METADATA", f"{old}/PKG-INFO")
    meant = [path for path in change.removes if path in files]
    return any(os.path.lexists(path) for path in meant)


def traces(plan: Plan, before: Photograph) -> tuple[str, ...]:
    """Give the names of the changes that left something behind, when pip failed half-way."""
    return tuple(change.name for change in plan.changes if _left_something(change, before))


def _left_something(change: Change, before: Photograph) -> bool:
    appeared = any(f.path not in before.present and os.path.lexists(f.path) for f in change.files)
    return appeared or any(not os.path.lexists(path) for path in change.removes)


def _touched_folders(plan: Plan) -> set[str]:
    paths = [
        path
        for change in plan.changes
        for path in (*(f.path for f in change.files), *change.removes)
    ]
    folders = set(map(os.path.realpath, {os.path.dirname(path) for path in paths}))
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            folders.update(folder for folder, _, _ in os.walk(path))
    return folders


def _conda_files(environment: Environment, folder: str) -> Iterator[str]:
    relative = environment.relative(folder + "/x")
    if relative is None:
        return
    start = relative[:-1]
    try:
        names = os.listdir(folder)
    except OSError:
        return
    yield from environment.owners_of([start + name for name in names])


def _signature(environment: Environment, path: str) -> Signature | None:
    try:
        found = os.lstat(f"{environment.prefix}/{path}")
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode)
