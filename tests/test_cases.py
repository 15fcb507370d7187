"""Reported breakages, one by one: that plain pip does the damage, and what safepip does instead."""

from __future__ import annotations

import email
import importlib.metadata
import shutil
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from tests.cases import Case, Command, World, read_cases
from tests.guarded import Guarded, owned_by, paste, run, safepip
from tests.lab import CondaEnvironment, Ledger, changed, everything
from tests.lab.interpreter import VERSION
from tests.lab.wheels import normalised

Told = Callable[[str, object], None]
"""pytest's `record_property`: what was measured goes into the report of the run."""


def _parameters(*, plain: bool) -> list[Any]:
    """One parameter for each command of each case."""
    found = []
    for case in read_cases():
        marks: list[Any] = [pytest.mark.network] if case.real else []
        if case.pythons and not SpecifierSet(case.pythons).contains(VERSION):
            marks.append(pytest.mark.skip(reason=f"its wheels are for Python {case.pythons}"))
        for number, command in enumerate(case.commands, 1):
            if command.plain or not plain:
                name = case.name if number == 1 else f"{case.name}-{number}"
                found.append(pytest.param(case, command, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("case", "command"), _parameters(plain=True))
def test_plain_pip_does_what_was_reported(
    tmp_path: Path, record_property: Told, case: Case, command: Command
) -> None:
    world = World(case, tmp_path)
    environment = world.environment("env")
    neighbour = world.environment("neighbour") if command.neighbour else None
    others = [one.prefix for one in (neighbour, world.behind) if one is not None]
    were = [everything(prefix) for prefix in others]
    before = everything(environment.prefix) if command.plain == "elsewhere" else {}
    pip = ["pip"] if world.behind else [str(environment.python), "-m", "pip"]
    for line in command.after:
        environment.run(*pip, *world.words(line), env=world.env, cwd=world.work)
    path = world.path(environment)
    done = run(
        environment, [*pip, *world.words(command.run)], env={**world.env, **path}, cwd=world.work
    )
    record_property("plain", _in_words(done))
    moved = [
        bool(changed(was, everything(prefix))) for was, prefix in zip(were, others, strict=True)
    ]
    match command.plain:
        case "damages":
            assert (done.exit_code, bool(done.touched), any(moved)) == (0, True, False), str(done)
        case "fails":
            assert done.exit_code != 0, str(done)
            assert done.touched == {}, str(done)
        case "elsewhere":
            assert (done.exit_code, moved) == (0, [True]), str(done)
            assert changed(before, everything(environment.prefix)) == {}
        case _:
            assert (done.exit_code, done.touched) == (0, {}), str(done)


@pytest.mark.parametrize(("case", "command"), _parameters(plain=False))
def test_safepip_does_better(
    tmp_path: Path, record_property: Told, case: Case, command: Command
) -> None:
    world = World(case, tmp_path)
    environment = world.environment("env")
    behind = everything(world.behind.prefix) if world.behind else {}
    _prepare(world, environment, command)
    there, before = _distributions(environment), everything(environment.prefix)
    done = _safepip(world, environment, command.run)
    record_property("safepip", _in_words(done))
    answer = done.answer
    assert done.touched == {}, str(done)
    assert (answer["verdict"], done.exit_code) == (command.verdict, command.exit_code), str(done)
    assert answer["exit_code"] == done.exit_code
    assert not command.code or answer["code"] == command.code, str(done)
    assert _kinds(answer, "refuse") == command.refuses or command.verdict == "error", str(done)
    assert _kinds(answer, "note") == command.notes or command.verdict == "error", str(done)
    for facts in command.finds:
        assert any(_fits(facts, found) for found in answer["findings"]), f"{facts}\n{done}"
    if command.verdict == "block" or command.exit_code == 15:
        assert _changes(before, environment) == {}
    assert not world.behind or behind == everything(world.behind.prefix)
    assert _differences(there, _distributions(environment), command) == [], str(done)
    held = {one["name"] for one in answer["held_back"]}
    assert held >= command.held_back if case.real else held == command.held_back, str(done)
    commands = [fix["command"] for fix in answer["fixes"]]
    record_property("fixes", commands)
    assert commands or command.verdict != "block", str(done)
    for pattern in command.fixes:
        assert any(fnmatchcase(one, pattern) for one in commands), f"{pattern}\n{done}"
    if not case.real:  # what is asked of a real index takes its time, and is the same in kind
        _what_is_offered_works(world, environment, command, answer, record_property)


def _what_is_offered_works(
    world: World,
    environment: CondaEnvironment,
    command: Command,
    answer: Mapping[str, Any],
    record_property: Told,
) -> None:
    """Paste each command that was printed, in an environment in which it was printed."""
    wanted = {one["name"] for one in answer["changes"] if one["requested"]}
    as_it_was = answer["verdict"] == "block"
    lines = _to_be_pasted(answer)
    # A paste is the dearest part of these tests: of a case's further commands the first way out is.
    for line in lines if command is world.case.commands[0] else lines[:1]:
        if not as_it_was:
            # What is printed may name the environment, so each new one is made in the same place.
            shutil.rmtree(environment.prefix)
            environment = world.environment("env")
            _prepare(world, environment, command)
        as_it_was = False
        given_away = owned_by(environment, _allowed(line))
        done = paste(environment, line, env=world.env, cwd=world.work)
        record_property("pasted", f"{line} -> {_in_words(done)}")
        assert done.exit_code == 0, f"{line}\n{done}"
        assert done.answer["verdict"] in ("clear", "kept"), f"{line}\n{done}"
        assert set(done.touched) <= given_away, f"{line}\n{done}"
        there = wanted & set(_distributions(environment))
        removes = command.run.startswith("uninstall")
        assert there == (set() if removes else wanted), f"{line}\n{done}"


def _to_be_pasted(answer: Mapping[str, Any]) -> list[str]:
    """The offered commands that can be run here: conda itself cannot."""
    lines = [fix["command"] for fix in answer["fixes"]]
    return [line for line in lines if line.startswith("safepip ") and "conda " not in line]


def _prepare(world: World, environment: CondaEnvironment, command: Command) -> None:
    for line in command.after:
        done = _safepip(world, environment, line)
        assert done.exit_code == 0, str(done)


def _safepip(world: World, environment: CondaEnvironment, line: str) -> Guarded:
    env = {**world.env, **world.path(environment)}
    return safepip(
        environment, *world.words(line), env=env, cwd=world.work, named=world.behind is None
    )


def _distributions(environment: CondaEnvironment) -> dict[str, str]:
    """Version by normalised name of what has metadata; the name may be missing in these cases."""
    found = {}
    for one in importlib.metadata.distributions(path=[str(environment.site_packages)]):
        text = one.read_text("METADATA") or one.read_text("PKG-INFO") or one.read_text("")
        fields = email.message_from_string(text or "")
        if fields["Name"]:
            found[normalised(fields["Name"])] = str(fields["Version"])
    return found


def _changes(before: Ledger, environment: CondaEnvironment) -> Mapping[str, tuple[str, str]]:
    """What differs in the whole environment, but for safepip's own lock and journal."""
    found = changed(before, everything(environment.prefix))
    return {
        path: pair for path, pair in found.items() if not path.startswith("conda-meta/safepip/")
    }


def _kinds(answer: Mapping[str, Any], severity: str) -> set[str]:
    # A hint says what came of importing what was installed: not a finding on the plan.
    found = [one for one in answer["findings"] if one["kind"] != "hint"]
    return {one["kind"] for one in found if one["severity"] == severity}


def _fits(facts: Mapping[str, str], found: Mapping[str, Any]) -> bool:
    return all(key in found and fnmatchcase(_text(found[key]), text) for key, text in facts.items())


def _text(fact: Any) -> str:
    return " ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _differences(
    before: Mapping[str, str], after: Mapping[str, str], command: Command
) -> list[str]:
    """What is there now and should not be, or should and is not."""
    found = []
    for name in sorted({*before, *after, *command.installs}):
        was, now = before.get(name), after.get(name)
        wanted = command.installs.get(name)
        if wanted is None:
            fine = was == now or (command.brings_more and was is None)
        elif wanted == "absent":
            fine = now is None
        else:
            bounds = wanted if wanted[0] in "<>=!~" else f"=={wanted}"
            fine = now is not None and SpecifierSet(bounds).contains(now, prereleases=True)
        if not fine:
            found.append(f"{name}: was {was}, is {now}, expected {wanted}")
    return found


def _allowed(line: str) -> set[str]:
    """The distributions that a printed command lets pip take over."""
    words = line.split()
    given = [words[at + 1] for at, word in enumerate(words) if word == "--allow"]
    given += [word.partition("=")[2] for word in words if word.startswith("--allow=")]
    return {normalised(name) for names in given for name in names.split(",")}


def _in_words(done: Guarded) -> str:
    gone = sum(now == "missing" for _, now in done.touched.values())
    what = f"{len(done.touched) - gone} files of conda's changed, {gone} gone"
    try:
        verdict = (
            f"{done.answer['verdict']} {sorted({f['kind'] for f in done.answer['findings']})}, "
        )
    except AssertionError:
        verdict = ""
    touched = what if done.touched else "no file of conda’s touched"
    return f"{verdict}exit code {done.exit_code}; {touched}"
