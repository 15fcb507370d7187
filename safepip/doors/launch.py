"""The command line. Light: what is not guarded must reach pip as if safepip were not there.

Anything that only a guarded command needs is imported where it is used.
"""

from __future__ import annotations

import gc
import os
import sys

from safepip.doors import results
from safepip.doors.arguments import OwnOptions, leading_only
from safepip.doors.recovering import recover_first
from safepip.doors.target import target_of
from safepip.effects.plain import HANDED, become_pip
from safepip.values.verbs import GUARDED, HOOKS, OWN


def main(arguments: list[str] | None = None, *, as_module: bool = False) -> int:
    """Run one command, and give the exit code for the process to end with."""
    os.environ.pop(HANDED, None)
    if arguments is None and os.environ.get("PYTHONPATH"):
        _have_own_packages_first()
    results.begin()
    code = _answer(list(sys.argv[1:] if arguments is None else arguments), as_module=as_module)
    if arguments is None:
        gc.freeze()  # all of it goes with the process: Python need not look through it before
    return code


def _have_own_packages_first() -> None:
    """Take what safepip needs from where it is installed, and not from `PYTHONPATH`.

    That is set for other programs, and a `click` or `packaging` there is theirs. pip has what it
    needs within itself.
    """
    own = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    given = map(os.path.abspath, os.environ["PYTHONPATH"].split(os.pathsep))
    sys.path.sort(key=({*given} - {own}).__contains__)


def _answer(given: list[str], *, as_module: bool) -> int:
    try:
        own, rest = leading_only(given)
        if not given and "PIP_AUTO_COMPLETE" in os.environ:
            from safepip.doors.completing import complete

            complete()
        if own.json and not rest:
            from safepip.doors.forms import refuse_json_alone

            refuse_json_alone()
        if not rest or rest[0] in ("--help", "-h"):
            from safepip.doors.help import show_help

            return show_help()
        return _run(own, rest, given, as_module=as_module)
    except KeyboardInterrupt:
        from safepip.doors.saying import say_interrupted

        return say_interrupted("interrupted; nothing was changed", as_json="--json" in given)
    except Exception as error:  # noqa: BLE001 - a bug may be anything
        from safepip.doors.saying import say_bug, say_error
        from safepip.values.errors import SafepipError

        as_json = "--json" in given
        if not isinstance(error, SafepipError):
            return say_bug(as_json=as_json)
        return say_error(error, verb="pip", as_json=as_json)


def _run(own: OwnOptions, rest: list[str], given: list[str], *, as_module: bool) -> int:
    verb = _guarded_verb(rest)
    if verb is not None and "SAFEPIP_PROBE" in os.environ:
        from safepip.doors.probed import answer

        return answer(own, rest, as_module=as_module)
    if verb is not None:
        # Next to nothing becomes garbage while a short command imports and reads.
        gc.set_threshold(100_000)
        from safepip.doors.guarded import run

        return run(verb, given, as_module=as_module)
    if rest[0] == "uv":
        from safepip.doors.uv import run as run_uv

        return run_uv(own, rest[1:], as_module=as_module)
    if rest[0] in HOOKS:
        from safepip.doors.hooks import run as run_hook

        return run_hook(rest[0], own, rest[1:], as_module=as_module)
    if rest[0] in OWN:
        from safepip.doors.changes import run as run_own

        return run_own(rest[0], own, rest[1:], as_module=as_module)
    return _pass_through(own, rest, as_module=as_module)


def _guarded_verb(rest: list[str]) -> str | None:
    """Give the guarded verb that pip will find in these arguments, if any.

    A verb of pip is never abbreviated, so where none of the words stands there is none. Where one
    stands behind options, only pip's parser knows whether it is the verb.
    """
    if rest[0] in GUARDED:
        return rest[0]
    if not rest[0].startswith("-") or not set(GUARDED).intersection(rest):
        return None
    return "ask"


def _pass_through(own: OwnOptions, rest: list[str], *, as_module: bool) -> int:
    target = target_of(own, rest, as_module=as_module)
    if own.json:
        from safepip.doors.forms import refuse_json

        refuse_json(target, rest)
    if target.is_conda:
        recover_first(target.prefix)
    become_pip(target, rest[1:] if rest[0] == "pip" else rest)
