"""Wheels made in memory, byte for byte the same on every run.

Standard library only and one file: projects made by `sdists.py` carry a copy of it as their build
backend.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Files = Mapping[str, "str | bytes"]

MADE = (2024, 2, 6, 12, 0, 0)
"""The date of every file in a wheel: without it no two runs would make the same bytes."""


class Wheel(NamedTuple):
    """A built distribution (wheel or sdist) in memory."""

    filename: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def write(self, folder: Path) -> Path:
        """Put the file into ``folder``, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        path.write_bytes(self.data)
        return path


def make_wheel(
    name: str,
    version: str,
    files: Files | None = None,
    *,
    scripts: Mapping[str, str] | None = None,
    gui_scripts: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    provides_extra: Sequence[str] = (),
    requires_python: str | None = None,
    data_files: Files | None = None,
    data_scripts: Files | None = None,
    data_headers: Files | None = None,
    tag: str = "py3-none-any",
    metadata: Mapping[str, str] | None = None,
    info_files: Files | None = None,
    record_extra: Sequence[str] = (),
) -> Wheel:
    """A wheel whose ``files`` go to site-packages; without ``files``, a package of its own name.

    ``data_files`` are relative to the prefix, ``data_scripts`` to its ``bin``, ``data_headers`` to
    the header folder of the distribution. ``metadata`` adds fields to METADATA, ``info_files`` adds
    to or replaces files of the dist-info folder (RECORD excepted). ``record_extra`` are paths that
    RECORD claims besides.
    """
    stem = f"{as_module(name)}-{version}"
    module = as_module(name)
    contents = (
        files if files is not None else {f"{module}/__init__.py": f"__version__ = {version!r}\n"}
    )
    members: dict[str, str | bytes] = dict(contents)
    for kind, given in (("data", data_files), ("scripts", data_scripts), ("headers", data_headers)):
        members.update({f"{stem}.data/{kind}/{path}": text for path, text in (given or {}).items()})
    info: dict[str, str | bytes] = {
        "METADATA": core_metadata(
            name,
            version,
            requires=requires,
            provides_extra=provides_extra,
            requires_python=requires_python,
            metadata=metadata,
        ),
        "WHEEL": _wheel_file(tag),
        "top_level.txt": "".join(f"{top}\n" for top in top_level(contents)),
        "entry_points.txt": _entry_points(scripts, gui_scripts),
        **(info_files or {}),
    }
    members.update({f"{stem}.dist-info/{path}": text for path, text in info.items() if text})
    record = f"{stem}.dist-info/RECORD"
    return Wheel(f"{stem}-{tag}.whl", _zipped(members, record=record, claims=record_extra))


def core_metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    provides_extra: Sequence[str] = (),
    requires_python: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> str:
    """The text of METADATA, which is also that of an sdist's PKG-INFO."""
    fields = [
        ("Metadata-Version", "2.1"),
        ("Name", name),
        ("Version", version),
        ("Summary", "made by the lab"),
    ]
    fields += [("Requires-Python", requires_python)] if requires_python else []
    fields += [("Provides-Extra", extra) for extra in provides_extra]
    fields += [("Requires-Dist", requirement) for requirement in requires]
    fields += list((metadata or {}).items())
    return "".join(f"{key}: {value}\n" for key, value in fields) + "\nmade by the lab\n"


def as_module(name: str) -> str:
    """The name as file names of wheels spell it, which is also a fit name for a module."""
    return re.sub(r"[-_.]+", "_", name).lower()


def normalised(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def record_row(path: str, data: bytes) -> str:
    """One line of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    quoted = f'"{path}"' if "," in path else path
    return f"{quoted},sha256={digest},{len(data)}"


def top_level(paths: Files | Sequence[str]) -> list[str]:
    """The names that ``import`` would find among these paths of site-packages."""
    tops = {path.split("/")[0].removesuffix(".py") for path in paths}
    return sorted(top for top in tops if top.isidentifier())


def _wheel_file(tag: str) -> str:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = [
        f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms
    ]
    pure = "true" if tag.endswith("-none-any") else "false"
    head = f"Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: {pure}\n"
    return head + "".join(f"Tag: {each}\n" for each in tags)


def _entry_points(scripts: Mapping[str, str] | None, gui_scripts: Mapping[str, str] | None) -> str:
    groups = (("console_scripts", scripts), ("gui_scripts", gui_scripts))
    return "".join(
        f"[{group}]\n"
        + "".join(f"{command} = {target}\n" for command, target in given.items())
        + "\n"
        for group, given in groups
        if given
    )


def _zipped(members: Files, *, record: str, claims: Sequence[str] = ()) -> bytes:
    blobs = {
        path: text.encode() if isinstance(text, str) else text for path, text in members.items()
    }
    rows = [record_row(path, blob) for path, blob in blobs.items()]
    blobs[record] = "".join(
        f"{row}\n" for row in [*rows, *(f"{c},," for c in claims), f"{record},,"]
    ).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, blob in blobs.items():
            member = zipfile.ZipInfo(path, MADE)
            runnable = ".data/scripts/" in path or "/data/bin/" in path
            member.external_attr = (0o100755 if runnable else 0o100644) << 16
            archive.writestr(member, blob, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
