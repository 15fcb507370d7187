"""Making conda environments: by a tool of conda's family on PATH, or by py-rattler."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safepip.values.errors import CannotCreate
from safepip.values.text import shown, without_secrets
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from safepip.values.environment_file import EnvironmentFile

Maker = Literal["conda", "mamba", "micromamba", "rattler"]
TOOLS: tuple[Maker, ...] = ("conda", "mamba", "micromamba")

_MAKER = Path(__file__).with_name("maker.py")
_VERB: Mapping[str, tuple[str, ...]] = {
    "conda": ("env", "create"),
    "mamba": ("env", "create"),
    "micromamba": ("create",),
}
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_SAID = 2000
"""Characters of what a tool says that are shown."""


def maker_of(wanted: str, environ: Mapping[str, str]) -> Maker:
    """Give what makes conda's part: what is wanted, else the first tool on PATH, else py-rattler.

    Raises: CannotCreate, where there is none.
    """
    path = environ.get("PATH", os.defpath)
    found = [tool for tool in TOOLS if shutil.which(tool, path=path)]
    found += ["rattler"] if find_spec("rattler") is not None else []
    chosen = [tool for tool in found if wanted in ("", tool)]
    if not chosen:
        what = f"`{wanted}`" if wanted else "conda, mamba or micromamba"
        fix = Fix('pipx install "conda-safepip[conda]"', "have py-rattler beside safepip")
        raise CannotCreate(f"cannot make an environment: no {what} is there", fixes=[fix])
    return chosen[0]


@contextlib.contextmanager
def half_made(prefix: str, elsewhere: Fix) -> Iterator[Callable[[], None]]:
    """Take away what was made of an environment, and of the folders to it.

    Unless what is given is called: then it is made. ``elsewhere``: what to do where it is there.

    Raises: CannotCreate, where something is there already.
    """
    if os.path.lexists(prefix) and not (os.path.isdir(prefix) and not os.listdir(prefix)):
        message = f"`{shown(prefix)}` is there already, and was left alone"
        raise CannotCreate(message, fixes=[elsewhere])
    missing = _missing(prefix)
    made: list[bool] = []
    try:
        yield lambda: made.append(True)
    finally:
        if not made:
            shutil.rmtree(prefix, ignore_errors=True)
            for folder in missing:
                with contextlib.suppress(OSError):
                    os.rmdir(folder)


def _missing(prefix: str) -> list[str]:
    """Give the folders that have to be made, the innermost first."""
    missing, folder = [], os.path.dirname(prefix)
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


def make(maker: Maker, prefix: str, file: EnvironmentFile, environ: Mapping[str, str]) -> None:
    """Make conda's part of a file.

    Raises: CannotCreate.
    """
    if maker == "rattler":
        solved(file, prefix)
        return
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        part = f"{folder}/environment.yml"
        # JSON is YAML, and has no surprises in what is quoted.
        Path(part).write_text(json.dumps(_conda_part(file)), encoding="utf-8")
        command = [maker, *_VERB[maker], "-p", prefix, "-f", part]
        done = subprocess.run(
            command,
            env={**environ, "CONDA_ALWAYS_YES": "1", "MAMBA_ALWAYS_YES": "1"},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
    if done.returncode:
        raise CannotCreate(f"{maker} could not make conda's part of `{shown(file.path)}`")


def _conda_part(file: EnvironmentFile) -> dict[str, object]:
    part: dict[str, object] = {"dependencies": list(file.specs)}
    if file.channels:
        part["channels"] = list(file.channels)
    if file.variables:
        part["variables"] = dict(file.variables)
    return part


def solved(file: EnvironmentFile, prefix: str = "") -> tuple[str, ...]:
    """Let py-rattler solve conda's part, and make it where there is a prefix.

    Give the packages that need Python, and so may have distributions, as NAME=VERSION=BUILD.

    Raises: CannotCreate.
    """
    task = {
        "prefix": prefix,
        "channels": _channels(file),
        "specs": list(file.specs),
        "variables": dict(file.variables),
    }
    done = subprocess.run(
        [sys.executable, "-I", str(_MAKER)],
        input=json.dumps(task).encode(),
        capture_output=True,
        check=False,
    )
    try:
        made = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        made = None
    if not isinstance(made, list):
        said = without_secrets(done.stderr.decode("utf-8", "replace").strip())[-_SAID:]
        message = f"py-rattler could not make conda's part of `{shown(file.path)}`"
        raise CannotCreate(message, why=" ".join(said.split()))
    return tuple(str(one) for one in made)


def _channels(file: EnvironmentFile) -> list[str]:
    """Give the channels as py-rattler knows them: what conda calls `defaults` are several."""
    named = [channel for channel in file.channels or ("conda-forge",) if channel != "nodefaults"]
    return [one for name in named for one in (_DEFAULTS if name == "defaults" else (name,))]
