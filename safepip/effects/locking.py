"""Locks: finding the artifacts of what is installed by the environment's pip, and writing them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.pip_part import pin
from safepip.decisions.judging.requirements import parse_version
from safepip.effects.itself import library_beside
from safepip.effects.plain import INSIDE, words_of_pip
from safepip.values.errors import CannotLock, UsageError
from safepip.values.text import normalised, shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.decisions.exporting.lock import Artifact
    from safepip.values.environment import Distribution
    from safepip.values.target import Target

_QUIETLY = (
    *("install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--no-input"),
    *("--only-binary", ":all:"),  # looking for an artifact is no reason to run what it brings
)
_LEADS_ELSEWHERE = frozenset(
    """PIP_CONSTRAINT PIP_NO_BINARY PIP_PREFIX PIP_PYTHON PIP_REPORT PIP_REQUIREMENT PIP_ROOT
    PIP_TARGET PIP_UPLOADED_PRIOR_TO PIP_USER PYTHONPATH""".split()  # noqa: SIM905 - legible
)


def find_artifacts(
    target: Target,
    distributions: Sequence[Distribution],
    sources: Sequence[str],
    environ: Mapping[str, str],
) -> Mapping[str, Artifact]:
    """Give the URL and SHA-256 of the wheels that pip would install these from.

    ``sources``: words that say where to look.

    Raises: CannotLock.
    """
    if not distributions:
        return {}
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        report = f"{folder}/report.json"
        wanted = [f"{one.name}{pin(one.version)}" for one in distributions]
        command = [target.python, *words_of_pip(target), *_QUIETLY, "--report", report]
        done = subprocess.run(
            [*command, *sources, *wanted],
            env={**{n: v for n, v in environ.items() if n not in _LEADS_ELSEWHERE}, INSIDE: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        try:
            with open(report, encoding="utf-8") as file:
                found = dict(_artifacts(json.load(file)))
        except (OSError, ValueError):
            said = without_secrets(done.stderr.decode("utf-8", "replace").strip())
            names = ", ".join(one.name for one in distributions)
            why = f"pip finds no wheel of it: {shown(said.rpartition(chr(10))[2])}"
            raise CannotLock(names, why) from None
    missing = [one.name for one in distributions if one.name not in found]
    if missing:
        raise CannotLock(", ".join(missing), "pip does not say")
    versions = {one.name: one.version for one in distributions}
    others = [name for name, (_, version) in found.items() if not _same(version, versions[name])]
    if others:
        raise CannotLock(", ".join(others), "the indexes have another version of it")
    return {name: artifact for name, (artifact, _) in found.items()}


def _same(one: str, other: str) -> bool:
    return one == other or (
        (version := parse_version(one)) is not None and version == parse_version(other)
    )


def _artifacts(report: Any) -> Iterator[tuple[str, tuple[Artifact, str]]]:  # noqa: ANN401 - JSON
    """Give the artifact and the version of each name."""
    entries = report.get("install") if isinstance(report, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        try:
            download = entry["download_info"]
            archive = download["archive_info"]
            sha256 = (archive.get("hashes") or {}).get("sha256") or ""
            sha256 = sha256 or (archive.get("hash") or "").removeprefix("sha256=")
            metadata = entry["metadata"]
            artifact = str(download["url"]), str(sha256)
            yield normalised(metadata["name"]), (artifact, str(metadata["version"]))
        except (KeyError, TypeError, AttributeError):
            continue


def toml_text(document: Mapping[str, Any], head: str) -> str:
    """Give a document as TOML.

    Raises: UsageError, where what writes it is not there.
    """
    try:
        import tomli_w
    except ImportError as error:
        fixes = [library_beside("tomli-w")]
        raise UsageError("locks need `tomli-w`, which is not there", fixes=fixes) from error
    return head + tomli_w.dumps(document)
