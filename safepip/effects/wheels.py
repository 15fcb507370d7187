"""Reading wheels, and writing one again without the files that conda keeps.

Archives are untrusted: names and sizes are bounded, and nothing is extracted to disk.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import zipfile
import zlib
from lzma import LZMAError
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.planning.entry_points import script_names
from safepip.effects.opened import opened
from safepip.values.account import Entry, WheelContents
from safepip.values.errors import UnreadableWheel
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path


UNREADABLE = (
    *(OSError, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(zipfile.BadZipFile, zlib.error, LZMAError),
)
"""What reading an archive that somebody else has made may raise."""
_MEMBER_LIMIT = 1_000_000
_TEXT_LIMIT = 64 * 1024 * 1024
_SHORT_LIMIT = 4 * 1024 * 1024
_CHUNK = 1024 * 1024


def read_wheels(entries: Iterable[Entry]) -> Mapping[str, WheelContents]:
    """Give the contents of every wheel of a plan, by its path; of what has none, by its metadata.

    Raises: UnreadableWheel.
    """
    found = {}
    for entry in entries:
        if entry.wheel:
            found[entry.wheel] = read_wheel(entry.wheel)
        elif entry.egg_info:
            found[entry.egg_info] = read_developed(entry.egg_info)
    return found


def read_developed(egg_info: str) -> WheelContents:
    """Give the scripts that `setup.py develop` may write, by the metadata of the project.

    The metadata lists entry points, but of the scripts in files only that they are among its
    sources. So each source counts as one: none of them lands anywhere unless it is a script.

    Raises: UnreadableWheel.
    """
    console, gui = _scripts(_text_of(f"{egg_info}/entry_points.txt"))
    sources = _text_of(f"{egg_info}/SOURCES.txt").splitlines()
    plain = (source.rpartition("/")[2].strip() for source in sources)
    scripts = dict.fromkeys((*console, *gui, *(s for s in plain if s not in ("", ".", ".."))))
    return WheelContents((), is_pure=True, console_scripts=tuple(scripts))


def _text_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_TEXT_LIMIT).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UnreadableWheel(os.path.basename(path), error.strerror) from error


def read_wheel(path: str) -> WheelContents:
    """Give the names in a wheel and the scripts that it declares.

    Raises: UnreadableWheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _contents(archive, path)
    except UNREADABLE as error:
        raise UnreadableWheel(os.path.basename(path), error) from error


def _contents(archive: zipfile.ZipFile, path: str) -> WheelContents:
    names = archive.namelist()
    if len(names) > _MEMBER_LIMIT:
        raise UnreadableWheel(os.path.basename(path), f"it holds {len(names)} files")
    members = tuple(name for name in names if not name.endswith("/"))
    if absolute := next((name for name in members if name.startswith("/")), None):
        raise UnreadableWheel(os.path.basename(path), f"`{shown(absolute)}` leads out of it")
    folders = {m.split("/", 1)[0] for m in members if m.split("/", 1)[0].endswith(".dist-info")}
    if len(folders) != 1:
        found = ", ".join(sorted(map(shown, folders))) or "none"
        raise UnreadableWheel(os.path.basename(path), f"expected one `.dist-info`, found {found}")
    folder = folders.pop()
    console, gui = _scripts(_short_text(archive, f"{folder}/entry_points.txt", path))
    is_pure = _is_pure(_short_text(archive, f"{folder}/WHEEL", path))
    return WheelContents(members, is_pure, console, gui, _claims(archive, folder, path))


def _claims(archive: zipfile.ZipFile, folder: str, path: str) -> tuple[str, ...]:
    """Give what RECORD names and the archive does not have, by pip's way of reading it.

    Raises: UnreadableWheel, where not all of RECORD can be read: it may name anything.
    """
    data = _data(archive, f"{folder}/RECORD", _TEXT_LIMIT + 1)
    if len(data) > _TEXT_LIMIT:
        raise UnreadableWheel(os.path.basename(path), f"its RECORD is over {_TEXT_LIMIT} bytes")
    lines = data.decode("utf-8", "replace").splitlines()
    try:
        named = {row[0] for row in csv.reader(lines) if row}
    except csv.Error as error:
        raise UnreadableWheel(os.path.basename(path), f"its RECORD: {error}") from error
    return tuple(sorted(named.difference(archive.namelist())))


class Described(NamedTuple):
    """What a wheel says of itself in its METADATA."""

    name: str
    version: str
    requires: tuple[str, ...]
    provides: tuple[str, ...]


def describe_wheel(path: str) -> Described:
    """Give what is in the METADATA of a wheel.

    Raises: UnreadableWheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = _text(archive, f"{_contents(archive, path).dist_info}/METADATA")
    except UNREADABLE as error:
        raise UnreadableWheel(os.path.basename(path), error) from error
    from email.parser import HeaderParser  # where pip itself does not say it: large, and seldom

    found = HeaderParser().parsestr(text)
    name, version = found.get("Name"), found.get("Version")
    if not name or not version:
        raise UnreadableWheel(os.path.basename(path), "its METADATA has no name and version")
    requires, provides = (
        tuple(map(str, found.get_all(key, []))) for key in ("Requires-Dist", "Provides-Extra")
    )
    return Described(str(name), str(version), requires, provides)


def _short_text(archive: zipfile.ZipFile, member: str, path: str) -> str:
    """Give a text that takes many times its size to be taken apart.

    Raises: UnreadableWheel.
    """
    data = _data(archive, member, _SHORT_LIMIT + 1)
    if len(data) > _SHORT_LIMIT:
        what = f"`{shown(member)}` is over {_SHORT_LIMIT} bytes"
        raise UnreadableWheel(os.path.basename(path), what)
    return data.decode("utf-8", "replace")


def _text(archive: zipfile.ZipFile, member: str) -> str:
    return _data(archive, member, _TEXT_LIMIT).decode("utf-8", "replace")


def _data(archive: zipfile.ZipFile, member: str, limit: int) -> bytes:
    try:
        info = archive.getinfo(member)
    except KeyError:
        return b""
    with archive.open(info) as stream:
        return stream.read(limit)


def _is_pure(text: str) -> bool:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "root-is-purelib":
            return value.strip().lower() == "true"
    return False


def _scripts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return script_names(text, "console_scripts"), script_names(text, "gui_scripts")


def has_bytes(archive: zipfile.ZipFile, member: str, path: str, *, in_part: bool = False) -> bool:
    """Say whether a file has the very bytes of a member; not when either cannot be read.

    ``in_part``: the member may not be there itself, so that its checksum (CRC-32) decides.
    """
    try:
        info = archive.getinfo(member)
        if os.stat(path).st_size != info.file_size:
            return False
        if in_part:
            return _checksum_of(path) == info.CRC
        with archive.open(info) as planned, opened(path) as there:
            while chunk := planned.read(_CHUNK):
                if there.read(len(chunk)) != chunk:
                    return False
    except (KeyError, *UNREADABLE):
        return False
    return True


def _checksum_of(path: str) -> int:
    found = 0
    with opened(path) as file:
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found


# ------------------------------------------------------------------------------- sparing


def without_members(wheel: str, members: Collection[str], folder: Path) -> Path:
    """Write the wheel again, less some members, under the same name in ``folder``.

    RECORD loses their lines too, so that a later uninstall does not delete what conda owns.

    Raises: UnreadableWheel.
    """
    target = folder / os.path.basename(wheel)
    left_out = {*members, *(f"{m}.jws" for m in members)}
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w") as copy:
            for info in source.infolist():
                if info.filename in left_out:
                    continue
                data = source.read(info)
                if info.filename.endswith(".dist-info/RECORD"):
                    data = _record_without(data, left_out)
                copy.writestr(info, data, compress_type=info.compress_type)
    except UNREADABLE as error:
        raise UnreadableWheel(os.path.basename(wheel), error) from error
    return target


def _record_without(data: bytes, members: Collection[str]) -> bytes:
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(row for row in rows if not row or row[0] not in members)
    return text.getvalue().encode()


def sha256_of(path: str) -> str:
    """Give the SHA-256 of a file, in hexadecimal.

    Raises: OSError; ValueError, where it is no regular file.
    """
    digest = hashlib.sha256()
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
