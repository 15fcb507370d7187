"""`safepip uv …`: uv itself, but for what changes a conda environment, which is guarded."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.uv.words import VERBS
from safepip.doors.saying import say_bug, say_error, say_interrupted
from safepip.effects.prefixes import programs_on_path
from safepip.effects.targets import Call, said_from_outside
from safepip.effects.uv_target import become_uv, find_uv, read_command, uv_target
from safepip.values.errors import CannotJudge, SafepipError, UsageError
from safepip.values.request import THROUGH

if TYPE_CHECKING:
    from safepip.decisions.uv.words import UvCommand
    from safepip.doors.arguments import OwnOptions
    from safepip.values.request import Verb
    from safepip.values.target import Target


def run(own: OwnOptions, words: list[str], *, as_module: bool) -> int:
    """Carry out a command of uv's, and give the exit code.

    safepip's own options stand before `uv`: behind it, `--strict` is uv's own.
    """
    try:
        return _run(own, words, as_module=as_module)
    except SafepipError as error:
        return say_error(error, as_json=own.json)
    except KeyboardInterrupt:
        return say_interrupted("interrupted; nothing was changed", as_json=own.json)
    except Exception:  # noqa: BLE001 - a bug may be anything, and is told here and nowhere else
        return say_bug(as_json=own.json)


def _run(own: OwnOptions, words: list[str], *, as_module: bool) -> int:
    environ = os.environ
    uv = find_uv(environ)
    if "pip" not in words or not set(VERBS).intersection(words):
        is_pips = next((w for w in words if not w.startswith("-")), "") == "pip"
        _pass(uv, words, _said(own, (), as_module=as_module) if is_pips else None)
    command = read_command(uv, words, environ)
    said = None
    if own.env is not None or not command.has("--python"):
        said = _said(own, command.words if command.verb else (), as_module=as_module)
    if command.verb not in VERBS or command.has("--help", "--version", "--check"):
        _pass(uv, words, said if command.verb else None)
    target = said or uv_target(uv, command, _call(command.words))
    if target is None or not target.is_conda:
        _pass(uv, words, said)
    if "SAFEPIP_PROBE" in environ:
        from safepip.doors.probed import answer_for

        return answer_for({"prefix": target.prefix})
    if command.verb == "sync":
        raise _cannot_sync(command, target)
    if own.table or own.markdown or own.html is not None or own.tree:
        raise UsageError("the forms of a plan are options of `plan`, which is pip's")
    from safepip.doors.guarded import carry_out
    from safepip.doors.policy import policy_of
    from safepip.values.request import Request

    verb: Verb = "install" if command.verb == "install" else "uninstall"
    policy = policy_of(own, target.prefix)
    return carry_out(Request(verb, command.words, policy, target, uv=uv), own)


def _said(own: OwnOptions, words: tuple[str, ...], *, as_module: bool) -> Target | None:
    """Give the environment that was said to safepip, and not to uv; None where that was none.

    Raises: WrongEnvironment.
    """
    if own.env is None:
        return said_from_outside(_call(words))
    from safepip.doors.target import target_of

    return target_of(own, words, as_module=as_module, is_for_pip=False, through=THROUGH)


def _call(words: tuple[str, ...]) -> Call:
    which = programs_on_path
    return Call(os.environ, sys.prefix, which, words, is_for_pip=False, through=THROUGH)


def _pass(uv: str, words: list[str], said: Target | None) -> NoReturn:
    """Become uv, for the environment that was said to safepip, if any was."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it may have been closed before the start
            stream.flush()
    become_uv(uv, words, os.environ, said.python if said is not None else "")


def _cannot_sync(command: UvCommand, target: Target) -> CannotJudge:
    from dataclasses import replace

    from safepip.decisions.fixing.shell import shell_of
    from safepip.values.verdict import Fix

    shell = replace(shell_of(target), through=THROUGH)
    files = tuple(word for file in command.names for word in ("-r", file))
    install = Fix(shell.safepip(("install", *files)), "install what the file asks for")
    return CannotJudge(
        f"`uv pip sync` removes all that its file does not name from `{target.prefix}`",
        why="conda's packages are among that, Python's own and pip too",
        fixes=[install] if files else [],
    )
