"""Parts of sentences: names, versions, counts and lists, fit to be shown. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan

_PIP_DOES = re.compile(r"\bpip(?= (?:would|cannot|has finished|failed|had begun)\b)")
FEW = 5
_FEW_DEPENDENTS = 2


def few(texts: Iterable[str], most: int = FEW) -> str:
    """Give the first of these, and how many more there are."""
    cleaned = [clean(text) for text in texts]
    more = len(cleaned) - most
    return ", ".join(cleaned[:most]) + (f", ... {more} more" if more > 0 else "")


def listed(names: Iterable[str]) -> str:
    """Give the names, each once, as one phrase."""
    unique = [clean(name) for name in dict.fromkeys(names)]
    return " and ".join(filter(None, (", ".join(unique[:-1]), *unique[-1:])))


def count(number: int, thing: str) -> str:
    """Give `1 file` or `2 files`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def needed_by(dependents: Sequence[str]) -> str:
    """Give the conda packages that need a package, the first of them by name."""
    packages = count(len(dependents), "conda package")
    return f"needed by {packages}: {few(dependents, _FEW_DEPENDENTS)}"


def package(conda_package: str, environment: Environment) -> str:
    """Give the name and version of a conda package that is given as NAME-VERSION-BUILD."""
    for record in environment.records:
        if record.dist == conda_package:
            return f"{clean(record.name)} {clean(record.version)}"
    return clean(conda_package)


def versions(change: Change) -> str:
    """Give the versions before and after as one text."""
    before = clean(change.before.version) if change.before else ""
    after = clean(change.after) if change.after is not None else ""
    if before and after and change.action != "same":
        return f"{before} -> {after}"
    return after or before


def planned(name: str, plan: Plan) -> str:
    """Give a distribution with the version that the plan brings, where it brings one."""
    change = plan.by_name.get(name)
    version = change.after if change is not None and change.after is not None else ""
    return f"{clean(name)} {clean(version)}".strip()


def is_condas(change: Change) -> bool:
    """Say whether the change takes away a distribution of conda."""
    return change.before is not None and change.before.record is not None


def said_of(text: str, through: tuple[str, ...]) -> str:
    """Give a sentence about what pip does as one about uv, where it is uv that does it.

    ``through``: the words before pip's verb, as `uv pip`.
    """
    return _PIP_DOES.sub("uv", text) if through else text


def then_lacking(names: Sequence[str]) -> str:
    """Say what becomes of packages of conda's whose bounds exclude what is planned."""
    then = f"; conda's {few(dict.fromkeys(names))} then"
    return f"{then} {lack_what_they_need(names)}" if names else ""


def lack_what_they_need(names: Sequence[str]) -> str:
    """Say it of one or of several."""
    return "lack what they need" if names[1:] else "lacks what it needs"
