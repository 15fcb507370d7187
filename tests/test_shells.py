"""In real shells: activation keeps the shims first and leaves no trace, and what is typed."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import click
import pytest
from rattler.platform import Subdir
from rattler.shell import ActivationVariables, Shell, activate

from safepip.decisions.guarding.path import off_path
from safepip.decisions.guarding.startup import RID
from safepip.effects.itself import own_package
from tests.everywhere import SAFEPIP, SYSTEM, Done, here, needs, run
from tests.lab import CondaEnvironment, create
from tests.lab.activation import functions

POSIX = ("bash", "zsh", "dash")
SHELLS = (*POSIX, "fish")
AT_START = dict(os.environ)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[CondaEnvironment, CondaEnvironment]:
    """Two guarded environments, one of them with a name that shells stumble over."""
    folder = tmp_path_factory.mktemp("places")
    made = create(folder / "a b*$c"), create(folder / "plain")
    for place in made:
        done = here("guard", "on", "--env", place.prefix)
        assert done.code == 0, done.err
    return made


def in_shell(shell: str, script: str, **environ: str) -> Done:
    needs(shell)
    flags = [] if shell == "fish" else ["-f"] if shell == "zsh" else []
    strict = "" if shell == "fish" else "set -eu\n"
    text = f"{strict}{functions(shell)}{script}"
    return run([shell, *flags, "-c", text], {"PATH": SYSTEM, **environ})


def quoted(shell: str, path: Path) -> str:
    if shell != "fish":
        return shlex.quote(str(path))
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"


@pytest.mark.parametrize("shell", SHELLS)
def test_path_is_exact_after_activations(
    places: tuple[CondaEnvironment, CondaEnvironment], shell: str, tmp_path: Path
) -> None:
    one, two = places
    # Somebody's own entry, and one that is empty, stay where they were.
    path = f"/opt/x/condabin:{one.prefix}/libexec/safepip/shims::{SYSTEM}"
    path = path if shell != "fish" else path.replace("::", ":")  # fish has no empty ones
    show = "string join : $PATH" if shell == "fish" else 'echo "$PATH"'
    steps = [
        f"activate {quoted(shell, one.prefix)}",
        f"activate {quoted(shell, two.prefix)}",
        f"activate {quoted(shell, two.prefix)}",  # as `conda install` does at its end
        "deactivate",
        "deactivate",
    ]
    which = "command -v pip"
    script = show + "\n" + "".join(f"{step}\n{show}\n{which} || true\n" for step in steps)
    done = in_shell(shell, script, PATH=path)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    expected = [path]
    for place in (one, two, two, one):
        shims = f"{place.prefix}/libexec/safepip/active"
        expected += [f"{shims}:{place.prefix}/bin:{path}", f"{shims}/pip"]
    expected += [path, f"{one.prefix}/libexec/safepip/shims/pip"]
    assert lines == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_pip_is_guarded_while_the_environment_is_active(
    places: tuple[CondaEnvironment, CondaEnvironment], shell: str
) -> None:
    prefix = places[0].prefix
    line = f"activate {quoted(shell, prefix)}\npip -q install 'a b' --no-index || true"
    done = in_shell(shell, line)
    assert (done.code, done.reached) == (0, str(prefix)), done


@pytest.mark.parametrize(
    ("name", "shell"), [("bash", Shell.bash), ("zsh", Shell.zsh), ("fish", Shell.fish)]
)
def test_the_activation_of_rattler_and_pixi_does_the_same(
    places: tuple[CondaEnvironment, CondaEnvironment], name: str, shell: Shell
) -> None:
    needs(name)
    prefix = places[1].prefix
    path = [Path(folder) for folder in SYSTEM.split(":")]
    made = activate(prefix, ActivationVariables(None, path), shell, Subdir.current())
    done = run([name, "-c", f"{made.script}\npip install x"], {"PATH": SYSTEM})
    assert (done.code, done.reached) == (10, str(prefix)), done


def condas_own() -> str:
    found = AT_START.get("CONDA_EXE") or shutil.which("conda", path=AT_START["PATH"])
    return found or pytest.skip("there is no conda here, and CONDA_EXE names none")


HOOKS = {"bash": "bash", "zsh": "zsh", "dash": "posix", "fish": "fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_activation_of_a_real_conda_leaves_no_trace(
    places: tuple[CondaEnvironment, CondaEnvironment], tmp_path: Path, shell: str
) -> None:
    conda = shlex.quote(condas_own())
    needs(shell)
    both = tmp_path / "a b", places[1].prefix
    both[0].symlink_to(places[0].prefix)  # conda itself takes the `$c` in that for a variable
    hook = f'eval "$({conda} shell.{HOOKS[shell]} hook)"\n'
    hook = f"{conda} shell.fish hook | source\n" if shell == "fish" else hook
    show = "string join : $PATH" if shell == "fish" else 'echo "$PATH"'
    one, two = (quoted(shell, prefix) for prefix in both)
    steps = [f"conda activate {one}", f"conda activate {two}", *["conda deactivate"] * 2]
    script = f"{hook}{show}\n" + "".join(f"{step}\n{show}\ncommand -v pip\n" for step in steps)
    flags = ["-f"] if shell == "zsh" else ["--no-config"] if shell == "fish" else []
    done = run([shell, *flags, "-c", script], {"PATH": SYSTEM, "HOME": "/nowhere"})
    lines = [line for line in done.out.splitlines() if line.startswith("/")]
    pips = [line for line in lines if line.endswith("/active/pip")]
    expected = [f"{prefix}/libexec/safepip/active/pip" for prefix in (*both, both[0])]
    assert (pips, "active" in lines[0]) == (expected, False), done
    assert lines[0] in lines[-2:], done


def test_a_real_conda_run_is_guarded(
    places: tuple[CondaEnvironment, CondaEnvironment], tmp_path: Path
) -> None:
    prefix = places[1].prefix
    words = [condas_own(), "run", "-p", str(prefix), "bash", "-c", "pip install x"]
    done = run(words, {"PATH": SYSTEM, "HOME": str(tmp_path)})
    assert done.reached == str(prefix), done


def test_an_environment_without_guard_is_left_as_conda_leaves_it(
    places: tuple[CondaEnvironment, CondaEnvironment], tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    (bare / "bin").mkdir(parents=True)
    one = places[0].prefix
    line = f"activate {shlex.quote(str(one))}; activate {bare}; deactivate; deactivate; echo $PATH"
    assert in_shell("bash", line).out == f"{SYSTEM}\n"


# ------------------------------------------------------------------------------- what is typed


@pytest.fixture
def bare(places: tuple[CondaEnvironment, CondaEnvironment]) -> CondaEnvironment:
    """An environment whose shims are not on `PATH`."""
    return places[1]


def typed(shell: str, lines: str, environment: CondaEnvironment, **more: str) -> Done:
    """Run lines in an interactive shell without a startup file, with the environment active."""
    needs(shell)
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"], "dash": []}[shell]
    path = f"{environment.prefix}/bin:{SAFEPIP.parent}:{SYSTEM}"
    active = {"PATH": path, "CONDA_PREFIX": str(environment.prefix), "TERM": "dumb"}
    # Line by line, as they are typed: an alias counts from the next line on.
    return run([shell, *flags, "-i"], {**active, **more}, stdin=lines + "\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_plain_alias_guards_what_is_typed(bare: CondaEnvironment, shell: str) -> None:
    done = typed(shell, "alias pip=safepip\npip install --no-index x", bare)
    assert done.reached == str(bare.prefix), done


def load(shell: str) -> str:
    """The line that a person puts into a startup file."""
    if shell == "fish":
        return f"{shlex.quote(str(SAFEPIP))} shell-init fish | source"
    return f'eval "$({shlex.quote(str(SAFEPIP))} shell-init {shell})"'


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_functions_guard_what_is_typed(bare: CondaEnvironment, shell: str) -> None:
    # Also where there was an alias before them, which zsh would put in their names.
    done = typed(shell, f"alias pip=safepip\n{load(shell)}\npip3 -q install 'a b' --x=''", bare)
    assert done.reached == str(bare.prefix), done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_functions_let_everything_else_through(bare: CondaEnvironment, shell: str) -> None:
    lines = f"{load(shell)}\npip --version\n"
    if shell == "fish":
        lines += "set -x SAFEPIP_GUARD off\npip install --help"
    else:
        lines += "SAFEPIP_GUARD=off pip install --help"
    done = typed(shell, lines, bare)
    assert (done.reached, "from " + str(bare.site_packages) in done.out) == (None, True), done
    assert "pip install [options]" in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("guard", ["on", "required"])
def test_the_functions_say_when_safepip_is_gone(
    bare: CondaEnvironment, shell: str, guard: str, tmp_path: Path
) -> None:
    needs(shell)
    printed = here("shell-init", shell).out.replace(str(SAFEPIP), str(tmp_path / "gone"))
    file = tmp_path / "functions"
    file.write_text(printed, encoding="utf-8")
    path = f"{bare.prefix}/bin:{SYSTEM}"
    words = [shell, "-c", f". {file}\npip install --help"]
    done = run(words, {"PATH": path, "SAFEPIP_GUARD": guard, "HOME": str(tmp_path)})
    if guard == "required":
        assert (done.code, done.out, "pip was not run" in done.err) == (16, "", True), done
    else:
        assert (done.code, "pip install [options]" in done.out) == (0, True), done
        assert "safepip: warning: safepip is gone, so pip runs WITHOUT the guard" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_functions_mean_the_pip_on_path_and_not_safepips_home(
    places: tuple[CondaEnvironment, CondaEnvironment], shell: str, tmp_path: Path
) -> None:
    """As in images: safepip lives in conda's base, nothing is active, another pip comes first."""
    needs(shell)
    other, base = places
    script = base.prefix / "bin" / "safepip"
    path = [str(Path(own_package()).parent), str(Path(click.__file__).parents[1])]
    text = f"#!{base.python}\nimport sys\nsys.path[:0] = {path}\n"
    script.write_text(f"{text}from safepip.doors.launch import main\nsys.exit(main())\n", "utf-8")
    script.chmod(0o755)
    mine = tmp_path / "pip"
    mine.write_text("#!/bin/sh\necho mine\n", encoding="utf-8")
    mine.chmod(0o755)
    line = load(shell).replace(str(SAFEPIP), str(script)) + "\npip install -q x"
    try:
        first = f"{other.prefix}/bin:{base.prefix}/bin:{SYSTEM}"
        done = run([shell, "-c", line], {"PATH": first})
        assert (done.code, done.reached) == (10, str(other.prefix)), done
        done = run([shell, "-c", line], {"PATH": f"{tmp_path}:{first}"})
        assert (done.code, done.out, done.reached) == (0, "mine\n", None), done
    finally:
        script.unlink()


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_gone_leaves_a_shell_that_is_in_use(shell: str) -> None:
    """The shims' folder its `PATH`, wherever it stands there; and the functions."""
    needs(shell)
    folder = "/x/a b*$c'd/libexec/safepip/active"
    show = "string join : $PATH" if shell == "fish" else 'echo "$PATH"'
    for path in (f"{folder}:{SYSTEM}", f"/bin:{folder}:{SYSTEM}"):
        command = off_path(folder, path, shell)
        done = run([shell, "-c", f"{command}; {show}"], {"PATH": path})
        assert done.out.strip() == path.replace(f"{folder}:", ""), (command, done)
    assert off_path(folder, SYSTEM, shell) == ""
    if shell != "dash":
        define = "function pip; end" if shell == "fish" else "pip() { :; }"
        line = f"{define}; {RID[shell]} && pip install"
        done = run([shutil.which(shell) or shell, "-c", line], {"PATH": "/nowhere"}, probe=False)
        assert (done.code, done.out) == (127, ""), done


# PowerShell, which few machines have: what it is given is run by `sh` at least.


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_the_script_that_powershell_lays_guards_what_is_typed(
    bare: CondaEnvironment, tmp_path: Path, name: str
) -> None:
    printed = here("shell-init", "powershell").out
    quoted = printed.split('"#!/bin/sh`n" + \'', 1)[1].split('\' + "`n"\n', 1)[0]
    assert "'" not in quoted.replace("''", "")
    script = tmp_path / "a b" / name
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n" + quoted.replace("''", "'") + "\n", encoding="utf-8")
    script.chmod(0o755)
    path = f"{bare.prefix}/bin:{SAFEPIP.parent}:{SYSTEM}"
    environ = {"PATH": path, "CONDA_PREFIX": str(bare.prefix)}
    words = ["pip", "install", "a b"] if name == "uv" else ["install", "a b", "--x="]
    done = run([script, *words], environ)
    assert done.reached == str(bare.prefix), done
    assert run([script, "--version"], environ).out.startswith(f"{name} ")


def test_powershell_guards_what_is_typed_and_what_is_active(
    bare: CondaEnvironment, tmp_path: Path
) -> None:
    pwsh = shutil.which("pwsh")
    if pwsh is None:
        pytest.skip("there is no pwsh here")
    activate = f"{bare.prefix}/etc/conda/activate.d/zz-safepip.ps1"
    lines = [
        f"& '{SAFEPIP}' shell-init powershell | Out-String | Invoke-Expression",
        "pip --version && 'went on'",
        f"$Env:CONDA_PREFIX = '{bare.prefix}'; . '{activate}'; ($Env:PATH -split ':')[0]",
        f". '{activate.replace('/activate.d/zz', '/deactivate.d/00')}'; $Env:PATH",
        "pip install 'a b' rich[all,more] || \"ended with $LASTEXITCODE\"",
    ]
    path = f"{bare.prefix}/bin:{SAFEPIP.parent}:{SYSTEM}"
    environ = {"PATH": path, "HOME": str(tmp_path), "NO_COLOR": "1"}
    done = run([pwsh, "-NoProfile", "-NonInteractive", "-Command", "\n".join(lines)], environ)
    _, *said = done.out.splitlines()
    shims = f"{bare.prefix}/libexec/safepip/active"
    assert said == ["went on", shims, path, "ended with 10"], done
    assert done.reached == str(bare.prefix)


def test_functions_are_safe_under_set_eu(bare: CondaEnvironment) -> None:
    for shell in ("bash", "zsh"):
        needs(shell)
        line = f"set -eu\n{load(shell)}\npip --version\npip install --no-index x\necho not here"
        path = f"{bare.prefix}/bin:{SYSTEM}"
        done = run([shell, "-c", line], {"PATH": path, "CONDA_PREFIX": str(bare.prefix)})
        assert (done.code, done.reached) == (10, str(bare.prefix)), done
        assert "not here" not in done.out


# ------------------------------------------------------------------------------- completion

COMPLETE = {
    "bash": (
        "{load}\nCOMP_WORDS=({words})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
        "_safepip_complete\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    ),
    "zsh": (
        "{load}\ncompadd() {{ shift; print -l -- $@ }}\nwords=({words})\nCURRENT=$#words\n"
        "_safepip_complete"
    ),
    "fish": "{load}\ncomplete --do-complete '{words}'",
}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_safepips_verbs(bare: CondaEnvironment, shell: str) -> None:
    needs(shell)
    script = COMPLETE[shell].format(load=load(shell), words="safepip in")
    path = f"{bare.prefix}/bin:{SAFEPIP.parent}:{SYSTEM}"
    done = run([shell, "-c", script], {**active(bare), "PATH": path}, probe=False)
    found = {one.split("\t")[0] for one in done.out.split("\n")} - {""}
    assert found == {"install", "inspect", "index"}, done


@pytest.mark.parametrize(
    ("line", "expected", "absent"),
    [
        ("safepip gu", {"guard"}, {"install"}),
        ("safepip ", {"plan", "exec", "doctor", "install"}, {"--strict"}),
        ("safepip plan --no-b", {"--no-binary=", "--no-build-isolation"}, {"--deep"}),
        ("safepip pip li", {"list"}, {"install"}),
        ("safepip install --o", {"--override-frozen"}, {"--deep"}),
        ("safepip guard --d", {"--deep", "--dry-run"}, {"--no-deps"}),
        ("safepip guard st", {"status"}, {"on"}),
    ],
)
def test_completion_is_safepips_and_pips(
    bare: CondaEnvironment, line: str, expected: set[str], absent: set[str]
) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "PIP_AUTO_COMPLETE": "1"}
    done = run([SAFEPIP], {**active(bare), **words}, probe=False)
    found = set(done.out.split())
    assert (expected - found, absent & found) == (set(), set()), done


def active(environment: CondaEnvironment) -> dict[str, str]:
    path = f"{environment.prefix}/bin:{SYSTEM}"
    return {"PATH": path, "CONDA_PREFIX": str(environment.prefix), "HOME": os.environ["HOME"]}
