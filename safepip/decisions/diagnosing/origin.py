"""How a distribution came to be where it is, as far as safepip's journal tells. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.undoing.inverse import standing_changes
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection

    from safepip.values.damage import Source
    from safepip.values.inspection import Claim, Inspection
    from safepip.values.journal import Entry


class Origin(NamedTuple):
    """Where a distribution came from, and whether it took something of conda's on purpose."""

    source: Source
    was_allowed: bool


def origin_of(claim: Claim, inspection: Inspection, condas: Collection[str] = ()) -> Origin:
    """Give the origin of a distribution: safepip's last change that stands and brought it.

    It was allowed where `--allow` named it, or the package that it lies on by one of its names
    (``condas``, normalised): then, or before an undo brought it back.
    """
    known = claim.distribution
    entries, prefix = inspection.entries, inspection.environment.prefix
    names = {known.name, *condas}
    repairs = {entry.id for entry in entries if entry.verb == "doctor"}
    for entry in reversed(standing_changes(entries)):
        if entry.id in repairs or entry.undoes in repairs:
            continue  # what comes back when a repair is undone is whoever's it was before
        for step in entry.steps:
            if (step.name, step.after) == (known.name, known.version):
                if not _is_still_that(claim, entry, prefix):
                    return Origin(claim.source, was_allowed=False)
                asked = entries if entry.undoes else (entry,)
                allowed = any(names & _allowed(one) for one in asked)
                return Origin(replace(claim.source, change=entry.id), was_allowed=allowed)
    return Origin(claim.source, was_allowed=False)


def _is_still_that(claim: Claim, entry: Entry, prefix: str) -> bool:
    """Say whether its RECORD is the one that a change left; a pruned one does not tell."""
    path = f"{claim.distribution.metadata_path}/RECORD"
    touched = entry.touched.get(path.removeprefix(f"{prefix}/"))
    return touched is None or touched.after in (None, claim.record_state)


def _allowed(entry: Entry) -> frozenset[str]:
    """Give the normalised names that a command allowed pip to take over."""
    found: list[str] = []
    for option, value in zip(entry.arguments, (*entry.arguments[1:], ""), strict=True):
        if option == "--allow":
            found += value.split(",")
        elif option.startswith("--allow="):
            found += option.partition("=")[2].split(",")
    return frozenset(normalised(name) for name in found if name)
