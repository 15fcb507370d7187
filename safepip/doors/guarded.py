"""Guarded commands: from the arguments to a `Request`; what is not conda's goes to pip at once.

Light up to there: what only a guarded command needs is imported when it is known to be one.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from safepip.doors.arguments import OwnOptions, said_again, split
from safepip.doors.forms import check_forms, refuse_forms_elsewhere
from safepip.doors.saying import say_bug, say_error, say_interrupted
from safepip.doors.target import target_of
from safepip.doors.terminal import say
from safepip.effects.plain import become_pip
from safepip.values.errors import SafepipError
from safepip.values.verbs import GUARDED

if TYPE_CHECKING:
    from safepip.values.target import Target

_DISTRIBUTION = "conda-safepip"
"""As pip knows safepip."""


def run(verb: str, given: list[str], *, as_module: bool) -> int:
    """Carry out one guarded command, say how it ended, and give the exit code."""
    if verb == "plan" and {"--help", "-h"}.intersection(given):
        from safepip.doors.help import asks_for_help, show_plan_help

        if asks_for_help(given):
            return show_plan_help()
    own, arguments = split(given)
    _open_streams()
    try:
        return _run(verb, own, arguments, as_module=as_module)
    except SafepipError as error:
        return say_error(error, verb=verb, as_json=own.json)
    except KeyboardInterrupt:
        return say_interrupted("interrupted; nothing was changed", as_json=own.json)
    except Exception:  # noqa: BLE001 - a bug may be anything, and is told here and nowhere else
        return say_bug(as_json=own.json)


def _open_streams() -> None:
    """Have something on the three standard handles: else the next file that is opened is on one."""
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
            os.set_inheritable(handle, True)  # noqa: FBT003 - that is its signature
    if os.environ.get("JPY_PARENT_PID") and os.isatty(0):
        # In a notebook nobody can answer what looks like a terminal: pip would wait for ever.
        nobody = os.open(os.devnull, os.O_RDWR)
        os.dup2(nobody, 0)
        os.close(nobody)


def _run(verb: str, own: OwnOptions, arguments: list[str], *, as_module: bool) -> int:
    python: str | None = None
    at = 0
    if verb == "ask":
        from safepip.effects.engines import verb_and_python  # pip is seldom asked for its verb

        verb, at, python = verb_and_python(arguments, os.environ)
    check_forms(own, verb)
    more = said_again(own) if verb in GUARDED else []
    said = [*arguments[: at + 1], *more, *arguments[at + 1 :]]
    target = target_of(own, said, as_module=as_module, pip_python=python)
    refuse_forms_elsewhere(own, target)
    if verb == "plan":
        arguments = [*arguments[:at], "install", *arguments[at + 1 :]]
    if not target.is_conda or verb not in GUARDED:
        dry = ["--dry-run"] if verb == "plan" else []
        become_pip(target, [*arguments[: at + 1], *dry, *arguments[at + 1 :]])
    if verb == "uninstall" and target.prefix == os.path.realpath(sys.prefix):
        _say_what_stays_behind(target, arguments)
    from safepip.doors.carrying_out import carry_out
    from safepip.doors.policy import policy_of
    from safepip.values.request import Request

    policy = policy_of(own, target.prefix)
    request = Request(verb, tuple(arguments), policy, target)  # type: ignore[arg-type]
    return carry_out(request, own, redirected=python is not None)


def _say_what_stays_behind(target: Target, arguments: list[str]) -> None:
    """Say that the guard of an environment needs the safepip that is about to go."""
    from safepip.values.guarding import MANIFEST  # seldom needed

    if not os.path.isfile(f"{target.prefix}/{MANIFEST}"):
        return
    from safepip.decisions.fixing.shell import shell_of
    from safepip.values.text import normalised

    if _DISTRIBUTION in map(normalised, arguments):
        text = "the guard of this environment stays, and misses safepip with each call of pip; "
        off = shell_of(target).safepip(("guard", "off"))
        say(f"{text}to take it away, say `{off}` first")
