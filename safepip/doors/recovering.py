"""Taking back what was cut off, before a command of pip that is not guarded."""

from __future__ import annotations

import sys

from safepip.doors.saying import say_recovered
from safepip.effects.lock import locked
from safepip.recipes.recover import recover
from safepip.values.errors import Busy, SafepipError
from safepip.values.text import shown


def recover_first(prefix: str) -> None:
    """Take back a change that was cut off; one that is being made is left alone.

    Where that cannot be done it is said, and pip goes on: the command changes nothing.
    """
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
