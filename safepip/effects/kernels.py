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
_DIGITS = 10
_KERNELS = {"ipykernel", "ipykernel_launcher", "ipykernel_launcher.py", "colab_kernel_launcher"}


def kernel_above(
    environ: Mapping[str, str], *, process: int = 0, processes: str = "/proc"
) -> tuple[str, str | None]:
    """Give the prefix of the IPython kernel among the parents of this process; empty for none.

    And the conda environment that was active for it, empty where none was. Of several kernels, the
    nearest. Only below the client that the variable names: without that it comes from a kernel that
    this was not started by. None where safepip's extension is loaded in the nearest: that says it.

    ``process`` is the first to look at, where that is not the parent; ``processes`` the folder that
    tells of all. Without that (macOS) nothing is found.
    """
    client = _number(environ.get("JPY_PARENT_PID", ""))
    speaking = _number(environ.get("SAFEPIP_KERNEL_PID", ""))
    found: tuple[str, str | None] = ("", None)
    process = process or os.getppid()
    for _ in range(_MOST):
        if process == client:  # which is the first of all processes in many a container
            return found
        if process <= 1 or not client:
            break
        folder = f"{processes}/{process}"
        if not found[0]:
            if process == speaking:
                break
            if prefix := _kernels_prefix(folder, environ):
                found = prefix, _variable(folder, "CONDA_PREFIX")
        process = _parent(folder)
    return "", None


def _number(text: str) -> int:
    """Give the number of a process; 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


def _kernels_prefix(folder: str, environ: Mapping[str, str]) -> str:
    """Give the prefix of the Python that a process is, where it runs an IPython kernel."""
    words = [os.fsdecode(word) for word in _read(folder, "cmdline").split(b"\0")]
    if not is_python(words[0]) or _KERNELS.isdisjoint(map(os.path.basename, words[1:])):
        return ""
    try:
        python = words[0] if os.path.isabs(words[0]) else os.readlink(f"{folder}/exe")
    except OSError:
        return ""
    found = behind([python], environ)
    return found[0] if found is not None else ""


def _variable(folder: str, name: str) -> str:
    """Give a variable as a process was started with it; empty where it has none."""
    pairs = (os.fsdecode(pair).partition("=") for pair in _read(folder, "environ").split(b"\0"))
    return next((value for found, _, value in pairs if found == name), "")


def _parent(folder: str) -> int:
    """Give the parent of a process; 0 where that is not known."""
    # Behind the name of the program, which may hold anything, in parentheses: state and parent.
    rest = _read(folder, "stat").rpartition(b")")[2].split()
    return int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 0


def _read(folder: str, name: str) -> bytes:
    try:
        with open(f"{folder}/{name}", "rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return b""
