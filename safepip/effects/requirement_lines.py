"""What one requirement says by itself: a name, a URL, a path. Reads no file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from safepip.decisions.exporting.urls import path_of
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ARCHIVES = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz")
"""A requirement that ends so is a file to pip, though it would do as a name."""


def name_of(requirement: str) -> str:
    """Give the name in a requirement, as written; empty for a path or URL."""
    parsed = _parsed(requirement)
    return parsed.name if parsed is not None else ""


def name_of_wheel(requirement: str) -> str:
    """Give the name in the file name of a wheel that is named by path or URL; empty for others."""
    last = requirement.partition("#")[0].rstrip("/").rpartition("/")[2]
    return last.partition("-")[0] if last.endswith(".whl") else ""


def is_direct(requirement: str) -> bool:
    """Say whether a requirement is a URL or path, or may be one."""
    parsed = _parsed(requirement)
    return parsed is None or parsed.url is not None


def _parsed(requirement: str) -> Requirement | None:
    if requirement.lower().endswith(_ARCHIVES) and " " not in requirement:
        return None
    try:
        return Requirement(requirement)
    except InvalidRequirement:
        return None


def missing_files(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Give the name and path of requirements that name a file or folder which is not there.

    `pip freeze` prints such lines for what conda built, with the build machine's folder.
    """
    found = []
    for line in lines:
        parsed = _parsed(line)
        if parsed is None:
            is_file = line.lower().endswith(_ARCHIVES) and "://" not in line
            name, path = "", os.path.abspath(line) if is_file else path_of(line)
        else:
            name, path = parsed.name, path_of(parsed.url or "")
        if path and not os.path.exists(path):
            found.append((name, path))
    return found


def spellings(lines: Sequence[str]) -> Mapping[str, str]:
    """Give each name as it is first written, by its normalised form."""
    found: dict[str, str] = {}
    for line in lines:
        if name := name_of(line) or name_of_wheel(line):
            found.setdefault(normalised(name), name)
    return found
