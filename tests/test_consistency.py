"""Whether everybody has what it requires, before a plan and after it."""

from __future__ import annotations

import pytest

from safepip.decisions.judging.judge import Judgement
from safepip.values.findings import Breaks, Finding, Unmet
from safepip.values.request import Policy
from tests.build import (
    artifact,
    conda,
    environment,
    in_user_site,
    judged,
    pip,
    plan,
    removal,
)


def of_requirements(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if isinstance(finding, Breaks | Unmet)]


# ------------------------------------------------------------------- what stays


def test_what_stays_keeps_what_it_requires() -> None:
    env = environment(conda("requests==2.31.0", "idna<3.5,>=2.5"), pip("idna==3.4"))
    assert judged(env, plan(env, artifact("idna==3.6"))) == Judgement(
        (
            Breaks(
                distribution="requests",
                requirement="idna<3.5,>=2.5",
                changed="idna",
                before="3.4",
                after="3.6",
            ),
        )
    )


def test_what_stays_is_not_left_without_what_it_requires() -> None:
    env = environment(pip("torchvision==0.17", "torch==2.2"), pip("torch==2.2"))
    assert judged(env, plan(env, removal("torch"))) == Judgement(
        (
            Breaks(
                distribution="torchvision",
                requirement="torch==2.2",
                changed="torch",
                before="2.2",
                after=None,
            ),
        )
    )


def test_what_is_removed_along_with_it_needs_nothing_any_more() -> None:
    env = environment(pip("torchvision==0.17", "torch==2.2"), pip("torch==2.2"))
    assert judged(env, plan(env, removal("torch"), removal("torchvision"))) == Judgement(())


def test_what_is_replaced_along_with_it_brings_its_own_requirements() -> None:
    env = environment(pip("tool==1.0", "idna<3.5"), pip("idna==3.4"))
    wanted = plan(env, artifact("tool==2.0", "idna>=3.5"), artifact("idna==3.6"))
    assert judged(env, wanted) == Judgement(())


def test_what_was_not_met_before_is_not_blamed_on_the_plan() -> None:
    env = environment(pip("clyent==1.2.2", "mock<1", "absent"), pip("mock==2.0"))
    assert judged(env, plan(env, artifact("mock==3.0"))) == Judgement(())


@pytest.mark.parametrize(
    "line",
    [
        "idna<3.5; python_version < '3'",
        "idna<3.5; extra == 'old'",
        "idna (<3.5) ; this is no marker",
        "idna<3.5; implementation_name ~= '1'",
        "idna @ https://example.org/idna.zip",
        "idna",
    ],
)
def test_a_line_that_does_not_count_breaks_nothing(line: str) -> None:
    env = environment(pip("tool==1.0", line), pip("idna==3.4"))
    assert judged(env, plan(env, artifact("idna==3.6"))) == Judgement(())


def test_an_extra_counts_where_somebody_asks_for_it() -> None:
    env = environment(
        pip("app==1.0", "tool[Old_Idna]"),
        pip("tool==1.0", "idna<3.5; extra == 'old-idna'"),
        pip("idna==3.4"),
    )
    assert judged(env, plan(env, artifact("idna==3.6"))) == Judgement(
        (
            Breaks(
                distribution="tool",
                requirement="idna<3.5",
                changed="idna",
                before="3.4",
                after="3.6",
            ),
        )
    )


def test_a_prerelease_satisfies_as_for_pip_check() -> None:
    env = environment(pip("tool==1.0", "idna>=3"), pip("idna==3.4"))
    assert judged(env, plan(env, artifact("idna==4.0rc1"))) == Judgement(())


def test_condas_copy_is_what_counts_where_another_hides_it() -> None:
    env = environment(
        in_user_site("numpy==2.1"), conda("numpy==1.26.4"), conda("pandas==2.2", "numpy<2")
    )
    assert of_requirements(judged(env, plan(env, removal("numpy")))) == []


def test_with_the_only_copy_gone_its_requirer_breaks_though_a_prefix_elsewhere_gets_it() -> None:
    env = environment(pip("app==1.0", "labdep"), pip("labdep==2.0"))
    wanted = plan(env, artifact("labdep==1.0"), elsewhere="/elsewhere")
    assert of_requirements(judged(env, wanted)) == [
        Breaks(distribution="app", requirement="labdep", changed="labdep", before="2.0", after=None)
    ]


def test_allowing_a_takeover_allows_no_breakage() -> None:
    env = environment(conda("numpy==1.26.4"), conda("pandas==2.2", "numpy<2"))
    wanted = plan(env, artifact("numpy==2.0"))
    assert of_requirements(judged(env, wanted, Policy(allow=("numpy",)))) == [
        Breaks(
            distribution="pandas",
            requirement="numpy<2",
            changed="numpy",
            before="1.26.4",
            after="2.0",
        )
    ]


# ------------------------------------------------------------------- what comes


def test_a_planned_distribution_has_what_it_requires() -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = plan(env, artifact("tool==1.0", "numpy>=2", "absent"))
    assert judged(env, wanted) == Judgement(
        (
            Unmet(distribution="tool", requirement="numpy>=2", found="1.26.4"),
            Unmet(distribution="tool", requirement="absent", found=None),
        )
    )


def test_what_the_plan_brings_along_counts() -> None:
    env = environment()
    wanted = plan(env, artifact("tool==1.0", "absent>=2"), artifact("absent==2.0"))
    assert judged(env, wanted) == Judgement(())


def test_without_dependencies_what_is_unmet_is_a_note() -> None:
    env = environment(
        conda("py-opencv==4.5.5", metadata="none", modules=("cv2/__init__.py",)),
        conda("opencv-doc==4.5.5", metadata="none", modules=(), files=("share/opencv.txt",)),
    )
    wanted = plan(env, artifact("libneedscv==1.0", "opencv-python"), ignores_dependencies=True)
    assert judged(env, wanted) == Judgement(
        (
            Unmet(
                severity="note",
                distribution="libneedscv",
                requirement="opencv-python",
                found=None,
                provided_by="py-opencv-4.5.5-py311_0",
            ),
        )
    )


def test_a_module_of_the_required_name_is_found_in_any_package_of_conda() -> None:
    env = environment(conda("PyYAML==6.0", modules=("yaml/__init__.py",)))
    wanted = plan(env, artifact("tool==1.0", "yaml"), ignores_dependencies=True)
    assert [f.provided_by for f in judged(env, wanted).findings if isinstance(f, Unmet)] == [
        "pyyaml-6.0-py311_0"
    ]


def test_requirements_of_the_extras_that_the_user_asked_for_count() -> None:
    env = environment()
    wanted = plan(env, artifact("tool==1.0", "absent; extra == 'all'", extras=("all",)))
    assert judged(env, wanted) == Judgement(
        (Unmet(distribution="tool", requirement="absent", found=None),)
    )


def test_a_copy_that_hides_condas_does_not_satisfy_for_it() -> None:
    env = environment(in_user_site("numpy==1.25.2"), conda("numpy==1.26.4"))
    wanted = plan(env, artifact("tool==1.0", "numpy<1.26"))
    assert of_requirements(judged(env, wanted)) == [
        Unmet(distribution="tool", requirement="numpy<1.26", found="1.26.4")
    ]


def test_an_extra_that_nobody_asks_for_any_more_needs_nothing() -> None:
    there = (pip("host==1", "engine<2; extra == 'fast'"), pip("app==1", "host[fast]"))
    env = environment(*there, pip("engine==1"))
    newer = (artifact("app==2", "host", "engine>=2"), artifact("engine==2", requested=False))
    assert judged(env, plan(env, removal("app"), removal("engine"))) == Judgement(())
    assert judged(env, plan(env, *newer)) == Judgement(())
    env = environment(*there, pip("engine==1"), pip("other==1", "host[fast]"))
    assert [f.kind for f in judged(env, plan(env, *newer)).findings] == ["breaks"]
