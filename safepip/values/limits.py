"""How much is kept to go back. Pure."""

from __future__ import annotations

from safepip.values.light import NamedTuple


class Limits(NamedTuple):
    """What is kept at most; the change just made is always kept."""

    changes: int = 50
    size_bytes: int = 1_000_000_000
