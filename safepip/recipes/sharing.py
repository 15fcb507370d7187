"""Which part of a plan conda's channels have, and what is left to pip then."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.afterwards import environment_after, works
from safepip.decisions.fixing.commands import can_be_repeated
from safepip.decisions.fixing.shares import against_sharing, shared_fix, shares
from safepip.decisions.wording.phrases import listed
from safepip.recipes.asking_conda import (
    conda_shell,
    constrained_out,
    constraints_of,
    doubled,
    solver_of,
)
from safepip.values.plan import Plan
from safepip.values.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.decisions.fixing.shares import Share
    from safepip.decisions.judging.judge import Judgement
    from safepip.recipes.course import Course
    from safepip.values.channel import Answer, Offer
    from safepip.values.environment import Environment
    from safepip.values.verdict import Fix

_MOST_PARTS = 8
"""Parts of a plan that conda's solver is asked about one after the other."""


def may_be_shared(course: Course, plan: Plan, *, as_shown: bool = True) -> bool:
    """Say whether a part of a plan may be conda's, if its channels have that.

    ``as_shown``: the rest is for somebody to paste, who is not given secrets.
    """
    return not why_not_shared(course, plan, as_shown=as_shown)


def why_not_shared(course: Course, plan: Plan, *, as_shown: bool = True) -> str:
    """Say what is against it; empty for nothing. ``as_shown``: as above."""
    environment = course.environment
    words = course.shown_arguments if as_shown else course.request.words
    sealed = environment.frozen is not None or environment.externally_managed is not None
    if options := against_sharing(course.wider_options, words):
        return f"with {listed(options)}"
    if sealed or not environment.writable:
        return f"where the environment {'is sealed' if sealed else 'cannot be written'}"
    is_to_come = any(change.after is not None for change in plan.changes)
    if not is_to_come or not environment.records or course.request.verb == "uninstall":
        return "with nothing that could come from there"
    return "" if can_be_repeated(words) else "with what cannot be read, or shown, once more"


class Shared(NamedTuple):
    """A plan that is divided between conda and pip, and what conda's solver makes of its part."""

    share: Share
    answer: Answer
    there: Environment
    """As it would be after conda's part."""


def shared(course: Course, plan: Plan) -> Shared | None:
    """Divide a plan so that conda can do its part, and pip then the rest; None where none can be.

    Where conda cannot do the whole of its part, as much of it as it can.
    """
    since = time.monotonic()
    wanted = [change.name for change in plan.changes if change.after is not None]
    offers = solver_of(course).offers(wanted)
    found = _shared(course, plan, offers) or _partly_shared(course, plan, offers)
    course.timed("conda", since)
    return found


def _shared(course: Course, plan: Plan, offers: Mapping[str, Offer]) -> Shared | None:
    return next(
        filter(None, (_tried(course, plan, *each) for each in _ways(course, plan, offers))), None
    )


def _partly_shared(course: Course, plan: Plan, offers: Mapping[str, Offer]) -> Shared | None:
    """Add one after the other, what was asked for first, and leave out what makes it impossible."""
    order = sorted((c for c in plan.changes if c.name in offers), key=lambda c: not c.requested)
    if len(order) == 1:
        return None  # that is all, and was asked already
    taken: dict[str, Offer] = {}
    best: Shared | None = None
    for change in order[:_MOST_PARTS]:
        more = {**taken, change.name: offers[change.name]}
        way = next(_ways(course, plan, more), None)
        if way is None or (best is not None and way[0].specs == best.share.specs):
            continue
        if (found := _tried(course, plan, *way)) is not None:
            taken, best = more, found
    return best


def _ways(
    course: Course, plan: Plan, offers: Mapping[str, Offer]
) -> Iterator[tuple[Share, Mapping[str, Offer]]]:
    spelled = tuple(map(without_secrets, course.spelled_words))
    bounds = constraints_of(course)
    found = shares(
        plan,
        course.environment,
        course.shown_arguments,
        offers,
        spelled,
        constrained=bounds is None,
        bounds=bounds,
    )
    return ((share, offers) for share in found)


def _tried(course: Course, plan: Plan, share: Share, offers: Mapping[str, Offer]) -> Shared | None:
    answer = solver_of(course).ask(share.specs)
    if answer is None or not answer.possible:
        return None
    environment = course.environment
    if doubled(environment, answer.moves) or constrained_out(course, plan, answer.moves):
        return None
    if not works(share, environment, answer, offers):
        return None
    return Shared(share, answer, environment_after(environment, answer, offers))


def judged_rest(course: Course, plan: Plan, found: Shared) -> tuple[Plan, Judgement]:
    """Give what pip still has to do, not what conda's part brings along, and what is said to it."""
    there = {d.name for d in found.there.distributions}
    left = tuple(
        c for c in found.share.rest if c.requested or c.name not in there or c.before is not None
    )
    rest = Plan(left, plan.requested, plan.ignores_dependencies)
    return rest, replace(course, environment=found.there).judged(rest)


def fix_of(course: Course, plan: Plan, found: Shared) -> Fix:
    """Give the two commands, for somebody to paste."""
    policy = course.request.policy._replace(prefers_conda=False)
    return shared_fix(found.share, found.answer, plan, conda_shell(course), policy.options)
