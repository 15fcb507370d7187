"""Reading the files in which settings stand; each is bounded, and a pipe is not waited for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from safepip.decisions.configuring import heeded_in, values_in, values_of
from safepip.effects.brought import why_suspect
from safepip.effects.opened import read_bytes
from safepip.effects.user_places import user_config
from safepip.values.errors import UnreadableFile
from safepip.values.setting import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


PREFIX_FILE = "etc/safepip/config.toml"
"""The file of an environment, below its prefix."""
_PROJECT_FILE = "pyproject.toml"
_TABLE = "tool.safepip"
_LIMIT = 1024 * 1024
_LEVELS = 64


def read_layers(prefix: str, environ: Mapping[str, str]) -> Iterator[Layer]:
    """Give what each source sets, from the weakest to the strongest.

    What is wrong with a project's file is told in its layer, and stops nothing: whoever can write
    in a folder above the working folder may have put it there, and a newer safepip knows more keys.
    So it is with an environment's file that a distribution may have brought, as plain pip lets any
    do: nobody who answers for the environment need have written it.

    Raises: UsageError; UnreadableFile.
    """
    users = user_file()
    if users and (table := _table_of(users)) is not None:
        yield Layer("user", users, values_in(table, users))
    yield from _of_environment(prefix)
    yield from _of_projects()
    yield Layer("variable", "", values_of(environ))


def _of_environment(prefix: str) -> Iterator[Layer]:
    path = f"{prefix}/{PREFIX_FILE}"
    try:
        table = _table_of(path)
    except UnreadableFile as error:
        if why := why_suspect(prefix, PREFIX_FILE):
            yield Layer("brought", path, {}, (error.message,), why)
            return
        raise
    if table is None:
        return
    if why := why_suspect(prefix, PREFIX_FILE):
        yield Layer("brought", path, *heeded_in(table, path, ""), why)
    else:
        yield Layer("prefix", path, values_in(table, path))


def _of_projects() -> Iterator[Layer]:
    """Give what the nearest project sets that knows safepip, and what cannot be read before it."""
    for path in _projects():
        try:
            text = _read(path)
            # The table cannot be there without its name, and most projects know nothing of safepip.
            tool = _parsed(path, text).get("tool") if text and b"safepip" in text else None
        except UnreadableFile as error:
            yield Layer("project", path, {}, (error.message,))
            continue
        if isinstance(tool, dict) and "safepip" in tool:
            yield Layer("project", path, *heeded_in(tool["safepip"], path, _TABLE))
            return


def user_file() -> str:
    """Give the path of the user's own file; empty where a user has no place for such."""
    path = os.path.join(user_config(os.environ), "config.toml")
    return path if os.path.isabs(path) else ""  # without a home it begins with a tilde


def _projects() -> Iterator[str]:
    """Give where a project's file may lie: in the working folder, or the nearest one above it."""
    try:
        folder = os.getcwd()
    except OSError:  # it was removed
        return
    for _ in range(_LEVELS):
        yield os.path.join(folder, _PROJECT_FILE)
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _table_of(path: str) -> dict[str, Any] | None:
    text = _read(path)
    return None if text is None else _parsed(path, text)


def _read(path: str) -> bytes | None:
    """Give what stands in a file; None where there is none."""
    try:
        return read_bytes(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableFile(path, error.strerror) from error
    except ValueError as error:
        raise UnreadableFile(path, error) from error


def _parsed(path: str, text: bytes) -> dict[str, Any]:
    from safepip.effects.toml import parse_toml  # most commands read no TOML

    try:
        return parse_toml(text)
    except ValueError as error:
        raise UnreadableFile(path, f"it is not TOML: {error}") from error
