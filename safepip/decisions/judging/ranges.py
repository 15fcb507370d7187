"""Ranges of versions, by one version of each part that bounds tell apart. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from safepip.decisions.judging.requirements import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.specifiers import SpecifierSet

_NUMBER = re.compile(r"\d[\w.+!]*")
_LONGEST = 64
"""Of a number that is looked at, in characters: no version is longer that means anything."""


def samples(bounds: Iterable[str]) -> tuple[str, ...]:
    """Give versions of which one lies in each range that these bounds, as texts, tell apart.

    What else has a number in it, such as a name, adds versions and takes none away.
    """
    numbers = (each.rstrip(".") for text in bounds for each in _NUMBER.findall(text))
    known = (parse_version(each) for each in numbers if len(each) <= _LONGEST)
    found = (version for each in known if each is not None for version in _around(each))
    return tuple(dict.fromkeys(("0", *map(str, found))))


def _around(version: Version) -> Iterator[Version]:
    """Give the version, where its series and that above it end, and what is just above each."""
    ends = (version.release, _next(version.release), _next(version.release[:-1]))
    yield version
    for release in filter(None, ends):
        for parts in (release, (*release, 0, 0, 1)):
            yield Version(f"{version.epoch}!{'.'.join(map(str, parts))}")


def _next(release: tuple[int, ...]) -> tuple[int, ...]:
    return (*release[:-1], release[-1] + 1) if release else ()


def is_empty(specifier: SpecifierSet) -> bool:
    """Say whether it is certain that no version meets all of these bounds."""
    if any(each.operator == "===" for each in specifier):
        return False  # a text, which need not be a version
    return not any(specifier.contains(v, prereleases=True) for v in samples(map(str, specifier)))
