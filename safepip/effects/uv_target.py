"""Which environment uv means, by its own rules. uv is then told just that one by `--python`."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from safepip.decisions.uv.options import is_set
from safepip.decisions.uv.words import as_words, known_options, read_words
from safepip.effects.plain import INSIDE
from safepip.effects.prefixes import behind, is_conda_prefix, programs_on_path, python_of
from safepip.effects.processes import is_interruption
from safepip.effects.targets import refuse_other_than_kernel
from safepip.values.errors import CannotJudge, CannotStart, NoCommand
from safepip.values.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.uv.words import UvCommand
    from safepip.effects.targets import Call

_PATIENCE = 60.0
"""Seconds for uv to find a Python."""
_OF_CHOICE = (
    *("--python", "--system", "--managed-python", "--no-managed-python"),
    *("--directory", "--project", "--config-file", "--no-config"),
)
"""Options by which uv chooses an environment."""
_SETTING = r"^ +%s: Some\(\s*(?:\w+\(\s*)?\"((?:[^\"\\]|\\.)*)\""
"""How uv shows a path among its settings."""
_SAID = re.compile(r"^Using Python \S+ environment at:? (.+)$", re.MULTILINE)
_NONE = Target("", "", is_conda=False, chosen_by="PATH", obvious=False)
_NOBODY = "safepip-asks-about-nothing"
_BASE = ("base", "root")
"""What conda calls its own environment, which uv takes for the system's."""


class Elsewhere(NamedTuple):
    """A folder that uv is to use in place of an environment."""

    option: str
    """`--target` or `--prefix`."""
    path: str
    """In full."""
    by_settings: bool
    """uv has it from its files of settings."""


def find_uv(environ: Mapping[str, str]) -> str:
    """Give the uv that a shell would start, were it not for safepip's shims.

    Raises: NoCommand.
    """
    found = next(programs_on_path("uv", environ.get("PATH", os.defpath)), "")
    if not found:
        raise NoCommand("found no `uv` on PATH")
    return found


def become_uv(
    uv: str, words: Sequence[str], environ: Mapping[str, str], python: str = ""
) -> NoReturn:
    """Replace this process by uv, for which this Python is meant where it is told of no other.

    Raises: CannotStart.
    """
    told = {"UV_PYTHON": python} if python else {}
    # That was for this very call: what uv runs may act on another environment.
    rest = {name: value for name, value in environ.items() if name != "SAFEPIP_TARGET_PREFIX"}
    try:
        # Not as a process of safepip's own: what uv starts may call pip, which is guarded as ever.
        os.execve(uv, [uv, *words], {**rest, **told})  # noqa: S606 - no shell, ever
    except OSError as error:
        raise CannotStart(f"cannot run `{uv}`: {error.strerror}") from error


def read_command(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> UvCommand:
    """Give what these words ask uv for.

    Raises: UnknownOption; CannotJudge.
    """
    known = known_options(_said(uv, ("pip", "install", "--help"), environ))
    return read_words(words, known)


def uv_target(uv: str, command: UvCommand, call: Call) -> Target | None:
    """Give the environment that uv would change; None where it finds none.

    uv itself is asked, which may have more settings than anybody can follow. Where it does not say,
    its rules are followed. In a notebook it may only be another than the kernel's by `--python`.

    Raises: CannotJudge, WrongEnvironment.
    """
    target = _by_uv(uv, command, call)
    if not command.has("--python"):
        refuse_other_than_kernel(call, target or _NONE)
    return target


def asked_elsewhere(uv: str, command: UvCommand, environ: Mapping[str, str]) -> Elsewhere | None:
    """Give the folder that uv would use in place of an environment, if it is to use any.

    Raises: CannotJudge.
    """
    names = ("--target", "--prefix")
    words = tuple(as_words((n, v) for n, v in command.options if n in (*_OF_CHOICE, *names)))
    shows = ("pip", "uninstall", *words, "--show-settings", _NOBODY)
    code, said = run_uv(uv, shows, environ, errors=False)
    for name in names:
        given = command.values(name)
        shown_by_uv = None if code else re.search(_SETTING % name[2:], said, re.MULTILINE)
        if given or shown_by_uv is not None:
            path = given[-1] if given else _unescaped(shown_by_uv[1] if shown_by_uv else "")
            return Elsewhere(name, os.path.abspath(command.path(path, environ)), not given)
    return None


def _unescaped(text: str) -> str:
    """Give a text that Rust has shown with its escapes."""
    text = re.sub(r"\\u\{([0-9a-f]{1,6})\}", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\(.)", r"\1", text)


def ask_option(
    uv: str, verb: Sequence[str], name: str, environ: Mapping[str, str]
) -> Literal["unknown", "flag", "value"]:
    """Give what uv's own parser knows of an option of a verb.

    Raises: CannotJudge.
    """
    asks = (f"{name}=x",) if name.startswith("--") else (name,)
    code, said = run_uv(uv, (*verb, *asks, "--help"), environ)
    if code and "unexpected argument" in said:
        return "unknown"
    is_flag = "unexpected value" in said if name.startswith("--") else not code
    return "flag" if is_flag else "value"


def _by_uv(uv: str, command: UvCommand, call: Call) -> Target | None:
    words = tuple(as_words((n, v) for n, v in command.options if n in _OF_CHOICE))
    nothing = ("--dry-run", _NOBODY)
    code, said = run_uv(uv, ("pip", "uninstall", *words, *nothing), call.environ)
    if (found := _SAID.search(said)) is not None:
        prefix = os.path.realpath(command.path(found[1], call.environ))
        return _at(prefix, _reason(command, call.environ, prefix), call)
    own = command.path(".venv", call.environ)
    if code == 0 and os.path.exists(own):  # which it finds, and does not speak of
        return _at(own, "VIRTUAL_ENV", call)
    return _by_rules(uv, command, call)


def _reason(command: UvCommand, environ: Mapping[str, str], prefix: str = "") -> str:
    """Give the word for how uv chose, or is going to; ``prefix``: what it chose."""
    if command.has("--python") or environ.get("UV_PYTHON"):
        return "--python"
    if command.has("--system") or is_set(environ, "UV_SYSTEM_PYTHON"):
        return "--system"
    virtual = environ.get("VIRTUAL_ENV")
    is_virtual = bool(virtual) and prefix in ("", os.path.realpath(virtual or ""))
    return "VIRTUAL_ENV" if is_virtual else "CONDA_PREFIX"


def _by_rules(uv: str, command: UvCommand, call: Call) -> Target | None:
    """Give the environment as uv finds it.

    Source: https://docs.astral.sh/uv/pip/environments/
    """
    environ = call.environ
    reason = _reason(command, environ)
    if reason == "--python":
        asked = command.values("--python") or (environ["UV_PYTHON"],)
        return _chosen(uv, asked[-1], command, call)
    if reason == "--system":
        return _from_python(_found(uv, ("--system",), environ), reason, call)
    if prefix := environ.get("VIRTUAL_ENV"):
        return _at(prefix, reason, call)
    if (prefix := environ.get("CONDA_PREFIX")) and not _is_base(environ):
        return _at(prefix, reason, call)
    return None


def _is_base(environ: Mapping[str, str]) -> bool:
    root = environ.get("_CONDA_ROOT")
    is_root = bool(root) and os.path.realpath(root or "") == os.path.realpath(
        environ["CONDA_PREFIX"]
    )
    return is_root or environ.get("CONDA_DEFAULT_ENV") in _BASE


def _chosen(uv: str, asked: str, command: UvCommand, call: Call) -> Target | None:
    path = command.path(os.path.expanduser(asked), call.environ)
    if os.path.isdir(path):
        return _at(path, "--python", call)
    if os.path.isfile(path):
        return _from_python(os.path.abspath(path), "--python", call)
    system = ("--system",) if command.has("--system") else ()
    return _from_python(_found(uv, (*system, asked), call.environ), "--python", call)


def _at(prefix: str, chosen_by: str, call: Call) -> Target | None:
    prefix = os.path.realpath(prefix)
    python = python_of(prefix)
    if not python:
        return None
    said = chosen_by in ("--python", "VIRTUAL_ENV") or prefix in (call.active, call.kernel)
    is_conda, in_notebook = is_conda_prefix(prefix), bool(call.kernel)
    return Target(
        prefix, python, is_conda, chosen_by, said, in_notebook=in_notebook, start=call.start
    )


def _from_python(python: str, chosen_by: str, call: Call) -> Target | None:
    found = behind([python], call.environ) if python else None
    return _at(found[0], chosen_by, call) if found is not None else None


def _found(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Give the Python that uv finds; empty where it finds none, and so changes none."""
    try:
        return _said(uv, ("python", "find", *words), environ).strip()
    except CannotJudge:
        return ""


def _said(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> str:
    code, said = run_uv(uv, words, environ, errors=False)
    if code != 0:
        raise CannotJudge(f"`{uv}` does not say what it understands")
    return said


def run_uv(
    uv: str, words: Sequence[str], environ: Mapping[str, str], *, errors: bool = True
) -> tuple[int, str]:
    """Run uv quietly; give its exit code, and what it said on stderr, or else on stdout.

    Raises: CannotJudge; KeyboardInterrupt, where uv was interrupted.
    """
    quiet = {k: v for k, v in environ.items() if k not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    try:
        done = subprocess.run(
            [uv, *words],
            env={**quiet, INSIDE: "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotJudge(f"cannot run `{uv}`: {error}") from error
    if is_interruption(done.returncode):
        raise KeyboardInterrupt
    said = done.stderr if errors else done.stdout
    return done.returncode, os.fsdecode(said)
