"""Whether a request can be met, by resolvelib. Pure but for the shelf that it is given to ask.

pip's own resolver decides what is installed. This one explains and suggests: it can be asked again
with some of conda's versions let go, at no cost, since the shelf remembers.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from resolvelib import BaseReporter, ResolutionImpossible
from resolvelib.resolvers import Resolution, ResolverException

from safepip.decisions.explaining.provider import Provider
from safepip.decisions.explaining.wishes import Pick, Wish, wish_of
from safepip.values.late import dataclass
from safepip.values.universe import TooHard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from safepip.values.universe import Question, Shelf

_MOST_ROUNDS = 3000
"""Steps of the resolver; an ordinary request takes some dozens."""


@dataclass(frozen=True)
class Solution:
    """A way to meet a request."""

    versions: Mapping[str, str]
    """By normalised name."""
    wishes: Mapping[str, tuple[tuple[Pick | None, Wish], ...]]
    """By name: who requires it, and how. None stands for the user."""
    pythons: Mapping[str, str] = field(default_factory=dict)
    """By name: the Python that what was chosen needs, where it is not this one."""


@dataclass(frozen=True)
class Solved:
    """An attempt, and what it looked at."""

    solution: Solution | None
    touched: frozenset[str]
    """The holds that were looked at: no other can be why there is no solution."""


def solve(question: Question, shelf: Shelf, free: AbstractSet[str] = frozenset()) -> Solved:
    """Try to meet the request, with all holds kept but those in ``free``.

    Raises: TooHard.
    """
    provider = Provider(question, shelf, free)
    # Not `Resolver`: what that makes of the result never ends where packages need each other that
    # nothing else needs any more.
    resolution: Resolution[Wish, Pick, str] = Resolution(provider, BaseReporter())
    wanted = [wish_of(requirement) for requirement in question.wanted]
    if None in wanted:
        raise TooHard("a URL")
    try:
        state = resolution.resolve([w for w in wanted if w is not None], _MOST_ROUNDS)
    except ResolutionImpossible:
        return Solved(None, frozenset(provider.touched))
    except ResolverException as error:  # too many steps, or metadata that contradicts itself
        raise TooHard("no end") from error
    pairs = [
        (information.parent, information.requirement)
        for criterion in state.criteria.values()
        for information in criterion.information
    ]
    solution = _solution(state.mapping, pairs)
    pythons = {
        name: python
        for (name, version), python in provider.pythons.items()
        if solution.versions.get(name) == version
    }
    return Solved(replace(solution, pythons=pythons), frozenset(provider.touched))


def _solution(mapping: Mapping[str, Pick], pairs: Sequence[tuple[Pick | None, Wish]]) -> Solution:
    """Give what is left of an attempt when all is left out that nothing needs any more."""
    needs: dict[Pick | None, list[Wish]] = {}
    for parent, wish in pairs:
        needs.setdefault(parent, []).append(wish)
    reached: list[Pick | None] = [None]
    wishes: dict[str, list[tuple[Pick | None, Wish]]] = {}
    for parent in reached:
        for wish in needs.get(parent, ()):
            wishes.setdefault(wish.name, []).append((parent, wish))
            if mapping[wish.key] not in reached:
                reached.append(mapping[wish.key])
    versions = {pick.name: pick.version for pick in reached if pick is not None}
    return Solution(versions, {name: tuple(found) for name, found in wishes.items()})
