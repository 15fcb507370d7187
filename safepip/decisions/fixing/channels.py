"""The channels of an environment: where conda's part of a command is to be taken from. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safepip.decisions.exporting.urls import channel_name, channel_place, has_secret
from safepip.decisions.fixing.commands import is_printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.values.environment import Record

_ANACONDA = ("repo.anaconda.com", "repo.continuum.io")


def channels_of(records: Iterable[Record]) -> tuple[str, ...]:
    """Give the channels that packages came from, that of the most packages first.

    With the secrets in them. What came from an archive has no channel.
    """
    counts = Counter(channel_place(record.channel) for record in records)
    return tuple(channel for channel, _ in counts.most_common() if channel)


def channel_options(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Give the options with which conda asks these channels and no others.

    What the user has set for all commands need not be what an environment was made from. Empty
    where a channel cannot be typed: there is a secret in it.
    """
    if not channels or not all(_can_be_typed(each) for each in channels):
        return ()
    return ("--override-channels", *(word for each in channels for word in ("-c", _short(each))))


def _can_be_typed(channel: str) -> bool:
    return is_printable(channel) and not (has_secret(channel) or "/t/" in channel)


def _short(channel: str) -> str:
    """Give the name alone where that is known to mean the same.

    Not `defaults`, which are several, and what the user has made of them.
    """
    name = channel_name(channel)
    return channel if name == "defaults" else name


def keeps_names(channel: str) -> bool:
    """Say whether what a channel has under the name of a distribution is known to be that.

    conda-forge, a mirror of it, and Anaconda's own, which builds from the same recipes. What is on
    this machine the user has put there. Of all others anybody may have named anything.
    """
    parts = urlsplit(channel)
    path = parts.path.rstrip("/")
    is_anaconda_s = parts.hostname in _ANACONDA or (not parts.scheme and path.startswith("pkgs/"))
    return is_anaconda_s or path.rpartition("/")[2] == "conda-forge" or is_here(channel)


def is_here(channel: str) -> bool:
    """Say whether a channel is a folder of this machine."""
    return channel.startswith(("file:", "/"))
