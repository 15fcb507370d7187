"""The ways out of a refusal: each command as it is printed, and that it is not refused again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.fixing.again import again
from safepip.decisions.fixing.channels import channels_of
from safepip.decisions.fixing.commands import changed_words
from safepip.decisions.fixing.fixes import fixes_for
from safepip.decisions.fixing.shell import CondaVerb, Shell, shell_in
from safepip.decisions.fixing.solvers_answer import with_answer
from safepip.values.channel import Answer, Moved
from safepip.values.environment import Environment, Manager, Record
from safepip.values.findings import Finding, Unmet
from safepip.values.plan import Plan
from safepip.values.request import Policy
from safepip.values.retry import Retry
from safepip.values.universe import Freed
from safepip.values.verdict import Fix, HeldBack
from tests.build import (
    PREFIX,
    Step,
    artifact,
    conda,
    environment,
    interpreter,
    judged,
    pip,
    plan,
    removal,
)

PIXI_VERBS: tuple[CondaVerb, ...] = ("install", "reinstall", "remove")
OPENCV = artifact("opencv-python==4.13.0.90", "numpy>=2", modules=["cv2_new.py"])
CV2 = artifact("opencv-python==4.13.0.90", modules=["cv2/__init__.py"])
NUMPY_2 = artifact("numpy==2.4.1", requested=False, needed_by=("opencv-python",))
LACKS = "; conda's scipy 1.11.4 then lacks what it needs"
FITS = (HeldBack("opencv-python", "4.13.0.90", "4.11.0.86"),)


def lab(**facts: Any) -> Environment:
    return environment(
        conda("numpy==1.26.4"),
        conda("scipy==1.11.4", depends=["numpy >=1.26,<2"]),
        conda("protobuf==4.25.3"),
        conda("opencv==4.9.0", name="py-opencv", metadata="none", modules=["cv2/__init__.py"]),
        pip("rich==13.6"),
        pip("textual==0.40", "rich<14"),
        **facts,
    )


def fixes(
    wanted: Plan,
    *arguments: str,
    env: Environment | None = None,
    kept: tuple[HeldBack, ...] | None = None,
    policy: Policy | None = None,
    verb: str = "",
    **more: Any,
) -> tuple[Fix, ...]:
    """The fixes for a plan that the real judge refuses."""
    env = env or lab()
    findings = judged(env, wanted, policy).findings
    verb = verb or arguments[0]
    return fixes_for(env, verb, arguments, wanted, findings, kept, policy=policy, **more)


def of(*steps: Step, env: Environment | None = None, **facts: Any) -> Plan:
    return plan(env or lab(), *steps, **facts)


# --------------------------------------------------------------------------- what conda owns


def test_the_last_resort_stays_whatever_comes_before_it() -> None:
    first = tuple(Fix(f"conda install part{number}", "") for number in range(4))
    found = fixes(of(OPENCV, NUMPY_2), "install", "opencv-python", first=first)
    assert found[:3] == first[:3]
    assert found[3:] == (
        Fix(
            "safepip install --allow numpy opencv-python",
            f"replace conda's numpy on purpose{LACKS}",
        ),
    )


def test_a_version_that_fits_comes_before_conda_and_before_allowing() -> None:
    assert fixes(of(OPENCV, NUMPY_2), "install", "opencv-python==4.13.0.90", kept=FITS) == (
        Fix(
            "safepip install opencv-python==4.11.0.86",
            "take the newest that fits conda's versions, opencv-python 4.11.0.86, "
            "though you ask for ==4.13.0.90",
        ),
        Fix(
            f'conda install -p {PREFIX} "numpy>=2" && safepip install opencv-python==4.13.0.90',
            "let conda change numpy first, if it can (unchecked)",
        ),
        Fix(
            "safepip install --allow numpy opencv-python==4.13.0.90",
            f"replace conda's numpy on purpose{LACKS}",
        ),
    )


@pytest.mark.parametrize(
    ("given_as", "command"),
    [
        (("opencv-python",), "safepip install opencv-python==4.11.0.86"),
        (("OpenCV_Python[x]>4",), 'safepip install "OpenCV_Python[x]==4.11.0.86"'),
        (
            ("opencv-python>4; python_version > '3'",),
            """safepip install 'opencv-python==4.11.0.86; python_version > "3"'""",
        ),
        (
            ("-U", "--upgrade-strategy", "eager", "opencv-python"),
            "safepip install -U --upgrade-strategy eager opencv-python==4.11.0.86",
        ),
        (("-rdev.txt",), "safepip install -rdev.txt opencv-python==4.11.0.86"),
        (
            ("-r", "opencv-python", "x"),
            "safepip install -r opencv-python x opencv-python==4.11.0.86",
        ),
        (
            ("--find-l", "opencv-python", "--pre", "opencv-python"),
            "safepip install --find-l opencv-python --pre opencv-python==4.11.0.86",
        ),
        (("-qf", "opencv-python", "--", "opencv-python"), None),
        (("my dir/pkg",), 'safepip install "my dir/pkg" opencv-python==4.11.0.86'),
        (("pkg @ file:///a b",), 'safepip install "pkg @ file:///a b" opencv-python==4.11.0.86'),
    ],
)
def test_a_version_is_asked_for_in_the_users_own_words(
    given_as: tuple[str, ...], command: str | None
) -> None:
    expected = command or "safepip install -qf opencv-python -- opencv-python==4.11.0.86"
    assert fixes(of(OPENCV, NUMPY_2), "install", *given_as, kept=FITS)[0].command == expected


def test_what_is_held_at_conda_s_version_is_no_way_out() -> None:
    wanted = of(artifact("numpy==2.4.1"))
    held = (HeldBack("numpy", "2.4.1", "1.26.4"), HeldBack("rich", "14", None))
    assert fixes(wanted, "install", "-U", "numpy", kept=held) == (
        Fix(f"conda update -p {PREFIX} numpy", "let conda change numpy, if it can (unchecked)"),
        Fix("safepip install --allow numpy -U numpy", f"replace conda's numpy on purpose{LACKS}"),
    )


def test_bounds_that_the_user_gave_are_conda_s_too() -> None:
    found = fixes(of(artifact("numpy==1.17")), "install", "numpy==1.17.*,!=1.17.2", "rich")
    assert found[0] == Fix(
        f"conda install -p {PREFIX} 'numpy!=1.17.2,1.17.*' && safepip install rich",
        "let conda change numpy first, if it can (unchecked)",
    )


@pytest.mark.parametrize(
    ("requires", "command"),
    [
        (["numpy>=2", "numpy>=2.1,<3", "numpy<4"], f'conda install -p {PREFIX} "numpy>=2.1,<3"'),
        (["numpy==2.4.*"], f"conda install -p {PREFIX} numpy=2.4"),
        (["numpy~=2.4"], f'conda install -p {PREFIX} "numpy~=2.4"'),
        (["numpy===2.4.1"], f"conda install -p {PREFIX} numpy==2.4.1"),
        (["numpy>=2,===2.4.1"], f"conda install -p {PREFIX} numpy==2.4.1"),
        (["numpy"], f"conda update -p {PREFIX} numpy"),
        (["numpy>=2; python_version<'3'"], f"conda update -p {PREFIX} numpy"),
        (["numpy>=2; extra=='fast'"], f"conda update -p {PREFIX} numpy"),
        (
            ["not a requirement", "numpy @ https://x.example/n.whl"],
            f"conda update -p {PREFIX} numpy",
        ),
    ],
)
def test_bounds_are_given_in_the_words_of_conda(requires: list[str], command: str) -> None:
    asking = artifact("foo==1", *requires)
    found = fixes(of(asking, NUMPY_2), "install", "foo")
    assert found[0].command == f"{command} && safepip install foo"


def test_a_local_version_is_not_left_out_of_what_conda_is_asked_for() -> None:
    build = artifact("numpy==2.4.1+cpu", requested=False)
    found = fixes(of(artifact("foo==1", "numpy==2.4.1+cpu"), build), "install", "foo")
    assert found[0].asks_conda == ("numpy==2.4.1+cpu",)


def test_a_downgrade_without_bounds_names_the_version() -> None:
    wanted = of(artifact("protobuf==3.20"))
    found = fixes(wanted, "install", "-r", "old.txt")
    assert found[0].command == (
        f"conda install -p {PREFIX} protobuf==3.20 && safepip install -r old.txt"
    )


def test_conda_s_own_name_of_a_package_is_used_and_never_another_version_scheme() -> None:
    torch = conda("torch==2.1.0", name="pytorch")
    assert torch.record is not None
    other = conda("opencv-python==4.9.0.80", name="libopencv")
    env = environment(torch, other)
    assert other.distribution is not None
    renumbered = environment(
        conda("opencv-python==4.9.0", name="libopencv", metadata="none", modules=()),
    ).records[0]
    opencv = type(other.distribution)(
        "opencv-python", "4.9.0.80", other.distribution.metadata_path, record=renumbered
    )
    env = environment(
        torch, records=(torch.record, renumbered), distributions=(torch.distribution, opencv)
    )
    wanted = of(
        artifact("foo==1", "torch>=2.4", "opencv-python>=4.11.0.86"),
        artifact("torch==2.5.1", requested=False),
        artifact("opencv-python==4.11.0.86", requested=False),
        env=env,
    )
    assert fixes(wanted, "install", "foo", env=env) == (
        Fix(
            f'conda install -p {PREFIX} "pytorch>=2.4" "libopencv>4.9.0" && safepip install foo',
            "let conda change pytorch and libopencv first, if it can (unchecked)",
        ),
        Fix(
            "safepip install --allow torch,opencv-python foo",
            "replace conda's torch and opencv-python on purpose",
        ),
    )


def test_what_would_break_is_updated_by_conda_or_comes_along() -> None:
    env = environment(
        conda("numpy==1.26.4"),
        conda("scipy==1.11.4", "numpy<2"),
        pip("numba==0.58", "numpy<2"),
    )
    wanted = of(artifact("numpy==2.4.1"), env=env)
    assert fixes(wanted, "install", "-U", "numpy", env=env) == (
        Fix(
            f"conda update -p {PREFIX} numpy && safepip install -U numba",
            "let conda change numpy first, if it can (unchecked)",
        ),
    )


def test_installing_again_is_left_out_or_left_to_conda() -> None:
    wanted = of(artifact("protobuf==4.25.3"))
    assert fixes(wanted, "install", "--force-r", "protobuf") == (
        Fix("safepip install protobuf", "leave what is installed as it is"),
        Fix(
            f"conda install -p {PREFIX} --force-reinstall protobuf", "let conda reinstall protobuf"
        ),
        Fix(
            "safepip install --allow protobuf --force-r protobuf",
            "replace conda's protobuf on purpose",
        ),
    )


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        (("-I",), ""),
        (("-UI",), "-U "),
        (("--ignore-installed", "-q"), "-q "),
        (("--ignore-inst",), ""),
    ],
)
def test_ignoring_what_is_installed_is_left_out(flags: tuple[str, ...], left: str) -> None:
    wanted = of(artifact("astro==1"), artifact("numpy==2.4.1", requested=False))
    assert fixes(wanted, "install", *flags, "astro") == (
        Fix(f"safepip install {left}astro", "leave what is installed as it is"),
        Fix(
            f"conda update -p {PREFIX} numpy && safepip install {left}astro",
            "let conda change numpy first, if it can (unchecked)",
        ),
    )


def test_the_flag_is_not_blamed_for_what_was_asked_for() -> None:
    found = fixes(of(artifact("numpy==2.4.1")), "install", "-I", "numpy==2.4.1")
    assert found == (
        Fix(
            f"conda install -p {PREFIX} numpy==2.4.1",
            "let conda change numpy, if it can (unchecked)",
        ),
    )


def test_what_pip_cannot_uninstall_is_not_taken_over() -> None:
    wanted = of(artifact("protobuf==6.33", cannot_remove="no RECORD was found"))
    assert [fix.command for fix in fixes(wanted, "install", "-U", "protobuf")] == [
        f"conda update -p {PREFIX} protobuf"
    ]


@pytest.mark.parametrize("source", ["directory", "editable", "vcs"])
def test_a_project_may_be_installed_alone(source: Any) -> None:
    wanted = of(
        artifact("proj==0.1", "protobuf>=5", "new", source=source),
        artifact("protobuf==6.33", requested=False),
        artifact("new==2", requested=False),
    )
    assert fixes(wanted, "install", "-e", ".[dev]")[:2] == (
        Fix(
            'safepip install --no-deps -e ".[dev]" new==2',
            "install proj with conda's versions as they are, without the protobuf>=5 that is "
            "asked for",
        ),
        Fix(
            f'conda install -p {PREFIX} "protobuf>=5" && safepip install -e ".[dev]"',
            "let conda change protobuf first, if it can (unchecked)",
        ),
    )


def test_a_project_alone_is_no_way_out_where_others_would_lack_what_they_need() -> None:
    wanted = of(
        artifact("proj==0.1", source="vcs"),
        artifact("top==2", "protobuf>=5"),
        artifact("protobuf==6.33", requested=False),
    )
    found = fixes(wanted, "install", "proj @ git+file:///p", "top")
    assert not [fix for fix in found if "--no-deps" in fix.command]


def test_to_leave_what_is_installed_is_no_way_out_where_another_version_is_needed() -> None:
    wanted = of(artifact("far==2", "protobuf>=5"), artifact("protobuf==6.33", requested=False))
    found = fixes(wanted, "install", "far", "--force-reinstall")
    assert "leave what is installed as it is" not in [fix.says for fix in found]


def test_no_way_out_has_bounds_that_contradict_each_other() -> None:
    env = environment(pip("rich==13.6"), pip("textual==1", "rich<14"))
    wanted = of(artifact("rich==14.0"), env=env)
    for words, room in (
        (["rich>=14"], False),
        (["rich>=13"], True),
        (["rich>=13", "rich>13.9"], True),
    ):
        found = fixes(wanted, "install", *words, env=env)
        assert any(fix.command.endswith('"rich<14"') for fix in found) == room, words
    unchecked = fixes(wanted, "install", "rich>=13", env=env, bounds_fit=False)
    assert not any(fix.command.endswith('"rich<14"') for fix in unchecked)


def test_what_is_known_not_to_work_is_not_given() -> None:
    wanted = of(OPENCV, NUMPY_2)
    (first, *others) = fixes(wanted, "install", "opencv-python", kept=FITS)[1:]
    left = fixes(wanted, "install", "opencv-python", kept=FITS, barred=[first.key])
    assert left[1:] == tuple(others)


def test_where_conda_cannot_do_it_to_replace_its_own_is_not_the_only_way() -> None:
    words = ("install", "protobuf[fast]>=6", "rich")
    wanted = of(artifact("protobuf==6.33"))
    (first, _) = fixes(wanted, *words)
    assert fixes(wanted, *words, barred=[first.key]) == (
        Fix(
            'conda create -n my-lab python=3.11 pip && safepip install --env my-lab "protobuf'
            '[fast]>=6" rich',
            "use a new environment, and leave this one as it is",
        ),
        Fix(
            'safepip install --allow protobuf "protobuf[fast]>=6" rich',
            "replace conda's protobuf on purpose",
        ),
    )
    assert fixes(wanted, *words, there={"protobuf": "4.25.3"}) == (
        Fix(
            'safepip install "protobuf[fast]==4.25.3" rich',
            "take what is there, protobuf 4.25.3, though you ask for >=6",
        ),
    )


@pytest.mark.parametrize(
    ("words", "by_pip"),
    [
        ("numpy[x]>=2", [("numpy[x]>=2",)]),
        ("numpy[x]==2.4.1 rich", [("numpy[x]==2.4.1", "rich")]),
        ("-i https://x.example/simple numpy[x] numpy>=2", None),
        ("-U numpy[x]>=2", [("numpy[x]>=2",)]),
        ("-qU -e . numpy[x] rich protobuf", [("-q", "numpy[x]"), ("-qU", "-e", ".", "rich")]),
        ("--upgrade -r dev.txt numpy[x]", [("numpy[x]",), ("--upgrade", "-r", "dev.txt")]),
        ("numpy>=2 rich", [("rich",)]),
        ("numpy>=2", []),
    ],
)
def test_what_is_asked_for_with_extras_stays_with_pip(
    words: str, by_pip: list[tuple[str, ...]] | None
) -> None:
    env = environment(conda("numpy==1.26.4"), conda("protobuf==4.25.3"))
    wanted = of(artifact("numpy==2.4.1"), artifact("protobuf==6.33"), env=env)
    arguments = ("install", *words.split())
    (_, *found) = fixes(wanted, *arguments, env=env)[0].command.split(" && ")
    expected = [arguments[1:]] if by_pip is None else by_pip
    assert [tuple(shlex.split(line)[2:]) for line in found] == expected


@pytest.mark.parametrize(
    ("told", "words", "by_pip"),
    [
        ("--upgrade", "numpy[x]>=2", ["PIP_UPGRADE=0 safepip install numpy[x]>=2"]),
        ("--upgrade", "-U numpy[x]>=2", ["PIP_UPGRADE=0 safepip install numpy[x]>=2"]),
        (
            "--upgrade",
            "numpy[x] rich",
            ["PIP_UPGRADE=0 safepip install numpy[x]", "safepip install rich"],
        ),
        ("--upgrade", "numpy>=2 rich", ["safepip install rich"]),
        (
            "--user --upgrade",
            "numpy[x] rich",
            [
                "PIP_UPGRADE=0 PIP_USER=0 safepip install numpy[x]",
                "PIP_USER=0 safepip install rich",
            ],
        ),
        (
            "--ignore-installed",
            "numpy[x]>=2",
            ["PIP_IGNORE_INSTALLED=0 safepip install numpy[x]>=2"],
        ),
    ],
)
def test_what_pip_is_told_by_a_variable_or_its_settings_a_variable_says_otherwise(
    told: str, words: str, by_pip: list[str]
) -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = of(artifact("numpy==2.4.1"), env=env)
    arguments = ("install", *words.split())
    (first, *_) = fixes(wanted, *arguments, env=env, told=frozenset(told.split()))
    assert [" ".join(shlex.split(line)) for line in first.command.split(" && ")[1:]] == by_pip


def test_a_notebook_whose_magics_take_no_variables_gets_no_such_command() -> None:
    env = environment(conda("numpy==1.26.4"))
    wanted = of(artifact("numpy==2.4.1"), env=env)
    told = frozenset(["--upgrade"])
    found = fixes(wanted, "install", "numpy[x]>=2", env=env, told=told, in_notebook=True)
    assert [fix.command for fix in found] == ['%safepip install --allow numpy "numpy[x]>=2"']


def test_what_a_plan_shows_is_done_by_install() -> None:
    login = ("install", "--index-url", "https://****@x.example/simple", "foo")
    wanted = of(artifact("foo==1", "numpy>=2"), NUMPY_2)
    says = [fix.says for fix in fixes(wanted, *login, verb="plan")]
    assert says == [
        "let conda change numpy, if it can (unchecked); then `safepip install` as here",
        f"replace conda's numpy on purpose{LACKS}: `safepip install` as here, with `--allow numpy`",
    ]


def test_beside_the_newest_stands_who_then_lacks_what_it_needs() -> None:
    wanted = of(artifact("foo==1", "numpy>=2"), NUMPY_2)
    (taken,) = [fix for fix in fixes(wanted, "install", "foo") if "--allow" in fix.command]
    assert taken.says == f"replace conda's numpy on purpose{LACKS}"
    assert taken.besides == (LACKS.removeprefix("; "),)


# --------------------------------------------------------------------------- what conda has already


def test_room_is_made_for_what_conda_has_under_another_name() -> None:
    assert fixes(of(CV2), "install", "opencv-python") == (
        Fix(
            f"conda remove -p {PREFIX} py-opencv && safepip install opencv-python",
            "remove conda's py-opencv first, since both cannot be there",
        ),
        Fix(
            "safepip install --allow py-opencv opencv-python",
            "replace conda's py-opencv on purpose",
        ),
    )


def test_conda_s_change_brings_no_files_of_pip_s_version() -> None:
    newer = artifact("protobuf==5.28", modules=["google/protobuf/__init__.py", "cv2/__init__.py"])
    commands = [fix.command for fix in fixes(of(newer), "install", "protobuf>=5")]
    assert commands[0] == f'conda install -p {PREFIX} "protobuf>=5"'
    assert commands[-1] == 'safepip install --allow protobuf,py-opencv "protobuf>=5"'


def test_what_conda_has_is_not_left_out_twice() -> None:
    doubled = artifact("opencv-python==4.13", modules=["cv2/__init__.py"], requested=False)
    wanted = of(artifact("mmdet==3"), doubled, ignores_dependencies=True)
    found = fixes(wanted, "install", "--no-deps", "mmdet")
    assert [fix.command.split()[0] for fix in found] == ["conda", "safepip"]


def test_the_rest_is_installed_without_what_conda_has() -> None:
    wanted = of(
        artifact("mmdet==3", "opencv-python"),
        artifact("opencv-python==4.13", modules=["cv2/__init__.py"], requested=False),
        artifact("imagecorruptions==1.1", requested=False),
    )
    assert fixes(wanted, "install", "mmdet")[0] == Fix(
        "safepip install --no-deps mmdet imagecorruptions==1.1",
        "use conda's py-opencv, and install the rest",
    )


def test_a_command_that_no_one_would_read_is_not_offered() -> None:
    others = [artifact(f"other{i}==1", requested=False) for i in range(9)]
    doubled = artifact("opencv-python==4.13", modules=["cv2/__init__.py"], requested=False)
    found = fixes(of(artifact("mmdet==3"), doubled, *others), "install", "mmdet")
    assert [fix.command.split()[0] for fix in found] == ["conda", "safepip"]


@pytest.mark.parametrize(
    "owner",
    [
        conda("python==3.11.7", metadata="none", modules=[], files=["bin/tool"]),
        conda("tool==1", metadata="none", modules=[], files=["bin/tool"]),
    ],
)
def test_a_package_that_others_need_is_not_removed(owner: Any) -> None:
    env = environment(owner, conda("user==1", depends=["tool >=1"]))
    wanted = of(artifact("x==1", scripts=["tool"]), env=env)
    assert [fix.command for fix in fixes(wanted, "install", "x", env=env)] == [
        f"safepip install --allow {owner.record.name} x"
    ]


# --------------------------------------------------------------------------- what pip owns


def test_a_bound_keeps_the_others_working_or_they_come_along() -> None:
    assert fixes(of(artifact("rich==14")), "install", "-U", "rich", others_fit=True) == (
        Fix('safepip install -U rich "rich<14"', "take a version that textual can work with"),
        Fix("safepip install -U rich textual", "update textual with it"),
    )


def test_a_bound_never_contradicts_what_was_asked_for() -> None:
    assert fixes(of(artifact("rich==14")), "install", "rich==14", others_fit=True) == (
        Fix("safepip install rich==14 textual", "update textual with it"),
    )


def test_what_is_required_is_installed_too() -> None:
    wanted = of(artifact("foo==1", "bar>=2"))
    assert fixes(wanted, "install", "foo") == (
        Fix('safepip install foo "bar>=2"', "install what it requires, too"),
    )
    refused = (Unmet(distribution="foo", requirement="bar>=2", found=None),)
    arguments = ("install", "--no-deps", "foo")
    assert fixes_for(lab(), "install", arguments, wanted, refused, None) == (
        Fix("safepip install foo", "install what it requires, too"),
    )


def test_the_user_site_is_left_out() -> None:
    env = lab()
    wanted = of(
        artifact("foo==1", "protobuf>=5"),
        artifact("protobuf==6", requested=False),
        env=env,
        user_site=True,
    )
    says = "install into the environment itself"
    assert fixes(wanted, "install", "--user", "foo") == (Fix("safepip install foo", says),)
    assert fixes(wanted, "install", "foo") == (Fix("PIP_USER=0 safepip install foo", says),)


def test_what_would_only_hide_conda_s_is_left_to_conda() -> None:
    wanted = of(artifact("numpy==2.4.1"), user_site=True)
    assert fixes(wanted, "install", "--user", "numpy==2.4.1", "rich") == (
        Fix(
            f"conda install -p {PREFIX} numpy==2.4.1 && safepip install rich",
            "let conda change numpy first, if it can (unchecked)",
        ),
    )


# --------------------------------------------------------------------------- uninstall


def test_conda_removes_its_own_and_pip_the_rest() -> None:
    wanted = of(removal("protobuf"), removal("textual"))
    assert fixes(wanted, "uninstall", "-y", "protobuf", "textual") == (
        Fix(
            f"conda remove -p {PREFIX} protobuf && safepip uninstall -y textual",
            "let conda remove protobuf first",
        ),
        Fix(
            "safepip uninstall --allow protobuf -y protobuf textual",
            "remove conda's protobuf on purpose",
        ),
    )


@pytest.mark.parametrize(
    ("words", "rest", "more"),
    [
        ("numpy", "scipy", ""),
        ("-y numpy", "-y scipy", ""),
        ("--log a.txt numpy -y rich", "--log a.txt -y rich scipy", "rich"),
    ],
)
def test_what_goes_unasked_is_said_and_the_options_stay(words: str, rest: str, more: str) -> None:
    env = environment(conda("numpy==1.26.4"), pip("scipy==1", "numpy"), pip("rich==13"))
    wanted = of(*(removal(name) for name in ("numpy", *more.split())), env=env)
    assert fixes(wanted, "uninstall", *words.split(), env=env)[0] == Fix(
        f"conda remove -p {PREFIX} numpy && safepip uninstall {rest}",
        "let conda remove numpy first; then scipy goes, too, which needs it",
    )


def test_what_needs_it_is_removed_with_it() -> None:
    assert fixes(of(removal("rich")), "uninstall", "rich") == (
        Fix("safepip uninstall rich textual", "remove textual with it"),
    )


@pytest.mark.parametrize(
    ("line", "retry", "command"),
    [
        ("uninstall rich", Retry("", more=("-y",)), "safepip uninstall -y rich"),
        ("uninstall -r /dev/stdin", Retry("", more=("-y",)), ""),
        ("install rich", Retry("", own=("--no-undo",)), "safepip install --strict --no-undo rich"),
        (
            "install rich -t /a --targ=/b --target /c -q",
            Retry("", without=("--target", "-t"), prefix="/lab/other"),
            "safepip install --env /lab/other --strict rich -q",
        ),
        (
            "install --log a.txt -- rich",
            Retry("", more=("--log", "b.txt"), without=("--log",)),
            "safepip install --strict --log b.txt -- rich",
        ),
        (
            "install rich",
            Retry("", variables=(("PYTHONPATH", None), ("SAFEPIP_LOCK_SECONDS", "9"))),
            "env -u PYTHONPATH SAFEPIP_LOCK_SECONDS=9 safepip install --strict rich",
        ),
    ],
)
def test_a_command_is_given_again_with_a_change(line: str, retry: Retry, command: str) -> None:
    verb, *rest = line.split()
    options = ("--strict",) if verb == "install" else ()
    found = again(Shell("/lab/env"), (verb, *rest), options, retry)
    assert found == ((Fix(command, ""),) if command else ())


def test_safepip_is_started_by_the_words_that_start_it_there() -> None:
    by_path = Shell("/lab/env", start=("/opt/a b/bin/safepip",))
    assert by_path.safepip(("undo",)) == '"/opt/a b/bin/safepip" undo'
    uv = replace(by_path, through=("uv", "pip"), obvious=False)
    command = '"/opt/a b/bin/safepip" --env /lab/env uv pip install rich'
    assert uv.safepip(("install", "rich")) == command
    # `python -m safepip` would mean the environment of that Python.
    module = replace(by_path, start=("/opt/bin/python", "-m", "safepip"))
    command = "/opt/bin/python -m safepip undo --env /lab/env"
    assert module.safepip(("undo",)) == command
    assert replace(module, in_notebook=True).safepip(("undo",)) == "%safepip undo --yes"


# --------------------------------------------------------------------------- the environment


def test_a_sealed_environment_is_copied_or_the_seal_is_passed_on_purpose() -> None:
    assert fixes(Plan(()), "install", "rich", env=lab(frozen="by ops")) == (
        Fix(
            f"conda create -n my-lab --clone {PREFIX} && safepip install --env my-lab rich",
            "work in a copy of your own; what you ask for is judged there",
        ),
        Fix(
            "safepip install --override-frozen rich",
            "if the environment is yours, change it all the same",
        ),
    )


def test_a_copy_is_no_way_out_of_what_would_be_refused_there_too() -> None:
    env = lab(frozen="by ops")
    alone, with_more = of(artifact("new==1"), env=env), of(artifact("numpy==2.4.1"), env=env)
    assert "--clone" in fixes(alone, "install", "new", env=env)[0].command
    assert not [f for f in fixes(with_more, "install", "numpy", env=env) if "--clone" in f.command]


def test_what_fits_is_said_where_no_command_can_be_printed() -> None:
    words = ("install", "-r", "/dev/stdin")
    spelled = ("install", "--index-url", "https://****@x.example/simple", "opencv-python>=4.13")
    found = fixes(of(OPENCV, NUMPY_2), *words, kept=FITS, spelled=spelled)
    assert found[0] == Fix(
        "",
        "take the newest that fits conda's versions, opencv-python 4.11.0.86, in place of what the "
        "file asks",
    )


def test_a_seal_among_the_packages_is_not_copied() -> None:
    assert fixes(Plan(()), "install", "rich", env=lab(externally_managed="by ops")) == (
        Fix(
            "conda create -n my-lab python=3.11 pip && safepip install --env my-lab rich",
            "use a new environment, and leave this one as it is",
        ),
        Fix(
            "safepip install --break-system-packages rich",
            "if the environment is yours, change it all the same",
        ),
    )


def test_a_prefix_that_cannot_be_written_leaves_only_another_environment() -> None:
    env = lab(writable=False, name="", manager="micromamba")
    assert fixes(Plan(()), "install", "rich", env=env) == (
        Fix(
            "micromamba create -n mine python=3.11 pip && safepip install --env mine rich",
            "use a new environment, and leave this one as it is",
        ),
    )


def test_what_cannot_be_written_is_uninstalled_from_in_a_copy() -> None:
    env = lab(writable=False)
    assert fixes(Plan(()), "uninstall", "rich", env=env) == (
        Fix(
            f"conda create -n my-lab --clone {PREFIX} && safepip uninstall --env my-lab rich",
            "work in a copy of your own",
        ),
    )


def test_a_pin_leaves_a_new_environment() -> None:
    env = lab(pins=("protobuf 4.*",))
    assert fixes(of(artifact("protobuf==6"), env=env), "install", "-U", "protobuf", env=env) == (
        Fix(
            "conda create -n my-lab python=3.11 pip && safepip install --env my-lab -U protobuf",
            "use a new environment, and leave this one as it is",
        ),
    )


def test_what_was_asked_of_uv_is_asked_of_uv_in_a_new_environment() -> None:
    env = lab(pins=("protobuf 4.*",))
    asked = ("install", "--overrides=over.txt", "protobuf")
    create = "conda create -n my-lab python=3.11 pip"
    found = fixes(of(artifact("protobuf==6"), env=env), *asked, env=env, through=("uv", "pip"))
    assert [fix.command for fix in found] == [
        f"{create} && safepip --env my-lab uv pip install --overrides=over.txt protobuf"
    ]


def test_pixi_is_spoken_to_in_its_own_words() -> None:
    prefix = "/home/ada/my work/.pixi/envs/default"
    env = environment(
        conda("numpy==1.26.4"), prefix=prefix, manager="pixi", is_pixi=True, name="default"
    )
    wanted = of(OPENCV, NUMPY_2, env=env)
    assert fixes(wanted, "install", "opencv-python", env=env, obvious=False) == (
        Fix(
            'pixi add --manifest-path "/home/ada/my work" --pypi opencv-python',
            "let pixi install it, so that it stays",
        ),
        Fix(
            'pixi add --manifest-path "/home/ada/my work" "numpy>=2"'
            f' && safepip install --env "{prefix}" opencv-python',
            "let conda change numpy first, if it can (unchecked)",
        ),
        Fix(
            f'safepip install --env "{prefix}" --allow numpy opencv-python',
            "replace conda's numpy on purpose",
        ),
    )


def test_pixi_cannot_read_a_file_of_requirements() -> None:
    env = environment(conda("numpy==1.26.4"), manager="pixi", is_pixi=True)
    wanted = of(OPENCV, NUMPY_2, env=env)
    found = fixes(wanted, "install", "-r", "all.txt", env=env)
    assert found[0].command == 'pixi add "numpy>=2" && safepip install -r all.txt'


def test_pixi_may_change_what_is_sealed_for_others() -> None:
    env = environment(manager="pixi", is_pixi=True, frozen="by pixi")
    assert [fix.command for fix in fixes(Plan(()), "install", "rich", env=env)] == [
        "pixi add --pypi rich",
        "safepip install --override-frozen rich",
    ]
    assert fixes(Plan(()), "install", "-r/dev/fd/63", env=env) == ()


def test_a_notebook_has_no_variables_for_the_user_site() -> None:
    wanted = of(artifact("foo==1"), artifact("protobuf==6", requested=False), user_site=True)
    found = fixes(wanted, "install", "foo", in_notebook=True)
    assert [fix.command.split()[0] for fix in found] == ["!conda"]


def test_what_is_conda_s_is_removed_along_by_conda() -> None:
    env = environment(pip("six==1"), conda("app==1", "six", name="the-app"), pip("own==1", "six"))
    wanted = of(removal("six"), env=env)
    assert fixes(wanted, "uninstall", "six", env=env) == (
        Fix(
            f"conda remove -p {PREFIX} the-app && safepip uninstall six own",
            "let conda remove the-app first; then own goes, too, which needs six",
        ),
    )
    # In a notebook nobody can answer.
    (there,) = fixes(wanted, "uninstall", "six", env=env, in_notebook=True)
    remove = f"!conda remove -y -p {PREFIX} the-app\n"
    assert there.command == f"{remove}%safepip uninstall -y six own"
    # uv asks nothing.
    uv = ("uv", "pip")
    (there,) = fixes(wanted, "uninstall", "six", env=env, in_notebook=True, through=uv)
    assert there.command == f"{remove}%safepip uv pip uninstall six own"


def test_what_others_of_conda_need_is_not_removed_along() -> None:
    env = environment(pip("six==1"), conda("app==1", "six"), conda("b==1", depends=["app"]))
    wanted = of(removal("six"), env=env)
    assert fixes(wanted, "uninstall", "six", env=env) == ()


def test_what_is_conda_s_is_updated_along_by_conda() -> None:
    env = environment(pip("six==1"), conda("app==1", "six<2"))
    wanted = of(artifact("six==2"), env=env)
    assert fixes(wanted, "install", "six==2", env=env) == (
        Fix(
            f"conda update -p {PREFIX} app && safepip install six==2",
            "let conda update app first, if it can (unchecked)",
        ),
    )


def test_nothing_fits_where_only_what_was_not_asked_for_was_held_back() -> None:
    held = (HeldBack("numpy", "2.4.1", "1.26.4"), HeldBack("other", "2", "1"))
    found = fixes(of(OPENCV, NUMPY_2), "install", "opencv-python", kept=held)
    assert found[0].says == "let conda change numpy first, if it can (unchecked)"


@pytest.mark.parametrize("manager", ["conda", "mamba", "micromamba"])
def test_the_tool_is_the_environment_s_own(manager: str) -> None:
    env = lab(manager=manager)
    found = fixes(of(artifact("protobuf==6"), env=env), "install", "-U", "protobuf", env=env)
    assert found[0].command == f"{manager} update -p {PREFIX} protobuf"


def test_rattler_s_environments_are_conda_s_to_people() -> None:
    env = lab(manager="rattler")
    found = fixes(of(removal("protobuf"), env=env), "uninstall", "protobuf", env=env)
    assert found[0].command == f"conda remove -p {PREFIX} protobuf"


def test_conda_removes_no_more_than_what_is_said_where_it_does_not_know_what_is_wanted() -> None:
    known = {name: name for name in ("scipy", "protobuf", "py-opencv")}  # numpy is needed by scipy
    plain, just_this = (f"conda remove -p {PREFIX} {force}protobuf" for force in ("", "--force "))
    for wishes, command in (
        (known, plain),
        (None, plain),
        ({"scipy": "scipy", "protobuf": "protobuf"}, just_this),
        ({}, just_this),
    ):
        env = lab(manager="rattler", wishes=wishes)
        found = fixes(of(removal("protobuf"), env=env), "uninstall", "protobuf", env=env)
        assert found[0].command == command
        # With what others need, these go, and are named where conda takes nothing along.
        needed = fixes(of(removal("numpy"), env=env), "uninstall", "numpy", env=env)[0]
        along = "" if command == plain else " scipy"
        assert needed.command == f"{command.replace('protobuf', 'numpy')}{along}"
        assert needed.says == "let conda remove numpy, and with it scipy, which needs it"


def test_what_all_rests_on_is_not_removed_with_what_it_needs() -> None:
    # python needs it: conda would remove itself, and everything with it.
    above = conda("python==3.11", name="python", depends=["libffi"])
    env = environment(conda("libffi==3", name="libffi"), above, wishes={})
    found = fixes(of(removal("libffi"), env=env), "uninstall", "libffi", env=env)
    assert not any("conda remove" in fix.command for fix in found)


def test_what_conda_installs_where_it_does_not_know_what_is_wanted_is_not_called_certain() -> None:
    forge = ("https://conda.anaconda.org/conda-forge",)
    moves = (Moved("numpy", "1.26.4", "2.4.1"), Moved("scipy", "1.11.4", "1.16"))
    every = {name: name for name in ("scipy", "protobuf", "py-opencv")}
    for wishes, specs, says in (
        (
            every,
            '"numpy>=2"',
            "let conda change numpy first, which also changes scipy 1.11.4 -> 1.16",
        ),
        (
            {**every, "scipy": "scipy=1.11"},
            '"numpy>=2" scipy',
            (
                "let conda change numpy and with it scipy (it was once asked for scipy=1.11) "
                "first, which also changes scipy 1.11.4 -> 1.16"
            ),
        ),
        (
            {},
            '"numpy>=2" scipy',
            (
                "let conda change numpy and with it scipy first, if it can (unchecked); a later "
                "`conda remove` may take all else along, which conda's history does not know"
            ),
        ),
    ):
        env = lab(wishes=wishes)
        fix = fixes(of(OPENCV, NUMPY_2, env=env), "install", "opencv-python", env=env)[0]
        assert fix.command.startswith(f"conda install -p {PREFIX} {specs} && "), fix
        shell = shell_in(Shell(PREFIX, channels=forge), env)
        assert with_answer(fix, Answer(possible=True, moves=moves), shell).says == says


def test_what_the_solver_says_has_to_move_is_named_along() -> None:
    env = lab(wishes={})
    along = {("numpy>=2", "scipy"): ("protobuf",)}
    found = fixes(of(OPENCV, NUMPY_2, env=env), "install", "opencv-python", env=env, along=along)
    assert found[0].command.startswith(f'conda install -p {PREFIX} "numpy>=2" scipy protobuf && ')
    bound = of(artifact("numpy==2.4.1"), env=env)
    newer = fixes(bound, "install", "numpy", env=env, along={("numpy >1.26.4",): ("scipy",)})
    assert f'conda install -p {PREFIX} "numpy>1.26.4" scipy' in {f.command for f in newer}, newer


def test_conda_removes_by_the_channels_that_the_environment_is_of() -> None:
    channels = ("https://conda.anaconda.org/conda-forge",)
    place = "--override-channels -c conda-forge "
    for tool, unasked, options in (
        ("conda", (), place),
        ("rattler", (), place),
        ("conda", (Record("app", "1", "0"),), "--force "),
        ("micromamba", (), ""),
    ):
        shell = Shell("/lab", cast("Manager", tool), channels=channels, unasked=unasked)
        assert shell.conda("remove", ("app",)).endswith(f" remove -p /lab {options}app")


def test_a_notebook_takes_the_commands_as_lines_of_a_cell() -> None:
    found = fixes(of(OPENCV, NUMPY_2), "install", "opencv-python", in_notebook=True)
    assert found[0].command == (
        f'!conda install -y -p {PREFIX} "numpy>=2"\n%safepip install opencv-python'
    )


# --------------------------------------------------------------------------- what is never given


def test_what_the_user_said_to_safepip_is_said_again() -> None:
    policy = Policy(strict=True, allow=("numpy",), override_frozen=True)
    found = fixes(
        of(artifact("protobuf==6")), "install", "-U", "protobuf", policy=policy, obvious=False
    )
    assert found[-1].command == (
        f"safepip install --env {PREFIX} --strict --allow numpy,protobuf --override-frozen"
        " -U protobuf"
    )


@pytest.mark.parametrize(
    "argument",
    [
        *("--index-url=https://****@host/", "-r/dev/fd/63", "/dev/stdin", "a\x1b[31mb"),
        *("-", "-r-", "--requirement=-"),
    ],
)
def test_of_a_command_that_cannot_be_given_whole_only_the_difference_is_said(
    argument: str,
) -> None:
    found = fixes(of(OPENCV, NUMPY_2), "install", "opencv-python", argument, kept=FITS)
    assert found == (
        Fix(
            "",
            "take the newest that fits conda's versions, opencv-python 4.11.0.86: the same command"
            " with `opencv-python==4.11.0.86` in place of `opencv-python`",
        ),
        Fix(
            f'conda install -p {PREFIX} "numpy>=2"',
            "let conda change numpy, if it can (unchecked); then the same command again",
        ),
        Fix(
            "",
            "replace conda's numpy on purpose; conda's scipy 1.11.4 then lacks what it needs: the"
            " same command with `--allow numpy`",
        ),
    )


def test_what_differs_between_two_commands_is_told_without_what_is_secret() -> None:
    secret = ("install", "--index-url", "https://****@host/", "--user", "a")
    assert changed_words(secret, secret, "this") == ""
    assert changed_words(secret, (*secret[:3], "a"), "this") == "this without `--user`"
    other = ("install", "a", "--index-url", "https://****@other/")
    assert changed_words(secret, other, "this") == "", "a difference that is not to be shown"


def test_a_new_environment_is_made_though_the_command_cannot_be_given_whole() -> None:
    env = lab(pins=("protobuf 4.*",))
    wanted = of(artifact("protobuf==6"), env=env)
    assert fixes(wanted, "install", "-r/dev/fd/63", env=env) == (
        Fix(
            "conda create -n my-lab python=3.11 pip",
            "use a new environment, and leave this one as it is;"
            " then the same command with `--env my-lab`",
        ),
    )


def test_a_notebook_would_replace_braces_and_dollars() -> None:
    found = fixes(of(artifact("protobuf==6")), "install", "protobuf", "{x}", in_notebook=True)
    assert found == ()


def test_a_name_that_would_be_an_option_is_not_pasted() -> None:
    evil = conda("protobuf==4.25.3", name="--yes")
    wanted = of(artifact("protobuf==6"), env=environment(evil))
    found = fixes(wanted, "install", "-U", "protobuf", env=environment(evil))
    assert [fix.command for fix in found] == ["safepip install --allow protobuf -U protobuf"]


# --------------------------------------------------------------------------- properties

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda word: not word.startswith("-") and "****" not in word and "/dev/" not in word
)


@given(st.lists(WORDS, min_size=1, max_size=4).map(tuple))
def test_a_shell_reads_back_what_the_user_typed(words: tuple[str, ...]) -> None:
    found = fixes(of(artifact("protobuf==6")), "install", "--no-index", *words)
    command = next(fix.command for fix in found if "--allow" in fix.command)
    expected = ["safepip", "install", "--allow", "protobuf", "--no-index", *words]
    assert shlex.split(command) == expected


STEPS = st.lists(
    st.sampled_from(
        [
            artifact("numpy==2.4.1"),
            artifact("scipy==1.17", requested=False),
            artifact("protobuf==6.33", scripts=["protoc"]),
            CV2,
            artifact("rich==13.7"),
            artifact("rich==14"),
            artifact("new==1", "numpy>=2"),
        ]
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda step: step.name,
)


@given(STEPS)
def test_what_is_allowed_as_offered_is_not_refused_again(steps: list[Step]) -> None:
    wanted = of(*steps)
    for fix in fixes(wanted, "install", *(step.name for step in steps)):
        words = shlex.split(fix.command)
        if "--allow" in words:
            allow = tuple(words[words.index("--allow") + 1].split(","))
            assert not judged(lab(), wanted, Policy(allow=allow)).refuses


@given(STEPS)
def test_every_refusal_has_a_way_out(steps: list[Step]) -> None:
    wanted = of(*steps)
    if judged(lab(), wanted).refuses:
        assert 1 <= len(fixes(wanted, "install", *(step.name for step in steps))) <= 4


def test_an_unknown_kind_of_refusal_leaves_a_new_environment() -> None:
    class Strange(Finding):
        kind = "strange"

    env = environment(interpreter=interpreter(version="3.9.1"))
    found = fixes_for(env, "install", ("install", "x"), Plan(()), (Strange(),), None)
    assert [fix.command for fix in found] == [
        "conda create -n my-lab python=3.9 pip && safepip install --env my-lab x"
    ]


# --------------------------------------------------------------------------- the least of conda's


TWO_OF_CONDA = of(
    artifact("app==2.0", "numpy>=2", "protobuf"),
    artifact("numpy==2.4.1", requested=False, needed_by=("app",)),
    artifact("protobuf==6.33", requested=False, needed_by=("app",)),
)


def by_conda_commands(*ways: tuple[Freed, ...]) -> list[str]:
    found = fixes(TWO_OF_CONDA, "install", "app>=2", ways=ways)
    return [fix.command for fix in found if fix.command.startswith("conda ")]


def test_conda_is_asked_for_no_more_than_the_request_needs() -> None:
    numpy = (Freed("numpy", ("numpy>=2",), "2.4.1"),)
    assert by_conda_commands(numpy) == [
        f'conda install -p {PREFIX} "numpy>=2" && safepip install "app>=2"'
    ]


EXACT = environment(conda("pair==1.0", depends=["half ==1.0"]), conda("half==1.0"))
PAIR_3 = artifact("pair==3.0", "half==3.0", requested=False, needed_by=("app",))
HALF_3 = artifact("half==3.0", requested=False, needed_by=("pair",))


@pytest.mark.parametrize(
    ("steps", "words", "specs", "says"),
    [
        ([replace(PAIR_3, facts={"requested": True}), HALF_3], "-U pair", "pair", "pair"),
        ([artifact("app==2.0", "pair>=2"), PAIR_3, HALF_3], "app", "pair>=2", "pair first"),
        # What conda's history does not know, conda would remove: it is named.
        ([artifact("app==2.0", "pair>=2"), PAIR_3, HALF_3], "app -q", "pair>=2 half", None),
        # All that is asked for is there already, and newer is meant.
        ([artifact("half==3.0")], "-U half>=1", "half>1.0,>=1", "half"),
        (
            [artifact("pair==3.0", "half==3.0"), artifact("half==3.0")],
            "-U pair half>=1",
            "half>=1 pair>1.0",
            "pair",
        ),
    ],
)
def test_what_conda_s_newest_need_of_each_other_is_conda_s_matter(
    steps: list[Step], words: str, specs: str, says: str | None
) -> None:
    env = EXACT if says else replace(EXACT, wishes={})
    found = fixes(of(*steps, env=env), "install", *words.split(), env=env)[0]
    (by_conda, *_) = found.command.split(" && ")
    assert shlex.split(by_conda)[4:] == specs.split()
    assert says is None or found.says == f"let conda change {says}, if it can (unchecked)"


def test_of_conda_only_what_was_asked_for_counts_where_the_rest_may_be_older() -> None:
    env = environment(conda("numpy==1.26.4"), conda("protobuf==4.25.3"))
    steps = (
        artifact("app==2.0", "numpy>=2", "io"),
        artifact("io==3.0", "protobuf>=6", requested=False, needed_by=("app",)),
        replace(NUMPY_2, facts={"requested": False, "needed_by": ("app",)}),
        artifact("protobuf==6.33", requested=False, needed_by=("io",)),
    )
    specs = [
        shlex.split(fix.command.split(" && ")[0])[4:]
        for direct in (False, True)
        for fix in fixes(of(*steps, env=env), "install", "app", env=env, direct=direct)[:1]
    ]
    assert specs == [["numpy>=2", "protobuf>=6"], ["numpy>=2"]]


def test_what_would_do_as_well_is_offered_too() -> None:
    both = (Freed("numpy", ("numpy>=2",), "2.4.1"), Freed("protobuf", ("protobuf",), "6.33"))
    scipy = (Freed("scipy", (), "1.17"),)
    assert by_conda_commands(both, scipy) == [
        f'conda install -p {PREFIX} "numpy>=2" && safepip install "app>=2"',
        f'conda update -p {PREFIX} scipy && safepip install "app>=2"',
    ]


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        (
            "default",
            ("pixi add rich", "pixi add --pypi rich", "pixi reinstall rich", "pixi remove rich"),
        ),
        (
            "test",
            (
                "pixi add --feature test rich",
                "pixi add --feature test --pypi rich",
                "pixi reinstall --environment test rich",
                "pixi remove --feature test rich",
            ),
        ),
    ],
)
def test_pixi_changes_the_environment_that_is_meant(name: str, commands: tuple[str, ...]) -> None:
    shell = Shell(f"/lab/.pixi/envs/{name}", "pixi")
    add, reinstall, remove = (shell.conda(v, ("rich",)) for v in PIXI_VERBS)
    assert (add, shell.pixi_add_pypi(("rich",)), reinstall, remove) == commands


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        ((), ""),
        (("https://conda.anaconda.org/conda-forge",), "--override-channels -c conda-forge "),
        (
            ("https://repo.anaconda.com/pkgs/main", "file:///srv/own"),
            "--override-channels -c https://repo.anaconda.com/pkgs/main -c file:///srv/own ",
        ),
        (("https://conda.example/t/tk-123/own",), ""),
        (("https://me:secret@conda.example/own",), ""),
    ],
)
def test_conda_takes_packages_from_where_the_environment_has_them(
    channels: tuple[str, ...], options: str
) -> None:
    shell = Shell("/lab", "micromamba", channels=channels)
    assert shell.conda("install", ("rich",)) == f"micromamba install -p /lab {options}rich"
    assert shell.create("mine", ("pip",)) == f"micromamba create -n mine {options}pip"
    assert shell.create("mine", ("--clone", "/lab")) == "micromamba create -n mine --clone /lab"
    assert shell.conda("remove", ("rich",)) == "micromamba remove -p /lab rich"
    assert shell.is_as_asked is (options.count("-c ") == 1)


def test_channels_are_told_by_the_records_the_one_of_most_packages_first() -> None:
    forge, main = "https://conda.anaconda.org/conda-forge", "https://repo.anaconda.com/pkgs/main"
    places = (f"{main}/linux-64", f"{forge}/noarch", f"{forge}/linux-64/", "<unknown>", "")
    assert channels_of(Record("p", "1", "0", channel=place) for place in places) == (forge, main)
