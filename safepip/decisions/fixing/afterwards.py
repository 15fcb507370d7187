"""Whether all is well once conda has done its part of a plan, and pip its own. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import before, standing, unmet
from safepip.decisions.judging.requirements import active_requirements, is_active, is_met
from safepip.values.environment import Distribution, Record
from safepip.values.plan import Change, Plan
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.shares import Share
    from safepip.values.channel import Answer, Moved, Offer
    from safepip.values.environment import Environment


def works(
    share: Share, environment: Environment, answer: Answer, offers: Mapping[str, Offer]
) -> bool:
    """Say whether, after conda's part, pip's is as planned, and nobody loses what it requires.

    pip has planned the rest with other versions of what is now conda's; where it accepts these, it
    finds them met, and plans the rest once more.
    """
    there = environment_after(environment, answer, offers)
    versions = before(there).versions
    for offer, wanted in zip(share.offers, share.wanted, strict=True):
        if not all(is_met(requirement, versions.get(offer.name)) for requirement in wanted):
            return False
    rest = tuple(c for c in share.rest if c.requested or c.name not in versions or c.before)
    return not harm_of(environment, there, rest, frozenset(change.name for change in rest))


def harm_of(
    environment: Environment,
    there: Environment,
    rest: tuple[Change, ...],
    leaving: AbstractSet[str],
) -> tuple[str, ...]:
    """Give what would not have what it requires, after conda's part and ``rest``, which is pip's.

    ``leaving``: names that are changed, and whose requirements are no concern any more.
    """
    unserved = dict.fromkeys(finding.distribution for finding in unmet(there, Plan(rest)))
    return (*unserved, *dict.fromkeys(_broken_by(environment, there, leaving)))


def _broken_by(
    environment: Environment, there: Environment, leaving: AbstractSet[str]
) -> list[str]:
    """Give what pip owns and what would lose a requirement that is met; ``leaving`` is changed."""
    old, new = before(environment), before(there)
    markers = environment.interpreter.markers
    return [
        name
        for name, each in standing(environment.distributions).items()
        if each.record is None and name not in leaving
        for requirement in active_requirements(each.requires, markers, old.extras.get(name, ()))
        if (wanted := normalised(requirement.name)) not in leaving
        and is_met(requirement, old.versions.get(wanted))
        and not is_met(requirement, new.versions.get(wanted))
    ]


def environment_after(
    environment: Environment, answer: Answer, offers: Mapping[str, Offer]
) -> Environment:
    """Give the environment as it would be once conda has done what its solver answered.

    What is numbered otherwise than its distribution has no known version then.
    """
    moved = {move.name: move.after for move in answer.moves}
    found = [d for d in (_moved(d, moved) for d in environment.distributions) if d is not None]
    known = {distribution.name for distribution in found}
    for offer in offers.values():
        version = answer.versions.get(offer.package.lower())
        if version is not None and offer.name not in known:
            record = Record(offer.package, version, "")
            found.append(Distribution(offer.name, version, "", record=record))
    return replace(environment, distributions=tuple(found))


def doubled_by(
    environment: Environment, added: Collection[str], names_of: Callable[[str], Iterable[str]]
) -> tuple[str, ...]:
    """Give what pip has put there and new packages of conda's would bring once more.

    ``names_of`` gives conda's names of a distribution.
    """
    return tuple(
        name
        for name, each in standing(environment.distributions).items()
        if each.record is None and not set(added).isdisjoint(names_of(name))
    )


def out_of_bounds(
    moves: Iterable[Moved],
    bounds: Mapping[str, Iterable[Requirement]],
    markers: Mapping[str, str],
    names_of: Callable[[str], Iterable[str]],
) -> tuple[str, ...]:
    """Give what conda would bring, also as a need of something else, that constraints rule out.

    Arguments as of `doubled_by`; ``bounds``: by the names of distributions. What they want from a
    URL, conda never brings.
    """
    versions = {move.name.lower(): move.after for move in moves if move.after}
    return tuple(
        f"{package} {versions[package]} ({_bound(requirement)})"
        for name, those in bounds.items()
        for package in map(str.lower, names_of(name))
        if package in versions
        for requirement in those
        if is_active(requirement, markers, ())
        and (requirement.url is not None or not is_met(requirement, versions[package]))
    )


def _bound(requirement: Requirement) -> str:
    return f"{requirement.name} from a URL" if requirement.url is not None else str(requirement)


def _moved(distribution: Distribution, moved: Mapping[str, str]) -> Distribution | None:
    record = distribution.record
    if record is None or record.name.lower() not in moved:
        return distribution
    after = moved[record.name.lower()]
    version = after if record.version == distribution.version else ""
    return replace(distribution, version=version, requires=()) if after else None
