"""What would mend a diagnosis, by what there is to mend it with. Changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.repairing.means import Means
from safepip.decisions.repairing.plan import plan_repair
from safepip.decisions.repairing.sources import sought
from safepip.decisions.repairing.wants import chosen, lost_in, wants
from safepip.effects.obstacles import obstacles_to
from safepip.effects.offers import find_offers
from safepip.effects.packages import Place, differing_in, rows_of, unproven_in
from safepip.effects.records import site_packages_of
from safepip.effects.rewriting import RATTLER_LIKE
from safepip.effects.supplies import files_to_remove, find_supply, unlisted_files
from safepip.effects.unpacking import RATTLER
from safepip.values.repair import Reason, Supply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.repairing.wants import Wants
    from safepip.recipes.doctor import Diagnosis
    from safepip.values.environment import Environment
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Repair

_NOTHING: Mapping[str, str] = {}
_NO_REASONS: Mapping[str, Reason] = {}


def planned_repair(
    before: Diagnosis,
    names: Sequence[str] = (),
    *,
    failed: Mapping[str, Reason] = _NO_REASONS,
    folders: Mapping[str, str] = _NOTHING,
) -> Repair:
    """Give the repair of all damage, or of what has one of these names.

    ``failed``: what was tried in vain, and why (see `Means`). ``folders``: the packages that were
    fetched or unpacked for it, by NAME-VERSION-BUILD.
    """
    inspection = before.inspection
    findings = chosen(inspection, before.findings, names)
    place = place_of(inspection.environment)
    supplies: dict[str, Supply | Reason] = {}
    files, over = {}, {}
    for dist in lost_in(findings):
        supplies[dist] = find_supply(inspection, dist, (), place)
        if folder := _folder(supplies[dist], folders.get(dist, "")):
            files[dist] = tuple(rows_of(folder, place))
            over[dist] = differing_in(folder, place)
    wanted = wants(inspection, findings, files, over)
    for dist, paths in wanted.put_back.items():
        supplies[dist] = find_supply(inspection, dist, paths, place)
    for dist, folder in folders.items():
        supplies[dist] = _proven(inspection, dist, supplies[dist], wanted, place, folder)
    removals = _removals(inspection.environment, wanted)
    leaving = {path for paths in removals.values() for path in paths}
    back = [path for paths in (*wanted.put_back.values(), *files.values()) for path in paths]
    obstacles = obstacles_to(inspection.environment.prefix, back, leaving)
    unlisted = _unlisted(inspection, wanted, files)
    means = Means(supplies, removals, unlisted, obstacles, files, over, failed)
    return plan_repair(inspection, findings, wanted, means)


def with_offers(before: Diagnosis, names: Sequence[str], environ: Mapping[str, str]) -> Diagnosis:
    """Give a diagnosis that knows what channels have of lost packages that are nowhere here."""
    inspection = before.inspection
    place = place_of(inspection.environment)
    wanted = [
        sought(inspection, dist)
        for dist in lost_in(chosen(inspection, before.findings, names))
        if _is_to_be_asked_for(inspection, dist, place)
    ]
    offered = find_offers(wanted, environ, inspection.environment.prefix)
    return replace(before, inspection=replace(inspection, offered=offered))


def _is_to_be_asked_for(inspection: Inspection, dist: str, place: Place) -> bool:
    """Say whether nothing here has it; what an index says of it goes into its record."""
    found = find_supply(inspection, dist, (), place)
    is_here = isinstance(found, Supply) and found.kind == "folder"
    return inspection.tool == RATTLER and not is_here


def _removals(environment: Environment, wanted: Wants) -> Mapping[str, tuple[str, ...]]:
    """Give what is certainly theirs of those that are taken out.

    A RECORD may claim `bin` where that is a link: what conda has below it is not theirs.
    """
    found = {}
    for claim in wanted.take_out:
        paths = files_to_remove(claim, environment.interpreter)
        folders = environment.owned_folders
        theirs = (path for path in paths if environment.relative(path) not in folders)
        found[claim.distribution.metadata_path] = tuple(theirs)
    return found


def _unlisted(
    inspection: Inspection, wanted: Wants, files: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Give what lies in the folders of those that are taken out and have no list of their files."""
    environment = inspection.environment
    known = {**{r.dist: r.files for r in environment.records}, **files}
    found = {}
    for claim in wanted.take_out:
        place = claim.distribution.metadata_path
        dists = (*wanted.instead.get(place, ()), *wanted.sake.get(place, ()))
        condas = [path for dist in dists for path in known.get(dist, ())]
        found[place] = unlisted_files(claim, condas, environment.prefix)
    return found


def _folder(supply: Supply | Reason, unpacked: str) -> str:
    if unpacked:
        return unpacked
    return supply.place if isinstance(supply, Supply) and supply.kind == "folder" else ""


def _proven(  # noqa: PLR0917 - a package, and what is asked of it
    inspection: Inspection,
    dist: str,
    supply: Supply | Reason,
    wanted: Wants,
    place: Place,
    folder: str,
) -> Supply | Reason:
    """Give the supply with what the unpacked package proves to lack."""
    if isinstance(supply, Reason) or supply.kind == "folder":
        return supply
    details = inspection.details.get(dist)
    paths = [path for path in wanted.put_back.get(dist, ()) if not path.endswith(".pyc")]
    lacks = unproven_in(folder, place, paths, details.hashes if details is not None else {})
    return replace(supply, lacks=lacks)


def place_of(environment: Environment) -> Place:
    """Give what files are made for."""
    site_packages = site_packages_of(environment.records)
    site_packages = site_packages or environment.relative(environment.interpreter.purelib) or ""
    minor = next((r.version for r in environment.records if r.name == "python"), "")
    minor = ".".join(minor.split(".")[:2]) or environment.interpreter.minor
    by_rattler = environment.manager in RATTLER_LIKE
    return Place(environment.prefix, site_packages, f"bin/python{minor}", by_rattler)
