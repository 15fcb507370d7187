"""What is said of conda's part of a request, before and after it is done. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.phrases import few
from safepip.values.journal import Step

if TYPE_CHECKING:
    from safepip.values.channel import CondaPart, Moved
    from safepip.values.verdict import Outcome


def part_lines(part: CondaPart, width: int, *, is_all: bool = False) -> tuple[Line, ...]:
    """Give what conda is to do, before pip does the rest: the command and all that it changes.

    ``is_all``: pip has nothing left to do.
    """
    from safepip.decisions.wording.changes import step_line

    word = "would come from conda. " if part.state == "shown" else "from conda. "
    start = (Span("safepip: "), Span(word, "good"))
    said = f"{what_it_does(part)}, {by_whom(part, is_all=is_all)}"
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    lines += command(part.command, 4)
    lines += [Line((Span(f"  {step_line(_step(move))}"),)) for move in part.moves]
    return tuple(lines)


def by_whom(part: CondaPart, *, is_all: bool = False) -> str:
    """Say what does it, and what would come of the command if somebody gave that by hand.

    ``is_all``: pip has nothing left to do.
    """
    left = "; nothing is left to pip" if is_all else ""
    by_hand = f"; by hand: {part.warning}" if part.warning else ""
    return f"by {clean(part.tool)}{left}{by_hand}"


def _step(move: Moved) -> Step:
    return Step(move.name, "", move.before or None, move.after or None, "conda")


def what_it_does(part: CondaPart) -> str:
    """Say how much is new, and what of that which is there is changed."""
    added = len(part.moves) - len(part.moved)
    new = f"{added} new package{'' if added == 1 else 's'}" if added else "nothing new"
    others = few(f"{move.name} {move.before}" for move in part.moved)
    return f"{new}, " + (f"and changed: {others}" if others else "nothing that is there is changed")


def why_refused(part: CondaPart) -> tuple[str, str]:
    """Give why conda's part is left to the user: what it would do, and why that is not done."""
    if part.moved:
        moved = few(
            f"{m.name} {m.before} -> {m.after}" if m.after else f"{m.name} {m.before} (removed)"
            for m in part.moved
        )
        why = "safepip lets conda only add by itself, since others may count on what is there"
        return f"conda's part would change what is there: {moved}", why
    if part.twice:
        why = "two copies in one place leave the files of both mixed"
        return f"conda's part would bring what pip has installed: {few(part.twice)}", why
    return (
        "pixi owns this environment, and adds to it by its manifest",
        "what is installed past the manifest goes with the next command of pixi",
    )


def done_lines(part: CondaPart, width: int) -> tuple[Line, ...]:
    """Say that conda's part is done and stays, and how it is taken back."""
    names = few(f"{m.name} {m.after}" for m in part.moves if not m.before)
    start = (Span("safepip: "), Span("conda's part is done", "good"), Span(": "))
    said = f"{names}; to take it back:" if part.back else names
    lines = paragraph((Span(said),), width, start=start, indent=2)
    return (*lines, *(command(part.back, 4) if part.back else ()))


def conda_lines(outcome: Outcome, width: int, verbosity: int) -> tuple[Line, ...]:
    """Give what is said of conda's part at the end, or where it is only shown."""
    part = outcome.conda
    if part is None or part.state in {"due", "refused"}:
        return ()
    if part.state == "shown":
        verdict = outcome.verdict
        return part_lines(part, width, is_all=verdict is not None and not verdict.plan.changes)
    is_quiet = verbosity < 0 and not outcome.exit_code
    return () if is_quiet else done_lines(part, width)
