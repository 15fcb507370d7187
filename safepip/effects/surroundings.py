"""What leads out of an environment, or stands before it: commands, kernels, folders of modules."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from safepip.effects.prefixes import (
    interpreter_in,
    is_conda_prefix,
    is_python,
    programs_on_path,
    start_of,
)
from safepip.effects.records import read_text
from safepip.values.inspection import Before, Leading, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.damage import Where
    from safepip.values.environment import Interpreter

_KERNELS = "share/jupyter/kernels"
_FILE_LIMIT = 1024 * 1024
_ENDINGS = (".py", ".so", ".pyd")


def read_surroundings(
    prefix: str, interpreter: Interpreter, environ: Mapping[str, str], working_folder: str
) -> Surroundings:
    """Give what leads out of the environment, and what comes before it."""
    return Surroundings(
        scripts=tuple(_scripts(prefix)),
        kernels=tuple(_kernels(prefix)),
        on_path=tuple(_on_path(prefix, environ)),
        before=tuple(_before(prefix, interpreter, environ, working_folder)),
    )


def _scripts(prefix: str) -> Iterator[Leading]:
    """Give the commands whose first line names a Python that is not the environment's."""
    for name in _names(f"{prefix}/bin"):
        path = f"{prefix}/bin/{name}"
        starts = interpreter_in(start_of(path))
        if _leads_out(prefix, starts):
            there, is_link = os.path.exists(starts), os.path.islink(path)
            yield Leading(f"bin/{name}", starts, exists=there, is_link=is_link)


def _kernels(prefix: str) -> Iterator[Leading]:
    for name in _names(f"{prefix}/{_KERNELS}"):
        path = f"{_KERNELS}/{name}/kernel.json"
        with contextlib.suppress(OSError, ValueError, RecursionError, TypeError, LookupError):
            starts = json.loads(read_text(f"{prefix}/{path}", _FILE_LIMIT))["argv"][0]
            if is_python(starts) and _leads_out(prefix, starts):
                yield Leading(path, starts, exists=os.path.exists(starts))


def _leads_out(prefix: str, program: str) -> bool:
    if not os.path.isabs(program) or "\0" in program:
        return False
    folder = os.path.realpath(os.path.dirname(program))
    return not f"{folder}/".startswith(f"{prefix}/")


def _on_path(prefix: str, environ: Mapping[str, str]) -> Iterator[Leading]:
    """Give the commands that another environment's come before, though this one is active."""
    active = environ.get("CONDA_PREFIX")
    if not active or os.path.realpath(active) != prefix:
        return
    for name in ("python", "pip"):
        first = next(programs_on_path(name, environ.get("PATH", os.defpath)), "")
        other = os.path.realpath(os.path.dirname(os.path.dirname(first)))
        if first and other != prefix:
            is_hidden = os.path.exists(f"{prefix}/bin/{name}")
            if is_hidden or is_conda_prefix(other):
                yield Leading(name, first, exists=True)


def _before(
    prefix: str, interpreter: Interpreter, environ: Mapping[str, str], working_folder: str
) -> Iterator[Before]:
    """Give the folders outside the environment whose modules are imported before its own.

    The working folder is one for whoever starts Python in it, with `-m` or interactively.
    """
    places: dict[str, Where] = {os.path.realpath(working_folder): "working folder"}
    given = environ.get("PYTHONPATH", "").split(os.pathsep)
    given = [os.path.realpath(path) for path in given if path]
    for path in interpreter.sys_path:
        if path == interpreter.purelib:
            break
        if os.path.isabs(path):
            real = os.path.realpath(path)
            is_user_site = path == interpreter.user_site
            places[real] = (
                "user site" if is_user_site else "PYTHONPATH" if real in given else "path file"
            )
    for folder, where in places.items():
        if not f"{folder}/".startswith(f"{prefix}/") and folder != "/":
            modules = tuple(_modules(folder))
            if modules:
                yield Before(folder, where, modules)


def _modules(folder: str) -> Iterable[str]:
    """Give the names of the whole modules in a folder."""
    found = {}
    for name in _names(folder):
        stem = name.partition(".")[0]
        is_file = name.endswith(_ENDINGS) and os.path.isfile(f"{folder}/{name}")
        if stem.isidentifier() and (is_file or os.path.isfile(f"{folder}/{name}/__init__.py")):
            found[stem] = name
    return found


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(os.listdir(folder))
    return []
