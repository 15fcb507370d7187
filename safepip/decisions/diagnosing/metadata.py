"""The distributions that conda's packages brought, also where their metadata is gone. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.judging.modules import site_folders
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.values.environment import Environment

_ITSELF = re.compile(
    r"(?P<folder>(?P<stem>[^/]+)\.(?:dist-info(?=/METADATA)|egg-info(?=/PKG-INFO|$)))(?:/[^/]+)?"
)
"""The one path of a `*.dist-info` or `*.egg-info` by which it is metadata."""
_PYTHON_TAG = re.compile(r"-py\d.*")


@dataclass(frozen=True)
class Shipped:
    """A distribution that a conda package has."""

    name: str
    """Normalised."""
    version: str
    path: str
    """Of its METADATA or PKG-INFO, or of the `*.egg-info` that is a file; below the prefix."""


def shipped_in(environment: Environment, paths: Iterable[str]) -> Mapping[str, Shipped]:
    """Give the distributions whose metadata is among these paths below the prefix, by name."""
    found: dict[str, Shipped] = {}
    roots = tuple(f"{folder}/" for folder in site_folders(environment))
    for path in [path for path in paths if "-info" in path]:
        for root in roots:
            match = _ITSELF.fullmatch(path[len(root) :]) if path.startswith(root) else None
            if match is not None:
                name, _, version = match["stem"].partition("-")
                version = _PYTHON_TAG.sub("", version)
                found.setdefault(normalised(name), Shipped(normalised(name), version, path))
    return found
