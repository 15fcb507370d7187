"""`exec -- COMMAND`: any command, with safepip's shims before every pip on `PATH`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from safepip.effects.shims import become_command
from safepip.values.errors import UsageError
from safepip.values.text import shown

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions

_HELP = """\
Usage: safepip exec -- COMMAND [ARGUMENTS]

  Run a command with safepip's shims before every pip on PATH, so that `pip
  install` in scripts, make, tox or a Dockerfile's RUN is guarded:

    SHELL ["/opt/conda/bin/safepip", "exec", "--", "/bin/sh", "-c"]

  What activates an environment itself, or calls `python -m pip`, passes it by:
  see `safepip guard on --deep`.
"""


def execute(own: OwnOptions, words: list[str]) -> NoReturn:
    """Become the command.

    Raises: UsageError, NoCommand, CannotStart.
    """
    if words in (["--help"], ["-h"]):
        print(_HELP, end="")
        raise SystemExit(0)
    if own != type(own)():
        raise UsageError("`exec` takes no options of safepip's: name them to what is run")
    command = words[1:] if words[:1] == ["--"] else words
    if not command or (command == words and command[0].startswith("-")):
        option = f", and `{shown(command[0])}` is an option" if command else ""
        raise UsageError(f"expected a command{option}: safepip exec -- COMMAND [ARGUMENTS]")
    become_command(command, os.environ)
