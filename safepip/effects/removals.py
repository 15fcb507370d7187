"""What pip would delete to uninstall a distribution, found without pip.

RECORD is not the whole of it: bytecode beside modules goes too, and so do the scripts of entry
points, whoever wrote the files there. And its lines can lead out of the environment.

Source: `UninstallPathSet.from_dist` of pip, of which the public part is
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from safepip.decisions.planning.entry_points import script_names
from safepip.effects.opened import read_bytes
from safepip.values.account import Removal

if TYPE_CHECKING:
    from safepip.values.environment import Distribution, Interpreter

_Paths = Iterator[str]

RECORD_BYTES = 64 * 1024 * 1024
"""Bytes of a RECORD; the largest that are known have 2 MB."""


class _CannotRemove(Exception):
    """pip refuses to uninstall this."""


def removal_of(distribution: Distribution, interpreter: Interpreter) -> Removal:
    """Give what uninstalling a distribution deletes; only paths that exist.

    Folders stand for all they hold.
    """
    removes: tuple[str, ...] = ()
    reason = ""
    try:
        removes = tuple(sorted(_existing(distribution, interpreter)))
    except _CannotRemove as error:
        reason = str(error)
    return Removal(
        distribution.name,
        distribution.version,
        distribution.metadata_path,
        removes,
        reason,
    )


def declared_files(distribution: Distribution) -> tuple[str, ...]:
    """Give the absolute paths that a distribution lists as its own, whether they exist or not."""
    folder = distribution.location
    named = _declared(distribution) or ()
    return tuple(os.path.normpath(os.path.join(folder, path)) for path in named)


def why_unlisted(distribution: Distribution) -> str:
    """Say why nobody can tell which files a distribution has; nothing where its list is sound.

    pip stops at a RECORD that it cannot read, and takes one that lists nothing for an uninstall of
    nothing. Only of a `*.dist-info`: older metadata need not have a list.
    """
    info = distribution.metadata_path
    if not info.endswith(".dist-info"):
        return ""
    try:
        text = read_bytes(f"{info}/RECORD", RECORD_BYTES).decode()
        rows = [row[0] for row in csv.reader(text.splitlines()) if row]
    except FileNotFoundError:
        return "it has no RECORD"
    except (OSError, ValueError, csv.Error):
        return "its RECORD cannot be read"
    own = f"{os.path.basename(info)}/"
    return "" if any(own in row for row in rows) else "its RECORD does not list it"


def has_list(distribution: Distribution) -> bool:
    """Say whether a distribution has a list of its files, which older metadata need not have."""
    return _declared(distribution) is not None


def top_levels(distribution: Distribution) -> tuple[str, ...]:
    """Give the names of its modules and packages, as `top_level.txt` of setuptools has them."""
    return tuple(filter(_is_name, (_text(distribution, "top_level.txt") or "").splitlines()))


def _is_name(top: str) -> bool:
    return bool(top) and "/" not in top and top not in (".", "..")


def script_paths(distribution: Distribution, interpreter: Interpreter) -> tuple[str, ...]:
    """Give the absolute paths of a distribution's commands, whether they exist or not."""
    return tuple(_scripts(distribution, _script_folder(distribution, interpreter, "")))


def _existing(distribution: Distribution, interpreter: Interpreter) -> set[str]:
    link = _egg_link(distribution, interpreter)
    if _is_out_of_reach(os.path.dirname(link) or distribution.location, interpreter):
        return set()
    real = lru_cache(maxsize=None)(os.path.realpath)
    tag = interpreter.cache_tag
    found: set[str] = set()
    scripts = _scripts(distribution, _script_folder(distribution, interpreter, link))
    for path in (*_library_paths(distribution, link), *scripts):
        folder, name = os.path.split(path)
        whole = named_whole(path, real)
        if not os.path.exists(whole) or not _is_permitted(whole, interpreter):
            continue
        found.add(whole)
        if name.endswith(".py"):
            bytecode = f"{real(folder)}/__pycache__/{name[:-3]}.{tag}.pyc"
            found.update([bytecode] if os.path.exists(bytecode) else [])
    return found


def named_whole(path: str, real: Callable[[str], str] = os.path.realpath) -> str:
    """Give a path as pip does: links in its folder are followed, and it is itself what it is."""
    folder, name = os.path.split(path)
    return os.path.normpath(os.path.join(real(folder), name))


def _is_out_of_reach(folder: str, interpreter: Interpreter) -> bool:
    """Say whether pip leaves what lies in a folder alone, without calling that a failure."""
    real = os.path.realpath(folder)
    return real == os.path.realpath(interpreter.stdlib) or not _is_permitted(real, interpreter)


def _is_permitted(path: str, interpreter: Interpreter) -> bool:
    """Say whether pip may touch a path; only a virtual environment limits it."""
    if interpreter.prefix == interpreter.base_prefix:
        return True
    return path.startswith(os.path.realpath(interpreter.prefix))


# ------------------------------------------------------------------------------- libraries


def _library_paths(distribution: Distribution, link: str) -> _Paths:
    """Give what the metadata names. Of several cases the first counts, as in pip."""
    info = distribution.metadata_path
    name = (distribution.raw_name or distribution.name).replace("-", "_")
    if info.endswith(".egg-info") and os.path.isdir(info) and not info.endswith(f"{name}.egg-info"):
        yield from _flat_egg_paths(distribution)
    elif os.path.isfile(info):
        raise _CannotRemove("it was installed by distutils, which keeps no list of files")
    elif distribution.location.endswith(".egg"):
        yield distribution.location
        yield os.path.join(os.path.dirname(distribution.location), "easy-install.pth")
    elif info.endswith(".dist-info") and os.path.isdir(info):
        yield from _recorded_paths(distribution)
    elif link:
        yield link
        yield os.path.join(os.path.dirname(link), "easy-install.pth")


def _recorded_paths(distribution: Distribution) -> _Paths:
    entries = _declared(distribution)
    if entries is None:
        raise _CannotRemove("it has no RECORD, which lists its files")
    for entry in entries:
        yield from beside(distribution, entry)


def beside(distribution: Distribution, entry: str) -> _Paths:
    """Give the paths that pip removes by one entry of a RECORD; bytecode of today is another's."""
    # As pathlib has it, by which pip names what is in RECORD: without a slash at the end.
    path = os.path.join(distribution.location, str(PurePosixPath(entry)))
    yield path
    if path.endswith(".py"):
        yield path[:-3] + ".pyc"
        yield path[:-3] + ".pyo"


def _flat_egg_paths(distribution: Distribution) -> _Paths:
    yield distribution.metadata_path
    entries = _declared(distribution)
    if entries is not None:
        for entry in entries:
            yield os.path.join(distribution.location, entry)
        return
    namespaces = (_text(distribution, "namespace_packages.txt") or "").splitlines()
    for top in (_text(distribution, "top_level.txt") or "").splitlines():
        if top and top not in namespaces:
            path = os.path.join(distribution.location, top)
            yield from (path, f"{path}.py", f"{path}.pyc", f"{path}.pyo")


def _declared(distribution: Distribution) -> list[str] | None:
    """Give the list of files, relative to the library folder; None where there is none."""
    record = _text(distribution, "RECORD")
    if record is not None:
        try:
            return [row[0] for row in csv.reader(record.splitlines()) if row]
        except csv.Error:  # a field of more than 128 KB
            return None
    listed = _text(distribution, "installed-files.txt")
    if listed is None:
        return None
    info = os.path.basename(distribution.metadata_path)
    return [os.path.normpath(os.path.join(info, line)) for line in listed.splitlines() if line]


def _egg_link(distribution: Distribution, interpreter: Interpreter) -> str:
    """Give the file by which `setup.py develop` made a project known; empty where there is none.

    It lies where installed packages lie, and the metadata in the project.
    """
    sites = (interpreter.user_site, interpreter.purelib)
    if distribution.location in map(os.path.realpath, sites):
        return ""
    raw = distribution.raw_name or distribution.name
    names = (re.sub("[^A-Za-z0-9.]+", "-", raw), raw)
    links = (f"{folder}/{name}.egg-link" for folder in sites for name in names)
    return next(filter(os.path.isfile, links), "")


# ------------------------------------------------------------------------------- scripts


def _script_folder(distribution: Distribution, interpreter: Interpreter, link: str) -> str:
    if distribution.user_site or (link and link.startswith(interpreter.user_site)):
        # The user's library folder is `lib/pythonX.Y/site-packages` below the user's base.
        return os.path.join(Path(interpreter.user_site).parents[2], "bin")
    return interpreter.scripts


def _scripts(distribution: Distribution, folder: str) -> _Paths:
    """Give the scripts of entry points, which no RECORD need list, and those of distutils."""
    with contextlib.suppress(OSError):
        for name in os.listdir(os.path.join(distribution.metadata_path, "scripts")):
            yield os.path.join(folder, name)
    text = _text(distribution, "entry_points.txt") or ""
    for group in ("console_scripts", "gui_scripts"):
        yield from (os.path.join(folder, name) for name in script_names(text, group))


def _text(distribution: Distribution, name: str) -> str | None:
    try:
        found = read_bytes(f"{distribution.metadata_path}/{name}", RECORD_BYTES)
    except (OSError, ValueError):
        return None
    # As text files are read: with one kind of line ends.
    return found.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
