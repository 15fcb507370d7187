"""`create`: an environment from a file, whole or not at all.

environment.yml ─▶ conda's part: a tool of conda's family, or py-rattler
                       │
                       └─▶ pip's part: through the guard, in the new environment
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.arguments import arguments_of
from safepip.decisions.exporting.conda_part import with_pip
from safepip.decisions.exporting.constraints import is_constraints, stale
from safepip.decisions.exporting.lines import options_in
from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.hints import hints_on_creating
from safepip.effects.called import words_to_type
from safepip.effects.environment_files import refuse_two_parts
from safepip.effects.half_made import half_made
from safepip.effects.interpreters import ask_python
from safepip.effects.making import has_rattler, make, maker_of
from safepip.effects.prefixes import is_conda_prefix, python_of
from safepip.effects.reading import read_environment
from safepip.effects.writing import text_or_none
from safepip.recipes.opening import guard
from safepip.recipes.settings import configuration_of
from safepip.values.errors import CannotCreate, NotWritable, UnreadableFile
from safepip.values.late import dataclass
from safepip.values.request import Policy, Request
from safepip.values.target import Target
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from safepip.effects.lock import Waiting
    from safepip.effects.making import Maker
    from safepip.recipes.recover import Recovered
    from safepip.values.environment_file import EnvironmentFile
    from safepip.values.verdict import Outcome


class Making(NamedTuple):
    """How and where an environment is to be made."""

    prefix: str
    """Absolute."""
    policy: Policy
    environ: Mapping[str, str]
    tell: Callable[[Recovered | Waiting], None]
    quiet_stdout: bool = False
    maker: str = ""
    """What makes conda's part; empty for what is there."""


@dataclass(frozen=True)
class Created:
    """How it ended."""

    prefix: str
    maker: Maker
    file: EnvironmentFile
    outcome: Outcome | None
    """Of pip's part; None where there is none."""
    left: str = ""
    """Why something is left of what was not made."""

    @property
    def exit_code(self) -> int:
        """The one of pip's part."""
        return self.outcome.exit_code if self.outcome is not None else 0


def create(file: EnvironmentFile, making: Making) -> Created:
    """Make the environment of a file. Where its exit code is not 0, nothing of it is left.

    The working folder is the one that paths in the file are seen from: its own, as conda has it.

    Raises: CannotCreate; SafepipError.
    """
    refuse_two_parts(file)
    if not file.specs and not file.lines:
        raise UnreadableFile(file.path, "there are no dependencies to make an environment of")
    maker = maker_of(making.maker, making.environ)
    specs = with_pip(file.specs) if file.lines else file.specs
    command = command_of(file, f"{making.prefix}-2", making.policy.allow)
    elsewhere = Fix(command, "make it elsewhere")
    with _elsewhere(file, making), half_made(making.prefix, elsewhere) as attempt:
        _make(maker, replace(file, specs=specs), making)
        created = Created(making.prefix, maker, file, _pip_part(file, making))
        attempt.is_made = not created.exit_code
    return replace(created, left=attempt.left)


@contextlib.contextmanager
def _elsewhere(file: EnvironmentFile, making: Making) -> Iterator[None]:
    """Say where else the environment may be made, where the place cannot be written."""
    try:
        yield
    except NotWritable as error:
        name = os.path.basename(making.prefix)
        home = os.path.join(os.path.expanduser("~"), "envs", name)
        command = command_of(file, home, making.policy.allow)
        error.fixes = error.fixes or (Fix(command, "make it in a folder of yours"),)
        raise


def command_of(file: EnvironmentFile, prefix: str, allow: Iterable[str]) -> str:
    """Give the command that makes the environment of a file. ``allow``: what pip may take over."""
    names = ",".join(dict.fromkeys(allow))
    more = ("--allow", names) if names else ()
    start = words_to_type(os.environ)
    return command_line(*start, "create", "-f", file.path, "-p", prefix, *more)


def _make(maker: Maker, file: EnvironmentFile, making: Making) -> None:
    try:
        make(maker, making.prefix, file, making.environ)
    except CannotCreate as error:
        command = command_line(*words_to_type(making.environ), "check-file", file.path, "--solve")
        if has_rattler() and not error.fixes:
            error.fixes = (Fix(command, "see whether the file is the reason"),)
        raise


def _pip_part(file: EnvironmentFile, making: Making) -> Outcome | None:
    prefix = os.path.realpath(making.prefix)
    python = python_of(prefix)
    if not is_conda_prefix(prefix):
        raise CannotCreate(f"no environment came to be at `{making.prefix}`")
    if not file.lines:
        return None
    if not python:
        raise CannotCreate(f"conda's part of `{file.path}` brings no Python for pip's part")
    start = words_to_type(making.environ)
    target = Target(prefix, python, is_conda=True, chosen_by="create", obvious=False, start=start)
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        file, differing = _without_own(file, target, making)
        words, lines, told = arguments_of(file, making.environ)
        if not told:
            return None
        if lines:
            path = Path(folder, "requirements.txt")
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            words = (*words, "-r", str(path))
        # (conda's part may have brought settings of the environment.)
        policy = making.policy._replace(settings=configuration_of(prefix, making.environ))
        outcome = guard(
            Request("install", ("install", *words), policy, target, told=("install", *told)),
            _for_pip(making.environ),
            quiet_stdout=making.quiet_stdout,
            tell=making.tell,
        )
    if not outcome.exit_code or outcome.verdict is not None:
        return outcome
    hints = hints_on_creating(differing, has_index="--index-url" in " ".join(told))
    return replace(outcome, hints=(*outcome.hints, *hints))


def _without_own(
    file: EnvironmentFile, target: Target, making: Making
) -> tuple[EnvironmentFile, Mapping[str, Sequence[tuple[str, str, str]]]]:
    """Leave out safepip's own constraints where they are what conda's part has come to.

    The guard holds these versions in any case, and it can say why something does not go with them.
    With it, what the other files of constraints of safepip's have otherwise, by path.
    """
    paths = {
        line: value
        for line in file.lines
        for value in [dict(options_in(line.text)).get("--constraint", "")]
        if len(options_in(line.text)) == 1 and is_constraints(text_or_none(value))
    }
    if not paths:
        return file, {}
    environment = read_environment(target.prefix, ask_python(target.python, making.environ))
    differences = {
        path: [one for one in stale(text_or_none(path), environment) if one[1]]
        for path in paths.values()
    }
    own = {line for line, path in paths.items() if not differences[path]}
    kept = tuple(line for line in file.lines if line not in own)
    return replace(file, lines=kept), {path: found for path, found in differences.items() if found}


def _for_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables but those that lead pip elsewhere; it asks only who can answer."""
    gone = ("PIP_PYTHON", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONPATH")
    kept = {name: value for name, value in environ.items() if name not in gone}
    return kept if os.isatty(0) else {"PIP_NO_INPUT": "1", **kept}
