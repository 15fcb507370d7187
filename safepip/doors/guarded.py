"""Guarded commands: from the arguments to a `Request`, and from the `Outcome` to the exit code."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.doors.arguments import OwnOptions, said_again, split
from safepip.doors.forms import check_forms, refuse_forms_elsewhere, show_outcome
from safepip.doors.policy import policy_of
from safepip.doors.saying import say_bug, say_error, say_event, say_interrupted
from safepip.doors.target import target_of
from safepip.doors.terminal import runs_in_github, say
from safepip.effects.asking import OtherPython
from safepip.effects.plain import become_pip
from safepip.recipes.opening import guard
from safepip.values.errors import SafepipError
from safepip.values.request import Request, Verb
from safepip.values.verbs import GUARDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from safepip.doors.progress import Progress
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome


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
        import tempfile

        from safepip.effects.engines import verb_and_python  # pip is seldom asked for its verb

        with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
            verb, at, python = verb_and_python(arguments, os.environ, Path(folder))
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
    request = _request(verb, own, arguments, target)  # type: ignore[arg-type]
    return carry_out(request, own, redirected=python is not None)


def carry_out(request: Request, own: OwnOptions, *, redirected: bool = False) -> int:
    """Carry out a guarded command, say how it ended, and give the exit code."""
    redirected = redirected or bool(os.environ.get("PIP_PYTHON"))
    if runs_in_github():
        import safepip.doors.github  # noqa: F401 - safepip may be what is about to be changed
    outcome = _guard(request, own, redirected=redirected)
    show_outcome(outcome, own)
    if outcome.verdict is not None and outcome.caches:
        _remember(outcome, request.target)
    return outcome.exit_code


def _say_what_stays_behind(target: Target, arguments: list[str]) -> None:
    """Say that the guard of an environment needs the safepip that is about to go."""
    from safepip.values.guarding import MANIFEST  # seldom needed

    if "safepip" in map(str.lower, arguments) and os.path.isfile(f"{target.prefix}/{MANIFEST}"):
        text = "the guard of this environment stays, and misses safepip with each call of pip; "
        say(f"{text}to take it away, say `safepip guard off` first")


def _remember(outcome: Outcome, target: Target) -> None:
    # As the last: pip need not wait for them.
    from safepip.decisions.explaining.verdicts import told
    from safepip.effects.journal import timestamp
    from safepip.effects.last import keep_last

    keep_last(target.prefix, told(outcome, timestamp()), os.environ)


def _request(verb: Verb, own: OwnOptions, arguments: list[str], target: Target) -> Request:
    return Request(verb, tuple(arguments), policy_of(own, target.prefix), target)


def _guard(request: Request, own: OwnOptions, *, redirected: bool) -> Outcome:
    quiet_stdout = own.json or request.verb == "plan"
    with ExitStack() as stack:
        begin = partial(
            _whole(request),
            environ=os.environ,
            quiet_stdout=quiet_stdout,
            tell=say_event,
            looking=_Late(stack, "looking for what fits").tell,
            reading=_Late(stack, "reading conda's records").tell,
        )
        try:
            return begin(request, redirected=redirected)
        except OtherPython as other:
            # pip's configuration names an interpreter (`python = …`): that one is the target.
            target = target_of(own, request.arguments, as_module=False, pip_python=other.python)
            again = replace(request, policy=policy_of(own, target.prefix), target=target)
            return begin(again, redirected=True)


def _whole(request: Request) -> Callable[..., Outcome]:
    """Give the recipe: with two steps where the first is conda's."""
    if not request.policy.prefers_conda:
        return guard
    from safepip.recipes.two_steps import guard_with_conda  # seldom asked for

    return guard_with_conda


class _Late:
    """Shows how far something is, from when it begins."""

    def __init__(self, stack: ExitStack, what: str) -> None:
        self._stack = stack
        self._what = what
        self._progress: Progress | None = None

    def tell(self, done: int, of: int = 0) -> None:
        if self._progress is None:
            from safepip.doors.progress import Progress  # seldom needed

            self._progress = self._stack.enter_context(Progress(self._what))
        self._progress.tell(done, of)
