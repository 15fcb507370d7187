"""`install`, `uninstall` and `plan`: let pip plan, judge, and let pip act on exactly that.

Request ─▶ pip plans ─▶ Account ─▶ Plan ─▶ judge ─▶ Blocked
                                             │
                 verify ◀── pip acts ◀── Clear, Kept
"""

from __future__ import annotations

import math
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.decisions.wording.hints import hints_for
from safepip.effects.asking import Asking, SeamsMoved
from safepip.effects.destination import is_guarded, nothing_yet
from safepip.effects.engines import prepare, start, without_copies
from safepip.effects.lock import locked
from safepip.effects.prune import Limits
from safepip.effects.reading import read_environment
from safepip.effects.records import records_state
from safepip.recipes.acting import carry_out
from safepip.recipes.course import Course, Settings, again_of
from safepip.recipes.keep import find_fitting, keep, others_fit
from safepip.recipes.recover import is_unfinished, recover_wholly
from safepip.values.account import Failed
from safepip.values.errors import SafepipError, UsageError
from safepip.values.exits import Exit
from safepip.values.findings import Frozen
from safepip.values.verdict import Blocked, Clear, Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.plan import Plan
    from safepip.values.request import Request
    from safepip.values.verdict import Cleared, EngineName, HeldBack, Outcome


_MEGABYTE = 1_000_000


def guard(
    request: Request,
    environ: Mapping[str, str],
    *,
    quiet_stdout: bool = False,
    redirected: bool = False,
    tell: Callable[[Recovered | Waiting], None],
) -> Outcome:
    """Carry out one guarded command.

    ``tell`` is called where an earlier command was cut off, and what it left was taken back, and
    where another has to be waited for.

    Raises: SafepipError; OtherPython, when pip's configuration names another interpreter.
    """
    settings = Settings(
        patience=patience_of(environ),
        undo_limits=_limits(environ),
        import_seconds=_number(environ, "SAFEPIP_IMPORT_SECONDS", 10.0),
        tell=tell,
    )
    with tempfile.TemporaryDirectory(prefix="safepip-") as folder:
        asking = prepare(
            request, environ, Path(folder), quiet_stdout=quiet_stdout, redirected=redirected
        )
        try:
            if environ.get("SAFEPIP_ENGINE") != "two-pass":
                with suppress(SeamsMoved):  # nothing has been changed then
                    return _guarded(request, asking, "one-pass", settings)
            return _guarded(request, asking, "two-pass", settings)
        except SafepipError as error:
            if error.retry is not None:
                error.fixes = again_of(request, error.retry, environ)
            raise


def _guarded(request: Request, asking: Asking, name: EngineName, settings: Settings) -> Outcome:
    since = time.monotonic()
    prefix = request.target.prefix
    needs_lock = request.verb != "plan" or is_unfinished(prefix)
    with locked(prefix, settings.patience, settings.tell) if needs_lock else nullcontext():
        if needs_lock:
            recover_wholly(prefix, settings.tell)
        with start(name, asking) as engine:
            environment = read_environment(prefix, engine.greet())
            # What is uninstalled is the copy that pip finds first, and that is as it should be.
            if request.verb == "uninstall" or not environment.hiding:
                return _converse(Course(request, engine, asking, environment, since, settings))
        # pip would count the copies that hide conda's as installed: ask it again without them.
        copies = environment.hiding
        asking = replace(asking, environ=without_copies(asking.environ, copies))
        with start(name, asking) as engine:
            environment = replace(read_environment(prefix, engine.greet()), copies=copies)
            return _converse(Course(request, engine, asking, environment, since, settings))


def _converse(course: Course) -> Outcome:
    """Hold the conversation with pip up to its plan."""
    options = course.engine.read_options()
    if isinstance(options, Failed):
        return course.outcome(options.exit_code, None)
    course.options = options
    if not is_guarded(options, course.environment):
        dry_run = course.request.verb == "plan"
        return course.outcome(course.engine.pass_through(dry_run=dry_run), None)
    nothing = nothing_yet(options, course.environment)
    early = course.judged(nothing)
    if early.refuses and course.request.verb != "plan":
        return _block(course, Blocked(nothing, early.findings))
    account = course.plan()
    if isinstance(account, Failed):
        hints = hints_for(course.engine.missing, course.environment)
        return course.outcome(account.exit_code, None, hints=hints)
    return _decide(course, course.joined(account))


def _decide(course: Course, plan: Plan) -> Outcome:
    """Judge the plan; plan again with conda's versions held where that may help."""
    first = course.judged(plan)
    if not first.refuses:
        return _carry_out(course, Clear(plan, first.findings, first.spared))
    held = keep(course, plan, first)
    if isinstance(held, Kept):
        return _carry_out(course, held)
    course.engine.stop(Exit.BLOCKED)
    fitting = held or find_fitting(course, plan, first)
    others = others_fit(course, first)
    return _block(course, Blocked(plan, first.findings), fitting, others=others)


def _block(
    course: Course, blocked: Blocked, fitting: tuple[HeldBack, ...] = (), *, others: bool = False
) -> Outcome:
    frozen = any(isinstance(finding, Frozen) for finding in blocked.refusals)
    code = Exit.FROZEN if frozen else Exit.BLOCKED
    course.engine.stop(code)
    fixes = course.fixes(blocked.plan, blocked.findings, fitting, others_fit=others)
    return course.outcome(code, replace(blocked, fixes=fixes))


def _carry_out(course: Course, cleared: Cleared) -> Outcome:
    """Let pip act on the plan, unless the environment is another by now."""
    if course.request.verb == "plan" or course.options.dry_run:
        course.engine.stop(Exit.DONE, dry_run=course.request.verb != "plan")
        return course.outcome(Exit.DONE, cleared)
    environment = course.environment
    if records_state(environment.prefix) != environment.records_state:
        course.environment = read_environment(environment.prefix, environment.interpreter)
        again = course.judged(cleared.plan)
        if again.refuses:
            return _block(course, Blocked(cleared.plan, again.findings))
        cleared = replace(cleared, notes=again.findings, spared=again.spared)
    return carry_out(course, cleared)


def patience_of(environ: Mapping[str, str]) -> float:
    """Give how long to wait for another safepip, in seconds.

    Raises: UsageError.
    """
    return _number(environ, "SAFEPIP_LOCK_SECONDS", 30.0)


def _limits(environ: Mapping[str, str]) -> Limits:
    usual = Limits()
    changes = _number(environ, "SAFEPIP_UNDO_CHANGES", usual.changes)
    megabytes = _number(environ, "SAFEPIP_UNDO_MEGABYTES", usual.size_bytes / _MEGABYTE)
    return Limits(int(changes), int(megabytes * _MEGABYTE))


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    try:
        found = float(text) if text else default
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise UsageError(f"`{name}` is `{text}`, expected a number")
    return max(0.0, found)
