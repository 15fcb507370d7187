"""`undo`: take back a change, to the byte, without any network.

journal ─▶ the change ─▶ is it as it left things? does anybody need it? ─▶ journal ─▶ revert ─▶ done
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safepip import __version__
from safepip.decisions.judging.consistency import breaks
from safepip.decisions.undoing.entries import seen_after
from safepip.decisions.undoing.inverse import (
    chosen,
    in_the_way,
    inverse_plan,
    inverse_steps,
    taken_back_by,
)
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal, timestamp
from safepip.effects.lock import locked
from safepip.effects.reading import read_environment
from safepip.effects.reverting import changed_since, lacking, required_before, revert
from safepip.effects.transaction import begin, finish, remove_new_folders, take_back
from safepip.recipes.recover import recover
from safepip.values.errors import CannotUndo, NotWritable, SafepipError
from safepip.values.journal import Entry, Seen
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.recipes.recover import Recovered
    from safepip.values.environment import Environment
    from safepip.values.plan import Plan
    from safepip.values.target import Target

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back, or would be."""

    entry: Entry
    """The change."""
    by: Entry | None
    """The change that took it back, which can be taken back itself; None for a dry run."""
    left: tuple[str, ...] = ()
    """Folders that the change had made, and in which something else is by now."""


def undo(
    target: Target,
    name: str | None,
    *,
    environ: Mapping[str, str],
    agree: Callable[[Entry], None] | None,
    tell: Callable[[Recovered], None],
    patience: float = 30.0,
) -> Undone:
    """Take back a change of an environment: the named one, or the last that stands.

    ``agree`` asks the user, and raises when the answer is no; None for a dry run.

    Raises: CannotUndo, UnreadableJournal, NotWritable, Busy.
    """
    journal = Journal(target.prefix)
    with locked(target.prefix, patience):
        if (recovered := recover(target.prefix)) is not None:
            tell(recovered)
        entries = list(journal.entries())
        entry = _named(journal, entries, name)
        _refuse_what_cannot(journal, entries, entry)
        environment = _environment(target, environ)
        plan = None
        if environment is not None:
            plan = inverse_plan(entry, environment, required_before(journal, entry))
            _refuse_breaking(environment, plan, entry)
        if agree is None:
            return Undone(entry, None)
        if not journal.is_writable():
            raise NotWritable(f"`{target.prefix}` cannot be written")
        agree(entry)
        return _carried_out(journal, entry, environment, plan)


def _named(journal: Journal, entries: Sequence[Entry], name: str | None) -> Entry:
    if name is None:
        entry = chosen(entries)
        if entry is None:
            raise CannotUndo("there is no change of safepip to take back here")
        return entry
    return next((e for e in entries if e.id == name), None) or journal.read(name)


def _refuse_what_cannot(journal: Journal, entries: Sequence[Entry], entry: Entry) -> None:
    """Raise CannotUndo for a change that cannot be taken back as things are."""
    if (by := taken_back_by(entries).get(entry.id)) is not None:
        raise CannotUndo(f"the change {entry.id} was taken back already, by {by}")
    if not entry.can_undo or lacking(journal, entry):
        raise CannotUndo(
            f"what is needed to take {entry.id} back was not kept",
            why="it was made with `--no-undo` or `--no-cache-dir`, or is older than what is kept",
            fixes=_by_hand(entry),
        )
    if others := in_the_way(entry, entries):
        names = ", ".join(other.id for other in others)
        order = " && ".join(f"safepip undo {e.id}" for e in (*others, entry))
        raise CannotUndo(
            f"later changes touched the same files: {names}",
            fixes=(Fix(order, "take them back first, the last one first"),),
        )
    if paths := changed_since(journal, entry):
        more = f", and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        raise CannotUndo(
            f"since {entry.id}, something else than safepip changed "
            f"{', '.join(paths[:_SHOWN])}{more}",
            why="taking the change back would take that back, too",
        )


def _by_hand(entry: Entry) -> tuple[Fix, ...]:
    """Give the commands that come near to taking a change back, by the index."""
    steps = inverse_steps(entry)
    gone = [step.name for step in steps if step.after is None]
    back = [f"{step.name}=={step.after}" for step in steps if step.after is not None]
    commands = [f"safepip uninstall -y {' '.join(gone)}"] if gone else []
    commands += [f"safepip install --no-deps {' '.join(back)}"] if back else []
    return (Fix(" && ".join(commands), "get the same by the index"),) if commands else ()


def _environment(target: Target, environ: Mapping[str, str]) -> Environment | None:
    """Give the environment; None where its Python does not start, which an undo may well mend."""
    try:
        return read_environment(target.prefix, ask_python(target.python, environ))
    except SafepipError:
        return None


def _refuse_breaking(environment: Environment, plan: Plan, entry: Entry) -> None:
    found = list(breaks(environment, plan))
    if found:
        lines = [f"{f.distribution} requires {f.requirement}" for f in found]
        names = sorted({f.distribution for f in found})
        raise CannotUndo(
            f"taking {entry.id} back would break what came later: {'; '.join(lines[:_SHOWN])}",
            fixes=(
                Fix(
                    f"safepip uninstall -y {' '.join(names)} && safepip undo {entry.id}",
                    f"remove {', '.join(names)} first",
                ),
            ),
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
    )
    paths = [journal.absolute(path) for path in entry.touched]
    folders = [journal.absolute(path) for path in entry.new_folders]
    try:
        by = begin(journal, by, paths, [path for path in folders if os.path.isdir(path)])
    except OSError as error:
        journal.unmark()
        journal.forget(by.id)
        raise NotWritable(f"cannot keep what is needed: {error.strerror}") from error
    try:
        revert(journal, entry)
        left = remove_new_folders(journal, entry)
        seen = seen_after(environment, plan) if environment and plan else Seen()
        seconds = {"act": time.monotonic() - since}
        by = finish(journal, replace(by, seen=seen, seconds=seconds), ())
    except BaseException:
        if journal.unfinished() and not take_back(journal, by):
            journal.unmark()
            journal.forget(by.id)
        raise
    return Undone(entry, by, tuple(left))
