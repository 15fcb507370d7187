"""Where the files of a conda package are to be had: unpacked, as an archive, from its channel."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from safepip.effects.packages import proves
from safepip.effects.removals import removal_of
from safepip.effects.traces import read_cached
from safepip.effects.wheels import sha256_of
from safepip.values.errors import CannotRepair
from safepip.values.inspection import Details
from safepip.values.repair import PutBack, Supply
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.effects.packages import Place
    from safepip.values.environment import Distribution, Interpreter
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Step

_UNPACKER = Path(__file__).with_name("unpacker.py")
_PATIENCE = 1800.0
"""Seconds; the largest packages have gigabytes."""
_ARCHIVES = (".conda", ".tar.bz2")
_NO_RATTLER = (
    "its files are not in a package cache, and to fetch them takes py-rattler, which is not "
    "installed beside safepip (extra `conda`)"
)


def find_supply(
    inspection: Inspection, dist: str, paths: Iterable[str], place: Place
) -> Supply | str:
    """Give where files of a package (NAME-VERSION-BUILD) are to be had; else why they are not.

    An unpacked copy counts where the bytes of all these files are proven: whoever edits a file of
    an environment in place edits the cache, too, since both are one file.
    """
    details = inspection.details.get(dist) or _details_of_lost(inspection, dist)
    asked = [path for path in paths if not path.endswith(".pyc")]
    why = ""
    for folder in dict.fromkeys((details.unpacked, *(f"{c}/{dist}" for c in inspection.caches))):
        if folder and _is_of(folder, dist):
            why = proves(folder, place, asked, details.hashes)
            if not why:
                return Supply("folder", folder)
    return _to_be_fetched(inspection, dist, details) or why or "nothing tells where it came from"


def _details_of_lost(inspection: Inspection, dist: str) -> Details:
    for cached in inspection.cached:
        if cached.dist == dist:
            return Details(url=cached.url, sha256=cached.sha256, unpacked=cached.folder)
    return Details()


def _is_of(folder: str, dist: str) -> bool:
    found = read_cached(folder)
    return found is not None and found.dist == dist


def _to_be_fetched(inspection: Inspection, dist: str, details: Details) -> Supply | str:
    archives = [f"{folder}/{dist}{end}" for folder in inspection.caches for end in _ARCHIVES]
    parts = urlsplit(details.url)
    if parts.scheme == "file":
        archives.append(unquote(parts.path))
    archives = [path for path in archives if os.path.isfile(path)]
    fitting = [path for path in archives if details.sha256 and sha256_of(path) == details.sha256]
    known = bool(details.sha256) and parts.scheme in ("http", "https")
    if not fitting and not known:
        return ""
    if find_spec("rattler") is None:
        return _NO_RATTLER
    if fitting:
        return Supply("archive", fitting[0], details.sha256)
    return Supply("download", details.url, details.sha256, details.size_bytes)


@contextlib.contextmanager
def unpacked(prefix: str, steps: Iterable[Step]) -> Iterator[Mapping[str, str]]:
    """Have every package that is put back unpacked, and give the folder of each.

    In the environment, so that files can be linked.

    Raises: CannotRepair.
    """
    needed = [step for step in steps if isinstance(step, PutBack)]
    with tempfile.TemporaryDirectory(
        prefix=".safepip-unpacked-", dir=f"{prefix}/conda-meta", ignore_cleanup_errors=True
    ) as folder:
        found = {}
        for number, step in enumerate(needed):
            supply = step.supply
            if supply.kind != "folder":
                _unpack(step.conda_package, supply, f"{folder}/{number}")
            is_there = supply.kind == "folder"
            found[step.conda_package] = supply.place if is_there else f"{folder}/{number}"
        yield found


def _unpack(dist: str, supply: Supply, folder: str) -> None:
    """Fetch and unpack a package, in a process of its own.

    py-rattler's threads can abort the exit of the process that imported it.
    """
    task = {"from": supply.place, "sha256": supply.sha256, "to": folder}
    try:
        done = subprocess.run(
            [sys.executable, str(_UNPACKER), json.dumps(task)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotRepair(f"cannot unpack {dist}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CannotRepair(f"cannot unpack {dist}: {shown(said)}")


def files_to_remove(distribution: Distribution, interpreter: Interpreter) -> tuple[str, ...]:
    """Give the files that uninstalling a distribution deletes, as absolute paths.

    Of folders only those of an old `*.egg-info` distribution, which lists no files; a RECORD that
    names a folder is not right.
    """
    found: list[str] = []
    for path in removal_of(distribution, interpreter).removes:
        if os.path.islink(path) or not os.path.isdir(path):
            found.append(path)
        elif distribution.metadata_path.endswith(".egg-info"):
            for folder, _, names in os.walk(path):
                found += [f"{folder}/{name}" for name in names]
    return tuple(found)
