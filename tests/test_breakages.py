"""Real breakages in small: what judging and holding conda's versions make of them together."""

from __future__ import annotations

from typing import Literal

from safepip.decisions.planning.keep import may_hold, named_in, slides
from safepip.values.environment import Environment
from safepip.values.plan import Plan
from tests.build import artifact, conda, environment, judged, pip, plan, removal

Verdict = Literal["clear", "kept", "block"]


def verdict(
    env: Environment, first: Plan, second: Plan | None, arguments: tuple[str, ...]
) -> Verdict:
    """What follows of a first plan, and of a second one where pip finds one."""
    judgement = judged(env, first)
    if not judgement.refuses:
        return "clear"
    if second is None or not may_hold(first, judgement.findings) or judged(env, second).refuses:
        return "block"
    return "block" if slides(first, second, named_in(arguments)) else "kept"


def test_a_line_of_a_requirements_file_that_conda_meets_is_kept() -> None:
    env = environment(conda("seaborn==0.10.1"))
    first = plan(env, artifact("seaborn==0.13.2"))
    assert verdict(env, first, plan(env), ("install", "-U", "-r", "r.txt")) == "kept"


def test_the_same_upgrade_asked_for_by_name_is_blocked() -> None:
    env = environment(conda("imagesize==1.0.0"))
    first = plan(env, artifact("imagesize==2.0.1"))
    assert verdict(env, first, plan(env), ("install", "-U", "imagesize")) == "block"


def test_the_newest_release_that_condas_versions_allow_is_kept() -> None:
    env = environment(conda("thinc==8.1.12"))
    first = plan(env, artifact("spacy==3.7.5"), artifact("thinc==8.2.5", requested=False))
    second = plan(env, artifact("spacy==3.7.2"))
    assert verdict(env, first, second, ("install", "spacy")) == "kept"


def test_an_exact_version_that_condas_versions_exclude_is_blocked() -> None:
    env = environment(conda("thinc==8.1.12"))
    first = plan(env, artifact("spacy==3.7.5"), artifact("thinc==8.2.5", requested=False))
    assert verdict(env, first, None, ("install", "spacy==3.7.5")) == "block"


def test_one_major_release_back_is_kept() -> None:
    env = environment(conda("numpy==1.26.4"), conda("scipy==1.13.1", "numpy<2.3,>=1.22.4"))
    first = plan(
        env, artifact("opencv-python==5.0.0.93"), artifact("numpy==2.4.6", requested=False)
    )
    second = plan(env, artifact("opencv-python==4.11.0.86"))
    assert verdict(env, first, second, ("install", "opencv-python")) == "kept"


def test_an_upgrade_whose_dependencies_alone_go_back_is_kept() -> None:
    env = environment(conda("requests==2.31.0"), is_base=True)
    name = "google-api-python-client"
    first = plan(
        env,
        artifact(f"{name}==2.180"),
        artifact("google-api-core==2.44.0", requested=False),
        artifact("requests==2.34.2", requested=False),
    )
    second = plan(
        env, artifact(f"{name}==2.180"), artifact("google-api-core==2.30.3", requested=False)
    )
    assert verdict(env, first, second, ("install", "--upgrade", name)) == "kept"


def test_a_project_of_the_users_own_is_kept_where_a_plan_exists() -> None:
    env = environment(conda("numpy==1.26.4"))
    mine = artifact("mine==0.1", source="editable")
    first = plan(env, mine, artifact("numpy==2.4.6", requested=False))
    answers = [
        verdict(env, first, second, ("install", "-e", ".")) for second in (plan(env, mine), None)
    ]
    assert answers == ["kept", "block"]


def test_a_forced_reinstall_is_blocked_at_the_same_versions_too() -> None:
    env = environment(conda("numpy==1.26.4"), conda("pandas==2.2.2"))
    first = plan(env, artifact("pandas==3.1.1"), artifact("numpy==2.4.6", requested=False))
    second = plan(env, artifact("pandas==2.2.2"), artifact("numpy==1.26.4", requested=False))
    assert verdict(env, first, second, ("install", "--ignore-installed", "pandas")) == "block"


def test_a_package_whose_metadata_contradicts_condas_own_bounds_cannot_be_helped() -> None:
    env = environment(conda("tensorboard==2.10.1", "protobuf<3.20"), conda("protobuf==4.21.12"))
    first = plan(env, artifact("protobuf==3.19.6", requested=False))
    assert verdict(env, first, None, ("install", "tensorboard")) == "block"


def test_what_was_broken_before_is_no_reason_to_block() -> None:
    env = environment(conda("clyent==1.2.2", "mock<1"), pip("mock==2.0"))
    first = plan(env, artifact("mock==3.0"), artifact("speclite==0.18"))
    assert verdict(env, first, None, ("install", "-U", "mock", "speclite")) == "clear"


def test_the_distribution_of_another_name_for_the_same_files_is_blocked() -> None:
    module = "tensorflow/__init__.py"
    env = environment(conda("tensorflow-gpu==2.10", modules=(module,)))
    first = plan(env, artifact("tensorflow==2.10", modules=(module,)))
    assert verdict(env, first, first, ("install", "tensorflow")) == "block"


def test_a_library_that_needs_what_conda_has_under_another_name_goes_in_alone() -> None:
    env = environment(conda("py-opencv==4.5.5", metadata="none", modules=("cv2/__init__.py",)))
    mine = artifact("libneedscv==1.0", "opencv-python", source="directory")
    first = plan(env, mine, ignores_dependencies=True)
    assert verdict(env, first, None, ("install", "--no-deps", ".")) == "clear"


def test_what_conda_put_there_is_not_uninstalled() -> None:
    env = environment(conda("pip==23.1.2"), pip("rich==13.6"))
    answers = [
        verdict(env, plan(env, removal(name)), None, ("uninstall", name))
        for name in ("pip", "rich")
    ]
    assert answers == ["block", "clear"]
