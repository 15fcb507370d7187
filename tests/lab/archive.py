"""A conda package being staged, and the ``.conda`` file written from it.

Pure but for `pack`, which writes the one file; what a package holds is decided in `packages.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

if sys.version_info >= (3, 14):  # pragma: no cover - one of the two, by the running Python
    from compression.zstd import ZstdCompressor
else:  # pragma: no cover - one of the two, by the running Python
    from backports.zstd import ZstdCompressor

STAMP = 1707225342
"""The date of every file and of every build, in seconds: packages are the same on every run."""

SUBDIR = {
    ("Linux", "x86_64"): "linux-64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Darwin", "x86_64"): "osx-64",
    ("Darwin", "arm64"): "osx-arm64",
}[platform.system(), platform.machine()]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a package; ``@PREFIX@`` in it is the place of the environment."""

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, relative to its own folder."""

    target: str


@dataclass(kw_only=True)
class CondaPackage:
    """One package: the values of ``info/index.json``, and its files."""

    name: str
    version: str
    build: str = ""
    """Empty: made from the contents, so that packages that differ share no place in a cache."""
    build_number: int = 0
    noarch: Literal["python", "generic"] | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    license: str = "MIT"
    index_extra: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    entry_points: tuple[str, ...] = ()
    """``command = module:function``, for the installer to write (noarch python only)."""
    entries: dict[str, File | Link] = field(default_factory=dict)

    @property
    def placeholder(self) -> str:
        """The prefix of the build: 255 characters, as conda-build pads it on conda-forge."""
        start = f"/home/conda/feedstock_root/build_artifacts/{self.name}_{STAMP}000/_h_env"
        return (start + "_placehold" * 26)[:255]

    @property
    def subdir(self) -> str:
        return "noarch" if self.noarch else SUBDIR

    @property
    def filename(self) -> str:
        return f"{self.name}-{self.version}-{self.build}.conda"

    def add(self, path: str, data: str | bytes, mode: int = 0o644) -> File:
        """Stage a file, its ``@PREFIX@`` replaced by the placeholder, and return it."""
        blob = data.encode() if isinstance(data, str) else data
        entry = File(blob.replace(b"@PREFIX@", self.placeholder.encode()), mode)
        self.entries[path] = entry
        return entry

    def index(self) -> dict[str, Any]:
        """What ``info/index.json`` says; a channel's index says the same, and size and hashes."""
        system, machine = SUBDIR.split("-")
        row: dict[str, Any] = {
            "arch": None if self.noarch else {"64": "x86_64"}.get(machine, machine),
            "build": self.build,
            "build_number": self.build_number,
            "depends": list(self.depends),
            "license": self.license,
            "name": self.name,
            "platform": None if self.noarch else system,
            "subdir": self.subdir,
            "timestamp": STAMP * 1000,
            "version": self.version,
        }
        row.update({"constrains": list(self.constrains)} if self.constrains else {})
        row.update({"noarch": self.noarch} if self.noarch else {})
        return {**row, **self.index_extra}


def pack(package: CondaPackage, folder: Path) -> Path:
    """Write the package as a ``.conda`` file into ``folder``; an empty build string is filled in.

    Source: https://docs.conda.io/projects/conda/en/stable/dev-guide/specs/package-spec.html
    """
    paths = [_path_row(package, path) for path in sorted(package.entries)]
    package.build = package.build or _build_string(package, paths)
    info = {f"info/{name}": File(blob) for name, blob in _info(package, paths).items()}
    stem = package.filename.removesuffix(".conda")
    target = folder / package.filename
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        archive.writestr(f"pkg-{stem}.tar.zst", _tarred(sorted(package.entries.items())))
        archive.writestr(f"info-{stem}.tar.zst", _tarred(sorted(info.items())))
    return target


def _build_string(package: CondaPackage, paths: list[dict[str, Any]]) -> str:
    contents = json.dumps([package.index(), list(package.entry_points), paths], sort_keys=True)
    digest = hashlib.sha256(contents.encode()).hexdigest()[:7]
    kind = {"python": "pyh", "generic": "h", None: "h"}[package.noarch]
    return f"{kind}{digest}_{package.build_number}"


def _path_row(package: CondaPackage, path: str) -> dict[str, Any]:
    """The package's own word on one file.

    A link is hashed as what it points at, as conda-build does.
    """
    entry = package.entries[path]
    if isinstance(entry, Link):
        blob = _behind(package.entries, path)
        return {
            "_path": path,
            "path_type": "softlink",
            "sha256": _sha256(blob),
            "size_in_bytes": len(blob),
        }
    row: dict[str, Any] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": _sha256(entry.data),
        "size_in_bytes": len(entry.data),
    }
    # conda-build leaves .pyc files out too: their paths are only shown in tracebacks.
    if package.placeholder.encode() in entry.data and not path.endswith(".pyc"):
        row["file_mode"] = "binary" if b"\0" in entry.data[:4096] else "text"
        row["prefix_placeholder"] = package.placeholder
    return row


def _behind(entries: Mapping[str, File | Link], path: str) -> bytes:
    for _ in range(10):
        entry = entries.get(path)
        if not isinstance(entry, Link):
            return entry.data if entry else b""
        path = os.path.normpath(str(PurePosixPath(path).parent / entry.target))
    return b""


def _info(package: CondaPackage, paths: list[dict[str, Any]]) -> dict[str, bytes]:
    values: dict[str, Any] = {
        "index.json": package.index(),
        "paths.json": {"paths": paths, "paths_version": 1},
        "about.json": {"summary": "made by the lab", **package.about},
    }
    if package.noarch == "python":
        points = {"entry_points": list(package.entry_points)} if package.entry_points else {}
        values["link.json"] = {
            "noarch": {"type": "python", **points},
            "package_metadata_version": 1,
        }
    blobs = {
        name: json.dumps(value, indent=2, sort_keys=True).encode() for name, value in values.items()
    }
    blobs["files"] = "".join(f"{row['_path']}\n" for row in paths).encode()
    return blobs


def _tarred(entries: Iterable[tuple[str, File | Link]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, entry in entries:
            member = tarfile.TarInfo(path)
            member.mtime = STAMP
            if isinstance(entry, Link):
                member.type, member.linkname = tarfile.SYMTYPE, entry.target
                archive.addfile(member)
            else:
                member.size, member.mode = len(entry.data), entry.mode
                archive.addfile(member, io.BytesIO(entry.data))
    compressor = ZstdCompressor(level=3)
    return bytes(compressor.compress(buffer.getvalue(), ZstdCompressor.FLUSH_FRAME))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
