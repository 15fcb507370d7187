"""The index of a large environment says what the records say, whatever is done to either."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from safepip.effects.own_cache import cached_at
from safepip.effects.record_index import read_by_index
from safepip.effects.records import read_records, records_state
from safepip.values.environment import Record
from safepip.values.owned_files import OwnedFiles
from tests.guarded import safepip
from tests.lab import (
    CondaEnvironment,
    change,
    create,
    fake,
    from_wheel,
    make_wheel,
    restyle,
)

TICK_SECONDS = 0.02
"""Longer than the system's clock stands still."""
LIBRARY = fake("libx", "1.0", {f"lib/libx.so.{number}": "x\n" for number in range(9)})
NEWER = fake("libx", "1.1", {"lib/libx.so.9": "x\n"})
OTHER = fake("other", "1.0", {"share/other/a.txt": "a\n"})


def by_index(prefix: Path, environ: Mapping[str, str]) -> tuple[Record, ...]:
    where = str(prefix)
    settled = int(TICK_SECONDS * 1e9)
    return read_by_index(where, records_state(where), environ, settled_ns=settled)


def kept(prefix: Path, environ: Mapping[str, str]) -> Path:
    return Path(cached_at("records", str(prefix), environ))


def late(records: tuple[Record, ...]) -> list[str]:
    """The records whose files were not read."""
    return [
        record.name
        for record in records
        if isinstance(record.files, OwnedFiles) and not record.files.is_read
    ]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    """An environment with the records of conda, one of them without a list of files."""
    tool = make_wheel("tool", "1.0", {"tool/__init__.py": "x = 1\n"})
    short = fake("short", "1.0", {"lib/s": "s"})
    environment = create(
        tmp_path_factory.mktemp("made") / "env",
        *(from_wheel(tool), LIBRARY, fake("meta", "1.0"), short),
    )
    restyle(environment.prefix, "conda")
    (path,) = environment.conda_meta.glob("short-*.json")
    record = {**json.loads(path.read_bytes()), "files": []}
    path.write_text(json.dumps(record, indent=2), encoding="utf-8")
    return environment


@pytest.fixture
def prefix(made: CondaEnvironment, tmp_path: Path) -> Path:
    """A prefix with nothing but these records."""
    found = tmp_path / "env"
    shutil.copytree(made.conda_meta, found / "conda-meta")
    time.sleep(2 * TICK_SECONDS)
    return found


def test_the_second_time_hardly_a_record_is_read(prefix: Path, environ: dict[str, str]) -> None:
    assert by_index(prefix, environ) == read_records(str(prefix))
    again = by_index(prefix, environ)
    full = {r.name for r in again if r.files} - {"short"}
    assert set(late(again)) == full >= {"tool", "libx", "python"}
    assert again == read_records(str(prefix))


def test_a_record_is_read_for_a_path_in_one_of_its_folders(
    prefix: Path, environ: dict[str, str]
) -> None:
    by_index(prefix, environ)
    records = by_index(prefix, environ)
    files = {record.name: record.files for record in records}
    assert "share/nobody" not in files["libx"]
    assert "python.exe" not in files["python"]
    assert {"libx", "python"} <= set(late(records))
    assert "lib/libx.so.77" not in files["libx"]
    assert "lib/libx.so.7" in files["libx"]
    assert "libx" not in late(records)
    assert len(files["tool"]) == len(read_records(str(prefix))[-1].files)


def _in_place(meta: Path, dice: random.Random) -> None:
    """Other bytes of the same number, with the time of before."""
    path = _any(meta, dice)
    was = path.stat()
    with path.open("r+b") as file:
        data = file.read()
        at = data.find(b'"lib/')
        if at >= 0:
            file.seek(at + 1)
            file.write(dice.choice([b"lib", b"bil", b"ilb"]))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _as_before(meta: Path, dice: random.Random) -> None:
    """The same bytes in another file, from a clock that is set back."""
    path = _any(meta, dice)
    beside = path.with_suffix(".new")
    beside.write_bytes(path.read_bytes())
    os.utime(beside, (1, 1))
    beside.replace(path)


def _gone(meta: Path, dice: random.Random) -> None:
    if len(list(meta.glob("*.json"))) > 4:
        _any(meta, dice).unlink()


def _renamed(meta: Path, dice: random.Random) -> None:
    path = _any(meta, dice)
    path.rename(path.with_name(f"{dice.randrange(99)}-{path.name[-20:]}"))


def _added(meta: Path, dice: random.Random) -> None:
    name = f"new-{dice.randrange(9)}"
    files = [
        f"lib/{name}/{dice.randrange(9)}",
        f"lib/python3.11/site-packages/{name}.dist-info/RECORD",
    ]
    record = {"name": name, "version": "1", "build": "0", "depends": [], "files": files}
    (meta / f"{name}-1-0.json").write_text(json.dumps(record))


def _exchanged(meta: Path, dice: random.Random) -> None:
    one, other = _any(meta, dice), _any(meta, dice)
    beside = meta / "beside"
    one.rename(beside)
    if other.exists():
        other.rename(one)
    beside.rename(other)


def _any(meta: Path, dice: random.Random) -> Path:
    return dice.choice(sorted(meta.glob("*.json")))


CHANGES: tuple[Callable[[Path, random.Random], None], ...] = (
    *(_in_place, _as_before, _gone, _renamed, _added, _exchanged),
)


def _spoil(index: Path, dice: random.Random) -> None:
    """Do to an index what disks and people do."""
    if not index.is_file():
        return
    data = index.read_bytes()
    told = json.loads(data[64:])
    name = dice.choice(sorted(told["records"]) or ["x"])
    entry = told["records"].get(name, [])
    at = dice.randrange(len(data))
    records = told["records"]
    hostile = [
        data[:at],
        data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        data.replace(b'"lib"', b'"lic"').replace(b'"1.0"', b'"1.1"'),
        b"",
        b"[" * 100_000,
        signed(None),
        signed({"schema": 1}),
        signed({**told, "prefix": "/elsewhere"}),
        signed({**told, "schema": 2}),
        signed({**told, "records": {**records, name: entry[:-1]}}),
        signed({**told, "records": {**records, name: [*entry[:-1], "text"]}}),
        signed({**told, "records": {**records, name: [*entry[:-1], [7]]}}),
        signed({**told, "records": {**records, name: [*entry[:-1], ["\0"]]}}),
        signed({**told, "records": {**records, name: 7}}),
        signed({**told, "records": []}),
    ]
    index.write_bytes(dice.choice(hostile))


def signed(told: object) -> bytes:
    """An index as safepip writes it."""
    data = json.dumps(told).encode()
    return hashlib.sha256(data).hexdigest().encode() + data


@pytest.mark.parametrize("seed", range(3))
def test_it_says_what_the_records_say_after_any_change(
    prefix: Path, environ: dict[str, str], seed: int
) -> None:
    dice = random.Random(seed)
    used = 0
    for _ in range(25):
        dice.choice(CHANGES)(prefix / "conda-meta", dice)
        if dice.random() < 0.3:
            _spoil(kept(prefix, environ), dice)
        time.sleep(2 * TICK_SECONDS)
        plain = read_records(str(prefix))
        assert by_index(prefix, environ) == plain
        again = by_index(prefix, environ)
        used += len(late(again))
        assert again == plain
    assert used > 50, "hardly an entry of the index was used"


def test_what_may_change_within_a_tick_is_not_remembered(
    prefix: Path, environ: dict[str, str]
) -> None:
    where = str(prefix)
    _added(prefix / "conda-meta", random.Random(1))
    os.utime(next((prefix / "conda-meta").glob("new-*")))
    read_by_index(where, records_state(where), environ)  # as safepip does
    assert late(read_by_index(where, records_state(where), environ)) == []


def test_a_copy_and_a_moved_environment_are_read_anew(
    prefix: Path, environ: dict[str, str]
) -> None:
    by_index(prefix, environ)
    copied, moved = prefix.with_name("copied"), prefix.with_name("moved")
    shutil.copytree(prefix / "conda-meta", copied / "conda-meta")
    next((copied / "conda-meta").glob("libx-*.json")).unlink()
    prefix.rename(moved)
    copied.rename(prefix)
    assert by_index(prefix, environ) == read_records(str(prefix))
    assert by_index(moved, environ) == read_records(str(moved))


@pytest.mark.parametrize("was", [b'"lib"', b'"1.0"', b'"python"'])
def test_an_index_with_one_wrong_byte_is_none(
    prefix: Path, environ: dict[str, str], was: bytes
) -> None:
    by_index(prefix, environ)
    index = kept(prefix, environ)
    data = index.read_bytes()
    assert was in data
    index.write_bytes(data.replace(was, was[:-2] + b'X"'))
    assert late(by_index(prefix, environ)) == []
    assert index.read_bytes() == data


def test_what_others_may_write_is_no_index(prefix: Path, environ: dict[str, str]) -> None:
    by_index(prefix, environ)
    kept(prefix, environ).chmod(0o620)
    assert late(by_index(prefix, environ)) == []


def test_no_file_of_anybody_else_is_pruned(
    prefix: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    victim = kept(prefix, environ).parent
    victim.mkdir(parents=True)
    for number in range(40):
        (victim / f"{number}.txt").touch()
        (victim / f"{number:032x}.json").touch()
    by_index(prefix, environ)
    names = [path.name for path in victim.iterdir()]
    assert len([name for name in names if name.endswith(".txt")]) == 40
    assert len([name for name in names if name.endswith(".json")]) == 20
    led = {"XDG_CACHE_HOME": str(tmp_path / "led")}
    kept(prefix, led).parent.parent.mkdir(parents=True)
    kept(prefix, led).parent.symlink_to(victim)
    by_index(prefix, led)
    assert sorted(path.name for path in victim.iterdir()) == sorted(names)


def test_two_may_write_it_at_once(prefix: Path, environ: dict[str, str]) -> None:
    script = (
        "import sys\n"
        "from safepip.effects.record_index import read_by_index\n"
        "from safepip.effects.records import read_records, records_state\n"
        "from safepip.effects.own_cache import cached_at\n"
        "import os, contextlib\n"
        "where, environ = sys.argv[1], {'XDG_CACHE_HOME': sys.argv[2]}\n"
        "plain = read_records(where)\n"
        "for _ in range(60):\n"
        "    assert read_by_index(where, records_state(where), environ, settled_ns=0) == plain\n"
        "    with contextlib.suppress(OSError):\n"
        "        os.unlink(cached_at('records', where, environ))\n"
        "read_by_index(where, records_state(where), environ, settled_ns=0)\n"
    )
    words = [sys.executable, "-c", script, str(prefix), environ["XDG_CACHE_HOME"]]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    folder = kept(prefix, environ).parent
    assert [path.suffix for path in folder.iterdir()] == [".json"]


def test_a_full_disk_leaves_nothing(prefix: Path, environ: dict[str, str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        found = by_index(prefix, environ)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found == read_records(str(prefix))
    assert list(kept(prefix, environ).parent.iterdir()) == []


def test_nothing_is_written_where_nothing_is_to_be_kept(
    prefix: Path, environ: dict[str, str]
) -> None:
    state = records_state(str(prefix))
    found = [read_by_index(str(prefix), state, environ, remember=False) for _ in range(2)]
    assert (late(found[0]), late(found[1])) == ([], [])
    assert not kept(prefix, environ).parent.exists()


@pytest.mark.parametrize("place", ["a file", "a pipe", "no home", "somebody else's"])
def test_without_a_place_for_it_all_is_read(
    prefix: Path, environ: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = kept(prefix, environ)
    if place == "a file":
        index.parent.parent.mkdir(parents=True)
        index.parent.touch()
    elif place == "a pipe":
        index.parent.mkdir(parents=True)
        os.mkfifo(index)
    elif place == "no home":
        environ["XDG_CACHE_HOME"] = ""
        monkeypatch.setenv("HOME", "nowhere")
    else:
        if os.geteuid() != 0:
            pytest.skip("only root may give a file away")
        by_index(prefix, environ)
        os.chown(index, 12345, 12345)
    found = by_index(prefix, environ)
    assert late(found) == []
    assert found == read_records(str(prefix))


def test_a_guarded_command_judges_by_it(made: CondaEnvironment, environ: dict[str, str]) -> None:
    """In an environment that is large by its records: the files of most of these are not there."""
    for number in range(4):
        paths = [f"share/many-{number}/{n // 50}/{n:060}" for n in range(1000)]
        record = {"name": f"many-{number}", "version": "1", "build": "0", "depends": []}
        text = json.dumps({**record, "files": paths, "padding": "x" * 5_000_000}, indent=2)
        path = made.conda_meta / f"many-{number}-1-0.json"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1, 1))
    time.sleep(2.1)
    wheel = make_wheel("thing", "1.0", {"thing.py": ""}, data_files={"lib/libx.so.7": "y\n"})
    words = ("install", "--no-index", wheel.write(made.prefix.parent))
    passing = safepip(made, *words, "--no-cache-dir", env=environ)
    assert not kept(made.prefix, environ).exists()
    first, second = (safepip(made, *words, env=environ) for _ in range(2))
    assert kept(made.prefix, environ).is_file()
    for done in (passing, first, second):
        assert (done.exit_code, done.touched) == (10, {}), done
        assert done.answer["findings"][0]["kind"] == "same-files"
    assert first.answer["findings"] == second.answer["findings"]


def test_what_rattler_does_is_seen(made: CondaEnvironment, environ: dict[str, str]) -> None:
    for path in made.conda_meta.glob("many-*.json"):
        path.unlink()
    by_index(made.prefix, environ)
    change(made, NEWER, OTHER)
    found = by_index(made.prefix, environ)
    assert found == read_records(str(made.prefix))
    assert {("libx", "1.1"), ("other", "1.0")} <= {(r.name, r.version) for r in found}


@pytest.mark.parametrize("name", [".#pinned", "pinned", "gone-1.0-0.json"])
def test_a_link_that_leads_nowhere_hides_no_change(tmp_path: Path, name: str) -> None:
    books = tmp_path / "conda-meta"
    books.mkdir()
    (books / "a-1.0-0.json").write_text("{}", encoding="utf-8")
    (books / name).symlink_to("user@host.1234:5678")
    before = records_state(str(tmp_path))
    assert {stamp.name for stamp in before} == {"a-1.0-0.json", name}
    (books / "b-1.0-0.json").write_text("{}", encoding="utf-8")
    assert records_state(str(tmp_path)) != before
    (tmp_path / "conda-meta" / "user@host.1234:5678").write_text("", encoding="utf-8")
    assert len({before, records_state(str(tmp_path))}) == 2
