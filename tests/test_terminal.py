"""Messages as terminals receive them."""

from __future__ import annotations

import io
import os
import pty
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.wording.layout import Line, Span
from safepip.doors.terminal import drawn, say, show, wants_colour, width_of

LINES = (
    Line((Span("error[x]", "error"), Span(": it broke"))),
    Line(),
    Line((Span("├── ", "dim"), Span("! ", "refuse"), Span("numpy 1 -> 2"))),
    Line((Span("│   └── ", "dim"), Span("a…  "))),
)


def stream(encoding: str) -> TextIO:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")


def written(out: TextIO) -> bytes:
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue()


@contextmanager
def terminal(columns: int = 0) -> Iterator[TextIO]:
    """A stream that leads to a real terminal with so many columns."""
    master, slave = pty.openpty()
    with os.fdopen(master, "rb"), os.fdopen(slave, "w", encoding="utf-8") as out:
        if columns:
            import fcntl
            import termios

            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        yield out


# --------------------------------------------------------------------------- what is written


def test_a_message_is_plain_text_where_no_one_looks() -> None:
    out = stream("utf-8")
    show(LINES, out, environ={})
    assert written(out).decode() == "error[x]: it broke\n\n├── ! numpy 1 -> 2\n│   └── a…\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_fall_back_to_ascii(encoding: str) -> None:
    out = stream(encoding)
    show(LINES, out, environ={})
    assert written(out) == b"error[x]: it broke\n\n|-- ! numpy 1 -> 2\n|   `-- a~\n"


def test_what_an_encoding_does_not_know_is_spelled_out() -> None:
    out = stream("ascii")
    show((Line((Span("/home/zoë/漢"),)),), out, environ={})
    assert written(out) == rb"/home/zo\xeb/\u6f22" + b"\n"


def test_a_notebook_is_told_of_its_own_command(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (Line((Span("see "), Span("`safepip history`", "command"))),)
    show(lines, environ={"SAFEPIP_KERNEL_PREFIX": "/e"})
    say("say `safepip undo` again", environ={"SAFEPIP_KERNEL_PREFIX": "/e"})
    said = "see `%safepip history`\nsafepip: say `%safepip undo` again\n"
    assert capsys.readouterr().err == said


def test_colours_are_those_of_the_user_s_theme() -> None:
    out = stream("utf-8")
    show(LINES, out, environ={"FORCE_COLOR": "1"})
    assert written(out).decode() == (
        "\x1b[1;31merror[x]\x1b[0m: it broke\n"
        "\n"
        "\x1b[2m├── \x1b[0m\x1b[31m! \x1b[0mnumpy 1 -> 2\n"
        "\x1b[2m│   └── \x1b[0ma…\n"
    )


def test_a_message_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    show((Line((Span("said"),)),), environ={})
    assert capsys.readouterr() == ("", "said\n")


def test_a_stream_that_is_closed_or_broken_loses_the_message_only() -> None:
    closed = stream("utf-8")
    closed.close()
    show(LINES, closed, environ={})
    reader, writer = os.pipe()
    os.close(reader)
    broken = os.fdopen(writer, "w", encoding="utf-8")
    show(LINES, broken, environ={})
    with pytest.raises(BrokenPipeError):
        broken.close()


def test_no_standard_error_at_all_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    show(LINES, environ={})


def test_a_stream_of_text_takes_every_sign() -> None:
    out = io.StringIO()
    show(LINES, out, environ={})
    assert out.getvalue().endswith("│   └── a…\n")


@given(st.text(), st.sampled_from(["utf-8", "ascii", "cp1252", "utf-16"]), st.booleans())
def test_nothing_that_is_said_fails_to_be_written(text: str, encoding: str, colour: bool) -> None:
    assert drawn((Line((Span(text, "error"),)),), colour=colour, encoding=encoding).endswith("\n")


# --------------------------------------------------------------------------- colour


@pytest.mark.parametrize(
    ("environ", "no_color", "expected"),
    [
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, False, True),
        ({"FORCE_COLOR": "1", "PIP_NO_COLOR": "TRUE"}, False, False),
        ({"FORCE_COLOR": "1", "PIP_NO_COLOR": "0"}, False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
    ],
)
def test_a_no_wins_over_a_yes(
    environ: dict[str, str],
    no_color: bool,
    expected: bool,
) -> None:
    assert wants_colour(stream("utf-8"), no_color=no_color, environ=environ) is expected


def test_a_terminal_is_coloured_unless_it_is_dumb() -> None:
    with terminal() as out:
        assert wants_colour(out, environ={"TERM": "xterm"})
        assert not wants_colour(out, environ={"TERM": "dumb"})
        assert not wants_colour(out, environ={"NO_COLOR": "1"})


def test_a_closed_stream_is_not_coloured() -> None:
    out = stream("utf-8")
    out.close()
    assert not wants_colour(out, environ={})


# --------------------------------------------------------------------------- width


@pytest.mark.parametrize(("columns", "width"), [(40, 40), (80, 80), (200, 80), (5, 20)])
def test_the_width_is_that_of_the_terminal_but_80_at_most(columns: int, width: int) -> None:
    with terminal(columns) as out:
        assert width_of(out, {}) == width


@pytest.mark.parametrize(
    ("environ", "width"),
    [({"COLUMNS": "60"}, 60), ({"COLUMNS": "0"}, 80), ({"COLUMNS": "wide"}, 80), ({}, 80)],
)
def test_the_width_is_what_the_user_says_or_80(environ: dict[str, str], width: int) -> None:
    assert width_of(stream("utf-8"), environ) == width


def test_a_terminal_that_does_not_know_its_width_has_80_columns() -> None:
    with terminal() as out:
        assert width_of(out, {}) == 80
