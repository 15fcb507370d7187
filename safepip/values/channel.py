"""What conda's channels offer, and what conda would do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Offer:
    """What the channels of an environment have of a distribution, for its Python."""

    name: str
    """Of the distribution; normalised."""
    package: str
    """conda's name of it."""
    versions: tuple[str, ...]
    """The newest first; never empty."""


class Moved(NamedTuple):
    """A conda package that would have another version."""

    name: str
    before: str
    """Empty where it is new."""
    after: str
    """Empty where it would go."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What conda's solver makes of specifications."""

    possible: bool
    moves: tuple[Moved, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """What would be there, by conda's name."""


class Channels(Protocol):
    """Whoever knows what the channels of an environment offer."""

    def offers(self, names: Collection[str]) -> Mapping[str, Offer]:
        """Give what there is of these distributions; empty where nothing can be known."""

    def ask(self, specs: Sequence[str]) -> Answer | None:
        """Ask for the environment with these specifications; None where nothing can be known."""
