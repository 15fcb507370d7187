"""Which environment a command of uv would bring in step with a project, as uv itself counts."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from safepip.decisions.uv.projects import (
    ACTIVE,
    USUAL,
    VARIABLE,
    changes_environment,
    named_by,
    read_project,
    verb_of,
)
from safepip.decisions.uv.words import UnknownOption, UvOption, as_words, hidden_options, options_in
from safepip.effects.opened import read_bytes
from safepip.effects.toml import parse_toml
from safepip.effects.uv_target import ask_option, run_uv
from safepip.values.errors import CannotJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.decisions.uv.projects import ProjectCommand

_MOST_BYTES = 16 * 1024**2
"""Of a script, and of a `pyproject.toml`."""
_SCRIPT = re.compile(rb"^# /// script\r?$", re.MULTILINE)
_UNKNOWN_OPTIONS = 20

_Read = TypeVar("_Read")


class Place(NamedTuple):
    """A folder that uv may take for the environment of a project."""

    named_by: str
    folder: str


class Wish(NamedTuple):
    """A command that changes the environment of a project."""

    command: ProjectCommand
    places: tuple[Place, ...]
    """The first is the one that it changes; the next, if that were not named."""

    @property
    def of_project(self) -> bool:
        """Whether it is for a project, and not for a script with requirements of its own."""
        return any(place.named_by == USUAL for place in self.places)


def read_wish(uv: str, words: Sequence[str], environ: Mapping[str, str]) -> Wish | None:
    """Give what is changed for a project; None where nothing is, or uv will say what is wrong.

    Raises: CannotJudge, where uv cannot be run.
    """
    known = {**hidden_options(), **options_in(_help(uv, (), environ))}
    verb = _asking(uv, (), known, environ, lambda: verb_of(words, known))
    if not verb:
        return None
    text = _help(uv, verb.split(), environ)
    known.update(options_in(text))
    text = " ".join(text.split())
    command = _asking(
        uv, verb.split(), known, environ, lambda: read_project(words, verb, known, text, environ)
    )
    return _wish(uv, command, environ) if command is not None else None


def _help(uv: str, verb: Sequence[str], environ: Mapping[str, str]) -> str:
    return run_uv(uv, (*verb, "--help"), environ, errors=False)[1]


def _asking(
    uv: str,
    verb: Sequence[str],
    known: dict[str, UvOption],
    environ: Mapping[str, str],
    read: Callable[[], _Read],
) -> _Read | None:
    """Read with ``read``, and ask uv for each option that its help hides; None: uv knows better."""
    for _ in range(_UNKNOWN_OPTIONS):
        try:
            return read()
        except UnknownOption as error:
            found = ask_option(uv, verb, error.name, environ)
            if found == "unknown":
                return None
            known[error.name] = UvOption(error.name, takes_value=found == "value", group="hidden")
        except CannotJudge:
            return None
    return None


def _wish(uv: str, command: ProjectCommand, environ: Mapping[str, str]) -> Wish | None:
    folder = os.path.join(
        os.getcwd(), command.value("--directory") or environ.get("UV_WORKING_DIR", "")
    )
    is_script = bool(command.script) and _has_requirements(os.path.join(folder, command.script))
    if not changes_environment(command, is_script=is_script):
        return None
    names = named_by(command, environ, is_script=is_script)
    root = _root(uv, command, folder, environ) if USUAL in names else folder
    given = {
        ACTIVE: os.path.join(folder, environ.get("VIRTUAL_ENV", "")),
        VARIABLE: os.path.join(root, environ.get(VARIABLE, "")),
        USUAL: os.path.join(root, USUAL),
    }
    places = tuple(Place(name, os.path.realpath(given[name])) for name in names)
    return Wish(command, places) if root else None


def _has_requirements(path: str) -> bool:
    """Say whether a file is a script with requirements of its own, where it is one to be read.

    Source: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
    """
    with suppress(OSError, ValueError):
        text = read_bytes(path, _MOST_BYTES)
        if (begins := _SCRIPT.search(text)) is not None:
            lines = text[begins.end() + 1 :].splitlines()
            return b"# ///" in takewhile(_is_comment, lines)
    return False


def _is_comment(line: bytes) -> bool:
    return line.startswith(b"#")


def _root(uv: str, command: ProjectCommand, folder: str, environ: Mapping[str, str]) -> str:
    """Give the folder that uv counts a project's paths from; empty where it finds no project."""
    there = as_words((n, v) for n, v in command.options if n in ("--directory", "--project"))
    code, said = run_uv(uv, ("workspace", "dir", *there), environ, errors=False)
    if code == 0 and os.path.isabs(said.strip()):
        return said.strip()
    # It says nothing of a workspace without a package of its own, nor does an older uv.
    project = command.value("--project") or environ.get("UV_PROJECT", "")
    above = os.path.realpath(os.path.join(folder, project))
    while not os.path.isfile(f"{above}/pyproject.toml"):
        if os.path.dirname(above) == above:
            return ""
        above = os.path.dirname(above)
    return above if _is_managed(f"{above}/pyproject.toml") else ""


def _is_managed(file: str) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        tool = parse_toml(read_bytes(file, _MOST_BYTES)).get("tool", {})
        return tool.get("uv", {}).get("managed", True) is not False
    return True
