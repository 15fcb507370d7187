"""Where the boxes of a graph stand: in columns from left to right, as things need each other. Pure.

1. Edges that close a circle are left out of the reckoning.
2. A box stands one column behind the last of those that need it. A conda package that needs what
   would change stands behind it, since it is why that may not be.
3. Within a column, boxes stand as high as what they hang on, so that few edges cross.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.drawing.graph import Graph


def columns_of(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Give the keys of the boxes, column by column and from top to bottom."""
    needed = _without_circles(_followers(graph))
    depth = _depths([box.key for box in graph.boxes], needed)
    columns: dict[int, list[str]] = defaultdict(list)
    for box in graph.boxes:
        columns[depth[box.key]].append(box.key)
    place: dict[str, float] = {}
    for at in sorted(columns):
        above = {key: _height(key, needed, place) for key in columns[at]}
        columns[at].sort(key=lambda key, above=above: above[key])  # type: ignore[misc]
        place.update({key: float(row) for row, key in enumerate(columns[at])})
    return tuple(tuple(columns[at]) for at in sorted(columns))


def _followers(graph: Graph) -> dict[str, list[str]]:
    """Give for each box those that stand behind it."""
    look = {box.key: box.look for box in graph.boxes}
    found: dict[str, list[str]] = {box.key: [] for box in graph.boxes}
    for edge in graph.edges:
        pair = (edge.start, edge.end)
        first, second = pair if look[edge.start] != "holder" else pair[::-1]
        found[first].append(second)
    return found


def _without_circles(followers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Leave out each edge that leads back to a box on the way to it."""
    kept: dict[str, list[str]] = {key: [] for key in followers}
    done: set[str] = set()
    for root in followers:
        # Without recursion: a chain of requirements may be longer than Python's stack.
        path: list[tuple[str, list[str]]] = [(root, list(followers[root]))]
        on_path = {root}
        while path:
            key, left = path[-1]
            if key in done or not left:
                done.add(key)
                on_path.discard(key)
                path.pop()
                continue
            following = left.pop(0)
            if following not in on_path:
                kept[key].append(following)
                if following not in done:
                    on_path.add(following)
                    path.append((following, list(followers[following])))
    return kept


def _depths(keys: Sequence[str], followers: Mapping[str, Sequence[str]]) -> dict[str, int]:
    depth = dict.fromkeys(keys, 0)
    waiting = dict.fromkeys(keys, 0)
    for key in keys:
        for following in followers[key]:
            waiting[following] += 1
    ready = [key for key in keys if not waiting[key]]
    for key in ready:
        for following in followers[key]:
            depth[following] = max(depth[following], depth[key] + 1)
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    return depth


def _height(key: str, followers: Mapping[str, Sequence[str]], place: Mapping[str, float]) -> float:
    """Give the mean height of what a box hangs on."""
    rows = [place[other] for other, below in followers.items() if key in below and other in place]
    return sum(rows) / len(rows) if rows else 0.0
