"""`scripts/demo`: that it goes as it says, and that it would say so if it did not."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.walk.__main__ import main
from scripts.walk.making import NotInReach, by_rattler, by_tool, make, packages
from scripts.walk.story import STORIES, Step, steps_of, story_of
from scripts.walk.walking import Unexpected, carry_out
from tests.lab import CondaEnvironment, changed, conda_bytes, pip, python
from tests.lab.channel import channel

REPOSITORY = Path(__file__).resolve().parents[1]
STORY = story_of(sys.version_info[:2])


@pytest.mark.network
def test_every_step_goes_as_said_and_the_printed_command_goes_on(tmp_path: Path) -> None:
    environ = {**os.environ, "SAFEPIP_DEMO_CHANNEL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.walk", tmp_path],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    headings = [line.split("  ")[1] for line in done.stdout.splitlines() if line[:3] == "---"]
    assert headings[:-1] == [step.heading for step in steps_of(STORY, genuine=False)]

    before = conda_bytes(tmp_path / "env")
    counted = f"before: {len(before):,} files   after: {len(before):,} files   equal: "
    assert f"{counted}{len(before):,}\n" in done.stdout
    printed = next(line for line in done.stdout.splitlines() if f" plan {STORY.exactly}" in line)
    again = subprocess.run(
        shlex.split(printed), cwd=REPOSITORY, env=environ, capture_output=True, check=False
    )
    assert (again.returncode, changed(before, conda_bytes(tmp_path / "env"))) == (10, {})


@pytest.mark.network
def test_packages_of_a_channel_are_taken_where_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)  # no conda on it
    url = channel([python(), pip(), *packages(STORY)]).as_uri()
    made = make(tmp_path / "env", STORY, url)
    assert (made.how, made.genuine) == (f"genuine packages of {url}, by py-rattler", True)
    assert made.environment.distributions()["numpy"] == STORY.numpy
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


def test_a_channel_that_does_not_answer_is_said(tmp_path: Path) -> None:
    url = tmp_path.as_uri()
    with pytest.raises(NotInReach, match=f"^the channel {url} is not in reach$"):
        by_rattler(tmp_path / "env", ["python"], url)


def test_a_channel_without_the_packages_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotInReach, match=r"^py-rattler says: .*numpy"):
        by_rattler(tmp_path / "env", ["numpy=1.26.4"], channel([python()]).as_uri())


def test_the_tool_on_path_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    _command(tmp_path / "micromamba", 'echo "$@" >"$0.said"; mkdir -p "$8/conda-meta"')
    how = by_tool(tmp_path / "env", ["python=3.12", "numpy"], "conda-forge")
    assert how == "genuine packages of conda-forge, by micromamba"
    assert (tmp_path / "micromamba.said").read_text() == (
        "create --yes --quiet --override-channels --channel conda-forge "
        f"--prefix {tmp_path / 'env'} python=3.12 numpy\n"
    )


def test_a_tool_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    _command(tmp_path / "conda", "exit 1")
    with pytest.raises(NotInReach, match=r"^`conda create` ended with 1$"):
        by_tool(tmp_path / "env", ["python"], "conda-forge")


def test_a_folder_that_is_no_environment_is_not_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "env" / "precious"
    precious.mkdir(parents=True)
    assert (main([str(tmp_path)]), precious.is_dir()) == (1, True)
    assert capsys.readouterr().err == (
        f"scripts/demo: cannot make the environment: `{tmp_path / 'env'}` is there and no conda "
        "environment: remove it by hand\n"
    )


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (
            Step(heading="", command=("true",), ends_with=10, says=("no",), present=("rich",)),
            "expected exit code 10, got 0; expected it to say `no`; expected rich to be installed",
        ),
        (
            Step(heading="", command=("true",), says=(), absent=("six",)),
            r"expected six not to be installed",
        ),
        (
            Step(heading="", command=("sh", "-c", "echo >>$CONDA_PREFIX/bin/tool"), says=()),
            r"1 of conda's files changed, such as `bin/tool`",
        ),
    ],
)
def test_a_step_that_goes_otherwise_ends_the_demo(tmp_path: Path, step: Step, fault: str) -> None:
    environment = _environment(tmp_path)
    with pytest.raises(Unexpected, match=f"^{fault}$"):
        carry_out(step, environment, conda_bytes(environment.prefix))


def test_a_command_is_shown_with_what_it_says_and_without_what_pip_looks_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("printf", "Collecting rich\\n  Downloading rich.whl\\nWould install rich\\n")
    environment = _environment(tmp_path)
    step = Step(heading="", command=words, says=("Downloading", "^Collecting"))
    carry_out(step, environment, conda_bytes(environment.prefix))
    assert capfd.readouterr().out == f"$ {shlex.join(words)}\nWould install rich\n"


@pytest.mark.parametrize("minor", STORIES)
def test_headings_fit_a_terminal(minor: tuple[int, int]) -> None:
    steps = steps_of(STORIES[minor], genuine=False)
    assert max(len(f"--- 9/9  {step.heading}") for step in steps) <= 80


def _environment(folder: Path) -> CondaEnvironment:
    files = {
        "bin/tool": "",
        "lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA": "Name: six\n",
        "conda-meta/tool-1.0-0.json": json.dumps({"files": ["bin/tool"]}),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return CondaEnvironment(folder, ())


def _command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
