"""Trying ways to pip in an environment, to see whether safepip stands before it.

Each is a real process that has `pip install` look nowhere for what there is not, which changes
nothing. With `SAFEPIP_PROBE` set, a safepip that is reached says so in that file instead; plain pip
finds nothing, or is stopped by a seal before it looks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from safepip.effects.prefixes import programs_on_path
from safepip.values.guarding import SHIMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROBE = "SAFEPIP_PROBE"
_PATIENCE = 20.0
"""Seconds for one way; what a startup file does may take long."""
_KERNELS_PATIENCE = 60.0
"""Seconds for a notebook: the kernel has to start."""
_KERNEL_TRIAL = str(Path(__file__).with_name("kernel_trial.py"))
_SAID_LIMIT = 1024 * 1024
_NOTHING = "safepip-probe-of-nothing"
_INSTALL = ("install", "--no-index", _NOTHING)
_MEANS = f'command -v pip >"${PROBE}.means"'
_MEANS_IN_FISH = f'if functions -q pip; echo pip; else; command -v pip; end >"${PROBE}.means"'
"""What `pip` is in a shell, as a file beside the one that a safepip writes."""
_MEANS_LIMIT = 4096
_SHELLS = ("bash", "zsh", "fish", "sh", "dash", "ksh")
# As conda does it: the scripts in the order of their names, in a shell that has the new PATH.
_ACTIVATE = """\
PATH=$1/bin:${PATH-}; CONDA_PREFIX=$1; CONDA_DEFAULT_ENV=$1
export PATH CONDA_PREFIX CONDA_DEFAULT_ENV
for script in "$1"/etc/conda/activate.d/*.sh; do
    if [ -f "$script" ]; then . "$script"; fi
done >/dev/null 2>&1
exec env -0
"""


class Way(NamedTuple):
    """A command that calls pip, and the variables that it sees."""

    path: str
    words: tuple[str, ...]
    environ: Mapping[str, str]
    patience: float = _PATIENCE
    """Seconds until it has not come to its end."""
    why: str = ""
    """Why there is nothing to try; it has no words then."""


class Seen(NamedTuple):
    """What became of a way."""

    path: str
    answer: Mapping[str, str] | None
    """What a safepip said that was reached; None where none was."""
    code: int | None
    """How it ended; None where it did not start, or did not end in time."""
    said: str
    means: str = ""
    """What `pip` is where it is typed: a path, or the words of an alias or function."""


def ways(prefix: str, python: str, environ: Mapping[str, str]) -> Iterator[Way]:
    """Give the ways to the pip of an environment that can be tried here.

    Where it is not in use, those that look on `PATH` are tried as after an activation.
    """
    activated = _activated(prefix, environ)
    active = is_active(prefix, environ)
    here = environ if is_in_use(prefix, environ) else activated
    shell = environ.get("SHELL", "")
    if os.path.basename(shell) in _SHELLS:
        yield _typed(shell, here)
        yield _new(shell, environ)
    yield Way("script", ("/bin/sh", "-c", 'exec "$@"', "sh", "pip", *_INSTALL), here)
    if active:
        yield Way("activated", ("/bin/sh", "-c", shlex.join(("pip", *_INSTALL))), activated)
    if os.path.isfile(f"{prefix}/bin/pip"):
        yield Way("path", (f"{prefix}/bin/pip", *_INSTALL), environ)
    yield Way("module", (python, "-m", "pip", *_INSTALL), environ)
    # As conda calls it for the section `pip:` of a file: its own words, and those from above.
    conda = ("install", "-U", "-r", os.devnull, "--exists-action=b", "--no-index", _NOTHING)
    yield Way("conda", (python, "-m", "pip", *conda), environ)
    yield _notebook(prefix, python, environ)
    uv = next(programs_on_path("uv", environ.get("PATH", os.defpath)), "")
    if uv:
        nothing = ("--offline", "--no-index", "--dry-run", _NOTHING)
        words = ("uv", "pip", "install", "--python", python, *nothing)
        yield Way("uv", ("/bin/sh", "-c", 'exec "$@"', "sh", *words), here)


def is_active(prefix: str, environ: Mapping[str, str]) -> bool:
    """Say whether the environment is the active one."""
    return os.path.realpath(environ.get("CONDA_PREFIX") or "/") == prefix


def is_in_use(prefix: str, environ: Mapping[str, str]) -> bool:
    """Say whether it is active, or none is and its shims are on `PATH`, as an image has them."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    has_shims = any(os.path.realpath(folder) == f"{prefix}/{SHIMS}" for folder in folders if folder)
    return is_active(prefix, environ) or (has_shims and not environ.get("CONDA_PREFIX"))


def _typed(shell: str, environ: Mapping[str, str]) -> Way:
    """Give what is typed in the user's shell: with its startup file, but on the same `PATH`."""
    restore = "PATH=$SAFEPIP_PATH; CONDA_PREFIX=$SAFEPIP_PREFIX; export PATH CONDA_PREFIX"
    if os.path.basename(shell) == "fish":
        restore = "set -gx PATH (string split : -- $SAFEPIP_PATH); "
        restore += "set -gx CONDA_PREFIX $SAFEPIP_PREFIX"
    kept = {
        "SAFEPIP_PATH": environ.get("PATH", os.defpath),
        "SAFEPIP_PREFIX": environ.get("CONDA_PREFIX", ""),
    }
    return Way("typed", _in_shell(shell, restore), {**environ, **kept})


def _new(shell: str, environ: Mapping[str, str]) -> Way:
    """Give the same in a shell that is started here, with `PATH` as its startup file leaves it."""
    return Way("new", _in_shell(shell), environ)


def _in_shell(shell: str, *before: str) -> tuple[str, ...]:
    means = _MEANS_IN_FISH if os.path.basename(shell) == "fish" else _MEANS
    return (shell, "-i", "-c", "\n".join((*before, means, shlex.join(("pip", *_INSTALL)))))


def _notebook(prefix: str, python: str, environ: Mapping[str, str]) -> Way:
    """Give a kernel as Jupyter starts it: with what the server has, and nothing activated."""
    if not any(Path(prefix).glob("lib/python*/site-packages/ipykernel")):
        return Way("kernel", (), {}, why="no Jupyter kernel in it")
    given = {name: value for name, value in environ.items() if not name.startswith("CONDA_")}
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    given["PATH"] = os.pathsep.join(f for f in folders if not f.startswith(f"{prefix}/"))
    given.pop("SAFEPIP_KERNEL_PREFIX", None)
    return Way("kernel", (python, _KERNEL_TRIAL, *_INSTALL), given, _KERNELS_PATIENCE)


def _activated(prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables after an activation of the environment in a new shell."""
    given = {name: value for name, value in environ.items() if not name.startswith("CONDA_")}
    given["PATH"] = os.pathsep.join(
        folder
        for folder in environ.get("PATH", os.defpath).split(os.pathsep)
        if folder != f"{prefix}/bin"
    )
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["/bin/sh", "-c", _ACTIVATE, "sh", prefix],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
        pairs = (line.partition("=") for line in os.fsdecode(done.stdout).split("\0") if line)
        return {name: value for name, _, value in pairs}
    return {**given, "PATH": f"{prefix}/bin{os.pathsep}{given['PATH']}", "CONDA_PREFIX": prefix}


def tried(way: Way) -> Seen:
    """Go a way to its end, in a process group of its own and without a terminal."""
    if not way.words:
        return Seen(way.path, None, None, way.why)
    with (
        tempfile.TemporaryDirectory(prefix="safepip-") as folder,
        # A file, and no pipe: what a startup file leaves running would hold that open.
        tempfile.TemporaryFile() as stderr,
    ):
        probe = Path(folder) / "probe"
        try:
            process = subprocess.Popen(
                way.words,
                env={**way.environ, PROBE: str(probe)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            return Seen(way.path, None, None, error.strerror or "")
        code = _code_of(process, way.patience)
        if code is None:
            return Seen(way.path, _answer(probe), None, "it did not end in time")
        stderr.seek(0)
        said = stderr.read(_SAID_LIMIT).decode("utf-8", "replace")
        return Seen(way.path, _answer(probe), code, said, _means(f"{probe}.means"))


def _code_of(process: subprocess.Popen[bytes], patience: float) -> int | None:
    """Give how a process ended; None where it had to be."""
    try:
        return process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _answer(probe: Path) -> Mapping[str, str] | None:
    try:
        told = json.loads(probe.read_bytes())
    except (OSError, ValueError):
        return None
    return {str(name): str(value) for name, value in told.items()}


def _means(path: str) -> str:
    """Give what `pip` is, in one line; a path without links in its folders."""
    try:
        with open(path, "rb") as file:
            line = os.fsdecode(file.read(_MEANS_LIMIT)).partition("\n")[0]
    except OSError:
        return ""
    folder, name = os.path.split(line)
    return os.path.join(os.path.realpath(folder), name) if line.startswith("/") else line


def answer_probe(path: str, facts: Mapping[str, str]) -> None:
    """Say that safepip was reached, to the one who tries whether it is."""
    with contextlib.suppress(OSError):
        Path(path).write_text(json.dumps(dict(facts)), "utf-8")
