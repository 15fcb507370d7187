"""What is remembered of a verdict, so that it can be explained later. Pure. Nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.decisions.drawing.summary import summary_of
from safepip.decisions.wording.as_json import as_json

if TYPE_CHECKING:
    from safepip.values.verdict import Outcome


def told(outcome: Outcome, when: str) -> dict[str, Any]:
    """Give what is written of an outcome. ``when``: the time in UTC, as ISO 8601 has it."""
    summary = summary_of(outcome)
    return {
        "schema": 1,
        "when": when,
        "command": summary.command,
        "environment": summary.environment,
        "headline": summary.headline,
        "why": summary.why,
        "also": list(summary.also),
        "answer": as_json(outcome),
    }
