"""An environment as files tell it, from which it can be made again. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Origin:
    """Where an installed distribution came from, by its own metadata (PEP 610)."""

    requested: bool = False
    """It has `REQUESTED`: it was asked for, and did not come because others need it."""
    url: str = ""
    """As written, which may be with a secret in it; empty for what an index had."""
    vcs: str = ""
    commit: str = ""
    subdirectory: str = ""
    sha256: str = ""
    """Of the archive that the URL leads to."""
    is_editable: bool = False
    is_folder: bool = False
    is_there: bool = True
    """What a `file:` URL leads to exists."""
    remote: str = ""
    """Of an editable checkout that pip made: where it was cloned from."""


@dataclass(frozen=True)
class Package:
    """What a record says of the conda package itself, and of who wanted it."""

    url: str = ""
    md5: str = ""
    sha256: str = ""
    channel: str = ""
    """As the record has it."""
    specs: tuple[str, ...] = ()
    """What the user asked conda for to get it."""


NoteKind = Literal[
    "credentials",
    "only-here",
    "pixi",
    "gone",
    "no-channel",
    "no-hash",
    "taken-over",
    "damaged",
    "dropped",
    "rewritten",
    "login-there",
    "index",
    "relative",
    "secret-variable",
]


@dataclass(frozen=True)
class Note:
    """What a file cannot tell, or tells otherwise than the environment has it."""

    kind: NoteKind
    about: str
    detail: str = ""


@dataclass(frozen=True)
class PipEntry:
    """One distribution in the part that is pip's."""

    name: str
    """Normalised."""
    text: str
    """The line as pip reads it."""
    takes_over: str = ""
    """The conda package that it replaced, as NAME VERSION."""


@dataclass(frozen=True)
class Sheet:
    """Everything that a file says."""

    name: str
    channels: tuple[str, ...]
    specs: tuple[str, ...]
    """Of conda's packages, in the words of an environment file."""
    options: tuple[str, ...] = ()
    """Lines of pip's part that name no distribution."""
    entries: tuple[PipEntry, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    constraints: str = ""
    """The name that safepip's file of constraints has or had; the options say whether it counts."""
    homes: Mapping[str, str] = field(default_factory=dict)
    """The channel of each conda package, by its name."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The version of each conda package of which the words of a file stay where they fit."""
    markers: Mapping[str, str] = field(default_factory=dict)
    """In which the markers of a file's lines are evaluated; none: nothing is known of them."""
