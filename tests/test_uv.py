"""`safepip uv pip`: uv plans, the same rules judge, and uv installs exactly that."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.uv.answers import (
    Located,
    UvChange,
    as_given,
    page_of,
    parse_changes,
    parse_lock,
    pins_of,
)
from safepip.decisions.uv.projects import WORDS
from safepip.decisions.uv.words import (
    UvCommand,
    UvOption,
    as_pip,
    known_options,
    parted,
    read_words,
)
from safepip.decisions.wording.phrases import said_of
from safepip.effects.destination import TargetInCondaEnvironment
from safepip.effects.itself import own_package
from safepip.effects.prefixes import programs_on_path
from safepip.effects.targets import Call
from safepip.effects.toml import parse_toml
from safepip.effects.uv_acting import words_to_install
from safepip.effects.uv_asked import asked_of
from safepip.effects.uv_inputs import with_full_paths
from safepip.effects.uv_projects import read_wish
from safepip.effects.uv_target import uv_target
from safepip.values.account import Account
from safepip.values.errors import CannotJudge, UnreadableReport
from safepip.values.request import THROUGH
from tests import everywhere
from tests.build import artifact, plan
from tests.guarded import Guarded, run
from tests.lab import (
    create,
    everything,
    fake,
    from_wheel,
    make_wheel,
    serve_index,
)
from tests.saying import LAB, blocked, said

UV = Path(sys.executable).with_name("uv")
SITE = "lib/python3.11/site-packages"
HELP = """\
Usage: uv pip install [OPTIONS]

Arguments:
  [PACKAGE]...  Install all listed packages

Options:
  -r, --requirements <REQUIREMENTS>
          Install from files; as `--requirement` of pip
      --no-deps
          --not-an-option
Index options:
      --index <INDEX>
Resolver options:
  -U, --upgrade
Python options:
  -p, --python <PYTHON>      The Python [env: UV_PYTHON=]
      --system
Global options:
      --config-file <CONFIG_FILE>
      --prerelease <PRERELEASE>
      --color <COLOR>
      --allow-insecure-host <HOST>
      --reinstall
      --no-config
  -q, --quiet...
"""
KNOWN = known_options(HELP)

# ------------------------------------------------------------------------------- words


def test_the_help_tells_which_options_take_a_value() -> None:
    hidden = known_options("      --python <PYTHON>")
    told = {name: option for name, option in KNOWN.items() if name.startswith("--")}
    assert {name: told[name] for name in told if name not in hidden or name == "--python"} == {
        "--requirements": UvOption("--requirements", takes_value=True, group="options"),
        "--no-deps": UvOption("--no-deps", takes_value=False, group="options"),
        "--index": UvOption("--index", takes_value=True, group="index"),
        "--upgrade": UvOption("--upgrade", takes_value=False, group="resolver"),
        "--python": UvOption("--python", takes_value=True, group="python"),
        "--system": UvOption("--system", takes_value=False, group="python"),
        "--config-file": UvOption("--config-file", takes_value=True, group="global"),
        "--prerelease": UvOption("--prerelease", takes_value=True, group="global"),
        "--color": UvOption("--color", takes_value=True, group="global"),
        "--allow-insecure-host": UvOption(
            "--allow-insecure-host", takes_value=True, group="global"
        ),
        "--reinstall": UvOption("--reinstall", takes_value=False, group="global"),
        "--no-config": UvOption("--no-config", takes_value=False, group="global"),
        "--quiet": UvOption("--quiet", takes_value=False, group="global"),
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("-q pip install x -Up 3.11", "install --quiet --upgrade --python=3.11 x"),
        (
            "pip install -Uqp3.11 --requirement f",
            "install --upgrade --quiet --python=3.11 --requirement=f",
        ),
        ("--index=u pip uninstall -rf -- -x", "uninstall --index=u --requirement=f -x"),
        ("--index pip pip list", "list --index=pip"),
        ("pip", ""),
        ("run --with x pip install y", ""),
        ("sync --group pip", ""),
        ("pip compile --wild install", "compile"),
        ("pip install --pre --no-color x", "install --prerelease=allow --color=never x"),
        (
            "pip install --trusted-host h --force-reinstall",
            "install --allow-insecure-host=h --reinstall",
        ),
        ("pip install --isolated --no-upgrade x", "install --no-config --no-upgrade x"),
        ("pip install -U --no-deps --no-upgrade --deps x", "install --no-upgrade --deps x"),
        ("pip install --no-upgrade -U x", "install --upgrade x"),
        ("pip install --disable-pip-version-check x", "install x"),
        ("pip uninstall -y x --yes", "uninstall x"),
    ],
)
def test_a_command_has_one_form(given: str, words: str) -> None:
    assert " ".join(read_words(given.split(), KNOWN).words).strip() == words


@pytest.mark.parametrize("word", ["--wild", "-x", "-qx", "--python", "-y"])
def test_what_is_not_understood_is_not_guarded_by_guessing(word: str) -> None:
    with pytest.raises(CannotJudge):
        read_words(["pip", "install", word], KNOWN)


def test_what_pip_understands_too_is_given_to_pip() -> None:
    assert as_pip(("install", "--index=u", "--editable=.", "x")) == (
        *("install", "--extra-index-url=u", "--editable=.", "x"),
    )
    options = ("--prerelease=allow", "--system", "--color=never", "--no-cache", "--link-mode=copy")
    assert as_pip(("install", *options, "x")) == (
        *("install", "--pre", "--no-color", "--no-cache-dir", "x"),
    )
    for option in ("--resolution=lowest", "--prerelease=explicit", "--color=always"):
        assert as_pip(("install", option, "x")) == ()


def test_an_option_is_taken_out_with_its_values() -> None:
    words = ("pip", "install", "--allow", "a,b", "x", "--allow=c", "--", "--allow", "d")
    assert parted(words, "--allow", takes_value=True) == (
        ("--allow", "a,b", "--allow=c"),
        ("pip", "install", "x", "--", "--allow", "d"),
    )


# ------------------------------------------------------------------------------- projects

SCRIPT = "# /// script\n# dependencies = []\n# ///\n"
E = "UV_PROJECT_ENVIRONMENT"
USUALLY = ".venv=proj/.venv"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with scripts, one in a folder below, and projects of other kinds beside it."""
    folder = tmp_path_factory.mktemp("projects")
    texts = {
        "proj/pyproject.toml": '[project]\nname = "p"\nversion = "0"\n',
        "proj/sub/s.py": f"x = 1\n{SCRIPT}",
        "proj/sub/plain.py": "# /// script  \n# ///\n",
        "proj/sub/tool": SCRIPT,
        "whole/pyproject.toml": "[tool.x]\n",
        "work/pyproject.toml": "[tool.uv.workspace]\nmembers = ['part']\n",
        "work/part/pyproject.toml": '[project]\nname = "r"\nversion = "0"\n',
        "loose/pyproject.toml": "[tool.uv]\nmanaged = false\n[project]\nname = 'q'\n",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        ("sync", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("sync", "", USUALLY),
        ("sync", f"{E}=../e", f"{E}=e {USUALLY}"),
        ("--directory / --project {here}/.. sync", f"{E}=../e", f"{E}=e {USUALLY}"),
        ("run x", f"UV_WORKING_DIR=.. UV_PROJECT=../whole {E}=e", f"{E}=whole/e .venv=whole/.venv"),
        ("--project ../../work/part sync", f"{E}=e", f"{E}=work/e .venv=work/.venv"),
        ("run x", f"UV_WORKING_DIR=../../loose {E}=/e", ""),
        ("--directory / run --active x", f"VIRTUAL_ENV=/v {E}=/e", ""),
        # What follows an option with a value is not the command.
        ("-q run --with tool --active x", "VIRTUAL_ENV=v", f"--active=proj/sub/v {USUALLY}"),
        ("run -p 3.11 --active x", f"VIRTUAL_ENV=/v {E}=/e", f"--active=/v {E}=/e {USUALLY}"),
        ("run --show-resolution --active x", "VIRTUAL_ENV=/v", f"--active=/v {USUALLY}"),
        ("run --active --no-active x", "VIRTUAL_ENV=/v", USUALLY),
        ("run x --active -h --no-sync", f"VIRTUAL_ENV=/v {E}=/e", f"{E}=/e {USUALLY}"),
        ("run -- x --no-sync", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("run --with leaf --no-sync x", f"{E}=/e", ""),
        ("run --python 3.11 --no-project x", f"{E}=/e", ""),
        ("run x", f"{E}=/e UV_NO_SYNC=1", ""),
        ("run x", f"{E}=/e UV_NO_SYNC=0", f"{E}=/e {USUALLY}"),
        ("run s.py", f"{E}=/e", ""),
        ("run -s tool", f"{E}=/e", ""),
        ("run tool", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("run plain.py", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("run --no-sync --active s.py", "VIRTUAL_ENV=/v", "--active=/v"),
        ("sync --script s.py --active", "VIRTUAL_ENV=/v", "--active=/v"),
        ("sync --script s.py", f"{E}=/e", ""),
        ("add --frozen leaf", f"{E}=/e", ""),
        ("add --frozen --no-frozen leaf", f"{E}=/e UV_FROZEN=1", f"{E}=/e {USUALLY}"),
        ("version", f"{E}=/e", ""),
        ("version --bump patch", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("version --bump patch --dry-run", f"{E}=/e", ""),
        ("check", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("workspace metadata --sync", f"{E}=/e", f"{E}=/e {USUALLY}"),
        ("workspace metadata", f"{E}=/e", ""),
        ("sync --dry-run", f"{E}=/e", ""),
        *((words, f"{E}=/e", "") for words in ("tool run x", "help run", "tool list run", "tree")),
        *((words, f"{E}=/e", "") for words in ("pip sync f", "--wild sync", "sync --wild")),
        ("run -h", f"{E}=/e", ""),
    ],
)  # fmt: skip
def test_which_environment_a_project_is_given(
    project: Path, words: str, variables: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = project / "proj/sub"
    monkeypatch.chdir(here)
    given = dict(pair.split("=") for pair in variables.split())
    environ = {"PATH": everywhere.SYSTEM, "HOME": str(project), "UV_OFFLINE": "1", **given}
    wish = read_wish(str(UV), words.format(here=here).split(), environ)
    found = wish.places if wish is not None else ()
    folders = [(p.named_by, os.path.relpath(p.folder, project)) for p in found]
    outside = {folder: os.path.relpath(folder, project) for folder in ("/e", "/v")}
    pairs = (pair.split("=") for pair in expected.split())
    assert folders == [(name, outside.get(folder, folder)) for name, folder in pairs]


def test_the_shims_and_the_hook_know_the_words_of_projects() -> None:
    text = (Path(own_package()) / "effects/shell/shims/pip").read_text()
    line = next(line for line in text.splitlines() if line.endswith(") of_project=yes ;;"))
    others = line.strip().partition(")")[0].split(" | ")
    assert {"sync", *others} == WORDS
    assert 'sync) [ "$name" != uv ] || wanted=yes of_project=yes ;;' in text
    hook = (Path(own_package()) / "effects/hook.py").read_text()
    (words,) = re.findall(r"^_OF_PROJECTS = (.*)$", hook, re.MULTILINE)
    assert set(ast.literal_eval(words)) == WORDS


def test_uv_acts_by_the_same_way_to_a_url_as_it_planned(tmp_path: Path) -> None:
    way = (("--allow-insecure-host", "h"), ("--cert", "c"), ("--offline", None))
    command = UvCommand("install", (*way, ("--index", "i"), ("--upgrade", None)), ("x",))
    words = list(words_to_install(Account(), command, {}, {}, tmp_path / "judged"))
    assert words[4:-2] == ["--allow-insecure-host=h", "--cert=c", "--offline"]


# ------------------------------------------------------------------------------- answers


def test_a_plan_is_read_with_the_urls_that_are_only_said() -> None:
    changes = [
        {"name": "Old", "version": "1", "action": "uninstalled"},
        {"name": "old", "version": "2", "action": "installed"},
        {"name": "gone", "version": "1", "action": "uninstalled"},
        {"name": "mine", "action": "installed"},
    ]
    said = " - Old==1 (from file:///x)\n + mine @ file:///mine\n"
    assert parse_changes(json.dumps({"changes": changes}).encode(), said) == (
        (UvChange("old", "2"), UvChange("mine", "", "file:///mine")),
        ("gone",),
    )


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("http://me:****@h:8/a.whl", "http://me:p%40w@h:8/a.whl"),
        ("http://me:****@h:8/a.whl#sha256=1", "http://me:p%40w@h:8/a.whl#sha256=1"),
        ("http://****@h/b.whl", "http://token@h/b.whl"),
        ("http://****@h/other.whl", "http://h/other.whl"),
        ("http://h/b.whl", "http://h/b.whl"),
    ],
)
def test_a_url_has_the_login_that_uv_does_not_say(said: str, given: str) -> None:
    asked = ("http://x:y@h:8/b.whl", "a @ http://me:p%40w@h:8/a.whl ; python_version > '3'")
    assert as_given(said, (*asked, "b[x]@http://token@h/b.whl#egg=b")) == given


SUM = "1f" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.just("installed"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["changes", "name", "version", "action"]), inner)
    ),
)


@pytest.mark.parametrize(
    ("name", "version"),
    [("a\n--index-url=http://evil", "1"), ("a", "1\nb"), ("a", "1 ; x"), ("-e", "1"), ("", "1")],
)
def test_what_is_no_name_or_no_version_becomes_no_line_of_requirements(
    name: str, version: str
) -> None:
    changes = [{"name": name, "version": version, "action": "installed"}]
    with pytest.raises(UnreadableReport):
        parse_changes(json.dumps({"changes": changes}).encode(), "")


@given(JSON)
def test_any_answer_is_a_plan_or_an_error(found: object) -> None:
    try:
        changes, gone = parse_changes(json.dumps(found).encode(), "")
    except UnreadableReport:
        return
    assert not {change.name for change in changes} & set(gone)


@pytest.mark.parametrize(
    "found",
    [
        *(3, [1], [{}], [{"name": "a", "wheels": [{}]}], [{"name": 1, "wheels": 2}]),
        [{"name": "a", "wheels": [{"url": "http://h/a-1-x.whl", "hashes": {"sha256": "1\n-e ."}}]}],
    ],
)
def test_any_lock_is_wheels_or_an_error(found: object) -> None:
    with pytest.raises(UnreadableReport):
        parse_lock({"packages": found})


def test_wheels_are_asked_for_by_their_hashes_and_sources_are_not() -> None:
    text = (
        b'[[packages]]\nname = "A"\nwheels = [{url = "http://h/a%2B-1-py3-none-any.whl", '
        b'hashes = {sha256 = "'
        + SUM.encode()
        + b'"}}]\n[[packages]]\nname = "b"\nsdist = {url = "http://h/b.zip"}\n'
        b'[[packages]]\nname = "c"\narchive = {path = "/c d/c-3-py3-none-any.whl"}\n'
    )
    lock = parse_lock(parse_toml(text))
    a = Located("A", "http://h/a%2B-1-py3-none-any.whl", SUM)
    c = Located("c", "file:///c%20d/c-3-py3-none-any.whl", "")
    assert lock == {"a": (a,), "b": (), "c": (c,)}
    assert a.file == "a+-1-py3-none-any.whl"
    assert pins_of([UvChange("a", "1")], lock) == f"a==1 --hash=sha256:{SUM}\n"
    assert pins_of([UvChange("a", "1"), UvChange("c", "")], lock) == "a==1\nc==3\n"
    with pytest.raises(CannotJudge, match="uv would build b from the sources of 2"):
        pins_of([UvChange("b", "2")], lock)
    for file in ("c.whl", "c-3 --pre-x.whl", "c-3%0A-e-x.whl"):
        with pytest.raises(CannotJudge, match="is no name of a wheel"):
            pins_of([UvChange("c", "")], {"c": [Located("c", f"file:///{file}", "")]})
    assert 'href="http://h/&quot;&gt;x.whl#sha256=1"' in page_of(
        [Located("x", 'http://h/">x.whl', "1")]
    )


def test_a_target_is_refused_for_what_uv_does_there() -> None:
    said = TargetInCondaEnvironment("/e/lib", "/e", "uv")
    assert ("--target uv" in said.why, "pip" in said.why) == (True, False)


def test_a_refusal_says_who_would_have_done_it() -> None:
    wanted = plan(LAB, artifact("numpy==2.4.1"))
    outcome = replace(blocked(wanted, "install", "numpy==2.4.1"), through=("uv", "pip"))
    assert "why   uv would delete conda's numpy files" in said(outcome)
    # What is called pip is not meant.
    assert (
        said_of("pip would replace conda's pip 25.3", ("uv",))
        == "uv would replace conda's pip 25.3"
    )


# ------------------------------------------------------------------------------- through the door

HOUSE = (
    make_wheel("libnum", "2.4"),
    make_wheel("vision", "4.11", requires=["libnum>=1.20"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
    make_wheel(
        "tool",
        "1.0",
        requires=["leaf[more]", 'tool[test]; extra == "all"', 'nothing; extra == "test"'],
        provides_extra=["all", "test"],
        scripts={"tool": "tool:main"},
    ),
    make_wheel(
        "leaf", "1.0", requires=['leaf[most]; extra == "more"'], provides_extra=["more", "most"]
    ),
    make_wheel("stray", "1.0", {"stray.py": "", "tests/__init__.py": "# stray's\n"}),
)


LEAF = "leaf-1.0-py3-none-any.whl"


class Place:
    """An environment, and uv."""

    def __init__(self, folder: Path) -> None:
        self.links = folder / "wheels"
        for wheel in HOUSE:
            wheel.write(self.links)
        self.environment = create(
            folder / "lab",
            from_wheel(make_wheel("libnum", "1.26")),
            fake("stats", "1.4", {f"{SITE}/tests/__init__.py": "# conda's\n"}),
        )
        self.cache = folder / "cache"
        self.bin = folder / "bin"  # beside the uv of the tests there is a pip
        self.bin.mkdir()
        (self.bin / "uv").symlink_to(UV)

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None) -> Guarded:
        path = os.pathsep.join([str(self.bin), self.environment.environ()["PATH"]])
        own = {"PATH": path, "UV_CACHE_DIR": str(self.cache), "CONDA_OFFLINE": "1"}
        return run(self.environment, [str(word) for word in words], env={**own, **(env or {})})

    def uv(
        self,
        *words: str | Path,
        own: tuple[str, ...] = (),
        there: Mapping[str, str] | None = None,
        **env: str,
    ) -> Guarded:
        json_ = () if words[:1] == ("list",) else ("--json",)  # what is uv's own has no object
        start = (sys.executable, "-m", "safepip", *json_, *own, "uv", "pip")
        prefix = str(self.environment.prefix)
        more = {"CONDA_PREFIX": prefix, "UV_FIND_LINKS": str(self.links), "UV_OFFLINE": "1", **env}
        more.update(there or {})
        return self.run(*start, *words, env=more)

    def contents(self) -> Mapping[str, object]:
        found = everything(self.environment.prefix)
        return {path: value for path, value in found.items() if "conda-meta/safepip" not in path}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("uv"))


@pytest.mark.parametrize(
    ("when", "how"),
    [
        ("compile --help", "kill -INT $$"),  # a child alone, and its parent alone
        ("--version", "kill -INT $PPID; exit 2"),
        ("pip install --help", "exit 130"),
    ],
)
def test_an_interruption_of_uv_is_one_whatever_it_makes_of_its_work(
    place: Place, tmp_path: Path, when: str, how: str
) -> None:
    shim = tmp_path / "uv"
    line = f'case " $* " in *" {when} "*) {how} ;; esac; exec {shlex.quote(str(UV))} "$@"'
    shim.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    shim.chmod(0o755)
    path = f"{tmp_path}:{place.environment.environ()['PATH']}"
    done = place.uv("install", "tool", "--no-index", PATH=path)
    found = (done.exit_code, done.answer["code"], done.answer["exit_code"])
    assert found == (130, "interrupted", 130), done


def test_uv_installs_what_was_judged_and_it_can_be_taken_back(place: Place) -> None:
    before = place.contents()
    done = place.uv("install", "tool", "--no-index")
    answer = done.answer
    assert (done.exit_code, answer["verdict"], answer["engine"], done.touched) == (
        0,
        "clear",
        "uv",
        {},
    )
    changes = {c["name"]: (c["requested"], c["needed_by"]) for c in answer["changes"]}
    assert changes == {"tool": (True, []), "leaf": (False, ["tool"])}
    info = place.environment.prefix / SITE / "leaf-1.0.dist-info"
    assert (info / "INSTALLER").read_text() == "uv"
    assert not (info / "REQUESTED").exists()
    assert "REQUESTED" not in (info / "RECORD").read_text()
    undone = place.run(sys.executable, "-m", "safepip", "undo", "--yes")
    assert undone.exit_code == 0, undone
    assert "(safepip uv pip install --no-index tool) in lab" in undone.stderr
    assert place.contents() == before


def test_condas_versions_are_held_and_else_it_is_refused(place: Place) -> None:
    before = place.contents()
    kept = place.uv("install", "--no-index", "--dry-run", "vision")
    held = {h["name"]: h["chosen"] for h in kept.answer["held_back"]}
    assert (kept.exit_code, kept.answer["verdict"]) == (0, "kept"), kept
    assert held == {"vision": "4.11", "libnum": "1.26"}
    assert " + vision==4.11" in kept.stderr
    refused = place.uv("install", "--no-index", "vision==5.0")
    for done in (refused, place.uv("uninstall", "libnum")):
        assert (done.exit_code, done.answer["code"]) == (10, "conda-owned"), done
    assert place.contents() == before
    # A way out works as it is printed.
    command = next(f["command"] for f in refused.answer["fixes"] if "4.11" in f["command"])
    assert command == "safepip uv pip install --no-index vision==4.11"
    again = place.uv(*command.split()[3:])
    assert (again.exit_code, again.answer["verdict"], again.touched) == (0, "clear", {}), again
    gone = place.uv("uninstall", "vision")
    assert (gone.exit_code, gone.answer["changes"][0]["action"], gone.touched) == (0, "remove", {})


def test_condas_stray_files_stay_when_uv_installs(place: Place) -> None:
    done = place.uv("install", "--no-index", "stray")
    assert (done.exit_code, done.touched) == (0, {}), done
    assert (place.environment.prefix / SITE / "stray.py").exists()
    gone = place.uv("uninstall", "stray")
    assert (gone.exit_code, gone.touched) == (0, {}), gone


def test_an_index_with_a_login_and_a_file_of_requirements(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("tool\n")
    with serve_index(HOUSE, login=("me", "hunter2")) as index:
        words = ("install", "-r", file, "--default-index", index.url_with_login)
        done = place.uv(*words, UV_OFFLINE="0", UV_FIND_LINKS="")
        by_url = f"leaf @ {index.url_with_login.replace('simple/', '')}files/{LEAF}"
        again = place.uv("install", "--reinstall", by_url, UV_OFFLINE="0", UV_FIND_LINKS="")
    assert (done.exit_code, done.touched) == (0, {}), done
    assert (again.exit_code, again.touched) == (0, {}), again
    written = (place.environment.prefix / SITE / "leaf-1.0.dist-info/direct_url.json").read_text()
    assert "hunter2" not in f"{done.stdout}{done.stderr}{again.stdout}{again.stderr}{written}"
    assert all(c["artifact"]["sha256"] for c in done.answer["changes"])
    assert place.uv("uninstall", "tool", "leaf").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sync", "x.txt"), "`uv pip sync` removes all that its file does not name"),
        (("install", "--exact", "leaf"), "what `uv pip install --exact` changes cannot be judged"),
        (("install", "--prefix={prefix}/x", "leaf"), "`--prefix` leads into the conda environment"),
        (("uninstall", "--target={prefix}/x", "leaf"), "`--target` leads into the conda"),
    ],
)
def test_what_cannot_be_judged_is_refused(place: Place, words: tuple[str, ...], says: str) -> None:
    done = place.uv(*(word.format(prefix=place.environment.prefix) for word in words))
    assert (done.exit_code, done.touched) == (10, {}), done
    assert done.answer["findings"][0]["message"].startswith(says)
    assert done.answer["fixes"]


def test_the_standard_input_and_files_elsewhere_are_read_as_uv_reads_them(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("vision<5\n")
    there = ("--directory", str(tmp_path))
    line = f"printf %s '-r more.txt' | {shlex.quote(sys.executable)} -m safepip --json"
    words = shlex.join(["uv", *there, "pip", "install", "-r", "-"])
    offline = {"UV_FIND_LINKS": str(place.links), "UV_OFFLINE": "1"}
    done = place.run("sh", "-c", f"{line} {words}", env=offline)
    assert (done.exit_code, done.touched) == (0, {}), done
    assert (done.answer["requested"], done.answer["changes"][0]["requested"]) == (["vision"], True)
    gone = place.uv(*there, "uninstall", "-r", "more.txt")
    assert (gone.exit_code, gone.answer["requested"]) == (0, ["vision"]), gone
    wrong = place.run("sh", "-c", f"echo '-r nosuch.txt' | {line} uv pip install -r -", env=offline)
    assert (wrong.exit_code, "included file in `-` at position 0" in wrong.stderr) == (2, True), (
        wrong
    )
    none = place.uv("uninstall", "-r", "nosuch.txt")
    assert (none.exit_code, "error: File not found: nosuch.txt" in none.stderr) == (2, True), none


PROJECT = """\
[project]
dependencies = ["vision<5", 3]
[project.optional-dependencies]
X-y = ["tool"]
other = ["left-out"]
[dependency-groups]
dev = ["leaf", {include-group = "Docs"}]
docs = ["mkdocs", {include-group = "dev"}, {include-group = 4}]
"""


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("-r p/pyproject.toml", "vision<5"),
        ("a -r r.txt -r p/pyproject.toml --extra x_Y", "a more vision<5 tool"),
        ("-r p/pyproject.toml --all-extras", "vision<5 tool left-out"),
        ("--group p/pyproject.toml:dev", "leaf mkdocs"),
        ("--directory p --group docs", "mkdocs leaf"),
        ("-r s.py", "rich"),
        ("-r none.py -r no/pyproject.toml --group no", ""),
    ],
)
def test_what_projects_and_scripts_ask_for_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, asked: str
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "r.txt").write_text("more\n")
    block = '# /// script\n# dependencies = [\n#   "rich",\n# ]\n#\n# ///\nprint(1)\n'
    (tmp_path / "s.py").write_text(f"#!/bin/python\n{block}")
    monkeypatch.chdir(tmp_path)
    options = "".join(f"      --{name} <V>\n" for name in ("extra", "group", "directory"))
    known = known_options(f"{HELP}{options}      --all-extras\n")
    command = read_words(["pip", "install", *words.split()], known)
    assert " ".join(asked_of(command, {})) == asked


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("dependencies", [[], ["rich"]])
def test_a_long_comment_behind_the_table_of_a_script_takes_no_time(
    tmp_path: Path, dependencies: list[str], end: str
) -> None:
    table = [f"# dependencies = {dependencies}"] if dependencies else []
    lines = ["# /// script", *table, "# ///", *["# Licensed under the terms"] * 5000, "print(1)"]
    script = tmp_path / "s.py"
    script.write_bytes(end.join([*lines, ""]).encode())
    command = read_words(["pip", "install", "-r", str(script)], known_options(HELP))
    assert asked_of(command, {}) == dependencies


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("-r x.txt", "-r {}/x.txt"),
        ("  --constraint=a b.txt # c", "  --constraint={}/a b.txt # c"),
        ("-cx.txt", "-c{}/x.txt"),
        ("-r /x.txt", "-r /x.txt"),
        ("-r https://host/x.txt", "-r https://host/x.txt"),
        ("-r ${PWD}/x.txt", "-r ${{PWD}}/x.txt"),
        ("--find-links ../wheels", "--find-links {}/../wheels"),
        ("-f file:/wheels", "-f file:/wheels"),
        ("rich", "rich"),
        ("-e ./x", "-e ./x"),
    ],
)
def test_the_standard_input_leads_to_files_of_the_working_folder(line: str, becomes: str) -> None:
    assert with_full_paths(f"{line}\n".encode(), "/w").decode() == becomes.format("/w") + "\n"


def test_a_working_folder_that_no_line_can_name_is_spelled_in_a_url() -> None:
    lines = b"-r 50%?.txt # c\r\n--find-links=../wheels\n-r /x.txt\nrich # -r no\n"
    assert with_full_paths(lines, "/w #1/${HOME} \udcff").decode() == (
        "-r file:///w%20%231/%24%7BHOME%7D%20%FF/50%25%3F.txt # c\r\n"
        "--find-links=file:///w%20%231/%24%7BHOME%7D%20%FF/../wheels\n-r /x.txt\nrich # -r no\n"
    )


def test_what_pip_would_be_refused_as_well_is_not_offered(place: Place, tmp_path: Path) -> None:
    claim = "../../../etc/safepip/config.toml"
    evil = make_wheel("evil", "1.0", {"evil.py": ""}, record_extra=[claim]).write(tmp_path)
    done = place.uv("install", evil)
    ended = (done.exit_code, done.answer["code"], done.answer["fixes"])
    assert ended == (10, "unreadable-wheel", []), done


def test_what_uv_does_not_know_it_says_itself_and_safepips_own_stands_before_it(
    place: Place, tmp_path: Path
) -> None:
    wild = place.uv("install", "--wild", "leaf")
    assert (wild.exit_code, "unexpected argument '--wild' found" in wild.stderr) == (2, True), wild
    nothing = place.uv("install")
    assert (nothing.exit_code, "--dry-run" in nothing.stderr) == (2, False), nothing
    own = place.uv("install", "--allow", "libnum", "libnum>2", "--no-undo", "--tree")
    assert own.exit_code == 2, own
    (fix,) = own.answer["fixes"]
    moved = 'safepip --json --no-undo --allow libnum uv pip install "libnum>2"'
    assert fix["command"] == moved
    for words in (("install", "--html", "f", "leaf"), ("install", "leaf", "--tree")):
        form = place.uv(*words)
        (fix,) = form.answer["fixes"]
        assert (form.exit_code, fix["command"]) == (2, "safepip --json uv pip install leaf")
    other = place.uv("install", "--env", "/b", "leaf", own=("--env", str(place.environment.prefix)))
    (fix,) = other.answer["fixes"]
    assert fix["command"] == "safepip --json --env /b uv pip install leaf"
    there = place.uv("install", "--no-index", "libnum")
    assert (there.exit_code, "Checked 1 package" in there.stderr) == (0, True), there
    assert "Would" not in there.stderr
    elsewhere = place.uv("install", "--no-index", "--prefix", tmp_path / "x", "libnum>2")
    assert (elsewhere.exit_code, elsewhere.touched) == (0, {}), elsewhere
    assert (tmp_path / "x" / SITE / "libnum-2.4.dist-info").is_dir()


def test_no_folder_in_a_conda_environment_is_taken_for_one_of_the_users(
    place: Place, tmp_path: Path
) -> None:
    """Whichever environment is active, and whether an option or uv's settings say so."""
    prefix = place.environment.prefix
    venv = tmp_path / "venv"
    subprocess.run([UV, "venv", "-q", "--offline", "-p", sys.executable, venv], check=True)
    settings = tmp_path / "c.toml"
    settings.write_text(f'[pip]\nprefix = "{tmp_path}/a \\"b\\""\n')
    mine = place.uv("install", "--no-index", "libnum>2", UV_CONFIG_FILE=str(settings))
    assert (mine.exit_code, mine.touched) == (0, {}), mine
    assert (tmp_path / 'a "b"' / SITE / "libnum").is_dir()
    settings.write_text(f'[pip]\ntarget = "{prefix}/{SITE}"\n')

    def refused(words: str, **env: str) -> str:
        done = place.uv(*words.split(), there={"VIRTUAL_ENV": str(venv), **env})
        assert (done.exit_code, done.touched) == (10, {}), done
        (fix,) = done.answer["fixes"]
        return f"{fix['says']}: {fix['command']}"

    there = f"safepip --env {prefix} uv pip"
    assert refused("install --prefix . leaf", UV_WORKING_DIR=str(prefix)) == (
        f"install into that environment: {there} install leaf"
    )
    assert refused(f"uninstall --prefix {prefix} leaf") == (
        f"uninstall from that environment: {there} uninstall leaf"
    )
    assert refused("install leaf", UV_CONFIG_FILE=str(settings)) == (
        "install into that environment, without uv's settings: "
        f"env -u UV_CONFIG_FILE {there} install --no-config leaf"
    )
    words = (everywhere.SAFEPIP, "uv", "pip", "uninstall", "--prefix", prefix, "leaf")
    done = everywhere.run(words, {"PATH": f"{place.bin}:{everywhere.SYSTEM}"}, probe=False)
    assert (done.code, done.err.splitlines()[-1]) == (10, "Nothing was removed."), done
    assert refused(f"sync --prefix {prefix} f.txt").endswith(f": {there} install -r f.txt")
    assert place.uv("sync", "-").answer["fixes"] == []  # what it is to read is gone


def test_no_conda_environment_becomes_that_of_a_project(place: Place, tmp_path: Path) -> None:
    prefix = place.environment.prefix
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "0"\n')
    (tmp_path / "s.py").write_text(SCRIPT)
    (tmp_path / "sub").mkdir()
    shims = str(Path(own_package()) / "effects/shell/shims-uv")
    path = os.pathsep.join([shims, str(place.bin), f"{prefix}/bin", everywhere.SYSTEM])
    environ = {"PATH": path, "SAFEPIP_EXE": str(everywhere.SAFEPIP), "UV_OFFLINE": "1"}
    environ |= {"HOME": str(tmp_path / "home"), "VIRTUAL_ENV": str(prefix)}

    def typed(words: str, **env: str) -> tuple[int, str]:
        """Give the exit code, and the command that is printed for what is refused."""
        cwd = tmp_path / "sub"
        done = everywhere.run(words.split(), {**environ, **env}, probe=False, cwd=cwd)
        lines = [line.strip() for line in done.err.splitlines()]
        at = next((at for at, line in enumerate(lines) if line.startswith("fix ")), None)
        return done.code, lines[at + 1] if at is not None else ""

    named = {E: str(prefix)}
    relative = {E: os.path.relpath(prefix, tmp_path)}
    before = place.contents()
    for words, env, instead in (
        ("uv sync", relative, "env -u UV_PROJECT_ENVIRONMENT uv sync"),
        ("uv sync --active", named, "env -u UV_PROJECT_ENVIRONMENT uv sync"),
        ("uv version 1", named, "env -u UV_PROJECT_ENVIRONMENT uv version 1"),
        ("uv check", named, "env -u UV_PROJECT_ENVIRONMENT uv check"),
        ("uv run --with x --active a --active", {}, "uv run --with x a --active"),
        ("uv --directory .. run --active s.py", {}, "uv --directory .. run s.py"),
    ):
        assert typed(words, **env) == (10, instead)
    (tmp_path / ".venv").symlink_to(prefix)
    instead = f"env {E}=.venv-uv uv sync"
    assert typed("uv sync") == (10, instead)
    assert typed(instead) == (0, "")
    assert (tmp_path / ".venv-uv/pyvenv.cfg").exists()
    assert typed("uv lock", **named) == (0, "")
    assert place.contents() == before


def test_what_uv_would_build_is_left_to_pip(place: Place, tmp_path: Path) -> None:
    project = 'import sys; raise SystemExit("built")'
    (tmp_path / "setup.py").write_text(project)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\nversion = "1"\n')
    done = place.uv("install", "--no-index", "--no-build-isolation", "-e", tmp_path)
    assert done.exit_code == 10, done
    assert "uv would build mine" in done.answer["findings"][0]["message"]
    (fix,) = done.answer["fixes"]
    pip_s = "safepip install --no-index --no-build-isolation --editable="
    assert fix["command"] == f"{pip_s}{tmp_path}"


def test_only_safepip_gets_through_its_own_seal(place: Place) -> None:
    safepip = (sys.executable, "-m", "safepip")
    env = {"UV_FIND_LINKS": str(place.links), "UV_OFFLINE": "1"}
    on = place.run(*safepip, "guard", "on", "--seal", "--json")
    shims = f"{place.environment.prefix}/libexec/safepip/shims"
    try:
        assert "libexec/safepip/shims/uv" in on.answer["guard"]["written"]
        there = ("pip", "install", "--no-index", "leaf")
        plain = place.run(UV, *there, env=env)
        assert (plain.exit_code, "safepip guards this" in plain.stderr) == (2, True), plain
        path = os.pathsep.join([shims, str(place.bin), place.environment.environ()["PATH"]])
        guarded = place.run("sh", "-c", 'uv "$@"', "sh", *there, env={**env, "PATH": path})
        assert guarded.exit_code == 0, guarded
        assert "safepip: clear. 1 new package" in guarded.stderr
        version = place.run("sh", "-c", "uv --version", env={"PATH": path})
        assert version.stdout.startswith("uv ")
        status = place.run(*safepip, "guard", "status", "--json", env={"PATH": path})
        ways = {way["path"]: way["guarded"] for way in status.answer["guard"]["paths"]}
        assert ways["uv"] is True
        assert place.uv("uninstall", "leaf").exit_code == 0
    finally:
        assert place.run(*safepip, "guard", "off").exit_code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_typed_goes_through_safepip(place: Place, shell: str) -> None:
    everywhere.needs(shell)
    functions = everywhere.here("shell-init", shell).out
    prefix = place.environment.prefix
    path = os.pathsep.join([str(place.bin), f"{prefix}/bin", everywhere.SYSTEM])
    environ = {"PATH": path, "HOME": str(place.cache), "CONDA_PREFIX": str(prefix)}
    typed = f"{functions}\nuv --version\nuv pip install leaf\n"
    done = everywhere.run([shell, "-c", typed], environ)
    assert (done.reached, done.code) == (str(prefix), 10), done
    assert done.out.startswith("uv ")


def test_no_shim_stands_where_there_is_no_uv(place: Place) -> None:
    words = ("guard", "on", "--dry-run", "--json")
    path = {"PATH": f"{place.environment.prefix}/bin"}
    written = place.run(sys.executable, "-m", "safepip", *words, env=path).answer["guard"][
        "written"
    ]
    assert "libexec/safepip/shims/pip" in written
    assert "libexec/safepip/shims/uv" not in written


def test_the_environment_is_the_one_that_uv_means(place: Place, tmp_path: Path) -> None:
    prefix, python = str(place.environment.prefix), str(place.environment.python)
    subprocess.run([UV, "venv", "-q", "--offline", "-p", sys.executable, tmp_path], check=True)
    conda = {"CONDA_PREFIX": prefix}

    def chosen(words: str, environ: Mapping[str, str]) -> str:
        given = {**environ, "PATH": f"{prefix}/bin:/bin", "UV_CACHE_DIR": str(place.cache)}
        call = Call(given, "/nowhere", programs_on_path, (), through=THROUGH)
        found = uv_target(str(UV), read_words(words.split(), KNOWN), call)
        if found is None or not found.is_conda:
            return ""
        assert (found.prefix, found.python) == (prefix, python)
        return found.chosen_by

    assert chosen("pip install x", conda) == "CONDA_PREFIX"
    assert chosen("pip install x", {**conda, "CONDA_DEFAULT_ENV": "base"}) == ""
    assert chosen("pip install x", {**conda, "VIRTUAL_ENV": str(tmp_path)}) == ""
    assert chosen("pip install x", {**conda, "VIRTUAL_ENV": "/no/such"}) == "CONDA_PREFIX"
    assert chosen("pip install --system x", {**conda, "CONDA_DEFAULT_ENV": "base"}) == "--system"
    (tmp_path / "uv.toml").write_text(f'[pip]\npython = "{prefix}"\n')
    settings = f"pip install --config-file {tmp_path}/uv.toml x"
    assert chosen(settings, {}) == "CONDA_PREFIX"
    assert chosen(f"pip install -p {python} x", {}) == "--python"
    assert chosen("pip install x", {"UV_PYTHON": prefix}) == "--python"
    assert chosen(f"pip install -p {tmp_path} x", conda) == ""
    assert chosen("pip install x", {}) == ""


def test_a_uv_that_only_the_environment_has_is_found(place: Place) -> None:
    """As where `python -m uv` was called: what safepip prints then works."""
    prefix = place.environment.prefix
    words = [str(everywhere.SAFEPIP), "--env", str(prefix), "uv", "pip", "install", "leaf"]
    assert everywhere.run(words, {"PATH": everywhere.SYSTEM}).code == 127
    there = prefix / "bin" / "uv"
    there.symlink_to(UV)
    try:
        done = everywhere.run(words, {"PATH": everywhere.SYSTEM, "HOME": str(place.cache)})
    finally:
        there.unlink()
    assert done.reached == str(prefix), done


def test_wheels_come_from_where_a_file_of_requirements_says(place: Place, tmp_path: Path) -> None:
    """Of a private index's name another may have a release, too."""
    file, more = tmp_path / "r.txt", tmp_path / "more.txt"
    file.write_text("-r more.txt\nleaf\n")
    more.write_text(f"--find-links {place.links}\n")
    done = place.uv("install", "--dry-run", "-r", file, UV_FIND_LINKS="")
    assert (done.exit_code, done.answer["verdict"]) == (0, "clear"), done


def test_what_uv_runs_is_not_told_of_the_environment_that_was_meant(
    place: Place, tmp_path: Path
) -> None:
    """Any safepip in it would act on that, whichever is active there."""
    prefix = str(place.environment.prefix)
    words = [str(everywhere.SAFEPIP), "uv", "run", "--no-project", "env"]
    environ = {"PATH": f"{place.bin}:{everywhere.SYSTEM}", "HOME": str(place.cache)}
    told = {"SAFEPIP_TARGET_PREFIX": prefix, "UV_OFFLINE": "1"}
    done = everywhere.run(words, {**environ, **told}, probe=False, cwd=tmp_path)
    assert (done.code, "\nPATH=" in f"\n{done.out}") == (0, True), done
    assert "SAFEPIP_TARGET_PREFIX" not in done.out


def test_in_a_notebook_the_environment_of_its_kernel_is_meant(place: Place, tmp_path: Path) -> None:
    prefix, server = str(place.environment.prefix), str(tmp_path)
    for name in ("conda-meta/history", "bin/python"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "bin/python").chmod(0o755)
    path = {"CONDA_PREFIX": server, "PATH": f"{place.bin}:{everywhere.SYSTEM}"}
    kernel = {**path, "SAFEPIP_KERNEL_PREFIX": prefix, "SAFEPIP_KERNEL_ACTIVE": server}
    wish = ("install", "--no-index", "--dry-run")
    elsewhere = place.uv(*wish, "leaf", there=kernel)
    assert elsewhere.exit_code == 15, elsewhere
    assert [f["command"] for f in elsewhere.answer["fixes"]] == [
        "%safepip uv pip install --no-index --dry-run leaf",
        f"%safepip --env {server} uv pip install --no-index --dry-run leaf",
    ]
    by_path = {**kernel, "PATH": f"{place.bin}:{prefix}/bin:{everywhere.SYSTEM}"}
    start = (sys.executable, "-m", "safepip", "uv", "pip", "install", "leaf")
    assert everywhere.run(start, by_path).reached == prefix
    assert everywhere.run((*start, "--python", prefix), kernel).reached == prefix
    # `%safepip` says which, and what it prints can be pasted.
    owned = place.uv("uninstall", "libnum", there=kernel, SAFEPIP_TARGET_PREFIX=prefix)
    assert (owned.exit_code, owned.answer["target"]["prefix"]) == (10, prefix), owned
    (fix,) = (f for f in owned.answer["fixes"] if f["command"].startswith("%safepip"))
    assert fix["command"] == "%safepip --allow libnum uv pip uninstall libnum"
    pasted = (*start[:3], *fix["command"].split()[1:])
    found = everywhere.run(pasted, {**kernel, "SAFEPIP_TARGET_PREFIX": prefix})
    assert (found.code, found.reached) == (10, prefix), found
    listed = place.uv("list", there=kernel, SAFEPIP_TARGET_PREFIX=prefix, UV_SYSTEM_PYTHON="1")
    assert "libnum" in listed.stdout, listed
