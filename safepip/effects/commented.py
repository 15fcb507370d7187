"""Lists of ruamel.yaml with their comments as values, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.slots import Slot, Slots

if TYPE_CHECKING:
    from collections.abc import Callable

_GAP = 2
"""Spaces before a comment of safepip's."""


def slots_of(sequence: Any, key_of: Callable[[Any], str]) -> Slots:  # noqa: ANN401 - it is YAML
    """Give the entries of a list, each with the comments behind and below it."""
    comments = sequence.ca.items
    entries = []
    for at, value in enumerate(sequence):
        token = (comments.get(at) or [None])[0]
        comment = comment_at(sequence, at)
        _, end, below = (token.value if token is not None else "").partition("\n")
        column = token.start_mark.column if token is not None and comment else 0
        entries.append(Slot(key_of(value), value, comment, below if end else "", column))
    return Slots("", tuple(entries))


def put(sequence: Any, slots: Slots) -> None:  # noqa: ANN401 - as above
    """Have a list hold these entries with their comments."""
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    sequence[:] = []
    sequence.ca.items.clear()
    for at, slot in enumerate(slots.entries):
        sequence.append(slot.value)
        if isinstance(slot.value, dict):
            _put_below(slot.value, slot.below)
            continue
        if not (slot.comment or slot.below):
            continue
        column = slot.column or _GAP + len(str(slot.value))
        token = CommentToken(f"{slot.comment}\n{slot.below}", CommentMark(column), None)
        sequence.ca.items[at] = [token, None, None, None]
    if slots.above.strip():
        _put_above(sequence, slots.above)


def _put_below(mapping: Any, text: str) -> None:  # noqa: ANN401 - as above
    """Put comments below a mapping: they belong to the last entry of the list that ends it."""
    inner = next(reversed(list(mapping.values())), None)
    if text and isinstance(inner, list) and inner:
        old = slots_of(inner, lambda _: "")
        *before, last = old.entries
        put(inner, Slots("", (*before, replace(last, below=last.below + text))))


def _put_above(sequence: Any, text: str) -> None:  # noqa: ANN401 - as above
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tokens = [CommentToken(f"{line}\n", CommentMark(0), None) for line in lines]
    there = sequence.ca.comment
    if there is not None and there[1]:
        there[1].extend(tokens)  # in place: what the list is in has the same
    else:
        sequence.ca.comment = [None, tokens]


def line_at(found: Any, key: Any) -> int:  # noqa: ANN401 - as above
    """Give the number of the line, from 1, of an entry of a list or a key of a mapping; 0 for none.

    What comes by a merge of YAML stands in another mapping.
    """
    is_mapping = isinstance(found, dict)
    try:
        place = found.lc.key(key) if is_mapping else found.lc.item(key)
    except (AttributeError, KeyError, TypeError):
        return 0
    return int(place[0]) + 1


def comment_at(sequence: Any, at: int) -> str:  # noqa: ANN401 - as above
    """Give the comment behind an entry of a list, from the `#`; empty where it has none."""
    tokens = sequence.ca.items.get(at) if hasattr(sequence, "ca") else None
    text = tokens[0].value if tokens and tokens[0] is not None else ""
    first = text.partition("\n")[0]
    return first if first.startswith("#") else ""
