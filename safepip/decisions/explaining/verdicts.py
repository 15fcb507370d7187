"""What is remembered of a verdict, so that it can be explained later. Pure. Nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.decisions.drawing.summary import summary_of
from safepip.decisions.wording.as_json import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def said_of(told: Mapping[str, Any] | None, name: str) -> Mapping[str, str] | None:
    """Give the verdict in short, where it changed or refused something of this normalised name.

    ``told`` comes from a file that anybody may have written.
    """
    answer = told.get("answer") if told is not None else None
    if told is None or not isinstance(answer, dict):
        return None
    lists = [answer.get(key) for key in ("changes", "findings", "held_back")]
    rows = [row for rows in lists if isinstance(rows, list) for row in rows]
    names = [(r.get("name"), r.get("distribution")) for r in rows if isinstance(r, dict)]
    if not any(name in pair for pair in names):
        return None
    facts = {key: told.get(key) for key in ("headline", "command", "when")}
    facts |= {key: answer.get(key) for key in ("verdict", "code")}
    return {key: value for key, value in facts.items() if isinstance(value, str)}
