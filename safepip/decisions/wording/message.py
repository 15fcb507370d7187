"""What safepip says to people, as styled lines. Pure: nothing is printed here.

Every way a command can end has its message: silence or one line when all is well, the reason and
the ways out when not, and then always the state of the environment.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.solvers_answer import UNSURE
from safepip.decisions.wording.condas_part import conda_lines, why_refused
from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.notes import note_lines
from safepip.decisions.wording.phrases import FEW, few, is_condas, said_of, versions
from safepip.decisions.wording.picture import picture_of
from safepip.decisions.wording.refusal import (
    CHANGED,
    Form,
    end_of_pip_s_part,
    environment_line,
    error_line,
    fix_lines,
    labelled,
    plan_lines,
    refusal_lines,
    state_after,
    untouched,
)
from safepip.values.exits import Exit
from safepip.values.findings import SameFiles
from safepip.values.text import WIDTH
from safepip.values.verdict import Blocked, Clear, Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.channel import CondaPart
    from safepip.values.environment import Environment
    from safepip.values.errors import SafepipError
    from safepip.values.plan import Action, Change
    from safepip.values.verdict import Cleared, HeldBack, Outcome

_FEW_FIXES = 2
_COUNTED: dict[Action, str] = {
    "add": "new",
    "upgrade": "upgraded",
    "downgrade": "downgraded",
    "same": "installed again",
    "remove": "removed",
}
_WITH_FIXES = (Exit.NEEDS_YES, Exit.TAKEN_BACK, Exit.CHANGED, Exit.INTERRUPTED)
"""Ends of a command that are told together with the ways on."""
TAKEN_BACK = "It was taken back: the environment is as it was."


def message(
    outcome: Outcome,
    *,
    width: int = WIDTH,
    verbosity: int | None = None,
    form: Form = "tree",
) -> tuple[Line, ...]:
    """Give what a guarded command says at its end.

    ``verbosity`` is the number of `-v` less that of `-q`; the outcome's own, unless given.
    ``form``: how a plan is shown.
    """
    verbosity = outcome.verbosity if verbosity is None else verbosity
    lines = (*_steps(outcome, width, verbosity, form), *hint_lines(outcome.hints, width))
    lines = (*lines, *_ways_on(outcome, width))
    return (*lines, *_times(outcome, width)) if verbosity > 0 else lines


def _ways_on(outcome: Outcome, width: int) -> tuple[Line, ...]:
    """Give what would do where pip itself has found nothing."""
    is_told = outcome.verdict is not None or outcome.exit_code in _WITH_FIXES
    return () if is_told or outcome.taken_back else fix_lines(outcome.fixes, width)


def _steps(outcome: Outcome, width: int, verbosity: int, form: Form) -> tuple[Line, ...]:
    """Give what is said of conda's part and of pip's, in the order in which they come."""
    part = outcome.conda
    if part is None:
        return _verdict(outcome, width, verbosity, form)
    if part.state == "refused":
        return _left_to_the_user(outcome, part, width)
    by_conda = conda_lines(outcome, width, verbosity)
    if outcome.pip_ended is not None:
        by_pip = _verdict(replace(outcome, exit_code=outcome.pip_ended), width, verbosity, form)
        # That the environment is as it was is so only of pip's part.
        ends = (untouched(outcome.verb), Line((Span(TAKEN_BACK),)))
        by_pip = tuple(line for line in by_pip if line not in ends)
        return (*by_pip, Line((Span(end_of_pip_s_part(outcome)),)), *by_conda)
    is_all_conda_s = outcome.verdict is not None and not outcome.verdict.plan.changes
    is_pip_in_it = outcome.exit_code != Exit.DONE or not is_all_conda_s
    by_pip = _verdict(outcome, width, verbosity, form) if is_pip_in_it else ()
    if part.state == "shown" and by_pip:
        return (*by_conda, Line(), *by_pip)
    return (*by_pip, *by_conda)


def _left_to_the_user(outcome: Outcome, part: CondaPart, width: int) -> tuple[Line, ...]:
    environment, verdict = outcome.environment, outcome.verdict
    what, why = why_refused(part)
    fixes = verdict.fixes if isinstance(verdict, Blocked) else ()
    return (
        *error_line("prefer-conda", what, width),
        *(environment_line(environment, width) if environment is not None else ()),
        *labelled("why", why, width),
        *fix_lines(fixes, width),
        untouched(outcome.verb),
    )


def _verdict(outcome: Outcome, width: int, verbosity: int, form: Form) -> tuple[Line, ...]:
    verdict = outcome.verdict
    match outcome.exit_code:
        case Exit.INTERRUPTED:
            return _interrupted(outcome, width)
        case Exit.CHANGED | Exit.TAKEN_BACK:
            return _not_as_judged(outcome, width)
        case Exit.NEEDS_YES:
            return _unanswered(outcome, width)
        case _ if isinstance(verdict, Blocked):
            return refusal_lines(outcome, verdict, width, form)
        case Exit.DONE if verdict is not None:
            return _cleared(outcome, verdict, width, verbosity, form)
        case _:
            return _failed(outcome, width)


# ------------------------------------------------------------------------------- all is well


def _cleared(
    outcome: Outcome, verdict: Cleared, width: int, verbosity: int, form: Form
) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    if isinstance(verdict, Kept):
        lines = _kept(outcome, verdict, width)
    elif outcome.verb == "plan" or (verdict.plan.changes and verbosity >= 0):
        lines = _clear(outcome, verdict, width)
    environment = outcome.environment
    if environment is None:
        return lines
    picture = picture_of(outcome) if outcome.verb == "plan" else None
    if picture is not None and (verdict.plan.changes or picture.unchanged()):
        lines = (*lines, Line(), *plan_lines(picture, width, form))
    # A plan is what was asked for: there `-q` is only for what pip says meanwhile.
    is_quiet = verbosity < (-1 if outcome.verb == "plan" else 0)
    if not is_quiet:
        lines = (*lines, *note_lines(verdict.notes, verdict.plan, environment, width))
    if outcome.fixes and not is_quiet:
        lines = (*lines, Line(), *fix_lines(outcome.fixes, width, "hint"))
    return lines


def _clear(outcome: Outcome, verdict: Clear, width: int) -> tuple[Line, ...]:
    start = (Span("safepip: "), Span("clear. ", "good"))
    said = cleared_text(verdict) + _where(outcome)
    return paragraph((Span(said),), width, start=start, indent=2)


def cleared_text(verdict: Clear) -> str:
    """Say how much is changed, and what of conda's is."""
    changes = verdict.plan.changes
    taken = [change for change in changes if is_condas(change)]
    given = [f for f in verdict.notes if isinstance(f, SameFiles) and f.reason == "given"]
    owned = []
    if taken:
        owned.append(f"taken over from conda: {few(f'{c.name} {versions(c)}' for c in taken)}")
    if given:
        names = (f.conda_package.rsplit("-", 2)[0] for f in given)
        owned.append(f"files taken over from conda's {few(dict.fromkeys(map(clean, names)))}")
    counts = _counts([change for change in changes if change not in taken])
    owned = owned or ["nothing from conda is touched"]
    return ", ".join((*counts, *owned)) if changes else "nothing to do"


def _counts(changes: Sequence[Change]) -> list[str]:
    """Give `3 new packages`, `1 upgraded` and so on, for the actions that occur."""
    found = Counter(change.action for change in changes)
    said = [f"{found[action]} {word}" for action, word in _COUNTED.items() if found[action]]
    if found["add"]:
        said[0] += " package" if found["add"] == 1 else " packages"
    return said


def _where(outcome: Outcome) -> str:
    """Give the environment in parentheses: its name, or its path when it is not the obvious one."""
    environment = outcome.environment
    if environment is None:
        return ""
    is_obvious = outcome.target is None or outcome.target.obvious
    name = environment.name if is_obvious else ""
    return f" ({clean(name or environment.prefix)})"


def _kept(outcome: Outcome, verdict: Kept, width: int) -> tuple[Line, ...]:
    start = (Span("safepip: "), Span("kept ", "good"))
    said = f"conda's versions{_where(outcome)}"
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    for held in verdict.held_back:
        lines += paragraph((Span(held_text(held)),), width, start=(Span("  "),), indent=2)
    if verdict.fixes:
        unsure = any(UNSURE in fix.says for fix in verdict.fixes[:_FEW_FIXES])
        lines.append(Line((Span(f"  newest anyway{UNSURE if unsure else ''}:"),)))
    for fix in verdict.fixes[:_FEW_FIXES]:
        if fix.command:
            lines += command(fix.command, 4)
        else:
            lines += paragraph((Span(clean(fix.says)),), width, start=(Span("    "),), indent=4)
        if fix.besides:
            said = f"({'; '.join(map(clean, fix.besides))})"
            lines += paragraph((Span(said, "dim"),), width, start=(Span("      "),), indent=7)
    return tuple(lines)


def held_text(held: HeldBack) -> str:
    """Say what is there instead of what pip alone would have installed, and why."""
    because = f": {'; '.join(map(clean, held.because))}" if held.because else ""
    newest = clean(held.newest) if held.newest else ""
    if held.chosen is None:
        return f"{clean(held.name)} {newest} is left out{because}"
    instead = f" instead of {newest}" if newest else ""
    return f"{clean(held.name)} {clean(held.chosen)}{instead}{because}"


# ------------------------------------------------------------------------------- what went wrong


def error_message(
    error: SafepipError,
    *,
    verb: str = "install",
    environment: Environment | None = None,
    width: int = WIDTH,
) -> tuple[Line, ...]:
    """Give what is said when safepip could not do its work."""
    first, *others = error.message.splitlines() or [""]
    return (
        *error_line(error.code, clean(first), width),
        *_indented(others, width),
        *(environment_line(environment, width) if environment is not None else ()),
        *(labelled("why", clean(error.why), width) if error.why else ()),
        *fix_lines(error.fixes, width),
        Line((Span(CHANGED),)) if error.exit == Exit.CHANGED else untouched(verb),
    )


def _indented(texts: Sequence[str], width: int) -> tuple[Line, ...]:
    lines: list[Line] = []
    for text in texts:
        lines += paragraph((Span(clean(text)),), width, start=(Span("  "),), indent=2)
    return tuple(lines)


def what_went_wrong(outcome: Outcome) -> str:
    """Say what went wrong although the plan was judged; empty where nothing did."""
    return said_of(_what_went_wrong(outcome), outcome.through)


def _what_went_wrong(outcome: Outcome) -> str:
    ended = outcome.exit_code if outcome.pip_ended is None else outcome.pip_ended
    match ended:
        case Exit.TAKEN_BACK if outcome.fixes:
            return "pip has finished, and what it installed does not work here"
        case Exit.TAKEN_BACK | Exit.CHANGED:
            return "pip has finished, and the environment is not what was judged"
        case Exit.NEEDS_YES:
            what = "pip asks whether to go on, and nobody can answer here"
            return what if outcome.fixes else f"{what}: say `-y` in advance"
        case Exit.INTERRUPTED:
            return "interrupted"
        case _:
            return "pip failed half-way" if outcome.taken_back else ""


def _not_as_judged(outcome: Outcome, width: int) -> tuple[Line, ...]:
    what = what_went_wrong(outcome)
    state = TAKEN_BACK if outcome.exit_code == Exit.TAKEN_BACK else CHANGED
    environment = outcome.environment
    return (
        *error_line("verify-failed", what, width),
        *(environment_line(environment, width) if environment is not None else ()),
        *_indented(outcome.problems, width),
        *fix_lines(outcome.fixes, width),
        Line((Span(state),)),
    )


def _failed(outcome: Outcome, width: int) -> tuple[Line, ...]:
    """Give what is said when pip has said what went wrong."""
    if not outcome.taken_back:
        return ()
    start = (Span("safepip: "), Span("taken back. ", "error"))
    failed = said_of("pip failed half-way", outcome.through)
    is_whole = outcome.conda is None or outcome.conda.state != "done"
    as_before = "the environment is as it was" if is_whole else "nothing of its part is left"
    said = f"{failed}, and {as_before}{_where(outcome)}"
    return paragraph((Span(said),), width, start=start, indent=2)


def _unanswered(outcome: Outcome, width: int) -> tuple[Line, ...]:
    fixes = fix_lines(outcome.fixes, width)
    what = what_went_wrong(outcome)
    return (*error_line("needs-yes", what, width), *fixes, untouched(outcome.verb))


def _interrupted(outcome: Outcome, width: int) -> tuple[Line, ...]:
    start = (Span("safepip: "), Span("interrupted. ", "error"))
    lines = paragraph((Span(state_after(outcome)),), width, start=start, indent=2)
    return (*lines, *_indented(outcome.problems, width))


# ------------------------------------------------------------------------------- beside the verdict


def hint_lines(hints: Sequence[str], width: int) -> tuple[Line, ...]:
    """Give a paragraph for each of these sentences."""
    lines: list[Line] = []
    for hint in hints:
        first, *others = hint.splitlines() or [""]
        start = (Span("hint", "note"), Span(": "))
        lines += paragraph((Span(clean(first)),), width, start=start, indent=2)
        lines += _indented(others[: FEW - 1], width)
    return tuple(lines)


def _times(outcome: Outcome, width: int) -> tuple[Line, ...]:
    """Give how long each step took, for `-v`."""
    if not outcome.seconds:
        return ()
    steps = ", ".join(f"{clean(name)} {took:.1f} s" for name, took in outcome.seconds.items())
    text = f"{outcome.engine}: {steps}" if outcome.engine else steps
    return paragraph((Span(text, "dim"),), width, start=(Span("safepip: "),), indent=2)
