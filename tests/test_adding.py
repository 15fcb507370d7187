"""conda's part by py-rattler: whatever goes wrong at any point, nothing of anybody's is lost."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from safepip.decisions.fixing.afterwards import out_of_bounds
from safepip.decisions.undoing.conda_history import history_text, is_noted, without_entry
from safepip.decisions.undoing.entries import told_steps
from safepip.effects.condas_books import may_be_noted
from safepip.effects.journal import Journal
from safepip.effects.reading import read_manager
from safepip.effects.transaction import begin
from safepip.recipes.recover import recover
from safepip.values.channel import Moved
from tests.build import conda, environment, written_down
from tests.guarded import Guarded, run, safepip
from tests.lab import CondaEnvironment, create, fake, from_wheel, make_wheel
from tests.lab.ledger import with_modes

WHEELS = [
    make_wheel("lonely", "0.9"),
    make_wheel("lonely", "1.0"),
    make_wheel("twice", "1.0", requires=["lonely"]),
    make_wheel("plain", "1.0"),
]
LONELY, TWICE = from_wheel(WHEELS[1]), from_wheel(WHEELS[2])
KNOWN = """\
==> 2026-11-25 09:12:00 <==
# cmd: /opt/bin/mamba create
# update specs: ['python', 'pip', 'stats']
"""
"""A history of conda's that knows all of what is wanted."""
OTHERS = """
def others_conda():
    import json, pathlib
    books = pathlib.Path({prefix!r}, "conda-meta")
    record = json.loads(next(books.glob("stats-*.json")).read_text())
    record.update(name="other", version="1.0", build="0", fn="other-1.0-0.conda", files=[])
    record["paths_data"]["paths"] = []
    (books / "other-1.0-0.json").write_text(json.dumps(record))
"""
"""What installs a package while safepip is at work, as conda does, which takes no lock."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    folder = tmp_path_factory.mktemp("adding")
    for wheel in WHEELS:
        wheel.write(folder / "wheels")
    return create(folder / "lab", fake("stats", "1.4"), available=[LONELY, TWICE])


@pytest.fixture
def lab(made: CondaEnvironment) -> Iterator[CondaEnvironment]:
    """One environment for all, which each of them leaves as it was."""
    history = made.conda_meta / "history"
    history.write_text(KNOWN)
    before = files_of(made)
    yield made
    history.write_text(KNOWN)
    shutil.rmtree(made.conda_meta / "safepip", ignore_errors=True)
    assert files_of(made) == before


def files_of(lab: CondaEnvironment) -> dict[str, tuple[str, int]]:
    return with_modes(lab.prefix, without={"safepip", "__pycache__"})


def history_of(lab: CondaEnvironment) -> str:
    return (lab.conda_meta / "history").read_text()


def links(lab: CondaEnvironment) -> dict[str, str]:
    return {"PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"), "PIP_NO_INDEX": "1"}


def preferring(lab: CondaEnvironment, *words: str) -> Guarded:
    return safepip(lab, "install", "--prefer-conda", *words, env=links(lab))


def preferring_while(lab: CondaEnvironment, happens: str, *words: str) -> Guarded:
    """The same, with something that happens at a certain point: lines of Python say what."""
    start = f"{OTHERS.format(prefix=str(lab.prefix))}\nimport safepip.recipes.adding as adding\n"
    end = "\nfrom safepip.doors.launch import main\nimport sys; sys.exit(main())"
    arguments = ["install", "--prefer-conda", "--json", "--env", str(lab.prefix), *words]
    return run(lab, [sys.executable, "-c", start + happens + end, *arguments], env=links(lab))


def after(call: str, does: str) -> str:
    """Lines that have something done once a function has ended, each time."""
    return f"""
real = {call}
def then(*arguments, **more):
    done = real(*arguments, **more)
    {does}
    return done
{call} = then
"""


# ------------------------------------------------------------------------------- others at work


@pytest.mark.parametrize("last", ["adding.read_staged", "adding.begin"])
def test_what_conda_adds_meanwhile_stays(lab: CondaEnvironment, last: str) -> None:
    done = preferring_while(lab, after(last, "others_conda()"), "twice")
    other = lab.conda_meta / "other-1.0-0.json"
    assert (done.exit_code, done.answer["code"]) == (10, "prefer-conda"), done
    (finding,) = done.answer["findings"]
    said = f"{finding['message']} {finding['why']}"
    assert "something else has changed the environment meanwhile" in said
    other.unlink()  # all else is as it was, which the fixture looks at


def test_that_something_has_gone_meanwhile_is_never_called_nothing(lab: CondaEnvironment) -> None:
    (record,) = lab.conda_meta.glob("stats-*.json")
    aside = record.with_suffix(".aside")
    goes = f"__import__('os').rename({str(record)!r}, {str(aside)!r})"
    done = preferring_while(lab, after("adding.CondaSolver.install", goes), "lonely")
    aside.rename(record)
    assert done.exit_code == 13, done
    assert f"has gone: {record.stem}" in done.answer["findings"][0]["message"]
    spec = "=".join(record.stem.rsplit("-", 2))
    (fix,) = done.answer["fixes"]
    assert fix["command"] == f"mamba install -p {lab.prefix} {spec}"


def test_what_does_not_end_as_shown_is_taken_back(lab: CondaEnvironment) -> None:
    more = 'real(self, part, answer) or "it has had enough"'
    fails = f"""
real = adding.CondaSolver.install
adding.CondaSolver.install = lambda self, part, answer: {more}
"""
    done = preferring_while(lab, fails, "lonely")
    assert (done.exit_code, done.touched) == (10, {}), done
    assert done.answer["findings"][0]["why"] == "it has had enough"
    assert json.loads(safepip(lab, "history").stdout)["changes"] == []


# ------------------------------------------------------------------------------- what is in the way


@pytest.mark.parametrize("is_link", [False, True])
def test_what_lies_where_a_folder_would_be_is_in_the_way(
    lab: CondaEnvironment, tmp_path: Path, *, is_link: bool
) -> None:
    own = lab.site_packages / "lonely"
    if is_link:
        own.symlink_to(tmp_path)
    else:
        own.write_text("mine")
    done = preferring(lab, "lonely")
    assert (done.exit_code, done.touched, list(tmp_path.iterdir())) == (10, {}, []), done
    said = done.answer["findings"][0]["message"]
    assert said.endswith(f"would write over what is there: {own.relative_to(lab.prefix)}")
    assert safepip(lab, "history").exit_code == 0
    own.unlink()


def test_a_file_where_a_folder_was_to_be_keeps_nothing_from_going_back(tmp_path: Path) -> None:
    mine = tmp_path / "lib" / "lonely"
    mine.parent.mkdir()
    mine.write_text("mine")
    (tmp_path / "conda-meta").mkdir()
    journal = Journal(str(tmp_path))
    entry = written_down(id=journal.new_id(), stage="acting")
    new = (f"{mine}/__init__.py", f"{mine}/__pycache__/__init__.pyc", f"{mine}-1.0/RECORD")
    entry = begin(journal, entry, new, ())
    assert "lib/lonely" in entry.new_folders
    (mine.parent / "lonely-1.0").mkdir()
    # An earlier release took the file for one of the folders that are there.
    before = replace(entry, folders={**entry.folders, "lib/lonely": 0o644})
    for each in (before, entry):
        journal.write(each)
        recovered = recover(str(tmp_path))
        assert recovered is not None
        assert recovered.problems == ()
        assert recover(str(tmp_path)) is None
        journal.mark(entry.id)
    assert [path.name for path in mine.parent.iterdir()] == ["lonely"]
    assert mine.read_text() == "mine"


# ------------------------------------------------------------------------------- constraints


def test_constraints_bind_what_conda_would_bring_along(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("lonely<1; python_version > '3'\n")
    for options in (("--prefer-conda",), ()):  # by safepip, or by a command to be pasted
        plan = safepip(lab, "plan", *options, "twice", "-c", constraints, env=links(lab))
        assert plan.exit_code == 0, plan
        assert (plan.answer["conda"], "conda install" in str(plan.answer)) == (None, False), plan
        versions = {change["name"]: change["to"] for change in plan.answer["changes"]}
        assert versions == {"twice": "1.0", "lonely": "0.9"}


def test_what_constraints_rule_out_is_known_by_conda_s_names_and_by_the_markers() -> None:
    moves = (Moved("pytorch", "", "2.2"), Moved("old", "1", ""), Moved("clib", "", "1.0x.y"))
    lines = ("torch<2", "torch>=2", "torch<1; python_version < '3'", "old>1", "clib<2")
    bounds = {name: [Requirement(x) for x in lines if x.startswith(name)] for name in NAMED}
    found = out_of_bounds(moves, bounds, {"python_version": "3.11"}, lambda name: (NAMED[name],))
    assert found == ("pytorch 2.2 (torch<2)", "clib 1.0x.y (clib<2)")
    from_url = {"torch": [Requirement("torch @ https://me:secret@x.example/torch.whl")]}
    assert out_of_bounds(moves, from_url, {}, lambda name: (NAMED[name],)) == (
        "pytorch 2.2 (torch from a URL)",
    )


NAMED = {"torch": "PyTorch", "old": "old", "clib": "clib"}


# ------------------------------------------------------------------------------- conda's history

BY_CONDA = """\
==> 2026-11-28 20:00:00 <==
# cmd: /opt/bin/mamba install zlib
+conda-forge/linux-64::zlib-1.3-0
# update specs: ['zlib']
"""


def killed(lab: CondaEnvironment, module: str, call: str, *words: str) -> None:
    """Run a command that is killed when it comes to a call; conda goes on there."""
    code = f"import os, sys, signal, {module} as module; from safepip.doors.launch import main; "
    code += f"module.{call} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL); "
    arguments = [*words, "--env", str(lab.prefix)]
    run(lab, [sys.executable, "-c", f"{code} sys.exit(main())", *arguments], env=links(lab))
    assert (lab.conda_meta / "safepip" / "unfinished").exists()
    with (lab.conda_meta / "history").open("a") as file:
        file.write(BY_CONDA)


def recovered(lab: CondaEnvironment) -> tuple[str, ...]:
    found = recover(str(lab.prefix))
    assert found is not None
    return found.problems


def test_what_conda_writes_after_a_kill_stays_in_its_history(lab: CondaEnvironment) -> None:
    before = files_of(lab)
    install = ("install", "--prefer-conda", "twice")
    killed(lab, "safepip.recipes.adding", "completed", *install)
    assert "# cmd: safepip" in history_of(lab)
    assert recovered(lab) == ()
    assert history_of(lab) == KNOWN + BY_CONDA
    (lab.conda_meta / "history").write_text(KNOWN)
    assert files_of(lab) == before
    assert preferring(lab, "twice").exit_code == 0
    noted = history_of(lab)
    assert noted.endswith("# update specs: ['twice']\n")
    killed(lab, "safepip.recipes.undo", "finish", "undo", "--yes")
    assert "# remove specs" in history_of(lab)
    assert recovered(lab) == ()
    assert history_of(lab) == noted + BY_CONDA
    assert safepip(lab, "undo", "--yes").exit_code == 0
    assert history_of(lab).startswith(noted + BY_CONDA)
    assert history_of(lab).endswith("# remove specs: ['twice']\n")


def test_an_interruption_while_conda_s_part_is_staged_leaves_nothing(
    lab: CondaEnvironment,
) -> None:
    writes = (
        "import itertools, sys\nfor n in itertools.count(): open(f'{sys.argv[1]}/{n}', 'w').close()"
    )
    stages = f"""
def stage(self, specs, answer, folder):
    os.makedirs(folder)
    words = [sys.executable, "-c", {writes!r}, folder]
    self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while len(os.listdir(folder)) < 100:
        time.sleep(0.01)
    raise KeyboardInterrupt
CondaSolver.stage = stage
"""
    start = "import os, subprocess, sys, time; from safepip.effects.conda_solver import CondaSolver"
    end = "from safepip.doors.launch import main; sys.exit(main())"
    words = ["install", "--prefer-conda", "twice", "--env", str(lab.prefix)]
    before = files_of(lab)
    done = run(lab, [sys.executable, "-c", f"{start}{stages}{end}", *words], env=links(lab))
    assert (done.exit_code, files_of(lab)) == (130, before)


@pytest.mark.parametrize("call", ["completed", "finish"])
def test_a_failure_after_all_is_there_takes_all_back(lab: CondaEnvironment, call: str) -> None:
    fails = f"""
def fail(*_, **__):
    assert "# cmd: safepip" in open({str(lab.conda_meta / "history")!r}).read()
    raise OSError(28, "No space left on device")
adding.{call} = fail
"""
    done = preferring_while(lab, fails, "lonely")
    assert (done.exit_code, done.touched, history_of(lab)) == (10, {}, KNOWN), done
    assert "No space left on device" in done.answer["findings"][0]["why"]


ENTRY = written_down(dists=("conda-forge/noarch::lonely-1.0-0",))


def test_what_cannot_be_read_any_more_has_its_steps_by_conda_s_names() -> None:
    entry = replace(ENTRY, dists=(*ENTRY.dists, "my-lib-2.0-py311_0"), specs=("Lonely>=1",))
    assert [(s.name, s.after, s.requested) for s in told_steps(entry)] == [
        ("lonely", "1.0", True),
        ("my-lib", "2.0", False),
    ]


def test_specifications_are_written_whole() -> None:
    specs = ("lonely>=0.5," + ",".join(f"!=0.9.{n}" for n in range(200)), "it's=1", "odd\x1b=1")
    last = history_text(replace(ENTRY, specs=specs), "safepip", "now").splitlines()[-1]
    assert ast.literal_eval(last.partition(": ")[2]) == [*specs]
    assert last.isprintable()


def test_a_package_s_name_is_one_line_of_condas_history() -> None:
    """Its channel says in which folder of it a package is, and may say anything."""
    hostile = "conda-forge/noarch\n==> 2026-01-01 00:00:00 <==\n# cmd: conda::lonely-1.0-0"
    text = history_text(replace(ENTRY, dists=(hostile,)), "safepip", "now")
    assert [line for line in text.splitlines() if line.startswith("==>")] == ["==> now <=="]
    assert len(text.splitlines()) == len(history_text(ENTRY, "safepip", "now").splitlines())


def test_only_the_entry_of_the_change_is_taken_out() -> None:
    one, other = (replace(ENTRY, id=f"2026-11-28-{number}") for number in (1, 11))
    texts = [history_text(each, "safepip install", "now") for each in (one, other)]
    history = "".join([KNOWN, texts[0], BY_CONDA, texts[1]]).encode()
    assert without_entry(history, "2026-11-28-1").decode() == KNOWN + BY_CONDA + texts[1]
    assert without_entry(history, "2026-11-28-2") == history
    assert [is_noted(history, id_) for id_ in ("2026-11-28-11", "2026-11-28-2")] == [True, False]


def test_a_history_that_does_not_know_all_is_left_alone() -> None:
    there = environment(conda("stats==1", depends=["lib"]), conda("lib==1"), conda("own==1"))
    there = replace(there, manager="conda", wishes={"stats": "stats", "own": "own"})
    assert may_be_noted(there)
    assert not may_be_noted(replace(there, wishes={"stats": "stats"}))
    assert not may_be_noted(replace(there, manager="rattler"))


def test_what_safepip_writes_does_not_say_which_tool_is_used(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    entry = history_text(ENTRY, "safepip install --find-links /srv/conda conda lonely", "now")
    (tmp_path / "conda-meta" / "history").write_text(KNOWN + entry)
    assert read_manager(str(tmp_path)) == "mamba"


def test_py_rattler_waits_for_who_has_begun_since(lab: CondaEnvironment) -> None:
    lock = lab.conda_meta / "conda-meta.lock"
    lock.touch()
    holds = f"""
import subprocess, sys
import safepip.recipes.two_steps as steps
HOLDER = "import fcntl, sys; f = open({str(lock)!r}, 'r+b'); "
HOLDER += "fcntl.lockf(f, fcntl.LOCK_EX, 1, 21); print(flush=True); sys.stdin.read()"
def begun(*arguments, **more):
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", HOLDER], **pipes) as mamba:
        mamba.stdout.readline()
        return real(*arguments, **more)
real, steps._done_by_conda = steps._done_by_conda, begun
import os
os.environ["SAFEPIP_LOCK_SECONDS"] = "0.1"
"""
    done = preferring_while(lab, holds, "lonely")
    lock.unlink()
    assert (done.exit_code, done.touched) == (14, {}), done
    assert "mamba is changing" in done.answer["findings"][0]["message"]


# ------------------------------------------------------------------------------- the system


@pytest.mark.parametrize(
    "where",
    [
        "adding.tempfile = type('Full', (), {'TemporaryDirectory': fail})",
        "adding.read_staged = fail",
    ],
)
def test_a_full_disk_while_staging_is_no_bug(lab: CondaEnvironment, where: str) -> None:
    fails = f"""
def fail(*_, **__):
    raise OSError(28, "No space left on device")
{where}
"""
    done = preferring_while(lab, fails, "lonely")
    assert (done.exit_code, done.touched, done.answer["code"]) == (10, {}, "prefer-conda"), done
    assert "No space left on device" in done.answer["findings"][0]["why"]
    (fix,) = done.answer["fixes"]
    assert fix["command"] == f"safepip install --env {lab.prefix} lonely"


def test_what_was_staged_by_one_that_was_killed_is_cleared_away(lab: CondaEnvironment) -> None:
    left = lab.conda_meta / ".safepip-unpacked-1" / "env" / "lib"
    left.mkdir(parents=True)
    assert safepip(lab, "install", "plain", env=links(lab)).exit_code == 0
    assert not left.parent.parent.exists()
    left.mkdir(parents=True)
    assert safepip(lab, "undo", "--yes").exit_code == 0
    assert not left.parent.parent.exists()


def test_what_conda_has_in_another_version_by_now_is_conda_s_to_remove(
    lab: CondaEnvironment,
) -> None:
    unknowing = KNOWN.replace(", 'stats'", "")
    (lab.conda_meta / "history").write_text(unknowing)
    assert preferring(lab, "lonely").exit_code == 0
    (record,) = lab.conda_meta.glob("lonely-*.json")
    # conda has installed something that needs it,
    other = lab.conda_meta / "other-1.0-0.json"
    told = json.loads(next(lab.conda_meta.glob("stats-*.json")).read_text())
    told.update(name="other", version="1.0", build="0", files=[], depends=["lonely"])
    other.write_text(json.dumps(told))
    needed = safepip(lab, "undo", "--yes")
    assert (needed.exit_code, needed.touched) == (10, {}), needed
    assert "installed since: other depends on lonely" in needed.answer["findings"][0]["message"]
    other.unlink()
    # or updated it.
    newer = record.with_name(record.name.replace("1.0", "1.1", 1))
    text = record.read_text()
    newer.write_text(text.replace('"version": "1.0"', '"version": "1.1"'))
    record.rename(record.with_suffix(".aside"))
    (change,) = safepip(lab, "history").answer["changes"]
    for words in ((), (change["id"],)):
        undone = safepip(lab, "undo", "--yes", *words)
        assert (undone.exit_code, undone.touched) == (10, {}), undone
        message = undone.answer["findings"][0]["message"]
        assert message == f"conda has changed what {change['id']} brought: there is lonely 1.1 now"
        (fix,) = undone.answer["fixes"]
        assert fix["command"] == f"mamba remove -p {lab.prefix} --force lonely"
    newer.unlink()
    record.with_suffix(".aside").rename(record)
    assert safepip(lab, "undo", "--yes").exit_code == 0
    assert history_of(lab) == unknowing, "what does not know all is not to know of this alone"
