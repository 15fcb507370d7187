"""Why a request cannot be met while conda's versions are held, and what would have to change. Pure.

0. Of a large request, what cannot be had by itself: `narrowing`.
1. The smallest set of holds in the way: of those that the resolver looked at, each is let go in
   turn, and stays let go while there is still no solution. What remains is a conflict in which
   every hold has its part.
2. A chain for each of them: with just that one let go there is a solution, and in it requirements
   lead from what was asked for to the one that what is held does not meet.
3. The smallest changes of conda's: sets of holds that have one of every conflict, the smallest
   first, each tried. Where one does not suffice, what remains is one more conflict, and the search
   goes on with that; so no smaller set is missed.
"""

from __future__ import annotations

from collections import deque
from itertools import combinations
from typing import TYPE_CHECKING

from safepip.decisions.explaining.narrowing import narrowed
from safepip.decisions.explaining.solving import Solution, solve
from safepip.decisions.judging.requirements import active_requirements, as_text, is_met
from safepip.values.text import normalised
from safepip.values.universe import PYTHON, Chain, Conflict, Freed, Link, TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from safepip.decisions.explaining.wishes import Pick, Wish
    from safepip.values.universe import Question, Shelf

_MOST_CONFLICTS = 12
_MOST_WAYS = 3
_MOST_FREED = 5
"""Changes of more than these are no fix that somebody would paste."""


def find_conflict(question: Question, shelf: Shelf) -> Conflict | None:
    """Give why there is no solution; None where there is one, or where conda has no part in that.

    Raises: TooHard.
    """
    question = narrowed(question, shelf)
    first = solve(question, shelf)
    if first.solution is not None or solve(question, shelf, question.holds.keys()).solution is None:
        return None
    conflicts = [_smallest(question, shelf, first.touched)]
    ways = _ways(question, shelf, conflicts)
    conflicts.sort(key=sorted)
    chains = {
        (chain.hold, chain.links): chain
        for holds in conflicts
        for hold in sorted(holds)
        for chain in _chains(question, shelf, holds, hold)
    }
    sets = tuple(tuple(sorted(holds)) for holds in conflicts)
    return Conflict(sets, tuple(chains.values()), ways)


def _smallest(question: Question, shelf: Shelf, suspects: Iterable[str]) -> frozenset[str]:
    """Let go of suspects as long as there is still no solution."""
    everything = frozenset(question.holds)
    held = set(suspects)
    for hold in sorted(held):
        rest = held - {hold}
        if solve(question, shelf, everything - rest).solution is None:
            held = rest
    return frozenset(held)


def _chains(question: Question, shelf: Shelf, holds: frozenset[str], hold: str) -> Iterator[Chain]:
    """Follow the solution that letting go of one hold makes possible."""
    everything = frozenset(question.holds)
    solution = solve(question, shelf, everything - (holds - {hold})).solution
    if solution is None:  # pragma: no cover - then the hold would not be among the smallest
        return
    here = question.holds[hold]
    becomes = solution.versions.get(hold, "")
    if hold == PYTHON:
        if links := _way_to_python(solution):
            yield Chain(links, hold, here.version, "")
    elif links := _way_to(solution, lambda w: w.name == hold and not w.accepts(here.version)):
        yield Chain(links, hold, here.version, becomes)
    else:
        yield from _by_what_it_needs(question, solution, hold)


def _by_what_it_needs(question: Question, solution: Solution, hold: str) -> Iterator[Chain]:
    """Find what the hold requires and would not have."""
    here = question.holds[hold]
    for requirement in active_requirements(here.requires, question.markers, ()):
        name, text = normalised(requirement.name), as_text(requirement)
        version = solution.versions.get(name)
        if version is None or is_met(requirement, version):
            continue
        if links := _way_to(solution, lambda wish, name=name: wish.name == name):  # type: ignore[misc]
            yield Chain(links, hold, here.version, solution.versions.get(hold, ""), text)
            return


def _way_to(solution: Solution, is_meant: Callable[[Wish], bool]) -> tuple[Link, ...]:
    """Give the shortest way from the user to a wish that is meant; empty where there is none."""
    return next((links for links, wish in _ways_through(solution) if is_meant(wish)), ())


def _way_to_python(solution: Solution) -> tuple[Link, ...]:
    """Give the shortest way to a release that is for another Python."""
    for links, wish in _ways_through(solution):
        if needed := solution.pythons.get(wish.name):
            return (*links, Link(wish.name, solution.versions[wish.name], f"Python {needed}"))
    return ()


def _ways_through(solution: Solution) -> Iterator[tuple[tuple[Link, ...], Wish]]:
    """Give every wish of a solution with the way to it, the nearest to the user first."""
    waiting: deque[tuple[str, tuple[Link, ...]]] = deque([("", ())])
    seen = {""}
    while waiting:
        name, links = waiting.popleft()
        for wish in _wishes_of(solution, name):
            further = (*links, Link(name, solution.versions.get(name, ""), wish.text))
            yield further, wish
            if wish.name not in seen:
                seen.add(wish.name)
                waiting.append((wish.name, further))


def _wishes_of(solution: Solution, name: str) -> list[Wish]:
    """Give what a name requires in a solution; the empty name stands for the user."""
    return [
        wish
        for pairs in solution.wishes.values()
        for parent, wish in pairs
        if _name(parent) == name and wish.name != name
    ]


def _name(parent: Pick | None) -> str:
    return parent.name if parent is not None else ""


def _ways(
    question: Question, shelf: Shelf, conflicts: list[frozenset[str]]
) -> tuple[tuple[Freed, ...], ...]:
    """Give the smallest sets of holds that have to be let go; further conflicts are added."""
    for size in range(1, _MOST_FREED + 1):
        found = _ways_of_size(question, shelf, conflicts, size)
        if found:
            return tuple(found[:_MOST_WAYS])
    return ()


def _ways_of_size(
    question: Question, shelf: Shelf, conflicts: list[frozenset[str]], size: int
) -> list[tuple[Freed, ...]]:
    """Try every set of this size that has one of every conflict; new conflicts are added."""
    found: list[tuple[Freed, ...]] = []
    tried: set[frozenset[str]] = set()
    while (freed := _next_set(conflicts, size, tried)) is not None:
        tried.add(freed)
        solved = solve(question, shelf, freed)
        if solved.solution is not None:
            found.append(_freed(solved.solution, freed))
            continue
        if len(conflicts) >= _MOST_CONFLICTS:
            raise TooLong("there are too many conflicts")
        conflicts.append(_smallest(question, shelf, solved.touched - freed))
    return found


def _next_set(
    conflicts: Sequence[frozenset[str]], size: int, tried: set[frozenset[str]]
) -> frozenset[str] | None:
    names = sorted(frozenset().union(*conflicts))
    for names_of_set in combinations(names, size):
        chosen = frozenset(names_of_set)
        if chosen not in tried and all(chosen & conflict for conflict in conflicts):
            return chosen
    return None


def _freed(solution: Solution, names: frozenset[str]) -> tuple[Freed, ...]:
    found = []
    for name in sorted(names):
        pairs = solution.wishes.get(name, ())
        # Of what is let go as well, conda may take another release, with other needs.
        wishes = [wish for parent, wish in pairs if _name(parent) not in names]
        bounds = dict.fromkeys(wish.text for wish in wishes if wish.requirement is not None)
        if name == PYTHON:
            bounds = dict.fromkeys(f"{PYTHON}{each}" for each in solution.pythons.values())
        found.append(Freed(name, tuple(bounds), solution.versions.get(name, "")))
    return tuple(found)
