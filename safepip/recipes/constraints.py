"""`constraints`: conda's versions in a file for pip and its relatives, and keeping it in step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.constraints import (
    are_of,
    constraints_text,
    is_constraints,
    stale,
)
from safepip.decisions.exporting.sheet import as_it_should_be
from safepip.decisions.fixing.shell import shell_of
from safepip.effects.followers import follow, followers
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal, timestamp
from safepip.effects.reading import read_environment
from safepip.effects.records import read_with_owner
from safepip.effects.writing import text_at, write_changed
from safepip.recipes.export import constraints_for
from safepip.values.errors import UsageError
from safepip.values.text import shown
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Environment
    from safepip.values.target import Target

_LIMIT = 16 * 1024 * 1024
Difference = tuple[str, str, str]
"""A name, its version in a file, and its version in the environment; empty for none."""


class Pinned(NamedTuple):
    """Constraints, and what became of them."""

    text: str
    written: tuple[str, ...] = ()


def constraints(target: Target, environ: Mapping[str, str], path: str) -> Pinned:
    """Give the constraints of an environment, in a file where ``path`` is one.

    conda's plugin keeps that file in step from then on.

    Raises: SafepipError.
    """
    environment = _environment_of(target, environ)
    if not path:
        return Pinned(constraints_text(environment, timestamp()))
    text = constraints_for(path, environment)
    written = write_changed({path: text})
    follow(target.prefix, os.path.realpath(path))
    return Pinned(text, written)


def check_constraints(
    target: Target, environ: Mapping[str, str], path: str
) -> tuple[Difference, ...]:
    """Give what a file says otherwise than it is.

    Raises: UsageError, where there is no such file, or it is another's; SafepipError.
    """
    if not os.path.isfile(path):
        raise UsageError(f"cannot read `{path}`: there is no such file")
    text = text_at(path)
    if not is_constraints(text):
        raise UsageError(
            f"`{shown(path)}` was not written by safepip, so it cannot be stale",
            fixes=[Fix(shell_of(target).safepip(("constraints",)), "see conda's versions")],
        )
    return stale(text, _environment_of(target, environ))


def _environment_of(target: Target, environ: Mapping[str, str]) -> Environment:
    """Read the environment as conda brought it, but for what the user gave to pip."""
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    return as_it_should_be(environment, tuple(Journal(target.prefix).entries()))[0]


def _own_text(path: str) -> str:
    try:
        text, owner = read_with_owner(path, _LIMIT)
    except (OSError, ValueError):
        return ""
    is_own = owner == os.geteuid() and os.path.realpath(path) == path
    return text if is_own else ""


def keep_in_step(target: Target, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Write anew the files of constraints that conda's change made stale, and give their paths.

    A file that is gone, or is safepip's no more, is left alone; so is one that is another user's or
    a link: whoever may write to the environment's books must not reach the files of others by it.
    """
    texts = following(target.prefix)
    if not texts:
        return ()
    environment = _environment_of(target, environ)
    new = {
        path: constraints_text(environment, timestamp(), texts[path])
        for path in differing(texts, environment)
    }
    return write_changed(new, follows=False)


def following(prefix: str) -> Mapping[str, str]:
    """Give the files of constraints that follow an environment, with their texts."""
    paths = followers(prefix)
    return {path: text for path in paths if is_constraints(text := _own_text(path))}


def differing(
    texts: Mapping[str, str], environment: Environment
) -> Mapping[str, tuple[Difference, ...]]:
    """Give those of these files that say otherwise than it is, and what; by path.

    ``environment``: as conda brought it, but for what the user gave to pip.
    """
    its = {path: text for path, text in texts.items() if are_of(text, environment)}
    found = {path: stale(text, environment) for path, text in its.items()}
    return {path: differences for path, differences in found.items() if differences}
