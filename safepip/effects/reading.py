"""Reading a whole environment: both books on it, and what its owners said about changing it.

The only module that makes an `Environment`.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from safepip.effects.installed import NO_METADATA, find_remains, read_distributions
from safepip.effects.prefixes import is_base, name_of
from safepip.effects.record_index import is_small, read_by_index
from safepip.effects.records import (
    read_frozen,
    read_pins,
    read_records,
    read_text,
    records_state,
)
from safepip.effects.wishes import read_wishes
from safepip.values.environment import Environment
from safepip.values.errors import UnreadableRecord, WrongEnvironment
from safepip.values.seal import MARKER, SEAL_MARK
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from safepip.values.environment import Distribution, Interpreter, Manager, Record, RecordStamp
    from safepip.values.verdict import Fix

_HISTORY_TAIL = 1024 * 1024
_MESSAGE_LIMIT = 2000
_FILE_LIMIT = 64 * 1024
_COMMAND = re.compile(
    r"^# cmd:(?!\s*safepip\s).*?[\s/\\]"
    r"(micromamba|mamba|conda)(?:-script\.py|\.exe|/__main__\.py)?(?=\s|$)",
    re.MULTILINE,
)
_RECORD = re.compile(r"(.+)-([^-]+)-([^-]+)\.json")


class Books(NamedTuple):
    """conda's books on an environment, which need no Python of it to be read."""

    state: tuple[RecordStamp, ...]
    """Of the records, before they were read: what changes meanwhile is noticed later."""
    manager: Manager
    records: tuple[Record, ...]


def read_books(
    prefix: str,
    environ: Mapping[str, str] | None = None,
    tell: Callable[[int, int], None] | None = None,
    *,
    remember: bool = True,
) -> Books:
    """Read conda's records; with the variables of a user, by an index where they are many.

    ``tell`` is called with how many of how many are read, where they are many; an index is written
    only to ``remember``.

    Raises: UnreadableRecord.
    """
    prefix = os.path.realpath(prefix)
    manager = read_manager(prefix)
    state = records_state(prefix)
    try:
        if environ is None or is_small(state):
            return Books(state, manager, read_records(prefix))
        return Books(state, manager, read_by_index(prefix, state, environ, tell, remember=remember))
    except UnreadableRecord as error:
        error.fixes = _way_out(prefix, manager, error)
        raise


def read_environment(
    prefix: str, interpreter: Interpreter, books: Books | None = None
) -> Environment:
    """Give the conda environment at a prefix, of which ``interpreter`` is the Python.

    ``books``: where they have been read already.

    Raises: UnreadableRecord, CannotJudge, WrongEnvironment.
    """
    prefix = os.path.realpath(prefix)
    if interpreter.prefix != prefix:
        raise WrongEnvironment(
            f"the Python of `{shown(prefix)}` takes `{shown(interpreter.prefix)}` for its prefix",
            why="so pip would install there; `PYTHONHOME` may be set, or `bin/python` be a link",
        )
    return environment_with(prefix, interpreter, books or read_books(prefix), read_pins(prefix))


def environment_with(
    prefix: str, interpreter: Interpreter, books: Books, pins: tuple[str, ...]
) -> Environment:
    """Give the environment with these books and pins of conda's; the rest of it is read."""
    state, manager, records = books
    user_site = interpreter.user_site
    distributions = read_distributions(interpreter.sys_path, records, prefix, user_site)
    return Environment(
        prefix=prefix,
        interpreter=interpreter,
        records=records,
        distributions=distributions,
        name=name_of(prefix),
        manager=manager,
        is_base=is_base(prefix),
        is_pixi=manager == "pixi",
        pins=pins,
        frozen=read_frozen(prefix),
        externally_managed=read_externally_managed(interpreter.stdlib),
        writable=_can_be_written(prefix, interpreter),
        records_state=state,
        wishes=None if manager == "pixi" else read_wishes(prefix),
        leftovers=_leftovers(interpreter, distributions),
    )


def read_manager(prefix: str) -> Manager:
    """Give the tool that was last used on the environment, by what it left in `conda-meta`.

    What safepip has written into the history of another names none, whatever its arguments are.
    rattler, and what is built on it, keeps the history empty.
    """
    if os.path.lexists(f"{prefix}/conda-meta/pixi"):
        return "pixi"
    try:
        with open(f"{prefix}/conda-meta/history", "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _HISTORY_TAIL))
            history = file.read(_HISTORY_TAIL).decode("utf-8", "replace")
    except OSError:
        history = ""
    if not history.strip():
        return "rattler"
    tools: list[Manager] = _COMMAND.findall(history)
    return tools[-1] if tools else "conda"


def read_externally_managed(stdlib: str) -> str | None:
    """Give the message of an `EXTERNALLY-MANAGED` that safepip did not write; None without one."""
    seal = read_seal(stdlib)
    return seal.message if seal is not None and not seal.is_own else None


class Seal(NamedTuple):
    """What keeps plain pip from an environment."""

    message: str
    """What pip says then; empty where it cannot be read."""
    is_own: bool
    """safepip wrote it."""


def read_seal(stdlib: str) -> Seal | None:
    """Give the `EXTERNALLY-MANAGED` of an environment, whoever wrote it; None without one.

    Source: https://packaging.python.org/en/latest/specifications/externally-managed-environments/
    """
    path = f"{stdlib}/{MARKER}"
    if not os.path.lexists(path):
        return None
    import configparser

    try:
        text = read_text(path, _FILE_LIMIT)
        is_own = any(line.startswith(SEAL_MARK) for line in text.splitlines())
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(text)
        message = parser.get("externally-managed", "Error", fallback="").strip()
        return Seal(message[:_MESSAGE_LIMIT], is_own)
    except (OSError, ValueError, configparser.Error):
        return Seal("", is_own=False)  # to pip it is a marker all the same


def _can_be_written(prefix: str, interpreter: Interpreter) -> bool:
    """Say whether pip could write to all of the folders that an ordinary install writes to."""
    folders = {interpreter.purelib, interpreter.platlib, interpreter.scripts}
    return all(
        os.access(_existing(f), os.W_OK | os.X_OK) for f in {*folders, f"{prefix}/conda-meta"}
    )


def _existing(folder: str) -> str:
    """Give the folder, or the nearest one above it, in which it would be made."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _leftovers(interpreter: Interpreter, found: Iterable[Distribution]) -> tuple[str, ...]:
    folders = dict.fromkeys((interpreter.purelib, interpreter.platlib))
    aside = [path for folder in folders for path in find_remains(folder)]
    ghosts = [d.metadata_path for d in found if d.broken == NO_METADATA and not d.outside]
    return (*aside, *ghosts)


def _way_out(prefix: str, manager: Manager, error: UnreadableRecord) -> tuple[Fix, ...]:
    """Give the command that has a damaged record written anew, where its name says whose it is."""
    named = _RECORD.fullmatch(error.record)
    if named is None or isinstance(error.__cause__, OSError):
        return ()
    from safepip.decisions.fixing.commands import command_line, is_printable
    from safepip.decisions.fixing.shell import Shell
    from safepip.values.verdict import Fix

    shell = Shell(prefix, manager, obvious=False)
    path = f"{prefix}/conda-meta/{error.record}"
    if manager == "pixi":
        again = shell.conda("reinstall", (named[1],))
    else:
        again = shell.conda("install", ("=".join(named.groups()),))
    command = shell.then(command_line("mv", path, f"{path}.unreadable"), again)
    says = "put the record aside, and have its package installed again"
    return (Fix(command, says),) if command and is_printable(command) else ()
