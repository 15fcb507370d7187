"""`create`: an environment from a file, whole or not at all.

environment.yml ─▶ conda's part: a tool of conda's family, or py-rattler
                       │
                       └─▶ pip's part: through the guard, in the new environment
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.arguments import as_file, needs_a_file, words_of_lines
from safepip.decisions.exporting.conda_part import with_pip
from safepip.decisions.exporting.lines import name_in
from safepip.decisions.fixing.commands import command_line
from safepip.effects.making import half_made, make, maker_of
from safepip.effects.prefixes import is_conda_prefix, python_of
from safepip.recipes.opening import guard
from safepip.values.errors import CannotCreate
from safepip.values.late import dataclass
from safepip.values.request import Policy, Request
from safepip.values.target import Target
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

    @property
    def exit_code(self) -> int:
        """The one of pip's part."""
        return self.outcome.exit_code if self.outcome is not None else 0


def create(file: EnvironmentFile, making: Making) -> Created:
    """Make the environment of a file. Where its exit code is not 0, nothing of it is left.

    Raises: CannotCreate; SafepipError.
    """
    maker = maker_of(making.maker, making.environ)
    specs = with_pip(file.specs) if file.lines else file.specs
    with half_made(making.prefix, _again(file, f"{making.prefix}-2")) as keep:
        _make(maker, replace(file, specs=specs), making)
        created = Created(making.prefix, maker, file, _pip_part(file, making))
        if not created.exit_code:
            keep()
    return created


def _again(file: EnvironmentFile, prefix: str) -> Fix:
    command = command_line("safepip", "create", "-f", file.path, "-p", prefix)
    return Fix(command, "make it elsewhere")


def _make(maker: Maker, file: EnvironmentFile, making: Making) -> None:
    try:
        make(maker, making.prefix, file, making.environ)
    except CannotCreate as error:
        command = command_line("safepip", "check-file", file.path)
        error.fixes = error.fixes or (Fix(command, "see whether the file is the reason"),)
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
    target = Target(prefix, python, is_conda=True, chosen_by="create", obvious=False)
    named = (name_in(line.text) for line in file.lines if line.allows)
    allow = dict.fromkeys((*making.policy.allow, *filter(None, named)))
    policy = replace(making.policy, allow=tuple(allow))
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        arguments = _arguments(file, making.environ, folder)
        return guard(
            Request("install", arguments, policy, target),
            _without_redirection(making.environ),
            quiet_stdout=making.quiet_stdout,
            tell=making.tell,
        )


def _without_redirection(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables but those that lead pip into another environment."""
    gone = ("PIP_PYTHON", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONPATH")
    return {name: value for name, value in environ.items() if name not in gone}


def _arguments(file: EnvironmentFile, environ: Mapping[str, str], folder: str) -> tuple[str, ...]:
    """Give pip's arguments: the words themselves, which the journal keeps, where pip takes them."""
    beside = os.path.dirname(os.path.realpath(file.path))

    def located(path: str) -> str:
        found = os.path.normpath(os.path.join(beside, path.partition("[")[0]))
        return f"{found}{path[len(path.partition('[')[0]) :]}" if os.path.exists(found) else path

    words = words_of_lines(file, environ, located)
    if not needs_a_file(words):
        return ("install", *(word for line in words for word in line))
    path = Path(folder, "requirements.txt")
    path.write_text(as_file(words), encoding="utf-8")
    return ("install", "-r", str(path))
