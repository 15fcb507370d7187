"""Taking back a change of which nothing was kept: by the index, or in words for a person."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.channels import channels_of
from safepip.decisions.fixing.shell import Shell, shell_in, shell_of
from safepip.decisions.judging.consistency import breaks
from safepip.decisions.judging.requirements import parse_requirement
from safepip.decisions.undoing.inverse import index_lines, inverse_plan, inverse_steps
from safepip.effects.journal import Journal
from safepip.effects.reading import read_manager
from safepip.values.environment import spec_name
from safepip.values.errors import CannotUndo, SafepipError, VerifyFailed
from safepip.values.exits import Exit
from safepip.values.request import Request
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safepip.values.environment import Environment
    from safepip.values.journal import Entry
    from safepip.values.request import Policy, Verb
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome


class Way(NamedTuple):
    """How a change is taken back by the index."""

    entry: Entry
    """The change."""
    back: tuple[str, ...]
    """Lines of a requirements file, each with its hash."""
    gone: tuple[str, ...]
    """Names to uninstall."""


def way_by_index(
    target: Target, entry: Entry, entries: Sequence[Entry], environment: Environment | None
) -> Way:
    """Give how to get what was there before from the index, by the hashes that the journal knows.

    ``environment``: as it is now, where that is known.

    Raises: CannotUndo, when that is not known.
    """
    said = f"what is needed to take {entry.id} back was not kept"
    shell = shell_of(target)
    why = "it was made with `--no-undo` or `--no-cache-dir`, or is older than what is kept"
    if entry.verb == "doctor":
        raise CannotUndo(said, why="no index has an environment as it was damaged")
    if entry.dists:
        raise CannotUndo(
            f"{entry.id} is a change of conda's, and only conda can take it back",
            fixes=by_hand(entry, shell, environment),
        )
    owned = tuple(step.name for step in entry.steps if step.owner == "conda")
    if owned:
        conda = shell_of(target, read_manager(target.prefix))
        fix = Fix(conda.conda("reinstall", owned), "let conda put its own back")
        raise CannotUndo(said, why=why, fixes=(fix,))
    changed = replace(entry, steps=tuple(s for s in entry.steps if s.before != s.after))
    if not changed.steps:
        raise CannotUndo(said, why="it installed the same versions again, from another source")
    lines = index_lines(changed, entries)
    if any("--hash" not in line for line in lines):
        # By name alone an index may have something else than was here.
        raise CannotUndo(f"{said}, and its hash is not known", fixes=by_hand(entry, shell))
    return Way(entry, lines, tuple(step.name for step in changed.steps if step.before is None))


def by_index(
    target: Target,
    way: Way,
    policy: Policy,
    carry_out: Callable[[Request], Outcome],
    take_back: Callable[[str], None],
) -> Entry | None:
    """Take a change back by commands of pip; all of them, or none. Gives the last change of these.

    ``take_back`` undoes the change of an id.

    Raises: CannotUndo, when that does not work; VerifyFailed, when half of it stands; SafepipError.
    """
    entry = way.entry
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        path = os.path.join(folder, f"before-{entry.id}.txt")
        Path(path).write_text("".join(f"{line}\n" for line in way.back), encoding="utf-8")
        commands: list[tuple[Verb, tuple[str, ...]]] = []
        commands += [("uninstall", ("uninstall", "-y", *way.gone))] if way.gone else []
        commands += [("install", ("install", "--no-deps", "-r", path))] if way.back else []
        made: list[str] = []
        for number, (verb, arguments) in enumerate(commands, 1):
            is_last = number == len(commands)
            kept = policy if is_last else policy._replace(keeps_undo=True)
            undoes = entry.id if is_last else ""
            part_of = "" if is_last else entry.id
            request = Request(verb, arguments, kept, target, undoes=undoes, part_of=part_of)
            outcome = carry_out(request)
            if outcome.exit_code != Exit.DONE:
                _take_back(made, take_back)
            if outcome.exit_code == Exit.INTERRUPTED:
                raise KeyboardInterrupt
            if outcome.exit_code != Exit.DONE:
                raise CannotUndo(
                    f"what is needed to take {entry.id} back was not kept, and pip did not get it "
                    f"from the index ({outcome.exit_code})",
                    fixes=by_hand(entry, shell_of(target)),
                )
            made += [outcome.undo] if outcome.undo else []
    done = [e for e in Journal(target.prefix).entries() if e.undoes == entry.id]
    return done[-1] if done else None


def _take_back(changes: Sequence[str], take_back: Callable[[str], None]) -> None:
    for change in reversed(changes):
        try:
            take_back(change)
        except SafepipError as error:
            raise VerifyFailed(
                f"half of it is done: the change {change} stands, and could not be taken back "
                f"({error.message})"
            ) from error


def by_hand(entry: Entry, shell: Shell, environment: Environment | None = None) -> tuple[Fix, ...]:
    """Give the commands that come near to taking a change back, by the index.

    ``environment``: as it is now, where that is known.
    """
    if entry.verb == "doctor":
        return _over_condas(entry, shell, environment)
    if entry.dists:
        return _by_conda(entry, shell, environment)
    if any(step.owner == "conda" for step in entry.steps):
        return ()  # pip may not put back what is conda's
    steps = inverse_steps(entry)
    gone = [step.name for step in steps if step.after is None]
    back = [f"{step.name}=={step.after}" for step in steps if step.after is not None]
    commands = [shell.safepip(("uninstall", "-y", *gone))] if gone else []
    commands += [shell.safepip(("install", "--no-deps", *back))] if back else []
    return (Fix(shell.then(*commands), "get the same versions by the index"),) if commands else ()


def _by_conda(entry: Entry, shell: Shell, environment: Environment | None) -> tuple[Fix, ...]:
    """Give conda's own command, about what is left of what it brought: it refuses all others."""
    command = entry.conda_back
    if environment is not None:
        left = [r.name for r in environment.records if r.name.lower() in entry.packages]
        asked = {spec_name(spec) for spec in entry.specs}
        names = [name for name in left if name.lower() in asked] or left
        there = replace(shell_in(shell, environment), channels=channels_of(environment.records))
        command = there.conda("remove", tuple(sorted(names)))
    return (Fix(command, "let conda take it back"),) if command else ()


def _over_condas(entry: Entry, shell: Shell, environment: Environment | None) -> tuple[Fix, ...]:
    """Give the command that has again what a repair took out, in place of conda's or over it.

    All that a repair leaves with a version is conda's. What pip moved aside has no name to ask by.
    What would be as broken as before only plain pip installs.
    """
    gone = [step for step in entry.steps if step.owner == "pip" and step.before is not None]
    lines = [f"{step.name}=={step.before}" for step in gone]
    back = [line for line in lines if parse_requirement(line) is not None]
    if not back:
        return ()
    condas = [step.name for step in entry.steps if step.after is not None]
    allowed = ("--allow", ",".join(condas)) if condas else ()
    force = ("--force-reinstall",) if any(step.before == step.after for step in gone) else ()
    words = ("install", *force, "--no-deps", *back)
    if environment is not None and any(breaks(environment, inverse_plan(entry, environment, {}))):
        says = "have plain pip break it again by the same versions, over conda's"
        return (Fix(shell.safepip(("pip", *words)), says),)
    says = "get the same versions by the index, over conda's"
    return (Fix(shell.safepip(words, allowed), says),)
