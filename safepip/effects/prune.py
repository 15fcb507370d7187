"""How much is kept to go back: the last changes, and not more than so many bytes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from safepip.effects.transaction import for_history
from safepip.values.errors import UnreadableJournal

if TYPE_CHECKING:
    from safepip.effects.journal import Journal
    from safepip.values.limits import Limits

_MOST_ENTRIES = 1000
"""Beyond these, not even the history of a change is kept."""


def prune(journal: Journal, limits: Limits) -> None:
    """Drop what is kept for the oldest changes, as far as the limits ask for it.

    What cannot be dropped stays: the change just made is not the worse for it.
    """
    ids = journal.ids()
    for entry in ids[:-_MOST_ENTRIES]:
        with contextlib.suppress(OSError):
            journal.forget(entry)
    bulky = [entry for entry in reversed(ids) if journal.is_bulky(entry)]
    size = 0
    for count, entry in enumerate(bulky):
        size += journal.size_bytes(entry)
        if count and (count >= limits.changes or size > limits.size_bytes):
            with contextlib.suppress(OSError, UnreadableJournal):
                journal.write(for_history(journal.read(entry)))
                journal.drop_kept(entry)
