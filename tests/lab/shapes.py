"""The records of an environment, as the other programs of the conda family would write them.

A reader of records must take them all; what differs was seen in real prefixes of each program.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from tests.lab.conversion import SITE_PACKAGES
from tests.lab.pyc import compiled, pyc_path

Writer = Literal["conda", "conda-old", "mamba", "rattler", "ancient"]
"""conda 26; conda to 25; mamba and micromamba; py-rattler and pixi; conda before ``paths_data``."""

Row = dict[str, Any]
Record = dict[str, Any]

CONDA_VERSION = {"conda": "26.7.1", "conda-old": "24.5.0", "mamba": "2.0.5", "ancient": "4.3.30"}


def restyle(prefix: Path, writer: Writer) -> None:
    """Rewrite records and history of an environment fresh from `environments.create`.

    All but py-rattler compile noarch packages and own the bytecode, so that is made too.
    """
    if writer == "rattler":
        return
    lines = []
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(path.read_bytes())
        if record.get("noarch") == "python":
            _own_bytecode(prefix, record)
        _STYLES[writer](prefix, record)
        sort, indent = writer != "conda", 4 if writer == "mamba" else 2
        path.write_text(json.dumps(record, indent=indent, sort_keys=sort), encoding="utf-8")
        lines.append(f"+{_channel(record)}::{path.stem}\n")
    (prefix / "conda-meta" / "history").write_text(_history(writer, lines), encoding="utf-8")


def _own_bytecode(prefix: Path, record: Record) -> None:
    for file in [name for name in record["files"] if name.endswith(".py")]:
        source = prefix / file
        pyc = compiled(source.read_bytes(), file, int(source.stat().st_mtime))
        if pyc:
            (prefix / pyc_path(file)).parent.mkdir(exist_ok=True)
            (prefix / pyc_path(file)).write_bytes(pyc)
            record["files"].append(pyc_path(file))
            row = {"_path": pyc_path(file), "path_type": "pyc_file", "size_in_bytes": len(pyc)}
            record["paths_data"]["paths"].append(row)


def _as_conda(prefix: Path, record: Record) -> None:
    """26: noarch paths as in the package; every hard link with its hash in the prefix."""
    noarch = record.get("noarch") == "python"
    for row in record["paths_data"]["paths"]:
        _hash_in_prefix(prefix, row, softlinks=False)
        if noarch and row["path_type"] in ("hardlink", "softlink"):
            row["_path"] = _as_packaged(row["_path"])
    _add_conda_fields(record)
    asked = record.pop("requested_specs", [])
    wish = (
        {"requested_spec": asked[0], "requested_specs": asked}
        if asked
        else {"_requested_specs": []}
    )
    record.update(wish)


def _as_conda_old(prefix: Path, record: Record) -> None:
    """Up to 25: no sizes for what conda wrote itself; "None" for what nobody asked for."""
    _as_conda(prefix, record)
    record["requested_spec"] = record.get("requested_spec", "None")
    record.update({"features": "", "track_features": ""})
    for left_out in ("requested_specs", "_requested_specs", "python_site_packages_path"):
        record.pop(left_out, None)
    for row in record["paths_data"]["paths"]:
        if row["path_type"] in ("pyc_file", "unix_python_entry_point"):
            row.pop("size_in_bytes", None)


def _as_mamba(prefix: Path, record: Record) -> None:
    """Final paths; links hashed like files; no size where it is 0."""
    for row in record["paths_data"]["paths"]:
        _hash_in_prefix(prefix, row, softlinks=True)
        for key in ("prefix_placeholder", "file_mode"):
            row.pop(key, None)
        if row["path_type"] == "pyc_file" or not row.get("size_in_bytes"):
            row.pop("size_in_bytes", None)
    asked = record.pop("requested_specs", [])
    record["requested_spec"] = asked[0] if asked else ""
    record.update({"arch": None, "platform": None, "build_string": record["build"]})
    record["channel"] = _channel(record)
    record["package_tarball_full_path"] = record["extracted_package_dir"] + ".tar.bz2"
    record["link"] = {"source": record["extracted_package_dir"], "type": 1}
    record.pop("python_site_packages_path", None)


def _as_ancient(prefix: Path, record: Record) -> None:
    """The conda 4.3 and constructors of its day: ``files`` and nothing about any of them."""
    _as_conda_old(prefix, record)
    del record["paths_data"]
    record.pop("sha256", None)


_STYLES: dict[str, Callable[[Path, Record], None]] = {
    "conda": _as_conda,
    "conda-old": _as_conda_old,
    "mamba": _as_mamba,
    "ancient": _as_ancient,
}


def _hash_in_prefix(prefix: Path, row: Row, *, softlinks: bool) -> None:
    """Give the row the hash that its writer took after linking; what that wrote itself has none."""
    row.pop("sha256_in_prefix", None)
    if row["path_type"] == "hardlink" or (softlinks and row["path_type"] == "softlink"):
        path = prefix / row["_path"]
        if path.is_file():
            row["sha256_in_prefix"] = sha256(path.read_bytes()).hexdigest()
    elif row["path_type"] != "softlink":
        row.pop("sha256", None)


def _as_packaged(path: str) -> str:
    """A final path of a noarch package as the package has it."""
    if path.startswith(f"{SITE_PACKAGES}/"):
        return "site-packages/" + path.removeprefix(f"{SITE_PACKAGES}/")
    return "python-scripts/" + path.removeprefix("bin/") if path.startswith("bin/") else path


def _add_conda_fields(record: Record) -> None:
    record["channel"] = _channel(record)
    record["link"] = {"source": record["extracted_package_dir"], "type": 1}
    record["package_tarball_full_path"] = record["extracted_package_dir"] + ".conda"
    if "noarch" in record:
        record["package_type"] = f"noarch_{record['noarch']}"


def _channel(record: Record) -> str:
    """The channel's URL with the platform folder, which py-rattler leaves away."""
    channel, subdir = record["channel"].rstrip("/"), record["subdir"]
    return channel if channel.endswith(f"/{subdir}") else f"{channel}/{subdir}"


def _history(writer: Writer, lines: list[str]) -> str:
    program = "mamba" if writer == "mamba" else "conda"
    head = f"==> 2024-02-06 13:15:42 <==\n# cmd: {program} create -p env python\n"
    head += f"# conda version: {CONDA_VERSION[writer]}\n"
    return head + "".join(lines) + "# update specs: ['python']\n"
