"""`safepip uv …`: uv itself, but for what changes a conda environment, which is guarded."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.uv.words import VERBS, UnknownOption, environment_of_project, parted
from safepip.doors.arguments import FLAGS, VALUES, said_again
from safepip.doors.saying import say_bug, say_error, say_interrupted
from safepip.effects.destination import conda_prefix_above
from safepip.effects.prefixes import is_conda_prefix, programs_on_path
from safepip.effects.targets import Call, said_from_outside
from safepip.effects.uv_target import ask_option, become_uv, find_uv, read_command, uv_target
from safepip.values.errors import CannotJudge, NoCommand, SafepipError, UsageError
from safepip.values.request import THROUGH
from safepip.values.text import shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.decisions.uv.words import UvCommand
    from safepip.doors.arguments import OwnOptions
    from safepip.values.request import Verb
    from safepip.values.target import Target
    from safepip.values.verdict import Fix

_OWN = tuple(name for name in (*FLAGS, *VALUES) if name != "--strict")
"""Options of safepip that uv has not, too."""
_CHANGE_NOTHING = ("--help", "--version", "--check", "--show-settings")


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
    uv = _uv(own, as_module=as_module)
    _refuse_for_a_project(words, environ)
    if "pip" not in words or not set(VERBS).intersection(words):
        is_pips = next((w for w in words if not w.startswith("-")), "") == "pip"
        _pass(uv, words, _said(own, (), as_module=as_module) if is_pips else None)
    try:
        command = read_command(uv, words, environ)
    except UnknownOption as error:
        _refuse_unknown(uv, own, words, error)
    said = None
    if own.env is not None or not command.has("--python"):
        said = _said(own, command.words if command.verb else (), as_module=as_module)
    if command.verb not in VERBS or command.has(*_CHANGE_NOTHING):
        _pass(uv, words, said if command.verb else None)
    target = said or uv_target(uv, command, _call(command.words))
    if target is None or not target.is_conda:
        _pass(uv, words, said)
    if "SAFEPIP_PROBE" in environ:
        from safepip.doors.probed import answer_for

        return answer_for({"prefix": target.prefix})
    if command.verb == "sync":
        raise _cannot_sync(command, target)
    if command.has("--prefix"):
        _elsewhere(uv, words, command, target, said)
    if own.table or own.markdown or own.html is not None or own.tree:
        raise UsageError("the forms of a plan are options of `plan`, which is pip's")
    from safepip.doors.guarded import carry_out
    from safepip.doors.policy import policy_of
    from safepip.values.request import Request

    verb: Verb = "install" if command.verb == "install" else "uninstall"
    policy = policy_of(own, target.prefix)
    return carry_out(Request(verb, command.words, policy, target, uv=uv), own)


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


def _refuse_unknown(uv: str, own: OwnOptions, words: list[str], error: UnknownOption) -> NoReturn:
    """Have uv say what it does not know; refuse what it knows, and safepip's own behind its verb.

    Raises: UsageError, UnknownOption.
    """
    name = error.name
    if name in _OWN:
        rest: tuple[str, ...] = tuple(words)
        front: list[str] = []
        for one in _OWN:
            moved, rest = parted(rest, one, takes_value=one in VALUES)
            front += moved
        said = f"`{name}` is an option of safepip, and stands before `uv`"
        raise UsageError(said, fixes=_again(own, front, rest)("say it there"))
    known = ask_option(uv, words, name, os.environ)
    if known == "unknown":
        _pass(uv, words, None)
    _, rest = parted(words, name, takes_value=known == "value")
    error.fixes = _again(own, (), rest)("do it without that")
    raise error


def _again(
    own: OwnOptions, more: Sequence[str], words: Sequence[str]
) -> Callable[[str], tuple[Fix, ...]]:
    """Give what makes a fix of the command, with these options of safepip's and words of uv's."""
    env = ("--env", own.env) if own.env is not None else ()
    shell = _shell()
    command = shell.safepip(("uv", *words), (*env, *said_again(own), *more))
    return lambda says: _fixes(command, words, says, shell)


def _fixes(command: str, words: Sequence[str], says: str, shell: Shell) -> tuple[Fix, ...]:
    """Give the command, where it is the same when it is pasted; ``words`` are the user's in it."""
    from safepip.decisions.fixing.again import can_be_pasted
    from safepip.decisions.fixing.commands import can_be_repeated
    from safepip.values.verdict import Fix

    works = can_be_repeated(tuple(map(without_secrets, words)))
    works = works and can_be_pasted(command, in_notebook=shell.in_notebook)
    return (Fix(command, says),) if works else ()


def _shell() -> Shell:
    from safepip.decisions.fixing.shell import Shell

    return Shell("", in_notebook=bool(_call(()).kernel))


def _elsewhere(
    uv: str, words: list[str], command: UvCommand, target: Target, said: Target | None
) -> NoReturn:
    """Let uv install to a folder of the user's own, where it leaves the environment alone.

    Raises: CannotJudge.
    """
    above = conda_prefix_above(command.path(command.values("--prefix")[-1]))
    if above is None:
        _pass(uv, words, said)
    from dataclasses import replace

    from safepip.decisions.fixing.again import again
    from safepip.decisions.fixing.shell import shell_of
    from safepip.values.retry import Retry

    shell = replace(shell_of(target), through=THROUGH)
    retry = Retry("install into that environment", without=("--prefix",), prefix=above)
    shown_words = tuple(map(without_secrets, command.words))
    raise CannotJudge(
        f"`--prefix` leads into the conda environment `{above}`",
        why="what uv would replace there cannot be judged",
        fixes=again(shell, shown_words, (), retry),
    )


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


def _refuse_for_a_project(words: list[str], environ: Mapping[str, str]) -> None:
    """Refuse to have uv make a conda environment into one of a project's lock.

    Raises: CannotJudge.
    """
    folder, named_by = environment_of_project(words, environ)
    if not folder or not is_conda_prefix(os.path.realpath(folder)):
        return
    shell = _shell()
    start = ("env", "-u", named_by) if named_by != "--active" else ()
    rest = [word for word in words if word != named_by]
    command = shell.run(*start, "uv", *rest)
    raise CannotJudge(
        f"uv would make the conda environment `{shown(folder)}` that of a project, as `{named_by}` "
        "says",
        why="it would replace and remove what conda has there, as the project's lock has it",
        fixes=_fixes(command, rest, "let the project have an environment of its own", shell),
    )


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
