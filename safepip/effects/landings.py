"""What lies already where the files of a plan would land."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

from safepip.effects.wheels import UNREADABLE, has_bytes
from safepip.values.plan import Landing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan, PlannedFile


def find_landings(plan: Plan, environment: Environment) -> Mapping[str, Landing]:
    """Give what lies where a planned file would land, by the planned path.

    A path that does not exist cannot be overwritten, so this asks the disk before it asks who owns
    what. Folders on the way are resolved once each: pip writes through linked ones.
    """
    real_folders: dict[str, str] = {}
    landings: dict[str, Landing] = {}
    for change in plan.changes:
        found = _met(change, environment, real_folders)
        same = _same_bytes(change, found, environment)
        for file, real in found:
            is_folder = os.path.isdir(file.path) and not os.path.islink(file.path)
            landings[file.path] = Landing(file.path, real, file.path in same, is_folder)
    return landings


def _met(
    change: Change, environment: Environment, real_folders: dict[str, str]
) -> list[tuple[PlannedFile, str]]:
    """Give the files whose paths exist, or lead through a link to what conda owns."""
    met: list[tuple[PlannedFile, str]] = []
    linked: list[tuple[str, PlannedFile, str]] = []
    for file in change.files:
        folder, _, name = file.path.rpartition("/")
        if folder not in real_folders:
            real_folders[folder] = _file_above(folder) or os.path.realpath(folder)
        real = f"{real_folders[folder]}/{name}"
        if _is_file(real_folders[folder]):
            met.append((file, real_folders[folder]))  # where the plan needs a folder
        elif os.path.lexists(file.path):
            met.append((file, real))
        elif real != file.path and (below := environment.relative(real)):
            linked.append((below, file, real))
    owned = environment.owners_of([below for below, _, _ in linked])
    return met + [(file, real) for below, file, real in linked if below in owned]


def _file_above(folder: str) -> str:
    """Give the file that lies where a folder would have to be made; empty when there is none."""
    while folder and not os.path.lexists(folder):
        folder = folder.rpartition("/")[0]
    return folder if _is_file(folder) else ""


def _is_file(path: str) -> bool:
    return os.path.lexists(path) and not os.path.isdir(path)


def _same_bytes(
    change: Change, found: list[tuple[PlannedFile, str]], environment: Environment
) -> frozenset[str]:
    """Give the planned paths on which a conda-owned file has the very bytes of the wheel's.

    Not asked of what belongs to the package that is replaced: that is refused whatever it holds.
    A script's first line is rewritten as it is installed, so scripts are never the same.
    """
    replaced = change.before.record if change.before else None
    places = [
        (file, real, environment.relative(real) or "")
        for file, real in found
        if file.member and file.kind != "script" and not os.path.islink(real)
        if not file.path.startswith(f"{real}/")
    ]
    owners = environment.owners_of([below for _, _, below in places if below])
    asked = [
        (file, real)
        for file, real, below in places
        if below in owners and owners[below][0] is not replaced
    ]
    if not asked or change.artifact is None:
        return frozenset()
    try:
        with zipfile.ZipFile(change.artifact.wheel) as archive:
            in_part = change.artifact.in_part
            same = (f for f, real in asked if has_bytes(archive, f.member, real, in_part=in_part))
            return frozenset(file.path for file in same)
    except UNREADABLE:
        return frozenset()
