"""What `doctor --fix` says: the steps, what they fetch, and what is left as it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safepip.decisions.wording.complaints import complaint, subject
from safepip.decisions.wording.layout import Line, Span, clean, paragraph
from safepip.decisions.wording.phrases import FEW, count, few, package
from safepip.decisions.wording.reasons import why_left
from safepip.decisions.wording.sentences import breaks
from safepip.values.repair import Discard, Disown, PutBack, Redirect, TakeOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.environment import Environment
    from safepip.values.repair import Repair, Step, Supply, Unfixed

_MEGA = 1_000_000
_FEW_PATHS = 2


def repair_lines(
    repair: Repair,
    environment: Environment,
    *,
    done: str,
    where: str,
    width: int,
    can_undo: bool = False,
) -> tuple[Line, ...]:
    """Give the steps of a repair. ``done``: the id of the change; empty where it would be one.

    ``can_undo``: it keeps what it takes out and writes over.
    """
    partly = " in part" if any(not one.follows for one in repair.unfixed) else ""
    word = f"would repair {clean(where)}{partly}"
    if done:
        word = f"repaired {clean(where)}{partly}, {clean(done)}"
    if not repair.steps:
        word = f"nothing that is wrong in {clean(where)} can be mended here"
    lines = [Line((Span("safepip: "), Span(word, "good" if repair.steps else "error")))]
    for step in repair.steps:
        sign, said = _said(step, environment)
        lines += paragraph((Span(said),), width, start=(Span(f"  {sign} "),), indent=4)
    for broken in repair.breaks if not done else ():
        harm = Span(breaks(broken, environment), "error")
        lines += paragraph((harm,), width, start=(Span("  ! "),), indent=4)
    if repair.downloads_bytes and not done:
        text = f"fetches {repair.downloads_bytes / _MEGA:.1f} MB"
        lines.append(Line((Span(f"  {text}", "dim"),)))
    if repair.steps and can_undo and not done:
        text = "what is taken out or written over is kept, and `safepip undo` brings it back"
        lines += paragraph((Span(text, "dim"),), width, start=(Span("  "),), indent=2)
    return tuple(lines)


def unfixed_lines(
    unfixed: Sequence[Unfixed], environment: Environment, *, width: int
) -> tuple[Line, ...]:
    """Give what is left as it is, and why; not what may be well when the rest is."""
    lines: list[Line] = []
    unfixed = [one for one in unfixed if not one.follows]
    for one in unfixed[:FEW]:
        name = subject(one.finding, environment)
        said = f"{name}: {complaint(one.finding, environment)}"
        lines += paragraph((Span(said),), width, start=(Span("  = ", "dim"),), indent=4)
        reason = Span(f"left as it is: {why_left(one.reason)}", "dim")
        lines += paragraph((reason,), width, start=(Span("    "),), indent=4)
    if len(unfixed) > FEW:
        lines.append(Line((Span(f"  = {len(unfixed) - FEW} more are left as they are", "dim"),)))
    return tuple(lines)


def _said(step: Step, environment: Environment) -> tuple[str, str]:
    match step:
        case TakeOut():
            name = f"{clean(step.distribution.name)} {clean(step.distribution.version)}"
            verb = "is" if len(step.paths) == 1 else "are"
            files = count(len(step.paths), "file")
            return "-", f"take out {name}: {files} that {verb} not conda's"
        case Disown():
            name = f"{clean(step.distribution.name)} {clean(step.distribution.version)}"
            below = [environment.relative(path) or path for path in step.paths]
            return "~", f"take {few(below, _FEW_PATHS)} out of the RECORD of {name}"
        case PutBack():
            what = "its files and its record" if step.record else count(len(step.paths), "file")
            owner = package(step.conda_package, environment)
            over = f", over {few(step.over)} with other bytes" if step.over else ""
            return "+", f"put back conda's {owner}: {what}, {_from(step.supply)}{over}"
        case Redirect():
            one = len(step.paths) == 1
            what = f"{few(step.paths)} {'starts' if one else 'start'} this environment's Python"
            return "~", f"{what}, and no more {clean(step.starts)}"
        case Discard():
            return "-", f"remove {clean(environment.relative(step.path) or step.path)}"


def _from(supply: Supply) -> str:
    if supply.kind == "folder":
        return "from the package cache"
    if supply.kind == "archive":
        return "from an archive on this machine"
    return f"from {clean(urlsplit(supply.place).hostname or 'its channel')}"
