"""What conda could take of a plan, so that pip has only the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from safepip.decisions.fixing.afterwards import works
from safepip.decisions.fixing.commands import has_files
from safepip.decisions.fixing.shares import against_sharing, shared_fix, shares
from safepip.decisions.fixing.shell import Shell
from safepip.effects.conda_names import conda_names
from safepip.values.channel import Answer, Moved, Offer
from safepip.values.environment import Environment, Manager
from safepip.values.plan import Artifact, Plan
from safepip.values.request import PipOptions
from scripts.conda_names import table
from tests.build import PREFIX, Step, artifact, conda, environment, pip, plan

LAB = environment(
    conda("numpy==1.26.4"),
    conda("scipy==1.11.4", "numpy<2", depends=["numpy >=1.26,<2"]),
    pip("house==1.0", "numpy>=1.20,<2.3"),
)


def offers(*texts: str) -> dict[str, Offer]:
    """Offers from `distribution = package version version`, or `package version`."""
    found = {}
    for text in texts:
        name, _, rest = text.rpartition(" = ")
        package, *versions = rest.split()
        found[name or package] = Offer(name or package, package, tuple(versions), is_here=True)
    return found


def divided(
    wanted: Plan, *arguments: str, on: dict[str, Offer], env: Environment = LAB
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    found = shares(wanted, env, ("install", *arguments), on)
    return [(share.specs, share.arguments[1:]) for share in found]


def of(*steps: Step, env: Environment = LAB) -> Plan:
    return plan(env, *steps)


FROM_FORGE = "--override-channels -c conda-forge"
ON_PYPI = "https://files.pythonhosted.org/packages/click-8.1-py3-none-any.whl"
TORCH = artifact("torch==2.4", "sympy>=1.13", "numpy")
NEEDED = artifact("torch==2.4", "sympy>=1.13", requested=False, needed_by=("private",))
SYMPY = artifact("sympy==1.14", requested=False, needed_by=("torch",))
PRIVATE = artifact("private==1.0", "rich>=13", "torch>=2")
RICH = artifact("rich==14.0", requested=False, needed_by=("private",))


# ------------------------------------------------------------------------------- who takes what


def test_what_conda_has_is_taken_from_conda_and_what_that_needs_is_its_business() -> None:
    on = offers("torch = pytorch 2.5 2.4", "sympy 1.13")
    assert divided(of(TORCH, SYMPY), "torch", on=on) == [(("pytorch",), ())]


def test_the_user_s_bounds_are_conda_s_too() -> None:
    on = offers("torch = pytorch 2.2", "sympy 1.13")
    found = divided(of(TORCH, SYMPY), "torch>=2.4", on=on)
    assert found == [(("sympy>=1.13",), ("torch>=2.4",))]
    assert divided(of(TORCH, SYMPY), "torch>=2.1", on=on)[0] == (("pytorch>=2.1",), ())


def test_of_what_conda_has_not_the_needs_are_taken_and_pip_has_the_rest() -> None:
    wanted = of(PRIVATE, RICH, NEEDED, SYMPY, artifact("click==8"))
    on = offers("torch = pytorch 2.2", "sympy 1.13", "rich 12.0", "click 8.1")
    assert divided(wanted, "private", "click", on=on) == [
        (("click", "pytorch>=2"), ("private",)),
        (("click",), ("private",)),
    ]


def test_of_what_stands_in_a_file_only_the_choice_of_pip_is_known() -> None:
    on = offers("click 8.1 8")
    wanted = of(artifact("click==8"), PRIVATE, RICH)
    assert divided(wanted, "-r", "all.txt", on=on) == [(("click==8",), ("-r", "all.txt"))]


@pytest.mark.parametrize(
    "words",
    [
        "-rall.txt",
        "-Ur all.txt",
        "-qc bounds.txt",
        "--req=all.txt",
        "--constrain bounds.txt",
        "--group dev",
        "--requirements-from-script run.py",
    ],
)
def test_files_are_seen_in_all_spellings(words: str) -> None:
    assert has_files(("install", *words.split()))


def test_a_name_or_a_value_is_no_file() -> None:
    assert not has_files(("install", "-Uq", "requests", "--report", "-r.json", "--", "-r"))


def test_what_constraints_say_is_only_known_from_what_pip_chose() -> None:
    wanted = of(PRIVATE, artifact("rich==13.9", requested=False, needed_by=("private",)))
    on = offers("rich 14.0 13.9 13.0")
    assert divided(wanted, "private", on=on) == [(("rich>=13",), ("private",))]
    found = shares(wanted, LAB, ("install", "private"), on, constrained=True)
    assert [share.specs for share in found] == [("rich==13.9",)]
    (share,) = shares(wanted, LAB, ("install", "private", "-c", "b.txt"), on)
    assert share.specs == ("rich==13.9",)
    # Where they can be read, they are bounds as others are.
    bounds = {"rich": (Requirement("rich<14"), Requirement("rich<1; python_version < '3'"))}
    for words in (("install", "private"), ("install", "private", "-c", "b.txt")):
        (share,) = shares(wanted, LAB, words, on, bounds=bounds)
        assert share.specs == ("rich>=13,<14",)
    assert shares(wanted, LAB, words, offers("rich 14.0"), bounds=bounds) == ()


def test_the_needs_of_what_stays_as_it_is_count_too() -> None:
    env = environment(pip("foo==1", "bar<2; extra == 'x'", "baz; extra == 'y'"))
    on = offers("bar 3 1.5", "baz 1")
    bar = artifact("bar==1.5", requested=False, needed_by=("foo",))
    baz = artifact("baz==1", requested=False, needed_by=("foo",))
    assert divided(of(bar, env=env), "foo[x]", on=on, env=env) == [(("bar<2",), ())]
    # Of an extra that nobody is known to ask for, nothing is known.
    assert divided(of(baz, env=env), "foo[x]", on=on, env=env) == []


def test_only_what_pypi_has_is_known_to_conda_by_its_name() -> None:
    corporate = of(artifact("click==8.1"))
    (from_pypi,) = corporate.changes
    public = replace(corporate, changes=(replace(from_pypi, artifact=Artifact(ON_PYPI)),))
    on = {"click": Offer("click", "click", ("8.1",))}
    assert divided(corporate, "click", on=on) == []
    assert divided(public, "click", on=on) == [(("click",), ())]
    # What stands in a channel on this machine is as private as the index.
    assert divided(corporate, "click", on=offers("click 8.1")) == [(("click",), ())]


def test_under_another_name_another_major_version_may_be_another_thing() -> None:
    wanted = of(artifact("apex==0.9"))
    assert divided(wanted, "apex", on=offers("apex = nvidia-apex 22.4")) == []
    years = of(artifact("tzdata==2025.2"))
    assert divided(years, "tzdata", on=offers("tzdata = python-tzdata 2024.1")) != []


@pytest.mark.parametrize(
    "step",
    [
        artifact("click==8", extras=("fast",)),
        artifact("click==8", source="vcs"),
        artifact("click==8", source="editable"),
        artifact("click==8"),
    ],
    ids=["extra", "repository", "editable", "other bounds"],
)
def test_what_would_be_another_thing_stays_with_pip(step: Step) -> None:
    assert divided(of(step), "click<8.1", on=offers("click 8.1")) == []


def test_a_pre_release_is_not_what_conda_has() -> None:
    assert divided(of(artifact("click==8")), "click>=8", on=offers("click 8.2rc1")) == []


def test_what_pip_has_put_there_would_come_twice() -> None:
    env = environment(pip("click==7"))
    wanted = of(artifact("click==8"), env=env)
    assert divided(wanted, "-U", "click", on=offers("click 8.1"), env=env) == []


def test_what_conda_has_already_is_no_share() -> None:
    wanted = of(artifact("numpy==2.4"))
    assert divided(wanted, "-U", "numpy", on=offers("numpy 2.4")) == []
    env = environment(conda("opencv==4.9", name="py-opencv", metadata="none"))
    wanted = of(artifact("opencv-python==4.11"), env=env)
    on = offers("opencv-python = py-opencv 4.11")
    assert divided(wanted, "opencv-python", on=on, env=env) == []


def test_what_is_conda_s_and_has_to_change_is_asked_of_conda_along() -> None:
    wanted = of(
        artifact("vision==5", "numpy>=2", "click"),
        artifact("numpy==2.4", requested=False, needed_by=("vision",)),
        artifact("click==8", requested=False, needed_by=("vision",)),
    )
    on = offers("numpy 2.4 2.2 1.26.4", "click 8.1")
    # pip's `house` wants numpy<2.3, and conda does not know of it.
    assert divided(wanted, "vision", on=on) == [(("numpy>=2,<2.3", "click"), ("vision",))]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (PipOptions(ignore_dependencies=True), ()),
        (PipOptions(use_user_site=True), ()),
        (PipOptions(prefix_path="/x"), ()),
        (PipOptions(pre=True), ()),
        (PipOptions(upgrade=True), ("-r", "all.txt")),
        (PipOptions(upgrade=True), ("-Ur", "all.txt")),
        (PipOptions(upgrade=True), ("--req=all.txt",)),
        (PipOptions(eager=True), ()),
        (PipOptions(no_binary=True), ()),
        (PipOptions(require_hashes=True), ()),
    ],
)
def test_what_is_another_request_is_not_shared(
    options: PipOptions, arguments: tuple[str, ...]
) -> None:
    assert against_sharing(options, ("install", *arguments))


# ------------------------------------------------------------------------------- whether it works


CLICK = artifact("click==8", requested=False, needed_by=("vision",))
ADDED = Moved("click", "", "8.1")


def works_with(answer: Answer, *needs: str) -> bool:
    on = offers("click 8.1")
    wanted = of(artifact("vision==5", "click", *needs), CLICK)
    (share,) = shares(wanted, LAB, ("install", "vision"), on)
    return works(share, LAB, answer, on)


def test_a_share_works_where_nobody_loses_what_it_requires() -> None:
    there = {"numpy": "1.26.4", "scipy": "1.11.4", "click": "8.1"}
    assert works_with(Answer(True, (ADDED,), there))
    assert works_with(Answer(True, (ADDED, Moved("numpy", "1.26.4", "2.2")), there))
    # pip's `house` wants numpy<2.3, and what is not conda's is not looked after by conda.
    assert not works_with(Answer(True, (ADDED, Moved("numpy", "1.26.4", "2.4")), there))
    assert not works_with(Answer(True, (ADDED, Moved("numpy", "1.26.4", "")), there))


def test_a_share_works_only_where_pip_s_rest_is_as_planned() -> None:
    there = {"numpy": "1.26.4", "scipy": "1.11.4", "click": "8.1"}
    assert works_with(Answer(True, (ADDED,), there), "scipy>=1.11")
    moved = Moved("scipy", "1.11.4", "1.10")
    assert not works_with(Answer(True, (ADDED, moved), there), "scipy>=1.11")
    assert not works_with(Answer(True, (), {"numpy": "1.26.4"}))


# ------------------------------------------------------------------------------- how it is said


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        (
            "conda",
            f'conda install -p {PREFIX} {FROM_FORGE} "pytorch>=2" && safepip install --strict',
        ),
        (
            "micromamba",
            f'micromamba install -p {PREFIX} {FROM_FORGE} "pytorch>=2" && safepip install',
        ),
        ("pixi", 'pixi add "pytorch>=2" && safepip install --strict private'),
    ],
)
def test_a_share_is_said_in_the_words_of_the_user_s_tool(manager: Manager, command: str) -> None:
    wanted = of(PRIVATE, NEEDED)
    (share, *_) = shares(wanted, LAB, ("install", "private"), offers("torch = pytorch 2.2"))
    answer = Answer(
        True,
        (Moved("numpy", "1.26.4", "2.2"), Moved("pytorch", "", "2.2"), Moved("old", "1", "")),
        {"pytorch": "2.2"},
    )
    shell = Shell(PREFIX, manager, channels=("https://conda.anaconda.org/conda-forge",))
    fix = shared_fix(share, answer, wanted, shell, ("--strict",))
    assert fix.command.startswith(command)
    # pip has planned the rest with another version.
    untried, unsure = (
        ("", ", if pixi can (unchecked)") if manager == "pixi" else (" (unchecked)", "")
    )
    assert fix.says == (
        f"take pytorch 2.2 (pip: 2.4) from conda, and pip the rest{untried}; "
        f"that also changes numpy 1.26.4 -> 2.2 and removes old 1{unsure}"
    )


# ------------------------------------------------------------------------------- names


MAPPING = {
    "pytorch": ["torch"],
    "pytorch-gpu": [],
    "python-graphviz": ["graphviz"],
    "graphviz": None,
    "msgpack-python": ["msgpack"],
    "ruamel.yaml": ["ruamel.yaml"],
    "numpy": ["numpy"],
    "nvcomp": ["nvidia-nvcomp-cu12", "nvidia-nvcomp-cu13"],
    "bundle": ["one", "two", "three"],
    "nvidia-apex": ["apex"],
    "pyqt": ["PyQt5", "PyQt5-sip"],
    "unheard": ["unheard-of"],
    "here": ["twin"],
    "there": ["twin"],
}
ON_THE_INDEX = (
    "torch pytorch graphviz msgpack ruamel-yaml numpy nvidia-nvcomp-cu12 nvidia-nvcomp-cu13 one "
    "apex pyqt5 twin bundle"
)


def test_the_table_of_names_has_what_differs_and_is_plain() -> None:
    found = table(MAPPING, set(ON_THE_INDEX.split()))
    wanted = ("torch", "graphviz", "msgpack")
    assert {name: found.pop(name) for name in wanted} == {
        "torch": "pytorch",
        "graphviz": "python-graphviz",
        "msgpack": "msgpack-python",
    }
    # `pytorch` of PyPI is another thing; what shares a package with others is not told apart.
    none = {"pytorch", "nvidia-nvcomp-cu12", "nvidia-nvcomp-cu13", "one", "bundle", "twin"}
    by_hand = {"apex", "pyqt5"}
    assert found == dict.fromkeys(none | by_hand, "-")


@pytest.mark.parametrize(
    ("distribution", "packages"),
    [
        ("torch", ("pytorch",)),
        ("pytorch", ()),
        ("hpy", ()),
        ("numpy", ("numpy",)),
        ("ruamel-yaml", ("ruamel-yaml", "ruamel_yaml", "ruamel.yaml")),
    ],
)
def test_what_is_not_in_the_table_has_its_own_name(
    distribution: str, packages: tuple[str, ...]
) -> None:
    assert conda_names(distribution) == packages
