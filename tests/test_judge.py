"""What is judged of a plan as a whole, and who owns what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.judging.judge import Judgement, judge
from safepip.values.environment import Distribution, Environment, Record
from safepip.values.findings import (
    Base,
    CondaOwned,
    Finding,
    SameFiles,
    SecondCopy,
    Shadows,
)
from safepip.values.plan import Artifact, Change, Landing, Plan, PlannedFile
from safepip.values.request import Policy
from tests.build import (
    PREFIX,
    Package,
    artifact,
    conda,
    environment,
    in_user_site,
    interpreter,
    judged,
    landings,
    pip,
    plan,
    removal,
)

CLEAR = Judgement(())

# --------------------------------------------------------------------------- conda-owned


def test_new_names_and_new_files_are_clear() -> None:
    env = environment(conda("numpy==1.26.4"), pip("rich==13.6"))
    assert judged(env, plan(env, artifact("speclite==0.18", "numpy>=1.20"))) == CLEAR


def test_an_empty_plan_is_clear() -> None:
    assert judged(environment(conda("msgpack==1.0.5")), Plan(())) == CLEAR


def test_a_distribution_of_pip_may_be_replaced() -> None:
    env = environment(conda("numpy==1.26.4"), pip("rich==13.6"))
    assert judged(env, plan(env, artifact("rich==13.7"))) == CLEAR


@pytest.mark.parametrize(
    ("version", "action"), [("2.0.1", "upgrade"), ("0.9", "downgrade"), ("1.0.0", "same")]
)
def test_a_distribution_of_conda_may_not_be_replaced(version: str, action: str) -> None:
    env = environment(conda("imagesize==1.0.0"))
    assert judged(env, plan(env, artifact(f"imagesize=={version}"))) == Judgement(
        (
            CondaOwned(
                distribution="imagesize",
                action=action,
                installed="1.0.0",
                planned=version,
                conda_package="imagesize-1.0.0-py311_0",
                requested=True,
            ),
        )
    )


def test_a_distribution_of_conda_may_not_be_removed() -> None:
    env = environment(conda("pip==23.1.2"))
    assert judged(env, plan(env, removal("pip"))) == Judgement(
        (
            CondaOwned(
                distribution="pip",
                action="remove",
                installed="23.1.2",
                planned=None,
                conda_package="pip-23.1.2-py311_0",
                requested=True,
            ),
        )
    )


def test_what_pip_brings_along_may_not_replace_a_distribution_of_conda_either() -> None:
    env = environment(conda("requests==2.31.0"))
    wanted = plan(env, artifact("tool==1.0"), artifact("requests==2.34.2", requested=False))
    assert judged(env, wanted) == Judgement(
        (
            CondaOwned(
                distribution="requests",
                action="upgrade",
                installed="2.31.0",
                planned="2.34.2",
                conda_package="requests-2.31.0-py311_0",
            ),
        )
    )


def test_the_owner_and_all_that_need_it_are_named_whatever_conda_calls_them() -> None:
    env = environment(
        conda(
            "numpy==1.26.4",
            name="numpy",
            metadata="none",
            modules=(),
            depends=("numpy-base 1.26.4",),
        ),
        conda("numpy==1.26.4", name="numpy-base", depends=("python >=3.11",)),
        conda("scipy==1.11.4", depends=("numpy >=1.26,<2",)),
    )
    assert judged(env, plan(env, artifact("numpy==1.25.2"))) == Judgement(
        (
            CondaOwned(
                distribution="numpy",
                action="downgrade",
                installed="1.26.4",
                planned="1.25.2",
                conda_package="numpy-base-1.26.4-py311_0",
                dependents=("numpy 1.26.4 (numpy-base 1.26.4)", "scipy 1.11.4 (numpy >=1.26,<2)"),
                requested=True,
            ),
        )
    )


def test_what_needs_another_version_of_a_wrapper_is_no_dependent_of_the_owner() -> None:
    env = environment(
        conda("dask-core==2024.1"),
        conda("distributed==2.0", depends=("dask-core >=2024.1",)),
        conda("coiled==1.0", depends=("distributed",)),
    )
    (finding,) = judged(env, plan(env, artifact("dask-core==2025.1"))).findings
    assert isinstance(finding, CondaOwned)
    assert finding.dependents == ("distributed 2.0 (dask-core >=2024.1)",)


def test_packages_that_need_each_other_are_not_their_own_dependents() -> None:
    wrapper = conda("numpy==1.26.4", metadata="none", modules=(), depends=("numpy-base 1.26.4",))
    env = environment(wrapper, conda("numpy==1.26.4", name="numpy-base", depends=("numpy 1.26.4",)))
    (finding,) = judged(env, plan(env, removal("numpy"))).findings
    assert isinstance(finding, CondaOwned)
    assert finding.dependents == ("numpy 1.26.4 (numpy-base 1.26.4)",)


def test_of_two_copies_in_one_folder_it_does_not_matter_which_pip_sees() -> None:
    env = environment(pip("wheel==0.40.0"), conda("wheel==0.42.0"))
    wanted = plan(env, artifact("wheel==0.41.0"))
    assert [
        finding for finding in judged(env, wanted).findings if finding.kind == "conda-owned"
    ] == [
        CondaOwned(
            distribution="wheel",
            action="downgrade",
            installed="0.42.0",
            planned="0.41.0",
            conda_package="wheel-0.42.0-py311_0",
            requested=True,
        )
    ]


def test_two_copies_do_not_matter_to_an_install_of_something_else() -> None:
    env = environment(pip("wheel==0.40.0"), conda("wheel==0.42.0"))
    assert judged(env, plan(env, artifact("chardet==5.0"))) == CLEAR


def test_an_install_that_looks_past_what_is_there_replaces_it_all_the_same() -> None:
    env = environment(conda("pandas==2.2.2"))
    wanted = plan(env, artifact("pandas==2.2.2", before=None, removes=()))
    assert judged(env, wanted).findings == (
        CondaOwned(
            distribution="pandas",
            action="same",
            installed="2.2.2",
            planned="2.2.2",
            conda_package="pandas-2.2.2-py311_0",
            requested=True,
        ),
    )


def test_versions_that_are_none_are_compared_as_text() -> None:
    env = environment(conda("odd==not a version"))
    actions = [
        finding.action
        for version in ("not a version", "neither")
        for finding in judged(env, plan(env, artifact(f"odd=={version}"))).findings
        if isinstance(finding, CondaOwned)
    ]
    assert actions == ["same", "upgrade"]


@pytest.mark.parametrize("name", ["opencv-python", "libopencv"])
def test_what_the_user_allows_is_a_note_by_either_name(name: str) -> None:
    env = environment(conda("opencv-python==4.9", name="libopencv", modules=("cv2/__init__.py",)))
    wanted = plan(env, artifact("opencv-python==4.11", modules=("cv2/__init__.py",)))
    assert judged(env, wanted, Policy(allow=(name,))) == Judgement(
        (
            CondaOwned(
                severity="note",
                distribution="opencv-python",
                action="upgrade",
                installed="4.9",
                planned="4.11",
                conda_package="libopencv-4.9-py311_0",
                requested=True,
            ),
        )
    )


def test_a_prefix_elsewhere_does_not_keep_pip_from_uninstalling_here() -> None:
    env = environment(conda("labdep==2.0"))
    wanted = plan(env, artifact("labdep==1.0"), elsewhere="/elsewhere")
    assert [finding.kind for finding in judged(env, wanted).findings] == ["conda-owned"]


def test_a_prefix_elsewhere_that_leaves_this_one_alone_is_clear() -> None:
    env = environment(conda("labdep==2.0"))
    wanted = plan(env, artifact("labdep==1.0", removes=()), elsewhere="/elsewhere")
    assert judged(env, wanted) == CLEAR


# ------------------------------------------------------------------------------- the whole


def test_what_refuses_comes_before_notes() -> None:
    env = environment(conda("numpy==1.26.4"), is_base=True)
    findings = judged(env, plan(env, artifact("numpy==2.0"))).findings
    assert [(finding.kind, finding.severity) for finding in findings] == [
        ("conda-owned", "refuse"),
        ("base", "note"),
    ]


def test_notes_alone_do_not_refuse() -> None:
    env = environment(is_base=True)
    judgement = judged(env, plan(env, artifact("tool==1.0")))
    assert (judgement, judgement.refuses) == (Judgement((Base(),)), False)


def test_a_plan_with_a_refusal_is_refused() -> None:
    env = environment(conda("numpy==1.26.4"))
    assert judged(env, plan(env, artifact("numpy==2.0"))).refuses


# ------------------------------------------------------------------------------ properties

NAMES = st.sampled_from(["alpha", "beta", "gamma", "delta"])
VERSIONS = st.sampled_from(["1.0", "1.5", "2.0", "3.0rc1", "odd one"])
BOUNDS = st.sampled_from(["", ">=1.5", "<2", "==1.0", "!=2.0", "[extra]", " @ https://x.example/y"])
LINES = st.builds(str.__add__, NAMES, BOUNDS)
MODULES = st.lists(
    st.sampled_from(["alpha/__init__.py", "alpha/a.py", "beta.py", "tests/t.py", "ns/x.py"]),
    unique=True,
    max_size=4,
)
OWNERSHIP = (CondaOwned, SameFiles, SecondCopy, Shadows)


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    """Environments in which conda and pip each have a few distributions, with overlaps."""
    packages = []
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        spec = f"{name}=={draw(VERSIONS)}"
        lines = draw(st.lists(LINES, max_size=2))
        package = draw(
            st.one_of(
                st.builds(lambda m, s=spec, r=tuple(lines): conda(s, *r, modules=m), MODULES),
                st.builds(lambda m, s=spec: conda(s, modules=m, metadata="none"), MODULES),
                st.just(pip(spec, *lines)),
                st.just(in_user_site(spec, *lines)),
            )
        )
        packages.append(package)
    return environment(*packages)


@st.composite
def plans(draw: st.DrawFn, env: Environment) -> Plan:
    """Plans over the same few names."""
    steps = []
    for name in draw(st.lists(NAMES, unique=True, max_size=3)):
        if draw(st.booleans()) or name not in env.installed:
            spec, lines = f"{name}=={draw(VERSIONS)}", draw(st.lists(LINES, max_size=2))
            steps.append(artifact(spec, *lines, modules=draw(MODULES)))
        else:
            steps.append(removal(name))
    return plan(env, *steps, user_site=draw(st.booleans()))


def refusals(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.severity == "refuse"]


def with_more(env: Environment, added: Package) -> Environment:
    """The same environment with one more package of conda, which is found last."""
    assert added.record is not None
    assert added.distribution is not None
    return replace(
        env,
        records=(*env.records, added.record),
        distributions=(*env.distributions, added.distribution),
    )


@given(st.data(), VERSIONS, MODULES, st.lists(LINES, max_size=2))
def test_another_package_of_conda_never_makes_a_refused_plan_clear(
    data: st.DataObject, version: str, modules: list[str], lines: list[str]
) -> None:
    env = data.draw(environments())
    wanted = data.draw(plans(env))
    more = with_more(env, conda(f"omega=={version}", *lines, modules=modules))
    known = landings(more, wanted)
    before, after = judge(env, wanted, Policy(), known), judge(more, wanted, Policy(), known)
    assert after.refuses or not before.refuses


@given(st.data(), NAMES, VERSIONS, MODULES)
def test_a_package_that_meets_a_requirement_excuses_nothing_that_conda_owns(
    data: st.DataObject, name: str, version: str, modules: list[str]
) -> None:
    env = data.draw(environments())
    wanted = data.draw(plans(env))
    more = with_more(env, conda(f"{name}=={version}", modules=modules))
    known = landings(more, wanted)
    before, after = judge(env, wanted, Policy(), known), judge(more, wanted, Policy(), known)
    assert after.refuses or not any(isinstance(f, OWNERSHIP) for f in refusals(before))


@given(st.data(), st.data())
def test_new_names_with_new_files_are_never_refused_for_what_conda_owns(
    data: st.DataObject, more: st.DataObject
) -> None:
    env = data.draw(environments())
    modules = [[f"new/{path}"] for path in more.draw(MODULES)]
    steps = [artifact(f"new-{at}==1.0", modules=paths) for at, paths in enumerate(modules)]
    refused = refusals(judged(env, plan(env, *steps)))
    assert not any(isinstance(finding, OWNERSHIP) for finding in refused)


@given(st.data())
def test_the_same_question_has_the_same_answer(data: st.DataObject) -> None:
    env = data.draw(environments())
    wanted = data.draw(plans(env))
    again = replace(env), replace(wanted)
    assert judged(env, wanted) == judged(*again)


@given(st.data())
def test_no_path_of_conda_is_both_spared_and_refused(data: st.DataObject) -> None:
    env = data.draw(environments())
    judgement = judged(env, data.draw(plans(env)))
    refused = {
        f"{PREFIX}/{path}"
        for finding in refusals(judgement)
        if isinstance(finding, SameFiles)
        for path in finding.paths
    }
    assert not refused.intersection(judgement.spared)


TEXT = st.text(max_size=12) | st.sampled_from(
    ["numpy>=1; extra == 'x'", "a[b]>=1", "../..", "==", "1!2.0", "a; " + "(" * 2000, "9" * 5000]
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)


@st.composite
def strange(draw: st.DrawFn) -> tuple[Environment, Plan, Mapping[str, Landing]]:
    """Environments and plans in which every text is any text."""
    record = Record(draw(TEXT), draw(TEXT), draw(TEXT), depends=draw(TEXTS), files=draw(TEXTS))
    owned = Distribution(draw(TEXT), draw(TEXT), draw(TEXT), requires=draw(TEXTS), record=record)
    other = Distribution(owned.name, draw(TEXT), draw(TEXT), draw(TEXT), draw(TEXTS))
    files = tuple(PlannedFile(path, "module") for path in draw(TEXTS))
    change = Change(
        draw(st.just(owned.name) | TEXT),
        draw(st.sampled_from(("add", "upgrade", "same", "remove"))),
        draw(st.sampled_from((None, owned, other))),
        draw(st.none() | TEXT),
        Artifact(draw(TEXT)),
        requested=draw(st.booleans()),
        requires=draw(TEXTS),
        extras=draw(TEXTS),
        files=files,
        removes=draw(TEXTS),
        cannot_remove=draw(TEXT),
    )
    env = Environment(
        draw(TEXT),
        interpreter(purelib=draw(TEXT), platlib=draw(TEXT), markers={"os_name": draw(TEXT)}),
        (record,),
        (owned, other),
        pins=draw(TEXTS),
        leftovers=draw(TEXTS),
    )
    known = {file.path: Landing(file.path, draw(TEXT), draw(st.booleans())) for file in files}
    wanted = Plan((change,), draw(TEXTS), draw(st.booleans()), draw(st.booleans()), draw(TEXT))
    return env, wanted, known


@given(strange(), TEXTS)
def test_any_text_at_all_is_judged(
    case: tuple[Environment, Plan, Mapping[str, Landing]], asked: tuple[str, ...]
) -> None:
    env, wanted, known = case
    policy = Policy(allow=asked)
    assert isinstance(judge(env, wanted, policy, known, asked=asked), Judgement)
