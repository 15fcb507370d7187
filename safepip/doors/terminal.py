"""Messages on a terminal: colour, width, and signs that its encoding knows.

The only module that prints messages. It never fails for what cannot be shown: a broken or closed
stream loses the message, not the command.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from safepip.values.target import KERNEL
from safepip.values.text import WIDTH, in_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.decisions.wording.layout import Line, Span, Style

_NARROWEST = 20
_RESET = "\x1b[0m"
# The sixteen colours of every theme: what they look like is the user's choice.
_CODES: Mapping[Style, str] = {
    "error": "\x1b[1;31m",
    "good": "\x1b[32m",
    "note": "\x1b[33m",
    "label": "\x1b[1m",
    "dim": "\x1b[2m",
    "add": "\x1b[32m",
    "change": "\x1b[33m",
    "refuse": "\x1b[31m",
    "command": "\x1b[36m",
}
_SIGNS = "├└│─…"
_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "…": "~"})
_YES = ("1", "true", "yes", "on", "t", "y")


def show(
    lines: Iterable[Line],
    stream: TextIO | None = None,
    *,
    no_color: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Print a message, on standard error unless told otherwise."""
    out: TextIO | None = sys.stderr if stream is None else stream
    if out is None:  # a program without a console has no standard error
        return
    colour = wants_colour(out, no_color=no_color, environ=environ)
    if environ.get(KERNEL):
        lines = map(_for_notebook, lines)
    if runs_in_github(environ):
        lines = map(_disarmed, lines)
    text = drawn(lines, colour=colour, encoding=_encoding(out))
    try:
        out.write(text)
        out.flush()
    except (OSError, ValueError):
        # Nobody reads any more; the exit code still tells.
        return


def runs_in_github(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether this is a job of GitHub's, which reads what is printed for commands to itself."""
    return environ.get("GITHUB_ACTIONS") == "true"


def say(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Say a sentence on standard error as one line, for where no message is to be laid out."""
    if sys.stderr is not None:
        sys.stderr.write(f"safepip: {in_notebook(text) if environ.get(KERNEL) else text}\n")


def _for_notebook(line: Line) -> Line:
    return type(line)(tuple(type(s)(in_notebook(s.text), s.style) for s in line.spans))


def _disarmed(line: Line) -> Line:
    """Give a line in which GitHub finds no command, whatever texts of others are in it."""
    text = line.text
    if "##[" not in text and not text.lstrip().startswith("::"):
        return line
    plain = text.replace("##[", "## [")
    return type(line)((type(line.spans[0])(plain.replace("::", ": :")),))


def drawn(lines: Iterable[Line], *, colour: bool, encoding: str = "utf-8") -> str:
    """Give the message as the text that a terminal with this encoding receives."""
    plain = not _can_encode(_SIGNS, encoding)
    text = "".join(
        "".join(_painted(span, colour=colour, plain=plain) for span in line.spans).rstrip() + "\n"
        for line in lines
    )
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _painted(span: Span, *, colour: bool, plain: bool) -> str:
    text = span.text.translate(_ASCII) if plain else span.text
    code = _CODES.get(span.style, "") if colour else ""
    return f"{code}{text}{_RESET}" if code and text.strip() else text


def wants_colour(
    stream: TextIO, *, no_color: bool = False, environ: Mapping[str, str] = os.environ
) -> bool:
    """Decide on colour: a no wins over a yes, a yes over what the stream is.

    Source: https://no-color.org and https://force-color.org
    """
    if no_color or environ.get("NO_COLOR") or environ.get("PIP_NO_COLOR", "").lower() in _YES:
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_terminal(stream) and environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether someone looks at the stream; a closed one is no terminal."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def width_of(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Give the columns to wrap at: those of the terminal, but 80 at most."""
    found = environ.get("COLUMNS", "")
    columns = int(found) if found.isdecimal() else 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size((stream or sys.stderr).fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = WIDTH
    return max(_NARROWEST, min(columns or WIDTH, WIDTH))


def _encoding(stream: TextIO) -> str:
    """Give the encoding of the stream; a stream of text without one takes every sign."""
    return getattr(stream, "encoding", None) or "utf-8"


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
