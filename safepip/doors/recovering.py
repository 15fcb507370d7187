"""Taking back what was cut off, before a command that is not guarded. Light up to there."""

from __future__ import annotations

import sys

from safepip.effects.prefixes import is_unfinished, unfinished_around
from safepip.values.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def recover_first(prefix: str) -> None:
    """Take back a change that was cut off; one that is being made is left alone.

    Where that cannot be done it is said, and the command goes on: it changes no package.
    """
    if not is_unfinished(prefix):
        return
    from safepip.doors.saying import say_recovered
    from safepip.effects.lock import locked
    from safepip.recipes.recover import recover
    from safepip.values.errors import Busy, SafepipError
    from safepip.values.text import shown

    try:
        with locked(prefix, 0):
            recovered = recover(prefix)
    except Busy:
        return
    except SafepipError as error:
        sys.stderr.write(f"safepip: warning: {shown(error.message)}\n")
        return
    if recovered is not None:
        say_recovered(recovered)


def recover_around(environ: Mapping[str, str]) -> None:
    """Do so in each environment that a command may reach which knows none: active, or on `PATH`."""
    for prefix in unfinished_around(environ):
        recover_first(prefix)
