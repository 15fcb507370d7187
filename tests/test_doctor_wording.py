"""What people read of `doctor`: whole messages at 80 columns, and texts that are anything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.repairing.advice import advice
from safepip.decisions.wording.complaints import complaint, subject
from safepip.decisions.wording.diagnosis import diagnosis_lines
from safepip.decisions.wording.doctor_as_json import repair_as_json
from safepip.decisions.wording.repairs import repair_lines, unfixed_lines
from safepip.values import damage, findings
from safepip.values.damage import (
    DependsUnmet,
    LostRecord,
    Missing,
    Overwritten,
    Replaced,
    SharedFiles,
    Source,
    TwoCopies,
    UnreadableBook,
)
from safepip.values.findings import Finding, Frozen
from safepip.values.inspection import Checked, Inspection
from safepip.values.late import fields
from safepip.values.repair import Discard, Disown, PutBack, Reason, Repair, Supply, TakeOut, Unfixed
from tests.build import PREFIX, SITE, conda, environment, pip
from tests.saying import expected, text
from tests.wild import SECRET, WILD

BY_PIP = Source(installer="pip", requested=True, written="2026-11-25")
NUMPY = conda("numpy==1.26.4")
LAB = environment(NUMPY, conda("scipy==1.11.4"), pip("cv==4.12"))
SEEN = Inspection(environment=LAB, checked=Checked(files=1200, hashed=1190), family=("conda",))
REPLACED = Replaced(
    distribution="numpy",
    conda_package="numpy-1.26.4-py311_0",
    version="1.26.4",
    there="2.4.6",
    source=BY_PIP,
    altered=("a", "b"),
    missing=("c",),
    files=918,
    foreign=3,
)
FOUND: tuple[Finding, ...] = (
    REPLACED,
    Overwritten(
        distribution="cv",
        version="4.12",
        conda_package="scipy-1.11.4-py311_0",
        source=Source(change="2026-11-25-1"),
        paths=("bin/one", "bin/two", "bin/three"),
    ),
    DependsUnmet(
        conda_package="scipy-1.11.4-py311_0",
        depends="numpy >=1.26,<2",
        found="numpy 2.4.6",
        owner="pip",
    ),
    Frozen(severity="note", marker="frozen", path="/x", message="ours\nand more"),
)


def test_a_report() -> None:
    fixes = advice(SEEN, FOUND, Repair(()), Shell(PREFIX))
    assert text(diagnosis_lines(SEEN, FOUND, fixes, width=80)) == expected(
        """
        lab  /opt/conda/envs/lab  (Python 3.11, 2 conda packages, 1200 files, 1190 of
          them by their bytes)

         !  numpy   conda has 1.26.4, on disk is 2.4.6, put there by pip on 2026-11-25,
                    asked for by name: 2 files altered and 1 missing of conda's 918
         !  cv      4.12 was written over 3 files of conda's scipy 1.11.4 (bin/one,
                    bin/two, ... 1 more), put there by safepip, 2026-11-25-1
         !  scipy   conda's 1.11.4 was built for numpy >=1.26,<2, and numpy 2.4.6 is
                    there
         ~  frozen  the environment is marked read-only by its owner: ours

        3 damaged, 1 note.
        fix   have conda do it:
        """
    ) + (
        "        conda install -p /opt/conda/envs/lab -y --download-only --force-reinstall "
        "numpy=1.26.4=py311_0 scipy=1.11.4=py311_0 && safepip pip uninstall -y numpy && "
        "conda install -p /opt/conda/envs/lab --force-reinstall numpy=1.26.4=py311_0 "
        "scipy=1.11.4=py311_0\n"
    )


def test_many_of_a_kind_are_counted() -> None:
    many = [
        UnreadableBook(record=f"x{n}.json", reason="cannot read the conda record")
        for n in range(20)
    ]
    said = text(diagnosis_lines(SEEN, many, (), width=80)).splitlines()
    assert said[-3:] == ["    and 8 more of unreadable-record", "", "20 damaged."]


def test_a_sound_environment_is_one_line() -> None:
    told = Inspection(environment=LAB, linked=("numpy-1.26.4-py311_0",))
    assert text(diagnosis_lines(told, (), (), width=80)).splitlines()[-1] == (
        "safepip: sound. every file of conda's is in place"
    )


def test_what_was_given_away_is_not_said_to_be_in_place() -> None:
    told = Inspection(environment=LAB, linked=("numpy-1.26.4-py311_0",))
    for found in (REPLACED, *(one for one in FOUND if isinstance(one, Overwritten))):
        note = replace(found, severity="note")
        assert text(diagnosis_lines(told, (note,), (), width=80)).splitlines()[-1] == (
            "safepip: sound. every other file of conda's is in place; 1 note"
        )


def test_what_shares_files_with_condas_is_uninstalled_by_safepip() -> None:
    shared = SharedFiles(
        severity="note",
        distribution="cv",
        version="4.12",
        conda_package="scipy-1.11.4-py311_0",
        paths=("bin/one",),
    )
    assert complaint(shared, LAB) == (
        "4.12 claims 1 file of conda's scipy 1.11.4, which is whole (bin/one); plain pip's "
        "uninstall deletes them, and `safepip uninstall cv` does not"
    )


def test_without_a_history_it_is_said_what_is_not_known() -> None:
    assert text(diagnosis_lines(SEEN, (), (), width=80)).splitlines()[-3:] == [
        "safepip: sound. every file in conda's records is in place; conda's history is",
        "  empty, so that a record that was deleted is known only where another package",
        "  needs it",
    ]


def test_a_repair() -> None:
    taken = LAB.distributions[2]
    download = Supply("download", "https://ada:x@conda.example/numpy.conda", "a", "", 6_500_000)
    steps = (
        TakeOut(taken, (f"{SITE}/cv.py",)),
        Disown(taken, (f"{PREFIX}/bin/tool",)),
        PutBack("numpy-1.26.4-py311_0", ("a", "b"), download),
        PutBack("six-1.16.0-py_0", (), Supply("folder", "/pkgs/six"), record="six.json"),
        Discard(f"{SITE}/~umpy"),
    )
    repair = Repair(steps, (Unfixed(FOUND[1], Reason("no-source")),))
    lines = repair_lines(repair, LAB, done="", where="lab", width=80)
    left = unfixed_lines(repair.unfixed, LAB, width=80)
    assert text((*lines, *left)) == expected(
        """
        safepip: would repair lab in part
          - take out cv 4.12: 1 file that is not conda's
          ~ take bin/tool out of the RECORD of cv 4.12
          + put back conda's numpy 1.26.4: 2 files, from conda.example
          + put back conda's six-1.16.0-py_0: its files and its record, from the package
            cache
          - remove lib/python3.11/site-packages/~umpy
          fetches 6.5 MB
          = cv: 4.12 was written over 3 files of conda's scipy 1.11.4 (bin/one, bin/two,
            ... 1 more), put there by safepip, 2026-11-25-1
            left as it is: nothing tells where it came from
        """
    )
    assert "ada" not in json.dumps(repair_as_json(repair))


@pytest.mark.parametrize(
    ("finding", "command"),
    [
        (
            LostRecord(conda_package="six-1.16.0-py_0", evidence=("history",), source=Source()),
            f"conda install -p {PREFIX} six=1.16.0=py_0",
        ),
        (
            Missing(conda_package="six-1.16.0-py_0", paths=("a",), files=2),
            f"conda install -p {PREFIX} --force-reinstall six=1.16.0=py_0",
        ),
        (
            TwoCopies(
                distribution="cv",
                location=SITE,
                versions=("2.0", "1.0"),
                source=BY_PIP,
                altered=(),
                missing=(),
                strays=(),
            ),
            (
                "safepip plan --ignore-installed --no-deps cv==2.0 && safepip uninstall -y cv && "
                "safepip uninstall -y cv && safepip install --no-deps cv==2.0"
            ),
        ),
        (
            DependsUnmet(conda_package="x-1-0", depends="six >=1", found=None, owner="none"),
            f'conda install -p {PREFIX} "six >=1"',
        ),
    ],
)
def test_a_command_for_what_is_left(finding: Finding, command: str) -> None:
    assert [fix.command for fix in advice(SEEN, [finding], Repair(()), Shell(PREFIX))] == [command]


def wild(kind: type[Finding]) -> st.SearchStrategy[Finding]:
    """Any finding of a kind, with texts that are anything."""
    names = {**vars(findings), **vars(damage)}
    hints = get_type_hints(kind, names)
    given_types: dict[str, Any] = {
        "str": WILD,
        "str | None": st.none() | WILD,
        "bool": st.booleans(),
        "int": st.integers(0, 9),
        "tuple[str, ...]": st.lists(WILD, max_size=4).map(tuple),
        "Source": st.builds(
            Source, installer=WILD, requested=st.booleans(), written=WILD, change=WILD
        ),
    }
    chosen = {}
    for field in fields(kind):
        hint = hints[field.name]
        name = str(field.type)
        if field.name == "versions":
            chosen[field.name] = st.lists(WILD, min_size=2, max_size=3).map(tuple)
        elif name in given_types:
            chosen[field.name] = given_types[name]
        elif name == "tuple[Evidence, ...]":
            chosen[field.name] = st.just(("history", "depends", "cache"))
        elif name != "Severity":
            chosen[field.name] = st.from_type(hint)
    return st.builds(kind, **chosen)


KINDS = [
    kind
    for kind in vars(damage).values()
    if isinstance(kind, type) and issubclass(kind, Finding) and kind is not Finding
]


@given(found=st.lists(st.one_of([wild(kind) for kind in KINDS]), max_size=3))
def test_no_text_of_a_package_reaches_the_terminal_as_it_is(found: list[Finding]) -> None:
    lines = diagnosis_lines(SEEN, found, advice(SEEN, found, Repair(()), Shell(PREFIX)), width=80)
    said = "".join(line.text for line in lines)
    assert said.isprintable()
    assert f"ada:{SECRET}" not in said


@given(found=st.one_of([wild(kind) for kind in KINDS]))
def test_every_kind_has_a_sentence_of_its_own(found: Finding) -> None:
    assert complaint(found, LAB) != found.kind
    assert subject(found, LAB).isprintable()


def test_pip_itself_is_told_of_another_environment_before_its_name() -> None:
    shell = Shell(PREFIX, obvious=False)
    command = shell.safepip(("pip", "uninstall", "-y", "cv"))
    assert command == f"safepip --env {PREFIX} pip uninstall -y cv"
