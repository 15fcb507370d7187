"""safepip's own options among pip's arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.doors.arguments import FLAGS, VALUES, OwnOptions, from_conda, leading_only, split
from safepip.doors.help import command
from safepip.values.errors import UsageError

OWN = ["--env", "lab", "--allow=numpy,scipy", "--strict", "--json", "--allow", "six"]
OPTIONS = OwnOptions(env="lab", allow=("numpy", "scipy", "six"), strict=True, json=True)


def test_own_options_are_found_before_and_after_the_verb() -> None:
    assert split([*OWN, "install", "x"]) == (OPTIONS, ["install", "x"])
    assert split(["install", *OWN, "x"]) == (OPTIONS, ["install", "x"])


def test_nothing_behind_two_dashes_is_safepips() -> None:
    assert split(["install", "--", "--json"]) == (OwnOptions(), ["install", "--", "--json"])


def test_before_a_verb_of_pip_only_what_leads_is_safepips() -> None:
    given_ = ["--env", "lab", "list", "--json"]
    assert leading_only(given_) == (OwnOptions(env="lab"), ["list", "--json"])


@pytest.mark.parametrize("words", [["--env"], ["install", "--allow"], ["--env="]])
def test_an_option_without_its_value_is_named(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"`--(env|allow)` needs a value"):
        split(words)


@given(
    st.lists(st.sampled_from(["-U", "--pre", "-r", "x.txt", "-e.", "--", "--js", "--allo", "-"]))
)
def test_arguments_of_pip_pass_unchanged(words: list[str]) -> None:
    assert split(words) == (OwnOptions(), words)


def test_the_help_names_every_option_that_is_understood() -> None:
    named = {option for parameter in command().params for option in parameter.opts}
    assert named == {*FLAGS, *VALUES}


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (("-n", "lab", "install", "-n", "x"), ["--env", "lab", "install", "-n", "x"]),
        (("--name=lab", "--json", "doctor"), ["--env", "lab", "--json", "doctor"]),
        (("-p", "env", "doctor"), ["--env", "./env", "doctor"]),
        (("--prefix=~/env", "list"), ["--env", "~/env", "list"]),
        (("install", "-p", "env"), ["install", "-p", "env"]),
        (("doctor", "-n", "lab", "--fix"), ["doctor", "--env", "lab", "--fix"]),
        (("-n",), ["--env", ""]),
    ],
)
def test_condas_words_for_an_environment(given_: tuple[str, ...], expected: list[str]) -> None:
    assert from_conda(given_) == expected
