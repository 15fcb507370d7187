"""What conda's channels offer, and what conda would do. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, NamedTuple

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


BY_RATTLER = "py-rattler"
PartState = Literal["shown", "refused", "due", "done"]
"""`refused`: it would change what is there. `due`: it is what comes next."""


@dataclass(frozen=True)
class CondaPart:
    """What conda does of a request, before pip does the rest (`--prefer-conda`)."""

    tool: str
    """What does it: a program on PATH, or `py-rattler`."""
    command: str
    """The same as somebody would paste it."""
    back: str
    """The command that takes it back: what was asked of conda; empty where something needs that."""
    moves: tuple[Moved, ...]
    words: tuple[str, ...] = field(repr=False)
    """The command in words."""
    specs: tuple[str, ...]
    """What is asked of conda."""
    arguments: tuple[str, ...] = field(default=(), repr=False)
    """pip's, for the rest, with the secrets in them; empty where nothing is left to it."""
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is there afterwards, by conda's name, as its solver has it."""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """What that which is new depends on, by conda's name, as its solver has it."""
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What conda calls the distributions that it brings, where that was asked; by their names."""
    twice: tuple[str, ...] = ()
    """What pip has put there already, and conda would bring once more."""
    is_quiet: bool = False
    """The user wants to hear little."""
    warning: str = ""
    """What is to be said of a later command of conda's; or nothing."""
    state: PartState = "shown"

    @property
    def moved(self) -> tuple[Moved, ...]:
        """What is there already and would not stay as it is."""
        return tuple(move for move in self.moves if move.before)


@dataclass(frozen=True)
class Answer:
    """What conda's solver makes of specifications."""

    possible: bool
    moves: tuple[Moved, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """What would be there, by conda's name."""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What that which is new depends on, by conda's name."""
