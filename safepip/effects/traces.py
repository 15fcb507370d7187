"""What is left of conda packages whose record is gone: conda's history, and caches of packages."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from safepip.effects.records import read_object, read_text
from safepip.values.environment import spec_name
from safepip.values.inspection import Cached
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_HISTORY_LIMIT = 64 * 1024 * 1024
_CHANGE = re.compile(r"([+-])(?:(.*)::)?([^\s:/]+-[^\s:/-]+-[^\s:/-]+?)(?:\.tar\.bz2|\.conda)?")
_SPECS = re.compile(r"# (update|install|remove|neutered) specs: (.*)")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


class History(NamedTuple):
    """What conda's history says of what is there; rattler and its like write none."""

    channels: Mapping[str, str]
    """What is installed (NAME-VERSION-BUILD), and where it came from; empty where it is silent."""
    asked: Mapping[str, str]
    """The specification by which each package was asked for, by its name."""


def read_history(prefix: str) -> History:
    """Read conda's history.

    Source: `conda.history.History`
    """
    try:
        text = read_text(f"{prefix}/conda-meta/history", _HISTORY_LIMIT)
    except (OSError, ValueError):
        return History({}, {})
    there: dict[str, str] = {}
    asked: dict[str, str] = {}
    for line in text.splitlines():
        if (found := _CHANGE.fullmatch(line)) is not None:
            if found[1] == "+":
                there[found[3]] = found[2] or ""
            else:
                there.pop(found[3], None)
        elif (said := _SPECS.fullmatch(line)) is not None:
            for single, double in _QUOTED.findall(said[2]):
                name = spec_name(single or double)
                if said[1] in ("remove", "neutered"):
                    asked.pop(name, None)
                else:
                    asked[name] = single or double
    return History(there, asked)


def cache_folders(
    prefix: str, environ: Mapping[str, str], unpacked: Iterable[str]
) -> tuple[str, ...]:
    """Give the folders in which unpacked packages may lie that can be trusted.

    ``unpacked``: where records say that their files were linked from.
    """
    found = dict.fromkeys(os.path.dirname(path) for path in unpacked if os.path.isabs(path))
    roots = [prefix, os.path.dirname(os.path.dirname(prefix)), environ.get("MAMBA_ROOT_PREFIX", "")]
    found.update(dict.fromkeys(f"{root}/pkgs" for root in roots if root))
    given = environ.get("CONDA_PKGS_DIRS", "").replace(",", os.pathsep)
    found.update(dict.fromkeys(filter(None, given.split(os.pathsep))))
    found[os.path.expanduser("~/.conda/pkgs")] = None
    return tuple(folder for folder in found if is_trusted(folder, prefix))


def is_trusted(folder: str, prefix: str) -> bool:
    """Say whether only who may write an environment, or starts this, may put packages in a folder.

    What lies in a cache is installed with no other proof than its own where a record is lost: and
    `/tmp/pkgs` is anybody's.
    """
    try:
        found = os.stat(folder)
        owners = (0, os.stat(prefix).st_uid, os.geteuid())
    except (OSError, ValueError):
        return False
    is_closed = not found.st_mode & stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and is_closed and found.st_uid in owners


def find_cached(folders: Iterable[str], names: Collection[str]) -> tuple[Cached, ...]:
    """Give the unpacked packages with these normalised names, each once."""
    wanted = set(names)
    found: dict[tuple[str, str], Cached] = {}
    for folder in folders if wanted else ():
        for cached in _packages_in(folder, wanted):
            found.setdefault((cached.dist, cached.sha256), cached)
    return tuple(found.values())


def _packages_in(folder: str, wanted: Collection[str]) -> Iterator[Cached]:
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            # A name may hold dashes itself, so that several beginnings come into question.
            parts = name.split("-")
            starts = {normalised("-".join(parts[:at])) for at in range(1, len(parts))}
            if not starts.isdisjoint(wanted):
                cached = read_cached(f"{folder}/{name}")
                if cached is not None and normalised(cached.name) in wanted:
                    yield cached


def read_cached(folder: str) -> Cached | None:
    """Give the unpacked package in a folder; None where there is none."""
    index = read_object(f"{folder}/info/index.json")
    origin = read_object(f"{folder}/info/repodata_record.json")
    facts = [index.get(key) for key in ("name", "version", "build")]
    if not all(isinstance(fact, str) for fact in facts):
        return None
    name, version, build = map(str, facts)
    url, sha256 = (str(origin.get(key) or "") for key in ("url", "sha256"))
    return Cached(folder, name, version, build, url, sha256)
