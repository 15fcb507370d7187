"""What the tests of the guard share: two environments, real shells, and who was reached.

    said = run(["bash", "-c", "pip install x"], place.environ())
    assert reached(said) == place.prefix

`SAFEPIP_PROBE` has a safepip that is reached name the environment in a file, and do nothing else.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from safepip.doors.launch import main
from tests.guarded import PATIENCE_SECONDS

SAFEPIP = Path(sys.executable).with_name("safepip")
"""The command, as it is installed beside the Python of the tests."""
SYSTEM = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Done:
    """How a command ended, and which environment safepip was reached for, if it was."""

    code: int
    out: str
    err: str
    reached: str | None

    @property
    def said(self) -> str:
        """The standard error, without the ends of its lines: where they are depends on paths."""
        return " ".join(self.err.split())


def run(
    words: Sequence[str | Path],
    environ: Mapping[str, str],
    *,
    probe: bool = True,
    cwd: Path | None = None,
    stdin: str = "",
) -> Done:
    """Run a command that sees these variables and no others."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        told = Path(folder) / "told"
        given = {**environ, **({"SAFEPIP_PROBE": str(told)} if probe else {})}
        done = subprocess.run(
            [str(word) for word in words],
            env=given,
            cwd=cwd or folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        found = json.loads(told.read_text("utf-8")) if told.exists() else {}
    reached = found.get("prefix") or found.get("error")
    return Done(done.returncode, done.stdout, done.stderr, reached)


def safepip(*words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
    """Run safepip's command where no environment is active."""
    given = {"PATH": with_command(), "HOME": os.environ["HOME"], **(environ or {})}
    return run([SAFEPIP, *words], given, probe=False)


def here(*words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
    """The same in this process, which is spared a start of Python."""
    given = {"PATH": with_command(), "HOME": os.environ["HOME"], **(environ or {})}
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in set(os.environ) - set(given):
            patch.delenv(name)
        for name, value in given.items():
            patch.setenv(name, value)
        code = main([str(word) for word in words])
    out.seek(0)
    err.seek(0)
    return Done(code, out.read(), err.read(), None)


def with_command(path: str = SYSTEM) -> str:
    """A `PATH` on which `safepip` is found as well, and nothing else that is not on ``path``."""
    found = shutil.which("safepip")
    assert found is not None  # the session has put it there
    return f"{path}:{Path(found).parent}"


def needs(*programs: str) -> None:
    """Skip a test whose programs this machine does not have."""
    for program in programs:
        if shutil.which(program, path=f"{SYSTEM}:/usr/sbin:/sbin") is None:
            pytest.skip(f"there is no {program} here: apt install {program}")
