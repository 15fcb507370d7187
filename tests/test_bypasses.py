"""Each way past a guard that is only typed: shims, the hook, the seal, `exec`, and RUN lines."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
import pytest

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.guarding.coverage import Circumstances, Sight, coverage
from safepip.decisions.wording.guarding import status_lines
from safepip.effects.itself import own_package
from safepip.effects.probing import Way, is_in_use, tried, ways
from safepip.recipes.coverage import Status
from safepip.values.guarding import Level, Tried
from tests.everywhere import SAFEPIP, SYSTEM, Done, here, needs, run, with_command
from tests.lab import CondaEnvironment, changed, conda_bytes, create, from_wheel, make_wheel
from tests.lab.contents import PYTHON
from tests.lab.conversion import SITE_PACKAGES
from tests.saying import text

OWNED = [make_wheel("condas", "1.0"), make_wheel("condas", "2.0")]
LEAF = make_wheel("leaf", "1.0")
REFUSED = "this install would replace conda's condas 1.0 with 2.0"
HELP = ["install", "--help"]
SHIMS_ALONE: tuple[Level, ...] = ("shims",)


@dataclass(frozen=True)
class Place:
    environment: CondaEnvironment
    links: Path

    @property
    def prefix(self) -> Path:
        return self.environment.prefix

    @property
    def shims(self) -> str:
        return f"{self.prefix}/libexec/safepip/shims"

    def environ(self, *folders: str, **more: str) -> dict[str, str]:
        """What a RUN line of an image sees, with these folders first on `PATH`."""
        path = ":".join([*folders, f"{self.prefix}/bin", SYSTEM])
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.links)}
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        return {"PATH": path, **offline, **quiet, **more}


def made(folder: Path, *levels: str) -> Place:
    for wheel in (*OWNED, LEAF):
        wheel.write(folder / "links")
    place = Place(create(folder / "a b", from_wheel(OWNED[0])), folder / "links")
    more = place.prefix / "bin" / f"pip{PYTHON}"
    more.write_bytes((place.prefix / "bin" / "pip").read_bytes())
    more.chmod(0o755)
    (place.prefix / "bin" / "mine").symlink_to("pip")
    done = here("guard", "on", *levels, "--env", place.prefix)
    assert done.code == 0, done.err
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An environment with shims alone."""
    return made(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An environment with the hook and the seal."""
    return made(tmp_path_factory.mktemp("deep"), "--deep", "--seal")


# ------------------------------------------------------------------------------- shims


@pytest.mark.parametrize(
    "line",
    [
        "pip install x",
        "pip3 -q install 'a b' 'numpy<2' --x=''",
        f"pip{PYTHON} install x",
        "command pip install x",
        "env pip uninstall -y x",
        "echo x | xargs pip install",
        "python -c \"import subprocess; subprocess.call(['pip', 'install', 'x'])\"",
        "exec bash -c 'pip install x'",
        "make -f /dev/stdin <<'end'\nall:\n\tpip install x\nend",
    ],
)
def test_shims_on_path_guard_every_program(place: Place, line: str) -> None:
    if line.startswith("make"):
        needs("make")
    done = run(["/bin/sh", "-c", line], place.environ(place.shims))
    assert done.reached == str(place.prefix), done


def lay(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def shim(place: Place, path: str, *words: str, **more: str) -> Done:
    return run([f"{place.shims}/pip", *words], {"PATH": path, **more})


SHOW = '#!/bin/sh\nprintf "[%s]" "$0" "$@"\n'


def test_a_shim_finds_the_real_pip_wherever_it_stands_itself(place: Place, tmp_path: Path) -> None:
    """Leaked, doubled and linked entries of `PATH`, and files that are no commands."""
    real = lay(tmp_path / "real" / "pip", SHOW)
    lay(tmp_path / "text" / "pip", "not a command").chmod(0o644)
    (tmp_path / "folder" / "pip").mkdir(parents=True)
    (tmp_path / "link").symlink_to(place.shims)
    active = f"{place.prefix}/libexec/safepip/active"
    path = [place.shims, "", f"{tmp_path}/link", active, f"{tmp_path}/text", f"{tmp_path}/folder"]
    path += [place.shims, f"{tmp_path}/real", "/usr/bin"]
    words = ["install", "a b", "numpy<2", "--x=", "*", "$HOME"]
    expected = "".join(f"[{word}]" for word in (str(real), *words))
    done = shim(place, ":".join(path), *words)
    assert (done.code, done.out, done.err, done.reached) == (0, expected, "", None)
    # Likewise where it is conda's, for those who may.
    lay(tmp_path / "conda-meta" / "history", "")
    lay(tmp_path / "bin" / "python", "")
    assert shim(place, f"{tmp_path}/real", "install", "x").reached == str(tmp_path)
    for more in ({"SAFEPIP_GUARD": "off"}, {"SAFEPIP_INSIDE": "1"}):
        assert shim(place, ":".join(path), *words, **more).out == expected
    assert shim(place, ":".join(path), "list").out == f"[{real}][list]"


def test_a_shim_with_no_pip_behind_it_says_so(place: Place) -> None:
    done = shim(place, f"{place.shims}:/usr/bin/none", "list")
    assert (done.code, done.out) == (127, "")
    assert "safepip: found no 'pip' on PATH" in done.err


def test_a_pip_elsewhere_that_runs_condas_python_is_condas(place: Place, tmp_path: Path) -> None:
    """As `pip install --user pip` leaves one in the home folder, or a link into the environment."""
    (tmp_path / "python").symlink_to(place.prefix)  # a first line has no room for a space
    lay(tmp_path / "bin" / "pip", f"#!{tmp_path}/python/bin/python{PYTHON}\n")
    done = shim(place, f"{tmp_path}/bin:{SYSTEM}", "install", "x")
    assert done.reached == str(place.prefix)
    relative = run(
        ["/bin/sh", "-c", f"PATH=bin/.:{SYSTEM}; '{place.shims}/pip' install x"],
        {"PATH": SYSTEM},
        cwd=place.prefix,
    )
    assert relative.reached == str(place.prefix)


def test_the_pip_of_another_environment_than_the_active_one_stops(
    place: Place, deep: Place
) -> None:
    # Active is one whose pip comes later: safepip says so, instead of changing the first.
    environ = place.environ(place.shims, CONDA_PREFIX=str(deep.prefix))
    assert run(["pip", "install", "x"], environ).reached == "wrong-env"
    named = place.environ(place.shims, CONDA_PREFIX=f"{place.prefix}/")
    assert run(["pip", "install", "x"], named).reached == str(place.prefix)


@pytest.mark.parametrize("how", ["shim", "hook"])
def test_a_safepip_that_is_gone_is_missed_loudly(
    place: Place, deep: Place, tmp_path: Path, how: str
) -> None:
    made_anew = place if how == "shim" else deep
    name = "libexec/safepip/shims/pip" if how == "shim" else "libexec/safepip/hook.py"
    file = made_anew.prefix / name
    text = file.read_text("utf-8")
    words = ["pip"] if how == "shim" else [str(deep.environment.python), "-m", "pip"]
    try:
        file.write_text(text.replace(str(SAFEPIP), str(tmp_path / "gone")), encoding="utf-8")
        environ = made_anew.environ(*([made_anew.shims] if how == "shim" else []))
        done = run([*words, *HELP], environ)
        assert (done.code, "pip install [options]" in done.out) == (0, True), done
        assert "safepip: warning: safepip is gone, so pip runs WITHOUT the guard" in done.err
        done = run([*words, *HELP], {**environ, "SAFEPIP_GUARD": "required"})
        assert (done.code, done.out) == (16, ""), done
        assert "SAFEPIP_GUARD=required: pip was not run" in done.err
        done = run([*words, *HELP], {**environ, "SAFEPIP_GUARD": "Required"})  # a slip
        assert (done.code, done.out) == (16, ""), done
        # Another that is on PATH, or named, takes its place.
        path = {"PATH": f"{environ['PATH']}:{SAFEPIP.parent}"}
        assert run([*words, *HELP], {**environ, **path}).reached == str(made_anew.prefix)
        named = {"SAFEPIP_EXE": str(SAFEPIP)}
        assert run([*words, *HELP], {**environ, **named}).reached == str(made_anew.prefix)
    finally:
        file.write_text(text, encoding="utf-8")


def test_that_safepip_is_gone_is_said_once_by_shim_and_hook(deep: Place, tmp_path: Path) -> None:
    files = [deep.prefix / "libexec" / "safepip" / name for name in ("shims/pip", "hook.py")]
    texts = [file.read_text("utf-8") for file in files]
    try:
        for file, text in zip(files, texts, strict=True):
            file.write_text(text.replace(str(SAFEPIP), str(tmp_path / "gone")), encoding="utf-8")
        done = run(["pip", *HELP], deep.environ(deep.shims))
        assert (done.code, done.err.count("safepip is gone")) == (0, 1), done
        lay(tmp_path / "uv", "#!/bin/sh\n")
        uv = Path(deep.shims, "uv")
        uv.symlink_to("pip")
        said = run(["uv", *HELP, "pip"], deep.environ(deep.shims, str(tmp_path)))
        uv.unlink()
        assert said.err == done.err.replace(" pip ", " uv ")
    finally:
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("how", ["shim", "hook"])
@pytest.mark.parametrize("broken", ["no interpreter", "no package", "not to be run"])
def test_a_safepip_that_is_broken_is_missed_as_one_that_is_gone(
    place: Place, deep: Place, tmp_path: Path, how: str, broken: str
) -> None:
    at = place if how == "shim" else deep
    file = at.prefix / ("libexec/safepip/shims/pip" if how == "shim" else "libexec/safepip/hook.py")
    text = file.read_text("utf-8")
    python = tmp_path / "python" if broken != "no package" else at.environment.python
    (tmp_path / "python").touch(0o755 if broken == "no interpreter" else 0o644)
    if broken == "no interpreter":
        (tmp_path / "python").unlink()
    exec_line = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"
    script = lay(tmp_path / "safepip", exec_line + "import safepip_that_is_gone\n")
    if broken == "not to be run":
        script = lay(tmp_path / "safepip", f"#!{python}\n")
    package = own_package() if broken != "no package" else str(tmp_path / "none")
    wrong = text.replace(str(SAFEPIP), str(script)).replace(own_package(), package)
    words = ["pip"] if how == "shim" else [str(at.environment.python), "-m", "pip"]
    environ = at.environ(*([at.shims] if how == "shim" else []))
    try:
        file.write_text(wrong, encoding="utf-8")
        done = run([*words, *HELP], environ)
    finally:
        file.write_text(text, encoding="utf-8")
    assert (done.code, "pip install [options]" in done.out) == (0, True), done
    lines = done.err.splitlines()
    assert lines == [
        "safepip: warning: safepip is gone, so pip runs WITHOUT the guard",
        f"  '{script}' does not start; SAFEPIP_GUARD=off has pip run without it,",
        f"  and '{at.prefix}/etc/safepip/guard.json' lists the files of the guard",
    ]


@pytest.mark.parametrize("how", ["shim", "hook"])
def test_a_name_for_safepip_that_leads_back_to_pip_ends(
    place: Place, deep: Place, how: str
) -> None:
    if how == "shim":
        done = run(["pip", *HELP], place.environ(place.shims, SAFEPIP_EXE="pip"))
    else:
        pip = f"{deep.prefix}/bin/pip"
        done = run([pip, *HELP], deep.environ(SAFEPIP_EXE=pip))
    assert (done.code, "SAFEPIP_EXE leads back to pip" in done.err) == (16, True), done


def test_a_pip_that_only_leads_to_condas_is_condas(place: Place, tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link/pip").symlink_to(place.prefix / "bin/pip")
    python = f"{place.prefix}/bin/python"
    lay(tmp_path / "sh/pip", f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n")
    lay(tmp_path / "env/pip", "#!/usr/bin/env python\n")
    (tmp_path / "env/python").symlink_to(python)
    for how in ("link", "sh", "env"):
        done = shim(place, f"{tmp_path}/{how}:{SYSTEM}", "install", "x")
        assert done.reached == str(place.prefix), (how, done)


# ------------------------------------------------------------------------------- the hook


@pytest.mark.parametrize(
    "words",
    [
        "python -m pip install x",
        "python -mpip install x",
        "python -Im pip -q install x",
        "python -W ignore -X utf8 -m pip install x",
        "python -Wignore -Xutf8 --check-hash-based-pycs default -Impip uninstall x",
        "python -m pip.__main__ install x",
        "python bin/pip install x",
        f"python {SITE_PACKAGES}/pip install x",
        f"python {SITE_PACKAGES}/pip/__pip-runner__.py install x",
        "python pip-25.0-py3-none-any.whl/pip install x",
        "python ./pip.pyz install x",
        "bin/pip install x",
        f"bin/pip{PYTHON} -v install x",
        "python bin/mine install x",
        "python -m pip install -U -r file --exists-action=b",
        "python -m uv -q pip install x",
        "python -muv pip sync file",
    ],
)
def test_the_hook_reaches_every_start_of_pip(deep: Place, words: str) -> None:
    # `/abs/bin/pip`, and `python` as it is found on PATH: of no environment that is active.
    first, *rest = words.split()
    program = first if first == "python" else f"{deep.prefix}/{first}"
    uvs = (f"{deep.prefix}/bin", str(Path(sys.executable).parent)) if "uv" in words else ()
    done = run([program, *rest], deep.environ(*uvs), cwd=deep.prefix)
    assert (done.code, done.reached) == (10, str(deep.prefix)), done


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("sync", {"UV_PROJECT_ENVIRONMENT": "{prefix}"}),
        ("version 1", {"UV_PROJECT_ENVIRONMENT": "{relative}"}),
        ("run --active true", {"VIRTUAL_ENV": "{prefix}"}),
        ("--directory .. run true", {"UV_PROJECT_ENVIRONMENT": "{relative}"}),
    ],
)
def test_the_hook_has_no_project_take_a_conda_environment(
    deep: Place, tmp_path: Path, words: str, named: Mapping[str, str]
) -> None:
    lay(tmp_path / "pyproject.toml", '[project]\nname = "p"\nversion = "0"\n')
    (tmp_path / "sub").mkdir()
    places = {"prefix": deep.prefix, "relative": os.path.relpath(deep.prefix, tmp_path)}
    uvs = (f"{deep.prefix}/bin", str(Path(sys.executable).parent))
    given = {name: value.format(**places) for name, value in named.items()}
    module = ["python", "-m", "uv", *words.split()]
    done = run(module, deep.environ(*uvs, **given), probe=False, cwd=tmp_path / "sub")
    assert (done.code, "that of a project, as `" in " ".join(done.err.split())) == (10, True), done
    assert '/bin/python" -m uv ' in done.err, done
    ordinary = deep.environ(*uvs, UV_PROJECT_ENVIRONMENT=str(tmp_path / "own"))
    done = run(module, ordinary, probe=False, cwd=tmp_path)
    assert (done.code, "No module named uv" in done.err) == (1, True), done


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-m", "pip", "--version"], r"pip 25"),
        (["-c", "import sys; print(sys.argv)", "install"], r"\['-c', 'install'\]"),
        (["-c", "print(1)", "-m", "pip", "install"], "1"),
        (["mine.py", "-m", "pip", "install"], r"mine"),
        (["pip", "install"], r"mine"),
        (["-m", "json.tool", "--help", "install"], r"usage"),
        (["-c", "print(4)", "-m", "uv", "pip", "install"], "4"),
        (["-S", "-c", "print(2)", "install"], "2"),
        (["-", "install"], ""),
        (["-W", "error", "-X", "dev", "-c", "print(3)", "install"], "3"),
        (["-m"], ""),
    ],
)
def test_the_hook_leaves_everything_else_alone(
    deep: Place, tmp_path: Path, words: list[str], out: str
) -> None:
    for name in ("mine.py", "pip"):
        lay(tmp_path / name, "print('mine')\n")
    done = run([deep.environment.python, *words], deep.environ(), cwd=tmp_path)
    assert (done.reached, bool(re.match(out, done.out))) == (None, True), done
    assert done.err == "" or words == ["-m"]


def test_the_hook_lets_through_who_may(deep: Place, tmp_path: Path) -> None:
    lay(tmp_path / "bin" / "pip", "from pip import nothing_that_takes_long\n")
    words = [str(deep.environment.python), f"{tmp_path}/bin/pip", "install", "--prefix", "/x"]
    assert run(words, deep.environ()).reached == str(deep.prefix)
    through = ({"SAFEPIP_GUARD": "off"}, {"SAFEPIP_INSIDE": "1"}, {"PIP_BUILD_TRACKER": "x"})
    for more in through:
        done = run(words, deep.environ(**more))
        assert (done.reached, "nothing_that_takes_long" in done.err) == (None, True), done


def test_mamba_at_work_is_not_kept_waiting(deep: Place) -> None:
    """It holds its lock while it has pip remove what a package of its own takes the place of."""
    lock = deep.prefix / "conda-meta" / "conda-meta.lock"
    words = [str(deep.environment.python), "-m", "pip", "uninstall", "-y", "x"]
    try:
        with lock.open("wb+") as held:
            assert run(words, deep.environ()).reached == str(deep.prefix)
            fcntl.lockf(held, fcntl.LOCK_EX, 1, 21)
            done = run(words, deep.environ())
            assert (done.code, done.reached, "Skipping x" in done.err) == (0, None, True), done
            assert run([*words[:-2], "x"], deep.environ()).reached == str(deep.prefix)
    finally:
        lock.unlink()


def test_a_virtual_environment_on_top_is_not_condas(deep: Place, tmp_path: Path) -> None:
    options = ["--without-pip", "--system-site-packages"]
    deep.environment.run(deep.environment.python, "-m", "venv", *options, tmp_path / "venv")
    done = run([tmp_path / "venv/bin/python", "-m", "pip", "-q", "install"], deep.environ())
    assert (done.code, done.reached) == (1, None), done


def test_python_starts_whatever_became_of_the_hook(deep: Place) -> None:
    hook = deep.prefix / "libexec/safepip/hook.py"
    text = hook.read_bytes()
    words = [str(deep.environment.python), "-c", "print(1)", "install"]
    try:
        for wrong in (b"\xff\x00", b"raise ValueError\n", b"def (\n", b"import nothing\n", None):
            hook.unlink()
            if wrong is not None:
                hook.write_bytes(wrong)
            done = run(words, deep.environ())
            assert (done.code, done.out, done.err) == (0, "1\n", ""), wrong
    finally:
        hook.write_bytes(text)


# ------------------------------------------------------------------------------- the seal


@pytest.fixture
def untouched(deep: Place) -> Iterator[Place]:
    """The environment with hook and seal, of which no byte of conda's may be another afterwards."""
    before = conda_bytes(deep.prefix)
    yield deep
    assert changed(before, conda_bytes(deep.prefix)) == {}


def test_plain_pip_is_stopped_by_the_seal(untouched: Place) -> None:
    python = str(untouched.environment.python)
    hook = untouched.prefix / SITE_PACKAGES / "safepip_guard.pth"
    text = hook.read_bytes()
    as_program = "import runpy, sys; sys.argv[0] = 'pip'; runpy.run_module('pip', None, '__main__')"
    no_site = {"PYTHONPATH": f"{untouched.prefix}/{SITE_PACKAGES}"}
    try:
        # What the hook does not see either: without `site`, and from another program.
        for start in (["-S", "-m", "pip"], ["-c", as_program]):
            done = run([python, *start, "install", "leaf"], untouched.environ(**no_site))
            assert (done.code, f'{untouched.prefix}" PACKAGE' in done.err) == (1, True), done
        hook.unlink()
        for verb in (["install", "leaf"], ["uninstall", "-y", "condas"]):
            done = run([python, "-m", "pip", *verb], untouched.environ())
            assert (done.code, "externally-managed-environment" in done.err) == (1, True), done
            assert f'safepip install --env "{untouched.prefix}" PACKAGE' in done.err
        row = (True, "stopped by the seal", "")
        assert {way: status(untouched)[way] for way in ("path", "module")} == {
            "path": row,
            "module": row,
        }
    finally:
        hook.write_bytes(text)


def test_who_asks_for_plain_pip_gets_it_under_safepips_own_seal(untouched: Place) -> None:
    python = str(untouched.environment.python)
    off = untouched.environ(SAFEPIP_GUARD="off")
    done = run([python, "-m", "pip", "install", "leaf"], off)
    assert (done.code, "Successfully installed leaf-1.0" in done.out) == (0, True), done
    plain = [str(SAFEPIP), "--env", str(untouched.prefix), "pip"]
    done = run([*plain, "uninstall", "-y", "leaf"], untouched.environ(), probe=False)
    assert (done.code, "Successfully uninstalled leaf-1.0" in done.out) == (0, True), done


def test_safepip_says_that_its_guard_stays_behind(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("uninstall", "-y", "conda-safepip", "--env", place.prefix)
    assert " off` first" not in here(*words).err
    monkeypatch.setattr("sys.prefix", str(place.prefix))  # as where it lives there itself
    assert " off` first" in here(*words).err


def test_safepip_alone_gets_through_the_seal(untouched: Place) -> None:
    """By either engine: pip's public interface knows of the seal, too."""
    words = [str(untouched.environment.python), "-m", "pip", "install", "leaf"]
    done = run(words, untouched.environ(SAFEPIP_ENGINE="two-pass"), probe=False)
    assert (done.code, "leaf" in untouched.environment.distributions()) == (0, True), done
    words = [f"{untouched.prefix}/bin/pip", "uninstall", "-y", "leaf"]
    done = run(words, untouched.environ(), probe=False)
    assert (done.code, "leaf" in untouched.environment.distributions()) == (0, False), done


def test_the_hook_has_safepip_refuse_what_it_would(untouched: Place) -> None:
    words = [str(untouched.environment.python), "-m", "pip", "install", "-U", "condas"]
    done = run(words, untouched.environ(), probe=False)
    assert (done.code, REFUSED in done.err) == (10, True), done


def test_condas_pip_section_goes_through_safepip(untouched: Place, tmp_path: Path) -> None:
    """conda reads what was installed from pip's stdout, whose last line says it."""
    file = tmp_path / "requirements.txt"
    file.write_text("leaf\n", encoding="utf-8")
    words = ["-m", "pip", "install", "-U", "-r", str(file), "--exists-action=b"]
    done = run([str(untouched.environment.python), *words], untouched.environ(), probe=False)
    assert (done.code, done.out.splitlines()[-1]) == (0, "Successfully installed leaf-1.0"), done
    assert run(["safepip", "undo", "--yes"], undoing(untouched), probe=False).code == 0


def undoing(place: Place) -> dict[str, str]:
    return place.environ(str(SAFEPIP.parent), SAFEPIP_TARGET_PREFIX=str(place.prefix))


# ------------------------------------------------------------------------------- RUN lines, exec


@pytest.fixture
def bare(place: Place, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A guarded environment without a pip of its own, active, with another Python's behind it."""
    prefix = tmp_path / "bare"
    lay(prefix / "conda-meta/history", "")
    lay(prefix / "bin/python", SHOW)
    shutil.copytree(place.prefix / "libexec", prefix / "libexec", symlinks=True)
    lay(tmp_path / "other/pip", SHOW)
    folders = (prefix / "libexec/safepip/active", prefix / "bin", tmp_path / "other", SYSTEM)
    return prefix, {"PATH": ":".join(map(str, folders)), "CONDA_PREFIX": str(prefix)}


def test_a_shim_never_hands_its_environment_to_another_pip(
    bare: tuple[Path, dict[str, str]],
) -> None:
    prefix, active = bare
    for environ in (active, {**active, "CONDA_PREFIX": ""}):
        assert run(["pip", "install", "x"], environ).reached == str(prefix)
    listed = run(["pip", "list"], active)
    assert listed.out.startswith(f"[{prefix}/bin/python]"), listed
    # Who wants plain pip has what a shell would find; without safepip, there is none to have.
    other = f"[{prefix.parent}/other/pip][install][x]"
    assert run(["pip", "install", "x"], {**active, "SAFEPIP_GUARD": "off"}).out == other
    shim = prefix / "libexec/safepip/shims/pip"
    text = shim.read_text("utf-8").replace(str(SAFEPIP), "/gone/safepip")
    shim.write_text(text.replace(own_package(), "/gone"), encoding="utf-8")
    gone = run(["pip", "install", "x"], active)
    assert (gone.code, gone.out, "found no 'pip'" in gone.err) == (127, "", True), gone


def test_a_shim_sees_that_a_change_was_cut_off(bare: tuple[Path, dict[str, str]]) -> None:
    """Before anything is done or listed there; also with shims that have no environment."""
    prefix, active = bare
    mark = lay(prefix / "conda-meta/safepip/unfinished", "")
    lay(prefix / "bin/pip", SHOW)
    assert run(["pip", "list"], active).out.startswith(f"[{prefix}/bin/python]")
    assert not mark.exists()
    assert run(["pip", "list"], active).out == f"[{prefix}/bin/pip][list]"
    lay(mark, "")
    path = f"{own_package()}/effects/shell/shims:{prefix}/bin:{SYSTEM}:{SAFEPIP.parent}"
    found = run(["pip", "list"], {**active, "PATH": path})
    assert (found.out.startswith(f"[{prefix}/bin/python]"), mark.exists()) == (True, False)
    # The pip of the environment may be gone meanwhile, and that of another be the first.
    (prefix / "bin/pip").unlink()
    lay(prefix.parent / "conda-meta/history", "")
    lay(prefix.parent / "other/python", "")
    lay(mark, "")
    assert run([SAFEPIP, "install", "x"], active).reached == str(prefix)


@pytest.mark.parametrize(
    "words",
    [
        ("guard", "on", "--dry-run", "--env", "{}"),
        ("explain", "condas", "--env", "{}"),
        ("exec", "true"),
        ("uv", "--version"),
    ],
)
def test_every_command_about_an_environment_takes_back_what_was_cut_off(
    place: Place, words: tuple[str, ...]
) -> None:
    mark = lay(place.prefix / "conda-meta/safepip/unfinished", "")
    environ = place.environ(str(SAFEPIP.parent), CONDA_PREFIX=str(place.prefix))
    words = tuple(word.format(place.prefix) for word in words)
    done = run([SAFEPIP, *words], environ, probe=False)
    assert (done.code, mark.exists()) == (0, False), done


def test_a_shell_line_guards_the_run_lines_of_an_image(place: Place) -> None:
    """No terminal, no home, nothing active: `SHELL ["safepip", "exec", "--", "/bin/sh", "-c"]`."""
    before = conda_bytes(place.prefix)
    shell = [str(SAFEPIP), "exec", "--", "/bin/sh", "-c"]
    line = "pip install --no-cache-dir -q condas==2.0 && echo not here"
    done = run([*shell, line], place.environ(), probe=False)
    assert (done.code, REFUSED in done.err, done.out) == (10, True, ""), done
    line = "set -e; pip install --no-cache-dir leaf; pip list >/dev/null; echo here"
    done = run([*shell, line], place.environ(), probe=False)
    assert (done.code, done.out.splitlines()[-1]) == (0, "here"), done
    assert changed(before, conda_bytes(place.prefix)) == {}


def test_run_lines_are_guarded_in_a_root_of_their_own(deep: Place, tmp_path: Path) -> None:
    """As images are made: another root, nothing in the environment, `/bin/sh -c`."""
    needs("unshare", "chroot", "mount")
    enter = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if run([*enter, f"mount --rbind / '{tmp_path}'"], {"PATH": f"{SYSTEM}:/usr/sbin:/sbin"}).code:
        pytest.skip("this machine lets nobody have a root of their own")
    line = f"exec env -i PATH='{deep.prefix}/bin:{SYSTEM}' SAFEPIP_PROBE=\"$SAFEPIP_PROBE\" "
    line += "/bin/sh -c 'pip install --no-cache-dir x'"
    script = 'mount --rbind / "$0" && exec chroot "$0" /bin/sh -c "$1"'
    done = run([*enter, script, tmp_path, line], {"PATH": f"{SYSTEM}:/usr/sbin:/sbin"})
    assert (done.code, done.reached) == (10, str(deep.prefix)), done


def test_exec_is_the_command_itself(place: Place) -> None:
    script = 'read x; echo "$x $SAFEPIP_GUARD $#"; echo error >&2; exit 7'
    words = [str(SAFEPIP), "exec", "--", "sh", "-c", script, "--", "-v", "install", ""]
    done = run(words, {"PATH": SYSTEM}, stdin="hello\n")
    assert (done.code, done.out, done.err) == (7, "hello on 3\n", "error\n")
    kept = run([SAFEPIP, "exec", "env"], {"PATH": SYSTEM, "SAFEPIP_GUARD": "required"})
    assert "SAFEPIP_GUARD=required\n" in kept.out
    process = subprocess.Popen(
        [SAFEPIP, "exec", "--", "sh", "-c", "echo $$"], stdout=subprocess.PIPE, text=True
    )
    assert process.communicate()[0] == f"{process.pid}\n"


def test_exec_guards_whatever_stands_around_it(place: Place) -> None:
    inside = place.environ(SAFEPIP_INSIDE="1", SAFEPIP_TARGET_PREFIX="/other")
    # A pip of another name, and a safepip that has no command of its own.
    done = run([SAFEPIP, "exec", "--", f"pip{PYTHON}", "install", "x"], inside)
    assert done.reached == str(place.prefix), done
    path = ":".join((str(Path(own_package()).parent), str(Path(click.__file__).parents[1])))
    words = [str(place.environment.python), "-m", "safepip", "exec", "--", "pip", "install", "x"]
    done = run(words, place.environ(PYTHONPATH=path))
    assert done.reached == str(place.prefix), done


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--", "no-such-command"], 127, "found no `no-such-command`"),
        (["--", "/"], 126, "cannot run `/`: Permission denied"),
        (["--"], 2, "expected a command"),
        ([], 2, "expected a command"),
        (["--frobnicate"], 2, "expected a command, and `--frobnicate` is an option"),
    ],
)
def test_exec_says_what_it_cannot_run(words: list[str], code: int, said: str) -> None:
    done = run([SAFEPIP, "exec", *words], {"PATH": SYSTEM})
    assert (done.code, done.out, said in done.err) == (code, "", True), done


def test_exec_has_no_options_but_help() -> None:
    assert run([SAFEPIP, "--strict", "exec", "true"], {"PATH": SYSTEM}).code == 2
    done = run([SAFEPIP, "exec", "--help"], {"PATH": SYSTEM})
    assert (done.code, "SHELL [" in done.out) == (0, True)


def test_activation_and_path_in_images(place: Place, tmp_path: Path) -> None:
    """`ENV PATH` guards RUN lines, and an activation in one puts its own shims first again."""
    line = f". '{place.prefix}/etc/conda/activate.d/zz-safepip.sh'; pip install x"
    environ = place.environ(CONDA_PREFIX=str(place.prefix))
    assert run(["/bin/sh", "-c", line], environ).reached == str(place.prefix)
    # Without a guard in the environment that is activated, its own pip comes first.
    bare = place.environ(place.shims)
    path = f"{place.prefix}/bin:{bare['PATH']}"
    assert run(["/bin/sh", "-c", "pip install --help"], {**bare, "PATH": path}).reached is None


# ------------------------------------------------------------------------------- status


def status(place: Place, **more: str) -> dict[str, tuple[bool | None, str, str]]:
    environ = {"SHELL": "/no/shell", **more}
    done = here("guard", "status", "--json", "--env", place.prefix, environ=environ)
    assert done.code == 0, done
    rows = json.loads(done.out)["guard"]["paths"]
    return {row["path"]: (row["guarded"], row["why"], row["fix"]) for row in rows}


def test_status_tries_each_way(place: Place, deep: Place) -> None:
    environ = {"SHELL": "/bin/sh"}
    assert (
        here("guard", "status", "--env", place.prefix, environ=environ).out
        == f"""\
guard of a b: shims
  pip typed in a shell         guarded  once it is activated
  pip in scripts, make, RUN    guarded  once it is activated
  bin/pip by its path          NOT guarded
                                 safepip guard --env "{place.prefix}" on --deep
  python -m pip                NOT guarded
                                 safepip guard --env "{place.prefix}" on --deep
  conda's pip: section         NOT guarded
                                 safepip guard --env "{place.prefix}" on --deep
  %pip and !pip in a notebook  not tried  no Jupyter kernel in it
"""
    )
    closed = (True, "", "")
    once = (True, "once it is activated", "")
    found = status(deep)
    assert found.pop("kernel") == (None, "no Jupyter kernel in it", "")
    assert found == {"script": once, "path": closed, "module": closed, "conda": closed}


def test_a_guard_that_is_none_for_other_users_has_a_gap() -> None:
    for guarded in (True, None):
        row = Tried("module", "python -m pip", guarded)
        assert [Status((), (row,), closed=path).has_gap for path in ("", "/root")] == [False, True]


def test_shims_on_the_path_of_an_image_are_in_use_without_an_activation(place: Place) -> None:
    prefix, path = str(place.prefix), f"{place.shims}/:{SYSTEM}"
    assert is_in_use(prefix, {"PATH": path})
    assert is_in_use(prefix, {"PATH": SYSTEM, "CONDA_PREFIX": prefix})
    assert not is_in_use(prefix, {"PATH": f"{prefix}/bin:{SYSTEM}"})
    assert not is_in_use(prefix, {"PATH": path, "CONDA_PREFIX": "/other"})


def test_the_status_fits_80_columns_but_for_commands() -> None:
    why = "something that is not to be known stands before the guard on PATH"
    rows = (Tried("a", "pip after conda activate, in conda run", False, why, "x" * 90),)
    told = status_lines(("shims",), rows, (), "", where="lab", width=80)
    assert text(told).splitlines() == [
        "guard of lab: shims",
        "  pip after conda activate, in conda run  NOT guarded  something that is not to",
        "                                          be known stands before the guard on",
        "                                          PATH",
        " " * 44 + "x" * 90,
    ]


def test_what_a_startup_file_leaves_running_is_not_waited_for() -> None:
    needs("setsid", "sleep")
    line = "setsid sleep 25 & echo said >&2; exit 3"
    seen = tried(Way("typed", ("/bin/sh", "-c", line), {"PATH": SYSTEM}))
    assert (seen.code, seen.said) == (3, "said\n")


@pytest.mark.parametrize("line", ['export PATH="{bin}:$PATH"', "alias pip='\"{bin}/pip\"'"])
def test_status_knows_what_a_startup_file_does(place: Place, tmp_path: Path, line: str) -> None:
    needs("bash")
    text = line.format(bin=f"{place.prefix}/bin")
    (tmp_path / ".bashrc").write_text(f"{text}\n", encoding="utf-8")
    more = {"HOME": str(tmp_path), "SHELL": "/bin/bash", "CONDA_PREFIX": str(place.prefix)}
    environ = place.environ(f"{place.prefix}/libexec/safepip/active", **more)
    known = Circumstances(
        prefix=str(place.prefix),
        levels=(),
        minor=PYTHON,
        shell=Shell(str(place.prefix)),
        active=True,
        off="",
        typed_in="bash",
    )

    def typed() -> tuple[bool | None, str, str]:
        found = islice(ways(str(place.prefix), str(place.environment.python), environ), 3)
        row = coverage([Sight(*tried(way)) for way in found], known)[0]
        return row.guarded, row.why, row.fix

    guarded, why, fix = typed()
    assert (guarded, fix) == (False, "safepip shell-init bash --write")
    assert ("a new shell finds" if line.startswith("export") else "alias pip=") in why
    assert here(*shlex.split(fix)[1:], environ=more).code == 0  # and that closes it
    assert typed() == (True, "", "")


def test_status_knows_the_path_that_is_and_the_one_that_will_be(place: Place) -> None:
    needs("bash")
    path = with_command(place.environ()["PATH"])
    active = {"CONDA_PREFIX": str(place.prefix), "PATH": path, "SHELL": "/bin/bash"}
    done = here(
        *("guard", "status", "--check", "--json", "--env", place.prefix),
        environ={**active, "HOME": str(place.links)},
    )
    found = json.loads(done.out)
    assert (done.code, found["exit_code"]) == (1, 1)  # for `--check`, since there are gaps
    rows = {
        row["path"]: (row["guarded"], row["why"], row["fix"]) for row in found["guard"]["paths"]
    }
    again = f'conda activate "{place.prefix}"'
    for way in ("typed", "script"):
        assert rows[way] == (False, "not on this PATH yet", again)
    assert rows["activated"] == (True, "", "")
    assert rows["module"] == (False, "", f'safepip guard --env "{place.prefix}" on --deep')


@pytest.mark.parametrize(
    ("sight", "minor", "off", "expected"),
    [
        (Sight("module", None, 0, ""), "3.9", "", (False, "not with Python 3.9", "")),
        (Sight("module", None, 0, ""), "3.18", "", (False, "not with Python 3.18", "")),
        (
            Sight("script", None, 0, ""),
            "3.11",
            "SAFEPIP_GUARD=off",
            (False, "SAFEPIP_GUARD=off", "unset SAFEPIP_GUARD"),
        ),
        (Sight("script", None, 0, ""), "3.11", "SAFEPIP_INSIDE=1", (False, "IDE=1", "IDE")),
        (Sight("typed", None, 0, "", "pip"), "3.11", "", (False, "function", "guard on --deep")),
        (Sight("typed", None, 0, "", "alias pip=x"), "3.9", "", (False, "alias", "unalias pip")),
        (Sight("script", {"prefix": "/x"}, 10, ""), "3.11", "", (False, "it reaches /x", "")),
        (Sight("script", {"error": "wrong-env"}, 10, ""), "3.11", "", (True, "refused", "")),
        (Sight("typed", None, None, "late"), "3.11", "", (None, "late", "")),
        (Sight("uv", None, 2, "is externally managed"), "3.11", "", (False, "", "guard on")),
        (Sight("uv", None, 1, "no solution"), "3.11", "", (False, "", "safepip guard on")),
        (Sight("script", None, 0, ""), "3.11", "", (False, "", "safepip guard on")),
        (Sight("kernel", None, 0, "!pip\n"), "3.11", "", (False, "!pip is not", "guard on")),
        (Sight("kernel", None, 1, "Trace\nboom\n"), "3.11", "", (None, "boom", "")),
    ],
)
def test_every_gap_has_its_reason_and_its_command(
    sight: Sight, minor: str, off: str, expected: tuple[bool | None, str, str]
) -> None:
    known = Circumstances("/env", (), minor, Shell("/env"), active=True, off=off)
    row = coverage([sight], known)[0]
    assert row.guarded == expected[0]
    for found, part in ((row.why, expected[1]), (row.fix, expected[2])):
        assert part in found
        assert bool(part) == bool(found)


def test_a_seal_is_that_of_the_environment_and_a_guard_that_is_on_is_not_to_be_turned_on() -> None:
    said = "error: externally-managed\nThis environment is externally managed\n  by  Debian"
    sight = Sight("script", None, 1, said)
    for seal, whole, expected in (
        ("by Debian", True, (True, "stopped by the seal", "")),
        ("by safepip", True, (False, "something stands before the guard on PATH", "")),
        (None, False, (False, "", "safepip guard on")),
    ):
        known = Circumstances(
            prefix="/env",
            levels=SHIMS_ALONE,
            minor="3.11",
            shell=Shell("/env"),
            active=True,
            off="",
            seal=seal,
            whole=whole,
        )
        row = coverage([sight], known)[0]
        assert (row.guarded, row.why, row.fix) == expected


def test_a_uv_that_the_hook_does_not_reach_wants_an_activation() -> None:
    seen = {"prefix": "/env"}
    sights = [Sight("script", seen, 10, ""), Sight("activated", seen, 10, "")]
    sights.append(Sight("uv", None, 0, ""))
    for before_uv, ends in (
        (True, ("not on this PATH yet", "conda activate /env")),
        (False, ("", "safepip guard on")),
    ):
        known = Circumstances(
            prefix="/env",
            levels=("shims", "deep"),
            minor="3.11",
            shell=Shell("/env"),
            active=True,
            off="",
            before_uv=before_uv,
        )
        row = coverage(sights, known)[-1]
        assert (row.guarded, row.why, row.fix) == (False, *ends)
