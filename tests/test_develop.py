"""Projects that old releases of pip install by their own `setup.py`, without a wheel."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.forked import SAFEPIP
from tests.lab import CondaEnvironment, create, download, fake, from_wheel, make_wheel
from tests.twins import ENGINES, Build, Ran, World, alike, make, ran

OLD_PIPS = ("22.3.1", "23.3.2", "24.3.1") if sys.version_info < (3, 12) else ("24.3.1",)
SETUP = """
from setuptools import setup

setup(
    name="My_Project",
    version="1.0",
    py_modules=["my_project"],
    scripts=["tools/plain-script"],
    entry_points={"console_scripts": ["entry-script=my_project:main"]},
    install_requires=["leaf"],
)
"""


def world_with(pip: str, *condas: str, wheel: bool = True) -> Build:
    """A project in a world whose conda packages own these commands."""

    def build(world: World) -> CondaEnvironment:
        make_wheel("leaf", "1.0").write(world.links)
        (world.work / "tools").mkdir()
        (world.work / "setup.py").write_text(SETUP, encoding="utf-8")
        (world.work / "my_project.py").write_text("def main(): ...\n", encoding="utf-8")
        (world.work / "tools" / "plain-script").write_text("#!python\n", encoding="utf-8")
        tools = [fake("condas", "1.0", {f"bin/{name}": "conda's\n" for name in condas})]
        # Not noarch, as pip here: they bring their bytecode, and do not compile themselves at work.
        packages = [from_wheel(download("setuptools==69.5.1"), noarch=False)]
        packages += [from_wheel(download("wheel==0.43.0"), noarch=False)] if wheel else []
        return create(world.prefix, *packages, *(tools if condas else ()), pip=pip)

    return build


def install(place: Path, build: Build, *words: str, engine: str) -> Ran:
    world = World(place)
    environment = make(world, build)
    command = [*SAFEPIP, "install", *words, "--no-build-isolation"]
    return ran(world, environment, command, env={"SAFEPIP_ENGINE": engine})


@pytest.mark.parametrize("pip", OLD_PIPS)
def test_a_project_in_development_is_installed_as_by_pip(tmp_path: Path, pip: str) -> None:
    words = ("install", "--no-build-isolation", "-e", ".")
    guarded = alike(tmp_path, world_with(pip), *words)
    assert guarded.exit_code == 0
    assert "env/bin/plain-script" in guarded.written
    assert any(path.endswith(".egg-link") for path in guarded.written)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("script", ["plain-script", "entry-script"])
def test_its_scripts_may_not_replace_condas(tmp_path: Path, script: str, engine: str) -> None:
    build = world_with("24.3.1", script)
    done = install(tmp_path / "world", build, "--json", "-e", ".", engine=engine)
    answer = json.loads(done.stdout)
    found = [(one["kind"], one["paths"]) for one in answer["findings"] if one["kind"] != "builds"]
    assert (done.exit_code, found) == (10, [("same-files", [f"bin/{script}"])])
    assert done.touched == {}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="no pip that does so runs on this Python")
@pytest.mark.parametrize("engine", ENGINES)
def test_what_setup_py_installs_by_itself_is_refused_with_a_way_out(
    tmp_path: Path, engine: str
) -> None:
    build = world_with("22.3.1", wheel=False)
    done = install(tmp_path / "world", build, "--json", ".", engine=engine)
    answer = json.loads(done.stdout)
    assert not any("site-packages/my_project" in path for path in done.written)
    if engine == "two-pass":  # which lets pip make a wheel, and pip says what is missing
        assert done.exit_code == 1, done
        return
    assert (done.exit_code, answer["code"]) == (10, "no-wheel"), done
    fixes = [fix["command"].split(" ", 2)[:2] for fix in answer["fixes"]]
    assert fixes == [["safepip", "install"]]
    assert "--use-pep517" in answer["fixes"][0]["command"]
