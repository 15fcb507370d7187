"""What was seen of ways to pip, told: whether each is guarded, and what closes the gap. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.values.guarding import Tried
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.guarding import Level

_SAYS: Mapping[str, str] = {
    "typed": "pip typed in a shell",
    "script": "pip in scripts, make, RUN",
    "activated": "pip after conda activate, in conda run",
    "path": "bin/pip by its path",
    "module": "python -m pip",
    "conda": "conda's pip: section",
    "kernel": "%pip and !pip in a notebook",
    "uv": "uv pip",
}
_DEEP = ("path", "module", "conda")
_ON_PATH = ("typed", "script", "uv")
_OLDEST, _NEWEST = (3, 10), (3, 17)
"""The Pythons that say how they were started, and that run a line of a path file."""
_SEALED = "externally managed"


@dataclass(frozen=True)
class Sight:
    """What was seen of one way to pip."""

    path: str
    answer: Mapping[str, str] | None
    """What safepip answered: `prefix`, or an `error`; None where it was not reached."""
    code: int | None
    said: str


@dataclass(frozen=True)
class Circumstances:
    """What decides on the ways out."""

    prefix: str
    levels: Collection[Level]
    minor: str
    """Of the environment's Python, as `3.11`."""
    shell: Shell
    active: bool
    """The environment is active here; else it was tried as after an activation."""
    off: bool
    """`SAFEPIP_GUARD=off` is set."""


def coverage(sights: Sequence[Sight], known: Circumstances) -> tuple[Tried, ...]:
    """Give a row for each way that was tried."""
    guarded = {sight.path: _guarded(sight, known) for sight in sights}
    return tuple(_row(sight, guarded, known) for sight in sights)


def _guarded(sight: Sight, known: Circumstances) -> bool | None:
    if sight.answer is not None:
        return bool(sight.answer.get("error")) or sight.answer.get("prefix") == known.prefix
    if sight.code is None or _failed(sight):
        return None
    return _is_stopped(sight)


def _failed(sight: Sight) -> bool:
    """Say whether nothing was seen because the trial itself failed: it says so at its end."""
    return sight.path == "kernel" and sight.code != 0


def _is_stopped(sight: Sight) -> bool:
    return sight.answer is None and _SEALED in sight.said.lower()


def _row(sight: Sight, guarded: Mapping[str, bool | None], known: Circumstances) -> Tried:
    state = guarded[sight.path]
    says = _SAYS[sight.path]
    if state is None:
        why = (sight.said.strip().splitlines() or [""])[-1]
        return Tried(sight.path, says, None, why=why)
    if state:
        error = (sight.answer or {}).get("error", "")
        on_path = sight.path in _ON_PATH and not known.active
        if _is_stopped(sight):
            return Tried(sight.path, says, True, why="stopped by the seal")  # noqa: FBT003 - as below
        why = f"refused here: {error}" if error else "once it is activated" if on_path else ""
        return Tried(sight.path, says, True, why=why)  # noqa: FBT003 - its name is said above
    why, fix = _way_out(sight, guarded, known)
    return Tried(sight.path, says, False, why=why, fix=fix)  # noqa: FBT003 - as above


def _way_out(
    sight: Sight, guarded: Mapping[str, bool | None], known: Circumstances
) -> tuple[str, str]:
    """Give what is to be said of a gap, and the command that closes it."""
    if known.off:
        return "SAFEPIP_GUARD=off", "unset SAFEPIP_GUARD"
    if sight.answer is not None:
        return f"it reaches {sight.answer.get('prefix')}", ""
    if sight.path == "uv":
        return _way_before_uv(guarded, known)
    if sight.path == "kernel":
        opened = (sight.said.strip().splitlines() or [""])[-1]
        return f"{opened} is not" if opened else "", known.shell.safepip(("guard", "on"))
    if sight.path in _DEEP:
        can = has_hook(known.minor)
        why = "" if can else f"not with Python {known.minor}"
        return why, known.shell.safepip(("guard", "on", "--deep")) if can else ""
    return _way_onto_path(guarded, known)


def _way_before_uv(guarded: Mapping[str, bool | None], known: Circumstances) -> tuple[str, str]:
    """Give what closes the gap: activation where pip wants that, too, and else a new shim."""
    if known.levels and not guarded.get("script"):
        return _way_onto_path(guarded, known)
    return "", known.shell.safepip(("guard", "on"))


def has_hook(minor: str) -> bool:
    """Say whether a Python of this release, as `3.11`, starts the hook, and can be asked by it."""
    return _OLDEST <= tuple(map(int, minor.split("."))) <= _NEWEST


def _way_onto_path(guarded: Mapping[str, bool | None], known: Circumstances) -> tuple[str, str]:
    if guarded.get("activated"):
        return "not on this PATH yet", known.shell.run("conda", "activate", known.prefix)
    return "", known.shell.safepip(("guard", "on"))
