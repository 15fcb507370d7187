"""What is said of changes that were made before: taken back, undone, listed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.layout import Line, Span, clean, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.journal import Entry

_SHOWN = 5


def command_of(entry: Entry) -> str:
    """Give the command of an entry as it was typed, without secrets."""
    return clean(command_line("safepip", *entry.arguments))


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
