"""The last verdict on each environment: losing it costs an explanation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safepip.effects.own_cache import keep, recalled

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMIT = 16 * 1024 * 1024
"""Bytes of a verdict that is still read."""


def keep_last(prefix: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Remember a verdict; where that cannot be, it is not remembered."""
    text = json.dumps({"prefix": prefix, **told})
    keep("last", prefix, environ, text.encode())


def read_last(prefix: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Give the last verdict on an environment; None where none is known."""
    try:
        told = json.loads(recalled("last", prefix, environ, _LIMIT) or b"")
    except (ValueError, RecursionError):
        return None
    is_meant = isinstance(told, dict) and told.get("prefix") == prefix and told.get("schema") == 1
    return told if is_meant else None
