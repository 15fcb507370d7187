"""What a tool of conda's family says with `--dry-run --json`. Pure.

Source: https://docs.conda.io/projects/conda/en/stable/commands/install.html; seen with conda 26.8.
mamba and micromamba answer in the same form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.values.channel import Moved
from safepip.values.text import shown, without_secrets

if TYPE_CHECKING:
    from safepip.values.channel import CondaPart
    from safepip.values.environment import RecordStamp

    State = tuple[RecordStamp, ...]

_SHOWN = 500
"""Characters of what it says that are shown."""


def parse_moves(answer: object) -> tuple[Moved, ...] | None:
    """Give what would be added, changed and removed; None where that is not said.

    A package that would only be built otherwise is among what is changed.
    """
    if not isinstance(answer, dict) or answer.get("success") is not True:
        return None
    actions = answer.get("actions", {})
    if not isinstance(actions, dict):
        return None
    after, before = _versions(actions.get("LINK", [])), _versions(actions.get("UNLINK", []))
    if after is None or before is None:
        return None
    names = sorted(after.keys() | before.keys())
    return tuple(Moved(name, before.get(name, ""), after.get(name, "")) for name in names)


def _versions(raw: Any) -> dict[str, str] | None:  # noqa: ANN401 - whatever it said
    """Give versions by name; None for anything else than packages with both."""
    if not isinstance(raw, list):
        return None
    found = {}
    for each in raw:
        name, version = (
            (each.get("name"), each.get("version")) if isinstance(each, dict) else ("", "")
        )
        if not (isinstance(name, str) and isinstance(version, str) and name and version):
            return None
        found[name.lower()] = version
    return found


def parse_refusal(answer: object) -> str:
    """Give why it refuses, in one line of its own words; empty where it does not say."""
    said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else ""
    text = " ".join(without_secrets(said).split()) if isinstance(said, str) else ""
    return shown(text, _SHOWN)


def gone_of(before: State, after: State) -> tuple[str, ...]:
    """Give NAME-VERSION-BUILD of the records that are there no more."""
    kept = {name for name, *_ in after}
    return tuple(name.removesuffix(".json") for name, *_ in before if name not in kept)


def otherwise_than_shown(
    part: CondaPart, before: State, after: State, failure: str
) -> tuple[str, ...]:
    """Give what is not as it was shown: something that was there is gone, or other things are new.

    ``before`` and ``after``: the records, as `effects.records` tells their state. ``failure``: why
    whoever did it says that it failed, which comes last; empty where it does not.
    """
    gone = gone_of(before, after)
    new = {name for name, *_ in after}.difference(name for name, *_ in before)
    starts = {
        f"{move.name}-{move.after}-".lower(): f"{move.name} {move.after}"
        for move in part.moves
        if not move.before
    }
    lacks = [
        each for start, each in starts.items() if not any(n.lower().startswith(start) for n in new)
    ]
    more = sorted(n.removesuffix(".json") for n in new if not n.lower().startswith((*starts,)))
    problems = [f"gone: {', '.join(gone)}"] if gone else []
    problems += [f"not there: {', '.join(lacks)}"] if lacks else []
    problems += [f"not shown: {', '.join(more)}"] if more else []
    return (*problems, *((failure,) if failure else ()))
