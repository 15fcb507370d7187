"""`install`, `uninstall` and `plan`: let pip plan, judge, and let pip act on exactly that.

Request ─▶ pip plans ─▶ Account ─▶ Plan ─▶ judge ─▶ Blocked
                                             │
                 verify ◀── pip acts ◀── Clear, Kept

What comes before, up to a pip that is ready to plan, is in `opening`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from safepip.decisions.wording.hints import (
    hints_for,
    not_looked_for,
    not_preferred,
    not_read,
    strictly,
)
from safepip.decisions.wording.phrases import listed
from safepip.effects.destination import is_guarded, nothing_yet
from safepip.effects.reading import read_environment
from safepip.effects.records import records_state
from safepip.recipes.acting import carry_out
from safepip.recipes.keep import as_it_is, bounds_fit, find_fitting, keep, others_fit, within_pins
from safepip.values.account import Failed
from safepip.values.exits import Exit
from safepip.values.findings import CondaOwned, Frozen
from safepip.values.verdict import Blocked, Clear, Kept

if TYPE_CHECKING:
    from safepip.decisions.judging.judge import Judgement
    from safepip.recipes.course import Course
    from safepip.values.account import Account
    from safepip.values.plan import Plan
    from safepip.values.universe import Conflict
    from safepip.values.verdict import Cleared, Fix, HeldBack, Outcome


def converse(course: Course) -> Outcome:
    """Hold the conversation with pip up to its plan."""
    options = course.engine.read_options()
    if isinstance(options, Failed):
        return course.outcome(options.exit_code, None)
    course.options = options
    if not is_guarded(options, course.environment, by_uv=bool(course.request.uv)):
        dry_run = course.request.verb == "plan"
        hints = _not_by_conda(course) if course.request.policy.prefers_conda else ()
        return course.outcome(course.engine.pass_through(dry_run=dry_run), None, hints=hints)
    nothing = nothing_yet(options)
    early = course.judged(nothing)
    if early.refuses and course.request.verb != "plan":
        return _block(course, Blocked(nothing, early.findings))
    account = course.plan()
    if isinstance(account, Failed):
        hints = hints_for(course.engine.missing, course.environment)
        if not course.engine.unsolved:
            return course.outcome(account.exit_code, None, hints=hints)
        from safepip.recipes.pythons import with_another_python  # for when something is wrong

        conflict, found, fixes = with_another_python(course)
        more = {"fixes": fixes, "conflict": conflict}
        return course.outcome(account.exit_code, None, hints=(*hints, *found), **more)
    return _decide(course, account)


def _decide(course: Course, account: Account) -> Outcome:
    """Judge the plan; plan again with conda's versions held where that may help.

    An outline is enough to see that. What is told of a plan that is not carried out, and offered in
    its place, is by the files as well; to know which there are, none need be fetched.
    """
    plan = course.joined(account)
    first = course.judged(plan)
    held: Kept | tuple[HeldBack, ...] = ()
    is_shown = course.request.verb == "plan"
    if first.refuses and not (is_shown and account.depth == "outline"):
        held = keep(course, plan, first)
    if account.depth == "outline" and not isinstance(held, Kept):
        closer = _looked_at(course)
        if isinstance(closer, Failed):
            return _block_by_outline(course, closer, plan, first)
        plan, first = closer
        if is_shown and first.refuses:
            held = keep(course, plan, first)
    if not first.refuses:
        return _carry_out(course, Clear(plan, first.findings, first.spared))
    course.has_verdict()
    if isinstance(held, Kept):
        held, hints = _with_newest(course, plan, first, held)
        return _carry_out(course, held, hints)
    if course.request.policy.prefers_conda and (by_conda := _preferred(course, plan, blocked=True)):
        return by_conda
    course.engine.stop(Exit.BLOCKED)
    fitting = held or find_fitting(course, plan, first)
    others, bounded = others_fit(course, first), bounds_fit(course, first)
    within = within_pins(course, first)
    # An older release would do, unless an upgrade is what was asked for.
    conflict = _why(course, plan, first) if not held or course.options.upgrade else None
    blocked = Blocked(plan, first.findings, conflict=conflict)
    origin = course.request.policy.strict_by if course.request.verb != "uninstall" else ""
    hints = (strictly(origin),) if origin else ()
    if not fitting and (option := _against_looking(course, first)):
        hints = (*hints, not_looked_for(option))
    return _block(
        course, blocked, fitting, others=others, bounded=bounded, within=within, hints=hints
    )


def _block_by_outline(course: Course, failed: Failed, plan: Plan, first: Judgement) -> Outcome:
    """Refuse a plan by names and versions, where its files cannot be had."""
    if course.engine.interrupted:
        return course.outcome(failed.exit_code, None)
    course.has_verdict()
    return _block(course, Blocked(plan, first.findings), hints=(not_read(failed.reason),))


def _looked_at(course: Course) -> tuple[Plan, Judgement] | Failed:
    """Judge a plan, of which there is an outline, by the lists of its files.

    Where it is not refused after all, and to be carried out, by the files, which are then there.
    """
    account = course.plan_further("lists")
    while not isinstance(account, Failed):
        plan = course.joined(account)
        judged = course.judged(plan)
        if judged.refuses or account.depth in {"files", course.depth}:
            return plan, judged
        account = course.plan_further("files")
    return account


def _with_newest(
    course: Course, plan: Plan, first: Judgement, held: Kept
) -> tuple[Kept, tuple[str, ...]]:
    """Say how to have the newest anyway, and of a plan whether conda can do that.

    An install does not wait for conda: its solver takes seconds. What is told then is the least
    that conda would have to change, so that pip has what was asked for.
    """
    if course.request.verb == "plan":
        from safepip.recipes.from_conda import checked_by_conda

        checked = checked_by_conda(course, plan, partial(course.fixes, plan, first.findings))
        return replace(held, fixes=checked.fixes), checked.hints
    asked = {change.name for change in plan.changes if change.requested}
    if not course.options.dry_run and not any(each.name in asked for each in held.held_back):
        return held, ()  # of that it is the newest, and pip looks for nothing newer of the rest
    # What is there by then would do for pip, which looks for nothing newer.
    newest = {} if course.options.dry_run else _pinned_to_newest(plan, held)
    fixes = course.fixes(plan, first.findings, newest=newest, direct=True)
    return replace(held, fixes=fixes), ()


def _pinned_to_newest(plan: Plan, held: Kept) -> dict[str, str]:
    requested = {c.name for c in plan.changes if c.requested and c.before is None}
    return {
        each.name: each.newest
        for each in held.held_back
        if each.name in requested and each.newest is not None and each.chosen is not None
    }


def _against_looking(course: Course, first: Judgement) -> str:
    """Give the option with which all is installed again, where other versions are the matter."""
    options = course.options
    given = {
        "--force-reinstall": options.force_reinstall,
        "--ignore-installed": options.ignore_installed,
    }
    is_the_matter = any(
        isinstance(f, CondaOwned) and f.action != "same" and not f.requested for f in first.findings
    )
    return next((option for option, is_given in given.items() if is_given and is_the_matter), "")


def _why(course: Course, plan: Plan, first: Judgement) -> Conflict | None:
    from safepip.recipes.why import find_why  # as above

    return find_why(course, plan, first)


def _block(
    course: Course,
    blocked: Blocked,
    fitting: tuple[HeldBack, ...] = (),
    *,
    others: bool = False,
    bounded: bool = False,
    within: tuple[str, ...] = (),
    hints: tuple[str, ...] = (),
) -> Outcome:
    frozen = any(isinstance(finding, Frozen) for finding in blocked.refusals)
    code = Exit.FROZEN if frozen else Exit.BLOCKED
    course.engine.stop(code)
    # resolvelib and this are for when something is wrong.
    from safepip.recipes.from_conda import checked_by_conda, helped_by_conda

    first = helped_by_conda(course, blocked.plan)
    fixes = partial(
        course.fixes,
        blocked.plan,
        blocked.findings,
        fitting,
        others_fit=others,
        bounds_fit=bounded,
        conflict=blocked.conflict,
        within=within,
        first=first.fixes,
    )
    checked = checked_by_conda(course, blocked.plan, fixes)
    if checked.hints and not any(fix.asks_conda for fix in checked.fixes):
        from safepip.recipes.older import older_by_conda  # as above

        older = older_by_conda(course, blocked.plan, blocked.conflict)
        if not older and (there := as_it_is(course, blocked)):
            older = course.fixes(blocked.plan, blocked.findings, there=there)
        checked = checked._replace(fixes=(*older, *checked.fixes))
    # What a part by conda does not make possible is of no interest where conda has a way.
    is_by_conda = any(fix.asks_conda for fix in checked.fixes)
    hints = (*checked.hints, *(() if is_by_conda else first.hints), *hints)
    return course.outcome(code, replace(blocked, fixes=checked.fixes), hints=hints)


def _carry_out(course: Course, cleared: Cleared, hints: tuple[str, ...] = ()) -> Outcome:
    """Let pip act on the plan, unless the environment is another by now."""
    if course.request.policy.prefers_conda and (by_conda := _preferred(course, cleared.plan)):
        return by_conda
    if course.request.verb == "plan" or course.options.dry_run:
        course.engine.stop(Exit.DONE, dry_run=course.request.verb != "plan")
        fixes = _from_conda(course, cleared)
        return course.outcome(Exit.DONE, cleared, fixes=fixes, hints=hints)
    environment = course.environment
    if records_state(environment.prefix) != environment.records_state:
        now = read_environment(environment.prefix, environment.interpreter)
        course.environment = replace(now, copies=environment.copies)
        again = course.judged(cleared.plan)
        if again.refuses:
            return _block(course, Blocked(cleared.plan, again.findings))
        cleared = replace(cleared, notes=again.findings, spared=again.spared)
    _load_words()
    return carry_out(course, cleared)


def _preferred(course: Course, plan: Plan, *, blocked: bool = False) -> Outcome | None:
    from safepip.recipes.preferring import preferred  # seldom asked for

    return preferred(course, plan, blocked=blocked)


def _not_by_conda(course: Course) -> tuple[str, ...]:
    from safepip.decisions.fixing.shares import against_sharing  # as above

    options = against_sharing(course.options, course.request.words)
    return (not_preferred(f"with {listed(options)}"),) if options else ()


def _from_conda(course: Course, cleared: Cleared) -> tuple[Fix, ...]:
    if course.request.verb != "plan":
        return ()
    from safepip.recipes.from_conda import from_conda  # as above

    return from_conda(course, cleared.plan)


def _load_words() -> None:
    """Have what is said afterwards in memory: safepip may be what is about to be changed."""
    import safepip.decisions.explaining.verdicts
    import safepip.decisions.wording.as_json
    import safepip.decisions.wording.message
    import safepip.effects.journal
    import safepip.effects.last  # noqa: F401
