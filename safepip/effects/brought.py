"""Whether a file of an environment may have come with a distribution, by the lists of their files.

That a list names a file proves nothing: any wheel can name what was there before it. So it says no
more than that nobody can tell whose the file is; and a list that cannot be read may name any.
"""

from __future__ import annotations

import os
from glob import escape, iglob
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.values.text import folded, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 64 * 1024 * 1024
_LISTS = {".dist-info": ("RECORD", ".."), ".egg-info": ("installed-files.txt", ".")}
"""What a distribution says is its own, and the folder that this counts from, seen from the list."""


def why_suspect(prefix: str, path: str) -> str:
    """Say why a file may have come with a distribution; empty where none can have brought it.

    ``path`` is below the prefix. The lists are searched for its name first, which takes a few
    milliseconds for hundreds of them.
    """
    unread = ""
    for file, start in _lists(prefix):
        try:
            data = read_bytes(file, _LIMIT)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it has no list
        except (OSError, ValueError):
            unread = unread or f"`{shown(file)}`, which may list it, cannot be read"
            continue
        if _names(data, os.path.join(os.path.dirname(file), start), prefix, path):
            name = os.path.basename(os.path.dirname(file)).rpartition(".")[0]
            return f"{shown(name)} lists it as its own"
    return unread


def _lists(prefix: str) -> Iterator[tuple[str, str]]:
    """Give where lists may be; a folder itself where nobody can say what is in it."""
    for library in iglob(f"{escape(prefix)}/lib/py*/site-packages"):
        try:
            found = os.listdir(library)
        except OSError:
            yield library, "."
            continue
        for name in found:
            if listed := _LISTS.get(os.path.splitext(name)[1]):
                yield f"{library}/{name}/{listed[0]}", listed[1]


def _names(data: bytes, folder: str, prefix: str, path: str) -> bool:
    """Say whether a list names the path, for a disk that does not tell upper from lower case."""
    # A row may spell the way to the name differently (`etc/./…`), but not the name.
    if data.isascii() and folded(os.path.basename(path)).encode() not in data.lower():
        return False
    start, wanted = folded(folder), folded(f"{prefix}/{path}")
    rows = (folded(os.fsdecode(line)).split(",")[0].strip('"') for line in data.splitlines())
    return any(os.path.normpath(os.path.join(start, row)) == wanted for row in rows)
