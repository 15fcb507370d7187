"""The folder of the shims, taken off the `PATH` of a shell that is in use. Pure."""

from __future__ import annotations

import shlex

from safepip.decisions.fixing.commands import is_printable


def off_path(folder: str, path: str, typed_in: str) -> str:
    """Give the command that takes the folder off; empty where it is not there, or cannot be typed.

    To set `PATH` also has a shell forget where it has found a program: bash would go on to start
    the shim that is gone. ``typed_in``: the user's shell, as `bash`.
    """
    folders = path.split(":")
    if folder not in folders or not is_printable(path):
        return ""
    if typed_in == "fish":
        return f"set -e PATH[{folders.index(folder) + 1}]"
    if folders[0] == folder and len(folders) > 1:
        return f"PATH=${{PATH#{shlex.quote(f'{folder}:')}}}"
    return f"PATH={shlex.quote(':'.join(one for one in folders if one != folder))}"
