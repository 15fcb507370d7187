"""How a command ended, as a card for notebooks: as text, as HTML, and as data. Pure.

A notebook is read in many clients, some of which take away what they do not trust. So the HTML is
that of the page, but with all styles at its tags and no colours of paper; and the text is good by
itself.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from html import escape
from typing import TYPE_CHECKING, Any

from safepip.decisions.drawing.page import already_line, changes_table, verdict_card, ways_on
from safepip.decisions.drawing.summary import UNBROKEN, Summary, summary_of, summary_of_error
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.wording.as_json import as_json, as_json_error
from safepip.decisions.wording.layout import Line, Span, command
from safepip.decisions.wording.message import error_message, message
from safepip.decisions.wording.phrases import count, versions
from safepip.decisions.wording.picture import picture_of
from safepip.values.exits import Exit
from safepip.values.late import dataclass
from safepip.values.text import in_notebook
from safepip.values.verdict import Clear, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.decisions.wording.picture import Picture
    from safepip.values.environment import Environment
    from safepip.values.errors import SafepipError
    from safepip.values.plan import Change
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome

_FEW_ROWS = 12
"""Rows of a table that is open from the start."""

# Every client has light and dark themes, and a client's own rules for tables and code are for
# other tables: so each tag says what it needs, and colours are those that both papers bear.
_GOOD, _BAD, _LINE = "#1f9d55", "#e0483e", "#8886"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"
_CELL = f"text-align:left;vertical-align:top;padding:2px 12px 2px 0;border-bottom:1px solid {_LINE}"
_OF_TAGS = {
    "section": f"padding:2px 0 2px 12px;border-left:4px solid {_LINE};margin:2px 0 8px",
    "h1": "font-size:1.1em;font-weight:600;margin:2px 0;overflow-wrap:anywhere",
    "h2": "font-size:1em;font-weight:600;margin:10px 0 4px",
    "p": "margin:4px 0;overflow-wrap:anywhere",
    "ul": "margin:4px 0;padding-left:20px",
    "code": _MONO,
    "pre": f"{_MONO};margin:2px 0 8px;padding:4px 8px;border:1px solid {_LINE};border-radius:4px;"
    "white-space:pre-wrap;overflow-wrap:anywhere",
    "details": "margin:8px 0",
    "summary": "cursor:pointer;font-weight:600",
    "table": "border-collapse:collapse;margin:4px 0",
    "th": f"{_CELL};font-weight:600",
    "td": _CELL,
}
_OF_CLASSES = {
    "clear": f"border-left-color:{_GOOD}",
    "kept": f"border-left-color:{_GOOD}",
    "block": f"border-left:6px double {_BAD}",
    "error": f"border-left:6px double {_BAD}",
    "verdict": "font-weight:700;text-transform:uppercase;letter-spacing:.05em;font-size:.8em",
    "good": f"color:{_GOOD}",
    "bad": f"color:{_BAD}",
    "dim": "opacity:.75",
    "wide": "overflow-x:auto",
    "sign": f"font-weight:700;{_MONO}",
    "short": "white-space:nowrap",
    "refused": "font-weight:600",
}
_TAG = re.compile(r'<([a-z0-9]+)((?: [a-z]+="[^"]*")*)>')
_CLASS = re.compile(r' class="([^"]*)"')


@dataclass(frozen=True)
class Card:
    """How a command ended, in all forms in which a notebook may want it."""

    exit_code: int
    head: tuple[Line, ...] = ()
    """The one line for whoever looks at the output alone; empty where there is nothing to say."""
    lines: tuple[Line, ...] = ()
    """All of it."""
    html: str = ""
    plan: dict[str, Any] = field(default_factory=dict)
    """The object that `--json` prints."""
    changes: tuple[dict[str, Any], ...] = ()
    """What was there before and is changed, with the modules that may be imported by now."""

    def told(self) -> dict[str, Any]:
        """Give what is written for the notebook."""
        return {
            "exit_code": int(self.exit_code),
            "line": in_notebook("".join(line.text for line in self.head)) or self._of_pip(),
            "text": in_notebook("".join(f"{line.text.rstrip()}\n" for line in self.lines)),
            "html": in_notebook(self.html),
            "plan": self.plan,
            "changes": list(self.changes),
        }

    def _of_pip(self) -> str:
        """Say what is left to be said where pip has said what went wrong."""
        return f"pip ended with exit code {int(self.exit_code)}" if self.exit_code else ""


def card_of(outcome: Outcome) -> Card:
    """Give the card of a guarded command; an empty one where it would have said nothing."""
    said = message(outcome, width=UNBROKEN)
    changes = tuple(_changes(outcome)) if outcome.acted else ()
    if not said:
        return Card(outcome.exit_code, changes=changes)
    way_back = _way_back(outcome)
    # What is clear says little on a terminal, where the plan can be had by `plan`.
    is_clear = outcome.exit_code == Exit.DONE and isinstance(outcome.verdict, Clear | Kept)
    lines = message(replace(outcome, verb="plan") if is_clear else outcome)
    if way_back:
        lines = (*lines, Line(), Line((Span("to take it back:"),)), *command(way_back, 2))
    html = _html(summary_of(outcome), picture_of(outcome), way_back)
    return Card(outcome.exit_code, said[:1], lines, html, as_json(outcome), changes)


def card_of_error(error: SafepipError, *, verb: str, target: Target | None = None) -> Card:
    """Give the card of a command that safepip could not carry out."""
    return Card(
        error.exit,
        error_message(error, verb=verb, width=UNBROKEN)[:1],
        error_message(error, verb=verb),
        _html(summary_of_error(error, verb), None, ""),
        as_json_error(error, target=target),
    )


def _way_back(outcome: Outcome) -> str:
    """Give the command that takes a change back; empty where there is nothing to take back."""
    if not outcome.undo or outcome.exit_code != Exit.DONE or outcome.target is None:
        return ""
    return shell_of(outcome.target).safepip(("undo", outcome.undo))


def _changes(outcome: Outcome) -> Iterator[dict[str, Any]]:
    if outcome.verdict is None or outcome.environment is None:
        return
    for change in outcome.verdict.plan.changes:
        if change.before is not None:
            says = versions(change)
            yield {
                "name": change.name,
                "says": f"{says}, removed" if change.after is None else says,
                "action": change.action,
                "modules": _modules(change, outcome.environment),
            }


def _modules(change: Change, environment: Environment) -> list[str]:
    """Give the names in Python's library folders that the change writes or takes away."""
    interpreter = environment.interpreter
    roots = tuple(f"{root}/" for root in {interpreter.purelib, interpreter.platlib})
    paths = (*change.removes, *(file.path for file in change.files if file.kind == "module"))
    inside = (path[len(root) :] for path in paths for root in roots if path.startswith(root))
    names = (path.partition("/")[0].partition(".")[0] for path in inside)
    return sorted({name for name in names if name.isidentifier() and name != "__pycache__"})


def _html(summary: Summary, picture: Picture | None, way_back: str) -> str:
    return _inlined("\n".join(_parts(summary, picture, way_back)))


def _parts(summary: Summary, picture: Picture | None, way_back: str) -> Iterator[str]:
    yield from verdict_card(replace(summary, command=""))  # it stands in the cell above
    yield from ways_on(summary.by_conda, "First")
    yield from ways_on(summary.fixes)
    number = len((*picture.by_conda, *picture.plan.changes)) if picture is not None else 0
    if picture is not None and number:
        planned = ", as planned" if summary.end else ""  # which says in which state things are
        is_open = ' open="open"' if number <= _FEW_ROWS else ""
        yield f"<details{is_open}><summary>{count(number, 'change')}{planned}</summary>"
        yield from changes_table(picture)
        yield "</details>"
    if picture is not None:
        yield from already_line(picture)
    if way_back:
        yield f'<p class="dim">to take it back: <code>{escape(way_back)}</code></p>'
    if summary.end:
        yield f'<p class="dim">{escape(summary.end)}</p>'


def _inlined(html: str) -> str:
    """Give the HTML with the style of each tag at the tag.

    Headings become plain blocks: clients put those into tables of contents.
    """
    for name in ("h1", "h2", "section"):
        html = html.replace(f"</{name}>", "</div>")
    return _TAG.sub(_styled, html)


def _styled(tag: re.Match[str]) -> str:
    name, attributes = tag.groups()
    found = _CLASS.search(attributes)
    styles = [_OF_TAGS.get(name, "")]
    styles += [_OF_CLASSES.get(word, "") for word in (found[1].split() if found else ())]
    style = ";".join(filter(None, styles))
    rest = _CLASS.sub("", attributes)
    shown = "div" if name in ("h1", "h2", "section") else name
    return f'<{shown}{rest} style="{escape(style)}">' if style else f"<{shown}{rest}>"
