"""What the journal says of how pip's distributions were asked for. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.lines import cloned_in
from safepip.decisions.exporting.urls import bare, without_login
from safepip.decisions.fixing.commands import option_values, words_of
from safepip.decisions.judging.requirements import parse_requirement
from safepip.decisions.undoing.inverse import standing_changes
from safepip.decisions.uv.words import in_pips_words
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.journal import Entry, Step

INDEX = "--index-url"
_SOURCES = (INDEX, "--extra-index-url", "--find-links")

_OWN = ("--prefer-conda", "--strict", "--allow", "--override-frozen")
"""Options of safepip's own that are written down."""


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
    allowed: bool = False
    """The user let pip take it over from conda, and did not take that back."""
    cloned: bool = False
    """pip made a clone of a repository for the last change of it, to be edited there."""


class _Words(NamedTuple):
    """What an entry of the journal was asked with."""

    allowed: frozenset[str]
    of_pip: tuple[str, ...]
    """The verb and pip's own arguments; none where it was no install."""


def sources_of(asked: Asked | None) -> tuple[str, ...]:
    """Give options that add where something was found to where pip looks anyhow.

    On a command line, pip fills in no variables, and with a login it looks for none elsewhere.
    """
    found = asked.sources if asked is not None else ()
    return tuple(
        f"{'--extra-index-url' if name == INDEX else name}={bare(without_login(value))}"
        for name, value in found
    )


def asked_for(entries: Sequence[Entry]) -> Mapping[str, Asked]:
    """Give, by normalised name, how each distribution was asked for that changes left there."""
    found: dict[str, Asked] = {}
    for entry in standing_changes(entries):
        if entry.dists:
            continue  # conda's books tell of that
        words = _words(entry)
        extras = _extras(words)
        sources = _sources(words)
        cloned = set(map(cloned_in, _editables(words)))
        for step in entry.steps:
            if step.after is None:
                found.pop(step.name, None)
            else:
                asked = _asked(step, found.get(step.name), sources)
                is_allowed = asked.allowed or step.name in words.allowed
                is_cloned = step.name in cloned
                found[step.name] = replace(asked, allowed=is_allowed, cloned=is_cloned)
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
        allowed=before.allowed,
    )


def _words(entry: Entry) -> _Words:
    """Tell safepip's own options, which stand behind the verb, from pip's arguments."""
    arguments = entry.arguments
    if arguments[:2] == ("uv", "pip"):
        arguments = tuple(in_pips_words(arguments[2:]))
    if entry.verb != "install" or arguments[:1] != ("install",):
        return _Words(frozenset(), ())
    _, *rest = arguments
    allowed = frozenset[str]()
    while rest and rest[0] in _OWN:
        if rest[0] == "--allow":
            allowed = frozenset(map(normalised, "".join(rest[1:2]).split(",")))
        rest = rest[2 if rest[0] == "--allow" else 1 :]
    return _Words(allowed, ("install", *rest))


def _extras(words: _Words) -> Mapping[str, frozenset[str]]:
    """Give the extras of what a change named itself."""
    parsed = [parse_requirement(word.text) for word in words_of(words.of_pip) if word.brings]
    return {
        normalised(one.name): frozenset(map(normalised, one.extras))
        for one in parsed
        if one is not None
    }


def _editables(words: _Words) -> list[str]:
    """Give what is to be edited, as lines of a file."""
    found = option_values(words.of_pip)
    return [f"-e {shlex.quote(value)}" for name, value in found if name == "--editable"]


def _sources(words: _Words) -> tuple[tuple[str, str], ...]:
    found = option_values(words.of_pip)
    return tuple((name, value) for name, value in found if name in _SOURCES and value)
