"""Who owns what a plan touches, and the finding `conda-owned`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import relation
from safepip.values.findings import CondaOwned
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.environment import Distribution, Environment, Record
    from safepip.values.plan import Action, Change, Owner, Plan
    from safepip.values.request import Policy


def overtaken(environment: Environment, plan: Plan, change: Change) -> Distribution | None:
    """Give the conda-owned distribution that the change replaces or removes, if there is one.

    Not only what pip would uninstall: of two copies pip sees the first, and with
    `--ignore-installed` none, but what it writes into the environment lands on conda's all the
    same. Into the user site pip writes without removing anything of the environment's.
    """
    if plan.user_site and change.after is not None:
        return None
    if change.before is not None and change.before.record is not None:
        return change.before if change.removes or not plan.elsewhere else None
    if change.after is None or plan.elsewhere:
        return None
    return environment.conda_owned.get(change.name)


def owner_of(change: Change, environment: Environment | None) -> Owner:
    """Say whose the distribution is that is there before the change."""
    owned = environment is not None and change.name in environment.conda_owned
    if owned or (change.before is not None and change.before.record is not None):
        return "conda"
    return "none" if change.before is None else "pip"


def given_away(environment: Environment, policy: Policy) -> frozenset[str]:
    """Give the records (NAME-VERSION-BUILD) that the user lets pip take over.

    A record is given by its own name or by that of any distribution in it: its files cannot be
    told apart by distribution.
    """
    allowed = frozenset(map(normalised, policy.allow))
    given = {r.dist for r in environment.records if normalised(r.name) in allowed}
    given |= {d.record.dist for d in environment.distributions if d.record and d.name in allowed}
    return frozenset(given)


def is_allowed(policy: Policy, distribution: Distribution) -> bool:
    """Say whether the user lets pip take over this conda-owned distribution."""
    record = distribution.record
    names = {distribution.name, normalised(record.name) if record is not None else ""}
    return not names.isdisjoint(map(normalised, policy.allow))


def conda_owned(environment: Environment, plan: Plan, policy: Policy) -> Iterator[CondaOwned]:
    """Find the changes to distributions that conda owns; those that the user allows are notes."""
    for change in plan.changes:
        owned = overtaken(environment, plan, change)
        if owned is None or owned.record is None:
            continue
        yield CondaOwned(
            severity="note" if is_allowed(policy, owned) else "refuse",
            distribution=change.name,
            action=_action(change, owned),
            installed=owned.version,
            planned=change.after,
            conda_package=owned.record.dist,
            dependents=dependents(environment, owned.record),
            requested=change.requested,
        )


def _action(change: Change, owned: Distribution) -> Action:
    """Give what the change is to conda's copy: pip may have compared with another one."""
    if change.after is None:
        return "remove"
    if owned is change.before and change.action != "add":
        return change.action
    return relation(owned.version, change.after)


def dependents(environment: Environment, owner: Record) -> tuple[str, ...]:
    """Give the conda packages that need this one, each with its specification.

    Where a package only wraps the owner (defaults' `numpy` around `numpy-base`, `matplotlib`
    around `matplotlib-base`), what needs the wrapper needs the owner.
    """
    found: dict[str, str] = {}
    names, seen = [owner.name], {owner.name}
    for name in names:
        for record, spec in environment.dependents(name):
            if record.name != owner.name:
                found.setdefault(record.dist, f"{record.name} {record.version} ({spec})")
            if record.name not in seen and _wraps(record, spec, owner):
                seen.add(record.name)
                names.append(record.name)
    return tuple(found.values())


def _wraps(record: Record, spec: str, owner: Record) -> bool:
    """Say whether the record is another name of the owner: same version, bound to it exactly."""
    if record.version != owner.version:
        return False
    words = spec.split()
    is_exact = len(words) > 1 and words[1].removeprefix("==") == owner.version
    return is_exact or owner.name.startswith(f"{record.name}-")
