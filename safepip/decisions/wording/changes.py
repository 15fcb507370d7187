"""What is said of changes that were made before: taken back, undone, listed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.undoing.inverse import inverse_steps
from safepip.decisions.wording.layout import Line, Span, clean, paragraph
from safepip.values.journal import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.undoing.past import Since
    from safepip.values.journal import Entry, Stage

_SHOWN = 5
_STAGES: Mapping[Stage, str] = {
    "acting": "being made, or cut off",
    "done": "",
    "taken-back": "cut off, and taken back",
}


def command_of(entry: Entry) -> str:
    """Give the command of an entry as it was typed, without secrets."""
    return clean(command_line("safepip", *entry.arguments))


def waiting_message(prefix: str, holder: str, seconds: float, *, width: int) -> tuple[Line, ...]:
    """Say that another holds the environment; ``seconds`` are how long it is waited for."""
    said = f"waiting for {holder} in {clean(prefix)}, {seconds:g} s at most"
    return paragraph((Span(said),), width, start=(Span("safepip: "),), indent=2)


def recovered_message(entry: Entry, problems: Sequence[str], *, width: int) -> tuple[Line, ...]:
    """Say that a change was cut off, and that it was taken back or could not be."""
    start = (
        Span("safepip: "),
        Span("taken back. " if not problems else "not taken back. ", "error"),
    )
    said = f"An earlier `{command_of(entry)}` was cut off ({entry.id})"
    said += "; the environment is as it was before" if not problems else ""
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    for problem in problems[:_SHOWN]:
        lines += paragraph((Span(clean(problem)),), width, start=(Span("  "),), indent=2)
    return tuple(lines)


def undone_message(
    entry: Entry, left: Sequence[str], *, dry_run: bool, where: str, width: int
) -> tuple[Line, ...]:
    """Say that a change was taken back, or would be, and what that did."""
    word = "would undo" if dry_run else "undone"
    start = (Span("safepip: "), Span(f"{word} ", "good"))
    said = f"{entry.id} ({command_of(entry)}) in {clean(where)}"
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    lines += [Line((Span(f"  {step_line(step)}"),)) for step in inverse_steps(entry)]
    for path in left[:_SHOWN]:
        said = f"{clean(path)} is left, because something else was put there"
        lines += paragraph((Span(said),), width, start=(Span("  "),), indent=2)
    return tuple(lines)


def step_line(step: Step) -> str:
    """Give what happens to one distribution."""
    name = clean(step.name)
    if step.after is None:
        return f"- {name} {clean(step.before or '')}"
    if step.before is None:
        return f"+ {name} {clean(step.after)}"
    return f"~ {name} {clean(step.before)} -> {clean(step.after)}"


def history_lines(
    entries: Sequence[Entry], taken_back: Mapping[str, str], past: Since | None, *, width: int
) -> tuple[Line, ...]:
    """Give the table of changes, and what was changed past safepip since the last."""
    lines: list[Line] = []
    for entry in entries:
        by = taken_back.get(entry.id)
        state = f"undone by {by}" if by else _STAGES[entry.stage]
        state = state or ("" if entry.can_undo else "undone only by the index")
        start = (Span(entry.id, "label"), Span(f"  {entry.began[:16].replace('T', ' ')}  "))
        tail = (Span(f"  {state}", "dim"),) if state else ()
        lines += paragraph((Span(command_of(entry)), *tail), width, start=start, indent=4)
        lines += [Line((Span(f"    {step_line(step)}"),)) for step in entry.steps]
    if not entries:
        lines.append(Line((Span("safepip has changed nothing here"),)))
    if past is not None and (past.distributions or past.records):
        lines.append(Line((Span("since then, past safepip", "label"),)))
        for name, before, after in past.distributions:
            step = Step(name, "", before, after, "none")
            lines.append(Line((Span(f"    {step_line(step)}"),)))
        lines += [Line((Span(f"    conda {how} {clean(dist)}"),)) for how, dist in past.records]
    return tuple(lines)
