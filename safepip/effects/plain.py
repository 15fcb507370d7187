"""Becoming the environment's own pip. Light: every call that is not guarded passes here."""

from __future__ import annotations

import os
import sys

from safepip.effects.opened import read_bytes
from safepip.values.light import TYPE_CHECKING
from safepip.values.seal import MARKER, SEAL_MARK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from safepip.values.target import Target

INSIDE = "SAFEPIP_INSIDE"
"""Set for pip's own processes, so that shims and hooks let them pass."""

_MOST_BYTES = 64 * 1024
HANDED = "SAFEPIP_HANDED"
"""Set by shims and hooks for the safepip that they start, which takes it away again: what still has
it was started by something else in safepip's place, and would go round in circles."""


def become_pip(target: Target, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by pip in the target.

    Raises: WrongEnvironment, when there is no target; NoEngine, when its Python does not start.
    """
    if not target.python:
        from safepip.values.errors import WrongEnvironment

        raise WrongEnvironment("no environment is active, and there is no pip on PATH")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it may have been closed before the start
            stream.flush()
    command = [target.python, *words_of_pip(target), *arguments]
    environ = {**os.environ, INSIDE: "1"}
    if target.is_conda and _has_own_seal(target.prefix):
        environ["PIP_BREAK_SYSTEM_PACKAGES"] = "1"
    try:
        os.execve(command[0], command, environ)  # noqa: S606 - no shell, ever
    except OSError as error:
        from safepip.values.errors import NoEngine

        raise NoEngine(f"cannot run `{target.python}`: {error.strerror}") from error


def words_of_pip(target: Target) -> list[str]:
    """Give what starts pip: the environment's own, or safepip's for one without.

    Such a virtual environment is reached by `pip --python`, as `python -m build` does.
    """
    is_alone = target.is_conda or _is_virtual_alone(target.prefix)
    if is_alone and not has_pip(target.prefix) and (own := own_pip()):
        return [f"{own}/pip/__pip-runner__.py"]
    return ["-m", "pip"]


def _has_own_seal(prefix: str) -> bool:
    """Say whether safepip itself has sealed an environment: that is against plain pip alone."""
    for folder in _libraries(prefix):
        try:
            with open(f"{folder}/{MARKER}", "rb") as file:
                start = file.read(len(SEAL_MARK))
        except OSError:
            continue
        if start == SEAL_MARK.encode():
            return True
    return False


def _libraries(prefix: str) -> list[str]:
    """Give the folders in which Pythons may have their library."""
    try:
        return [f"{prefix}/lib/{name}" for name in os.listdir(f"{prefix}/lib")]
    except OSError:
        return []


def has_pip(prefix: str) -> bool:
    """Say whether an environment has a pip of any age."""
    return any(os.path.isdir(f"{folder}/site-packages/pip") for folder in _libraries(prefix))


def _is_virtual_alone(prefix: str) -> bool:
    """Say whether this is a virtual environment that has no part in the packages of another.

    Source: https://docs.python.org/3/library/site.html#module-site, on `pyvenv.cfg`
    """
    try:
        lines = read_bytes(f"{prefix}/pyvenv.cfg", _MOST_BYTES).lower().splitlines()
    except (OSError, ValueError):
        return False
    pairs = (line.partition(b"=") for line in lines)
    told = {name.strip(): value.strip() for name, _, value in pairs}
    return told.get(b"include-system-site-packages") != b"true"


def own_pip() -> str:
    """Give the folder from which safepip's own pip is imported; empty when there is none."""
    from importlib.util import find_spec

    found = find_spec("pip")
    return os.path.dirname(os.path.dirname(found.origin)) if found and found.origin else ""
