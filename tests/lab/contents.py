"""A wheel, opened; and what it requires, in conda's words.

Pure.
"""

from __future__ import annotations

import email
import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass
from email.message import Message

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet

from tests.lab.wheels import Wheel, normalised

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

Member = tuple[bytes, int]
"""The bytes of a file and its mode."""

WRITTEN_BY_INSTALLERS = frozenset(
    ["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"]
)


@dataclass(frozen=True)
class Label:
    """What a wheel says of itself."""

    metadata: Message
    tags: tuple[str, ...]
    info_name: str

    @property
    def name(self) -> str:
        return str(self.metadata["Name"])

    @property
    def version(self) -> str:
        return str(self.metadata["Version"])

    @property
    def pure(self) -> bool:
        return all(tag.endswith("-none-any") for tag in self.tags)


@dataclass(frozen=True)
class Contents(Label):
    """A wheel, opened."""

    filename: str
    sha256: str
    members: dict[str, Member]
    """By their path in site-packages; not the dist-info, not ``.data``."""
    info: dict[str, bytes]
    """By their name in the dist-info folder; not what an installer writes."""
    data: dict[str, Member]
    """By their path in the ``.data`` folder."""


def read_label(wheel: Wheel) -> Label:
    """Read what a wheel says of itself, and unpack nothing else: the real ones are large."""
    return _label(zipfile.ZipFile(io.BytesIO(wheel.data)))


def _label(archive: zipfile.ZipFile) -> Label:
    folders = (name.split("/")[0] for name in archive.namelist())
    info_name = next(folder for folder in folders if folder.endswith(".dist-info"))
    tags = email.message_from_bytes(archive.read(f"{info_name}/WHEEL")).get_all("Tag", [])
    metadata = email.message_from_bytes(archive.read(f"{info_name}/METADATA"))
    return Label(metadata, tuple(tags), info_name)


def read_wheel(wheel: Wheel) -> Contents:
    """Open a wheel."""
    archive = zipfile.ZipFile(io.BytesIO(wheel.data))
    label = _label(archive)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    members: dict[str, Member] = {}
    info: dict[str, bytes] = {}
    data: dict[str, Member] = {}
    for name in names:
        top, _, rest = name.partition("/")
        blob = archive.read(name)
        mode = 0o755 if archive.getinfo(name).external_attr >> 16 & 0o111 else 0o644
        if top == label.info_name:
            info[rest] = blob
        elif top.endswith(".data"):
            data[rest] = blob, mode
        else:
            members[name] = blob, mode
    for written in WRITTEN_BY_INSTALLERS:
        info.pop(written, None)
    digest = hashlib.sha256(wheel.data).hexdigest()
    return Contents(
        label.metadata,
        label.tags,
        label.info_name,
        filename=wheel.filename,
        sha256=digest,
        members=members,
        info=info,
        data=data,
    )


def conda_depends(contents: Contents, *, noarch: bool) -> list[str]:
    """The wheel's requirements here and now as conda's, by the same names; and which Python."""
    parsed = [Requirement(line) for line in contents.metadata.get_all("Requires-Dist", [])]
    asked = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
    depends = [
        f"{normalised(one.name)} {conda_bounds(str(one.specifier))}".strip() for one in asked
    ]
    return [*depends, python_depend(contents, noarch=noarch)]


def python_depend(contents: Contents, *, noarch: bool) -> str:
    """Any Python that the wheel allows for noarch, else the one that it was built for."""
    wanted = contents.metadata["Requires-Python"] or ""
    next_minor = f"{sys.version_info.major}.{sys.version_info.minor + 1}"
    bounds = conda_bounds(wanted) if noarch else f">={PYTHON},<{next_minor}.0a0"
    return f"python {bounds}".strip()


def conda_bounds(specifiers: str) -> str:
    """PEP 440 specifiers as conda writes them."""
    return ",".join(_conda_bound(one) for one in sorted(SpecifierSet(specifiers), key=str))


def _conda_bound(specifier: Specifier) -> str:
    version = specifier.version
    if specifier.operator == "~=":
        return f">={version},{version.rpartition('.')[0]}.*"
    if specifier.operator == "==" and version.endswith(".*"):
        return version
    return {"===": "=="}.get(specifier.operator, specifier.operator) + version
