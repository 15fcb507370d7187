"""`install --prefer-conda`: conda's step first, and then pip's, guarded as ever.

guard ─▶ `CondaPart` is due ─▶ shown ─▶ conda does it ─▶ looked at ─▶ guard for the rest
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import can_be_repeated
from safepip.decisions.fixing.condas_answer import otherwise_than_shown
from safepip.decisions.fixing.shell import shell_of
from safepip.effects.conda_tools import carry_out
from safepip.effects.lock import locked
from safepip.effects.processes import waited_for
from safepip.effects.records import records_state
from safepip.recipes.adding import Added, Adding, add, note_done, refuse_changed
from safepip.recipes.course import all_by_pip
from safepip.recipes.opening import guard
from safepip.values.channel import BY_RATTLER, CondaPart
from safepip.values.errors import CondaFailed, HalfDone, SafepipError
from safepip.values.exits import Exit
from safepip.values.text import without_secrets
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.request import Request
    from safepip.values.verdict import Outcome


def guard_with_conda(
    request: Request,
    environ: Mapping[str, str],
    *,
    quiet_stdout: bool = False,
    redirected: bool = False,
    tell: Callable[[Recovered | Waiting | CondaPart], None],
    looking: Callable[[int], None] | None = None,
    reading: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Carry out one guarded command, with what conda has of it taken from conda.

    Arguments as of `guard`; ``tell`` is also called with conda's part before that is done.

    Raises: as `guard`; CondaFailed; HalfDone, where conda's part is done and pip's cannot begin.
    """
    again = partial(
        guard,
        environ=environ,
        quiet_stdout=quiet_stdout,
        redirected=redirected,
        tell=tell,
        looking=looking,
        reading=reading,
    )
    first = again(request)
    part, environment = first.conda, first.environment
    is_due = part is not None and part.state == "due" and first.exit_code == Exit.DONE
    if part is None or not is_due or environment is None:
        return first
    tell(part)
    patience = request.policy.settings.number("lock-seconds")
    keeps_undo = request.policy.keeps_undo and first.caches
    adding = Adding(part, environment, first.arguments, request.policy, keeps_undo, environ)
    try:
        done = _done_by_conda(part, adding, tell, patience=patience)
    except CondaFailed as error:
        error.fixes = all_by_pip(request, environ)
        raise
    back = shell_of(request.target).safepip(("undo", done.change)) if done.change else part.back
    part = replace(part, state="done", back=back)
    if not part.arguments:  # all that was asked for is there, also where somebody wanted to stop it
        return replace(first, exit_code=Exit.DONE, conda=part, acted=True, undo=done.change)
    if done.is_cut_off:
        return _cut_off(first, part)
    policy = request.policy._replace(prefers_conda=False)
    rest = request._replace(arguments=part.arguments, policy=policy, conda_back=part.back)
    try:
        second = again(rest)
    except KeyboardInterrupt:
        return _cut_off(first, part)
    except SafepipError as error:
        raise _half_done(error, part, rest) from error
    second = _as_asked(second, first)
    if second.exit_code in {Exit.DONE, Exit.CHANGED}:
        return replace(second, conda=part)
    # What the other codes say of the environment, that it is as it was, is so only of pip's part.
    return replace(second, conda=part, exit_code=Exit.CHANGED, pip_ended=second.exit_code)


def _cut_off(first: Outcome, part: CondaPart) -> Outcome:
    """Give the end of a command that was interrupted between its parts."""
    return replace(
        first, exit_code=Exit.CHANGED, conda=part, acted=True, pip_ended=Exit.INTERRUPTED
    )


def _as_asked(second: Outcome, first: Outcome) -> Outcome:
    """Give how pip's part ended, as the end of the command that the user has given."""
    verdict = second.verdict
    if verdict is not None and first.verdict is not None:
        plan = replace(verdict.plan, requested=first.verdict.plan.requested)
        verdict = replace(verdict, plan=plan)
    asked = replace(second, arguments=first.arguments, options=first.options)
    return replace(asked, verdict=verdict)


def _half_done(error: SafepipError, part: CondaPart, rest: Request) -> HalfDone:
    shell = shell_of(rest.target)
    words = tuple(map(without_secrets, rest.arguments))
    go_on = [Fix(shell.safepip(words, rest.policy.options), "go on with pip's part")]
    return HalfDone(
        f"conda's part is done, and pip's is not: {error.message}",
        why=error.why,
        fixes=(
            *error.fixes,
            *(go_on if can_be_repeated(words) else ()),
            *_back(part),
        ),
    )


def _back(part: CondaPart) -> tuple[Fix, ...]:
    return (Fix(part.back, "take conda's part back"),) if part.back else ()


def _done_by_conda(
    part: CondaPart, adding: Adding, tell: Callable[[Waiting], None], *, patience: float
) -> Added:
    """Have conda do its part.

    Raises: CondaFailed, where nothing came of it; HalfDone, where something else did.
    """
    prefix = adding.environment.prefix
    # The locks of mamba and pixi are for who works under this one, and that takes them.
    with locked(prefix, patience, tell, others=part.tool == BY_RATTLER):
        refuse_changed(adding.environment)
        before = adding.environment.records_state
        if part.tool == BY_RATTLER:
            return add(adding)
        with waited_for() as heard:
            failure = _failure(part, adding.environ)
            after = records_state(prefix)
            if after == before:
                if heard:
                    raise KeyboardInterrupt
                said = failure or "it says that all is well, and nothing is new"
                raise CondaFailed(f"{part.tool} could not install its part", why=said)
            new = {name for name, *_ in after} - {name for name, *_ in before}
            with suppress(OSError):  # conda knows it all the same
                note_done(adding, frozenset(new))
            if problems := otherwise_than_shown(part, before, after, failure):
                raise HalfDone(
                    f"{part.tool} has done its part in another way than shown, "
                    "and pip's is not done",
                    why="; ".join(problems),
                    fixes=_back(part),
                )
        return Added("", is_cut_off=bool(heard))


def _failure(part: CondaPart, environ: Mapping[str, str]) -> str:
    try:
        code = carry_out((*part.words, *(("-q",) if part.is_quiet else ())), environ)
    except OSError as error:
        return f"cannot start `{part.tool}`: {error.strerror}"
    return f"it ended with {code}" if code else ""
