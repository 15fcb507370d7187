"""`undo`: take back a change, to the byte, without any network.

journal ─▶ the change ─▶ is it as it left things? does anybody need it? ─▶ journal ─▶ revert ─▶ done
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from safepip import __version__
from safepip.decisions.fixing.commands import command_line
from safepip.decisions.fixing.shell import Shell, shell_in, shell_of
from safepip.decisions.judging.consistency import breaks
from safepip.decisions.undoing.entries import seen_after
from safepip.decisions.undoing.inverse import (
    chosen,
    in_the_way,
    inverse_plan,
    inverse_steps,
    is_gone,
    needed_by_conda,
    others_builds,
    others_versions,
    taken_back_by,
)
from safepip.effects.condas_books import is_in_history, note_in_history, out_of_history
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal, is_later, timestamp
from safepip.effects.keeping import sweep_unpacked
from safepip.effects.leftovers import remove_new_folders
from safepip.effects.lock import locked
from safepip.effects.prune import prune
from safepip.effects.reading import read_environment
from safepip.effects.records import files_of_newer, records_state
from safepip.effects.reverting import changed_since, lacking, put_back, required_before
from safepip.effects.transaction import abandon, begin, finish
from safepip.recipes.opening import guard
from safepip.recipes.recover import recover_wholly
from safepip.recipes.sealed import refuse_sealed
from safepip.recipes.settings import limits_of
from safepip.recipes.undo_by_index import by_hand, by_index, way_by_index
from safepip.values.errors import CannotUndo, NoSuchChange, NotWritable, SafepipError, VerifyFailed
from safepip.values.journal import Entry, Seen
from safepip.values.late import dataclass
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.environment import Environment
    from safepip.values.plan import Plan
    from safepip.values.request import Policy
    from safepip.values.target import Target

_SHOWN = 3


@dataclass(frozen=True)
class Undone:
    """A change that was taken back, or would be."""

    entry: Entry
    """The change."""
    by: Entry | None
    """The change that took it back, which can be taken back itself."""
    is_dry_run: bool = False
    left: tuple[str, ...] = ()
    """Folders that the change had made, and in which something else is by now."""


def undo(
    target: Target,
    name: str | None,
    *,
    environ: Mapping[str, str],
    agree: Callable[[Entry], None] | None,
    tell: Callable[[Recovered | Waiting], None],
    policy: Policy,
) -> Undone:
    """Take back a change of an environment: the named one, or the last that stands.

    ``agree`` asks the user, and raises when the answer is no; None for a dry run.

    Raises: CannotUndo, UnreadableJournal, NotWritable, Busy.
    """
    journal = Journal(target.prefix)
    shell = shell_of(target)
    settings = policy.settings
    with locked(target.prefix, settings.number("lock-seconds"), tell):
        recover_wholly(target.prefix, tell)
        entries = list(journal.entries())
        entry = _named(journal, entries, name, shell)
        _refuse_taken_back(journal, entries, entry, shell)
        is_kept = entry.can_undo and not lacking(journal, entry)
        environment = _environment(target, environ)
        _refuse_others_builds(journal, entry, by_hand(entry, shell, environment))
        if is_kept:
            by_now = by_hand(entry, shell, environment)
            _refuse_what_others_changed(journal, entries, entry, shell, by_now)
        _refuse_what_others_installed(environment, entry, shell)
        plan = None
        command = shell.safepip(("undo", "--override-frozen", entry.id))
        all_the_same = Fix(command, "take it back all the same")
        refuse_sealed(target.prefix, environment, policy, all_the_same)
        if environment is not None:
            plan = inverse_plan(entry, environment, required_before(journal, entry))
            if entry.verb != "doctor":  # what it mended was as broken before
                _refuse_breaking(environment, plan, entry, shell)
                _refuse_missing(environment, entry, shell)
        way = None if is_kept else way_by_index(target, entry, entries, environment)
        if agree is None:
            return Undone(entry, None, is_dry_run=True)
        if not journal.is_writable():
            raise NotWritable(f"`{target.prefix}` cannot be written")
        agree(entry)
        if way is None:
            done = _carried_out(journal, entry, environment, plan)
            prune(journal, limits_of(settings))
            return done
    again = partial(guard, environ=environ, quiet_stdout=True, tell=tell)

    def back(change: str) -> None:
        undo(target, change, environ=environ, agree=lambda _: None, tell=tell, policy=policy)

    return Undone(entry, by_index(target, way, policy, again, back))


def _named(journal: Journal, entries: Sequence[Entry], name: str | None, shell: Shell) -> Entry:
    if name is None:
        entry = chosen(entries, _records(journal))
        unread = journal.unreadable(entries)
        if unread and (entry is None or is_later(unread[-1], entry.id)):
            fixes = _forget(journal, unread[-1], shell)
            raise CannotUndo(f"the change {unread[-1]} cannot be read", fixes=fixes)
        if entry is None:
            said = "there is no change of safepip to take back here"
            raise CannotUndo(said, fixes=_listed(shell))
        return entry
    entry = next((e for e in entries if e.id == name), None)
    try:
        return entry or journal.read(name)
    except NoSuchChange as error:
        error.fixes = _listed(shell)
        raise


def _listed(shell: Shell) -> tuple[Fix, ...]:
    return (Fix(shell.safepip(("history",)), "see which changes there are"),)


def _refuse_taken_back(
    journal: Journal, entries: Sequence[Entry], entry: Entry, shell: Shell
) -> None:
    said, fixes = "", _listed(shell)
    if (by := taken_back_by(entries).get(entry.id)) is not None:
        said = f"the change {entry.id} was taken back already, by {by}"
        fixes = (Fix(shell.safepip(("undo", by)), "have it again, by taking back that"), *fixes)
    elif entry.stage != "done":
        said = f"the change {entry.id} was cut off, and is taken back"
    elif is_gone(entry, _records(journal)):
        said = f"nothing of {entry.id} is left: conda itself has removed it since"
    if said:
        raise CannotUndo(said, fixes=fixes)


def _refuse_others_builds(journal: Journal, entry: Entry, by_now: Sequence[Fix]) -> None:
    """Raise CannotUndo where conda has updated, or built otherwise, what it brought."""
    if now := others_builds(entry, _records(journal)):
        raise CannotUndo(
            f"conda has changed what {entry.id} brought: there is {', '.join(now)} now",
            why="only conda knows the files of that",
            fixes=by_now,
        )


def _records(journal: Journal) -> frozenset[str]:
    """Give NAME-VERSION-BUILD of what conda's books have."""
    return frozenset(n.removesuffix(".json") for n, *_ in records_state(journal.prefix))


def _forget(journal: Journal, change: str, shell: Shell) -> tuple[Fix, ...]:
    command = shell.run("rm", f"{journal.folder}/{change}.json")
    return (Fix(command, f"forget {change}, if it did nothing that counts here"),)


def _refuse_what_others_changed(
    journal: Journal, entries: Sequence[Entry], entry: Entry, shell: Shell, by_now: Sequence[Fix]
) -> None:
    """Raise CannotUndo where the paths of a change are not as it left them, or conda's by now."""
    if unread := [each for each in journal.unreadable(entries) if is_later(each, entry.id)]:
        raise CannotUndo(
            f"the later change {unread[0]} cannot be read",
            why="it may have touched the same files",
            fixes=_forget(journal, unread[-1], shell),
        )
    if others := in_the_way(entry, entries):
        names = ", ".join(other.id for other in others)
        order = shell.then(*(shell.safepip(("undo", e.id)) for e in (*others, entry)))
        raise CannotUndo(
            f"later changes touched the same files: {names}",
            fixes=(Fix(order, "take them back first, the last one first"),),
        )
    paths = changed_since(journal, entry)
    if not paths:
        # Also where the bytes are the same: conda would miss its file.
        newer = files_of_newer(journal.prefix, journal.written_ns(entry.id), entry.touched)
        paths = tuple(path for path in entry.touched if path in newer)
    if paths:
        more = f", and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        raise CannotUndo(
            f"since {entry.id}, something else than safepip changed "
            f"{', '.join(paths[:_SHOWN])}{more}",
            why="taking the change back would take that back, too",
            fixes=by_now,
        )


def _refuse_what_others_installed(
    environment: Environment | None, entry: Entry, shell: Shell
) -> None:
    """Raise CannotUndo where something else has another version there than the change left."""
    found = () if environment is None else others_versions(entry, environment)
    if found:
        name, left, now = found[0]
        was = f"{name} {left}" if left is not None else f"no {name}"
        here = f"{name} {now}" if now is not None else "it is gone"
        fixes = by_hand(entry, shell, environment)
        owned = environment.conda_owned.get(name) if environment is not None else None
        if owned is not None and owned.record is not None and environment is not None:
            first = shell_in(shell, environment).conda("remove", (owned.record.name,))
            command = shell.then(first, shell.safepip(("undo", entry.id)))
            fixes = (Fix(command, f"let conda remove {name} first"),) if command else ()
        raise CannotUndo(
            f"{entry.id} left {was} there, and since then something else has changed that: {here}",
            why="taking the change back would mix both",
            fixes=fixes,
        )


def _environment(target: Target, environ: Mapping[str, str]) -> Environment | None:
    """Give the environment; None where its Python does not start, which an undo may well mend."""
    try:
        return read_environment(target.prefix, ask_python(target.python, environ))
    except SafepipError:
        return None


def _refuse_breaking(environment: Environment, plan: Plan, entry: Entry, shell: Shell) -> None:
    found = list(breaks(environment, plan))
    if found:
        lines = [f"{f.distribution} requires {f.requirement}" for f in found]
        names = sorted({f.distribution for f in found})
        records = [environment.conda_owned[n].record for n in names if n in environment.conda_owned]
        condas = tuple(sorted({record.name for record in records if record is not None}))
        pips = [name for name in names if name not in environment.conda_owned]
        conda = shell_in(shell, environment)
        commands = [conda.conda("remove", condas)] if condas else []
        commands += [shell.safepip(("uninstall", "-y", *pips))] if pips else []
        command = shell.then(*commands, shell.safepip(("undo", entry.id)))
        raise CannotUndo(
            f"taking {entry.id} back would break what came later: {'; '.join(lines[:_SHOWN])}",
            fixes=(Fix(command, f"remove {', '.join(names)} first"),) if command else (),
        )


def _refuse_missing(environment: Environment, entry: Entry, shell: Shell) -> None:
    """Raise CannotUndo where packages of conda's would lose what they depend on."""
    needing = needed_by_conda(entry, environment)
    if needing:
        lines = [f"{name} depends on {spec}" for name, spec in needing.items()]
        first = shell_in(shell, environment).conda("remove", tuple(sorted(needing)))
        command = shell.then(first, shell.safepip(("undo", entry.id)))
        says = f"let conda remove {', '.join(sorted(needing))} first"
        raise CannotUndo(
            f"taking {entry.id} back would break what conda has installed since: "
            f"{'; '.join(lines[:_SHOWN])}",
            fixes=(Fix(command, says),) if command else (),
        )


def _carried_out(
    journal: Journal, entry: Entry, environment: Environment | None, plan: Plan | None
) -> Undone:
    since = time.monotonic()
    by = Entry(
        id=journal.new_id(),
        stage="acting",
        verb="undo",
        arguments=("undo", entry.id),
        began=timestamp(),
        safepip=__version__,
        pip="",
        steps=inverse_steps(entry),
        undoes=entry.id,
        dists=entry.dists,
        specs=entry.specs,
        conda_back=entry.conda_back if entry.dists else "",
    )
    paths = [journal.absolute(path) for path in entry.touched]
    folders = [journal.absolute(path) for path in entry.new_folders]
    sweep_unpacked(journal.prefix)
    by = begin(journal, by, paths, [path for path in folders if os.path.isdir(path)])
    try:
        _put_all_back(journal, entry)
        left = remove_new_folders(journal, entry)
        if by.dists and is_in_history(journal.prefix, entry.id):
            note_in_history(journal.prefix, by, command_line("safepip", *by.arguments))
        seen = seen_after(environment, plan, by) if environment and plan else Seen()
        seconds = {"act": time.monotonic() - since}
        by = finish(journal, replace(by, seen=seen, seconds=seconds))
    except BaseException as error:
        if not journal.unfinished():  # it was done already, and an interruption came too late
            return Undone(entry, journal.read(by.id))
        problems = abandon(journal, by, out_of_history(journal.prefix, by))
        if isinstance(error, OSError):
            raise _failed(error, problems) from error
        raise
    return Undone(entry, by, left=tuple(left))


def _put_all_back(journal: Journal, entry: Entry) -> None:
    """Put every path back, or stop at the first where that fails. Raises: OSError."""
    for _, failure in put_back(journal, entry):
        raise failure


def _failed(error: OSError, problems: Sequence[str]) -> SafepipError:
    """Give the error for an undo that the system did not let happen."""
    said = f"`{error.filename}`: {error.strerror}" if error.filename else str(error.strerror)
    if problems:
        return VerifyFailed(f"the change could not be taken back ({said}): {problems[0]}")
    return NotWritable(f"the change could not be taken back: {said}")
