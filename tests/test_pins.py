"""What `conda-meta/pinned` says of a plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from safepip.decisions.judging.judge import Judgement
from safepip.decisions.judging.pins import Pin, accepts, as_requirement, held_wishes, parse_pin
from safepip.values.findings import Finding, Pinned
from tests.build import artifact, conda, environment, judged, pip, plan, removal


def of_pins(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if isinstance(finding, Pinned)]


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("numpy", ("numpy", "", False)),
        ("numpy 1.26.*", ("numpy", "1.26.*", False)),
        ("numpy  >= 1.20, < 2  # why", ("numpy", ">=1.20,<2", False)),
        ("numpy>=1.20,<2", ("numpy", ">=1.20,<2", False)),
        ("python=3.11", ("python", "=3.11", False)),
        ("conda-forge::SciPy ==1.11", ("scipy", "==1.11", False)),
        ("conda-forge/linux-64::scipy 1.11|1.12", ("scipy", "1.11|1.12", False)),
        ("numpy 1.26.4 py311_0", ("numpy", "1.26.4", True)),
        ("numpy=1.26.4=py311*", ("numpy", "==1.26.4", True)),
        ("numpy==1.26.4=py311*", ("numpy", "==1.26.4", True)),
        ("numpy[version='>=1.20,<2']", ("numpy", ">=1.20,<2", False)),
        ('numpy[version="1.26.*", build=py311*]', ("numpy", "1.26.*", True)),
        ("libblas=*=*mkl", ("libblas", "==*", True)),
    ],
)
def test_a_pin_is_read(text: str, pin: tuple[str, str, bool]) -> None:
    found = parse_pin(text)
    assert found is not None
    assert found == Pin(text, *pin, build=found.build)


@pytest.mark.parametrize("text", ["", "# numpy 1.26", "==1.2", "::", "*"])
def test_a_line_without_a_name_pins_nothing(text: str) -> None:
    assert parse_pin(text) is None


@pytest.mark.parametrize(
    ("versions", "version", "answer"),
    [
        ("", "1.0", True),
        ("*", "1.0", True),
        ("1.26.4", "1.26.4", True),
        ("1.26", "1.26.4", False),
        ("==1.26", "1.26.0", True),
        ("=1.26", "1.26.4", True),
        ("=1.26", "1.27", False),
        ("1.26.*", "1.26.4", True),
        ("1.2*", "1.20", False),
        ("==1.26.*", "1.26.4", True),
        ("!=1.26.*", "1.26.4", False),
        ("!=1.26.*", "1.27", True),
        ("!=1.26.4", "1.26.4", False),
        (">=1.20,<2", "1.26.4", True),
        (">=1.20,<2", "2.0", False),
        (">=1.20,<2", "2.0rc1", True),
        (">1", "1", False),
        ("<=1", "1", True),
        (">=1.20.*", "1.26", True),
        ("<1.20.*", "1.26", None),
        ("~=1.4.2", "1.4.9", True),
        ("~=1.4.2", "1.5", False),
        ("1.26|1.27", "1.27", True),
        ("1.26|1.27", "1.28", False),
        ("1.26|(>1)", "1.28", None),
        ("^1.*$", "1.28", None),
        (">=one", "1.28", None),
        (">=one,<1", "1.28", False),
        (">=one|1.28", "1.28", True),
        ("1.28", "not a version", None),
        ("1.28", "1.28+local", True),
    ],
)
def test_a_pin_accepts_a_version(versions: str, version: str, answer: bool | None) -> None:
    assert accepts(versions, version) is answer


@given(st.text(), st.text(alphabet="0123456789.*|,<>=!~ ab"), st.text())
def test_any_text_has_an_answer(text: str, versions: str, version: str) -> None:
    pin = parse_pin(text)
    answers = [accepts(v, version) for v in (versions, pin.versions if pin else "")]
    assert set(answers) <= {True, False, None}


# ------------------------------------------------------------------------------- in a plan


def test_a_change_against_a_pin_is_refused() -> None:
    env = environment(pip("numpy==1.26.4"), pins=("numpy 1.26.*", "scipy 1.11.*"))
    assert judged(env, plan(env, artifact("numpy==2.0"))) == Judgement(
        (Pinned(distribution="numpy", pin="numpy 1.26.*", planned="2.0"),)
    )


def test_a_change_within_a_pin_is_fine() -> None:
    env = environment(pip("numpy==1.26.3"), pins=("numpy 1.26.*",))
    assert judged(env, plan(env, artifact("numpy==1.26.4"))) == Judgement(())


def test_a_pin_speaks_of_the_owner_or_of_the_distribution() -> None:
    numpy = conda("numpy==1.26.4", metadata="none", modules=(), depends=("numpy-base 1.26.4",))
    env = environment(
        numpy, conda("numpy==1.26.4", name="numpy-base"), pins=("numpy <2", "numpy-base <2")
    )
    assert of_pins(judged(env, plan(env, artifact("numpy==2.0")))) == [
        Pinned(distribution="numpy", pin="numpy <2", planned="2.0"),
        Pinned(distribution="numpy", pin="numpy-base <2", planned="2.0"),
    ]


def test_a_pin_on_another_thing_of_that_name_is_not_meant() -> None:
    dot = conda("graphviz==2.50", metadata="none", modules=(), files=("bin/dot",))
    env = environment(dot, pins=("graphviz 2.50",))
    assert judged(env, plan(env, artifact("graphviz==0.20.3"))) == Judgement(())


@pytest.mark.parametrize("pin", ["numpy 1.26.4 py311_0", "numpy ^1.26$"])
def test_what_cannot_be_evaluated_counts_only_for_what_conda_owns(pin: str) -> None:
    of_pip = environment(pip("numpy==1.26.3"), pins=(pin,))
    of_conda = environment(conda("numpy==1.26.3"), pins=(pin,))
    found = [
        of_pins(judged(env, plan(env, artifact("numpy==1.26.4")))) for env in (of_pip, of_conda)
    ]
    assert found == [[], [Pinned(distribution="numpy", pin=pin, planned="1.26.4")]]


def test_a_pin_holds_a_version_and_does_not_ask_for_the_package() -> None:
    env = environment(pip("numpy==1.26.4"), pins=("numpy 1.26.*",))
    assert judged(env, plan(env, removal("numpy"))) == Judgement(())


@pytest.mark.parametrize(
    ("pin", "requirement"),
    [
        ("tool <6", "tool<6"),
        ("tool 5.0", "tool==5.0"),
        ("tool =5", "tool==5.*"),
        ("tool 5.*", "tool==5.*"),
        ("forge::tool >=1,!=2.1.*", "tool>=1,!=2.1.*"),
        ("tool ~=1.4", "tool~=1.4"),
        ("tool 1.2|1.3", ""),
        ("tool >=1.*", ""),
        ("tool 1.2 py_0", ""),
        ("tool", ""),
    ],
)
def test_a_pin_is_said_as_a_requirement_where_it_is_one(pin: str, requirement: str) -> None:
    assert as_requirement(pin, "tool") == requirement
    parsed = parse_pin(pin)
    assert parsed is not None
    for version in ("1.2", "1.3", "1.4", "2.1.5", "5", "5.0", "5.1", "6") if requirement else ():
        specifier = Requirement(requirement).specifier
        assert accepts(parsed.versions, version) == specifier.contains(version)


def test_conda_keeps_to_the_versions_that_were_asked_of_it_before() -> None:
    packages = [conda(spec) for spec in ("pandas==2.2.2", "numpy==1.26.4", "six==1.16")]
    wishes = {"pandas": "pandas=2.2.2", "numpy": "numpy", "six": "six>=2", "gone": "gone=1"}
    env = environment(*packages, wishes=wishes)
    # `six` is otherwise by now; and of what is asked for anew, that counts.
    assert list(held_wishes(env, {"numpy"})) == ["pandas =2.2.2"]
    assert list(held_wishes(env, {"pandas"})) == []
