"""Where the files of a conda package are to be had: unpacked, as an archive, from its channel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from safepip.decisions.repairing.sources import sought
from safepip.effects.packages import unproven_in
from safepip.effects.removals import has_list, removal_of, top_levels
from safepip.effects.traces import is_trusted, read_cached
from safepip.effects.transaction import all_in
from safepip.effects.unpacking import RATTLER
from safepip.effects.wheels import sha256_of
from safepip.values.inspection import Details, Offered
from safepip.values.repair import Reason, Supply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.effects.packages import Place
    from safepip.values.environment import Interpreter
    from safepip.values.inspection import Claim, Inspection

_ARCHIVES = (".conda", ".tar.bz2")


def find_supply(
    inspection: Inspection, dist: str, paths: Iterable[str], place: Place
) -> Supply | Reason:
    """Give where files of a package (NAME-VERSION-BUILD) are to be had; else why they are not.

    The bytes of every file are proven: whoever edits a file of an environment in place edits the
    cache, too, since both are one file. Where nothing has them all, an unpacked copy will do that
    has some.
    """
    details = inspection.details.get(dist) or _details_of_lost(inspection, dist)
    asked = [path for path in paths if not path.endswith(".pyc")]
    partly: Supply | None = None
    for folder in dict.fromkeys((details.unpacked, *(f"{c}/{dist}" for c in inspection.caches))):
        if folder and _is_of(folder, dist, inspection.environment.prefix):
            lacks = unproven_in(folder, place, asked, details.hashes)
            if not lacks:
                return Supply("folder", folder)
            if partly is None or len(lacks) < len(partly.lacks):
                partly = Supply("folder", folder, lacks=lacks)
    fetched = _to_be_fetched(inspection, dist, details)
    if isinstance(fetched, Supply):
        return fetched
    if fetched is None and dist not in inspection.details:
        fetched = _of_channels(inspection, dist)
        if isinstance(fetched, Supply):
            return fetched
    if partly is None or len(partly.lacks) == len(asked):
        why = next(iter(partly.lacks.values()), None) if partly is not None else None
        return fetched or why or _without_source(details)
    return partly


def _without_source(details: Details) -> Reason:
    """Say why nothing gives a package: the archive that its record names may be gone."""
    parts = urlsplit(details.url)
    path = unquote(parts.path)
    if parts.scheme == "file" and not os.path.isfile(path):
        return Reason("gone-source", (path,))
    return Reason("no-source")


def _details_of_lost(inspection: Inspection, dist: str) -> Details:
    for cached in inspection.cached:
        if cached.dist == dist:
            return Details(url=cached.url, sha256=cached.sha256, unpacked=cached.folder)
    remains = inspection.remains.get(dist, Details())
    offered = (inspection.offered or {}).get(dist)
    if isinstance(offered, Offered) and remains.sha256 in ("", offered.sha256):
        return Details(url=offered.url, sha256=offered.sha256, size_bytes=offered.size_bytes)
    return remains


def _of_channels(inspection: Inspection, dist: str) -> Supply | Reason | None:
    """Give what is known of the channels: nothing but that they can be asked, before they were."""
    if inspection.offered is None:
        channels = sought(inspection, dist).channels
        if channels and inspection.tool == RATTLER:
            return Supply("channel", channels[0])
        return Reason("no-tool") if channels and not inspection.tool else None
    found = inspection.offered.get(dist)
    return found if isinstance(found, Reason) else None


def _is_of(folder: str, dist: str, prefix: str) -> bool:
    if not (is_trusted(os.path.dirname(folder), prefix) and is_trusted(folder, prefix)):
        return False
    found = read_cached(folder)
    return found is not None and found.dist == dist


def _to_be_fetched(inspection: Inspection, dist: str, details: Details) -> Supply | Reason | None:
    archives = [f"{folder}/{dist}{end}" for folder in inspection.caches for end in _ARCHIVES]
    parts = urlsplit(details.url)
    if parts.scheme == "file":
        archives.append(unquote(parts.path))
    archives = [path for path in archives if os.path.isfile(path)]
    fitting = [path for path in archives if details.sha256 and sha256_of(path) == details.sha256]
    known = bool(details.sha256) and parts.scheme in ("http", "https")
    if not fitting and not known:
        return None
    if not inspection.tool:
        return Reason("no-tool")
    offered = (inspection.offered or {}).get(dist)
    if fitting:
        return Supply("archive", fitting[0], details.sha256)
    md5 = offered.md5 if isinstance(offered, Offered) and offered.url == details.url else ""
    return Supply("download", details.url, details.sha256, md5, details.size_bytes)


def files_to_remove(claim: Claim, interpreter: Interpreter) -> tuple[str, ...]:
    """Give the files that are certainly a distribution's, as absolute paths.

    By its list, or those of its metadata. pip would take the folders of an old `*.egg-info` that
    has no list with all that is in them, whoever put it there; and of eggs the file that lists all.
    """
    distribution = claim.distribution
    info = distribution.metadata_path
    if claim.unlisted:
        return tuple(all_in(info)[0])
    found: list[str] = []
    for path in removal_of(distribution, interpreter).removes:
        if os.path.islink(path) or not os.path.isdir(path):
            found.append(path)
        elif path == info:
            found += all_in(path)[0]
    if has_list(distribution):
        return tuple(found)
    known = {f"{distribution.location}/{top}" for top in top_levels(distribution)}
    known |= {path + end for path in known for end in (".py", ".pyc", ".pyo")}
    known.add(f"{distribution.location}/easy-install.pth")
    known.add(f"{os.path.dirname(distribution.location)}/easy-install.pth")
    return tuple(path for path in found if path not in known)


def unlisted_files(claim: Claim, condas: Iterable[str], prefix: str) -> tuple[str, ...]:
    """Give what lies in the folders of a distribution that has no list of its files.

    ``condas``: the files of the packages that come back in place of it. All paths are below the
    prefix; bytecode is left out, as it is made anew.
    """
    distribution = claim.distribution
    if not claim.unlisted and has_list(distribution):
        return ()
    location = distribution.location
    below = f"{location}/".removeprefix(f"{prefix}/")
    tops = {*top_levels(distribution), distribution.name.replace("-", "_")}
    inside = (path.removeprefix(below) for path in condas if path.startswith(below))
    tops |= {path.partition("/")[0] for path in inside}
    found: list[str] = []
    for top in sorted(top for top in tops if top and not top.endswith("-info")):
        for path in (f"{location}/{top}", f"{location}/{top}.py"):
            if os.path.lexists(path):
                found += all_in(path)[0]
    return tuple(
        dict.fromkeys(
            path.removeprefix(f"{prefix}/") for path in found if not path.endswith(".pyc")
        )
    )
