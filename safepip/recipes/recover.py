"""Taking back what an earlier command had begun when it was killed, or the machine died."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safepip.effects.journal import Journal
from safepip.effects.prefixes import is_unfinished
from safepip.effects.records import files_of_newer
from safepip.effects.transaction import for_history, take_back
from safepip.values.errors import NotWritable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from safepip.values.journal import Entry


@dataclass(frozen=True, slots=True)
class Recovered:
    """A change that was cut off, and what is left of it."""

    entry: Entry
    problems: tuple[str, ...]
    """One line for each thing that could not be put back; nothing when all is as before it."""


def recover(prefix: str) -> Recovered | None:
    """Take back a change that was cut off, if there is one. For whoever holds the lock.

    Raises: UnreadableJournal; NotWritable.
    """
    if not is_unfinished(prefix):
        return None
    journal = Journal(prefix)
    name = journal.unfinished()
    entry = journal.read(name) if name else None
    if entry is None or entry.stage != "acting":
        journal.unmark()  # it was cut off before it began, or after it had ended
        return None
    if not journal.is_writable():
        raise NotWritable(
            f"the change {entry.id} of `{prefix}` was cut off, and cannot be taken back",
            why="you may not write there; whoever may, can do so by any command of safepip",
        )
    entry = _without(entry, files_of_newer(prefix, journal.began_ns, entry.touched))
    problems = take_back(journal, entry)
    if not problems:
        journal.write(for_history(replace(entry, stage="taken-back")))
        journal.unmark()
        journal.drop_kept(entry.id)
    return Recovered(entry, problems)


def recover_wholly(prefix: str, tell: Callable[[Recovered], None]) -> None:
    """Take back a change that was cut off, and say so, before anything else is done there.

    Raises: UnreadableJournal; NotWritable, also where something could not be put back.
    """
    recovered = recover(prefix)
    if recovered is None:
        return
    tell(recovered)
    if recovered.problems:
        raise NotWritable(
            "what an earlier command left behind could not be put back",
            why=f"{recovered.problems[0]}; until it can, nothing else is safe",
        )


def _without(entry: Entry, owned: Collection[str]) -> Entry:
    """Give the entry without paths that conda has written since, which are conda's to keep."""
    if not owned:
        return entry
    touched = {path: state for path, state in entry.touched.items() if path not in owned}
    return replace(entry, touched=touched)
