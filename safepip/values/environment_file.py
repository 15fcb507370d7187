"""What an environment file asks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWS = "--allow:"
"""How the comment of a line begins that lets pip take over what it names."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the part that is pip's."""

    text: str
    allows: bool = False
    """Its comment says that pip may take over what it names."""


@dataclass(frozen=True)
class EnvironmentFile:
    """An environment file, read."""

    path: str
    name: str = ""
    channels: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    """Of conda's packages, as written."""
    lines: tuple[Line, ...] = ()
    has_pip_part: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """Keys that are none of an environment file."""
