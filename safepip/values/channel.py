"""What conda's channels offer, and what conda would do. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Offer:
    """What the channels of an environment have of a distribution, for its Python."""

    name: str
    """Of the distribution; normalised."""
    package: str
    """conda's name of it."""
    versions: tuple[str, ...]
    """The newest first; never empty."""
    is_here: bool = False
    """It is of a channel on this machine, which only who uses it has made."""


class Moved(NamedTuple):
    """A conda package that would have another version."""

    name: str
    before: str
    """Empty where it is new."""
    after: str
    """Empty where it would go."""


@dataclass(frozen=True)
class Answer:
    """What conda's solver makes of specifications."""

    possible: bool
    moves: tuple[Moved, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """What would be there, by conda's name."""
