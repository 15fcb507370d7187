"""What conda is asked for in place of what pip planned: specifications, by their verb. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from safepip.decisions.fixing.bounds import conda_spec
from safepip.decisions.fixing.commands import has_files
from safepip.decisions.judging.pins import accepts, held_wishes, parse_pin
from safepip.decisions.judging.requirements import is_met
from safepip.decisions.wording.phrases import listed
from safepip.values.environment import spec_name
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.fixing.fix_case import Case
    from safepip.decisions.fixing.shell import CondaVerb
    from safepip.values.findings import CondaOwned

_VERBS: tuple[CondaVerb, ...] = ("install", "update", "reinstall")


def asked_of_conda(case: Case) -> list[CondaOwned]:
    """Give what somebody asks for: the user, or what pip installs. All of it, where nobody does."""
    found = [
        f
        for f in case.owned
        if f.requested or f.action == "same" or (is_bounded(case, f) and not is_met_here(case, f))
    ]
    return found or list(case.owned)


def is_bounded(case: Case, finding: CondaOwned) -> bool:
    """Say whether somebody gives a bound for it."""
    return any(r.specifier for r in case.wanted if normalised(r.name) == finding.distribution)


def is_met_here(case: Case, finding: CondaOwned) -> bool:
    """Say whether what is asked of it, if anything, holds for the version that is there."""
    if finding.action == "same" or not is_numbered_alike(case, finding.conda_package):
        return False
    wanted = [r for r in case.wanted if normalised(r.name) == finding.distribution]
    are_met = all(is_met(requirement, finding.installed) for requirement in wanted)
    return are_met and is_bounded(case, finding)


def changes_by_conda(
    case: Case, findings: Sequence[CondaOwned]
) -> dict[CondaVerb, tuple[str, ...]]:
    """Give what conda does in place of pip: specifications, by the verb that they need.

    Where all that is asked for is there already, what is newer is asked for.
    """
    newer = all(is_met_here(case, finding) for finding in findings)
    changes: dict[CondaVerb, tuple[str, ...]] = {}
    found = dict.fromkeys(_conda_change(case, finding, newer=newer) for finding in findings)
    for verb, spec in sorted(found, key=lambda change: _VERBS.index(change[0])):
        changes[verb] = (*changes.get(verb, ()), spec)
    return changes


def _conda_change(case: Case, finding: CondaOwned, *, newer: bool) -> tuple[CondaVerb, str]:
    """Give the verb of conda and the specification that stand for one change of pip's.

    ``newer``: bounds are not enough, since what is there is within them.
    """
    name = case.conda_name(finding.conda_package)
    if finding.action == "same":
        return "reinstall", name
    if not is_numbered_alike(case, finding.conda_package):
        # The package is numbered otherwise than the distribution in it: pip's bounds mean nothing.
        return "update", name
    wanted = list(case.wanted)
    if conda_spec(name, finding.distribution, wanted) != name:
        if newer and finding.action == "upgrade":
            wanted.append(Requirement(f"{finding.distribution}>{finding.installed}"))
        return "install", within(case, name, finding.distribution, wanted)
    # Bounds in files are not known here, so only what pip chose is certain to meet them.
    if finding.action == "upgrade" and case.shell.manager != "pixi" and not has_files(case.spelled):
        return "update", name
    return "install", f"{name}=={finding.planned}"


def within(case: Case, name: str, distribution: str, wanted: Sequence[Requirement]) -> str:
    """Give the specification for what is required, within the constraints."""
    return conda_spec(name, distribution, (*wanted, *case.bounds.get(distribution, ())))


def is_numbered_alike(case: Case, conda_package: str) -> bool:
    """Say whether conda's package has the number of the distribution in it, as far as known."""
    record = case.record(conda_package)
    if record is None:
        return True
    return all(d.version == record.version for d in case.environment.provides(record)[:1])


def in_one_go(
    case: Case, changes: dict[CondaVerb, tuple[str, ...]]
) -> dict[CondaVerb, tuple[str, ...]]:
    """Ask for everything at once, since conda may need to change one for the other."""
    here = {record.name: record.version for record in case.environment.records}
    updates = changes.get("update", ())
    if "install" not in changes or not all(name in here for name in updates):
        return changes
    newer = (f"{name}>{here[name]}" for name in updates)
    changed = {**changes, "install": (*changes["install"], *newer)}
    changed.pop("update", None)
    return changed


def with_holders(
    case: Case,
    changes: dict[CondaVerb, tuple[str, ...]],
    planned: Mapping[str, str],
    others: Sequence[str] = (),
) -> tuple[dict[CondaVerb, tuple[str, ...]], str]:
    """Name along what holds the old versions, and give how that is said; ``planned``: by name.

    Where conda's history does not know that such a holder is wanted, conda would remove it; and it
    keeps to a version that it was once asked for, though that is the user's to change. ``others``:
    names of what has to give way as well.
    """
    if not {"install", "update"} & changes.keys():
        return changes, ""
    others = [name for name in others if name not in planned]
    wished = set(map(spec_name, held_wishes(case.environment, planned)))
    holders = [
        record.name
        for name, version in planned.items()
        for record, spec in case.environment.dependents(name)
        if (case.shell.unasked or record.name.lower() in wished)
        and (pin := parse_pin(spec)) is not None
        and accepts(pin.versions, version) is False
    ]
    holders += [name for name in others if case.shell.unasked or name.lower() in wished]
    changes, along = _and_also(case, changes, holders), list(holders)
    told = case.along.get(as_asked(case, changes), ())
    changes, along = _and_also(case, changes, told), [*along, *told]
    named = sorted(set(along) - set(planned))
    wishes = case.environment.wishes or {}
    once = [wishes[name.lower()] for name in named if name.lower() in wished]
    says = f" and with it {listed(named)}" if named else ""
    says += f" (it was once asked for {listed(once)})" if once else ""
    return changes, says


def _and_also(
    case: Case, changes: dict[CondaVerb, tuple[str, ...]], names: Sequence[str]
) -> dict[CondaVerb, tuple[str, ...]]:
    """Ask for these in the same go, whatever their version."""
    named = {spec_name(spec) for specs in changes.values() for spec in specs}
    more = tuple(dict.fromkeys(name for name in names if name.lower() not in named))
    if not more:
        return changes
    changed = in_one_go(case, {**changes, "install": changes.get("install", ())})
    return {**changed, "install": (*changed["install"], *more)}


def as_asked(case: Case, changes: dict[CondaVerb, tuple[str, ...]]) -> tuple[str, ...]:
    """Give what a solver can be asked of changes: bounds, and what is newer than here."""
    here = {record.name: record.version for record in case.environment.records}
    newer = (f"{name} >{here[name]}" for name in changes.get("update", ()) if name in here)
    return (*changes.get("install", ()), *newer)
