"""What is guarded in an environment, found out by trying each way to pip."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.guarding.coverage import Circumstances, Sight, coverage, leads_out
from safepip.effects.guard_files import FOREIGN, in_its_places, prints
from safepip.effects.interpreters import ask_python
from safepip.effects.probing import is_in_use, tried, ways
from safepip.effects.reach import closed_to_others, is_in_shims
from safepip.effects.reading import read_seal
from safepip.recipes.unlisted import listed
from safepip.values.errors import SafepipError
from safepip.values.guarding import SHIMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.guarding import Level, Tried
    from safepip.values.target import Target

_AT_ONCE = 4
_PIP = "pip"


class Status(NamedTuple):
    """What the guard is to be, and what it is."""

    levels: tuple[Level, ...]
    tried: tuple[Tried, ...]
    unlisted: tuple[str, ...] = ()
    """What lies in the places of a guard that is off."""
    closed: str = ""
    """What keeps other users of the environment from starting safepip; empty for nothing."""

    @property
    def has_gap(self) -> bool:
        """Whether anything is not guarded, or for anybody."""
        return bool(self.closed) or any(one.guarded is False for one in self.tried)


def _off(environ: Mapping[str, str]) -> str:
    """Give the variable that turns the guard off, as it is set; empty for none."""
    if environ.get("SAFEPIP_INSIDE"):
        return f"SAFEPIP_INSIDE={environ['SAFEPIP_INSIDE']}"
    return "SAFEPIP_GUARD=off" if environ.get("SAFEPIP_GUARD") == "off" else ""


def _way_to_mend(target: Target, shell: Shell, environ: Mapping[str, str]) -> str:
    """Give the command by which `bin/pip` starts the environment's Python again, if one does."""
    if not os.path.lexists(f"{target.prefix}/bin/{_PIP}"):
        return ""
    from safepip.decisions.repairing.ways import Ways  # seldom needed
    from safepip.recipes.doctor import examine
    from safepip.recipes.mending import planned_repair
    from safepip.values.repair import Redirect

    try:
        found = examine(target, environ, target.prefix, lambda *_: None)
    except SafepipError:  # of which doctor tells
        return ""
    turned = (s for s in planned_repair(found, [_PIP]).steps if isinstance(s, Redirect))
    mends = any(f"bin/{_PIP}" in (*step.paths, *step.links) for step in turned)
    can_be = mends and found.inspection.environment.writable
    return Ways(found.inspection, shell, (_PIP,)).fix() if can_be else ""


def guard_status(target: Target, shell: Shell, environ: Mapping[str, str]) -> Status:
    """Try each way to pip, and say whether safepip stands before it; nothing is changed.

    Raises: NoEngine, NotWritable.
    """
    manifest = listed(target.prefix, shell)
    levels = manifest.levels
    unlisted = (
        () if levels else (p for p, w in in_its_places(target.prefix).items() if w != FOREIGN)
    )
    quiet = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
    quiet.pop("SAFEPIP_TARGET_PREFIX", None)  # of this very call, which may come from a notebook
    python = ask_python(target.python, quiet)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        seen = pool.map(tried, ways(target.prefix, target.python, quiet))
        sights = [Sight(*one) for one in seen]
    seal = read_seal(python.stdlib)
    there = prints(target.prefix, (file.path for file in manifest.files))
    known = Circumstances(
        prefix=target.prefix,
        levels=levels,
        minor=python.minor,
        shell=shell,
        active=is_in_use(target.prefix, environ),
        off=_off(environ),
        typed_in=os.path.basename(environ.get("SHELL", "")),
        before_uv=os.path.exists(f"{target.prefix}/{SHIMS}/uv"),
        mends=_way_to_mend(target, shell, quiet)
        if any(leads_out(sight, target.prefix) for sight in sights)
        else "",
        seal=None if seal is None else seal.message,
        whole=all(there[file.path] == file.print for file in manifest.files),
    )
    closed = closed_to_others(target.prefix) if is_in_shims(target.prefix) else ""
    return Status(levels, coverage(sights, known), tuple(unlisted), closed)
