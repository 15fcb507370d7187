"""What was seen of ways to pip, told: whether each is guarded, and what closes the gap. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.guarding.startup import SHELLS
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
_NEW = "new"
"""What is typed in a shell that is started now; no row of its own."""
_DEEP = ("path", "module", "conda")
_ON_PATH = ("typed", "script", "uv")
_BY_SCRIPT = ("typed", "script", "path")
"""Ways by the environment's `bin/pip`, whose first line may name another Python."""
_CANNOT_START = (126, 127)
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
    means: str = ""
    """What `pip` is where it is typed: a path, or the words of an alias or function."""


@dataclass(frozen=True)
class Circumstances:
    """What decides on the ways out."""

    prefix: str
    levels: Collection[Level]
    minor: str
    """Of the environment's Python, as `3.11`."""
    shell: Shell
    active: bool
    """The environment is in use here; else it was tried as after an activation."""
    off: str
    """The variable that turns the guard off, as `NAME=value`; empty where none does."""
    typed_in: str = ""
    """The user's shell: `bash`."""
    before_uv: bool = False
    """There is a shim to stand before uv."""
    mends: str = ""
    """The command that has the environment's `bin/pip` start its own Python again; empty where it
    does, or cannot be had to."""
    seal: str | None = None
    """What pip says where the environment is sealed, by whomever; None where it is not."""
    whole: bool = False
    """All that the guard has written is there, as it was written."""


def coverage(sights: Sequence[Sight], known: Circumstances) -> tuple[Tried, ...]:
    """Give a row for each way that was tried.

    What is typed has one for two: in this shell, and in one that its startup file has made anew.
    """
    guarded = {sight.path: _guarded(sight, known) for sight in sights}
    new = next((sight for sight in sights if sight.path == _NEW and _is_open(sight, known)), None)
    return tuple(
        _row_of_new(new, known)
        if new is not None and sight.path == "typed" and guarded["typed"]
        else _row(sight, guarded, known)
        for sight in sights
        if sight.path != _NEW
    )


def _is_open(new: Sight, known: Circumstances) -> bool:
    """Say whether what a new shell finds is this environment's own pip, before any shim."""
    is_own = new.means.rpartition("/")[0] == f"{known.prefix}/bin"
    return is_own and _guarded(new, known) is False and not known.off


def _row_of_new(new: Sight, known: Circumstances) -> Tried:
    why = f"a new shell finds `{new.means}` first"
    fix = _way_for_typed(new.means, known)
    return Tried("typed", _SAYS["typed"], False, why=why, fix=fix)  # noqa: FBT003 - as below


def _guarded(sight: Sight, known: Circumstances) -> bool | None:
    if sight.answer is not None:
        return bool(sight.answer.get("error")) or sight.answer.get("prefix") == known.prefix
    if sight.code is None or _failed(sight):
        return None
    return _is_stopped(sight, known)


def _failed(sight: Sight) -> bool:
    """Say whether nothing was seen because the trial itself failed: it says so at its end."""
    return sight.path == "kernel" and sight.code != 0


def _is_stopped(sight: Sight, known: Circumstances) -> bool:
    """Say whether the environment's own seal was met, and not that of another Python on `PATH`."""
    if sight.answer is not None or known.seal is None or _SEALED not in sight.said.lower():
        return False
    return _in_one_line(known.seal) in _in_one_line(sight.said)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _row(sight: Sight, guarded: Mapping[str, bool | None], known: Circumstances) -> Tried:
    state = guarded[sight.path]
    says = _SAYS[sight.path]
    if state is None:
        why = (sight.said.strip().splitlines() or [""])[-1]
        return Tried(sight.path, says, None, why=why)
    if state:
        error = (sight.answer or {}).get("error", "")
        on_path = sight.path in _ON_PATH and not known.active
        if _is_stopped(sight, known):
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
        name = known.off.partition("=")[0]
        return known.off, f"set -e {name}" if known.typed_in == "fish" else f"unset {name}"
    if sight.answer is not None or (known.mends and leads_out(sight, known.prefix)):
        return _way_back(sight, guarded, known)
    if sight.path == "typed" and (guarded.get("script") or sight.means[:1] not in ("", "/")):
        return _why_of_shell(sight.means), _way_for_typed(sight.means, known)
    return _way_by_hooks(sight, guarded, known)


def leads_out(sight: Sight, prefix: str) -> bool:
    """Say whether a way led to another environment, or to a Python that is not there."""
    if sight.answer is not None:
        return sight.answer.get("prefix") != prefix and not sight.answer.get("error")
    return sight.path in _BY_SCRIPT and sight.code in _CANNOT_START


def _way_back(
    sight: Sight, guarded: Mapping[str, bool | None], known: Circumstances
) -> tuple[str, str]:
    """Give the same for a way that leads out, with what it takes once it does no more.

    That comes first: the repair ends with 1 where something else is damaged still.
    """
    place = (sight.answer or {}).get("prefix")
    why = f"it reaches {place}" if place else "what its first line starts is not there"
    if not known.mends or sight.path not in _BY_SCRIPT:
        return why, ""
    more = "" if "deep" in known.levels else _way_by_hooks(sight, guarded, known)[1]
    return why, known.shell.then(more, known.mends) if more else known.mends


def _way_by_hooks(
    sight: Sight, guarded: Mapping[str, bool | None], known: Circumstances
) -> tuple[str, str]:
    """Give the same where no shell is in between."""
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


def _why_of_shell(means: str) -> str:
    """Say what stands before the shims where somebody types, though they are first on `PATH`."""
    if means.startswith("/"):
        return f"the shell finds `{means}` first"
    return (
        f"by the shell's `{means}`" if means.startswith("alias ") else "by a function of the shell"
    )


def _way_for_typed(means: str, known: Circumstances) -> str:
    """Give what goes before all that a startup file does: functions at its end, or the hook.

    Those of fish have a file of their own, which it reads before the others.
    """
    is_path, is_fish = means.startswith("/"), known.typed_in == "fish"
    if known.typed_in in SHELLS and (is_path or not is_fish):
        return known.shell.itself("shell-init", known.typed_in, "--write")
    if has_hook(known.minor) and "deep" not in known.levels:
        return known.shell.safepip(("guard", "on", "--deep"))
    return "functions -e pip" if is_fish else "unalias pip" if means.startswith("alias ") else ""


def _way_before_uv(guarded: Mapping[str, bool | None], known: Circumstances) -> tuple[str, str]:
    """Give what closes the gap: activation where pip wants that, too, and else a new shim.

    (The hook, which reaches pip all the same, does not stand before uv.)
    """
    if known.before_uv or (known.levels and not guarded.get("script")):
        return _way_onto_path(guarded, known)
    return "", known.shell.safepip(("guard", "on"))


def has_hook(minor: str) -> bool:
    """Say whether a Python of this release, as `3.11`, starts the hook, and can be asked by it."""
    return _OLDEST <= tuple(map(int, minor.split("."))) <= _NEWEST


def _way_onto_path(guarded: Mapping[str, bool | None], known: Circumstances) -> tuple[str, str]:
    if guarded.get("activated"):
        return "not on this PATH yet", known.shell.run("conda", "activate", known.prefix)
    if known.levels and known.whole:
        return "something stands before the guard on PATH", ""
    return "", known.shell.safepip(("guard", "on"))
