"""Whether everybody has what it requires, before a plan and after it: `breaks`, `unmet`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.modules import modules_of, providers
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    extras_asked,
    is_met,
    required_name,
)
from safepip.values.findings import Breaks, Unmet
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from safepip.values.environment import Distribution, Environment
    from safepip.values.plan import Change, Plan


@dataclass(frozen=True)
class Standing:
    """Who is there, in which version, and which of their extras somebody asks for."""

    versions: Mapping[str, str]
    extras: Mapping[str, frozenset[str]]


def standing(distributions: Iterable[Distribution]) -> dict[str, Distribution]:
    """Give the distribution that counts for each name: conda's, or else the one imported.

    A copy that hides conda's never counts for it: the next user, job or container has only
    conda's.
    """
    counted: dict[str, Distribution] = {}
    for distribution in distributions:
        known = counted.setdefault(distribution.name, distribution)
        if known.record is None and distribution.record is not None:
            counted[distribution.name] = distribution
    return counted


def before(environment: Environment) -> Standing:
    """Give what stands before anything is done."""
    return _standing(environment, standing(environment.distributions), None)


def after(environment: Environment, plan: Plan) -> Standing:
    """Give what a planned distribution would find."""
    return _standing(environment, _left(environment, plan), plan)


def breaks(environment: Environment, plan: Plan) -> Iterator[Breaks]:
    """Find the requirements of what stays that were met and would not be met any more."""
    arriving = None if plan.elsewhere else plan
    left = _left(environment, plan)
    old, new = before(environment), _versions(left, arriving)
    changed = {name for name, was in old.versions.items() if new.get(name) != was}
    replaced = {c.name for c in _arrivals(arriving)}
    still_asked = _standing(environment, left, arriving).extras if changed else {}
    for name, distribution in left.items():
        if name in replaced:
            continue
        lines = [line for line in distribution.requires if required_name(line) in changed]
        # Who asked for an extra may leave with the same plan, or ask for it no more.
        extras = old.extras.get(name, frozenset()) & still_asked.get(name, frozenset())
        for requirement in active_requirements(lines, environment.interpreter.markers, extras):
            wanted = normalised(requirement.name)
            was, becomes = old.versions.get(wanted), new.get(wanted)
            if was is not None and is_met(requirement, was) and not is_met(requirement, becomes):
                yield Breaks(
                    distribution=name,
                    requirement=as_text(requirement),
                    changed=wanted,
                    before=was,
                    after=becomes,
                )


def unmet(environment: Environment, plan: Plan) -> Iterator[Unmet]:
    """Find what planned distributions require and would not have."""
    if not any(change.requires for change in _arrivals(plan)):
        return
    new = after(environment, plan)
    for change in _arrivals(plan):
        extras = new.extras.get(change.name, ())
        markers = environment.interpreter.markers
        for requirement in active_requirements(change.requires, markers, extras):
            found = new.versions.get(normalised(requirement.name))
            if not is_met(requirement, found):
                yield Unmet(
                    severity="note" if plan.ignores_dependencies else "refuse",
                    distribution=change.name,
                    requirement=as_text(requirement),
                    found=found,
                    provided_by="" if found else provider_of(environment, requirement.name),
                )


def concerned(environment: Environment, plan: Plan, asked: Iterable[str]) -> frozenset[str]:
    """Give the names that the plan is about, and those that these require.

    ``asked``: requirements that the user named, in the plan or met already.
    """
    names = {name for line in (*plan.requested, *asked) if (name := required_name(line))}
    known = standing(environment.distributions)
    lines = [line for name in names if name in known for line in known[name].requires]
    lines += [line for change in plan.changes for line in change.requires]
    needed = active_requirements(lines, environment.interpreter.markers, ())
    names |= {normalised(requirement.name) for requirement in needed}
    return frozenset(names | {change.name for change in plan.changes})


def provider_of(environment: Environment, name: str) -> str:
    """Give a conda package that has the module of a distribution that is not there.

    Only where the names say so: conda's `py-opencv` for `opencv-python`, a module `yaml` for
    `yaml`. It softens a message and decides nothing.
    """
    visible = {d.record.dist for d in environment.distributions if d.record is not None}
    for record in environment.records:
        is_namesake = record.dist not in visible and _essence(record.name) == _essence(name)
        if is_namesake and modules_of(environment, record):
            return record.dist
    found = providers(environment, [normalised(name).replace("-", "_")])
    return next((record.dist for record in found.values()), "")


def _essence(name: str) -> frozenset[str]:
    return frozenset(normalised(name).split("-")) - {"py", "python", "python3"}


def _left(environment: Environment, plan: Plan) -> dict[str, Distribution]:
    """Give what counts for each name once pip has taken away what it replaces.

    Where the new files go elsewhere, only what pip says it removes is certain to go: a copy that
    it merely looks past (`--ignore-installed`) stays.
    """
    gone = {
        change.before.metadata_path
        for change in plan.changes
        if change.before is not None and (change.removes or not plan.elsewhere)
    }
    removed = {path for change in plan.changes for path in change.removes}
    # What a path file leads to (the sources of an editable project) goes when that does.
    through = {c.name for c in plan.changes if _removes_path_file(c)}
    return standing(
        d
        for d in environment.distributions
        if d.metadata_path not in gone
        and not (removed and _is_removed(d, removed))
        and not (d.outside and not d.user_site and d.name in through)
    )


def _removes_path_file(change: Change) -> bool:
    return any(path.endswith((".pth", ".egg-link")) for path in change.removes)


def _is_removed(distribution: Distribution, removed: AbstractSet[str]) -> bool:
    """Say whether another distribution's uninstall takes the metadata of this one along."""
    path = distribution.metadata_path
    if not removed.isdisjoint((path, f"{path}/METADATA", f"{path}/PKG-INFO")):
        return True
    folder = distribution.location
    while folder and folder not in removed:
        folder = folder.rpartition("/")[0]
    return bool(folder)


def _versions(left: Mapping[str, Distribution], plan: Plan | None) -> dict[str, str]:
    versions = {name: distribution.version for name, distribution in left.items()}
    versions.update({c.name: c.after for c in _arrivals(plan) if c.after is not None})
    return versions


def _standing(
    environment: Environment, left: Mapping[str, Distribution], plan: Plan | None
) -> Standing:
    requires = {name: distribution.requires for name, distribution in left.items()}
    requires.update({change.name: change.requires for change in _arrivals(plan)})
    asked = {change.name: change.extras for change in _arrivals(plan)}
    markers = environment.interpreter.markers
    return Standing(_versions(left, plan), extras_asked(requires, markers, asked))


def _arrivals(plan: Plan | None) -> list[Change]:
    return [change for change in plan.changes if change.after is not None] if plan else []
