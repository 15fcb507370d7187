"""The Jupyter kernel that a command was started from, where no extension of ours says which it is.

Imported only where `JPY_PARENT_PID` is set: kernels have it from the client that starts them, and
hand it on. The terminals of a Jupyter server do not have it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.effects.prefixes import behind, is_python

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 64
"""Generations that are looked at."""
_LIMIT = 64 * 1024
_KERNELS = {"ipykernel", "ipykernel_launcher", "ipykernel_launcher.py", "colab_kernel_launcher"}


def kernel_above(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Give the prefix of the IPython kernel among the parents of this process; empty for none.

    And the conda environment that was active for it, empty where none was. Of several kernels, the
    nearest. Only below the client that the variable names: without that it comes from a kernel that
    this was not started by. Without `/proc` (macOS) nothing is found.
    """
    given = environ.get("JPY_PARENT_PID", "")
    client = int(given) if given.isascii() and given.isdecimal() else 0
    found: tuple[str, str | None] = ("", None)
    process = os.getppid()
    for _ in range(_MOST):
        if process <= 1 or not client:
            break
        if process == client:
            return found
        if not found[0] and (prefix := _kernels_prefix(process, environ)):
            found = prefix, _variable(process, "CONDA_PREFIX")
        process = _parent(process)
    return "", None


def _kernels_prefix(process: int, environ: Mapping[str, str]) -> str:
    """Give the prefix of the Python that a process is, where it runs an IPython kernel."""
    words = [os.fsdecode(word) for word in _read(process, "cmdline").split(b"\0")]
    if not is_python(words[0]) or _KERNELS.isdisjoint(map(os.path.basename, words[1:])):
        return ""
    try:
        python = words[0] if os.path.isabs(words[0]) else os.readlink(f"/proc/{process}/exe")
    except OSError:
        return ""
    found = behind([python], environ)
    return found[0] if found is not None else ""


def _variable(process: int, name: str) -> str:
    """Give a variable as a process was started with it; empty where it has none."""
    pairs = (os.fsdecode(pair).partition("=") for pair in _read(process, "environ").split(b"\0"))
    return next((value for found, _, value in pairs if found == name), "")


def _parent(process: int) -> int:
    """Give the parent of a process; 0 where that is not known."""
    # Behind the name of the program, which may hold anything, in parentheses: state and parent.
    rest = _read(process, "stat").rpartition(b")")[2].split()
    return int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 0


def _read(process: int, name: str) -> bytes:
    try:
        with open(f"/proc/{process}/{name}", "rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return b""
