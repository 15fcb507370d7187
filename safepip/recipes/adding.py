"""conda's part by py-rattler: all of it, journalled like a change of pip's, or nothing of it.

staged ─▶ would it write over anything? ─▶ journal ─▶ py-rattler adds ─▶ looked at ─▶ done
                                                                          │
                                                      taken back ◀────────┘
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip import __version__
from safepip.decisions.fixing.commands import command_line
from safepip.decisions.fixing.condas_answer import gone_of, otherwise_than_shown
from safepip.decisions.fixing.shell import Shell
from safepip.decisions.undoing.entries import added_steps, seen_after, told_steps
from safepip.effects.conda_solver import CondaSolver
from safepip.effects.condas_books import (
    dists_of,
    may_be_noted,
    note_in_history,
    out_of_history,
    read_staged,
    touched_by,
    written_over,
)
from safepip.effects.journal import Journal, timestamp
from safepip.effects.keeping import UNPACKED, sweep_unpacked
from safepip.effects.processes import waited_for
from safepip.effects.prune import prune
from safepip.effects.reading import read_environment
from safepip.effects.records import records_state
from safepip.effects.transaction import abandon, begin, finish
from safepip.recipes.acting import with_whole_places
from safepip.recipes.settings import limits_of
from safepip.values.channel import Answer
from safepip.values.errors import CondaFailed, HalfDone, NotWritable, SafepipError
from safepip.values.journal import Entry
from safepip.values.late import dataclass
from safepip.values.plan import Plan
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.fixing.condas_answer import State
    from safepip.effects.condas_books import Staged
    from safepip.values.channel import CondaPart
    from safepip.values.environment import Environment
    from safepip.values.request import Policy

_SHOWN = 3


@dataclass(frozen=True)
class Adding:
    """conda's part of a command."""

    part: CondaPart
    environment: Environment
    """As it is before."""
    arguments: tuple[str, ...]
    """pip's, of the whole command; without secrets."""
    policy: Policy
    keeps_undo: bool
    environ: Mapping[str, str]

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command, as it is written down."""
        verb, *rest = with_whole_places(self.arguments)
        return (verb, *self.policy.options, *rest)


class Added(NamedTuple):
    """conda's part is done."""

    change: str
    """Its id, where it can be taken back."""
    is_cut_off: bool
    """The user has ended the command meanwhile, which came too late for this part."""


def add(adding: Adding) -> Added:
    """Have py-rattler do conda's part. For whoever holds the lock.

    Raises: CondaFailed, NotWritable, where all is as it was; HalfDone, where that could not be.
    """
    environment, part = adding.environment, adding.part
    journal = Journal(environment.prefix)
    if not journal.is_writable():
        raise NotWritable(f"`{environment.prefix}` cannot be written")
    sweep_unpacked(environment.prefix)
    answer = Answer(possible=True, versions=part.versions)
    with closing(CondaSolver(environment, seconds=0, environ=adding.environ)) as solver:
        try:
            staged = _staged(adding, solver, answer)
        except OSError as error:  # such as a full disk: it is all there twice for a moment
            raise _failed(str(error)) from error
        with waited_for() as heard:
            entry = _carried_out(adding, solver, journal, staged, answer)
    return Added(entry.id if entry.can_undo else "", is_cut_off=bool(heard))


def _staged(adding: Adding, solver: CondaSolver, answer: Answer) -> Staged:
    """Give what is to be added, which lies nowhere in the environment yet.

    Raises: CondaFailed, OSError.
    """
    books = f"{adding.environment.prefix}/conda-meta"  # there, so that files can be linked
    with tempfile.TemporaryDirectory(
        prefix=UNPACKED, dir=books, ignore_cleanup_errors=True
    ) as folder:
        try:
            return _looked_at(adding, solver, f"{folder}/env", answer)
        except BaseException:
            solver.close()  # else it would go on to write into what is removed here
            raise


def _looked_at(adding: Adding, solver: CondaSolver, folder: str, answer: Answer) -> Staged:
    environment = adding.environment
    if failure := solver.stage(adding.part.specs, answer, folder):
        raise _failed(failure)
    staged = read_staged(folder, (record.file for record in environment.records))
    if over := written_over(environment.prefix, folder, staged.paths):
        more = f", and {len(over) - _SHOWN} more" if len(over) > _SHOWN else ""
        raise CondaFailed(
            f"conda's part would write over what is there: {', '.join(over[:_SHOWN])}{more}",
            why="one name can hold the file of one package only",
        )
    return staged


def _failed(why: str) -> CondaFailed:
    return CondaFailed("py-rattler could not install its part", why=why)


def _carried_out(
    adding: Adding, solver: CondaSolver, journal: Journal, staged: Staged, answer: Answer
) -> Entry:
    environment, part = adding.environment, adding.part
    since = time.monotonic()
    before = environment.records_state
    entry = entry_of(adding, staged.dists, journal.new_id())
    touched = touched_by(environment.prefix, staged, environment.interpreter.cache_tag)
    refuse_changed(environment)  # staging downloads, and conda, which takes no lock, waits for none
    entry = begin(journal, entry, touched, ())
    try:
        failure = solver.install(part.specs, answer)
        after = records_state(environment.prefix)
        _refuse_gone(environment, gone_of(before, after))
        _refuse_otherwise(part, before, after, failure)
        if may_be_noted(environment):
            note_in_history(environment.prefix, entry, command_line("safepip", *entry.arguments))
        done = completed(entry, environment)
        done = finish(journal, replace(done, seconds={"act": time.monotonic() - since}))
    except BaseException as error:
        if journal.unfinished():
            _take_back(journal, entry, error)
        raise
    prune(journal, limits_of(adding.policy.settings))
    return done


def refuse_changed(environment: Environment) -> None:
    """Raise CondaFailed where conda's records are not as they were read."""
    if records_state(environment.prefix) != environment.records_state:
        raise CondaFailed(
            "something else has changed the environment meanwhile",
            why="what conda would do now is not what was shown",
        )


def _refuse_gone(environment: Environment, gone: tuple[str, ...]) -> None:
    """Raise HalfDone where something is gone that was there: nothing brings it back by itself."""
    if gone:
        shell = Shell(environment.prefix, environment.manager, obvious=False)
        specs = tuple("=".join(dist.rsplit("-", 2)) for dist in gone)
        command = shell.conda("install", specs)
        raise HalfDone(
            f"while conda's part was done, something that was there has gone: {', '.join(gone)}",
            why="something else may have changed the environment; conda's part is taken back",
            fixes=(Fix(command, "have it installed again"),) if command else (),
        )


def _refuse_otherwise(part: CondaPart, before: State, after: State, failure: str) -> None:
    """Raise CondaFailed where something else was done than shown."""
    if problems := otherwise_than_shown(part, before, after, failure):
        raise _failed("; ".join(problems))


def _take_back(journal: Journal, entry: Entry, error: BaseException) -> None:
    """Have all as it was.

    Raises: HalfDone, where that fails; CondaFailed, for what the system did not let happen.
    """
    problems: tuple[str, ...]
    try:
        problems = abandon(journal, entry, out_of_history(journal.prefix, entry))
    except OSError as failure:  # the mark stays, and the next command tries again
        problems = (str(failure),)
    if problems:
        raise HalfDone(
            "conda's part came to nothing, and could not be taken back", why=problems[0]
        ) from error
    if isinstance(error, OSError):
        raise _failed(str(error)) from error


def entry_of(adding: Adding, dists: tuple[str, ...], change: str) -> Entry:
    """Give the entry of conda's part, before it is known what distributions it brings."""
    return Entry(
        id=change,
        stage="acting",
        verb="install",
        arguments=adding.command,
        began=timestamp(),
        safepip=__version__,
        pip="",
        verdict="clear",
        can_undo=adding.keeps_undo,
        conda_back=adding.part.back,
        dists=dists,
        specs=adding.part.specs,
    )


def completed(entry: Entry, before: Environment) -> Entry:
    """Give the entry with what there is afterwards."""
    try:
        after = read_environment(before.prefix, before.interpreter)
    except SafepipError:  # what is there now somebody else has to say
        return replace(entry, steps=told_steps(entry))
    steps = added_steps(entry, after)
    return replace(entry, steps=steps, seen=seen_after(after, Plan(())))


def note_done(adding: Adding, records: frozenset[str]) -> None:
    """Write down that a tool of conda's has added these, by the names of their files.

    It can take that back itself, and only it.
    """
    prefix = adding.environment.prefix
    journal = Journal(prefix)
    dists = dists_of(prefix, records)
    if not dists:
        return
    entry = entry_of(replace(adding, keeps_undo=False), dists, journal.new_id())
    journal.write(replace(completed(entry, adding.environment), stage="done"))
