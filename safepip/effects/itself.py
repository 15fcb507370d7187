"""safepip as others start it, and the texts that it has for them."""

from __future__ import annotations

import sys
from pathlib import Path

from safepip.decisions.fixing.commands import command_line
from safepip.effects.called import own_scripts
from safepip.values.verdict import Fix

_FOLDER = Path(__file__).parent
_NOTEBOOKS = _FOLDER.parent / "doors" / "ipython.py"
# By `-c` and not by `-m`: that would make the environment that safepip lives in the one that is
# meant. The working folder, which Python puts first, is not where safepip comes from.
_START = (
    "import sys; sys.path[:1] = sys.path[:1] if sys.path[0] else []; "
    "from safepip.doors.launch import main; sys.exit(main())"
)


def own_command() -> tuple[str, ...]:
    """Give the words that start this very safepip, wherever it is called from."""
    script = next(own_scripts(), None)
    return (script,) if script is not None else (sys.executable, "-c", _START)


def own_package() -> str:
    """Give the folder of this very safepip: without it, the words that start it start nothing."""
    return str(_FOLDER.parent)


def library_beside(requirement: str) -> Fix:
    """Give the command that installs a library where this very safepip finds it."""
    command = command_line(sys.executable, "-m", "pip", "install", requirement)
    name = requirement.partition(">")[0]
    return Fix(command, f"have {name} beside safepip")


def shims_of_its_own() -> str:
    """Give the folder of shims that comes with safepip, for `PATH`."""
    return str(_FOLDER / "shell" / "shims")


def shims_for_uv() -> str:
    """Give the folder with the one for uv alone."""
    return str(_FOLDER / "shell" / "shims-uv")


def read_texts() -> dict[str, str]:
    """Give the scripts for shells, the hook and the extension of IPython, by their names."""
    files = [file for file in _FOLDER.joinpath("shell").rglob("*") if file.is_file()]
    files.append(_FOLDER / "hook.py")
    texts = {file.relative_to(_FOLDER).as_posix(): file.read_text("utf-8") for file in files}
    return {**texts, _NOTEBOOKS.name: _NOTEBOOKS.read_text("utf-8")}
