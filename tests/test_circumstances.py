"""What the environment itself says of a plan, and what is told of its artifacts."""

from __future__ import annotations

from typing import Any

import pytest

from safepip.decisions.judging.judge import Judgement
from safepip.values.findings import (
    AlreadyDamaged,
    Base,
    Builds,
    CondaOwned,
    Finding,
    Frozen,
    NoMetadata,
    Pixi,
    RuntimeTwice,
)
from safepip.values.plan import Source
from safepip.values.request import Policy
from tests.build import PREFIX, SITE, artifact, conda, environment, judged, pip, plan, removal

SEALS: list[tuple[dict[str, Any], Frozen]] = [
    (
        {"frozen": "ask Ada"},
        Frozen(marker="frozen", path=f"{PREFIX}/conda-meta/frozen", message="ask Ada"),
    ),
    (
        {"externally_managed": "use conda"},
        Frozen(
            marker="externally-managed",
            path=f"{PREFIX}/lib/python3.11/EXTERNALLY-MANAGED",
            message="use conda",
        ),
    ),
    ({"writable": False}, Frozen(marker="read-only", path=PREFIX)),
]


@pytest.mark.parametrize(("facts", "finding"), SEALS)
def test_a_sealed_environment_is_not_changed(facts: dict[str, Any], finding: Frozen) -> None:
    env = environment(**facts)
    assert judged(env, plan(env, artifact("imagesize==1.1.0"))) == Judgement((finding,))


@pytest.mark.parametrize(("facts", "finding"), SEALS)
def test_a_seal_is_seen_before_there_is_a_plan(facts: dict[str, Any], finding: Frozen) -> None:
    env = environment(**facts)
    assert judged(env, plan(env)) == Judgement((finding,))


def test_each_seal_is_passed_by_its_own_option_only() -> None:
    env = environment(frozen="", externally_managed="")
    wanted = plan(env, artifact("imagesize==1.1.0"))
    override = Policy(override_frozen=True)
    assert [
        [finding.marker for finding in judgement.findings if isinstance(finding, Frozen)]
        for judgement in (
            judged(env, wanted, override),
            judged(env, wanted, break_system_packages=True),
            judged(env, wanted, override, break_system_packages=True),
        )
    ] == [["externally-managed"], ["frozen"], []]


def test_a_prefix_that_cannot_be_written_stops_nothing_that_goes_elsewhere() -> None:
    env = environment(writable=False)
    assert judged(env, plan(env, artifact("one==1.0"), elsewhere="/elsewhere")) == Judgement(())


@pytest.mark.parametrize(("fact", "finding"), [("is_pixi", Pixi()), ("is_base", Base())])
def test_a_bad_place_for_changes_is_told_with_every_change(fact: str, finding: Finding) -> None:
    env = environment(**{fact: True})
    assert [judged(env, plan(env)), judged(env, plan(env, artifact("one==1.0")))] == [
        Judgement(()),
        Judgement((finding,)),
    ]


@pytest.mark.parametrize("source", ["sdist", "vcs", "directory", "editable"])
def test_code_that_runs_while_a_wheel_is_built_is_told(source: Source) -> None:
    env = environment()
    assert judged(env, plan(env, artifact("one==1.0", source=source))) == Judgement(
        (Builds(distribution="one", source=source, url="https://files.example/one-1.0.tar.gz"),)
    )


# ------------------------------------------------------------------------------ no-metadata

STUCK = "uninstall-distutils-installed-package"


def test_nothing_is_begun_that_pip_will_not_finish() -> None:
    env = environment(pip("pyyaml==6.0.1"))
    wanted = plan(env, artifact("pyyaml==6.0.2", cannot_remove=STUCK))
    assert judged(env, wanted) == Judgement(
        (
            NoMetadata(
                severity="refuse",
                distribution="pyyaml",
                installed="6.0.1",
                path=f"{SITE}/pyyaml-6.0.1.dist-info",
                reason=STUCK,
            ),
        )
    )


def test_beside_a_refusal_what_pip_cannot_remove_is_a_note() -> None:
    env = environment(conda("pyyaml==6.0.1", metadata="egg-info"))
    wanted = plan(env, artifact("pyyaml==6.0.2", cannot_remove=STUCK))
    kinds = [(type(f), f.severity) for f in judged(env, wanted).findings]
    allowed = [
        (type(f), f.severity) for f in judged(env, wanted, Policy(allow=("pyyaml",))).findings
    ]
    assert (kinds, allowed) == (
        [(CondaOwned, "refuse"), (NoMetadata, "note")],
        [(NoMetadata, "refuse"), (CondaOwned, "note")],
    )


def test_what_conda_is_to_remove_need_not_be_removable_by_pip() -> None:
    env = environment(conda("terminado==0.17.1", metadata="egg-info"))
    wanted = plan(env, removal("terminado", cannot_remove=STUCK))
    assert [type(finding) for finding in judged(env, wanted).findings] == [CondaOwned]


# -------------------------------------------------------------------------- already-damaged


def test_traces_of_an_interrupted_pip_are_told_always() -> None:
    env = environment(leftovers=(f"{SITE}/~umpy",))
    assert judged(env, plan(env)) == Judgement((AlreadyDamaged(what=(f"{SITE}/~umpy",)),))


def test_damage_is_told_where_the_user_asks_for_what_is_damaged() -> None:
    env = environment(conda("joblib==1.3.2", broken="no METADATA"))
    told = AlreadyDamaged(distribution="joblib", what=("joblib-1.3.2.dist-info: no METADATA",))
    assert [judged(env, plan(env), asked=(name,)) for name in ("joblib", "click")] == [
        Judgement((told,)),
        Judgement(()),
    ]


def test_damage_is_told_where_the_plan_counts_on_it() -> None:
    env = environment(conda("joblib==1.3.2", broken="no RECORD"))
    findings = judged(env, plan(env, artifact("tool==1.0", "joblib"))).findings
    assert findings == (
        AlreadyDamaged(distribution="joblib", what=("joblib-1.3.2.dist-info: no RECORD",)),
    )


def test_two_copies_in_one_folder_are_told() -> None:
    env = environment(conda("wheel==0.42.0"), pip("wheel==0.40.0"))
    assert judged(env, plan(env), asked=("wheel",)) == Judgement(
        (
            AlreadyDamaged(
                distribution="wheel",
                what=("wheel-0.40.0.dist-info and wheel-0.42.0.dist-info are there at once",),
            ),
        )
    )


def test_a_requirement_that_cannot_be_parsed_is_nobodys_fault() -> None:
    env = environment(conda("testpath==0.4.1", "this is (not a requirement"))
    assert judged(env, plan(env, artifact("click==8.1.7"))) == Judgement(())


# ---------------------------------------------------------------------------- runtime-twice


@pytest.mark.parametrize(
    ("bundled", "condas", "runtime"),
    [
        ("libgomp-a34b3233.so.1.0.0", "lib/libgomp.so.1", "OpenMP"),
        ("libiomp5.so", "lib/libomp.so", "OpenMP"),
        ("libopenblas64_p-r0-0cf96a72.3.23.dev.so", "lib/libopenblasp-r0.3.21.so", "OpenBLAS"),
        ("libscipy_openblas64_-99b71e71.so", "lib/libopenblas.so.0", "OpenBLAS"),
        ("libstdc++.so.6", "lib/libstdc++.so.6.0.32", "libstdc++"),
        ("libmkl_core.so.2", "lib/libmkl_rt.so.2", "MKL"),
        ("libcublasLt.so.12", "lib/libcudart.so.12", "CUDA"),
        ("libomp.dylib", "lib/libomp.dylib", "OpenMP"),
    ],
)
def test_a_runtime_that_conda_has_too_is_told(bundled: str, condas: str, runtime: str) -> None:
    env = environment(conda("runtime==1", metadata="none", modules=(), files=(condas,)))
    new = artifact("faiss-cpu==1.8", modules=("faiss/__init__.py", f"faiss_cpu.libs/{bundled}"))
    assert judged(env, plan(env, new)) == Judgement(
        (
            RuntimeTwice(
                distribution="faiss-cpu",
                runtime=runtime,
                bundled=bundled,
                conda_package="runtime-1-py311_0",
            ),
        )
    )


@pytest.mark.parametrize(
    "path", ["faiss/libompi.so", "faiss/libgomp.py", "faiss/libfoo.so.1", "faiss/libmkl_notes.txt"]
)
def test_other_files_are_no_runtime(path: str) -> None:
    files = ("lib/libgomp.so.1", "lib/libmkl_rt.so.2")
    env = environment(conda("runtime==1", metadata="none", modules=(), files=files))
    assert judged(env, plan(env, artifact("faiss-cpu==1.8", modules=(path,)))) == Judgement(())


def test_a_runtime_that_conda_lacks_is_not_told() -> None:
    env = environment(conda("numpy==1.26.4"))
    new = artifact("faiss-cpu==1.8", modules=("faiss_cpu.libs/libgomp-a34b3233.so.1.0.0",))
    assert judged(env, plan(env, new)) == Judgement(())
