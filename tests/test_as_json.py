"""The object of `--json`, for every way in which a command can end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.wording.as_json import as_json, as_json_error
from safepip.values.errors import Busy, SafepipError, UnreadableRecord
from safepip.values.findings import Breaks, CondaOwned
from safepip.values.plan import Plan
from safepip.values.target import Target
from safepip.values.verdict import Blocked, Clear, Fix, HeldBack, Kept, Outcome
from tests.build import PREFIX, artifact, conda, environment, in_user_site, pip, plan, removal
from tests.wild import SECRET, WILD, outcomes

LAB = environment(conda("numpy==1.26.4"), pip("rich==13.6"), in_user_site("six==1.15"))
TARGET = {
    "prefix": PREFIX,
    "name": "lab",
    "python": f"{PREFIX}/bin/python",
    "manager": "conda",
}
EMPTY: dict[str, Any] = {
    "schema": 1,
    "verdict": "clear",
    "code": None,
    "exit_code": 0,
    "target": TARGET,
    "requested": [],
    "changes": [],
    "findings": [],
    "held_back": [],
    "fixes": [],
    "in_words": [],
    "conflict": None,
    "conda": None,
    "undo": None,
    "engine": None,
    "seconds": {"plan": None, "judge": None, "act": None, "verify": None},
}


def owned(**facts: Any) -> CondaOwned:
    known = {
        "distribution": "numpy",
        "action": "upgrade",
        "installed": "1.26.4",
        "planned": "2.4.1",
        "conda_package": LAB.records[0].dist,
        "dependents": ("scipy 1.11.4 (numpy >=1.26,<2)",),
    }
    return CondaOwned(**{**known, **facts})


OWNED = {
    "kind": "conda-owned",
    "severity": "refuse",
    "distribution": "numpy",
    "action": "upgrade",
    "installed": "1.26.4",
    "planned": "2.4.1",
    "conda_package": "numpy-1.26.4-py311_0",
    "dependents": ["scipy 1.11.4 (numpy >=1.26,<2)"],
    "requested": False,
}


def test_a_refusal_is_told_in_full() -> None:
    wanted = plan(
        LAB,
        artifact("opencv-python==4.13"),
        artifact("numpy==2.4.1", requested=False, needed_by=("opencv-python",)),
    )
    fixes = (Fix("safepip install x", "do something else"), Fix("", "change this"))
    outcome = Outcome(
        10,
        Blocked(wanted, (owned(),), fixes),
        LAB,
        arguments=("install", "opencv-python"),
        engine="one-pass",
        seconds={"plan": 1.23456, "judge": 0.01},
    )
    assert as_json(outcome) == {
        "schema": 1,
        "verdict": "block",
        "code": "conda-owned",
        "exit_code": 10,
        "target": TARGET,
        "requested": ["opencv-python"],
        "changes": [
            {
                "name": "opencv-python",
                "action": "add",
                "from": None,
                "to": "4.13",
                "owner": "none",
                "requested": True,
                "needed_by": [],
                "artifact": {
                    "url": "https://files.example/opencv-python-4.13.whl",
                    "sha256": "0" * 64,
                },
            },
            {
                "name": "numpy",
                "action": "upgrade",
                "from": "1.26.4",
                "to": "2.4.1",
                "owner": "conda",
                "requested": False,
                "needed_by": ["opencv-python"],
                "artifact": {
                    "url": "https://files.example/numpy-2.4.1.whl",
                    "sha256": "0" * 64,
                },
            },
        ],
        "findings": [OWNED],
        "held_back": [],
        "fixes": [{"command": "safepip install x", "says": "do something else"}],
        "in_words": ["change this"],
        "conflict": None,
        "conda": None,
        "undo": None,
        "engine": "one-pass",
        "seconds": {"plan": 1.235, "judge": 0.01, "act": None, "verify": None},
    }


def test_what_was_held_back_is_told_with_the_notes() -> None:
    held = (HeldBack("opencv-python", "4.13", "4.11", ("it needs numpy>=2",)),)
    fixes = (Fix("safepip install --allow numpy x", "replace it"),)
    verdict = Kept(Plan(()), held, (owned(severity="note"),), (), (owned(),), fixes)
    assert as_json(Outcome(0, verdict, LAB)) == {
        **EMPTY,
        "verdict": "kept",
        "findings": [{**OWNED, "severity": "note"}],
        "held_back": [
            {
                "name": "opencv-python",
                "newest": "4.13",
                "chosen": "4.11",
                "because": ["it needs numpy>=2"],
            }
        ],
        "fixes": [{"command": "safepip install --allow numpy x", "says": "replace it"}],
    }


def test_every_change_has_its_owner() -> None:
    steps = [artifact("new==1"), artifact("rich==14"), removal("numpy"), artifact("six==1.16")]
    found = as_json(Outcome(0, Clear(plan(LAB, *steps)), LAB))
    told = [(c["name"], c["owner"], c["from"], c["to"]) for c in found["changes"]]
    assert told == [
        ("new", "none", None, "1"),
        ("rich", "pip", "13.6", "14"),
        ("numpy", "conda", "1.26.4", None),
        ("six", "pip", "1.15", "1.16"),
    ]
    assert found["changes"][2]["artifact"] is None


def test_a_change_that_looks_past_conda_s_copy_is_conda_s_still() -> None:
    wanted = plan(LAB, artifact("numpy==2", before=None, action="add"))
    assert as_json(Outcome(0, Clear(wanted), LAB))["changes"][0]["owner"] == "conda"


def test_nothing_to_do_is_clear() -> None:
    assert as_json(Outcome(0, Clear(Plan(())), LAB)) == EMPTY
    assert as_json(Outcome(0, None, LAB)) == EMPTY


def test_without_an_environment_the_target_is_what_is_known() -> None:
    target = Target("/env", "/env/bin/python", is_conda=True, chosen_by="--env")
    nothing = {"prefix": None, "name": None, "python": None, "manager": None}
    assert as_json(Outcome(0, None)) == {**EMPTY, "target": nothing}
    assert as_json(Outcome(0, None, target=target)) == {
        **EMPTY,
        "target": {**nothing, "prefix": "/env", "python": "/env/bin/python"},
    }


@pytest.mark.parametrize(
    ("exit_code", "code"),
    [
        (1, "pip-failed"),
        (2, "pip-failed"),
        (11, "needs-yes"),
        (12, "verify-failed"),
        (13, "verify-failed"),
        (130, "interrupted"),
    ],
)
@pytest.mark.parametrize("verdict", [None, Clear(Plan(()))])
def test_what_ends_otherwise_is_an_error(exit_code: int, code: str, verdict: Clear | None) -> None:
    outcome = Outcome(
        exit_code,
        verdict,
        LAB,
        problems=("numpy was changed",),
        hints=("see https://ada:hunter2@host/",),
        fixes=(Fix("safepip install -y x", "answer in advance"),),
    )
    state = "The environment was changed, and is not what was planned."
    told = {"kind": code, "severity": "note", "distribution": "", "message": state}
    assert as_json(outcome) == {
        **EMPTY,
        "verdict": "error",
        "code": code,
        "exit_code": exit_code,
        "findings": [
            {
                "kind": code,
                "severity": "refuse",
                "distribution": "",
                "message": "numpy was changed",
            },
            *([told] if exit_code == 130 else []),
            {
                "kind": code,
                "severity": "note",
                "distribution": "",
                "message": "see https://****@host/",
            },
        ],
        "fixes": [{"command": "safepip install -y x", "says": "answer in advance"}],
    }


def test_an_interrupted_refusal_is_an_interruption() -> None:
    outcome = Outcome(130, Blocked(Plan(()), (owned(),)), LAB)
    assert (as_json(outcome)["verdict"], as_json(outcome)["code"]) == ("error", "interrupted")


def test_a_hint_beside_success_is_a_hint() -> None:
    outcome = Outcome(0, Clear(Plan(())), LAB, hints=("restart the kernel",))
    assert as_json(outcome)["findings"][0]["kind"] == "hint"


def test_a_refusal_is_named_for_its_first_kind() -> None:
    lost = Breaks(distribution="a", requirement="b<2", changed="b", before="1", after="2")
    outcome = Outcome(10, Blocked(Plan(()), (lost, owned())), LAB)
    assert as_json(outcome)["code"] == "conda-owned"


def test_an_error_is_the_one_finding() -> None:
    error = UnreadableRecord("numpy.json", "no JSON", fixes=[Fix("conda list", "look at it")])
    assert as_json_error(error, environment=LAB) == {
        **EMPTY,
        "verdict": "error",
        "code": "unreadable-record",
        "exit_code": 10,
        "findings": [
            {
                "kind": "unreadable-record",
                "severity": "refuse",
                "distribution": "",
                "message": "cannot read the conda record `numpy.json`: no JSON",
                "why": "what that package owns is unknown, so no install can be called safe",
            }
        ],
        "fixes": [{"command": "conda list", "says": "look at it"}],
    }


def test_an_error_names_the_target_that_was_found() -> None:
    target = Target("/env", "/env/bin/python", is_conda=True, chosen_by="--env")
    found = as_json_error(Busy("busy"), target=target)
    assert (found["exit_code"], found["target"]["prefix"]) == (14, "/env")


@given(outcomes())
def test_every_outcome_survives_json_and_tells_no_secret(outcome: Outcome) -> None:
    found = as_json(outcome)
    text = json.dumps(found)
    assert json.loads(text) == found
    assert SECRET not in text
    assert list(found) == list(EMPTY)


@given(WILD, WILD, st.lists(WILD, max_size=2))
def test_every_error_survives_json_and_tells_no_secret(
    what: str, why: str, commands: list[str]
) -> None:
    fixes = [Fix(command, why) for command in commands]
    found = as_json_error(SafepipError(what, why=why, fixes=fixes), environment=LAB)
    text = json.dumps(found)
    assert json.loads(text) == found
    assert SECRET not in text
    assert list(found) == list(EMPTY)
