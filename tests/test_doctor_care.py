"""What `doctor --fix` leaves alone, as it may be somebody's; and what it does not believe."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from safepip.decisions.diagnosing.origin import origin_of
from safepip.decisions.repairing.left import left_after
from safepip.decisions.repairing.means import Means
from safepip.decisions.repairing.plan import plan_repair
from safepip.decisions.repairing.wants import wants
from safepip.decisions.wording.repairs import repair_lines
from safepip.doors.doctor import working_folder
from safepip.effects.checking import check_files
from safepip.effects.installed import find_remains, read_distributions
from safepip.effects.keeping import forget
from safepip.effects.leftovers import standing_again
from safepip.effects.packages import Place, Row, Unproven, make, rows_of
from safepip.effects.prefixes import start_of
from safepip.effects.records import read_details, read_object, read_whole_records
from safepip.effects.removals import declared_files, script_paths, why_unlisted
from safepip.effects.supplies import files_to_remove, unlisted_files
from safepip.effects.surroundings import read_surroundings
from safepip.effects.traces import cache_folders, is_trusted
from safepip.effects.transaction import all_in
from safepip.effects.unpacking import unpacked
from safepip.effects.wheels import sha256_of
from safepip.values.damage import Lacks, Leftover, LostRecord, Source
from safepip.values.environment import Distribution, Interpreter
from safepip.values.errors import UnreadableRecord
from safepip.values.inspection import Claim, Details, Inspection, Linked
from safepip.values.journal import Absent, Entry, File, Step, Touched
from safepip.values.repair import Discard, Disown, PutBack, Reason, Supply, TakeOut
from tests.build import LIBRARY, PREFIX, SITE, conda, environment, pip
from tests.test_doctor_books import over, replaced
from tests.test_installed import lay


def interpreter(prefix: Path) -> Interpreter:
    site = str(prefix / "site")
    return Interpreter(
        executable=sys.executable,
        version="3.11.7",
        prefix=str(prefix),
        base_prefix=str(prefix),
        sys_path=(site,),
        purelib=site,
        platlib=site,
        scripts=str(prefix / "bin"),
        stdlib=str(prefix / "lib"),
        user_site="",
        user_site_enabled=False,
    )


def claim(path: Path, name: str, version: str = "1.0", *, unlisted: str = "") -> Claim:
    found = Distribution(name, version, str(path))
    return Claim(found, frozenset(), frozenset(), Source(), unlisted=unlisted)


# Distributions that have no list of their files.


def test_of_an_egg_without_a_list_only_its_metadata_is_certainly_its_own(tmp_path: Path) -> None:
    lay(
        tmp_path / "site",
        {
            "alpha-2.0-py3.11.egg-info/PKG-INFO": "Name: alpha\nVersion: 2.0\n",
            "alpha-2.0-py3.11.egg-info/top_level.txt": "alpha\n../bin\n",
            "alpha/__init__.py": "",
            "alpha/__pycache__/__init__.cpython-311.pyc": "",
            "alpha/plug.py": "another's",
            "alpha/users_data.csv": "1",
        },
    )
    one = claim(tmp_path / "site" / "alpha-2.0-py3.11.egg-info", "alpha", "2.0")
    removed = {Path(p).name for p in files_to_remove(one, interpreter(tmp_path))}
    assert removed == {"PKG-INFO", "top_level.txt"}
    rest = unlisted_files(one, ["site/alpha/__init__.py", "site/beta/x.py"], str(tmp_path))
    assert set(rest) == {f"site/alpha/{n}" for n in ("__init__.py", "plug.py", "users_data.csv")}


def test_an_egg_with_a_list_goes_by_that(tmp_path: Path) -> None:
    lay(
        tmp_path / "site",
        {
            "alpha-2.0.egg-info/PKG-INFO": "Name: alpha\nVersion: 2.0\n",
            "alpha-2.0.egg-info/top_level.txt": "alpha\n",
            "alpha-2.0.egg-info/installed-files.txt": "../alpha/__init__.py\nPKG-INFO\n",
            "alpha/__init__.py": "",
            "alpha/mine.py": "",
        },
    )
    one = claim(tmp_path / "site" / "alpha-2.0.egg-info", "alpha", "2.0")
    removed = {
        Path(p).relative_to(tmp_path / "site") for p in files_to_remove(one, interpreter(tmp_path))
    }
    assert Path("alpha/__init__.py") in removed
    assert Path("alpha/mine.py") not in removed
    assert unlisted_files(one, ["site/alpha/__init__.py"], str(tmp_path)) == ()


# What pip moved aside.


@pytest.mark.parametrize(
    ("there", "again"),
    [
        (["~ich/x", "rich/x"], ["~ich"]),
        (["~ich/x", "richer/x", "ch/x"], []),
        (["~-ch/x", "~0rich/x", "rich/x"], ["~-ch", "~0rich"]),
        (["~/x", "~x/x", "~xrich/x", "rich/x"], []),
        (["~ich/x", "~ich-13.0.dist-info/METADATA"], []),  # the only copy
        (["~ich/x", "rich/x", "~ich-13.0.dist-info/METADATA"], []),  # killed while it installed
        (
            ["~ich/x", "rich/x", "~ich-13.0.dist-info/x", "rich-14.0.dist-info/RECORD"],
            ["~ich", "~ich-13.0.dist-info"],
        ),
        (["~ich-13.0.dist-info/x", "rich-14.0.dist-info/METADATA"], []),
        (["~ich-13.0.dist-info/x", "rich-14.0.egg-info/PKG-INFO"], ["~ich-13.0.dist-info"]),
    ],
)
def test_what_was_moved_aside_is_a_trace_once_it_stands_again(
    tmp_path: Path, there: list[str], again: list[str]
) -> None:
    lay(tmp_path, dict.fromkeys([*there, "~my notes/x"], ""))
    remains = find_remains(str(tmp_path))
    assert f"{tmp_path}/~my notes" not in remains
    assert standing_again(remains) == {f"{tmp_path}/{name}" for name in again}


def test_only_a_trace_in_which_conda_has_nothing_is_cleared() -> None:
    odd = conda("odd==1.0", modules=["~dd/x.py"])
    paths = tuple(f"{SITE}/{name}" for name in ("~dd", "~ich", "~umpy"))
    env = replace(environment(odd), leftovers=paths)
    inspection = Inspection(environment=env, standing_again=frozenset(paths[:2]))
    damage = [Leftover(path=path, reason="moved aside") for path in paths]
    planned = plan_repair(inspection, damage, wants(inspection, damage, {}), Means())
    assert planned.steps == (Discard(paths[1]),)
    assert [one.finding for one in planned.unfixed] == [damage[0], damage[2]]


# What lies over the files of a package whose record is gone.


def test_others_on_the_files_of_a_lost_package_go_or_give_them_up() -> None:
    alpha = "alpha-1.0-py_0"
    module, command = f"{LIBRARY}/alpha/more.py", "bin/alpha"
    one, two, equal = pip("gamma==1.0"), pip("delta==1.0"), pip("same==1.0")
    claims = (over(one, command), over(two, module), over(equal, f"{LIBRARY}/alpha/__init__.py"))
    env = environment(one, two, equal)
    inspection = Inspection(environment=env, claims=claims)
    damage = [LostRecord(conda_package=alpha, evidence=("history",), source=Source())]
    files = {alpha: (command, module, f"{LIBRARY}/alpha/__init__.py", "share/alpha")}
    other = {alpha: (command, module, "share/alpha")}
    supply = Supply("folder", "/pkgs/alpha")
    removals = {f"{SITE}/delta-1.0.dist-info": (f"{PREFIX}/{module}", f"{SITE}/delta.py")}
    wanted = wants(inspection, damage, files, other)
    means = Means({alpha: supply}, removals, files=files, over=other)
    planned = plan_repair(inspection, damage, wanted, means)
    assert planned.steps == (
        TakeOut(claims[1].distribution, (f"{SITE}/delta.py",)),
        Disown(claims[0].distribution, (f"{PREFIX}/{command}",)),
        PutBack(alpha, (), supply, f"{alpha}.json", over=other[alpha]),
    )
    said = repair_lines(planned, env, done="", where="env", width=200)
    assert "over bin/alpha, " in str(said)
    stuck = replace(means, supplies={alpha: Reason("no-source")})
    assert plan_repair(inspection, damage, wanted, stuck).steps == ()


def test_where_all_of_a_lost_package_is_condas_nothing_is_taken_out() -> None:
    alpha, module = "alpha-1.0-py_0", f"{LIBRARY}/alpha/__init__.py"
    compiled = f"{LIBRARY}/alpha/__pycache__/__init__.cpython-311.pyc"
    there = pip("alpha==1.0")
    inspection = Inspection(environment=environment(there), claims=(over(there, module),))
    damage = [
        LostRecord(
            distribution="alpha", conda_package=alpha, evidence=("history",), source=Source()
        )
    ]
    files, supply = {alpha: (module,)}, Supply("folder", "/pkgs/alpha")
    removals = {
        f"{SITE}/alpha-1.0.dist-info": tuple(f"{PREFIX}/{path}" for path in (module, compiled))
    }
    # Bytecode of something else has to go.
    for other, taken in (({}, []), ({alpha: (module,)}, [(f"{PREFIX}/{compiled}",)])):
        means = Means({alpha: supply}, removals, files=files, over=other)
        planned = plan_repair(inspection, damage, wants(inspection, damage, files, other), means)
        assert [step.paths for step in planned.steps if isinstance(step, TakeOut)] == taken


# Files that have no end, or that nobody writes to.


@pytest.mark.parametrize("kind", ["pipe", "zeros"])
def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path, kind: str) -> None:
    info = tmp_path / "site" / "x-1.0.dist-info"
    info.mkdir(parents=True)
    paths = [info / "RECORD", info / "METADATA", info / "entry_points.txt", tmp_path / "tool"]
    for path in paths:
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
    one = Distribution("x", "1.0", str(info))
    assert why_unlisted(one) == "its RECORD cannot be read"
    assert (declared_files(one), script_paths(one, interpreter(tmp_path))) == ((), ())
    [found] = read_distributions([str(info.parent)], [], str(tmp_path), "")
    assert found.broken == "METADATA cannot be read: it is not a regular file"
    assert start_of(str(paths[3])) == b""
    assert read_object(str(paths[3])) == {}
    for use in (sha256_of, partial(forget, paths=["/x"])):
        with pytest.raises(ValueError, match="it is not a regular file"):
            use(str(paths[0]))


# What is written by anybody.


@pytest.mark.parametrize("path", ["lib/a\0b", "lib/\ud800"])
def test_a_path_that_no_file_system_takes_makes_a_record_unreadable(
    tmp_path: Path, path: str
) -> None:
    facts = {"name": "x", "version": "1", "build": "0", "depends": []}
    rows = {"paths": [{"_path": path, "sha256": "0"}]}
    lay(
        tmp_path,
        {
            "conda-meta/x-1-0.json": json.dumps({**facts, "files": [path]}),
            "conda-meta/y-1-0.json": json.dumps(
                {**facts, "files": ["a"], "paths_data": rows, "size": 10**400}
            ),
            "conda-meta/z-1-0.json": json.dumps({**facts, "files": ["a"], "size": 10**400}),
            "bin/tool": "#!/else/a\0b/python3\n",
            "pkgs/info/paths.json": json.dumps(rows),
        },
    )
    records, [error] = read_whole_records(str(tmp_path))
    assert "at `files`" in str(error)
    with pytest.raises(UnreadableRecord, match=r"at `paths_data\.paths`"):
        read_details(str(tmp_path), records[0])
    assert read_details(str(tmp_path), records[1]).size_bytes == 0
    place = Place(str(tmp_path), "lib", "bin/python3")
    assert rows_of(str(tmp_path / "pkgs"), place) == {}
    around = read_surroundings(str(tmp_path), interpreter(tmp_path), {}, "/")
    assert around.scripts == ()


def test_a_row_whose_file_is_a_link_is_not_installed(tmp_path: Path) -> None:
    lay(tmp_path, {"else": "x", "pkg/lib/file": "x"})
    row = Row(str(tmp_path / "pkg" / "lib" / "file"), sha256=sha256_of(str(tmp_path / "else")))
    place = Place(str(tmp_path), "lib", "bin/python3")
    assert make(row, place, "").source == row.source
    Path(row.source).unlink()
    Path(row.source).symlink_to(tmp_path / "else")
    with pytest.raises(Unproven, match="is-link"):
        make(row, place, "")


def test_a_cache_that_anybody_may_write_to_is_not_believed(tmp_path: Path) -> None:
    prefix = tmp_path / "a" / "env"
    prefix.mkdir(parents=True)
    cache = tmp_path / "pkgs"
    cache.mkdir(mode=0o755)
    assert str(cache) in cache_folders(str(prefix), {}, ())
    cache.chmod(0o777)
    assert str(cache) not in cache_folders(str(prefix), {"CONDA_PKGS_DIRS": str(cache)}, ())
    assert not is_trusted(str(cache) + "\0", str(prefix))


def test_a_working_folder_that_was_deleted_holds_no_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert working_folder() == "/"


# Symbolic links.


@pytest.mark.parametrize("shape", ["cache", "target", "name", "none"])
def test_a_link_is_one_and_leads_where_it_did(tmp_path: Path, shape: str) -> None:
    lay(tmp_path / "env", {"lib/x.so.1": "x", "lib/y.so": "y"})
    lay(tmp_path / "pkg", {"lib/x.so.1": "x"})
    link = tmp_path / "env" / "lib" / "x.so"
    source = tmp_path / "pkg" / "lib" / "x.so"
    link.symlink_to("x.so.1")
    source.symlink_to("x.so.1")
    hashes = {
        "target": (sha256_of(str(source)),),
        "name": (sha256_of(str(source)), hashlib.sha256(b"x.so.1").hexdigest()),
    }
    linked = Linked(
        str(source) if shape == "cache" else "", hashes.get(shape, ()), is_of_prefix=shape == "name"
    )
    record = conda("x==1.0", files=["lib/x.so"]).record
    assert record is not None
    details = {record.dist: Details(links={"lib/x.so": linked})}

    def found() -> tuple[bool, bool, bool]:
        told = check_files(str(tmp_path / "env"), [record], details, lambda *_: None)
        return "lib/x.so" in told.altered, "lib/x.so" in told.missing, "lib/x.so" in told.unread

    assert found() == (False, False, False)
    proves = shape in ("cache", "name")
    relink(link, "y.so")
    assert found() == (proves, False, False)
    relink(link, "nowhere")
    assert found() == (proves, False, not proves)
    link.unlink()
    assert found() == (False, True, False)
    link.write_text("other")
    assert found() == (True, False, False)
    link.unlink()
    link.mkdir()
    assert found() == (True, False, False)


def relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def test_of_a_link_that_two_packages_have_or_that_was_copied_nothing_is_said(
    tmp_path: Path,
) -> None:
    lay(tmp_path, {"env/lib/copy": "x", "env/lib64/x": "", "pkg/lib/some": ""})
    (tmp_path / "pkg" / "lib" / "copy").symlink_to("/usr/lib/copy")  # conda copies its end
    (tmp_path / "pkg" / "lib64").symlink_to("lib")
    one = conda("x==1.0", files=["lib/copy", "lib64"]).record
    two = conda("y==1.0", files=["lib64/x"]).record
    assert one is not None
    assert two is not None
    links = {path: Linked(f"{tmp_path}/pkg/{path}") for path in one.files if "-info" not in path}
    details = {one.dist: Details(links=links), two.dist: Details()}
    told = check_files(str(tmp_path / "env"), [one, two], details, lambda *_: None)
    assert set(told.altered) | {*told.unread} == set()


# What the user allowed.


@pytest.mark.parametrize(
    ("arguments", "record", "allowed", "change"),
    [
        (("install", "--allow", "x,Num_Py", "numpy"), File(0o644, 9, 1), True, "2026-01-01-1"),
        (("install", "--allow=numpy", "numpy"), File(0o644, 9, 1), True, "2026-01-01-1"),
        (("install", "numpy"), File(0o644, 9, 1), False, "2026-01-01-1"),
        (("install", "--allow", "scipy", "numpy"), File(0o644, 9, 1), False, "2026-01-01-1"),
        (("install", "--allow", "numpy", "numpy"), File(0o644, 9, 2), False, ""),  # again, by pip
    ],
)
def test_allowed_is_what_allow_named_and_nobody_has_done_since(
    arguments: tuple[str, ...], record: File, *, allowed: bool, change: str
) -> None:
    package = pip("numpy==2.0")
    came = replace(over(package), record_state=record)
    path = f"{LIBRARY}/numpy-2.0.dist-info/RECORD"
    entry = Entry(
        id="2026-01-01-1",
        stage="done",
        verb="install",
        arguments=arguments,
        began="",
        safepip="",
        pip="",
        steps=(Step("numpy", "upgrade", "1.26.4", "2.0", "pip"),),
        touched={path: Touched(Absent(), File(0o644, 9, 1))},
    )
    inspection = Inspection(environment=environment(package), entries=(entry,))
    found = origin_of(came, inspection, ("numpy", "num-py"))
    assert (found.was_allowed, found.source.change) == (allowed, change)


# What is cleared away, and by the way.


def test_a_link_to_a_folder_is_a_file_of_what_is_discarded(tmp_path: Path) -> None:
    lay(tmp_path, {"else/x": "", "~ich/sub/y": ""})
    (tmp_path / "~ich" / "link").symlink_to(tmp_path / "else")
    files, folders = all_in(str(tmp_path / "~ich"))
    assert sorted(files) == [f"{tmp_path}/~ich/link", f"{tmp_path}/~ich/sub/y"]
    assert folders == [f"{tmp_path}/~ich", f"{tmp_path}/~ich/sub"]


def test_what_a_killed_repair_had_unpacked_is_swept(tmp_path: Path) -> None:
    lay(
        tmp_path, {"conda-meta/.safepip-unpacked-x/0/info/index.json": "", "conda-meta/history": ""}
    )
    with unpacked(str(tmp_path), [], {}) as (folders, why):
        assert (folders, why) == ({}, {})
        [mine] = (tmp_path / "conda-meta").glob(".safepip-unpacked-*")
        assert list(mine.iterdir()) == []
    assert os.listdir(tmp_path / "conda-meta") == ["history"]


# What goes with what pip had put there.


def test_what_the_repair_breaks_is_said_before_and_counted_afterwards() -> None:
    numpy, path = conda("numpy==1.26.4", modules=["numpy/core.py"]), f"{LIBRARY}/numpy/core.py"
    came, user = pip("numpy==2.0"), pip("user==1.0", "numpy>=2")
    env = environment(numpy, came, user)
    gone = tuple(d for d in env.distributions if d.version != "1.26.4")
    env = replace(env, distributions=gone)
    inspection = Inspection(environment=env, claims=(over(came, path),))
    damage = [replaced(numpy, path)]
    wanted = wants(inspection, damage, {})
    supplies = {dist: Supply("folder", "/pkgs") for dist in wanted.put_back}
    planned = plan_repair(inspection, damage, wanted, Means(supplies))
    [broken] = planned.breaks
    assert (broken.distribution, broken.requirement, broken.after) == ("user", "numpy>=2", "1.26.4")
    text = "".join(
        line.text for line in repair_lines(planned, env, done="", where="env", width=200)
    )
    assert "numpy 2.0 -> 1.26.4 would break user 1.0, which requires numpy>=2" in text
    after = Lacks(distribution="user", version="1.0", requirement="numpy>=2", found="1.26.4")
    [left] = left_after(planned, damage, [after], damage)
    assert left.finding == after
    assert left_after(planned, damage, [after], [*damage, after]) == ()
