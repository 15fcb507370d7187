"""What the journal of an environment holds: one entry for each change, and what it did. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.plan import Owner


def package_of(dist: str) -> str:
    """Give the name of a package of conda's, in small letters, by its NAME-VERSION-BUILD."""
    return dist.rsplit("-", 2)[0].lower()


Stage = Literal["acting", "done", "taken-back"]
"""`acting`: begun, and not known to be finished. `taken-back`: the environment is as before it."""


@dataclass(frozen=True)
class Absent:
    """Nothing is at a path."""


@dataclass(frozen=True)
class File:
    """An ordinary file is at a path."""

    mode: int
    """Permission bits."""
    size_bytes: int
    mtime_ns: int
    kept: str = ""
    """Its name among the kept files; empty where none is kept."""


@dataclass(frozen=True)
class Link:
    """A symbolic link is at a path."""

    target: str


State: TypeAlias = Absent | File | Link


@dataclass(frozen=True)
class Touched:
    """One path of a change."""

    before: State
    after: State | None = None
    """None while the change is not finished."""


@dataclass(frozen=True)
class Step:
    """What a change did with one distribution."""

    name: str
    """Normalised."""
    action: str
    before: str | None
    """A version; None for nothing."""
    after: str | None
    owner: Owner
    requested: bool = False
    url: str = ""
    """Without secrets."""
    sha256: str = ""


@dataclass(frozen=True)
class Seen:
    """What was there when a change had been made, to find out what others changed since."""

    distributions: Mapping[str, str] = field(default_factory=dict)
    """Version by normalised name."""
    records: tuple[str, ...] = ()
    """NAME-VERSION-BUILD of each of conda's packages."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of an environment, from its beginning."""

    id: str
    """The day, and a number: `2026-11-25-1`."""
    stage: Stage
    verb: str
    arguments: tuple[str, ...]
    """As given, without secrets, and with places to look in that are folders as absolute paths."""
    began: str
    """The time, in UTC, as ISO 8601 has it."""
    safepip: str
    pip: str
    verdict: str = ""
    steps: tuple[Step, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    undoes: str = ""
    """The change that this one took back."""
    can_undo: bool = True
    """What is needed to go back is kept; False where the user wanted none, or it was pruned."""
    touched: Mapping[str, Touched] = field(default_factory=dict)
    """By path: below the prefix where it can be, else absolute."""
    new_folders: tuple[str, ...] = ()
    """Folders that were not there before, each after the one that it is in."""
    folders: Mapping[str, int] = field(default_factory=dict)
    """Mode of each folder that held what the change took away."""
    conda_back: str = ""
    """The command that takes back what conda installed for the same request, before this change."""
    asides: tuple[str, ...] = ()
    """Names beginning with `~` that lay in those folders before: not pip's doing this time."""
    seen: Seen = field(default_factory=Seen)
    dists: tuple[str, ...] = ()
    """What conda's part of a request brought, as conda's history has it:
    CHANNEL/PLATFORM::NAME-VERSION-BUILD. Empty for what pip did."""
    specs: tuple[str, ...] = ()
    """What was asked of conda for that."""

    @property
    def records(self) -> frozenset[str]:
        """The same by NAME-VERSION-BUILD."""
        return frozenset(dist.rpartition("::")[2] for dist in self.dists)

    @property
    def packages(self) -> frozenset[str]:
        """The names of these, in small letters."""
        return frozenset(map(package_of, self.records))

    @property
    def removes_records(self) -> bool:
        """What conda's part had brought is gone by this change: an undo of it."""
        return any(step.after is None for step in self.steps if self.dists)
