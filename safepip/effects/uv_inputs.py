"""Files that uv is told to read: by full paths, and each of them readable as often as needed."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from safepip.effects.inputs import copied_once
from safepip.values.errors import CannotJudge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safepip.decisions.uv.words import UvCommand

_FILES = ("--requirements", "--constraints", "--build-constraints", "--overrides", "--excludes")
INPUT_COPY = "input.txt"
"""The name of the copy of the standard input."""
_INPUT = "-"
"""What uv reads the standard input for."""
_MOST_BYTES = 16 * 1024**2
_LEADS = re.compile(
    rb"^([ \t]*(?:-[rcf]|--(?:requirement|constraint)s?|--find-links)[ \t]*=?[ \t]*)"
    rb"(?=[^\s=/-])(?![A-Za-z]+:/|\$\{)([^\r\n#]*)",
    re.MULTILINE,
)
"""A line that leads to another file, by a path that is counted from this one: its start, and that.

What begins with a variable is left to uv, which puts its value there: mostly a path in full.
"""
_NOT_IN_A_LINE = re.compile(rb"[^\w./+@~,:=-]")
"""What ends a path in a line, or may, for uv or whoever reads the line after it."""


def with_files(command: UvCommand, environ: Mapping[str, str], folder: Path) -> UvCommand:
    """Give the command with its files by full paths, and with copies of what is read only once.

    ``folder`` is where the copies are made.

    Raises: CannotJudge.
    """
    given = command.values(*_FILES)
    places = {f: _in_full(command.path(f, environ), f) for f in given if f != _INPUT}
    copies = copied_once(places.values(), folder)
    files = {file: copies.get(place, place) for file, place in places.items()}
    if _INPUT in given:
        files[_INPUT] = _copy_of_input(command.path(".", environ), folder / INPUT_COPY)
    options = tuple((n, files.get(v, v) if n in _FILES and v else v) for n, v in command.options)
    return replace(command, options=options)


def _in_full(path: str, given: str) -> str:
    """Give the path in full where uv is to work in another folder than this process."""
    return given if path == given or "://" in given else os.path.abspath(path)


def _copy_of_input(works_in: str, copy: Path) -> str:
    """Write down what the standard input has, with full paths for the files that it leads to.

    Raises: CannotJudge.
    """
    try:
        with open(0, "rb", closefd=False) as stream:
            text = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CannotJudge(f"cannot read the standard input: {error.strerror}") from error
    if len(text) > _MOST_BYTES:
        raise CannotJudge(f"the standard input has more than {_MOST_BYTES} bytes")
    copy.write_bytes(with_full_paths(text, os.path.abspath(works_in)))
    return str(copy)


def with_full_paths(text: bytes, folder: str) -> bytes:
    """Give lines of requirements that lead to the same files wherever they stand.

    ``folder`` is the one that their paths are counted from, in full. Where no line can say it as it
    is, it is a URL, in which it can be spelled.
    """
    start = os.fsencode(folder) + b"/"
    if _NOT_IN_A_LINE.search(start) is None:
        return _LEADS.sub(lambda found: found[1] + start + found[2], text)
    start = b"file://" + quote_from_bytes(start).encode()

    def led(found: re.Match[bytes]) -> bytes:
        return found[1] + start + found[2].replace(b"%", b"%25").replace(b"?", b"%3F")

    return _LEADS.sub(led, text)
