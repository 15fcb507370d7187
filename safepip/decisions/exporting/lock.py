"""Exact artifacts with their hashes: an explicit file for conda, `pylock.toml` for pip. Pure.

Source: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.urls import bare, path_of, split, without_fragment
from safepip.values.sheet import Note, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.environment import Distribution, Record
    from safepip.values.sheet import Package

Artifact = tuple[str, str]
"""A URL and the SHA-256 of what it leads to."""


def explicit_text(
    head: str, records: Iterable[Record], packages: Mapping[str, Package]
) -> tuple[str, tuple[Note, ...]]:
    """Give the file that conda, mamba and micromamba make just these packages of.

    With MD5 where the record has it, which all releases of theirs understand.
    """
    lines, notes = list[str](), list[Note]()
    for record in records:
        package = packages.get(record.dist)
        if package is None or "://" not in package.url:
            notes.append(Note("no-channel", record.name, record.dist))
            continue
        digest = package.md5 or (f"sha256:{package.sha256}" if package.sha256 else "")
        lines.append(bare(without_fragment(package.url)) + (f"#{digest}" if digest else ""))
        if not digest:
            notes.append(Note("no-hash", record.name, record.dist))
    return "".join(f"{line}\n" for line in (head.rstrip(), "@EXPLICIT", *sorted(lines))), tuple(
        notes
    )


def from_index(
    distributions: Iterable[Distribution],
    origins: Mapping[str, Origin],
    known: Mapping[str, Artifact],
) -> tuple[Distribution, ...]:
    """Give the distributions of which it is not known which artifact they were made of."""
    return tuple(
        d
        for d in distributions
        if d.name not in known and not origins.get(d.metadata_path, Origin()).url
    )


def pylock(
    distributions: Iterable[Distribution],
    origins: Mapping[str, Origin],
    known: Mapping[str, Artifact],
    *,
    python: str,
    folder: str,
) -> dict[str, Any]:
    """Give the lock of these distributions. ``python``: X.Y; ``folder``: where it will lie."""
    packages = [
        {
            "name": one.name,
            **_source(one, origins.get(one.metadata_path, Origin()), known.get(one.name), folder),
        }
        for one in sorted(distributions, key=lambda one: one.name)
    ]
    return {
        "lock-version": "1.0",
        "requires-python": f"=={python}.*",
        "created-by": "safepip",
        "packages": packages,
    }


def _source(
    distribution: Distribution, origin: Origin, known: Artifact | None, folder: str
) -> dict[str, Any]:
    if origin.vcs:
        return {"vcs": dict(_vcs(origin))}
    if origin.is_folder:
        return {"directory": dict(_directory(origin, folder))}
    if origin.url:
        archive = {"url": bare(without_fragment(origin.url))}
        return {"archive": {**archive, "hashes": {"sha256": origin.sha256}}}
    url, sha256 = known or ("", "")
    found = {"url": bare(without_fragment(url)), "hashes": {"sha256": sha256}}
    version = {"version": distribution.version}
    if split(url).path.endswith(".whl"):
        return {**version, "wheels": [found]}
    return {**version, "sdist": found}


def _vcs(origin: Origin) -> Iterator[tuple[str, str]]:
    yield "type", origin.vcs
    yield "url", bare(origin.remote or origin.url)
    yield "commit-id", origin.commit
    if origin.subdirectory:
        yield "subdirectory", origin.subdirectory


def _directory(origin: Origin, folder: str) -> Iterator[tuple[str, Any]]:
    path = path_of(origin.url)
    yield "path", posixpath.relpath(path, folder) if path.startswith(f"{folder}/") else path
    if origin.is_editable:
        yield "editable", True
    if origin.subdirectory:
        yield "subdirectory", origin.subdirectory


def without_hash(lock: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names of what has an artifact and no hash of it."""
    return tuple(
        package["name"]
        for package in lock["packages"]
        for found in (package.get("archive"), package.get("sdist"), *package.get("wheels", ()))
        if found is not None and not found["hashes"]["sha256"]
    )
