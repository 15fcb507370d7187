"""Commands of an environment that was copied or moved start its own Python again."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.guarding.coverage import Circumstances, Sight, coverage
from safepip.decisions.repairing.redirecting import redirects
from safepip.effects.first_lines import LONGEST, first_lines, with_python
from safepip.values.damage import WrongInterpreter
from safepip.values.guarding import Level
from safepip.values.inspection import Checked, Inspection, Leading, Surroundings
from tests.build import conda, environment
from tests.everywhere import Done, here, with_command
from tests.lab import create, everything, make_wheel

OLD, NEW = "/old/bin/python3", "/new/bin/python3"
LEAF = make_wheel("leaf", "1.0", {"leaf.py": "def main(): ...\n"}, scripts={"leaf": "leaf:main"})


@pytest.mark.parametrize(
    ("script", "becomes"),
    [
        (f"#!{OLD}\nx", f"#!{NEW}\nx"),
        (f"#! {OLD} -sE\n# coding: utf-8\n", f"#!{NEW} -sE\n# coding: utf-8\n"),
        (f"#!/bin/sh\n'''exec' \"{OLD}\" \"$0\" \"$@\"\n' '''\nx", f"#!{NEW}\nx"),
        (f"#!/bin/sh\n'''exec' {OLD} -E \"$0\" \"$@\"\n' '''\nx", f"#!{NEW} -E\nx"),
        (f"#!{OLD}.11\nx", ""),
        (f"#!/usr/bin/env {OLD}\nx", ""),
        (f"\n#!{OLD}\n", ""),
        (f"#!{OLD}", ""),
        (f'#!/bin/sh\nexec {OLD} "$0"\n', ""),
    ],
)
def test_a_script_is_changed_in_its_first_lines_alone(script: str, becomes: str) -> None:
    assert with_python(script.encode(), OLD, NEW).decode() == becomes


def test_what_does_not_fit_is_started_by_a_shell(tmp_path: Path) -> None:
    for folder in (tmp_path / "a b", tmp_path / ("l" * LONGEST)):
        python = folder / "python"
        folder.mkdir()
        python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        script = tmp_path / "script"
        script.write_bytes(with_python(b"#!/old/python -E\n", "/old/python", str(python)))
        script.chmod(0o755)
        said = subprocess.run([script, "x y"], capture_output=True, text=True, check=True).stdout
        assert said == f"-E {script} x y\n"
        assert (
            with_python(script.read_bytes(), str(python), NEW) == first_lines(NEW, " -E").encode()
        )
    assert with_python(b"#!/old/python\n", "/old/python", '/a "b"/python') == b""


@pytest.mark.parametrize(
    ("proof", "checked", "starts", "is_one"),
    [
        ("/old/bin/python3.11", Checked(), "/old/bin/python", True),
        ("/old/bin/python3.11", Checked(), "/old/bin/python3.11", True),
        ("/old/bin/python3.11", Checked(), "/old/bin/python3.9", False),
        ("/old/bin/python3.11", Checked(), "/other/bin/python", False),
        ("/old/python3.11", Checked(), "/old/bin/python", False),
        ("/usr/bin/python3.11", Checked(), "/usr/bin/python", False),  # as it was built
        ("/old/bin/python3.11", Checked(altered={"bin/pydoc": "x"}), "/old/bin/python", False),
        (
            "/old/bin/python3.11",
            Checked(unproven=frozenset({"bin/pydoc"})),
            "/old/bin/python",
            False,
        ),
    ],
)
def test_only_what_starts_the_python_of_the_original_is_redirected(
    proof: str, checked: Checked, starts: str, is_one: bool
) -> None:
    scripts = [Leading("bin/pydoc", proof, exists=True), Leading("bin/tool", starts, exists=True)]
    scripts.append(Leading("bin/link", starts, exists=True, is_link=True))
    tool = conda("tool==1", files=["bin/tool", "bin/link"])
    packages = [conda("python==3.11.7", metadata="none", files=["bin/pydoc"]), tool]
    inspection = Inspection(
        environment=environment(*packages),
        checked=checked,
        surroundings=Surroundings(scripts=tuple(scripts)),
    )
    found = WrongInterpreter(
        severity="damage",
        starts=starts,
        exists=True,
        paths=("bin/tool", "bin/link"),
        conda_package="tool-1-py311_0",
    )
    (step,) = redirects(inspection, [found]) or (None,)
    assert (step is not None) == is_one
    assert step is None or (step.paths, step.links) == (("bin/tool",), ("bin/link",))


def test_a_gap_by_a_first_line_is_closed_by_the_repair_and_what_it_takes_besides() -> None:
    mends = "safepip doctor --fix pip"
    sights = [Sight("path", {"prefix": "/old"}, 10, ""), Sight("script", None, 127, "")]
    levels: list[tuple[Level, ...]] = [("shims", "deep"), ("shims",)]
    for on, more in zip(levels, ("", "safepip guard on --deep && "), strict=True):
        known = Circumstances(
            prefix="/env",
            levels=on,
            minor="3.11",
            shell=Shell("/env"),
            active=True,
            off="",
            mends=mends,
        )
        path, script = coverage(sights, known)
        assert (path.why, path.fix) == ("it reaches /old", more + mends)
        assert script.why == "what its first line starts is not there"
        assert script.fix.endswith(mends)


def status(prefix: Path) -> dict[str, tuple[bool | None, str, str]]:
    found = json.loads(here("guard", "status", "--json", "--env", prefix).out)["guard"]["paths"]
    return {one["path"]: (one["guarded"], one["why"], one["fix"]) for one in found}


def test_a_copied_environment_is_its_own_again(tmp_path: Path) -> None:
    old = create(tmp_path / "old")
    old.pip("install", LEAF.write(tmp_path), env={"PIP_NO_INDEX": "1"})
    (old.prefix / "bin" / "mine").write_text(f"#!{old.python}\n", encoding="utf-8")
    assert here("guard", "on", "--deep", "--env", old.prefix).code == 0
    copy = tmp_path / "a copy"
    shutil.copytree(old.prefix, copy, symlinks=True)
    before, untouched = everything(copy), everything(old.prefix)
    guarded, why, fix = status(copy)["path"]
    assert (guarded, why) == (False, f"it reaches {old.prefix}")
    assert fix == f'safepip doctor --env "{copy}" --fix pip'
    environ = {"PATH": with_command(), "HOME": os.environ["HOME"]}

    def doctor(*words: str) -> Done:
        return here(*words, environ=environ)

    assert doctor(*shlex.split(fix)[1:], "--yes").code == 1  # other commands are as they were
    assert status(copy)["path"] == (True, "", "")
    assert doctor("doctor", "--env", str(copy), "--fix", "--yes").code == 0
    done = json.loads(doctor("doctor", "--env", str(copy), "--json").out)
    assert [one["paths"] for one in done["findings"]] == [["bin/mine"]]  # whose-ever that is
    for name in ("pip", "leaf"):
        said = subprocess.run([copy / "bin" / name, "--version"], capture_output=True, check=True)
        assert name == "leaf" or str(copy).encode() in said.stdout
    for _ in range(2):
        assert doctor("undo", "--yes", "--env", str(copy)).code == 0
    shutil.rmtree(copy / "conda-meta" / "safepip")
    assert everything(copy) == before
    assert everything(old.prefix) == untouched
