"""`safepip uv …`: uv itself, but for what changes a conda environment, which is guarded."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.uv.projects import WORDS
from safepip.decisions.uv.words import VERBS, UnknownOption
from safepip.doors.recovering import recover_around
from safepip.doors.saying import say_bug, say_error, say_interrupted
from safepip.doors.uv_refusing import (
    knows_better,
    refuse_elsewhere,
    refuse_for_a_project,
    refuse_forms,
    refuse_json,
    refuse_sync,
)
from safepip.effects.called import words_to_type
from safepip.effects.prefixes import programs_on_path
from safepip.effects.targets import Call, said_from_outside
from safepip.effects.uv_target import (
    asked_elsewhere,
    become_uv,
    find_uv,
    read_command,
    uv_target,
)
from safepip.values.errors import NoCommand, SafepipError
from safepip.values.request import THROUGH

if TYPE_CHECKING:
    from safepip.decisions.uv.words import UvCommand
    from safepip.doors.arguments import OwnOptions
    from safepip.values.request import Verb
    from safepip.values.target import Target

_CHANGE_NOTHING = ("--help", "--version", "--check", "--show-settings")


def run(own: OwnOptions, words: list[str], *, as_module: bool) -> int:
    """Carry out a command of uv's, and give the exit code.

    safepip's own options stand before `uv`: behind it, `--strict` is uv's own.
    """
    try:
        return _run(own, words, as_module=as_module)
    except SafepipError as error:
        verb = next((word for word in words if word in WORDS or word in VERBS), "install")
        return say_error(error, verb=verb, as_json=own.json)
    except KeyboardInterrupt:
        return say_interrupted("interrupted; nothing was changed", as_json=own.json)
    except Exception:  # noqa: BLE001 - a bug may be anything, and is told here and nowhere else
        return say_bug(as_json=own.json)


def _run(own: OwnOptions, words: list[str], *, as_module: bool) -> int:
    environ = os.environ
    uv = _uv(own, as_module=as_module)
    in_notebook = bool(_call(()).kernel)
    if not WORDS.isdisjoint(words):
        refuse_for_a_project(uv, words, environ, in_notebook=in_notebook)
    if "pip" not in words or not set(VERBS).intersection(words):
        if own.json:
            refuse_json(own, words, in_notebook=in_notebook)
        is_pips = next((w for w in words if not w.startswith("-")), "") == "pip"
        _pass(uv, words, _said(own, (), as_module=as_module) if is_pips else None)
    try:
        command = read_command(uv, words, environ)
    except UnknownOption as error:
        if not knows_better(uv, own, words, error, in_notebook=in_notebook):
            raise
        _pass(uv, words, None)
    said = None
    if own.env is not None or not command.has("--python"):
        said = _said(own, command.words if command.verb else (), as_module=as_module)
    if own.json and command.verb not in VERBS:
        refuse_json(own, words, in_notebook=in_notebook)
    if command.verb not in VERBS or command.has(*_CHANGE_NOTHING):
        _pass(uv, words, said if command.verb else None)
    return _change(uv, own, words, command, said)


def _change(
    uv: str, own: OwnOptions, words: list[str], command: UvCommand, said: Target | None
) -> int:
    """Carry out a command that changes an environment; plain uv does where that is not conda's.

    Raises: SafepipError.
    """
    environ = os.environ
    in_notebook = bool(_call(()).kernel)
    target = said or uv_target(uv, command, _call(command.words))
    conda_s = target if target is not None and target.is_conda else None
    if conda_s is not None and "SAFEPIP_PROBE" in environ:
        from safepip.doors.probed import answer_for

        return answer_for({"prefix": conda_s.prefix})
    elsewhere = asked_elsewhere(uv, command, environ)
    if elsewhere is not None:
        refuse_elsewhere(own, command, elsewhere, in_notebook=in_notebook)
    if conda_s is None or elsewhere is not None:
        _pass(uv, words, said)
    if command.verb == "sync":
        refuse_sync(command, conda_s)
    if own.table or own.markdown or own.html is not None or own.tree:
        refuse_forms(own, words, in_notebook=in_notebook)
    from safepip.doors.carrying_out import carry_out
    from safepip.doors.policy import policy_of
    from safepip.values.request import Request

    verb: Verb = "install" if command.verb == "install" else "uninstall"
    policy = policy_of(own, conda_s.prefix)
    return carry_out(Request(verb, command.words, policy, conda_s, uv=uv), own)


def _uv(own: OwnOptions, *, as_module: bool) -> str:
    """Give the uv on `PATH`, or that of the environment: the module `uv` is started without a path.

    Raises: NoCommand, WrongEnvironment.
    """
    try:
        return find_uv(os.environ)
    except NoCommand:
        target = _said(own, (), as_module=as_module)
        if target is None:
            raise
        return find_uv({"PATH": f"{target.prefix}/bin"})


def _said(own: OwnOptions, words: tuple[str, ...], *, as_module: bool) -> Target | None:
    """Give the environment that was said to safepip, and not to uv; None where that was none.

    Raises: WrongEnvironment.
    """
    if own.env is None:
        return said_from_outside(_call(words))
    from safepip.doors.target import target_of

    return target_of(own, words, as_module=as_module, is_for_pip=False, through=THROUGH)


def _call(words: tuple[str, ...]) -> Call:
    return Call(
        os.environ,
        sys.prefix,
        programs_on_path,
        words,
        is_for_pip=False,
        through=THROUGH,
        start=words_to_type(os.environ),
    )


def _pass(uv: str, words: list[str], said: Target | None) -> NoReturn:
    """Become uv, for the environment that was said to safepip, if any was."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it may have been closed before the start
            stream.flush()
    recover_around(os.environ)
    become_uv(uv, words, os.environ, said.python if said is not None else "")
