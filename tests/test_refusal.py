"""Whole messages of refusals, and the words of each kind."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from safepip.values.findings import (
    Base,
    Breaks,
    Finding,
    Frozen,
    NoMetadata,
    Pinned,
    SameFiles,
    SecondCopy,
    Shadows,
    Unmet,
)
from safepip.values.plan import Change, Plan
from safepip.values.universe import Chain, Conflict, Link
from safepip.values.verdict import Blocked, HeldBack, Outcome
from tests.build import artifact, conda, environment, plan, removal
from tests.saying import LAB, blocked, expected, said

OPENCV = artifact("opencv-python==4.13.0.90", "numpy>=2", modules=["cv2_new.py"])
NUMPY_2 = artifact("numpy==2.4.1", requested=False, needed_by=("opencv-python",))
PROTOBUF_6 = artifact("protobuf==6.33", requested=False)


def test_the_tree_of_a_refusal_shows_who_brings_what_harms() -> None:
    others = [artifact(f"other{i}==1", requested=False) for i in range(3)]
    wanted = plan(LAB, OPENCV, NUMPY_2, PROTOBUF_6, *others)
    fits = (HeldBack("opencv-python", "4.13.0.90", "4.11.0.86"),)
    outcome = blocked(wanted, "install", "opencv-python==4.13.0.90", kept=fits)
    assert said(outcome) == expected("""
        error[conda-owned]: this install would replace 2 packages that conda put here
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)

        safepip install opencv-python==4.13.0.90
        ├── + opencv-python 4.13.0.90  new
        │   └── ! numpy 1.26.4 -> 2.4.1  conda owns it
        │       └── needed by 1 conda package: scipy 1.11.4 (numpy >=1.26,<2)
        ├── ! protobuf 4.25.3 -> 6.33  conda owns it
        └── + 3 other changes

        why   pip would delete conda's files and write its own, and conda would still
              list numpy 1.26.4, protobuf 4.25.3

        fix   take the newest that fits conda's versions, opencv-python 4.11.0.86,
              though you ask for ==4.13.0.90:
                safepip install opencv-python==4.11.0.86
              or let conda change numpy first, if it can (unchecked):
                conda install -p /opt/conda/envs/lab "numpy>=2" && safepip install opencv-python==4.13.0.90
              or replace conda's numpy and protobuf on purpose; conda's scipy 1.11.4
              then lacks what it needs:
                safepip install --allow numpy,protobuf opencv-python==4.13.0.90

        Nothing was installed.
        """)  # noqa: E501 - commands are never wrapped
    assert said(outcome, width=40) == expected("""
        error[conda-owned]: this install would
          replace 2 packages that conda put here
          env  /opt/conda/envs/lab  (lab, Python
               3.11, 4 conda packages)

        safepip install opencv-python==4.13.0.90
        ├── + opencv-python 4.13.0.90  new
        │   └── ! numpy 1.26.4 -> 2.4.1  conda
        │       │   owns it
        │       └── needed by 1 conda package:
        │               scipy 1.11.4 (numpy
        │               >=1.26,<2)
        ├── ! protobuf 4.25.3 -> 6.33  conda
        │       owns it
        └── + 3 other changes

        why   pip would delete conda's files and
              write its own, and conda would
              still list numpy 1.26.4, protobuf
              4.25.3

        fix   take the newest that fits conda's
              versions, opencv-python 4.11.0.86,
              though you ask for ==4.13.0.90:
                safepip install opencv-python==4.11.0.86
              or let conda change numpy first,
              if it can (unchecked):
                conda install -p /opt/conda/envs/lab "numpy>=2" && safepip install opencv-python==4.13.0.90
              or replace conda's numpy and
              protobuf on purpose; conda's scipy
              1.11.4 then lacks what it needs:
                safepip install --allow numpy,protobuf opencv-python==4.13.0.90

        Nothing was installed.
        """)  # noqa: E501 - commands are never wrapped


def test_a_plan_that_is_refused_shows_its_whole_tree() -> None:
    wanted = plan(LAB, artifact("protobuf==6.33", "numpy"), artifact("a==1", requested=False))
    assert said(blocked(wanted, "install", "-U", "protobuf", verb="plan")) == expected("""
        error[conda-owned]: this install would replace conda's protobuf 4.25.3 with 6.33
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)

        safepip install -U protobuf
        ├── ! protobuf 4.25.3 -> 6.33  conda owns it
        ├── + a 1  new
        └── = already there: numpy 1.26.4 (conda)

        why   pip would delete conda's protobuf files and write its own, and conda would
              still list 4.25.3

        fix   let conda change protobuf, if it can (unchecked):
                conda update -p /opt/conda/envs/lab protobuf
              or replace conda's protobuf on purpose:
                safepip install --allow protobuf -U protobuf

        Nothing was changed.
        """)


def test_what_was_asked_for_needs_no_tree() -> None:
    wanted = plan(LAB, artifact("numpy==2.4.1"))
    assert said(blocked(wanted, "install", "-U", "numpy")) == expected("""
        error[conda-owned]: this install would replace conda's numpy 1.26.4 with 2.4.1
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
        why   pip would delete conda's numpy files and write its own, and conda would
              still list 1.26.4; it is needed by 1 conda package: scipy 1.11.4 (numpy
              >=1.26,<2)
        fix   let conda change numpy, if it can (unchecked):
                conda update -p /opt/conda/envs/lab numpy
              or replace conda's numpy on purpose; conda's scipy 1.11.4 then lacks what
              it needs:
                safepip install --allow numpy -U numpy
        Nothing was installed.
        """)


def test_a_reinstall_over_conda_s_build_is_refused_in_its_own_words() -> None:
    wanted = plan(LAB, artifact("protobuf==4.25.3"))
    assert said(blocked(wanted, "install", "--force-reinstall", "protobuf")) == expected("""
        error[conda-owned]: this install would write protobuf 4.25.3 again, over the
          conda package protobuf 4.25.3
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
        why   pip would delete conda's protobuf files and write its own, and conda would
              still list 4.25.3
        fix   leave what is installed as it is:
                safepip install protobuf
              or let conda reinstall protobuf:
                conda install -p /opt/conda/envs/lab --force-reinstall protobuf
              or replace conda's protobuf on purpose:
                safepip install --allow protobuf --force-reinstall protobuf
        Nothing was installed.
        """)


def test_conda_s_own_is_not_uninstalled() -> None:
    wanted = plan(LAB, removal("numpy"))
    assert said(blocked(wanted, "uninstall", "numpy")) == expected("""
        error[conda-owned]: numpy 1.26.4 was installed by conda, so pip cannot remove it
          cleanly
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
        why   conda would still list numpy 1.26.4; it is needed by 1 conda package:
              scipy 1.11.4 (numpy >=1.26,<2)
        fix   let conda remove numpy, and with it scipy, which needs it:
                conda remove -p /opt/conda/envs/lab numpy
              or remove conda's numpy on purpose:
                safepip uninstall --allow numpy numpy
        Nothing was removed.
        """)
    both = plan(LAB, removal("protobuf"), removal("numpy"))
    assert said(blocked(both, "uninstall", "protobuf", "numpy")) == expected("""
        error[conda-owned]: protobuf 4.25.3 and numpy 1.26.4 were installed by conda, so
          pip cannot remove them cleanly
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
        why   conda would still list protobuf 4.25.3
        fix   let conda remove protobuf and numpy, and with them scipy, which needs
              them:
                conda remove -p /opt/conda/envs/lab protobuf numpy
              or remove conda's protobuf and numpy on purpose:
                safepip uninstall --allow protobuf,numpy protobuf numpy
        Nothing was removed.
        """)


def test_what_would_lose_what_it_requires_is_named_with_its_owner() -> None:
    wanted = plan(LAB, removal("rich"))
    assert said(blocked(wanted, "uninstall", "rich")) == expected("""
        error[breaks]: removing rich 13.6 would break textual 0.40, which requires
          rich<14
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
        why   pip would do it all the same, and report it afterwards, if at all
        fix   remove textual with it:
                safepip uninstall rich textual
        Nothing was removed.
        """)


def test_the_same_files_are_listed_but_not_all() -> None:
    names = [f"cv2/{letter}.py" for letter in "abcdefg"]
    env = environment(conda("opencv==4.9.0", name="py-opencv", metadata="none", modules=names))
    wanted = plan(env, artifact("opencv-python-headless==4.11", modules=names))
    assert said(blocked(wanted, "install", "opencv-python-headless", env=env)) == expected("""
        error[same-files]: opencv-python-headless 4.11 would write over 7 files of the
          conda package py-opencv 4.9.0
          env  /opt/conda/envs/lab  (lab, Python 3.11, 1 conda package)
          lib/python3.11/site-packages/cv2/a.py
          lib/python3.11/site-packages/cv2/b.py
          lib/python3.11/site-packages/cv2/c.py
          lib/python3.11/site-packages/cv2/d.py
          lib/python3.11/site-packages/cv2/e.py
          ... 2 more
        why   both hold the same files, so removing either one later breaks the other
        fix   remove conda's py-opencv first, since both cannot be there:
                conda remove -p /opt/conda/envs/lab py-opencv && safepip install opencv-python-headless
              or replace conda's py-opencv on purpose:
                safepip install --allow py-opencv opencv-python-headless
        Nothing was installed.
        """)  # noqa: E501 - commands are never wrapped


def test_a_module_that_conda_has_already_need_not_be_installed() -> None:
    wanted = plan(LAB, artifact("opencv-python==4.13", modules=["cv2/__init__.py"]))
    assert said(blocked(wanted, "install", "opencv-python")) == expected("""
        error[same-files]: opencv-python 4.13 would write over 1 file of the conda
          package py-opencv 4.9.0
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
          lib/python3.11/site-packages/cv2/__init__.py
        why   conda's py-opencv 4.9.0 has cv2 already, so there may be nothing to
              install; of two packages with the same files, removing either one breaks
              the other
        fix   remove conda's py-opencv first, since both cannot be there:
                conda remove -p /opt/conda/envs/lab py-opencv && safepip install opencv-python
              or replace conda's py-opencv on purpose:
                safepip install --allow py-opencv opencv-python
        Nothing was installed.
        """)


def test_an_owner_s_words_are_repeated() -> None:
    env = environment(conda("six==1.16"), frozen="This env is managed by ops.\nAsk Ada.")
    assert said(blocked(Plan(()), "install", "rich", env=env)) == expected("""
        error[frozen]: this environment is marked read-only by its owner
          env  /opt/conda/envs/lab  (lab, Python 3.11, 1 conda package)
          This env is managed by ops.
          Ask Ada.
          /opt/conda/envs/lab/conda-meta/frozen
        fix   work in a copy of your own; what you ask for is judged there:
                conda create -n my-lab --clone /opt/conda/envs/lab && safepip install --env my-lab rich
              or if the environment is yours, change it all the same:
                safepip install --override-frozen rich
        Nothing was installed.
        """)  # noqa: E501 - commands are never wrapped


def test_further_refusals_are_told_but_not_all() -> None:
    wants = [artifact(f"x{i}==1", f"y{i}") for i in range(4)]
    cv2 = artifact("opencv-python==4.13", modules=["cv2/__init__.py"], requested=False)
    outcome = blocked(
        plan(LAB, artifact("numpy==2.4.1"), artifact("rich==14"), cv2, *wants), "install"
    )
    assert said(outcome) == expected("""
        error[conda-owned]: this install would replace conda's numpy 1.26.4 with 2.4.1
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)

        safepip install
        ├── ! numpy 1.26.4 -> 2.4.1  conda owns it
        │   └── needed by 1 conda package: scipy 1.11.4 (numpy >=1.26,<2)
        ├── ! rich 13.6 -> 14  breaks textual
        ├── ! x0 1  lacks y0
        ├── ! x1 1  lacks y1
        ├── ! x2 1  lacks y2
        ├── ! x3 1  lacks y3
        └── ! opencv-python 4.13  writes over files of conda's py-opencv 4.9.0

        also  opencv-python 4.13 would write over 1 file of the conda package py-opencv
              4.9.0
        also  rich 13.6 -> 14 would break textual 0.40, which requires rich<14
        also  x0 1 requires y0, which would be missing
        also  x1 1 requires y1, which would be missing
        also  x2 1 requires y2, which would be missing
              ... 2 more
        why   pip would delete conda's numpy files and write its own, and conda would
              still list 1.26.4

        fix   use a new environment, and leave this one as it is:
                conda create -n my-lab python=3.11 pip && safepip install --env my-lab

        Nothing was installed.
        """)


def test_what_breaks_is_not_told_twice() -> None:
    env = environment(conda("numpy==1.26.4"), conda("scipy==1.11", "numpy<2", depends=["numpy <2"]))
    wanted = plan(env, artifact("numpy==2.4.1"))
    lines = said(blocked(wanted, "install", "-U", "numpy", env=env))
    assert "also" not in lines


STRAY = Change("foo", "add", after="1.0", requested=True)


@pytest.mark.parametrize(
    ("finding", "code", "message_and_why"),
    [
        (
            SameFiles(distribution="foo", conda_package="numpy", paths=("a",), reason="scripts"),
            "same-files",
            """
            error[same-files]: foo 1.0 would replace 1 command of the conda package numpy
            a
            why both hold the same files, so removing either one later breaks the other
            """,
        ),
        (
            SameFiles(distribution="foo", conda_package="numpy", paths=("a",), reason="removal"),
            "same-files",
            """
            error[same-files]: replacing foo would delete 1 file of the conda package numpy
            a
            why conda would still count on these files
            """,
        ),
        (
            SameFiles(distribution="foo", conda_package="numpy", paths=("a",), reason="link"),
            "same-files",
            """
            error[same-files]: foo 1.0 would write through a linked folder into the conda package
            numpy
            a
            why conda would still count on these files
            """,
        ),
        (
            SecondCopy(distribution="foo", conda_package="py-foo-1-0", modules=("foo",)),
            "second-copy",
            """
            error[second-copy]: foo 1.0 would be a second copy of foo, which conda's py-foo-1-0 has
            why conda's copy has no metadata that pip can see, so there may be nothing to install;
            of two copies, one hides or overwrites the other
            """,
        ),
        (
            Shadows(distribution="foo", path="/home/u", conda_package="py-foo"),
            "shadows",
            """
            error[shadows]: foo 1.0 would go to /home/u, which Python searches before conda's py-foo
            why what lies there counts for every environment with Python 3.11
            """,
        ),
        (
            Shadows(distribution="foo", path="/home/u", reason="path"),
            "shadows",
            """
            error[shadows]: foo 1.0 would go to /home/u, which Python searches before all others
            why what lies there counts for every environment with Python 3.11
            """,
        ),
        (
            Unmet(distribution="foo", requirement="bar>=2", found="1.0"),
            "unmet",
            """
            error[unmet]: foo 1.0 requires bar>=2, and bar 1.0 would be there
            why pip would do it all the same, and report it afterwards, if at all
            """,
        ),
        (
            Breaks(
                distribution="gone", requirement="foo<1", changed="foo", before="0", after="1.0"
            ),
            "breaks",
            """
            error[breaks]: foo 0 -> 1.0 would break gone, which requires foo<1
            why pip would do it all the same, and report it afterwards, if at all
            """,
        ),
        (
            Pinned(distribution="foo", pin="foo 0.*", planned="1.0"),
            "pinned",
            """
            error[pinned]: foo 1.0 contradicts the pin `foo 0.*` of this environment
            why the pin stands in conda-meta/pinned, and conda keeps to it
            """,
        ),
        (
            Frozen(marker="externally-managed", path="/x/EXTERNALLY-MANAGED"),
            "frozen",
            """
            error[frozen]: this environment is marked as managed by something else than pip
            /x/EXTERNALLY-MANAGED
            """,
        ),
        (
            Frozen(marker="read-only", path="/x"),
            "frozen",
            """
            error[frozen]: this environment cannot be written
            /x
            """,
        ),
        (
            NoMetadata(
                severity="refuse", distribution="foo", installed="0", path="p", reason="no RECORD"
            ),
            "no-metadata",
            """
            error[no-metadata]: pip cannot uninstall foo 0: no RECORD
            why pip would fail when part of the plan is done
            """,
        ),
        (Base(severity="refuse"), "base", "error[base]: this install is refused"),
    ],
)
def test_each_kind_of_refusal_has_its_words(
    finding: Finding, code: str, message_and_why: str
) -> None:
    outcome = Outcome(10, Blocked(Plan((STRAY,)), (finding,)), LAB, arguments=("install", "foo"))
    lines = said(outcome, width=300).splitlines()
    env = "  env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)"
    assert lines[0].startswith(f"error[{code}]: ")
    assert (lines[1], lines[-1]) == (env, "Nothing was installed.")
    rest = " ".join(" ".join([lines[0], *lines[2:-1]]).split())
    assert rest == " ".join(message_and_why.split())


def test_a_refusal_without_its_reason_is_still_a_refusal() -> None:
    assert said(Outcome(10, Blocked(Plan(()), ()), LAB)) == expected("""
        error[blocked]: this install is refused
        Nothing was installed.
        """)


def test_other_sources_and_other_refusals_are_told_in_the_tree() -> None:
    steps = [
        artifact("vcs==1", source="vcs"),
        artifact("folder==1", source="directory"),
        artifact("edit==1", source="editable"),
        artifact("copy==1"),
        artifact("pinned==1"),
    ]
    findings = (
        SecondCopy(distribution="copy", conda_package=LAB.records[0].dist, modules=("copy",)),
        Pinned(distribution="pinned", pin="pinned 0", planned="1"),
    )
    outcome = Outcome(
        10, Blocked(plan(LAB, *steps), findings), LAB, "plan", ("install", "-r", "all.txt")
    )
    assert said(outcome).splitlines()[3:9] == [
        "safepip install -r all.txt",
        "├── + vcs 1  new, built from a repository",
        "├── + folder 1  new, built from a folder",
        "├── + edit 1  new, editable",
        "├── ! copy 1  conda's numpy 1.26.4 has it",
        "└── ! pinned 1  pinned",
    ]


def test_the_way_from_the_request_to_who_holds_it_is_told() -> None:
    wanted = plan(
        LAB,
        artifact("opencv-python==4.13"),
        artifact("numpy==2.4.1", requested=False, needed_by=("opencv-python",)),
    )
    outcome = blocked(wanted, "install", "opencv-python")
    assert isinstance(outcome.verdict, Blocked)
    asked = Link("", "", "opencv-python")
    needs = Link("opencv-python", "4.13", "numpy>=2")
    conflict = Conflict(
        (("numpy",), ("protobuf",)),
        (
            Chain((asked, needs), "numpy", "1.26.4", "2.4.1"),
            Chain((Link("", "", "protobuf>=5"),), "protobuf", "4.25.3", "6.33"),
            Chain((asked, needs), "scipy", "1.11.4", "1.17", "numpy<2"),
        ),
    )
    told = replace(outcome, verdict=replace(outcome.verdict, conflict=conflict))
    assert said(told).split("\n\n")[2] == textwrap.dedent("""\
        cause opencv-python 4.13 needs numpy>=2; numpy 1.26.4 is conda's, held by
              conda's scipy 1.11.4 (numpy >=1.26,<2)
              you ask for protobuf>=5; protobuf 4.25.3 is conda's
              opencv-python 4.13 needs numpy>=2; conda's scipy 1.11.4 needs numpy<2
        why   pip would delete conda's numpy files and write its own, and conda would
              still list 1.26.4""")
