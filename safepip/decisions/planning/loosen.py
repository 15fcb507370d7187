"""The same request without the bounds that conda's versions exclude. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import words_of
from safepip.decisions.judging.requirements import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.environment import Environment


def without_bounds(
    arguments: Sequence[str], environment: Environment
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the arguments with plain names for what has bounds, and those names.

    What conda owns keeps its bounds: only conda can change it. Both are empty where nothing named
    on the command line has bounds, since then there is nothing to loosen.
    """
    words, names = [], []
    for word in words_of(tuple(arguments)):
        requirement = parse_requirement(word.text) if word.name else None
        if requirement is None or not requirement.specifier or word.name in environment.conda_owned:
            words.append(word.text)
            continue
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        marker = f"; {requirement.marker}" if requirement.marker else ""
        words.append(f"{requirement.name}{extras}{marker}")
        names.append(word.name)
    return (tuple(words), tuple(names)) if names else ((), ())


def with_constraints(arguments: Sequence[str], path: str) -> tuple[str, ...]:
    """Give the arguments of `install` with one more constraints file."""
    return (*arguments[:1], "--constraint", path, *arguments[1:])


def as_given(arguments: Sequence[str], name: str, otherwise: str) -> str:
    """Give the requirement as the command line has it, or else what pip says of it."""
    for word in words_of(tuple(arguments)):
        if word.name == name:
            return word.text
    return otherwise
