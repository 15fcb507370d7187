"""What people read at the end of a command: whole messages, at 80 and at 40 columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.wording.message import error_message, message
from safepip.values.errors import (
    Busy,
    SafepipError,
    UnreadableRecord,
    UsageError,
    VerifyFailed,
    WrongEnvironment,
)
from safepip.values.findings import Base, SameFiles
from safepip.values.plan import Plan
from safepip.values.target import Target
from safepip.values.verdict import Clear, Fix, HeldBack, Kept, Outcome
from tests.build import PREFIX, Step, artifact, removal
from tests.saying import LAB, clear, expected, kept, said, text
from tests.wild import SECRET, WILD, outcomes


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (
            [artifact("a==1"), artifact("b==1"), artifact("c==1")],
            "safepip: clear. 3 new packages, nothing from conda is touched (lab)\n",
        ),
        (
            [artifact("a==1"), artifact("rich==13.7")],
            "safepip: clear. 1 new package, 1 upgraded, nothing from conda is touched (lab)\n",
        ),
        (
            [artifact("rich==13.6"), removal("textual")],
            """
            safepip: clear. 1 installed again, 1 removed, nothing from conda is touched
              (lab)
            """,
        ),
        (
            [artifact("a==1"), artifact("protobuf==6")],
            "safepip: clear. 1 new package, taken over from conda: protobuf 4.25.3 -> 6 (lab)\n",
        ),
        ([], ""),
    ],
)
def test_one_line_when_all_is_well_and_silence_when_nothing_was_done(
    steps: list[Step], line: str
) -> None:
    assert said(clear(*steps)) == expected(line)


def test_what_is_taken_over_whole_is_said_also_where_files_of_others_are() -> None:
    given_ = SameFiles(
        distribution="protobuf",
        conda_package="delta-1.0-0",
        paths=("lib/delta.py",),
        reason="given",
        severity="note",
    )
    said_ = said(clear(artifact("a==1"), artifact("protobuf==6"), notes=(given_,)))
    assert said_.startswith(
        expected("""
        safepip: clear. 1 new package, taken over from conda: protobuf 4.25.3 -> 6,
          files taken over from conda's delta (lab)
        """)
    )


def test_an_environment_that_is_not_the_obvious_one_is_named_by_its_path() -> None:
    elsewhere = Target(PREFIX, "python", is_conda=True, chosen_by="--env", obvious=False)
    assert said(clear(artifact("a==1"), target=elsewhere)) == expected("""
        safepip: clear. 1 new package, nothing from conda is touched
          (/opt/conda/envs/lab)
        """)
    assert said(clear(artifact("a==1"), environment=None)) == expected("""
        safepip: clear. 1 new package, nothing from conda is touched
        """)


def test_quiet_and_verbose_are_pip_s() -> None:
    notes = (Base(),)
    assert said(clear(artifact("a==1"), notes=notes, verbosity=-1)) == ""
    outcome = clear(artifact("a==1"), seconds={"plan": 1.23, "act": 0.5}, engine="one-pass")
    assert said(outcome, verbosity=1) == expected("""
        safepip: clear. 1 new package, nothing from conda is touched (lab)
        safepip: one-pass: plan 1.2 s, act 0.5 s
        """)
    assert said(clear(), verbosity=1) == ""
    # A plan is what was asked for; `-q` is for what pip says meanwhile.
    shown = clear(artifact("a==1"), notes=notes, verb="plan", verbosity=-1)
    assert "note[base]" in said(shown)
    assert "note[base]" not in said(shown, verbosity=-2)
    assert said(clear(seconds={"plan": 1}), verbosity=2) == "safepip: plan 1.0 s\n"


def test_what_was_held_back_is_said_with_the_reason_and_the_way_on() -> None:
    assert said(kept()) == expected("""
        safepip: kept conda's versions (lab)
          opencv-python 4.11.0.86 instead of 4.13.0.90: opencv-python 4.13.0.90 needs
          numpy>=2; numpy 1.26.4 is conda's
          cv-extras 1.0 is left out: opencv-python 4.11.0.86 does not need it
          newest anyway:
            conda install numpy
            safepip install --allow numpy opencv-python
        """)


def test_what_was_held_back_is_said_without_a_way_on_where_there_is_none() -> None:
    verdict = Kept(Plan(()), (HeldBack("numpy", "2.4.1", "1.26.4", ("it is conda's",)),))
    assert said(Outcome(0, verdict, LAB)) == expected("""
        safepip: kept conda's versions (lab)
          numpy 1.26.4 instead of 2.4.1: it is conda's
        """)


def test_what_a_way_on_also_does_is_said_where_the_command_does_not_show_it() -> None:
    fix = Fix("conda install numpy", "", besides=("that also removes x 1", "then the same again"))
    verdict = Kept(Plan(()), (HeldBack("numpy", "2.4.1", "1.26.4"),), fixes=(fix,))
    assert said(Outcome(0, verdict, LAB)) == expected("""
        safepip: kept conda's versions (lab)
          numpy 1.26.4 instead of 2.4.1
          newest anyway:
            conda install numpy
              (that also removes x 1; then the same again)
        """)


def test_what_was_held_back_is_said_in_40_columns_and_though_quiet() -> None:
    assert said(kept(), width=40, verbosity=-1) == expected("""
        safepip: kept conda's versions (lab)
          opencv-python 4.11.0.86 instead of
          4.13.0.90: opencv-python 4.13.0.90
          needs numpy>=2; numpy 1.26.4 is
          conda's
          cv-extras 1.0 is left out:
          opencv-python 4.11.0.86 does not need
          it
          newest anyway:
            conda install numpy
            safepip install --allow numpy opencv-python
        """)


# --------------------------------------------------------------------------- what went wrong


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            UnreadableRecord("numpy-1.26.4-py311_0.json", "line 1 is no JSON"),
            """
            error[unreadable-record]: cannot read the conda record
              `numpy-1.26.4-py311_0.json`: line 1 is no JSON
            why   what that package owns is unknown, so no install can be called safe
            Nothing was installed.
            """,
        ),
        (
            Busy("another safepip has held this environment for 30 s"),
            """
            error[busy]: another safepip has held this environment for 30 s
            Nothing was installed.
            """,
        ),
        (
            WrongEnvironment(
                "this would install into a different environment than you are using\n"
                "notebook kernel  /opt/conda/envs/lab\nthis command     /opt/conda (base)",
                why='"!" runs with the PATH of the server, not of the kernel',
                fixes=[Fix("%safepip install pandas", "ask the kernel")],
            ),
            """
            error[wrong-env]: this would install into a different environment than you are
              using
              notebook kernel  /opt/conda/envs/lab
              this command     /opt/conda (base)
            why   "!" runs with the PATH of the server, not of the kernel
            fix   ask the kernel:
                    %safepip install pandas
            Nothing was installed.
            """,
        ),
        (
            VerifyFailed("numpy is not what was judged"),
            """
            error[verify-failed]: numpy is not what was judged
            The environment was changed, and is not what was planned.
            """,
        ),
        (UsageError(""), "error[usage]:\nNothing was installed.\n"),
        (
            SafepipError("it broke", why="see above"),
            "error[error]: it broke\nwhy   see above\nNothing was installed.\n",
        ),
    ],
)
def test_an_error_says_what_and_why_and_the_state(error: SafepipError, lines: str) -> None:
    shown = "".join(f"{line.text.rstrip()}\n" for line in error_message(error))
    assert shown == expected(lines)


def test_an_error_names_the_environment_that_is_known_and_the_verb() -> None:
    lines = error_message(Busy("busy"), verb="uninstall", environment=LAB, width=40)
    assert text(lines) == expected("""
        error[busy]: busy
          env  /opt/conda/envs/lab  (lab, Python
               3.11, 4 conda packages)
        Nothing was removed.
        """)


def test_what_is_not_as_judged_is_listed_with_the_state() -> None:
    problems = ("numpy/core.py belongs to conda and was changed", "rich 14: 3 files are missing")
    outcome = Outcome(13, Clear(Plan(())), LAB, acted=True, problems=problems)
    assert said(outcome) == expected("""
        error[verify-failed]: pip has finished, and the environment is not what was
          judged
          env  /opt/conda/envs/lab  (lab, Python 3.11, 4 conda packages)
          numpy/core.py belongs to conda and was changed
          rich 14: 3 files are missing
        The environment was changed, and is not what was planned.
        """)
    assert said(Outcome(12, Clear(Plan(())), None)) == expected("""
        error[verify-failed]: pip has finished, and the environment is not what was
          judged
        It was taken back: the environment is as it was.
        """)


def test_a_question_that_nobody_can_answer() -> None:
    outcome = Outcome(11, Clear(Plan(())), LAB, "uninstall")
    assert said(outcome) == expected("""
        error[needs-yes]: pip asks whether to go on, and nobody can answer here: say
          `-y` in advance
        Nothing was removed.
        """)
    fixes = (Fix("safepip uninstall -y rich", "answer in advance"),)
    assert said(Outcome(11, Clear(Plan(())), LAB, "uninstall", fixes=fixes)) == expected("""
        error[needs-yes]: pip asks whether to go on, and nobody can answer here
        fix   answer in advance:
                safepip uninstall -y rich
        Nothing was removed.
        """)


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ({}, "safepip: interrupted. Nothing was installed.\n"),
        ({"verb": "plan"}, "safepip: interrupted. Nothing was changed.\n"),
        (
            {"taken_back": True},
            """
            safepip: interrupted. What pip had begun was taken back: the environment is as
              it was.
            """,
        ),
        (
            {"seconds": {"act": 1.0}, "problems": ("pip failed after it had changed numpy",)},
            """
            safepip: interrupted. The environment was changed, and is not what was planned.
              pip failed after it had changed numpy
            """,
        ),
    ],
)
def test_an_interruption_names_the_state(facts: dict[str, Any], lines: str) -> None:
    assert said(Outcome(130, None, LAB, **facts)) == expected(lines)


def test_pip_s_own_failure_is_pip_s_to_explain() -> None:
    assert said(Outcome(1, None, LAB)) == ""
    assert said(Outcome(1, Clear(Plan(())), LAB)) == ""
    hints = ("no release of foo has a wheel for this Python\nPython 3.13 has one", "")
    assert said(Outcome(1, None, LAB, hints=hints)) == expected("""
        hint: no release of foo has a wheel for this Python
          Python 3.13 has one
        hint:
        """).replace("hint:\n", "hint: \n")


# --------------------------------------------------------------------------- properties


@given(outcomes(), st.integers(20, 100), st.integers(-1, 1))
def test_no_message_obeys_a_package_or_tells_a_secret(
    outcome: Outcome, width: int, verbosity: int
) -> None:
    lines = [line.text for line in message(outcome, width=width, verbosity=verbosity)]
    assert [line for line in lines if not line.isprintable() or SECRET in line] == []


@given(WILD, WILD, st.integers(20, 100))
def test_no_error_obeys_a_package_or_tells_a_secret(what: str, why: str, width: int) -> None:
    error = SafepipError(what, why=why, fixes=[Fix(what, why)])
    lines = [line.text for line in error_message(error, width=width)]
    assert [line for line in lines if not line.isprintable() or SECRET in line] == []
