"""Which pip is asked, and by which engine."""

from __future__ import annotations

import os
import re
import sys
from glob import escape, iglob
from typing import TYPE_CHECKING

from safepip.effects.asking import Asking, Engine, OtherPython
from safepip.effects.one_pass import OnePass
from safepip.effects.plain import INSIDE, own_pip
from safepip.effects.private_folder import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from safepip.values.environment import Distribution
    from safepip.values.request import Request
    from safepip.values.verdict import EngineName

_PIP_METADATA = re.compile(r"pip-(\d+)\.(\d+)[^-]*\.dist-info")
_OLDEST = (22, 3)
"""Older ones lack `--report`, or keep it where the runner does not look."""


def prepare(
    request: Request,
    environ: Mapping[str, str],
    folder: Callable[[], Path],
    *,
    quiet_stdout: bool,
    redirected: bool,
) -> Asking:
    """Give what an engine needs to start pip in the target.

    Without a pip of its own, or with one that is too old, the environment is served by the pip that
    safepip depends on.
    """
    child = {**environ, INSIDE: "1"}
    if redirected:
        # pip's own mark for "`--python` has been followed": without it pip would start another.
        child["_PIP_RUNNING_IN_SUBPROCESS"] = "1"
    return Asking(
        python=request.target.python,
        arguments=request.arguments,
        environ=child,
        folder=folder,
        pip_from="" if has_usable_pip(request.target.prefix) else own_pip(),
        python_chosen=redirected,
        quiet_stdout=quiet_stdout,
        uv=request.uv,
    )


def has_usable_pip(prefix: str) -> bool:
    """Say whether the environment's own pip can be asked for its plan."""
    return any(
        (int(found[1]), int(found[2])) >= _OLDEST
        for folder in iglob(f"{escape(prefix)}/lib/python*/site-packages")
        for name in os.listdir(folder)
        if (found := _PIP_METADATA.fullmatch(name))
    )


def start(name: EngineName, asking: Asking) -> Engine:
    """Give the engine of this name, not yet entered."""
    if name == "one-pass":
        return OnePass(asking)
    if name == "uv":
        from safepip.effects.uv import Uv

        return Uv(asking)
    from safepip.effects.two_pass import TwoPass  # seldom needed

    return TwoPass(asking)


def without_copies(environ: Mapping[str, str], copies: Sequence[Distribution]) -> dict[str, str]:
    """Give the variables with which pip does not see copies that hide conda's.

    pip would count such a copy as installed, and plan for an environment that conda does not know.
    """
    changed = dict(environ)
    if any(copy.user_site for copy in copies):
        changed["PYTHONNOUSERSITE"] = "1"
    folders = {os.path.realpath(copy.location) for copy in copies}
    paths = environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and os.path.realpath(path) not in folders]
    changed["PYTHONPATH"] = os.pathsep.join(kept)
    return changed


def verb_and_python(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> tuple[str, int, str | None]:
    """Ask safepip's own pip for the verb behind its options, where it stands, and for `--python`.

    What it does not understand, the environment's pip may: that counts as `install`, so that
    nothing passes unguarded.

    Raises: NoEngine, SeamsMoved.
    """
    child = {**environ, INSIDE: "1"}
    given = tuple(arguments)
    with private_folder() as folder:
        asking = Asking(sys.executable, given, child, folder, pip_from=own_pip(), silent=True)
        return _greeted(OnePass(asking))


def _greeted(engine: OnePass) -> tuple[str, int, str | None]:
    with engine as pip:
        try:
            pip.greet()
        except OtherPython as other:
            return other.verb, other.verb_at, other.python
        return ("install" if pip.usage_error else pip.verb), pip.verb_at, None
