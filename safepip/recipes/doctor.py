"""`doctor`: what is wrong in an environment, and whose doing it is. Changes nothing.

conda's book ─▶ every file of conda's ─▶ Python's book ─▶ Inspection ─▶ diagnose ─▶ findings
"""

from __future__ import annotations

import time
from dataclasses import field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.diagnosing.diagnose import diagnose
from safepip.decisions.diagnosing.lost import dist_of, name_of, without_record
from safepip.decisions.repairing.wants import chosen, known_names
from safepip.effects.checking import check_files
from safepip.effects.claims import read_claims
from safepip.effects.followers import followers
from safepip.effects.interpreters import ask_python, supposed_python
from safepip.effects.journal import Journal
from safepip.effects.leftovers import standing_again
from safepip.effects.lock import locked
from safepip.effects.prefixes import is_unfinished
from safepip.effects.reading import Books, environment_with, read_manager
from safepip.effects.records import read_details, read_pins, read_whole_records
from safepip.effects.remains import read_remains
from safepip.effects.surroundings import read_surroundings
from safepip.effects.traces import cache_folders, find_cached, read_history
from safepip.effects.unpacking import family_tools, unpacking_tool
from safepip.recipes.recover import recover
from safepip.recipes.settings import patience_of
from safepip.values.damage import UnreadableBook
from safepip.values.errors import (
    CannotJudge,
    SafepipError,
    UnreadableJournal,
    UnreadableRecord,
    UsageError,
)
from safepip.values.inspection import Inspection, StaleFile
from safepip.values.late import dataclass
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.environment import Environment, Interpreter, Record
    from safepip.values.findings import Finding
    from safepip.values.inspection import Details
    from safepip.values.journal import Entry
    from safepip.values.target import Target


@dataclass(frozen=True)
class Diagnosis:
    """What `doctor` found, and what it went by."""

    inspection: Inspection
    findings: tuple[Finding, ...]
    """Damage first, then notes."""
    seconds: Mapping[str, float] = field(default_factory=dict)

    sound: tuple[str, ...] = ()
    """Of the names that were given, those of what nothing is wrong with."""

    @property
    def damage(self) -> tuple[Finding, ...]:
        """What is for somebody to mend."""
        return tuple(f for f in self.findings if f.severity == "damage")


def settle(
    target: Target,
    environ: Mapping[str, str],
    tell: Callable[[Recovered | Waiting], None],
) -> None:
    """Wait for a change that is being made, and take one back that was cut off.

    What cannot be taken back stays marked, and is found as damage.

    Raises: Busy, when it takes too long; UsageError.
    """
    if not is_unfinished(target.prefix):
        return
    with locked(target.prefix, patience_of(target.prefix, environ), tell):
        try:
            recovered = recover(target.prefix)
        except SafepipError:
            return
        if recovered is not None:
            tell(recovered)


def examine(
    target: Target,
    environ: Mapping[str, str],
    working_folder: str,
    tell: Callable[[int, int], None],
) -> Diagnosis:
    """Look at an environment, and find what is wrong with it.

    ``tell`` hears how many files of how many have been looked at.

    Raises: UnreadableRecord, where not even the names of the records can be read.
    """
    since = time.monotonic()
    inspection = inspect(target, environ, working_folder, tell)
    return diagnosed(inspection, {"inspect": time.monotonic() - since})


def diagnosed(inspection: Inspection, seconds: Mapping[str, float]) -> Diagnosis:
    """Find what is wrong by what an inspection saw."""
    since = time.monotonic()
    findings = diagnose(inspection)
    return Diagnosis(inspection, findings, {**seconds, "diagnose": time.monotonic() - since})


def narrowed(found: Diagnosis, names: Sequence[str]) -> Diagnosis:
    """Give what was found of these names alone; all of it where there are none.

    Raises: UsageError, where nothing here has a name.
    """
    if not names:
        return found
    known = known_names(found.inspection, found.findings)
    for name in names:
        if normalised(name) not in known:
            close = get_close_matches(normalised(name), known, n=1)
            hint = f"; did you mean `{close[0]}`?" if close else ""
            what = "there is no package or distribution of this name here"
            raise UsageError(f"`{shown(name)}`: {what}{hint}")
    sound = tuple(n for n in names if not chosen(found.inspection, found.findings, [n]))
    return replace(found, findings=chosen(found.inspection, found.findings, names), sound=sound)


def inspect(
    target: Target,
    environ: Mapping[str, str],
    working_folder: str,
    tell: Callable[[int, int], None],
) -> Inspection:
    """Look at an environment."""
    records, errors = read_whole_records(target.prefix)
    unreadable = [UnreadableBook(record=e.record, reason=e.message) for e in errors]
    details = _details(target.prefix, records, unreadable)
    interpreter, no_python = _interpreter(target, environ, records)
    environment = _environment(target.prefix, interpreter, records, unreadable)
    checked = check_files(target.prefix, records, details, tell)
    history = read_history(target.prefix)
    linked = tuple(history.channels)
    folders = cache_folders(target.prefix, environ, (one.unpacked for one in details.values()))
    gone = without_record(environment, linked, unreadable)
    cut_off = {dist: book.record for book in unreadable if (dist := dist_of(book))}
    sought = (*gone, *(name_of(dist_of(book)) for book in unreadable))
    journal = _journal(target.prefix)
    return Inspection(
        environment=environment,
        details=details,
        checked=checked,
        claims=read_claims(environment, checked.altered),
        linked=linked,
        channels={dist: place for dist, place in history.channels.items() if place},
        asked=history.asked,
        cached=find_cached(folders, tuple(map(normalised, sought))),
        caches=folders,
        tool=unpacking_tool(environ),
        family=family_tools(environ),
        stale=_stale(environment, journal.entries),
        unreadable=tuple(unreadable),
        remains={dist: read_remains(target.prefix, r, dist) for dist, r in cut_off.items()},
        entries=journal.entries,
        unreadable_changes=journal.unreadable,
        unfinished=journal.unfinished,
        standing_again=standing_again(environment.leftovers),
        surroundings=read_surroundings(target.prefix, interpreter, environ, working_folder),
        no_python=no_python,
    )


def _stale(environment: Environment, entries: tuple[Entry, ...]) -> tuple[StaleFile, ...]:
    if not followers(environment.prefix):
        return ()
    from safepip.decisions.exporting.sheet import as_it_should_be
    from safepip.recipes.constraints import differing, following

    intended = as_it_should_be(environment, entries)[0]
    found = differing(following(environment.prefix), intended)
    return tuple(StaleFile(path, tuple(one[0] for one in all_)) for path, all_ in found.items())


class _Journal(NamedTuple):
    """What safepip wrote of its own changes."""

    entries: tuple[Entry, ...]
    unreadable: tuple[tuple[str, str, str], ...]
    unfinished: str


def _journal(prefix: str) -> _Journal:
    journal = Journal(prefix)
    entries, troubles = journal.entries_and_troubles()
    unfinished = ""
    try:
        unfinished = journal.unfinished()
    except UnreadableJournal as error:
        troubles.append(error)
    unreadable = ((one.entry, journal.path_of(one.entry), one.reason) for one in troubles)
    return _Journal(tuple(entries), tuple(unreadable), unfinished)


def _details(
    prefix: str, records: tuple[Record, ...], unreadable: list[UnreadableBook]
) -> Mapping[str, Details]:
    found = {}
    for record in records:
        try:
            found[record.dist] = read_details(prefix, record)
        except UnreadableRecord as error:
            unreadable.append(UnreadableBook(record=record.file, reason=error.message))
    return found


def _interpreter(
    target: Target, environ: Mapping[str, str], records: tuple[Record, ...]
) -> tuple[Interpreter, str]:
    """Give what the environment's Python says of itself; or what is supposed of it, and why."""
    try:
        found = ask_python(target.python, environ)
    except SafepipError as error:
        return supposed_python(target.prefix, records), error.message
    if found.prefix != target.prefix:
        reason = f"it takes `{found.prefix}` for its prefix"
        return supposed_python(target.prefix, records), reason
    return found, ""


def _environment(
    prefix: str,
    interpreter: Interpreter,
    records: tuple[Record, ...],
    unreadable: list[UnreadableBook],
) -> Environment:
    try:
        pins = read_pins(prefix)
    except CannotJudge as error:
        pins = ()
        unreadable.append(UnreadableBook(record="pinned", reason=error.message))
    books = Books((), read_manager(prefix), records)
    return environment_with(prefix, interpreter, books, pins)
