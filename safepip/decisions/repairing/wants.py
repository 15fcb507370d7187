"""What would have to be put back and taken out to mend a finding, be it possible or not. Pure.

What another distribution brought is taken out where its modules lie on conda's; where it only has
a command or a file of conda's, it keeps the rest.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.judging.modules import inside_site, is_stray
from safepip.decisions.repairing.redirecting import redirected, redirects
from safepip.values.damage import (
    Altered,
    Leftover,
    LostRecord,
    Missing,
    Overwritten,
    Replaced,
    TwoCopies,
    UnreadableBook,
    WrongInterpreter,
)
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safepip.values.environment import Environment, Record
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection

Mendable = Replaced | TwoCopies | Overwritten | Missing | Altered
_DASHES = len(("NAME", "VERSION", "BUILD")) - 1


@dataclass(frozen=True)
class Wants:
    """What the findings ask for, each thing once."""

    put_back: Mapping[str, tuple[str, ...]]
    """Paths below the prefix, by NAME-VERSION-BUILD of the record."""
    take_out: tuple[Claim, ...]
    disown: Mapping[str, tuple[str, ...]]
    """Paths below the prefix that a distribution is to give up, by its metadata folder."""
    lost: tuple[str, ...]
    """The packages whose record is to be written anew (NAME-VERSION-BUILD)."""
    clear: tuple[str, ...]
    """Absolute."""
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of ``lost`` that come in place of a distribution, by its metadata folder."""
    sake: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The other packages for which a distribution goes, likewise."""


def chosen(
    inspection: Inspection, findings: Iterable[Finding], names: Sequence[str]
) -> tuple[Finding, ...]:
    """Give the findings that are to be mended: all damage, or what has one of these names."""
    if not names:
        return tuple(f for f in findings if f.severity == "damage")
    wanted = frozenset(map(normalised, names))
    return tuple(f for f in findings if wanted & names_of(inspection.environment, f))


def known_names(inspection: Inspection, findings: Iterable[Finding]) -> frozenset[str]:
    """Give every normalised name by which a user may mean something here."""
    environment = inspection.environment
    found = {normalised(d.name) for d in environment.distributions}
    for record in environment.records:
        found |= {normalised(record.name), normalised(record.dist)}
    return frozenset(found).union(*(names_of(environment, f) for f in findings))


def names_of(environment: Environment, finding: Finding) -> frozenset[str]:
    """Give the normalised names by which a user may mean a finding."""
    dist = str(getattr(finding, "conda_package", ""))
    record = next((r for r in environment.records if r.dist == dist), None)
    name = record.name if record is not None else dist.rsplit("-", 2)[0]
    path = str(getattr(finding, "path", "")).rpartition("/")[2]
    known = (finding.distribution, name, dist, path, finding.kind)
    return frozenset(normalised(one) for one in known if one)


def lost_in(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Give the packages whose record can be written anew, if their files are to be had.

    Not where only a name is known, or where it may have been one of several packages.
    """
    return tuple(
        finding.conda_package
        for finding in findings
        if isinstance(finding, LostRecord | UnreadableBook)
        if finding.conda_package.count("-") >= _DASHES and not finding.candidates
        if not is_known_by_name(finding)
    )


def is_known_by_name(finding: Finding) -> bool:
    """Say whether a package has no record, and nothing tells more of it than its name."""
    is_told = isinstance(finding, LostRecord) and {"history", "cache"}.intersection(
        finding.evidence
    )
    return isinstance(finding, LostRecord) and not is_told


def wants(
    inspection: Inspection,
    findings: Iterable[Finding],
    files: Mapping[str, tuple[str, ...]],
    over: Mapping[str, tuple[str, ...]] | None = None,
) -> Wants:
    """Give what mending these findings takes.

    ``files``: what the packages have whose record is gone, below the prefix, where that is known;
    ``over``: those of them that are there with other bytes.
    """
    findings = tuple(findings)
    put_back: dict[str, dict[str, None]] = {}
    take_out: dict[str, Claim] = {}
    disown: dict[str, dict[str, None]] = {}
    clear = []
    sake: dict[str, tuple[str, ...]] = {}
    records = {record.dist: record for record in inspection.environment.records}
    steps = redirects(inspection, findings)
    for finding in findings:
        match finding:
            case Replaced() | TwoCopies() | Overwritten() | Missing() | Altered():
                if finding.conda_package:
                    back = put_back.setdefault(finding.conda_package, {})
                    back.update(dict.fromkeys(_paths(finding)))
                    own = records[finding.conda_package].files
                    for claim in _culprits(inspection, finding):
                        place = claim.distribution.metadata_path
                        if keeps_the_rest(inspection, finding):
                            disown.setdefault(place, {}).update(dict.fromkeys(_paths(finding)))
                            continue
                        take_out[place] = claim
                        sake[place] = (*sake.get(place, ()), finding.conda_package)
                        # Also what it wrote with equal bytes: its time is in the bytecode.
                        back.update((p, None) for p in own if p in claim.paths)
            case WrongInterpreter() if finding.conda_package and not redirected(finding, steps):
                back = put_back.setdefault(finding.conda_package, {})
                back.update(dict.fromkeys(finding.paths))
            case Leftover() if is_trace(inspection, finding, files):
                clear.append(finding.path)
    instead = _in_place_of_lost(inspection, findings, files)
    named = {claim.distribution.metadata_path: claim for claim in inspection.claims}
    take_out |= {place: claim for place, claim in named.items() if place in instead}
    for place, dist, taken in _on_lost(inspection, over or {}, instead):
        if place in take_out or _overlaps(inspection, taken):
            take_out[place] = named[place]
            sake[place] = (*sake.get(place, ()), dist)
        else:
            disown.setdefault(place, {}).update(dict.fromkeys(taken))
    return Wants(
        {dist: _with_bytecode(records[dist], paths) for dist, paths in put_back.items()},
        tuple(take_out.values()),
        {place: tuple(paths) for place, paths in disown.items() if place not in take_out},
        lost_in(findings),
        tuple(clear),
        instead,
        sake,
    )


def _on_lost(
    inspection: Inspection,
    over: Mapping[str, tuple[str, ...]],
    instead: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[str, str, list[str]]]:
    """Give who wrote over what of which package without a record, besides what goes for it."""
    for claim in inspection.claims:
        place = claim.distribution.metadata_path
        for dist, differing in over.items():
            taken = [path for path in differing if path in claim.paths]
            if taken and dist not in instead.get(place, ()):
                yield place, dist, taken


def keeps_the_rest(inspection: Inspection, finding: Mendable) -> bool:
    """Say whether a finding is about a distribution that need not go for it."""
    return isinstance(finding, Overwritten) and not _overlaps(inspection, finding.paths)


def _in_place_of_lost(
    inspection: Inspection, findings: Iterable[Finding], files: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Give the packages without a record that a distribution lies in place of; by its metadata.

    By the names that they are known to have, as nobody owns anything of theirs.
    """
    instead: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        for dist in lost_in([finding]):
            names = {*shipped_in(inspection.environment, files.get(dist, ()))}
            names |= {finding.distribution} - {""}
            for claim in inspection.claims:
                if claim.distribution.name in names:
                    place = claim.distribution.metadata_path
                    instead[place] = (*instead.get(place, ()), dist)
    return instead


def is_trace(
    inspection: Inspection, finding: Leftover, files: Mapping[str, tuple[str, ...]]
) -> bool:
    """Say whether a path is certainly nobody's, and only in the way.

    ``files``: what packages without a record have, which come back into such a folder. What lacks
    METADATA may be conda's where a record cannot be read. What pip moved aside is a
    trace once the same stands there again; before, it may be the only copy.
    """
    if finding.distribution or finding.path not in inspection.environment.leftovers:
        return False
    below = f"{inspection.environment.relative(finding.path)}/"
    if any(path.startswith(below) for paths in files.values() for path in paths):
        return False
    if is_aside(finding):
        owned = (path for record in inspection.environment.records for path in record.files)
        is_again = finding.path in inspection.standing_again
        return is_again and not any(f"{path}/".startswith(below) for path in owned)
    return not any(book.record.endswith(".json") for book in inspection.unreadable)


def is_aside(finding: Leftover) -> bool:
    """Say whether a path is something that pip moved aside."""
    return finding.path.rpartition("/")[2].startswith("~")


def _paths(finding: Mendable) -> tuple[str, ...]:
    if isinstance(finding, Replaced | TwoCopies):
        return (*finding.altered, *finding.missing)
    return finding.paths


def _culprits(inspection: Inspection, finding: Finding) -> list[Claim]:
    """Give the distributions that a finding is about, but for conda's own."""
    version = getattr(finding, "there", None) or getattr(finding, "version", None)
    return [
        claim
        for claim in inspection.claims
        if claim.distribution.name == finding.distribution
        if isinstance(finding, TwoCopies) or claim.distribution.version == version
        if isinstance(finding, Replaced | TwoCopies | Overwritten)
    ]


def _overlaps(inspection: Inspection, paths: Iterable[str]) -> bool:
    """Say whether modules of both lie on each other, so that neither is whole."""
    environment = inspection.environment
    for path in paths:
        inside = inside_site(environment, f"{environment.prefix}/{path}")
        if inside is not None and not is_stray(inside):
            return True
    return False


def _with_bytecode(record: Record, paths: Iterable[str]) -> tuple[str, ...]:
    """Give the paths, and those of the bytecode that the record has of them."""
    found = dict.fromkeys(paths)
    for path in record.files:
        if source_of(path) in found:
            found[path] = None
    return tuple(found)


def source_of(path: str) -> str:
    """Give the module that bytecode was made of (PEP 3147); empty for any other file."""
    folder, cache, name = path.rpartition("/__pycache__/")
    return f"{folder}/{name.partition('.')[0]}.py" if cache else ""
