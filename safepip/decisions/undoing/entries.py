"""The entry of the journal that a plan becomes when it is carried out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import standing
from safepip.decisions.judging.ownership import owner_of
from safepip.values.environment import spec_name
from safepip.values.journal import Entry, Seen, Step
from safepip.values.verdict import Kept

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.request import Request
    from safepip.values.verdict import Cleared


def entry_of(
    request: Request,
    cleared: Cleared,
    environment: Environment,
    *,
    id: str,  # noqa: A002 - that is what it is called
    arguments: tuple[str, ...],
    began: str,
    versions: tuple[str, str],
    can_undo: bool,
) -> Entry:
    """Give the entry of a plan that is about to be carried out.

    ``versions`` are safepip's and pip's.
    """
    return Entry(
        id=id,
        stage="acting",
        verb=request.verb,
        arguments=arguments,
        began=began,
        safepip=versions[0],
        pip=versions[1],
        verdict="kept" if isinstance(cleared, Kept) else "clear",
        steps=tuple(_step(change, environment) for change in cleared.plan.changes),
        undoes=request.undoes,
        conda_back=request.conda_back,
        can_undo=can_undo,
    )


def _step(change: Change, environment: Environment) -> Step:
    artifact = change.artifact
    return Step(
        name=change.name,
        action=change.action,
        before=change.before.version if change.before is not None else None,
        after=change.after,
        owner=owner_of(change, environment),
        requested=change.requested,
        url=artifact.url if artifact is not None else "",
        sha256=artifact.sha256 if artifact is not None else "",
    )


def added_steps(entry: Entry, after: Environment) -> tuple[Step, ...]:
    """Give what conda's part of a request did, by what is there after it.

    By the names of distributions, where a package has any: these are what pip knows.
    """
    asked = {spec_name(spec) for spec in entry.specs}
    found = []
    for record in after.records:
        if record.dist in entry.records:
            there = [(d.name, d.version) for d in after.provides(record)]
            is_asked = record.name.lower() in asked
            found += [
                Step(name, "add", None, version, "conda", requested=is_asked)
                for name, version in there or [(record.name, record.version)]
            ]
    return tuple(found)


def told_steps(entry: Entry) -> tuple[Step, ...]:
    """Give the same by what conda calls it, where what is there cannot be read."""
    found = (dist.rsplit("-", 2) for dist in sorted(entry.records))
    asked = {spec_name(spec) for spec in entry.specs}
    return tuple(
        Step(name, "add", None, version, "conda", requested=name.lower() in asked)
        for name, version, _ in found
    )


def seen_after(environment: Environment, plan: Plan, entry: Entry | None = None) -> Seen:
    """Give what is there, by both books, once the plan has been carried out.

    ``entry``: the change that does so, where it is one of conda's records, too.
    """
    versions = {d.name: d.version for d in standing(environment.distributions).values()}
    for change in plan.changes if not plan.elsewhere else ():
        versions.pop(change.name, None)
        if change.after is not None:
            versions[change.name] = change.after
    records = {record.dist for record in environment.records}
    if entry is not None:
        records = records - entry.records if entry.removes_records else records | entry.records
    return Seen(dict(sorted(versions.items())), tuple(sorted(records)))
