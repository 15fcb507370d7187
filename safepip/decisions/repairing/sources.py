"""Which channels may have a package whose record is gone, by what is still told of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.exporting.urls import channel_name, channel_place
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.values.inspection import Inspection

_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_PKGS = "pkgs/"


@dataclass(frozen=True)
class Sought:
    """A package, and the channels to ask for it."""

    dist: str
    """NAME-VERSION-BUILD."""
    channels: tuple[str, ...]
    """With the secrets in them."""
    platforms: tuple[str, ...]
    """The folders of channels that packages here came from."""


def sought(inspection: Inspection, dist: str) -> Sought:
    """Give where to ask for a package without a record.

    1. The channel in what is left of its record.
    2. The channel in conda's history.
    3. Where nothing tells, those that the other packages came from.
    """
    folders = [one.url.rpartition("/")[0] for one in inspection.details.values() if one.url]
    bases = tuple(dict.fromkeys(filter(None, map(channel_place, folders))))
    own = inspection.remains[dist].url if dist in inspection.remains else ""
    told = own.rpartition("/")[0] or inspection.channels.get(dist, "")
    place = channel_place(told)
    channels = _of_name(place, bases) if place else bases
    platforms = {one.rpartition("/")[2] for one in (*folders, told) if channel_place(one) != one}
    return Sought(dist, channels, tuple(sorted(platforms)))


def _of_name(place: str, bases: Iterable[str]) -> tuple[str, ...]:
    """Give the URLs of a channel; history has the names of many only.

    That of other packages here comes first: by settings of conda's, a name may mean a mirror.
    """
    if "://" in place:
        return (place,)
    here = tuple(b for b in bases if b.endswith(f"/{place}") or channel_name(b) == place)
    if here:
        return here
    if place == "defaults":
        return _DEFAULTS
    return (f"https://repo.anaconda.com/{place}" if place.startswith(_PKGS) else place,)
