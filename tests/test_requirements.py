"""What requirement lines and versions mean, whatever text they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    extras_asked,
    is_met,
    parse_requirement,
    parse_version,
    relation,
    required_name,
)
from tests.build import MARKERS


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Foo_Bar.baz[x]>=1; extra == 'a'", "foo-bar-baz"),
        ("  numpy (>=1.2)", "numpy"),
        ("[x]", ""),
        ("", ""),
    ],
)
def test_the_name_is_read_without_parsing(line: str, name: str) -> None:
    assert required_name(line) == name


@pytest.mark.parametrize(
    "line",
    ["", "not a requirement", "a>=", "a; os_name", "a; " + "(" * 9999 + "os_name" + ")" * 9999],
)
def test_a_line_that_is_none_is_no_requirement(line: str) -> None:
    assert parse_requirement(line) is None


@pytest.mark.parametrize("text", ["", "one", "1.0 beta two", "9" * 9999])
def test_a_text_that_is_none_is_no_version(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    ("line", "version", "met"),
    [
        ("a", "1.0", True),
        ("a", None, False),
        ("a>=2", "1.0", False),
        ("a>=2", "2.1rc1", True),
        ("a>=1", "1.0+conda1", True),
        ("a @ https://x.example/a.zip", "0", True),
        ("a @ https://x.example/a.zip", None, False),
        ("a", "not a version", True),
        ("a>=1", "not a version", False),
        ("a===2021-custom", "2021-custom", True),
        ("a>=" + "9" * 5000, "1.0", False),
    ],
)
def test_a_requirement_is_met_by_a_version(line: str, version: str | None, met: bool) -> None:
    requirement = parse_requirement(line)
    assert requirement is not None
    assert is_met(requirement, version) is met


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("A [y,x] >= 1 ; os_name == 'nt'", "A[x,y]>=1"),
        ("a@https://x.example/a.zip", "a @ https://x.example/a.zip"),
        ("a", "a"),
    ],
)
def test_a_requirement_is_shown_without_its_marker(line: str, text: str) -> None:
    requirement = parse_requirement(line)
    assert requirement is not None
    assert as_text(requirement) == text


def test_requirements_count_once_and_only_here() -> None:
    lines = ["a>=1", "a >= 1; os_name == 'posix'", "b; os_name == 'nt'", "c; extra == 'x'", "?"]
    found = active_requirements(lines, MARKERS, ["x"])
    assert [as_text(requirement) for requirement in found] == ["a>=1", "c"]


def test_an_extra_may_ask_for_extras_of_others() -> None:
    requires = {
        "app": ["a[x]", "d"],
        "a": ["b[Y_y]; extra == 'x'", "c[z]; extra == 'other'"],
        "b": ["a[w]; extra == 'y-y'"],
    }
    assert extras_asked(requires, MARKERS, {"d": ["Q"]}) == {
        "a": frozenset({"x", "w"}),
        "b": frozenset({"y-y"}),
        "d": frozenset({"q"}),
    }


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        ("1.0", "1.0.0", "same"),
        ("1.9", "1.10", "upgrade"),
        ("2.0", "2.0rc1", "downgrade"),
        ("old", "new", "upgrade"),
        ("old", "old", "same"),
    ],
)
def test_versions_are_compared_as_versions_where_they_are(
    before: str, after: str, action: str
) -> None:
    assert relation(before, after) == action


@given(st.text(), st.text(), st.text())
def test_any_text_has_an_answer(line: str, version: str, extra: str) -> None:
    found = active_requirements([line], {**MARKERS, "os_name": version}, [extra])
    answers = {is_met(requirement, version) for requirement in found}
    names = extras_asked({version: [line]}, {}, {extra: [line]})
    assert (answers <= {True, False}, isinstance(names, dict)) == (True, True)
