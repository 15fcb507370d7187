"""A line on the terminal that says how far a long step has come, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from safepip.doors.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

_PATIENCE = 0.5
"""Seconds before anything is shown: what takes less is over before it is read."""
_PAUSE = 0.1
_CLEAR = "\r\x1b[K"


class Progress:
    """Shows on standard error how many of how many are done. Use it as a context manager.

    What goes on is shown before anything is counted, too, where that takes long.
    """

    def __init__(
        self, what: str, environ: Mapping[str, str] = os.environ, *, most: str = ""
    ) -> None:
        """Show ``what`` goes on; ``most``: the most that may be done, where it may end before."""
        self._what = what
        self._most = f" of at most {most}" if most else ""
        self._next = time.monotonic() + _PATIENCE
        self._shown = False
        # What a notebook shows looks like a terminal, and keeps each state of the line.
        dumb = environ.get("TERM") == "dumb" or any(map(environ.get, ("CI", "JPY_PARENT_PID")))
        self._wanted = is_terminal(sys.stderr) and not dumb
        self._one = threading.RLock()
        self._last = (0, 0)
        self._first = threading.Timer(_PATIENCE, lambda: self.tell(*self._last))
        self._first.daemon = True

    def __enter__(self) -> Self:
        if self._wanted:
            self._first.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._one:
            self._first.cancel()
            self.clear()
            self._wanted = False

    def clear(self) -> None:
        """Take the line away, as something else is to be shown."""
        with self._one:
            if self._shown:
                self._shown = False
                self._write("")

    def tell(self, done: int, of: int = 0) -> None:
        """Hear how far it is; of how many, where that is known. With the last the line goes."""
        with self._one:
            self._last = (done, of)
            if of and done == of:
                self.clear()
            elif self._wanted and time.monotonic() >= self._next:
                self._next = time.monotonic() + _PAUSE
                self._shown = True
                bound = f" of {of}" if of else self._most
                said = f": {done}{bound}" if done or of else ""  # what cannot be counted yet
                self._write(f"safepip: {self._what}{said}")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(f"{_CLEAR}{text}")
            sys.stderr.flush()
        except (OSError, ValueError):
            self._wanted = False  # nobody looks any more
