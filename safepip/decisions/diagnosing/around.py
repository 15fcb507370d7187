"""What leads out of an environment, hides what is in it, or comes twice. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.builders import is_of_a_build
from safepip.decisions.diagnosing.origin import origin_of
from safepip.decisions.judging.consistency import standing
from safepip.decisions.judging.copies import second_copies
from safepip.decisions.judging.modules import providers
from safepip.decisions.judging.requirements import active_requirements, is_met
from safepip.decisions.judging.runtimes import runtimes_twice
from safepip.values.damage import HiddenModule, OtherOnPath, WrongInterpreter, WrongKernel
from safepip.values.findings import RuntimeTwice, SecondCopy, Shadows
from safepip.values.plan import Change, Plan, PlannedFile
from safepip.values.request import Policy
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from safepip.values.environment import Distribution, Environment
    from safepip.values.findings import Severity
    from safepip.values.inspection import Inspection, Leading

_SYSTEM = ("/usr/bin", "/bin", "/usr/local/bin")


def twice(inspection: Inspection, told: Collection[str]) -> Iterator[SecondCopy | RuntimeTwice]:
    """Find what pip would have been refused or warned for: modules and runtimes that come twice.

    By the judges of plans, on the plan by which all that is not conda's would come into an
    environment without it. ``told``: names of distributions that other findings tell of.
    """
    environment = inspection.environment
    claims = [claim for claim in inspection.claims if claim.distribution.name not in told]
    changes = tuple(
        Change(
            name=claim.distribution.name,
            action="add",
            after=claim.distribution.version,
            files=tuple(
                PlannedFile(f"{environment.prefix}/{path}", "module")
                for path in sorted(claim.paths)
                if path not in inspection.checked.missing
            ),
        )
        for claim in claims
    )
    others = {claim.distribution.metadata_path for claim in claims}
    left = tuple(d for d in environment.distributions if d.metadata_path not in others)
    bare = replace(environment, distributions=left)
    by_name = {claim.distribution.name: claim for claim in claims}
    for copy in second_copies(bare, Plan(changes), Policy()):
        names = _names_of(environment, copy.conda_package)
        origin = origin_of(by_name[copy.distribution], inspection, names)
        yield replace(copy, severity="note" if origin.was_allowed else "damage")
    yield from runtimes_twice(bare, Plan(changes))


def _names_of(environment: Environment, dist: str) -> frozenset[str]:
    """Give the normalised names by which `--allow` may name a conda package."""
    records = (record.name for record in environment.records if record.dist == dist)
    owned = (d.name for d in environment.distributions if d.record and d.record.dist == dist)
    return frozenset(map(normalised, (*records, *owned)))


def hiding(inspection: Inspection) -> Iterator[Shadows]:
    """Find copies outside the environment that hide conda's, or that something here counts on."""
    environment = inspection.environment
    for copy in environment.hiding:
        owned = environment.conda_owned[copy.name].record
        yield _shadow(copy, owned.dist if owned is not None else "")
    for copy in _counted_on(environment):
        yield replace(_shadow(copy, ""), severity="note")


def _counted_on(environment: Environment) -> tuple[Distribution, ...]:
    """Give the copies in the user site that meet what something in the environment requires."""
    inside = standing(d for d in environment.distributions if not d.outside)
    users = {d.name: d for d in environment.distributions if d.user_site and d.name not in inside}
    markers = environment.interpreter.markers
    found: dict[str, Distribution] = {}
    for distribution in inside.values() if users else ():
        for requirement in active_requirements(distribution.requires, markers, ()):
            copy = users.get(normalised(requirement.name))
            if copy is not None and is_met(requirement, copy.version):
                found[copy.name] = copy
    return tuple(found.values())


def _shadow(copy: Distribution, hidden: str) -> Shadows:
    return Shadows(
        severity="damage",
        distribution=copy.name,
        path=copy.location,
        version=copy.version,
        conda_package=hidden,
        reason="user-site" if copy.user_site else "path",
    )


def hidden_modules(inspection: Inspection) -> Iterator[HiddenModule]:
    """Find modules outside the environment that are imported in place of its own.

    Not those of distributions, which are told of by their name.
    """
    environment = inspection.environment
    standard = frozenset(environment.interpreter.stdlib_names)
    known = {copy.location for copy in environment.hiding}
    for before in inspection.surroundings.before:
        owners = providers(environment, before.modules)
        for module in before.modules:
            owner = owners.get(module)
            if before.folder not in known and (owner is not None or module in standard):
                yield HiddenModule(
                    module=module,
                    path=f"{before.folder}/{module}",
                    where=before.where,
                    conda_package=owner.dist if owner is not None else "",
                )


def leading_out(
    inspection: Inspection,
) -> Iterator[WrongInterpreter | WrongKernel | OtherOnPath]:
    """Find what starts another Python than the environment's."""
    around = inspection.surroundings
    condas = inspection.environment.owners_of([script.path for script in around.scripts])
    scripts: dict[tuple[str, bool, str, str], list[str]] = {}
    for script in around.scripts:
        if not (script.path in condas and is_as_built(inspection, script)):
            owner = condas[script.path][0].dist if script.path in condas else ""
            claimed = "" if owner else _claimant(inspection, script.path)
            key = (script.starts, script.exists, owner, claimed)
            scripts.setdefault(key, []).append(script.path)
    for (starts, exists, owner, claimed), paths in scripts.items():
        # What no package brought is somebody's own, who may mean it so.
        severity: Severity = "damage" if owner or claimed else "note"
        yield WrongInterpreter(
            severity=severity,
            distribution=claimed,
            starts=starts,
            exists=exists,
            paths=tuple(paths),
            conda_package=owner,
        )
    for kernel in around.kernels:
        yield WrongKernel(path=kernel.path, starts=kernel.starts)
    for command in around.on_path:
        yield OtherOnPath(command=command.path, path=command.starts)


def is_as_built(inspection: Inspection, script: Leading) -> bool:
    """Say whether a package of conda is as it was built, and starts another Python by itself.

    That of the system, or one of the machine that it was built on.
    """
    folder = script.starts.rpartition("/")[0]
    is_built_so = folder in _SYSTEM or is_of_a_build(folder + "/")
    is_whole = script.path not in inspection.checked.altered
    return is_built_so and is_whole


def _claimant(inspection: Inspection, path: str) -> str:
    """Give the name of the distribution whose file or command it is; empty for none."""
    claims = inspection.claims
    names = (c.distribution.name for c in claims if path in c.paths or path in c.scripts)
    return next(names, "")
