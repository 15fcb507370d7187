"""Lines of text that know which of their parts mean what, wrapped to a width. Pure.

How a style looks, and what stands for a sign that a terminal cannot show, is the door's business.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

from safepip.values.late import dataclass
from safepip.values.text import shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Style = Literal["", "error", "good", "note", "label", "dim", "add", "change", "refuse", "command"]


@dataclass(frozen=True)
class Span:
    """A part of a line, in one style."""

    text: str
    style: Style = ""


@dataclass(frozen=True)
class Line:
    """One line of a message."""

    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True)
class Node:
    """A branch of a tree."""

    label: tuple[Span, ...]
    children: tuple[Node, ...] = ()


def clean(text: object, limit: int = 300) -> str:
    """Give text from elsewhere without secrets and without what a terminal would obey."""
    return shown(without_secrets(str(text)), limit)


def command(text: str, indent: int = 0) -> tuple[Line, ...]:
    """Give a command alone on its line, or its lines, never cut or wrapped."""
    return tuple(
        Line((Span(" " * indent), Span(clean(line, len(line) + 1), "command")))
        for line in text.split("\n")
    )


def paragraph(
    spans: Sequence[Span], width: int, *, start: Sequence[Span] = (), indent: int = 0
) -> tuple[Line, ...]:
    """Wrap spans at spaces; the first line begins with ``start``, the others are indented.

    A word that is longer than the width stands whole on a line of its own.
    """
    lines: list[list[Span]] = [list(start)]
    room = width - columns("".join(span.text for span in start))
    empty = True
    gap = ""
    for span in spans:
        for token in re.findall(r" +|[^ ]+", span.text):
            if token[0] == " ":
                gap = token
                continue
            if not empty and columns(gap + token) > room:
                lines.append([Span(" " * indent)] if indent else [])
                room, gap = width - indent, ""
            elif empty:
                gap = ""
            lines[-1].append(Span(gap + token, span.style))
            room -= columns(gap + token)
            empty, gap = False, ""
    return tuple(Line(_joined(line)) for line in lines)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Put neighbours of one style together."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].style == span.style:
            joined[-1] = Span(joined[-1].text + span.text, span.style)
        elif span.text:
            joined.append(span)
    return tuple(joined)


def drawn(node: Node, width: int) -> tuple[Line, ...]:
    """Draw a tree, the root without a branch."""
    return (*paragraph(node.label, width, indent=2), *_branches(node, width, ""))


def _branches(node: Node, width: int, before: str) -> tuple[Line, ...]:
    lines: list[Line] = []
    for child in node.children:
        is_last = child is node.children[-1]
        start = before + ("└── " if is_last else "├── ")
        below = before + ("    " if is_last else "│   ")
        head, *others = paragraph(child.label, width - len(start))
        inner = below + ("│   " if child.children else "    ")
        lines.append(Line((Span(start, "dim"), *head.spans)))
        lines += [Line((Span(inner, "dim"), *line.spans)) for line in others]
        lines += _branches(child, width, below)
    return tuple(lines)


def columns(text: str) -> int:
    """Give the width of the text on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
