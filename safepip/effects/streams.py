"""The user's streams, and what was kept from them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a quiet process wrote: one file, where the user has both streams in one place."""

    out: Path
    err: Path

    @property
    def text(self) -> str:
        """Everything, for a program to look at."""
        paths = dict.fromkeys((self.out, self.err))
        return "".join(path.read_text("utf-8", "replace") for path in paths)


def hide(notice: bytes, said: Said) -> None:
    """Take lines with a notice out of what a quiet process said."""
    for path in {said.out, said.err}:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if notice not in line))


def is_terminal(handle: int) -> bool:
    """Say whether a person may sit at the other end."""
    try:
        return os.isatty(handle)
    except OSError:
        return False


def is_one_place() -> bool:
    """Say whether stdout and stderr are one file or terminal, in which their order shows."""
    try:
        return os.path.samestat(os.fstat(1), os.fstat(2))
    except OSError:
        return False


def width() -> Mapping[str, str]:
    """Give the width of the user's terminal to a process that does not see it."""
    try:
        return {"COLUMNS": str(os.get_terminal_size(1).columns)}
    except OSError:
        return {}
