"""Where pip is to look, by the lines of a file: whether two of them say the same. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from safepip.decisions.exporting.asked import INDEX
from safepip.decisions.exporting.lines import options_in
from safepip.decisions.exporting.urls import without_login

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from safepip.decisions.exporting.lines import Option

_MORE = "--extra-index-url"
_PLACES = (INDEX, _MORE, "--find-links")


def places_in(line: str) -> Iterator[Option]:
    """Give the places that a line names, however one logs in there, each with its option."""
    for option, value in options_in(line):
        if option in _PLACES and value:
            place = without_login(value).rstrip("/")
            yield option, place if "://" in place else posixpath.normpath(place)


def are_there(line: str, known: Collection[Option]) -> bool:
    """Say whether a line names places, and pip looks there already, by what else is ``known``."""
    found = list(places_in(line))
    return bool(found) and all(
        (option, place) in known or (option == _MORE and (INDEX, place) in known)
        for option, place in found
    )
