"""Where what is written of an environment does not hold: requirements, pins, traces. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.depends import allows
from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.judging.consistency import provider_of, standing
from safepip.decisions.judging.pins import parse_pin
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    extras_asked,
    is_met,
)
from safepip.values.damage import (
    Lacks,
    Leftover,
    PinBroken,
    StaleConstraints,
    Unfinished,
    UnreadableChange,
)
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.decisions.judging.pins import Pin
    from safepip.values.environment import Distribution, Environment
    from safepip.values.inspection import Inspection


_CONDA = "conda"
"""The installer of what conda brought, whose record is lost where nobody owns it."""


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
    present = _present(inspection)
    for name, distribution in here.items():
        for one in active_requirements(distribution.requires, markers, extras.get(name, ())):
            wanted = normalised(one.name)
            found = here.get(wanted) or everyone.get(wanted)
            if is_met(one, found.version if found else None):
                continue
            by_conda = _is_condas_own(distribution, found, is_gone=wanted in brought)
            provider = "" if found else provider_of(present, one.name)
            yield Lacks(
                severity="note" if by_conda or provider else "damage",
                distribution=name,
                version=distribution.version,
                requirement=as_text(one),
                found=found.version if found else None,
                provided_by=provider,
            )


def _present(inspection: Inspection) -> Environment:
    """Give the environment with those files in its records that are there."""
    environment, gone = inspection.environment, inspection.checked.missing
    if not gone:
        return environment
    records = tuple(
        replace(record, files=tuple(path for path in record.files if path not in gone))
        for record in environment.records
    )
    return replace(environment, records=records)


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
    build = record.build if record is not None and by_conda else None
    if allows(pin, version, build):
        return None
    return PinBroken(
        severity="note" if by_conda else "damage",
        distribution=pin.name,
        pin=pin.text,
        found=f"{version} {build}" if build and pin.build else version,
    )


def stale_constraints(inspection: Inspection) -> Iterator[StaleConstraints]:
    """Find the files of constraints that conda's changes have made wrong.

    To be asked only where every record is there: else it is not known what conda has here.
    """
    for file in inspection.stale:
        yield StaleConstraints(path=file.path, names=file.names)


def leftovers(inspection: Inspection) -> Iterator[Leftover | Unfinished | UnreadableChange]:
    """Find what an install or uninstall left that did not end; and metadata that is damaged."""
    environment = inspection.environment
    owned = {d.metadata_path for d in environment.distributions if d.record is not None}
    whole = {c.distribution.metadata_path for c in inspection.claims if c.has_files}
    for path in environment.leftovers:
        if path in owned or path in whole:
            continue  # what conda's package has lost is told of that
        name = path.rpartition("/")[2]
        reason = "moved aside and never put back" if name.startswith("~") else "no METADATA"
        yield Leftover(path=path, reason=reason)
    for claim in inspection.claims:
        distribution = claim.distribution
        path = distribution.metadata_path
        if path in environment.leftovers and path not in whole:
            continue
        reason = distribution.broken
        if not reason and claim.unlisted and claim.source.installer != _CONDA:
            reason = f"{claim.unlisted}, so that pip cannot uninstall it"
        if reason:
            yield Leftover(
                distribution=distribution.name,
                path=path,
                reason=reason,
                version=distribution.version,
            )
    if inspection.unfinished:
        yield Unfinished(change=inspection.unfinished)
    for change, path, why in inspection.unreadable_changes:
        yield UnreadableChange(change=change, path=path, reason=why)
