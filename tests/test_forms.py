"""The forms of `plan`, from end to end."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from safepip.doors.launch import main
from tests.guarded import Guarded, run
from tests.lab import CondaEnvironment, create, fake, from_wheel, make_wheel

LIBNUM = make_wheel("libnum", "1.26")
HOUSE = (
    make_wheel("libnum", "2.4"),
    make_wheel("vision", "4.11", requires=["libnum>=1.20"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("forms")
    for wheel in HOUSE:
        wheel.write(place / "wheels")
    holder = fake("stats", "1.4", depends=["libnum >=1.20,<2"])
    return create(place / "lab", from_wheel(LIBNUM), holder)


def plan(lab: CondaEnvironment, *arguments: str | Path, **more: str) -> Guarded:
    words = [sys.executable, "-m", "safepip", "--env", str(lab.prefix), *map(str, arguments)]
    links = {"PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"), "PIP_NO_CACHE_DIR": "1"}
    return run(lab, words, env={"PIP_NO_INDEX": "1", "COLUMNS": "80", **links, **more})


def test_a_plan_as_markdown_and_as_a_page(lab: CondaEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "plan.html"
    done = plan(lab, "plan", "--markdown", "--html", file, "vision==5.0")
    page = file.read_text(encoding="utf-8")
    assert (done.exit_code, done.touched) == (10, {}), done
    assert done.stdout.startswith("### safepip: blocked (conda-owned)\n")
    assert '  n2 -.->|"libnum #62;#61;1.20,#60;2"| n1\n' in done.stdout
    assert "this install would replace conda's libnum 1.26 with 2.4" in done.stdout
    assert re.search(r"<svg .*libnum 1\.26 -&gt; 2\.4.*stats 1\.4.*</svg>", page, re.DOTALL)


def test_a_plan_as_a_table(lab: CondaEnvironment) -> None:
    done = plan(lab, "--table", "plan", "vision")
    assert done.exit_code == 0, done
    lines = done.stdout.splitlines()
    start = lines.index("  package  now  then  owner  why") - 1
    assert lines[start : start + 4] == [
        "",
        "  package  now  then  owner  why",
        "+ vision   -    4.11  -      new; instead of 5.0; requested",
        "= already there: libnum 1.26 (conda)",
    ]


def test_what_is_there_already_is_shown_although_nothing_is_to_do(lab: CondaEnvironment) -> None:
    done = plan(lab, "plan", "libnum")
    assert done.stdout.splitlines()[-3:] == [
        "",
        "safepip install libnum",
        "└── = already there: libnum 1.26 (conda)",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["install", "--table", "x"], "`--table` is an option of `plan`, not of `install`"),
        (["--html", "x.html", "uninstall", "x"], "`--html` is an option of `plan`"),
        (["plan", "--tree", "--markdown", "x"], "expected one of `--tree`, `--markdown`"),
        (["plan", "--html", "/no/such/folder/x.html", "x"], "cannot write"),
        (["plan", "--html=/", "x"], "cannot write"),
    ],
)
def test_forms_that_cannot_be_had_are_told_before_pip_is_asked(
    words: list[str], says: str, lab: CondaEnvironment
) -> None:
    done = plan(lab, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"error[usage]: {says}" in done.stderr
    assert "Collecting" not in done.stderr


def test_a_page_that_cannot_be_written_is_an_error_and_one_object(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    done = plan(lab, "plan", "--json", "--html", tmp_path / "full", "libnum")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"]) == (2, "usage")
    assert answer["findings"][0]["message"].endswith("No space left on device")


def test_the_help_of_a_plan_tells_safepip_s_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "numpy", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Usage: safepip plan [OPTIONS] INSTALL-ARGUMENTS")
    assert "--prefer-conda From conda what it has, and pip the rest." in said
    assert "`safepip install --help` lists that" in said
    assert "--no-undo" not in said


def test_a_job_of_github_has_an_annotation_and_a_summary(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    file = tmp_path / "summary.md"
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file)}
    held = plan(lab, "plan", "--json", "vision", **job)
    assert (held.exit_code, held.stderr.count("::notice title=safepip kept::")) == (0, 1)
    refused = plan(lab, "install", "--json", "vision==5.0", **job)
    assert (refused.exit_code, refused.answer["code"]) == (10, "conda-owned")
    assert refused.stderr.count("::error title=safepip conda-owned::") == 1
    heads = [line for line in file.read_text().splitlines() if line.startswith("###")]
    assert heads == ["### safepip: kept", "### safepip: blocked (conda-owned)"]
    before = file.read_text()
    # Who asks for Markdown puts it there; and a summary that cannot be written changes nothing.
    assert plan(lab, "plan", "--markdown", "vision", **job).exit_code == 0
    job["GITHUB_STEP_SUMMARY"] = str(tmp_path)
    wrong = plan(lab, "plan", "--strict", "--nonsense", "--html", tmp_path, "x", **job)
    assert (wrong.exit_code, wrong.stderr.count("::error title=safepip usage::")) == (2, 1)
    assert "safepip: the job's summary says nothing of this: cannot write" in wrong.stderr
    assert file.read_text() == before
