"""Which part of a large request is in the way by itself, so that nobody is asked of the rest. Pure.

Of a request for forty projects, each release of each is a question to an index; what is in the way
is as a rule one of them, and pip's own plan leads to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.explaining.solving import solve
from safepip.decisions.judging.requirements import active_requirements, is_met
from safepip.values.text import normalised
from safepip.values.universe import TooHard, TooLong

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from safepip.values.universe import Question, Shelf

_FEW = 8
"""Requirements that are looked at together at once."""


def narrowed(question: Question, shelf: Shelf) -> Question:
    """Give the question without what would do by itself, where something would not.

    Of that which pip's plan shows to need another version of conda's, what has bounds comes first:
    of the rest there are releases enough, of which an older one will do. A large request of which
    each part would do by itself stays whole.

    Raises: TooLong.
    """
    if len(question.wanted) <= _FEW:
        return question
    suspects = [r for r in question.wanted if _leads_to_a_hold(question, r)]
    bounded = [r for r in suspects if r.specifier]
    for some in (bounded, [r for r in suspects if not r.specifier]):
        alone = tuple(r for r in some if _is_impossible(question, r, shelf))
        if alone:
            return replace(question, wanted=alone)
    return question


def _leads_to_a_hold(question: Question, wanted: Requirement) -> bool:
    """Say whether in pip's plan it comes to need what a held version is not."""
    waiting, seen = [wanted], set()
    for requirement in waiting:
        name = normalised(requirement.name)
        held = question.holds.get(name)
        if held is not None and not is_met(requirement, held.version):
            return True
        key = (name, frozenset(requirement.extras))
        if held is None and key not in seen:
            seen.add(key)
            lines = question.planned.get(name, ())
            waiting += active_requirements(lines, question.markers, requirement.extras)
    return False


def _is_impossible(question: Question, wanted: Requirement, shelf: Shelf) -> bool:
    """Say whether this alone cannot be had beside what is held; what cannot be known is not so.

    Raises: TooLong.
    """
    try:
        return solve(replace(question, wanted=(wanted,)), shelf).solution is None
    except TooLong:
        raise
    except TooHard:
        return False
