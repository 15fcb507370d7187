"""Making conda environments: by a tool of conda's family on PATH, or by py-rattler."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safepip.effects.itself import library_beside
from safepip.effects.records import read_text
from safepip.values.environment import FAMILY
from safepip.values.errors import AlreadyThere, CannotCreate, Unsolvable
from safepip.values.text import shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment_file import EnvironmentFile

Maker = Literal["conda", "mamba", "micromamba", "rattler"]

RATTLER = "py-rattler>=0.20"
_MAKER = Path(__file__).with_name("maker.py")
_VERB: Mapping[str, tuple[str, ...]] = {
    "conda": ("env", "create"),
    "mamba": ("env", "create"),
    "micromamba": ("create",),
}
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_ASKS = ("mamba", "micromamba")
"""What asks whether to go on. conda does not, and where told yes it takes away what is there."""
_HISTORY_LIMIT = 64 * 1024 * 1024
_UNSOLVED, _THERE = 1, 3
"""How the script that makes environments ends where the file is why, and where another made one."""
_SAID = 2000
"""Characters of what a tool says that are shown."""


def maker_of(wanted: str, environ: Mapping[str, str]) -> Maker:
    """Give what makes conda's part: what is wanted, else the first tool on PATH, else py-rattler.

    Raises: CannotCreate, where there is none.
    """
    path = environ.get("PATH", os.defpath)
    found: list[Maker] = [tool for tool in FAMILY if shutil.which(tool, path=path)]
    found += ["rattler"] if has_rattler() else []
    chosen = [tool for tool in found if wanted in ("", tool)]
    if not chosen:
        what = f"`{wanted}`" if wanted else "conda, mamba or micromamba"
        fixes = [library_beside(RATTLER)] if wanted in ("", "rattler") else []
        raise CannotCreate(f"cannot make an environment: no {what} is there", fixes=fixes)
    return chosen[0]


def has_rattler() -> bool:
    """Say whether py-rattler is where safepip is."""
    return find_spec("rattler") is not None


def make(maker: Maker, prefix: str, file: EnvironmentFile, environ: Mapping[str, str]) -> None:
    """Make conda's part of a file.

    Raises: AlreadyThere, where another has made an environment there meanwhile; CannotCreate.
    """
    if maker == "rattler":
        solved(file, environ, prefix)
        return
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        part = f"{folder}/environment.yml"
        # JSON is YAML, and has no surprises in what is quoted.
        Path(part).write_text(json.dumps(_conda_part(file)), encoding="utf-8")
        command = [maker, *_VERB[maker], "-p", prefix, "-f", part]
        done = subprocess.run(
            command,
            env={**environ, **({"MAMBA_ALWAYS_YES": "1"} if maker in _ASKS else {})},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode and _is_of_others(prefix, part):
            raise AlreadyThere(prefix)
    if done.returncode:
        raise CannotCreate(f"{maker} could not make conda's part of `{shown(file.path)}`")


def _is_of_others(prefix: str, part: str) -> bool:
    """Say whether what is there was made by another command, by the history that it wrote."""
    try:
        history = read_text(f"{prefix}/conda-meta/history", _HISTORY_LIMIT)
    except (OSError, ValueError):
        return False
    return "# cmd:" in history and part not in history


def _conda_part(file: EnvironmentFile) -> dict[str, object]:
    part: dict[str, object] = {"dependencies": list(file.specs)}
    if file.channels:
        part["channels"] = list(file.channels)
    if file.variables:
        part["variables"] = dict(file.variables)
    return part


def solved(file: EnvironmentFile, environ: Mapping[str, str], prefix: str = "") -> tuple[str, ...]:
    """Let py-rattler solve conda's part, and make it where there is a prefix.

    Give the packages that need Python, and so may have distributions, as NAME=VERSION=BUILD.

    Raises: AlreadyThere; Unsolvable; CannotCreate, where it cannot be tried.
    """
    if not has_rattler():
        raise CannotCreate(
            "py-rattler is not there, which solves it", fixes=[library_beside(RATTLER)]
        )
    task = {
        "prefix": prefix,
        "channels": _channels(file),
        "specs": list(file.specs),
        "variables": dict(file.variables),
    }
    done = subprocess.run(
        [sys.executable, "-I", str(_MAKER)],
        input=json.dumps(task).encode(),
        env=dict(environ),
        capture_output=True,
        check=False,
    )
    if done.returncode == _THERE:
        raise AlreadyThere(prefix)
    try:
        made = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        made = None
    if not isinstance(made, list):
        said = without_secrets(done.stderr.decode("utf-8", "replace").strip())[-_SAID:]
        message = f"py-rattler could not make conda's part of `{shown(file.path)}`"
        is_solved = done.returncode != _UNSOLVED
        kind = CannotCreate if is_solved else Unsolvable
        raise kind(message, why=" ".join(said.split()))
    return tuple(str(one) for one in made)


def _channels(file: EnvironmentFile) -> list[str]:
    """Give the channels as py-rattler knows them: what conda calls `defaults` are several."""
    named = [channel for channel in file.channels or ("conda-forge",) if channel != "nodefaults"]
    return [one for name in named for one in (_DEFAULTS if name == "defaults" else (name,))]
