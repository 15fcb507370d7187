"""Whether bounds leave any version, against packaging's own judgement of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from safepip.decisions.judging.ranges import is_empty

OPERATORS = (">=", "<", "<=", ">", "!=", "==", "~=")
VERSIONS = [f"{major}.{minor}" for major in range(4) for minor in range(4)]
BOUNDS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(OPERATORS), st.sampled_from(VERSIONS)),
    st.builds("{}{}.*".format, st.sampled_from(("==", "!=")), st.sampled_from(VERSIONS)),
)
MANY = [f"{version}{more}" for version in (*VERSIONS, "4", "9.9") for more in ("", ".1", ".0.0.2")]


@given(st.lists(BOUNDS, max_size=4))
def test_bounds_are_called_empty_just_where_nothing_meets_them(bounds: list[str]) -> None:
    specifier = SpecifierSet(",".join(bounds))
    assert is_empty(specifier) == (not any(specifier.contains(version) for version in MANY))


@pytest.mark.parametrize(
    ("bounds", "empty"),
    [
        (">=14,<14", True),
        (">1!2,<1!3", False),
        (">=2.0a1,<2.0", True),  # `<2.0` is without its pre-releases
        (">=2.0a1,<2.0b1", False),
        ("===odd,==2", False),
        (f">={'9' * 70},<1", True),
    ],
)
def test_odd_bounds_are_called_empty_only_where_that_is_certain(
    bounds: str, *, empty: bool
) -> None:
    assert is_empty(SpecifierSet(bounds)) == empty
