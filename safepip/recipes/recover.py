"""Taking back what an earlier command had begun when it was killed, or the machine died."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.undoing.inverse import parts_before
from safepip.effects.condas_books import HISTORY, out_of_history
from safepip.effects.journal import Journal
from safepip.effects.keeping import sweep_unpacked
from safepip.effects.leftovers import clear_asides
from safepip.effects.overtaken import without_overtaken
from safepip.effects.prefixes import is_unfinished
from safepip.effects.records import files_of_newer
from safepip.effects.transaction import for_history, take_back
from safepip.values.errors import NoSuchChange, NotWritable, UnreadableJournal
from safepip.values.late import dataclass
from safepip.values.target import UNFINISHED
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from safepip.values.journal import Entry


@dataclass(frozen=True)
class Recovered:
    """A change that was cut off, and what is left of it."""

    entry: Entry
    problems: tuple[str, ...]
    """One line for each thing that could not be put back; nothing when all is as before it."""
    overtaken: Mapping[str, str] = field(default_factory=dict)
    """What something else has installed since, and is left alone: version by name."""


def recover(prefix: str) -> Recovered | None:
    """Take back a change that was cut off, if there is one. For whoever holds the lock.

    Raises: UnreadableJournal; NotWritable.
    """
    if not is_unfinished(prefix):
        return None
    journal = Journal(prefix)
    entry = _marked(journal)
    if entry is None or entry.stage != "acting":
        journal.unmark()  # it was cut off before it began, or after it had ended
        return None
    if not journal.is_writable():
        raise NotWritable(
            f"the change {entry.id} of `{prefix}` was cut off, and cannot be taken back",
            why="you may not write there; whoever may, can do so by any command of safepip",
        )
    whole = entry
    entry, overtaken = without_overtaken(journal, entry)
    entry = _without(entry, {HISTORY, *files_of_newer(prefix, journal.began_ns, entry.touched)})
    problems = (*out_of_history(prefix, entry), *take_back(journal, entry))
    clear_asides(journal, whole)  # also what pip had moved aside of what is left alone
    done = [whole]
    for part in parts_before(entry, tuple(journal.entries())):
        problems += take_back(journal, part)
        done.append(part)
    if not problems:
        for each in reversed(done):  # what is marked as the last: it leads to the others
            journal.write(for_history(replace(each, stage="taken-back")))
        journal.unmark()
        for each in done:
            journal.drop_kept(each.id)
        journal.sweep()
        sweep_unpacked(prefix)
    return Recovered(entry, problems, overtaken)


def _marked(journal: Journal) -> Entry | None:
    """Give the change that is marked as unfinished; None where nothing of it can have been done.

    Raises: UnreadableJournal.
    """
    name = journal.unfinished()
    try:
        return journal.read(name) if name else None
    except NoSuchChange:  # it is on the disk before the mark: there is nothing to take back
        return None
    except UnreadableJournal as error:
        mark = f"{journal.prefix}/{UNFINISHED}"
        error.why = "it was cut off, and without it nobody knows what to put back"
        error.fixes = (Fix(command_line("rm", mark), "leave all as it is, if it works"),)
        raise


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
    touched = {path: state for path, state in entry.touched.items() if path not in owned}
    return replace(entry, touched=touched)
