"""Becoming a command that finds safepip's shims before every other pip."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from safepip.effects.itself import own_command, shims_for_uv, shims_of_its_own
from safepip.effects.plain import HANDED, INSIDE
from safepip.effects.prefixes import SHIMS_MARK, programs_on_path
from safepip.values.errors import CannotStart, NoCommand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_OURS = ("SAFEPIP_EXE_CODE", HANDED, INSIDE, "SAFEPIP_TARGET_PREFIX")


def become_command(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by a command, with the guard on and the shims first on `PATH`.

    Nothing is written anywhere: the shims are those that come with safepip.

    Raises: NoCommand, CannotStart.
    """
    shims = shims_of_its_own()
    if not os.access(f"{shims}/pip", os.X_OK) or not os.path.isfile(f"{shims}/{SHIMS_MARK}"):
        raise CannotStart(f"`{shims}/pip` is not as it was installed: install safepip anew")
    path = environ.get("PATH", os.defpath)
    folders = [shims]
    # Only where there is a uv: else programs would take the shim for one.
    folders += [shims_for_uv()] if any(True for _ in programs_on_path("uv", path)) else []
    changed = {**environ, "PATH": os.pathsep.join([*folders, *filter(None, [path])])}
    if environ.get("SAFEPIP_GUARD", "off") in ("", "on", "off"):  # else it counts as `required`
        changed["SAFEPIP_GUARD"] = "on"
    # What stands around this command is not for those that it starts.
    for name in _OURS:
        changed.pop(name, None)
    changed["SAFEPIP_EXE"], *code = own_command()
    if code:
        changed["SAFEPIP_EXE_CODE"] = code[-1]
    try:
        os.execvpe(command[0], list(command), changed)  # noqa: S606 - no shell, ever
    except FileNotFoundError as error:
        raise NoCommand(f"found no `{command[0]}`") from error
    except OSError as error:
        raise CannotStart(f"cannot run `{command[0]}`: {error.strerror}") from error
