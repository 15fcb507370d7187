"""`--prefer-conda`: which part of a plan conda does; how, is in `two_steps`.

pip plans ─▶ what has conda of it? ─▶ `CondaPart`, which only adds
                 │
                 └─▶ nothing: pip takes all of it
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import without_names
from safepip.decisions.wording.hints import not_preferred
from safepip.effects.conda_tools import tool_on_path, would_move
from safepip.effects.itself import library_beside
from safepip.effects.making import RATTLER, has_rattler
from safepip.recipes.asking_conda import (
    conda_shell,
    constrained_out,
    constraints_of,
    doubled,
    solver_of,
)
from safepip.recipes.course import all_by_pip
from safepip.recipes.sharing import fix_of, judged_rest, may_be_shared, shared, why_not_shared
from safepip.values.channel import BY_RATTLER, CondaPart
from safepip.values.environment import spec_name
from safepip.values.errors import CondaFailed, CondaUnknown
from safepip.values.exits import Exit
from safepip.values.text import shown
from safepip.values.verdict import Blocked, Clear

if TYPE_CHECKING:
    from safepip.recipes.course import Course
    from safepip.recipes.sharing import Shared
    from safepip.values.channel import PartState
    from safepip.values.plan import Plan
    from safepip.values.verdict import Outcome

_NOTHING = "conda's channels have nothing of this that fits what is there: pip takes all of it"
_NOT_JUST_THAT = (
    "pip's choice is bound by constraints, and conda's channels have nothing of this in just these "
    "versions: pip takes all of it"
)
_REFUSED = "pip's part would be refused as well, so that nothing is taken from conda"


def preferred(course: Course, plan: Plan, *, blocked: bool = False) -> Outcome | None:
    """Give how the command goes on by conda's part; None where it goes on without conda.

    What conda would only add to the environment is taken from it. Where something that is there
    would change, nothing is done: then the command is for the user to give.
    ``blocked``: pip may not do the plan as a whole, which has a message of its own.

    Raises: CondaUnknown, where nobody can say what conda has; CondaFailed.
    """
    if not any(change.after is not None for change in plan.changes):
        return None
    if against := "with uv" if course.request.uv else why_not_shared(course, plan, as_shown=False):
        aside = not_preferred(against)
    else:
        found = _asked(course, plan)
        outcome = _taken(course, plan, found, blocked=blocked) if found is not None else None
        if outcome is not None:
            return outcome
        nothing = _NOT_JUST_THAT if constraints_of(course) is None else _NOTHING
        aside = _REFUSED if found is not None else nothing
    course.asides = () if blocked else (aside,)
    return None


def _asked(course: Course, plan: Plan) -> Shared | None:
    """Give what conda has of a plan.

    Raises: CondaUnknown.
    """
    found = shared(course, plan) if has_rattler() else None
    if found is None and not has_rattler():
        raise CondaUnknown(
            "what conda has cannot be asked: py-rattler is not there",
            fixes=(library_beside(RATTLER), *all_by_pip(course.request, course.asking.environ)),
        )
    if found is None and (said := solver_of(course).broken):
        raise CondaUnknown(
            f"what conda has cannot be asked: py-rattler cannot be imported: {shown(said)}",
            fixes=all_by_pip(course.request, course.asking.environ),
        )
    if found is None and solver_of(course).has_failed:
        raise CondaUnknown(
            "what conda has is not known: its channels did not answer, nor did they before",
            fixes=all_by_pip(course.request, course.asking.environ),
        )
    return found


def _taken(course: Course, plan: Plan, found: Shared, *, blocked: bool) -> Outcome | None:
    rest, judged = judged_rest(course, plan, found)
    if judged.refuses:
        return None
    try:
        part = _part(course, plan, found)
    except CondaFailed as error:
        error.fixes = all_by_pip(course.request, course.asking.environ)
        raise
    if part.state == "refused":
        if blocked:
            return None
        course.engine.stop(Exit.BLOCKED)
        # What would come twice, the tool itself has said; its command would bring it.
        can_be_pasted = not part.twice and may_be_shared(course, plan)
        by_both = (fix_of(course, plan, found),) if can_be_pasted else ()
        fixes = (*by_both, *all_by_pip(course.request, course.asking.environ))
        verdict = Blocked(rest, judged.findings, fixes)
        return course.outcome(Exit.BLOCKED, verdict, conda=part)
    is_dry_run = course.request.verb != "plan" and course.options.dry_run
    # What pip would say of a dry run is not what would come of it; its report was asked for.
    course.engine.stop(Exit.DONE, dry_run=is_dry_run and course.options.report is not None)
    outcome = course.outcome(Exit.DONE, Clear(rest, judged.findings), conda=part)
    return replace(outcome, verb="plan") if is_dry_run else outcome


def _look(course: Course) -> None:
    if course.settings.looking is not None:
        course.settings.looking(0)


def _part(course: Course, plan: Plan, found: Shared) -> CondaPart:
    """Give conda's part, as the one who is to do it sees it.

    Raises: CondaFailed.
    """
    shell, share = conda_shell(course), found.share
    # A history that does not know all of what is there is not to get to know this command alone:
    # conda would later take all else for what nobody wants any more, and remove it.
    has_history = shell.manager != "pixi" and not shell.unasked
    tool = tool_on_path(shell.tool, course.asking.environ) if has_history else ""
    by_tool = replace(shell, manager=tool) if tool else shell
    # Where conda keeps no history, none is begun for py-rattler: conda knows nothing of it then.
    afterwards = by_tool if tool else replace(shell, unasked=course.environment.records)
    words = by_tool.conda_words("install", share.specs)
    moves = found.answer.moves
    if tool:
        moves = would_move(words, course.asking.environ, lambda: _look(course))
        if out := constrained_out(course, plan, moves):
            rule = "may rule out" if constraints_of(course) is None else "rule out"
            raise CondaFailed(
                f"{tool} would bring what the constraints {rule}: {', '.join(out)}",
                why="its command does not know them",
            )
    added = {move.name for move in moves if not move.before}
    twice = doubled(course.environment, moves)
    is_welcome = shell.manager != "pixi" and not twice and not any(m.before for m in moves)
    is_only_shown = course.request.verb == "plan" or course.options.dry_run
    welcome: PartState = "shown" if is_only_shown else "due"
    state: PartState = welcome if is_welcome else "refused"
    return CondaPart(
        tool or BY_RATTLER,
        by_tool.conda("install", share.specs),
        afterwards.conda("remove", tuple(sorted(added.intersection(map(spec_name, share.specs))))),
        moves=moves,
        words=words,
        specs=share.specs,
        is_quiet=course.options.verbosity < 0,
        arguments=without_names(course.request.words, share.names) if share.arguments else (),
        versions=found.answer.versions,
        needs=found.answer.needs,
        names={offer.name: offer.package for offer in share.offers},
        twice=twice,
        warning=shell.warning.removeprefix("; "),
        state=state,
    )
