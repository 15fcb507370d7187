"""What becomes of a wheel on its way through a conda channel's build, detail by detail.

Pure. The details are those that a guard can trip over; each was seen in packages of conda-forge or
defaults.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.lab.archive import STAMP, CondaPackage
from tests.lab.contents import PYTHON, Contents, conda_depends, python_depend
from tests.lab.pyc import compiled, pyc_path
from tests.lab.wheels import Files, record_row, top_level

SITE_PACKAGES = f"lib/python{PYTHON}/site-packages"

Info = Literal["dist-info", "no-record", "minimal", "egg-info", "egg-info-file", "none"]
"""How a conda package tells Python tools of its distribution: a whole ``.dist-info``; one without
RECORD; INSTALLER and METADATA alone (libopencv); setuptools' ``.egg-info`` folder; distutils'
``.egg-info`` file; or not at all."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The choices of `packages.from_wheel`, all made."""

    name: str
    noarch: bool
    channel: Literal["conda-forge", "defaults"]
    info: Info
    depends: tuple[str, ...] | None
    constrains: tuple[str, ...]
    extra_files: Files
    direct_url: Literal["folder", "wheel"] | None
    build: str
    build_number: int
    index: Mapping[str, Any]


def convert(contents: Contents, style: Style) -> CondaPackage:
    """The conda package of a wheel."""
    package = CondaPackage(
        name=style.name,
        version=contents.version,
        build=style.build,
        build_number=style.build_number,
        noarch="python" if style.noarch else None,
        depends=_depends(contents, style),
        constrains=style.constrains,
        index_extra=style.index,
        about={"summary": str(contents.metadata["Summary"] or "")},
    )
    build = _Build(package, style, contents)
    for path, (blob, mode) in contents.members.items():
        build.to_site_packages(path, blob, mode)
    for path, (blob, mode) in contents.data.items():
        build.from_data(path, blob, mode)
    build.add_entry_points()
    if style.info.startswith("egg-info"):
        build.add_egg_info()
    elif style.info != "none":
        build.add_dist_info()
    for path, text in style.extra_files.items():
        package.add(path, text, 0o755 if path.startswith("bin/") else 0o644)
    return package


class _Build:
    """A package being filled, and the RECORD that pip wrote while it was built."""

    def __init__(self, package: CondaPackage, style: Style, contents: Contents) -> None:
        self.package = package
        self.style = style
        self.contents = contents
        self.site = "site-packages" if style.noarch else SITE_PACKAGES
        self.scripts = "python-scripts" if style.noarch else "bin"
        self.record: list[str] = []

    def to_site_packages(self, path: str, blob: bytes, mode: int = 0o644) -> None:
        """Stage a file of site-packages, and its bytecode unless the installer is to make it.

        The RECORD of a noarch package names the ``.pyc`` files of the build all the same.
        """
        entry = self.package.add(f"{self.site}/{path}", blob, mode)
        self.record.append(record_row(path, entry.data))
        if (
            not path.endswith(".py") or entry.data != blob
        ):  # with a prefix in it, bytecode is stale at once
            return
        shown_as = f"{self.package.placeholder}/{SITE_PACKAGES}/{path}"
        pyc = None if self.style.noarch else compiled(entry.data, shown_as, STAMP)
        if pyc:
            self.package.add(f"{self.site}/{pyc_path(path)}", pyc)
        if pyc or self.style.noarch:
            self.record.append(f"{pyc_path(path)},,")

    def from_data(self, path: str, blob: bytes, mode: int) -> None:
        """Stage a file of the wheel's ``.data`` folder where its kind belongs."""
        kind, _, rest = path.partition("/")
        if kind in ("purelib", "platlib"):
            self.to_site_packages(rest, blob, mode)
        elif kind == "scripts":
            self.to_bin(
                rest, blob.replace(b"#!python", f"#!@PREFIX@/bin/python{PYTHON}".encode(), 1)
            )
        else:
            folder = f"include/python{PYTHON}/{self.contents.name}/" if kind == "headers" else ""
            entry = self.package.add(folder + rest, blob, mode)
            self.record.append(record_row(f"../../../{folder}{rest}", entry.data))

    def to_bin(self, command: str, blob: bytes) -> None:
        """Stage a command."""
        entry = self.package.add(f"{self.scripts}/{command}", blob, 0o755)
        self.record.append(record_row(f"../../../bin/{command}", entry.data))

    def add_entry_points(self) -> None:
        """Stage the commands of the entry points, or leave them to the installer (noarch).

        RECORD has them in both cases, by the bytes of the build machine's script.
        """
        for command, target in _commands(self.contents.info.get("entry_points.txt", b"")).items():
            script = _script(*target.split(":"))
            if self.style.noarch:
                self.package.entry_points += (f"{command} = {target}",)
                self.record.append(record_row(f"../../../bin/{command}", script))
            else:
                self.to_bin(command, script)

    def add_dist_info(self) -> None:
        """Stage the ``.dist-info`` as pip wrote it and conda-build then left it.

        pip wrote "pip" and a newline into INSTALLER and hashed that into RECORD; conda-build then
        wrote "conda" without newline over it. So RECORD never verifies on that line.
        """
        folder = self.contents.info_name
        files = dict(self.contents.info)
        files.update({"INSTALLER": b"pip\n", "REQUESTED": b""})
        files.update({"direct_url.json": self._direct_url()} if self.style.direct_url else {})
        rows = [record_row(f"{folder}/{name}", blob) for name, blob in files.items()]
        lines = sorted([*self.record, *rows, f"{folder}/RECORD,,"])
        files.update(
            {"INSTALLER": b"conda", "RECORD": "".join(f"{line}\n" for line in lines).encode()}
        )
        for name, blob in files.items():
            if self.style.info == "no-record" and name == "RECORD":
                continue
            if self.style.info == "minimal" and name not in ("INSTALLER", "METADATA"):
                continue
            self.package.add(f"{self.site}/{folder}/{name}", blob)

    def _direct_url(self) -> bytes:
        """Where pip found the sources at build time, on a machine that is long gone."""
        root = {"conda-forge": "/home/conda/feedstock_root/build_artifacts", "defaults": "/croot"}
        url = f"file://{root[self.style.channel]}/{self.style.name}_{STAMP}000/work"
        if self.style.direct_url == "folder":
            return json.dumps({"dir_info": {}, "url": url}).encode()
        digest = self.contents.sha256
        archive = {"hash": f"sha256={digest}", "hashes": {"sha256": digest}}
        return json.dumps(
            {"archive_info": archive, "url": f"{url}/dist/{self.contents.filename}"}
        ).encode()

    def add_egg_info(self) -> None:
        """Stage an ``.egg-info``; its name keeps the builder's Python even in a noarch package."""
        egg = (
            f"{self.site}/{self.contents.info_name.removesuffix('.dist-info')}-py{PYTHON}.egg-info"
        )
        if self.style.info == "egg-info-file":
            self.package.add(egg, self.contents.info["METADATA"])
            return
        tops = "".join(f"{top}\n" for top in top_level(list(self.contents.members)))
        entry_points = self.contents.info.get("entry_points.txt")
        files: dict[str, bytes] = {
            "PKG-INFO": self.contents.info["METADATA"],
            "SOURCES.txt": b"setup.py\n",
            "dependency_links.txt": b"\n",
            "top_level.txt": self.contents.info.get("top_level.txt", tops.encode()),
            **({"entry_points.txt": entry_points} if entry_points else {}),
        }
        for name, blob in files.items():
            self.package.add(f"{egg}/{name}", blob)


def _script(module: str, function: str) -> bytes:
    """A command as pip writes it, and as packages that are not noarch hold it."""
    return (
        f"#!@PREFIX@/bin/python{PYTHON}\n# -*- coding: utf-8 -*-\nimport re\nimport sys\n"
        f"from {module} import {function.partition('.')[0]}\nif __name__ == '__main__':\n"
        "    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n"
        f"    sys.exit({function}())\n"
    ).encode()


def _commands(entry_points: bytes) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keep capitals
    parser.read_string(entry_points.decode())
    groups = [group for group in ("console_scripts", "gui_scripts") if parser.has_section(group)]
    return {
        command: target.partition("[")[0].strip()
        for group in groups
        for command, target in parser.items(group)
    }


def _depends(contents: Contents, style: Style) -> tuple[str, ...]:
    if style.depends is None:
        return tuple(sorted(conda_depends(contents, noarch=style.noarch)))
    named = {spec.split()[0] for spec in style.depends}
    python = () if "python" in named else (python_depend(contents, noarch=style.noarch),)
    return tuple(sorted([*style.depends, *python]))
