"""Why a request cannot be had beside what conda has, on real indexes; and fixes that work."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from safepip.decisions.drawing.markdown import markdown
from safepip.decisions.wording.message import message
from safepip.values.verdict import Fix, Outcome
from tests.guarded import PATIENCE_SECONDS, Guarded, safepip
from tests.lab import (
    PIPS,
    CondaEnvironment,
    create,
    fake,
    from_wheel,
    make_sdist,
    make_wheel,
    serve_index,
)
from tests.pasting import conda_install, paste_both

OLD = [make_wheel(name, "1.0") for name in ("left", "right", "libnum", "proto")]
NEW = {name: make_wheel(name, "2.0") for name in ("left", "right", "libnum", "proto")}
HOUSE = [
    *NEW.values(),
    make_wheel("app", "1.0", requires=["lib"]),
    make_wheel("lib", "2.0", requires=["left>=2"]),
    make_wheel("lib", "1.0", requires=["right>=2"]),
    make_wheel("both", "1.0", requires=["left>=2", "right>=2"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
    make_wheel("vision", "4.0", requires=["libnum>=1"]),
    make_wheel("net", "1.0", requires=["proto>=2; extra == 'fast'"], provides_extra=["fast"]),
    make_wheel("modern", "2.0", requires_python=">=3.99"),
    make_wheel("modern", "1.0"),
    make_wheel("tool", "2.0", requires=["libnum>=2"]),
    make_wheel("wide", "1.0", requires=["libnum>=2", "left"]),
    make_wheel("builder", "1.0", requires=["modern>=2"]),
]
CONDA = [
    *map(from_wheel, OLD),
    from_wheel(make_wheel("tool", "1.0", requires=["libnum"])),
    fake("stats", "1.4", depends=["libnum >=1,<2"]),
]
LATER = [*map(from_wheel, NEW.values()), fake("stats", "2.0", depends=["libnum >=2"])]
"""What else the channel has."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("why")
    for wheel in HOUSE:
        wheel.write(place / "wheels")
    return create(place / "lab", *CONDA, available=LATER)


def links(environment: CondaEnvironment) -> dict[str, str]:
    return {"PIP_FIND_LINKS": str(environment.prefix.parent / "wheels"), "PIP_NO_CACHE_DIR": "1"}


def blocked(
    environment: CondaEnvironment, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], Guarded]:
    """The conflict that a refused plan is explained by."""
    done = safepip(environment, "plan", *arguments, env=env or links(environment))
    assert (done.exit_code, done.touched) == (10, {}), done
    return done.answer["conflict"], done


def commands(done: Guarded) -> list[str]:
    return [fix["command"] for fix in done.answer["fixes"]]


# ------------------------------------------------------------------------------- what is told


def test_two_holds_that_are_in_the_way_only_together(lab: CondaEnvironment) -> None:
    conflict, done = blocked(lab, "app")
    assert conflict["sets"] == [["left", "right"]]
    assert [[freed["name"] for freed in way] for way in conflict["ways"]] == [["left"], ["right"]]
    assert [chain["links"][-1] for chain in conflict["chains"]] == [
        {"name": "lib", "version": "2.0", "needs": "left>=2"},
        {"name": "lib", "version": "1.0", "needs": "right>=2"},
    ]
    start = conda_install(lab, LATER)
    assert commands(done)[:2] == [
        f'{start} "left>=2" && safepip install --env {lab.prefix} app',
        f'{start} "right>=2" && safepip install --env {lab.prefix} app',
    ]


def test_a_chain_leads_to_who_holds_it_with_the_bounds(lab: CondaEnvironment) -> None:
    conflict, done = blocked(lab, "vision>=5")
    (chain,) = conflict["chains"]
    assert (chain["hold"], chain["version"], chain["becomes"]) == ("libnum", "1.0", "2.0")
    assert chain["held_by"] == ["stats 1.4 (libnum >=1,<2)"]
    assert commands(done)[0] == f"safepip install --env {lab.prefix} vision==4.0"
    said = lab.run(*shlex.split(done.command.replace(" --json", "")), env=links(lab), check=False)
    assert (
        "cause vision 5.0 needs libnum>=2; libnum 1.0 is conda's, held by conda's stats 1.4 "
        "(libnum >=1,<2) why pip would"
    ) in " ".join(said.stdout.split())


def test_a_conflict_through_an_extra_and_a_file(lab: CondaEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("net[fast]\n")
    conflict, _ = blocked(lab, "-r", file)
    assert conflict["chains"][0]["links"] == [
        {"name": None, "version": None, "needs": "net[fast]"},
        {"name": "net", "version": "1.0", "needs": "proto>=2"},
    ]


def test_a_line_of_a_file_gives_way_to_what_fits(lab: CondaEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("vision>=5  # the newest\nnet\n")
    _, done = blocked(lab, "-r", file)
    assert done.answer["fixes"][0] == {
        "command": f"safepip install --env {lab.prefix} vision==4.0 net",
        "says": "take the newest that fits conda's versions, vision 4.0, "
        "in place of what the file asks",
    }


def test_what_has_no_wheel_is_taken_as_pip_has_built_it(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    make_sdist("sourced", "1.0").write(tmp_path)
    make_wheel("sourcing", "1.0", requires=["sourced"]).write(tmp_path)
    found = f"{links(lab)['PIP_FIND_LINKS']} {tmp_path}"
    env = {**links(lab), "PIP_FIND_LINKS": found, "PIP_NO_BUILD_ISOLATION": "1"}
    conflict, _ = blocked(lab, "vision>=5", "sourcing", env=env)
    assert [chain["hold"] for chain in conflict["chains"]] == ["libnum"]


def test_an_upgrade_of_what_conda_has_is_explained(lab: CondaEnvironment) -> None:
    conflict, _ = blocked(lab, "-U", "tool")
    assert conflict["sets"] == [["libnum"], ["tool"]]
    assert [chain["links"][-1]["needs"] for chain in conflict["chains"]] == ["libnum>=2"]


def test_pip_may_take_over_no_more_than_it_has_to(lab: CondaEnvironment) -> None:
    _, done = blocked(lab, "-U", "--upgrade-strategy", "eager", "wide")
    changed = [change["name"] for change in done.answer["changes"]]
    assert sorted(changed) == ["left", "libnum", "wide"]
    (allow,) = (command for command in commands(done) if "--allow" in command)
    assert "--allow libnum -U" in allow


def test_a_project_in_a_folder_is_explained_as_pip_found_it(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    wheel = make_wheel("mine", "0.1", requires=["libnum>=2"])
    wheel.write(tmp_path)
    conflict, _ = blocked(lab, tmp_path / wheel.filename)
    assert conflict["chains"][0]["links"][-1] == {
        "name": "mine",
        "version": "0.1",
        "needs": "libnum>=2",
    }


def test_what_is_for_another_python_is_told_where_pip_finds_nothing(lab: CondaEnvironment) -> None:
    done = safepip(lab, "install", "builder", env=links(lab))
    version = lab.run(lab.python, "-V").stdout.split()[1]
    assert (done.exit_code, done.answer["code"]) == (1, "pip-failed")
    assert [finding["message"] for finding in done.answer["findings"]] == [
        f"builder 1.0 needs modern>=2; modern 2.0 needs Python >=3.99; python {version} is conda's",
        "conda has no `python>=3.99` for a new environment, by the channels of this one",
    ]
    conflict = done.answer["conflict"]
    assert [link["needs"] for link in conflict["chains"][0]["links"]] == [
        "builder",
        "modern>=2",
        "Python >=3.99",
    ]
    assert conflict["chains"][0]["hold"] == "python"
    assert done.answer["fixes"] == []
    bounded = safepip(lab, "plan", "modern>=2", env=links(lab))
    assert bounded.answer["fixes"] == [
        {
            "command": f"safepip install --env {lab.prefix} modern==1.0",
            "says": "take the newest that fits this Python, modern 1.0, though you ask for >=2",
        }
    ]


def test_a_new_environment_is_a_command_of_its_own_where_the_channels_have_that_python(
    tmp_path: Path,
) -> None:
    available = [fake("python", "3.99.1")]
    lab = create(tmp_path / "lab", *CONDA, available=available)
    for wheel in HOUSE:
        wheel.write(tmp_path / "wheels")
    done = safepip(lab, "plan", "builder", env=links(lab))
    there = conda_install(lab, available).partition(f"{lab.prefix} ")[2]
    command = (
        f'conda create -n my-lab {there} "python>=3.99" pip && safepip install --env my-lab builder'
    )
    assert done.answer["fixes"] == [
        {"command": command, "says": "use a new environment, with python>=3.99"}
    ]
    fix = Fix(command, "use a new environment, with python>=3.99")
    shown = message(Outcome(1, None, fixes=(fix,), hints=("python is conda's",)), width=60)
    assert [line.text for line in shown][-1].strip() == command
    assert f"\n{command}\n" in markdown(Outcome(1, None, fixes=(fix,)))


def test_what_nobody_has_is_no_matter_of_python(lab: CondaEnvironment) -> None:
    done = safepip(lab, "install", "absent", env=links(lab))
    assert (done.exit_code, done.answer["findings"]) == (1, [])


# ------------------------------------------------------------------------------- which indexes


@pytest.mark.parametrize(
    ("metadata", "ranges"),
    [(True, False), (False, True), (False, False)],
    ids=["PEP 658", "parts", "whole wheels"],
)
def test_a_private_index_is_asked_as_pip_asks_it(
    metadata: bool, ranges: bool, lab: CondaEnvironment
) -> None:
    with serve_index(HOUSE, login=("ada", "s3cret"), metadata=metadata, ranges=ranges) as index:
        env = {"PIP_INDEX_URL": index.url_with_login, "PIP_NO_INDEX": "0", "PIP_NO_CACHE_DIR": "1"}
        conflict, done = blocked(lab, "app", env=env)
        fetched = index.downloads()
    assert conflict["sets"] == [["left", "right"]]
    assert "s3cret" not in str(done)
    assert [one for one in index.requests if one.status == 401 and one.authorised] == []
    # pip's own plans fetch what they choose; what only the explanation looks at is not fetched,
    # where the server has it otherwise.
    assert ("right-2.0-py3-none-any.whl" in fetched) or metadata or ranges


@pytest.mark.parametrize("version", [PIPS[0], PIPS[-1]])
def test_every_pip_can_be_asked(version: str, tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=LATER, pip=version)
    with serve_index(HOUSE, metadata=True) as index:
        env = {"PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0", "PIP_NO_CACHE_DIR": "1"}
        conflict, _ = blocked(lab, "app", env=env)
    assert conflict["sets"] == [["left", "right"]]


def test_who_waits_sees_how_far_it_is(lab: CondaEnvironment) -> None:
    words = [sys.executable, "-m", "safepip", "--env", str(lab.prefix), "plan", "-q", "app"]
    main, side = pty.openpty()
    with serve_index(HOUSE) as index, os.fdopen(main, "rb", buffering=0) as seen:
        index.delay = 0.08
        env = {"PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0", "PIP_NO_CACHE_DIR": "1"}
        done = subprocess.run(
            words,
            env=lab.environ({**env, "TERM": "xterm"}),
            stdout=subprocess.DEVNULL,
            stderr=side,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        os.set_blocking(seen.fileno(), False)
        said = (seen.read() or b"").decode()
        os.close(side)
    assert done.returncode == 10
    assert re.search(r"safepip: looking for what fits: \d+", said), said
    assert said.endswith("\x1b[K")


def test_what_takes_too_long_is_not_told(lab: CondaEnvironment) -> None:
    from safepip.effects.asking import Asking
    from safepip.effects.catalogue import Catalogue
    from safepip.values.errors import NoEngine
    from safepip.values.universe import TooLong

    with serve_index(HOUSE) as index:
        environ = lab.environ({"PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0"})
        arguments = ("install", "app")
        asking = Asking(str(lab.python), arguments, environ, lambda: lab.prefix, silent=True)
        with Catalogue(asking, {}, seconds=3.0) as shelf:
            try:
                shelf.open()
            except NoEngine:  # where pip itself is slow, its start is what takes too long
                return
            assert [release.version for release in shelf.releases("app")] == ["1.0"]
            index.delay = 5.0
            with pytest.raises(TooLong, match="too long"):
                shelf.releases("lib")
            with pytest.raises(TooLong, match="too long"):
                shelf.releases("app")


# ------------------------------------------------------------------------------- what is offered


def test_conda_s_part_of_a_fix_and_pip_s_work_as_pasted(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=LATER)
    for wheel in HOUSE:
        wheel.write(tmp_path / "wheels")
    conflict, done = blocked(lab, "both", "vision>=5")
    assert conflict["sets"] == [["left"], ["libnum"], ["right"]]
    first, _ = commands(done)[0].split(" && ")
    specs = shlex.split(first.removeprefix(conda_install(lab, LATER)))
    assert sorted(specs) == ["left>=2", "libnum>=2", "right>=2", "stats"]
    pasted = paste_both(lab, commands(done)[0], LATER, env=links(lab))
    assert pasted is not None
    assert (pasted.exit_code, pasted.touched) == (0, {}), pasted
    found = lab.distributions()
    assert (found["both"], found["vision"], found["libnum"]) == ("1.0", "5.0", "2.0")


def test_the_solver_says_what_else_conda_would_change(lab: CondaEnvironment) -> None:
    history = lab.conda_meta / "history"
    known = sorted(file.name.rsplit("-", 2)[0] for file in lab.conda_meta.glob("*.json"))
    history.write_text(f"==> 2026-11-25 09:12:00 <==\n# update specs: {known}\n")
    _, done = blocked(lab, "vision>=5")
    # A version that the user once asked for is none that the channels lack.
    wished = [*(name for name in known if name != "stats"), "stats=1.4"]
    history.write_text(f"==> 2026-11-25 09:12:00 <==\n# update specs: {wished}\n")
    _, held = blocked(lab, "vision>=5")
    history.write_text("")
    assert done.answer["fixes"][1]["says"] == (
        "let conda change libnum first, which also changes stats 1.4 -> 2.0"
    )
    assert held.answer["fixes"][1]["says"] == (
        "let conda change libnum and with it stats (it was once asked for stats=1.4) first, "
        "which also changes stats 1.4 -> 2.0"
    )
    assert '"libnum>=2" stats && ' in held.answer["fixes"][1]["command"]


def test_what_the_solver_refuses_is_not_promised(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=[from_wheel(NEW["left"])])
    for wheel in HOUSE:
        wheel.write(tmp_path / "wheels")
    _, both = blocked(lab, "both")
    assert [f["message"] for f in both.answer["findings"] if f["kind"] == "hint"] == [
        (
            "conda cannot have `right>=2` here, by its channels as this machine knows them; "
            "`left>=2` alone it can"
        )
    ]
    _, done = blocked(lab, "vision>=5")
    assert [command.partition(" ")[0] for command in commands(done)] == ["safepip", "safepip"]
    hint = next(f for f in done.answer["findings"] if f["kind"] == "hint")
    assert hint["message"] == (
        "conda cannot have `libnum>=2` here, by its channels as this machine knows them"
    )


def test_a_channel_that_was_never_fetched_gives_no_answer(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=LATER)
    for wheel in HOUSE:
        wheel.write(tmp_path / "wheels")
    for file in lab.conda_meta.glob("*.json"):
        record = json.loads(file.read_bytes())
        file.write_text(json.dumps({**record, "channel": "https://conda.example.org/lab"}))
    _, done = blocked(lab, "vision>=5", env={**links(lab), "RATTLER_CACHE_DIR": str(tmp_path)})
    says = done.answer["fixes"][1]["says"]
    assert says.startswith(
        "let conda change libnum and with it stats first, if it can (unchecked); a later `conda "
    )


def test_nothing_is_explained_when_nothing_is_wrong(lab: CondaEnvironment) -> None:
    with serve_index(HOUSE, metadata=True) as index:
        env = {"PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0", "PIP_NO_CACHE_DIR": "1"}
        plain = safepip(lab, "plan", "vision", env=env)
        asked = [one.path for one in index.requests]
    assert (plain.exit_code, plain.answer["conflict"]) == (0, None)
    assert not [path for path in asked if "app" in path]
