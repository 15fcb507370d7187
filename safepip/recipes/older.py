"""After a block, where conda cannot have what the newest release needs: an older one, by conda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.afterwards import environment_after, harm_of
from safepip.decisions.fixing.commands import can_be_repeated, with_version
from safepip.decisions.fixing.fixes_by_conda import UNSURE, named_along, other_moves
from safepip.decisions.wording.phrases import listed
from safepip.recipes.from_conda import conda_shell, constrained_out, doubled, solver_of
from safepip.recipes.keep import goes_with, tried
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
    """Give a way by conda to an older release of what was asked for, within the user's bounds.

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
    instead = {name: answer.versions[r.name.lower()] for name, r in records.items()}
    chosen = _chosen(course, plan, answer, instead)
    if not chosen:
        return ()
    specs = tuple(f"{record.name}=={instead[name]}" for name, record in records.items())
    return (_fix(course, specs, chosen, answer),)


def _records(environment: Environment, names: tuple[str, ...]) -> Mapping[str, Record]:
    """Give conda's packages of these; none where one is numbered otherwise than what is in it."""
    owned = [environment.conda_owned.get(name) for name in names]
    found = {
        each.name: each.record
        for each in owned
        if each is not None and each.record is not None and each.record.version == each.version
    }
    return found if len(found) == len(names) else {}


def _chosen(
    course: Course, plan: Plan, answer: Answer, instead: Mapping[str, str]
) -> Mapping[str, str]:
    """Give the versions that pip takes of what was asked for, once conda has made room."""
    names = tuple(instead)
    found = tried(course, course.request.words, allow=names, instead=instead)
    if found is None or not goes_with(course, found[1], names):
        return {}
    environment = course.environment
    rest = tuple(change for change in found[0].changes if change.name not in instead)
    there = environment_after(environment, answer, {})
    if harm_of(environment, there, rest, frozenset(change.name for change in rest)):
        return {}
    asked = {c.name: c.after for c in rest if c.requested and c.after is not None}
    newest = {change.name: change.after for change in plan.changes}
    return {name: version for name, version in asked.items() if newest.get(name) != version}


def _fix(course: Course, specs: tuple[str, ...], chosen: Mapping[str, str], answer: Answer) -> Fix:
    shell, arguments = conda_shell(course), course.shown_arguments
    for name, version in chosen.items():
        arguments = with_version(arguments, name, version)
    names = [spec_name(spec) for spec in specs]
    change = listed(spec.replace("==", " to ") for spec in specs)
    older = listed(f"{name} {version}" for name, version in chosen.items())
    others = other_moves(answer, names)
    says = f"let conda change {change} first, with which {older} goes, not the newest"
    says += f"; that also {others}" if others else ""
    says += "" if shell.is_as_asked else f"{UNSURE}{shell.warning}"
    by_pip = shell.safepip(arguments, course.request.policy.options)
    specs = (*specs, *named_along(answer, specs, shell))
    return Fix(shell.then(shell.conda("install", specs), by_pip), says)
