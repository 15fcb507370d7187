"""In a job of GitHub's: one annotation for a command that was not clear, and the job's summary."""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings

from safepip.decisions.drawing.annotation import (
    annotation,
    annotation_of_error,
    annotations_of_file,
    is_worth_telling,
)
from safepip.decisions.wording.layout import Line, Span
from safepip.doors.github import tell_outcome
from safepip.doors.terminal import show
from safepip.effects.appending import append_summary
from safepip.values.environment_file import FileFinding
from safepip.values.errors import NoEngine, NotWritable
from safepip.values.verdict import Outcome
from tests.build import artifact, plan
from tests.everywhere import here
from tests.saying import LAB, blocked, clear, kept
from tests.wild import SECRET, outcomes

COMMAND = re.compile(r"::(error|notice) title=safepip [a-z-]+::[^\r\n]+")


def test_a_refusal_is_one_line_with_the_ways_out() -> None:
    wanted = plan(LAB, artifact("numpy==2.4.1"))
    assert annotation(blocked(wanted, "install", "numpy==2.4.1")) == (
        "::error title=safepip conda-owned::this install would replace conda's numpy 1.26.4 with "
        "2.4.1%0Alet conda change numpy, if it can (unchecked):%0A"
        "conda install -p /opt/conda/envs/lab numpy==2.4.1%0A"
        "replace conda's numpy on purpose; conda's scipy 1.11.4 then lacks what it needs:%0A"
        "safepip install --allow numpy numpy==2.4.1%0ANothing was installed."
    )


def test_a_summary_that_cannot_be_made_is_no_end_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_outcome(clear(artifact("rich==14.0"), verb="plan", conda=object()), has_document=False)
    assert "summary says nothing of this: AttributeError" in capsys.readouterr().err


def test_what_was_kept_is_a_notice_and_what_is_clear_is_nothing() -> None:
    assert annotation(kept(acted=True)).startswith(
        "::notice title=safepip kept::conda's versions are kept%0A"
        "opencv-python 4.11.0.86 instead of 4.13.0.90: "
    )
    assert not is_worth_telling(clear(artifact("rich==14.0")))
    assert not is_worth_telling(Outcome(1, None))


def test_an_error_is_escaped() -> None:
    error = NoEngine("100% of\n`a:b,c` is\r\x1b[31mbad", why="of https://me:secret@host/x")
    assert annotation_of_error(error, "install") == (
        "::error title=safepip no-engine::100%25 of%0A`a:b,c` is%0A?[31mbad%0A"
        "Nothing was installed."
    )


@given(outcomes())
@settings(max_examples=40)
def test_whatever_happened_is_told_in_one_line_without_secrets(outcome: Outcome) -> None:
    line = annotation(outcome)
    assert COMMAND.fullmatch(line), line
    assert line.isprintable()
    assert SECRET not in line


FILE = """\
name: x
odd: 1
dependencies:
  - numpy=1.26
  - pip:
      # not this one
      - numpy # but this
      - -r no%3A,pe.txt
"""


def test_a_problem_of_a_file_is_told_at_its_line(tmp_path: Path) -> None:
    file, summary = tmp_path / "sub" / "environment.yml", tmp_path / "summary.md"
    file.parent.mkdir()
    file.write_text(FILE, encoding="utf-8")
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = here("check-file", file, environ={**job, "GITHUB_WORKSPACE": str(tmp_path)})
    assert done.code == 1
    start, twice = "::error file=sub/environment.yml,line=", "which conda brings as `numpy=1.26`"
    no_pip = "there is a part for pip, and conda's part does not name `pip`"
    assert done.err.splitlines() == [
        f"{start}8,title=safepip missing::`no%253A,pe.txt` is not there",
        f"{start}3,title=safepip no-pip::{no_pip}",
        f"{start}7,title=safepip twice::pip is to install `numpy`, {twice}; take out one of them",
    ]
    found = summary.read_text(encoding="utf-8").splitlines()
    assert found[1] == "### safepip: 3 problems"
    assert [line.partition(": ")[0] for line in found[5:-1]] == [
        *("- line 8", "- line 3", "- line 7", "- note", "- line 2")
    ]
    file.write_text("dependencies: [pip]\n", encoding="utf-8")
    assert here("check-file", file, environ=job).err == ""


def test_more_problems_than_github_takes_are_counted() -> None:
    many = [FileFinding("missing", "problem", f"{at}.txt", line=at) for at in range(1, 13)]
    told = annotations_of_file("/w,1/e.yml", many, workspace="/w,1")
    assert [line.partition(",")[0] for line in told] == ["::error file=e.yml"] * 10
    assert told[-1] == (
        "::error file=e.yml,title=safepip check-file::e.yml: 3 more problems, which the summary of "
        "the job lists"
    )
    assert len(annotations_of_file("e.yml", many[:10])) == 10
    assert annotations_of_file("/a,b/e.yml", many[:1])[0].startswith("::error file=/a%2Cb/e.yml,")


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("::add-mask::x", ": :add-mask: :x"),
        ("  ::error::x", "  : :error: :x"),
        ("said ##[error]x", "said ## [error]x"),
        ("https://[::1]/x", "https://[::1]/x"),
    ],
)
def test_texts_of_others_give_github_no_commands(text: str, there: str) -> None:
    out = StringIO()
    show([Line((Span(text),))], out, environ={"GITHUB_ACTIONS": "true"})
    show([Line((Span(text),))], out, environ={})
    assert out.getvalue() == f"{there}\n{text}\n"


def test_a_summary_is_added_to_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("mine\n")
    append_summary(str(file), "### one")
    append_summary(str(file), "### two")
    assert file.read_text() == "mine\n\n### one\n\n### two\n"


def test_a_summary_that_cannot_be_had_is_no_more_than_that(tmp_path: Path) -> None:
    full, pipe = tmp_path / "full", tmp_path / "pipe"
    full.write_bytes(b"x" * (1024 * 1024 - 5))
    os.mkfifo(pipe)
    for path in (full, pipe, tmp_path, tmp_path / "no" / "file", Path("/dev/full")):
        with pytest.raises(NotWritable):
            append_summary(str(path), "more")
    assert full.stat().st_size == 1024 * 1024 - 5
