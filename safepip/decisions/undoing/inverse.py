"""What taking a change back would do, and what stands in the way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import relation
from safepip.values.environment import spec_name
from safepip.values.journal import Absent, Step, package_of
from safepip.values.plan import Change, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from safepip.values.environment import Environment
    from safepip.values.journal import Entry
    from safepip.values.plan import Owner


def taken_back_by(entries: Sequence[Entry]) -> Mapping[str, str]:
    """Give for each change that was taken back the change that did so, and stands itself."""
    found: dict[str, str] = {}
    for entry in reversed(entries):
        if entry.undoes and entry.stage == "done" and entry.id not in found:
            found.setdefault(entry.undoes, entry.id)
    return found


def standing_changes(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Give the changes that were made and not taken back since, the oldest first."""
    gone = taken_back_by(entries)
    return tuple(e for e in entries if e.stage == "done" and e.id not in gone)


def chosen(entries: Sequence[Entry], records: Collection[str]) -> Entry | None:
    """Give the change that is meant when none is named: the last that stands, and is no undo.

    Nor one of which conda has taken back what it brought.
    """
    stands = [
        entry
        for entry in standing_changes(entries)
        if entry.steps and not entry.undoes and entry.arguments[:1] != ("undo",)
        if not is_gone(entry, records)
    ]
    return stands[-1] if stands else None


def is_gone(entry: Entry, records: Collection[str]) -> bool:
    """Say whether nothing that conda brought by it is left among the records, in any version.

    These are NAME-VERSION-BUILD.
    """
    return _has_brought(entry) and entry.packages.isdisjoint(map(package_of, records))


def others_builds(entry: Entry, records: Collection[str]) -> tuple[str, ...]:
    """Give what conda has by now in place of what it brought by a change: NAME VERSION.

    ``records``: as of `is_gone`.
    """
    other = {dist for dist in records if package_of(dist) in entry.packages} - entry.records
    return tuple(" ".join(dist.rsplit("-", 2)[:2]) for dist in sorted(other) if _has_brought(entry))


def _has_brought(entry: Entry) -> bool:
    return bool(entry.dists) and not entry.removes_records


def parts_before(entry: Entry, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Give what a cut-off undo had done already by an earlier command, the last first.

    By the index, an undo may take two: what goes is uninstalled, then what was there is installed.
    """
    earlier = entries[: [each.id for each in entries].index(entry.id)]
    found = []
    for each in reversed(earlier):
        is_part = each.stage == "done" and not each.undoes and each.can_undo
        if not (entry.undoes and is_part and each.arguments == ("undo", entry.undoes)):
            break
        found.append(each)
    return tuple(found)


def in_the_way(entry: Entry, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Give the later changes that touched the same paths, the last one first.

    They have to be taken back before this one, in that order. A later change that was taken back,
    and what did that, cancel each other.
    """
    stands = standing_changes(entries)
    later = stands[[each.id for each in stands].index(entry.id) + 1 :]
    ids = [each.id for each in entries]
    after = set(ids[ids.index(entry.id) + 1 :])
    found = []
    paths = set(entry.touched)
    for each in later:
        if not paths.isdisjoint(each.touched):
            found.append(each)
            paths.update(each.touched)  # what is in the way of that, is in the way of this
    return tuple(e for e in reversed(found) if e.undoes not in after)


def others_versions(
    entry: Entry, environment: Environment
) -> tuple[tuple[str, str | None, str | None], ...]:
    """Give what something else has changed since: name, the version that was left, what is there.

    Copies outside of the environment do not count: they were there then, too, or hide what is.
    Nor does what conda brought: of that the files tell, and a library may be named like another's.
    """
    found = []
    for step in entry.steps if entry.seen.distributions and not entry.dists else ():
        left = entry.seen.distributions.get(step.name)
        here = [d for d in environment.distributions if d.name == step.name]
        if left is None:
            here = [d for d in here if not (d.user_site or d.outside)]
        versions: list[str | None] = [d.version for d in here]
        if left not in (versions or [None]):
            found.append((step.name, left, here[0].version if here else None))
    return tuple(found)


def inverse_steps(entry: Entry) -> tuple[Step, ...]:
    """Give what taking a change back does with each distribution."""
    return tuple(_inverse(step, is_condas=bool(entry.dists)) for step in entry.steps)


def _inverse(step: Step, *, is_condas: bool) -> Step:
    before, after = step.after, step.before
    if after is None:
        action = "remove"
    elif before is None:
        action = "add"
    else:
        action = relation(before, after)
    owner: Owner = "conda" if is_condas else "pip" if before else "none"
    return Step(step.name, action, before, after, owner, step.requested)


def needed_by_conda(entry: Entry, environment: Environment) -> Mapping[str, str]:
    """Give conda's packages that would lose what they depend on, each with what that is."""
    gone = entry.records if not entry.removes_records else frozenset[str]()
    names = {record.name.lower() for record in environment.records if record.dist in gone}
    return {
        record.name: spec
        for record in environment.records
        for spec in record.depends
        if record.dist not in gone and spec_name(spec) in names
    }


def index_lines(entry: Entry, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Give the lines of a requirements file for what a change replaced or removed.

    With hashes where the journal knows them of all: to pip, one hash means hashes for all.
    """
    known = {(step.name, step.after): step.sha256 for e in entries for step in e.steps}
    back = [(step.name, step.before) for step in entry.steps if step.before is not None]
    hashes = [known.get(pair, "") for pair in back]
    pinned = [f"{name}=={version}" for name, version in back]
    if all(hashes):
        pinned = [f"{line} --hash=sha256:{h}" for line, h in zip(pinned, hashes, strict=True)]
    return tuple(pinned)


def inverse_plan(
    entry: Entry, environment: Environment, requires: Mapping[str, tuple[str, ...]]
) -> Plan:
    """Give the plan that takes a change back, for a judgement on who loses what by it.

    ``requires``: what the distributions that come back require, by name.
    """
    gone = tuple(
        f"{environment.prefix}/{path}" if not path.startswith("/") else path
        for path, touched in entry.touched.items()
        if isinstance(touched.before, Absent) and path.endswith((".pth", ".egg-link"))
    )
    changes = [_change(step, environment, requires, gone) for step in inverse_steps(entry)]
    return Plan(tuple(changes))


def _change(
    step: Step,
    environment: Environment,
    requires: Mapping[str, tuple[str, ...]],
    path_files: tuple[str, ...],
) -> Change:
    return Change(
        name=step.name,
        action="remove" if step.after is None else "add",
        before=environment.installed.get(step.name),
        after=step.after,
        requested=True,
        requires=requires.get(step.name, ()) if step.after is not None else (),
        removes=path_files if step.after is None else (),
    )
