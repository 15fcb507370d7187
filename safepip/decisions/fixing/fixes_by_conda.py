"""Ways out of a refusal that leave it to conda to change its own, or to remove it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.bounds import conda_spec
from safepip.decisions.fixing.commands import with_others_instead
from safepip.decisions.fixing.condas_specs import (
    as_asked,
    asked_of_conda,
    changes_by_conda,
    in_one_go,
    is_bounded,
    is_met_here,
    is_numbered_alike,
    with_holders,
    within,
)
from safepip.decisions.fixing.left_for_pip import Left, left_by
from safepip.decisions.fixing.solvers_answer import UNSURE
from safepip.decisions.judging.requirements import parse_requirement
from safepip.decisions.wording.phrases import listed
from safepip.values.findings import SecondCopy
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.fix_case import Case
    from safepip.decisions.fixing.shell import CondaVerb
    from safepip.values.findings import SameFiles
    from safepip.values.universe import Freed

_NEVER_REMOVED = frozenset(("conda", "mamba", "pip", "python"))


def by_conda(case: Case) -> Iterator[Fix]:
    """Let conda change its own packages; then pip the rest.

    Where less would do than what pip planned to change, that is what is offered; and what would do
    as well.
    """
    owned = {finding.distribution for finding in case.owned}
    others = [way for way in case.ways if {freed.name for freed in way} != owned]
    if case.direct:
        if case.is_about_owned and any(is_bounded(case, finding) for finding in case.owned):
            yield _as_planned(case)
        return
    if case.is_about_owned and (not case.ways or others != list(case.ways)):
        yield _as_planned(case)
    yield from (_by_way(case, way) for way in others)


def _as_planned(case: Case) -> Fix:
    """Let conda change what pip planned to change, as far as somebody needs that but conda's own.

    What conda's new packages need of each other is for conda's solver to find.
    """
    findings = asked_of_conda(case)
    verbs = changes_by_conda(case, findings)
    # A version that is there already need not change for what is asked of it.
    moving = [f for f in findings if not is_met_here(case, f)] or findings
    names = case.conda_names(moving)
    planned = {case.conda_name(f.conda_package): f.planned or "" for f in findings}
    changes, along = with_holders(
        case,
        in_one_go(case, verbs),
        planned,
        () if case.direct else case.conda_names(case.owned),
    )
    commands = [case.shell.conda(verb, specs) for verb, specs in changes.items()]
    verb = "reinstall" if list(changes) == ["reinstall"] else "change"
    says = f"let conda {verb} {listed(names)}{along}"
    unsure = f"{UNSURE if verb == 'change' else ''}{case.shell.warning}"
    are_numbered_alike = all(is_numbered_alike(case, f.conda_package) for f in case.owned)
    fix = _followed_by(case, commands, _left_for_pip(case), says, unsure)
    return _to_be_asked(case, fix, changes, settles=are_numbered_alike)


def _by_way(case: Case, way: tuple[Freed, ...]) -> Fix:
    """Let conda change just these, as the request needs them."""
    changes: dict[CondaVerb, tuple[str, ...]] = {}
    names, others = [], []
    bounded = [freed for freed in way if any(r.specifier for r in _bounds_of(freed))]
    for freed in way:
        owner = case.environment.conda_owned[freed.name]
        record = owner.record
        name = record.name if record is not None else freed.name
        if bounded and freed not in bounded:
            others.append(name)
            continue
        names.append(name)
        bounds = _bounds_of(freed)
        spec = conda_spec(name, freed.name, bounds)
        spec = spec if spec == name else within(case, name, freed.name, bounds)
        # As below: what is numbered otherwise than its distribution has bounds of its own.
        has_bounds = spec != name and record is not None and record.version == owner.version
        verb: CondaVerb = "install" if has_bounds else "update"
        changes[verb] = (*changes.get(verb, ()), spec if has_bounds else name)
    settles = "update" not in changes
    becomes = [freed.becomes for freed in way if freed in bounded or not bounded]
    planned = dict(zip(names, becomes, strict=True))
    changes, along = with_holders(case, in_one_go(case, changes), planned, others)
    commands = [case.shell.conda(verb, specs) for verb, specs in changes.items()]
    says = f"let conda change {listed(names)}{along}"
    fix = _followed_by(case, commands, _left_for_pip(case), says, f"{UNSURE}{case.shell.warning}")
    return _to_be_asked(case, fix, changes, settles=settles)


def _bounds_of(freed: Freed) -> list[Requirement]:
    return [r for text in freed.bounds if (r := parse_requirement(text)) is not None]


def _to_be_asked(
    case: Case, fix: Fix, changes: dict[CondaVerb, tuple[str, ...]], *, settles: bool
) -> Fix:
    """Give the fix with what a solver can be asked of it.

    ``settles``: where that can be had, the fix is certain.
    """
    return replace(fix, asks_conda=as_asked(case, changes), is_told_by_conda=settles)


def _left_for_pip(case: Case) -> tuple[Left, ...]:
    """Give the user's commands without what conda does; empty when that was all.

    What pip owns and the change would break is not conda's to update, and comes along.
    """
    names = frozenset(f.distribution for f in case.owned if f.requested)
    return left_by(case.arguments, names, _others_of_pip(case), case.told)


def _others_of_pip(case: Case) -> list[str]:
    """Give what would break and is not conda's, which knows nothing of it."""
    return sorted({f.distribution for f in case.broken}.difference(case.environment.conda_owned))


def removed_by_conda(case: Case) -> Iterator[Fix]:
    """Let conda remove its own packages; then pip the rest."""
    names = tuple(case.conda_names(case.owned))
    if names and case.is_about_owned:
        broken = _others_of_pip(case)
        asked = frozenset(f.distribution for f in case.owned)
        rest = with_others_instead(case.arguments, asked, broken)
        others = _all_that_need(case, names)
        # What is forced takes nothing along by itself; and what all rests on is not to go.
        along = others if case.shell.unasked and _NEVER_REMOVED.isdisjoint(others) else ()
        command = case.shell.conda("remove", (*names, *along))
        them, need = "them" if names[1:] else "it", "need" if others[1:] else "needs"
        too = f", and with {them} {listed(others)}, which {need} {them}" if others else ""
        says = f"let conda remove {listed(names)}{too}"
        left = (Left(rest),) if rest else ()
        yield _followed_by(case, [command], left, says, _also_gone(broken, them))


def _all_that_need(case: Case, names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the packages of conda that need one of these, and those that need them in turn."""
    found = list(names)
    for name in found:
        needing = (record.name for record, _ in case.environment.dependents(name))
        found += [other for other in dict.fromkeys(needing) if other not in found]
    return tuple(sorted(found[len(names) :]))


def others_by_conda(case: Case) -> Iterator[Fix]:
    """Let conda update, or remove, those of its packages that would no longer work; then pip."""
    if not case.broken or len(case.broken) != len(case.refusals):
        return
    owned = case.environment.conda_owned
    broken = sorted({finding.distribution for finding in case.broken})
    records = [d.record for name in broken if (d := owned.get(name)) is not None]
    names = tuple(dict.fromkeys(record.name for record in records if record is not None))
    if not names or (case.removes and not all(_may_be_removed(case, name) for name in names)):
        return
    verb: CondaVerb = "remove" if case.removes else "update"
    others = _others_of_pip(case)
    changes, along = with_holders(case, {verb: names}, dict.fromkeys(names, ""))
    commands = [case.shell.conda(verb, specs) for verb, specs in changes.items()]
    command = case.shell.then(*commands, case.again((*case.arguments, *others)))
    gone = _also_gone(others, listed(sorted({f.changed for f in case.broken})))
    besides = f"{UNSURE}{case.shell.warning}" if verb == "update" else gone
    fix = Fix(command, f"let conda {verb} {listed(names)}{along} first{besides}")
    yield _to_be_asked(case, fix, changes, settles=False)


def _may_be_removed(case: Case, name: str) -> bool:
    """Say whether nothing else would have to go with this package of conda."""
    return name not in _NEVER_REMOVED and not case.environment.dependents(name)


def swapped(case: Case) -> Iterator[Fix]:
    """Make room by removing conda's package, where nothing else needs it."""
    if not case.is_about_doubles or not all(_makes_room(f) for f in case.doubled):
        return
    names = tuple(case.conda_names(case.doubled))
    if not all(_may_be_removed(case, name) for name in names):
        return
    command = case.shell.then(case.shell.conda("remove", names), case.again())
    yield Fix(command, f"remove conda's {listed(names)} first, since both cannot be there")


def _makes_room(finding: SameFiles | SecondCopy) -> bool:
    """Say whether nothing is in the way any more once the package is removed."""
    return isinstance(finding, SecondCopy) or finding.reason in ("files", "scripts")


def _followed_by(
    case: Case,
    commands: list[str],
    rest: tuple[Left, ...],
    says: str,
    unsure: str = "",
) -> Fix:
    """Give commands of conda and then, where anything is left of it, the user's own."""
    if not rest:
        return Fix(case.shell.then(*commands), f"{says}{unsure}")
    if case.repeatable:
        by_pip = (case.again(each.arguments, variables=each.variables) for each in rest)
        return Fix(case.shell.then(*commands, *by_pip), f"{says} first{unsure}")
    again = f"then {case.same.rstrip(',')}{'' if case.is_shown else ' again'}"
    return Fix(case.shell.then(*commands), f"{says}{unsure}; {again}", besides=(again,))


def _also_gone(names: list[str], of: str) -> str:
    """Say what goes that nobody asked for; ``of`` stands for what that needs."""
    goes, needs = ("go", "need") if names[1:] else ("goes", "needs")
    return f"; then {listed(names)} {goes}, too, which {needs} {of}" if names else ""
