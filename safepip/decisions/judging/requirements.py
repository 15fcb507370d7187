"""What distributions require of each other, and what one version means to another. Pure.

Metadata is untrusted: a line that is no requirement, a marker that cannot be evaluated and a
version that is none are values here, never errors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.values.plan import Action

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_ASKS_EXTRAS = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*\[")


@lru_cache(maxsize=4096)
def parse_requirement(line: str) -> Requirement | None:
    """Give the requirement, or None for a line that is none.

    Parentheses nested a thousand deep are valid for the grammar and too much for its parser.
    """
    try:
        return Requirement(line)
    except (InvalidRequirement, RecursionError, ValueError):
        return None


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version | None:
    """Give the version (PEP 440), or None for a text that is none.

    `ValueError` is wider than `InvalidVersion`: a number of five thousand digits raises it too.
    """
    try:
        return Version(text)
    except ValueError:
        return None


def required_name(line: str) -> str:
    """Give the normalised name that a requirement line starts with; empty where there is none.

    Parsing costs forty times as much, and only a few of an environment's lines concern a plan.
    """
    found = _NAME.match(line)
    return normalised(found.group(1)) if found else ""


def is_active(requirement: Requirement, markers: Mapping[str, str], extras: Iterable[str]) -> bool:
    """Say whether the requirement counts in this environment, for these extras.

    A marker that cannot be evaluated makes the requirement count for nothing, as a line that
    cannot be parsed does: pip treats both so, and refusing would blame the plan for old metadata.
    """
    marker = requirement.marker
    if marker is None:
        return True
    try:
        return any(marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras))
    except (ValueError, KeyError, RecursionError):
        return False


def is_met(requirement: Requirement, version: str | None) -> bool:
    """Say whether a distribution of this version is what is required; None stands for no such.

    A pre-release that is installed satisfies, as for `pip check`. Of a URL only presence can be
    known. A version that is none satisfies what accepts any version or names exactly this text.
    """
    if version is None:
        return False
    if requirement.url is not None:
        return True
    parsed = parse_version(version)
    if parsed is None:
        return all(
            specifier.operator in {"==", "==="} and specifier.version == version
            for specifier in requirement.specifier
        )
    try:
        return requirement.specifier.contains(parsed, prereleases=True)
    except ValueError:
        return False


def as_text(requirement: Requirement) -> str:
    """Give the requirement as a person would write it, without its marker."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    if requirement.url is not None:
        return f"{requirement.name}{extras} @ {requirement.url}"
    return f"{requirement.name}{extras}{requirement.specifier}"


def active_requirements(
    lines: Iterable[str], markers: Mapping[str, str], extras: Iterable[str]
) -> list[Requirement]:
    """Give the requirements among the lines that count here, each once."""
    wanted = sorted(extras)
    found: dict[str, Requirement] = {}
    for line in lines:
        requirement = parse_requirement(line)
        if requirement is not None and is_active(requirement, markers, wanted):
            found.setdefault(as_text(requirement), requirement)
    return list(found.values())


def extras_asked(
    requires: Mapping[str, Iterable[str]],
    markers: Mapping[str, str],
    asked: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, frozenset[str]]:
    """Give the extras of each distribution that the others ask for.

    ``requires``: the requirement lines of each distribution. ``asked``: extras that are wanted
    whatever the distributions say.

    An extra of one distribution may ask for extras of another, so this runs until nothing new is
    asked. Only lines with a bracket before the marker can ask, and those are few.
    """
    result = {name: frozenset(map(normalised, extras)) for name, extras in (asked or {}).items()}
    asking = {
        name: lines
        for name, all_lines in requires.items()
        if (lines := [line for line in all_lines if _ASKS_EXTRAS.match(line)])
    }
    grows = True
    while grows:
        grows = False
        for name, lines in asking.items():
            for requirement in active_requirements(lines, markers, result.get(name, ())):
                known = result.get(wanted := normalised(requirement.name), frozenset())
                result[wanted] = known | frozenset(map(normalised, requirement.extras))
                grows = grows or result[wanted] != known
    return result


def relation(before: str, after: str) -> Action:
    """Give the action that leads from one version to another."""
    old, new = parse_version(before), parse_version(after)
    if old is None or new is None:
        return "same" if before == after else "upgrade"
    if old == new:
        return "same"
    return "upgrade" if new > old else "downgrade"
