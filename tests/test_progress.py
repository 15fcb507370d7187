"""How far a long step has come is said on a terminal, late, and nothing is left of it."""

from __future__ import annotations

import os
import pty
import sys
import time

import pytest

from safepip.doors.progress import Progress

HALF_A_SECOND = 0.55


def said(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> str:
    """What a terminal gets to see of a step that lasts longer than half a second."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress("checking files", environ) as progress:
            progress.tell(1, 300)
            time.sleep(HALF_A_SECOND)
            progress.tell(200, 300)
            progress.tell(201, 300)
        terminal.write("the end")
        terminal.flush()
        seen = ""
        while not seen.endswith("the end"):  # it comes in as many parts as it was written in
            seen += os.read(master, 4096).decode()
        return seen


def test_it_is_said_after_half_a_second_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    # By itself: between two steps there may be long silence. (The next come too soon after it.)
    shown = "\r\x1b[Ksafepip: checking files: 1 of 300\r\x1b[Kthe end"
    assert said(monkeypatch, {"TERM": "xterm"}) == shown


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "true"}])
def test_nothing_moves_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    assert said(monkeypatch, environ) == "the end"


def test_the_most_is_said_where_it_may_end_before_and_nothing_is_counted_from_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    for done in (0, 398):
        progress = Progress("looking for what fits", {"TERM": "xterm"}, most="400 questions")
        monkeypatch.setattr(progress, "_write", shown.append)
        monkeypatch.setattr(progress, "_wanted", True)
        monkeypatch.setattr(progress, "_next", 0.0)
        progress.tell(done)
    assert shown == [
        "safepip: looking for what fits",
        "safepip: looking for what fits: 398 of at most 400 questions",
    ]
