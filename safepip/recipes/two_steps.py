"""`install --prefer-conda`: conda's step first, and then pip's, guarded as ever.

guard ─▶ `CondaPart` is due ─▶ shown ─▶ conda does it ─▶ looked at ─▶ guard for the rest
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import can_be_repeated
from safepip.decisions.fixing.shell import shell_of
from safepip.effects.conda_solver import CondaSolver
from safepip.effects.conda_tools import carry_out
from safepip.effects.lock import locked
from safepip.effects.processes import listen, set_handlers
from safepip.effects.records import records_state
from safepip.recipes.course import all_by_pip
from safepip.recipes.opening import guard
from safepip.values.channel import BY_RATTLER, Answer, CondaPart
from safepip.values.errors import CondaFailed, HalfDone, SafepipError
from safepip.values.exits import Exit
from safepip.values.text import without_secrets
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.environment import Environment, RecordStamp
    from safepip.values.request import Request
    from safepip.values.verdict import Outcome

    State = tuple[RecordStamp, ...]


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
    try:
        is_cut_off = _done_by_conda(part, environment, environ, tell, patience=patience)
    except CondaFailed as error:
        error.fixes = all_by_pip(request, environ)
        raise
    part = replace(part, state="done")
    if is_cut_off or not part.arguments:
        code = Exit.INTERRUPTED if is_cut_off else Exit.DONE
        return replace(first, exit_code=code, conda=part, acted=True)
    policy = replace(request.policy, prefers_conda=False)
    rest = replace(request, arguments=part.arguments, policy=policy, conda_back=part.back)
    try:
        second = again(rest)
    except KeyboardInterrupt:
        return replace(first, exit_code=Exit.INTERRUPTED, conda=part)
    except SafepipError as error:
        raise _half_done(error, part, rest) from error
    if second.exit_code in {Exit.DONE, Exit.INTERRUPTED, Exit.CHANGED}:
        return replace(second, conda=part)
    # What the other codes say of the environment, that it is as it was, is so only of pip's part.
    return replace(second, conda=part, exit_code=Exit.CHANGED, pip_ended=second.exit_code)


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
    by_conda = ", which takes a conda" if part.tool == BY_RATTLER else ""
    return (Fix(part.back, f"take conda's part back{by_conda}"),) if part.back else ()


def _done_by_conda(
    part: CondaPart,
    environment: Environment,
    environ: Mapping[str, str],
    tell: Callable[[Waiting], None],
    *,
    patience: float,
) -> bool:
    """Have conda do its part, and say whether it was interrupted, which came too late then.

    Raises: CondaFailed, where nothing came of it; HalfDone, where something else did.
    """
    prefix = environment.prefix
    # The locks of mamba and pixi are for who works under this one.
    with locked(prefix, patience, tell, others=False):
        before = records_state(prefix)
        if before != environment.records_state:
            raise CondaFailed(
                "something else has changed the environment meanwhile",
                why="what conda would do now is not what was shown",
            )
        failure, is_cut_off = _attempt(part, environment, environ)
        after = records_state(prefix)
    if after == before:
        if is_cut_off:
            raise KeyboardInterrupt
        message = f"{part.tool} could not install its part"
        raise CondaFailed(message, why=failure or "it says that all is well, and nothing is new")
    _look_at(part, before, after, failure)
    return is_cut_off


def _attempt(
    part: CondaPart, environment: Environment, environ: Mapping[str, str]
) -> tuple[str, bool]:
    """Give why it failed, and whether it was interrupted: what has begun is waited for."""
    heard: list[int] = []
    handlers = listen(lambda number, _: heard.append(number))
    try:
        return _failure(part, environment, environ), bool(heard)
    finally:
        set_handlers(handlers)


def _failure(part: CondaPart, environment: Environment, environ: Mapping[str, str]) -> str:
    if part.tool == BY_RATTLER:
        with closing(CondaSolver(environment, seconds=0)) as solver:
            return solver.install(part.specs, Answer(possible=True, versions=part.versions))
    try:
        code = carry_out((*part.words, *(("-q",) if part.is_quiet else ())), environ)
    except OSError as error:
        return f"cannot start `{part.tool}`: {error.strerror}"
    return f"it ended with {code}" if code else ""


def _look_at(part: CondaPart, before: State, after: State, failure: str) -> None:
    """See that what was there is as it was, and all that is new is what was shown.

    Raises: HalfDone.
    """
    kept = {name for name, *_ in after}
    gone = [name.removesuffix(".json") for name, *_ in before if name not in kept]
    new = kept.difference(name for name, *_ in before)
    shown = [move for move in part.moves if not move.before]
    lacks = [
        f"{move.name} {move.after}"
        for move in shown
        if not any(name.lower().startswith(f"{move.name}-{move.after}-") for name in new)
    ]
    starts = tuple(f"{move.name}-{move.after}-" for move in shown)
    more = sorted(n.removesuffix(".json") for n in new if not n.lower().startswith(starts))
    problems = [f"gone: {', '.join(gone)}"] if gone else []
    problems += [f"not there: {', '.join(lacks)}"] if lacks else []
    problems += [f"not shown: {', '.join(more)}"] if more else []
    problems += [failure] if failure else []
    if problems:
        raise HalfDone(
            f"{part.tool} has done its part in another way than shown, and pip's is not done",
            why="; ".join(problems),
            fixes=_back(part),
        )
