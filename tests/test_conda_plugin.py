"""safepip in conda: as a subcommand, and as a health check. With a real conda, where one is.

conda is not on PyPI, but on GitHub and in conda's own channels. So these tests run only where there
is one already, and say what is missing where they are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.doctoring import Patient, patient
from tests.guarded import paste
from tests.lab import from_wheel, make_wheel

AT_START = dict(os.environ)
OLDER = make_wheel("condas", "1.0", {"condas.py": "1\n"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    if not program():
        pytest.skip(
            "there is no `conda` on PATH, and CONDA_EXE names none: install Miniforge, or a "
            "checkout of conda in a virtual environment (26.8 was tried), and safepip beside it: "
            "`conda run -n base python -m pip install .`"
        )
    if "safepip" not in run("safepip", "--help").stdout:
        pytest.skip(
            f"`{program()}` has no subcommand `safepip`: install safepip beside it: "
            "`conda run -n base python -m pip install .`"
        )
    found = patient(tmp_path_factory.mktemp("plugin"), from_wheel(OLDER))
    make_wheel("condas", "2.0", {"condas.py": "2\n"}).write(found.links)
    found.fresh("conda")
    return found


@cache
def program() -> str:
    return AT_START.get("CONDA_EXE") or shutil.which("conda", path=AT_START["PATH"]) or ""


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [program() or "false", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_subcommand_and_a_health_check_that_mends(made: Patient) -> None:
    made.install("condas==2.0")
    for words in (("-p", made.prefix, "doctor"), ("doctor", "-p", made.prefix)):
        answer = run("safepip", *words, "--json")
        assert answer.returncode == 1, answer
        assert [f["kind"] for f in json.loads(answer.stdout)["findings"]] == ["replaced"]
    report = run("doctor", "-p", made.prefix)
    assert "conda has 1.0, on disk is 2.0" in report.stdout
    assert "on disk is" not in run("doctor", "-p", made.prefix, "--json").stdout
    mended = run("doctor", "-p", made.prefix, "--fix", "safepip", "-y")
    assert (mended.returncode, "safepip: repaired" in mended.stdout) == (0, True), mended
    assert made.findings() == []


def test_what_is_printed_for_conda_mends_it_as_it_is_pasted(made: Patient) -> None:
    made.fresh("conda")
    before = made.bytes()
    made.install("condas==2.0")
    path = f"{Path(program()).parent}:{made.environment.environ()['PATH']}"
    channel = next(
        json.loads(file.read_bytes())["channel"].rpartition("/")[0]
        for file in made.environment.conda_meta.glob("condas-*.json")
    )
    own = {"PATH": path, "CONDA_CHANNELS": channel, "CONDA_ALWAYS_YES": "1"}
    commands = [fix["command"] for fix in made.doctor(env=own)["fixes"]]
    [command] = [command for command in commands if command.startswith("conda install ")]
    assert command.index("--download-only") < command.index("safepip pip uninstall -y condas")
    done = paste(made.environment, command, env=own)
    assert done.exit_code == 0, done
    assert (made.findings(), made.bytes()) == ([], before)
