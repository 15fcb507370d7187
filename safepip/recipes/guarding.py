"""Turning the guard of an environment on and off: a page for each.

pieces that should be there ─▶ what is there, and what the manifest knows ─▶ steps ─▶ carried out
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.guarding.manifest import steps_off, steps_on
from safepip.decisions.guarding.pieces import pieces
from safepip.effects.guard_files import carry_out, prints, take_away
from safepip.effects.interpreters import ask_python
from safepip.effects.itself import own_command, own_package, read_texts
from safepip.effects.lock import locked
from safepip.effects.prefixes import programs_on_path
from safepip.effects.reach import closed_to_others
from safepip.effects.reading import read_externally_managed
from safepip.effects.records import read_frozen
from safepip.recipes.unlisted import adopted, listed, with_unlisted
from safepip.values.errors import CannotJudge, HalfGuarded, NotWritable
from safepip.values.guarding import LEVELS, ROOT, SHIMS, STARTUP
from safepip.values.retry import Retry
from safepip.values.seal import MARKER
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.environment import Interpreter
    from safepip.values.guarding import Level, Manifest, Piece, Steps
    from safepip.values.target import Target

_OVERRIDE = Retry("write there all the same", own=("--override-frozen",))


class Turned(NamedTuple):
    """What became of the guard, or would."""

    before: Manifest
    steps: Steps
    minor: str = ""
    """Of the environment's Python, as `3.11`; empty where that was not asked."""
    closed: str = ""
    """What keeps other users of the environment from starting safepip; empty for nothing."""


def guard_on(
    target: Target,
    levels: Collection[Level],
    shell: Shell,
    environ: Mapping[str, str],
    *,
    patience: float,
    dry_run: bool,
    override_frozen: bool,
) -> Turned:
    """Have the guard in an environment at these levels, and at those that it has already.

    ``shell`` makes the commands that stand in what is written. ``patience``: how long to wait for
    another safepip, in seconds.

    Raises: NotWritable, HalfGuarded, NoEngine, CannotJudge, Busy.
    """
    prefix = target.prefix
    with locked(prefix, patience):
        before = listed(prefix, shell)
        wanted = tuple(one for one in LEVELS if one in {"shims", *levels, *before.levels})
        # (The environment is to be, without the guard, as it was before it: no bytecode either.)
        python = ask_python(target.python, {**environ, "PYTHONDONTWRITEBYTECODE": "1"})
        _refuse_where_unwelcome(prefix, python, override_frozen=override_frozen)
        if "seal" in wanted and read_externally_managed(python.stdlib) is not None:
            raise NotWritable(
                f"`{python.stdlib}/{MARKER}` is there already, and not safepip's",
                why="whoever put it there has sealed the environment already",
                fixes=[Fix(shell.safepip(("guard", "on")), "have the rest of the guard")],
            )
        path = os.pathsep.join((environ.get("PATH", os.defpath), f"{prefix}/bin"))
        with_uv = any(True for _ in programs_on_path("uv", path))
        should = _pieces(prefix, python, wanted, shell, with_uv=with_uv)
        before = adopted(prefix, should, before)
        paths = {*(piece.path for piece in should), *(file.path for file in before.files)}
        steps = steps_on(should, before, prints(prefix, paths), wanted)
        if not dry_run and (steps.changes or before.levels != wanted):
            try:
                carry_out(prefix, steps, before)
            except HalfGuarded as error:
                off = Fix(shell.safepip(("guard", "off")), "take away what is written of it")
                error.fixes = (off,)
                raise
        return Turned(before, steps, python.minor, closed_to_others(prefix))


def guard_off(
    target: Target,
    shell: Shell,
    environ: Mapping[str, str],
    *,
    patience: float,
    dry_run: bool,
) -> Turned:
    """Take away what `guard_on` wrote, but for what somebody changed since.

    What no manifest lists is known by the bytes that would be written today.
    ``shell``, ``patience``: as there.

    Raises: NotWritable, HalfGuarded, Busy.
    """
    prefix = target.prefix
    with locked(prefix, patience):

        def make() -> tuple[Piece, ...]:
            python = ask_python(target.python, {**environ, "PYTHONDONTWRITEBYTECODE": "1"})
            return _pieces(prefix, python, LEVELS, shell, with_uv=True)

        before = with_unlisted(prefix, listed(prefix, shell), make)
        found = prints(prefix, (file.path for file in before.files))
        steps = steps_off(before.files, found)
        if not dry_run and (before.levels or steps.remove):
            take_away(prefix, steps, before)
        return Turned(before, steps)


def _pieces(
    prefix: str,
    python: Interpreter,
    levels: Collection[Level],
    shell: Shell,
    *,
    with_uv: bool,
) -> tuple[Piece, ...]:
    """Give what should be there, by what the environment's Python says of itself.

    Raises: CannotJudge, where its packages are not in the environment.
    """
    folders = (python.purelib, python.stdlib)
    library, stdlib = (os.path.relpath(os.path.realpath(f), prefix) for f in folders)
    if ".." in (library.split("/")[0], stdlib.split("/")[0]):
        raise CannotJudge(f"the Python of `{prefix}` has its packages in `{python.purelib}`")
    return pieces(
        levels,
        read_texts(),
        own_command(),
        own_package(),
        minor=python.minor,
        library=library,
        stdlib=stdlib,
        shell=shell,
        with_uv=with_uv,
    )


def _refuse_where_unwelcome(prefix: str, python: Interpreter, *, override_frozen: bool) -> None:
    """Leave alone what its owner does not want to be changed, or what cannot be written.

    Raises: NotWritable.
    """
    below = ["", "/etc", "/etc/safepip", "/etc/conda", "/conda-meta", "/libexec", f"/{ROOT}"]
    below += [f"/{SHIMS}", "/etc/conda/activate.d", "/etc/conda/deactivate.d"]
    below += ["/etc/ipython", f"/{os.path.dirname(STARTUP)}"]
    folders = {*(f"{prefix}{folder}" for folder in below), python.purelib, python.stdlib}
    for folder in sorted(folders):
        if os.path.isdir(folder) and not os.access(folder, os.W_OK | os.X_OK):
            raise NotWritable(f"`{folder}` cannot be written")
    frozen = None if override_frozen else read_frozen(prefix)
    if frozen is not None:
        raise NotWritable(
            f"this environment is sealed by `{prefix}/conda-meta/frozen`",
            why=frozen or "its owner does not want it to be changed",
            retry=_OVERRIDE,
        )
