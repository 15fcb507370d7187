"""Which modules are imported after an install, and which failures count. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.judging.modules import modules_of, planned_modules
from safepip.decisions.judging.requirements import required_name
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from safepip.values.environment import Environment
    from safepip.values.plan import Plan

_SURROUNDINGS = re.compile(
    r"lib(GL|EGL|OpenGL|GLX|X11|xcb|Xext|gtk|cuda|cudart|cublas|cudnn|nvrtc|nvidia|hip|rocm)[-\w.]*"
    r"|\bDISPLAY\b|\bdisplay\b|\bCUDA\b|\bGPU\b|\bX server\b|Xauthority",
)
"""What says that a display or a graphics processor is missing, which no install brings."""
_MODULES = frozenset(("pyautogui", "pynput", "mouseinfo", "cupy", "pycuda", "tensorrt", "Xlib"))
"""Modules that are imported only with a display or a graphics processor."""
_LIBRARY = re.compile(r"\.so\b|\.dylib\b|cannot open shared object|dlopen|undefined symbol")
_BINARY = re.compile(r"size changed|binary incompatib|ABI version|API version|multiarray")


@dataclass(frozen=True)
class Failure:
    """A module that could not be imported."""

    module: str
    kinds: tuple[str, ...]
    """Names of the exception's class and of those above it; `Crash` for a process that died, and
    `Timeout` for one that did not end in time."""
    said: str
    """The last line of the traceback."""

    @property
    def needs_surroundings(self) -> bool:
        """It may be for want of a display or a graphics processor."""
        top = self.module.partition(".")[0]
        return top in _MODULES or _SURROUNDINGS.search(self.said) is not None


def modules_to_import(environment: Environment, plan: Plan) -> tuple[str, ...]:
    """Give the modules of what a plan brings, of what was asked for first."""
    if plan.elsewhere:
        return ()
    arriving = [change for change in plan.changes if change.after is not None]
    found: dict[str, None] = {}
    for change in sorted(arriving, key=lambda change: not change.requested):
        whole = planned_modules(environment, change)
        found.update((name, None) for name, is_whole in whole.items() if is_whole)
    return tuple(found)


def modules_at_stake(environment: Environment, plan: Plan) -> tuple[str, ...]:
    """Give the modules that are there and may stop working.

    Those of what is replaced, and those of conda's packages that need something of conda's which
    the user gave away.
    """
    there = {d.name: d for d in environment.distributions}
    replaced = [c for c in plan.changes if c.after is not None and c.before is not None]
    found = dict.fromkeys(
        name
        for change in replaced
        for name, is_whole in planned_modules(environment, change).items()
        if is_whole
    )
    taken = {c.name for c in replaced if c.before is not None and c.before.record is not None}
    for distribution in there.values() if taken else ():
        names = {required_name(line) for line in distribution.requires}
        if distribution.record is not None and distribution.name not in taken and names & taken:
            found.update(dict.fromkeys(modules_of(environment, distribution.record)))
    return tuple(found)


def that_count(
    failures: Iterable[Failure], before: Collection[str], new: Collection[str]
) -> tuple[Failure, ...]:
    """Give the failures for which a change is taken back.

    Not those that were there before it, nor for want of a display, nor what did not end in time. Of
    a module that is ``new``, only what an install decides: a library that does not load, another
    binary interface, a crash. That another module or a setting is missing may be as its makers want
    it (a plugin without its host), and what a requirement says of that was judged already.
    """
    return tuple(
        failure
        for failure in failures
        if failure.module not in before
        and not failure.needs_surroundings
        and "Timeout" not in failure.kinds
        and _counts(failure, is_new=failure.module in new)
    )


def _counts(failure: Failure, *, is_new: bool) -> bool:
    if "Crash" in failure.kinds or _BINARY.search(failure.said):
        return True
    if "OSError" in failure.kinds:
        return not is_new or _LIBRARY.search(failure.said) is not None
    return not is_new or (
        "ImportError" in failure.kinds and "ModuleNotFoundError" not in failure.kinds
    )
