"""What is said of a plan besides the plan, as texts that know no width. Pure.

The sentences are those of the terminal: each is worded in `decisions.wording`, and joined here to
one line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.as_json import verdict_and_code
from safepip.decisions.wording.causes import causes
from safepip.decisions.wording.condas_part import by_whom, what_it_does, why_refused
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.message import (
    TAKEN_BACK,
    cleared_text,
    held_text,
    what_went_wrong,
)
from safepip.decisions.wording.notes import note_lines
from safepip.decisions.wording.phrases import count, few, said_of
from safepip.decisions.wording.refusal import (
    CHANGED,
    end_of_pip_s_part,
    other_refusals,
    same_as_code,
    state_after,
    untouched,
)
from safepip.decisions.wording.sentences import headline, sentence, why
from safepip.values.exits import Exit
from safepip.values.late import dataclass
from safepip.values.verdict import Blocked, Fix, Kept

if TYPE_CHECKING:
    from safepip.values.channel import CondaPart
    from safepip.values.environment import Environment
    from safepip.values.errors import SafepipError
    from safepip.values.verdict import Clear, Outcome

UNBROKEN = 1_000_000
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
    by_conda: tuple[Fix, ...] = ()
    """What conda does before pip."""
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
        lines = note_lines(findings, verdict.plan, environment, UNBROKEN)
        notes = (*(line.text.strip() for line in lines), *notes)
    return Summary(
        word,
        clean(code or ""),
        clean(f"safepip {command_line(*outcome.command)}", 2000),
        _facts(environment) if environment is not None else "",
        said,
        also,
        reason,
        notes,
        (*getattr(verdict, "fixes", ()), *outcome.fixes),
        _condas_part(outcome),
        _end(outcome),
    )


def _condas_part(outcome: Outcome) -> tuple[Fix, ...]:
    part = outcome.conda
    if part is None or part.state == "refused":
        return ()
    moves = few(f"{move.name} {move.after}" for move in part.moves)
    return (Fix(part.command, f"{moves} from conda, {by_whom(part)}"),)


def summary_of_error(error: SafepipError, verb: str) -> Summary:
    """Give what is to be said where safepip could not do its work."""
    first, *others = error.message.splitlines() or [""]
    end = CHANGED if error.exit == Exit.CHANGED else untouched(verb).text
    also, reason = tuple(map(clean, others)), clean(error.why)
    said = Summary("error", error.code, "", "", clean(first), also, reason)
    return replace(said, fixes=error.fixes, end=end)


def _ended(outcome: Outcome) -> int:
    return int(outcome.exit_code if outcome.pip_ended is None else outcome.pip_ended)


def _end(outcome: Outcome) -> str:
    """Say in which state the environment is; nothing where it is as planned."""
    if outcome.pip_ended is not None:
        return end_of_pip_s_part(outcome)
    match outcome.exit_code:
        case Exit.DONE if outcome.acted and outcome.verb != "plan":
            return ""
        case Exit.TAKEN_BACK:
            return TAKEN_BACK
        case Exit.CHANGED:
            return CHANGED
        case Exit.INTERRUPTED:
            return state_after(outcome)
        case _:
            return TAKEN_BACK if outcome.taken_back else untouched(outcome.verb).text


def _judged(outcome: Outcome) -> tuple[str, tuple[str, ...], str]:
    """Give the headline, what else is to be told, and why."""
    verdict, environment = outcome.verdict, outcome.environment
    if what := what_went_wrong(outcome):
        return what, tuple(map(clean, outcome.problems)), ""
    if verdict is None or environment is None:
        return f"pip made no plan; it ended with code {_ended(outcome)}", (), ""
    if isinstance(verdict, Kept):
        return "conda's versions are kept", tuple(map(held_text, verdict.held_back)), ""
    if not isinstance(verdict, Blocked):
        return _cleared(verdict, outcome.conda), (), ""
    if not verdict.refusals:
        return _left_to_the_user(outcome.conda)
    same = same_as_code(verdict)
    others = [sentence(f, verdict.plan, environment) for f in other_refusals(verdict, same)]
    if verdict.conflict is not None:
        others += causes(verdict.conflict, environment)
    reason = why([*same, *verdict.refusals], environment, in_tree=True)
    what = headline(same, verdict.plan, environment)
    return said_of(what, outcome.through), tuple(others), said_of(reason, outcome.through)


def _left_to_the_user(part: CondaPart | None) -> tuple[str, tuple[str, ...], str]:
    if part is None:
        return "this install is refused", (), ""
    what, reason = why_refused(part)
    return what, (), reason


def _cleared(verdict: Clear, by_conda: CondaPart | None) -> str:
    by_pip = cleared_text(verdict)
    if by_conda is None:
        return by_pip
    by_pip = f"then by pip: {by_pip}" if verdict.plan.changes else "nothing is left to pip"
    return f"from conda {what_it_does(by_conda)}; {by_pip}"


def _facts(environment: Environment) -> str:
    facts = (
        clean(environment.name),
        f"Python {clean(environment.interpreter.minor)}",
        count(len(environment.records), "conda package"),
    )
    return f"{clean(environment.prefix)} ({', '.join(filter(None, facts))})"
