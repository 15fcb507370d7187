"""Writing the record of a conda package anew, as the tool of the environment would have written it.

By what the package itself says, and what is proven of where it came from; what is not known is left
out, and the channel is unknown then.

Source: `conda.core.path_actions.CreatePrefixRecordAction`, and the records that py-rattler writes
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from safepip.decisions.exporting.urls import bare
from safepip.effects.records import read_object
from safepip.effects.states import BESIDE
from safepip.effects.wheels import sha256_of
from safepip.values.inspection import Offered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.effects.packages import Row
    from safepip.values.inspection import Inspection
    from safepip.values.repair import PutBack

_CHUNK = 1024 * 1024
_PLACE = ("fn", "url", "channel")
RATTLER_LIKE = frozenset({"rattler", "pixi"})
"""Tools that leave out a hash in the prefix where it is that of the package."""


def write_record(
    inspection: Inspection,
    step: PutBack,
    folder: str,
    rows: Mapping[str, Row],
    compiled: Iterable[str],
) -> None:
    """Write the record of a package whose files were put back from ``folder``.

    ``rows``: its files, and ``compiled``: the bytecode that was made of them; below the prefix.

    Raises: OSError.
    """
    environment = inspection.environment
    by_rattler = environment.manager in RATTLER_LIKE
    prefix = environment.prefix
    facts = {**read_object(f"{folder}/info/index.json"), **_origin(inspection, step, folder)}
    paths = [_row(prefix, path, rows[path], by_rattler=by_rattler) for path in _in_order(rows)]
    paths += [_of_bytecode(prefix, path) for path in _in_order(compiled)]
    asked = inspection.asked.get(step.conda_package.rsplit("-", 2)[0].lower())
    is_kept = step.supply.kind == "folder"  # and not only for this command
    raw: dict[str, Any] = {
        **{key: facts[key] for key in sorted(facts, key=_rank) if facts[key] is not None},
        **({"extracted_package_dir": folder} if is_kept else {}),
        **_wish(asked, by_rattler=by_rattler),
        "files": [row["_path"] for row in paths],
        "paths_data": {"paths_version": 1, "paths": paths},
        **({"link": {"source": folder, "type": 1}} if is_kept else {}),
    }
    path = f"{prefix}/conda-meta/{step.record}"
    beside = path + BESIDE
    with open(beside, "x", encoding="utf-8") as file:
        json.dump(raw, file, indent=2)
    os.replace(beside, path)


def _rank(key: str) -> tuple[bool, int, str]:
    """Have what the package is before where it is from, as rattler writes it."""
    is_place = key in _PLACE
    return is_place, _PLACE.index(key) if is_place else 0, key


def _in_order(paths: Iterable[str]) -> list[str]:
    """Give the paths as the tools order them: folder by folder."""
    return sorted(paths, key=lambda path: path.split("/"))


def _wish(asked: str | None, *, by_rattler: bool) -> dict[str, Any]:
    """Give whether somebody asked for it by name, as the tools write that."""
    listed = {"requested_specs": [asked] if asked else []}
    return listed if by_rattler else {"requested_spec": asked or "None", **listed}


# ------------------------------------------------------------------------------- its files


def _row(prefix: str, path: str, row: Row, *, by_rattler: bool) -> dict[str, Any]:
    whole = f"{prefix}/{path}"
    if row.scripts:
        facts: dict[str, Any] = {"_path": path, "path_type": "unix_python_entry_point"}
        if by_rattler:
            facts["sha256"] = sha256_of(whole)
        return {**facts, "size_in_bytes": os.stat(whole).st_size}
    given = {"sha256": row.sha256} if row.sha256 else {}
    size = {"size_in_bytes": row.size_bytes} if row.size_bytes is not None else {}
    if row.is_link:
        target = hashlib.sha256(os.fsencode(os.readlink(whole))).hexdigest()
        placed = {"sha256_in_prefix": target} if by_rattler else {}
        return {"_path": path, "path_type": "softlink", **given, **placed, **size}
    found = sha256_of(whole)
    placed = {} if by_rattler and found == row.sha256 else {"sha256_in_prefix": found}
    mode = {"file_mode": "binary" if row.is_binary else "text"} if row.placeholder else {}
    holder = {"prefix_placeholder": row.placeholder} if row.placeholder else {}
    return {"_path": path, "path_type": "hardlink", **given, **placed, **size, **mode, **holder}


def _of_bytecode(prefix: str, path: str) -> dict[str, Any]:
    size = os.stat(f"{prefix}/{path}").st_size
    return {"_path": path, "path_type": "pyc_file", "size_in_bytes": size}


# ------------------------------------------------------------------------------- where it is from


def _origin(inspection: Inspection, step: PutBack, folder: str) -> Mapping[str, Any]:
    """Give what is known of the archive and its channel.

    1. What the tool that unpacked it wrote beside it.
    2. What its channel's index says of it.
    3. What is left of its old record.
    4. The archive that is at hand: in the cache, or in a channel of other records on this machine.
    5. The channel in conda's history.

    Every reader of records wants a URL: where none is known, that of an archive in the cache, which
    conda looks for there.
    """
    raw = read_object(f"{folder}/info/repodata_record.json")
    if raw.get("url"):
        return _with_channel(inspection, raw)
    offered = (inspection.offered or {}).get(step.conda_package)
    if isinstance(offered, Offered) and offered.sha256 == step.supply.sha256:
        return _with_channel(inspection, {**offered.row, "url": bare(offered.url)})
    if (remains := inspection.remains.get(step.conda_package)) is not None and remains.url:
        sums = {"sha256": remains.sha256 or None, "size": remains.size_bytes or None}
        name = remains.url.rpartition("/")[2]
        return _with_channel(inspection, {"url": bare(remains.url), "fn": name, **sums})
    for archive, url in _archives(inspection, step, folder):
        if os.path.isfile(archive):
            facts = {**_sums(archive), "url": url, "fn": url.rpartition("/")[2]}
            return _with_channel(inspection, facts)
    name = f"{step.conda_package}.conda"
    return {
        "fn": name,
        "url": Path(os.path.dirname(folder), name).as_uri(),
        "channel": inspection.channels.get(step.conda_package, "<unknown>"),
    }


def _archives(inspection: Inspection, step: PutBack, folder: str) -> Iterator[tuple[str, str]]:
    """Give the paths and URLs at which the archive may be."""
    supply = step.supply
    if supply.kind == "archive":
        yield supply.place, Path(supply.place).as_uri()
    index = read_object(f"{folder}/info/index.json")
    subdir = str(index.get("subdir") or "noarch")
    for end in (".conda", ".tar.bz2"):
        for base in _local_channels(inspection):
            url = f"{base}/{subdir}/{step.conda_package}{end}"
            yield unquote(urlsplit(url).path), url


def _local_channels(inspection: Inspection) -> Iterable[str]:
    """Give the channels in folders of this machine that other records came from."""
    found: dict[str, None] = {}
    for record in inspection.environment.records:
        details = inspection.details.get(record.dist)
        if details is not None and details.url.startswith("file:///"):
            found[details.url.rpartition("/")[0].rpartition("/")[0]] = None
    return found


def _with_channel(inspection: Inspection, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the facts with the channel as the environment's tool writes it."""
    above = str(raw["url"]).rpartition("/")[0]
    if inspection.environment.manager in RATTLER_LIKE:
        above = above.rpartition("/")[0] + "/"
    return {**raw, "channel": above}


def _sums(archive: str) -> Mapping[str, Any]:
    md5 = hashlib.md5(usedforsecurity=False)
    with open(archive, "rb") as file:
        while chunk := file.read(_CHUNK):
            md5.update(chunk)
    return {
        "md5": md5.hexdigest(),
        "sha256": sha256_of(archive),
        "size": os.stat(archive).st_size,
    }
