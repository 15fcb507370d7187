"""What safepip does not guard, pip does: the same process, the same words, the same end."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from tests.everywhere import SYSTEM, here, with_command
from tests.guarded import PATIENCE_SECONDS
from tests.lab import (
    CondaEnvironment,
    changed,
    conda_bytes,
    create,
    everything,
    from_wheel,
    make_wheel,
)
from tests.lab.recipes import REPOSITORY

OWNED = [make_wheel("condas", "1.0"), make_wheel("condas", "2.0")]
LEAF = make_wheel("leaf", "1.0", scripts={"leaf": "leaf:main"})


@dataclass(frozen=True)
class Place:
    """An environment that stays as it is, and a folder with wheels."""

    environment: CondaEnvironment
    links: Path

    def run(
        self, words: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> tuple[int, str, str]:
        """The exit code of a command, and what it said on both streams."""
        given = {"PIP_FIND_LINKS": str(self.links), "COLUMNS": "100", **(env or {})}
        done = subprocess.run(
            words,
            env=self.environment.environ(given),
            cwd=cwd or self.links,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        return done.returncode, done.stdout, done.stderr

    def pip(self, *words: str) -> list[str]:
        return [str(self.environment.python), "-m", "pip", *words]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    for wheel in (*OWNED, LEAF):
        wheel.write(folder / "links")
    environment = create(folder / "env", from_wheel(OWNED[0]))
    environment.pip("install", LEAF.write(folder), env={"PIP_NO_INDEX": "1"})
    return Place(environment, folder / "links")


def safepip(*words: str) -> list[str]:
    return [sys.executable, "-m", "safepip", *words]


# ------------------------------------------------------------------------------- other verbs


@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        ("list --format json", 0),
        ("--no-color list --outdated --format=json", 0),
        ("freeze --all", 0),
        ("show --files leaf condas", 0),
        ("show absent", 1),
        ("--version", 0),
        ("config list", 0),
        ("config get no.such", 1),
        ("help install", 0),
        ("list --help", 0),
        ("check", 0),
        ("download --dest out condas", 0),
        ("hash leaf-1.0-py3-none-any.whl", 0),
        ("inspect", 0),
        ("index versions absent", 1),
        ("list --no-such-option", 2),
        ("list --json", 2),
        ("list --env", 2),
        ("instal leaf", 1),
        ("--no-such-option install leaf", 2),
        ("--proxy install list", 0),
        ("-q show install uninstall", 1),
    ],
)
def test_another_verb_is_pips(place: Place, tmp_path: Path, line: str, exit_code: int) -> None:
    (tmp_path / LEAF.filename).write_bytes(LEAF.data)
    words = line.split()
    plain = place.run(place.pip(*words), cwd=tmp_path)
    (tmp_path / "out" / "condas-2.0-py3-none-any.whl").unlink(missing_ok=True)
    code, out, err = place.run(safepip(*words), cwd=tmp_path)
    # A line that pip cannot understand may be guarded, and then it is called `pip`.
    said = re.sub(r"\S+/python -m pip\b", "pip", plain[2]) if "Usage" in plain[2] else plain[2]
    assert (code, out) == plain[:2]
    assert err in (said, plain[2])
    assert code == exit_code


@pytest.mark.parametrize(
    ("line", "whose", "instead"),
    [
        ("list --format json", "pip", "safepip list --format json"),
        ("-q freeze", "pip", "safepip -q freeze"),
        ("pip install leaf", "pip", "safepip pip install leaf"),
        ("uv pip list", "uv", "safepip uv pip list"),
        ("uv lock", "uv", "safepip uv lock"),
        ("", "", "safepip --help"),
    ],
)
def test_no_object_is_promised_for_what_others_print(
    place: Place, line: str, whose: str, instead: str
) -> None:
    prefix = place.environment.prefix
    path = with_command(f"{prefix}/bin:{Path(sys.executable).parent}:{SYSTEM}")
    done = here(
        "--json", *line.split(), environ={"CONDA_PREFIX": str(prefix), "PATH": path, "HOME": "/"}
    )
    found = json.loads(done.out)
    assert (done.code, found["exit_code"], found["code"]) == (2, 2, "usage")
    assert (f"{whose}'s own" if whose else "expected a verb") in found["findings"][0]["message"]
    assert [fix["command"] for fix in found["fixes"]] == [instead]


def test_a_search_without_a_match_ends_as_in_pip(place: Place) -> None:
    with searched() as url:
        words = ["search", "--index", url, "leaf"]
        plain = place.run(place.pip(*words), env={"PIP_NO_INDEX": ""})
        assert place.run(safepip(*words), env={"PIP_NO_INDEX": ""}) == plain
    assert plain[0] == 23


@contextmanager
def searched() -> Iterator[str]:
    """A server that finds nothing."""
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(lambda *_: [], "search")
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


NOBODY_READS = 'exec 3> >(exec <&-); wait $!; "$@" list >&3'


@pytest.mark.parametrize("line", ['"$@" list >/dev/full', NOBODY_READS, '"$@" list <&-'])
def test_streams_are_pips_own(place: Place, line: str) -> None:
    shell = ["bash", "-o", "pipefail", "-c", line, "bash"]
    plain = place.run([*shell, *place.pip()])
    assert place.run([*shell, *safepip()])[:2] == plain[:2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('"$@" --help >/dev/full', 0),
        ('"$@" --help | true', 0),
        ('"$@" plan --help | true', 0),
        ('"$@" shell-init bash >/dev/full', 1),
        ('"$@" shell-init bash | true', 0),
        ('"$@" constraints >/dev/full', 1),
    ],
)
def test_what_cannot_be_printed_is_no_bug_and_no_success(
    place: Place, line: str, code: int
) -> None:
    ended, _, said = place.run(["bash", "-o", "pipefail", "-c", line, "bash", *safepip()])
    assert (ended, "bug" in said, "No space left on device" in said) == (code, False, code == 1)


@pytest.mark.parametrize("line", ["list", "--quiet list", "pip list", "--env {prefix} list"])
def test_the_process_becomes_pip(place: Place, tmp_path: Path, line: str) -> None:
    # Python imports this module at its start, whoever's Python it is.
    trace = f"import os, sys\nwith open({str(tmp_path / 'trace')!r}, 'a') as file:\n"
    trace += "    print(os.getpid(), sys.prefix, file=file)\n"
    (tmp_path / "sitecustomize.py").write_text(trace, encoding="utf-8")
    words = line.format(prefix=place.environment.prefix).split()
    process = subprocess.Popen(
        safepip(*words),
        env=place.environment.environ({"PYTHONPATH": str(tmp_path)}),
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    assert process.wait(PATIENCE_SECONDS) == 0
    seen = (tmp_path / "trace").read_text(encoding="utf-8").splitlines()
    pythons = (sys.prefix, str(place.environment.prefix))
    assert seen == [f"{process.pid} {prefix}" for prefix in pythons]


@pytest.mark.parametrize("words", [["plan", "leaf"], ["history"], ["explain", "condas"]])
def test_what_others_need_on_pythonpath_is_nothing_to_safepip(
    place: Place, tmp_path: Path, words: list[str]
) -> None:
    for name in ("click", "packaging", "resolvelib"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('this one is for another program')")
    env = {"PYTHONPATH": str(tmp_path)}
    code, _, said = place.run(
        safepip(words[0], "--env", str(place.environment.prefix), *words[1:]), env=env
    )
    assert (code, "safepip" in said) == (0, False)


def test_what_is_in_the_working_folder_is_nothing_to_safepip(place: Place, tmp_path: Path) -> None:
    for name in ("click", "packaging", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this one is of a project')")
    words = safepip("--env", str(place.environment.prefix), "history")
    code, _, said = place.run(words, cwd=tmp_path)
    assert (code, said) == (0, "")
    # But where safepip itself is there, it is that one, and what it needs may be there, too.
    (tmp_path / "here").mkdir()
    for module in ("safepip", "click", "packaging", "platformdirs"):
        folder = Path(importlib.import_module(module).__file__ or "").parent
        (tmp_path / "here" / module).symlink_to(folder)
    code, _, said = place.run([str(place.environment.python), *words[1:]], cwd=tmp_path / "here")
    assert (code, said) == (0, "")


# ------------------------------------------------------------------------------- which environment


def test_safepip_named_an_environment_shows_that_one(place: Place, tmp_path: Path) -> None:
    other = create(tmp_path / "other", from_wheel(OWNED[1]), pip=None)
    found = place.run(safepip("--env", str(other.prefix), "freeze"))
    assert found == (0, other_freeze(place, other), "")


def other_freeze(place: Place, other: CondaEnvironment) -> str:
    return place.run(place.pip("--python", str(other.prefix), "freeze"))[1]


def test_a_virtual_environment_without_pip_is_served_by_safepips(
    place: Place, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    place.environment.run(place.environment.python, "-m", "venv", "--without-pip", alone)
    words = ["--python", str(alone), "install", "-q", "leaf"]
    env = {"PIP_ROOT_USER_ACTION": "ignore"}
    assert place.run(place.pip(*words), env=env) == (0, "", "")
    before = changed_below(alone)
    assert place.run([*place.pip(*words[:2]), "uninstall", "-qy", "leaf"], env=env)[0] == 0
    assert place.run(safepip(*words), env=env) == (0, "", "")
    assert changed_below(alone) == before
    assert any(path.endswith(("/leaf/__init__.py", "/leaf.py")) for path in before)


def changed_below(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_safepip_as_a_module_is_about_the_python_that_runs_it(place: Place, tmp_path: Path) -> None:
    other = create(tmp_path / "other", from_wheel(OWNED[1]))
    words = [str(other.python), "-m", "safepip", "list", "--format", "freeze"]
    env = {"PYTHONPATH": str(REPOSITORY)}
    found = place.run(words, env=env)
    assert found == place.run([str(other.python), "-m", "pip", *words[3:]], env=env)
    assert "condas==2.0\n" in found[1]


@pytest.fixture(scope="module")
def venv(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment on top of the conda one, which lends it its pip."""
    folder = tmp_path_factory.mktemp("venv") / "venv"
    options = ["--without-pip", "--system-site-packages"]
    place.environment.run(place.environment.python, "-m", "venv", *options, folder)
    return folder


def test_a_virtual_environment_is_pips_alone(place: Place, venv: Path) -> None:
    path = os.pathsep.join([str(venv / "bin"), place.environment.environ()["PATH"]])
    active = {"VIRTUAL_ENV": str(venv), "PATH": path, "PIP_FIND_LINKS": str(place.links)}
    before = everything(place.environment.prefix)
    pip = [str(venv / "bin" / "python"), "-m", "pip"]
    seen: dict[str, list[tuple[int, str, str]]] = {}
    for start in (pip, safepip()):
        for line in ("install --upgrade condas", "list --local", "uninstall --yes condas", "list"):
            seen.setdefault(line, []).append(place.run([*start, *line.split()], env=active))
    for line, (plain, guarded) in seen.items():
        assert guarded == plain, line
        assert plain[0] == 0, line
    assert seen["install --upgrade condas"][0][1].endswith("Successfully installed condas-2.0\n")
    assert everything(place.environment.prefix) == before


def test_a_plan_for_a_virtual_environment_is_pips_dry_run(place: Place, venv: Path) -> None:
    plain = place.run(
        [str(venv / "bin" / "python"), "-m", "pip", "install", "--dry-run", "-U", "condas"]
    )
    planned = place.run(safepip("--env", str(venv), "plan", "-U", "condas"))
    assert planned == plain
    assert plain[1].endswith("Would install condas-2.0\n")


def test_the_real_pip_is_there_for_whoever_wants_it(place: Place, tmp_path: Path) -> None:
    environment = create(tmp_path / "env", from_wheel(OWNED[0]))
    before = conda_bytes(environment.prefix)
    words = safepip("--env", str(environment.prefix), "pip", "install", "--upgrade", "condas")
    code, stdout, stderr = place.run(words)
    assert (code, "safepip" in stderr) == (0, False), shlex.join(words)
    assert stdout.endswith("Successfully installed condas-2.0\n")
    assert environment.distributions()["condas"] == "2.0"
    assert changed(before, conda_bytes(environment.prefix)) != {}
