"""The engine of public interfaces only: the same account as the other, the same result as pip.

Worlds are made anew at one path, so that what was written can be compared byte by byte.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from safepip.effects.asking import Asking, OtherPython
from safepip.effects.one_pass import OnePass
from safepip.effects.reading import read_environment
from safepip.effects.two_pass import TwoPass
from safepip.effects.wheels import read_wheel, without_members
from safepip.values.account import Account, Entry, Failed
from safepip.values.environment import Interpreter
from safepip.values.errors import NoEngine, VerifyFailed
from tests.lab import (
    PIPS,
    CondaEnvironment,
    change,
    changed,
    create,
    everything,
    from_wheel,
    make_project,
    make_sdist,
    make_wheel,
    serve_index,
)

CHANCE = re.compile(r"pip-([a-z-]+)-[a-z0-9_]{8}|(tmp)[a-z0-9_]{8}")
LOGIN = ("mia", "s3cr3t-w0rd")
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"

OWNED = from_wheel(make_wheel("owned", "1.0", scripts={"owned": "owned:main"}))
LEAVES = [make_wheel("leaf", version) for version in ("1.0", "1.1", "2.0rc1")]
TOOL = make_wheel(
    "Tool",
    "2.0",
    {"tool/__init__.py": "def main(): print('tool')\n", "tool_flat.py": ""},
    requires=["leaf>=1", "owned"],
    scripts={"tool": "tool:main"},
    gui_scripts={"tool-gui": "tool:main"},
    data_files={"share/tool/data": "data\n"},
    data_scripts={"raw-tool": "#!python\nprint('raw')\n"},
    data_headers={"tool.h": "/* */\n"},
)
OLD_TOOL = make_wheel("tool", "1.0", scripts={"old-tool": "tool:main"})
MANY = make_wheel(
    "many",
    "1.0",
    requires=["leaf", "fast; extra == 'speed'"],
    provides_extra=["speed", "looks"],
)
NEEDY = make_wheel("needy", "1.0", requires=["leaf>=3"])
SOURCE = make_sdist("source-only", "1.0", requires=["leaf"], scripts={"so": "source_only:main"})
FILES = [*LEAVES, TOOL, OLD_TOOL, MANY, NEEDY, SOURCE, make_wheel("fast", "1.0")]


@dataclass(frozen=True)
class World:
    """A folder with an environment and all that a command reads."""

    folder: Path
    environment: CondaEnvironment
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def prefix(self) -> Path:
        return self.environment.prefix

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a command in this world."""
        own = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp")}
        return self.environment.environ(
            {**own, "PIP_FIND_LINKS": str(self.folder / "links"), **self.env}
        )

    def pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run plain pip."""
        return subprocess.run(
            [str(self.environment.python), "-m", "pip", *arguments],
            env=self.environ,
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, *arguments: str, **more: object) -> Asking:
        """A question for an engine."""
        count = len(list(self.folder.parent.glob("asked-*")))
        folder = self.folder.parent / f"asked-{count}"
        folder.mkdir()
        python = str(self.environment.python)
        return Asking(python, arguments, self.environ, lambda: folder, **more)  # type: ignore[arg-type]


Prepare = Callable[[World], None]


def nothing(world: World) -> None:
    pass


def build(place: Path, *, pip: str | None = "25.3", env: Mapping[str, str] | None = None) -> World:
    """A world at a path; one that was there before is put away."""
    folder = place / "world"
    if folder.exists():
        folder.rename(place / f"before-{len(list(place.iterdir()))}")
    for name in ("work", "links", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    for file in FILES:
        file.write(folder / "links")
    return World(folder, create(folder / "env", OWNED, pip=pip), env or {})


def planned(engine: OnePass | TwoPass, world: World) -> Account | Failed:
    """Let an engine plan."""
    interpreter = engine.greet()
    environment = read_environment(str(world.prefix), interpreter)
    options = engine.read_options()
    return options if isinstance(options, Failed) else engine.plan(environment)


def landings(entry: Entry) -> Iterator[str]:
    """Where the files of a wheel go."""
    for member in read_wheel(entry.wheel).members if entry.wheel else ():
        top, _, rest = member.partition("/")
        part, _, below = rest.partition("/")
        in_data = top.endswith(".data")
        yield f"{getattr(entry.scheme, part)}/{below}" if in_data else member


def compared(account: Account | Failed) -> object:
    """An account without what depends on the engine: its order, and where the wheels are."""
    if isinstance(account, Failed):
        return account
    entries = [(replace(entry, wheel=""), sorted(landings(entry))) for entry in account.entries]
    return replace(account, entries=()), sorted(entries, key=lambda pair: pair[0].name)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str
    contents: Mapping[str, str] = field(repr=False)


def ended(world: World, code: int, stdout: str, stderr: str) -> Ended:
    contents = everything(world.prefix)
    state = "conda-meta/safepip"
    kept = {path: what for path, what in contents.items() if not path.startswith(state)}
    # Plain pip is started as a module here, and says so in its usage.
    started = f"{world.environment.python} -m pip"
    out, err = (CHANCE.sub("*", said.replace(started, "pip")) for said in (stdout, stderr))
    return Ended(code, out, err, kept)


@dataclass(frozen=True)
class Case:
    """A command of pip, and what is there before it."""

    arguments: Sequence[str]
    prepare: Prepare = nothing
    env: Mapping[str, str] = field(default_factory=dict)
    fifo: str = ""
    pip: str = "25.3"
    acts: bool = False
    """It is carried out, and compared with plain pip; the others are in the tests of `alike`."""
    builds_again: bool = False
    """pip says something else then: it finds the first build in its cache."""


def project(world: World) -> None:
    options = {"requires": ["leaf"], "scripts": {"proj": "project:main"}}
    make_project(world.work / "project", "project", "0.1", **options)  # type: ignore[arg-type]


def rich_project(world: World) -> None:
    make_project(
        world.work / "rich",
        "rich-project",
        "1.0",
        scripts={"rich": "rich:main"},
        data_files={"share/rich/data": "data\n"},
        data_scripts={"raw-rich": "#!python\n"},
        data_headers={"rich.h": ""},
    )


def repository(world: World) -> None:
    make_project(world.folder / "repository", "cloned", "3.0", requires=["leaf"])
    commit(world, "init --quiet --initial-branch main")


def commit(world: World, *before: str) -> None:
    """Commit what is in the repository, the same in every world."""
    environ = {f"GIT_{who}_DATE": "2024-02-06T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
    environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"]}
    who = ["-c", "user.name=lab", "-c", "user.email=lab@example.org"]
    for words in (*before, "add .", "commit --quiet --message made"):
        command = ["git", *who, *words.split()]
        subprocess.run(command, cwd=world.folder / "repository", env=environ, check=True)


def with_tool(world: World) -> None:
    world.pip("install", "tool==1.0", "leaf==1.0")


def requirements(*lines: str) -> Prepare:
    def write(world: World) -> None:
        (world.work / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))

    return write


def locked(world: World) -> None:
    lines = [
        f"tool==2.0 --hash=sha256:{TOOL.sha256}",
        f"leaf==1.1 --hash=sha256:{LEAVES[1].sha256}",
        f"owned==1.0 --hash=sha256:{'0' * 64}",
    ]
    requirements(*lines)(world)


def wheel_in_work(world: World) -> None:
    TOOL.write(world.work)


def pipe(world: World) -> None:
    os.mkfifo(world.work / "pipe")


def void(_: object) -> None:
    """Nothing: for a lambda that is called for what it does."""


def both(world: World) -> None:
    with_tool(world)
    pipe(world)


CASES = {
    "one wheel": Case(["install", "leaf"]),
    "dependencies": Case(["install", "tool"]),
    "the oldest pip": Case(["install", "tool", "source-only"], pip=PIPS[0], acts=True),
    "the newest pip": Case(["install", "tool", "source-only"], pip="26.3"),
    "a name in capitals, and headers": Case(["install", "TOOL"], acts=True),
    "an upgrade": Case(["install", "-U", "tool"], with_tool),
    "a downgrade": Case(["install", "leaf==1.0"], lambda w: void(w.pip("install", "leaf"))),
    "a reinstall": Case(["install", "--force-reinstall", "--no-deps", "tool==1.0"], with_tool),
    "over what is there": Case(["install", "-I", "tool"], with_tool, acts=True),
    "extras": Case(["install", "many[speed]"]),
    "pre-releases": Case(["install", "--pre", "leaf"]),
    "a file": Case(["install", "-rrequirements.txt"], requirements("many[speed]", "leaf<1.1")),
    "a pipe": Case(["install", "-r", "pipe", "fast"], pipe, fifo="leaf<1.1\n"),
    "hashes": Case(["install", "--requirement=requirements.txt"], locked),
    "a source distribution": Case(["install", "source-only"]),
    "no binaries": Case(
        ["install", "--no-binary", "source-only", "source-only"], acts=True, builds_again=True
    ),
    "a local project": Case(["install", "./project"], project),
    "an editable project": Case(["install", "-e", "./project"], project),
    "an editable project with more than modules": Case(
        ["install", "-e", "./rich"], rich_project, acts=True
    ),
    "without configuration": Case(["install", "--isolated", "--no-index", "-f../links", "tool"]),
    "a repository": Case(["install", "git+file://{world}/repository"], repository),
    "a wheel by its path": Case(["install", "./tool-2.0-py3-none-any.whl"], wheel_in_work),
    "without dependencies": Case(["install", "--no-deps", "many", "-q"]),
    "without bytecode": Case(["install", "--no-compile", "tool"]),
    "what is there already": Case(["install", "tool", "leaf"], with_tool),
    "nothing at all": Case(["install"]),
    "no such option": Case(["install", "--no-such-option", "leaf"]),
    "help": Case(["install", "--help"], acts=True),
    "a version that is not there": Case(["install", "leaf==9"]),
    "requirements that contradict": Case(["install", "needy", "leaf<2"]),
    "options of the user before a dash": Case(["install", "-q", "--", "leaf"]),
    "another prefix": Case(["install", "--prefix", "elsewhere", "tool"]),
    "another root": Case(["install", "--root", "elsewhere", "tool"]),
    "the user's site": Case(["install", "--user", "tool"], acts=True),
    "an uninstall": Case(["uninstall", "-y", "tool", "no-such-thing"], with_tool),
    "an uninstall by the name of a wheel": Case(
        ["uninstall", "-y", "tool-1-py3-none-any.whl"], with_tool, acts=True
    ),
    "an uninstall by file": Case(["uninstall", "-y", "-r", "pipe"], both, fifo="tool\n", acts=True),
}


@contextmanager
def fed(world: World, text: str) -> Iterator[None]:
    """A pipe that gives its text to one reader, once."""

    def feed() -> None:
        (world.work / "pipe").write_text(text)

    thread = threading.Thread(target=feed, daemon=True)
    if text:
        thread.start()
    yield
    if text:
        thread.join(30)
        assert not thread.is_alive()


def filled(world: World, case: Case) -> tuple[str, ...]:
    return tuple(word.replace("{world}", str(world.folder)) for word in case.arguments)


def by_pip(place: Path, case: Case) -> Ended:
    """What plain pip makes of a case."""
    world = build(place, pip=case.pip, env=case.env)
    case.prepare(world)
    with fed(world, case.fifo):
        done = world.pip(*filled(world, case))
    return ended(world, done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", CASES)
def test_both_engines_account_for_a_command_alike(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    plain = by_pip(tmp_path, case) if case.acts else None
    world = build(tmp_path, pip=case.pip, env=case.env)
    case.prepare(world)
    monkeypatch.chdir(world.work)
    arguments = filled(world, case)
    with fed(world, case.fifo), OnePass(world.ask(*arguments)) as engine:
        expected = compared(planned(engine, world))
        engine.stop()
    for used in ("home", "work/elsewhere"):
        shutil.rmtree(world.folder / used, ignore_errors=True)
    capfd.readouterr()
    with fed(world, case.fifo), TwoPass(world.ask(*arguments)) as two:
        found = planned(two, world)
        seen = compared(found)
        code = found.exit_code if isinstance(found, Failed) else 0
        if plain is not None and not isinstance(found, Failed):
            code = two.act({}, ())
    assert seen == expected
    if plain is not None:
        output = capfd.readouterr()
        stdout = plain.stdout if case.builds_again else output.out
        assert ended(world, code, stdout, output.err) == plain


# ------------------------------------------------------------------------------- indexes


@pytest.mark.parametrize(("pip", "metadata"), [(PIPS[0], True), ("25.3", False), ("26.3", True)])
def test_an_index_that_asks_for_a_password_is_asked_as_the_user_gave_it(
    pip: str, metadata: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_index(FILES, login=LOGIN, metadata=metadata) as index:
        links = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""}
        world = build(tmp_path, pip=pip, env=links)
        plain = build_twin(world, tmp_path)
        arguments = ("install", "-i", index.url_with_login, "tool", "source-only")
        done = plain.pip(*arguments)
        assert done.returncode == 0, done.stderr
        monkeypatch.chdir(world.work)
        with OnePass(world.ask(*arguments)) as engine:
            expected = compared(planned(engine, world))
            engine.stop()
        with TwoPass(world.ask(*arguments)) as two:
            found = planned(two, world)
            seen = compared(found)
            code = two.act({}, ())
    assert (code, seen) == (0, expected)
    assert site_of(world) == site_of(plain)
    assert index.login is not None
    assert LOGIN[1] not in repr(found)


def build_twin(world: World, place: Path) -> World:
    """Another world like one that is there already, elsewhere."""
    (place / "twin").mkdir()
    return build(place / "twin", pip=world.environment.distributions()["pip"], env=world.env)


def site_of(world: World) -> Mapping[str, str]:
    """What lies in site-packages, but for the lists that hold hashes of scripts."""
    return {
        path: what
        for path, what in everything(world.prefix / SITE).items()
        if not path.endswith("/RECORD")
    }


def test_an_index_in_a_requirement_file_is_used_for_fetching_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With metadata beside the files, the dry run downloads none of them.
    with serve_index(FILES, login=LOGIN, metadata=True) as index:
        secret = index.url_with_login.replace(LOGIN[1], "${SECRET}")
        env = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "SECRET": LOGIN[1]}
        world = build(tmp_path, env=env)
        requirements(f"-i {secret}", "-r more.txt", "--pre")(world)
        (world.work / "more.txt").write_text("leaf # the last\n")
        monkeypatch.chdir(world.work)
        with TwoPass(world.ask("install", "-r", "requirements.txt")) as two:
            planned(two, world)
            locked = "".join(path.read_text() for path in tmp_path.glob("asked-*/**/locked-*.txt"))
            code = two.act({}, ())
    assert (code, world.environment.distributions()["leaf"]) == (0, "2.0rc1")
    assert "${SECRET}" in locked
    assert LOGIN[1] not in locked


@pytest.mark.parametrize(
    ("pip", "metadata"),
    [(PIPS[0], False), (PIPS[0], True), ("24.3.1", True), ("26.3", False)],
)
def test_nothing_is_downloaded_twice_although_nothing_is_cached(
    pip: str, metadata: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_index(FILES, metadata=metadata) as index:
        world = build(tmp_path, pip=pip, env={"PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""})
        monkeypatch.chdir(world.work)
        arguments = ("install", "--no-cache-dir", "-i", index.url, "tool", "source-only")
        with TwoPass(world.ask(*arguments)) as two:
            planned(two, world)
            code = two.act({}, ())
    names = [LEAVES[1].filename, SOURCE.filename, TOOL.filename]
    assert (code, sorted(index.downloads())) == (0, names)


def test_a_build_that_fails_is_told_as_pip_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    broken = make_sdist("broken", "1.0", on_build="raise ValueError('no compiler')")
    broken.write(world.folder / "links")
    done = world.pip("install", "leaf", "broken")
    monkeypatch.chdir(world.work)
    before = everything(world.prefix)
    with TwoPass(world.ask("install", "leaf", "broken")) as two:
        failed = planned(two, world)
    output = capfd.readouterr()
    assert failed == Failed(done.returncode)
    assert CHANCE.sub("*", output.out) == CHANCE.sub("*", done.stdout)
    assert "ValueError: no compiler" in output.err
    assert changed(before, everything(world.prefix)) == {}


def test_the_second_plan_holds_what_it_was_told_and_is_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "tool>1")) as two:
        planned(two, world)
        environment = read_environment(str(world.prefix), two_facts(world))
        failed = two.plan_again(environment, ["leaf==9"])
        account = two.plan_again(environment, ["leaf==1.0", "owned==1.0"])
        said = capfd.readouterr()
        code = two.act({}, ())
    assert isinstance(failed, Failed)
    assert (failed.exit_code, said.out, said.err) == (1, "", "")
    assert failed.reason.startswith("ResolutionImpossible")
    assert "leaf==9" in failed.said
    assert isinstance(account, Account)
    assert {entry.name: entry.version for entry in account.entries} == {
        "leaf": "1.0",
        "tool": "2.0",
    }
    assert (code, world.environment.distributions()["leaf"]) == (0, "1.0")


def two_facts(world: World) -> Interpreter:
    """What the environment's Python says of itself."""
    with TwoPass(world.ask("install", "leaf")) as two:
        return two.greet()


def test_a_constraint_of_the_second_plan_holds_for_what_is_built_again_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    project(world)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "./project")) as two:
        planned(two, world)
        two.plan_again(read_environment(str(world.prefix), two_facts(world)), ["leaf==1.0"])
        code = two.act({}, ())
    installed = world.environment.distributions()
    assert (code, installed["leaf"], installed["project"]) == (0, "1.0", "0.1")


# ------------------------------------------------------------------------------- what stays


STRAY = make_wheel(
    "stray", "1.0", {"stray/__init__.py": "", "tests/__init__.py": "# stray's\n"}, requires=["leaf"]
)
WITH_TESTS = from_wheel(make_wheel("with-tests", "1.0", {"tests/__init__.py": "# conda's\n"}))


@pytest.mark.parametrize("hashed", [False, True], ids=["wheels", "hashes"])
def test_a_file_of_condas_stays_where_a_wheel_has_one_of_its_own(
    hashed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    change(world.environment, WITH_TESTS)
    STRAY.write(world.folder / "links")
    lines = [f"stray==1.0 --hash=sha256:{STRAY.sha256}"]
    lines += [f"leaf==1.1 --hash=sha256:{LEAVES[1].sha256}"]
    requirements(*(lines if hashed else ["stray"]))(world)
    owned = world.prefix / SITE / "tests/__init__.py"
    before = (owned.stat().st_ino, owned.read_text())
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "-r", "requirements.txt")) as two:
        account = planned(two, world)
        assert isinstance(account, Account)
        wheel = next(entry.wheel for entry in account.entries if entry.name == "stray")
        copy = without_members(wheel, ["tests/__init__.py"], world.work)
        code = two.act({wheel: str(copy)}, ())
    record = (world.prefix / SITE / "stray-1.0.dist-info/RECORD").read_text()
    assert (code, (owned.stat().st_ino, owned.read_text())) == (0, before)
    assert "tests/" not in record
    assert not list((world.prefix / SITE / "tests").glob("__pycache__/*"))
    assert not list((world.prefix / "conda-meta").glob(".safepip-*"))
    assert world.pip("uninstall", "-y", "stray").returncode == 0
    assert owned.exists()


def test_what_an_uninstall_would_take_along_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    with_tool(world)
    script = world.prefix / "bin/old-tool"
    kept = {path: path.stat().st_ino for path in (script, world.prefix / SITE / "tool/__init__.py")}
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("uninstall", "-y", "tool")) as two:
        planned(two, world)
        code = two.act({}, [str(path) for path in kept])
    assert (code, {path: path.stat().st_ino for path in kept}) == (0, kept)
    assert "tool" not in world.environment.distributions()


def test_what_an_upgrade_would_take_along_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    with_tool(world)
    script = world.prefix / "bin/old-tool"
    inode = script.stat().st_ino
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "-U", "tool")) as two:
        planned(two, world)
        code = two.act({}, [str(script)])
    assert (code, script.stat().st_ino) == (0, inode)
    assert world.environment.distributions()["tool"] == "2.0"


# ------------------------------------------------------------------------------- exactness


def test_a_build_that_gives_something_else_the_second_time_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    # The first build is for the verdict, in a copy or in the folder itself; this tells them apart.
    trace = f"import pathlib; p = pathlib.Path({str(tmp_path / 'built')!r})\n"
    trace += "if p.exists(): (ROOT / 'src' / 'surprise.py').write_text('')\np.touch()\n"
    make_project(world.work / "fickle", "fickle", "1.0", on_build=trace)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "./fickle")) as two:
        planned(two, world)
        with pytest.raises(VerifyFailed) as caught:
            two.act({}, ())
    surprise = world.prefix / SITE / "surprise.py"
    assert str(caught.value) == f"fickle 1.0 is not what was judged: {surprise} was not planned"


def test_a_commit_after_the_verdict_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    repository(world)
    monkeypatch.chdir(world.work)
    url = f"git+{(world.folder / 'repository').as_uri()}@main"
    with TwoPass(world.ask("install", url)) as two:
        planned(two, world)
        (world.folder / "repository/src/cloned/__init__.py").write_text("# changed\n")
        commit(world)
        with pytest.raises(VerifyFailed) as caught:
            two.act({}, ())
    assert re.fullmatch(
        "cloned 3.0 is not what was judged: it was built from [0-9a-f]{40}, not from [0-9a-f]{40}",
        str(caught.value),
    )


def test_other_bytes_under_the_same_name_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    project(world)  # which is built again, so that everything is fetched again
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "./project")) as two:
        planned(two, world)
        make_wheel("leaf", "1.1", {"leaf/__init__.py": "changed\n"}).write(world.folder / "links")
        with pytest.raises(VerifyFailed) as caught:
            two.act({}, ())
    changed_file = world.prefix / SITE / "leaf/__init__.py"
    assert str(caught.value) == f"leaf 1.1 is not what was judged: {changed_file} has other bytes"


def test_what_an_index_offers_after_the_verdict_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_index(FILES) as index:
        world = build(tmp_path, env={"PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""})
        monkeypatch.chdir(world.work)
        with TwoPass(world.ask("install", "-i", index.url, "leaf", "owned")) as two:
            planned(two, world)
            index.add(make_wheel("leaf", "1.2"), make_wheel("owned", "2.0"))
            asked = len(index.requests)
            code = two.act({}, ())
            assert len(index.requests) == asked
    installed = world.environment.distributions()
    assert (code, installed["leaf"], installed["owned"]) == (0, "1.1", "1.0")


def test_a_wheel_in_a_folder_of_the_users_is_installed_as_it_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path, env={"PIP_FIND_LINKS": ""})
    LEAVES[1].write(world.work / "a")
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "-fa", "leaf")) as two:
        planned(two, world)
        make_wheel("leaf", "1.1", {"leaf/__init__.py": "changed\n"}).write(world.work / "a")
        code = two.act({}, ())
    assert code == 0
    assert (world.prefix / SITE / "leaf/__init__.py").read_text() == "__version__ = '1.1'\n"


# ------------------------------------------------------------------------------- odd ends


def test_a_file_that_is_an_open_handle_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    read, write = os.pipe()
    os.write(write, b"leaf==1.0\n")
    os.close(write)
    with TwoPass(world.ask("install", f"-qr/dev/fd/{read}")) as two:
        account = planned(two, world)
        code = two.act({}, ())
    os.close(read)
    assert isinstance(account, Account)
    assert [(entry.name, entry.version) for entry in account.entries] == [("leaf", "1.0")]
    assert (code, world.environment.distributions()["leaf"]) == (0, "1.0")


def test_a_dry_run_ends_in_the_words_of_pip_and_leaves_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    arguments = ("install", "--dry-run", "--report", "report.json", "tool")
    done = world.pip(*arguments)
    expected = json.loads((world.work / "report.json").read_text())
    (world.work / "report.json").unlink()
    monkeypatch.chdir(world.work)
    before = everything(world.prefix)
    with TwoPass(world.ask(*arguments)) as two:
        planned(two, world)
        code = two.stop(0, dry_run=True)
    output = capfd.readouterr()
    assert (code, output.out, output.err) == (0, done.stdout, done.stderr)
    assert json.loads((world.work / "report.json").read_text()) == expected
    assert changed(before, everything(world.prefix)) == {}


def test_the_report_of_an_install_names_the_artifacts_where_they_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "--repor=mine.json", "leaf")) as two:
        planned(two, world)
        code = two.act({}, ())
    report = json.loads((world.work / "mine.json").read_text())
    url = (world.folder / "links" / LEAVES[1].filename).as_uri()
    assert (code, [one["download_info"]["url"] for one in report["install"]]) == (0, [url])


def test_a_report_that_cannot_be_written_is_for_pip_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    before = everything(world.prefix)
    with TwoPass(world.ask("install", "--report", "no/such/folder", "leaf")) as two:
        planned(two, world)
        code = two.act({}, ())
    assert (code, changed(before, everything(world.prefix))) == (1, {})
    assert "No such file or directory: 'no/such/folder'" in capfd.readouterr().err


def test_a_report_for_stdout_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "-qqq", "--report", "-", "leaf")) as two:
        planned(two, world)
        code = two.act({}, ())
    report = json.loads(capfd.readouterr().out)
    assert (code, [one["metadata"]["name"] for one in report["install"]]) == (0, ["leaf"])


def test_an_uninstall_that_nobody_can_answer_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    with_tool(world)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("uninstall", "tool")) as two, stdin(os.devnull):
        planned(two, world)
        code = two.act({}, ())
    assert (code, two.unanswered, capfd.readouterr().err) == (1, True, "")
    assert world.environment.distributions()["tool"] == "1.0"


def test_an_uninstall_that_is_answered_by_a_pipe_is_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    with_tool(world)
    monkeypatch.chdir(world.work)
    (world.work / "answer").write_text("y\n")
    with TwoPass(world.ask("uninstall", "tool")) as two, stdin("answer"):
        planned(two, world)
        code = two.act({}, ())
    assert (code, two.unanswered) == (0, False)
    assert "tool" not in world.environment.distributions()


@contextmanager
def stdin(path: str) -> Iterator[None]:
    """This process with a file for its stdin."""
    before, handle = os.dup(0), os.open(path, os.O_RDONLY)
    os.dup2(handle, 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(handle)


def test_an_environment_without_pip_is_served_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lender = build(tmp_path / "lender")
    world = build(tmp_path, pip=None)
    monkeypatch.chdir(world.work)
    pip_from = str(lender.environment.site_packages)
    with TwoPass(world.ask("install", "tool", pip_from=pip_from)) as two:
        account = planned(two, world)
        code = two.act({}, ())
    assert isinstance(account, Account)
    assert (code, world.environment.distributions()) == (
        0,
        {"leaf": "1.1", "owned": "1.0", "tool": "2.0"},
    )


def test_without_any_pip_there_is_no_engine(tmp_path: Path) -> None:
    world = build(tmp_path, pip=None)
    with TwoPass(world.ask("install", "leaf")) as two, pytest.raises(NoEngine) as caught:
        two.greet()
    assert str(caught.value).startswith("this pip cannot be asked how it reads its arguments: ")


def test_a_python_that_does_not_start_is_no_engine(tmp_path: Path) -> None:
    for python, message in (
        ("/no/such/python", "cannot run `/no/such/python`: No such file or directory"),
        ("/bin/false", "`/bin/false` did not start (1)"),
    ):
        asking = Asking(python, ("install", "leaf"), dict(os.environ), lambda: tmp_path)
        with TwoPass(asking) as two, pytest.raises(NoEngine) as caught:
            two.greet()
        assert str(caught.value) == message


def test_nothing_starts_in_a_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    asking = Asking("/bin/false", ("install", "leaf"), dict(os.environ), lambda: tmp_path)
    with TwoPass(asking) as two, pytest.raises(NoEngine, match="is no longer there") as caught:
        two.greet()
    (fix,) = caught.value.fixes
    assert fix.command == f"cd {os.environ['HOME']}"


def test_another_interpreter_is_reported_unless_it_was_chosen(tmp_path: Path) -> None:
    world = build(tmp_path)
    arguments = ("--python", sys.executable, "install", "leaf")
    with TwoPass(world.ask(*arguments)) as two, pytest.raises(OtherPython) as caught:
        two.greet()
    assert (caught.value.python, caught.value.verb) == (sys.executable, "install")
    with TwoPass(world.ask(*arguments, python_chosen=True)) as two:
        assert two.greet().prefix == str(world.prefix)
        assert two.pip_version == "25.3"


def test_an_environment_managed_by_others_is_changed_only_when_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    (world.prefix / SITE).parent.joinpath("EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    monkeypatch.chdir(world.work)
    codes = []
    for may in (False, True):
        with TwoPass(world.ask("install", "leaf")) as two:
            interpreter = two.greet()
            environment = read_environment(str(world.prefix), interpreter)
            two.read_options()
            two.plan(environment, break_system_packages=may)
            codes.append((two.act({}, ()), "leaf" in world.environment.distributions()))
    assert codes == [(1, False), (0, True)]


def test_a_requirement_by_a_path_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    requirements("numpy @ file:///croot/numpy_1/work", "leaf")(world)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "-r", "requirements.txt")) as two:
        assert isinstance(planned(two, world), Failed)
    assert two.missing == [("numpy", "/croot/numpy_1/work")]


def test_a_command_that_is_no_concern_of_ours_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "--target", "elsewhere", "leaf")) as two:
        two.greet()
        two.read_options()
        code = two.pass_through()
    assert (code, (world.work / "elsewhere/leaf/__init__.py").exists()) == (0, True)


def test_who_asks_in_silence_hears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    monkeypatch.chdir(world.work)
    for arguments in (("install", "leaf==9"), ("install", "--no-such-option")):
        with TwoPass(world.ask(*arguments, silent=True)) as two:
            assert isinstance(planned(two, world), Failed)
    assert capfd.readouterr() == ("", "")


def test_output_goes_to_stderr_where_stdout_is_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world = build(tmp_path)
    project(world)
    monkeypatch.chdir(world.work)
    for what in ("fast", "./project", "leaf==9"):
        with TwoPass(world.ask("install", what, quiet_stdout=True)) as two:
            if isinstance(planned(two, world), Account):
                two.act({}, ())
    output = capfd.readouterr()
    assert output.out == ""
    assert "Successfully installed fast-1.0\n" in output.err
    assert "Successfully installed leaf-1.1 project-0.1\n" in output.err
    assert "No matching distribution found for leaf==9\n" in output.err


# ------------------------------------------------------------------------------- interruptions


def slow(world: World) -> None:
    wait = "import time; time.sleep(3)"
    make_project(world.work / "slow", "slow", "1.0", on_build=wait, metadata_hook=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_planning(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(tmp_path)
    slow(world)
    monkeypatch.chdir(world.work)
    before = everything(world.prefix)
    with TwoPass(world.ask("install", "./slow")) as two:
        timer = threading.Timer(3.0, os.kill, (os.getpid(), number))
        timer.start()
        failed = planned(two, world)
    assert isinstance(failed, Failed)
    assert (failed.exit_code != 0, two.interrupted) == (True, True)
    assert changed(before, everything(world.prefix)) == {}


def test_an_interruption_cuts_off_what_pip_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever acts by this engine takes back what was done until then."""
    world = build(tmp_path)
    slow(world)
    monkeypatch.chdir(world.work)
    with TwoPass(world.ask("install", "./slow")) as two:
        planned(two, world)
        threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        code = two.act({}, ())
    assert (code, two.interrupted) == (137, True)
    assert "slow" not in world.environment.distributions()
