"""What an environment file asks for. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWS = "--allow:"
"""How the comment of a line begins that lets pip take over what it names."""


@dataclass(frozen=True)
class Line:
    """One line of the part that is pip's."""

    text: str
    allows: bool = False
    """Its comment says that pip took it over from conda; whether it may is for the user to say."""


@dataclass(frozen=True)
class EnvironmentFile:
    """An environment file, read."""

    path: str
    name: str = ""
    channels: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    """Of conda's packages, as written."""
    lines: tuple[Line, ...] = ()
    pip_parts: int = 0
    """How many parts are pip's; conda takes the last alone."""
    variables: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """Keys that are none of an environment file."""
    at: Mapping[str, int] = field(default_factory=dict)
    """The number of the line, from 1, of each entry as written, and of each `KEY:`."""


Trouble = Literal[
    "twice",
    "contradiction",
    "no-pip",
    "credentials",
    "missing",
    "unreadable",
    "unsolvable",
    "no-constraints",
    "unknown-key",
    "allows",
    "empty",
    "two-parts",
]


@dataclass(frozen=True)
class FileFinding:
    """One thing about an environment file that a person should know before it is used."""

    kind: Trouble
    severity: Literal["problem", "note"]
    about: str
    """The entry, without secrets."""
    detail: str = ""
    line: int | None = None
    """Its number, from 1; None where it is about no line of the file, or about several."""


@dataclass(frozen=True)
class Beside:
    """What lies around an environment file."""

    missing: tuple[str, ...] = ()
    """Paths that it names and that are not there."""
    nested: tuple[str, ...] = ()
    """Requirements in the files that it names."""
    pins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the files of constraints that it names: the version of each name."""
    solved: tuple[str, ...] | None = None
    """What needs Python of what conda's part comes to, as NAME=VERSION=BUILD.

    None where nobody asked a solver.
    """
    unsolvable: str = ""
    """Why it comes to nothing."""
