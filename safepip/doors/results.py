"""The file by which `%safepip` in a notebook hears how a command ended, and the card it is to show.

Where there is one, what safepip itself has to say is one line, and the card says the rest. Light:
every call passes here.
"""

from __future__ import annotations

import os

from safepip.values.light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from safepip.decisions.drawing.card import Card

_VARIABLE = "SAFEPIP_RESULT_FILE"


class _Wanted:
    """Where the result of this process goes; empty for nowhere."""

    path = ""


def begin() -> None:
    """Find out whether somebody wants the result, and say that safepip is at work.

    The variable is not for those that this process starts.
    """
    _Wanted.path = os.environ.pop(_VARIABLE, "")
    if _Wanted.path:
        _write({})


def is_wanted() -> bool:
    """Say whether somebody wants the result."""
    return bool(_Wanted.path)


def tell_end(exit_code: int, line: str) -> None:
    """Have it known how a command ended of which there is no more to show."""
    if is_wanted():
        from safepip.values.text import in_notebook

        _write({"exit_code": exit_code, "line": in_notebook(line)})


def tell(card: Card) -> None:
    """Have it known how a command ended, with all that is to be shown of it."""
    _write(card.told())


def _write(told: dict[str, Any]) -> None:
    """Write the file; where that cannot be, the exit code still tells."""
    import contextlib
    import json
    from pathlib import Path

    from safepip.values.exits import SCHEMA

    with contextlib.suppress(OSError):
        Path(_Wanted.path).write_text(json.dumps({"schema": SCHEMA, **told}), "utf-8")
