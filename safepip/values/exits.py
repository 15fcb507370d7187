"""The exit codes of the command line, and the form of its JSON. Pure."""

from enum import IntEnum

SCHEMA = 1
"""The form of every object that `--json` prints; keys are only ever added under one number."""


class Exit(IntEnum):
    """What a finished command says to the program that started it.

    Codes of pip itself (1, 2, 3, 4, 23, 120) pass through unchanged and are not listed.
    """

    DONE = 0
    DAMAGED = 1
    """What `doctor`, `check-file` or a `--check` found is for somebody to mend; or there is no room
    for what was asked for."""
    USAGE = 2
    BLOCKED = 10
    NEEDS_YES = 11
    TAKEN_BACK = 12
    CHANGED = 13
    BUSY = 14
    WRONG_ENV = 15
    FROZEN = 16
    BUG = 70
    CANNOT_START = 126
    """Of `exec`, as of shells: the command is there, and cannot be run."""
    NO_COMMAND = 127
    INTERRUPTED = 130
