"""What conda says to a plan: what its channels offer of it, and what its solver makes of fixes.

Less is said, never something wrong: without py-rattler, or an index of the channels, nothing.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.afterwards import environment_after, harm_of, works
from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.commands import can_be_repeated, words_of
from safepip.decisions.fixing.fixes_by_conda import with_answer
from safepip.decisions.fixing.shares import can_be_shared, shared_fix, shares
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.wording.hints import conda_cannot, conda_would_harm
from safepip.effects.conda_solver import CondaSolver, is_offline
from safepip.recipes.keep import goes_with, tried
from safepip.values.environment import spec_name
from safepip.values.text import without_secrets
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable

    from safepip.decisions.fixing.shell import Shell
    from safepip.recipes.course import Course
    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan

_SECONDS = 10.0
"""For all questions of one command together. Where all is there already, it takes one or two."""


def solver_of(course: Course) -> CondaSolver:
    """Give who knows the channels of the environment; unless the user is offline, it fetches them.

    Nothing waits for it but a plan that is shown, and a refusal. One for the whole command: what is
    read is kept, and the time is for all questions together.
    """
    if course.solver is None:
        environ, prefix = course.asking.environ, course.environment.prefix
        course.solver = CondaSolver(
            course.environment,
            seconds=min(_SECONDS, course.left),
            fetches=not (course.wider_options.no_index or is_offline(environ, prefix)),
            environ=environ,
            is_enough=lambda: course.engine.interrupted,
            looking=course.settings.looking,
        )
    return course.solver


def from_conda(course: Course, plan: Plan) -> tuple[Fix, ...]:
    """Give the command that takes from conda what conda has of a plan, and the rest by pip."""
    environment, words = course.environment, course.shown_arguments
    sealed = environment.frozen is not None or environment.externally_managed is not None
    wanted = [change.name for change in plan.changes if change.after is not None]
    if (
        sealed
        or not (wanted and environment.writable and environment.records)
        or course.request.verb == "uninstall"
        or not can_be_repeated(words)
        or not can_be_shared(course.wider_options, words)
    ):
        return ()
    since = time.monotonic()
    found = _checked(course, plan, wanted)
    course.timed("conda", since)
    return found


def _checked(course: Course, plan: Plan, wanted: list[str]) -> tuple[Fix, ...]:
    environment, solver = course.environment, solver_of(course)
    offers = solver.offers(wanted)
    shell = _shell(course)
    asked = tuple(map(without_secrets, course.spelled_words))
    constrained = course.options.constrained
    for share in shares(
        plan, environment, course.shown_arguments, offers, asked, constrained=constrained
    ):
        answer = solver.ask(share.specs)
        if answer is None or not answer.possible or not works(share, environment, answer, offers):
            continue
        fix = shared_fix(share, answer, plan, shell, course.request.policy.options)
        return (fix,) if can_be_pasted(fix.command, in_notebook=shell.in_notebook) else ()
    return ()


class Checked(NamedTuple):
    """Ways out of a refusal, as far as conda's solver knows them to work."""

    fixes: tuple[Fix, ...]
    hints: tuple[str, ...] = ()
    """What conda cannot do."""


def checked_by_conda(course: Course, plan: Plan, fixes: Callable[..., tuple[Fix, ...]]) -> Checked:
    """Leave out what conda's solver refuses, and say of the rest what else it would change.

    ``fixes`` gives the ways out without those commands that it is given as ``barred``.
    """
    answers: dict[str, Fix | str] = {}
    while True:
        barred = [command for command, fix in answers.items() if isinstance(fix, str)]
        found = fixes(barred=barred)
        unasked = [fix for fix in found if fix.command not in answers]
        if not unasked:
            break
        for fix in unasked:
            answers[fix.command] = _as_conda_sees_it(course, fix, plan)
    told = [answers[fix.command] for fix in found]
    hints = dict.fromkeys(said for said in answers.values() if isinstance(said, str))
    return Checked(tuple(fix for fix in told if isinstance(fix, Fix)), tuple(hints))


def _as_conda_sees_it(course: Course, fix: Fix, plan: Plan) -> Fix | str:
    """Give the fix with what the solver says; or why it is none: it cannot be, or does harm."""
    answer = solver_of(course).ask(fix.asks_conda) if fix.asks_conda else None
    if answer is None:
        return fix
    if not answer.possible:
        return conda_cannot(fix.asks_conda)
    environment = course.environment
    there = environment_after(environment, answer, {})
    named = (word.name for word in words_of(course.request.words) if word.name)
    by_pip = (*(change.name for change in plan.changes), *named)
    leaving = frozenset(by_pip).difference(environment.conda_owned)
    rest = _as_planned(plan, environment, fix) if fix.is_told_by_conda else ()
    harmed = harm_of(environment, there, rest, leaving)
    if harmed and not _comes_along(course, plan, fix, harmed):
        return conda_would_harm(fix.asks_conda, harmed)
    return with_answer(fix, answer, _shell(course))


def _shell(course: Course) -> Shell:
    environment, channels = course.environment, solver_of(course).channels
    shell = shell_of(course.request.target, environment.manager)
    return replace(shell, channels=channels, through=course.request.through)


def _comes_along(course: Course, plan: Plan, fix: Fix, names: tuple[str, ...]) -> bool:
    """Say whether the command also names all these, and pip has releases of them that fit."""
    if not set(names) <= set(fix.command.split()):
        return False
    owned = course.environment.conda_owned
    allow = tuple(change.name for change in plan.changes if change.name in owned)
    found = tried(course, (*course.request.words, *names), allow=allow)
    return found is not None and goes_with(course, found[1], allow)


def _as_planned(plan: Plan, environment: Environment, fix: Fix) -> tuple[Change, ...]:
    """Give what stays with pip, where conda changes just what pip had planned to change of conda's.

    Where it changes something else, pip plans otherwise, and has been asked before.
    """
    owned = environment.conda_owned
    records = (owned[change.name].record for change in plan.changes if change.name in owned)
    names = {record.name for record in records if record is not None}
    if {spec_name(spec) for spec in fix.asks_conda} != names:
        return ()
    return tuple(c for c in plan.changes if c.name not in owned and c.after is not None)
