"""Taking back a change of which nothing was kept: by the index, or in words for a person."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.undoing.inverse import index_lines, inverse_steps
from safepip.effects.journal import Journal
from safepip.effects.reading import read_manager
from safepip.recipes.course import is_reached
from safepip.values.errors import CannotUndo
from safepip.values.exits import Exit
from safepip.values.request import Request
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safepip.values.journal import Entry
    from safepip.values.request import Policy, Verb
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome


def by_index(
    target: Target,
    entry: Entry,
    entries: Sequence[Entry],
    policy: Policy,
    carry_out: Callable[[Request], Outcome],
) -> Entry | None:
    """Get what was there before from the index, by the hashes that the journal knows.

    Gives the last change that this made.

    Raises: CannotUndo, when that does not work; SafepipError.
    """
    steps = [step for step in entry.steps if step.before != step.after]
    owned = [step.name for step in steps if step.owner == "conda"]
    if owned:
        conda = Shell(target.prefix, read_manager(target.prefix))
        raise CannotUndo(
            f"what is needed to take {entry.id} back was not kept",
            why="it was made with `--no-undo` or `--no-cache-dir`, or is older than what is kept",
            fixes=(Fix(conda.conda("reinstall", tuple(owned)), "let conda put its own back"),),
        )
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        path = os.path.join(folder, f"before-{entry.id}.txt")
        lines = index_lines(entry, entries)
        if any("--hash" not in line for line in lines):
            # By name alone an index may have something else than was here.
            raise CannotUndo(
                f"what is needed to take {entry.id} back was not kept, and its hash is not known",
                fixes=by_hand(entry, Shell(target.prefix, obvious=is_reached(target))),
            )
        Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        gone = tuple(step.name for step in steps if step.before is None)
        commands: list[tuple[Verb, tuple[str, ...]]] = []
        commands += [("install", ("install", "--no-deps", "-r", path))] if lines else []
        commands += [("uninstall", ("uninstall", "-y", *gone))] if gone else []
        for verb, arguments in commands:
            request = Request(verb, arguments, policy, target, undoes=entry.id)
            outcome = carry_out(request)
            if outcome.exit_code != Exit.DONE:
                raise CannotUndo(
                    f"what is needed to take {entry.id} back was not kept, and pip did not get it "
                    f"from the index ({outcome.exit_code})",
                    fixes=by_hand(entry, Shell(target.prefix, obvious=is_reached(target))),
                )
    made = [e for e in Journal(target.prefix).entries() if e.undoes == entry.id]
    return made[-1] if made else None


def by_hand(entry: Entry, shell: Shell) -> tuple[Fix, ...]:
    """Give the commands that come near to taking a change back, by the index."""
    steps = inverse_steps(entry)
    gone = [step.name for step in steps if step.after is None]
    back = [f"{step.name}=={step.after}" for step in steps if step.after is not None]
    commands = [shell.safepip(("uninstall", "-y", *gone))] if gone else []
    commands += [shell.safepip(("install", "--no-deps", *back))] if back else []
    return (Fix(shell.then(*commands), "get the same versions by the index"),) if commands else ()
