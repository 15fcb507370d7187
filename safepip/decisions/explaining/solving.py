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
from safepip.values.universe import TooHard, TooLong

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
        raise TooLong("there are too many ways to try") from error
    wishes = tuple(wish for wish in wanted if wish is not None)
    solution = _solution(provider, state.mapping, wishes)
    if solution is None:
        search = _Search(provider)
        mapping = search.first({}, wishes)
        solution = _solution(provider, mapping, wishes) if mapping is not None else None
    if solution is None:
        return Solved(None, frozenset(provider.touched))
    pythons = {
        name: python
        for (name, version), python in provider.pythons.items()
        if solution.versions.get(name) == version
    }
    return Solved(replace(solution, pythons=pythons), frozenset(provider.touched))


def _solution(
    provider: Provider, mapping: Mapping[str, Pick], wanted: Sequence[Wish]
) -> Solution | None:
    """Give what is left of an attempt when all is left out that nothing needs any more.

    What a version needs is asked of it once more: resolvelib forgets it where it lets go of a
    version and takes it again while two need each other (b 2 needs c, and c 2 needs b<2). None
    where something has not what it needs.
    """
    reached: list[Pick | None] = [None]
    wishes: dict[str, list[tuple[Pick | None, Wish]]] = {}
    for parent in reached:
        for wish in wanted if parent is None else provider.get_dependencies(parent):
            pick = mapping.get(wish.key)
            if pick is None or not wish.accepts(pick.version):
                return None
            wishes.setdefault(wish.name, []).append((parent, wish))
            if pick not in reached:
                reached.append(pick)
    versions = {pick.name: pick.version for pick in reached if pick is not None}
    return Solution(versions, {name: tuple(found) for name, found in wishes.items()})


class _Search:
    """The plain search for a first solution, for the few requests that resolvelib gets wrong."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.rounds = 0

    def first(self, chosen: Mapping[str, Pick], wishes: Sequence[Wish]) -> dict[str, Pick] | None:
        """Give a version for each wish and all that follows from it; None where there is none.

        Raises: TooHard.
        """
        self.rounds += 1
        if self.rounds > _MOST_ROUNDS:
            raise TooLong("there are too many ways to try")
        for wish in wishes:
            if wish.key in chosen and not wish.accepts(chosen[wish.key].version):
                return None
        unmet = next((wish for wish in wishes if wish.key not in chosen), None)
        if unmet is None:
            return dict(chosen)
        key = unmet.key
        same = {key: iter([wish for wish in wishes if wish.key == key])}
        for pick in self.provider.find_matches(key, same, {key: iter(())}):
            needs = tuple(self.provider.get_dependencies(pick))
            found = self.first({**chosen, key: pick}, (*wishes, *needs))
            if found is not None:
                return found
        return None
