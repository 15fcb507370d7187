"""Opening files that anybody may have made: never one that has no end, or that nobody writes to."""

from __future__ import annotations

import os
import stat

from safepip.values.light import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO


class UnfitFile(ValueError):
    """A file that is not read at all: too large, or a pipe, which would be waited for."""

    def __init__(self, found: os.stat_result, limit: int | None) -> None:
        too_large = f"its {found.st_size} bytes are more than {limit}"
        is_file = stat.S_ISREG(found.st_mode)
        super().__init__(too_large if is_file else "it is not a regular file")
        self.is_folder = stat.S_ISDIR(found.st_mode)


def opened(path: str, limit: int | None = None) -> FileIO:
    """Open a regular file of at most ``limit`` bytes for reading, without buffer.

    What is looked at is what was opened: another may lie at the path by then.

    Raises: OSError; ValueError, where it is none, or too large, or the path has a zero in it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or (limit is not None and found.st_size > limit):
        os.close(handle)
        raise UnfitFile(found, limit)
    return open(handle, "rb", buffering=0)


def read_bytes(path: str, limit: int) -> bytes:
    """Give what is in a regular file of at most ``limit`` bytes.

    Raises: OSError; ValueError.
    """
    with opened(path, limit) as file:
        return file.readall() or b""
