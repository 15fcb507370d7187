"""The files of an unpacked conda package, made as they are in an environment.

Only what is proven is given out: by the hash in the environment's record where that has one, else
by the hashes that the package itself has.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

from safepip.effects.first_lines import LONGEST, first_lines
from safepip.effects.opened import read_bytes
from safepip.effects.records import can_be_named, read_object
from safepip.effects.wheels import sha256_of
from safepip.values.late import dataclass
from safepip.values.repair import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.repair import Why

_LIMIT = 256 * 1024 * 1024
_ENTRY_POINT = re.compile(r"\s*([^\s=]+)\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*")
_SCRIPT = """\
# -*- coding: utf-8 -*-
import re
import sys

from {module} import {name}

if __name__ == '__main__':
{indent}sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
{indent}sys.exit({function}())
"""
_INDENTS = ("    ", "\t")
"""conda writes scripts with the one, rattler with the other."""


@dataclass(frozen=True)
class Place:
    """The environment that files are made for."""

    prefix: str
    site_packages: str
    """Below the prefix."""
    python: str
    """The interpreter that scripts start, below the prefix."""
    by_rattler: bool = False
    """rattler writes the scripts of entry points, which conda indents otherwise."""


@dataclass(frozen=True)
class Made:
    """What is to be at a path."""

    source: str = ""
    """A file whose bytes are taken as they are."""
    data: bytes = b""
    """The bytes, where there is no such file."""
    target: str = ""
    """Of a symbolic link."""
    mode: int = 0o644


@dataclass(frozen=True)
class Row:
    """One file of a package, by its own list."""

    source: str
    """Absolute; empty for the script of an entry point."""
    is_link: bool = False
    sha256: str = ""
    placeholder: str = ""
    """What stands in it for the prefix."""
    is_binary: bool = False
    scripts: tuple[bytes, ...] = ()
    """The texts that the script of an entry point may have."""
    size_bytes: int | None = None
    """As the package says; None where it does not."""


class Unproven(Exception):
    """A file of a package is not what it should be."""

    def __init__(self, why: Why, *what: str) -> None:
        super().__init__(why, *what)
        self.reason = Reason(why, what)


def rows_of(folder: str, place: Place) -> Mapping[str, Row]:
    """Give the files of an unpacked package, by path below the prefix; none where it is none."""
    paths = read_object(f"{folder}/info/paths.json", _LIMIT).get("paths")
    link = _noarch(folder)
    is_python = link is not None
    if not isinstance(paths, list):
        return {}
    found: dict[str, Row] = {}
    for raw in paths:
        if isinstance(raw, dict) and isinstance(path := raw.get("_path"), str) and _is_plain(path):
            found[_final(path, place) if is_python else path] = _row(folder, path, raw)
    if link is not None:
        found.update(_entry_points(link.get("entry_points"), place))
    return found


def is_noarch(folder: str) -> bool:
    """Say whether an unpacked package is one of modules for any Python."""
    return _noarch(folder) is not None


def _noarch(folder: str) -> Mapping[str, Any] | None:
    link = read_object(f"{folder}/info/link.json", _LIMIT).get("noarch")
    return link if isinstance(link, dict) and link.get("type") == "python" else None


def make(row: Row, place: Place, expected: str) -> Made:
    """Give what is to be at the path of a row. ``expected``: its SHA-256, empty if not known.

    Raises: Unproven; OSError; ValueError, where a file is none.
    """
    if row.scripts:
        return _made_script(row, expected)
    if row.is_link:
        return Made(target=os.readlink(row.source))
    if os.path.islink(row.source):
        # Its own target would be installed, wherever that leads: `os.link` links the link.
        raise Unproven("is-link", row.source)
    mode = os.stat(row.source).st_mode & 0o7777
    if not row.placeholder:
        if sha256_of(row.source) != (expected or row.sha256):
            raise Unproven("other-bytes", row.source)
        return Made(source=row.source, mode=mode)
    data = read_bytes(row.source, _LIMIT)
    if row.sha256 and hashlib.sha256(data).hexdigest() != row.sha256:
        raise Unproven("other-bytes", row.source)
    data = _with_prefix(data, row, place.prefix)
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise Unproven("gives-other-bytes", row.source)
    return Made(data=data, mode=mode)


def _made_script(row: Row, expected: str) -> Made:
    for text in row.scripts:
        if not expected or hashlib.sha256(text).hexdigest() == expected:
            return Made(data=text, mode=0o755)
    raise Unproven("command-differs")


def _row(folder: str, path: str, raw: Mapping[str, Any]) -> Row:
    sha256, placeholder = raw.get("sha256"), raw.get("prefix_placeholder")
    return Row(
        source=f"{folder}/{path}",
        is_link=raw.get("path_type") == "softlink",
        sha256=sha256 if isinstance(sha256, str) else "",
        placeholder=placeholder if isinstance(placeholder, str) else "",
        is_binary=raw.get("file_mode") == "binary",
        size_bytes=size if isinstance(size := raw.get("size_in_bytes"), int) else None,
    )


def _is_plain(path: str) -> bool:
    """Say whether a path leads nowhere else than below the folder that it is in."""
    leads_out = path.startswith("/") or {"", ".", ".."}.intersection(path.split("/"))
    return not leads_out and can_be_named(path)


def _final(path: str, place: Place) -> str:
    if path.startswith("site-packages/"):
        return place.site_packages + path.removeprefix("site-packages")
    if path.startswith("python-scripts/"):
        return "bin" + path.removeprefix("python-scripts")
    return path


def _with_prefix(data: bytes, row: Row, prefix: str) -> bytes:
    """Give the bytes with the environment's prefix where the package has its placeholder.

    Source: `conda.core.portability.update_prefix`; in a binary, text ends with a zero and keeps
    its length.
    """
    old, new = row.placeholder.encode(), prefix.encode()
    if not row.is_binary:
        return _with_short_shebang(data.replace(old, new), prefix)

    def shorter(found: re.Match[bytes]) -> bytes:
        text = found.group()
        changed = text.replace(old, new)
        return changed + b"\0" * (len(text) - len(changed))

    return re.sub(re.escape(old) + rb"[^\0]*?\0", shorter, data)


def _with_short_shebang(data: bytes, prefix: str) -> bytes:
    """Give a script a first line that works where the one with its interpreter is too long."""
    first, newline, rest = data.partition(b"\n")
    if not first.startswith(b"#!") or len(first) <= LONGEST:
        return data
    program = first[2:].strip().split()[0]
    if not program.startswith(prefix.encode()):
        return data
    return b"#!/usr/bin/env " + os.path.basename(program) + newline + rest


def _entry_points(raw: object, place: Place) -> Iterator[tuple[str, Row]]:
    for line in raw if isinstance(raw, list) else ():
        found = _ENTRY_POINT.fullmatch(line) if isinstance(line, str) else None
        if found is not None and "/" not in found[1] and _is_plain(found[1]):
            yield f"bin/{found[1]}", Row("", scripts=tuple(_scripts(found, place)))


def _scripts(found: re.Match[str], place: Place) -> Iterator[bytes]:
    python = f"{place.prefix}/{place.python}"
    shebang = first_lines(python)
    for indent in reversed(_INDENTS) if place.by_rattler else _INDENTS:
        text = _SCRIPT.format(
            module=found[2], name=found[3].partition(".")[0], function=found[3], indent=indent
        )
        yield (shebang + text).encode()


def differing_in(folder: str, place: Place) -> tuple[str, ...]:
    """Give the files of an unpacked package that are in the environment with other bytes.

    Paths are below the prefix.
    """
    found = []
    for path, row in rows_of(folder, place).items():
        whole = f"{place.prefix}/{path}"
        if os.path.lexists(whole) and not _is_made(whole, row, place):
            found.append(path)
    return tuple(found)


def _is_made(whole: str, row: Row, place: Place) -> bool:
    try:
        if row.scripts:
            there = sha256_of(whole)
            return any(hashlib.sha256(text).hexdigest() == there for text in row.scripts)
        made = make(row, place, "")
        if made.target or os.path.islink(whole):
            return os.path.islink(whole) and os.readlink(whole) == made.target
        wanted = row.sha256 if made.source else hashlib.sha256(made.data).hexdigest()
        return sha256_of(whole) == wanted
    except (Unproven, OSError, ValueError):
        return False


def unproven_in(
    folder: str, place: Place, paths: Iterable[str], expected: Mapping[str, str]
) -> Mapping[str, Reason]:
    """Give the files that a folder cannot give as they should be, each with the reason.

    No paths stand for all that the package has.
    """
    rows = rows_of(folder, place)
    lacks = {}
    for path in tuple(paths) or rows or ("",):
        if path not in rows:
            lacks[path] = (
                Reason("no-row", (folder, path)) if rows else Reason("no-package", (folder,))
            )
            continue
        try:
            make(rows[path], place, expected.get(path, ""))
        except Unproven as error:
            # Where the package lies unpacked may be a folder that is gone when this is read.
            is_made = error.reason.why == "gives-other-bytes"
            lacks[path] = Reason("gives-other-bytes", (path,)) if is_made else error.reason
        except (OSError, ValueError) as error:
            lacks[path] = Reason("said", (str(error),))
    return lacks
