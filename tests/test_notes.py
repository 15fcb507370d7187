"""The words of each kind of note."""

from __future__ import annotations

import pytest

from safepip.values.findings import (
    AlreadyDamaged,
    Base,
    Breaks,
    Builds,
    CondaOwned,
    Finding,
    NoMetadata,
    Pinned,
    Pixi,
    RuntimeTwice,
    SameFiles,
    Shadows,
    Unmet,
)
from tests.build import artifact, plan
from tests.saying import LAB, blocked, clear, expected, said

NUMPY = LAB.records[0].dist


@pytest.mark.parametrize(
    ("notes", "lines"),
    [
        (
            [
                CondaOwned(
                    severity="note",
                    distribution="numpy",
                    action="upgrade",
                    installed="1.26.4",
                    planned="2.4.1",
                    conda_package="numpy-1.26.4-0",
                    dependents=("scipy 1.11.4 (numpy >=1.26,<2)", "blas 1.0 (numpy)"),
                )
            ],
            """
            note[conda-owned]: conda's numpy 1.26.4 gives way to 2.4.1, and conda goes on to
              list 1.26.4; conda's scipy 1.11.4 then lacks what it needs
            """,
        ),
        (
            [Pixi()],
            """
            note[pixi]: pixi owns this environment and takes back what it did not install
              itself
              pixi add --pypi a
            """,
        ),
        (
            [Base()],
            """
            note[base]: this is conda's own environment; a new one is safer
              conda create -n work python=3.11 pip
            """,
        ),
        (
            [
                Builds(distribution="docopt", source="sdist", url="u"),
                Builds(distribution="future", source="sdist", url="u"),
            ],
            """
            note[builds]: built on this machine, by code that ran before this verdict:
              docopt, future
            """,
        ),
        (
            [NoMetadata(distribution="rich", installed="13", path="p", reason="it has no RECORD")],
            """
            note[no-metadata]: pip cannot uninstall rich 13: it has no RECORD
            """,
        ),
        (
            [
                RuntimeTwice(
                    distribution="a", runtime="OpenMP", bundled="libgomp.so", conda_package="omp"
                )
            ],
            """
            note[runtime-twice]: a 1 brings its own OpenMP, and conda's omp has one, too
            """,
        ),
        (
            [AlreadyDamaged(what=("~umpy is left over", "b", "c")), AlreadyDamaged(what=("d",))],
            """
            note[already-damaged]: damaged before this command: ~umpy is left over, b, c,
              ... 1 more
            """,
        ),
        (
            [
                SameFiles(
                    severity="note",
                    distribution="a",
                    conda_package=NUMPY,
                    paths=("t/x", "t/y", "t/z"),
                    reason="stray",
                )
            ],
            """
            note[same-files]: a leaves files of conda's numpy 1.26.4 as they are: t/x, t/y,
              ... 1 more
            """,
        ),
        (
            [
                Shadows(severity="note", path="/home/u"),
                Shadows(
                    severity="note",
                    distribution="numpy",
                    version="2",
                    path="/home/u",
                    conda_package=NUMPY,
                ),
                Shadows(severity="note", distribution="six", version="1", path="/home/u"),
                Shadows(
                    severity="note",
                    distribution="enum34",
                    version="1",
                    path="/s/enum",
                    reason="stdlib",
                ),
            ],
            """
            note[shadows]: this goes to /home/u, beside the environment
            note[shadows]: numpy 2 is found in /home/u, and hides conda's numpy 1.26.4
            note[shadows]: six 1 is found in /home/u, not in the environment
            note[shadows]: enum34 1 brings /s/enum, named like a module of the standard
              library
            """,
        ),
        (
            [
                Unmet(
                    severity="note",
                    distribution="a",
                    requirement="opencv-python",
                    found=None,
                    provided_by=LAB.records[3].dist,
                ),
                *(
                    Unmet(severity="note", distribution="a", requirement=f"x{i}", found="1")
                    for i in range(6)
                ),
            ],
            """
            note[unmet]: a 1 requires opencv-python, which would be missing; conda's
              py-opencv 4.9.0 has the module
            note[unmet]: a 1 requires x0, and x0 1 would be there
            note[unmet]: a 1 requires x1, and x1 1 would be there
            note[unmet]: a 1 requires x2, and x2 1 would be there
            note[unmet]: a 1 requires x3, and x3 1 would be there
            note[unmet]: 2 more like these
            """,
        ),
        (
            [
                Breaks(
                    severity="note",
                    distribution="textual",
                    requirement="rich<14",
                    changed="rich",
                    before="13",
                    after=None,
                ),
                Pinned(severity="note", distribution="a", pin="a 0", planned="1"),
            ],
            """
            note[breaks]: removing rich 13 would break textual 0.40, which requires rich<14
            note[pinned]: a 1 contradicts the pin `a 0` of this environment
            """,
        ),
    ],
)
def test_notes_are_short(notes: list[Finding], lines: str) -> None:
    head = "safepip: clear. 1 new package, nothing from conda is touched (lab)\n"
    assert said(clear(artifact("a==1"), notes=tuple(notes))) == head + expected(lines)


def test_a_refusal_has_its_notes_too() -> None:
    wanted = plan(LAB, artifact("protobuf==6", source="sdist"))
    lines = said(blocked(wanted, "install", "-U", "protobuf"), width=100).splitlines()
    assert lines[-2:] == [
        "note[builds]: built on this machine, by code that ran before this verdict: protobuf",
        "Nothing was installed.",
    ]
