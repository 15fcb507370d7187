"""Plans as trees."""

from __future__ import annotations

from safepip.values.findings import Frozen
from safepip.values.verdict import Blocked, Clear, Outcome
from tests.build import PREFIX, artifact, conda, environment, pip, plan, removal
from tests.saying import LAB, blocked, clear, expected, kept, said


def test_a_plan_is_a_tree_of_what_was_asked_for_and_what_that_needs() -> None:
    outcome = clear(
        artifact("leaf==3", requested=False, needed_by=("app", "dep")),
        artifact("app==1", "rich>=13", "numpy", "absent", "leaf", "dep"),
        artifact("dep==2", "leaf", requested=False, needed_by=("app",), source="sdist"),
        artifact("textual==0.39"),
        artifact("rich==13.6"),
        removal("protobuf"),
        verb="plan",
        arguments=("install", "app", "textual<0.40", "rich"),
    )
    assert said(outcome) == expected("""
        safepip: clear. 3 new packages, 1 downgraded, 1 installed again, taken over from
          conda: protobuf 4.25.3 (lab)

        safepip install app "textual<0.40" rich
        ├── + app 1  new
        │   ├── + leaf 3  new
        │   └── + dep 2  new, built from source
        ├── ~ textual 0.40 -> 0.39  older
        ├── ~ rich 13.6  again
        ├── ! protobuf 4.25.3  taken over from conda
        └── = already there: numpy 1.26.4 (conda)
        """)


def test_a_plan_that_keeps_conda_s_versions_says_instead_of_what() -> None:
    assert said(kept(verb="plan")) == expected("""
        safepip: kept conda's versions (lab)
          opencv-python 4.11.0.86 instead of 4.13.0.90: opencv-python 4.13.0.90 needs
          numpy>=2; numpy 1.26.4 is conda's
          cv-extras 1.0 is left out: opencv-python 4.11.0.86 does not need it
          newest anyway:
            conda install numpy
            safepip install --allow numpy opencv-python

        safepip install opencv-python
        ├── + opencv-python 4.11.0.86  new, instead of 4.13.0.90
        └── = already there: numpy 1.26.4 (conda)
        """)


def test_a_plan_in_a_sealed_environment_is_shown_all_the_same() -> None:
    wanted = plan(LAB, artifact("app==1"))
    sealed = Frozen(marker="read-only", path=PREFIX)
    outcome = Outcome(16, Blocked(wanted, (sealed,)), LAB, "plan", ("install", "app"))
    assert said(outcome) == expected("""
        error[frozen]: this environment cannot be written
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
          /opt/conda/envs/lab

        safepip install app
        └── + app 1  new

        Nothing was changed.
        """)


def test_a_plan_of_nothing_says_so() -> None:
    assert said(clear(verb="plan")) == "safepip: clear. nothing to do (lab)\n"


def test_packages_that_need_each_other_are_drawn_once() -> None:
    outcome = clear(
        artifact("a==1", requested=False, needed_by=("b",)),
        artifact("b==1", requested=False, needed_by=("a",)),
        verb="plan",
        arguments=("install", "-r", "a-file-with-a-name/" * 5),
    )
    assert said(outcome) == expected("""
        safepip: clear. 2 new packages, nothing from conda is touched (lab)

        safepip install -r a-file-with-a-name/a-file-with-a-name/a-file-with ...
        └── + b 1  new
            └── + a 1  new
        """)


def test_what_brings_two_harms_is_drawn_once() -> None:
    both = ("app",)
    wanted = plan(
        LAB,
        artifact("app==1"),
        artifact("numpy==2.4.1", requested=False, needed_by=both),
        artifact("protobuf==6", requested=False, needed_by=both),
        artifact("quiet==1", requested=False, needed_by=both),
    )
    assert said(blocked(wanted, "install", "app")).splitlines()[3:9] == [
        "safepip install app",
        "├── + app 1  new",
        "│   ├── ! numpy 1.26.4 -> 2.4.1  conda owns it",
        "│   │   └── needed by 1 conda package: scipy 1.11.4 (numpy >=1.26,<2)",
        "│   └── ! protobuf 4.25.3 -> 6  conda owns it",
        "└── + 1 other change",
    ]


def test_what_comes_by_an_extra_says_of_what_though_that_is_there_already() -> None:
    lab = environment(
        pip("rich==13.6", "pygments", "ipywidgets>=7; extra == 'jupyter'"), conda("pygments==2.1")
    )
    outcome = Outcome(
        0,
        Clear(plan(lab, artifact("ipywidgets==8", requested=False))),
        lab,
        "plan",
        ("install", "rich[jupyter]"),
    )
    assert said(outcome) == expected("""
        safepip: clear. 1 new package, nothing from conda is touched (lab)

        safepip install "rich[jupyter]"
        ├── + ipywidgets 8  new, needed by rich[jupyter] 13.6
        └── = already there: rich 13.6
        """)


def test_the_head_has_what_was_asked_for_and_the_roots_are_in_that_order() -> None:
    index = "https://packages.example.org/a/long/way/to/the/index/simple"
    outcome = clear(
        artifact("b==1"),
        artifact("a==1"),
        artifact("c==1"),
        verb="plan",
        arguments=("install", "--index-url", index, "c>=1", "-r", "more.txt", "a"),
    )
    assert said(outcome).partition("\n\n")[2] == expected("""
        safepip install "c>=1" -r more.txt a ...
        ├── + c 1  new
        ├── + a 1  new
        └── + b 1  new
        """)
