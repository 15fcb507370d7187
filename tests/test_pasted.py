"""Fixes of both tools, executed as they are printed, on real environments and a real channel.

The cases are those of `conflicts.toml` in which a change of conda's is the way out. All of them
are in one environment, each under names of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.guarded import paste, safepip
from tests.lab import CondaEnvironment, Recipe, Wheel, create, from_wheel, make_wheel
from tests.pasting import paste_both
from tests.test_conflict import CASES

_NAMES = (
    "the request itself wants what conda has not",
    "a request that leads to two holds, of which one needs the other",
    "two holds that conflict only together",
    "a conflict through an extra",
)
PASTED = [case for case in CASES if case["name"] in _NAMES]
TOLD = {
    name: {
        version: make_wheel(name, version, requires=["plug; extra == 'x'"], provides_extra=["x"])
        for version in ("1.0", "2.0", "3.0")
    }
    for name in ("by-variable", "by-settings")
}
"""conda has 1.0 and could have 2.0; pip would have 3.0."""
ENGINES = ("one-pass", "two-pass")
OLD = [
    make_wheel(f"{engine}-{name}", "1.0", {f"{engine[:3]}{name}.py": "here = 1\n"})
    for engine in ENGINES
    for name in ("first", "second", "third")
]
NEW = [
    wheel
    for engine in ENGINES
    for wheel in (
        make_wheel(f"{engine}-first", "2.0"),
        make_wheel(f"{engine}-second", "2.0", {f"{engine[:3]}third.py": "there = 2\n"}),
        make_wheel(f"{engine}-app", "1.0", requires=[f"{engine}-first>=2", f"{engine}-second>=2"]),
    )
]
"""What is asked for needs two of conda's newer, of which one lies on files of a third."""


def mark(case: dict[str, Any], text: str) -> str:
    """A requirement or a `name version`, under names that are only of this case."""
    return re.sub(r"^([A-Za-z][\w.-]*)", rf"of{CASES.index(case)}-\1", text)


def wheel(case: dict[str, Any], key: str, lines: Sequence[str]) -> Wheel:
    name, version = mark(case, key).split()
    requires = [mark(case, line) for line in lines]
    extras = sorted(set(re.findall(r"extra == '(\w+)'", " ".join(lines))))
    return make_wheel(name, version, requires=requires, provides_extra=extras)


def later() -> list[Recipe]:
    """What the channel has besides: every other release of what conda holds."""
    return [
        *(from_wheel(releases["2.0"]) for releases in TOLD.values()),
        *_of_cases(),
    ]


def _of_cases() -> list[Recipe]:
    return [
        from_wheel(wheel(case, key, lines))
        for case in PASTED
        for key, lines in case["shelf"].items()
        if key.split()[0] in {held.split()[0] for held in case["holds"]}
        and key not in case["holds"]
    ]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("pasted")
    for case in PASTED:
        for key, lines in case["shelf"].items():
            wheel(case, key, lines).write(place / "wheels")
    told = [each for releases in TOLD.values() for each in releases.values()]
    for each in (make_wheel("plug", "1.0"), *told, *NEW):
        each.write(place / "wheels")
    held = [wheel(case, key, lines) for case in PASTED for key, lines in case["holds"].items()]
    held += [*OLD, *(releases["1.0"] for releases in TOLD.values())]
    return create(place / "lab", *map(from_wheel, held), available=later())


def test_every_case_is_there() -> None:
    assert len(PASTED) == len(_NAMES)


@pytest.mark.parametrize("case", PASTED, ids=[case["name"] for case in PASTED])
def test_a_fix_of_both_tools_works_as_pasted(case: dict[str, Any], lab: CondaEnvironment) -> None:
    env = {"PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"), "PIP_NO_CACHE_DIR": "1"}
    wanted = [mark(case, line) for line in case["wanted"]]
    refused = safepip(lab, "plan", *wanted, env=env)
    assert (refused.exit_code, refused.touched) == (10, {}), refused
    offered = [fix["command"] for fix in refused.answer["fixes"]]
    command = next(each for each in offered if each.startswith("conda "))
    done = paste_both(lab, command, later(), env=env)
    assert done is None or (done.exit_code, done.touched) == (0, {}), done
    there = lab.distributions()
    assert all(r.specifier.contains(there[r.name]) for r in map(Requirement, wanted)), there


@pytest.mark.parametrize("name", TOLD)
def test_pip_does_not_upgrade_again_what_conda_has_changed_however_it_is_told_to(
    name: str, lab: CondaEnvironment
) -> None:
    settings = lab.prefix.parent / "pip.conf"
    settings.write_text("[install]\nupgrade = true\n")
    told = {
        "by-variable": {"PIP_UPGRADE": "1"},
        "by-settings": {"PIP_CONFIG_FILE": str(settings)},
    }
    env = {
        "PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"),
        "PIP_NO_CACHE_DIR": "1",
        **told[name],
    }
    refused = safepip(lab, "plan", f"{name}[x]>=2", env=env)
    assert (refused.exit_code, refused.touched) == (10, {}), refused
    offered = [fix["command"] for fix in refused.answer["fixes"]]
    command = next(each for each in offered if each.startswith("conda "))
    assert command.split(" && ")[1].startswith("PIP_UPGRADE=0 safepip install "), command
    done = paste_both(lab, command, later(), env=env)
    assert done is not None
    assert (done.exit_code, done.touched) == (0, {}), done
    there = lab.distributions()
    assert (there[name], there["plug"]) == ("2.0", "1.0"), there


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_allowed_in_part_is_said_again_with_what_is_refused(
    engine: str, lab: CondaEnvironment
) -> None:
    env = {
        "PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"),
        "PIP_NO_CACHE_DIR": "1",
        "SAFEPIP_ENGINE": engine,
    }
    first, second, third, app = (f"{engine}-{each}" for each in ("first", "second", "third", "app"))
    refused = safepip(lab, "plan", "--allow", first, app, env=env)
    assert (refused.exit_code, refused.touched) == (10, {}), refused
    found = [(f["kind"], f["severity"], f.get("distribution")) for f in refused.answer["findings"]]
    assert sorted(each for each in found if each[2]) == [
        ("conda-owned", "note", first),
        ("conda-owned", "refuse", second),
        ("same-files", "refuse", second),
    ]
    (command,) = [f["command"] for f in refused.answer["fixes"] if "--allow" in f["command"]]
    assert f" --allow {first},{second},{third} {app}" in command
    done = paste(lab, command, env=env)
    assert done.exit_code == 0, done
    there = lab.distributions()
    assert (there[first], there[second], there[app]) == ("2.0", "2.0", "1.0")
