"""Which environment uv means, by its own rules. uv is then told just that one by `--python`."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.uv.options import is_set
from safepip.decisions.uv.words import known_options, read_words
from safepip.effects.plain import INSIDE
from safepip.effects.prefixes import behind, is_conda_prefix, programs_on_path, python_of
from safepip.values.errors import CannotJudge, CannotStart, NoCommand
from safepip.values.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.uv.words import UvCommand

_PATIENCE = 60.0
"""Seconds for uv to find a Python."""
_BASE = ("base", "root")
"""What conda calls its own environment, which uv takes for the system's."""


def find_uv(environ: Mapping[str, str]) -> str:
    """Give the uv that a shell would start, were it not for safepip's shims.

    Raises: NoCommand.
    """
    found = next(programs_on_path("uv", environ.get("PATH", os.defpath)), "")
    if not found:
        raise NoCommand("found no `uv` on PATH")
    return found


def become_uv(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by uv.

    Raises: CannotStart.
    """
    try:
        # Not as a process of safepip's own: what uv starts may call pip, which is guarded as ever.
        os.execve(uv, [uv, *words], dict(environ))  # noqa: S606 - no shell, ever
    except OSError as error:
        raise CannotStart(f"cannot run `{uv}`: {error.strerror}") from error


def read_command(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> UvCommand:
    """Give what these words ask uv for.

    Raises: CannotJudge.
    """
    known = known_options(_said(uv, ("pip", "install", "--help"), environ))
    return read_words(words, known)


def uv_target(uv: str, command: UvCommand, environ: Mapping[str, str]) -> Target | None:
    """Give the environment that uv would change; None where uv itself would find none of conda's.

    Raises: CannotJudge.

    Source: https://docs.astral.sh/uv/pip/environments/
    """
    asked = command.values("--python")[-1:] or tuple(filter(None, [environ.get("UV_PYTHON")]))
    if asked:
        return _chosen(uv, asked[0], command, environ)
    if command.has("--system") or is_set(environ, "UV_SYSTEM_PYTHON"):
        return _from_python(_found(uv, ("--system",), environ), "--system", environ)
    if prefix := environ.get("VIRTUAL_ENV"):
        return _at(prefix, "VIRTUAL_ENV", environ)
    if (prefix := environ.get("CONDA_PREFIX")) and not _is_base(environ):
        return _at(prefix, "CONDA_PREFIX", environ)
    return None


def _is_base(environ: Mapping[str, str]) -> bool:
    root = environ.get("_CONDA_ROOT")
    is_root = bool(root) and os.path.realpath(root or "") == os.path.realpath(
        environ["CONDA_PREFIX"]
    )
    return is_root or environ.get("CONDA_DEFAULT_ENV") in _BASE


def _chosen(uv: str, asked: str, command: UvCommand, environ: Mapping[str, str]) -> Target | None:
    path = os.path.expanduser(asked)
    if os.path.isdir(path):
        return _at(path, "--python", environ)
    if os.path.isfile(path):
        return _from_python(os.path.abspath(path), "--python", environ)
    system = ("--system",) if command.has("--system") else ()
    return _from_python(_found(uv, (*system, asked), environ), "--python", environ)


def _at(prefix: str, chosen_by: str, environ: Mapping[str, str]) -> Target | None:
    prefix = os.path.realpath(prefix)
    python = python_of(prefix)
    if not python or not is_conda_prefix(prefix):
        return None
    active = environ.get("CONDA_PREFIX")
    obvious = chosen_by in ("--python", "VIRTUAL_ENV") or prefix == os.path.realpath(active or "/")
    return Target(prefix, python, is_conda=True, chosen_by=chosen_by, obvious=obvious)


def _from_python(python: str, chosen_by: str, environ: Mapping[str, str]) -> Target | None:
    found = behind([python], environ) if python else None
    return _at(found[0], chosen_by, environ) if found is not None else None


def _found(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Give the Python that uv finds; empty where it finds none, and so changes none."""
    try:
        return _said(uv, ("python", "find", *words), environ).strip()
    except CannotJudge:
        return ""


def _said(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> str:
    quiet = {k: v for k, v in environ.items() if k not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    try:
        done = subprocess.run(
            [uv, *words],
            env={**quiet, INSIDE: "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotJudge(f"`{uv}` does not say what it understands: {error}") from error
    return done.stdout.decode("utf-8", "replace")
