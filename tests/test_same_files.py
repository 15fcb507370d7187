"""What a plan writes over, or takes away from, conda's packages."""

from __future__ import annotations

import pytest

from safepip.decisions.judging.judge import Judgement, judge
from safepip.values.findings import SameFiles
from safepip.values.plan import Landing
from safepip.values.request import Policy
from tests.build import (
    LIBRARY,
    PREFIX,
    SITE,
    artifact,
    conda,
    environment,
    judged,
    landings,
    pip,
    plan,
    removal,
)


def files(judgement: Judgement) -> list[SameFiles]:
    return [finding for finding in judgement.findings if isinstance(finding, SameFiles)]


def test_two_projects_with_the_same_module_collide() -> None:
    env = environment(conda("PyJWT==2.8.0", modules=("jwt/__init__.py", "jwt/utils.py")))
    new = artifact("jwt==1.3.1", modules=("jwt/utils.py", "jwt/__init__.py", "jwt/jwk.py"))
    assert judged(env, plan(env, new)) == Judgement(
        (
            SameFiles(
                distribution="jwt",
                conda_package="pyjwt-2.8.0-py311_0",
                paths=(f"{LIBRARY}/jwt/__init__.py", f"{LIBRARY}/jwt/utils.py"),
            ),
        )
    )


def test_a_command_of_conda_is_not_replaced() -> None:
    env = environment(conda("cmake==3.27", metadata="none", modules=(), files=("bin/cmake",)))
    assert judged(env, plan(env, artifact("cmake==3.25.0", scripts=("cmake",)))) == Judgement(
        (
            SameFiles(
                distribution="cmake",
                conda_package="cmake-3.27-py311_0",
                paths=("bin/cmake",),
                reason="scripts",
            ),
        )
    )


def test_data_lands_anywhere_in_the_prefix() -> None:
    env = environment(conda("tbb==2021", metadata="none", modules=(), files=("lib/libtbb.so.12",)))
    wanted = plan(env, artifact("tbb==2023.2.0", modules=(), data=("lib/libtbb.so.12",)))
    assert files(judged(env, wanted)) == [
        SameFiles(distribution="tbb", conda_package="tbb-2021-py311_0", paths=("lib/libtbb.so.12",))
    ]


def test_equal_names_without_a_common_file_do_not_collide() -> None:
    env = environment(conda("graphviz==2.50.0", metadata="none", modules=(), files=("bin/dot",)))
    assert judged(env, plan(env, artifact("graphviz==0.20.3"))) == Judgement(())


def test_a_file_that_conda_lost_cannot_be_written_over() -> None:
    env = environment(conda("black==19.3", modules=("black.py",)))
    wanted = plan(env, artifact("other==1.0", modules=("black.py",)))
    assert judge(env, wanted, Policy(), {}) == Judgement(())


def test_equal_bytes_are_left_as_they_are() -> None:
    env = environment(conda("backports==1.0", modules=("backports/__init__.py",)))
    wanted = plan(env, artifact("other==1.0", modules=("backports/__init__.py", "backports/x.py")))
    found = landings(env, wanted, same=(f"{LIBRARY}/backports/__init__.py",))
    assert judge(env, wanted, Policy(), found) == Judgement((), (f"{SITE}/backports/__init__.py",))


@pytest.mark.parametrize(
    "path", ["tests/__init__.py", "docs/conf.py", "LICENSE", "README.md", "Licence.txt", "setup.py"]
)
def test_what_no_one_imports_is_a_note_and_conda_keeps_its_copy(path: str) -> None:
    env = environment(conda("starfile==0.4.11", modules=(path,)))
    wanted = plan(env, artifact("magicgui==0.3.4", modules=("magicgui/__init__.py", path)))
    assert judged(env, wanted) == Judgement(
        (
            SameFiles(
                severity="note",
                distribution="magicgui",
                conda_package="starfile-0.4.11-py311_0",
                paths=(f"{LIBRARY}/{path}",),
                reason="stray",
            ),
        ),
        (f"{SITE}/{path}",),
    )


def test_strictly_what_no_one_imports_refuses_too() -> None:
    env = environment(conda("starfile==0.4.11", modules=("tests/__init__.py",)))
    wanted = plan(env, artifact("magicgui==0.3.4", modules=("tests/__init__.py",)))
    assert judged(env, wanted, Policy(strict=True)) == Judgement(
        (
            SameFiles(
                distribution="magicgui",
                conda_package="starfile-0.4.11-py311_0",
                paths=(f"{LIBRARY}/tests/__init__.py",),
                reason="stray",
            ),
        )
    )


@pytest.mark.parametrize("path", ["license.py", "news/__init__.py", "pkg/tests/__init__.py"])
def test_a_module_is_not_stray_because_of_its_name(path: str) -> None:
    env = environment(conda("one==1.0", modules=(path,)))
    wanted = plan(env, artifact("two==1.0", modules=(path,)))
    assert [finding.reason for finding in files(judged(env, wanted))] == ["files"]


def test_one_init_serves_all_parts_of_an_old_style_namespace() -> None:
    init = "backports/__init__.py"
    env = environment(conda("backports==1.0", modules=(init,)))
    wanted = plan(env, artifact("backports.zoneinfo==0.2", modules=(init, "backports/zoneinfo.py")))
    assert judged(env, wanted) == Judgement(
        (
            SameFiles(
                severity="note",
                distribution="backports-zoneinfo",
                conda_package="backports-1.0-py311_0",
                paths=(f"{LIBRARY}/{init}",),
                reason="namespace",
            ),
        ),
        (f"{SITE}/{init}",),
    )


def test_the_init_of_a_package_with_modules_of_its_own_is_no_namespace() -> None:
    init = "jwt/__init__.py"
    env = environment(conda("PyJWT==2.8.0", modules=(init, "jwt/utils.py")))
    wanted = plan(env, artifact("jwt-extras==0.2", modules=(init, "jwt/extras.py")))
    assert [finding.reason for finding in files(judged(env, wanted))] == ["files"]


def test_a_folder_that_both_share_without_a_common_file_is_fine() -> None:
    env = environment(conda("google-auth==2.0", modules=("google/auth/__init__.py",)))
    wanted = plan(env, artifact("google-cloud==1.0", modules=("google/cloud/__init__.py",)))
    assert judged(env, wanted) == Judgement(())


def test_bytecode_shares_the_fate_of_its_source() -> None:
    source, bytecode = "jwt/__init__.py", "jwt/__pycache__/__init__.cpython-311.pyc"
    env = environment(conda("PyJWT==2.8.0", modules=(source, bytecode)))
    wanted = plan(env, artifact("jwt==1.3.1", modules=(source,), bytecode=(bytecode,)))
    refused = judged(env, wanted)
    spared = judge(env, wanted, Policy(), landings(env, wanted, same=(f"{LIBRARY}/{source}",)))
    assert ([finding.paths for finding in files(refused)], files(spared), spared.spared) == (
        [(f"{LIBRARY}/{source}",)],
        [],
        (f"{SITE}/{source}",),
    )


def test_bytecode_of_a_source_that_is_not_there_counts_by_itself() -> None:
    bytecode = "jwt/__pycache__/old.cpython-311.pyc"
    env = environment(conda("PyJWT==2.8.0", modules=(bytecode,)))
    wanted = plan(env, artifact("jwt==1.3.1", modules=("jwt/old.py",), bytecode=(bytecode,)))
    assert [finding.paths for finding in files(judged(env, wanted))] == [(f"{LIBRARY}/{bytecode}",)]


# --------------------------------------------------------------------------- linked folders


def test_writing_through_a_link_onto_a_file_of_conda_is_refused() -> None:
    env = environment(conda("one==1.0", modules=("real/a.py",)))
    wanted = plan(env, artifact("two==1.0", modules=("link/a.py",)))
    found = landings(env, wanted, links={f"{SITE}/link": f"{SITE}/real"})
    assert judge(env, wanted, Policy(), found).findings == (
        SameFiles(
            distribution="two",
            conda_package="one-1.0-py311_0",
            paths=(f"{LIBRARY}/link/a.py",),
            reason="link",
        ),
    )


@pytest.mark.parametrize(
    ("target", "package"),
    [
        ("/opt/conda/pkgs/one-1.0-py311_0/lib/data", "one-1.0-py311_0"),
        ("/opt/conda/pkgs/other-3.0-0/lib", "other-3.0-0"),
        ("/cache/one-1.0-py311_0", "one-1.0-py311_0"),
    ],
)
def test_writing_through_a_link_into_the_cache_of_packages_is_refused(
    target: str, package: str
) -> None:
    env = environment(conda("one==1.0"))
    wanted = plan(env, artifact("two==1.0", modules=("link/a.py",)))
    found = landings(env, wanted, links={f"{SITE}/link": target})
    assert [f.conda_package for f in files(judge(env, wanted, Policy(), found))] == [package]


@pytest.mark.parametrize("target", ["/home/ada/mine/two", "/home/ada/pkgs", f"{SITE}/elsewhere"])
def test_writing_through_a_link_of_the_users_own_is_fine(target: str) -> None:
    env = environment(conda("one==1.0"))
    wanted = plan(env, artifact("two==1.0", modules=("link",)))
    found = {f"{SITE}/link": Landing(f"{SITE}/link", target)}
    assert judge(env, wanted, Policy(), found) == Judgement(())


# ------------------------------------------------------------------------- what is given away


def test_a_record_that_the_user_gives_away_may_be_written_over() -> None:
    env = environment(conda("PyJWT==2.8.0", name="pyjwt", modules=("jwt/__init__.py",)))
    wanted = plan(env, artifact("jwt==1.3.1"))
    note = SameFiles(
        severity="note",
        distribution="jwt",
        conda_package="pyjwt-2.8.0-py311_0",
        paths=(f"{LIBRARY}/jwt/__init__.py",),
        reason="given",
    )
    assert judged(env, wanted, Policy(allow=("PyJWT",))) == Judgement((note,))


def test_giving_one_distribution_away_gives_no_files_of_others() -> None:
    env = environment(
        conda("shared-a==1.0", modules=("ns/a.py",)), conda("shared-b==1.0", modules=("ns/b.py",))
    )
    wanted = plan(env, artifact("shared-a==2.0", modules=("ns/a.py", "ns/b.py")))
    assert files(judged(env, wanted, Policy(allow=("shared-a",)))) == [
        SameFiles(
            distribution="shared-a",
            conda_package="shared-b-1.0-py311_0",
            paths=(f"{LIBRARY}/ns/b.py",),
        )
    ]


def test_a_path_of_two_packages_is_refused_when_only_one_is_given_away() -> None:
    env = environment(
        conda("one==1.0", modules=("both.py",)), conda("two==1.0", modules=("both.py",))
    )
    wanted = plan(env, artifact("three==1.0", modules=("both.py",)))
    found = files(judged(env, wanted, Policy(allow=("one",))))
    assert [(f.conda_package, f.severity) for f in found] == [
        ("two-1.0-py311_0", "refuse"),
        ("one-1.0-py311_0", "note"),
    ]


# -------------------------------------------------------------------------------- removals


def test_uninstalling_an_old_version_may_not_take_another_packages_files_along() -> None:
    env = environment(pip("sharedns==1.0"), conda("shared-b==1.0", modules=("sharedns/b.py",)))
    wanted = plan(env, artifact("sharedns==2.0", removes=(f"{SITE}/sharedns",)))
    assert judged(env, wanted) == Judgement(
        (
            SameFiles(
                distribution="sharedns",
                conda_package="shared-b-1.0-py311_0",
                paths=(f"{LIBRARY}/sharedns/b.py",),
                reason="removal",
            ),
        )
    )


def test_a_command_that_conda_owns_is_kept_by_an_uninstall() -> None:
    env = environment(
        pip("toolx==1.0"), conda("toolx-c==1.0", metadata="none", modules=(), files=("bin/toolx",))
    )
    wanted = plan(env, removal("toolx", removes=(f"{PREFIX}/bin/toolx", f"{SITE}/toolx/a.py")))
    assert judged(env, wanted) == Judgement(
        (
            SameFiles(
                severity="note",
                distribution="toolx",
                conda_package="toolx-c-1.0-py311_0",
                paths=("bin/toolx",),
                reason="removal",
            ),
        ),
        (f"{PREFIX}/bin/toolx",),
    )


def test_removing_the_copy_that_is_not_condas_keeps_the_files_that_both_list() -> None:
    env = environment(pip("wheel==0.40.0"), conda("wheel==0.42.0"))
    wanted = plan(env, removal("wheel"))
    assert files(judged(env, wanted)) == [
        SameFiles(
            severity="note",
            distribution="wheel",
            conda_package="wheel-0.42.0-py311_0",
            paths=(f"{LIBRARY}/wheel/__init__.py",),
            reason="removal",
        )
    ]


def test_an_upgrade_keeps_the_stray_files_that_its_old_version_shares_with_conda() -> None:
    env = environment(conda("starfile==0.4", modules=("tests/a.py",)), pip("magicgui==0.3"))
    wanted = plan(env, artifact("magicgui==0.4", removes=(f"{SITE}/tests/a.py",)))
    assert judged(env, wanted) == Judgement(
        (
            SameFiles(
                severity="note",
                distribution="magicgui",
                conda_package="starfile-0.4-py311_0",
                paths=(f"{LIBRARY}/tests/a.py",),
                reason="stray",
            ),
        ),
        (f"{SITE}/tests/a.py",),
    )


def test_what_lies_outside_the_prefix_is_not_condas() -> None:
    env = environment(pip("tool==1.0"), conda("one==1.0"))
    assert judged(env, plan(env, removal("tool", removes=("/outside.txt",)))) == Judgement(())
