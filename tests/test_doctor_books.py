"""What `doctor` concludes from what is written, and what would mend it. Pure, mostly."""

from __future__ import annotations

import os
from dataclasses import replace as changed
from pathlib import Path
from typing import Any, get_args

import pytest

from safepip.decisions.diagnosing.depends import suits, unmet_depends
from safepip.decisions.diagnosing.diagnose import diagnose
from safepip.decisions.diagnosing.lost import lost_records, unreadable_books, without_record
from safepip.decisions.fixing.shell import Shell
from safepip.decisions.repairing.advice import advice
from safepip.decisions.repairing.left import left_after, unknown_build
from safepip.decisions.repairing.means import Means
from safepip.decisions.repairing.plan import plan_repair
from safepip.decisions.repairing.wants import lost_in, wants
from safepip.decisions.wording.complaints import complaint
from safepip.decisions.wording.reasons import why_left
from safepip.effects.obstacles import obstacles_to
from safepip.effects.packages import Place
from safepip.effects.supplies import find_supply
from safepip.effects.traces import read_history
from safepip.recipes.undo_by_index import by_hand
from safepip.values.damage import (
    Altered,
    DependsUnmet,
    Lacks,
    Leftover,
    LostRecord,
    Missing,
    Overwritten,
    PinBroken,
    Replaced,
    Source,
    StaleConstraints,
    UnreadableBook,
    UnreadableChange,
    WrongInterpreter,
    WrongKernel,
)
from safepip.values.findings import Finding, SecondCopy
from safepip.values.inspection import Cached, Checked, Claim, Details, Inspection
from safepip.values.journal import Entry, Step
from safepip.values.repair import (
    Obstacle,
    PutBack,
    Reason,
    Repair,
    Supply,
    TakeOut,
    Unfixed,
    Why,
)
from tests.build import LIBRARY, PREFIX, SITE, Package, conda, environment, pip

_OF_ENVIRONMENT = ("pins", "frozen", "externally_managed", "writable", "manager")


def seen(*packages: Package, **facts: Any) -> Inspection:
    known = {"pins": (), **facts}
    env = environment(*packages, **{k: v for k, v in known.items() if k in _OF_ENVIRONMENT})
    rest = {k: v for k, v in facts.items() if k not in _OF_ENVIRONMENT}
    return Inspection(environment=env, **{"family": ("conda",), **rest})


def with_record(package: Package, **facts: Any) -> Package:
    assert package.record is not None
    record = changed(package.record, **facts)
    known = package.distribution
    return Package(record, changed(known, record=record) if known is not None else None)


# Builds and limits.


@pytest.mark.parametrize(
    ("spec", "build", "answer"),
    [
        ("python_abi 3.11.* *_cp311", "4_cp311", True),
        ("python_abi 3.11.* *_cp311", "4_cp312", False),
        ("python_abi * *_cp311", "4_cp312", False),
        ("numpy 1.26.* py311*", "py311h64a7726_0", True),
        ("numpy=1.26=py310*", "py311h64a7726_0", False),
        ("libblas[build='*mkl']", "20_mkl", True),
        ("libblas * *openblas", "20_mkl", False),
        ("x 1 ^(a+)+$", "aaaa", True),  # a regular expression, which is not tried
        ("x 1", "anything", True),
    ],
)
def test_a_build_counts_where_one_is_asked_for(spec: str, build: str, *, answer: bool) -> None:
    version = {"python_abi": "3.11", "numpy": "1.26", "x": "1"}.get(
        spec.split(maxsplit=1)[0], "1.26"
    )
    assert suits(spec, version, build) is answer


def test_what_conda_limits_and_what_it_was_built_with() -> None:
    abi = with_record(conda("abi==3.11", metadata="none"), build="2_cp312")
    limited = with_record(
        conda("one==1.0", depends=["abi 3.11.* *_cp311"]), constrains=("two <2", "absent <1")
    )
    found = list(unmet_depends(seen(abi, limited, conda("two==2.0")), {}))
    told = [(f.depends, f.found, f.is_limit, f.owner) for f in found]
    assert told == [
        ("abi 3.11.* *_cp311", "abi 3.11 2_cp312", False, "conda"),
        ("two <2", "two 2.0", True, "conda"),
    ]
    assert complaint(found[1], environment()) == (
        "conda's one-1.0-py311_0 goes only with two <2, and two 2.0 is there"
    )
    # Of what pip put there no build is known, but its version is.
    there = {"abi-3.11-2_cp312": "3.11", "two-2.0-py311_0": "1.9"}
    assert list(unmet_depends(seen(abi, limited, conda("two==2.0")), there)) == []
    # What conda built is not there any more, so that it does not matter what for.
    assert (
        list(unmet_depends(seen(abi, limited, conda("two==2.0")), {"one-1.0-py311_0": "3"})) == []
    )


def test_a_pin_may_speak_of_builds() -> None:
    pins = ("numpy 1.26.* py310*", "scipy * py311*")
    inspection = seen(conda("numpy==1.26.4"), conda("scipy==1.11"), pins=pins)
    found = [f for f in diagnose(inspection) if isinstance(f, PinBroken)]
    assert [(f.pin, f.found, f.severity) for f in found] == [(pins[0], "1.26.4 py311_0", "note")]


# Packages without a record.


def cached(dist: str, folder: str = "/pkgs", sha256: str = "") -> Cached:
    name, version, build = dist.rsplit("-", 2)
    return Cached(f"{folder}/{dist}", name, version, build, sha256=sha256)


@pytest.mark.parametrize(
    ("in_caches", "package", "candidates"),
    [
        (["six-1.16.0-py_0"], "six-1.16.0-py_0", ()),
        (["six-1.16.0-py_0", "six-1.15.0-py_0"], "six", ("six-1.16.0-py_0", "six-1.15.0-py_0")),
        (["six-1.16.0-py_0", "six-2.0-py_0"], "six-1.16.0-py_0", ()),
    ],
)
def test_which_package_it_was_is_not_guessed(
    in_caches: list[str], package: str, candidates: tuple[str, ...]
) -> None:
    needy = conda("needy==1.0", depends=["six <2"])
    [found] = lost_records(seen(needy, cached=tuple(map(cached, in_caches))))
    assert not isinstance(found, DependsUnmet)
    assert (found.conda_package, found.candidates) == (package, candidates)
    inspection = seen(needy)
    commands = [f.command for f in advice(inspection, [found], Repair(()), Shell(PREFIX))]
    dists = candidates or (package,)
    assert commands == [
        f"conda install -p {PREFIX} {'='.join(dist.rsplit('-', 2))}" for dist in dists
    ]
    if candidates:
        planned = plan_repair(inspection, [found], wants(inspection, [found], {}), Means())
        assert planned.unfixed[0].reason == Reason("several", candidates)


def test_what_history_never_had_is_not_lost_whatever_a_cache_holds() -> None:
    needy = conda("needy==1.0", depends=["six <2"])
    inspection = seen(needy, cached=(cached("six-1.16.0-py_0"),), linked=("needy-1.0-py311_0",))
    [found] = lost_records(inspection)
    assert (found.kind, found.conda_package) == ("depends", "needy-1.0-py311_0")


def test_an_unreadable_record_is_known_by_its_name() -> None:
    books = tuple(
        UnreadableBook(record=name, reason="no")
        for name in ("six-1.16.0-py_0.json", "pinned", "conda-meta", "odd.json")
    )
    two = (cached("six-1.16.0-py_0", "/a", "1"), cached("six-1.16.0-py_0", "/b", "2"))
    needy = conda("needy==1.0", depends=["six"])
    inspection = seen(needy, unreadable=books, cached=two)
    assert without_record(inspection.environment, ("six-1.16.0-py_0",), books) == ()
    found = list(unreadable_books(inspection))
    assert [f.conda_package for f in found] == ["six-1.16.0-py_0", "", "", ""]
    assert found[0].candidates == ("/a/six-1.16.0-py_0", "/b/six-1.16.0-py_0")
    record, odd = (f"{PREFIX}/conda-meta/{name}.json" for name in ("six-1.16.0-py_0", "odd"))
    asides = f"mv {record} {record}.unreadable && mv {odd} {odd}.unreadable"
    [fix] = advice(inspection, found, Repair(()), Shell(PREFIX))
    assert fix.command == f"{asides} && conda install -p {PREFIX} six=1.16.0=py_0"
    [fix] = advice(inspection, found[-1:], Repair(()), Shell(PREFIX))
    assert (fix.command, fix.says) == (f"mv {odd} {odd}.unreadable", "put the record aside")


def test_what_history_tells(tmp_path: Path) -> None:
    history = tmp_path / "conda-meta" / "history"
    history.parent.mkdir()
    history.write_text(
        "==> 2024-02-06 13:15:42 <==\n# cmd: conda create\n"
        "+https://conda.anaconda.org/conda-forge/linux-64::numpy-1.26.4-py311_0\n"
        "+defaults::old-1.0-0\n# update specs: ['numpy=1.26', 'old', \"python[version='3.11']\"]\n"
        "-defaults::old-1.0-0\n# remove specs: ['old']\n",
        encoding="utf-8",
    )
    found = read_history(str(tmp_path))
    place = "https://conda.anaconda.org/conda-forge/linux-64"
    assert found.channels == {"numpy-1.26.4-py311_0": place}
    assert found.asked["numpy"] == "numpy=1.26"
    assert "old" not in found.asked


# What is mended, and what is not.

NUMPY = conda("numpy==1.26.4", modules=["numpy/__init__.py", "numpy/core.py"])
CV = conda("cv==1.0", modules=["cv2/__init__.py"])
BY_PIP = Source(installer="pip")
BUSY = Reason("said", ("busy",))


def over(package: Package, *paths: str) -> Claim:
    assert package.distribution is not None
    return Claim(package.distribution, frozenset(paths), frozenset(), BY_PIP)


def replaced(package: Package, *altered: str) -> Replaced:
    assert package.record is not None
    return Replaced(
        distribution=package.record.name,
        conda_package=package.record.dist,
        version=package.record.version,
        there="2.0",
        source=BY_PIP,
        altered=altered,
        missing=(),
        files=3,
        foreign=1,
    )


def test_what_lies_over_two_packages_goes_for_both_or_stays() -> None:
    first, second = f"{LIBRARY}/numpy/core.py", f"{LIBRARY}/cv2/__init__.py"
    came = pip("numpy==2.0")
    inspection = seen(NUMPY, CV, came, claims=(over(came, first, second),))
    damage = [replaced(NUMPY, first), Altered(conda_package="cv-1.0-py311_0", paths=(second,))]
    wanted = wants(inspection, damage, {})
    whole = {dist: Supply("folder", f"/pkgs/{dist}") for dist in wanted.put_back}
    removals = {f"{SITE}/numpy-2.0.dist-info": (f"{SITE}/numpy/new.py",)}
    planned = plan_repair(inspection, damage, wanted, Means(whole, removals))
    assert [type(step) for step in planned.steps] == [TakeOut, PutBack, PutBack]
    assert planned.unfixed == ()
    nowhere = Reason("no-source")
    supplies: dict[str, Supply | Reason] = {**whole, "cv-1.0-py311_0": nowhere}
    planned = plan_repair(inspection, damage, wanted, Means(supplies, removals))
    assert planned.steps == ()
    assert [one.reason for one in planned.unfixed] == [nowhere, nowhere]
    failed = {f"{SITE}/numpy-2.0.dist-info": BUSY}
    planned = plan_repair(inspection, damage, wanted, Means(whole, removals, failed=failed))
    assert [one.reason for one in planned.unfixed] == [BUSY, BUSY]


def test_of_a_package_that_nobody_lies_over_a_part_comes_back() -> None:
    paths = (f"{LIBRARY}/numpy/__init__.py", f"{LIBRARY}/numpy/core.py", "bin/f2py")
    damage = [Missing(conda_package="numpy-1.26.4-py311_0", paths=paths, files=5)]
    inspection = seen(NUMPY)
    wanted = wants(inspection, damage, {})
    supply = Supply("folder", "/pkgs", lacks={paths[0]: BUSY})
    obstacles = {"bin/f2py": Obstacle(f"{PREFIX}/bin/f2py", "full-folder")}
    means = Means({"numpy-1.26.4-py311_0": supply}, obstacles=obstacles)
    planned = plan_repair(inspection, damage, wanted, means)
    assert planned.steps == (PutBack("numpy-1.26.4-py311_0", (paths[1],), supply),)
    assert [one.reason for one in planned.unfixed] == [BUSY]


def test_what_is_said_to_be_mended_was_found_to_be_so() -> None:
    one, two, three = (Leftover(path=f"{SITE}/~{name}", reason="x") for name in "abc")
    before: list[Finding] = [one, two, three]
    repair = Repair((), (Unfixed(two, BUSY), Unfixed(three, BUSY)))
    assert left_after(repair, before, [one, two]) == (
        Unfixed(one, Reason("found-again")),
        Unfixed(two, BUSY),
    )


def test_what_is_in_the_way_of_a_file(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    (prefix / "lib" / "full" / "x").mkdir(parents=True)
    (prefix / "lib" / "full" / "x" / "file").touch()
    (prefix / "lib" / "empty").mkdir()
    (prefix / "lib" / "file").touch()
    (prefix / "lib" / "inside").symlink_to("empty")
    (prefix / "lib" / "outside").symlink_to(tmp_path)
    (prefix / "lib" / "nowhere").symlink_to("nothing")
    paths = [
        *("lib/full", "lib/empty", "lib/file/x", "lib/inside/x", "lib/outside/x/y"),
        *("lib/nowhere/x", "lib/new/x", "lib/file"),
    ]
    found = obstacles_to(str(prefix), paths, ())
    told = {path: os.path.basename(one.path) for path, one in found.items()}
    assert told == {
        "lib/full": "full",
        "lib/file/x": "file",
        "lib/outside/x/y": "outside",
        "lib/nowhere/x": "nowhere",
    }
    leaving = {f"{prefix}/lib/full/x/file", f"{prefix}/lib/file"}
    assert set(obstacles_to(str(prefix), paths, leaving)) == {"lib/outside/x/y", "lib/nowhere/x"}


# Commands.

PLAIN = {
    "safepip install --allow numpy --no-deps numpy==2.0": (
        "safepip pip install --no-deps numpy==2.0"
    )
}
"""What breaks conda's no guarded command installs."""


@pytest.mark.parametrize(
    ("steps", "command"),
    [
        (
            [Step("numpy", "downgrade", "2.0", "1.26", "pip")],
            "safepip install --allow numpy --no-deps numpy==2.0",
        ),
        (
            [
                Step("cv-headless", "remove", "4.12", None, "pip"),
                Step("cv", "same", "4.9", "4.9", "conda"),
                Step("~umpy", "remove", "1.0", None, "pip"),
            ],
            "safepip install --allow cv --no-deps cv-headless==4.12",
        ),
        (
            [Step("numpy", "same", "1.26", "1.26", "pip")],
            "safepip install --allow numpy --force-reinstall --no-deps numpy==1.26",
        ),
        ([Step("numpy", "same", "1.26", "1.26", "conda")], None),
    ],
)
def test_what_a_repair_took_out_is_had_again_over_condas(
    steps: list[Step], command: str | None
) -> None:
    facts = {"id": "2026-01-01-1", "began": "", "safepip": "", "pip": "", "arguments": ()}
    entry = Entry(stage="done", verb="doctor", steps=tuple(steps), **facts)  # type: ignore[arg-type]
    needy = environment(conda("numpy==1.26"), conda("needy==1.0", "numpy<2"))
    for there, given in ((None, command), (needy, PLAIN.get(command or "", command))):
        fixes = [fix.command for fix in by_hand(entry, Shell(PREFIX), there)]
        assert fixes == ([given] if given else [])


@pytest.mark.parametrize(
    ("finding", "facts", "command"),
    [
        (
            Lacks(distribution="x", version="1", requirement="numpy>=2", found="1.26.4"),
            {},
            f'conda install -p {PREFIX} "numpy>=2"',
        ),
        (
            Lacks(distribution="x", version="1", requirement="six>=1", found=None),
            {"frozen": ""},
            'safepip install --override-frozen "six>=1"',
        ),
        (
            Lacks(distribution="x", version="1", requirement="six>=1", found=None),
            {"externally_managed": ""},
            'safepip install --break-system-packages "six>=1"',
        ),
        (
            Lacks(distribution="x", version="1", requirement="six>=1", found=None),
            {"writable": False},
            None,
        ),
        (
            Lacks(distribution="x", version="1", requirement="numpy>=2", found="1.26.4"),
            {"frozen": "", "manager": "mamba", "family": ("mamba",)},
            None,
        ),
        (
            Leftover(
                distribution="six", version="1.0", path=f"{SITE}/six-1.0.dist-info", reason=""
            ),
            {},
            "safepip install --ignore-installed --no-deps six==1.0",
        ),
        (Leftover(path=f"{SITE}/~ix", reason=""), {}, None),
        (
            PinBroken(distribution="six", pin="six <2", found="2.0"),
            {},
            'safepip install "six<2"',
        ),
        (
            SecondCopy(distribution="six", modules=("six",), conda_package="six_-1-0"),
            {},
            "safepip uninstall -y six",
        ),
        (
            UnreadableChange(change="2026-01-01-1", path=f"{PREFIX}/x.json", reason=""),
            {},
            f"rm -r {PREFIX}/x.json",
        ),
        (
            WrongKernel(path="share/jupyter/kernels/mine/kernel.json", starts="/x/python"),
            {},
            f"{PREFIX}/bin/python -m ipykernel install --prefix {PREFIX} --name mine",
        ),
        (
            WrongInterpreter(
                distribution="ipykernel", starts="/x/python", exists=False, paths=("bin/ipy",)
            ),
            {},
            "safepip install --force-reinstall --no-deps ipykernel==6.0",
        ),
        (
            WrongInterpreter(severity="note", starts="/x/python", exists=True, paths=("bin/x",)),
            {},
            None,
        ),
        (
            StaleConstraints(path="/home/me/constraints.txt", names=("numpy",)),
            {},
            "safepip constraints -o /home/me/constraints.txt",
        ),
    ],
)
def test_the_command_for_a_finding(
    finding: Finding, facts: dict[str, Any], command: str | None
) -> None:
    inspection = seen(NUMPY, pip("ipykernel==6.0"), **facts)
    shell = Shell(PREFIX, facts.get("manager", "conda"))
    given = [fix.command for fix in advice(inspection, [finding], Repair(()), shell)]
    assert given == ([command] if command else [])


@pytest.mark.parametrize(
    ("manager", "family", "tool"),
    [
        ("conda", ("mamba", "conda"), "conda"),
        ("mamba", ("conda", "mamba"), "mamba"),
        ("mamba", ("conda",), "conda"),
        ("rattler", ("micromamba",), "micromamba"),
        ("conda", (), ""),
        ("conda", ("pixi",), ""),
        ("pixi", ("pixi", "conda"), ""),
    ],
)
def test_nothing_goes_before_a_tool_that_is_here_has_what_comes_back(
    manager: Any, family: tuple[str, ...], tool: str
) -> None:
    inspection = seen(NUMPY, pip("numpy==2.0"), family=family)
    damage = [replaced(NUMPY, "x")]
    commands = [f.command for f in advice(inspection, damage, Repair(()), Shell(PREFIX, manager))]
    exact = "--force-reinstall numpy=1.26.4=py311_0"
    fetched = f"{tool} install -p {PREFIX} -y --download-only {exact}"
    uninstalled = "safepip pip uninstall -y numpy"
    whole = f"{fetched} && {uninstalled} && {tool} install -p {PREFIX} {exact}"
    assert commands == ([whole] if tool else [])
    # A cell goes on where a line of it has failed.
    cell = Shell(PREFIX, manager, in_notebook=True)
    assert advice(inspection, damage, Repair(()), cell) == ()


@pytest.mark.parametrize(
    ("path", "uninstalled", "said"),
    [
        ("bin/tool", False, "have conda do it"),
        (f"{LIBRARY}/numpy/x.py", True, "have conda do it; cv will not be there any more"),
    ],
)
def test_what_pip_brought_by_another_name_goes_only_where_it_has_to(
    path: str, uninstalled: bool, said: str
) -> None:
    damage = Overwritten(
        distribution="cv",
        version="4.12",
        conda_package="numpy-1.26.4-py311_0",
        source=Source(),
        paths=(path,),
    )
    [fix] = advice(seen(NUMPY, pip("cv==4.12")), [damage], Repair(()), Shell(PREFIX))
    assert ("uninstall" in fix.command, fix.says) == (uninstalled, said)


def test_of_a_package_known_by_its_name_alone_any_version_may_come() -> None:
    needy = conda("needy==1.0", depends=["ruamel-yaml-clib"])
    there = pip("ruamel-yaml-clib==1.0")
    [lost] = lost_records(seen(needy, there, claims=(over(there),)))
    assert isinstance(lost, LostRecord)
    assert (lost_in([lost]), unknown_build(lost).why) == ((), "unknown-version")
    [fix] = advice(seen(needy), [lost], Repair(()), Shell(PREFIX))
    assert fix.command.endswith(f" && conda install -p {PREFIX} ruamel-yaml-clib")
    assert fix.says.startswith("have conda do it: any version of ruamel-yaml-clib that fits")


def test_a_channel_that_is_not_there_is_said_and_conda_is_not_sent_to_it(tmp_path: Path) -> None:
    dist = "numpy-1.26.4-py311_0"
    archive = tmp_path / "gone" / f"{dist}.conda"
    details = {dist: Details(url=archive.as_uri(), sha256="ab" * 32)}
    package = with_record(NUMPY, channel=archive.parent.as_uri())
    damage = Altered(conda_package=dist, paths=("x",))
    place = Place(PREFIX, LIBRARY, "bin/python3.11", by_rattler=False)
    inspection = seen(package, details=details)
    reason = find_supply(inspection, dist, ("x",), place)
    assert reason == Reason("gone-source", (str(archive),))
    repair = Repair((), (Unfixed(damage, reason),))
    commands = [fix.command for fix in advice(inspection, [damage], repair, Shell(PREFIX))]
    assert commands == ["safepip doctor --fix --dry-run"]


def test_what_was_asked_about_may_be_for_another_to_mend() -> None:
    damage = DependsUnmet(
        conda_package="pandas-2.2-0", depends="numpy <2", found="numpy 2.0", owner="pip"
    )
    repair = Repair((), (Unfixed(damage, Reason("follows"), follows=True),))
    for names, commands in (((), []), (("pandas",), ["safepip doctor --fix numpy"])):
        fixes = advice(seen(NUMPY), [damage], repair, Shell(PREFIX), names)
        assert [fix.command for fix in fixes] == commands


def test_where_no_command_mends_it_one_says_why() -> None:
    damage = replaced(NUMPY, "x")
    repair = Repair((), (Unfixed(damage, Reason("no-tool")),))
    inspection = seen(NUMPY, pip("numpy==2.0"), family=())
    fixes = advice(inspection, [damage], repair, Shell(PREFIX), ("numpy",))
    assert [fix.command for fix in fixes] == ["safepip doctor --fix --dry-run numpy"]


def test_what_is_written_over_and_may_be_an_edit_is_in_the_step() -> None:
    edited, gone = f"{LIBRARY}/numpy/core.py", f"{LIBRARY}/numpy/__init__.py"
    dist = "numpy-1.26.4-py311_0"
    command = WrongInterpreter(
        conda_package=dist, starts="/x/python", exists=True, paths=("bin/f2py",)
    )
    damage = [
        Altered(conda_package=dist, paths=(edited,)),
        Missing(conda_package=dist, paths=(gone,), files=5),
        command,
    ]
    inspection = seen(NUMPY)
    supply = Supply("folder", "/pkgs")
    planned = plan_repair(inspection, damage, wants(inspection, damage, {}), Means({dist: supply}))
    back, over = (edited, gone, "bin/f2py"), (edited, "bin/f2py")
    assert planned.steps == (PutBack(dist, back, supply, over=over),)


@pytest.mark.parametrize("why", get_args(Why))
def test_every_reason_has_words(why: Why) -> None:
    assert why_left(Reason(why, ("a", "b", "c"))).isprintable()


@pytest.mark.parametrize(
    ("channel", "option"),
    [
        ("https://conda.anaconda.org/conda-forge/linux-64", "--override-channels -c conda-forge "),
        ("https://conda.anaconda.org/conda-forge/", "--override-channels -c conda-forge "),
        ("https://repo.anaconda.com/pkgs/main/noarch", "--override-channels -c defaults "),
        ("conda-forge", "--override-channels -c conda-forge "),
        ("file:///channel/noarch", "--override-channels -c file:///channel "),
        ("https://ada:secret@conda.example/x", ""),
        ("https://conda.example/t/tk-1-2/x", ""),
        ("<unknown>", ""),
        ("", ""),
    ],
)
def test_conda_is_told_where_the_package_came_from(channel: str, option: str) -> None:
    package = with_record(conda("numpy==1.26.4"), channel=channel)
    damage = [Altered(conda_package="numpy-1.26.4-py311_0", paths=("x",))]
    [fix] = advice(seen(package), damage, Repair(()), Shell(PREFIX))
    exact = "--force-reinstall numpy=1.26.4=py311_0"
    assert fix.command == f"conda install -p {PREFIX} {option}{exact}"


@pytest.mark.parametrize(
    ("other", "options"),
    [
        ("https://conda.anaconda.org/bioconda/noarch", "--override-channels -c own -c bioconda "),
        ("https://conda.example/t/tk-1-2/x", "-c own "),
    ],
)
def test_conda_may_also_ask_what_the_others_came_from(other: str, options: str) -> None:
    own = with_record(conda("numpy==1.26.4"), channel="https://conda.anaconda.org/own/noarch")
    found = seen(own, with_record(conda("six==1.16"), channel=other))
    damage = [Altered(conda_package="numpy-1.26.4-py311_0", paths=("x",))]
    [fix] = advice(found, damage, Repair(()), Shell(PREFIX))
    exact = "--force-reinstall numpy=1.26.4=py311_0"
    assert fix.command == f"conda install -p {PREFIX} {options}{exact}"


def test_a_module_whose_files_are_gone_is_not_there() -> None:
    yaml = conda("ruamel-yaml==1.0", name="ruamel_yaml", metadata="none")
    needy = pip("needy==1.0", "ruamel-yaml")
    gone = frozenset(yaml.record.files) if yaml.record is not None else frozenset()
    for checked, provider in ((Checked(), "ruamel_yaml-1.0-py311_0"), (Checked(missing=gone), "")):
        found = [f for f in diagnose(seen(yaml, needy, checked=checked)) if isinstance(f, Lacks)]
        assert [f.provided_by for f in found] == [provider]
