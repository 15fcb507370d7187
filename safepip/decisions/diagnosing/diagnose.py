"""Diagnose an environment: everything that a person should know of it, the damage first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.around import hidden_modules, hiding, leading_out, twice
from safepip.decisions.diagnosing.books import (
    broken_pins,
    lacking,
    leftovers,
    stale_constraints,
)
from safepip.decisions.diagnosing.depends import unmet_depends
from safepip.decisions.diagnosing.files import damaged_files, replaced_versions, two_of_pips
from safepip.decisions.diagnosing.lost import lost_records, unreadable_books
from safepip.decisions.judging.circumstances import frozen
from safepip.values.damage import NoPython
from safepip.values.findings import Base, Frozen, Pixi
from safepip.values.plan import Plan
from safepip.values.request import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection

_ORDER = (
    *("no-python", "unfinished", "unreadable-change", "unreadable-record"),
    *("replaced", "two-copies", "overwritten", "missing", "altered", "lost-record"),
    *(
        "second-copy",
        "depends",
        "unmet",
        "pinned",
        "leftover",
        "shadows",
        "wrong-python",
        "wrong-kernel",
        "wrong-path",
        "stale-constraints",
    ),
)
"""The order in which kinds are told; others follow."""


def diagnose(inspection: Inspection) -> tuple[Finding, ...]:
    """Give all findings on an environment, damage before notes."""
    found = list(_found(inspection))
    place = {kind: at for at, kind in enumerate(_ORDER)}
    found.sort(key=lambda f: (f.severity != "damage", place.get(f.kind, len(place))))
    return tuple(found)


def _found(inspection: Inspection) -> Iterator[Finding]:
    if inspection.no_python:
        yield NoPython(reason=inspection.no_python)
    yield from unreadable_books(inspection)
    files = [*damaged_files(inspection), *two_of_pips(inspection)]
    there = replaced_versions(files)
    yield from files
    lost = tuple(lost_records(inspection))
    yield from lost
    yield from unmet_depends(inspection, there)
    if not inspection.no_python:
        yield from lacking(inspection)
    yield from broken_pins(inspection, there)
    yield from leftovers(inspection)
    if not (inspection.no_python or inspection.unreadable or lost):
        yield from stale_constraints(inspection)
    yield from twice(inspection, {finding.distribution for finding in files})
    yield from hiding(inspection)
    yield from hidden_modules(inspection)
    yield from leading_out(inspection)
    yield from _circumstances(inspection)


def _circumstances(inspection: Inspection) -> Iterator[Frozen | Pixi | Base]:
    """Find what makes the environment a bad place for changes; nothing of that is damage."""
    environment = inspection.environment
    for seal in frozen(environment, Plan(()), Policy(), break_system_packages=False):
        yield Frozen(severity="note", marker=seal.marker, path=seal.path, message=seal.message)
    if environment.is_pixi:
        yield Pixi()
    if environment.is_base:
        yield Base()
