"""The finding `pinned`: what a plan does against `conda-meta/pinned`. Pure.

A conservative reader of conda's match specifications. What it cannot evaluate it calls unknown.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from packaging.version import Version

from safepip.decisions.judging.ownership import overtaken
from safepip.decisions.judging.requirements import parse_version
from safepip.values.findings import Pinned
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan

_SPEC = re.compile(r"(?:.*::?)?(?P<name>[A-Za-z0-9_][\w.-]*)\s*(?P<rest>[^\[]*)(?P<keys>\[.*\])?")
_GLOB = re.compile(r"[\w.+*-]+")
_KEY = re.compile(
    r"(?P<key>\w+)\s*=\s*(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<plain>[^,\]]*))"
)
_TERM = re.compile(r"(?P<operator>==|!=|<=|>=|~=|<|>|=)?(?P<version>\d[^*]*?)(?P<star>\.?\*)?")


@dataclass(frozen=True)
class Pin:
    """One specification of `conda-meta/pinned`."""

    text: str
    name: str
    """As conda's packages are named; normalised."""
    versions: str = ""
    """Empty: any version."""
    is_partial: bool = False
    """It also speaks of builds, which nothing of pip's has."""
    build: str = ""
    """What it says of them, with `*` for anything; empty where that is nothing."""


def pinned(environment: Environment, plan: Plan) -> Iterator[Pinned]:
    """Find the changes that contradict what the user pinned for conda."""
    pins = [pin for text in environment.pins if (pin := parse_pin(text)) is not None]
    for change in plan.changes if not plan.elsewhere else ():
        owned = overtaken(environment, plan, change)
        for pin in pins if change.after is not None else ():
            if not _is_meant(environment, pin, change):
                continue
            holds = None if pin.is_partial else accepts(pin.versions, change.after or "")
            if holds is False or (holds is None and owned is not None):
                yield Pinned(distribution=change.name, pin=pin.text, planned=change.after)


def held_wishes(environment: Environment, asked: Collection[str]) -> Iterator[str]:
    """Give the versions that the user asked conda for and has, which conda keeps to.

    ``asked``: names, in small letters, that are asked for anew.
    """
    here = {record.name.lower(): record.version for record in environment.records}
    for name, wish in (environment.wishes or {}).items():
        pin = parse_pin(wish) if name not in asked else None
        if pin is not None and pin.versions and accepts(pin.versions, here.get(name, "")):
            yield f"{name} {pin.versions}"


def _is_meant(environment: Environment, pin: Pin, change: Change) -> bool:
    """Say whether the pin is about this distribution.

    By the name of the conda package that has it. By the distribution's own name only where conda
    has no package of that name, or one that wraps the owner or has the distribution: conda's
    `graphviz` is a C program.
    """
    owned = environment.conda_owned.get(change.name)
    owner = owned.record if owned is not None else None
    if owner is not None and pin.name == normalised(owner.name):
        return True
    return pin.name == change.name and (
        owner is not None or environment.record_named(pin.name) is None
    )


def parse_pin(text: str) -> Pin | None:
    """Give the pin, or None for a line that names no package."""
    found = _SPEC.fullmatch(text.partition("#")[0].strip())
    if found is None:
        return None
    rest = re.sub(r"\s*([,|])\s*", r"\1", found["rest"].strip())
    words = re.sub(r"([<>=!~])\s+", r"\1", rest).split() or [""]
    versions, build = words[0], " ".join(words[1:])
    if (exact := re.fullmatch(r"(={1,2}[^=<>!~,|]+)=([^=]+)", versions)) is not None:
        # `name=1.2=build` means exactly this version, although `name=1.2` means all of 1.2.
        versions, build = "==" + exact[1].lstrip("="), exact[2]
    keys = {
        key["key"]: key["single"] or key["double"] or key["plain"] or ""
        for key in _KEY.finditer(found["keys"] or "")
    }
    build = build or keys.get("build", "")
    is_partial = bool(build or keys.get("build_number"))
    versions = versions or keys.get("version", "")
    return Pin(text, normalised(found["name"]), versions, is_partial, build)


def as_requirement(text: str, name: str) -> str:
    """Give what a pin allows of a distribution as a requirement; empty where that cannot be said.

    Source: https://peps.python.org/pep-0440/#version-specifiers
    """
    pin = parse_pin(text)
    if pin is None or pin.is_partial or not pin.versions:
        return ""
    terms = [_as_specifier(term.strip()) for term in pin.versions.split(",")]
    return f"{name}{','.join(terms)}" if all(terms) else ""


def _as_specifier(term: str) -> str:
    found = _TERM.fullmatch(term)
    if found is None or parse_version(found["version"]) is None:
        return ""
    operator = {None: "==", "=": "=="}.get(found["operator"], found["operator"])
    is_series = found["operator"] == "=" or bool(found["star"])
    if is_series and operator not in {"==", "!="}:
        return ""
    return f"{operator}{found['version']}{'.*' if is_series else ''}"


def accepts(versions: str, version: str) -> bool | None:
    """Say whether a version is among those that a specification means; None: cannot be told."""
    parsed = parse_version(version)
    if not versions:
        return True
    if parsed is None or re.search(r"[()^$]", versions):
        return None
    public = Version(parsed.public)
    alternatives = (
        _all(_is_in(term.strip(), public) for term in alternative.split(","))
        for alternative in versions.split("|")
    )
    refused = _all(None if a is None else not a for a in alternatives)
    return None if refused is None else not refused


def accepts_build(pattern: str, build: str) -> bool | None:
    """Say whether a build is among those that a specification means; None: cannot be told."""
    if not pattern:
        return True
    if not _GLOB.fullmatch(pattern):
        return None  # a regular expression, which may take forever
    return fnmatchcase(build, pattern)


def _all(answers: Iterable[bool | None]) -> bool | None:
    known = list(answers)
    return False if False in known else None if None in known else True


def _is_in(term: str, version: Version) -> bool | None:
    """Say whether one term, such as `>=1.2` or `1.2.*`, means this version."""
    found = _TERM.fullmatch(term)
    bound = parse_version(found["version"]) if found is not None else None
    if found is None or bound is None:
        return True if term == "*" else None
    operator, has_star = found["operator"] or "", bool(found["star"])
    if operator == "=" or (has_star and operator in {"", "==", "!="}):
        return _starts_with(version, bound.release) != (operator == "!=")
    if has_star and operator != ">=":
        return None
    if operator == "~=":
        return version >= bound and _starts_with(version, bound.release[:-1])
    return _COMPARISONS[operator](version, bound)


def _starts_with(version: Version, start: tuple[int, ...]) -> bool:
    return (*version.release, *(0,) * len(start))[: len(start)] == start


_COMPARISONS: Mapping[str, Callable[[Version, Version], bool]] = {
    "": eq,
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
