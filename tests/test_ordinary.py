"""Ordinary commands are not disturbed: what safepip does is what pip does, byte for byte."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.tags import sys_tags

from tests.forked import SAFEPIP
from tests.lab import (
    PIPS,
    CondaEnvironment,
    Index,
    Wheel,
    create,
    fake,
    from_wheel,
    make_project,
    make_sdist,
    make_wheel,
    serve_index,
)
from tests.twins import ENGINES, Build, World, alike, make, ran

NEWEST = PIPS[-1]
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
TOO_OLD = "21.3.1"
LOGIN = ("mia", "s3cr3t-w0rd")
NOISE = random.Random(3).randbytes(300_000)
"""What no server packs into less."""
ONLINE = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}

OWNED = from_wheel(make_wheel("owned", "1.0", scripts={"owned": "owned:main"}))
TOOL_1 = make_wheel("tool", "1.0", scripts={"old-tool": "tool:main"})
TOOL = make_wheel(
    "tool",
    "2.0",
    {"tool/__init__.py": "def main():\n    print('tool')\n", "tool_flat.py": ""},
    requires=["leaf>=1", "owned"],
    scripts={"tool": "tool:main"},
    gui_scripts={"tool-gui": "tool:main"},
    data_files={"share/tool/data": "data\n"},
    data_scripts={"raw-tool": "#!python\nprint('raw')\n"},
    data_headers={"tool.h": "/* */\n"},
)
COMPILED = make_wheel(
    "native",
    "1.0",
    {"native/__init__.py": "", "native/_fast.abi3.so": b"\x7fELF\0 which nobody loads"},
    tag=str(next(iter(sys_tags()))),
)
MANY = make_wheel(
    "many",
    "1.0",
    requires=["leaf", "fast; extra == 'speed'", "nice; extra == 'looks'"],
    provides_extra=["speed", "looks"],
)
SIMPLE = [make_wheel("leaf", "1.0"), make_wheel("leaf", "1.1"), make_wheel("leaf", "2.0rc1")]
SIMPLE += [make_wheel("fast", "1.0"), make_wheel("nice", "1.0")]
SOURCE = make_sdist("source-only", "1.0", scripts={"source-only": "source_only:main"})
NO_HOOK = make_sdist("no-hook", "1.0", requires=["leaf"], metadata_hook=False)
BROKEN = make_sdist("broken", "1.0", on_build="raise ValueError('no compiler')")
OFFERED = [*SIMPLE, TOOL_1, TOOL, COMPILED, MANY, SOURCE, NO_HOOK, BROKEN]

REQUIREMENTS = """
# All that a file of requirements may hold.
-c held.txt
-r more.txt
many[looks]; python_version > "3"
tool ; python_version < "3"
--only-binary native
native==1.0
"""


def world_with(version: str | None) -> Build:
    """A world whose environment has this pip, and in which everything lies that a test may name."""

    def build(world: World) -> CondaEnvironment:
        for file in OFFERED:
            file.write(world.links)
        texts = {"requirements.txt": REQUIREMENTS, "held.txt": "leaf<1.1\n", "more.txt": "fast\n"}
        for name, text in texts.items():
            (world.work / name).write_text(text, encoding="utf-8")
        needs: dict[str, Any] = {
            "requires": ["leaf", "fast; extra == 'x'"],
            "provides_extra": ["x"],
        }
        make_project(
            world.work / "project", "project", "0.1", scripts={"p": "project:main"}, **needs
        )
        TOOL.write(world.work)
        SOURCE.write(world.work)
        return create(world.prefix, OWNED, pip=version)

    return build


def with_tool_1(world: World) -> CondaEnvironment:
    """The same, after an earlier `pip install tool==1.0`."""
    environment = world_with(NEWEST)(world)
    ran(
        world,
        environment,
        [str(environment.python), "-m", "pip", "install", "tool==1.0", "leaf==1.0"],
    )
    return environment


def with_repository(version: str) -> Build:
    """The same, with a git repository that has the same commits whenever it is made."""

    def build(world: World) -> CondaEnvironment:
        environment = world_with(version)(world)
        folder = make_project(world.folder / "repository", "cloned", "3.0", requires=["leaf"])
        git = ["git", "-c", "user.name=lab", "-c", "user.email=lab@example.org"]
        dates = {f"GIT_{who}_DATE": "2024-02-06T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
        given = environment.environ({**dates, "HOME": str(world.folder / "home")})
        for words in ("init --quiet", "add .", "commit --quiet --message first", "tag v3"):
            subprocess.run([*git, *words.split()], cwd=folder, env=given, check=True)
        return environment

    return build


FORMS = {
    "wheels, and what they need": "install tool native many[speed,looks]",
    "versions, markers, and what is there": "install leaf<1.1 fast;python_version<'3' owned",
    "a pre-release": "install --pre leaf",
    "a file of requirements": "install -r requirements.txt",
    "a local project, and paths": "install ./project ./source_only-1.0.tar.gz",
    "an editable, and the path of a wheel": "install -e ./project[x] ./tool-2.0-py3-none-any.whl",
    "source distributions": "install source-only no-hook",
    "without the cache": "install --no-cache-dir source-only tool",
    "without what it needs, and bytecode": "install --no-deps --no-compile tool",
    "everything anew beside conda's": "install --ignore-installed leaf",
    "what nobody has": "install absent",
    "what contradicts itself": "install leaf==1.0 leaf==1.1",
    "what cannot be built": "install leaf broken",
    "nothing": "install",
    "an option that does not exist": "install --no-such-option leaf",
    "what is not installed": "uninstall --yes absent",
}
"""Commands in an environment to which only conda has brought anything."""

LATER = {
    "an upgrade": "install --upgrade tool",
    "an upgrade of everything": "install -U --upgrade-strategy eager tool",
    "the same again": "install --force-reinstall --no-deps tool==1.0",
    "an older one": "install leaf==1.0 tool==1.0 --force-reinstall",
    "what is there and something new": "install leaf fast",
    "a removal": "uninstall --yes tool leaf",
    "a removal by file": "uninstall -y -r removed.txt",
}
"""Commands in an environment that pip has changed before."""


@pytest.mark.parametrize("form", FORMS)
def test_a_command_does_what_pip_does(tmp_path: Path, form: str) -> None:
    # `pip wheel` builds, and has its own words for what it cannot build.
    says_so_too = form != "what cannot be built"
    alike(tmp_path, world_with(NEWEST), *FORMS[form].split(), says_so_too=says_so_too)


@pytest.mark.parametrize("form", LATER)
def test_a_later_command_does_what_pip_does(tmp_path: Path, form: str) -> None:
    def build(world: World) -> CondaEnvironment:
        environment = with_tool_1(world)
        (world.work / "removed.txt").write_text("tool\nleaf>1\n", encoding="utf-8")
        return environment

    alike(tmp_path, build, *LATER[form].split())


@pytest.mark.parametrize("options", ["", "--editable"])
def test_a_repository_is_installed_as_by_pip(tmp_path: Path, options: str) -> None:
    url = f"git+{(tmp_path / 'world' / 'repository').as_uri()}@v3#egg=cloned"
    words = ["install", *options.split(), url]
    # The second pass finds the clone of the first, and says that it updates it.
    alike(tmp_path, with_repository(NEWEST), *words, says_so_too=options != "--editable")


@pytest.mark.parametrize("version", PIPS[:-1])
def test_every_release_of_pip_is_served(tmp_path: Path, version: str) -> None:
    url = f"cloned @ git+{(tmp_path / 'world' / 'repository').as_uri()}@v3"
    words = ["-r", "requirements.txt", "-e", "./project[x]", "source-only", "no-hook", "tool", url]
    # Where two passes act by the same requirements again, what was built is in the cache by then.
    alike(tmp_path, with_repository(version), "install", *words, "owned", says_so_too=False)


@pytest.mark.parametrize("version", [None, TOO_OLD])
def test_an_environment_without_a_usable_pip_is_served_by_safepips(
    tmp_path: Path, version: str | None
) -> None:
    own = [sys.executable, "-m", "pip", "--python", str(tmp_path / "world" / "env")]
    words = ["install", "-r", "requirements.txt", "-e", "./project[x]", "source-only", "tool"]
    alike(tmp_path, world_with(version), *words, pip=own, says_so_too=False)  # likewise


@pytest.fixture
def private() -> Iterator[Index]:
    """An index that asks for a login."""
    with serve_index([*SIMPLE, TOOL, SOURCE, NO_HOOK], login=LOGIN) as index:
        yield index


def test_a_private_index_is_used_as_by_pip(tmp_path: Path, private: Index) -> None:
    words = ["install", "--index-url", private.url_with_login, "tool", "source-only"]
    alike(tmp_path, world_with(NEWEST), *words, env=ONLINE)
    assert {request.authorised for request in private.requests if request.status == 200} == {True}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("words", "exit_code"),
    [(("tool", "source-only"), 0), (("owned==7",), 1), (("--upgrade", "owned"), 10)],
)
def test_the_login_of_an_index_is_nowhere_to_be_read(
    tmp_path: Path, private: Index, words: tuple[str, ...], exit_code: int, engine: str
) -> None:
    private.add(make_wheel("owned", "2.0"))
    world = World(tmp_path / "world")
    environment = make(world, world_with(NEWEST))
    options = ["--index-url", private.url_with_login]
    command = [*SAFEPIP, "--json", "-vvv", "install", *options, *words]
    done = ran(world, environment, command, env={**ONLINE, "SAFEPIP_ENGINE": engine})
    assert done.exit_code == exit_code
    assert json.loads(done.stdout)["exit_code"] == exit_code
    assert places_of(LOGIN[1], done.stdout + done.stderr + done.said, tmp_path) == []


def places_of(secret: str, said: str, folder: Path) -> list[str]:
    """Where the secret can be read."""
    found = [line for line in said.splitlines() if secret in line]
    files = (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return found + [str(path) for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_downloaded_twice(tmp_path: Path, engine: str) -> None:
    files = [*SIMPLE, TOOL, SOURCE]
    for metadata in (False, True):
        with serve_index(files, metadata=metadata) as index:
            place = tmp_path / str(metadata)
            words = ["install", "--no-cache-dir", "--index-url", index.url, "tool", "source-only"]
            world = World(place)
            environment = make(world, world_with(NEWEST))
            command = [*SAFEPIP, *words]
            done = ran(world, environment, command, env={**ONLINE, "SAFEPIP_ENGINE": engine})
            assert done.exit_code == 0, done
            expected = ["leaf-1.1-py3-none-any.whl", "source_only-1.0.tar.gz", TOOL.filename]
            assert sorted(index.downloads()) == sorted(expected)


@pytest.mark.parametrize(
    ("engine", "pip"),
    [*((engine, NEWEST) for engine in ENGINES), ("", PIPS[0])],
)
def test_what_is_kept_is_not_downloaded_twice_although_nothing_is_cached(
    tmp_path: Path, engine: str, pip: str
) -> None:
    wants = [make_wheel("wants", f"{n}.0", requires=["leaf", f"owned>={n}"]) for n in (1, 2)]
    files = [*SIMPLE, *wants, make_wheel("owned", "2.0")]
    with serve_index(files, metadata=True) as index:
        words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, "wants"]
        world = World(tmp_path / "world")
        environment = make(world, world_with(pip))
        env = {**ONLINE, "SAFEPIP_ENGINE": engine}
        done = ran(world, environment, [*SAFEPIP, *words], env=env)
        assert json.loads(done.stdout)["verdict"] == "kept", done
        assert environment.distributions()["wants"] == "1.0"
        # The first plan is refused before it is fetched, by a pip that knows metadata apart.
        first = [] if (engine, pip) == ("", NEWEST) else [files[-1], wants[1]]
        fetched = [SIMPLE[1], wants[0], *first]
        assert sorted(index.downloads()) == sorted(file.filename for file in fetched)


@pytest.mark.parametrize("pip", [PIPS[0], NEWEST])
def test_what_is_kept_is_not_built_twice_although_nothing_is_cached(
    tmp_path: Path, pip: str
) -> None:
    notes = tmp_path / "builds"
    note = f"open({str(notes)!r}, 'a').write('built ')"
    source = make_sdist("source", "1.0", requires=["owned>=1", "leaf"], on_build=note)
    wants = [make_wheel("wants", f"{n}.0", requires=["source", f"owned>={n}"]) for n in (1, 2)]
    with serve_index([*SIMPLE, source, *wants, make_wheel("owned", "2.0")]) as index:
        words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, "wants"]
        world = World(tmp_path / "world")
        environment = make(world, world_with(pip))
        done = ran(world, environment, [*SAFEPIP, *words], env=ONLINE)
        assert json.loads(done.stdout)["verdict"] == "kept", done
        assert environment.distributions()["source"] == "1.0"
        assert notes.read_text() == "built "
        assert index.downloads().count(source.filename) == 1
    (info,) = environment.prefix.glob("lib/python*/site-packages/source-1.0.dist-info")
    assert not (info / "direct_url.json").exists()


SPREADING: dict[str, Any] = {"data_files": {"share/condas.txt": "pip's\n"}, "requires": ["leaf"]}
BUILT = [
    make_sdist("quiet", "1.0", requires=["leaf"]),
    make_sdist("harmful", "1.0", requires=["owned>=2", "leaf"], metadata_hook=False),
    make_wheel("wants-built", "1.0", requires=["quiet", "owned>=1"]),
    make_wheel("wants-built", "2.0", requires=["quiet", "owned>=2"]),
    make_wheel("lonely", "1.0"),
    make_wheel("owned", "2.0"),
]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("plan quiet", ("clear", None)),
        ("plan harmful", ("block", "conda-owned")),
        ("install wants-built==2.0", ("block", "conda-owned")),
        ("plan wants-built", ("kept", None)),
        ("plan -e ./spreading", ("block", "same-files")),
        ("plan lonely", ("block", "same-files")),
        ("plan --no-compile lonely", ("clear", None)),
    ],
)
def test_what_is_built_is_judged_by_what_was_built(
    tmp_path: Path, words: str, verdict: tuple[str, str | None]
) -> None:
    bytecode = f"{SITE}/lonely/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    condas = fake("condas", "1.0", {"share/condas.txt": "conda's\n", bytecode: "conda's\n"})
    found = {}
    for metadata in (False, True):
        with serve_index([*SIMPLE, *BUILT], metadata=metadata, ranges=metadata) as index:
            world = World(tmp_path / "world")
            environment = make(world, lambda world: create(world.prefix, OWNED, condas, pip=NEWEST))
            make_project(world.work / "spreading", "spreading", "1.0", **SPREADING)
            given = [*words.split(), "--json", "--index-url", index.url]
            done = ran(world, environment, [*SAFEPIP, *given], env=ONLINE)
            answer = json.loads(done.stdout)
            assert (answer["verdict"], answer["code"]) == verdict, done
            fixes = [fix["command"].replace(index.url, "URL") for fix in answer["fixes"]]
            changes = sorted((c["name"], c["from"] or "", c["to"]) for c in answer["changes"])
            found[metadata] = (done.exit_code, changes, answer["conflict"], fixes)
            sources = [name for name in index.downloads() if name.endswith(".tar.gz")]
            assert len(sources) == len({*sources})
        shutil.rmtree(tmp_path / "world")
    assert found[False] == found[True]


def test_no_wheel_is_downloaded_for_what_is_only_shown(tmp_path: Path) -> None:
    large = make_wheel("large", "1.0", {"large.bin": NOISE}, requires=["owned>=1"])
    newer = make_wheel("owned", "2.0", {"owned.py": "", "owned.bin": NOISE})
    wants = [make_wheel("wants", f"{n}.0", requires=["large", f"owned>={n}"]) for n in (1, 2)]
    with serve_index([large, newer, *wants], metadata=True, ranges=True) as index:
        world = World(tmp_path / "world")
        environment = make(world, world_with(NEWEST))
        for name, verdict in (("large", "clear"), ("wants", "kept")):
            words = ["plan", "--no-cache-dir", "--index-url", index.url, name]
            said = []
            for engine in ("", "two-pass"):
                env = {**ONLINE, "SAFEPIP_ENGINE": engine}
                done = ran(world, environment, [*SAFEPIP, *words, "--json"], env=env)
                answer = json.loads(done.stdout)
                assert (answer["verdict"], done.exit_code) == (verdict, 0), done
                fetched = index.downloads()
                assert ("large-1.0-py3-none-any.whl" in fetched) == bool(engine)
                table = ran(world, environment, [*SAFEPIP, *words, "--table"], env=env)
                said.append((answer["changes"], answer["findings"], answer["fixes"], table.stdout))
                index.requests.clear()
            assert said[0] == said[1]
            assert "large" in said[0][-1]


def test_no_wheel_is_downloaded_for_what_is_refused(tmp_path: Path) -> None:
    newer = make_wheel("owned", "2.0", {"owned.py": "", "owned.bin": NOISE})
    with serve_index([*SIMPLE, newer], metadata=True, ranges=True) as index:
        world = World(tmp_path / "world")
        environment = make(world, world_with(NEWEST))
        for asked in (["owned>=2"], ["owned>=2", "leaf"]):
            words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, *asked]
            done = ran(world, environment, [*SAFEPIP, *words], env=ONLINE)
            answer = json.loads(done.stdout)
            assert (answer["verdict"], answer["code"]) == ("block", "conda-owned"), done
            assert ("owned", "2.0") in [(c["name"], c["to"]) for c in answer["changes"]]
            assert index.downloads() == []
            parts = [r for r in index.requests if r.status == 206 and r.path.endswith("whl")]
            assert 0 < sum(part.size_bytes for part in parts) < len(newer.data) / 2
            index.requests.clear()


def test_a_plan_is_not_made_again_to_know_its_files(tmp_path: Path) -> None:
    wants = [make_wheel("wants", f"{n}.0", requires=[f"owned>={n}"]) for n in (2, 3)]
    newer = make_wheel("owned", "3.0", {"owned.py": "", "owned.bin": NOISE})
    with serve_index([*wants, newer], metadata=True, ranges=True) as index:
        world = World(tmp_path / "world")
        environment = make(world, world_with(NEWEST))
        words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, "wants"]
        done = ran(world, environment, [*SAFEPIP, *words], env=ONLINE)
        assert json.loads(done.stdout)["verdict"] == "block", done
        # For the plan, for that with conda's versions, and for the reasons.
        assert [request.path for request in index.requests].count("/simple/owned/") == 3


def test_a_plan_is_the_same_where_no_parts_of_a_held_wheel_can_be_had(tmp_path: Path) -> None:
    noise = {"wants.bin": random.Random(9).randbytes(1_200_000)}
    wants = [make_wheel("wants", f"{n}.0", noise, requires=[f"owned>={n}"]) for n in (1, 2)]
    with serve_index([*wants, make_wheel("owned", "2.0")], metadata=True) as index:
        world = World(tmp_path / "world")
        environment = make(world, world_with(NEWEST))
        for verb in ("plan", "install"):
            words = [verb, "--json", "--no-cache-dir", "--index-url", index.url, "wants"]
            done = ran(world, environment, [*SAFEPIP, *words], env=ONLINE)
            answer = json.loads(done.stdout)
            assert (answer["verdict"], done.exit_code) == ("kept", 0), done
            assert [(c["name"], c["to"]) for c in answer["changes"]] == [("wants", "1.0")]


def test_a_wheel_that_cannot_be_read_does_not_hide_that_it_is_refused(tmp_path: Path) -> None:
    whole = make_wheel("owned", "2.0", {"owned.py": "", "owned.bin": NOISE})
    record = whole.data.find(b"owned-2.0.dist-info/RECORD") + len("owned-2.0.dist-info/RECORD")
    broken = Wheel(whole.filename, whole.data[:record] + b"\xff" * 40 + whole.data[record + 40 :])
    for ranges in (False, True):
        with serve_index([broken], metadata=True, ranges=ranges) as index:
            world = World(tmp_path / "world")
            environment = make(world, world_with(NEWEST))
            words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, "owned>=2"]
            done = ran(world, environment, [*SAFEPIP, *words], env=ONLINE)
            answer = json.loads(done.stdout)
            assert (answer["verdict"], answer["code"]) == ("block", "conda-owned"), done
            said = [finding.get("message", "") for finding in answer["findings"]]
            assert any("were not read" in message for message in said), said
        shutil.rmtree(tmp_path / "world")


MANNERS = {
    "two-pass": (False, False, "two-pass", NEWEST),
    "by-files": (False, False, "", NEWEST),
    "whole": (True, False, "", NEWEST),
    **{f"parts, pip {pip}": (True, True, "", pip) for pip in PIPS},
}
"""Whether metadata and parts of wheels can be had, the engine, and the pip."""


VISION = make_wheel("vision", "1.0", {"cv2/__init__.py": ""}, requires=["owned>=2", "leaf"])
UNSEEN = make_wheel("py-vision", "1.0", {"cv2.py": "", "owned_more.py": "# conda's\n"})
LARGE_OWNED = make_wheel(
    "owned", "2.0", {"owned.py": "", "owned.bin": random.Random(5).randbytes(1_200_000)}
)
SPREADS = make_wheel("owned", "2.0", {"owned.py": "", "owned_more.py": "# pip's\n"})
SPREADS_ALIKE = make_wheel("owned", "2.0", {"owned.py": "", "owned_more.py": "# conda's\n"})


@pytest.mark.parametrize(
    ("word", "owned", "kinds"),
    [
        ("vision", LARGE_OWNED, {"conda-owned", "second-copy"}),
        ("owned>=2", SPREADS, {"conda-owned", "same-files"}),
        ("owned>=2", SPREADS_ALIKE, {"conda-owned"}),
    ],
    ids=["along", "onto-others", "onto-the-same"],
)
def test_what_metadata_cannot_tell_is_told_by_the_files(
    tmp_path: Path, word: str, owned: Wheel, kinds: set[str]
) -> None:
    unseen = from_wheel(UNSEEN, info="none")

    found = {}
    for manner, (metadata, ranges, engine, pip) in MANNERS.items():

        def build(world: World, pip: str = pip) -> CondaEnvironment:
            return create(world.prefix, OWNED, unseen, pip=pip)

        # JSON tells pip 22.3 of no metadata: its name there was settled later (PEP 714).
        as_json = pip != PIPS[0]
        with serve_index(
            [*SIMPLE, owned, VISION], metadata=metadata, ranges=ranges, as_json=as_json
        ) as index:
            world = World(tmp_path / "world")
            environment = make(world, build)
            words = ["install", "--json", "--no-cache-dir", "--index-url", index.url, word]
            env = {**ONLINE, "SAFEPIP_ENGINE": engine}
            done = ran(world, environment, [*SAFEPIP, *words], env=env)
            answer = json.loads(done.stdout)
            commands = [fix["command"].replace(index.url, "URL") for fix in answer["fixes"]]
            fixes = [re.sub(r"file:\S+/channels/\w+", "CHANNEL", each) for each in commands]
            refused = sorted(f["kind"] for f in answer["findings"] if f["severity"] == "refuse")
            found[manner] = (done.exit_code, answer["code"], refused, fixes)
            fetched = index.downloads()
            # A server that gives no parts of what is large is told so by asking it.
            asked_in_vain = metadata and not ranges and owned is LARGE_OWNED
            assert len(fetched) == len({*fetched}) + asked_in_vain
            # What is small is had by one request either way.
            assert ranges <= (owned.filename not in fetched), manner
        shutil.rmtree(tmp_path / "world")
    assert len({*map(str, found.values())}) == 1, found
    assert {*found["by-files"][2]} == kinds
    assert any("--allow" in fix for fix in found["by-files"][3])
