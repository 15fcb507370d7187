"""`constraints`: conda's versions in a file for pip and its relatives, and keeping it in step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.constraints import constraints_text, is_constraints, stale
from safepip.effects.followers import follow, followers
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import timestamp
from safepip.effects.reading import read_environment
from safepip.recipes.export import constraints_for, text_at, write_changed
from safepip.values.errors import SafepipError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Environment
    from safepip.values.target import Target

Difference = tuple[str, str, str]
"""A name, its version in a file, and its version in the environment; empty for none."""


class Pinned(NamedTuple):
    """Constraints, and what became of them."""

    environment: Environment
    text: str
    written: tuple[str, ...] = ()


def constraints(target: Target, environ: Mapping[str, str], path: str) -> Pinned:
    """Give the constraints of an environment, in a file where ``path`` is one.

    conda's plugin keeps that file in step from then on.

    Raises: SafepipError.
    """
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    if not path:
        return Pinned(environment, constraints_text(environment, timestamp()))
    text = constraints_for(path, environment)
    written = write_changed({path: text})
    follow(target.prefix, os.path.realpath(path))
    return Pinned(environment, text, written)


def check_constraints(
    target: Target, environ: Mapping[str, str], path: str
) -> tuple[Environment, tuple[Difference, ...]]:
    """Give what a file says otherwise than it is.

    Raises: UsageError, where there is no such file; SafepipError.
    """
    if not os.path.isfile(path):
        raise UsageError(f"cannot read `{path}`: there is no such file")
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    return environment, stale(text_at(path), environment)


def keep_in_step(target: Target, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Write anew the files of constraints that conda's change made stale, and give their paths.

    A file that is gone, or is safepip's no more, is left alone.
    """
    paths = followers(target.prefix)
    texts = {path: text for path in paths if is_constraints(text := _text_of(path))}
    if not texts:
        return ()
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    old = [path for path, text in texts.items() if stale(text, environment)]
    new = constraints_text(environment, timestamp())
    return write_changed(dict.fromkeys(old, new))


def _text_of(path: str) -> str:
    try:
        return text_at(path)
    except SafepipError:
        return ""
