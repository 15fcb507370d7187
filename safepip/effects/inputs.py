"""Inputs that can be read only once, and putting other values into a command line.

Two processes read what the user gave to one: a pipe, `/dev/stdin`, a process substitution.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.effects.parsing import Command, Parsed
from safepip.values.errors import CannotJudge
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from safepip.effects.asking import Asking

_HANDLE = re.compile(r"/dev/(stdin|fd/\d+)|/proc/[^/]+/fd/\d+")
_FLAGS = "qvUIhVy"
"""Short options without a value, which may stand before another in one word: `-Uqr FILE`."""

REQUIREMENT = ("r", "--requirement")
CONSTRAINT = ("c", "--constraint")
BUILD_CONSTRAINT = ("", "--build-constraint")
FIND_LINKS = ("f", "--find-links")
"""Options that take a path, by letter and name."""
_VARIABLES = ("PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")


def repeatable(parsed: Parsed, asking: Asking) -> tuple[Command, Mapping[str, str]]:
    """Give a command in a form that can be carried out more than once, and the copies in it.

    Raises: CannotJudge.
    """
    files = (*parsed.requirements, *parsed.constraints, *parsed.build_constraints)
    copies = copied_once(files, asking.folder())
    arguments, environ = with_copies(asking.arguments, asking.environ, copies)
    parsed = replace(
        parsed,
        requirements=tuple(copies.get(path, path) for path in parsed.requirements),
        constraints=tuple(copies.get(path, path) for path in parsed.constraints),
    )
    from safepip.effects.requirement_files import read_inputs  # one pass does without it

    inputs = read_inputs(parsed.requirements, parsed.constraints, environ)
    return Command(arguments, environ, parsed, inputs), copies


def copied_once(paths: Iterable[str], folder: Path) -> Mapping[str, str]:
    """Copy those files that can be read only once, and say which copy stands for which.

    Raises: CannotJudge.
    """
    copies: dict[str, str] = {}
    for path in paths:
        if path not in copies and _is_read_once(path):
            copy = folder / f"input-{len(copies)}.txt"
            try:
                with open(path, "rb") as source, copy.open("wb") as target:
                    shutil.copyfileobj(source, target)
            except OSError as error:
                raise CannotJudge(f"cannot read `{shown(path)}`: {error.strerror}") from error
            copies[path] = str(copy)
    return copies


def _is_read_once(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False  # a URL, or nothing at all: pip says so
    if _HANDLE.fullmatch(path):
        return not stat.S_ISDIR(mode)
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def with_copies(
    arguments: Sequence[str], environ: Mapping[str, str], copies: Mapping[str, str]
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Give the arguments and variables with the copies in place of what was copied.

    Raises: CannotJudge, when something else names such a file: pip's configuration.
    """
    changed = tuple(arguments)
    for option in (REQUIREMENT, CONSTRAINT, BUILD_CONSTRAINT):
        changed = with_values(changed, option, copies)
    variables = dict(environ)
    for name in _VARIABLES:
        if words := environ.get(name, "").split():
            variables[name] = " ".join(copies.get(word, word) for word in words)
    found = "\n".join([*changed, *(variables.get(name, "") for name in _VARIABLES)])
    for path, copy in copies.items():
        if copy not in found:
            raise CannotJudge(
                f"`{shown(path)}` can be read only once, and this engine reads it twice"
            )
    return changed, variables


def with_values(
    arguments: Sequence[str], option: tuple[str, str], values: Mapping[str, str]
) -> tuple[str, ...]:
    """Give the arguments with other values for an option, in any spelling that pip takes."""
    letter, name = option
    changed: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return (*changed, word, *rest)
        if _is_named(word, letter, name) and rest:
            value = rest.pop(0)
            changed += [word, values.get(value, value)]
        else:
            changed.append(_with_value(word, letter, name, values))
    return tuple(changed)


def _is_named(word: str, letter: str, name: str) -> bool:
    """Say whether the next word is the value of this option."""
    if letter and re.fullmatch(f"-[{_FLAGS}]*{letter}", word):
        return True
    return len(word) > len("--") and word.startswith("--") and name.startswith(word)


def _with_value(word: str, letter: str, name: str, values: Mapping[str, str]) -> str:
    start, equals, value = word.partition("=")
    if equals and _is_named(start, "", name):
        return f"{start}={values.get(value, value)}"
    if letter and (found := re.fullmatch(f"(-[{_FLAGS}]*{letter})(.+)", word, re.DOTALL)):
        return found[1] + values.get(found[2], found[2])
    return word


def with_options(arguments: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """Give the arguments with options behind them, where they win over earlier ones.

    A literal `--` ends options, so they stand before it. Where it precedes the verb, that comes
    first, as pip itself takes it out from among the arguments.
    """
    given = list(arguments)
    verb = next((at for at, word in enumerate(given) if word in ("install", "uninstall")), 0)
    if "--" in given[:verb]:
        given = [given[verb], *given[:verb], *given[verb + 1 :]]
    end = given.index("--") if "--" in given else len(given)
    return (*given[:end], *more, *given[end:])
