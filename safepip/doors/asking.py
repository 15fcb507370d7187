"""Questions to whoever sits at the terminal, where somebody does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from safepip.doors.terminal import is_terminal, show
from safepip.values.errors import NeedsYes
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.decisions.wording.layout import Line

_NOBODY = ("CI", "JPY_PARENT_PID", "PIP_NO_INPUT", "SAFEPIP_NO_INPUT")
"""Variables of places where nobody answers, though it may look like a terminal."""


def ask(verb: str, lines: Iterable[Line], again: str, *, as_json: bool = False) -> None:
    """Show what would be done, and ask whether to go on. ``again``: the command that needs no yes.

    ``as_json``: whoever cannot answer reads an object, and is shown nothing besides.

    Raises: NeedsYes, when nobody can answer, or the answer is no.
    """
    asked = is_terminal(sys.stdin) and is_terminal(sys.stderr)
    if not asked or any(os.environ.get(name) for name in _NOBODY):
        if not as_json:
            show(lines)
        what = f"{verb} asks before it changes anything, and nobody can answer here"
        raise NeedsYes(what, fixes=[Fix(again, "answer in advance")])
    show(lines)
    sys.stderr.write("Go on? [y/N]: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NeedsYes("the answer was no")
