"""What conda's `activate` and `deactivate` have a shell do, in conda's order. An emulation.

conda itself is no package of the index. Its order is what matters: `activate` runs the scripts of
the environment that is left *before* it sets the `PATH` that it had computed before them, while
`deactivate` sets `PATH` first. Prompts, stacked environments and variables of environments are left
out, and so is `condabin`.

This file is a script, too: `python activation.py posix|fish activate PREFIX` prints the commands,
and `functions` gives what a shell needs to have `activate` and `deactivate`.

Source: https://github.com/conda/conda/blob/main/conda/activate.py, `_Activator`.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator

Commands = Iterator[str]


def functions(shell: str) -> str:
    """The functions `activate` and `deactivate` for a shell."""
    script = f"'{sys.executable}' -S -E '{os.path.abspath(__file__)}'"
    if shell == "fish":
        return (
            f"function activate; {script} fish activate $argv[1] | source; end\n"
            f"function deactivate; {script} fish deactivate | source; end\n"
        )
    return (
        f'activate() {{ _lab="$({script} posix activate "$1")" && eval "$_lab"; }}\n'
        f'deactivate() {{ _lab="$({script} posix deactivate)" && eval "$_lab"; }}\n'
    )


def activate(shell: str, prefix: str) -> Commands:
    before = os.environ.get("CONDA_PREFIX", "")
    level = int(os.environ.get("CONDA_SHLVL") or 0)
    path = _replaced(before, prefix)
    if before == prefix and level:  # `reactivate`
        yield from _scripts(shell, prefix, "deactivate")
        yield _set(shell, "PATH", path)
        yield from _scripts(shell, prefix, "activate")
        return
    if level:
        yield from _scripts(shell, before, "deactivate")
        yield _set(shell, f"CONDA_PREFIX_{level}", before)
    yield _set(shell, "PATH", path)
    yield _set(shell, "CONDA_PREFIX", prefix)
    yield _set(shell, "CONDA_SHLVL", str(level + 1))
    yield from _scripts(shell, prefix, "activate")


def deactivate(shell: str) -> Commands:
    prefix, level = os.environ["CONDA_PREFIX"], int(os.environ["CONDA_SHLVL"])
    before = os.environ.get(f"CONDA_PREFIX_{level - 1}", "")
    yield _set(shell, "PATH", _replaced(prefix, before))
    yield from _scripts(shell, prefix, "deactivate")
    yield _unset(shell, "CONDA_PREFIX")
    yield _set(shell, "CONDA_SHLVL", str(level - 1))
    if level > 1:
        yield _unset(shell, f"CONDA_PREFIX_{level - 1}")
        yield _set(shell, "CONDA_PREFIX", before)
        yield from _scripts(shell, before, "activate")


def _replaced(old: str, new: str) -> str:
    """`PATH` with the folder of one environment in the place of another's."""
    folders = os.environ["PATH"].split(os.pathsep)
    at = folders.index(f"{old}/bin") if old and f"{old}/bin" in folders else 0
    if old and f"{old}/bin" in folders:
        del folders[at]
    return os.pathsep.join([*folders[:at], *([f"{new}/bin"] if new else []), *folders[at:]])


def _scripts(shell: str, prefix: str, which: str) -> Commands:
    folder = f"{prefix}/etc/conda/{which}.d"
    suffix = ".fish" if shell == "fish" else ".sh"
    names = os.listdir(folder) if os.path.isdir(folder) else []
    found = sorted((n for n in names if n.endswith(suffix)), reverse=which == "deactivate")
    word = "source" if shell == "fish" else "."
    yield from (f"{word} {_quoted(shell, f'{folder}/{name}')}" for name in found)


def _set(shell: str, name: str, value: str) -> str:
    if shell == "fish":
        return f"set -gx {name} {_quoted(shell, value)}"
    return f"export {name}={_quoted(shell, value)}"


def _unset(shell: str, name: str) -> str:
    return f"set -e {name} || true" if shell == "fish" else f"unset {name}"


def _quoted(shell: str, text: str) -> str:
    if shell == "fish":
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return shlex.quote(text)


if __name__ == "__main__":
    named, verb, *rest = sys.argv[1:]
    print("\n".join(activate(named, rest[0]) if verb == "activate" else deactivate(named)))
