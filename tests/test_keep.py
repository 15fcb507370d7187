"""Holding conda's versions: whether it can help, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from safepip.decisions.planning.keep import compare, holds, may_hold, named_in, slides
from safepip.values.environment import Environment
from safepip.values.plan import Plan, Source
from safepip.values.request import Policy
from safepip.values.verdict import HeldBack
from tests.build import (
    Package,
    Step,
    artifact,
    conda,
    environment,
    in_user_site,
    judged,
    pip,
    plan,
    removal,
)

# -------------------------------------------------------------------------------- holding


def test_every_distribution_of_conda_is_held_by_its_own_name() -> None:
    env = environment(
        conda("torch==2.2.0", name="pytorch"),
        conda("graphviz==2.50", metadata="none"),
        conda("numpy==1.26.4", name="numpy-base"),
        pip("rich==13.6"),
    )
    assert holds(env) == ("numpy==1.26.4", "torch==2.2.0")


def test_a_copy_that_hides_condas_is_not_what_is_held() -> None:
    env = environment(in_user_site("numpy==2.0"), conda("numpy==1.26.4"))
    assert holds(env) == ("numpy==1.26.4",)


def test_what_pip_cannot_read_as_a_constraint_is_not_held() -> None:
    env = environment(conda("odd==not a version"), conda("-x==1"), conda("post==1.0.post2+conda1"))
    assert holds(env) == ("post==1.0.post2+conda1",)


def test_what_the_user_allows_is_not_held() -> None:
    env = environment(conda("numpy==1.26.4"), conda("torch==2.2.0", name="pytorch"))
    assert holds(env, Policy(allow=("pytorch",))) == ("numpy==1.26.4",)


@given(st.text(), st.text())
def test_whatever_is_held_is_a_constraint(name: str, version: str) -> None:
    env = environment(conda(f"{name.replace('=', '')}=={version}"))
    assert all(len(Requirement(line).specifier) == 1 for line in holds(env))


# ---------------------------------------------------------------------- whether it can help


def may(env: Environment, wanted: Plan) -> bool:
    return may_hold(wanted, judged(env, wanted).findings)


def test_what_pip_chose_by_itself_may_be_chosen_otherwise() -> None:
    env = environment(conda("numpy==1.26.4"), conda("pandas==2.2", "numpy<2"))
    wanted = plan(
        env, artifact("opencv-python==5.0", "numpy>=2"), artifact("numpy==2.4", requested=False)
    )
    assert may(env, wanted)


def test_an_upgrade_of_what_conda_has_may_be_given_up() -> None:
    env = environment(conda("numpy==1.26.4"), pins=("numpy 1.26.*",))
    assert may(env, plan(env, artifact("numpy==2.4")))


def test_a_collision_of_something_not_asked_for_may_go_away() -> None:
    env = environment(conda("PyJWT==2.8", modules=("jwt/__init__.py",)), conda("numpy==1.26.4"))
    steps = artifact("tool==1.0"), artifact("jwt==1.3", requested=False), artifact("numpy==2.0")
    assert may(env, plan(env, *steps))


def test_a_collision_of_what_may_be_held_may_go_away() -> None:
    env = environment(conda("PyJWT==2.8", modules=("jwt/__init__.py",)), conda("numpy==1.26.4"))
    assert may(env, plan(env, artifact("numpy==2.0", modules=("jwt/__init__.py",))))


@pytest.mark.parametrize(
    ("packages", "steps"),
    [
        ((pip("rich==13.6"),), (artifact("rich==13.7"),)),
        ((conda("numpy==1.26.4"),), (artifact("numpy==1.26.4"),)),
        ((conda("numpy==1.26.4"),), (removal("numpy"),)),
        (
            (conda("PyJWT==2.8", modules=("jwt/__init__.py",)), conda("numpy==1.26.4")),
            (artifact("jwt==1.3"), artifact("numpy==2.0", requested=False)),
        ),
        (
            (conda("a==1.0", "b<2"), pip("b==1.0"), conda("numpy==1.26.4")),
            (artifact("b==2.0"), artifact("numpy==2.0", requested=False)),
        ),
    ],
    ids=["nothing refused", "a reinstall", "a removal", "asked collision", "asked breakage"],
)
def test_holding_does_not_help_against_what_was_asked_for(
    packages: Sequence[Package], steps: Sequence[Step]
) -> None:
    env = environment(*packages)
    assert not may(env, plan(env, *steps))


@pytest.mark.parametrize("requested", ["numpy==1.25.2", "NumPy[x]>=2"])
def test_holding_does_not_help_where_a_bound_of_the_users_excludes_condas_version(
    requested: str,
) -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = plan(env, artifact("numpy==2.0"), requested=("rich>=1", requested))
    assert not may(env, wanted)


def test_holding_lifts_no_seal() -> None:
    env = environment(conda("numpy==1.26.4"), frozen="")
    assert not may(env, plan(env, artifact("numpy==2.0", requested=False)))


def test_holding_does_not_move_the_user_site() -> None:
    env = environment(conda("numpy==1.26.4"))
    assert not may(env, plan(env, artifact("numpy==2.0", requested=False), user_site=True))


def test_a_pin_on_what_is_not_condas_is_not_helped_by_holding() -> None:
    env = environment(conda("numpy==1.26.4"), pip("rich==13.6"), pins=("rich 13.*",))
    assert not may(env, plan(env, artifact("rich==14.0"), artifact("numpy==2.0")))


# ------------------------------------------------------------------------ what is held back


def test_the_reason_is_the_requirement_that_condas_version_does_not_meet() -> None:
    env = environment(conda("numpy==1.26.4"))
    first = plan(
        env,
        artifact("numpy==2.4.1", requested=False),
        artifact("opencv-python==4.13.0.90", "numpy>=2; python_version >= '3.9'"),
    )
    second = plan(env, artifact("opencv-python==4.11.0.86"))
    assert compare(env, first, second) == (
        HeldBack(
            "opencv-python",
            "4.13.0.90",
            "4.11.0.86",
            ("opencv-python 4.13.0.90 needs numpy>=2; numpy 1.26.4 is conda's",),
        ),
        HeldBack("numpy", "2.4.1", "1.26.4", ("numpy 1.26.4 is conda's",)),
    )


def test_a_reason_may_lie_further_down() -> None:
    env = environment(conda("thinc-base==8.1"))
    first = plan(
        env,
        artifact("spacy==3.7.5", "thinc>=8.2", "other"),
        artifact("thinc==8.2.5", "thinc-base>=8.2", "spacy", requested=False),
        artifact("other==1.0", requested=False),
    )
    second = plan(env, artifact("spacy==3.7.2"), artifact("other==1.0", requested=False))
    further = "thinc 8.2.5 needs thinc-base>=8.2; thinc-base 8.1 is conda's"
    assert compare(env, first, second) == (
        HeldBack(
            "spacy",
            "3.7.5",
            "3.7.2",
            (f"spacy 3.7.5 needs thinc>=8.2; {further}",),
        ),
        HeldBack(
            "thinc",
            "8.2.5",
            None,
            (further,),
        ),
    )


def test_a_reason_may_lie_in_what_was_chosen_instead() -> None:
    env = environment(conda("numpy==1.26.4"))
    first = plan(
        env,
        artifact("app==2.0", "numpy>=2"),
        artifact("helper==5.0", requested=False, needed_by=("app",)),
        artifact("extra==1.0", requested=False, needed_by=("app", "gone")),
        artifact("odd==1.0", requested=False),
    )
    second = plan(env, artifact("app==1.0", "helper<5"), artifact("helper==4.0", requested=False))
    assert compare(env, first, second)[1:] == (
        HeldBack("helper", "5.0", "4.0", ("app 1.0 needs helper<5",)),
        HeldBack("extra", "1.0", None, ("app 1.0 does not need it",)),
        HeldBack("odd", "1.0", None),
    )


def test_what_is_left_out_is_not_needed_whatever_it_needs_itself() -> None:
    env = environment(conda("typing==4.15"), conda("pydantic==1.10"))
    first = plan(
        env,
        artifact("api==2.0", "pydantic>=2"),
        artifact("pydantic==2.9", "core", requested=False, needed_by=("api",)),
        artifact("core==2.5", "typing>=4.16", requested=False, needed_by=("pydantic",)),
        artifact("kinds==1.0", requested=False, needed_by=("core",)),
    )
    second = plan(env, artifact("api==1.0"))
    assert compare(env, first, second)[2:] == (
        HeldBack("core", "2.5", None, ("conda's pydantic 1.10 does not need it",)),
        HeldBack("kinds", "1.0", None, ("core is left out, too",)),
    )


def test_what_stays_as_it_is_counts_as_chosen() -> None:
    env = environment(pip("tool==1.0"), conda("numpy==1.26.4"))
    first = plan(env, artifact("tool==2.0", "numpy>=2"), removal("numpy"))
    assert compare(env, first, plan(env)) == (
        HeldBack("tool", "2.0", "1.0", ("tool 2.0 needs numpy>=2; numpy 1.26.4 is conda's",)),
    )


def test_what_pip_may_take_over_is_no_reason() -> None:
    env = environment(conda("numpy==1.26.4"), conda("pandas==2.3.3"))
    numpy = artifact("numpy==2.4.1", requested=False)
    first = plan(env, artifact("pandas==3.1.1", "numpy>=2"), numpy)
    held, _ = compare(env, first, plan(env, artifact("pandas==3.0.6", "numpy>=1.26")))
    because = "pandas 3.1.1 needs numpy>=2; numpy 1.26.4 is conda's"
    assert held == HeldBack("pandas", "3.1.1", "3.0.6", (because,))


def test_what_both_plans_choose_is_not_held_back() -> None:
    env = environment(conda("numpy==1.26.4"))
    first = plan(env, artifact("rich==13.6"), artifact("numpy==1.26.4"))
    assert compare(env, first, plan(env, artifact("rich==13.6"))) == ()


# ------------------------------------------------------------------------- what goes too far


def one(version: str, source: Source = "wheel") -> Plan:
    return plan(environment(), artifact(f"app=={version}", source=source))


@pytest.mark.parametrize(
    ("newest", "chosen", "source"),
    [
        ("3.7.5", "3.7.2", "sdist"),
        ("3.7.5", "3.7.4rc1", "wheel"),
        ("3.7.5", "3.7.4.dev0", "wheel"),
        ("5.0", "3.9", "wheel"),
        ("1!1.0", "1.0", "wheel"),
        ("2.0", "odd", "wheel"),
    ],
)
def test_another_thing_than_was_asked_for_is_not_taken(
    newest: str, chosen: str, source: Source
) -> None:
    assert slides(one(newest), one(chosen, source), ()) == (HeldBack("app", newest, chosen),)


@pytest.mark.parametrize(
    ("newest", "chosen"), [("5.0.0.93", "4.11.0.86"), ("2.0rc2", "2.0rc1"), ("1.0", "1.0")]
)
def test_an_older_release_of_the_same_is_taken(newest: str, chosen: str) -> None:
    assert slides(one(newest), one(chosen), ("app",)) == ()


def test_what_had_no_wheel_before_may_have_none_again() -> None:
    assert slides(one("2.0", "sdist"), one("1.0", "sdist"), ()) == ()


def test_what_nobody_asked_for_may_be_anything() -> None:
    env = environment()
    first = plan(env, artifact("app==1.0"), artifact("lib==9.0", requested=False))
    second = plan(env, artifact("app==1.0"), artifact("lib==1.0", requested=False))
    assert slides(first, second, ("app",)) == ()


def test_somebody_who_asks_by_name_wants_something_to_happen() -> None:
    env = environment(conda("imagesize==1.0.0"))
    first = plan(env, artifact("imagesize==2.0.1"), artifact("new==1.0", requested=False))
    assert slides(first, plan(env), ("imagesize", "new", "met-already")) == (
        HeldBack("imagesize", "2.0.1", "1.0.0"),
        HeldBack("new", "1.0", None),
    )


def test_it_is_enough_that_something_of_it_happens() -> None:
    env = environment(conda("numpy==1.26.4"))
    first = plan(env, artifact("numpy==2.0"), artifact("rich==13.6"))
    assert slides(first, plan(env, artifact("rich==13.6")), ("numpy", "rich")) == ()


def test_a_file_whose_lines_are_all_met_is_satisfied_by_doing_nothing() -> None:
    env = environment(conda("numpy==1.26.4"), conda("pandas==2.1.4"))
    first = plan(env, artifact("pandas==3.1.1"), artifact("numpy==2.4.6"))
    assert slides(first, plan(env), named_in(("install", "-U", "-r", "r.txt"))) == ()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("install", "-U", "NumPy[x]>=1", "rich", "numpy"), ("numpy", "rich")),
        (("install", "-r", "numpy", "-c", "rich", "./project", "-e", "."), ()),
        ((), ()),
    ],
)
def test_names_on_the_command_line_are_told_from_files(
    arguments: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert named_in(arguments) == names
