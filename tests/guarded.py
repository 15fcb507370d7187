"""safepip's command: one process, one environment, and what that did to conda's files.

    done = safepip(environment, "install", "numpy<2", env={"PIP_INDEX_URL": url}, cwd=folder)
    assert (done.exit_code, done.answer["verdict"], done.touched) == (0, "clear", {})

`safepip` names the environment by `--env`; `paste` runs a printed line in a shell in which the
environment is active. Both ask for `--json`, and both hash every file of conda's before and after.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forked
from tests.forked import SAFEPIP
from tests.lab import CondaEnvironment, changed, conda_bytes

PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Guarded:
    """How a command ended."""

    command: str
    exit_code: int
    stdout: str
    stderr: str
    touched: Mapping[str, tuple[str, str]]
    """The conda-owned paths that are not what they were, each with what was and is there."""

    @property
    def answer(self) -> dict[str, Any]:
        """The object on stdout.

        Raises: AssertionError, when stdout holds anything but one object.
        """
        try:
            found = json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"expected one JSON object on stdout\n{self}") from None
        assert isinstance(found, dict), self
        return found

    def __str__(self) -> str:
        touched = "".join(f"touched: {path}: {pair}\n" for path, pair in self.touched.items())
        head = f"$ {self.command}\nexit code {self.exit_code}\n"
        try:
            stdout = json.dumps(json.loads(self.stdout), indent=1)
        except ValueError:
            stdout = self.stdout
        return f"{head}{touched}--- stdout\n{stdout}\n--- stderr\n{self.stderr}"


def safepip(
    environment: CondaEnvironment,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    named: bool = True,
) -> Guarded:
    """Run safepip's command in a shell in which the environment is active.

    ``named=False``: without `--env`, so that safepip has to find the environment.
    """
    which = ["--env", str(environment.prefix)] if named else []
    words = [*SAFEPIP, *which, "--json", *(str(one) for one in arguments)]
    return run(environment, words, env=env, cwd=cwd)


def paste(
    environment: CondaEnvironment,
    line: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Guarded:
    """Run a line as it was printed, in a shell that has the command `safepip`."""
    given = environment.environ(env)
    with tempfile.TemporaryDirectory(prefix="bin-") as folder:
        command = Path(folder) / "safepip"
        # What is pip's own has no object.
        json_ = 'json=--json; [ "$1" != pip ] || json='
        start = f'exec {shlex.quote(sys.executable)} -m safepip $json "$@"'
        command.write_text(f"#!/bin/sh\n{json_}\n{start}\n", encoding="utf-8")
        command.chmod(0o755)
        path = {"PATH": os.pathsep.join([folder, given["PATH"]])}
        return run(environment, ["sh", "-c", line], env={**(env or {}), **path}, cwd=cwd)


def run(
    environment: CondaEnvironment,
    words: list[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    watched: bool = True,
) -> Guarded:
    """Run any command with the environment active, and see what it does to conda's files.

    ``watched=False``: do not, which takes half a second less.
    """
    before = conda_bytes(environment.prefix) if watched else {}
    place = cwd or environment.prefix.parent
    done = forked.run(words, environment.environ(env), cwd=place, timeout=PATIENCE_SECONDS)
    touched = changed(before, conda_bytes(environment.prefix)) if watched else {}
    return Guarded(shlex.join(words), done.returncode, done.stdout, done.stderr, touched)


def owned_by(environment: CondaEnvironment, distributions: set[str]) -> set[str]:
    """The paths of the conda packages that hold these distributions, by name.

    Read before anything is changed: which package holds a distribution is seen by its metadata.
    """
    paths: set[str] = set()
    for file in environment.conda_meta.glob("*.json"):
        files = set(json.loads(file.read_bytes())["files"])
        infos = {path.split("/")[-2] for path in files if path.endswith(".dist-info/METADATA")}
        infos |= {path.split("/")[-2] for path in files if path.endswith(".egg-info/PKG-INFO")}
        infos |= {path.split("/")[-1] for path in files if path.endswith(".egg-info")}
        names = {info.split("-")[0].replace("_", "-").replace(".", "-").lower() for info in infos}
        names.add(json.loads(file.read_bytes())["name"].replace("_", "-").replace(".", "-"))
        if names & distributions:
            paths |= files
    return paths
