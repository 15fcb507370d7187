"""Which of pip's distributions a file has to name, so that the others come by themselves. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import active_requirements, is_met
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from safepip.values.environment import Distribution

_EXTRA = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]+)["']""")


def wanted(
    here: Mapping[str, Distribution],
    requested: Iterable[str],
    extras: Mapping[str, frozenset[str]],
    markers: Mapping[str, str],
) -> tuple[tuple[str, ...], Mapping[str, frozenset[str]]]:
    """Give the names that have to be there, and the extras that they are asked for with.

    1. What was requested is named, with the extras that the journal tells.
    2. What is explained by that comes by itself.
    3. An extra that explains something further was asked for as well: pip writes down none.
    4. Of what is still unexplained (an old pip, which wrote no `REQUESTED`), that which nothing
       else requires is named, and 2 to 4 are done again.

    ``here``: all that counts, of conda's, too; ``requested``: those of pip's that were.
    """
    of_pip = {name for name, d in here.items() if d.record is None}
    named = [name for name in sorted(set(requested)) if name in of_pip]
    with_extras = {name: frozenset(extras.get(name, ())) for name in named}
    while True:
        reached = _reached(here, named, with_extras, markers)
        more = _telling_extra(here, named, with_extras, of_pip - reached, markers)
        if more is not None:
            name, extra = more
            with_extras[name] |= {extra}
            continue
        left = of_pip - reached
        if not left:
            return tuple(sorted(named)), with_extras
        roots = _roots(here, left, markers)
        named += roots
        with_extras.update({name: frozenset(extras.get(name, ())) for name in roots})


def _reached(
    here: Mapping[str, Distribution],
    named: Iterable[str],
    extras: Mapping[str, frozenset[str]],
    markers: Mapping[str, str],
) -> set[str]:
    """Give what comes with these names; extras that one asks of another count."""
    known: dict[str, frozenset[str]] = {}
    waiting = [(name, extras.get(name, frozenset())) for name in named]
    # What conda has is there in any case, and asks for nothing that it did not bring.
    while waiting:
        name, asked = waiting.pop()
        if name not in here or (name in known and asked <= known[name]):
            continue
        known[name] = known.get(name, frozenset()) | asked
        for requirement in active_requirements(here[name].requires, markers, known[name]):
            more = frozenset(map(normalised, requirement.extras))
            waiting.append((normalised(requirement.name), more))
    return set(known)


def _telling_extra(
    here: Mapping[str, Distribution],
    named: Iterable[str],
    extras: Mapping[str, frozenset[str]],
    unexplained: Collection[str],
    markers: Mapping[str, str],
) -> tuple[str, str] | None:
    """Give an extra of what is named that would explain something, and is there as a whole."""
    for name in sorted(named) if unexplained else ():
        for extra in sorted(_extras_of(here[name]) - extras[name]):
            asked = (*extras[name], extra)
            without = active_requirements(here[name].requires, markers, extras[name])
            new = [
                one
                for one in active_requirements(here[name].requires, markers, asked)
                if one not in without
            ]
            versions = [(one, here.get(normalised(one.name))) for one in new]
            is_whole = all(is_met(one, d.version if d else None) for one, d in versions)
            tells = {normalised(one.name) for one in new} & set(unexplained)
            if is_whole and tells:
                return name, extra
    return None


def _extras_of(distribution: Distribution) -> frozenset[str]:
    found = (_EXTRA.findall(line) for line in distribution.requires)
    return frozenset(normalised(extra) for extras in found for extra in extras)


def _roots(
    here: Mapping[str, Distribution], left: Collection[str], markers: Mapping[str, str]
) -> list[str]:
    """Give those of these that no other of them requires; one of them where they go in a ring."""
    needed = {other for name in left for other in _needs(here[name], markers) if other != name}
    return sorted(set(left) - needed) or [min(left)]


def _needs(distribution: Distribution, markers: Mapping[str, str]) -> Iterator[str]:
    for requirement in active_requirements(distribution.requires, markers, ()):
        yield normalised(requirement.name)
