"""`--prefer-conda`: what conda has is installed by conda, and only the rest by pip, guarded."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safepip.decisions.drawing.card import card_of
from safepip.decisions.drawing.markdown import markdown
from safepip.decisions.drawing.page import page
from safepip.decisions.explaining.verdicts import told
from safepip.decisions.fixing.condas_answer import (
    otherwise_than_shown,
    parse_moves,
    parse_refusal,
)
from safepip.decisions.undoing.conda_history import dist_of
from safepip.decisions.undoing.inverse import needed_by_conda
from safepip.values.channel import CondaPart, Moved
from safepip.values.environment import RecordStamp
from safepip.values.plan import Plan
from safepip.values.verdict import Blocked, Outcome
from tests.build import artifact, conda, environment, written_down
from tests.guarded import PATIENCE_SECONDS, Guarded, paste, run, safepip
from tests.lab import CondaEnvironment, create, fake, from_wheel, make_wheel
from tests.lab.channel import channel
from tests.lab.ledger import with_modes
from tests.pasting import conda_install
from tests.saying import LAB, clear, expected, said

WHEELS = {
    (wheel.filename.split("-")[0], wheel.filename.split("-")[1]): wheel
    for wheel in (
        make_wheel("shared", "2.1"),
        make_wheel("mine", "1.0", requires=["shared>=2", "private-thing"]),
        make_wheel("private-thing", "3.0"),
        make_wheel("lonely", "1.0"),
        make_wheel("libnum", "1.0"),
        make_wheel("libnum", "3.0"),
        make_wheel("vision", "5.0", requires=["libnum>=2"]),
        make_wheel("vision", "4.0", requires=["libnum"]),
        make_wheel("strict", "2.0", requires=["libnum>=2"]),
        make_wheel("twice", "1.0", requires=["lonely"]),
    )
}
CONDA = [from_wheel(WHEELS["libnum", "1.0"]), fake("stats", "1.4", depends=["libnum >=1,<2"])]
CHANNEL = [
    from_wheel(WHEELS["shared", "2.1"]),
    from_wheel(WHEELS["libnum", "3.0"]),
    from_wheel(WHEELS["vision", "5.0"]),
    fake("stats", "2.0", depends=["libnum >=2"]),
    # Built for what is there, which the wheel on the index is not.
    from_wheel(make_wheel("strict", "2.0", requires=["libnum"])),
    from_wheel(WHEELS["twice", "1.0"]),
    from_wheel(WHEELS["lonely", "1.0"]),
]
"""What else the channel has."""
STAND_IN = """\
#!{python}
import json, subprocess, sys
from pathlib import Path
from typing import Any
sys.path.insert(0, {checkout!r})
from tests.lab.channel import channel
from tests.lab.installer import install
from tests.test_prefer_conda import CHANNEL, CONDA
words = sys.argv[1:]
shown = "--dry-run" in words
specs = [w for w in words[6:] if not w.startswith("-")]
if shown:
    print(json.dumps({{"success": True, "actions": {{"LINK": {link!r}}}}}))
    sys.exit()
print("conda says:", *words)
prefix = Path(words[2])
there = [file.name.rsplit("-", 2)[0] for file in prefix.glob("conda-meta/*.json")]
{does}
"""
HISTORY = """\
==> 2026-11-25 09:12:00 <==
# cmd: /opt/conda/bin/conda create
# update specs: ['python', 'pip', 'libnum', 'stats']
"""
INSTALLS = "install(prefix, Path(words[5].removeprefix('file://')), [*there, *specs], keep=True)"


def made(folder: Path) -> CondaEnvironment:
    for wheel in WHEELS.values():
        wheel.write(folder / "wheels")
    return create(folder / "lab", *CONDA, available=CHANNEL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    return made(tmp_path_factory.mktemp("prefer"))


def links(environment: CondaEnvironment) -> dict[str, str]:
    return {"PIP_FIND_LINKS": str(environment.prefix.parent / "wheels")}


def stand_in(
    environment: CondaEnvironment, folder: Path, does: str, *link: tuple[str, str]
) -> dict[str, str]:
    """A `conda` on PATH that says what it would add, and does this where it is told to.

    The environment is one that conda has made.
    """
    known = sorted(file.name.rsplit("-", 2)[0] for file in environment.conda_meta.glob("*.json"))
    history = "==> 2026-11-25 09:12:00 <==\n# cmd: /opt/conda/bin/conda create\n"
    history += f"# update specs: {known}\n"
    (environment.conda_meta / "history").write_text(history)
    program = folder / "bin" / "conda"
    program.parent.mkdir(exist_ok=True)
    rows = [{"name": name, "version": version} for name, version in link]
    checkout = str(Path(__file__).parent.parent)
    text = STAND_IN.format(python=sys.executable, checkout=checkout, link=rows, does=does)
    program.write_text(text)
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


UNKNOWN = "a later `conda remove` may take all else along, which conda's history does not know"


def files_of(environment: CondaEnvironment) -> dict[str, tuple[str, int]]:
    """All that is there, less safepip's journal."""
    return with_modes(environment.prefix, without={"safepip", "__pycache__"})


def kill_while_acting(environment: CondaEnvironment, *arguments: str) -> None:
    """Begin to install, and kill safepip where it has begun to change something."""
    words = ["--env", str(environment.prefix), "--json", "install", "--prefer-conda", *arguments]
    mark = environment.conda_meta / "safepip" / "unfinished"
    with subprocess.Popen(
        [sys.executable, "-m", "safepip", *words],
        env=environment.environ(links(environment)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not mark.exists() and process.poll() is None:
            time.sleep(0.001)
        process.kill()


def changes_afterwards(environment: CondaEnvironment) -> list[dict[str, Any]]:
    """The changes, once what the killed one has started has ended, and it can be taken back."""
    changes: list[dict[str, Any]] = []
    for _ in range(300):
        changes = safepip(environment, "history").answer["changes"]
        if changes[0]["stage"] != "acting":
            break
        time.sleep(0.1)
    return changes


def preferring(
    environment: CondaEnvironment,
    *arguments: str,
    verb: str = "install",
    env: Mapping[str, str] | None = None,
) -> Guarded:
    more = {**links(environment), **(env or {})}
    return safepip(environment, verb, "--prefer-conda", *arguments, env=more)


def altered(done: Guarded) -> dict[str, tuple[str, str]]:
    """What was conda's before and is not what it was."""
    return {path: pair for path, pair in done.touched.items() if pair[0] != "missing"}


# ------------------------------------------------------------------------------- both steps


def test_conda_takes_what_it_has_and_pip_the_rest_and_both_go_back(tmp_path: Path) -> None:
    lab = made(tmp_path)
    before = {path.name: path.read_bytes() for path in lab.conda_meta.iterdir() if path.is_file()}
    command = f'{conda_install(lab, CHANNEL)} "shared>=2"'
    part = {
        "tool": "py-rattler",
        "command": command,
        "changes": [{"name": "shared", "from": None, "to": "2.1"}],
        # No history knows what else is wanted there: without `--force` all of it would go along.
        "back": f"conda remove -p {lab.prefix} --force shared",
        "warning": UNKNOWN,
    }
    all_before = files_of(lab)
    shown = preferring(lab, "mine", verb="plan")
    assert (shown.exit_code, shown.touched) == (0, {}), shown
    assert shown.answer["conda"] == {**part, "done": False}
    assert [change["name"] for change in shown.answer["changes"]] == ["mine", "private-thing"]
    dry = preferring(lab, "--dry-run", "mine")
    assert (dry.exit_code, dry.answer["conda"]) == (0, shown.answer["conda"])
    assert "Would install" not in dry.stderr, "pip knows nothing of conda's part"
    assert "shared" not in lab.distributions()
    done = preferring(lab, "mine")
    assert (done.exit_code, altered(done), done.answer["verdict"]) == (0, {}, "clear"), done
    back = done.answer["conda"]["back"]
    assert done.answer["conda"] == {**part, "back": back, "done": True}
    assert done.answer["requested"] == shown.answer["requested"] == ["mine"]
    assert "safepip: from conda. 1 new package, nothing that is there is changed" in done.stderr
    found = lab.distributions()
    assert (found["shared"], found["mine"], found["private-thing"]) == ("2.1", "1.0", "3.0")
    # What was there is as it was, and what is new is known to be wished for.
    for name, data in before.items():
        assert (lab.conda_meta / name).read_bytes() == data, name
    (record,) = lab.conda_meta.glob("shared-*.json")
    assert json.loads(record.read_bytes())["requested_specs"] == ["shared>=2"]
    undone = safepip(lab, "undo", "--yes")
    assert (undone.exit_code, undone.touched) == (0, {}), undone
    assert undone.answer["undone"]["conda_back"] == back
    assert lab.distributions().keys() & {"shared", "mine"} == {"shared"}
    # conda's part is a change of its own, which nothing tells of as past safepip.
    first, *_, last = safepip(lab, "history").answer["changes"]
    assert [first["arguments"], first["steps"][0]["name"], first["past"], last["past"]] == [
        ["install", "--prefer-conda", "mine"],
        "shared",
        None,
        None,
    ]
    with_shared = files_of(lab)
    assert paste(lab, f"{back} --yes").exit_code == 0
    assert files_of(lab) == all_before
    assert safepip(lab, "undo", "--yes").exit_code == 10, "nothing stands"
    again = safepip(lab, "history").answer["changes"][-1]
    assert again["undoes"] in back
    assert safepip(lab, "undo", "--yes", again["id"]).exit_code == 0
    assert files_of(lab) == with_shared


def test_what_conda_keeps_a_history_of_is_in_it_and_what_fails_or_is_killed_is_not(
    tmp_path: Path,
) -> None:
    lab = made(tmp_path)
    history = lab.conda_meta / "history"
    history.write_text(HISTORY)
    in_the_way = lab.site_packages / "twice" / "__init__.py"
    in_the_way.parent.mkdir()
    in_the_way.write_text("MINE = 1\n")
    before = files_of(lab)
    refused = preferring(lab, "twice")
    assert (refused.exit_code, refused.touched, files_of(lab)) == (10, {}, before), refused
    said = refused.answer["findings"][0]["message"]
    assert f"would write over what is there: {in_the_way.relative_to(lab.prefix)}" in said
    in_the_way.unlink()
    in_the_way.parent.rmdir()
    before = files_of(lab)
    kill_while_acting(lab, "twice")
    changes = changes_afterwards(lab)
    if changes[0]["stage"] == "done":  # it was quicker
        assert safepip(lab, "undo", "--yes").exit_code == 0
        history.write_text(HISTORY)
    assert files_of(lab) == before
    assert preferring(lab, "twice").exit_code == 0
    _, entry = history.read_text().split("==> 2026-11-25 09:12:00 <==\n")[1].split("\n==> ")
    lines = entry.splitlines()
    place = channel([*lab.recipes, *CHANNEL]).as_uri()
    (*_, done) = (c for c in safepip(lab, "history").answer["changes"] if c["stage"] == "done")
    assert lines[1:3] == [
        "# cmd: safepip install --prefer-conda twice",
        f"# safepip change: {done['id']}",
    ]
    assert [line.rpartition("-")[0] for line in lines[3:5]] == [
        f"+{place}/noarch::lonely-1.0",
        f"+{place}/noarch::twice-1.0",
    ]
    assert lines[5:] == ["# update specs: ['twice']"]
    assert safepip(lab, "undo", "--yes").exit_code == 0
    gone = history.read_text().splitlines()[-3:]
    assert gone == ["-" + line[1:] for line in lines[3:5]] + ["# remove specs: ['twice']"]


def test_all_of_it_may_be_conda_s_though_pip_s_own_way_is_blocked(lab: CondaEnvironment) -> None:
    done = preferring(lab, "strict")
    assert (done.exit_code, done.answer["conda"]["done"], done.answer["changes"]) == (0, True, [])
    assert lab.distributions()["strict"] == "2.0"
    # Now there is nothing left to take.
    again = preferring(lab, "strict")
    assert (again.exit_code, again.answer["conda"]) == (0, None), again


def test_what_conda_has_not_is_pip_s_and_that_is_said(lab: CondaEnvironment) -> None:
    done = preferring(lab, "private-thing", verb="plan")
    assert (done.exit_code, done.answer["conda"]) == (0, None)
    assert "pip takes all of it" in done.answer["findings"][0]["message"]
    # Constraints bind conda's part, wherever they are set.
    constraints = lab.prefix.parent / "constraints.txt"
    constraints.write_text("shared<3\n")
    bound = preferring(lab, "mine", verb="plan", env={"PIP_CONSTRAINT": str(constraints)})
    assert bound.answer["conda"]["command"].endswith(' "shared>=2,<3"')
    options = preferring(lab, "--no-deps", "mine", verb="plan")
    with_it = "with --no-deps, nothing is taken from conda"
    assert with_it in options.answer["findings"][-1]["message"], options
    elsewhere = preferring(lab, "-t", str(lab.prefix.parent / "elsewhere"), "mine", verb="plan")
    (hint,) = elsewhere.answer["findings"]
    assert "with --target, nothing is taken from conda" in hint["message"]


# ------------------------------------------------------------------------------- left to the user


def test_what_is_there_is_changed_by_conda_only_where_the_user_says_so(
    lab: CondaEnvironment,
) -> None:
    done = preferring(lab, "vision")
    assert (done.exit_code, done.touched) == (10, {}), done
    assert (done.answer["verdict"], done.answer["code"]) == ("block", "prefer-conda")
    assert [fix["command"] for fix in done.answer["fixes"]] == [
        f"{conda_install(lab, CHANNEL)} vision libnum stats",
        f"safepip install --env {lab.prefix} vision",
    ]
    assert "vision" not in lab.distributions()


def test_what_pip_has_put_there_does_not_come_once_more(lab: CondaEnvironment) -> None:
    lab.pip("install", "lonely", env=links(lab))
    # Neither by a command that somebody is to paste,
    plan = safepip(lab, "plan", "twice", env=links(lab))
    assert (plan.exit_code, plan.answer["conda"], "conda install" in str(plan.answer)) == (
        0,
        None,
        False,
    )
    # nor by safepip.
    done = preferring(lab, "twice")
    assert (done.exit_code, done.answer["conda"], altered(done)) == (0, None, {}), done
    assert "pip takes all of it" in done.answer["findings"][0]["message"]


def test_without_py_rattler_nobody_knows_what_conda_has(lab: CondaEnvironment) -> None:
    start = (
        "import sys; sys.modules['rattler'] = None; "
        "from safepip.doors.launch import main; sys.exit(main())"
    )
    words = ["install", "--prefer-conda", "--json", "--env", str(lab.prefix), "mine"]
    done = run(lab, [sys.executable, "-c", start, *words], env=links(lab))
    assert (done.exit_code, done.touched, done.answer["code"]) == (10, {}, "prefer-conda"), done
    commands = [fix["command"] for fix in done.answer["fixes"]]
    assert commands == [
        f'{shlex.quote(sys.executable)} -m pip install "py-rattler>=0.20"',
        f"safepip install --env {lab.prefix} mine",
    ]


@pytest.mark.parametrize("words", [("uninstall", "--prefer-conda", "mine")])
def test_there_is_nothing_to_prefer_where_something_goes(
    lab: CondaEnvironment, words: tuple[str, ...]
) -> None:
    assert safepip(lab, *words).exit_code == 2


# ------------------------------------------------------------------------------- a tool on PATH


def test_a_tool_that_does_not_do_its_part_leaves_all_as_it_was(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    env = stand_in(lab, tmp_path, "sys.exit(1)", ("shared", "2.1"))
    done = preferring(lab, "mine", env=env)
    assert (done.exit_code, done.touched, done.answer["code"]) == (10, {}, "prefer-conda"), done
    (finding,) = done.answer["findings"]
    assert finding["message"] == "conda could not install its part"
    assert finding["why"] == "it ended with 1"
    (fix,) = done.answer["fixes"]
    assert fix["command"] == f"safepip install --env {lab.prefix} mine"


def test_what_a_tool_would_bring_along_keeps_to_constraints(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    env = stand_in(lab, tmp_path, INSTALLS, ("shared", "2.1"), ("private-thing", "2.9"))
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("private_thing>=3\n")
    done = preferring(lab, "mine", "-c", str(constraints), env=env)
    assert (done.exit_code, done.touched, done.answer["code"]) == (10, {}, "prefer-conda"), done
    assert done.answer["findings"][0]["message"] == (
        "conda would bring what the constraints rule out: private-thing 2.9 (private_thing>=3)"
    )
    (fix,) = done.answer["fixes"]
    assert fix["command"] == f"safepip install --env {lab.prefix} mine -c {constraints}"


def test_what_the_tool_did_otherwise_than_shown_is_said_and_pip_does_nothing(
    tmp_path: Path,
) -> None:
    lab = made(tmp_path)
    something_else = "install(prefix, channel([*CONDA, *CHANNEL]), [*there, 'strict'], keep=True)"
    done = preferring(lab, "mine", env=stand_in(lab, tmp_path, something_else, ("shared", "2.1")))
    assert (done.exit_code, altered(done), done.answer["code"]) == (13, {}, "prefer-conda"), done
    (finding,) = done.answer["findings"]
    assert "in another way than shown" in finding["message"]
    assert finding["why"].startswith("not there: shared 2.1; not shown: strict-2.0-")
    (change,) = safepip(lab, "history").answer["changes"]
    assert [(step["name"], step["action"]) for step in change["steps"]] == [("strict", "add")]
    assert "mine" not in lab.distributions()


def test_where_pip_s_part_fails_after_that_of_the_tool_on_path_the_state_is_said(
    tmp_path: Path,
) -> None:
    lab = made(tmp_path)
    wheel = tmp_path / "wheels" / WHEELS["private_thing", "3.0"].filename
    env = stand_in(lab, tmp_path, f"{INSTALLS}\nPath({str(wheel)!r}).unlink()", ("shared", "2.1"))
    done = preferring(lab, "mine", env=env)
    assert (done.exit_code, altered(done)) == (13, {}), done
    assert (done.answer["verdict"], done.answer["code"]) == ("error", "pip-failed")
    assert (done.answer["conda"]["tool"], done.answer["conda"]["done"]) == ("conda", True)
    assert "conda says: install -p" in done.stderr
    assert lab.distributions().keys() & {"shared", "mine"} == {"shared"}
    # That is among the changes, and what takes it back is conda.
    undone = safepip(lab, "undo", "--yes")
    assert (undone.exit_code, undone.touched) == (10, {}), undone
    # (The stand-in has not written into the history that this is wanted.)
    by_conda = f"conda remove -p {lab.prefix} --force shared"
    assert [fix["command"] for fix in undone.answer["fixes"]] == [by_conda]
    (lab.conda_meta / next(lab.conda_meta.glob("shared-*")).name).unlink()
    refused = safepip(lab, "undo", "--yes").answer
    assert "no change of safepip" in refused["findings"][0]["message"]
    assert [fix["command"] for fix in refused["fixes"]] == [f"safepip history --env {lab.prefix}"]


def test_an_interruption_waits_for_what_conda_has_begun(tmp_path: Path) -> None:
    lab, begun = made(tmp_path), tmp_path / "begun"
    does = f"import time; Path({str(begun)!r}).touch(); time.sleep(0.5)\n{INSTALLS}"
    env = {**links(lab), **stand_in(lab, tmp_path, does, ("shared", "2.1"))}
    words = ["--env", str(lab.prefix), "--json", "install", "--prefer-conda", "mine"]
    with subprocess.Popen(
        [sys.executable, "-m", "safepip", *words],
        env=lab.environ(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    answer = json.loads(said)
    assert (process.returncode, answer["code"]) == (13, "interrupted"), said
    assert answer["conda"]["done"] is True
    assert answer["findings"][0]["message"] == "Nothing was installed by pip."
    assert lab.distributions().keys() & {"shared", "mine"} == {"shared"}


# ------------------------------------------------------------------------------- what a tool says


@pytest.mark.parametrize(
    ("answer", "moves"),
    [
        ({"success": True, "message": "All requested packages already installed."}, ()),
        (
            {
                "success": True,
                "actions": {
                    "FETCH": [],
                    "PREFIX": "/opt/lab",
                    "LINK": [{"name": "numpy", "version": "2.0"}, {"name": "x", "version": "1"}],
                    "UNLINK": [
                        {"name": "numpy", "version": "1.26"},
                        {"name": "old", "version": "3"},
                    ],
                },
            },
            (Moved("numpy", "1.26", "2.0"), Moved("old", "3", ""), Moved("x", "", "1")),
        ),
        ({"success": False, "error": "no"}, None),
        ({"success": True, "actions": {"LINK": ["numpy-2.0-0"]}}, None),
        ({"success": True, "actions": {"LINK": [{"name": "numpy"}]}}, None),
        ({"success": True, "actions": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_a_tool_would_do_is_understood_or_nothing_is_done(
    answer: object, moves: tuple[Moved, ...] | None
) -> None:
    assert parse_moves(answer) == moves


def test_what_is_new_is_known_by_its_name_and_version_in_any_letters() -> None:
    here = RecordStamp("stats-1.4-0.json", 1, 1, 1, 1, 1)
    names = ("CLib-1.0RC1-h0.json", "shared-2.1-0.json", "shared-2.1.1-0.json")
    there = (here, *(RecordStamp(name, 1, 1, 2, 1, 1) for name in names))
    moves = (Moved("clib", "", "1.0RC1"), Moved("shared", "", "2.1"), Moved("mine", "", "1.0"))
    part = replace(PART, moves=moves)
    assert otherwise_than_shown(part, (here,), there, "and it failed") == (
        "not there: mine 1.0",
        "not shown: shared-2.1.1-0",
        "and it failed",
    )
    assert otherwise_than_shown(replace(part, moves=()), (here,), (), "") == ("gone: stats-1.4-0",)


def test_why_a_tool_refuses_is_said_in_a_line_without_secrets() -> None:
    message = "not available:\n\n  - x\x1b[0m from https://me:secret@conda.example/t"
    assert parse_refusal({"message": message}) == (
        "not available: - x?[0m from https://****@conda.example/t"
    )
    assert parse_refusal({"message": 1}) == ""
    assert parse_refusal("no JSON") == ""


@pytest.mark.parametrize(
    ("channel", "named"),
    [
        ("https://conda.anaconda.org/conda-forge/", "conda-forge/noarch::x-1-0"),
        ("https://repo.anaconda.com/pkgs/main/noarch", "defaults/noarch::x-1-0"),
        ("file:///srv/channel/", "file:///srv/channel/noarch::x-1-0"),
        ("https://me:secret@conda.example/c", "x-1-0"),
        ("https://conda.anaconda.org/t/tk-1234-abcdefgh/mine", "x-1-0"),
        ("<unknown>", "x-1-0"),
    ],
)
def test_a_package_is_named_as_in_conda_s_history_and_no_secret_is(
    channel: str, named: str
) -> None:
    assert dist_of(channel, "noarch", "x-1-0") == named


def test_what_conda_brought_stays_as_long_as_others_of_conda_s_need_it() -> None:
    entry = written_down(
        dists=("conda-forge/noarch::Lib-1-py311_0", "conda-forge/noarch::own-1-py311_0")
    )
    there = environment(
        conda("lib==1", name="Lib"),
        conda("own==1", depends=["lib"]),
        conda("top==1", depends=["lib >=1", "other"]),
    )
    assert needed_by_conda(entry, there) == {"top": "lib >=1"}
    assert needed_by_conda(entry, environment(conda("lib==1", name="Lib"))) == {}


# ------------------------------------------------------------------------------- what is said

PART = CondaPart(
    "conda",
    "conda install -p /lab shared",
    "conda remove -p /lab shared",
    moves=(Moved("shared", "", "2.1"),),
    words=(),
    specs=("shared",),
)
MOVED = replace(PART, moves=(*PART.moves, Moved("numpy", "1.26.4", "2.0")), state="refused")
CHANGED = """
    error[prefer-conda]: conda's part would change what is there: numpy 1.26.4 ->
      2.0
      env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
    why   safepip lets conda only add by itself, since others may count on what is
          there
    Nothing was changed.
    """


HALF = Outcome(13, None, LAB, conda=replace(PART, state="done"), pip_ended=1)
"""Conda's part is done, and pip's has failed."""


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            clear(verb="plan", conda=PART),
            """
            safepip: would come from conda. 1 new package, nothing that is there is changed,
              by conda; nothing is left to pip
                conda install -p /lab shared
              + shared 2.1
            """,
        ),
        (
            clear(artifact("mine==1"), conda=replace(PART, state="done")),
            """
            safepip: clear. 1 new package, nothing from conda is touched (lab)
            safepip: conda's part is done: shared 2.1; to take it back:
                conda remove -p /lab shared
            """,
        ),
        (
            HALF,
            """
            Nothing was installed by pip.
            safepip: conda's part is done: shared 2.1; to take it back:
                conda remove -p /lab shared
            """,
        ),
        (
            replace(HALF, pip_ended=12, problems=("mine 1.0 cannot be imported",)),
            """
            error[verify-failed]: pip has finished, and the environment is not what was
              judged
              env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
              mine 1.0 cannot be imported
            What pip had installed was taken back.
            safepip: conda's part is done: shared 2.1; to take it back:
                conda remove -p /lab shared
            """,
        ),
        (
            replace(HALF, taken_back=True),
            """
            safepip: taken back. pip failed half-way, and nothing of its part is left (lab)
            Nothing was installed by pip.
            safepip: conda's part is done: shared 2.1; to take it back:
                conda remove -p /lab shared
            """,
        ),
        (
            clear(
                verb="plan",
                conda=replace(PART, tool="py-rattler", warning="a later one may take all along"),
            ),
            """
            safepip: would come from conda. 1 new package, nothing that is there is changed,
              by py-rattler; nothing is left to pip; by hand: a later one may take all along
                conda install -p /lab shared
              + shared 2.1
            """,
        ),
        (Outcome(10, Blocked(Plan(()), ()), LAB, "plan", conda=MOVED), CHANGED),
    ],
)
def test_both_parts_are_said_in_their_order_and_how_conda_s_goes_back(
    outcome: Outcome, text: str
) -> None:
    assert said(outcome) == expected(text)


def test_documents_tell_conda_s_part_too() -> None:
    assert "<table" in card_of(clear(verb="plan", conda=PART)).html, "also where pip has nothing"
    shown = markdown(clear(artifact("mine==1"), verb="plan", conda=PART))
    assert "First: shared 2.1 from conda, by conda\n\n```sh\nconda install -p" in shown
    assert (
        "| `+` | `shared` | `-` | `2.1` | conda | from conda, before pip |\n| `+` | `mine`" in shown
    )
    assert "<h2>First</h2>\n<p>shared 2.1" in page(clear(artifact("mine==1"), conda=PART))
    refused = Outcome(10, Blocked(Plan(()), ()), LAB, "plan", ("install", "x"), conda=MOVED)
    refused = replace(refused, options=("--prefer-conda",))
    assert "### safepip: blocked (prefer-conda)" in markdown(refused).replace("&#45;", "-")
    for text in (markdown(refused), page(refused), told(refused, "")["command"]):
        assert "safepip install --prefer-conda x" in text
    assert replace(refused, through=("uv", "pip")).command[:3] == ("--prefer-conda", "uv", "pip")
    assert "conda's part would change what is there" in page(refused).replace("&#x27;", "'")
