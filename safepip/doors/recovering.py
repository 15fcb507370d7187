"""Taking back what was cut off, before a command of pip that is not guarded."""

from __future__ import annotations

from safepip.doors.saying import say_recovered
from safepip.effects.lock import locked
from safepip.recipes.recover import recover
from safepip.values.errors import Busy


def recover_first(prefix: str) -> None:
    """Take back a change that was cut off; one that is being made is left alone.

    Raises: SafepipError.
    """
    try:
        with locked(prefix, 0):
            recovered = recover(prefix)
    except Busy:
        return
    if recovered is not None:
        say_recovered(recovered)
