"""The results as Markdown. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from scripts.benchmark.rows import OWN_BUDGET_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scripts.benchmark.comparing import Result

_HEAD = (
    *("", "pip", "safepip", "wall, median", "least", "more", "CPU", "memory", "Pythons"),
    *("requests", "MB", "budget"),
)
_SUFFIXES = {
    "two-pass": ", two passes",
    "no-undo": ", `SAFEPIP_UNDO=off`",
    "no-imports": ", `SAFEPIP_IMPORT_CHECK=off`",
}
_OWN_HEAD = ("", "own CPU", "least", "alone", "budget", "plan", "judge", "act", "verify")
_IMPORTS_HEAD = ("", "modules", "of safepip", "time")


def comparison(results: Sequence[Result]) -> str:
    """Give the table of what safepip takes where plain pip takes one."""
    plain: Result | None = None
    lines = []
    for result in results:
        if result.contender == "pip":
            plain = result
        elif plain is not None:
            lines.append(_compared(plain, result))
    return _table(_HEAD, lines)


def _compared(plain: Result, result: Result) -> list[str]:
    pairs = list(zip(plain.walls, result.walls, strict=True))
    times = median(ours / theirs for theirs, ours in pairs)
    more = median(ours - theirs for theirs, ours in pairs)
    least = min(result.walls) / min(plain.walls)
    known = plain.watched.peak_bytes and result.watched.peak_bytes
    memory = (result.watched.peak_bytes - plain.watched.peak_bytes) / 1e6
    return [
        _title(result),
        f"{median(plain.walls):.2f} s",
        f"{median(result.walls):.2f} s",
        f"{times:.2f} ×",
        f"{least:.2f} ×",
        f"{more * 1000:+.0f} ms",
        f"{result.cpu_seconds / plain.cpu_seconds:.2f} ×",
        f"{memory:+.0f} MB" if known else "–",
        _both(plain.watched.pythons, result.watched.pythons),
        _both(plain.traffic.requests, result.traffic.requests),
        _both(_megabytes(plain), _megabytes(result)),
        _budget(result, times, more),
    ]


def _title(result: Result) -> str:
    return result.row.title + _SUFFIXES.get(result.contender, "")


def _both(theirs: object, ours: object) -> str:
    return f"{ours}" if theirs == ours else f"{theirs} → {ours}"


def _megabytes(result: Result) -> str:
    return f"{result.traffic.size_bytes / 1e6:.1f}"


def _budget(result: Result, times: float, more: float) -> str:
    budget = result.row.budget
    if budget is None:
        return ""
    is_kept = times <= budget.times if budget.times else more <= budget.more_seconds
    return f"{budget}" if is_kept else f"**{budget}**"


def own_work(results: Iterable[Result]) -> str:
    """Give the table of what safepip itself takes: its CPU, and the seconds of its steps.

    And how long it ran alone, while pip or its Python waited or were not there.
    """
    lines = [_own(result) for result in results if result.row.guarded and result.contender != "pip"]
    return _table(_OWN_HEAD, lines) if lines else ""


def _own(result: Result) -> list[str]:
    steps = result.steps
    known = result.own_seconds
    cpu = [f"{seconds * 1000:.0f} ms" for seconds in (median(known), min(known))] if known else []
    known_steps = [steps.get(step) for step in ("plan", "judge", "act", "verify")]
    said = ["–" if seconds is None else f"{seconds * 1000:.0f} ms" for seconds in known_steps]
    alone = median(result.alone)
    usual = OWN_BUDGET_SECONDS[result.row.place] if result.imports is not None else 0.0
    limit = result.row.own_budget_seconds or usual
    budget = f"≤ {limit * 1000:.0f} ms" if limit else ""
    shown = budget if not limit or alone <= limit else f"**{budget}**"
    return [_title(result), *(cpu or ["–", "–"]), f"{alone * 1000:.0f} ms", shown, *said]


def imports(results: Iterable[Result]) -> str:
    """Give the table of what safepip imports itself in the short rows."""
    lines = [
        [_title(result), f"{found.modules}", f"{found.own}", f"{found.seconds * 1000:.0f} ms"]
        for result in results
        if (found := result.imports) is not None
    ]
    return _table(_IMPORTS_HEAD, lines) if lines else ""


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---", *(["---:"] * (len(head) - 1))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))
