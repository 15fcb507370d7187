"""`export`, `constraints`, `create` and `check-file` on real environments, there and back again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest
import rattler
import tomli
from ruamel.yaml import YAML

from safepip.decisions.exporting.checking import check
from safepip.decisions.exporting.constraints import constraints_text
from safepip.decisions.exporting.dropped import dropped
from safepip.decisions.exporting.sheet import Wanted
from safepip.doors.export import follow
from safepip.effects.environment_files import (
    environment_file_of,
    read_environment_file,
    updated_text,
)
from safepip.effects.locking import find_artifacts
from safepip.effects.origins import own_only, read_origins
from safepip.effects.wishes import read_variables
from safepip.recipes.constraints import constraints
from safepip.recipes.create import Making
from safepip.recipes.create import create as create_from
from safepip.recipes.export import export
from safepip.values.environment import Distribution
from safepip.values.environment_file import Beside
from safepip.values.errors import UnreadableFile
from safepip.values.request import Policy
from safepip.values.sheet import Origin, PipEntry, Sheet
from safepip.values.target import Target
from tests.build import MARKERS, environment, interpreter
from tests.build import pip as egg
from tests.guarded import Guarded, run
from tests.lab import (
    CondaEnvironment,
    Index,
    Writer,
    change,
    changed,
    conda_bytes,
    create,
    everything,
    fake,
    from_wheel,
    make_project,
    make_wheel,
    restyle,
    serve_index,
)

LOGIN = ("ada", "hunter2")
OWNED = [make_wheel("owned", "1.0"), make_wheel("owned", "2.0")]
TAKEN = [make_wheel("taken", "1.0"), make_wheel("taken", "2.0")]
WHEELS = (
    *OWNED,
    *TAKEN,
    make_wheel("leaf", "1.0", requires=["owned", "twig; extra == 'x'"], provides_extra=["x"]),
    make_wheel("twig", "1.0"),
    make_wheel("alone", "1.0"),
    make_wheel("alone", "2.0"),
)
RECIPES = (
    from_wheel(OWNED[0]),
    from_wheel(TAKEN[0]),
    from_wheel(make_wheel("user", "3.0", requires=["owned", "taken"])),
    fake("libthing", "1.2", {"lib/libthing.so": "thing"}),
)
STAMP = re.compile(r"as of \S+")


@dataclass(frozen=True)
class World:
    """An environment with something of every kind in it, and its file."""

    folder: Path
    environment: CondaEnvironment
    index: Index
    variables: dict[str, str]

    @property
    def pip(self) -> dict[str, str]:
        """The variables for plain pip."""
        return {**self.variables, "PIP_INDEX_URL": self.index.url}

    @property
    def file(self) -> Path:
        return self.folder / "environment.yml"

    def run(
        self, *words: str | Path, env: CondaEnvironment | None = None, cwd: Path | None = None
    ) -> Guarded:
        """Run safepip about an environment; that of this world unless told otherwise."""
        environment = env or self.environment
        own = [] if words[0] == "create" else ["--env", str(environment.prefix)]
        argv = [sys.executable, "-m", "safepip", *own, *(str(word) for word in words)]
        where = cwd or self.folder
        return run(environment, argv, env=self.variables, cwd=where, watched=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("export").resolve()
    environment = create(folder / "env", *RECIPES, requested=["python", "pip", "user", "libthing"])
    (folder / "home").mkdir()
    netrc = folder / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {LOGIN[0]} password {LOGIN[1]}\n")
    netrc.chmod(0o600)
    variables = {
        "HOME": str(folder / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONNOUSERSITE": "1",
        "PIP_NO_INDEX": "0",
    }
    make_project(folder / "edited", "edited", "0.1")
    commit(make_project(folder / "versioned", "versioned", "0.2"))
    with serve_index(WHEELS, login=LOGIN) as index:
        made = World(folder, environment, index, variables)
        done = made.run(
            *("install", "--allow", "taken", "leaf[x]", "alone==1.0", "taken==2.0"),
            *("-e", folder / "edited", f"git+{(folder / 'versioned').as_uri()}"),
            *("--index-url", index.url_with_login),
        )
        assert done.exit_code == 0, done
        assert made.run("export", "-f", made.file).exit_code == 0
        yield made


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)


def owners(environment: CondaEnvironment) -> dict[str, tuple[str, str]]:
    """Version and owner of each distribution, by name: conda's are those that a record lists."""
    owned = {
        path
        for file in environment.conda_meta.glob("*.json")
        for path in json.loads(file.read_bytes())["files"]
    }
    found = {}
    for info in environment.site_packages.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        metadata = str((info / "METADATA").relative_to(environment.prefix))
        found[name] = (version, "conda" if metadata in owned else "pip")
    return found


def document(file: Path) -> Any:
    return document_of(file.read_text())


def document_of(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def pip_lines(file: Path) -> list[str]:
    return next(list(one["pip"]) for one in document(file)["dependencies"] if isinstance(one, dict))


# ------------------------------------------------------------------------------- export


def test_the_file_says_who_provides_what_and_how_to_get_it(world: World) -> None:
    commit_id = subprocess.run(
        ["git", "-C", world.folder / "versioned", "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    found = document(world.file)
    names = [one.split("=")[0] for one in found["dependencies"] if isinstance(one, str)]
    assert names == ["libthing", "owned", "pip", "python", "user"]
    assert pip_lines(world.file) == [
        "-c constraints.txt",
        f"--index-url {world.index.url}",
        "alone==1.0",
        "-e ./edited",
        "leaf[x]==1.0",
        "taken==2.0",
        f"versioned @ git+{(world.folder / 'versioned').as_uri()}@{commit_id}",
    ]
    pins = (world.folder / "constraints.txt").read_text().splitlines()
    assert [pin for pin in pins if not pin.startswith("#")] == [
        "owned==1.0",
        "pip==25.3",
        "user==3.0",
    ]


def test_nothing_secret_and_no_folder_of_a_build_machine_is_written(world: World) -> None:
    said = world.run("export", "--all")
    written = [path.read_text() for path in (world.file, world.folder / "constraints.txt")]
    assert "direct_url" in str(list(world.environment.site_packages.glob("owned*/*")))
    for text in (*written, said.stdout, said.stderr):
        assert not re.search(r"hunter2|ada|\*\*\*\*|croot|feedstock", text)
    assert "--index-url: what it logs in with was left out" in " ".join(said.stderr.split())
    assert "- twig==1.0" in said.stdout
    assert "-c " not in said.stdout  # there is no file beside standard output


def test_the_file_is_valid_for_all_that_read_such_files(world: World) -> None:
    """By conda's documentation, and the specifications by the library that pixi is built on."""
    found = document(world.file)
    assert set(found) <= {"name", "channels", "dependencies", "variables", "prefix"}
    assert isinstance(found["name"], str)
    assert all(isinstance(channel, str) for channel in found["channels"])
    for one in found["dependencies"]:
        if isinstance(one, str):
            assert re.fullmatch(r"[a-z0-9_.-]+=[A-Za-z0-9_.!+]+=[A-Za-z0-9_.]+", one)
            assert rattler.MatchSpec(one).name is not None
        else:
            assert list(one) == ["pip"]
            assert all(isinstance(line, str) for line in one["pip"])
    assert "pip" in {one.split("=")[0] for one in found["dependencies"] if isinstance(one, str)}


def test_a_second_time_nothing_is_written(world: World) -> None:
    before = world.file.stat().st_mtime_ns
    done = world.run("export", "-f", world.file)
    assert "says all that already" in " ".join(done.stderr.split())
    assert world.file.stat().st_mtime_ns == before
    file = world.folder / "later.yml"
    file.write_text(world.file.read_text().replace("as of 2", "as of 1").replace("alone==1.0", "b"))
    assert world.run("export", "-f", file, "--no-constraints").exit_code == 0
    assert re.match(r"# env, as of 2\S+, by safepip export\nname: ", file.read_text())


def test_only_what_was_asked_of_conda_and_nothing_lost_of_pip_s(world: World) -> None:
    file = world.folder / "history.yml"
    done = world.run("export", "--from-history", "-f", file, "--json")
    assert done.answer["environment"]["dependencies"] == ["libthing", "pip", "python", "user"]
    assert pip_lines(file) == pip_lines(world.file)[1:]  # what the solver takes is not known


def test_pip_s_part_alone_and_only_over_a_file_of_safepip_s(world: World) -> None:
    mine = world.folder / "requirements.txt"
    mine.write_text("mine\n")
    refused = world.run("export", "--requirements", "-f", mine)
    assert (refused.exit_code, mine.read_text()) == (2, "mine\n")
    mine.unlink()
    assert world.run("export", "--requirements", "-f", mine).exit_code == 0
    held, *others = mine.read_text().splitlines()[1:]
    assert (held, others) == ("-c requirements.constraints.txt", pip_lines(world.file)[1:])


def test_records_of_every_writer_say_the_same(tmp_path: Path) -> None:
    made = create(tmp_path / "env", RECIPES[0], RECIPES[3], requested=["owned"])
    shutil.copytree(made.conda_meta, tmp_path / "fresh")
    python = f"python={sys.version.split()[0]}"
    target = Target(str(made.prefix), str(made.python), is_conda=True, chosen_by="--env")
    asked = {}
    for writer in get_args(Writer):
        shutil.rmtree(made.conda_meta)
        shutil.copytree(tmp_path / "fresh", made.conda_meta)
        restyle(made.prefix, writer)
        if writer == "conda":
            with (made.conda_meta / "history").open("a") as history:
                history.write("# update specs: [\"owned[version='>=1']\", 'gone']\n")
        exact = export(target, os.environ, Wanted(builds=False)).sheet
        assert exact.specs == ("libthing=1.2", "owned=1.0", "pip=25.3", python)
        assert [Path(c.removeprefix("file://"), "noarch").is_dir() for c in exact.channels] == [
            True
        ]
        asked[writer] = export(target, os.environ, Wanted(from_history=True)).sheet.specs
    assert asked == {
        "conda": ("owned[version='>=1']", "python"),
        "conda-old": ("python",),
        "mamba": ("python",),
        "ancient": ("python",),
        "rattler": ("owned",),
    }


# ------------------------------------------------------------------------------- and back again


def test_there_and_back_again_everything_is_as_it_was(world: World) -> None:
    prefix = world.folder / "again"
    file = world.folder / "login.yml"
    login = "http://${LAB_USER}:${LAB_PASSWORD}@"
    file.write_text(world.file.read_text().replace("http://", login))
    secrets = dict(zip(("LAB_USER", "LAB_PASSWORD"), LOGIN, strict=True))
    bare = replace(world, variables={**world.variables, **secrets, "HOME": str(world.folder)})
    done = bare.run("create", "-f", file, "-p", prefix, "--allow", "taken")
    assert done.exit_code == 0, done
    again = CondaEnvironment(prefix, ())
    assert owners(again) == owners(world.environment)
    assert owners(again)["taken"] == ("2.0", "pip")
    assert again.run("python", "-c", "import edited, versioned, twig").returncode == 0
    second = world.folder / "second" / "environment.yml"
    second.parent.mkdir()
    world.run("export", "-f", second, env=again)
    there, back = (STAMP.sub("", file.read_text()) for file in (world.file, second))
    back = back.replace("again", "env").replace(f"-e {world.folder}/", "-e ./")
    assert back.replace(login, "http://") == there
    assert login in back
    assert not re.search("|".join(LOGIN), back)
    journal = [path.read_text() for path in again.conda_meta.glob("safepip/*.json")]
    assert not re.search(rf"hunter2|{tempfile.gettempdir()}/safepip-", str(journal))


def test_conda_s_own_way_keeps_every_byte_of_conda_s(world: World) -> None:
    """As conda's installer for pip does it: a file in the folder of the environment file."""
    made = create(world.folder / "condas", *RECIPES)
    before = conda_bytes(made.prefix)
    requirements = world.folder / "condaenv.x1.requirements.txt"
    kept = [line for line in pip_lines(world.file) if not line.startswith("taken")]

    def by_conda(lines: list[str]) -> None:
        requirements.write_text("\n".join(lines))
        made.run(
            *(made.python, "-m", "pip", "install", "-U", "-r", requirements, "--exists-action=b"),
            env={**world.variables, "PIP_UPGRADE_STRATEGY": "eager"},
            cwd=world.folder,
        )

    by_conda(kept)
    assert changed(before, conda_bytes(made.prefix)) == {}
    assert owners(made)["leaf"] == ("1.0", "pip")
    by_conda([line for line in kept if not line.startswith("-c")])
    assert owners(made)["owned"] == ("2.0", "pip")  # so it was the constraints


def test_a_lock_makes_the_same_by_exact_artifacts(world: World) -> None:
    standard = pytest.importorskip("packaging.pylock")  # of releases from 2025 on
    file = world.folder / "lock" / "environment.yml"
    file.parent.mkdir()
    done = world.run("export", "--lock", "-f", file)
    assert done.exit_code == 0, done
    lock = standard.Pylock.from_dict(tomli.loads((file.parent / "pylock.toml").read_text()))
    hashes = {
        package.name: package.wheels[0].hashes["sha256"]
        for package in lock.packages
        if package.wheels
    }
    known = {wheel.filename.split("-")[0]: wheel for wheel in (*WHEELS[:-1], TAKEN[1])}
    assert hashes == {name: known[name].sha256 for name in ("alone", "leaf", "taken", "twig")}
    assert {p.name for p in lock.packages} - set(hashes) == {"edited", "versioned"}
    prefix = world.environment.prefix
    target = Target(str(prefix), str(world.environment.python), is_conda=True, chosen_by="--env")
    environ = {**os.environ, **world.variables, "PIP_CONSTRAINT": "/nowhere"}
    wanted = Distribution("alone", "1.0", "", raw_name="alone")
    source = (f"--index-url={world.index.url}",)
    ((_, sha256),) = find_artifacts(target, [wanted], source, environ).values()
    assert sha256 == hashes["alone"]
    explicit = (file.parent / "environment.explicit.txt").read_text().splitlines()
    names = sorted(line.rpartition("/")[2].rsplit("-", 2)[0] for line in explicit[2:])
    assert (explicit[1], names) == ("@EXPLICIT", ["libthing", "owned", "pip", "python", "user"])
    assert all(re.search(r"#[0-9a-f]{32}$", line) for line in explicit[2:])


@pytest.mark.parametrize(
    ("spec", "line", "says"),
    [
        ("pip", "owned==2.0", "this install would replace conda's owned 1.0 with 2.0"),
        ("no-such-thing", "owned", "py-rattler could not make conda's part"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    world: World, tmp_path: Path, spec: str, line: str, says: str
) -> None:
    file = tmp_path / "environment.yml"
    held = f"-c {world.folder}/constraints.txt"  # in spite of it, it is said who has what
    pip = [held, f"--index-url {world.index.url}"]
    lines = "".join(f"  - {one}\n" for one in pip)
    channels = json.dumps(document(world.file)["channels"])
    allows = "  # --allow: what a file says of it grants nothing"
    file.write_text(
        f"channels: {channels}\ndependencies: \n- python\n- user\n- {spec}\n- pip:\n"
        f"{lines}  - {line}{allows}\n"
    )
    done = world.run("create", "-f", file, "-p", tmp_path / "some" / "where")
    assert done.exit_code == 10, done
    assert says in " ".join(done.stderr.split())
    assert os.listdir(tmp_path) == ["environment.yml"]
    fix = f"safepip create -f {file} -p {tmp_path}/some/where --allow owned"
    assert (fix in done.stderr) == (spec == "pip")


def test_what_is_there_is_left_alone(world: World) -> None:
    before = everything(world.environment.prefix)
    done = world.run("create", "-f", world.file, "-p", world.environment.prefix, "--json")
    assert (done.exit_code, done.answer["code"]) == (10, "create")
    fix = f"safepip create -f {world.file} -p {world.environment.prefix}-2"
    assert [one["command"] for one in done.answer["fixes"]] == [fix]
    assert everything(world.environment.prefix) == before


def test_a_name_leads_to_where_conda_has_its_environments(world: World, tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    channel = document(world.file)["channels"]
    file.write_text(
        json.dumps(
            {
                "name": "named",
                "channels": channel,
                "dependencies": ["libthing"],
                "variables": {"MODE": "fast"},
            }
        )
    )
    envs = tmp_path / "envs"
    with_envs = World(
        world.folder,
        world.environment,
        world.index,
        {**world.variables, "CONDA_ENVS_DIRS": str(envs)},
    )
    done = with_envs.run("create", "-f", file, "--with", "rattler", "--json")
    assert (done.exit_code, done.answer["prefix"]) == (0, str(envs / "named"))
    assert (envs / "named" / "lib" / "libthing.so").read_text() == "thing"
    state = json.loads((envs / "named" / "conda-meta" / "state").read_text())
    assert state["env_vars"] == {"MODE": "fast"}
    refused = with_envs.run("create", "-f", file, "--with", "micromamba", "-n", "other", "--json")
    assert refused.answer["code"] == "create"
    assert os.listdir(envs) == ["named"]


# ------------------------------------------------------------------------------- constraints


def test_constraints_go_stale_and_are_put_right(world: World, tmp_path: Path) -> None:
    file = tmp_path / "held.txt"
    assert world.run("constraints", "-o", file).exit_code == 0
    assert world.run("constraints", "--check", file).exit_code == 0
    file.write_text(file.read_text().replace("owned==1.0", "owned==0.9\nmore==1"))
    done = world.run("constraints", "--check", file)
    assert done.exit_code == 1
    assert "owned 0.9 -> 1.0" in done.stdout
    assert "more 1 -> nothing" in done.stdout
    mine = tmp_path / "mine.txt"
    mine.write_text("mine==1\n")
    refused = world.run("constraints", "--check", mine)
    said = " ".join(refused.stderr.split())  # where lines end depends on the length of a path
    assert (refused.exit_code, "was not written by safepip" in said) == (2, True)
    answer = world.run("constraints", "--check", file, "--json").answer
    assert (answer["stale"], len(answer["changes"])) == (True, 2)


def test_constraints_follow_what_conda_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the function that conda's plugin calls after conda's own commands."""
    made = create(tmp_path / "env", RECIPES[0])
    target = Target(str(made.prefix), str(made.python), is_conda=True, chosen_by="--env")
    names = ("held.txt", "gone.txt", "mine.txt", "swapped.txt")
    held, gone, mine, swapped = (tmp_path / name for name in names)
    for file in (held, gone, mine, swapped):
        constraints(target, os.environ, str(file))
    gone.unlink()
    victim = swapped.rename(tmp_path / "victim.txt")
    swapped.symlink_to(victim)
    before = victim.read_text()
    mine.write_text("owned==1.0\n")
    follow(str(made.prefix), quiet=False)
    assert capsys.readouterr().err == ""
    change(made, from_wheel(OWNED[1]))
    follow(str(made.prefix), quiet=True)
    assert capsys.readouterr() == ("", "")
    assert "owned==2.0" in held.read_text().splitlines()
    assert (victim.read_text(), swapped.is_symlink()) == (before, True)
    assert (gone.exists(), mine.read_text()) == (False, "owned==1.0\n")
    (made.conda_meta / "pip-25.3-0.json").write_text("{")
    follow(str(made.prefix), quiet=False)
    assert "safepip: constraints were not kept in step" in capsys.readouterr().err


def test_constraints_are_never_written_over_what_somebody_wrote(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "e.constraints.txt"
    file.write_text("mine==1\n")
    done = world.run("constraints", "-o", file)
    assert (done.exit_code, file.read_text()) == (2, "mine==1\n")
    also = world.run("export", "-f", tmp_path / "e.yml")
    assert (also.exit_code, (tmp_path / "e.yml").exists()) == (2, False)
    prefix = world.environment.prefix
    fix = f"safepip export --env {prefix} -f {tmp_path}/e.yml --constraints conda-e.constraints.txt"
    assert fix in " ".join(also.stderr.split())
    other = constraints_text(environment(name="other"), "2026")
    file.write_text(other)
    again = world.run("export", "-f", tmp_path / "e.yml")
    assert (again.exit_code, file.read_text()) == (2, other)
    assert "has the versions of another environment" in " ".join(again.stderr.split())
    fix = f"safepip export --env {prefix} -f {tmp_path}/{prefix.name}.yml"
    assert f"{fix} " in f"{' '.join(again.stderr.split())} "


# ------------------------------------------------------------------------------- check-file


def test_check_file_ends_with_1_where_something_is_wrong(world: World, tmp_path: Path) -> None:
    done = world.run("check-file", world.file, "--solve")
    assert (done.exit_code, "nothing is wrong\n" in done.stdout) == (0, True), done
    assert "by `--allow taken`" in done.stdout
    file = tmp_path / "environment.yml"
    channel = document(world.file)["channels"]
    dependencies = ["user", "pip", {"pip": ["owned", "-r nope.txt", "https://u:p@host/x.whl"]}]
    file.write_text(json.dumps({"channels": channel, "dependencies": dependencies}))
    done = world.run("check-file", file, "--solve", "--json")
    problems = [one for one in done.answer["findings"] if one["severity"] == "problem"]
    assert (done.exit_code, [one["kind"] for one in problems]) == (
        1,
        ["credentials", "missing", "twice"],
    )
    assert ":p@" not in done.stdout
    file.write_text("dependencies: [")
    assert world.run("check-file", file).exit_code == 2


# ------------------------------------------------------------------------------- where from


def test_what_is_linked_to_is_the_environment_s_and_what_is_on_pythonpath_is_not(
    tmp_path: Path,
) -> None:
    site, source = tmp_path / "site", tmp_path / "project" / "src"
    site.mkdir()
    source.mkdir(parents=True)
    (tmp_path / "project" / "setup.py").touch()
    (site / "My-linked.egg-link").write_text(f"{source}\n../")
    linked = egg("my_linked==1", outside=True, location=str(source))
    other = egg("other==1", outside=True, location=str(tmp_path))
    env = environment(linked, other, interpreter=interpreter(purelib=str(site)))
    own = own_only(env)
    assert [one.name for one in own.distributions] == ["my-linked"]
    (origin,) = read_origins(env.prefix, own.distributions).values()
    assert (origin.is_editable, origin.url) == (True, (tmp_path / "project").as_uri())


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("git@host:o/r.git", "ssh://git@host/o/r.git"),
        ("/srv/r.git", "file:///srv/r.git"),
        ("../r.git", "{prefix}/src/r.git"),
        ("https://host/r.git", "https://host/r.git"),
    ],
)
def test_pip_s_own_checkout_came_from_a_place_that_pip_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: str, told: str
) -> None:
    prefix = tmp_path / "env"
    project, stray = prefix / "src" / "app" / "sub", prefix / "src" / "stray"
    apart, own = tmp_path / "work" / "src" / "apart", tmp_path / "work" / "own"
    for folder in (project, stray, apart, own):
        folder.mkdir(parents=True)
        (folder / "setup.py").touch()
    for folder in (project.parent, apart, own):
        commit(folder)
    commit(tmp_path)  # a repository that the environment lies in is not where `stray` came from
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    for folder in (project.parent, tmp_path, apart, own):
        words = ["git", "-C", str(folder), "remote", "add", "origin", remote]
        subprocess.run(words, check=True, env={"PATH": os.environ["PATH"]})
    found = list[Origin]()
    for name, folder in (("app", project), ("stray", stray), ("apart", apart), ("own", own)):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        raw = {"url": folder.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(raw))
        here = [Distribution(name, "1", str(info))]
        found += read_origins(str(prefix), here, ("apart", "own")).values()
        (seen,) = read_origins(str(prefix), here).values()
        assert bool(seen.remote) == (name == "app")  # nobody told that pip made the others
    there = told.format(prefix=prefix.as_uri())
    assert [(one.remote, one.subdirectory) for one in found] == [
        (there, "sub"),
        ("", ""),
        (told.format(prefix=(tmp_path / "work").as_uri()), ""),
        ("", ""),
    ]


def test_what_conda_is_to_unset_is_no_value(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    state = {"env_vars": {"GONE": "***unset***", "MODE": "fast"}}
    (tmp_path / "conda-meta" / "state").write_text(json.dumps(state))
    assert read_variables(str(tmp_path)) == {"MODE": "fast"}


@pytest.mark.parametrize(
    "text",
    [
        '{"url": "https://host/x --index-url https://evil", "vcs_info": {}}',
        '{"url": ["x"]}',
        '{"url": "https://host/\\u0000"}',
        "[]",
        "{",
    ],
)
def test_an_origin_that_is_none_is_not_believed(tmp_path: Path, text: str) -> None:
    info = tmp_path / "x-1.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(text)
    found = read_origins(str(tmp_path), [Distribution("x", "1", str(info))])
    assert found == {str(info): Origin()}


# ------------------------------------------------------------------------------- comments

SHEET = Sheet(
    name="lab",
    channels=("conda-forge", "mine"),
    specs=("numpy=1.26", "python=3.11", "scipy=1.11"),
    options=("-c constraints.txt",),
    entries=(PipEntry("rich", "rich==13.6"), PipEntry("torch", "torch==2", "pytorch 1")),
    variables={"MODE": "fast"},
    constraints="constraints.txt",
)


def updated(tmp_path: Path, before: str) -> str:
    file = tmp_path / "environment.yml"
    file.write_text(before)
    after = updated_text(str(file), SHEET, "")
    file.write_text(after)
    assert updated_text(str(file), SHEET, "") == after
    return after


def test_comments_and_order_survive_an_update(tmp_path: Path) -> None:
    before = """\
# ours
name: other
channels:
  - mine  # first
  - more
dependencies:
  # the language
  - python  # any
  - gone  # why it was there
  # numbers
  - conda-forge::numpy
  - pip:
    - -c mine.txt
    # what conda has not
    - rich  # colours
    - gone-too
    # the end of pip's
    - --pre
  - gone-as-well

# switches
variables:
  KEEP: '1'
"""
    assert (
        updated(tmp_path, before)
        == """\
# ours
name: other
channels:
  - mine  # first
  - more
  - conda-forge
dependencies:
  # the language
  - python=3.11 # any
  # numbers
  - conda-forge::numpy=1.26
  - scipy=1.11
  - pip:
      - -c mine.txt
    # what conda has not
      - rich==13.6 # colours
    # the end of pip's
      - --pre
      - -c constraints.txt
      - torch==2 # --allow: in place of conda's pytorch 1

# switches
variables:
  KEEP: '1'
  MODE: fast
"""
    )


def test_the_user_s_own_lines_stay_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    own = ["-rmore.txt", "-cmine.txt", "--extra-index=https://a -i https://b", "-r 'x"]
    file.write_text(f"dependencies:\n  - pip: {json.dumps([*own, '-e.', 'gone'])}\n")
    file.write_text(updated_text(str(file), SHEET, ""))
    assert pip_lines(file) == [*own, "-c constraints.txt", "rich==13.6", "torch==2"]


def test_markers_stay_and_lines_for_other_platforms_too(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    here = 'rich; python_version > "3"'
    others = ['torch==1; sys_platform == "win32"', 'pywin; sys_platform == "win32"']
    own = [here, *others, 'gone; python_version > "3"']
    file.write_text(f"dependencies:\n  - pip: {json.dumps(own)}\n")
    after = updated_text(str(file), replace(SHEET, markers=MARKERS, options=()), "")
    assert document_of(after)["dependencies"][-1] == {
        "pip": ['rich==13.6 ; python_version > "3"', "torch==2", *others]
    }
    gone = dropped(read_environment_file(str(file)), environment_file_of(str(file), after))
    assert [note.about for note in gone] == [own[-1]]


def test_a_place_is_not_named_twice_for_how_one_logs_in_there(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    own = ["--index-url http://ada:${T}@h/simple/", "-i https://${T}@i", "-f wh"]
    file.write_text(f"dependencies:\n  - pip: {json.dumps(own)}\n")
    new = ("--index-url http://h/simple/", "--extra-index-url https://i", "--find-links ./wh")
    options = (*new, "--index-url https://other")
    file.write_text(updated_text(str(file), replace(SHEET, options=options, entries=()), ""))
    assert pip_lines(file) == [*own, options[-1]]


def test_packages_of_conda_s_whose_names_differ_little_are_two(tmp_path: Path) -> None:
    specs = ("ruamel.yaml=0.17", "ruamel_yaml=0.15", "typing-extensions=4", "typing_extensions=4")
    file = tmp_path / "environment.yml"
    for before in ("", "dependencies:\n- typing_extensions\n- ruamel.yaml=0.1\n"):
        file.write_text(before)
        file.write_text(
            updated_text(str(file), replace(SHEET, specs=specs, options=(), entries=()), "")
        )
        assert sorted(document(file)["dependencies"]) == list(specs)


@pytest.mark.parametrize(
    "before",
    ["variables:\n", "dependencies:\nchannels:\n", "dependencies:" + 60 * "\n" + "  - a\n"],
)
def test_a_file_that_is_half_empty_is_filled(tmp_path: Path, before: str) -> None:
    file = tmp_path / "environment.yml"
    file.write_text(before)
    read_environment_file(str(file))
    assert document_of(updated_text(str(file), SHEET, ""))["variables"] == {"MODE": "fast"}


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("dependencies:\n- pip: a\n", "expected a list, got `a` at `pip`"),
        ("variables: [a]\n", "expected a mapping, got a list at `variables`"),
        ("- a\n", "expected a mapping, got a list"),
    ],
)
def test_a_file_of_which_something_would_be_lost_is_refused(
    tmp_path: Path, before: str, says: str
) -> None:
    file = tmp_path / "environment.yml"
    file.write_text(before)
    with pytest.raises(UnreadableFile, match=says):
        updated_text(str(file), SHEET, "")
    with pytest.raises(UnreadableFile, match=says):
        read_environment_file(str(file))


def test_a_template_and_a_file_that_asks_for_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="got a variable of a template") as caught:
        environment_file_of("e.yml", "dependencies:\n- pip\n- {{ x }}\n")
    assert "ordereddict" not in caught.value.message
    making = Making(str(tmp_path / "env"), Policy(), {}, print)
    with pytest.raises(UnreadableFile, match="there are no dependencies"):
        create_from(environment_file_of("e.yml", "name: x\n"), making)
    assert list(tmp_path.iterdir()) == []


def test_two_parts_for_pip_are_told_and_never_written(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text("dependencies:\n- pip\n- pip: [a]\n- pip: [b]\n")
    found = check(read_environment_file(str(file)), Beside())
    assert [one.kind for one in found] == ["two-parts", "no-constraints"]
    with pytest.raises(UnreadableFile, match="expected one part for pip, got 2"):
        updated_text(str(file), SHEET, "")


def test_what_an_update_takes_out_is_said_and_bounds_that_fit_stay(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    before = """\
dependencies:
  - python>=3.10,<3.12  # both work
  - numpy<1
  - cudatoolkit=11.8
  - mine::scipy
  - pip:
    - flask
    - -e ./src/edited
    - https://u:p@host/rich-1-py3-none-any.whl
    - -i https://u:p@host
"""
    file.write_text(before)
    specs = ("numpy", "python=3.11", "scipy")
    versions = {"python": "3.11", "numpy": "1.26", "scipy": "1.11"}
    sheet = replace(SHEET, specs=specs, versions=versions, homes={"scipy": "conda-forge"})
    after = updated_text(str(file), sheet, "")
    found = document_of(after)["dependencies"]
    assert found[:3] == ["python>=3.10,<3.12", "numpy", "conda-forge::scipy"]
    name = str(file)
    notes = dropped(read_environment_file(name), environment_file_of(name, after))
    assert [(note.kind, note.about) for note in notes] == [
        ("dropped", "cudatoolkit=11.8"),
        ("dropped", "flask"),
        ("rewritten", "-e ./src/edited"),
        ("login-there", "-i https://host"),
    ]


def test_bytes_of_a_file_that_mean_something_stay(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_bytes(b"\xef\xbb\xbfname: x\r\ndependencies: []\r\n")
    after = updated_text(str(file), SHEET, "")
    assert after.startswith("\ufeffname: x\r\n")
    assert "\n" not in after.replace("\r\n", "")
    file.write_bytes(b"# x\nname: caf\xe9\n")
    for read in (read_environment_file, lambda path: updated_text(path, SHEET, "")):
        with pytest.raises(UnreadableFile, match="it is not UTF-8 in line 2"):
            read(str(file))


def test_constraints_that_hold_no_more_are_named_no_more(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text(updated_text("", SHEET, ""))
    after = updated_text(str(file), replace(SHEET, options=()), "")
    assert after == file.read_text().replace("      - -c constraints.txt\n", "")


def test_lists_that_are_not_indented_stay_so(tmp_path: Path) -> None:
    before = "dependencies:\n- python\n# end\n"
    assert (
        updated(tmp_path, before)
        == """\
name: lab
dependencies:
- python=3.11
- numpy=1.26
- scipy=1.11
- pip:
  - -c constraints.txt
  - rich==13.6
  - torch==2 # --allow: in place of conda's pytorch 1
# end
channels:
- conda-forge
- mine
variables:
  MODE: fast
"""
    )
