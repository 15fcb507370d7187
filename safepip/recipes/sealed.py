"""Leaving alone what its owner does not want to be changed, or what cannot be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.circumstances import frozen
from safepip.effects.records import read_frozen
from safepip.values.errors import NotWritable
from safepip.values.plan import Plan

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.request import Policy
    from safepip.values.verdict import Fix


def refuse_sealed(prefix: str, environment: Environment | None, policy: Policy, again: Fix) -> None:
    """Refuse to change an environment that is marked as not to be changed.

    ``environment`` is None where its Python does not start: what that would say of itself is not
    known then. ``again`` changes it all the same.

    Raises: NotWritable.
    """
    passes = policy.override_frozen
    if environment is None:
        message = None if passes else read_frozen(prefix)
        seals = [] if message is None else [(f"{prefix}/conda-meta/frozen", message)]
    else:
        found = [*frozen(environment, Plan(()), policy, break_system_packages=passes)]
        if any(finding.marker == "read-only" for finding in found):
            raise NotWritable(f"`{prefix}` cannot be written")
        seals = [(finding.path, finding.message) for finding in found]
    for path, message in seals:
        raise NotWritable(
            f"this environment is sealed by `{path}`",
            why=message or "its owner does not want it to be changed",
            fixes=(again,),
        )
