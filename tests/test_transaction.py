"""All or nothing: however a command ends, the environment is as it was, or as it was planned."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from safepip.effects.journal import Journal
from safepip.effects.transaction import begin
from safepip.values.errors import NotWritable
from tests.build import written_down
from tests.forked import SAFEPIP
from tests.lab import (
    CondaEnvironment,
    Ledger,
    change,
    create,
    everything,
    from_wheel,
    make_project,
    make_wheel,
    replace,
)
from tests.twins import ENGINES, Build, Ran, World, make, make_again, ran

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
OWNED = from_wheel(make_wheel("owned", "1.0", scripts={"owned": "owned:main"}))
MANY = {f"many/part{number}.py": f"VALUE = {number}\n" for number in range(120)}
BIG = {f"big/part{number}.py": f"VALUE = {number}\n" * 40 for number in range(200)}
WHEELS = [
    make_wheel("many", "1.0", MANY, scripts={"many": "many:main"}, requires=["leaf"]),
    make_wheel("many", "2.0", {**MANY, "many/new.py": ""}, scripts={"many": "many:main"}),
    make_wheel("big", "1.0", BIG, data_files={"share/big/note": "1\n"}),
    make_wheel("big", "2.0", {**BIG, "bigger.py": ""}, data_files={"share/big/note": "2\n"}),
    make_wheel("leaf", "1.0"),
    make_wheel("zz-new", "1.0"),
    # pip finds out half-way that a folder lies where this has a file.
    make_wheel("zz-clash", "1.0", {"zz_clash.py": "", "leaf": "a file\n"}),
]


def build(world: World) -> CondaEnvironment:
    for wheel in WHEELS:
        wheel.write(world.links)
    environment = create(world.prefix, OWNED)
    links = ("--no-index", "--find-links", str(world.links))
    environment.pip("install", *links, "many==1.0", "big==1.0")
    return environment


class Place:
    """An environment with some distributions of pip's."""

    def __init__(
        self,
        folder: Path,
        engine: str = "",
        *,
        making: Callable[[World, Build], CondaEnvironment] = make,
    ) -> None:
        self.world = World(folder / "world")
        self.environment = making(self.world, build)
        self.engine = engine
        self.env = {"SAFEPIP_ENGINE": engine}

    def safepip(self, *words: str, env: Mapping[str, str] | None = None) -> Ran:
        return ran(
            self.world, self.environment, [*SAFEPIP, *words], env={**self.env, **(env or {})}
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A command in a process group of its own, as a shell starts one."""
        own = {"TMPDIR": str(self.world.folder / "tmp"), "PIP_FIND_LINKS": str(self.world.links)}
        return subprocess.Popen(
            [*SAFEPIP, *words],
            env=self.environment.environ({**own, **self.env}),
            cwd=self.world.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def ends(self, *words: str) -> int:
        """The exit code of a command that nobody looks at."""
        process = self.start(*words)
        process.communicate()
        return process.returncode

    def contents(self) -> Ledger:
        """Everything but safepip's own books; and but the bytecode of Python's own library."""
        found = everything(self.environment.prefix, bytecode=True)
        return {
            path: state
            for path, state in found.items()
            if not path.startswith("conda-meta/safepip/")
            and not (path.endswith(".pyc") and "site-packages" not in path)
        }

    def without_bytecode(self) -> Ledger:
        return {path: s for path, s in self.contents().items() if not path.endswith(".pyc")}

    def mark(self) -> bool:
        return (self.environment.conda_meta / "safepip" / "unfinished").exists()


@pytest.fixture(params=ENGINES, ids=["one-pass", "two-pass"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.getbasetemp() / "changed", request.param, making=make_again)


@pytest.fixture
def one_pass(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.getbasetemp() / "changed", making=make_again)


def test_a_change_is_journalled(place: Place) -> None:
    done = place.safepip("install", "--json", "many==2.0")
    name = json.loads(done.stdout)["undo"]
    folder = place.environment.conda_meta / "safepip"
    entry = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    steps = [(step["name"], step["before"], step["after"]) for step in entry["steps"]]
    assert (entry["stage"], steps) == ("done", [("many", "1.0", "2.0")])
    assert entry["arguments"] == ["install", "many==2.0"]
    assert not place.mark()
    kept = folder / "kept" / name
    assert len(list(kept.iterdir())) > 100


def test_what_fails_half_way_is_taken_back(place: Place) -> None:
    before = place.contents()
    done = place.safepip("install", "many==2.0", "big==2.0", "zz-clash")
    assert done.exit_code == 1, done
    assert place.contents() == before
    assert "taken back" in done.said
    assert not place.mark()


@pytest.mark.parametrize("words", [("--no-undo",), ("--no-cache-dir",), ()])
def test_nothing_is_kept_where_nothing_is_wanted(one_pass: Place, words: tuple[str, ...]) -> None:
    env = {} if words else {"SAFEPIP_UNDO": "off"}
    done = one_pass.safepip("install", "--json", *words, "many==2.0", env=env)
    assert (done.exit_code, json.loads(done.stdout)["undo"]) == (0, None)
    folder = one_pass.environment.conda_meta / "safepip"
    assert list(folder.glob("kept/*/*")) == []
    assert len(list(folder.glob("*.json"))) == 1


def test_a_file_of_condas_that_changes_meanwhile_is_judged_again(one_pass: Place) -> None:
    # A build hook of this project stands for whoever runs conda at the same time.
    record = next(one_pass.environment.conda_meta.glob("owned-*.json"))
    raw = json.loads(record.read_bytes())
    site = one_pass.environment.site_packages.relative_to(one_pass.environment.prefix).as_posix()
    raw["files"].append(f"{site}/late.py")
    (one_pass.environment.site_packages / "late.py").write_text("conda's\n", encoding="utf-8")
    new = json.dumps(raw)
    on_build = f"import os; open({str(record)!r} + '.new', 'w').write({new!r})\n"
    on_build += f"os.replace({str(record)!r} + '.new', {str(record)!r})"
    make_project(
        one_pass.world.work / "late", "late", "1.0", {"late.py": "pip's\n"}, on_build=on_build
    )
    done = one_pass.safepip("install", "--json", "--no-build-isolation", "./late")
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (10, "same-files"), done


# ------------------------------------------------------------------------------- cut off


MOMENTS = int(os.environ.get("SAFEPIP_MOMENTS", "2"))
"""How often each test here strikes, each time at another moment; more of them for the patient."""


def _acting(place: Place, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the change has begun; False when the command has ended before that was seen."""
    while process.poll() is None:
        if place.mark():
            return True
        time.sleep(0.001)
    return False


@pytest.mark.parametrize("what", ["safepip", "all"])
def test_after_a_kill_the_next_command_finds_it_whole(place: Place, what: str) -> None:
    place.safepip("install", "many==2.0", "big==2.0")
    complete = place.without_bytecode()
    place.safepip("install", "many==1.0", "big==1.0")
    before = place.contents()
    chance = random.Random(f"{what}{place.engine}")
    for _ in range(MOMENTS):
        process = place.start("install", "many==2.0", "big==2.0")
        if _acting(place, process):
            time.sleep(chance.uniform(0, 0.25))
        kill = os.killpg if what == "all" else os.kill
        kill(process.pid, signal.SIGKILL)
        process.communicate()
        # A pip that outlived its safepip holds the lock: `list` goes on, `install` waits for it.
        for words in (["list"], ["install", "--dry-run", "leaf"]):
            assert place.ends(*words) == 0
        assert not place.mark()
        if place.contents() != before:
            assert place.without_bytecode() == complete
            place.safepip("install", "many==1.0", "big==1.0")
            before = place.contents()


@pytest.mark.parametrize("others", ["pip", "conda"])
def test_what_others_installed_after_a_kill_is_left_alone(place: Place, others: str) -> None:
    third = make_wheel("many", "3.0", {"many/__init__.py": "", "many/part1.py": "VALUE = 3\n"})
    while not place.mark():  # the command may end before it is seen to act
        process = place.start("install", "many==2.0", "big==2.0")
        if _acting(place, process):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if others == "pip":
        place.environment.pip("install", "--no-index", "--no-deps", third.write(place.world.links))
    else:
        change(place.environment, from_wheel(third))
    theirs = {path: what for path, what in place.without_bytecode().items() if "many" in path}
    done = place.safepip("list")
    said = " ".join(done.said.split())
    assert "many 3.0 was installed by something else since, and stays" in said
    now = {path: what for path, what in place.without_bytecode().items() if "many" in path}
    # What pip had left half-done is gone; what is there is theirs.
    assert {path: theirs.get(path) for path in now} == now
    assert f"{SITE}/many-3.0.dist-info/METADATA" in now
    assert not [path for path in place.environment.site_packages.iterdir() if path.name[0] == "~"]
    assert place.environment.distributions()["big"] == "1.0"
    if others == "pip":
        infos = [path.name for path in place.environment.site_packages.glob("many-*")]
        assert infos == ["many-3.0.dist-info"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_takes_back_what_had_begun(place: Place, number: int) -> None:
    before = place.contents()
    chance = random.Random(f"{number}{place.engine}")
    seen = set()
    for _ in range(MOMENTS):
        process = place.start("install", "many==2.0", "big==2.0")
        if _acting(place, process):
            time.sleep(chance.uniform(0, 0.1))
        os.killpg(process.pid, number)
        _, said = process.communicate()
        seen.add(process.returncode)
        assert not place.mark()
        if place.contents() != before:  # it was done already
            assert process.returncode == 0, said
            place.safepip("install", "many==1.0", "big==1.0")
            before = place.contents()
    assert seen <= {0, 130}
    assert 130 in seen


def test_an_interruption_ends_the_imports(place: Place, tmp_path: Path) -> None:
    flag = tmp_path / "began"
    slow = f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(60)\n"
    make_wheel("slow", "1.0", {"slow.py": slow}).write(place.world.links)
    before = place.contents()
    process = place.start("install", "slow")
    while not flag.exists():
        assert process.poll() is None
        time.sleep(0.01)
    since = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, time.monotonic() - since < 5) == (130, True), said
    assert place.contents() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_what_another_user_wrote_leads_nowhere_else(one_pass: Place, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine\n", encoding="utf-8")
    one_pass.safepip("install", "many==2.0")
    folder = one_pass.environment.conda_meta / "safepip"
    path = next(folder.glob("*.json"))
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["stage"], raw["touched"] = "acting", {str(mine): ["absent", None]}
    replace(path, json.dumps(raw))
    (folder / "unfinished").write_text(raw["id"], encoding="utf-8")
    os.chown(path, 12345, -1)
    done = one_pass.safepip("install", "leaf")
    assert (done.exit_code, "another user" in done.stderr + done.said) == (10, True), done
    assert mine.read_text(encoding="utf-8") == "mine\n"


# ------------------------------------------------------------------------------- others


class Full(Journal):
    """A journal on a disk without room."""

    def sweep(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_where_nothing_can_be_kept_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x" * 1_250_000)
    entry = written_down(id="2026-01-01-1", stage="acting")
    old = [str(tmp_path / "old"), str(tmp_path / "new")]
    with pytest.raises(NotWritable) as full:
        begin(Full(str(tmp_path)), entry, iter(old), ())
    folder = f"{tmp_path}/conda-meta/safepip"
    assert f"`{folder}` what is needed to go back: No space left" in full.value.message
    assert re.search(
        r"; \d+\.\d MB are free there, what is kept has up to 1.[23] MB", full.value.why
    )
    assert full.value.retry is not None
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable) as other:
        begin(Journal(str(tmp_path), f"{tmp_path}/file"), entry, old, ())
    assert (f"`{tmp_path}/file`" in other.value.message, other.value.retry) == (True, None)


def test_a_full_disk_is_as_good_as_a_failure(tmp_path: Path) -> None:
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(mounted)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount can have a small disk")
    try:
        place = Place(mounted)
        before = place.contents()
        free = os.statvfs(mounted)
        for left in (0, 200_000, 700_000):
            filler = mounted / "filler"
            with filler.open("wb") as file:
                os.posix_fallocate(
                    file.fileno(), 0, free.f_bavail * free.f_frsize - left - 2_000_000
                )
                with contextlib.suppress(OSError):
                    while True:
                        rest = os.statvfs(mounted)
                        if rest.f_bavail * rest.f_frsize <= left + 8192:
                            break
                        file.seek(0, os.SEEK_END)
                        file.write(b"x" * 4096)
                        file.flush()
            process = place.start("install", "many==2.0", "big==2.0")
            process.communicate()
            filler.unlink()
            assert process.returncode != 0
            assert place.ends("install", "--dry-run", "leaf") == 0
            assert place.contents() == before
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


@pytest.mark.parametrize("count", [2, 8])
def test_several_at_once_take_turns(one_pass: Place, count: int) -> None:
    for number in range(count):
        make_wheel(f"turn{number}", "1.0", requires=["leaf"]).write(one_pass.world.links)
    processes = [one_pass.start("install", f"turn{number}") for number in range(count)]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * count, said
    installed = one_pass.environment.distributions()
    assert all(f"turn{number}" in installed for number in range(count))
    entries = [p.name for p in (one_pass.environment.conda_meta / "safepip").glob("*.json")]
    assert len(entries) == count
