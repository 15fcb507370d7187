"""Conda packages whose record is gone or cannot be read, and what still tells of them. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.depends import depends_unmet, named, suits
from safepip.decisions.diagnosing.origin import origin_of
from safepip.values.damage import DependsUnmet, LostRecord, Source
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.values.damage import Evidence, UnreadableBook
    from safepip.values.environment import Environment, Record
    from safepip.values.inspection import Cached, Claim, Inspection

    Need = tuple[Record, str]
    """A record, and a specification of what it depends on."""

_VIRTUAL = "__"
"""How the names begin of what is no package: the system, its C library, its processor."""
_DIST = re.compile(r"(?P<name>[^/\s]+)-[^-/\s]+-[^-/\s]+")
_END = ".json"


def without_record(
    environment: Environment, linked: Sequence[str], unreadable: Sequence[UnreadableBook]
) -> tuple[str, ...]:
    """Give the names of conda packages that should be there and have no record.

    By conda's history (``linked``), or because a record depends on them. Not those whose record is
    there and cannot be read.
    """
    unknown = {name_of(dist_of(book)) for book in unreadable}
    known = {record.name.lower() for record in environment.records}
    told = map(name_of, linked)
    needed = (named(spec) for record in environment.records for spec in record.depends)
    names = dict.fromkeys((*told, *needed))
    return tuple(
        name
        for name in names
        if name and name not in known | unknown and not name.startswith(_VIRTUAL)
    )


def dist_of(book: UnreadableBook) -> str:
    """Give NAME-VERSION-BUILD of a record by the name of its file; empty where it has none."""
    stem = book.record.removesuffix(_END)
    is_record = book.record.endswith(_END) and _DIST.fullmatch(stem)
    return stem if is_record else ""


def name_of(dist: str) -> str:
    """Give the name in NAME-VERSION-BUILD, in small letters."""
    found = _DIST.fullmatch(dist)
    return found["name"].lower() if found is not None else ""


def unreadable_books(inspection: Inspection) -> Iterator[UnreadableBook]:
    """Find the records that cannot be read, with what their file names tell."""
    for book in inspection.unreadable:
        dist = dist_of(book)
        several = _several([one for one in inspection.cached if one.dist == dist])
        yield replace(book, conda_package=dist, candidates=several)


def lost_records(inspection: Inspection) -> Iterator[LostRecord | DependsUnmet]:
    """Find the conda packages whose record is gone, and those that were never there.

    `conda list` and its like delete the record of what pip replaced.
    """
    environment = inspection.environment
    told = {name_of(dist): dist for dist in inspection.linked}
    here = {claim.distribution.name: claim for claim in inspection.claims}
    for name in without_record(environment, inspection.linked, inspection.unreadable):
        needs = environment.dependents(name)
        claim = here.get(normalised(name))
        fitting = _fitting(inspection.cached, told.get(name, ""), name, needs)
        # Where there is a history, what it never had was never there, whatever a cache holds.
        was_there = name in told or (bool(fitting) and not told)
        if claim is None and not was_there:
            for record, spec in needs:
                yield depends_unmet(record, spec, None, "none")
        else:
            yield _lost(inspection, told.get(name, ""), name, needs, claim, fitting)
            version = claim.distribution.version if claim is not None else ""
            for record, spec in needs:
                if version and not suits(spec, version):
                    yield depends_unmet(record, spec, f"{name} {version}", "pip")


def _lost(  # noqa: PLR0917 - the witnesses, one each
    inspection: Inspection,
    dist: str,
    name: str,
    needs: Sequence[Need],
    claim: Claim | None,
    fitting: Sequence[Cached],
) -> LostRecord:
    evidence: list[Evidence] = ["history"] if dist else []
    evidence += ["depends"] if needs else []
    evidence += ["cache"] if fitting else []
    is_missed = bool(needs) or claim is not None
    several = _several(fitting)
    found = fitting[0].dist if fitting and not several else name
    return LostRecord(
        severity="damage" if is_missed else "note",
        distribution=claim.distribution.name if claim is not None else "",
        conda_package=dist or found,
        evidence=tuple(evidence),
        needed_by=tuple(f"{record.name} {record.version} ({spec})" for record, spec in needs),
        there=claim.distribution.version if claim is not None else "",
        source=origin_of(claim, inspection).source if claim is not None else Source(),
        candidates=several,
    )


def _fitting(cached: Sequence[Cached], dist: str, name: str, needs: Sequence[Need]) -> list[Cached]:
    """Give the unpacked packages that it may have been: what history names, or what suits all."""
    return [
        one
        for one in cached
        if normalised(one.name) == normalised(name)
        if (one.dist == dist if dist else True)
        if all(suits(spec, one.version, one.build) for _, spec in needs)
    ]


def _several(cached: Sequence[Cached]) -> tuple[str, ...]:
    """Give what tells unpacked packages from each other, where they are not the same one.

    Of one name and build there may be several, of different channels; an archive's hash says so.
    """
    dists = dict.fromkeys(one.dist for one in cached)
    if len(dists) > 1:
        return tuple(dists)
    hashes = {one.sha256 for one in cached if one.sha256}
    return tuple(one.folder for one in cached) if len(hashes) > 1 else ()
