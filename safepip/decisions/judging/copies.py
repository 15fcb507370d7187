"""Copies of what is there already: the findings `second-copy` and `shadows`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import concerned
from safepip.decisions.judging.modules import (
    hidden_modules,
    modules_of,
    planned_modules,
    providers,
)
from safepip.decisions.judging.ownership import given_away, overtaken
from safepip.values.findings import SecondCopy, Shadows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from safepip.values.environment import Environment, Record
    from safepip.values.plan import Change, Plan
    from safepip.values.request import Policy


def second_copies(environment: Environment, plan: Plan, policy: Policy) -> Iterator[SecondCopy]:
    """Find new distributions whose modules a conda package has without telling pip.

    Such a package has no metadata for Python (`opencv`, `ruamel_yaml`), so pip believes that
    nothing is there. It is known by the modules that both have, or else by its name where it has
    modules at all: conda's `graphviz` is a C program and no copy of the distribution `graphviz`.

    And find modules, however deep, that would be imported in place of those of any conda package.
    """
    if plan.user_site or plan.elsewhere:
        return
    known = given_away(environment, policy)
    known |= {d.record.dist for d in environment.distributions if d.record is not None}
    here = {d.name for d in environment.distributions if not (d.user_site or d.outside)}
    arriving = [c for c in plan.changes if c.after is not None and c.name not in here]
    modules = {change.name: _whole_modules(environment, change) for change in arriving}
    found = providers(environment, {module for some in modules.values() for module in some})
    given = given_away(environment, policy)
    hidden = hidden_modules(environment, {c.name: [f.path for f in c.files] for c in plan.changes})
    again = {change.name: change.removes for change in plan.changes if hidden[change.name]}
    already = hidden_modules(environment, again)
    for change in plan.changes:
        copies: dict[str, set[str]] = {}
        if change.name in modules:
            copied = _copied(environment, change, modules[change.name], found)
            copies = {dist: set(names) for dist, names in copied.items() if dist not in known}
        replaced = overtaken(environment, plan, change)
        exempt = given | ({replaced.record.dist} if replaced and replaced.record else set())
        for module, records in hidden[change.name].items():
            if module not in already.get(change.name, ()):
                for dist in {record.dist for record in records} - exempt:
                    copies.setdefault(dist, set()).add(module)
        for conda_package, names in copies.items():
            yield SecondCopy(
                distribution=change.name,
                conda_package=conda_package,
                modules=tuple(sorted(names)),
            )


def _copied(
    environment: Environment,
    change: Change,
    modules: Collection[str],
    found: Mapping[str, Record],
) -> dict[str, list[str]]:
    """Give the modules that the change brings once more, by the conda package that has them."""
    copies: dict[str, list[str]] = {}
    for module in modules:
        if module in found:
            copies.setdefault(found[module].dist, []).append(module)
    namesake = environment.record_named(change.name)
    if namesake is not None and namesake.dist not in copies:
        own = modules_of(environment, namesake)
        copies.update({namesake.dist: list(own)} if own else {})
    return copies


def _whole_modules(environment: Environment, change: Change) -> list[str]:
    planned = planned_modules(environment, change)
    return [name for name, is_whole in planned.items() if is_whole]


def shadows(
    environment: Environment, plan: Plan, policy: Policy, asked: Collection[str]
) -> Iterator[Shadows]:
    """Find copies that come, or would come, before others on `sys.path`."""
    yield from _in_user_site(environment, plan, policy)
    yield from _already_hiding(environment, plan, asked)
    yield from _before_the_standard_library(environment, plan)


def _in_user_site(environment: Environment, plan: Plan, policy: Policy) -> Iterator[Shadows]:
    """Find what would be put into the user site: before conda's own, or just beside the books."""
    arriving = [c for c in plan.changes if c.after is not None and plan.user_site]
    given = given_away(environment, policy)
    path = environment.interpreter.user_site
    hides = False
    for change in arriving:
        hidden = _hidden(environment, change)
        if hidden and hidden not in given:
            hides = True
            yield Shadows(
                distribution=change.name,
                path=path,
                version=change.after or "",
                conda_package=hidden,
            )
    if arriving and not hides:
        yield Shadows(severity="note", path=path)


def _hidden(environment: Environment, change: Change) -> str:
    """Give the conda package that a copy of this distribution in the user site would hide."""
    owned = environment.conda_owned.get(change.name)
    if owned is not None and owned.record is not None:
        return owned.record.dist
    found = providers(environment, _whole_modules(environment, change))
    return next((record.dist for record in found.values()), "")


def _already_hiding(
    environment: Environment, plan: Plan, asked: Collection[str]
) -> Iterator[Shadows]:
    """Find copies outside the environment that the plan counts on, or that hide conda's."""
    about = concerned(environment, plan, asked)
    replaced = {c.before.metadata_path for c in plan.changes if c.before is not None}
    hiding = {copy.name: copy for copy in environment.copies}
    for name, copy in {**environment.installed, **hiding}.items():
        conda = environment.conda_owned.get(name)
        hidden = conda.record.dist if conda is not None and conda.record is not None else ""
        is_copy = copy.user_site or (copy.outside and hidden)
        if is_copy and name in about and copy.metadata_path not in replaced:
            yield Shadows(
                severity="note",
                distribution=name,
                path=copy.location,
                version=copy.version,
                conda_package=hidden,
                reason="user-site" if copy.user_site else "path",
            )


def _before_the_standard_library(environment: Environment, plan: Plan) -> Iterator[Shadows]:
    """Find new modules that are named like one of the standard library.

    Python itself comes first in a normal start, but not with site-packages on `PYTHONPATH`, nor
    for a program that puts its own folders in front.
    """
    interpreter = environment.interpreter
    standard = frozenset(interpreter.stdlib_names)
    folder = interpreter.user_site if plan.user_site else interpreter.purelib
    for change in plan.changes:
        if change.after is None or change.before is not None:
            continue
        for module in sorted(standard.intersection(_whole_modules(environment, change))):
            yield Shadows(
                severity="note",
                distribution=change.name,
                path=f"{folder}/{module}",
                version=change.after,
                reason="stdlib",
            )
