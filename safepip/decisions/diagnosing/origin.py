"""How a distribution came to be where it is, as far as safepip's journal tells. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.undoing.inverse import standing_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.damage import Source
    from safepip.values.inspection import Claim
    from safepip.values.journal import Entry


class Origin(NamedTuple):
    """Where a distribution came from, and whether it took something of conda's on purpose."""

    source: Source
    was_allowed: bool


def origin_of(claim: Claim, entries: Sequence[Entry]) -> Origin:
    """Give the origin of a distribution: safepip's last change that stands and brought it.

    What safepip brought lies on files of conda's only where `--allow` gave them away.
    """
    known = claim.distribution
    repairs = {entry.id for entry in entries if entry.verb == "doctor"}
    for entry in reversed(standing_changes(entries)):
        if entry.id in repairs or entry.undoes in repairs:
            continue  # what comes back when a repair is undone is whoever's it was before
        for step in entry.steps:
            if (step.name, step.after) == (known.name, known.version):
                return Origin(replace(claim.source, change=entry.id), was_allowed=True)
    return Origin(claim.source, was_allowed=False)
