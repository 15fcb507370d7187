"""What conda's solver makes of one fix, and what pip makes of the rest then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.afterwards import environment_after, harm_of
from safepip.decisions.fixing.commands import can_be_repeated, words_of
from safepip.decisions.fixing.left_for_pip import leaving_others
from safepip.decisions.fixing.solvers_answer import with_answer
from safepip.decisions.judging.pins import parse_pin
from safepip.decisions.wording.hints import (
    conda_against_constraints,
    conda_against_unread,
    conda_cannot,
    conda_has_no_local,
    conda_would_double,
    conda_would_harm,
)
from safepip.effects.conda_names import conda_names
from safepip.recipes.asking_conda import (
    conda_shell,
    constrained_out,
    constraints_of,
    doubled,
    solver_of,
)
from safepip.recipes.keep import goes_with, tried
from safepip.values.environment import spec_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.recipes.course import Course
    from safepip.values.channel import Answer
    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.verdict import Fix

_MOST_SPECS = 8
"""Specifications that conda's solver is asked about one after the other."""


def as_conda_sees_it(course: Course, fix: Fix, plan: Plan, answer: Answer | None) -> Fix | str:
    """Give the fix with what the solver says; or why it is none: it cannot be, or does harm."""
    if against := _against_constraints(course, fix, plan, answer):
        return against
    if answer is None:
        local = [spec for spec in fix.asks_conda if "+" in spec]
        return conda_has_no_local(local) if local else fix
    if not answer.possible:
        return _cannot(course, fix.asks_conda)
    environment = course.environment
    if twice := doubled(environment, answer.moves):
        return conda_would_double(fix.asks_conda, twice)
    there = environment_after(environment, answer, {})
    named = (word.name for word in words_of(course.request.words) if word.name)
    by_pip = (*(change.name for change in plan.changes), *named)
    leaving = frozenset(by_pip).difference(environment.conda_owned)
    rest = _left_for_pip(plan, environment) if fix.is_told_by_conda else ()
    harmed = harm_of(environment, there, rest, leaving)
    if harmed and not _comes_along(course, plan, fix, harmed):
        newest = {c.name: c.after for c in rest if c.requested}
        # Where pip finds other releases of what nobody asked for, all is well.
        if not rest or course.request.policy.strict or taken_by_pip(course, plan, answer) != newest:
            return conda_would_harm(fix.asks_conda, harmed)
    return with_answer(fix, answer, conda_shell(course))


def _against_constraints(course: Course, fix: Fix, plan: Plan, answer: Answer | None) -> str:
    """Say what the user's constraints have against a change of conda's; empty for nothing.

    Where they cannot all be read, pip, which can, is asked whether it goes on with what conda
    would bring.
    """
    bounds = constraints_of(course)
    if answer is None:
        asked = {spec_name(spec) for spec in fix.asks_conda}
        changed = {c.name for c in plan.changes if not asked.isdisjoint(_packages(c.name))}
        elsewhere = [name for name in changed if any(r.url for r in (bounds or {}).get(name, ()))]
        is_known = not changed or (bounds is not None and not elsewhere)
        return "" if is_known else conda_against_unread(fix.asks_conda, ())
    out = constrained_out(course, plan, answer.moves) if answer.possible else ()
    if not out or (bounds is None and taken_by_pip(course, plan, answer) is not None):
        return ""
    said = conda_against_unread if bounds is None else conda_against_constraints
    return said(fix.asks_conda, out)


def _cannot(course: Course, specs: tuple[str, ...]) -> str:
    """Say what conda cannot have: just that part of it that it cannot have by itself."""
    bounded = [spec for spec in specs if (pin := parse_pin(spec)) is not None and pin.versions]
    freely = [spec for spec in specs if spec not in bounded]
    alone = [solver_of(course).ask((spec, *freely)) for spec in bounded[:_MOST_SPECS]]
    if len(bounded) <= 1 or None in alone or len(alone) < len(bounded):
        return conda_cannot(specs, pinned=course.environment.pins)
    possible = [s for s, a in zip(bounded, alone, strict=True) if a is not None and a.possible]
    impossible = [spec for spec in bounded if spec not in possible]
    return conda_cannot(impossible or bounded, possible, pinned=course.environment.pins)


def taken_by_pip(course: Course, plan: Plan, answer: Answer) -> Mapping[str, str | None] | None:
    """Give the versions that pip takes of what was asked for once conda has done its part.

    Without those that are conda's own. None where pip finds no plan that leaves as it is what conda
    brings, or somebody would not have what it requires.
    """
    environment = course.environment
    owned = environment.conda_owned
    moved = {move.name.lower(): move.after for move in answer.moves}
    theirs = {
        name: moved[each.record.name.lower()]
        for name, each in owned.items()
        if each.record is not None
        and each.record.name.lower() in moved
        and each.record.version == each.version
    }
    new = {
        change.name: moved[package]
        for change in plan.changes
        for package in _packages(change.name) & moved.keys()
        if change.name not in owned
    }
    instead = {name: version for name, version in {**new, **theirs}.items() if version}
    if not can_be_repeated(course.request.words):
        return None
    allow = tuple({**new, **theirs})
    left = leaving_others(course.request.words, course.told_elsewhere)
    found = tried(course, left.arguments, allow=allow, instead=instead, variables=left.variables)
    if found is None or not goes_with(course, found[1], allow):
        return None
    rest = tuple(change for change in found[0].changes if change.name not in owned)
    there = environment_after(environment, answer, {})
    if harm_of(environment, there, rest, frozenset(change.name for change in rest)):
        return None
    asked = {c.name for c in plan.changes if c.requested and c.name not in owned}
    here = {name: each.version for name, each in environment.installed.items() if name in asked}
    return {**here, **{c.name: c.after for c in rest if c.requested and c.after is not None}}


def _comes_along(course: Course, plan: Plan, fix: Fix, names: tuple[str, ...]) -> bool:
    """Say whether the command also names all these, and pip has releases of them that fit."""
    if not set(names) <= set(fix.command.split()):
        return False
    owned = course.environment.conda_owned
    allow = tuple(change.name for change in plan.changes if change.name in owned)
    found = tried(course, (*course.request.words, *names), allow=allow)
    return found is not None and goes_with(course, found[1], allow)


def _packages(name: str) -> set[str]:
    return set(map(str.lower, conda_names(name)))


def _left_for_pip(plan: Plan, environment: Environment) -> tuple[Change, ...]:
    """Give what stays with pip, as it was planned."""
    owned = environment.conda_owned
    return tuple(c for c in plan.changes if c.name not in owned and c.after is not None)
