"""After a block, where conda cannot have what the newest releases need: older ones, by conda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.commands import can_be_repeated, with_version
from safepip.decisions.fixing.left_for_pip import left_by
from safepip.decisions.fixing.solvers_answer import UNSURE, named_along, other_moves
from safepip.decisions.wording.phrases import listed
from safepip.recipes.as_conda_sees_it import taken_by_pip
from safepip.recipes.asking_conda import conda_shell, constrained_out, doubled, solver_of
from safepip.values.environment import spec_name
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.recipes.course import Course
    from safepip.values.channel import Answer
    from safepip.values.environment import Environment, Record
    from safepip.values.plan import Plan
    from safepip.values.universe import Conflict


def older_by_conda(course: Course, plan: Plan, conflict: Conflict | None) -> tuple[Fix, ...]:
    """Give a way by conda to other releases of what was asked for, within the user's bounds.

    conda's newest of what is in the way is asked for, and pip whether anything goes with that.
    """
    ways = conflict.ways if conflict is not None else ()
    records = _records(course.environment, tuple(freed.name for way in ways[:1] for freed in way))
    if not records or not can_be_repeated(course.shown_arguments):
        return ()
    if course.wider_options.require_hashes:
        return ()  # there is none for another release
    answer = solver_of(course).ask([f"{r.name} >{r.version}" for r in records.values()])
    if answer is None or not answer.possible or doubled(course.environment, answer.moves):
        return ()
    if constrained_out(course, plan, answer.moves):
        return ()
    taken = taken_by_pip(course, plan, answer)
    if not taken:
        return ()
    newest = {change.name: change.after for change in plan.changes}
    older = {name: each for name, each in taken.items() if each and newest.get(name) != each}
    specs = tuple(f"{r.name}=={answer.versions[r.name.lower()]}" for r in records.values())
    fix = _fix(course, specs, older, answer, frozenset(records))
    in_notebook = course.request.target.in_notebook
    return (fix,) if can_be_pasted(fix.command, in_notebook=in_notebook) else ()


def _records(environment: Environment, names: tuple[str, ...]) -> Mapping[str, Record]:
    """Give conda's packages of these; none where one is numbered otherwise than what is in it."""
    owned = [environment.conda_owned.get(name) for name in names]
    found = {
        each.name: each.record
        for each in owned
        if each is not None and each.record is not None and each.record.version == each.version
    }
    return found if len(found) == len(names) else {}


def _fix(
    course: Course,
    specs: tuple[str, ...],
    older: Mapping[str, str],
    answer: Answer,
    taken: frozenset[str],
) -> Fix:
    """Give the commands; ``taken``: the names of what conda changes."""
    shell, arguments = conda_shell(course), course.shown_arguments
    for name, version in older.items():
        arguments = with_version(arguments, name, version)
    names = [spec_name(spec) for spec in specs]
    change = listed(spec.replace("==", " to ") for spec in specs)
    goes = listed(f"{name} {version}" for name, version in older.items())
    others = other_moves(answer, names)
    says = f"let conda change {change} first"
    says += f", with which {goes} goes, not the newest" if older else ""
    says += f"; that also {others}" if others else ""
    says += "" if shell.is_as_asked else f"{UNSURE}{shell.warning}"
    options = course.request.policy.options
    left = left_by(arguments, taken, told=course.told_elsewhere)
    rest = (shell.safepip(each.arguments, options, each.variables) for each in left)
    specs = (*specs, *named_along(answer, specs, shell))
    return Fix(shell.then(shell.conda("install", specs), *rest), says)
