"""What became of the files that conda's packages brought, and whose doing it is. Pure.

A distribution is named only where its own RECORD claims the path.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import Shipped, shipped_in
from safepip.decisions.diagnosing.origin import origin_of
from safepip.values.damage import (
    Altered,
    Missing,
    Overwritten,
    Replaced,
    SharedFiles,
    TwoCopies,
    Unchecked,
)
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.environment import Record
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection

    Paths = frozenset[str]


def damaged_files(inspection: Inspection) -> Iterator[Finding]:
    """Find what is wrong with the files of each conda package."""
    view = _View(inspection)
    for record in inspection.environment.records:
        yield from _of_record(view, record)
    if inspection.checked.unread:
        yield Unchecked(paths=tuple(sorted(inspection.checked.unread)))


@dataclass(frozen=True)
class _View:
    """An inspection, arranged by path."""

    inspection: Inspection

    @cached_property
    def altered(self) -> Paths:
        return frozenset(self.inspection.checked.altered)

    @cached_property
    def hurt(self) -> Paths:
        """Every path of conda's at which something is wrong or in doubt."""
        claims = self.inspection.claims
        claimed = frozenset(path for claim in claims for path in claim.paths | claim.scripts)
        return self.altered | self.inspection.checked.missing | claimed


@dataclass(frozen=True)
class _Case:
    """One record with something wrong; paths are those of its files."""

    view: _View
    record: Record
    files: Paths
    """Without bytecode."""
    altered: Paths
    missing: Paths
    unproven: Paths
    """There, and nobody knows what they should hold."""
    shipped: Mapping[str, Shipped]
    claims: tuple[Claim, ...]
    """Those that claim one of the files, or a distribution that the record brought."""

    @property
    def names(self) -> tuple[str, ...]:
        """The normalised names by which a user may mean the package."""
        return (*self.shipped, normalised(self.record.name))

    @property
    def rivals(self) -> tuple[Claim, ...]:
        """The claims of distributions that have the name of one of the record's own."""
        return tuple(c for c in self.claims if c.distribution.name in self.shipped)

    def taken(self, claim: Claim) -> Paths:
        """Give the files that this distribution wrote over, by its own word."""
        return (self.altered | self.unproven) & claim.paths


def _of_record(view: _View, record: Record) -> Iterator[Finding]:
    case = _case(view, record)
    if case is None:
        return
    altered, missing = case.altered, case.missing
    for rival in case.rivals:
        finding = _rivalry(case, rival)
        yield finding
        altered -= case.taken(rival)
        missing -= frozenset(finding.missing)
    for claim in case.claims:
        if claim not in case.rivals:
            yield from _other_name(case, claim)
            altered -= case.taken(claim)
    if altered:
        yield Altered(conda_package=record.dist, paths=tuple(sorted(altered)))
    if missing:
        gone = [one for one in case.shipped.values() if one.path in missing]
        yield Missing(
            distribution=gone[0].name if gone else "",
            conda_package=record.dist,
            paths=tuple(sorted(missing)),
            files=len(case.files),
            uninstalled=bool(gone),
        )


def _case(view: _View, record: Record) -> _Case | None:
    """Give what there is to say of a record; None where all is well."""
    checked = view.inspection.checked
    files = frozenset(path for path in record.files if not path.endswith(".pyc"))
    hurt = files & view.hurt
    if not hurt:
        return None
    shipped = shipped_in(view.inspection.environment, record.files)
    claims = tuple(
        claim
        for claim in view.inspection.claims
        if (claim.paths | claim.scripts) & hurt or claim.distribution.name in shipped
    )
    missing = files & checked.missing
    return _Case(
        view,
        record,
        files=files,
        altered=files & view.altered,
        missing=missing,
        unproven=files & checked.unproven - missing,
        shipped=shipped,
        claims=claims,
    )


def _rivalry(case: _Case, rival: Claim) -> Replaced | TwoCopies:
    """Give what two distributions of one name have done to each other.

    Where conda's metadata is whole beside the other's, conda wrote last, or pip ignored it.
    """
    own = case.shipped[rival.distribution.name]
    if rival.distribution.record is None and own.path not in case.altered | case.missing:
        return _two_copies(case, rival, own)
    inspection = case.view.inspection
    origin = origin_of(rival, inspection, case.names)
    foreign = rival.paths - frozenset(inspection.environment.owners_of(rival.paths))
    return Replaced(
        severity="note" if origin.was_allowed else "damage",
        distribution=rival.distribution.name,
        conda_package=case.record.dist,
        version=own.version,
        there=rival.distribution.version,
        source=origin.source,
        altered=tuple(sorted(case.taken(rival))),
        missing=tuple(sorted(case.missing)),
        files=len(case.files),
        foreign=len(foreign),
        allowed=origin.was_allowed,
    )


def _two_copies(case: _Case, rival: Claim, own: Shipped) -> TwoCopies:
    inspection = case.view.inspection
    here = inspection.environment
    versions = [
        one.version
        for one in here.distributions
        if one.name == own.name and one.location == rival.distribution.location
    ]
    strays = rival.paths - frozenset(here.owners_of(rival.paths))
    return TwoCopies(
        distribution=own.name,
        location=rival.distribution.location,
        versions=tuple(versions),
        conda_package=case.record.dist,
        source=origin_of(rival, inspection).source,
        altered=tuple(sorted(case.altered & rival.paths)),
        missing=tuple(sorted(case.missing)),
        strays=tuple(sorted(strays)),
    )


def _other_name(case: _Case, claim: Claim) -> Iterator[Finding]:
    """Find what a distribution of another name does to the record's files."""
    inspection = case.view.inspection
    version = claim.distribution.version
    if taken := case.taken(claim):
        origin = origin_of(claim, inspection, case.names)
        yield Overwritten(
            severity="note" if origin.was_allowed else "damage",
            distribution=claim.distribution.name,
            version=version,
            conda_package=case.record.dist,
            source=origin.source,
            paths=tuple(sorted(taken)),
        )
    shared = claim.paths & case.files - case.altered - case.missing - case.unproven
    shared |= claim.scripts & case.files - case.missing
    if shared and not taken:
        yield SharedFiles(
            distribution=claim.distribution.name,
            version=version,
            conda_package=case.record.dist,
            paths=tuple(sorted(shared)),
        )


def two_of_pips(inspection: Inspection) -> Iterator[TwoCopies]:
    """Find names of which two distributions lie in one folder, none of them conda's."""
    ours = [claim for claim in inspection.claims if claim.distribution.record is None]
    number = Counter(_place(claim) for claim in ours)
    for place in [place for place, many in number.items() if many > 1]:
        claims = [claim for claim in ours if _place(claim) == place]
        yield TwoCopies(
            distribution=place[1],
            location=place[0],
            versions=tuple(claim.distribution.version for claim in claims),
            source=origin_of(claims[0], inspection).source,
            altered=(),
            missing=(),
            strays=(),
        )


def _place(claim: Claim) -> tuple[str, str]:
    return claim.distribution.location, claim.distribution.name


def replaced_versions(findings: Iterable[Finding]) -> Mapping[str, str]:
    """Give the version that is really there for each conda package (NAME-VERSION-BUILD)."""
    return {f.conda_package: f.there for f in findings if isinstance(f, Replaced)}
