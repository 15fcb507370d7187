"""What the user set for all commands, by environment variables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from safepip.values.errors import UsageError
from safepip.values.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered

_MEGABYTE = 1_000_000


class Settings(NamedTuple):
    """What the user set for all commands."""

    patience: float
    """Seconds to wait for another safepip."""
    undo_limits: Limits
    """How much is kept to go back."""
    import_seconds: float
    """For all modules of a change together; what takes longer is not waited for."""
    tell: Callable[[Recovered | Waiting], None]
    """Called where an earlier command was cut off, and where another is waited for."""
    looking: Callable[[int], None] | None = None
    """Called while the reason of a block is looked for, with the number of questions so far."""


def settings_of(
    environ: Mapping[str, str],
    tell: Callable[[Recovered | Waiting], None],
    looking: Callable[[int], None] | None = None,
) -> Settings:
    """Give what these variables say.

    Raises: UsageError.
    """
    return Settings(
        patience=patience_of(environ),
        undo_limits=limits_of(environ),
        import_seconds=_number(environ, "SAFEPIP_IMPORT_SECONDS", 10.0),
        tell=tell,
        looking=looking,
    )


def patience_of(environ: Mapping[str, str]) -> float:
    """Give how long to wait for another safepip, in seconds.

    Raises: UsageError.
    """
    return _number(environ, "SAFEPIP_LOCK_SECONDS", 30.0)


def limits_of(environ: Mapping[str, str]) -> Limits:
    """Give how much is kept to go back.

    Raises: UsageError.
    """
    usual = Limits()
    changes = _number(environ, "SAFEPIP_UNDO_CHANGES", usual.changes)
    megabytes = _number(environ, "SAFEPIP_UNDO_MEGABYTES", usual.size_bytes / _MEGABYTE)
    return Limits(int(changes), int(megabytes * _MEGABYTE))


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    try:
        found = float(text) if text else default
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise UsageError(f"`{name}` is `{text}`, expected a number")
    return max(0.0, found)
