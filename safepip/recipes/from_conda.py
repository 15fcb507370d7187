"""What conda says to a plan: what its channels offer of it, and what its solver makes of fixes.

Less is said, never something wrong: without py-rattler, or an index of the channels, nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.commands import CONSTRAINTS, has_files, without_options
from safepip.decisions.fixing.shares import taken_by_conda
from safepip.decisions.fixing.solvers_answer import named_along
from safepip.decisions.judging.pins import held_wishes
from safepip.decisions.judging.requirements import is_active, parse_requirement
from safepip.decisions.wording.hints import conda_has_a_part
from safepip.recipes.as_conda_sees_it import as_conda_sees_it
from safepip.recipes.asking_conda import conda_shell, constraints_of, solver_of
from safepip.recipes.sharing import Shared, fix_of, judged_rest, may_be_shared, shared
from safepip.values.environment import spec_name
from safepip.values.universe import PYTHON
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.requirements import Requirement

    from safepip.recipes.course import Course
    from safepip.values.channel import Answer
    from safepip.values.plan import Plan


class Checked(NamedTuple):
    """Ways out of a refusal, as far as conda's solver knows them to work."""

    fixes: tuple[Fix, ...]
    hints: tuple[str, ...] = ()
    """What conda cannot do."""


def from_conda(course: Course, plan: Plan) -> tuple[Fix, ...]:
    """Give the command that takes from conda what conda has of a plan, and the rest by pip."""
    found = shared(course, plan) if may_be_shared(course, plan) else None
    return _as_fixes(course, plan, found) if found is not None else ()


def helped_by_conda(course: Course, plan: Plan) -> Checked:
    """Give the same for a plan that is refused: a way out only where pip's rest is not refused."""
    found = shared(course, plan) if may_be_shared(course, plan) else None
    if found is None:
        return Checked(())
    if judged_rest(course, plan, found)[1].refuses:
        return Checked((), (conda_has_a_part(taken_by_conda(found.share, found.answer, plan)),))
    return Checked(_as_fixes(course, plan, found))


def _as_fixes(course: Course, plan: Plan, found: Shared) -> tuple[Fix, ...]:
    fix = fix_of(course, plan, found)
    in_notebook = course.request.target.in_notebook
    return (fix,) if can_be_pasted(fix.command, in_notebook=in_notebook) else ()


def checked_by_conda(course: Course, plan: Plan, fixes: Callable[..., tuple[Fix, ...]]) -> Checked:
    """Leave out what conda's solver refuses, and say of the rest what else it would change.

    ``fixes`` gives the ways out without those commands that it is given as ``barred``. Where conda
    has no way to all that pip would install, it is asked for what is needed by that which was asked
    for; pip may have older releases of the rest.
    """
    answers: dict[str, Fix | str] = {}
    found = _checked(course, plan, fixes, answers)
    if not found.hints or any(fix.asks_conda for fix in found.fixes) or course.left <= 0:
        return found
    less = _checked(course, plan, partial(fixes, direct=True), answers)
    return less._replace(hints=()) if any(fix.asks_conda for fix in less.fixes) else found


def _checked(
    course: Course,
    plan: Plan,
    fixes: Callable[..., tuple[Fix, ...]],
    answers: dict[str, Fix | str],
) -> Checked:
    """``answers``: what is known already of commands."""
    along: dict[tuple[str, ...], tuple[str, ...]] = {}
    bounds = _bounds_here(course, plan)
    while True:
        barred = [command for command, fix in answers.items() if isinstance(fix, str)]
        found = fixes(barred=barred, along=along, bounds=bounds)
        unasked = [fix for fix in found if fix.key not in answers]
        if not unasked:
            break
        for fix in unasked:
            answer = solver_of(course).ask(fix.asks_conda) if fix.asks_conda else None
            more = _to_be_named(course, fix.asks_conda, answer)
            if more and fix.asks_conda not in along:
                along[fix.asks_conda] = more
            else:
                answers[fix.key] = as_conda_sees_it(course, fix, plan, answer)
    told = [answers[fix.key] for fix in found]
    hints = dict.fromkeys(said for said in answers.values() if isinstance(said, str))
    return Checked(tuple(fix for fix in told if isinstance(fix, Fix)), tuple(hints))


def _bounds_here(course: Course, plan: Plan) -> Mapping[str, tuple[Requirement, ...]]:
    """Give those constraints that can be read and count in this environment, by name.

    What pip may install by its hash alone is bound to be what it has chosen; so is what a file asks
    for that is not read here.
    """
    markers = course.environment.interpreter.markers
    bounds = {
        name: tuple(each for each in those if is_active(each, markers, ()))
        for name, those in (constraints_of(course) or {}).items()
    }
    hashed = course.wider_options.require_hashes
    unread = has_files(without_options(course.spelled_words, CONSTRAINTS))
    for change in plan.changes:
        if change.after is not None and (hashed or (unread and change.requested)):
            exact = parse_requirement(f"{change.name}=={change.after}")
            known = bounds.get(change.name, ())
            bounds[change.name] = known if exact is None else (*known, exact)
    return bounds


def _to_be_named(course: Course, specs: tuple[str, ...], answer: Answer | None) -> tuple[str, ...]:
    """Give what has to be named as well: what conda would remove, or what the user once asked for.

    Versions in conda's history are the user's own wishes, and no limit of the channels.
    """
    if answer is None:
        return ()
    if answer.possible:
        return named_along(answer, specs, conda_shell(course))
    named = set(map(spec_name, specs))
    held = set(map(spec_name, held_wishes(course.environment, named))) - {PYTHON}
    freed = solver_of(course).ask((*specs, *sorted(held))) if held else None
    if freed is None or not freed.possible:
        return ()
    return tuple(m.name for m in freed.moves if m.before and m.name.lower() in held)
