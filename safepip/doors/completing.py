"""Completion in a shell, by pip's own protocol: words in variables, answers on stdout.

What is safepip's own is completed here, and everything else by the environment's pip.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from safepip.doors.arguments import FLAGS, VALUES, OwnOptions
from safepip.doors.target import target_of
from safepip.effects.plain import become_pip
from safepip.values.verbs import GUARDED, HOOKS, OWN

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS, _AT = "COMP_WORDS", "COMP_CWORD"
_OWN = (*OWN, *HOOKS)


def complete() -> NoReturn:
    """Print what may stand at the word that is being typed, and end.

    Raises: WrongEnvironment, NoEngine.
    """
    words = os.environ.get(_WORDS, "").split()[1:]
    given = os.environ.get(_AT, "")
    at = int(given) - 1 if given.isdecimal() else 0
    start = words[at] if at < len(words) else ""
    verb = words[0] if words and at > 0 else ""
    if verb in _OWN:
        _print(_of_own_verb(verb), start)
        sys.exit(1)  # as pip ends
    if at == 0:
        _print([*_OWN, "plan", "uv", "pip", *VALUES, *FLAGS], start)
    elif verb in GUARDED:
        _print([*VALUES, *FLAGS], start)
    if verb in ("plan", "pip"):
        _stand_in(words, at, "install" if verb == "plan" else "")
    become_pip(target_of(OwnOptions(), [], as_module=False), [])


def _of_own_verb(verb: str) -> Iterable[str]:
    import click

    from safepip.doors.changes import commands

    for parameter in commands()[verb].params:
        if isinstance(parameter, click.Option):
            yield from parameter.opts
        elif isinstance(parameter.type, click.Choice):
            yield from parameter.type.choices


def _print(words: Iterable[str], start: str) -> None:
    # An option only where one is begun, as in pip.
    found = [w for w in words if w.startswith(start) and (start or not w.startswith("-"))]
    if found:
        sys.stdout.write("\n".join(found) + "\n")


def _stand_in(words: list[str], at: int, verb: str) -> None:
    """Have pip complete a verb that it does not know by one that it knows."""
    rest = [verb, *words[1:]] if verb else words[1:]
    os.environ[_WORDS] = " ".join(["pip", *rest])
    os.environ[_AT] = str(at + 1 if verb else at)
