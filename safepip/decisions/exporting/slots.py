"""Lists with comments, and putting new entries into them so that no comment is lost. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Slot:
    """One entry of a list."""

    key: str
    """What it is about; empty for what is to stay whatever it is."""
    value: Any
    comment: str = ""
    """What stands behind it on its line, from the `#`."""
    below: str = ""
    """Comments and empty lines between it and the next, each line with its end."""
    column: int = 0
    """Where the comment begins."""


@dataclass(frozen=True)
class Slots:
    """A list with what stands above its first entry."""

    above: str
    entries: tuple[Slot, ...]


def updated(old: Slots, new: Mapping[str, Slot]) -> Slots:
    """Give a list with exactly the new entries, and those of the old that have no key.

    An entry that was there keeps place and comment; what is new comes behind the last such one.
    Comments below an entry that goes stay where they are.
    """
    above, kept, seen = old.above, list[Slot](), set[str]()
    for slot in old.entries:
        wanted = new.get(slot.key) if slot.key not in seen else None
        wanted = wanted if slot.key else slot
        seen.add(slot.key)
        if wanted is not None:
            is_same = wanted is slot or wanted.value == slot.value
            kept.append(slot if is_same else _changed(slot, wanted))
        elif kept:
            kept[-1] = replace(kept[-1], below=_joined(kept[-1].below, slot.below))
        else:
            above = _joined(above, slot.below)
    there = {slot.key for slot in kept}
    added = [slot for key, slot in new.items() if key not in there]
    at = max((i for i, slot in enumerate(kept, 1) if slot.key), default=0)
    if at and added:  # what stands below the last entry leads to what comes behind it
        added[-1] = replace(added[-1], below=kept[at - 1].below)
        kept[at - 1] = replace(kept[at - 1], below="")
    return Slots(above, (*kept[:at], *added, *kept[at:]))


def _changed(slot: Slot, wanted: Slot) -> Slot:
    return replace(slot, value=wanted.value, comment=wanted.comment or slot.comment)


def _joined(before: str, more: str) -> str:
    """Put comments together; an empty line between entries is not one of two."""
    return before if not more.strip() and before.endswith("\n\n") else before + more
