"""Ways out of a refusal that leave the change to conda, or to another environment. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.bounds import conda_spec, required
from safepip.decisions.fixing.commands import (
    can_be_repeated,
    has_files,
    leaving_others,
    left_by,
    with_others_instead,
    words_of,
)
from safepip.decisions.judging.pins import accepts, held_wishes, parse_pin
from safepip.decisions.judging.requirements import is_met, parse_requirement
from safepip.decisions.wording.phrases import few, listed
from safepip.values.environment import spec_name
from safepip.values.findings import SecondCopy
from safepip.values.plan import Plan
from safepip.values.text import normalised
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from safepip.decisions.fixing.fix_case import Case
    from safepip.decisions.fixing.shell import CondaVerb, Shell
    from safepip.values.channel import Answer
    from safepip.values.environment import Environment
    from safepip.values.findings import CondaOwned, SameFiles
    from safepip.values.universe import Freed

_VERBS: tuple[CondaVerb, ...] = ("install", "update", "reinstall")
UNSURE = ", if it can (unchecked)"
"""What conda's solver makes of it is not known here."""
_NEVER_REMOVED = frozenset(("conda", "mamba", "pip", "python"))


def by_conda(case: Case) -> Iterator[Fix]:
    """Let conda change its own packages; then pip the rest.

    Where less would do than what pip planned to change, that is what is offered; and what would do
    as well.
    """
    owned = {finding.distribution for finding in case.owned}
    others = [way for way in case.ways if {freed.name for freed in way} != owned]
    if case.direct:
        if case.is_about_owned and any(_is_bounded(case, finding) for finding in case.owned):
            yield _as_planned(case)
        return
    if case.is_about_owned and (not case.ways or others != list(case.ways)):
        yield _as_planned(case)
    yield from (_by_way(case, way) for way in others)


def _as_planned(case: Case) -> Fix:
    """Let conda change what pip planned to change, as far as somebody needs that but conda's own.

    What conda's new packages need of each other is for conda's solver to find.
    """
    findings = _asked_of_conda(case)
    verbs = _conda_changes(case, findings)
    # A version that is there already need not change for what is asked of it.
    moving = [f for f in findings if not _is_met_here(case, f)] or findings
    names = case.conda_names(moving)
    planned = {case.conda_name(f.conda_package): f.planned or "" for f in findings}
    changes, along = _with_holders(
        case,
        _in_one_go(case, verbs),
        planned,
        () if case.direct else case.conda_names(case.owned),
    )
    commands = [case.shell.conda(verb, specs) for verb, specs in changes.items()]
    verb = "reinstall" if list(changes) == ["reinstall"] else "change"
    says = f"let conda {verb} {listed(names)}{along}"
    unsure = f"{UNSURE if verb == 'change' else ''}{case.shell.warning}"
    is_numbered_alike = all(_is_numbered_alike(case, f.conda_package) for f in case.owned)
    fix = _followed_by(case, commands, _left_for_pip(case), says, unsure)
    return _to_be_asked(case, fix, changes, settles=is_numbered_alike)


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
        spec = spec if spec == name else _within(case, name, freed.name, bounds)
        # As below: what is numbered otherwise than its distribution has bounds of its own.
        is_bounded = spec != name and record is not None and record.version == owner.version
        verb: CondaVerb = "install" if is_bounded else "update"
        changes[verb] = (*changes.get(verb, ()), spec if is_bounded else name)
    settles = "update" not in changes
    becomes = [freed.becomes for freed in way if freed in bounded or not bounded]
    planned = dict(zip(names, becomes, strict=True))
    changes, along = _with_holders(case, _in_one_go(case, changes), planned, others)
    commands = [case.shell.conda(verb, specs) for verb, specs in changes.items()]
    says = f"let conda change {listed(names)}{along}"
    fix = _followed_by(case, commands, _left_for_pip(case), says, f"{UNSURE}{case.shell.warning}")
    return _to_be_asked(case, fix, changes, settles=settles)


def _bounds_of(freed: Freed) -> list[Requirement]:
    return [r for text in freed.bounds if (r := parse_requirement(text)) is not None]


def _in_one_go(
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


def _with_holders(
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
    told = case.along.get(_asks(case, changes), ())
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
    changed = _in_one_go(case, {**changes, "install": changes.get("install", ())})
    return {**changed, "install": (*changed["install"], *more)}


def _asks(case: Case, changes: dict[CondaVerb, tuple[str, ...]]) -> tuple[str, ...]:
    """Give what a solver can be asked of changes: bounds, and what is newer than here."""
    here = {record.name: record.version for record in case.environment.records}
    newer = (f"{name} >{here[name]}" for name in changes.get("update", ()) if name in here)
    return (*changes.get("install", ()), *newer)


def _to_be_asked(
    case: Case, fix: Fix, changes: dict[CondaVerb, tuple[str, ...]], *, settles: bool
) -> Fix:
    """Give the fix with what a solver can be asked of it.

    ``settles``: where that can be had, the fix is certain.
    """
    return replace(fix, asks_conda=_asks(case, changes), is_told_by_conda=settles)


def _asked_of_conda(case: Case) -> list[CondaOwned]:
    """Give what somebody asks for: the user, or what pip installs. All of it, where nobody does."""
    found = [
        f
        for f in case.owned
        if f.requested or f.action == "same" or (_is_bounded(case, f) and not _is_met_here(case, f))
    ]
    return found or list(case.owned)


def _is_bounded(case: Case, finding: CondaOwned) -> bool:
    return any(r.specifier for r in _wanted(case) if normalised(r.name) == finding.distribution)


def _wanted(case: Case) -> list[Requirement]:
    """Give what the user asks for, and what pip's part requires.

    Not what conda's own require in the versions that pip chose: conda may have others.
    """
    asked = [parse_requirement(word.text) for word in words_of(case.spelled) if word.name]
    given = {finding.distribution for finding in case.owned}
    by_pip = Plan(
        tuple(
            change
            for change in case.plan.changes
            if change.name not in given and (change.requested or not case.direct)
        )
    )
    return [*(r for r in asked if r is not None), *required(by_pip, case.environment)]


def _is_met_here(case: Case, finding: CondaOwned) -> bool:
    """Say whether what is asked of it, if anything, holds for the version that is there."""
    if finding.action == "same" or not _is_numbered_alike(case, finding.conda_package):
        return False
    wanted = [r for r in _wanted(case) if normalised(r.name) == finding.distribution]
    is_met_here = all(is_met(requirement, finding.installed) for requirement in wanted)
    return is_met_here and _is_bounded(case, finding)


def _conda_changes(case: Case, findings: Sequence[CondaOwned]) -> dict[CondaVerb, tuple[str, ...]]:
    """Give what conda does in place of pip: specifications, by the verb that they need.

    Where all that is asked for is there already, what is newer is asked for.
    """
    newer = all(_is_met_here(case, finding) for finding in findings)
    changes: dict[CondaVerb, tuple[str, ...]] = {}
    found = dict.fromkeys(_conda_change(case, finding, newer=newer) for finding in findings)
    for verb, spec in sorted(found, key=lambda change: _VERBS.index(change[0])):
        changes[verb] = (*changes.get(verb, ()), spec)
    return changes


def _left_for_pip(case: Case) -> tuple[tuple[str, ...], ...]:
    """Give the user's arguments without what conda does, by command; empty when that was all.

    What pip owns and the change would break is not conda's to update, and comes along.
    """
    names = frozenset(f.distribution for f in case.owned if f.requested)
    return left_by(leaving_others(case.arguments), names, _others_of_pip(case))


def _others_of_pip(case: Case) -> list[str]:
    """Give what would break and is not conda's, which knows nothing of it."""
    return sorted({f.distribution for f in case.broken}.difference(case.environment.conda_owned))


def _also_gone(names: list[str], of: str) -> str:
    """Say what goes that nobody asked for; ``of`` stands for what that needs."""
    goes, needs = ("go", "need") if names[1:] else ("goes", "needs")
    return f"; then {listed(names)} {goes}, too, which {needs} {of}" if names else ""


def _followed_by(
    case: Case,
    commands: list[str],
    rest: tuple[tuple[str, ...], ...],
    says: str,
    unsure: str = "",
) -> Fix:
    """Give commands of conda and then, where anything is left of it, the user's own.

    ``rest``: the arguments of each.
    """
    if not rest:
        return Fix(case.shell.then(*commands), f"{says}{unsure}")
    if case.repeatable:
        by_pip = (case.again(arguments) for arguments in rest)
        return Fix(case.shell.then(*commands, *by_pip), f"{says} first{unsure}")
    again = f"then {case.same.rstrip(',')}{'' if case.is_shown else ' again'}"
    return Fix(case.shell.then(*commands), f"{says}{unsure}; {again}", besides=(again,))


def with_answer(fix: Fix, answer: Answer, shell: Shell) -> Fix:
    """Say what the solver says of a fix that it finds possible."""
    if not (fix.is_told_by_conda and shell.is_as_asked):
        return fix
    pins = [pin for spec in fix.asks_conda if (pin := parse_pin(spec)) is not None]
    # What is named without a version is what has to give way.
    asked = {pin.name for pin in pins if pin.versions}
    others = other_moves(answer, asked)
    if not others:
        return replace(fix, says=fix.says.replace(UNSURE, ""))
    says = fix.says.replace(UNSURE, f", which also {others}")
    return replace(fix, says=says, besides=(f"that also {others}", *fix.besides))


def named_along(answer: Answer, specs: Collection[str], shell: Shell) -> tuple[str, ...]:
    """Give what else conda has to be asked for, so that it changes that and does not remove it.

    Only where its history does not know all that is wanted.
    """
    asked = {spec_name(spec) for spec in specs}
    moved = (m.name for m in answer.moves if m.before and m.name.lower() not in asked)
    return tuple(moved) if shell.unasked else ()


def other_moves(answer: Answer, asked: Collection[str]) -> str:
    """Say what else of the environment conda would change or remove; empty for nothing."""
    moves = [m for m in answer.moves if m.before and normalised(m.name) not in asked]
    changed = [f"{m.name} {m.before} -> {m.after}" for m in moves if m.after]
    removed = [f"{m.name} {m.before}" for m in moves if not m.after]
    said = [f"changes {few(changed)}"] if changed else []
    said += [f"removes {few(removed)}"] if removed else []
    return " and ".join(said)


def _conda_change(case: Case, finding: CondaOwned, *, newer: bool) -> tuple[CondaVerb, str]:
    """Give the verb of conda and the specification that stand for one change of pip's.

    ``newer``: bounds are not enough, since what is there is within them.
    """
    name = case.conda_name(finding.conda_package)
    if finding.action == "same":
        return "reinstall", name
    if not _is_numbered_alike(case, finding.conda_package):
        # The package is numbered otherwise than the distribution in it: pip's bounds mean nothing.
        return "update", name
    wanted = _wanted(case)
    if conda_spec(name, finding.distribution, wanted) != name:
        if newer and finding.action == "upgrade":
            wanted.append(Requirement(f"{finding.distribution}>{finding.installed}"))
        return "install", _within(case, name, finding.distribution, wanted)
    # Bounds in files are not known here, so only what pip chose is certain to meet them.
    if finding.action == "upgrade" and case.shell.manager != "pixi" and not has_files(case.spelled):
        return "update", name
    return "install", f"{name}=={finding.planned}"


def _within(case: Case, name: str, distribution: str, wanted: Sequence[Requirement]) -> str:
    """Give the specification for what is required, within the constraints."""
    return conda_spec(name, distribution, (*wanted, *case.bounds.get(distribution, ())))


def _is_numbered_alike(case: Case, conda_package: str) -> bool:
    """Say whether conda's package has the number of the distribution in it, as far as known."""
    record = case.record(conda_package)
    if record is None:
        return True
    return all(d.version == record.version for d in case.environment.provides(record)[:1])


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
        left = (rest,) if rest else ()
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
    changes, along = _with_holders(case, {verb: names}, dict.fromkeys(names, ""))
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


def in_a_clone(case: Case) -> Iterator[Fix]:
    """Work in a copy of the environment."""
    # mamba and micromamba before 2.5 cannot clone, and what is sealed by a file among the
    # packages is sealed in the clone.
    sealed_within = any(f.marker == "externally-managed" for f in case.sealed)
    # What is refused for more than the seal would be refused in the copy.
    is_all = len(case.sealed) == len(case.refusals)
    if case.shell.tool == "conda" and not sealed_within and is_all:
        what = ("--clone", case.environment.prefix)
        is_judged = case.removes or case.plan.changes
        says = "work in a copy of your own"
        says += "" if is_judged else "; what you ask for is judged there"
        yield from _elsewhere(case, what, says)


def in_a_new_environment(case: Case) -> Iterator[Fix]:
    """Leave this environment alone."""
    what = (f"python={case.environment.interpreter.minor}", "pip")
    if case.removes:
        return  # there is nothing to be removed
    yield from _elsewhere(case, what, "use a new environment, and leave this one as it is")


def with_another_python(
    shell: Shell,
    environment: Environment,
    arguments: tuple[str, ...],
    bound: str,
    *,
    same: str,
    known: bool,
) -> Iterator[Fix]:
    """Leave this environment alone for one with a Python within the bound.

    ``known``: the channels have one. ``same``: what the command is called where it cannot be given.
    """
    what = (bound, "pip")
    says = f"use a new environment, with {bound}{'' if known else ', if conda has it (unchecked)'}"
    for fix in _made_anew(shell, environment, arguments, what, says, same=same):
        if can_be_pasted(fix.command, in_notebook=shell.in_notebook):
            yield fix


def _elsewhere(case: Case, what: tuple[str, ...], says: str) -> Iterator[Fix]:
    return _made_anew(case.shell, case.environment, case.arguments, what, says, same=case.same)


def _made_anew(
    shell: Shell,
    environment: Environment,
    arguments: tuple[str, ...],
    what: tuple[str, ...],
    says: str,
    *,
    same: str,
) -> Iterator[Fix]:
    if shell.manager == "pixi":
        return
    name = f"my-{environment.name}" if environment.name else "mine"
    there = replace(shell, prefix=name, obvious=False)
    create = shell.create(name, what)
    if can_be_repeated(arguments):
        yield Fix(shell.then(create, there.safepip(arguments)), says)
    else:
        yield Fix(create, f"{says}; then {same} with `--env {name}`")


def although_sealed(case: Case) -> Iterator[Fix]:
    """Pass the seal, which only the owner of the environment may want."""
    markers = {finding.marker for finding in case.sealed}
    if not case.repeatable or "read-only" in markers or len(case.sealed) != len(case.refusals):
        return
    arguments = case.arguments
    if "externally-managed" in markers:
        arguments = (arguments[0], "--break-system-packages", *arguments[1:])
    command = case.again(arguments, override_frozen="frozen" in markers)
    yield Fix(command, "if the environment is yours, change it all the same")
