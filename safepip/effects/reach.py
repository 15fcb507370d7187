"""Who can start this very safepip: others may use an environment, and not see into this home."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.effects.itself import own_command, own_package
from safepip.effects.opened import read_bytes
from safepip.values.guarding import SHIMS

if TYPE_CHECKING:
    from collections.abc import Iterable


_LIMIT = 1024 * 1024


def closed_to_others(prefix: str) -> str:
    """Give what keeps other users of an environment from starting this safepip; empty for nothing.

    Whether they can is told by the bits of the files alone. An environment in the home of whoever
    asks is taken for nobody else's, however open the home is.
    """
    home = os.path.realpath(os.path.expanduser("~"))
    if f"{prefix}/".startswith(f"{home}/") or first_closed([prefix]):
        return ""
    # A virtual environment's Python is a link to another, which has the standard library.
    return first_closed([*own_command()[:1], own_package(), sys.executable, os.__file__])


def is_in_shims(prefix: str) -> bool:
    """Say whether it is this very safepip that the shims of an environment start."""
    try:
        text = read_bytes(f"{prefix}/{SHIMS}/pip", _LIMIT)
    except (OSError, ValueError):
        return False
    return os.fsencode(f"\npackage={shlex.quote(own_package())}\n") in text


def first_closed(paths: Iterable[str]) -> str:
    """Give the first file or folder that others may not read, on the way to these, through links.

    A folder on the way need only let them pass.
    """
    for path in paths:
        real = Path(os.path.realpath(path))
        for folder in (*reversed(Path(os.path.abspath(path)).parents), *reversed(real.parents)):
            if not _allows(folder, stat.S_IXOTH):
                return str(folder)
        if not _allows(real, stat.S_IROTH | (stat.S_IXOTH if real.is_dir() else 0)):
            return str(real)
    return ""


def _allows(path: Path, bits: int) -> bool:
    try:
        return path.stat().st_mode & bits == bits
    except OSError:
        return False
