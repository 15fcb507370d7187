"""What is said of a plan besides the plan, as texts that know no width. Pure.

The sentences are those of the terminal: each is worded in `decisions.wording`, and joined here to
one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.as_json import verdict_and_code
from safepip.decisions.wording.causes import causes
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.message import (
    TAKEN_BACK,
    UNANSWERED,
    cleared_text,
    held_text,
    what_went_wrong,
)
from safepip.decisions.wording.notes import note_lines
from safepip.decisions.wording.phrases import count, said_of
from safepip.decisions.wording.refusal import CHANGED, other_refusals, same_as_code, untouched
from safepip.decisions.wording.sentences import headline, sentence, why
from safepip.values.exits import Exit
from safepip.values.late import dataclass
from safepip.values.verdict import Blocked, Kept

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.errors import SafepipError
    from safepip.values.verdict import Fix, Outcome

_ENDS = (Exit.TAKEN_BACK, Exit.CHANGED, Exit.NEEDS_YES)
_UNBROKEN = 1_000_000
"""A width at which every sentence is one line."""


@dataclass(frozen=True)
class Summary:
    """How a plan was judged, in words."""

    verdict: str
    code: str
    """What it is for; empty where it needs no name."""
    command: str
    environment: str
    headline: str
    also: tuple[str, ...] = ()
    """Further refusals, or what was held back."""
    why: str = ""
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    end: str = ""
    """In which state the environment is."""


def summary_of(outcome: Outcome) -> Summary:
    """Give what is to be said of a plan."""
    verdict, environment = outcome.verdict, outcome.environment
    word, code = verdict_and_code(outcome)
    said, also, reason = _judged(outcome)
    notes: tuple[str, ...] = tuple(map(clean, outcome.hints))
    if verdict is not None and environment is not None:
        findings = verdict.findings if isinstance(verdict, Blocked) else verdict.notes
        lines = note_lines(findings, verdict.plan, environment, _UNBROKEN)
        notes = (*(line.text.strip() for line in lines), *notes)
    return Summary(
        word,
        clean(code or ""),
        clean(f"safepip {command_line(*outcome.through, *outcome.arguments)}", 2000),
        _facts(environment) if environment is not None else "",
        said,
        also,
        reason,
        notes,
        (*getattr(verdict, "fixes", ()), *outcome.fixes),
        _end(outcome),
    )


def summary_of_error(error: SafepipError, verb: str) -> Summary:
    """Give what is to be said where safepip could not do its work."""
    said, *more = map(clean, error.message.splitlines() or [""])
    end = CHANGED if error.exit == Exit.CHANGED else untouched(verb).text
    why_not = clean(error.why)
    return Summary(
        "error", error.code, "", "", said, tuple(more), why_not, fixes=error.fixes, end=end
    )


def _end(outcome: Outcome) -> str:
    if outcome.exit_code == Exit.CHANGED:
        return CHANGED
    if outcome.taken_back:
        return TAKEN_BACK
    return "It was done." if outcome.acted else untouched(outcome.verb).text


def _judged(outcome: Outcome) -> tuple[str, tuple[str, ...], str]:
    """Give the headline, what else is to be told, and why."""
    verdict, environment = outcome.verdict, outcome.environment
    if outcome.exit_code in _ENDS or verdict is None or environment is None:
        return _ended(outcome), tuple(map(clean, outcome.problems)), ""
    if isinstance(verdict, Kept):
        return "conda's versions are kept", tuple(map(held_text, verdict.held_back)), ""
    if not isinstance(verdict, Blocked):
        return cleared_text(verdict), (), ""
    if not verdict.refusals:
        return "this install is refused", (), ""
    same = same_as_code(verdict)
    others = [sentence(f, verdict.plan, environment) for f in other_refusals(verdict, same)]
    if verdict.conflict is not None:
        others += causes(verdict.conflict, environment)
    reason = why([*same, *verdict.refusals], environment, in_tree=True)
    what = headline(same, verdict.plan, environment)
    return said_of(what, outcome.through), tuple(others), said_of(reason, outcome.through)


def _ended(outcome: Outcome) -> str:
    """Give the headline where it is not the verdict that tells how a command ended."""
    if outcome.exit_code == Exit.NEEDS_YES:
        return UNANSWERED
    if outcome.exit_code in _ENDS:
        return what_went_wrong(outcome)
    return f"pip made no plan; it ended with code {int(outcome.exit_code)}"


def _facts(environment: Environment) -> str:
    facts = (
        clean(environment.name),
        f"Python {clean(environment.interpreter.minor)}",
        count(len(environment.records), "conda package"),
    )
    return f"{clean(environment.prefix)} ({', '.join(filter(None, facts))})"
