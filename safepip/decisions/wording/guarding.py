"""What is said of the guard: what was written, what was left, and what is guarded. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.guarding.coverage import has_hook
from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.phrases import count
from safepip.decisions.wording.refusal import fix_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.values.guarding import Level, Manifest, Steps, Tried
    from safepip.values.verdict import Fix

_SHOWN = 8
_GAP = 2


def levels_text(levels: Sequence[Level]) -> str:
    """Give the levels for people."""
    return ", ".join(levels) or "off"


def on_lines(
    steps: Steps,
    minor: str,
    *,
    where: str,
    dry_run: bool,
    fixes: Sequence[Fix],
    width: int,
    closed: str = "",
) -> tuple[Line, ...]:
    """Say that the guard is on, what was written for that, and what is still open.

    ``minor``: of the environment's Python, as `3.11`; ``closed``: what keeps other users from
    safepip.
    """
    files = "nothing to write" if not steps.write else f"{count(len(steps.write), 'file')} written"
    if dry_run:
        files = f"would write {count(len(steps.write), 'file')}"
    removed = f", {count(len(steps.remove), 'old one')} removed" if steps.remove else ""
    state = "guard would be on" if dry_run else "guard on"
    start = (Span("safepip: "), Span(f"{state} ", "good"))
    said = f"in {clean(where)} ({levels_text(steps.levels)}): {files}{removed}"
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    if dry_run:
        lines += _paths("+", [piece.path for piece in steps.write])
        lines += _paths("-", steps.remove)
    lines += _left(steps.left)
    if "deep" in steps.levels and not has_hook(minor):
        lines.append(Line((Span(f"  the hook of --deep does nothing with Python {minor}"),)))
    lines += _closed(closed, width)
    return (*lines, *fix_lines(fixes, width))


def off_lines(
    before: Manifest, steps: Steps, *, where: str, dry_run: bool, fixes: Sequence[Fix], width: int
) -> tuple[Line, ...]:
    """Say that the guard is off, and what was left."""
    ways = fix_lines(fixes, width)
    if not (before.levels or steps.remove):
        none = f"safepip: there is no guard in {clean(where)}"
        return (*paragraph((Span(none),), width, indent=2), *_left(steps.left), *ways)
    state = "guard would be off" if dry_run else "guard off"
    files = f"{count(len(steps.remove), 'file')} {'to remove' if dry_run else 'removed'}"
    start = (Span("safepip: "), Span(f"{state} ", "good"))
    said = f"in {clean(where)}: {files}"
    lines = [*paragraph((Span(said),), width, start=start, indent=2)]
    if dry_run:
        lines += _paths("-", steps.remove)
    return (*lines, *_left(steps.left), *ways)


def _paths(sign: str, paths: Sequence[str]) -> Iterator[Line]:
    for path in paths:
        yield Line((Span(f"  {sign} {clean(path)}"),))


def _left(paths: Sequence[str]) -> Iterator[Line]:
    for path in paths:
        yield Line((Span(f"  {clean(path)} was changed by somebody, and is left as it is"),))


def _closed(path: str, width: int) -> Iterator[Line]:
    """Say for whom the guard is none: it starts a safepip that is not for everybody to start."""
    if path:
        said = (
            f"not guarded for other users, who cannot start this safepip: {clean(path)} is closed "
            "to them. Install safepip where they can read it, and turn the guard on from there"
        )
        yield from paragraph((Span(said),), width, start=(Span("  "),), indent=2)


def status_lines(
    levels: Sequence[Level],
    tried: Sequence[Tried],
    unlisted: Sequence[str],
    off: str,
    *,
    where: str,
    width: int,
    closed: str = "",
) -> tuple[Line, ...]:
    """Give the table of what is guarded, each gap with the command that closes it.

    A command is never wrapped: it is to be pasted.
    ``unlisted``: what lies there of a guard that is off; ``off`` is the command for that.
    ``closed``: what keeps other users from safepip.
    """
    column = max(len(one.says) for one in tried) + _GAP
    lines = [Line((Span(f"guard of {clean(where)}: ", "label"), Span(levels_text(levels))))]
    lines += _paths("there all the same:", unlisted[:_SHOWN])
    if len(unlisted) > _SHOWN:
        lines.append(Line((Span(f"  and {len(unlisted) - _SHOWN} more"),)))
    if unlisted:
        lines += command(off, 4)
    for one in tried:
        state = _state(one)
        start = (Span(f"  {one.says.ljust(column)}"), state, Span("  " if one.why else ""))
        lines += paragraph((Span(clean(one.why)),), width, start=start, indent=2 + column)
        if one.fix:
            lines += command(one.fix, 4 + column)
    return (*lines, *_closed(closed, width))


def _state(one: Tried) -> Span:
    match one.guarded:
        case True:
            return Span("guarded", "good")
        case False:
            return Span("NOT guarded", "refuse")
        case None:
            return Span("not tried", "dim")
