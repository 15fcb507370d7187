"""Lines of a RECORD, by what they name: so that they can be taken out of it by their text."""

from __future__ import annotations

import csv
import os
import re
from itertools import groupby
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.effects.removals import RECORD_BYTES, beside, named_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from safepip.values.environment import Distribution

_MOST_PATTERNS = 20
"""As many as can be pasted."""
_MOST_LETTERS = 4000
_SPECIAL = re.compile(r"[\\.\[*^$/]")
"""What is not itself in a basic regular expression, and the sign that it ends with here."""


def record_of(distribution: Distribution) -> str:
    """Give the path of its RECORD, whether it is there or not."""
    return f"{distribution.metadata_path}/RECORD"


def script_without(distribution: Distribution, paths: Collection[str]) -> str:
    """Give what has `sed` take the lines out of a RECORD that have pip remove these paths.

    By what stands in them, and not by their numbers: a second time it does nothing.
    Empty where that cannot be said of whole lines, or is too long to be pasted.
    """
    left = set(paths)
    named: set[int] = set()
    try:
        lines = read_bytes(record_of(distribution), RECORD_BYTES).decode().split("\n")
        rows = csv.reader(lines, strict=True)
        for number, row in enumerate(rows, 1):
            if number != rows.line_num:
                return ""
            removed = set(_removed_by(distribution, row[0])) if row else set()
            if not removed.isdisjoint(paths):
                named.add(number - 1)
                left -= removed
    except (OSError, ValueError, csv.Error):
        return ""
    patterns = list(dict.fromkeys(_patterns(lines, named)))
    script = ";".join(f"/^{pattern}/d" for pattern in patterns)
    too_long = len(patterns) > _MOST_PATTERNS or len(script) > _MOST_LETTERS
    return "" if left or too_long else script


def _removed_by(distribution: Distribution, entry: str) -> Iterator[str]:
    return map(named_whole, beside(distribution, entry))


def _patterns(lines: Sequence[str], named: Collection[int]) -> Iterator[str]:
    """Give how the named lines begin, a run of them in one where no other line begins so."""
    others = [line for at, line in enumerate(lines) if at not in named]
    for is_named, run in groupby(range(len(lines)), named.__contains__):
        if is_named:
            texts = [lines[at].rstrip("\r") for at in run]
            start = os.path.commonprefix(texts)  # noqa: RUF071 - of lines, letter by letter
            found = [start] if start and not _begins(others, start) else texts
            for text in dict.fromkeys(found):
                end = "$" if _begins(others, text) else ""
                yield _SPECIAL.sub(r"\\\g<0>", text) + end


def _begins(lines: Sequence[str], start: str) -> bool:
    return any(line.startswith(start) for line in lines)
