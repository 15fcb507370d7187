"""Who brought a file into an environment: the distribution whose list of files names it, if any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 64 * 1024 * 1024
_LISTS = (("*.dist-info/RECORD", ".."), ("*.egg-info/installed-files.txt", "."))
"""What a distribution says is its own, and the folder that this counts from, seen from the list."""


def brought_by(prefix: str, path: str) -> str:
    """Give the distribution that says that ``path`` is its own, as `name-version`; empty for none.

    ``path`` is below the prefix. The lists are searched for its text alone, which takes a few
    milliseconds for hundreds of them.
    """
    text = path.encode()
    for file, start in _lists(prefix):
        try:
            data = read_bytes(str(file), _LIMIT)
        except (OSError, ValueError):
            continue  # it names nothing that anybody could read
        if text in data and path in _named(data, os.path.join(file.parent, start), prefix):
            return shown(file.parent.name.rpartition(".")[0])
    return ""


def _lists(prefix: str) -> Iterator[tuple[Path, str]]:
    for library in Path(prefix).glob("lib/py*/site-packages"):
        for pattern, start in _LISTS:
            yield from ((file, start) for file in library.glob(pattern))


def _named(data: bytes, folder: str, prefix: str) -> Iterator[str]:
    """Give the paths below the prefix that a list names."""
    for line in data.splitlines():
        name = os.fsdecode(line).split(",")[0].strip('"')
        yield os.path.relpath(os.path.normpath(os.path.join(folder, name)), prefix)
