"""Whatever is done: `doctor` says just that, `--fix` mends it, and `undo` takes that back.

The environments are small and made here, with a cache of unpacked packages and without a Python, so
that hundreds can be damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from safepip.decisions.wording.diagnosis import diagnosis_lines
from safepip.decisions.wording.doctor_as_json import as_json_diagnosis, repair_as_json
from safepip.decisions.wording.repairs import repair_lines, unfixed_lines
from safepip.recipes.doctor import Diagnosis, examine
from safepip.recipes.repair import Asking, repair
from safepip.recipes.undo import undo
from safepip.values.findings import Finding
from safepip.values.request import Policy
from safepip.values.target import Target
from tests.lab import everything
from tests.lab.ledger import Ledger
from tests.wild import SECRET, WILD

SITE = "lib/python3.11/site-packages"
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "python-3.11.7-h0": {"bin/python3.11": "no program\n", "lib/python3.11/os.py": "import sys\n"},
    "alpha-1.0-py_0": {
        f"{SITE}/alpha/__init__.py": "A = 1\n",
        f"{SITE}/alpha/more.py": "B = 2\n",
        f"{SITE}/alpha-1.0.dist-info/METADATA": "Name: alpha\nVersion: 1.0\n",
        f"{SITE}/alpha-1.0.dist-info/RECORD": "",
        "bin/alpha": "#!/bin/sh\n",
    },
    "beta-2.0-h1": {"lib/libbeta.so": "beta\0", "share/beta": "text\n", "bin/tool": "tool\n"},
}
LINKS: Mapping[str, Mapping[str, str]] = {"beta-2.0-h1": {"lib/libbeta.so.1": "libbeta.so"}}
"""Links that packages have besides, and where they lead."""
LINKED = {path: target for links in LINKS.values() for path, target in links.items()}
OWNED = {path: text for files in PACKAGES.values() for path, text in files.items()}
ALTERED = ("replaced.altered", "two-copies.altered", "overwritten.paths", "altered.paths")
GONE = ("replaced.missing", "two-copies.missing", "missing.paths")
NOT_READ_AGAIN = {"SAFEPIP_UNDO_CHANGES": "a setting that is an error"}
"""What is set is in the policy of a command, and read once: no error comes after what was done."""
PATHS = st.sampled_from(sorted({*OWNED, *LINKED}))
NAMES = st.sampled_from(["alpha", "gamma", "delta"])


@dataclass(frozen=True)
class Came:
    """A distribution that pip brought: it writes and claims these paths."""

    name: str
    version: str
    paths: tuple[str, ...]
    claims: tuple[str, ...]
    """Further rows of its RECORD, which lead where they like."""
    is_egg: bool = False
    """It has no list of its files."""
    lacks: str = ""
    """A file of its metadata that is gone again."""
    is_gone: bool = False
    """All of its metadata is gone again."""


HOSTILE = (
    *("../../../../outside", "../../../conda-meta/history", "../../../conda-meta", "..", "."),
    *("/", "", "../../../bin", "../../../lib/libbeta.so/x", "x" * 140_000, '"', "a\0b", "~lpha"),
)


FURTHER = st.sampled_from(
    ["share/further", "../outside", "../elsewhere/new", "/outside", "bin/../share/x", "lib", "."]
)
"""What a record may name: what is not there, and what leads out."""


@dataclass
class Done:
    """What was done to an environment."""

    altered: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    came: list[Came] = field(default_factory=list)
    piped: set[str] = field(default_factory=set)
    """Paths of conda's at which a pipe lies, to which nobody writes."""
    added: tuple[str, ...] | None = None
    """The files of a further record, of a package that is in no cache."""
    strange: list[tuple[str, bytes]] = field(default_factory=list)
    """Files that are nobody's, by path."""
    lost: str = ""
    """NAME-VERSION-BUILD of a record that is gone."""
    unreadable: str = ""
    """The same of one that is cut off."""
    blocked: str = ""
    """A path of conda's at which a folder lies, with a file in it."""
    linked: str = ""
    """A folder with files of conda's that is a link out of the environment."""

    @property
    def known(self) -> set[str]:
        """The paths that a record still tells of."""
        gone = (self.lost, self.unreadable)
        there = [dist for dist in PACKAGES if dist not in gone]
        known = {p for dist in there for p in (*PACKAGES[dist], *LINKS.get(dist, ()))}
        return known.union(self.added or ())

    @property
    def is_simple(self) -> bool:
        """Whether all that it takes to have it as it was is there, and nothing in the way."""
        odd = [
            came for came in self.came if came.claims or came.is_egg or came.lacks or came.is_gone
        ]
        return not (odd or self.piped or self.blocked or self.linked or self.strange or self.added)


@st.composite
def deeds(draw: st.DrawFn) -> Done:
    done = Done(draw(st.sets(PATHS, max_size=3)), draw(st.sets(PATHS, max_size=3)))
    for name in draw(st.lists(NAMES, max_size=2, unique=True)):
        paths = draw(st.sets(PATHS, max_size=3) | st.just(set()))
        mine = {f"{SITE}/{name}_own.py"}
        claims = draw(st.lists(st.sampled_from(HOSTILE), max_size=2))
        version = draw(st.sampled_from(["1.0", "3.0"]))
        is_egg = draw(st.sampled_from([False, False, True]))
        lacks = draw(st.sampled_from(["", "", "METADATA", "RECORD", "INSTALLER"]))
        is_gone = draw(st.sampled_from([False, False, False, True]))
        came = Came(name, version, (*paths, *mine), tuple(claims), is_egg, lacks, is_gone)
        done.came.append(came)
    done.piped = draw(st.sets(st.sampled_from(sorted(OWNED)), max_size=1))
    done.added = draw(st.none() | st.none() | st.sets(FURTHER, max_size=3).map(tuple))
    done.lost = draw(st.sampled_from(["", "", "alpha-1.0-py_0", "beta-2.0-h1"]))
    done.unreadable = draw(st.sampled_from(["", "", "", *PACKAGES]))
    done.blocked = draw(st.sampled_from(["", "", ""]) | PATHS)
    done.linked = draw(st.sampled_from(["", "", "", f"{SITE}/alpha", "share", "bin"]))
    places = st.sampled_from(
        [
            *(f"{SITE}/~lpha", f"{SITE}/epsilon-1.dist-info/METADATA", "bin/script"),
            *(f"{SITE}/zeta-1.0.dist-info/RECORD", "conda-meta/odd-1-0.json", "conda-meta/pinned"),
            *("conda-meta/history", "share/jupyter/kernels/k/kernel.json", f"{SITE}/eta.egg-info"),
        ]
    )
    wild = st.binary(max_size=60) | WILD.map(lambda text: text.encode("utf-8", "surrogatepass"))
    done.strange += draw(st.lists(st.tuples(places, wild), max_size=2))
    return done


class Small:
    """A small environment, and a cache of packages beside it."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder.resolve() / "env"
        self.cache = folder.resolve() / "pkgs"
        for dist, files in PACKAGES.items():
            self._link(dist, files)
        told = "".join(f"+file:///nowhere/noarch::{dist}\n" for dist in PACKAGES)
        write(self.prefix / "conda-meta" / "history", f"==> 2026-01-01 00:00:00 <==\n{told}")
        write(self.prefix.parent / "outside", "not the environment's\n")
        self.elsewhere = self.prefix.parent / "elsewhere"
        self.elsewhere.mkdir()

    def _link(self, dist: str, files: Mapping[str, str]) -> None:
        rows = [
            {"_path": path, "path_type": "hardlink", "sha256": sha256(text)}
            for path, text in files.items()
        ]
        links = LINKS.get(dist, {})
        rows += [{"_path": path, "path_type": "softlink"} for path in links]
        name, version, build = dist.rsplit("-", 2)
        depends = ["alpha", "beta"] if name == "python" else []  # so that each is missed
        index = {"name": name, "version": version, "build": build, "depends": depends}
        paths = {"paths": rows, "paths_version": 1}
        unpacked = self.cache / dist
        write(unpacked / "info" / "index.json", json.dumps(index))
        write(unpacked / "info" / "paths.json", json.dumps(paths))
        for path, text in files.items():
            write(unpacked / path, text)
            write(self.prefix / path, text)
        for path, target in links.items():
            for place in (unpacked, self.prefix):
                (place / path).symlink_to(target)
        record = {
            **index,
            "files": [*files, *links],
            "paths_data": paths,
            "extracted_package_dir": str(unpacked),
        }
        write(self.prefix / "conda-meta" / f"{dist}.json", json.dumps(record, indent=2))

    @property
    def target(self) -> Target:
        python = str(self.prefix / "bin" / "python3.11")
        return Target(str(self.prefix), python, is_conda=True, chosen_by="--env")

    def suffer(self, done: Done) -> None:
        self._lose_files(done)
        self._lose_records(done)
        if done.blocked:
            (self.prefix / done.blocked).unlink(missing_ok=True)
            write(self.prefix / done.blocked / "inside", "somebody's\n")
        for path, data in done.strange:
            place = self.prefix / path
            if not place.is_dir():
                write(place, data)
        if done.linked:
            shutil.rmtree(self.prefix / done.linked, ignore_errors=True)
            (self.prefix / done.linked).symlink_to(self.prefix.parent / "elsewhere")

    def _lose_files(self, done: Done) -> None:
        for path in done.altered:
            write(self.prefix / path, f"{OWNED.get(path, '')}altered\n")
        for came in done.came:
            self._bring(came)
        for path in done.deleted:
            (self.prefix / path).unlink(missing_ok=True)
        for path in done.piped - done.deleted:
            write(self.prefix / path, "")
            (self.prefix / path).unlink()
            os.mkfifo(self.prefix / path)

    def _lose_records(self, done: Done) -> None:
        if done.added is not None:
            facts = {"name": "further", "version": "1.0", "build": "0", "depends": []}
            text = json.dumps({**facts, "files": list(done.added)})
            write(self.prefix / "conda-meta" / "further-1.0-0.json", text)
        if done.lost:
            (self.prefix / "conda-meta" / f"{done.lost}.json").unlink()
        if done.unreadable and done.unreadable != done.lost:
            write(self.prefix / "conda-meta" / f"{done.unreadable}.json", '{"name": "')

    def _bring(self, came: Came) -> None:
        info = f"{SITE}/{came.name}-{came.version}.{'egg' if came.is_egg else 'dist'}-info"
        metadata = f"Name: {came.name}\nVersion: {came.version}\n"
        main = "PKG-INFO" if came.is_egg else "METADATA"
        own = {f"{info}/{main}": metadata, f"{info}/INSTALLER": "pip\n"}
        own.update(dict.fromkeys(came.paths, f"by {came.name} {came.version}\n"))
        for path, text in own.items():
            write(self.prefix / path, text)
        rows = "".join(f"../../../{path},,\n" for path in (*own, f"{info}/RECORD"))
        rows += "".join(f"{claim},,\n" for claim in came.claims)
        if not came.is_egg:
            write(self.prefix / info / "RECORD", rows)
        if came.lacks:
            (self.prefix / info / came.lacks).unlink(missing_ok=True)
        if came.is_gone:
            shutil.rmtree(self.prefix / info)

    def examine(self) -> Diagnosis:
        return examine(self.target, {}, "/", silent)

    def contents(self) -> Ledger:
        found = everything(self.prefix, bytecode=True)
        return {path: s for path, s in found.items() if not path.startswith("conda-meta/safepip/")}

    def hurt(self, done: Done) -> tuple[set[str], set[str]]:
        """What a plain look finds altered, and gone, of what has a record."""
        altered, gone = set(), set()
        for path in done.known:
            place = self.prefix / path
            if not os.path.lexists(place):
                gone.add(path)
            elif path in (done.added or ()):
                continue  # of which nobody knows what it should be
            elif path in LINKED:
                if not place.is_symlink() or os.readlink(place) != LINKED[path]:
                    altered.add(path)
            elif not place.is_file() or place.read_bytes() != OWNED[path].encode():
                altered.add(path)
        return altered, gone


def silent(*_: object) -> None:
    """Hear how far it is, or what is asked, and go on."""


def write(path: Path, data: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def told(findings: Iterable[Finding], *kinds: str) -> set[str]:
    """The paths that findings of a kind tell of."""
    found: set[str] = set()
    for finding in findings:
        for kind in kinds:
            known = kind.partition(".")
            if finding.kind == known[0]:
                found.update(getattr(finding, known[2]))
    return found


@settings(max_examples=40)
@given(done=deeds())
def test_what_was_done_is_what_is_told(done: Done) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = Small(Path(folder))
        small.suffer(done)
        altered, gone = small.hurt(done)
        before = small.contents()
        found = small.examine()
        assert small.contents() == before
        assert told(found.findings, *ALTERED) == altered
        assert told(found.findings, *GONE) == gone
        claims = {(came.name, path) for came in done.came for path in came.paths}
        for finding in found.findings:
            if finding.kind == "overwritten":
                claimed = {path for name, path in claims if name == finding.distribution}
                assert told([finding], "overwritten.paths") <= claimed | _of_info(done, finding)
        if done.unreadable and done.unreadable != done.lost:
            assert told(found.findings, "unreadable-record.conda_package")
        elif not (altered or gone or done.came or done.strange or done.lost):
            assert [finding.kind for finding in found.findings] == ["no-python"]
        said_of(found)


def _of_info(done: Done, finding: Finding) -> set[str]:
    """The metadata that a distribution writes itself, where conda has files of the same names."""
    names = {f"{came.name}-{came.version}" for came in done.came}
    return {path for path in OWNED if any(f"/{name}.dist-info/" in path for name in names)}


def said_of(found: Diagnosis) -> None:
    """Everything that can be said of it can be shown."""
    lines = diagnosis_lines(found.inspection, found.findings, (), width=80)
    text = "".join(line.text for line in lines)
    assert text.isprintable()
    assert f"ada:{SECRET}" not in text
    target = Target("/x", "", is_conda=True, chosen_by="")
    answer: dict[str, Any] = as_json_diagnosis(
        found.inspection, found.findings, (), target=target, seconds={}
    )
    assert json.loads(json.dumps(answer))["findings"] == answer["findings"]


@settings(max_examples=30)
@given(done=deeds())
@example(done=Done(lost="alpha-1.0-py_0", blocked=f"{SITE}/alpha-1.0.dist-info/METADATA"))
@example(done=Done(piped={"bin/alpha"}, deleted={"bin/tool"}))
def test_what_is_mended_is_whole_and_an_undo_brings_the_damage_back(done: Done) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = Small(Path(folder))
        small.suffer(done)
        before = small.contents()
        asking = Asking(NOT_READ_AGAIN, "/", silent, silent, silent)
        mended = repair(small.target, (), asking, Policy())
        if mended.entry is None:
            assert small.contents() == before
            assert not mended.repair.steps
            return
        assert mended.after is not None
        if done.is_simple:  # all that has to be there is in the cache
            assert small.hurt(replace(done, lost="", unreadable="")) == (set(), set())
            damage = [f for f in mended.after.findings if f.severity == "damage"]
            assert {finding.kind for finding in damage} <= {"no-python"}
        assert (small.prefix.parent / "outside").is_file()
        assert os.listdir(small.elsewhere) == []
        assert small.contents()["conda-meta/history"] == before["conda-meta/history"]
        left_alone = {getattr(one.finding, "conda_package", "") for one in mended.repair.unfixed}
        for finding in mended.after.findings:
            if finding.kind in ("altered", "missing", "overwritten", "replaced", "two-copies"):
                assert getattr(finding, "conda_package", "") in left_alone
        said_of(mended.after)
        environment = mended.before.inspection.environment
        steps = repair_lines(mended.repair, environment, done="", where="x", width=80)
        left = unfixed_lines(mended.repair.unfixed, environment, width=80)
        assert "".join(line.text for line in (*steps, *left)).isprintable()
        assert json.dumps(repair_as_json(mended.repair))
        undo(
            small.target,
            mended.entry.id,
            environ=NOT_READ_AGAIN,
            agree=silent,
            tell=silent,
            policy=Policy(),
        )
        assert small.contents() == before
        shutil.rmtree(small.cache)
        assert told(small.examine().findings, *ALTERED) == small.hurt(done)[0]
