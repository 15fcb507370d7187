"""What lies in the way of files that are to be put back, and is nobody's to remove."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from safepip.effects.transaction import all_in
from safepip.values.repair import Obstacle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def obstacles_to(
    prefix: str, paths: Iterable[str], leaving: Collection[str]
) -> Mapping[str, Obstacle]:
    """Give what is in the way of each of these paths below the prefix, where something is.

    ``leaving``: absolute paths of files that are removed before.
    """
    known: dict[str, Obstacle | None] = {"": None}
    found = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        obstacle = _of_folder(prefix, folder, leaving, known) or _of_file(prefix, path, leaving)
        if obstacle is not None:
            found[path] = obstacle
    return found


def _of_folder(
    prefix: str, folder: str, leaving: Collection[str], known: dict[str, Obstacle | None]
) -> Obstacle | None:
    """Give what keeps a folder below the prefix from being one; asked once for each."""
    if folder not in known:
        above = _of_folder(prefix, folder.rpartition("/")[0], leaving, known)
        known[folder] = above or _itself(prefix, f"{prefix}/{folder}", leaving)
    return known[folder]


def _itself(prefix: str, folder: str, leaving: Collection[str]) -> Obstacle | None:
    if folder in leaving or not os.path.lexists(folder):
        return None
    if os.path.islink(folder):
        real = os.path.realpath(folder)
        if not f"{real}/".startswith(f"{prefix}/"):
            return Obstacle(folder, "leads-out")
    if not os.path.isdir(folder):
        return Obstacle(folder, "no-folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Obstacle(folder, "not-writable")
    return None


def _of_file(prefix: str, path: str, leaving: Collection[str]) -> Obstacle | None:
    whole = f"{prefix}/{path}"
    try:
        mode = os.lstat(whole).st_mode
    except (OSError, ValueError):
        return None
    if not stat.S_ISDIR(mode):
        # A pipe, a socket, a device: what it is for is unknown, and it cannot be kept for an undo.
        is_plain = stat.S_ISREG(mode) or stat.S_ISLNK(mode)
        return None if is_plain else Obstacle(whole, "special-file")
    files, _ = all_in(whole)
    if all(file in leaving for file in files):
        return None
    return Obstacle(whole, "full-folder")
