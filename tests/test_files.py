"""The predicted paths of an install, against what pip writes."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from safepip.decisions.planning.files import planned_files
from safepip.effects.wheels import read_wheel
from safepip.values.account import Entry, Scheme, WheelContents
from safepip.values.environment import Interpreter
from safepip.values.errors import NoWheel, UnreadableWheel
from tests.build import environment
from tests.lab import create, everything, make_wheel

LIBRARY = Scheme("/p/lib", "/p/lib", "/p/include/x", "/p/bin", "/p")
INTERPRETER = environment().interpreter


def entry(scheme: Scheme = LIBRARY, *, requested: bool = True) -> Entry:
    return Entry(
        "x", "1", "x.whl", "", "wheel", False, requested, (), (), (), "x.whl", scheme, None
    )


def paths(contents: WheelContents, **options: bool) -> list[str]:
    found = planned_files(entry(), contents, INTERPRETER, compiles=options.pop("compiles", False))
    return [file.path for file in found if ".dist-info/" not in file.path]


def test_the_prediction_is_what_pip_writes(tmp_path: Path) -> None:
    made = make_wheel(
        "whole",
        "1.0",
        {"whole/__init__.py": "def main(): ...\n", "single.py": "", "whole/data.txt": "x"},
        scripts={"whole": "whole:main"},
        gui_scripts={"whole-gui": "whole:main"},
        data_files={"share/whole/note.txt": "x", "etc/whole.py": ""},
        data_scripts={"plain": "#!python\nprint()\n", "whole": "#!python\n"},
        data_headers={"whole.h": "/**/"},
    )
    wheel = made.write(tmp_path)
    env = create(tmp_path / "env")
    before = everything(env.prefix, bytecode=True)
    env.pip("install", wheel)
    written = set(everything(env.prefix, bytecode=True)) - set(before)
    ask = "import sysconfig, json; print(json.dumps(sysconfig.get_paths()))"
    import json

    places = json.loads(env.run(env.python, "-c", ask).stdout)
    scheme = Scheme(
        places["purelib"],
        places["platlib"],
        f"{places['include']}/whole",
        places["scripts"],
        places["data"],
    )
    asked = Entry(
        "whole", "1.0", "u", "", "wheel", True, True, (), (), (), str(wheel), scheme, None
    )
    version = env.run(env.python, "-c", "import platform; print(platform.python_version())").stdout
    python = _interpreter(version.strip())
    found = planned_files(asked, read_wheel(str(wheel)), python, compiles=True)
    predicted = {str(Path(file.path).relative_to(env.prefix)) for file in found}
    assert predicted == {path for path in written if not _of_pip_itself(path)}


def _of_pip_itself(path: str) -> bool:
    """Say whether pip wrote it by importing its own modules."""
    return "/pip/" in path or (
        "__pycache__" in path and "whole" not in path and "single" not in path
    )


def _interpreter(version: str) -> Interpreter:
    from dataclasses import replace

    return replace(INTERPRETER, version=version)


def test_pips_own_scripts_carry_versions() -> None:
    contents = WheelContents(("pip-1.dist-info/METADATA",), True, ("pip", "pip3"))
    assert paths(contents) == ["/p/bin/pip", "/p/bin/pip3", "/p/bin/pip3.11"]


@pytest.mark.parametrize("member", ["../out.py", "a/../../out.py", "x-1.data/scripts/../../../out"])
def test_a_name_that_leads_out_is_refused(member: str) -> None:
    contents = WheelContents(("x-1.dist-info/METADATA", member), is_pure=True)
    with pytest.raises(UnreadableWheel, match="leads out of the folder"):
        paths(contents)


@pytest.mark.parametrize(
    "path",
    [
        "data/etc/safepip/config.toml",
        "data/etc/safepip/guard.json",
        "data/ETC/safepip/../Safepip/config.toml",
        "data/libexec/safepip/shims/pip",
        "data/etc/ipython/startup/10-safepip.py",
        "data/etc/conda/activate.d/zz-safepip.sh",
        "data/etc/conda/deactivate.d/00-safepip.fish",
        "purelib/safepip_guard.pth",
        "data/lib/safepip_guard.pth",
    ],
)
def test_what_safepip_itself_goes_by_is_in_no_wheel(path: str) -> None:
    member = f"x-1.data/{path}"
    contents = WheelContents(("x-1.dist-info/METADATA", member), is_pure=True)
    for python in (INTERPRETER, replace(INTERPRETER, prefix="/p")):  # elsewhere by `--prefix`
        with pytest.raises(UnreadableWheel) as caught:
            planned_files(entry(), contents, python, compiles=False)
        why = f"`{member}` would change what safepip itself goes by"
        assert caught.value.message == f"cannot read the wheel `x.whl`: {why}"


@pytest.mark.parametrize(
    ("row", "whose"),
    [
        ("../etc/safepip/config.toml", "what safepip itself goes by"),
        ("x/../../ETC/\u017fafepip/guard.json", "what safepip itself goes by"),
        ("/p/libexec/safepip/hook.py", "what safepip itself goes by"),
        ("safepip_guard.pth", "what safepip itself goes by"),
        ("../etc/", "what safepip itself goes by"),
        ("../conda-meta/libnum-1.26-0.json", "conda's own books"),
        ("../conda-meta", "conda's own books"),
        ("..", "conda's own books"),
    ],
)
def test_what_safepip_goes_by_is_claimed_by_no_wheel(row: str, whose: str) -> None:
    """pip writes down what a RECORD names, be it in the wheel or not, and removes it with it."""
    contents = WheelContents(("x-1.dist-info/METADATA",), is_pure=True, claims=("x.py", row))
    with pytest.raises(UnreadableWheel) as caught:
        planned_files(entry(), contents, INTERPRETER, compiles=False)
    why = f"its RECORD claims `{row}`, of {whose}"
    assert caught.value.message == f"cannot read the wheel `x.whl`: {why}"


def test_what_else_a_record_claims_is_pips_business() -> None:
    claims = ("gone.py", "../bin/x", "../etc/safepip.toml", "../etc/conda/activate.d/x.sh", "/x")
    contents = WheelContents(("x-1.dist-info/METADATA",), is_pure=True, claims=claims)
    assert paths(contents) == []


def test_a_claim_is_what_record_names_and_the_wheel_has_not(tmp_path: Path) -> None:
    extra = ("../a b", "../etc/safepip/config.toml")
    made = make_wheel("x", "1", {"x.py": ""}, record_extra=extra).write(tmp_path)
    assert read_wheel(str(made)).claims == extra


@pytest.mark.parametrize("text", ["x" * 131_073, "x\n" * (32 * 1024 * 1024 + 1)])
def test_a_record_that_nobody_can_read_is_refused(tmp_path: Path, text: str) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x-1.dist-info/RECORD", text)
    with pytest.raises(UnreadableWheel, match=r"`x-1-py3-none-any\.whl`: its RECORD"):
        read_wheel(str(wheel))


def test_others_have_files_beside_safepips() -> None:
    below = ("etc/safepip.toml", "etc/conda/activate.d/x.sh", "etc/ipython/startup/20-x.py")
    members = tuple(f"x-1.data/data/{path}" for path in below)
    contents = WheelContents(("x-1.dist-info/METADATA", *members), is_pure=True)
    assert paths(contents) == [f"/p/{path}" for path in below]


@pytest.mark.parametrize("member", ["x-1.data/odd/file", "x-1.data/purelib"])
def test_a_part_that_no_installation_has_is_refused(member: str) -> None:
    contents = WheelContents(("x-1.dist-info/METADATA", member), is_pure=True)
    with pytest.raises(UnreadableWheel, match="belongs to no part"):
        paths(contents)


def test_an_entry_point_that_leads_out_is_refused() -> None:
    contents = WheelContents(("x-1.dist-info/METADATA",), True, ("../../evil",))
    with pytest.raises(UnreadableWheel, match="leads out of the folder"):
        paths(contents)


def test_development_mode_leaves_links_and_scripts() -> None:
    developed = replace(entry(), wheel="", egg_info="/here/src/My_X.egg-info")
    scripts = WheelContents((), is_pure=True, console_scripts=("my-x", "setup.py"))
    found = planned_files(developed, scripts, INTERPRETER, compiles=True)
    links = ["/p/lib/My_X.egg-link", "/p/lib/My-X.egg-link", "/p/lib/easy-install.pth"]
    assert [file.path for file in found] == [*links, "/p/bin/my-x", "/p/bin/setup.py"]


def test_what_has_neither_wheel_nor_link_cannot_be_judged() -> None:
    with pytest.raises(NoWheel):
        planned_files(entry(), None, INTERPRETER, compiles=True)
