"""However pip lets a command be spelled, safepip understands it, because pip reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.forked import SAFEPIP
from tests.guarded import paste
from tests.lab import (
    PIPS,
    CondaEnvironment,
    change,
    create,
    everything,
    from_wheel,
    make_project,
    make_wheel,
)
from tests.twins import Ran, World, alike, engine_for, make, ran

NEWEST = PIPS[-1]

OWNED = [make_wheel("owned", "1.0"), make_wheel("owned", "2.0")]
LEAF = [make_wheel("leaf", "1.0"), make_wheel("leaf", "1.1")]
TOOL = make_wheel("tool", "2.0", requires=["leaf", "owned"], scripts={"tool": "tool:main"})
LINES = ["leaf==1.0", f"--hash=sha256:{LEAF[0].sha256}"]
FILES = {
    "r.txt": "tool\n",
    "c.txt": "leaf<1.1\n",
    "hashed.txt": " ".join(LINES) + f"\nowned==1.0 --hash=sha256:{OWNED[0].sha256}\n",
    "wrong.txt": "leaf==1.1 " + LINES[1] + "\n",
    "pip.conf": "[global]\nfind-links = ../links\n[install]\nno-deps = true\nconstraint = c.txt\n",
    "-r.txt": "leaf\n",
}
GROUPS = '\n[dependency-groups]\ndev = ["leaf==1.0"]\n'
PYLOCK = f"""
lock-version = "1.0"
created-by = "lab"

[[packages]]
name = "leaf"
version = "1.0"

[[packages.wheels]]
name = "{LEAF[0].filename}"
path = "../links/{LEAF[0].filename}"
hashes = {{ sha256 = "{LEAF[0].sha256}" }}
"""


def build(world: World) -> CondaEnvironment:
    for wheel in (*OWNED, *LEAF, TOOL):
        wheel.write(world.links)
    options: dict[str, Any] = {"requires": ["leaf; extra == 'x'"], "provides_extra": ["x"]}
    make_project(world.work, "project", "0.1", **options)
    with (world.work / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(GROUPS)
    for name, text in {**FILES, "pylock.toml": PYLOCK}.items():
        (world.work / name).write_text(text, encoding="utf-8")
    return create(world.prefix, from_wheel(OWNED[0]), pip=NEWEST)


# ------------------------------------------------------------------------------- as pip reads it


SPELLINGS = [
    "install --upg --no-d leaf",
    "install --upgrade-s eager --no-depe tool",
    "install -qUrr.txt -c c.txt",
    "install -e .[x] -- leaf owned",
    "install -- -r.txt",
    "install --group dev",
    "install -r pylock.toml",
    "install --require-h -rhashed.txt",
    "install -r wrong.txt",
    "-q --no-input --proxy= --isol install leaf",
    "install -qq --report report.json tool",
    "install --report=- leaf -q",
    "install --dry-r --report report.json tool",
    "install -vIleaf",
    "install --targ=out/x leaf -U",
    "install --prefix out leaf",
    "install --root out leaf",
    "install --python . leaf",
    "install -f../links leaf<1.1 --no-color --no-compile --only-binary :all:",
]


@pytest.mark.parametrize("line", SPELLINGS)
def test_a_line_means_what_it_means_to_pip(tmp_path: Path, line: str) -> None:
    # A report on stdout comes before what else is said there, and not amidst it.
    is_to_stdout = "--report=-" in line
    alike(tmp_path, build, *line.split(), says_so_too=not is_to_stdout)


def test_a_value_that_looks_like_a_verb_is_none(tmp_path: Path) -> None:
    words = ("--log", "install", "install", "leaf")
    alike(tmp_path, build, *words, but={"work/install"})  # the log, which tells the time


VARIABLES: dict[str, tuple[str, Mapping[str, str]]] = {
    "a requirement": ("install", {"PIP_REQUIREMENT": "r.txt", "PIP_CONSTRAINT": "c.txt"}),
    "flags": ("install tool", {"PIP_NO_DEPS": "1", "PIP_QUIET": "1", "PIP_COMPILE": "0"}),
    "a dry run": ("install tool", {"PIP_DRY_RUN": "1", "PIP_REPORT": "report.json"}),
    "a target": ("install leaf", {"PIP_TARGET": "out"}),
    "a configuration": ("install tool", {"PIP_CONFIG_FILE": "pip.conf", "PIP_FIND_LINKS": ""}),
    "an isolated call": (
        "install --isolated --no-index --find-links ../links leaf",
        {"PIP_TARGET": "out", "PIP_DRY_RUN": "1"},
    ),
    "an empty variable": ("install leaf", {"PIP_PYTHON": "", "PIP_TARGET": ""}),
    "a wrong value": ("install leaf", {"PIP_NO_DEPS": "perhaps"}),
    "a virtual environment": ("install leaf", {"PIP_REQUIRE_VIRTUALENV": "1"}),
}


@pytest.mark.parametrize("what", VARIABLES)
def test_variables_and_configuration_count_as_with_pip(tmp_path: Path, what: str) -> None:
    line, env = VARIABLES[what]
    # What cannot be parsed is said with the usage of the verb that was to parse it: `pip wheel`.
    alike(tmp_path, build, *line.split(), env=env, says_so_too=what != "a wrong value")


ONCE = {
    "a process substitution": '"$@" -r <(echo leaf==1.0) -c <(echo "leaf<1.1")',
    "a pipe": 'echo leaf==1.0 | "$@" -r /dev/stdin',
    "a pipe by another name": 'echo leaf==1.0 | "$@" -r/proc/self/fd/0 -q',
    "a named pipe": 'mkfifo fifo; (echo leaf==1.0 >fifo &); "$@" --requirement=fifo',
    "a here document": '"$@" -r /dev/stdin <<<leaf==1.0',
    "a variable": 'PIP_REQUIREMENT=/dev/stdin "$@" <<<leaf==1.0',
}


@pytest.mark.parametrize("what", ONCE)
def test_what_can_be_read_only_once_is_read_once(tmp_path: Path, what: str) -> None:
    guarded = alike(tmp_path, build, "install", shell=ONCE[what])
    assert any("leaf-1.0.dist-info" in path for path in guarded.written)


# ------------------------------------------------------------------------------- what is said


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    return engine_for(request.node.name)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, CondaEnvironment]:
    """An environment in which nothing is ever changed."""
    world = World(tmp_path_factory.mktemp("settled") / "world")
    environment = make(world, build)
    # Python compiles what it needs of its own library, and is done with it.
    environment.pip("install", "--no-index", "--dry-run", "owned")
    return world, environment


def said(
    settled: tuple[World, CondaEnvironment], *arguments: str, engine: str = "", **env: str
) -> Ran:
    """What safepip does with this line, which is to change nothing."""
    world, environment = settled
    before = everything(environment.prefix, bytecode=True)
    done = ran(world, environment, [*SAFEPIP, *arguments], env={"SAFEPIP_ENGINE": engine, **env})
    assert everything(environment.prefix, bytecode=True) == before
    return done


def test_quiet_is_quiet(
    settled: tuple[World, CondaEnvironment], tmp_path: Path, engine: str
) -> None:
    quiet = said(settled, "install", "-qq", "--target", str(tmp_path), "leaf", engine=engine)
    nothing = said(settled, "-qqq", "install", "owned", engine=engine)
    seen = [(done.exit_code, done.stdout, done.stderr, done.said) for done in (quiet, nothing)]
    assert seen == [(0, "", "", "")] * 2


def test_a_dry_run_is_judged(settled: tuple[World, CondaEnvironment], engine: str) -> None:
    done = said(settled, "install", "--dry-run", "--json", "-U", "owned", engine=engine)
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"], done.written) == (10, "conda-owned", {})


# ------------------------------------------------------------------------------- where it goes


@pytest.mark.parametrize(
    ("option", "folder"),
    [("--target", ""), ("-t", "lib/python"), ("--targ", "new/folder"), ("PIP_TARGET", "lib")],
)
def test_a_target_in_a_conda_environment_is_refused(
    settled: tuple[World, CondaEnvironment], option: str, folder: str, engine: str
) -> None:
    path = str(settled[1].prefix / folder)
    named = option.startswith("-")
    words = ["install", "--json", "-U", "leaf", *([option, path] if named else [])]
    env = {} if named else {option: path}
    done = said(settled, *words, engine=engine, **env)
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"]) == (10, "target")
    into = f"{answer['fixes'][0]['command']} --dry-run"
    links = {"PIP_FIND_LINKS": str(settled[0].links), "PIP_NO_INDEX": "1"}
    assert paste(settled[1], into, env={**env, **links}).exit_code == 0


def test_a_plan_for_a_folder_of_the_users_own_installs_nothing(
    settled: tuple[World, CondaEnvironment], tmp_path: Path, engine: str
) -> None:
    done = said(settled, "plan", "--target", str(tmp_path / "out"), "leaf", engine=engine)
    assert (done.exit_code, list(tmp_path.iterdir())) == (0, [])
    assert "Would install leaf-1.1" in done.stderr


@pytest.mark.parametrize(
    "words", [("-q", "plan"), ("--log", "{log}", "plan", "-q"), ("plan", "-q")]
)
def test_a_plan_may_stand_behind_options(
    settled: tuple[World, CondaEnvironment], tmp_path: Path, words: tuple[str, ...], engine: str
) -> None:
    given = [word.format(log=tmp_path / "log") for word in words]
    done = said(settled, *given, "--json", "-U", "owned", engine=engine)
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"], answer["undo"]) == (10, "conda-owned", None)


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, CondaEnvironment]:
    """An environment with a module of which only conda knows; nothing is ever changed in it."""
    world = World(tmp_path_factory.mktemp("unseen") / "world")
    environment = make(world, build)
    blind = make_wheel("blind", "1.0")
    make_wheel("blind", "2.0", {"blind/more.py": ""}).write(world.links)
    make_wheel("other", "1.0", {"owned/__init__.py": "# other\n"}).write(world.links)
    environment = change(environment, from_wheel(blind, info="none"))
    environment.pip("install", "--no-index", "--dry-run", "owned")
    return world, environment


BACK = {
    "--prefix": ("install", "--prefix", "{prefix}"),
    "--prefix by a link": ("install", "--prefix", "{link}"),
    "--root": ("install", "--root", "/"),
    "--python by a link": ("--python", "{link}/bin/python", "install"),
    "--env by a link": ("install", "--env", "{link}"),
}


@pytest.mark.parametrize("way", BACK)
def test_a_way_that_leads_back_is_guarded_as_the_straight_one(
    unseen: tuple[World, CondaEnvironment], tmp_path: Path, way: str, engine: str
) -> None:
    (tmp_path / "link").symlink_to(unseen[1].prefix)
    names = {"prefix": unseen[1].prefix, "link": tmp_path / "link"}
    words = [word.format(**names) for word in BACK[way]]
    for name, code in (("blind", "second-copy"), ("other", "same-files")):
        done = said(unseen, *words, "--json", name, engine=engine)
        answer = json.loads(done.stdout)
        assert (done.exit_code, answer["code"]) == (10, code), done
        assert answer["target"]["prefix"] == str(unseen[1].prefix)


@pytest.mark.parametrize("option", ["--prefix", "--root"])
def test_an_install_elsewhere_may_not_take_condas_away(
    settled: tuple[World, CondaEnvironment], tmp_path: Path, option: str, engine: str
) -> None:
    words = ["install", "--json", option, str(tmp_path / "out"), "owned==2.0"]
    done = said(settled, *words, engine=engine)
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (10, "conda-owned")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", ["--user", "PIP_USER"])
def test_the_users_own_packages_would_hide_condas(
    settled: tuple[World, CondaEnvironment], how: str, engine: str
) -> None:
    words = ["install", "--json", "-U", "owned", *([how] if how.startswith("-") else [])]
    env = {} if how.startswith("-") else {how: "1"}
    done = said(settled, *words, engine=engine, **env)
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (10, "shadows")
    assert done.written == {}


OTHERS = {
    "--python before the verb": (["--python", "{prefix}", "install"], {}),
    "--python with a path": (["--python={prefix}/bin/python", "-q", "install"], {}),
    "PIP_PYTHON": (["install"], {"PIP_PYTHON": "{prefix}"}),
    "pip's configuration": (["install"], {"PIP_CONFIG_FILE": "{prefix}.conf"}),
}


@pytest.mark.parametrize("way", OTHERS)
def test_another_interpreter_is_guarded_where_it_is(
    settled: tuple[World, CondaEnvironment], tmp_path: Path, way: str, engine: str
) -> None:
    other = create(tmp_path / "other", from_wheel(OWNED[0]), pip=None)
    config = f"[global]\npython = {other.python}\n"
    (tmp_path / "other.conf").write_text(config, encoding="utf-8")
    words, env = OTHERS[way]
    words = [word.format(prefix=other.prefix) for word in words]
    given = {name: value.format(prefix=other.prefix) for name, value in env.items()}
    before = everything(other.prefix)
    blocked = said(settled, *words, "--json", "owned==2.0", engine=engine, **given)
    assert (blocked.exit_code, json.loads(blocked.stdout)["code"]) == (10, "conda-owned")
    assert json.loads(blocked.stdout)["target"]["prefix"] == str(other.prefix)
    assert everything(other.prefix) == before
    done = said(settled, *words, "leaf", engine=engine, **given)
    assert (done.exit_code, other.distributions()) == (0, {"owned": "1.0", "leaf": "1.1"})
