"""What plain pip and others do to a conda environment, and what `safepip doctor` finds of it.

What pip and uv do, one by one, is in `test_doctor_damages`; here is what else there is.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import get_args

import pytest

from tests.doctoring import Patient, damage_of, patient
from tests.guarded import paste
from tests.kernels import kernel_requirements
from tests.lab import Writer, change, download, everything, fake, from_wheel, make_wheel, replace

MODULES = {f"owned/part{n}.py": f"VALUE = {n}\n" for n in range(6)}
OLDER = {**MODULES, "owned/__init__.py": "__version__ = '1.0'\n", "owned/gone.py": "OLD = 1\n"}
NEWER = {**MODULES, "owned/__init__.py": "__version__ = '2.0'\n", "owned/new.py": "NEW = 1\n"}

OWNED = from_wheel(make_wheel("owned", "1.0", OLDER, scripts={"owned": "owned:main"}))
NEEDY = from_wheel(make_wheel("needy", "1.0", requires=["owned<2"]), depends=["owned >=1,<2"])
BUILT = from_wheel(make_wheel("built", "1.0"), depends=["owned >=1,<2", "__glibc >=2.17"])
NATIVE = from_wheel(make_wheel("native", "1.0", {"native/__init__.py": "1\n"}), noarch=False)
CV = from_wheel(make_wheel("cv-two", "4.9", {"cv2/__init__.py": "4.9\n"}), info="minimal")
NAMED: dict[str, str | bytes] = {
    "bin/tool": "#!/bin/sh\necho @PREFIX@\n",
    "lib/libtool.so.1": b"\0@PREFIX@\0",
}
TOOL = fake("tool", "3.0", NAMED, links={"lib/libtool.so": "libtool.so.1"})
SHARED = {"sharedns/a.py": "A = 1\n"}
EGG = from_wheel(make_wheel("egg-a", "1.0", SHARED), info="egg-info")
BESIDE = fake("egg-b", "1.0", {"lib/python3.11/site-packages/sharedns/b.py": "B = 1\n"})
EXTRA = from_wheel(make_wheel("more-of-it", "1.0"))
UNSEEN = from_wheel(make_wheel("hidden", "1.0", {"hidden.py": ""}), info="none")
RECIPES = (OWNED, NEEDY, BUILT, NATIVE, CV, TOOL, EGG)

WHEELS = (
    make_wheel("owned", "1.0", OLDER, scripts={"owned": "owned:main"}),
    make_wheel("owned", "2.0", NEWER, scripts={"owned": "owned:main"}),
    make_wheel("starter", "1.0", {"starter.py": ""}, scripts={"starter": "starter:main"}),
    make_wheel("taker", "1.0", {"taker.py": ""}, scripts={"owned": "taker:main"}),
    make_wheel("cv-two-headless", "4.12", {"cv2/__init__.py": "4.12\n", "cv2/more.py": ""}),
    make_wheel("cv-two", "5.0", {"cv2/__init__.py": "5.0\n"}),
    make_wheel("tool", "3.31", {"tool/__init__.py": ""}, data_scripts={"tool": "#!/bin/sh\n"}),
    make_wheel("spread", "1.0", {"spread.py": ""}, data_files={"lib/libtool.so.1": "other\n"}),
    make_wheel("native", "2.0"),
    make_wheel("egg-a", "2.0", {"sharedns/a.py": "A = 2\n"}),
    make_wheel("same", "1.0", {"native/__init__.py": "1\n", "same.py": ""}),
    make_wheel("twice", "1.0", {"native/__init__.py": "1\n", "twice.py": ""}),
    make_wheel("twice", "2.0", {"native/__init__.py": "1\n", "twice.py": "2\n"}),
    make_wheel("seen-not", "1.0", {"hidden/__init__.py": ""}),
    make_wheel("bundling", "1.0", {"bundling.libs/libgomp-a34b.so.1": "", "bundling.py": ""}),
    make_wheel("extra", "1.0"),
    make_wheel("counting", "1.0", requires=["extra"]),
    make_wheel("wanting", "1.0", requires=["nowhere>=1", "native>=2"]),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    found = patient(tmp_path_factory.mktemp("doctor"), *RECIPES)
    for wheel in WHEELS:
        wheel.write(found.links)
    return found


@pytest.fixture
def ill(made: Patient) -> Patient:
    made.fresh()
    return made


@pytest.mark.parametrize("writer", get_args(Writer))
def test_a_clean_environment_of_every_writer_has_nothing_and_what_pip_replaced_is_told(
    made: Patient, writer: Writer
) -> None:
    made.fresh(writer)
    answer = made.doctor()
    assert (answer["verdict"], answer["exit_code"], answer["findings"]) == ("clear", 0, [])
    before = made.bytes()
    assert answer["checked"]["files"] == len(before)
    # a: replaced by pip
    made.install("owned==2.0")
    altered, missing = damage_of(before, made.bytes())
    found = made.the("replaced")
    facts = (found["distribution"], found["version"], found["there"], found["severity"])
    assert facts == ("owned", "1.0", "2.0", "damage")
    assert found["missing"] == missing
    # The oldest records have no hashes: what pip claims counts as altered, equal or not.
    there = [path for path in before if path not in missing and "owned" in path]
    assert found["altered"] == (there if writer == "ancient" else altered)
    source = found["source"]
    assert (source["installer"], source["requested"], source["change"]) == ("pip", True, "")


def test_a_what_was_built_for_another_version_is_told(ill: Patient) -> None:
    ill.install("owned==2.0")
    found = ill.findings()
    assert [f["kind"] for f in found] == ["replaced", "depends", "depends", "unmet"]
    told = {f["conda_package"].split("-")[0]: (f["depends"], f["found"]) for f in found[1:3]}
    bound = ("owned >=1,<2", "owned 2.0")
    assert told == {"needy": bound, "built": bound}
    assert (found[3]["distribution"], found[3]["requirement"]) == ("needy", "owned<2")
    info = ill.site / "owned-2.0.dist-info"
    replace(info / "INSTALLER", "uv\x1b[31m" + "x" * 500)  # uv writes its name, and no more
    (info / "REQUESTED").unlink()
    said = " ".join(ill.run("doctor").stdout.split())
    assert "put there by uv?[31mxxx" in said
    assert "asked for by name" not in said
    assert ("\x1b" in said, "x" * 60 in said) == (False, False)


def test_the_same_version_over_it_is_replaced_too(ill: Patient) -> None:
    ill.install("--force-reinstall", "owned==1.0")
    found = ill.the("replaced")
    assert (found["version"], found["there"]) == ("1.0", "1.0")
    assert found["source"]["installer"] == "pip"


def test_what_is_pips_own_and_what_is_equal(ill: Patient) -> None:
    ill.install("wanting", "same")
    found = ill.findings()
    told = {(f["requirement"], f["found"]) for f in found if f["kind"] == "unmet"}
    assert told == {("nowhere>=1", None), ("native>=2", "1.0")}
    shared = [f for f in found if f["kind"] != "unmet"]
    assert [(f["kind"], f["severity"]) for f in shared] == [("shared-files", "note")]


def test_altered_by_nobody_knows_whom(ill: Patient) -> None:
    path = ill.site / "native" / "__init__.py"
    replace(path, "2\n")
    found = ill.the("altered")
    assert found["paths"] == [str(path.relative_to(ill.prefix))]
    said = " ".join(ill.run("doctor", "native").stdout.split())
    assert "by whom is unknown" in said
    assert said.endswith("safepip doctor --fix native")
    # It may be somebody's own edit, so that the file is named before the yes.
    said = " ".join(ill.run("doctor", "--fix", "--dry-run").stdout.split())
    assert f"from the package cache, over {path.relative_to(ill.prefix)} with other bytes" in said
    assert "`safepip undo` brings it back" in said


def test_conda_again_over_pip(ill: Patient) -> None:
    ill.install("owned==2.0")
    change(ill.environment, reinstall=["owned"])
    found = ill.the("two-copies")
    assert sorted(found["versions"]) == ["1.0", "2.0"]
    assert (found["altered"], found["missing"]) == ([], [])
    assert "lib/python3.11/site-packages/owned/new.py" in found["strays"]


@pytest.mark.parametrize("writer", ["conda", "mamba", "rattler"])
def test_a_record_that_conda_list_deleted(made: Patient, writer: Writer) -> None:
    made.fresh(writer)
    made.install("owned==2.0")
    record = next(made.environment.conda_meta.glob("owned-*.json"))
    dist = record.stem
    record.unlink()
    found = made.the("lost-record")
    # rattler keeps no history; there, what depends on it and the package cache tell.
    witness = ["depends", "cache"] if writer == "rattler" else ["history", "depends", "cache"]
    assert (found["conda_package"], found["there"], found["evidence"]) == (dist, "2.0", witness)
    assert found["source"]["installer"] == "pip"
    assert len(found["needed_by"]) == 2
    unfit = [f["found"] for f in made.findings() if f["kind"] == "depends"]
    assert unfit == ["owned 2.0", "owned 2.0"]


def test_what_was_never_installed_is_no_lost_record(ill: Patient) -> None:
    for record in ill.environment.conda_meta.glob("needy-*.json"):
        text = json.loads(record.read_bytes())
        text["depends"] = ["nowhere >=1", "__cuda"]
        replace(record, json.dumps(text))
    found = ill.the("depends")
    assert (found["depends"], found["found"], found["owner"]) == ("nowhere >=1", None, "none")


def test_a_record_that_cannot_be_read_is_told_and_the_rest_is_looked_at(ill: Patient) -> None:
    record = next(ill.environment.conda_meta.glob("owned-*.json"))
    replace(record, record.read_text(encoding="utf-8")[:300])
    replace(ill.site / "native" / "__init__.py", "2\n")
    assert [f["kind"] for f in ill.findings()][:2] == ["unreadable-record", "altered"]


def test_remains_of_an_interrupted_pip(ill: Patient) -> None:
    ill.install("wanting", "same")
    (ill.site / "~anting-1.0.dist-info").mkdir()
    shutil.copytree(ill.site / "same-1.0.dist-info", ill.site / "same-0.9.dist-info")
    replace(ill.site / "same-0.9.dist-info" / "METADATA", "Name: same\nVersion: 0.9\n")
    (ill.site / "same-1.0.dist-info" / "RECORD").unlink()
    (ill.site / "ghost-1.0.dist-info").mkdir()
    (ill.site / "ghost-1.0.dist-info" / "REQUESTED").touch()
    told = ill.findings()
    twice = [sorted(f["versions"]) for f in told if f["kind"] == "two-copies"]
    assert twice == [["0.9", "1.0"]]
    found = [f for f in told if f["kind"] == "leftover"]
    assert sorted(Path(f["path"]).name for f in found) == [
        "ghost-1.0.dist-info",
        "same-0.9.dist-info",  # its RECORD lists another's files
        "same-1.0.dist-info",
        "~anting-1.0.dist-info",
    ]


def test_of_two_copies_of_pips_one_is_left_by_what_is_printed(ill: Patient) -> None:
    before = ill.bytes()
    ill.install("twice==1.0")
    ill.install("--ignore-installed", "twice==2.0")
    links = {"PIP_FIND_LINKS": str(ill.links), "PIP_NO_INDEX": "1"}
    [fix] = ill.doctor()["fixes"]
    # Nothing goes before it is known that one can be had again.
    assert paste(ill.environment, fix["command"], env={**links, "PIP_FIND_LINKS": ""}).exit_code
    assert ill.environment.distributions()["twice"] in ("1.0", "2.0")
    assert paste(ill.environment, fix["command"], env=links).exit_code == 0
    # Each claims a file of conda's, which is there all the same.
    assert (ill.findings(), ill.bytes()) == ([], before)
    assert len(list(ill.site.glob("twice-*.dist-info"))) == 1


def test_pins(ill: Patient) -> None:
    replace(ill.environment.conda_meta / "pinned", "owned <2\nnative >=2\n")
    assert [(f["kind"], f["severity"]) for f in ill.findings()] == [("pinned", "note")]
    ill.install("owned==2.0")
    found = [(f["pin"], f["severity"]) for f in ill.findings() if f["kind"] == "pinned"]
    assert found == [("owned <2", "damage"), ("native >=2", "note")]


def test_without_a_python_that_starts_conda_files_are_looked_at_all_the_same(ill: Patient) -> None:
    path = next(ill.prefix.glob("lib/python3.*/encodings/__init__.py"))
    path.unlink()
    found = ill.findings()
    assert [f["kind"] for f in found] == ["no-python", "missing"]
    assert found[1]["paths"] == [str(path.relative_to(ill.prefix))]


def test_seals_are_notes(ill: Patient) -> None:
    replace(ill.environment.conda_meta / "frozen", '{"message": "ours"}')
    answer = ill.doctor()
    assert (answer["exit_code"], [f["kind"] for f in answer["findings"]]) == (0, ["frozen"])


def test_it_changes_nothing(ill: Patient) -> None:
    ill.install("owned==2.0", "taker")
    before = everything(ill.prefix)
    ill.doctor()
    assert everything(ill.prefix) == before


def test_what_safepip_was_allowed_to_do_is_a_note(ill: Patient) -> None:
    links = {"PIP_FIND_LINKS": str(ill.links), "PIP_NO_INDEX": "1"}
    words = ("install", "--json", "--allow", "native", "native==2.0")
    done = ill.run(*words, "--no-import-check", env=links)
    change = json.loads(done.stdout)["undo"]
    found = ill.the("replaced")
    assert (found["severity"], found["allowed"], found["source"]["change"]) == (
        *("note", True),
        change,
    )


# What leads out of the environment, hides what is in it, or comes twice.


def test_what_comes_twice(ill: Patient) -> None:
    change(ill.environment, UNSEEN, fake("libgomp", "13.2", {"lib/libgomp.so.1": b"\0"}))
    ill.install("seen-not", "bundling")
    copy, runtime = ill.findings()
    assert (copy["kind"], copy["distribution"], copy["severity"], copy["modules"]) == (
        *("second-copy", "seen-not", "damage"),
        ["hidden"],
    )
    assert (runtime["kind"], runtime["severity"], runtime["runtime"]) == (
        *("runtime-twice", "note"),
        "OpenMP",
    )
    ill.pip("uninstall", "-y", "seen-not")
    links = {"PIP_FIND_LINKS": str(ill.links), "PIP_NO_INDEX": "1"}
    ill.run("install", "-q", "--allow", "hidden", "--no-import-check", "seen-not", env=links)
    assert ill.the("second-copy")["severity"] == "note"


def test_copies_in_the_user_site(ill: Patient) -> None:
    ill.install("--user", "--ignore-installed", "owned==2.0", "extra")
    ill.install("counting")
    found = [f for f in ill.findings() if f["kind"] == "shadows"]
    told = {(f["distribution"], f["version"], f["severity"]) for f in found}
    assert told == {("owned", "2.0", "damage"), ("extra", "1.0", "note")}
    hidden = {f["distribution"]: f["conda_package"].rsplit("-", 1)[0] for f in found}
    assert hidden == {"owned": "owned-1.0", "extra": ""}


def test_modules_before_the_environments_own(ill: Patient, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    for path in (here / "this.py", here / "mine.py", there / "native.py"):
        path.write_text("", encoding="utf-8")
    answer = ill.doctor(cwd=here, env={"PYTHONPATH": str(there)})
    found = {(f["module"], f["where"], bool(f["conda_package"])) for f in answer["findings"]}
    assert found == {("this", "working folder", False), ("native", "PYTHONPATH", True)}
    assert answer["exit_code"] == 0


def test_commands_and_kernels_that_start_another_python(ill: Patient, tmp_path: Path) -> None:
    ill.install("taker")
    other = tmp_path / "old" / "bin" / "python"
    replace(ill.prefix / "bin" / "mine", f"#!{other}\nprint(1)\n")
    replace(ill.prefix / "bin" / "fine", "#!/usr/bin/env python\nprint(1)\n")
    change(ill.environment, fake("odd", "1.0", {"bin/odd": "#!/usr/bin/python3\n"}))
    kernel = ill.prefix / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    replace(kernel, json.dumps({"argv": [str(other), "-m", "ipykernel"]}))
    found = {f["kind"]: f for f in ill.findings()}
    script = found["wrong-python"]
    assert (script["starts"], script["exists"], script["paths"]) == (
        *(str(other), False),
        ["bin/mine"],
    )
    assert (script["distribution"], script["conda_package"]) == ("", "")
    assert found["wrong-kernel"]["path"] == "share/jupyter/kernels/python3/kernel.json"


def test_commands_that_a_package_brought_come_back_by_what_is_printed(made: Patient) -> None:
    made.fresh("conda")  # whose records have no hash of the commands that it writes
    made.install("starter")
    for name in ("owned", "starter"):
        text = (made.prefix / "bin" / name).read_text(encoding="utf-8")
        replace(made.prefix / "bin" / name, "#!/old/python\n" + text.partition("\n")[2])
    answer = made.doctor()
    told = {f["distribution"] or f["conda_package"]: f["paths"] for f in answer["findings"]}
    dist = next(made.environment.conda_meta.glob("owned-*.json")).stem
    assert told == {dist: ["bin/owned"], "starter": ["bin/starter"]}
    commands = [one["command"] for one in answer["fixes"]]
    assert commands == [
        "safepip doctor --fix",
        "safepip install --force-reinstall --no-deps starter==1.0",
    ]
    assert made.doctor("owned")["exit_code"] == 1
    links = {"PIP_FIND_LINKS": str(made.links), "PIP_NO_INDEX": "1"}
    for command in (f"{commands[0]} --yes", commands[1]):
        done = paste(made.environment, command, env=links)
        assert done.exit_code in (0, 1), done
    assert made.findings() == []
    for name in ("owned", "starter"):
        text = (made.prefix / "bin" / name).read_text(encoding="utf-8")
        assert text.startswith(f"#!{made.prefix}/bin/python")


def test_a_kernel_that_starts_another_python_is_put_right_by_what_is_printed(
    ill: Patient, tmp_path: Path
) -> None:
    wheels = [download(requirement).write(tmp_path) for requirement in kernel_requirements()]
    ill.pip("install", "--no-deps", "--no-compile", *wheels)
    kernel = ill.prefix / "share" / "jupyter" / "kernels" / "mine" / "kernel.json"
    replace(kernel, json.dumps({"argv": ["/old/python", "-m", "ipykernel", "-f", "{file}"]}))
    answer = ill.doctor()
    assert [f["kind"] for f in answer["findings"]] == ["wrong-kernel"]
    [fix] = answer["fixes"]
    assert paste(ill.environment, fix["command"]).exit_code == 0
    assert json.loads(kernel.read_bytes())["argv"][0] == str(ill.prefix / "bin" / "python")
    assert ill.findings() == []


def test_constraints_that_conda_left_behind_are_told_and_brought_up_to_date(
    ill: Patient, tmp_path: Path
) -> None:
    file = tmp_path / "constraints.txt"
    assert ill.run("constraints", "-o", str(file)).returncode == 0
    change(ill.environment, EXTRA)
    answer = ill.doctor()
    [found] = answer["findings"]
    assert (found["kind"], found["path"], found["names"]) == (
        *("stale-constraints", str(file)),
        ["more-of-it"],
    )
    assert answer["exit_code"] == 0
    command = f"safepip constraints -o {file}"
    assert [one["command"] for one in answer["fixes"]] == [command]
    assert paste(ill.environment, command).exit_code == 0
    assert ill.findings() == []


def test_a_pip_of_another_environment_comes_first_on_path(ill: Patient, tmp_path: Path) -> None:
    other = tmp_path / "bin" / "pip"
    replace(other, "#!/bin/sh\n")
    other.chmod(0o755)
    path = f"{other.parent}:{ill.environment.environ()['PATH']}"
    answer = ill.doctor("--env", str(ill.prefix), env={"PATH": path})
    found = [(f["kind"], f["command"], f["path"]) for f in answer["findings"]]
    assert found == [("wrong-path", "pip", str(other))]


def test_a_change_that_cannot_be_taken_back_is_told(ill: Patient) -> None:
    folder = ill.environment.conda_meta / "safepip"
    folder.mkdir()
    (folder / "2026-01-01-1.json").write_text("{", encoding="ascii")
    (folder / "unfinished").write_text("2026-01-01-1\n", encoding="ascii")
    done = ill.run("doctor")
    assert done.returncode == 1, done
    assert "2026-01-01-1" in done.stdout
    # While a change is being made, its half is no damage.
    held = os.open(ill.environment.conda_meta, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = ill.run("doctor", env={"SAFEPIP_LOCK_SECONDS": "0"})
    finally:
        os.close(held)
    assert busy.returncode == 14, busy


def test_what_a_package_depends_on_is_read_in_every_spelling(ill: Patient) -> None:
    met = [
        *("owned==1.0", "owned=1.0", "owned>=1", "owned >=1,<2", "OWNED 1.*", "owned[build=*]"),
        *("conda-forge::owned >=1", "owned[version='>=1,<2']", "?? what is this", "__glibc >=2"),
    ]
    for record in ill.environment.conda_meta.glob("needy-*.json"):
        text = json.loads(record.read_bytes())
        replace(record, json.dumps({**text, "depends": met}))
    assert [f for f in ill.findings() if f["kind"] == "depends"] == []
    for record in ill.environment.conda_meta.glob("needy-*.json"):
        text = json.loads(record.read_bytes())
        replace(record, json.dumps({**text, "depends": ["owned[version='>=2']"]}))
    assert ill.the("depends")["found"] == "owned 1.0"


def test_a_script_of_nobody_may_start_what_it_likes(ill: Patient) -> None:
    script = ill.environment.prefix / "bin" / "mine"
    script.write_text("#!/usr/bin/python3 -E\n", encoding="utf-8")
    script.chmod(0o755)
    assert ill.the("wrong-python")["severity"] == "note"
    script.unlink()
