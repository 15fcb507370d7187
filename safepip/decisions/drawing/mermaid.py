"""The picture of a plan in Mermaid's words, which code hosts draw. Pure.

Source: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safepip.decisions.drawing.graph import Box, Graph

_SHAPES = {
    "new": ("(", ")"),
    "changed": ("(", ")"),
    "conda": ("{{", "}}"),
    "refused": ("{{", "}}"),
    "holder": ("{{", "}}"),
}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,'")


def mermaid(graph: Graph) -> tuple[str, ...]:
    """Give the lines of the graph. No text of a package is part of the syntax.

    Nodes are numbered, and everything but letters, digits and a few signs is spelled as a code.
    """
    ids = {box.key: f"n{at}" for at, box in enumerate(graph.boxes)}
    edges = []
    for edge in graph.edges:
        arrow = "-.->" if edge.against else "-->"
        label = f'|"{_spelled(edge.label)}"|' if edge.label else ""
        edges.append(f"  {ids[edge.start]} {arrow}{label} {ids[edge.end]}")
    refused = [ids[box.key] for box in graph.boxes if box.look == "refused"]
    marked = [f"  style {each} stroke-width:4px" for each in refused]
    nodes = (f"  {ids[box.key]}{_shaped(box)}" for box in graph.boxes)
    return ("graph LR", *nodes, *edges, *marked)


def _shaped(box: Box) -> str:
    start, end = _SHAPES[box.look]
    return f'{start}"{"<br/>".join(map(_spelled, box.lines))}"{end}'


def _spelled(text: str) -> str:
    return "".join(letter if letter in _PLAIN else f"#{ord(letter)};" for letter in text)
