"""Reading `conda-meta`: which files conda owns, and what may be done to the environment.

The only module that knows in which shapes conda, mamba, rattler and their ancestors write it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard

from safepip.effects.opened import opened, read_bytes
from safepip.values.environment import Record, RecordStamp
from safepip.values.errors import CannotJudge, UnreadableRecord
from safepip.values.inspection import Details, Linked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from io import FileIO

_Raw = dict[str, Any]

RECORD_LIMIT = 256 * 1024 * 1024
"""Bytes; the largest records known have 9 MB."""
_NOTE_LIMIT = 1024 * 1024
_OBJECT_LIMIT = 1024 * 1024
"""Bytes of a file that a person wrote."""
_TAIL = 16 * 1024
"""Bytes within which a record ends after `paths_data`, in all shapes."""
_MOST_BYTES = 2**53
"""No archive is as large; and above it numbers of JSON are not exact."""
_OPENING = b'"paths_data": {\n'
_VERSION = b'"paths_version": 1'
_ESSENTIAL = frozenset({"name", "version", "build", "depends", "files"})


def read_records(prefix: str) -> tuple[Record, ...]:
    """Give all records, in the order of their file names.

    conda ignores a record that is named otherwise than its content says. Here it counts: what it
    lists was put there by conda, and someone may only have renamed it.

    Raises: UnreadableRecord, also where a single one of them cannot be read.
    """
    return read_records_but(prefix, {})[0]


def read_records_but(
    prefix: str,
    known: Mapping[str, Record],
    tell: Callable[[int, int], None] | None = None,
) -> tuple[tuple[Record, ...], frozenset[str]]:
    """Give all records, and the names of those whose files are not in their own list of files.

    ``known``: those, by the names of their files, that need not be read. ``tell`` is called with
    how many of how many are there.

    Raises: UnreadableRecord.
    """
    names = record_names(prefix)
    records = []
    for name in names:
        records.append(known.get(name) or read_record(prefix, name))
        if tell is not None:
            tell(len(records), len(names))
    short = frozenset(r.file for r in records if not r.files).difference(known)
    if not short:
        return tuple(records), short
    site_packages = site_packages_of(records)
    whole = (_with_paths(prefix, r, site_packages) if r.file in short else r for r in records)
    return tuple(whole), short


def read_whole_records(prefix: str) -> tuple[tuple[Record, ...], tuple[UnreadableRecord, ...]]:
    """Give the records that can be read, and why each other cannot: for who changes nothing.

    Raises: UnreadableRecord, where not even their names can be read.
    """
    found: dict[str, Record] = {}
    errors: list[UnreadableRecord] = []
    for name in record_names(prefix):
        try:
            found[name] = read_record(prefix, name)
        except UnreadableRecord as error:
            errors.append(error)
    site_packages = site_packages_of(found.values())
    for name, record in list(found.items()):
        try:
            found[name] = record if record.files else _with_paths(prefix, record, site_packages)
        except UnreadableRecord as error:
            del found[name]
            errors.append(error)
    return tuple(found.values()), tuple(errors)


def record_names(prefix: str) -> list[str]:
    """Give the sorted names of the files that are records: `._x.json` is a trace of macOS.

    Raises: UnreadableRecord.
    """
    try:
        names = os.listdir(f"{prefix}/conda-meta")
    except OSError as error:
        raise UnreadableRecord("conda-meta", _reason(error)) from error
    return sorted(name for name in names if name.endswith(".json") and not name.startswith("._"))


def records_state(prefix: str) -> tuple[RecordStamp, ...]:
    """Give what tells whether records were written or deleted meanwhile: 2 ms for 500 of them.

    A link that leads nowhere counts by itself: Emacs makes one beside what is edited.
    """
    found: list[tuple[str, os.stat_result]] = []
    try:
        with os.scandir(f"{prefix}/conda-meta") as files:
            for file in files:
                if file.name.endswith((".json", "pinned")):
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        found.append((file.name, _state_of(file)))
    except OSError:
        return ()
    return tuple(
        RecordStamp(name, one.st_size, one.st_dev, one.st_ino, one.st_mtime_ns, one.st_ctime_ns)
        for name, one in sorted(found, key=lambda pair: pair[0])
    )


def _state_of(file: os.DirEntry[str]) -> os.stat_result:
    try:
        return file.stat()
    except OSError:
        return file.stat(follow_symlinks=False)


def files_of_newer(prefix: str, time_ns: int, but: Collection[str]) -> frozenset[str]:
    """Give the files of the records that were written after a time; below the prefix.

    ``but``: records that do not count, as paths below the prefix.

    Units: ``time_ns`` is in nanoseconds, as the file system counts them.
    Raises: UnreadableRecord.
    """
    newer = [stamp.name for stamp in records_state(prefix) if stamp.mtime_ns > time_ns]
    names = [name for name in newer if f"conda-meta/{name}" not in but]
    records = [read_record(prefix, name) for name in names if name.endswith(".json")]
    return frozenset(path for record in records for path in record.files)


def read_details(prefix: str, record: Record) -> Details:
    """Give what a record says of its files and its archive; it is read whole for that.

    Raises: UnreadableRecord.
    """
    raw = _read_whole(prefix, record.file)
    placed = _placed(raw, record)
    unpacked = _optional(raw, "extracted_package_dir")
    return Details(
        hashes=_hashes(placed),
        links={p: _linked(r, unpacked) for p, r in placed.items() if _is_link(r)},
        url=_optional(raw, "url"),
        sha256=_optional(raw, "sha256"),
        size_bytes=size if _is_size(size := raw.get("size")) else 0,
        unpacked=unpacked,
    )


def _is_size(value: object) -> TypeGuard[int]:
    """Say whether a number can be one of bytes; JSON knows no limit."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_BYTES


def _optional(raw: _Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _placed(raw: _Raw, record: Record) -> Mapping[str, _Raw]:
    """Give the rows of `paths_data` by the paths in the prefix that they are of."""
    rows = {row["_path"]: row for row in _rows(raw, record.file) or ()}
    place = _site_packages_in(record.files, rows)
    final = _forward([_final(path, raw, place) for path in rows])
    return dict(zip(final, rows.values(), strict=True))


def _is_link(row: _Raw) -> bool:
    return row.get("path_type") == "softlink"


def _linked(row: _Raw, unpacked: str) -> Linked:
    placed = row.get("sha256_in_prefix")
    hashes = (one for one in (row.get("sha256"), placed) if isinstance(one, str) and one)
    source = f"{unpacked}/{row['_path']}" if os.path.isabs(unpacked) else ""
    return Linked(source, tuple(hashes), is_of_prefix=isinstance(placed, str))


def _hashes(placed: Mapping[str, _Raw]) -> Mapping[str, str]:
    """Give the SHA-256 of each file of a record as it was when linked, by path below the prefix.

    Only of files whose bytes conda vouches for: no links (one writer hashes the target's bytes,
    another its name), no bytecode (it changes with each run), and nothing of records from before
    `paths_data`.
    """
    hashes = {path: _sha256_of(row) for path, row in placed.items()}
    return {path: found for path, found in hashes.items() if found}


def site_packages_of(records: Iterable[Record]) -> str:
    """Give the folder of python's modules, below the prefix; empty where there is no python."""
    for record in records:
        if record.name == "python":
            if record.site_packages:
                return record.site_packages
            if "python.exe" in record.files:
                return "Lib/site-packages"
            return f"lib/python{'.'.join(record.version.split('.')[:2])}/site-packages"
    return ""


def read_pins(prefix: str) -> tuple[str, ...]:
    """Give the specifications in `conda-meta/pinned`, without comments.

    Raises: CannotJudge.
    Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-pkgs.html
    """
    try:
        text = read_text(f"{prefix}/conda-meta/pinned", _NOTE_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError) as error:
        why = "what is pinned is unknown, so no install can be called safe"
        message = f"cannot read `conda-meta/pinned`: {_reason(error)}"
        raise CannotJudge(message, why=why) from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def read_frozen(prefix: str) -> str | None:
    """Give the message of `conda-meta/frozen`, empty where it has none; None without that file.

    The file freezes by being there, whatever is in it.

    Source: https://conda.org/learn/ceps/cep-0022
    """
    try:
        raw = json.loads(read_text(f"{prefix}/conda-meta/frozen", _NOTE_LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        return ""
    message = raw.get("message") if isinstance(raw, dict) else None
    return message[:2000] if isinstance(message, str) else ""


def read_text(path: str, limit: int) -> str:
    """Give the text of a file of at most ``limit`` bytes, with `?` for what is no UTF-8.

    Raises: OSError, ValueError.
    """
    return read_bytes(path, limit).decode("utf-8", "replace")


def read_with_owner(path: str, limit: int) -> tuple[str, int]:
    """Give the same, and the user that the very file belongs to.

    Raises: OSError, ValueError.
    """
    with opened(path, limit) as file:
        owner = os.fstat(file.fileno()).st_uid
        return (file.readall() or b"").decode("utf-8", "replace"), owner


def read_object(path: str, limit: int = _OBJECT_LIMIT) -> dict[str, Any]:
    """Give the JSON object in a file of at most ``limit`` bytes; empty for any other file."""
    try:
        raw = json.loads(read_text(path, limit))
    except (OSError, ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def read_record(prefix: str, name: str) -> Record:
    """Give one record, by the name of its file.

    Raises: UnreadableRecord.
    """
    raw = _read_essentials(prefix, name)
    channel, place = raw.get("channel"), raw.get("python_site_packages_path")
    return Record(
        name=_text(raw, "name", name),
        version=_text(raw, "version", name),
        build=_text(raw, "build", name),
        channel=channel if isinstance(channel, str) else "",
        depends=_texts(raw, "depends", name),
        files=_texts(raw, "files", name),
        file=name,
        site_packages=place if isinstance(place, str) else "",
        constrains=_texts(raw, "constrains", name),
    )


def _read_essentials(prefix: str, name: str) -> _Raw:
    """Give a record, with or without its `paths_data`."""
    try:
        with opened(f"{prefix}/conda-meta/{name}", RECORD_LIMIT) as file:
            text = _without_paths(file, os.fstat(file.fileno()).st_size)
            raw = json.loads(text) if text else None
    except (OSError, ValueError, RecursionError):
        raw = None
    if isinstance(raw, dict) and raw.keys() >= _ESSENTIAL:
        return raw
    return _read_whole(prefix, name)


def _without_paths(file: FileIO, size: int) -> str:
    """Give the text of a record without its `paths_data`; nothing where it must be read whole.

    `paths_data` is three quarters of a record, and most that read records need none of it. Every
    writer prints a key on a line of its own, `files` before `paths_data`, and little after it:

    1. read the first half, and find the line that opens `paths_data`;
    2. read the end, and find the lines that close it;
    3. keep what stands before and after.

    A line break is never part of a JSON string, so such lines are not text in one. Where they do
    not belong together the rest has brackets that do not match, and is no JSON.
    """
    head = file.read(size // 2 + _TAIL) or b""
    opening = head.find(_OPENING)
    line = head.rfind(b"\n", 0, max(opening, 0))
    if line < 0:
        return ""
    indent = head[line:opening]
    file.seek(max(opening, size - _TAIL))
    tail = file.readall() or b""
    deeper = indent + indent[1:]
    for end in (deeper + b"]" + indent + b"}", deeper + b"]," + deeper + _VERSION + indent + b"}"):
        found = tail.rfind(end)
        if found >= 0:
            return (head[:opening] + b'"paths_data": null' + tail[found + len(end) :]).decode()
    return ""


def _read_whole(prefix: str, name: str) -> _Raw:
    try:
        with opened(f"{prefix}/conda-meta/{name}", RECORD_LIMIT) as file:
            raw = json.loads(file.readall() or b"")
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableRecord(name, _reason(error)) from error
    if not isinstance(raw, dict):
        raise UnreadableRecord(name, f"expected an object, got {type(raw).__name__}")
    return raw


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(getattr(error, "strerror", None) or error)


def _text(raw: _Raw, key: str, name: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not (value or key == "build"):
        kind = "nothing" if value in (None, "") else type(value).__name__
        raise UnreadableRecord(name, f"expected text, got {kind} at `{key}`")
    return value


def _texts(raw: _Raw, key: str, name: str) -> tuple[str, ...]:
    values = raw.get(key)
    if values is None:
        return ()
    if not isinstance(values, list):
        raise UnreadableRecord(name, f"expected a list, got {type(values).__name__} at `{key}`")
    try:
        joined = "".join(values)  # the fastest way by far to see that all of 100,000 are text
    except TypeError as error:
        reason = f"expected only text in the list at `{key}`"
        raise UnreadableRecord(name, reason) from error
    _refuse_unfit(joined, key, name)
    return _forward(values) if key == "files" and "\\" in joined else tuple(values)


def _refuse_unfit(joined: str, key: str, name: str) -> None:
    """Refuse text that no file system takes.

    Raises: UnreadableRecord.
    """
    if not can_be_named(joined):
        raise UnreadableRecord(name, f"expected only what can be a name of a file at `{key}`")


def can_be_named(text: str) -> bool:
    """Say whether a file may have this name: JSON may hold zeros, and half a pair of surrogates.

    But bytes that are no UTF-8 are written as surrogates by Python itself.
    """
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _forward(paths: Sequence[str]) -> tuple[str, ...]:
    r"""Give paths with forward slashes, which mamba writes as `\` on Windows.

    Elsewhere a `\` may be part of a file's name (`system-cryptsetup\x2dlocal.slice`). So it is a
    separator only where it separates more of a record's paths than `/` does.
    """
    slashed = sum("/" in path for path in paths)
    backslashed = sum("\\" in path and "/" not in path for path in paths)
    if os.sep == "/" and backslashed <= slashed:
        return tuple(paths)
    return tuple(path.replace("\\", "/") for path in paths)


def _with_paths(prefix: str, record: Record, site_packages: str) -> Record:
    """Give a record without `files` those that its `paths_data` names, which are none for most."""
    raw = _read_whole(prefix, record.file)
    rows = _rows(raw, record.file)
    if rows is None:
        if raw.get("files") is None:
            raise UnreadableRecord(record.file, "expected `files` or `paths_data`, got neither")
        return record
    paths = [_final(row["_path"], raw, site_packages) for row in rows]
    return replace(record, files=_forward(paths))


def _rows(raw: _Raw, name: str) -> list[_Raw] | None:
    """Give what stands in `paths_data`; None where there is no such key."""
    data = raw.get("paths_data")
    if data is None:
        return None
    rows = data.get("paths") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        kind = type(rows).__name__
        raise UnreadableRecord(name, f"expected a list, got {kind} at `paths_data.paths`")
    if not all(isinstance(row, dict) and isinstance(row.get("_path"), str) for row in rows):
        raise UnreadableRecord(name, "expected only objects with `_path` in `paths_data.paths`")
    _refuse_unfit("".join(row["_path"] for row in rows), "paths_data.paths", name)
    return rows


def _sha256_of(row: _Raw) -> str | None:
    """Give the hash of the bytes that should lie at the row's path, where it has one.

    rattler hashes the console scripts that it writes, too; no other writer does.
    """
    is_link = row.get("path_type") in ("softlink", "directory")
    found = row.get("sha256_in_prefix") or row.get("sha256")
    return (
        found if isinstance(found, str) and not (is_link or row["_path"].endswith(".pyc")) else None
    )


def _final(path: str, raw: _Raw, site_packages: str) -> str:
    """Give the place in the prefix of a path in `paths_data`.

    Source: `get_python_noarch_target_path` in conda/common/path/python.py
    """
    if raw.get("noarch") == "python":
        if path.startswith("site-packages/") and site_packages:
            return site_packages + path[len("site-packages") :]
        if path.startswith("python-scripts/"):
            scripts = "Scripts" if site_packages.startswith("Lib/") else "bin"
            return scripts + path[len("python-scripts") :]
    return path


def _site_packages_in(files: Iterable[str], paths: Iterable[str]) -> str:
    """Give the folder that stands in ``files`` for the `site-packages` of a path in ``paths``.

    So that one record is enough: python's is one of the largest.
    """
    short = next((path for path in paths if path.startswith("site-packages/")), None)
    if short is None:
        return ""
    places = [file[: -len(short)] for file in files if file.endswith("/" + short)]
    return min(places, key=len, default="") + "site-packages"
