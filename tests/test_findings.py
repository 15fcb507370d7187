"""Each kind of finding on a real environment: what plain pip does to it, and what safepip does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.guarded import safepip
from tests.lab import (
    CondaEnvironment,
    Recipe,
    Wheel,
    changed,
    conda_bytes,
    create,
    fake,
    from_wheel,
    make_wheel,
)
from tests.lab.shapes import Writer, restyle

OLD, NEW = make_wheel("libnum", "1.26"), make_wheel("libnum", "2.4")
USER = make_wheel("frames", "2.2", requires=["libnum>=1.20"])
HUNGRY = [
    make_wheel("vision", "4.11", requires=["libnum>=1.20"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
]
PICKY = make_wheel("picky", "1.0", requires=["libnum<2"])
CODEC = {"codec/__init__.py": "who = 'conda'\n", "codec/fast.py": "speed = 1\n"}
RIVAL = {"codec/__init__.py": "who = 'pip'\n", "codec/slow.py": "speed = 0\n"}


@dataclass(frozen=True)
class Scenario:
    """An environment, a command of pip, and what is to be said of it."""

    conda: Sequence[Recipe]
    wheels: Sequence[Wheel]
    command: tuple[str, ...]
    exit_code: int
    kinds: tuple[str, ...]
    """Some of the findings; of a plan that is refused, the first one gives the code."""
    damages: bool = True
    """Plain pip changes what conda owns."""
    prepare: Callable[[CondaEnvironment], None] = lambda _: None
    env: dict[str, str] = field(default_factory=dict)


def _pin(environment: CondaEnvironment) -> None:
    (environment.conda_meta / "pinned").write_text("libnum 1.*\n")


def _freeze(environment: CondaEnvironment) -> None:
    (environment.conda_meta / "frozen").write_text(json.dumps({"message": "kept by ops"}))


def _mark(environment: CondaEnvironment) -> None:
    marker = environment.site_packages.parent / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=kept by the image\n")


def _pixi(environment: CondaEnvironment) -> None:
    (environment.conda_meta / "pixi").write_text("{}")


def _halve(environment: CondaEnvironment) -> None:
    left = environment.site_packages / "~umpy"
    left.mkdir()
    (left / "x.py").write_text("")


def _age(environment: CondaEnvironment) -> None:
    metadata = environment.site_packages / "aged-1.0-py3.egg-info"
    metadata.write_text("Metadata-Version: 1.0\nName: aged\nVersion: 1.0\n")


NUM = from_wheel(OLD)
SCENARIOS = {
    "conda-owned": Scenario([NUM], [OLD, NEW], ("install", "libnum==2.4"), 10, ("conda-owned",)),
    "conda-owned: reinstalled": Scenario(
        [NUM], [OLD], ("install", "--force-reinstall", "libnum"), 10, ("conda-owned",)
    ),
    "conda-owned: written over": Scenario(
        [NUM], [OLD, NEW], ("install", "--ignore-installed", "libnum"), 10, ("conda-owned",)
    ),
    "conda-owned: removed": Scenario(
        [NUM], [], ("uninstall", "-y", "libnum"), 10, ("conda-owned",)
    ),
    "conda-owned: under another name of conda's": Scenario(
        [from_wheel(OLD, name="num-base")],
        [OLD, NEW],
        ("install", "-U", "libnum"),
        10,
        ("conda-owned",),
    ),
    "same-files: a module": Scenario(
        [from_wheel(make_wheel("codec-conda", "1.0", CODEC))],
        [make_wheel("codec-pip", "1.0", RIVAL)],
        ("install", "codec-pip"),
        10,
        ("same-files",),
    ),
    "same-files: a console script": Scenario(
        [fake("ninja", "1.12", {"bin/ninja": "#!/bin/sh\necho conda\n"})],
        [make_wheel("ninja", "1.13", scripts={"ninja": "ninja:main"})],
        ("install", "ninja"),
        10,
        ("same-files",),
    ),
    "same-files: a data file": Scenario(
        [fake("libz", "1.2", {"lib/libz.txt": "conda\n"})],
        [make_wheel("stomp", "1.0", data_files={"lib/libz.txt": "pip\n"})],
        ("install", "stomp"),
        10,
        ("same-files",),
    ),
    "same-files: stray tests": Scenario(
        [from_wheel(make_wheel("ours", "1.0", {"ours.py": "", "tests/__init__.py": "ours = 1\n"}))],
        [make_wheel("theirs", "1.0", {"theirs.py": "", "tests/__init__.py": "theirs = 1\n"})],
        ("install", "theirs"),
        0,
        ("same-files",),
    ),
    "breaks": Scenario(
        [from_wheel(PICKY, depends=())],
        [OLD, NEW, PICKY],
        ("install", "libnum"),
        10,
        ("breaks",),
        damages=False,
        prepare=lambda environment: _install(environment, OLD),
        env={"PIP_UPGRADE": "1"},
    ),
    "unmet": Scenario(
        [],
        [make_wheel("lonely", "1.0", requires=["nowhere>=3"])],
        ("install", "--no-deps", "lonely"),
        0,
        ("unmet",),
        damages=False,
    ),
    "second-copy": Scenario(
        [from_wheel(make_wheel("codec", "1.0", {"codec.py": "conda = 1\n"}), info="none")],
        [make_wheel("codec", "1.1", RIVAL)],
        ("install", "codec"),
        10,
        ("second-copy",),
        damages=False,
    ),
    "shadows": Scenario(
        [NUM], [OLD, NEW], ("install", "--user", "-U", "libnum"), 10, ("shadows",), damages=False
    ),
    "pinned": Scenario(
        [NUM], [OLD, NEW], ("install", "libnum==2.4"), 10, ("pinned", "conda-owned"), prepare=_pin
    ),
    "frozen": Scenario(
        [],
        [make_wheel("new", "1.0")],
        ("install", "new"),
        16,
        ("frozen",),
        damages=False,
        prepare=_freeze,
    ),
    "frozen: marked by others": Scenario(
        [],
        [make_wheel("new", "1.0")],
        ("install", "new"),
        16,
        ("frozen",),
        damages=False,
        prepare=_mark,
    ),
    "pixi": Scenario(
        [],
        [make_wheel("new", "1.0")],
        ("install", "new"),
        0,
        ("pixi",),
        damages=False,
        prepare=_pixi,
    ),
    "no-metadata": Scenario(
        [from_wheel(make_wheel("aged", "1.0"), info="egg-info-file")],
        [make_wheel("aged", "2.0")],
        ("install", "-U", "aged"),
        10,
        ("conda-owned", "no-metadata"),
        damages=False,
    ),
    "no-metadata: by hand": Scenario(
        [],
        [make_wheel("aged", "2.0")],
        ("install", "-U", "aged"),
        10,
        ("no-metadata",),
        damages=False,
        prepare=_age,
    ),
    "runtime-twice": Scenario(
        [fake("libgomp", "13", {"lib/libgomp.so.1": "ELF\n"})],
        [make_wheel("fast", "1.0", {"fast/x.py": "", "fast.libs/libgomp-a34b3233.so.1.0.0": ""})],
        ("install", "fast"),
        0,
        ("runtime-twice",),
        damages=False,
    ),
    "base": Scenario(
        [fake("conda", "26.7", {"bin/conda": "#!/bin/sh\n"})],
        [make_wheel("new", "1.0")],
        ("install", "new"),
        0,
        ("base",),
        damages=False,
    ),
    "already-damaged": Scenario(
        [],
        [make_wheel("new", "1.0")],
        ("install", "new"),
        0,
        ("already-damaged",),
        damages=False,
        prepare=_halve,
    ),
}


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Callable[[Sequence[Wheel]], dict[str, str]]:
    """Lay wheels out where pip finds them, and give the variables that tell it so."""

    def lay_out(wheels: Sequence[Wheel]) -> dict[str, str]:
        folder = tmp_path / "wheels"
        folder.mkdir(exist_ok=True)
        for wheel in wheels:
            wheel.write(folder)
        return {"PIP_FIND_LINKS": str(folder)}

    return lay_out


def _install(environment: CondaEnvironment, wheel: Wheel) -> None:
    path = wheel.write(environment.prefix.parent / "by-hand")
    environment.pip("install", "--no-deps", path)


ENGINES_AND_WRITERS = [("one-pass", "rattler"), ("two-pass", "conda")]


# Which engine plans and who wrote the records are told apart elsewhere; here they take turns.
@pytest.mark.parametrize(
    ("name", "engine", "writer"),
    [(name, *ENGINES_AND_WRITERS[number % 2]) for number, name in enumerate(SCENARIOS)],
)
def test_safepip_finds_it_and_leaves_condas_as_it_is(
    name: str,
    engine: str,
    writer: Writer,
    tmp_path: Path,
    wheelhouse: Callable[[Sequence[Wheel]], dict[str, str]],
) -> None:
    scenario = SCENARIOS[name]
    env = {**wheelhouse(scenario.wheels), **scenario.env}
    environment = _made(scenario, tmp_path / "env", writer)
    done = safepip(environment, *scenario.command, env={**env, "SAFEPIP_ENGINE": engine})
    assert (done.exit_code, done.touched) == (scenario.exit_code, {}), done
    assert done.answer["engine"] == engine
    assert done.answer["code"] == (scenario.kinds[0] if scenario.exit_code else None)
    assert set(scenario.kinds) <= {finding["kind"] for finding in done.answer["findings"]}, done


@pytest.mark.parametrize("name", SCENARIOS)
def test_plain_pip_damages_what_it_is_said_to(
    name: str, tmp_path: Path, wheelhouse: Callable[[Sequence[Wheel]], dict[str, str]]
) -> None:
    scenario = SCENARIOS[name]
    env = {**wheelhouse(scenario.wheels), **scenario.env}
    environment = _made(scenario, tmp_path / "env", "conda")
    before = conda_bytes(environment.prefix)
    environment.pip(*scenario.command, env=env, check=False)
    assert bool(changed(before, conda_bytes(environment.prefix))) == scenario.damages


def _made(scenario: Scenario, prefix: Path, writer: Writer) -> CondaEnvironment:
    environment = create(prefix, *scenario.conda)
    restyle(environment.prefix, writer)
    scenario.prepare(environment)
    return environment
