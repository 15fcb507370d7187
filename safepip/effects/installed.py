"""Reading `*.dist-info` and `*.egg-info`: what pip believes is installed.

The only module that reads Python's own book on an environment.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from safepip.effects.opened import UnfitFile, opened
from safepip.values.environment import Distribution
from safepip.values.late import dataclass
from safepip.values.owned_files import METADATA_MARKS, metadata_in
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safepip.values.environment import Record

NO_METADATA = "no METADATA"
"""What is wrong with a `*.dist-info` of which some uninstall left only its other files."""

_CHUNK = 16 * 1024
_LIMIT = 4 * 1024 * 1024
"""Bytes of headers; the description comes after them and does not count."""

# Line by line as `email` does it, since pip reads metadata with that: headers end at the first
# line that is none, which is the blank one if all is well.
_END_OF_HEADERS = re.compile(rb"^(?![!-9;-~]*:|[ \t]|From )[^\n]*\n", re.MULTILINE)
_HEADER = re.compile(
    rb"^(Name|Version|Requires-Dist):([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE | re.IGNORECASE
)
_FOLD = re.compile(r"\s*\n\s*")

_METADATA = re.compile(r"(.*?(?:\.dist-info|\.egg-info|EGG-INFO))(?:/(.*))?", re.DOTALL)
_ITSELF = frozenset({"METADATA", "PKG-INFO", None})
"""The file in a `*.dist-info` or `*.egg-info` by which it is one; None where it is a file."""
_MOVED_ASIDE = re.compile(r"~[\w.~=%+!-]+")
"""No more is in the names of what pip installs; `~my notes` is somebody's own."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True)
class _Folder:
    """A folder in which distributions lie."""

    path: str
    """Resolved, with forward slashes."""
    below: str | None
    """Its path below the prefix; None when it lies elsewhere."""
    is_user_site: bool


@dataclass(frozen=True)
class _Metadata:
    """What the headers of a METADATA or PKG-INFO say."""

    name: str = ""
    version: str = ""
    requires: tuple[str, ...] = ()
    broken: str = ""


def read_distributions(
    sys_path: Sequence[str], records: Sequence[Record], prefix: str, user_site: str
) -> tuple[Distribution, ...]:
    """Give every distribution that the environment's pip could see, in the order of `sys.path`.

    In a folder they come in the order of the disk: pip takes the first of a name, and it does not
    sort. What is no distribution to pip at all (`~umpy-1.26.4.dist-info`) is left out, and so are
    zipped eggs.
    """
    info, egg_info = METADATA_MARKS
    owners = _owners_of_metadata(records, info)
    if any(path.lower().endswith(".egg") for path in sys_path):
        owners = {**owners, **_owners_of_metadata(records, egg_info)}
    found: list[Distribution] = []
    seen: set[str] = set()
    waiting = [path for path in sys_path if os.path.isabs(path)]
    while waiting:
        folder = _folder(waiting.pop(0), prefix, user_site)
        if folder.path not in seen:
            seen.add(folder.path)
            names = _names_in(folder.path)
            found += _distributions_in(folder, names, owners)
            waiting[:0] = _linked(folder.path, names)
    return tuple(found)


def find_remains(folder: str) -> tuple[str, ...]:
    """Give the paths of what pip moved aside in a folder and neither deleted nor put back."""
    names = sorted(name for name in _names_in(folder) if _MOVED_ASIDE.fullmatch(name))
    return tuple(f"{folder}/{name}" for name in names)


def _folder(path: str, prefix: str, user_site: str) -> _Folder:
    real, root = _real(path), _real(prefix)
    below = real[len(root) :].lstrip("/") if _is_in(real, root) else None
    return _Folder(real, below, bool(user_site) and _is_in(real, _real(user_site)))


def _real(path: str) -> str:
    return os.path.realpath(path).replace(os.sep, "/")


def _is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _names_in(folder: str) -> list[str]:
    # What cannot be listed (an archive, a folder of someone else) pip cannot list either.
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def _linked(folder: str, names: Iterable[str]) -> list[str]:
    """Give the folders that `setup.py develop` lets its `*.egg-link` files lead to."""
    links = [f"{folder}/{name}" for name in names if name.endswith(".egg-link")]
    targets = [next(iter(_lines(link)), "") for link in links]
    return [os.path.join(folder, target) for target in targets if target]


def _owners_of_metadata(records: Iterable[Record], mark: str) -> Mapping[str, Record]:
    """Give the record that lists each `*.dist-info` and `*.egg-info`, by path below the prefix.

    Where several list files of the same, it belongs to the one that lists the metadata itself.
    """
    some: dict[str, Record] = {}
    itself: dict[str, Record] = {}
    for record in records:
        # A plain search first: hardly one of 250,000 paths is metadata.
        for path in metadata_in(record.files, mark):
            if (found := _METADATA.fullmatch(path)) is not None:
                owners = itself if found[2] in _ITSELF else some
                owners.setdefault(found[1], record)
    return {**some, **itself}


def _distributions_in(
    folder: _Folder, names: Iterable[str], owners: Mapping[str, Record]
) -> Iterator[Distribution]:
    in_egg, _, kind = os.path.basename(folder.path).rpartition(".")
    for name in names:
        lowered = name.lower()
        if lowered.endswith((".dist-info", ".egg-info")):
            found = _read(folder, name, name.rpartition(".")[0], owners)
        elif lowered == "egg-info" and kind.lower() == "egg":
            found = _read(folder, name, in_egg, owners)
        else:
            continue
        if _NAME.fullmatch(found.name):
            yield found


def _read(folder: _Folder, name: str, stem: str, owners: Mapping[str, Record]) -> Distribution:
    """Give the distribution with this metadata, whose folder or file is named after ``stem``."""
    path = f"{folder.path}/{name}"
    is_dist_info = name.lower().endswith(".dist-info")
    metadata = _read_metadata(path)
    version = stem.partition("-")[2]
    return Distribution(
        name=_name(stem, metadata.name),
        version=metadata.version or (version if is_dist_info else version.partition("-")[0]),
        metadata_path=path,
        raw_name=metadata.name or stem.partition("-")[0],
        requires=metadata.requires or (() if is_dist_info else _requires_of_egg(path)),
        record=None if folder.below is None else owners.get(f"{folder.below}/{name}".lstrip("/")),
        user_site=folder.is_user_site,
        outside=folder.below is None,
        has_record=os.path.exists(f"{path}/RECORD") if is_dist_info else os.path.isdir(path),
        broken=metadata.broken,
    )


def _name(stem: str, given: str) -> str:
    """Give the normalised name: pip goes by the folder, in which a name has no `-` of its own.

    A few old tools left one in; then METADATA tells where the name ends.
    """
    name = normalised(given)
    if name and normalised(stem).startswith(f"{name}-"):
        return name
    return normalised(stem.partition("-")[0]) or name


def _read_metadata(path: str) -> _Metadata:
    found = (_read_headers(file) for file in (f"{path}/METADATA", f"{path}/PKG-INFO", path))
    return next(filter(None, found), _Metadata(broken=NO_METADATA))


def _read_headers(path: str) -> _Metadata | None:
    """Give what a file of metadata says; None when it is not there."""
    try:
        return _parsed(_headers(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnfitFile as error:
        return None if error.is_folder else _Metadata(broken=f"METADATA cannot be read: {error}")
    except OSError as error:
        return _Metadata(broken=f"METADATA cannot be read: {error.strerror}")


def requirements_in(path: str) -> tuple[str, tuple[str, ...]]:
    """Give the normalised name in a METADATA or PKG-INFO, and what it requires."""
    found = _read_headers(path) or _Metadata()
    return normalised(found.name), found.requires


def _headers(path: str) -> bytes | None:
    """Give the bytes before the description; None when they have no end.

    Raises: OSError; UnfitFile.
    """
    data = b""
    with opened(path) as file:
        while len(data) < _LIMIT:
            more = file.read(max(_CHUNK, len(data)))
            data += more or b"\n"
            end = _END_OF_HEADERS.search(data)
            if end is not None:
                return data[: end.start()]
            if not more:
                return data
    return None


def _parsed(headers: bytes | None) -> _Metadata:
    if headers is None:
        return _Metadata(broken=f"METADATA has headers of more than {_LIMIT} bytes")
    values: dict[bytes, list[str]] = {b"name": [""], b"version": [""], b"requires-dist": []}
    for key, value in _HEADER.findall(headers):
        text = _FOLD.sub(" ", value.decode("utf-8", "replace")).strip()
        values[key.lower()].append(text)
    name = next(filter(None, values[b"name"]), "")
    version = next(filter(None, values[b"version"]), "")
    missing = [key for key, value in (("Name", name), ("Version", version)) if not value]
    broken = f"METADATA has no {' and no '.join(missing)}" if missing else ""
    return _Metadata(name, version, tuple(values[b"requires-dist"]), broken)


def _requires_of_egg(path: str) -> tuple[str, ...]:
    """Give what `requires.txt` of an `*.egg-info` requires, in the words of `Requires-Dist`.

    Source: https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html#requires-txt
    """
    requires, condition = [], ""
    for line in _lines(f"{path}/requires.txt"):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line.strip("[]").partition(":")
            parts = [f"({marker})"] if marker else []
            parts += [f'extra == "{normalised(extra)}"'] if extra else []
            condition = " and ".join(parts)
        elif not line.startswith("#"):
            requires.append(f"{line} ; {condition}" if condition else line)
    return tuple(requires)


def _lines(path: str) -> list[str]:
    """Give the lines of a file that have text; none where there is no such file."""
    with contextlib.suppress(OSError, ValueError), opened(path) as file:
        text = (file.read(_LIMIT) or b"").decode("utf-8", "replace")
        return [line.strip() for line in text.split("\n") if line.strip()]
    return []
