"""What is said of changes that were made before: taken back, undone, listed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.undoing.inverse import inverse_steps
from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.phrases import few
from safepip.values.journal import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.decisions.undoing.past import History, Since
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


def recovered_message(
    entry: Entry, problems: Sequence[str], overtaken: Mapping[str, str], *, width: int
) -> tuple[Line, ...]:
    """Say that a change was cut off, and that it was taken back or could not be.

    ``overtaken``: what something else has installed since and is left alone, version by name.
    """
    start = (
        Span("safepip: "),
        Span("taken back. " if not problems else "not taken back. ", "error"),
    )
    said = f"An earlier `{command_of(entry)}` was cut off ({entry.id})"
    if overtaken:
        others = few(f"{name} {version}" for name, version in overtaken.items())
        said += f"; {clean(others)} was installed by something else since, and stays"
    elif not problems:
        said += "; the environment is as it was before"
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
    if entry.conda_back and not entry.dists:
        said = "conda's part of that stays; to take it back as well:"
        lines += paragraph((Span(said),), width, start=(Span("  "),), indent=2)
        lines += command(entry.conda_back, 4)
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
    if step.before == step.after:
        return f"~ {name} {clean(step.after)} again"
    return f"~ {name} {clean(step.before)} -> {clean(step.after)}"


def history_lines(history: History, *, width: int) -> tuple[Line, ...]:
    """Give the table of changes, with what was changed past safepip before, between and since."""
    lines: list[Line] = []
    for entry in history.entries:
        lines += _past_lines("before that, past safepip", history.between.get(entry.id))
        by = history.taken_back.get(entry.id)
        state = f"undone by {by}" if by else _STAGES[entry.stage]
        state = state or ("" if entry.can_undo else _not_kept(entry))
        start = (Span(entry.id, "label"), Span(f"  {entry.began[:16].replace('T', ' ')}  "))
        tail = (Span(f"  {state}", "dim"),) if state else ()
        lines += paragraph((Span(command_of(entry)), *tail), width, start=start, indent=4)
        lines += [Line((Span(f"    {step_line(step)}"),)) for step in entry.steps]
    for name in history.unreadable:
        lines.append(Line((Span(name, "label"), Span("  cannot be read", "error"))))
    if not lines:
        lines.append(Line((Span("safepip has changed nothing here"),)))
    return (*lines, *_past_lines("since then, past safepip", history.since))


def _not_kept(entry: Entry) -> str:
    is_condas = any(step.owner == "conda" for step in entry.steps)
    return "undone only by conda" if is_condas else "undone only by the index"


def _past_lines(label: str, past: Since | None) -> Iterator[Line]:
    if past is None or not (past.distributions or past.records):
        return
    yield Line((Span(label, "label"),))
    for name, before, after in past.distributions:
        yield Line((Span(f"    {step_line(Step(name, '', before, after, 'none'))}"),))
    yield from (Line((Span(f"    conda {how} {clean(dist)}"),)) for how, dist in past.records)
