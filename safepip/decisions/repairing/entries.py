"""What the journal has of a repair. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.judging.requirements import relation
from safepip.values.journal import Step
from safepip.values.repair import Discard, PutBack, Redirect, TakeOut

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.repair import Repair


def steps_of(repair: Repair, environment: Environment) -> tuple[Step, ...]:
    """Give what a repair does with each distribution, and with conda packages that have none."""
    versions = {dist: _versions(dist, environment) for dist in _put_back(repair)}
    back = {name: version for known in versions.values() for name, version in known.items()}
    found: dict[str, Step] = {}
    for step in repair.steps:
        if isinstance(step, TakeOut):
            name, before = step.distribution.name, step.distribution.version
            after = back.get(name)
            action = "remove" if after is None else relation(before, after)
            found[name] = Step(name, action, before, after, "pip")
    for name, version in back.items():
        found.setdefault(name, Step(name, "same", version, version, "conda"))
    for step in repair.steps:
        if isinstance(step, Redirect) and step.distribution is not None:
            version = step.distribution.version
            found.setdefault(step.name, Step(step.name, "same", version, version, "pip"))
        if isinstance(step, Discard):
            name, _, version = step.path.rpartition("/")[2].partition("-")
            found.setdefault(name, Step(name, "remove", version.rpartition(".")[0], None, "pip"))
    return tuple(found.values())


def _put_back(repair: Repair) -> tuple[str, ...]:
    those = (step for step in repair.steps if isinstance(step, PutBack | Redirect))
    return tuple(step.conda_package for step in those if step.conda_package)


def _versions(dist: str, environment: Environment) -> dict[str, str]:
    """Give the distributions of a conda package with their versions; else its own."""
    record = next((r for r in environment.records if r.dist == dist), None)
    shipped = shipped_in(environment, record.files) if record is not None else {}
    name, version, _ = dist.rsplit("-", 2)
    return {one.name: one.version for one in shipped.values()} or {name: version}
