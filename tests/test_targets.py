"""Which environment a command is about: eight rules, and when they stop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from safepip.doors.launch import main
from safepip.effects.called import words_to_type
from safepip.effects.kernels import kernel_above
from safepip.effects.prefixes import SHIMS_MARK, programs_on_path
from safepip.effects.targets import Call, find_target, said_from_outside
from safepip.values.errors import WrongEnvironment
from safepip.values.exits import Exit
from safepip.values.target import Target
from safepip.values.verdict import Fix


def lay(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def python(prefix: Path, *, pip: bool = True) -> Path:
    """A prefix that is nobody's in particular."""
    lay(prefix / "bin" / "python3.11", "\x7fELF")
    (prefix / "bin" / "python").symlink_to("python3.11")
    if pip:
        lay(prefix / "bin" / "pip", f"#!{prefix}/bin/python\n")
    return prefix


def conda(prefix: Path, *, pip: bool = True) -> Path:
    lay(prefix / "conda-meta" / "history")
    return python(prefix, pip=pip)


def venv(prefix: Path) -> Path:
    lay(prefix / "pyvenv.cfg")
    return python(prefix)


def shim(folder: Path, prefix: Path) -> Path:
    """A folder such as pyenv has, whose programs decide when they run what they start."""
    text = f"#!/bin/sh\necho '{prefix}'; echo '{prefix}/bin/python'\n"
    for name in ("python", "pip"):
        lay(folder / name, text)
    return folder


@dataclass
class World:
    """A machine: `/opt/conda` with an environment `lab`, and the system's Python."""

    top: Path
    environ: dict[str, str] = field(default_factory=dict)
    own: Path = Path("/nowhere")

    @property
    def base(self) -> Path:
        return self.top / "opt" / "conda"

    @property
    def lab(self) -> Path:
        return self.base / "envs" / "lab"

    @property
    def usr(self) -> Path:
        return self.top / "usr"

    def path(self, *prefixes: Path) -> None:
        folders = [p if p.name == "shims" else p / "bin" for p in prefixes]
        self.environ["PATH"] = os.pathsep.join(map(str, folders))

    def activate(self, prefix: Path, *others: Path) -> None:
        self.environ["CONDA_PREFIX"] = str(prefix)
        self.path(prefix, *others)

    def find(
        self,
        explicit: str | None = None,
        pip_python: str | None = None,
        *arguments: str,
        module: bool = False,
    ) -> Target:
        return find_target(
            explicit, pip_python, self.environ, str(self.own), module, arguments=arguments
        )

    def refused(
        self,
        explicit: str | None = None,
        pip_python: str | None = None,
        *arguments: str,
        module: bool = False,
    ) -> WrongEnvironment:
        with pytest.raises(WrongEnvironment) as caught:
            self.find(explicit, pip_python, *arguments, module=module)
        assert caught.value.exit == Exit.WRONG_ENV
        return caught.value


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    lay(made.base / "conda-meta" / "conda-24.5.0-0.json")
    conda(made.base)
    conda(made.lab)
    python(made.usr)
    made.path(made.usr)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return made


def different(what: str, *places: str) -> str:
    return "\n".join([f"this would {what} a different environment than you are using", *places])


def target(prefix: Path, chosen_by: str, *, is_conda: bool = True, obvious: bool = True) -> Target:
    return Target(str(prefix), f"{prefix}/bin/python", is_conda, chosen_by, obvious)


# 1. --env


def test_a_path_is_taken_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.activate(world.base)
    monkeypatch.chdir(world.base / "envs")
    for path in (str(world.lab), f"{world.lab}/", "./lab", "../envs/lab"):
        assert world.find(path) == target(world.lab, "--env")


def test_a_path_may_begin_at_home(world: World) -> None:
    mine = conda(world.top / "home" / "mine")
    assert world.find("~/mine") == target(mine, "--env")


def test_an_environment_that_is_not_condas_may_be_named(world: World) -> None:
    assert world.find(str(world.usr)) == target(world.usr, "--env", is_conda=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONDA_EXE", "{base}/bin/conda"),
        ("CONDA_ROOT", "{base}"),
        ("_CONDA_ROOT", "{base}"),
        ("MAMBA_ROOT_PREFIX", "{base}"),
        ("CONDA_PREFIX", "{base}"),
        ("CONDA_PREFIX", "{base}/envs/lab"),
    ],
)
def test_a_name_is_looked_for_where_conda_is(world: World, variable: str, value: str) -> None:
    world.environ[variable] = value.format(base=world.base)
    assert world.find("lab") == target(world.lab, "--env")
    assert world.find("base") == target(world.base, "--env")
    assert world.find("root") == target(world.base, "--env")


@pytest.mark.parametrize("folder", ["bin", "condabin"])
def test_a_name_is_looked_for_where_the_path_leads_to_conda(world: World, folder: str) -> None:
    lay(world.base / folder / "conda")
    world.environ["PATH"] = str(world.base / folder)
    assert world.find("lab") == target(world.lab, "--env")


def test_a_name_is_looked_for_where_safepip_lives(world: World) -> None:
    world.own = world.base
    assert world.find("lab") == target(world.lab, "--env")


@pytest.mark.parametrize("variable", ["CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"])
def test_folders_of_environments_go_first(world: World, variable: str) -> None:
    mine = conda(world.top / "data" / "lab")
    world.environ.update({variable: f"/gone:{world.top}/data", "CONDA_ROOT": str(world.base)})
    assert world.find("lab") == target(mine, "--env")


def test_a_name_is_looked_for_at_home(world: World) -> None:
    mine = conda(world.top / "home" / ".conda" / "envs" / "mine")
    assert world.find("mine") == target(mine, "--env")


def test_a_name_is_looked_for_in_the_list_of_all(world: World) -> None:
    mine = conda(world.top / "project" / "env")
    listed = f"/gone/env\n{mine}/\n{world.lab}\n\n"
    lay(world.top / "home" / ".conda" / "environments.txt", listed)
    assert world.find("env") == target(mine, "--env")


def test_a_name_that_several_have_is_unclear(world: World) -> None:
    both = [str(conda(world.top / name / "env")) for name in ("a", "b")]
    lay(world.top / "home" / ".conda" / "environments.txt", "\n".join(both))
    error = world.refused("env", None, "install", "numpy<2")
    assert error.message == "2 conda environments are called `env`"
    assert error.fixes == tuple(
        Fix(f'safepip install --env {prefix} "numpy<2"', "this one") for prefix in both
    )


@pytest.mark.parametrize(
    ("environ", "tool"),
    [
        ({}, "conda"),
        ({"MAMBA_EXE": "/bin/micromamba", "CONDA_EXE": "/bin/conda"}, "conda"),
        ({"MAMBA_EXE": "/bin/micromamba"}, "micromamba"),
        ({"MAMBA_EXE": "/bin/mamba"}, "mamba"),
    ],
)
def test_a_name_that_none_has_stops(world: World, environ: Mapping[str, str], tool: str) -> None:
    world.environ.update(environ)
    for name in ("nosuch", "base", "bad\x1bname"):
        error = world.refused(name)
        shown = name.replace("\x1b", "?")
        assert error.message == f"no conda environment is called `{shown}`"
        assert error.fixes == (Fix(f"{tool} env list", "see which environments there are"),)


def test_a_folder_is_taken_where_no_environment_has_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.environ["CONDA_ROOT"] = str(world.base)
    conda(world.top / "lab")
    here = conda(world.top / "here")
    monkeypatch.chdir(world.top)
    assert world.find("lab") == target(world.lab, "--env")
    assert world.find("here") == target(here, "--env")


@pytest.mark.parametrize("path", ["empty", "gone"])
def test_a_folder_without_python_stops(world: World, path: str) -> None:
    (world.top / "empty").mkdir()
    error = world.refused(str(world.top / path))
    assert error.message == f"there is no Python in `{world.top}/{path}`"


def test_a_conda_environment_without_python_stops(world: World) -> None:
    bare = world.base / "envs" / "bare"
    lay(bare / "conda-meta" / "history")
    error = world.refused(str(bare))
    assert error.message == f"the conda environment `{bare}` has no Python"
    assert error.fixes == (Fix(f"conda install -p {bare} python pip", "give it one"),)


# 2. --python


def test_python_of_pip_is_a_folder_or_an_interpreter(world: World) -> None:
    world.activate(world.base)
    assert world.find(None, str(world.lab)) == target(world.lab, "--python")
    interpreter = f"{world.lab}/bin/python3.11"
    expected = Target(str(world.lab), interpreter, is_conda=True, chosen_by="--python")
    assert world.find(None, interpreter) == expected


def test_python_of_pip_may_be_outside_of_conda(world: World) -> None:
    made = venv(world.top / "venv")
    expected = target(made, "--python", is_conda=False)
    assert world.find(None, f"{made}/bin/python") == expected


def test_python_of_pip_must_be_there(world: World) -> None:
    error = world.refused(None, "/gone/python")
    assert error.message == "there is no Python interpreter at `/gone/python`"


# 3. The shim's own word


def test_a_shim_says_whose_pip_it_stands_before(world: World) -> None:
    world.activate(world.base)
    world.environ["SAFEPIP_TARGET_PREFIX"] = str(world.lab)
    assert world.find() == target(world.lab, "SAFEPIP_TARGET_PREFIX", obvious=False)
    world.environ["SAFEPIP_TARGET_PREFIX"] = str(world.base)
    assert world.find() == target(world.base, "SAFEPIP_TARGET_PREFIX")


# 4. python -m safepip


def test_a_module_acts_on_its_own_environment(world: World) -> None:
    world.own = world.lab
    world.activate(world.base, world.usr)
    assert world.find(module=True) == target(world.lab, "python -m safepip", obvious=False)
    world.activate(world.lab, world.base)
    assert world.find(module=True) == target(world.lab, "python -m safepip")


def test_a_module_outside_of_conda_acts_as_the_command(world: World) -> None:
    world.own = venv(world.top / "pipx")
    world.activate(world.lab)
    assert world.find(module=True) == target(world.lab, "CONDA_PREFIX")


# 5. A virtual environment above


def test_a_virtual_environment_above_conda_is_plain_pips(world: World) -> None:
    made = venv(world.top / "venv")
    world.activate(world.lab)
    world.path(made, world.lab)
    world.environ["VIRTUAL_ENV"] = str(made)
    assert world.find() == target(made, "VIRTUAL_ENV", is_conda=False)


def test_a_virtual_environment_above_a_base_that_is_not_active(world: World) -> None:
    made = venv(world.top / "venv")
    world.environ.update({"VIRTUAL_ENV": str(made), "PATH": f"{world.base}/condabin:{made}/bin"})
    assert world.find() == target(made, "VIRTUAL_ENV", is_conda=False)


@pytest.mark.parametrize("below", [True, False])
def test_a_virtual_environment_below_conda_is_not_in_use(world: World, *, below: bool) -> None:
    made = venv(world.top / "venv")
    world.activate(world.lab, *([made] if below else []))
    world.environ["VIRTUAL_ENV"] = str(made)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_a_virtual_environment_that_is_not_on_the_path_is_not_in_use(world: World) -> None:
    world.environ["VIRTUAL_ENV"] = str(venv(world.top / "venv"))
    assert world.find() == target(world.usr, "PATH", is_conda=False, obvious=False)


@pytest.mark.parametrize("kind", ["conda", "gone"])
def test_only_a_virtual_environment_is_one(world: World, kind: str) -> None:
    named = world.lab if kind == "conda" else world.top / "gone"
    world.activate(world.lab)
    world.environ["VIRTUAL_ENV"] = str(named)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


# 6. The active environment


def test_the_active_environment_is_the_target(world: World) -> None:
    world.own = world.base
    world.activate(world.lab, world.base, world.usr)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_an_environment_is_the_same_by_any_path(world: World) -> None:
    (world.top / "link").symlink_to(world.lab)
    world.activate(world.top / "link")
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_safepips_own_shims_are_nobodys_pip(world: World) -> None:
    shims = shim(world.base / "libexec" / "shims", world.base)
    lay(shims / SHIMS_MARK)
    world.activate(world.lab)
    world.path(shims, world.lab, world.base)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_without_a_pip_of_its_own_the_active_environment_is_not_the_one_that_pip_means(
    world: World,
) -> None:
    bare = conda(world.base / "envs" / "bare", pip=False)
    world.activate(bare, world.base)
    error = world.refused(None, None, "install", "pandas")
    assert (error.message, error.why) == (
        different("install into", f"active       {bare}", f"pip on PATH  {world.base} (base)"),
        "the active environment has no pip, so PATH leads to another's",
    )
    assert error.fixes == (
        Fix(f"safepip install --env {bare} pandas", "act on the active environment"),
        Fix(f"conda install -p {bare} pip", "give it a pip of its own"),
        Fix(f"safepip install --env {world.base} pandas", "if the other one is meant"),
    )


def test_a_shim_of_its_guard_is_as_good_as_a_pip_of_its_own(world: World) -> None:
    bare = conda(world.base / "envs" / "bare", pip=False)
    shims = shim(bare / "libexec" / "safepip" / "shims", bare)
    lay(shims / SHIMS_MARK)
    world.activate(bare)
    world.path(world.base, shims, bare)
    assert world.refused().why == "the active environment has no pip, so PATH leads to another's"
    world.path(shims, bare, world.base)
    assert world.find() == target(bare, "CONDA_PREFIX")


def test_pixi_has_its_own_word_for_a_missing_pip(world: World) -> None:
    bare = conda(world.top / "my" / ".pixi" / "envs" / "default", pip=False)
    lay(bare / "conda-meta" / "pixi")
    world.activate(bare, world.base)
    manifest = world.top / "my"
    expected = Fix(f"pixi add --manifest-path {manifest} pip", "give it a pip of its own")
    assert world.refused().fixes[1] == expected


SAID_AGAIN = {
    "undo --yes 2026-11-28-11": "undo --env {lab} --yes 2026-11-28-11",
    "export -f x.yml --no-builds": "export --env {lab} -f x.yml --no-builds",
    "--json constraints -o c.txt": "constraints --env {lab} --json -o c.txt",
    "explain numpy": "explain --env {lab} numpy",
    "guard on --deep": "guard --env {lab} on --deep",
    "plan --prefer-conda --allow a,b x": "plan --env {lab} --prefer-conda --allow a,b x",
    "list -v": "--env {lab} list -v",
    "-q freeze": "--env {lab} -q freeze",
    "list --env {base}": "--env {lab} list",
    "pip install x": "--env {lab} pip install x",
}
"""Commands that reach another environment than the active one, and as what is offered for it."""


@pytest.mark.parametrize("line", SAID_AGAIN)
def test_the_command_is_said_again_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """A part of it might do something else: without its ID, `undo` takes back the last change."""
    world.activate(world.lab)
    world.path(world.base, world.lab)
    for name in ("VIRTUAL_ENV", "JPY_PARENT_PID", "SAFEPIP_TARGET_PREFIX", "PIP_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    places = {"lab": world.lab, "base": world.base}
    assert main(line.format(**places).split()) == Exit.WRONG_ENV
    said = capsys.readouterr()
    command = f"safepip {SAID_AGAIN[line].format(**places)}"
    assert re.search(re.escape(command) + r'["\n]', said.out + said.err)
    if line.startswith("list"):
        assert said.err.endswith("\nNothing was changed.\n")


@pytest.mark.parametrize("other", ["base", "usr", "shims"])
def test_with_a_pip_of_its_own_nothing_may_stand_before_it(world: World, other: str) -> None:
    before = {
        "base": world.base,
        "usr": world.usr,
        "shims": shim(world.top / "shims", world.usr),
    }[other]
    world.activate(world.lab)
    world.path(before, world.lab)
    error = world.refused(None, None, "uninstall", "-r", "/dev/stdin")
    reached = f"{world.base} (base)" if other == "base" else str(world.usr)
    assert (error.message, error.why) == (
        different("uninstall from", f"active       {world.lab}", f"pip on PATH  {reached}"),
        "something stands before the active environment on PATH",
    )
    assert error.fixes == (
        Fix(f"safepip uninstall --env {world.lab} PACKAGE", "act on the active environment"),
        Fix(
            f"safepip uninstall --env {reached.split()[0]} PACKAGE",
            "if the other one is meant",
        ),
    )


@pytest.mark.parametrize(
    ("words", "is_offered"),
    [
        (("guard", "on", "--ci"), False),
        (("undo", "--yes"), False),
        (("plan", "--tree", "x"), False),
        (("plan", "x"), True),
        (("list",), True),
    ],
)
def test_nothing_is_offered_that_is_only_for_conda_environments(
    world: World, words: tuple[str, ...], *, is_offered: bool
) -> None:
    world.activate(world.lab)
    world.path(world.usr, world.lab)
    says = [fix.says for fix in world.refused(None, None, *words).fixes]
    other = ["if the other one is meant"]
    assert says == ["act on the active environment", *(other if is_offered else [])]


def test_a_shim_that_leads_to_the_active_environment_agrees(world: World) -> None:
    world.activate(world.lab)
    world.path(shim(world.top / "shims", world.lab), world.lab)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_a_pip_at_home_that_runs_the_python_of_base_is_that_of_base(world: World) -> None:
    lay(world.top / "home" / "bin" / "pip", f"#!{world.base}/bin/python\n")
    bare = conda(world.base / "envs" / "bare", pip=False)
    world.activate(bare, world.top / "home")
    assert f"pip on PATH  {world.base} (base)" in world.refused().message


@pytest.mark.parametrize("others", [["usr"], []])
def test_without_any_pip_of_conda_safepips_own_serves_the_active_environment(
    world: World, others: list[str]
) -> None:
    bare = conda(world.base / "envs" / "bare", pip=False)
    world.activate(bare, *(world.top / name for name in others))
    assert world.find() == target(bare, "CONDA_PREFIX")


def test_an_active_environment_without_python_stops(world: World) -> None:
    bare = world.base / "envs" / "bare"
    lay(bare / "conda-meta" / "history")
    world.activate(bare, world.usr)
    assert world.refused().message == f"the conda environment `{bare}` has no Python"


@pytest.mark.parametrize("how", ["--env", "--python", "shim", "module"])
def test_who_says_which_environment_is_not_asked_again(world: World, how: str) -> None:
    bare = conda(world.base / "envs" / "bare", pip=False)
    world.activate(bare, world.base)
    world.own = world.lab
    if how == "shim":
        world.environ["SAFEPIP_TARGET_PREFIX"] = str(world.lab)
    explicit = str(world.lab) if how == "--env" else None
    pip_python = str(world.lab) if how == "--python" else None
    assert world.find(explicit, pip_python, module=how == "module").prefix == str(world.lab)


@pytest.mark.parametrize("prefix", ["/gone", "{top}/usr", ""])
def test_what_is_active_must_be_a_conda_environment(world: World, prefix: str) -> None:
    world.environ["CONDA_PREFIX"] = prefix.format(top=world.top)
    assert world.find() == target(world.usr, "PATH", is_conda=False, obvious=False)


# 7. and 8. Without any activation


def test_where_safepip_lives_is_the_target(world: World) -> None:
    world.own = world.base
    assert world.find() == target(world.base, "safepip's own environment", obvious=False)


def test_where_the_first_pip_lives_is_the_target(world: World) -> None:
    world.own = venv(world.top / "pipx")
    world.path(world.lab, world.usr)
    assert world.find() == target(world.lab, "PATH", obvious=False)


def test_a_pip3_will_do(world: World) -> None:
    (world.usr / "bin" / "pip").rename(world.usr / "bin" / "pip3")
    assert world.find() == target(world.usr, "PATH", is_conda=False, obvious=False)


def test_a_shim_may_lead_into_conda(world: World) -> None:
    world.path(shim(world.top / "shims", world.lab), world.usr)
    assert world.find() == target(world.lab, "PATH", obvious=False)


def test_a_pip_that_would_not_start_is_passed_over(world: World) -> None:
    lay(world.top / "stale" / "bin" / "pip", "#!/gone/bin/python\n")
    world.path(world.top / "stale", world.lab)
    assert world.find() == target(world.lab, "PATH", obvious=False)


def test_there_may_be_no_environment_at_all(world: World) -> None:
    world.path(world.top / "empty")
    expected = Target("", "", is_conda=False, chosen_by="PATH", obvious=False)
    assert world.find() == expected


def test_programs_may_be_found_otherwise(world: World) -> None:
    found = find_target(
        None, None, {}, "/nowhere", run_as_module=False, which=lambda *_: [f"{world.lab}/bin/pip"]
    )
    assert found == target(world.lab, "PATH", obvious=False)


# Notebooks


def kernel(world: World, prefix: Path) -> None:
    world.environ["SAFEPIP_KERNEL_PREFIX"] = str(prefix)


@pytest.mark.parametrize("rule", ["shim", "module", "active", "own", "path"])
def test_a_notebook_may_not_reach_another_environment_than_its_kernel(
    world: World, rule: str
) -> None:
    kernel(world, world.lab)
    if rule == "shim":
        world.environ["SAFEPIP_TARGET_PREFIX"] = str(world.base)
    elif rule == "active":
        world.activate(world.base)
    elif rule == "path":
        world.path(world.base)
    else:
        world.own = world.base
    error = world.refused(None, None, "install", "pandas", module=rule == "module")
    assert (error.message, error.why) == (
        different(
            "install into", f"notebook kernel  {world.lab}", f"this command     {world.base} (base)"
        ),
        "\"!\" runs with the Jupyter server's PATH, not the kernel's.",
    )
    assert error.fixes == (
        Fix("%safepip install pandas", "act on the kernel's environment"),
        Fix(f"%safepip install --env {world.base} pandas", "if the other one is meant"),
    )


def test_a_notebook_that_reaches_no_environment_is_told_of_its_kernel(world: World) -> None:
    kernel(world, world.lab)
    world.path(world.top / "empty")
    error = world.refused(None, None, "install", "{package}")
    assert error.message.endswith("this command     none")
    assert error.fixes == (Fix("%safepip install PACKAGE", "act on the kernel's environment"),)
    assert world.refused(None, None, "undo", "{change}").fixes == ()  # without it: another
    named = Fix("%safepip undo --yes 2026-11-28-11", "act on the kernel's environment")
    assert world.refused(None, None, "undo", "2026-11-28-11").fixes == (named,)


def test_a_kernel_in_conda_is_not_served_by_the_system(world: World) -> None:
    kernel(world, world.lab)
    assert world.refused().message.endswith(f"this command     {world.usr}")


def test_a_kernel_outside_of_conda_may_not_reach_into_it(world: World) -> None:
    kernel(world, world.usr)
    world.activate(world.lab)
    assert f"notebook kernel  {world.usr}\n" in world.refused().message


def test_where_nothing_is_condas_nothing_is_said(world: World) -> None:
    kernel(world, venv(world.top / "venv"))
    found = target(world.usr, "PATH", is_conda=False, obvious=False)
    assert world.find() == found._replace(in_notebook=True)


def test_in_a_notebook_path_counts_and_not_what_its_server_has_activated(world: World) -> None:
    kernel(world, world.lab)
    world.activate(world.base)
    world.path(world.lab, world.base)
    world.own = world.base
    found = target(world.lab, "the notebook's kernel")
    assert world.find() == found._replace(in_notebook=True)


def test_a_kernel_may_be_reached_by_a_link(world: World) -> None:
    (world.top / "link").symlink_to(world.lab)
    kernel(world, world.top / "link")
    world.activate(world.lab)
    found = target(world.lab, "the notebook's kernel")
    assert world.find() == found._replace(in_notebook=True)


def test_a_notebook_may_name_another_environment(world: World) -> None:
    kernel(world, world.lab)
    for given, rule in (((str(world.base),), "--env"), ((None, str(world.base)), "--python")):
        assert world.find(*given) == target(world.base, rule)._replace(in_notebook=True)


@pytest.mark.parametrize("active", ["", "/gone", "{lab}"])
def test_a_notebook_may_activate_another_environment(world: World, active: str) -> None:
    """As `conda run -n base` does, which says what is meant."""
    kernel(world, world.lab)
    world.environ["SAFEPIP_KERNEL_ACTIVE"] = active.format(lab=world.lab)
    world.activate(world.base)
    world.path(world.base)
    assert world.find() == target(world.base, "CONDA_PREFIX")._replace(in_notebook=True)
    world.environ["SAFEPIP_KERNEL_ACTIVE"] = str(world.base)
    assert world.refused().exit == 15


@pytest.mark.parametrize("client", ["", "x", "0", "999999999", "9" * 5000])
def test_a_client_that_started_no_kernel_is_nobodys(world: World, client: str) -> None:
    world.environ["JPY_PARENT_PID"] = client
    world.activate(world.lab)
    assert world.find() == target(world.lab, "CONDA_PREFIX")


def test_whichever_tool_acts_a_notebook_says_which_environment(world: World) -> None:
    def said() -> Target | None:
        return said_from_outside(Call(world.environ, "/nowhere", programs_on_path, ()))

    world.activate(world.lab)
    assert said() is None
    kernel(world, world.lab)
    assert said() == target(world.lab, "the notebook's kernel")._replace(in_notebook=True)
    lay(world.top / "venv" / "pyvenv.cfg")
    made = python(world.top / "venv", pip=False)
    world.environ["VIRTUAL_ENV"] = str(made)
    world.path(made, world.lab)
    with pytest.raises(WrongEnvironment, match=f"this command     {made}"):
        said()


def process(folder: Path, number: int, parent: int, *words: str | Path, environ: str = "") -> None:
    """What Linux tells of a process."""
    lay(folder / f"{number}/cmdline", "\0".join(map(str, words)))
    lay(folder / f"{number}/environ", environ)
    lay(folder / f"{number}/stat", f"{number} (a) b) S {parent} 0")


@pytest.mark.parametrize(
    ("started_by", "client", "speaking", "found"),
    [
        (8, "1", "", "base"),  # of an image that runs `papermill`
        (8, "1", "7", ""),
        (10, "8", "", "lab"),
        (10, "8", "7", "lab"),  # of a kernel with the extension
        (10, "7", "7", "lab"),  # in a notebook that runs notebooks itself
        (10, "8", "9", ""),
        (8, "99", "", ""),
        (7, "8", "", ""),
    ],
)
def test_the_nearest_kernel_below_its_client_is_meant(
    world: World, started_by: int, client: str, speaking: str, found: str
) -> None:
    folder = world.top / "proc"
    for number, parent, prefix in ((7, 1, world.base), (9, 8, world.lab)):
        words = (f"{prefix}/bin/python", "-m", "ipykernel_launcher")
        process(folder, number, parent, *words, environ=f"A=b\0CONDA_PREFIX=/of/{prefix.name}")
    process(folder, 8, 7, "papermill")
    process(folder, 10, 9, "sh")
    environ = {"JPY_PARENT_PID": client, "SAFEPIP_KERNEL_PID": speaking}
    of = {"base": (str(world.base), "/of/conda"), "lab": (str(world.lab), "/of/lab")}
    above = kernel_above(environ, process=started_by, processes=str(folder))
    assert above == of.get(found, ("", None))


def test_the_word_of_another_kernel_does_not_count(world: World) -> None:
    """As where a notebook runs another by papermill, which hands on what it has."""
    kernel(world, world.lab)
    world.environ["SAFEPIP_KERNEL_PID"] = str(os.getpid())
    world.environ["JPY_PARENT_PID"] = str(os.getpid())
    world.activate(world.lab)
    ask = (
        "import sys, os; from safepip.effects.targets import find_target\n"
        "try: print(find_target(None, None, os.environ, '/nowhere', False))\n"
        "except Exception as error: print(error.message, *(fix.command for fix in error.fixes))"
    )
    start = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {ask!r}], check=True)\n"
    code = lay(world.top / "ipykernel_launcher.py", start)
    environ = {**world.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, code], env=environ, capture_output=True, text=True, check=True
    )
    assert f"notebook kernel  {os.path.realpath(sys.prefix)}\n" in done.stdout, done
    assert f"!safepip install --env {world.lab} PACKAGE" in done.stdout


# What starts safepip in the shell that it was called from


def test_safepip_is_called_by_its_name_only_where_that_leads_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = lay(tmp_path / "base" / "bin" / "safepip")
    other = lay(tmp_path / "other" / "bin" / "safepip")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "safepip").symlink_to(own)
    monkeypatch.setattr(sys, "executable", str(own.with_name("python")))
    monkeypatch.setattr(sys, "argv", ["-m"])

    def words(*folders: Path) -> tuple[str, ...]:
        return words_to_type({"PATH": os.pathsep.join(map(str, folders))})

    links, empty = tmp_path / "links", tmp_path / "empty"
    assert words(empty, own.parent) == words(links, other.parent) == ("safepip",)
    assert words(empty) == words(other.parent, own.parent) == (str(own),)
    own.unlink()
    assert words(empty) == words(other.parent) == (sys.executable, "-m", "safepip")
    monkeypatch.setattr(sys, "argv", [str(other)])
    assert (words(empty), words(other.parent)) == ((str(other),), ("safepip",))


# Cost


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            ("safepip.doors.guarded", "safepip.effects.targets"),
            ("json", "pathlib", "subprocess", "packaging", "shlex", "urllib.parse"),
        ),
        # What only becomes pip: these together take as long as Python's own start.
        (
            ("safepip.doors.launch",),
            ("typing", "re", "enum", "contextlib", "functools", "collections"),
        ),
        # Before pip is started: it could be loading meanwhile.
        (
            ("safepip.doors.carrying_out",),
            ("packaging", "dataclasses", "tempfile", "platformdirs", "urllib.parse"),
        ),
    ],
    ids=["to find the target", "to become pip", "to start pip"],
)
def test_what_others_wait_for_imports_nothing_heavy(
    modules: tuple[str, ...], heavy: tuple[str, ...]
) -> None:
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    # -S: a path file of the machine may import anything.
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(heavy) & set(done.stdout.split()) == set()
