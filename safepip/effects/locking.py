"""Locks: finding the artifacts of what is installed by the environment's pip, and writing them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.pip_part import pin
from safepip.effects.plain import INSIDE, words_of_pip
from safepip.values.errors import CannotLock, UsageError
from safepip.values.text import normalised, shown, without_secrets
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.decisions.exporting.lock import Artifact
    from safepip.values.environment import Distribution
    from safepip.values.target import Target

_QUIETLY = ("install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet")


def find_artifacts(
    target: Target,
    distributions: Sequence[Distribution],
    sources: Sequence[str],
    environ: Mapping[str, str],
) -> Mapping[str, Artifact]:
    """Give the URL and SHA-256 of what pip would install these from, in these versions.

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
            env={**environ, INSIDE: "1"},
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
            raise CannotLock(names, shown(said.rpartition("\n")[2])) from None
    missing = [one.name for one in distributions if one.name not in found]
    if missing:
        raise CannotLock(", ".join(missing), "pip does not say")
    return found


def _artifacts(report: Any) -> Iterator[tuple[str, Artifact]]:  # noqa: ANN401 - pip's JSON
    entries = report.get("install") if isinstance(report, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        try:
            download = entry["download_info"]
            archive = download["archive_info"]
            sha256 = (archive.get("hashes") or {}).get("sha256") or ""
            sha256 = sha256 or (archive.get("hash") or "").removeprefix("sha256=")
            yield normalised(entry["metadata"]["name"]), (str(download["url"]), str(sha256))
        except (KeyError, TypeError, AttributeError):
            continue


def toml_text(document: Mapping[str, Any], head: str) -> str:
    """Give a document as TOML.

    Raises: UsageError, where what writes it is not there.
    """
    try:
        import tomli_w
    except ImportError as error:
        fix = Fix("python -m pip install tomli-w", "install it where safepip is")
        raise UsageError("locks need `tomli-w`, which is not there", fixes=[fix]) from error
    return head + tomli_w.dumps(document)
