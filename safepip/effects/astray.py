"""The errors of a command that would reach another environment than is meant, or none.

Imported only where one is raised: what puts commands into words takes longer to load than all that
`targets` does.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import can_be_repeated
from safepip.decisions.fixing.shell import Shell
from safepip.effects.prefixes import is_conda_prefix, name_of
from safepip.values.errors import WrongEnvironment
from safepip.values.text import shown
from safepip.values.verbs import GUARDED, HOOKS, OWN
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.effects.targets import Call
    from safepip.values.environment import Manager
    from safepip.values.target import Target

_OTHER = "if the other one is meant"
_WHICH = "see which environments there are"
_CONDAS = frozenset(("--tree", "--table", "--markdown", "--html", "--prefer-conda"))
"""Options that only a conda environment has something to show for."""


def kernel_elsewhere(call: Call, kernel: str, reached: str) -> WrongEnvironment:
    """Give the error of a notebook's `!` that does not reach the environment of its kernel."""
    arguments = _arguments(call, in_notebook=True)

    def way(prefix: str, says: str) -> list[Fix]:
        has_magic = bool(call.kernel)  # by safepip's extension
        obvious = has_magic and prefix == kernel
        shell = Shell(prefix, obvious=obvious, in_notebook=has_magic, through=call.through)
        shell = replace(shell, start=call.start)
        fixes = _again(shell, arguments, says)
        return fixes if has_magic else [Fix(f"!{fix.command}", fix.says) for fix in fixes]

    fixes = way(kernel, "act on the kernel's environment")
    fixes += way(reached, _OTHER) if _has_it(reached, arguments) else []
    return WrongEnvironment(
        _different(call, ("notebook kernel", kernel), ("this command", reached)),
        why="\"!\" runs with the Jupyter server's PATH, not the kernel's.",
        fixes=fixes,
    )


def pip_elsewhere(call: Call, reached: str, *, has_pip: bool) -> WrongEnvironment:
    """Give the error of an active environment that is not the one a plain `pip` acts on."""
    arguments = _arguments(call)
    active = _shell(call, call.active)
    fixes = _again(active, arguments, "act on the active environment")
    if not has_pip:
        fixes.append(Fix(active.conda("install", ("pip",)), "give it a pip of its own"))
    if _has_it(reached, arguments):
        fixes += _again(_shell(call, reached), arguments, _OTHER)
    why = "something stands before the active environment on PATH"
    return WrongEnvironment(
        _different(call, ("active", call.active), ("pip on PATH", reached)),
        why=why if has_pip else "the active environment has no pip, so PATH leads to another's",
        fixes=fixes,
    )


def no_condas(
    target: Target, environ: Mapping[str, str], arguments: Sequence[str]
) -> WrongEnvironment:
    """Give the error of a verb that is about conda's environments, and was told of no such.

    ``arguments`` are the command's, from its verb on: there may be a conda environment beneath the
    virtual one.
    """
    shell = Shell("", _manager(environ, ""), start=target.start, in_notebook=target.in_notebook)
    beneath, words = environ.get("CONDA_PREFIX", ""), tuple(arguments)
    fixes = []
    if beneath and is_conda_prefix(beneath) and can_be_repeated(words):
        there = replace(shell, prefix=os.path.realpath(beneath), obvious=False)
        fixes = _again(there, words, "act on the active conda environment")
    return WrongEnvironment(
        f"`{shown(target.prefix) or 'PATH'}` is no conda environment",
        fixes=[*fixes, Fix(shell.run(shell.tool, "env", "list"), _WHICH)],
    )


def _has_it(prefix: str, arguments: Sequence[str]) -> bool:
    """Say whether this command is for an environment at all: most are for none but conda's."""
    if is_conda_prefix(prefix):
        return True
    is_condas = arguments[:1] and arguments[0] in (*OWN, *HOOKS)
    names = {word.partition("=")[0] for word in arguments}
    return bool(prefix) and not is_condas and names.isdisjoint(_CONDAS)


def without_python(call: Call, prefix: str) -> WrongEnvironment:
    """Give the error of an environment in which no pip can run."""
    if not is_conda_prefix(prefix):
        return WrongEnvironment(f"there is no Python in `{shown(prefix)}`", fixes=_list(call))
    command = _shell(call, prefix).conda("install", ("python", "pip"))
    return WrongEnvironment(
        f"the conda environment `{shown(prefix)}` has no Python",
        why="without it nothing that pip installs would run",
        fixes=[Fix(command, "give it one")],
    )


def name_unclear(call: Call, name: str, found: Sequence[str]) -> WrongEnvironment:
    """Give the error of an `--env NAME` that no environment has, or several."""
    if not found:
        return WrongEnvironment(
            f"no conda environment is called `{shown(name)}`", fixes=_list(call)
        )
    arguments = _arguments(call)
    ways = (_again(_shell(call, prefix), arguments, "this one") for prefix in found)
    return WrongEnvironment(
        f"{len(found)} conda environments are called `{shown(name)}`",
        fixes=[fix for way in ways for fix in way],
    )


def no_interpreter(python: str) -> WrongEnvironment:
    """Give the error of a `--python` that leads nowhere."""
    return WrongEnvironment(f"there is no Python interpreter at `{shown(python)}`")


def _different(call: Call, *places: tuple[str, str]) -> str:
    """Give the message: one line that says what is wrong, and one for each environment."""
    verbs = {"uninstall": "uninstall from", "install": "install into"}
    what = verbs.get(call.arguments[0], "be about")
    width = max(len(label) for label, _ in places)
    lines = [f"{label:<{width}}  {_place(prefix)}" for label, prefix in places]
    head = f"this would {what} a different environment than you are using"
    return "\n".join([head, *lines])


def _place(prefix: str) -> str:
    if not prefix:
        return "none"
    name = name_of(prefix) if is_conda_prefix(prefix) else ""
    return f"{shown(prefix)} (base)" if name == "base" else shown(prefix)


def _arguments(call: Call, *, in_notebook: bool = False) -> tuple[str, ...]:
    """Give the command as it can be pasted; IPython puts its variables into `{}` and `$`.

    Nothing where it cannot, and no part of it would mean the same.
    """
    changed = in_notebook and any(sign in word for word in call.arguments for sign in "{}$")
    if can_be_repeated(call.arguments) and not changed:
        return call.arguments
    verb = call.arguments[0]
    return (verb, "PACKAGE") if verb in GUARDED else ()


def _again(shell: Shell, arguments: tuple[str, ...], says: str) -> list[Fix]:
    """Give the command once more; nothing where there are no arguments to give."""
    return [Fix(shell.safepip(arguments), says)] if arguments else []


def _list(call: Call) -> list[Fix]:
    shell = _shell(call, "")
    return [Fix(shell.run(shell.tool, "env", "list"), _WHICH)]


def _shell(call: Call, prefix: str) -> Shell:
    """Give where commands about an environment are pasted that has to be named."""
    manager, in_notebook = _manager(call.environ, prefix), bool(call.kernel)
    there = Shell(prefix, manager, obvious=False, in_notebook=in_notebook)
    return replace(there, through=call.through, start=call.start)


def _manager(environ: Mapping[str, str], prefix: str) -> Manager:
    """Give whose words a command is in, by what the shell says: nothing has been read yet."""
    if prefix and os.path.exists(f"{prefix}/conda-meta/pixi"):
        return "pixi"
    mamba = os.path.basename(environ.get("MAMBA_EXE", ""))
    if mamba and not environ.get("CONDA_EXE"):
        return "micromamba" if mamba.startswith("micromamba") else "mamba"
    return "conda"
