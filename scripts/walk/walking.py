"""Carrying out one step: what is typed, what is answered, and whether that was as said."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import Ledger, changed, conda_bytes
from tests.lab.wheels import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.walk.story import Step
    from tests.lab import CondaEnvironment

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SEARCHING = re.compile(
    r"Looking in |Collecting |Processing |Requirement already |Installing collected |"
    r"Found existing |Uninstalling |INFO: pip is looking |WARNING: Location |"
    r" +(Downloading|Using cached|Preparing|Successfully uninstalled)|Downloading |Using cached "
)
"""pip's lines on where it looks and what it fetches, which would be most of the demo."""


class Unexpected(Exception):
    """A step did not come to what it said."""


def carry_out(step: Step, environment: CondaEnvironment, before: Ledger) -> None:
    """Type the command of a step, show what comes, and compare it with what the step says.

    Raises: Unexpected.
    """
    print(f"$ {shlex.join(step.command)}", flush=True)
    code, said = _typed(step.command, environment)
    faults = list(_faults(step, code, said, environment))
    if touched := changed(before, conda_bytes(environment.prefix)):
        faults.append(f"{len(touched)} of conda's files changed, such as `{next(iter(touched))}`")
    if faults:
        raise Unexpected("; ".join(faults))


def _typed(command: tuple[str, ...], environment: CondaEnvironment) -> tuple[int, str]:
    """Run a command as in a shell in which the environment is active; its code and its words."""
    said = []
    with subprocess.Popen(
        command,
        env=_environ(environment),
        cwd=environment.prefix.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            plain = _COLOUR.sub("", line)
            said.append(plain)
            if not _SEARCHING.match(plain):
                print(line, end="", flush=True)
    return process.returncode, "".join(said)


def _environ(environment: CondaEnvironment) -> dict[str, str]:
    """Name the environment, and keep what is installed elsewhere out of it."""
    environ = environment.environ({"PIP_PROGRESS_BAR": "off", "PIP_ROOT_USER_ACTION": "ignore"})
    environ.pop("SAFEPIP_TARGET_PREFIX", None)
    own = str(Path(sys.executable).parent)
    own_bin = environment.prefix / "bin"
    rest = environ["PATH"].split(os.pathsep)[1:]
    environ["PATH"] = os.pathsep.join([str(own_bin), own, *rest])
    if sys.stdout.isatty() and not environ.get("NO_COLOR"):
        environ["FORCE_COLOR"] = "1"
    return {**environ, "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8"}


def _faults(step: Step, code: int, said: str, environment: CondaEnvironment) -> Iterator[str]:
    if code != step.ends_with:
        yield f"expected exit code {step.ends_with}, got {code}"
    for pattern in step.says:
        if not re.search(pattern, said):
            yield f"expected it to say `{pattern}`"
    installed = _installed(environment)
    for name in step.present:
        if name not in installed:
            yield f"expected {name} to be installed"
    for name in step.absent:
        if name in installed:
            yield f"expected {name} not to be installed"


def _installed(environment: CondaEnvironment) -> set[str]:
    """Read the names afresh: a genuine environment may have another Python than this one."""
    folders = [str(path) for path in environment.prefix.glob("lib/python3*/site-packages")]
    found = importlib.metadata.distributions(path=folders)
    return {normalised(one.metadata["Name"]) for one in found}
