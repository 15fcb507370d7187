"""Finding the environment that a command is about, before anything of it is read.

Light: calls that only become pip pass here, too. What an error needs is imported with it.
"""

from __future__ import annotations

import os

from safepip.effects.prefixes import (
    behind,
    interpreters_of,
    is_base,
    is_conda_prefix,
    is_named,
    is_unfinished,
    programs_on_path,
    python_of,
)
from safepip.values.light import TYPE_CHECKING
from safepip.values.target import KERNEL, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Which = Callable[[str, str], Iterable[str]]
    """Gives the programs of a name, first the one that a shell would start, from a `PATH`."""

__all__ = ["find_target", "is_conda_prefix"]

KERNELS_ACTIVE = "SAFEPIP_KERNEL_ACTIVE"
"""Set by the extension of IPython: the prefix of the kernel's Python, and what was active then."""

_TEXT_LIMIT = 1024 * 1024
_FIRST = "bin/python"
"""Where an environment without a Python would have it."""


class Call:
    """What one call of safepip was started with; no dataclass, which takes 10 ms to import."""

    __slots__ = (
        *("_above", "arguments", "environ", "is_for_pip", "own_prefix", "start", "through"),
        "which",
    )

    def __init__(
        self,
        environ: Mapping[str, str],
        own_prefix: str,
        which: Which,
        arguments: Sequence[str],
        *,
        is_for_pip: bool = True,
        through: tuple[str, ...] = (),
        start: tuple[str, ...] = ("safepip",),
    ) -> None:
        self.environ = environ
        self.own_prefix = own_prefix
        self.which = which
        self.is_for_pip = is_for_pip
        self.arguments = tuple(arguments) or ("install", "PACKAGE")
        self.through = through
        self.start = start
        self._above: tuple[str, str | None] | None = None

    @property
    def path(self) -> str:
        """`PATH`."""
        return self.environ.get("PATH", os.defpath)

    @property
    def active(self) -> str:
        """The conda environment that is active, resolved; empty where none is."""
        prefix = self.environ.get("CONDA_PREFIX", "")
        return os.path.realpath(prefix) if prefix and is_conda_prefix(prefix) else ""

    @property
    def kernel(self) -> str:
        """The environment of the notebook that this is called from, resolved, by its extension.

        Not where another kernel is nearer: what that was started from has left it the variable.
        """
        prefix = self.environ.get(KERNEL, "")
        prefix = os.path.realpath(prefix) if prefix else ""
        return prefix if self.above[0] in ("", prefix) else ""

    @property
    def above(self) -> tuple[str, str | None]:
        """The kernel that this is called from, as `kernel_above` gives it."""
        if self._above is None and "JPY_PARENT_PID" in self.environ:
            from safepip.effects.kernels import kernel_above

            self._above = kernel_above(self.environ)
        return self._above or ("", None)

    def programs(self, name: str) -> Iterable[str]:
        """Give the programs of this name on `PATH`."""
        return self.which(name, self.path)


def find_target(
    explicit: str | None,
    pip_python: str | None,
    environ: Mapping[str, str],
    own_prefix: str,
    run_as_module: bool,  # noqa: FBT001 - one of five facts about the call, in a fixed order
    *,
    which: Which = programs_on_path,
    arguments: Sequence[str] = (),
    is_for_pip: bool = True,
    through: tuple[str, ...] = (),
    start: tuple[str, ...] = ("safepip",),
) -> Target:
    """Give the environment that the command is about, by the first of nine rules that finds one.

    ``arguments`` are pip's, for the commands that an error proposes, ``through`` the words before
    them, and ``start`` those that start safepip. The prefix of the target is empty where no rule
    finds any. What is not ``is_for_pip`` needs no Python in a conda
    environment, and does not care which pip is on `PATH` while one is active.

    Raises: WrongEnvironment.
    """
    call = Call(
        environ,
        own_prefix,
        which,
        arguments,
        is_for_pip=is_for_pip,
        through=through,
        start=start,
    )
    if explicit is not None:
        return _target(call, _prefix_called(call, explicit), "--env")
    if pip_python is not None:
        return _chosen_by_pip(call, pip_python)
    target = (
        _given(call)
        or (_own(call, "python -m safepip") if run_as_module else None)
        or _virtual(call)
        or _kernels(call)
        or _active(call)
        or _own(call, "safepip's own environment")
        or _first_on_path(call)
        or Target("", "", is_conda=False, chosen_by="PATH", obvious=False, start=start)
    )
    refuse_other_than_kernel(call, target)
    return target


def said_from_outside(call: Call) -> Target | None:
    """Give the environment that whoever started safepip means, whichever tool acts on it.

    That is by rule 3 for what `%safepip` says, and in a notebook by rules 5 and 6.

    Raises: WrongEnvironment.
    """
    target = _given(call)
    if target is None and call.kernel:  # a virtual environment may have no pip to be found by
        target = _virtual(call) or _kernels(call)
    if target is not None:
        refuse_other_than_kernel(call, target)
    return target


def _target(call: Call, prefix: str, chosen_by: str, *, python: str = "") -> Target:
    """Give the environment at a prefix.

    Raises: WrongEnvironment, where it has no Python.
    """
    prefix = os.path.realpath(prefix)
    is_conda = is_conda_prefix(prefix)
    python = _below(prefix, python) if is_conda and python else python or python_of(prefix)
    if not python and is_conda and not call.is_for_pip:
        python = f"{prefix}/{_FIRST}"
    if not python:
        from safepip.effects.astray import without_python

        raise without_python(call, prefix)
    said = chosen_by in ("--env", "--python", "VIRTUAL_ENV") or prefix in (call.active, call.kernel)
    in_notebook = bool(call.kernel)
    return Target(
        prefix, python, is_conda, chosen_by, said, in_notebook=in_notebook, start=call.start
    )


def _below(prefix: str, python: str) -> str:
    """Give the interpreter by its place in the environment itself, not by way of a link.

    It would call everything in the environment by the link's name, and conda's records would seem
    to own none of it.
    """
    folder, name = os.path.split(python)
    real = os.path.join(os.path.realpath(folder), name)
    return real if real.startswith(prefix + os.sep) and os.path.isfile(real) else python_of(prefix)


# The rules.


def _prefix_called(call: Call, explicit: str) -> str:
    """Rule 1: `--env PATH` or `--env NAME`. A name goes before a folder that is called the same."""
    if os.sep in explicit or explicit.startswith((".", "~")):
        return os.path.abspath(os.path.expanduser(explicit))
    found = _named(call, explicit) or ([explicit] if os.path.isdir(explicit) else [])
    if len(found) != 1:
        from safepip.effects.astray import name_unclear

        raise name_unclear(call, explicit, found)
    return found[0]


def _chosen_by_pip(call: Call, python: str) -> Target:
    """Rule 2: pip's own `--python`, which takes a folder or an interpreter."""
    if os.path.isdir(python):
        return _target(call, python, "--python")
    found = behind([python], call.environ)
    if found is None:
        from safepip.effects.astray import no_interpreter

        raise no_interpreter(python)
    return _target(call, found[0], "--python", python=found[1])


def _given(call: Call) -> Target | None:
    """Rule 3: the prefix of the pip that a shim or hook of safepip stands before."""
    prefix = call.environ.get("SAFEPIP_TARGET_PREFIX")
    return _target(call, prefix, "SAFEPIP_TARGET_PREFIX") if prefix else None


def _own(call: Call, chosen_by: str) -> Target | None:
    """Rules 4 and 8: the environment that safepip runs in, where it is conda's."""
    is_conda = is_conda_prefix(call.own_prefix)
    return _target(call, call.own_prefix, chosen_by) if is_conda else None


def _virtual(call: Call) -> Target | None:
    """Rule 5: an active virtual environment whose programs come before those of any conda's.

    `VIRTUAL_ENV` alone says little: it stays set when conda is activated on top.
    """
    prefix = call.environ.get("VIRTUAL_ENV", "")
    if not prefix or is_conda_prefix(prefix) or not python_of(prefix):
        return None
    own = os.path.realpath(os.path.dirname(python_of(prefix)))
    for folder in map(os.path.abspath, call.path.split(os.pathsep)):
        if os.path.realpath(folder) == own:
            return _target(call, prefix, "VIRTUAL_ENV")
        if os.path.basename(folder) == "bin" and is_conda_prefix(os.path.dirname(folder)):
            return None
    return None


def _kernels(call: Call) -> Target | None:
    """Rule 6: in a notebook with safepip's extension its kernel's, where `PATH` leads there.

    What is called active is of whoever started the Jupyter server.
    """
    found = _pip_on_path(call) if call.kernel else None
    if found is None or found[0] != call.kernel or not is_conda_prefix(call.kernel):
        return None
    return _target(call, call.kernel, "the notebook's kernel")


def _active(call: Call) -> Target | None:
    """Rule 7: the active conda environment, unless a plain `pip` would have meant another.

    That pip is the first on `PATH`. Where it is another conda environment's, the usual reason is
    that the active one has no pip, and nobody noticed. Outside of conda it counts where the active
    one has a pip, too: something was put before it on `PATH`, so that it is unclear which is
    meant. Where the active one has none, whoever activated it does not mean the system's; nor
    another environment's where a shim of the active one's guard comes first.

    Raises: WrongEnvironment.
    """
    if not call.active:
        return None
    found = _pip_on_path(call) if call.is_for_pip else None
    # (Where a change was cut off, its pip may be gone, and comes back before anything else.)
    if found is not None and found[0] != call.active and not is_unfinished(call.active):
        has_pip = os.path.isfile(f"{call.active}/bin/pip")
        if has_pip or (is_conda_prefix(found[0]) and not _has_shims_first(call)):
            from safepip.effects.astray import pip_elsewhere

            raise pip_elsewhere(call, found[0], has_pip=has_pip)
    return _target(call, call.active, "CONDA_PREFIX")


def _has_shims_first(call: Call) -> bool:
    """Say whether the pip that a shell would start is a shim of the active environment's guard."""
    from safepip.values.guarding import SHIMS  # seldom needed

    shims = f"{call.active}/{SHIMS}"
    first = os.path.dirname(next(iter(call.programs("pip")), ""))
    for folder in filter(None, call.path.split(os.pathsep)):
        if os.path.realpath(folder) == shims:
            return os.path.isfile(f"{shims}/pip")
        if os.path.abspath(folder) == first:
            break
    return False


def _first_on_path(call: Call) -> Target | None:
    """Rule 9: where the first `pip` on `PATH` would install."""
    found = _pip_on_path(call)
    return _target(call, found[0], "PATH", python=found[1]) if found else None


def refuse_other_than_kernel(call: Call, target: Target) -> None:
    """Stop a notebook's `!` where it reaches another environment than its kernel runs in.

    Not where the command itself has activated that, as `conda run` does: who says so, means it.

    Raises: WrongEnvironment.
    """
    kernel, active = call.kernel, call.environ.get(KERNELS_ACTIVE)
    if not kernel:
        kernel, active = call.above
    if not kernel or kernel == target.prefix or _is_activated_since(call, target, active):
        return
    if target.is_conda or is_conda_prefix(kernel):
        from safepip.effects.astray import kernel_elsewhere

        raise kernel_elsewhere(call, kernel, target.prefix)


def _is_activated_since(call: Call, target: Target, active: str | None) -> bool:
    """Say whether the target is active now, and was not for the kernel.

    ``active``: what was active for the kernel; None where that is not known.
    """
    if active is None or target.prefix != call.active:
        return False
    return not active or target.prefix != os.path.realpath(active)


def _pip_on_path(call: Call) -> tuple[str, str] | None:
    """Give prefix and interpreter of the first pip on `PATH` that would start at all."""
    for name in ("pip", "pip3"):
        for pip in call.programs(name):
            if found := behind(interpreters_of(pip, call.programs), call.environ):
                return found
    return None


# Names, as conda looks for them.


def _named(call: Call, name: str) -> list[str]:
    """Give the environment of a name; several where only the list of all tells of them."""
    if name in ("base", "root"):
        return [root for root in dict.fromkeys(_roots(call)) if is_conda_prefix(root)][:1]
    folders = _folders(call, dict.fromkeys(_roots(call)))
    in_folders = [f"{folder}/{name}" for folder in folders if is_conda_prefix(f"{folder}/{name}")]
    registered = {prefix for prefix in _registered() if os.path.basename(prefix) == name}
    return in_folders[:1] or sorted(prefix for prefix in registered if is_conda_prefix(prefix))


def _folders(call: Call, roots: Iterable[str]) -> list[str]:
    """Give the folders in which environments lie that have a name."""
    folders = [*_listed(call, "CONDA_ENVS_DIRS"), *_listed(call, "CONDA_ENVS_PATH")]
    folders += [f"{root}/envs" for root in roots]
    return [*folders, os.path.expanduser("~/.conda/envs")]


def place_for(name: str, environ: Mapping[str, str], own_prefix: str) -> str:
    """Give where an environment with this name is to be made: as conda does, where one can write.

    Empty where none can be.
    """
    call = Call(environ, own_prefix, programs_on_path, ())
    roots = [r for r in _roots(call) if is_base(r) or r == environ.get("MAMBA_ROOT_PREFIX")]
    found = _folders(call, dict.fromkeys(roots))
    return next((f"{folder}/{name}" for folder in found if _is_open(folder)), "")


def _is_open(folder: str) -> bool:
    """Say whether a folder can be written, or made."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK | os.X_OK)


def _roots(call: Call) -> Iterator[str]:
    """Give where conda, mamba or micromamba may be installed, by what the shell says of it."""
    yield from filter(None, map(call.environ.get, ("CONDA_ROOT", "_CONDA_ROOT")))
    programs = [*_listed(call, "CONDA_EXE"), *call.programs("conda")]
    yield from (os.path.dirname(os.path.dirname(program)) for program in programs)
    yield from filter(None, [call.environ.get("MAMBA_ROOT_PREFIX")])
    for prefix in filter(None, [call.active, call.own_prefix]):
        yield os.path.dirname(os.path.dirname(prefix)) if is_named(prefix) else prefix


def _listed(call: Call, variable: str) -> list[str]:
    return [part for part in call.environ.get(variable, "").split(os.pathsep) if part]


def _registered() -> list[str]:
    """Give the environments in the list that conda and mamba keep of all that they made."""
    try:
        with open(os.path.expanduser("~/.conda/environments.txt"), "rb") as file:
            lines = os.fsdecode(file.read(_TEXT_LIMIT)).splitlines()
    except OSError:
        return []
    return [line.strip().rstrip("/") for line in lines]
