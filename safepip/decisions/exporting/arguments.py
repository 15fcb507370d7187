"""From the lines of pip's part of a file to arguments of `pip install`. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.exporting.lines import (
    filled,
    options_in,
    requirement_text,
    without_comment,
)
from safepip.decisions.exporting.urls import has_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.decisions.exporting.lines import Option
    from safepip.values.environment_file import EnvironmentFile

_FILES = ("--constraint", "--requirement")
_FLAGS = frozenset(("--no-index", "--pre", "--prefer-binary", "--require-hashes"))
_OF_A_LINE = ("--hash", "--config-settings", "--global-option")
_WITH_VALUE = frozenset(
    (
        *_FILES,
        *("--index-url", "--extra-index-url", "--find-links", "--trusted-host"),
        *("--editable", "--no-binary", "--only-binary", "--use-feature"),
    )
)
"""What is the same in a file of requirements and on a command line; pip takes more on the latter,
which a file has no say in."""


class Arguments(NamedTuple):
    """What pip is given, and what is written down of it."""

    words: tuple[str, ...]
    """For its command line."""
    lines: tuple[str, ...]
    """For a file of requirements: what pip takes only there, and what may be a secret, which would
    be seen in the list of processes."""
    told: tuple[str, ...]
    """All of it in words, with variables as they are written."""


def is_option(option: Option) -> bool:
    """Say whether a file of requirements may have an option, as pip reads it."""
    name, value = option
    flags = (*_FLAGS, *_OF_A_LINE) if not value else (*_WITH_VALUE, *_OF_A_LINE)
    return len(name) > len("--p") and any(flag.startswith(name) for flag in flags)


def arguments_of(file: EnvironmentFile, environ: Mapping[str, str]) -> Arguments:
    """Give the arguments that stand for the lines of a file.

    Paths are as seen from the folder of the file. pip itself fills in variables, but for names of
    files, which it would look for beside another file.
    """
    words, lines, told = list[str](), list[str](), list[str]()
    for text in filter(None, (without_comment(line.text) for line in file.lines)):
        options = options_in(text)
        if not options:
            told.append(requirement_text(text))
            is_bare = told[-1] == text and _is_open(text, environ)
            (words if is_bare else lines).append(text)
            continue
        told += _as_words(options)
        if not all(map(_is_for_both, options)):
            lines.append(text)
            continue
        for option, value in options:
            name = filled(value, environ)
            if _is_open(value, environ):
                words += _as_words([(option, value)])
            elif option in _FILES and "://" not in name:
                words += (option, name)
            else:
                lines.append(f"{option} {shlex.quote(value)}")
    return Arguments(tuple(words), tuple(lines), tuple(told))


def _is_open(text: str, environ: Mapping[str, str]) -> bool:
    """Say whether there is nothing in a text that may be a secret."""
    return filled(text, environ) == text and not has_secret(text)


def _is_for_both(option: Option) -> bool:
    name, value = option
    return name in _WITH_VALUE if value else name in _FLAGS


def _as_words(options: Iterable[Option]) -> Iterator[str]:
    for option, value in options:
        yield option
        if value:
            yield value
