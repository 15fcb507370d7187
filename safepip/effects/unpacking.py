"""Having the conda packages unpacked that files are put back from.

By py-rattler, or else by a tool of the conda family: that knows the user's channels and logins, and
is only told to fetch, into a cache of its own. What it says counts for nothing: bytes are compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safepip.effects.keeping import UNPACKED, sweep_unpacked
from safepip.effects.prefixes import programs_on_path
from safepip.effects.wheels import sha256_of
from safepip.values.environment import FAMILY
from safepip.values.errors import CannotRepair
from safepip.values.repair import PutBack, Reason
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.repair import Step, Supply

_UNPACKER = Path(__file__).with_name("unpacker.py")
_PATIENCE = 1800.0
"""Seconds; the largest packages have gigabytes."""
RATTLER = "rattler"
"""In place of the path of a tool."""
_SAID = 300
"""Characters of what a tool said that are shown."""


def unpacking_tool(environ: Mapping[str, str]) -> str:
    """Give what can fetch and unpack packages: `rattler`, or the path of a tool; empty for none."""
    if find_spec("rattler") is not None:
        return RATTLER
    named = filter(None, map(environ.get, ("CONDA_EXE", "MAMBA_EXE")))
    path = environ.get("PATH", os.defpath)
    found = [*named, *(p for name in FAMILY for p in programs_on_path(name, path))]
    return next((p for p in found if os.path.isabs(p) and os.access(p, os.X_OK)), "")


def family_tools(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the names of the tools of the conda family that a shell starts.

    In shells in which conda or micromamba has a function, a variable names the program.
    """
    path = environ.get("PATH", os.defpath)
    named = [environ.get(name, "") for name in ("CONDA_EXE", "MAMBA_EXE")]
    functions = {os.path.basename(each) for each in named if os.access(each, os.X_OK)}
    names = (*FAMILY, "pixi")
    return tuple(n for n in names if n in functions or any(programs_on_path(n, path)))


@contextlib.contextmanager
def unpacked(
    prefix: str, steps: Iterable[Step], environ: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], Mapping[str, Reason]]]:
    """Have every package that is put back unpacked.

    Gives the folder of each, and why each other could not be had, by NAME-VERSION-BUILD. They lie
    in the environment, so that files can be linked.
    """
    needed = {step.conda_package: step.supply for step in steps if isinstance(step, PutBack)}
    sweep_unpacked(prefix)
    with tempfile.TemporaryDirectory(
        prefix=UNPACKED, dir=f"{prefix}/conda-meta", ignore_cleanup_errors=True
    ) as folder:
        found, why = {}, {}
        for number, (dist, supply) in enumerate(needed.items()):
            try:
                found[dist] = _unpacked(dist, supply, f"{folder}/{number}", environ)
            except CannotRepair as error:
                why[dist] = Reason("said", (error.message,))
        yield found, why


def _unpacked(dist: str, supply: Supply, folder: str, environ: Mapping[str, str]) -> str:
    if supply.kind == "folder":
        return supply.place
    tool = unpacking_tool(environ)
    if tool == RATTLER:
        sums = {"sha256": supply.sha256, "md5": supply.md5}
        run_unpacker(f"unpack {dist}", {"from": supply.place, **sums, "to": folder}, environ)
        return folder
    return _by_tool(tool, dist, supply, folder, environ)


def run_unpacker(
    what: str, task: Mapping[str, Any], environ: Mapping[str, str], seconds: float = _PATIENCE
) -> str:
    """Have py-rattler do something, in a process of its own, and give what it says.

    Raises: CannotRepair.
    """
    return _run(what, [sys.executable, str(_UNPACKER)], environ, json.dumps(task), seconds)


def _by_tool(tool: str, dist: str, supply: Supply, folder: str, environ: Mapping[str, str]) -> str:
    """Let a tool of the conda family fetch a package into a cache of its own; give the folder.

    For a package that is made for every Python it fails afterwards, as there is none in the
    environment that it believes to make.

    Raises: CannotRepair, where the archive is not there, or not that one.
    """
    cache = f"{folder}/pkgs"
    os.mkdir(folder, mode=0o700)
    explicit = Path(folder, "explicit.txt")  # everybody sees the arguments of a process
    explicit.write_text(f"@EXPLICIT\n{supply.place}\n", encoding="utf-8")
    words = ["create", "--yes", "--quiet", "--download-only", "-p", f"{folder}/env", "--file"]
    reason = ""
    own = {"CONDA_PKGS_DIRS": cache, "CONDA_REGISTER_ENVS": "false"}
    try:
        _run(f"unpack {dist}", [tool, *words, str(explicit)], {**environ, **own})
    except CannotRepair as error:
        reason = error.message
    for end in (".conda", ".tar.bz2"):
        archive = f"{cache}/{dist}{end}"
        is_that = os.path.isfile(archive) and sha256_of(archive) == supply.sha256
        if is_that and os.path.isdir(f"{cache}/{dist}/info"):
            return f"{cache}/{dist}"
    name = os.path.basename(tool)
    raise CannotRepair(reason or f"cannot unpack {dist}: {name} did not fetch that very archive")


def _run(
    what: str,
    command: list[str],
    environ: Mapping[str, str],
    task: str = "",
    seconds: float = _PATIENCE,
) -> str:
    """Run a command that is told on stdin what nobody else may see: a URL. Give its stdout.

    ``what``: what it does, for the message where it cannot.

    A process of its own: py-rattler's threads can abort the exit of the one that imported it.

    Raises: CannotRepair.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            input=task,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotRepair(f"cannot {what}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CannotRepair(f"cannot {what}: {shown(said, _SAID)}")
    return done.stdout
