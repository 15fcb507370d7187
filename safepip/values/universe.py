"""What can be had, what is held, what is wanted: the question that is to be explained. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.requirements import Requirement

PYTHON = "python"
"""The name under which the interpreter itself counts as held. No distribution of PyPI has it."""


@dataclass(frozen=True)
class Release:
    """A version of a distribution that is offered as a wheel for this platform."""

    version: str
    requires_python: str = ""
    """The specifier that this Python does not meet; empty where it does."""
    yanked: bool = False


@dataclass(frozen=True)
class Held:
    """A distribution that is installed."""

    version: str
    requires: tuple[str, ...] = ()
    """`Requires-Dist`, as written."""


@dataclass(frozen=True)
class Needs:
    """What the metadata of a release says it needs."""

    lines: tuple[str, ...]
    """`Requires-Dist`, as written."""
    python: str = ""
    """`Requires-Python`, where this Python does not meet it."""


class Shelf(Protocol):
    """Whatever tells which releases there are, and what each requires."""

    def releases(self, name: str) -> Sequence[Release]:
        """Give the releases of a distribution, the newest first.

        Raises: TooHard.
        """

    def requires(self, name: str, version: str) -> Needs | None:
        """Give what a release needs; None when that cannot be had.

        Raises: TooHard.
        """


class TooHard(Exception):
    """Say that an answer would take too long, or rest on what is not known."""


class TooLong(TooHard):
    """Say that it was looked for, and given up."""


@dataclass(frozen=True)
class Question:
    """What is wanted, and what may not change."""

    wanted: tuple[Requirement, ...]
    holds: Mapping[str, Held]
    """What conda owns, by normalised name; and `PYTHON`, where that is conda's."""
    installed: Mapping[str, Held] = field(default_factory=dict)
    """What else is there. It may change, but is taken where it will do."""
    bounds: tuple[Requirement, ...] = ()
    """The user's own constraints."""
    markers: Mapping[str, str] = field(default_factory=dict)
    pre: bool = False
    """Pre-releases will do."""
    planned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What pip would install, though it may not: `Requires-Dist` by normalised name."""


@dataclass(frozen=True)
class Link:
    """One step of a chain: who needs what."""

    name: str
    """Empty for what the user asked for."""
    version: str
    needs: str
    """The requirement, without its marker."""


@dataclass(frozen=True)
class Chain:
    """How a request leads to what conda holds, when just that is let go."""

    links: tuple[Link, ...]
    """From what was asked for to the requirement that is not met."""
    hold: str
    version: str
    """Of what is held."""
    becomes: str
    """The version that would be chosen instead; empty where that is not known, or none is."""
    itself_needs: str = ""
    """What the hold requires, where not its version but that is against the last link."""

    @property
    def held_by_python(self) -> bool:
        """Whether it is the interpreter that is in the way."""
        return self.hold == PYTHON


@dataclass(frozen=True)
class Freed:
    """What conda would have to change to make the request possible: one distribution of it."""

    name: str
    bounds: tuple[str, ...]
    """What the request requires of it, without what others require that conda changes, too."""
    becomes: str
    """The version that would be chosen; empty where that is not known."""


@dataclass(frozen=True)
class Conflict:
    """Why a request cannot be met while conda's versions are held."""

    sets: tuple[tuple[str, ...], ...]
    """Holds that are in the way together: with any one let go, the others of its set are not."""
    chains: tuple[Chain, ...]
    """For each hold of each set."""
    ways: tuple[tuple[Freed, ...], ...] = ()
    """The smallest changes of conda's that make the request possible; alternatives."""
    enough: tuple[str, ...] = ()
    """The fewest distributions that pip has to take over from conda, where it would change more."""
