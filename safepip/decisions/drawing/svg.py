"""The picture of a plan as SVG, to stand in a page. Pure.

What a box is shows in its shape and in its words; colours come from the page, and add nothing.
Every text is escaped here.
"""

from __future__ import annotations

import itertools
from html import escape
from typing import TYPE_CHECKING

from safepip.decisions.drawing.placing import columns_of
from safepip.decisions.wording.layout import columns
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.decisions.drawing.graph import Box, Edge, Graph

# All in pixels.
_LETTER = 7.3
"""The width of a letter of the page's monospaced font at 12 pixels."""
_SMALL_LETTER = 6.7
"""The same at 11 pixels, for labels."""
_ARROW = 16
"""Kept free of labels, so that arrowheads and ends are seen."""
_LINE = 17
_PADDING = 12
_BETWEEN_ROWS = 18
_BETWEEN_COLUMNS = 56
_CORNER = 10
_MARGIN = 14
_SMALLEST = 0.85
"""How far a wide picture shrinks with its page, of 1: beyond that it is moved sideways."""

_MOST_LABELS = 6
"""With more edges than these, only those that matter have their bounds written on them."""
_LONGEST_LABEL = 26
_LONGEST_LINE = 44
_CLEAR = 4
"""How near to a box an edge may pass."""
_APART = 3
"""Between two edges that lead through one gap."""

_Point = tuple[float, float]
_Curve = tuple[_Point, _Point, _Point, _Point]
"""A cubic Bezier curve."""


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def svg(graph: Graph) -> str:
    """Give the picture as an element of HTML."""
    boxes = {box.key: box for box in graph.boxes}
    places = _placed(graph, boxes)
    width = max(p.x + p.width for p in places.values()) + _MARGIN
    height = max(p.y + p.height for p in places.values()) + _MARGIN
    gap = _gap(graph)
    head = (
        '<svg role="img" aria-labelledby="picture" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="min-width: {width * _SMALLEST:.0f}px">'
    )
    parts = [
        head,
        '<title id="picture">What the plan brings and what that needs</title>',
        *_markers(),
        *_lines(graph, places),
        *(_drawn(box, places[box.key]) for box in graph.boxes),
        *(_label(edge, places, gap) for edge in graph.edges if _is_labelled(edge, graph)),
        "</svg>",
    ]
    return "\n".join(parts)


def _placed(graph: Graph, boxes: dict[str, Box]) -> dict[str, _Place]:
    """Give every box its place; each column is as wide as its longest line."""
    stacks = columns_of(graph)
    tallest = max(sum(_height(boxes[key]) + _BETWEEN_ROWS for key in stack) for stack in stacks)
    gap = _gap(graph)
    places: dict[str, _Place] = {}
    x = float(_MARGIN)
    for stack in stacks:
        width = max(map(_width, (boxes[key] for key in stack)))
        taken = sum(_height(boxes[key]) + _BETWEEN_ROWS for key in stack)
        y = _MARGIN + (tallest - taken) / 2
        for key in stack:
            places[key] = _Place(x, y, width, _height(boxes[key]))
            y += _height(boxes[key]) + _BETWEEN_ROWS
        x += width + gap
    return places


def _gap(graph: Graph) -> float:
    labels = [_cut(e.label, _LONGEST_LABEL) for e in graph.edges if _is_labelled(e, graph)]
    return _BETWEEN_COLUMNS + max((columns(label) * _LETTER for label in labels), default=0.0)


def _is_labelled(edge: Edge, graph: Graph) -> bool:
    return bool(edge.label) and (edge.against or len(graph.edges) <= _MOST_LABELS)


def _height(box: Box) -> float:
    return _LINE * len(box.lines) + _PADDING


def _width(box: Box) -> float:
    longest = max(columns(_cut(line, _LONGEST_LINE)) for line in box.lines)
    return longest * _LETTER + 2 * _PADDING


def _markers() -> Iterator[str]:
    for name in ("arrow", "against"):
        yield (
            f'<marker id="{name}" class="{name}" viewBox="0 0 8 8" refX="8" refY="4" '
            'markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
            '<path d="M0 0 L8 4 L0 8 z"/></marker>'
        )


def _drawn(box: Box, place: _Place) -> str:
    texts = []
    for at, line in enumerate(box.lines):
        x, y = place.x + _PADDING, place.y + _PADDING / 2 + _LINE * (at + 0.75)
        kind = ' class="dim"' if at else ""
        text = escape(_cut(line, _LONGEST_LINE))
        texts.append(f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{text}</text>')
    said = escape("\n".join(box.lines))
    return (
        f'<g class="box {box.look}"><title>{said}</title>{_shape(box, place)}{"".join(texts)}</g>'
    )


def _shape(box: Box, place: _Place) -> str:
    """Give the outline: round for what is new, cut corners for what is conda's."""
    x, y, width, height = place.x, place.y, place.width, place.height
    if box.look in ("new", "changed"):
        return (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{_CORNER}"/>'
        )
    c = _CORNER * 0.8
    points = (
        *((x + c, y), (x + width - c, y), (x + width, y + c), (x + width, y + height - c)),
        *((x + width - c, y + height), (x + c, y + height), (x, y + height - c), (x, y + c)),
    )
    return f'<polygon points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>'


def _ends(edge: Edge, places: dict[str, _Place]) -> tuple[float, float, float, float]:
    """Give where the edge leaves one box and reaches the other."""
    start, end = places[edge.start], places[edge.end]
    if start.x < end.x:
        return start.x + start.width, start.middle, end.x, end.middle
    if start.x > end.x:
        return start.x, start.middle, end.x + end.width, end.middle
    return start.x + start.width, start.middle, end.x + end.width, end.middle


def _curve(edge: Edge, places: dict[str, _Place]) -> _Curve:
    """Give the four points of the edge as a cubic Bezier curve, which is level at both ends."""
    x1, y1, x2, y2 = _ends(edge, places)
    bend = max(abs(x2 - x1) / 2, _BETWEEN_COLUMNS / 2)
    out = bend if x2 >= x1 else -bend
    into = -out if places[edge.start].x != places[edge.end].x else out
    return (x1, y1), (x1 + out, y1), (x2 + into, y2), (x2, y2)


def _lines(graph: Graph, places: dict[str, _Place]) -> Iterator[str]:
    """Give the edges; what leads past a column of boxes goes between two of them."""
    taken: dict[tuple[float, float], int] = {}
    for edge in graph.edges:
        path = _path(_route(edge, places, taken))
        kind = "against" if edge.against else "arrow"
        yield (
            f'<path class="edge {kind}" marker-end="url(#{kind})" d="{path}">'
            f"<title>{escape(edge.label)}</title></path>"
        )


def _path(curves: Sequence[_Curve]) -> str:
    start, *_ = curves[0]
    parts = [f"M{start[0]:.1f} {start[1]:.1f}"]
    for _, *others in curves:
        parts.append("C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in others))
    return " ".join(parts)


def _route(
    edge: Edge, places: dict[str, _Place], taken: dict[tuple[float, float], int]
) -> tuple[_Curve, ...]:
    """Give the curves of an edge, from gap to gap; ``taken`` counts what leads through each.

    Within a column the curve is level, so that it keeps clear of the boxes above and below.
    """
    x1, y1, x2, y2 = _ends(edge, places)
    if x2 < x1 or places[edge.start].x == places[edge.end].x:
        return (_curve(edge, places),)
    stations = [(x1, y1)]
    columns_between = sorted({p.x for p in places.values() if x1 < p.x and p.x + p.width < x2})
    for x in columns_between:
        stack = sorted((p for p in places.values() if p.x == x), key=lambda p: p.y)
        straight = y1 + (y2 - y1) * (x - x1) / (x2 - x1)
        gaps = [stack[0].y - _BETWEEN_ROWS / 2]
        gaps += [p.y + p.height + _BETWEEN_ROWS / 2 for p in stack]
        if all(not p.y - _CLEAR < straight < p.y + p.height + _CLEAR for p in stack):
            gap = straight  # nothing is in the way
        else:
            gap = min(gaps, key=lambda y: abs(y - straight))
            number = taken[x, gap] = taken.get((x, gap), -1) + 1
            gap += _APART * ((number + 1) // 2) * (1 if number % 2 else -1)
        stations += [(x, gap), (x + max(p.width for p in stack), gap)]
    stations.append((x2, y2))
    return tuple(_level(*one, *two) for one, two in itertools.pairwise(stations))


def _level(x1: float, y1: float, x2: float, y2: float) -> _Curve:
    """Give a curve between two points that is level at both."""
    middle = (x1 + x2) / 2
    return (x1, y1), (middle, y1), (middle, y2), (x2, y2)


def _label(edge: Edge, places: dict[str, _Place], gap: float) -> str:
    """Give the bounds, on the edge and where no box is.

    At the end before the next column, or at the start of an edge that leads to the left: edges
    meet at the other.
    """
    text = _cut(edge.label, _LONGEST_LABEL)
    curve = _route(edge, places, {})[0]
    (x1, _), (x2, _) = curve[0], curve[3]
    right = min(x1 + gap, x2) - _ARROW if x2 >= x1 else x1 - _ARROW
    y = _point(curve, _when(curve, right - columns(text) * _SMALL_LETTER / 2))[1]
    kind = " against" if edge.against else ""
    return f'<text class="label{kind}" x="{right:.1f}" y="{y + 3.5:.1f}">{escape(text)}</text>'


def _when(curve: tuple[tuple[float, float], ...], x: float) -> float:
    """Give the parameter at which the curve is over ``x``, towards which it goes steadily."""
    low, high = 0.0, 1.0
    rightwards = curve[3][0] >= curve[0][0]
    for _ in range(20):
        middle = (low + high) / 2
        if (_point(curve, middle)[0] < x) == rightwards:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _point(curve: tuple[tuple[float, float], ...], t: float) -> tuple[float, float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return (
        sum(w * x for w, (x, _) in zip(weights, curve, strict=True)),
        sum(w * y for w, (_, y) in zip(weights, curve, strict=True)),
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
