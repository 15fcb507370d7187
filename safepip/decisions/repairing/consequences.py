"""What a repair would break of what goes together now. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import breaks
from safepip.decisions.judging.requirements import relation
from safepip.decisions.repairing.entries import steps_of
from safepip.values.plan import Change, Plan
from safepip.values.repair import TakeOut

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.findings import Breaks
    from safepip.values.repair import Repair


def broken_by(repair: Repair, environment: Environment) -> tuple[Breaks, ...]:
    """Give the requirements that are met now, and would not be when all is as conda had it.

    By the judge of plans: what is taken out goes, and conda's version comes in place of it.
    """
    going = {s.distribution.name: s.distribution for s in repair.steps if isinstance(s, TakeOut)}
    changes = tuple(
        Change(
            step.name,
            "remove" if step.after is None else relation(going[step.name].version, step.after),
            before=going[step.name],
            after=step.after,
        )
        for step in steps_of(repair, environment)
        if step.name in going
    )
    return tuple(breaks(environment, Plan(changes)))
