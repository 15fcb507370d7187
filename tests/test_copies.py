"""Copies of what is there already, under other names or in other folders."""

from __future__ import annotations

import pytest

from safepip.decisions.judging.judge import Judgement
from safepip.values.findings import SecondCopy, Shadows
from safepip.values.request import Policy
from tests.build import (
    SITE,
    USER_SITE,
    Package,
    artifact,
    conda,
    environment,
    in_user_site,
    interpreter,
    judged,
    pip,
    plan,
    removal,
)

SUFFIX = ".cpython-311-x86_64-linux-gnu.so"


def copies(judgement: Judgement) -> list[SecondCopy]:
    return [finding for finding in judgement.findings if isinstance(finding, SecondCopy)]


def hidden(judgement: Judgement) -> list[Shadows]:
    return [finding for finding in judgement.findings if isinstance(finding, Shadows)]


# ---------------------------------------------------------------------------- second copies


@pytest.mark.parametrize("path", [f"cv2{SUFFIX}", "cv2.abi3.so", "cv2.py", f"cv2/__init__{SUFFIX}"])
def test_a_module_that_conda_has_without_metadata_is_not_installed_again(path: str) -> None:
    env = environment(conda("opencv==4.1.1", metadata="none", modules=(path,)))
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py", "cv2/gapi/__init__.py"))
    assert judged(env, plan(env, new)) == Judgement(
        (
            SecondCopy(
                distribution="opencv-python",
                conda_package="opencv-4.1.1-py311_0",
                modules=("cv2",),
            ),
        )
    )


def test_a_package_of_conda_with_the_projects_name_and_modules_of_its_own_is_a_copy() -> None:
    env = environment(
        conda("ruamel_yaml==0.15", metadata="none", modules=("ruamel_yaml/__init__.py",))
    )
    new = artifact("ruamel.yaml==0.18", modules=("ruamel/yaml/__init__.py",))
    assert judged(env, plan(env, new)) == Judgement(
        (
            SecondCopy(
                distribution="ruamel-yaml",
                conda_package="ruamel-yaml-0.15-py311_0",
                modules=("ruamel_yaml",),
            ),
        )
    )


def test_a_package_of_conda_that_pip_sees_is_no_hidden_copy() -> None:
    env = environment(conda("PyYAML==6.0", modules=("yaml/__init__.py",)))
    new = artifact("other==1.0", modules=("yaml.py",))
    assert judged(env, plan(env, new)) == Judgement(())


@pytest.mark.parametrize(
    ("condas", "new", "module"),
    [
        ("fast/core.py", "fast/core/__init__.py", "fast.core"),
        ("fast/core.so", "fast/core/__init__.py", "fast.core"),
        (f"fast/core{SUFFIX}", f"fast/core/__init__{SUFFIX}", "fast.core"),
        ("fast/core.py", f"fast/core{SUFFIX}", "fast.core"),
        ("fast/core.so", "fast/core.abi3.so", "fast.core"),
        ("fast/__init__.py", "fast/__init__.abi3.so", "fast"),
        ("fast.py", f"fast{SUFFIX}", "fast"),
        ("fast.py", "fast/__init__.py", "fast"),
        ("a/b/c.py", "a/b/c/__init__.py", "a.b.c"),
    ],
)
def test_a_module_that_would_be_imported_in_place_of_condas_is_a_copy_however_deep(
    condas: str, new: str, module: str
) -> None:
    env = environment(conda("fast==1.0", modules=(condas,)))
    step = plan(env, artifact("plugin==1.0", modules=(new,)))
    assert copies(judged(env, step)) == [
        SecondCopy(distribution="plugin", conda_package="fast-1.0-py311_0", modules=(module,))
    ]
    assert not copies(judged(env, step, Policy(allow=("fast",))))
    # The other way round it is the new one that nobody imports.
    env = environment(conda("fast==1.0", modules=(new,)))
    assert not copies(judged(env, plan(env, artifact("plugin==1.0", modules=(condas,)))))


def test_a_package_of_condas_may_take_another_form_in_its_own_next_release() -> None:
    env = environment(conda("fast==1.0", modules=("fast/core.py",)))
    step = plan(env, artifact("fast==2.0", modules=("fast/core/__init__.py",)))
    assert not copies(judged(env, step))


def test_a_namespace_is_shared_and_no_copy() -> None:
    env = environment(conda("google-c==1.0", metadata="none", modules=("google/c/__init__.py",)))
    new = artifact("google-auth==1.0", modules=("google/auth/__init__.py",))
    assert judged(env, plan(env, new)) == Judgement(())


def test_what_is_there_already_is_upgraded_and_no_new_copy() -> None:
    env = environment(
        pip("opencv-python==4.8"), conda("opencv==4.1.1", metadata="none", modules=("cv2.so",))
    )
    there = (f"{SITE}/cv2{SUFFIX}",)
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py",), removes=there)
    assert judged(env, plan(env, new)) == Judgement(())
    # What the installed release does not hide is judged in an upgrade, too.
    there = (f"{SITE}/other.py",)
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py",), removes=there)
    assert [copy.modules for copy in copies(judged(env, plan(env, new)))] == [("cv2",)]


def test_a_copy_of_what_the_user_gives_away_is_fine() -> None:
    env = environment(conda("opencv==4.1.1", metadata="none", modules=("cv2.so",)))
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py",))
    assert judged(env, plan(env, new), Policy(allow=("opencv",))) == Judgement(())


def test_a_copy_elsewhere_is_no_copy_here() -> None:
    env = environment(conda("opencv==4.1.1", metadata="none", modules=("cv2.so",)))
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py",))
    assert judged(env, plan(env, new, elsewhere="/elsewhere")) == Judgement(())


@pytest.mark.parametrize(
    ("platform", "ending"),
    [("darwin", ".cpython-311-darwin.so"), ("win32", ".cp311-win_amd64.pyd")],
)
def test_extension_modules_are_known_by_the_names_of_their_platform(
    platform: str, ending: str
) -> None:
    markers = {"sys_platform": platform, "platform_machine": "AMD64"}
    env = environment(
        conda("opencv==4.1.1", metadata="none", modules=(f"cv2{ending}",)),
        interpreter=interpreter(markers=markers),
    )
    new = artifact("opencv-python==4.9", modules=("cv2/__init__.py",))
    assert [finding.modules for finding in copies(judged(env, plan(env, new)))] == [("cv2",)]


# ------------------------------------------------------------------------------ the user site


@pytest.mark.parametrize(
    "package",
    [conda("numpy==1.26.4"), conda("numpy==1.26.4", metadata="none", modules=("numpy.py",))],
)
def test_nothing_of_condas_is_hidden_by_a_copy_in_the_user_site(package: Package) -> None:
    env = environment(package)
    assert judged(env, plan(env, artifact("numpy==1.25"), user_site=True)) == Judgement(
        (
            Shadows(
                distribution="numpy",
                path=USER_SITE,
                version="1.25",
                conda_package="numpy-1.26.4-py311_0",
            ),
        )
    )


def test_what_hides_nothing_in_the_user_site_is_one_note() -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = plan(env, artifact("one==1.0"), artifact("two==1.0"), user_site=True)
    assert judged(env, wanted) == Judgement((Shadows(severity="note", path=USER_SITE),))


def test_what_the_user_gives_away_may_be_hidden() -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = plan(env, artifact("numpy==1.25"), user_site=True)
    assert [
        finding.severity for finding in hidden(judged(env, wanted, Policy(allow=("numpy",))))
    ] == ["note"]


# --------------------------------------------------------------------------- existing copies

HIDING = Shadows(
    severity="note",
    distribution="numpy",
    path=USER_SITE,
    version="1.25.2",
    conda_package="numpy-1.26.4-py311_0",
)


@pytest.mark.parametrize("line", ["numpy<2,>=1.23", "numpy"])
def test_a_copy_that_hides_condas_is_told_where_the_plan_counts_on_it(line: str) -> None:
    env = environment(in_user_site("numpy==1.25.2"), conda("numpy==1.26.4"))
    assert judged(env, plan(env, artifact("pandas==2.1.4", line))) == Judgement((HIDING,))


@pytest.mark.parametrize("asked", ["numpy", "pandas", "Pandas>=2"])
def test_a_copy_that_hides_condas_is_told_where_the_user_asks_for_what_is_met(asked: str) -> None:
    env = environment(
        in_user_site("numpy==1.25.2"), conda("numpy==1.26.4"), conda("pandas==2.2", "numpy")
    )
    assert judged(env, plan(env), asked=(asked,)) == Judgement((HIDING,))


def test_what_is_met_only_in_the_user_site_is_told() -> None:
    env = environment(in_user_site("xxx==1.0"))
    assert judged(env, plan(env), asked=("xxx",)) == Judgement(
        (Shadows(severity="note", distribution="xxx", path=USER_SITE, version="1.0"),)
    )


def test_a_copy_on_the_path_that_hides_condas_is_told() -> None:
    copy = pip("numpy==1.0", location="/opt/ros/python", outside=True)
    env = environment(copy, conda("numpy==1.26.4"))
    assert judged(env, plan(env), asked=("numpy",)) == Judgement(
        (
            Shadows(
                severity="note",
                distribution="numpy",
                path="/opt/ros/python",
                version="1.0",
                conda_package="numpy-1.26.4-py311_0",
                reason="path",
            ),
        )
    )


def test_a_project_of_the_users_own_on_the_path_hides_nothing() -> None:
    env = environment(pip("mine==1.0", location="/home/ada/mine", outside=True))
    assert judged(env, plan(env), asked=("mine",)) == Judgement(())


def test_a_copy_that_has_nothing_to_do_with_the_plan_is_not_told() -> None:
    env = environment(in_user_site("numpy==1.25.2"), conda("numpy==1.26.4"))
    assert judged(env, plan(env, artifact("rich==13.6"))) == Judgement(())


def test_a_copy_that_the_plan_takes_away_is_not_told() -> None:
    env = environment(in_user_site("numpy==1.25.2"), conda("numpy==1.26.4"))
    assert judged(env, plan(env, removal("numpy"))) == Judgement(())


# --------------------------------------------------------------------- the standard library


def test_a_new_module_named_like_one_of_the_standard_library_is_told() -> None:
    env = environment()
    new = artifact("enum34==1.1.10", modules=("enum/__init__.py", "enum/re.py"))
    assert judged(env, plan(env, new)) == Judgement(
        (
            Shadows(
                severity="note",
                distribution="enum34",
                path=f"{SITE}/enum",
                version="1.1.10",
                reason="stdlib",
            ),
        )
    )


def test_a_module_named_like_one_of_the_standard_library_is_told_only_when_new() -> None:
    env = environment(pip("enum34==1.0"))
    new = artifact("enum34==1.1.10", modules=("enum/__init__.py",))
    assert judged(env, plan(env, new)) == Judgement(())
