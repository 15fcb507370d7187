"""A plan as one page of HTML that needs nothing else: no script, no network, no other file. Pure.

Every text is escaped, and the page forbids itself whatever a mistake there could let in.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from safepip.decisions.drawing.graph import graph_of
from safepip.decisions.drawing.style import CSS
from safepip.decisions.drawing.summary import summary_of
from safepip.decisions.drawing.svg import svg
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import count
from safepip.decisions.wording.picture import picture_of
from safepip.decisions.wording.table import HEADS, rows_by_conda, rows_of
from safepip.decisions.wording.tree import already_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.decisions.drawing.summary import Summary
    from safepip.decisions.wording.picture import Picture
    from safepip.values.verdict import Fix, Outcome

_ALLOWED = "default-src 'none'; style-src 'unsafe-inline'"
_WORDS = {"clear": "clear", "kept": "kept", "block": "blocked", "error": "error"}
_TICKED = re.compile(r"`([^`]+)`")
_SHORT = 24
"""Letters that a cell has room for on one line."""
_SIGNS = (
    "<code>+</code> new  <code>~</code> other version  <code>-</code> removed  "
    "<code>!</code> conda owns it, or refused"
)
_SHAPES = (
    "Round: what pip would install. Cut corners: conda's. "
    "Thick, and dashed arrows: what stands in the way."
)


def page(outcome: Outcome) -> str:
    """Give the document."""
    summary = summary_of(outcome)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_ALLOWED}">',
        f"<title>{escape(summary.command)}</title>",
        f"<style>{CSS}</style>\n</head>\n<body>\n<main>",
        *_body(outcome, summary),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _body(outcome: Outcome, summary: Summary) -> Iterator[str]:
    yield from verdict_card(summary)
    picture = picture_of(outcome)
    yield from ways_on(summary.by_conda, "First")
    yield from ways_on(summary.fixes)
    if picture is not None and (picture.plan.changes or picture.by_conda):
        yield "<h2>Changes</h2>"
        yield from changes_table(picture)
        yield f'<p class="dim">{_SIGNS}</p>'
    if picture is not None:
        yield from already_line(picture)
        yield from _drawing(picture)
    yield f'<p class="dim">{escape(summary.end)}</p>'


def verdict_card(summary: Summary) -> Iterator[str]:
    """Give the verdict and what is to be said of it, in lines of HTML."""
    tone = "good" if summary.verdict in ("clear", "kept") else "bad"
    code = f" [{escape(summary.code)}]" if summary.code else ""
    yield f'<section class="card {summary.verdict}">'
    yield f'<div class="verdict {tone}">{_WORDS[summary.verdict]}{code}</div>'
    yield f"<h1>{escape(summary.headline)}</h1>"
    if summary.command:
        yield f"<p><code>{escape(summary.command)}</code></p>"
    if summary.environment:
        yield f'<p class="dim">in {escape(summary.environment)}</p>'
    if summary.why:
        yield f"<p>{_marked(summary.why)}</p>"
    yield from _listed(summary.also)
    yield from _listed(summary.notes)
    yield "</section>"


def _listed(texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield f"<ul>{''.join(f'<li>{_marked(text)}</li>' for text in texts)}</ul>"


def _marked(text: str) -> str:
    """Give a sentence in which what stands in backticks is code."""
    return _TICKED.sub(r"<code>\1</code>", escape(text))


def ways_on(fixes: Sequence[Fix], head: str = "Ways on") -> Iterator[str]:
    """Give each way out with its command."""
    if fixes:
        yield f"<h2>{head}</h2>"
    for fix in fixes:
        lines = (clean(line, len(line) + 1) for line in fix.command.split("\n"))
        given = f"\n<pre>{escape(chr(10).join(lines))}</pre>" if fix.command else ""
        yield f"<p>{_marked(clean(fix.says))}</p>{given}"


def already_line(picture: Picture) -> Iterator[str]:
    """Give a line for what is there already."""
    if unchanged := picture.unchanged():
        yield f'<p class="dim"><code>=</code> {escape(already_there(unchanged))}</p>'


def changes_table(picture: Picture) -> Iterator[str]:
    """Give a row for each change."""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    yield f'<div class="wide"><table>\n<thead><tr><th></th>{heads}</tr></thead>\n<tbody>'
    for row in (*rows_by_conda(picture), *rows_of(picture)):
        kind = ' class="refused"' if row.refused else ""
        *cells, why = row.cells
        middle = "".join(map(_cell, cells))
        tone = " bad" if row.refused else ""
        start = f'<tr{kind}><td class="sign{tone}">{escape(row.sign)}</td>'
        yield f'{start}{middle}<td class="why">{escape(why)}</td></tr>'
    yield "</tbody></table></div>"


def _cell(text: str) -> str:
    kind = ' class="short"' if len(text) <= _SHORT else ""
    return f"<td{kind}>{escape(text)}</td>"


def _drawing(picture: Picture) -> Iterator[str]:
    graph = graph_of(picture)
    if not graph.is_worth_drawing:
        return
    yield f'<h2>What needs what</h2>\n<div class="wide">\n{svg(graph)}\n</div>'
    more = f" {count(graph.hidden, 'more change')} in the table only." if graph.hidden else ""
    yield f'<p class="dim">{_SHAPES}{more}</p>'
