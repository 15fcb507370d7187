"""Plans that are made only to check a way out: where one fails, the refusal stands without it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from safepip.effects.asking import Asking
from safepip.effects.engines import start
from safepip.recipes.course import Course
from safepip.recipes.keep import tried
from safepip.recipes.settings import settings_of
from safepip.values.request import Policy, Request
from safepip.values.target import Target
from safepip.values.verdict import EngineName
from tests.build import PREFIX, conda, environment

LAB = environment(conda("numpy==1.26.4"))


def course(folder: Path, python: str, engine: EngineName = "one-pass") -> Course:
    """A command whose pip is what ``python`` is."""
    target = Target(PREFIX, python, is_conda=True, chosen_by="--env")
    request = Request("install", ("install", "app"), Policy(), target)
    asking = Asking(python, request.arguments, os.environ, folder)
    settings = settings_of({}, print)
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
    assert slow.left > 30
    slow.until = time.monotonic() + 0.5
    since = time.monotonic()
    assert tried(slow, ("install", "app")) is None
    assert time.monotonic() - since < 20
    assert looks
    (tmp_path / "started").unlink()
    assert tried(slow, ("install", "app")) is None
    assert not (tmp_path / "started").exists()


def test_a_trial_without_a_python_is_no_way_out(tmp_path: Path) -> None:
    assert tried(course(tmp_path, str(tmp_path / "gone")), ("install", "app")) is None
