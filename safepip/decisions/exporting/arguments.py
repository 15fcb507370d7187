"""From the lines of pip's part of a file to arguments of `pip install`. Pure."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from safepip.decisions.exporting.lines import editable_in, name_in, option_in, without_comment
from safepip.values.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from safepip.values.environment_file import EnvironmentFile

Words = tuple[str, ...]

_PATHS = ("--constraint", "--requirement", "--find-links")
_OF_A_LINE = re.compile(r"\s(?:--hash|--config-settings?|-C|--global-option)\b")
"""Options that pip knows only behind a requirement in a file."""
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_PATH = re.compile(r"\.{0,2}/|\.{1,2}(?:\[.*\])?$|[^:]*\.(?:whl|tar\.gz|zip)(?:\[.*\])?$")


def words_of_lines(
    file: EnvironmentFile, environ: Mapping[str, str], located: Callable[[str], str]
) -> tuple[Words, ...]:
    """Give the words of each line, with variables filled in as pip does it.

    ``located`` gives where a relative path is, as seen from the file.

    Raises: UnreadableFile.
    """

    def filled(found: re.Match[str]) -> str:
        return environ.get(found[1]) or found[0]

    texts = (_VARIABLE.sub(filled, without_comment(line.text)) for line in file.lines)
    return tuple(_words(file.path, text, located) for text in texts if text)


def _words(path: str, text: str, located: Callable[[str], str]) -> Words:
    editable = editable_in(text)
    if editable:
        return ("-e", located(editable.strip("\"'")))
    if not text.startswith("-"):
        return (located(text) if not name_in(text) and _PATH.match(text) else text,)
    option, value = option_in(text)
    if option in _PATHS:
        return (option, located(value))
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UnreadableFile(path, f"`{text}`: {error}") from error


def needs_a_file(words: Iterable[Words]) -> bool:
    """Say whether pip takes these lines in a file of requirements only."""
    return any(_OF_A_LINE.search(word) for line in words for word in line[:1])


def as_file(words: Iterable[Words]) -> str:
    """Give the lines as a file of requirements."""
    return "".join(f"{shlex.join(w) if w[0].startswith('-') else w[0]}\n" for w in words)
