"""What is known before a way out is offered: what pip was told, and what it makes of trials."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safepip.decisions.configuring import configured
from safepip.effects.asking import RUNNER, Asking
from safepip.effects.engines import start
from safepip.recipes.course import Course
from safepip.recipes.keep import tried
from safepip.recipes.settings import settings_of
from safepip.values.account import Failed
from safepip.values.request import PipOptions, Policy, Request
from safepip.values.target import Target
from safepip.values.verdict import EngineName
from tests.build import PREFIX, conda, environment

LAB = environment(conda("numpy==1.26.4"))


def course(folder: Path, python: str, engine: EngineName = "one-pass") -> Course:
    """A command whose pip is what ``python`` is."""
    target = Target(PREFIX, python, is_conda=True, chosen_by="--env")
    request = Request("install", ("install", "app"), Policy(), target)
    asking = Asking(python, request.arguments, os.environ, lambda: folder)
    settings = settings_of(configured([]), print)
    return Course(request, start(engine, asking), asking, LAB, time.monotonic(), settings)


@pytest.mark.parametrize("engine", ["one-pass", "two-pass"])
@pytest.mark.parametrize(
    "said",
    [
        "exit 1",
        """printf '%s\\n' '{"type": "hello", "moved": ["a.b"]}' >&$write""",
        """printf '%s\\n' '{"type": "hello", "python": "/other"}' >&$write""",
        """printf 'no JSON\\n' >&$write""",
    ],
    ids=["does not start", "other seams", "another Python", "rubbish"],
)
def test_a_trial_that_fails_is_no_way_out(tmp_path: Path, said: str, engine: EngineName) -> None:
    python = tmp_path / "python"
    write = """write=$(printf '%s' "$2" | sed 's/.*"write": \\([0-9]*\\).*/\\1/')"""
    python.write_text(f"#!/bin/bash\n{write}\n{said}\n")
    python.chmod(0o755)
    assert tried(course(tmp_path, str(python), engine), ("install", "app")) is None


@pytest.mark.parametrize("engine", ["one-pass", "two-pass"])
def test_a_trial_is_waited_for_only_as_long_as_help_is_looked_for(
    tmp_path: Path, engine: EngineName
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nsleep 60\n")
    python.chmod(0o755)
    slow = course(tmp_path, str(python), engine)
    looks: list[int] = []
    slow.settings = slow.settings._replace(looking=looks.append)
    slow.has_verdict()
    assert slow.left > 20
    slow.until = time.monotonic() + 5.5
    since = time.monotonic()
    assert tried(slow, ("install", "app")) is None
    assert time.monotonic() - since < 20
    assert looks
    (said,) = slow.asides
    assert said.startswith("there may be more ways out: ")
    (tmp_path / "started").unlink()
    assert tried(slow, ("install", "app")) is None
    assert not (tmp_path / "started").exists()


def test_a_trial_without_a_python_is_no_way_out(tmp_path: Path) -> None:
    assert tried(course(tmp_path, str(tmp_path / "gone")), ("install", "app")) is None


TOLD = {
    "no_index": ("--no-index", "PIP_NO_INDEX=1"),
    "no_binary": ("--no-binary=click", "PIP_NO_BINARY=:all:"),
    "require_hashes": ("--require-hashes", "PIP_REQUIRE_HASHES=1"),
    "eager": ("--upgrade-strat eager", "PIP_UPGRADE_STRATEGY=eager"),
    "constrained": ("-qc bounds.txt", "PIP_CONSTRAINT=bounds.txt"),
}


@pytest.mark.parametrize("engine", ["one-pass", "two-pass"])
@pytest.mark.parametrize("by", [0, 1, None], ids=["option", "variable", "not at all"])
def test_what_pip_was_told_is_known_however_it_was_told(
    tmp_path: Path, by: int | None, engine: EngineName
) -> None:
    bounds = tmp_path / "bounds.txt"
    bounds.write_text("click<9\n")
    said = [] if by is None else [words[by] for words in TOLD.values()]
    told = [each.replace("bounds.txt", str(bounds)) for each in said]
    arguments = ("install", "click", *" ".join(told if by == 0 else []).split())
    variables = dict(each.split("=", 1) for each in told) if by == 1 else {}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environ = {**plain, "PIP_CONFIG_FILE": os.devnull, **variables}
    asking = Asking(sys.executable, arguments, environ, lambda: tmp_path, silent=True)
    with start(engine, asking) as pip:
        pip.greet()
        options = pip.read_options()
    assert not isinstance(options, Failed)
    assert {name: getattr(options, name) for name in TOLD} == dict.fromkeys(TOLD, by is not None)


def test_what_files_say_of_where_things_come_from_counts_too(tmp_path: Path) -> None:
    file = tmp_path / "all.txt"
    asked = course(tmp_path, sys.executable)
    words = ("install", f"-r{file}")
    lines = {
        "--no-index": "no_index",
        "--no-binary click": "no_binary",
        "--pre": "pre",
        "click==8 --hash=sha256:" + "0" * 64: "require_hashes",
        "click": "",
    }
    for line, name in lines.items():
        file.write_text(f"{line}\n")
        there = replace(asked, request=asked.request._replace(arguments=words))
        told: dict[str, Any] = {name: True} if name else {}
        assert there.wider_options == PipOptions(**told)


def test_a_pipe_that_pip_has_read_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    asked = course(tmp_path, sys.executable)
    words = ("install", "-r", str(tmp_path / "pipe"))
    there = replace(asked, request=asked.request._replace(arguments=words))
    assert there.wider_options == PipOptions()
    assert there.spelled_words == words


@pytest.mark.parametrize("code", [0, 7, None])
def test_what_was_begun_is_brought_to_its_end_before_the_end(
    code: int | None, tmp_path: Path
) -> None:
    program = f"""
import atexit, sys, threading, time
sys.path.insert(0, {str(Path(RUNNER).parent)!r})
from runner import end
atexit.register(print, "registered")
threading.Thread(target=lambda: (time.sleep(0.2), print("threaded"))).start()
print("said")
end({code})
"""
    out = tmp_path / "out"  # Python keeps back what is for a file
    with out.open("w", encoding="utf-8") as file:
        done = subprocess.run([sys.executable, "-c", program], stdout=file, check=False)
    assert done.returncode == (code or 0)
    assert out.read_text("utf-8").split() == ["said", "threaded", "registered"]
