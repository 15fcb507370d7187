"""What lies already where the files of a plan would land."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

from safepip.values.plan import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan, PlannedFile

_CHUNK = 1024 * 1024


def find_landings(plan: Plan, environment: Environment) -> Mapping[str, Landing]:
    """Give what lies where a planned file would land, by the planned path.

    A path that does not exist cannot be overwritten, so this asks the disk before it asks who owns
    what. Folders on the way are resolved once each: pip writes through linked ones.
    """
    real_folders: dict[str, str] = {}
    landings: dict[str, Landing] = {}
    for change in plan.changes:
        found = list(_met(change, environment, real_folders))
        same = _same_bytes(change, found, environment)
        for file, real in found:
            landings[file.path] = Landing(file.path, real, file.path in same)
    return landings


def _met(
    change: Change, environment: Environment, real_folders: dict[str, str]
) -> Iterator[tuple[PlannedFile, str]]:
    """Give the files whose paths exist, or lead through a link to what conda owns."""
    for file in change.files:
        folder, _, name = file.path.rpartition("/")
        if folder not in real_folders:
            real_folders[folder] = os.path.realpath(folder)
        real = f"{real_folders[folder]}/{name}"
        if os.path.lexists(file.path) or (real != file.path and environment.owner(real)):
            yield file, real


def _same_bytes(
    change: Change, found: list[tuple[PlannedFile, str]], environment: Environment
) -> frozenset[str]:
    """Give the planned paths on which a conda-owned file has the very bytes of the wheel's.

    Not asked of what belongs to the package that is replaced: that is refused whatever it holds.
    A script's first line is rewritten as it is installed, so scripts are never the same.
    """
    replaced = change.before.record if change.before else None
    asked = [
        (file, real)
        for file, real in found
        if file.member and file.kind != "script" and not os.path.islink(real)
        if (owner := environment.owner(real)) is not None and owner is not replaced
    ]
    if not asked or change.artifact is None:
        return frozenset()
    try:
        with zipfile.ZipFile(change.artifact.wheel) as archive:
            return frozenset(f.path for f, real in asked if _is_same(archive, f.member, real))
    except (OSError, zipfile.BadZipFile, RuntimeError):
        return frozenset()


def _is_same(archive: zipfile.ZipFile, member: str, path: str) -> bool:
    try:
        info = archive.getinfo(member)
        if os.stat(path).st_size != info.file_size:
            return False
        with archive.open(info) as planned, open(path, "rb") as there:
            while chunk := planned.read(_CHUNK):
                if there.read(len(chunk)) != chunk:
                    return False
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError):
        return False
    return True
