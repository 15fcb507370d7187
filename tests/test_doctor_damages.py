"""What pip and uv do to a conda environment, one by one: what `doctor` says of it, and mends.

The letters are those of the experiments that the project began with. Each has a package of its own,
so that one environment suffers all of them at once, is looked at once and mended once.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.doctoring import Finding, Patient, damage_of, patient
from tests.lab import PIPS, Ledger, changed, download, fake, from_wheel, make_wheel
from tests.lab.conversion import SITE_PACKAGES as SITE

UV = "uv==0.13.8"


def modules(name: str, version: str, more: str) -> dict[str, str | bytes]:
    """A package of which each version has a file that the other has not."""
    same = {f"{name}/part{n}.py": f"VALUE = {n}\n" for n in range(3)}
    return {**same, f"{name}/__init__.py": f"__version__ = '{version}'\n", f"{name}/{more}.py": ""}


def older(name: str, **more: Any) -> Any:
    return make_wheel(name, "1.0", modules(name, "1.0", "gone"), **more)


def newer(name: str, **more: Any) -> Any:
    return make_wheel(name, "2.0", modules(name, "2.0", "new"), **more)


RECIPES = (
    from_wheel(older("pkga")),
    from_wheel(make_wheel("usera", "1.0", requires=["pkga<2"]), depends=["pkga >=1,<2"]),
    from_wheel(older("pkgb")),
    from_wheel(older("pkgc"), info="minimal"),
    from_wheel(older("pkgc1"), info="minimal"),
    from_wheel(older("pkgc2"), info="no-record"),
    from_wheel(older("pkgd", scripts={"cmdd": "pkgd:main"})),
    from_wheel(older("pkgd1", scripts={"cmdd1": "pkgd1:main"})),
    fake("pkge", "3.0", {"bin/pkge": "#!/bin/sh\n", "bin/pkge-test": "#!/bin/sh\n"}),
    from_wheel(make_wheel("pkgf", "1.0", {"sharedf/a.py": "A = 1\n"}), info="egg-info"),
    fake("besidef", "1.0", {f"{SITE}/sharedf/b.py": "B = 1\n"}),
    from_wheel(older("pkgf2"), info="egg-info-file"),
    from_wheel(older("pkgf3"), info="no-record"),
    from_wheel(older("pkgf4"), info="no-record"),
    from_wheel(older("pkgg")),
    fake("pkgh", "3.0", {"lib/libpkgh.so.1": b"\0conda's\0"}),
    from_wheel(older("pkgu")),
)
WHEELS = (
    newer("pkga"),
    newer("pkgb"),
    make_wheel("pullerb", "1.0", requires=["pkgb>=2"]),
    make_wheel("pkgc-headless", "2.0", {"pkgc/__init__.py": "2\n", "pkgc/new.py": ""}),
    make_wheel("pkgc1-headless", "2.0", {"pkgc1/__init__.py": "2\n", "pkgc1/new.py": ""}),
    newer("pkgc2"),
    make_wheel("takerd", "1.0", scripts={"cmdd": "takerd:main"}),
    make_wheel("takerd1", "1.0", scripts={"cmdd1": "takerd1:main"}),
    make_wheel("pkge", "3.31", {"pkge/__init__.py": ""}, data_scripts={"pkge": "#!/bin/sh\n:\n"}),
    make_wheel("pkgf", "2.0", {"sharedf/a.py": "A = 2\n"}),
    newer("pkgf2"),
    newer("pkgf3"),
    newer("pkgf4"),
    make_wheel("spreadh", "1.0", {"spreadh.py": ""}, data_files={"lib/libpkgh.so.1": "other\n"}),
    newer("pkgu"),
)


@dataclass(frozen=True)
class Damage:
    """One experiment, and what is expected of it."""

    letter: str
    package: str
    """conda's, which it is done to."""
    said: tuple[tuple[str, str], ...]
    """The kinds of the findings about it, each with the distribution that is named."""
    steps: tuple[str, ...]
    """What `--fix` does about it."""
    left: tuple[str, ...] = ()
    """The kinds of what is found of it afterwards."""


_OUT_AND_BACK = ("take-out", "put-back")
_PUT_BACK = ("put-back",)
DAMAGES = (
    Damage("a", "pkga", (("replaced", "pkga"),), _OUT_AND_BACK),
    Damage("a, seen by what was built for it", "usera", (("depends", ""), ("unmet", "usera")), ()),
    Damage("b: came in with another", "pkgb", (("replaced", "pkgb"),), _OUT_AND_BACK),
    Damage(
        "c: another name, the same module",
        "pkgc",
        (("overwritten", "pkgc-headless"),),
        _OUT_AND_BACK,
    ),
    Damage("c': and uninstalled", "pkgc1", (("missing", ""),), _PUT_BACK),
    Damage("c'': refused by pip", "pkgc2", (), ()),
    Damage(
        "d: another's command",
        "pkgd",
        (("overwritten", "takerd"),),
        ("disown", "put-back"),
        ("shared-files",),
    ),
    Damage("d': and uninstalled", "pkgd1", (("missing", ""),), _PUT_BACK),
    Damage("e: a program of that name", "pkge", (("overwritten", "pkge"),), ("disown", "put-back")),
    Damage("f: an egg", "pkgf", (("replaced", "pkgf"),), _OUT_AND_BACK),
    Damage("f, whose folder others share", "besidef", (("missing", ""),), _PUT_BACK),
    Damage("f2: refused by pip", "pkgf2", (), ()),
    Damage("f3: refused by pip", "pkgf3", (), ()),
    Damage("f4: installed beside", "pkgf4", (("two-copies", "pkgf4"),), _OUT_AND_BACK),
    Damage("g: uninstalled", "pkgg", (("missing", "pkgg"),), _PUT_BACK),
    Damage("h: data of a wheel", "pkgh", (("overwritten", "spreadh"),), ("disown", "put-back")),
    Damage("i: pip by itself", "pip", (("replaced", "pip"),), _OUT_AND_BACK),
    Damage("u: by uv", "pkgu", (("replaced", "pkgu"),), _OUT_AND_BACK),
)


@dataclass(frozen=True)
class Course:
    """What became of the environment."""

    patient: Patient
    files: Mapping[str, list[str]]
    """Those of each conda package, without bytecode."""
    before: Ledger
    damaged: Ledger
    mended: Ledger
    said: dict[str, Any]
    done: dict[str, Any]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Let pip and uv do all of it, as users do; then look, and mend."""
    folder = tmp_path_factory.mktemp("damages")
    ill = patient(folder, *RECIPES)
    for wheel in (*WHEELS, download(f"pip=={PIPS[-1]}")):
        wheel.write(ill.links)
    before = ill.bytes()
    plain = ("--no-index", "--no-deps", "--find-links", ill.links)
    to = ("--python", ill.environment.python, "--offline", "--no-cache")
    ill.environment.run(program_of_uv(folder), "pip", "install", *to, *plain, "pkgu==2.0")
    others = ("pkgc-headless", "pkgc1-headless", "takerd", "takerd1", "pkge", "spreadh")
    ill.install("pkga==2.0", "pkgf==2.0", *others)
    ill.pip("install", "pullerb")
    ill.pip("uninstall", "-y", "pkgc1-headless", "takerd1", "pkgg")
    for refused in ("pkgc2==2.0", "pkgf2==2.0", "pkgf3==2.0"):
        assert ill.environment.pip("install", *plain, refused, check=False).returncode == 1
    ill.install("--ignore-installed", "pkgf4==2.0")
    ill.install("--upgrade", "pip")
    damaged = ill.bytes()
    said = ill.doctor()
    done = ill.doctor("--fix", "--yes")
    return Course(ill, _files(ill), before, damaged, ill.bytes(), said, done)


def program_of_uv(folder: Path) -> Path:
    """The program that its wheel brings."""
    with zipfile.ZipFile(BytesIO(download(UV).data)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/scripts/uv"))
        program = folder / "uv"
        program.write_bytes(wheel.read(name))
    program.chmod(0o755)
    return program


def _files(ill: Patient) -> Mapping[str, list[str]]:
    records = [json.loads(path.read_bytes()) for path in ill.environment.conda_meta.glob("*.json")]
    return {
        record["name"]: [path for path in record["files"] if not path.endswith(".pyc")]
        for record in records
    }


def about(damage: Damage, findings: list[Finding]) -> list[Finding]:
    """The findings on a package, or on the distribution of its name where no package is named."""
    named = [
        (f.get("conda_package", "").rsplit("-", 2)[0] or f["distribution"], f) for f in findings
    ]
    return [finding for name, finding in named if name == damage.package]


def test_each_damage_is_said_and_mended(course: Course) -> None:
    """One test of all, as tests of one environment may be run by several processes."""
    said = {each.letter: _said(course, each) for each in DAMAGES}
    assert said == {each.letter: sorted(each.said) for each in DAMAGES}
    steps = {each.letter: _steps(course, each) for each in DAMAGES}
    assert steps == {each.letter: each.steps for each in DAMAGES}
    found = course.done["findings"]
    left = {each.letter: tuple(f["kind"] for f in about(each, found)) for each in DAMAGES}
    assert left == {each.letter: each.left for each in DAMAGES}
    # To the byte: what is told of each, and what is there again.
    for each in DAMAGES:
        own = set(course.files[each.package])
        before, damaged, mended = (
            {path: state for path, state in ledger.items() if path in own}
            for ledger in (course.before, course.damaged, course.mended)
        )
        altered, missing = map(sorted, damage_of(before, damaged))
        assert (each.letter, _told(course, each)) == (each.letter, (altered, missing))
        assert (each.letter, changed(before, mended)) == (each.letter, {})
    _who_did_it_is_said_and_nothing_else_is_left(course)


def _said(course: Course, damage: Damage) -> list[tuple[str, str]]:
    findings = about(damage, course.said["findings"])
    return sorted((f["kind"], f["distribution"]) for f in findings)


def _steps(course: Course, damage: Damage) -> tuple[str, ...]:
    names = {damage.package, *(name for _, name in damage.said if name)}
    owners = [step.get("conda_package", "").rsplit("-", 2)[0] for step in course.done["steps"]]
    return tuple(
        step["step"]
        for owner, step in zip(owners, course.done["steps"], strict=True)
        if owner == damage.package or step.get("distribution") in names
    )


def _told(course: Course, damage: Damage) -> tuple[list[str], list[str]]:
    """The files of a package that findings tell of, altered and missing."""
    altered: set[str] = set()
    missing: set[str] = set()
    for finding in about(damage, course.said["findings"]):
        altered.update(finding.get("altered", ()))
        missing.update(finding.get("missing", ()))
        if finding["kind"] == "overwritten":
            altered.update(finding["paths"])
        if finding["kind"] == "missing":
            missing.update(finding["paths"])
    return sorted(altered), sorted(missing)


def _who_did_it_is_said_and_nothing_else_is_left(course: Course) -> None:
    sources = {f["distribution"]: f["source"] for f in course.said["findings"] if "source" in f}
    installers = {name: source["installer"] for name, source in sources.items()}
    assert installers == {**dict.fromkeys(installers, "pip"), "pkgu": "uv"}
    assert [sources[name]["requested"] for name in ("pkga", "pkgb")] == [True, False]
    # What pkgb came for does not have it any more, and that was said before.
    damage = [f for f in course.done["findings"] if f["severity"] == "damage"]
    assert [(f["kind"], f["distribution"]) for f in damage] == [("unmet", "pullerb")]
    assert [broken["requirement"] for broken in course.done["breaks"]] == ["pkgb>=2"]
