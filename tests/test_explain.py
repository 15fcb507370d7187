"""`explain`: what is known of a package, of a word in brackets, and of the last verdict."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from packaging.requirements import Requirement

from safepip.decisions.explaining.articles import ARTICLES
from safepip.decisions.explaining.portrait import Need, portraits_of
from safepip.decisions.explaining.verdicts import told
from safepip.decisions.wording.explained import article_lines, may_be, portrait_lines, verdict_lines
from safepip.effects.importables import owner_of
from safepip.effects.interpreters import ask_python
from safepip.effects.last import keep_last, read_last
from safepip.effects.reading import read_environment
from safepip.values import damage, errors, findings
from safepip.values.environment import Environment
from safepip.values.plan import Plan
from safepip.values.verdict import Blocked, Fix, Outcome
from tests.build import Package, conda, environment, pip
from tests.guarded import Guarded, run
from tests.lab import CondaEnvironment, create, everything, fake, from_wheel, make_wheel
from tests.saying import expected, text
from tests.wild import SECRET, outcomes

LAB_PACKAGES = (
    conda("numpy==1.26.4", modules=("numpy/__init__.py",)),
    conda("torch==2.2.0", "numpy<2", name="pytorch", depends=["numpy >=1.22,<2.0a0"]),
    conda("opencv==4.9.0", name="py-opencv", metadata="none", depends=["numpy >=2"]),
    pip("rich==13.6"),
    pip("textual==0.40", "rich[markdown]<14,>=13", "numpy>=2; extra == 'fast'"),
    pip("app==1.0", "textual[fast]", "missing>=3"),
)
LAB = environment(*LAB_PACKAGES, pins=("numpy 1.26.*", "rich 13.*"))


def explained(name: str, env: Environment = LAB) -> str:
    found = portraits_of(env, name)
    return text(tuple(line for p in found for line in portrait_lines(p, env, None, {}, width=80)))


# ------------------------------------------------------------------------------- a package


def test_a_package_of_conda_is_told_from_both_books() -> None:
    assert explained("NumPy") == expected("""
        numpy 1.26.4  conda's
          env  /opt/conda/envs/lab  (lab, Python 3.11, 3 conda packages)

        conda package    numpy 1.26.4
        build            py311_0
        files            3 files
        metadata         /opt/conda/envs/lab/lib/python3.11/site-packages/numpy-1.26.4.dist-info
        needed by        conda's pytorch 2.2.0: numpy >=1.22,<2.0a0  (conda)
                         conda's py-opencv 4.9.0: numpy >=2  (conda)  NOT met
                         conda's torch 2.2.0: numpy<2  (Python)
                         textual 0.40: numpy>=2  (Python)  NOT met
        pinned           numpy 1.26.*
        pip may take     nothing but 1.26.4, since that is conda's
                         with --allow numpy: no version that all are content with:
                           together they ask for numpy>=2,<2
                         outside conda's own bounds, pytorch 2.2.0 (numpy
                           >=1.22,<2.0a0), py-opencv 4.9.0 (numpy >=2) then lack what
                           they need
        """)


def test_what_conda_lists_still_is_said_of_what_pip_put_in_its_place() -> None:
    before = conda("protobuf==4.25.3")
    there = environment(Package(before.record, None), pip("protobuf==7.36.2"))
    (portrait,) = portraits_of(there, "protobuf")
    assert portrait.still == before.record
    said = text(portrait_lines(portrait, there, None, {}, width=80))
    assert "conda lists      protobuf 4.25.3, too, and may write it over this: safepip" in said
    program = environment(conda("graphviz==12", metadata="none"), pip("graphviz==0.20"))
    assert portraits_of(program, "graphviz")[0].still is None


def test_conda_s_name_and_the_distribution_s_lead_to_the_same() -> None:
    assert portraits_of(LAB, "pytorch") == portraits_of(LAB, "torch")
    assert portraits_of(LAB, "torch")[0].owner == "conda"


def test_what_pip_installed_may_be_changed_within_what_others_need() -> None:
    (rich,) = portraits_of(LAB, "rich")
    needs = (Need("textual", "0.40", "pip", "rich[markdown]<14,>=13", "python", is_met=True),)
    assert (rich.owner, rich.bounds, rich.needs) == ("pip", ">=13,<14", needs)
    assert rich.pins == ("rich 13.*",)


def test_a_conda_package_without_metadata_is_one_that_pip_does_not_see() -> None:
    assert "a copy of its own: conda's has no metadata that pip sees" in explained("py-opencv")
    assert "not one with files or modules that conda's has" in explained("py-opencv")


def test_what_is_not_there_is_known_when_somebody_needs_it() -> None:
    (missing,) = portraits_of(LAB, "missing")
    assert (missing.owner, missing.version, missing.bounds) == ("none", "", ">=3")
    assert "app 1.0: missing>=3  (Python)  NOT met" in explained("missing")
    assert portraits_of(LAB, "unheard-of") == ()


def test_several_distributions_of_one_conda_package_are_told_one_by_one() -> None:
    both = conda("thing-core==1.0", name="thing", modules=["core.py"])
    assert both.record is not None
    assert both.distribution is not None
    second = pip("thing-extra==1.1", record=both.record)
    env = environment(both, second)
    assert [(p.name, p.together) for p in portraits_of(env, "thing")] == [
        ("thing-core", ("thing-extra 1.1",)),
        ("thing-extra", ("thing-core 1.0",)),
    ]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("numpy>=1.26", "1.26.4, which is there, is that"),
        (
            "numpy==2.1",
            (
                "no: 1.26.4 is conda's; with --allow numpy it may; then pytorch 2.2.0 (numpy "
                ">=1.22,<2.0a0), torch 2.2.0 (numpy<2) lack what they need"
            ),
        ),
        (
            "numpy>=2",
            (
                "no: 1.26.4 is conda's; with --allow numpy it may; then pytorch 2.2.0 (numpy "
                ">=1.22,<2.0a0), torch 2.2.0 (numpy<2) lack what they need"
            ),
        ),
        ("numpy>1.26.4,<2", "no: 1.26.4 is conda's; with --allow numpy it may"),
        ("numpy>=2,<1", "no: no version is all of that"),
        ("rich>=14", "no: textual 0.40 (rich[markdown]<14,>=13) cannot work with it"),
        ("rich==12.*", "no: textual 0.40 (rich[markdown]<14,>=13) cannot work with it"),
        ("rich==13.9.*", "where there is such a version"),
        (
            "rich>13.9",
            (
                "where there is such a version that textual 0.40 (rich[markdown]<14,>=13) can "
                "work with"
            ),
        ),
        ("rich==14", "no: textual 0.40 (rich[markdown]<14,>=13) cannot work with it"),
        ("rich==13.9", "nothing that is installed is against it"),
        ("missing>=4", "where there is such a version"),
        ("python==3.12", "no: 3.11.7 is conda's, and pip has no Python"),
    ],
)
def test_of_a_name_with_bounds_is_said_whether_pip_may_have_it(asked: str, says: str) -> None:
    there = environment(
        conda("python==3.11.7", metadata="none"), *LAB_PACKAGES, pins=("numpy 1.26.*",)
    )
    requirement = Requirement(asked)
    (portrait,) = portraits_of(there, requirement.name)
    assert may_be(portrait, requirement) == says


def test_who_needs_it_by_both_books_is_named_once() -> None:
    holder = conda("holda==1.0", "aaa<2", depends=["aaa <2"])
    (portrait,) = portraits_of(environment(conda("aaa==1.0"), holder), "aaa")
    says = may_be(portrait, Requirement("aaa>=2"))
    assert says.endswith("; then holda 1.0 (aaa <2) lacks what it needs")


def test_of_python_and_its_library_pip_has_nothing() -> None:
    there = environment(conda("python==3.11.7", metadata="none"))
    (python,) = portraits_of(there, "python")
    said = text(portrait_lines(python, there, None, {}, width=80, module="json"))
    assert "has the module   json, of the standard library" in said
    assert "nothing: Python and its standard library are conda's" in said


# ------------------------------------------------------------------------------- an article


def test_every_word_in_brackets_has_an_article() -> None:
    modules = (vars(module).values() for module in (findings, damage, errors))
    known = [each for values in modules for each in values if isinstance(each, type)]
    kinds = {
        each.kind
        for each in known
        if issubclass(each, findings.Finding) and each.__subclasses__() == []
    }
    codes = {each.code for each in known if issubclass(each, errors.SafepipError)} - {"error"}
    assert set(ARTICLES) == kinds | codes | {"interrupted", "pip-failed"}


@pytest.mark.parametrize("kind", ARTICLES)
def test_an_article_fits_a_terminal(kind: str) -> None:
    lines = [line.text for line in article_lines(ARTICLES[kind], 80)]
    assert max(map(len, lines)) <= 92  # commands are never broken
    assert lines[0].startswith(f"{kind}: ")


# ------------------------------------------------------------------------------- a verdict


@given(outcomes())
@settings(max_examples=60)
def test_what_is_remembered_of_a_verdict_can_be_told_and_has_no_secret(outcome: Outcome) -> None:
    written = json.dumps(told(outcome, "2026-11-25T03:12:00+00:00"))
    said = text(verdict_lines(json.loads(written), 80))
    assert SECRET not in written + said
    assert all(c.isprintable() or c == "\n" for c in said)


def test_the_last_verdict_tells_all_its_ways_out() -> None:
    ways = (Fix("conda update x", "let conda do it"), Fix("", "the same command without `--user`"))
    written = told(Outcome(10, Blocked(Plan(()), (), ways)), "2026-11-25T03:12:00+00:00")
    said = text(verdict_lines(written, 80))
    assert "fix  let conda do it:\n    conda update x\n" in said
    assert "fix  the same command without `--user`" in said


def test_the_oldest_verdicts_are_forgotten(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    for number in range(52):
        keep_last(f"/env{number}", {"schema": 1}, environ)
    known = [number for number in range(52) if read_last(f"/env{number}", environ)]
    assert known == list(range(2, 52))


def test_what_cannot_be_read_is_no_verdict(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    keep_last("/env", {"schema": 1, "when": ""}, environ)
    assert read_last("/env", environ) == {"prefix": "/env", "schema": 1, "when": ""}
    (file,) = (tmp_path / "safepip/last").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    for content in ("", "[", "[]", '{"prefix": "/other", "schema": 1}', '{"prefix": "/env"}'):
        file.write_text(content)
        assert read_last("/env", environ) is None
    text(verdict_lines({"answer": {"findings": [1], "changes": "x", "fixes": [{}]}}, 80))
    keep_last("/env", {}, {"XDG_CACHE_HOME": "/dev/null"})


# ------------------------------------------------------------------------------- from end to end


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("explain")
    make_wheel("libnum", "2.4").write(place / "wheels")
    make_wheel("vision", "5.0", requires=["libnum>=2"]).write(place / "wheels")
    make_wheel("plain", "1.0", requires=["libnum"]).write(place / "wheels")
    holder = fake("stats", "1.4", depends=["libnum >=1.20,<2"])
    return create(place / "lab", from_wheel(make_wheel("libnum", "1.26")), holder)


def safepip(lab: CondaEnvironment, *arguments: str) -> Guarded:
    words = [sys.executable, "-m", "safepip", "--env", str(lab.prefix), *arguments]
    place = lab.prefix.parent
    env = {"PIP_FIND_LINKS": str(place / "wheels"), "PIP_NO_INDEX": "1", "COLUMNS": "80"}
    return run(lab, words, env={**env, "XDG_CACHE_HOME": str(place / "cache")})


def test_the_last_verdict_is_told_in_full_and_leaves_the_environment_alone(
    lab: CondaEnvironment,
) -> None:
    before = everything(lab.prefix)
    assert "no verdict on lab is known" in safepip(lab, "explain").stdout
    blocked = safepip(lab, "plan", "vision")
    done = safepip(lab, "explain")
    assert (blocked.exit_code, done.exit_code, everything(lab.prefix)) == (10, 0, before)
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[0] == (
        "block (conda-owned): this install would replace conda's libnum 1.26 with 2.4"
    )
    assert "change           add vision 5.0; requested" in lines
    assert "dependents     stats 1.4 (libnum >=1.20,<2)" in lines
    assert "safepip install --env" in done.stdout
    answer = safepip(lab, "--json", "explain").answer
    assert answer["last"]["answer"]["fixes"]
    safepip(lab, "plan", "--no-cache-dir", "libnum")
    assert safepip(lab, "explain").stdout == done.stdout
    # Where pip made no plan, that is what came last, and not the verdict before it.
    safepip(lab, "plan", "nosuch")
    assert safepip(lab, "explain").stdout.startswith("error (pip-failed): pip made no plan;")


def test_a_package_is_explained_with_the_last_change_of_it(lab: CondaEnvironment) -> None:
    installed = safepip(lab, "install", "plain")
    done = safepip(lab, "explain", "plain")
    assert (installed.exit_code, done.exit_code) == (0, 0), installed
    assert done.stdout.startswith("plain 1.0  pip's\n")
    assert "safepip install plain\n                 + plain 1.0\n" in done.stdout
    (package,) = safepip(lab, "explain", "libnum", "--json").answer["packages"]
    assert package["conda_package"]["version"] == "1.26"
    assert [(n["who"], n["spec"], n["is_met"]) for n in package["needed_by"]] == [
        ("stats", "libnum >=1.20,<2", True),
        ("plain", "libnum", True),
    ]


def test_an_unknown_name_is_an_error_that_says_what_may_be_meant(lab: CondaEnvironment) -> None:
    done = safepip(lab, "explain", "libnumm")
    assert (done.exit_code, done.stdout) == (2, "")
    said = " ".join(done.stderr.split())
    assert "`libnumm` is neither installed in lab nor a kind of finding; did you mean" in said
    assert "`libnum`" in said
    empty = safepip(lab, "explain", " ")
    assert (empty.exit_code, "NAME to explain is empty" in empty.stderr) == (2, True)
    # What is imported by another name than that of its project, and is not there.
    (absent,) = safepip(lab, "explain", "sklearn.svm", "--json").answer["packages"]
    assert [absent[key] for key in ("name", "version", "module")] == [
        "scikit-learn",
        None,
        "sklearn.svm",
    ]
    assert absent["module_by"] == "name"
    (named,) = safepip(lab, "explain", "scikit-learn>=1", "--json").answer["packages"]
    assert named["asked"]["command"] == f'safepip plan --env {lab.prefix} "scikit-learn>=1"'
    (library,) = safepip(lab, "explain", "json==9", "--json").answer["packages"]
    assert (library["name"], library["asked"]["command"]) == ("python", None)
    (bounded,) = safepip(lab, "explain", "libnum<1", "--json").answer["packages"]
    assert bounded["asked"]["command"] == (
        f'safepip plan --env {lab.prefix} --allow libnum "libnum<1"'
    )
    assert bounded["conda_bounds"] == {"stats 1.4": "libnum >=1.20,<2"}


def test_a_word_in_brackets_is_explained_without_an_environment(lab: CondaEnvironment) -> None:
    words = [sys.executable, "-m", "safepip", "explain", "[same-files]"]
    done = run(lab, words, env={"CONDA_PREFIX": "", "PATH": os.defpath})
    assert (done.exit_code, done.stdout.partition(":")[0]) == (0, "same-files")


def test_a_module_leads_to_who_has_it_and_a_name_to_what_was_said_of_it(tmp_path: Path) -> None:
    site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    files = {f"{site}/cv2/__init__.py": "1\n", f"{site}/cv2/sub/__init__.py": "2\n"}
    libopencv = fake("libopencv", "4.9", files)
    lab = create(tmp_path / "lab", libopencv)
    make_wheel("opencv-python", "4.12", {"cv2/__init__.py": "2\n"}).write(tmp_path / "wheels")
    make_wheel("of-pip", "1.0", {"other/__init__.py": "\n", "other/inner.py": "\n"}).write(
        tmp_path / "wheels"
    )
    assert safepip(lab, "install", "of-pip").exit_code == 0
    known = safepip(lab, "explain", "opencv-python")
    assert (known.exit_code, "last verdict" in known.stdout) == (0, False)
    assert safepip(lab, "install", "opencv-python").exit_code == 10
    found = {}
    for name in ("cv2", "other", "opencv-python"):
        answer = json.loads(safepip(lab, "explain", "--json", name).stdout)
        (found[name],) = answer["packages"]
    facts = ("name", "module", "owner")
    assert [found["cv2"][key] for key in facts] == ["libopencv", "cv2", "conda"]
    assert [found["other"][key] for key in facts] == ["of-pip", "other", "pip"]
    assert [found["opencv-python"][key] for key in facts] == ["opencv-python", None, "none"]
    said = found["opencv-python"]["last_verdict"]
    assert (said["verdict"], said["command"]) == ("block", "safepip install opencv-python")
    assert found["other"]["last_verdict"] is None
    assert safepip(lab, "explain", "nothing_of_it").exit_code == 2
    missing = safepip(lab, "explain", f"{site}/nothing.py")
    assert "is no file that conda or" in " ".join(missing.stderr.split())
    # The parts of modules, the library's own, and files.
    there = read_environment(str(lab.prefix), ask_python(str(lab.python), os.environ))
    in_pip = f"{site}/other/inner.py"
    names = ("cv2.sub.f", "other.inner", "json", in_pip, "cv2-", f"{site}/cv2")
    owners = {name: owner_of(there, name) for name in names}
    assert {name: (o.owner.name, o.what) for name, o in owners.items() if o is not None} == {
        "cv2.sub.f": ("libopencv", "cv2.sub"),
        "other.inner": ("of-pip", "other.inner"),
        "json": ("python", "json"),
        in_pip: ("of-pip", f"{lab.prefix}/{in_pip}"),
    }
