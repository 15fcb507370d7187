"""From a `Request` to its `Outcome`, which is said, and to the exit code."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from safepip.doors.forms import show_outcome
from safepip.doors.policy import policy_of
from safepip.doors.saying import say_event
from safepip.doors.target import target_of
from safepip.doors.terminal import runs_in_github
from safepip.effects.asking import OtherPython
from safepip.recipes.opening import guard
from safepip.values.questions import MOST_QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from safepip.doors.arguments import OwnOptions
    from safepip.doors.progress import Progress
    from safepip.values.request import Request
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome


def carry_out(request: Request, own: OwnOptions, *, redirected: bool = False) -> int:
    """Carry out a guarded command, say how it ended, and give the exit code."""
    redirected = redirected or bool(os.environ.get("PIP_PYTHON"))
    if runs_in_github():
        import safepip.doors.github  # noqa: F401 - safepip may be what is about to be changed
    outcome = _guard(request, own, redirected=redirected)
    show_outcome(outcome, own)
    if outcome.caches and (outcome.verdict is not None or outcome.exit_code):
        _remember(outcome, request.target)
    return outcome.exit_code


def _remember(outcome: Outcome, target: Target) -> None:
    # As the last: pip need not wait for them.
    from safepip.decisions.explaining.verdicts import told
    from safepip.effects.journal import timestamp
    from safepip.effects.last import keep_last

    keep_last(target.prefix, told(outcome, timestamp()), os.environ)


def _guard(request: Request, own: OwnOptions, *, redirected: bool) -> Outcome:
    quiet_stdout = own.json or request.verb == "plan"
    with ExitStack() as stack:
        begin = partial(
            _whole(request),
            environ=os.environ,
            quiet_stdout=quiet_stdout,
            tell=say_event,
            looking=_Late(stack, "looking for what fits", f"{MOST_QUESTIONS} questions").tell,
            reading=_Late(stack, "reading conda's records").tell,
        )
        try:
            return begin(request, redirected=redirected)
        except OtherPython as other:
            # pip's configuration names an interpreter (`python = …`): that one is the target.
            target = target_of(own, request.arguments, as_module=False, pip_python=other.python)
            again = request._replace(policy=policy_of(own, target.prefix), target=target)
            return begin(again, redirected=True)


def _whole(request: Request) -> Callable[..., Outcome]:
    """Give the recipe: with two steps where the first is conda's."""
    if not request.policy.prefers_conda:
        return guard
    from safepip.recipes.two_steps import guard_with_conda  # seldom asked for

    return guard_with_conda


class _Late:
    """Shows how far something is, from when it begins."""

    def __init__(self, stack: ExitStack, what: str, most: str = "") -> None:
        self._stack = stack
        self._what = what
        self._most = most
        self._progress: Progress | None = None

    def tell(self, done: int, of: int = 0) -> None:
        if self._progress is None:
            from safepip.doors.progress import Progress  # seldom needed

            self._progress = self._stack.enter_context(Progress(self._what, most=self._most))
        self._progress.tell(done, of)
