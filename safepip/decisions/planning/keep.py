"""Holding conda's versions: the constraints, whether they can help, and what they cost. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import words_of
from safepip.decisions.judging.consistency import standing
from safepip.decisions.judging.ownership import is_allowed
from safepip.decisions.judging.requirements import is_met, parse_requirement, parse_version
from safepip.decisions.planning.reasons import Plans, reasons
from safepip.values.findings import Breaks, CondaOwned, Frozen, Pinned, Shadows
from safepip.values.text import normalised
from safepip.values.verdict import HeldBack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.plan import Change, Plan
    from safepip.values.request import Policy

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def holds(environment: Environment, policy: Policy | None = None) -> tuple[str, ...]:
    """Give the constraints that hold every conda-owned distribution at its version.

    By the names and versions in Python's metadata: conda's names mean other projects on an index.
    What pip could not read as a constraint is left out, since one such line makes it fail. So is
    what the user lets pip take over.
    """
    lines = []
    for name, distribution in environment.conda_owned.items():
        version = parse_version(distribution.version)
        if version is None or not _NAME.fullmatch(name):
            continue
        if policy is None or not is_allowed(policy, distribution):
            lines.append(f"{name}=={version}")
    return tuple(sorted(lines))


def may_hold(plan: Plan, findings: Iterable[Finding]) -> bool:
    """Say whether a second plan, with conda's versions held, may be one that is not refused.

    It may when conda's distributions would change and every refusal is about what pip chose by
    itself. No plan lifts a seal, or makes the user site come after conda's packages.
    """
    refusals = [finding for finding in findings if finding.severity == "refuse"]
    owned = {finding.distribution for finding in refusals if isinstance(finding, CondaOwned)}
    return bool(owned) and all(_may_go_away(plan, owned, finding) for finding in refusals)


def _may_go_away(plan: Plan, owned: Collection[str], refusal: Finding) -> bool:
    match refusal:
        case Frozen() | Shadows():
            return False
        case CondaOwned():
            # `same` is `--force-reinstall` or `--ignore-installed`: held, it is still a reinstall.
            return refusal.action in {"upgrade", "downgrade"} and not _is_excluded(plan, refusal)
        case Pinned():
            return refusal.distribution in owned
        case Breaks():
            return refusal.changed in owned or not _is_requested(plan, refusal.changed)
        case _:
            # Where conda's version stays, no file of another lands anywhere.
            is_held = refusal.distribution in owned
            return is_held or not _is_requested(plan, refusal.distribution)


def _is_requested(plan: Plan, name: str) -> bool:
    change = plan.by_name.get(name)
    return change is not None and change.requested


def _is_excluded(plan: Plan, finding: CondaOwned) -> bool:
    """Say whether a bound that the user gave excludes conda's version."""
    requirements = [parse_requirement(line) for line in plan.requested]
    return any(
        not is_met(requirement, finding.installed)
        for requirement in requirements
        if requirement is not None and normalised(requirement.name) == finding.distribution
    )


def compare(environment: Environment, first: Plan, second: Plan) -> tuple[HeldBack, ...]:
    """Give what pip alone would have installed and the second plan does not, with the reasons.

    What was requested comes first, then in the order of the first plan.
    """
    there = {d.name: d.version for d in standing(environment.distributions).values()}
    plans = Plans(environment, first, second)
    arriving = [change for change in first.changes if change.after is not None]
    held = []
    for change in sorted(arriving, key=lambda change: not change.requested):
        other = second.by_name.get(change.name)
        chosen = other.after if other is not None else there.get(change.name)
        if chosen != change.after:
            because = reasons(plans, change)
            held.append(HeldBack(change.name, change.after, chosen, because))
    return tuple(held)


def slides(first: Plan, second: Plan, named: Collection[str]) -> tuple[HeldBack, ...]:
    """Give the requested distributions for which the second plan goes too far from the first.

    Empty when the second plan will do. ``named``: what the command line itself asks for, without
    what requirements files do: a file whose every line is met already is satisfied by doing
    nothing, but somebody who types `-U numpy` wants something to happen.
    """
    requested = [c for c in first.changes if c.requested and c.after is not None]
    slid = [c for c in requested if _slides(c, second.by_name.get(c.name))]
    asked = [c for c in first.changes if c.name in named and c.after is not None]
    if not any(c.name in second.by_name for c in asked):
        slid += [c for c in asked if c not in slid]
    return tuple(HeldBack(c.name, c.after, _chosen(c, second)) for c in slid)


def loses_extras(first: Plan, second: Plan) -> bool:
    """Say whether the second plan has a version without an extra that the first one's has.

    pip itself goes on without such an extra, and only warns.
    """
    return any(
        change.after is not None and set(change.missing_extras) - set(_missing(first, change.name))
        for change in second.changes
    )


def _missing(plan: Plan, name: str) -> tuple[str, ...]:
    change = plan.by_name.get(name)
    return change.missing_extras if change is not None else ()


def _chosen(change: Change, second: Plan) -> str | None:
    other = second.by_name.get(change.name)
    if other is not None:
        return other.after
    return change.before.version if change.before is not None else None


def _slides(change: Change, other: Change | None) -> bool:
    """Say whether this is another thing than was asked for, rather than an older release of it."""
    if other is None or other.after == change.after:
        return False
    was_wheel = change.artifact is not None and change.artifact.source == "wheel"
    if was_wheel and other.artifact is not None and other.artifact.source != "wheel":
        return True
    newest, chosen = parse_version(change.after or ""), parse_version(other.after or "")
    if newest is None or chosen is None:
        return True
    is_new_prerelease = chosen.is_prerelease and not newest.is_prerelease
    return is_new_prerelease or newest.epoch != chosen.epoch or newest.major - chosen.major > 1


def named_in(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Give the normalised names that pip's arguments ask for, without those in files."""
    return tuple(dict.fromkeys(word.name for word in words_of(arguments) if word.name))
