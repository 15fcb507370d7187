"""Notebooks: `%safepip`, `%pip` and `!pip` in real kernels act on the kernel's environment."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from safepip.decisions.drawing.card import card_of, card_of_error
from safepip.effects.probing import tried, ways
from safepip.values.errors import WrongEnvironment
from safepip.values.verdict import Fix
from tests.build import artifact, plan
from tests.everywhere import SAFEPIP, SYSTEM, here
from tests.guarded import PATIENCE_SECONDS
from tests.kernels import NAME, AtWork, kernel, kernel_packages, write_spec
from tests.lab import CondaEnvironment, create, download, from_wheel, make_wheel
from tests.saying import LAB, blocked, clear

WHEELS = (
    make_wheel("shared", "2.0"),
    make_wheel("wants", "1.0", requires=["shared>=2"]),
    make_wheel("leaf", "1.0"),
    make_wheel("leaf", "2.0", {"leaf/__init__.py": "__version__ = '2.0'\nnew = True\n"}),
)
REPLACES = "this install would replace conda's shared 1.0 with 2.0"
"""What is refused of `wants`."""
OWNED = "shared 1.0 was installed by conda, so pip cannot remove it cleanly"


@dataclass(frozen=True)
class Place:
    environment: CondaEnvironment
    server: CondaEnvironment
    """Where the client lives that starts the kernels."""
    links: Path

    def environ(self, **more: str) -> dict[str, str]:
        """What a kernel sees that was started by a server elsewhere, and not activated."""
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.links)}
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        known = {"HOME": str(self.links.parent), "CONDA_PREFIX": str(self.server.prefix)}
        path = f"{self.server.prefix}/bin:{SYSTEM}"
        return {"PATH": path, "CONDA_OFFLINE": "1", **known, **offline, **quiet, **more}

    @property
    def path(self) -> str:
        """The start of `PATH` in a kernel where the guard is on."""
        prefix = self.environment.prefix
        return f"{prefix}/libexec/safepip/active:{prefix}/bin:"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    top = tmp_path_factory.mktemp("notebooks")
    for wheel in WHEELS:
        wheel.write(top / "links")
    shared = from_wheel(make_wheel("shared", "1.0"))
    environment = create(top / "a b", shared, *kernel_packages("click", "resolvelib"))
    return Place(environment, create(top / "server"), top / "links")


@pytest.fixture(scope="module")
def bare(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    """A kernel without the guard, whose Python can import safepip."""
    commands = tmp_path_factory.mktemp("bin")
    (commands / "safepip").symlink_to(SAFEPIP)
    environ = place.environ(PYTHONPATH=str(Path(__file__).parents[1]))
    environ["PATH"] = f"{environ['PATH']}:{commands}"
    with kernel(place.environment, environ, tmp_path_factory.mktemp("bare")) as at_work:
        yield at_work


@pytest.fixture(scope="module")
def guarded(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    """A kernel as `safepip guard on` has it, in an environment without safepip."""
    assert here("guard", "on", "--env", place.environment.prefix).code == 0
    with kernel(place.environment, place.environ(), tmp_path_factory.mktemp("on")) as at_work:
        yield at_work


PATH = "__import__('os').environ['PATH']"
NAMES = "sorted(n for n in globals() if not n.startswith('_'))"


# ------------------------------------------------------------------------------- without the guard


def test_without_the_extension_a_command_that_leads_elsewhere_is_stopped(
    bare: AtWork, place: Place
) -> None:
    said = bare.run("!safepip install leaf; echo $?").streams
    kernels = place.environment.prefix
    assert (
        said
        == f"""\
error[wrong-env]: this would install into a different environment than you are
  using
  notebook kernel  {kernels}
  this command     {place.server.prefix}
why   "!" runs with the Jupyter server's PATH, not the kernel's.
fix   act on the kernel's environment:
        !safepip install --env "{kernels}" leaf
      or if the other one is meant:
        !safepip install --env {place.server.prefix} leaf
Nothing was installed.
15
"""
    )
    for prefix in (place.server.prefix, place.environment.prefix):
        said = bare.run(f'!safepip install --dry-run --env "{prefix}" -q leaf; echo $?').streams
        assert said == "0\n"


def test_the_extension_comes_and_goes(bare: AtWork, place: Place) -> None:
    before, names = bare.value(PATH), bare.value(NAMES)
    old = "repr(get_ipython().find_line_magic('pip'))"
    pip = bare.value(old)
    assert bare.run("%load_ext safepip").error == ""
    assert bare.value(PATH) == f"{place.environment.prefix}/bin:{before}"
    assert bare.value(old) == pip  # the guard is off
    version = bare.run("!pip --version").streams
    assert str(place.environment.prefix) in version
    cell = bare.run("safepip install --dry-run leaf  # bare, as automagic has it")
    assert cell.card.startswith("safepip: clear. 1 new package"), cell
    assert bare.value("__import__('sys').modules['safepip'].__version__")
    bare.run("%unload_ext safepip")
    assert (bare.value(PATH), bare.value(NAMES), bare.value(old)) == (before, names, pip)
    assert not bare.value("'SAFEPIP_KERNEL_PREFIX' in __import__('os').environ")
    assert "not found" in bare.run("%safepip list").streams


def test_a_guard_that_is_turned_on_in_a_notebook_holds_there(bare: AtWork, place: Place) -> None:
    bare.run("%load_ext safepip")
    assert "guard on in a b" in bare.run("%safepip guard on").streams
    assert bare.value(PATH).startswith(place.path)
    assert OWNED in bare.run("%pip uninstall -y shared").error
    assert "guard off in a b" in bare.run("%safepip guard off").streams
    assert not bare.value(PATH).startswith(place.path)
    assert bare.run("%pip install --dry-run --quiet wants").error == ""
    bare.run("%unload_ext safepip")


# ------------------------------------------------------------------------------- with the guard


def test_the_startup_file_leaves_no_name_and_can_be_unloaded(guarded: AtWork, place: Place) -> None:
    assert guarded.value(PATH).startswith(place.path)
    assert guarded.value(NAMES) == ["In", "Out", "exit", "get_ipython", "open", "quit"]
    # What IPython itself says to whoever loads it once more.
    assert "%reload_ext safepip" in guarded.run("%load_ext safepip").streams
    assert guarded.run("%reload_ext safepip").error == ""
    assert OWNED in guarded.run("%pip uninstall -y shared").error
    guarded.run("%unload_ext safepip")
    assert guarded.value(PATH) == place.environ()["PATH"]
    assert "not found" in guarded.run("%safepip list").streams
    assert "Usage:" in guarded.run("%pip install --help").streams
    # A safepip that is there by now goes before what only stands in for it.
    guarded.run("import os, sys; sys.path.insert(0, os.getcwd())")
    guarded.run("with open('safepip.py', 'w') as f: f.write('__version__ = 3')\n")
    assert guarded.value("__import__('safepip').__version__") == 3
    guarded.run("os.unlink('safepip.py'); del sys.modules['safepip'], sys.path[0], f, os, sys")
    assert guarded.run("%load_ext safepip").error == ""
    assert guarded.value(PATH).startswith(place.path)


def test_what_is_refused_stops_the_notebook_in_one_line(guarded: AtWork, place: Place) -> None:
    cell = guarded.run("%safepip install wants")
    assert cell.error == f"SafepipStop: error[conda-owned]: {REPLACES}"
    assert cell.card.startswith(f"error[conda-owned]: {REPLACES}\n")
    assert "        %safepip install --allow shared wants\n" in cell.card
    (shown,) = cell.shown
    found = shown["application/vnd.safepip.plan+json"]
    assert (found["verdict"], found["code"], found["exit_code"]) == ("block", "conda-owned", 10)
    # A new environment harms nothing, so that comes before what does.
    *_, allowed = (fix["command"] for fix in found["fixes"])
    assert allowed == "%safepip install --allow shared wants"
    assert REPLACES.replace("'", "&#x27;") in shown["text/html"]
    # What the output has besides is pip's, and one line; in colours, by `FORCE_COLOR`.
    assert "\x1b[1;31merror[conda-owned]\x1b[0m: " in cell.painted
    assert cell.streams.strip().endswith(f"\nerror[conda-owned]: {REPLACES}")
    # And so is `!pip`, which finds the kernel's environment; there nothing is shown but text.
    cell = guarded.run("!pip uninstall -y shared; echo $?")
    assert (OWNED in cell.streams.replace("\n  ", " "), cell.streams.split()[-1], cell.error) == (
        True,
        "10",
        "",
    )
    for start in ("safepip", "%pip"):
        cell = guarded.run(f"{start} uninstall -y shared")
        assert cell.error == f"SafepipStop: error[conda-owned]: {OWNED}"


def test_a_line_reaches_pip_as_it_would_by_ipythons_own(guarded: AtWork, place: Place) -> None:
    guarded.run("name, version = 'leaf', '1.0'")
    project = place.links / "shop & co"
    (project / "sub").mkdir(parents=True)
    (project / "sub" / "pyproject.toml").write_text("broken", encoding="utf-8")
    egg = "leaf@file:$PIP_FIND_LINKS/leaf-1.0-py3-none-any.whl#egg=leaf"
    for line, *parts in (
        ("$name'=={version}'  # a note", "leaf 1.0"),
        (f'"leaf<2,>=1" {egg} | tr a-z A-Z; echo then $HOME', "LEAF-1.0", place.links.parent),
        (f"'file://{project}#subdirectory=sub' 2>&1", "TOMLDecodeError"),
    ):
        cell = guarded.run(f"%safepip install --dry-run {line}")
        assert all(str(part) in cell.streams + cell.card for part in parts), (line, cell)
    listed = guarded.run("%pip list --format json").streams
    assert (listed.startswith('[{"name": '), "restart" in listed) == (True, False)
    missing = guarded.run("%uv pip list").streams  # IPython 9 has it; uv itself is not there
    assert ("No module named uv" in missing, "restart" in missing) == (True, False)
    assert "restart" in guarded.run("%env SAFEPIP_GUARD=off\n%pip list").streams
    guarded.run("__import__('os').environ.pop('SAFEPIP_GUARD')")
    guarded.run("del name, version")


def test_an_import_that_is_old_is_told_of_and_no_other(guarded: AtWork, place: Place) -> None:
    first = guarded.run("%pip install leaf==1.0")
    assert ("Restart" in first.streams, "%safepip undo --yes" in first.card) == (False, True)
    guarded.run("import leaf")
    again = guarded.run("%pip install --force-reinstall leaf==1.0")
    assert ("Restart" in again.streams, again.error) == (False, "")
    told = "leaf (1.0 -> 2.0) was changed on disk, and this kernel has imported the old one."
    cell = guarded.run("%pip install -q leaf==2.0")
    assert f"Restart the kernel before you go on: {told}" in cell.streams
    # It has again what it has imported: nothing is old.
    cell = guarded.run("%safepip undo --yes")
    assert (cell.error, "undone" in cell.streams, "estart" in cell.streams) == ("", True, False)
    guarded.run("%pip install -q leaf==2.0")
    guarded.run("import sys, types; sys.modules['google.colab'] = types.ModuleType('colab')")
    guarded.run("%env DATABRICKS_RUNTIME_VERSION=15.4")
    cell = guarded.run("%pip uninstall -y leaf")
    assert "by dbutils.library.restartPython(): leaf (2.0, removed) was changed" in cell.streams
    colab = "application/vnd.colab-display-data+json"
    (warning,) = [data[colab]["pip_warning"] for data in cell.shown if colab in data]
    assert warning == {"packages": ["leaf"]}
    guarded.run("del sys.modules['google.colab'], sys, types, leaf")
    guarded.run("%env --unset DATABRICKS_RUNTIME_VERSION")


def test_nobody_is_asked(guarded: AtWork, place: Place) -> None:
    guarded.run("%pip install -q leaf==1.0")
    for start in ("%pip", "!pip"):
        cell = guarded.run(f"{start} uninstall leaf")
        assert "nobody can answer here" in cell.streams
        assert ("needs-yes" in cell.error) == (start != "!pip"), cell
    assert guarded.run("!yes | pip uninstall leaf").error == ""
    assert "leaf" not in place.environment.distributions()


def test_pips_own_failure_stops_a_notebook_only_where_safepip_was_asked(guarded: AtWork) -> None:
    ended = "SafepipStop: pip ended with exit code 1"
    assert guarded.run("%safepip uninstall").error == ended
    assert guarded.run("%safepip uninstall | cat").error == ended
    assert guarded.run("%safepip uninstall || true").error == ""  # which says what is to be done
    cell = guarded.run("%pip uninstall")
    assert ("at least one" in cell.streams, cell.error, cell.shown) == (True, "", [])
    guarded.run("get_ipython().system_raise_on_error = True")
    assert guarded.run("%pip uninstall").error == ended
    guarded.run("get_ipython().system_raise_on_error = False")
    cell = guarded.run("%safepip install --env /nowhere leaf")
    assert cell.error == "SafepipStop: error[wrong-env]: there is no Python in `/nowhere`"
    assert "        !conda env list\n" in cell.card


def test_another_environment_is_only_reached_by_name(guarded: AtWork, place: Place) -> None:
    server = place.server.prefix
    # Nor by uv, which would take what is active.
    uv = place.links / "uv"
    uv.symlink_to(Path(sys.executable).with_name("uv"))
    cell = guarded.run(f"%env PATH={{{PATH}}}:{place.links}\n%safepip uv pip uninstall shared")
    assert "        %safepip --allow shared uv pip uninstall shared\n" in cell.card, cell
    uv.unlink()
    there = f"CONDA_PREFIX={server} PATH={server}/bin:$PATH {SAFEPIP}"
    said = guarded.run(f"!{there} install leaf; echo $?").streams
    assert ("%safepip install leaf\n" in said, said.split()[-1]) == (True, "15"), said
    assert f"%safepip install --env {server} leaf\n" in said
    assert guarded.run(f"!{SAFEPIP} install -q --dry-run leaf; echo $?").streams.split()[-1] == "0"
    assert guarded.run(f"%safepip install --dry-run --env {server} leaf").error == ""


def test_a_safepip_that_is_gone_is_told_of(guarded: AtWork, place: Place) -> None:
    copy = place.environment.prefix / "libexec/safepip/notebook.py"
    guarded.run(f"code = open({str(copy)!r}).read().replace('PACKAGE = ', 'PACKAGE = \"/x\" + ')")
    guarded.run("names = {'__name__': 'copy'}; exec(code, names)")
    guarded.run("%unload_ext safepip")
    guarded.run("names['load_ipython_extension'](get_ipython())")
    assert "safepip is gone" in guarded.run("%safepip install --dry-run leaf").error
    cell = guarded.run("%pip install --help")
    assert ("WITHOUT the guard" in cell.streams, "Usage:" in cell.streams) == (True, True)
    guarded.run("%env SAFEPIP_GUARD=required")
    assert "safepip is gone" in guarded.run("%pip install --help").error
    guarded.run("%env SAFEPIP_GUARD=off")
    assert "WITHOUT" not in guarded.run("%pip install --help").streams
    guarded.run("%env --unset SAFEPIP_GUARD")
    guarded.run("names['unload_ipython_extension'](get_ipython()); del names, code")
    guarded.run("%load_ext safepip")
    assert guarded.run("%safepip install --dry-run leaf").error == ""


def test_status_tries_a_kernel(guarded: AtWork, place: Place) -> None:
    prefix, python = place.environment.prefix, str(place.environment.python)
    (way,) = [w for w in ways(str(prefix), python, place.environ()) if w.path == "kernel"]
    assert tried(way)[1:4] == ({"prefix": str(prefix)}, 0, "")
    startup = prefix / "etc/ipython/startup/10-safepip.py"
    text = startup.read_text("utf-8")
    startup.write_text("", encoding="utf-8")
    try:
        assert tried(way)[1:4] == (None, 0, "%pip and !pip\n")
    finally:
        startup.write_text(text, encoding="utf-8")


def test_papermill_and_nbconvert_end_with_1(guarded: AtWork, place: Place, tmp_path: Path) -> None:
    told = {"metadata": {"kernelspec": {"name": NAME, "display_name": NAME, "language": "python"}}}
    common: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    cells = [{**common, "source": code} for code in ("%pip uninstall -y shared", "1 / 0")]
    notebook = {**told, "nbformat": 4, "nbformat_minor": 4, "cells": cells}
    (tmp_path / "in.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    path = write_spec(place.environment, tmp_path / "jupyter")
    environ = place.environ(JUPYTER_PATH=str(path), IPYTHONDIR=str(tmp_path))
    commands = (
        ["papermill", "in.ipynb", "out.ipynb", "--no-progress-bar"],
        ["nbconvert", "--to", "notebook", "--execute", "in.ipynb"],
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for words in commands
    ]
    for process in started:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1, said
        assert f"SafepipStop: error[conda-owned]: {OWNED}" in said
        assert "ZeroDivisionError" not in said


# IPython 7.34 is the last for Python 3.7, and the one of Colab for years.
@pytest.mark.parametrize(
    "packages",
    [
        ("ipython==7.34.0", "backcall==0.2.0", "pickleshare==0.7.5", "decorator==5.2.1"),
        ("ipython==8.18.1", "decorator==5.2.1"),
    ],
    ids=lambda packages: packages[0],
)
def test_older_ipythons_have_it_too(
    guarded: AtWork, place: Place, tmp_path: Path, packages: tuple[str, ...]
) -> None:
    if "==7" in packages[0] and sys.version_info >= (3, 12):
        pytest.skip("IPython 7 is older than this Python")
    for package in packages:
        with zipfile.ZipFile(io.BytesIO(download(package).data)) as wheel:
            wheel.extractall(tmp_path / "library")
    version = packages[0].partition("==")[2]
    environ = place.environ(PYTHONPATH=str(tmp_path / "library"))
    with kernel(place.environment, environ, tmp_path / "kernel") as older:
        assert older.value("__import__('IPython').__version__") == version
        cell = older.run("%pip uninstall -y shared")
        assert cell.error.endswith(f"SafepipStop: error[conda-owned]: {OWNED}"), cell
        assert " ".join(cell.card.split()).startswith(f"error[conda-owned]: {OWNED} "), cell


# ------------------------------------------------------------------------------- the card


def test_the_file_of_results_tells_how_a_command_ended(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    wanted = {"SAFEPIP_RESULT_FILE": str(file)}
    done = here("install", "--env", tmp_path, "leaf", environ=wanted)
    told = json.loads(file.read_text("utf-8"))
    line = f"error[wrong-env]: there is no Python in `{tmp_path}`"
    assert (done.code, done.err, told["exit_code"], told["line"]) == (15, f"{line}\n", 15, line)
    assert told["text"].startswith("error[wrong-env]: there is no Python in")
    assert told["plan"]["code"] == "wrong-env"
    # Of others it is told that they began; nothing is written for those that did not ask.
    assert here("explain", "wrong-env", environ=wanted).code == 0
    assert json.loads(file.read_text("utf-8")) == {"schema": 1}
    here("install", "--env", tmp_path, "leaf")
    assert json.loads(file.read_text("utf-8")) == {"schema": 1}


@pytest.mark.parametrize(
    ("changes", "headline", "end"),
    [
        ({"exit_code": 12, "problems": ("x is gone",)}, "is not what was judged", "taken back"),
        ({"exit_code": 13, "problems": ("x is gone",)}, "is not what was judged", "was changed"),
        ({"exit_code": 11}, "nobody can answer here", "Nothing was installed."),
        ({"exit_code": 130, "acted": False}, "interrupted", "Nothing was installed."),
        ({"exit_code": 1, "verdict": None, "taken_back": True}, "failed half-way", "taken back"),
    ],
)
def test_a_card_says_in_which_state_the_environment_is(
    changes: dict[str, Any], headline: str, end: str
) -> None:
    ended = replace(clear(artifact("rich==13.7", requested=True)), **changes)
    text = re.sub(r"<[^>]*>", "", card_of(ended).html)
    assert headline in text
    assert end in text.splitlines()[-1]


HOSTILE = "<script>alert(1)</script>"


def test_a_card_needs_nothing_of_the_page_around_it() -> None:
    wanted = plan(LAB, artifact("numpy==2.0", requested=True))
    html = card_of(blocked(wanted, "install", "numpy==2.0")).html
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert (
        tags
        == {"div", "p", "pre", "details", "summary", "table", "thead", "tbody"}
        | {*("tr", "th", "td", "code", "ul", "li")} & tags
    )
    assert not re.search(r"class=|<style|<script|<link|href|src=|background", html)
    assert html.count("<div") == html.count("</div>")
    assert all("text-align:left" in cell for cell in re.findall(r"<t[hd] [^>]*>", html))


def test_what_a_package_says_of_itself_is_no_html() -> None:
    error = WrongEnvironment(HOSTILE, why=f"{HOSTILE}\x1b[2J", fixes=[Fix(HOSTILE, HOSTILE)])
    card = card_of_error(error, verb="install")
    assert "<script" not in card.html
    assert card.html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4
    assert "\x1b" not in card.html + card.told()["text"]


def test_a_card_is_good_as_text_alone() -> None:
    card = card_of(clear(artifact("rich==13.7", requested=True)))
    assert card.told()["text"] == (
        "safepip: clear. 1 upgraded, nothing from conda is touched (lab)\n"
        "\n"
        "%safepip install rich\n"
        "└── ~ rich 13.6 -> 13.7\n"
    )
    assert (card.told()["line"], card.changes[0]["says"]) == (
        "safepip: clear. 1 upgraded, nothing from conda is touched (lab)",
        "13.6 -> 13.7",
    )
    assert card_of(clear()).told()["text"] == ""
