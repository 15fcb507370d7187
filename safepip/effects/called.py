"""How this very safepip is called from a shell.

Light: calls that only become pip pass here, too.
"""

from __future__ import annotations

import os
import sys

from safepip.effects.prefixes import programs_on_path
from safepip.values.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "safepip"


def own_scripts() -> Iterator[str]:
    """Give the scripts that start this very safepip, the likeliest first; none for `-m` alone."""
    beside = os.path.join(os.path.dirname(sys.executable), NAME)
    for script in (beside, os.path.abspath(sys.argv[0])):
        is_command = os.path.basename(script) == NAME and os.access(script, os.X_OK)
        if is_command and os.path.isfile(script):
            yield script


def words_to_type(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the words that start this very safepip in the shell that it was called from.

    That is its name where this is the first on `PATH`. It is not where it lives in conda's base,
    which leaves `PATH` with the activation of another environment, or where `python -m safepip`
    is called by the path of a Python.
    """
    own = list(own_scripts())
    found = next(programs_on_path(NAME, environ.get("PATH", os.defpath)), "")
    if found and os.path.realpath(found) in map(os.path.realpath, own):
        return (NAME,)
    return tuple(own[:1]) or (sys.executable, "-m", NAME)
