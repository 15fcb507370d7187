"""What was set for all commands, by files and by environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.configuring import configured
from safepip.effects.config_files import read_layers
from safepip.values.light import NamedTuple
from safepip.values.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.setting import Configuration

_MEGABYTE = 1_000_000


class Settings(NamedTuple):
    """What a guarded command goes by."""

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
    reading: Callable[[int, int], None] | None = None
    """Called while many records are read, with how many of how many."""


def configuration_of(prefix: str, environ: Mapping[str, str]) -> Configuration:
    """Give the settings as they are in an environment, from the working folder.

    Raises: UsageError; UnreadableFile.
    """
    return configured(read_layers(prefix, environ))


def settings_of(
    found: Configuration,
    tell: Callable[[Recovered | Waiting], None],
    looking: Callable[[int], None] | None = None,
    reading: Callable[[int, int], None] | None = None,
) -> Settings:
    """Give what a guarded command goes by."""
    return Settings(
        patience=found.number("lock-seconds"),
        undo_limits=limits_of(found),
        import_seconds=found.number("import-seconds"),
        tell=tell,
        looking=looking,
        reading=reading,
    )


def patience_of(prefix: str, environ: Mapping[str, str]) -> float:
    """Give how long to wait for another safepip, in seconds.

    Raises: UsageError; UnreadableFile.
    """
    return configuration_of(prefix, environ).number("lock-seconds")


def limits_of(found: Configuration) -> Limits:
    """Give how much is kept to go back."""
    size_bytes = int(found.number("undo-megabytes") * _MEGABYTE)
    return Limits(int(found.number("undo-changes")), size_bytes)
