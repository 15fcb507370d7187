"""The user's own command, changed so that it works. Pure."""

from __future__ import annotations

from safepip.values.light import NamedTuple


class Retry(NamedTuple):
    """How the user's own command has to be changed to work."""

    says: str
    """What it does then."""
    more: tuple[str, ...] = ()
    """Options of pip, to add."""
    without: tuple[str, ...] = ()
    """Options of pip by their full names, to leave out with their values."""
    own: tuple[str, ...] = ()
    """Options of safepip, to add."""
    variables: tuple[tuple[str, str | None], ...] = ()
    """Environment variables to set, or to unset (None)."""
    prefix: str = ""
    """Another environment to act on."""
    first: tuple[tuple[str, ...], ...] = ()
    """Commands of the system's to run before it, in words."""
