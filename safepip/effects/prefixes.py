"""What a folder is by its looks, and whose a program is: environments before they are read.

Light: calls that only become pip pass here, too. Nothing but `os` is imported.
"""

from __future__ import annotations

import os

from safepip.effects.opened import opened
from safepip.values.light import TYPE_CHECKING
from safepip.values.target import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SHIMS_MARK = ".safepip-shims"
"""A file that lies in folders of safepip's own `pip`, which is nobody's pip."""

_PYTHONS = ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe")
_ASK = "import sys; print(sys.prefix); print(sys.executable)"
_PATIENCE = 10.0
"""Seconds for a shim to find its Python."""


def is_conda_prefix(folder: str) -> bool:
    """Say whether the folder is a conda environment: it has a history, or a record.

    One that cannot be looked into counts, so that nobody takes it for a folder like any other.
    """
    if os.path.isfile(f"{folder}/conda-meta/history"):
        return True
    try:
        return any(_is_record(name) for name in os.listdir(f"{folder}/conda-meta"))
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)


def is_virtual_environment(folder: str) -> bool:
    """Say whether the folder is an environment of `venv`, `virtualenv` or `uv`."""
    return os.path.isfile(f"{folder}/pyvenv.cfg")


def is_named(prefix: str) -> bool:
    """Say whether the environment lies where those lie that have a name."""
    return os.path.basename(os.path.dirname(prefix)) == "envs"


def is_base(prefix: str) -> bool:
    """Say whether conda, mamba or micromamba itself lives in this conda environment.

    conda can also be a package among others. So where named environments lie, only one with a
    package cache of its own counts.
    """
    has_cache = os.path.isdir(f"{prefix}/pkgs")
    try:
        names = os.listdir(f"{prefix}/conda-meta")
    except OSError:
        names = []
    has_conda = any(name.rsplit("-", 2)[0] == "conda" for name in names if _is_record(name))
    return has_cache and has_conda if is_named(prefix) else has_cache or has_conda


def name_of(prefix: str) -> str:
    """Give the name that conda would give the environment, or else that of its folder."""
    return "base" if is_base(prefix) else os.path.basename(prefix)


def _is_record(name: str) -> bool:
    return name.endswith(".json") and not name.startswith("._")


def python_of(prefix: str) -> str:
    """Give the interpreter of an environment; empty where it has none."""
    paths = (f"{prefix}/{name}" for name in _PYTHONS)
    return next((path for path in paths if os.path.isfile(path)), "")


def programs_on_path(name: str, path: str) -> Iterator[str]:
    """Give every program of a name that a shell could start, first the one that it would start.

    Where the working folder is gone, so is what is counted from it.
    """
    for folder in path.split(os.pathsep):
        try:
            program = os.path.join(os.path.abspath(folder), name)
        except FileNotFoundError:
            continue
        is_program = os.path.isfile(program) and os.access(program, os.X_OK)
        if is_program and not os.path.lexists(f"{os.path.dirname(program)}/{SHIMS_MARK}"):
            yield program


def interpreters_of(pip: str, programs: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Give what may be the interpreter that a pip acts on, the likeliest first.

    Its first line names one. But the pip of an environment that was copied names that of the
    original, and whoever uses the copy means the copy. A shim names none; it has a `python`
    beside it. ``programs`` gives those of a name.
    """
    folder = os.path.dirname(pip)
    prefix = os.path.dirname(folder)
    if is_conda_prefix(prefix) or is_virtual_environment(prefix):
        yield python_of(prefix)
    named = interpreter_in(start_of(pip))
    yield from [named] if os.path.isabs(named) else programs(named) if named else ()
    yield from (f"{folder}/{name}" for name in ("python", "python3"))


def interpreter_in(script: bytes) -> str:
    """Give the path or name of the Python in the first lines of a script; empty for another."""
    first, _, rest = os.fsdecode(script).partition("\n")
    if not first.startswith("#!"):
        return ""
    words = first[2:].split()
    if rest.startswith("'''exec' "):
        # What does not fit behind `#!`, being long or with spaces, is started by way of `sh`.
        path = rest.removeprefix("'''exec' ")
        words = path.split('"')[1:2] if path.startswith('"') else path.split()[:1]
    if words and os.path.basename(words[0]) == "env":
        words = words[1:]
    return words[0] if words and is_python(words[0]) else ""


def behind(pythons: Iterable[str], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Give prefix and path of the first of these interpreters that there is."""
    for python in pythons:
        if os.path.isfile(python):
            prefix = _prefix_of(python)
            found = (prefix, os.path.abspath(python)) if prefix else _asked(python, environ)
            if found is not None:
                return found
    return None


def _prefix_of(python: str) -> str:
    """Give what an interpreter would call its prefix; empty where the file is none itself.

    pyenv and its like have scripts and links called `python`, which decide when they are started.
    """
    folder = os.path.dirname(os.path.abspath(python))
    for prefix in (os.path.dirname(folder), folder):
        if is_conda_prefix(prefix) or is_virtual_environment(prefix):
            return os.path.realpath(prefix)
    real = os.path.realpath(python)
    if not is_python(real) or start_of(real).startswith(b"#!"):
        return ""
    return os.path.dirname(os.path.dirname(real))


def is_python(path: str) -> bool:
    """Say whether a path is called like an interpreter."""
    return os.path.basename(path).startswith(("python", "pypy"))


def start_of(path: str) -> bytes:
    """Give the first lines of a file; nothing where it cannot be read."""
    try:
        with opened(path) as file:
            return file.read(1024) or b""
    except (OSError, ValueError):
        return b""


def _asked(shim: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Ask a shim which Python it starts; pyenv, asdf and mise each decide in their own way."""
    import subprocess

    try:
        done = subprocess.run(
            [shim, "-I", "-c", _ASK],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        prefix, python = os.fsdecode(done.stdout).splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return os.path.realpath(prefix), python


def is_unfinished(prefix: str) -> bool:
    """Say whether a change is being made in an environment, or was cut off; costs next to nothing.

    Whoever wants to know which of both takes the environment's lock.
    """
    return os.path.lexists(f"{prefix}/{UNFINISHED}")


def unfinished_around(environ: Mapping[str, str]) -> list[str]:
    """Give the environments, active or on `PATH`, of which `is_unfinished` is so; resolved."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    above = [os.path.dirname(folder) for folder in folders if os.path.isabs(folder)]
    found = filter(is_unfinished, filter(None, [environ.get("CONDA_PREFIX", ""), *above]))
    return list(dict.fromkeys(map(os.path.realpath, found)))
