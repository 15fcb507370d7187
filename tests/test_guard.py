"""The guard from end to end: what it lets pip do, what it keeps, and how it ends."""

from __future__ import annotations

import csv
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.forked import SAFEPIP
from tests.guarded import paste, run, safepip
from tests.lab import CondaEnvironment, Wheel, create, everything, fake, from_wheel, make_wheel
from tests.lab.projects import make_project

OLD, NEW = make_wheel("libnum", "1.26"), make_wheel("libnum", "2.4")
VISION = [
    make_wheel("vision", "4.11", requires=["libnum>=1.20"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
]
HOUSE = [OLD, NEW, *VISION]

LayOut = Callable[[Sequence[Wheel]], dict[str, str]]


@pytest.fixture
def wheelhouse(tmp_path: Path) -> LayOut:
    def lay_out(wheels: Sequence[Wheel]) -> dict[str, str]:
        for wheel in wheels:
            wheel.write(tmp_path / "wheels")
        return {"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_CACHE_DIR": "1"}

    return lay_out


@pytest.fixture
def lab(tmp_path: Path) -> CondaEnvironment:
    return create(tmp_path / "lab", from_wheel(OLD))


def rows(environment: CondaEnvironment, dist_info: str) -> set[str]:
    with (environment.site_packages / dist_info / "RECORD").open(encoding="utf-8") as file:
        return {row[0] for row in csv.reader(file)}


def test_a_plan_made_again_keeps_condas_version(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    done = safepip(lab, "install", "vision", env=wheelhouse(HOUSE))
    answer = done.answer
    assert (done.exit_code, answer["verdict"], done.touched) == (0, "kept", {})
    assert lab.distributions()["vision"] == "4.11"
    assert answer["held_back"][0] == {
        "name": "vision",
        "newest": "5.0",
        "chosen": "4.11",
        "because": ["vision 5.0 needs libnum>=2; libnum 1.26 is conda's"],
    }


def test_strict_blocks_what_keep_would_have_kept(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    done = safepip(lab, "install", "--strict", "vision", env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["code"], done.touched) == (10, "conda-owned", {})
    fix = done.answer["fixes"][0]
    assert fix["command"] == f"safepip install --env {lab.prefix} vision==4.11"
    assert paste(lab, fix["command"], env=wheelhouse(HOUSE)).exit_code == 0
    assert lab.distributions()["vision"] == "4.11"


def test_where_safepip_is_not_on_path_commands_name_it_by_its_path(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    """As where it lives in conda's base, and another environment is active."""
    env = {**wheelhouse(HOUSE), "PATH": f"{lab.prefix}/bin:{os.defpath}"}
    words = [*SAFEPIP, "--env", str(lab.prefix), "--json", "install", "--strict", "vision"]
    done = run(lab, words, env=env, watched=False)
    command = done.answer["fixes"][0]["command"]
    own = Path(sys.executable).with_name("safepip")
    assert command == f"{own} install --env {lab.prefix} vision==4.11"
    assert run(lab, ["sh", "-c", command], env=env).exit_code == 0
    assert lab.distributions()["vision"] == "4.11"


def test_a_name_that_conda_has_not_is_remarked(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    done = safepip(lab, "install", "--allow", "libmun", "vision", env=wheelhouse(HOUSE))
    hints = [f["message"] for f in done.answer["findings"] if f["kind"] == "hint"]
    says = "`--allow libmun` allows nothing: conda has nothing of that name here"
    assert (done.exit_code, hints) == (0, [says]), done


def test_a_bound_that_conda_excludes_is_blocked_and_what_fits_is_offered(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    env = wheelhouse(HOUSE)
    done = safepip(lab, "install", "vision==5.0", env=env)
    fix = f"safepip install --env {lab.prefix} vision==4.11"
    assert (done.exit_code, done.touched) == (10, {})
    assert done.answer["fixes"][0]["command"] == fix


def test_what_is_allowed_is_taken_over_and_nothing_else(tmp_path: Path, wheelhouse: LayOut) -> None:
    lab = create(tmp_path / "lab", from_wheel(OLD), from_wheel(make_wheel("other", "1.0")))
    done = safepip(lab, "install", "--allow", "libnum", "vision==5.0", env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["verdict"]) == (0, "clear"), done
    assert lab.distributions() | {"vision": "5.0", "libnum": "2.4"} == lab.distributions()
    assert done.touched
    assert all("libnum" in path for path in done.touched), done.touched


def test_a_stray_file_is_left_out_and_not_recorded(tmp_path: Path, wheelhouse: LayOut) -> None:
    ours = make_wheel("ours", "1.0", {"ours.py": "", "tests/__init__.py": "ours = 1\n"})
    same = {"ours_too.py": "", "shared/data.txt": "same\n"}
    theirs = make_wheel("theirs", "1.0", {"theirs.py": "", "tests/__init__.py": "theirs = 1\n"})
    equal = make_wheel("equal", "1.0", {"equal.py": "", "shared/data.txt": "same\n"})
    lab = create(tmp_path / "lab", from_wheel(ours), from_wheel(make_wheel("ours-too", "1", same)))
    done = safepip(lab, "install", "theirs", "equal", env=wheelhouse([theirs, equal]))
    assert (done.exit_code, done.touched) == (0, {}), done
    assert "tests/__init__.py" not in rows(lab, "theirs-1.0.dist-info")
    assert "shared/data.txt" not in rows(lab, "equal-1.0.dist-info")
    lab.pip("uninstall", "-y", "theirs", "equal")
    assert (lab.site_packages / "tests/__init__.py").read_text() == "ours = 1\n"
    assert (lab.site_packages / "shared/data.txt").read_text() == "same\n"


def test_uninstalling_keeps_what_conda_owns_too(tmp_path: Path, wheelhouse: LayOut) -> None:
    lab = create(tmp_path / "lab", fake("tool", "1.0", {"bin/tool": "#!/bin/sh\necho conda\n"}))
    mine = make_wheel("mine", "1.0", scripts={"tool": "mine:main"})
    command = (lab.prefix / "bin/tool").read_text()
    lab.pip("install", "mine", env=wheelhouse([mine]))
    path = lab.prefix / "bin/tool"
    path.unlink()
    path.write_text(command)  # conda came back
    done = safepip(lab, "uninstall", "-y", "mine")
    assert (done.exit_code, done.touched) == (0, {}), done
    assert "mine" not in lab.distributions()


@pytest.mark.parametrize("engine", ["one-pass", "two-pass"])
def test_nothing_outside_the_environment_is_removed(
    engine: str, lab: CondaEnvironment, wheelhouse: LayOut, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("precious")
    lab.pip("install", "vision==4.11", env=wheelhouse(HOUSE))
    record = lab.site_packages / "vision-4.11.dist-info/RECORD"
    record.write_text(record.read_text() + f"{os.path.relpath(outside, lab.site_packages)},,\n")
    done = safepip(lab, "uninstall", "-y", "vision", env={"SAFEPIP_ENGINE": engine})
    assert (done.exit_code, outside.read_text()) == (0, "precious"), done
    assert "vision" not in lab.distributions()


def test_uninstall_that_pip_would_ask_about_says_how_to_answer(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    lab.pip("install", "vision==4.11", env=wheelhouse(HOUSE))
    done = safepip(lab, "uninstall", "vision")
    assert (done.exit_code, done.answer["code"]) == (11, "needs-yes"), done
    assert done.answer["fixes"][0]["command"].endswith("-y vision")
    assert "vision" in lab.distributions()


def test_plan_changes_nothing_and_ends_as_install_would(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    env = wheelhouse(HOUSE)
    before = everything(lab.prefix)
    kept = safepip(lab, "plan", "vision", env=env)
    blocked = safepip(lab, "plan", "vision==5.0", env=env)
    assert (kept.exit_code, kept.answer["verdict"]) == (0, "kept")
    assert (blocked.exit_code, blocked.answer["verdict"]) == (10, "block")
    assert everything(lab.prefix) == before


def test_plan_works_where_nothing_may_be_installed(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    (lab.conda_meta / "frozen").write_text(json.dumps({"message": "kept by ops"}))
    done = safepip(lab, "plan", "vision", env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["code"]) == (16, "frozen")
    assert [change["name"] for change in done.answer["changes"]] == ["libnum", "vision"]


def test_a_frozen_environment_is_changed_only_when_told_to(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    (lab.conda_meta / "frozen").write_text(json.dumps({"message": "kept by ops"}))
    done = safepip(lab, "install", "--override-frozen", "vision", env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["verdict"]) == (0, "kept")


def test_a_marked_environment_is_judged_all_the_same(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    marker = lab.site_packages.parent / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=kept by the image\n")
    env = {**wheelhouse(HOUSE), "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    through = safepip(lab, "install", "vision", env=env)
    stopped = safepip(lab, "install", "-U", "libnum", env=env)
    assert (through.exit_code, through.answer["verdict"]) == (0, "kept")
    assert (stopped.exit_code, stopped.answer["code"]) == (10, "conda-owned")


@pytest.mark.parametrize("content", ["", "{", '{"name": "x"}', "[]", "\x00\xff"])
def test_a_record_that_cannot_be_read_stops_everything(
    content: str, lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    (lab.conda_meta / "broken-1.0-0.json").write_text(content, encoding="latin-1")
    words = (*SAFEPIP, "--json", "install", "vision==4.11")
    done = lab.run(*words, env=wheelhouse(HOUSE), check=False)
    assert (done.returncode, json.loads(done.stdout)["code"]) == (10, "unreadable-record")
    assert "broken-1.0-0.json" in done.stdout
    assert "vision" not in lab.distributions()


def test_a_copy_that_hides_condas_is_not_planned_with(
    lab: CondaEnvironment, wheelhouse: LayOut, tmp_path: Path
) -> None:
    env = wheelhouse([*HOUSE, make_wheel("needs-old", "1.0", requires=["libnum<2"])])
    hidden = tmp_path / "elsewhere"
    lab.pip("install", "--target", hidden, "--no-deps", "libnum==2.4", env=env)
    env["PYTHONPATH"] = str(hidden)
    done = safepip(lab, "install", "vision", env=env)
    assert (done.exit_code, done.answer["verdict"], done.touched) == (0, "kept", {}), done
    assert lab.distributions()["vision"] == "4.11"


def test_a_folder_of_condas_build_machine_is_explained(tmp_path: Path, wheelhouse: LayOut) -> None:
    lab = create(tmp_path / "lab", from_wheel(OLD))
    lines = tmp_path / "r.txt"
    lines.write_text("libnum @ file:///croot/libnum_1706031385326/work\n")
    done = safepip(lab, "install", "-r", lines, env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["verdict"]) == (1, "error"), done
    assert "libnum==1.26" in done.answer["findings"][0]["message"]


def test_a_wheel_that_writes_outside_is_refused(lab: CondaEnvironment, tmp_path: Path) -> None:
    evil = make_wheel("evil", "1.0", {"../../../../../evil.py": "print('evil')\n"})
    done = safepip(lab, "install", evil.write(tmp_path))
    assert (done.exit_code, done.answer["code"]) == (10, "unreadable-wheel"), done
    assert not list(tmp_path.rglob("evil.py"))


def test_what_the_check_finds_is_said_with_exit_code_13(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    """A build that waits for the install and harms conda's file then: no plan can show that."""
    victim, begun = lab.site_packages / "libnum/__init__.py", lab.site_packages / "sly"
    script = tmp_path / "harm.py"
    script.write_text(
        "import os, time\n"
        f"while not os.path.exists({str(begun)!r}): time.sleep(0.005)\n"
        f"os.unlink({str(victim)!r})\n"
    )
    quiet = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    harm = f"import subprocess, sys; subprocess.Popen([sys.executable, {str(script)!r}], {quiet})"
    modules = {f"libnum_sly/m{n}.py": "x = 1\n" * 300 for n in range(200)}
    files = {"sly/__init__.py": "", "libnum/sly.py": "", **modules}
    project = make_project(tmp_path / "sly", "sly", "1.0", files, on_build=harm)
    done = safepip(lab, "install", project, env={"PIP_NO_CACHE_DIR": "1"})
    assert (done.exit_code, done.answer["code"]) == (13, "verify-failed"), done
    assert any("libnum/__init__.py" in f.get("message", "") for f in done.answer["findings"])


def test_what_pip_did_before_it_failed_is_taken_back(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    """The second wheel is at odds with itself, which pip sees only while it installs it."""
    fine = make_wheel("aaa", "1.0")
    broken = make_wheel("bbb", "1.0", requires=["aaa"], scripts={"x": "no-function"})
    done = safepip(lab, "install", "bbb", env=wheelhouse([fine, broken]))
    assert (done.exit_code, done.answer["code"], done.touched) == (1, "pip-failed", {}), done
    assert not {"aaa", "bbb"} & set(lab.distributions())


def test_an_environment_is_found_by_activation(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    done = safepip(lab, "install", "vision", env=wheelhouse(HOUSE), named=False)
    assert (done.exit_code, done.answer["target"]["prefix"]) == (0, str(lab.prefix))


def test_a_folder_that_is_a_link_is_not_written_through(tmp_path: Path, wheelhouse: LayOut) -> None:
    codec = make_wheel("codec", "1.0", {"codec/__init__.py": "conda = 1\n"})
    lab = create(tmp_path / "lab", from_wheel(codec))
    (lab.site_packages / "alias").symlink_to("codec")
    through = make_wheel("through", "1.0", {"alias/__init__.py": "pip = 1\n"})
    done = safepip(lab, "install", "through", env=wheelhouse([through]))
    assert (done.exit_code, done.answer["code"], done.touched) == (10, "same-files", {}), done


def test_a_wheel_may_not_write_condas_own_books(lab: CondaEnvironment, tmp_path: Path) -> None:
    record = next(lab.conda_meta.glob("libnum-*.json"))
    forged = make_wheel("forger", "1.0", data_files={f"conda-meta/{record.name}": "{}"})
    done = safepip(lab, "install", forged.write(tmp_path))
    assert (done.exit_code, done.answer["code"], done.touched) == (10, "unreadable-wheel", {}), done
    assert json.loads(record.read_text())["name"] == "libnum"


@pytest.mark.parametrize("engine", ["one-pass", "two-pass"])
def test_a_target_outside_is_plain_pips(
    engine: str, lab: CondaEnvironment, wheelhouse: LayOut, tmp_path: Path
) -> None:
    env = {**wheelhouse(HOUSE), "SAFEPIP_ENGINE": engine}
    done = safepip(lab, "install", "--target", tmp_path / "there", "vision==5.0", env=env)
    assert (done.exit_code, done.touched) == (0, {}), done
    assert (tmp_path / "there/vision").is_dir()


def test_a_target_inside_is_refused(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    words = ("install", "-U", "--target", lab.site_packages, "vision")
    done = safepip(lab, *words, env=wheelhouse(HOUSE))
    assert (done.exit_code, done.answer["code"], done.touched) == (10, "target", {}), done


def test_a_closed_stdout_changes_nothing_of_the_exit_code(
    lab: CondaEnvironment, wheelhouse: LayOut
) -> None:
    line = f"{sys.executable} -m safepip --json install vision >/dev/full"
    done = lab.run("sh", "-c", line, env=wheelhouse(HOUSE), check=False)
    assert (done.returncode, lab.distributions()["vision"]) == (0, "4.11"), done


# ------------------------------------------------------------------------- where it lives


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[CondaEnvironment]:
    """An environment that nobody can write to, be it root."""
    lab = create(tmp_path / "lab", from_wheel(OLD))
    prefix = str(lab.prefix)
    binds = [["mount", "--bind", prefix, prefix], ["mount", "-o", "remount,ro,bind", prefix]]
    if os.geteuid() != 0 or subprocess.run(binds[0], capture_output=True, check=False).returncode:
        pytest.skip("only who may mount can have a folder that root cannot write to")
    try:
        subprocess.run(binds[1], check=True)
        yield lab
    finally:
        subprocess.run(["umount", "--lazy", prefix], check=True)


@pytest.mark.parametrize("engine", ["", "two-pass"])
def test_what_cannot_be_written_is_no_reason_to_write_into_the_home(
    read_only: CondaEnvironment, wheelhouse: LayOut, tmp_path: Path, engine: str
) -> None:
    home = {"HOME": str(tmp_path / "home"), "SAFEPIP_ENGINE": engine}
    env = {**wheelhouse(HOUSE), **home}
    for verb in ("install", "plan"):
        done = safepip(read_only, verb, "vision==4.11", env=env)
        assert (done.exit_code, done.answer["code"]) == (16, "frozen"), done
    assert not list((tmp_path / "home").glob(".local/**/vision*"))
    done = safepip(read_only, "undo", "--yes", env=env)
    assert done.exit_code in (10, 16), done
    done = safepip(read_only, "install", "--user", "vision==4.11", env=env)
    assert done.exit_code == 0, done
    assert list((tmp_path / "home").glob(".local/**/vision*"))


def test_safepip_can_take_itself_out_of_the_environment_that_it_lives_in(tmp_path: Path) -> None:
    source = Path(importlib.import_module("safepip").__file__ or "").parent
    files = {f"safepip/{p.relative_to(source)}": p.read_bytes() for p in source.rglob("*.py")}
    lab = create(tmp_path / "lab", from_wheel(OLD))
    lab.pip("install", "--no-deps", make_wheel("conda-safepip", "0.1", files).write(tmp_path))
    needs = tmp_path / "needs"
    needs.mkdir()
    for name in ("click", "packaging", "platformdirs"):
        (needs / name).symlink_to(Path(importlib.import_module(name).__file__ or "").parent)
    manifest = lab.prefix / "etc" / "safepip" / "guard.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}", encoding="utf-8")
    words = [str(lab.python), "-m", "safepip", "--json", "uninstall", "-y", "Conda_safepip"]
    done = run(lab, words, env={"PYTHONPATH": str(needs)})
    assert (done.exit_code, done.answer["verdict"]) == (0, "clear"), done
    off = f"{lab.python} -m safepip guard --env {lab.prefix} off"
    assert f"stays, and misses safepip with each call of pip; to take it away, say `{off}`" in (
        done.stderr
    )
    assert "conda-safepip" not in lab.distributions()


def test_what_a_pin_allows_is_offered(lab: CondaEnvironment, wheelhouse: LayOut) -> None:
    (lab.conda_meta / "pinned").write_text("tool <2\n", encoding="utf-8")
    env = wheelhouse([make_wheel("tool", "1.4"), make_wheel("tool", "2.0")])
    done = safepip(lab, "install", "tool", env=env)
    assert (done.exit_code, done.answer["code"]) == (10, "pinned"), done
    fix = done.answer["fixes"][0]["command"]
    assert fix == f'safepip install --env {lab.prefix} tool "tool<2"'
    assert paste(lab, fix, env=env).exit_code == 0
    assert lab.distributions()["tool"] == "1.4"
    (lab.conda_meta / "pinned").write_text("tool <1\n", encoding="utf-8")
    refused = safepip(lab, "install", "-U", "tool", env=env).answer
    assert not any("<1" in fix["command"] for fix in refused["fixes"])
