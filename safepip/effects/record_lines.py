"""Lines of a RECORD, by what they name: so that they can be taken out of it by their numbers."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.effects.removals import RECORD_BYTES, beside, named_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from safepip.values.environment import Distribution

_MOST_RANGES = 20
"""As many as can be pasted."""


def record_of(distribution: Distribution) -> str:
    """Give the path of its RECORD, whether it is there or not."""
    return f"{distribution.metadata_path}/RECORD"


def script_without(distribution: Distribution, paths: Collection[str]) -> str:
    """Give what has `sed` take the lines out of a RECORD that have pip remove these paths.

    Empty where that cannot be said by the numbers of lines, or is too long to be pasted.
    """
    left = set(paths)
    numbers = []
    try:
        lines = read_bytes(record_of(distribution), RECORD_BYTES).decode().split("\n")
        rows = csv.reader(lines, strict=True)
        for number, row in enumerate(rows, 1):
            if number != rows.line_num:
                return ""
            removed = set(_removed_by(distribution, row[0])) if row else set()
            if not removed.isdisjoint(paths):
                numbers.append(number)
                left -= removed
    except (OSError, ValueError, csv.Error):
        return ""
    ranges = list(_ranges(numbers))
    return "" if left or len(ranges) > _MOST_RANGES else ";".join(ranges)


def _removed_by(distribution: Distribution, entry: str) -> Iterator[str]:
    return map(named_whole, beside(distribution, entry))


def _ranges(numbers: Collection[int]) -> Iterator[str]:
    """Give commands that delete these lines, a run of them by one; the numbers are in order."""
    first = last = 0
    for number in (*numbers, 0):
        if last and number != last + 1:
            yield f"{first}d" if first == last else f"{first},{last}d"
        first, last = (first if last and number == last + 1 else number), number
