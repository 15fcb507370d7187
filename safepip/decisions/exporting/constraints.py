"""Constraints: conda's versions as lines that pip, uv and others read with `-c`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.planning.keep import holds
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.values.environment import Environment

_MARK = "# conda's versions in "
"""How a file of safepip's begins; what follows says of which environment."""
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*===?\s*(?P<version>[^\s;#]+)")


def constraints_text(environment: Environment, when: str, there: str = "") -> str:
    """Give the text of a file of constraints. ``when``: the time in UTC, as ISO 8601 has it.

    ``there``: what the file says by now; what is surely the user's of it stays.
    """
    head = (
        f"{_MARK}{_name(environment)}, as of {when}\n"
        "# For pip (-c), uv (UV_CONSTRAINT), tox, and the pip part of an environment.yml.\n"
        "# Written by safepip; `safepip constraints --check FILE` says whether it is stale.\n"
    )
    return head + "".join(f"{line}\n" for line in (*holds(environment), *_own_lines(there)))


def _own_lines(text: str) -> list[str]:
    """Give the lines that safepip does not write: all but its head, and pins and nothing else."""
    _, *lines = text.splitlines() if is_constraints(text) else [""]
    heads = ("# For pip (-c), uv", "# Written by safepip;")
    return [
        line for line in lines if line.strip() and not line.startswith(heads) and not pins_in(line)
    ]


def is_constraints(text: str) -> bool:
    """Say whether a text is such a file."""
    return text.startswith(_MARK)


def are_of(text: str, environment: Environment) -> bool:
    """Say whether a text is the file of constraints of this environment."""
    told = text.partition("\n")[0].removeprefix(_MARK).rpartition(", as of ")[0]
    return is_constraints(text) and told == _name(environment)


def pins_in(text: str) -> Mapping[str, str]:
    """Give the version of each name in a file of constraints; what is no pin is left out.

    So is one with a marker, which may not count.
    """
    found = (_PIN.match(line.strip()) for line in text.splitlines() if ";" not in line)
    return {normalised(one["name"]): one["version"] for one in found if one is not None}


def stale(text: str, environment: Environment) -> tuple[tuple[str, str, str], ...]:
    """Give what a file says otherwise than it is: name, version in the file, version here.

    A version is empty where there is none.
    """
    told, here = pins_in(text), pins_in("\n".join(holds(environment)))
    names = sorted({*told, *here})
    return tuple(_difference(names, told, here))


def _difference(
    names: Iterable[str], told: Mapping[str, str], here: Mapping[str, str]
) -> Iterable[tuple[str, str, str]]:
    for name in names:
        was, is_now = told.get(name, ""), here.get(name, "")
        if was != is_now:
            yield name, was, is_now


def _name(environment: Environment) -> str:
    return shown(environment.name or environment.prefix)
