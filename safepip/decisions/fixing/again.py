"""The user's own command once more, changed so that it works. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import (
    can_be_repeated,
    command_line,
    is_printable,
    without_options,
)
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from safepip.decisions.fixing.shell import Shell
    from safepip.values.retry import Retry


def again(
    shell: Shell, arguments: tuple[str, ...], options: tuple[str, ...], retry: Retry
) -> tuple[Fix, ...]:
    """Give the command that ``retry`` describes; none where it cannot be given whole.

    ``arguments`` are pip's own, without secrets, beginning with pip's verb; ``options`` are
    safepip's.
    """
    if not can_be_repeated(arguments):
        return ()
    left = without_options(arguments, retry.without)
    if retry.without and left == arguments and not (retry.more or retry.variables):
        return ()  # the option stands in a file
    verb, *rest = left
    if retry.prefix:
        shell = replace(shell, prefix=retry.prefix, obvious=False)
    command = shell.safepip((verb, *retry.more, *rest), (*options, *retry.own))
    if retry.variables:
        # A magic of IPython takes no variables.
        command = "" if shell.in_notebook else f"{_with(retry)} {command}"
    command = shell.then(*(shell.run(*words) for words in retry.first), command)
    fix = Fix(command, retry.says)
    return (fix,) if can_be_pasted(command, in_notebook=shell.in_notebook) else ()


def _with(retry: Retry) -> str:
    unset = [word for name, value in retry.variables if value is None for word in ("-u", name)]
    given = [f"{name}={value}" for name, value in retry.variables if value is not None]
    return command_line("env", *unset, *given)


def can_be_pasted(command: str, *, in_notebook: bool) -> bool:
    """Say whether the command stays what it is: IPython replaces `$` and braces by values."""
    if not command or (in_notebook and re.search(r"[{}$]", command)):
        return False
    return all(is_printable(line) for line in command.split("\n"))
