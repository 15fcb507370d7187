"""Where what is written of an environment does not hold: records, requirements, pins. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.diagnosing.origin import origin_of
from safepip.decisions.judging.consistency import provider_of, standing
from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    extras_asked,
    is_met,
)
from safepip.values.damage import (
    DependsUnmet,
    Lacks,
    Leftover,
    LostRecord,
    PinBroken,
    Source,
    Unfinished,
)
from safepip.values.environment import spec_name
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.decisions.judging.pins import Pin
    from safepip.values.damage import Evidence, UnreadableBook
    from safepip.values.environment import Distribution, Environment, Record
    from safepip.values.inspection import Cached, Claim, Inspection

    Need = tuple[Record, str]
    """A record, and a specification of what it depends on."""

_VIRTUAL = "__"
"""How the names begin of what is no package: the system, its C library, its processor."""


# ------------------------------------------------------------------------------- records


def without_record(
    environment: Environment, linked: Sequence[str], unreadable: Sequence[UnreadableBook]
) -> tuple[str, ...]:
    """Give the names of conda packages that should be there and have no record.

    By conda's history (``linked``), or because a record depends on them.
    """
    unknown = tuple(book.record.lower() for book in unreadable)
    known = {record.name.lower() for record in environment.records}
    told = [dist.rsplit("-", 2)[0].lower() for dist in linked]
    needed = [_name(spec) for record in environment.records for spec in record.depends]
    names = dict.fromkeys((*told, *needed))
    return tuple(
        name
        for name in names
        if name and name not in known and not name.startswith(_VIRTUAL)
        if not any(book.startswith(f"{name}-") for book in unknown)
    )


def lost_records(inspection: Inspection) -> Iterator[LostRecord | DependsUnmet]:
    """Find the conda packages whose record is gone, and those that were never there.

    `conda list` and its like delete the record of what pip replaced.
    """
    environment = inspection.environment
    told = {dist.rsplit("-", 2)[0].lower(): dist for dist in inspection.linked}
    here = {claim.distribution.name: claim for claim in inspection.claims}
    for name in without_record(environment, inspection.linked, inspection.unreadable):
        needs = environment.dependents(name)
        claim = here.get(normalised(name))
        found = _found_in_cache(inspection.cached, name, needs)
        if name not in told and claim is None and found is None:
            for record, spec in needs:
                yield _depends(record, spec, None, "none")
        else:
            yield _lost(inspection, told.get(name, ""), name, needs, claim, found)
            version = claim.distribution.version if claim is not None else ""
            for record, spec in needs:
                if version and not _suits(spec, version):
                    yield _depends(record, spec, f"{name} {version}", "pip")


def _lost(  # noqa: PLR0917 - the witnesses, one each
    inspection: Inspection,
    dist: str,
    name: str,
    needs: Sequence[Need],
    claim: Claim | None,
    cached: Cached | None,
) -> LostRecord:
    evidence: list[Evidence] = ["history"] if dist else []
    evidence += ["depends"] if needs else []
    evidence += ["cache"] if cached is not None else []
    is_missed = bool(needs) or claim is not None
    return LostRecord(
        severity="damage" if is_missed else "note",
        distribution=claim.distribution.name if claim is not None else "",
        conda_package=dist or (cached.dist if cached is not None else name),
        evidence=tuple(evidence),
        needed_by=tuple(f"{record.name} {record.version} ({spec})" for record, spec in needs),
        there=claim.distribution.version if claim is not None else "",
        source=origin_of(claim, inspection.entries).source if claim is not None else Source(),
    )


def _found_in_cache(cached: Sequence[Cached], name: str, needs: Sequence[Need]) -> Cached | None:
    """Give the one unpacked package of a name that suits those that need it; None for several."""
    fitting = [
        one
        for one in cached
        if normalised(one.name) == normalised(name)
        and all(_suits(spec, one.version) for _, spec in needs)
    ]
    return fitting[0] if len(fitting) == 1 else None


# ------------------------------------------------------------------------------- requirements


def unmet_depends(inspection: Inspection, there: Mapping[str, str]) -> Iterator[DependsUnmet]:
    """Find conda packages that do not have what they depend on.

    ``there``: the version that lies in place of a package's own, by NAME-VERSION-BUILD. What was
    built against one version may load with another and give wrong results; `pip check` knows
    nothing of that, and conda goes by its records.
    """
    environment = inspection.environment
    known = {record.name.lower(): record for record in environment.records}
    for record in environment.records:
        for spec in record.depends:
            needed = known.get(_name(spec))
            if needed is None:
                continue
            version = there.get(needed.dist, needed.version)
            owner = "pip" if needed.dist in there else "conda"
            if not _suits(spec, version):
                yield _depends(record, spec, f"{needed.name} {version}", owner)


def _depends(record: Record, spec: str, found: str | None, owner: str) -> DependsUnmet:
    return DependsUnmet(
        conda_package=record.dist,
        depends=spec,
        found=found,
        owner="pip" if owner == "pip" else "conda" if owner == "conda" else "none",
    )


def _suits(spec: str, version: str) -> bool:
    """Say whether a version may be what a specification means; what cannot be told may be."""
    pin = parse_pin(spec)
    return pin is None or accepts(pin.versions, version) is not False


def _name(spec: str) -> str:
    """Give the package that a specification is about; empty where it cannot be read."""
    return spec_name(spec) if parse_pin(spec) is not None else ""


def lacking(inspection: Inspection) -> Iterator[Lacks]:
    """Find distributions that do not have what their metadata requires.

    A note where all of it is conda's own: its recipes leave out what the metadata names, and its
    solver was content. And where a package of conda's has the module all the same.
    """
    environment = inspection.environment
    here = standing(d for d in environment.distributions if not d.outside)
    requires = {name: distribution.requires for name, distribution in here.items()}
    markers = environment.interpreter.markers
    extras = extras_asked(requires, markers)
    everyone = standing(environment.distributions)
    brought = _brought(environment)
    for name, distribution in here.items():
        for one in active_requirements(distribution.requires, markers, extras.get(name, ())):
            wanted = normalised(one.name)
            found = here.get(wanted) or everyone.get(wanted)
            if is_met(one, found.version if found else None):
                continue
            by_conda = _is_condas_own(distribution, found, is_gone=wanted in brought)
            provider = "" if found else provider_of(environment, one.name)
            yield Lacks(
                severity="note" if by_conda or provider else "damage",
                distribution=name,
                version=distribution.version,
                requirement=as_text(one),
                found=found.version if found else None,
                provided_by=provider,
            )


def _brought(environment: Environment) -> frozenset[str]:
    """Give the names of all distributions that conda's packages brought, there or not."""
    return frozenset(
        name for record in environment.records for name in shipped_in(environment, record.files)
    )


def _is_condas_own(
    distribution: Distribution, found: Distribution | None, *, is_gone: bool
) -> bool:
    if distribution.record is None:
        return False
    return found.record is not None if found is not None else not is_gone


# ------------------------------------------------------------------------------- pins, leftovers


def broken_pins(inspection: Inspection, there: Mapping[str, str]) -> Iterator[PinBroken]:
    """Find what is not as `conda-meta/pinned` wants it; a note where conda itself put it there."""
    environment = inspection.environment
    for text in environment.pins:
        pin = parse_pin(text)
        if pin is not None and (finding := _broken(environment, pin, there)) is not None:
            yield finding


def _broken(environment: Environment, pin: Pin, there: Mapping[str, str]) -> PinBroken | None:
    record = environment.record_named(pin.name)
    found = standing(environment.distributions).get(pin.name)
    if record is not None:
        version, by_conda = there.get(record.dist, record.version), record.dist not in there
    elif found is not None and not found.outside:
        version, by_conda = found.version, False
    else:
        return None
    if accepts(pin.versions, version) is not False:
        return None
    return PinBroken(
        severity="note" if by_conda else "damage",
        distribution=pin.name,
        pin=pin.text,
        found=version,
    )


def leftovers(inspection: Inspection) -> Iterator[Leftover | Unfinished]:
    """Find what an install or uninstall left that did not end."""
    environment = inspection.environment
    owned = {d.metadata_path for d in environment.distributions if d.record is not None}
    for path in environment.leftovers:
        if path in owned:
            continue  # what conda's package has lost is told of that
        name = path.rpartition("/")[2]
        reason = "moved aside and never put back" if name.startswith("~") else "no METADATA"
        yield Leftover(path=path, reason=reason)
    for claim in inspection.claims:
        distribution = claim.distribution
        path = distribution.metadata_path
        if path in environment.leftovers:
            continue
        if distribution.broken:
            yield Leftover(distribution=distribution.name, path=path, reason=distribution.broken)
        elif not distribution.has_record and path.endswith(".dist-info"):
            reason = "no RECORD, so that pip cannot uninstall it"
            yield Leftover(distribution=distribution.name, path=path, reason=reason)
    if inspection.unfinished:
        yield Unfinished(change=inspection.unfinished)
