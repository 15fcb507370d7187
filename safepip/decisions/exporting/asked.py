"""What the journal says of how pip's distributions were asked for. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import option_values, words_of
from safepip.decisions.judging.requirements import parse_requirement
from safepip.decisions.undoing.inverse import standing_changes
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.journal import Entry, Step

INDEX = "--index-url"
_SHORT = {"-i": INDEX, "-f": "--find-links", "--pypi-url": INDEX}
_SOURCES = (INDEX, "--extra-index-url", "--find-links")


@dataclass(frozen=True)
class Asked:
    """How a distribution that is there was asked for."""

    version: str
    """The one that the last change of it left."""
    requested: bool = False
    extras: frozenset[str] = frozenset()
    """Normalised."""
    sources: tuple[tuple[str, str], ...] = ()
    """Options of the last change of it that say where to look, each with its value."""
    url: str = ""
    sha256: str = ""


def asked_for(entries: Sequence[Entry]) -> Mapping[str, Asked]:
    """Give, by normalised name, how each distribution was asked for that changes left there."""
    found: dict[str, Asked] = {}
    for entry in standing_changes(entries):
        extras = _extras(entry)
        sources = _sources(entry)
        for step in entry.steps:
            if step.after is None:
                found.pop(step.name, None)
            else:
                found[step.name] = _asked(step, found.get(step.name), sources)
        for name, more in extras.items():
            if name in found:
                known = found[name]
                found[name] = replace(known, requested=True, extras=known.extras | more)
    return found


def _asked(step: Step, known: Asked | None, sources: tuple[tuple[str, str], ...]) -> Asked:
    before = known or Asked("")
    return Asked(
        version=step.after or "",
        requested=step.requested or before.requested,
        extras=before.extras,
        sources=sources,
        url=step.url,
        sha256=step.sha256,
    )


def _extras(entry: Entry) -> Mapping[str, frozenset[str]]:
    """Give the extras of what a change named itself."""
    if entry.verb != "install" or entry.arguments[:1] != ("install",):
        return {}
    parsed = [parse_requirement(word.text) for word in words_of(entry.arguments) if word.brings]
    return {
        normalised(one.name): frozenset(map(normalised, one.extras))
        for one in parsed
        if one is not None
    }


def _sources(entry: Entry) -> tuple[tuple[str, str], ...]:
    if entry.verb != "install" or entry.arguments[:1] != ("install",):
        return ()
    named = ((_SHORT.get(name, name), value) for name, value in option_values(entry.arguments))
    return tuple((name, value) for name, value in named if name in _SOURCES and value)
