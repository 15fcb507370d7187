"""Acting on a cleared plan: all of it, checked and journalled, or nothing of it.

Kept ─▶ journal ─▶ pip acts ─▶ check ─▶ done
                                 │
                                 └─▶ taken back
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip import __version__
from safepip.decisions.fixing.commands import values_of
from safepip.decisions.judging.imports import modules_at_stake, modules_to_import, that_count
from safepip.decisions.undoing.entries import entry_of, seen_after
from safepip.effects.importing import failing_imports
from safepip.effects.inputs import FIND_LINKS, with_values
from safepip.effects.journal import Journal, timestamp
from safepip.effects.keeping import sweep_unpacked
from safepip.effects.prune import prune
from safepip.effects.sparing import given_away_to_pip, protected_paths, spared_wheels
from safepip.effects.transaction import abandon, begin, finish, paths_of
from safepip.effects.verify import check, disturbed, photograph, traces
from safepip.values.errors import NotWritable, VerifyFailed
from safepip.values.exits import Exit
from safepip.values.late import dataclass
from safepip.values.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.judging.imports import Failure
    from safepip.effects.verify import Photograph
    from safepip.recipes.course import Course
    from safepip.values.journal import Entry
    from safepip.values.plan import Plan
    from safepip.values.verdict import Cleared, Outcome


_IMPORTS = "imports"
_ANSWERED = Retry("answer in advance", more=("-y",))
_ANYWAY = Retry("have it all the same, if that is as it should be", own=("--no-import-check",))


@dataclass(frozen=True)
class _Acting:
    """A plan while it is carried out."""

    cleared: Cleared
    before: Photograph
    journal: Journal
    entry: Entry


def carry_out(course: Course, cleared: Cleared) -> Outcome:
    """Let pip act on the plan, check what it did, and take it back where that is not as judged.

    Raises: NotWritable, when what is needed to go back cannot be kept; nothing is done then.
    """
    if not cleared.plan.changes:
        code = course.engine.act({}, ())  # pip says so itself
        return course.outcome(code, cleared, acted=code == Exit.DONE)
    given_away = given_away_to_pip(course.environment, course.request.policy)
    before = photograph(course.environment, cleared.plan, given_away)
    instead = spared_wheels(cleared, course.folder)
    protect = protected_paths(course.environment, cleared.plan, given_away)
    journal = _journal(course)
    acting = _Acting(cleared, before, journal, _begun(course, cleared, journal))
    try:
        return _acted(course, acting, instead, protect)
    except BaseException:
        if journal.unfinished():
            abandon(journal, acting.entry)
        raise


def _acted(
    course: Course, acting: _Acting, instead: Mapping[str, str], protect: tuple[str, ...]
) -> Outcome:
    problems: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    known = _broken_imports(course, modules_at_stake(course.environment, acting.cleared.plan))
    since = time.monotonic()
    try:
        code = course.engine.act(instead, protect)
    except VerifyFailed as error:
        code, problems = Exit.CHANGED, (error.message,)
    course.timed("act", since)
    since = time.monotonic()
    problems += check(course.environment, acting.cleared, acting.before, code)
    by_imports = code == Exit.DONE and not problems
    if by_imports:
        problems, hints = _import_problems(course, acting.cleared.plan, known)
    course.timed("verify", since)
    if code != Exit.DONE or problems or course.engine.interrupted:
        return _undone(course, acting, code, problems, by_imports=by_imports)
    return _done(course, acting, hints)


def _broken_imports(course: Course, modules: tuple[str, ...]) -> tuple[Failure, ...]:
    """Give the modules that cannot be imported; none where nobody wants to know."""
    if not course.request.policy.imports:
        return ()
    python, environ = course.request.target.python, course.asking.environ
    since = time.monotonic()
    left = course.settings.import_seconds - course.seconds.get(_IMPORTS, 0.0)
    engine = course.engine
    found = failing_imports(python, modules, environ, left, lambda: engine.interrupted)
    course.timed(_IMPORTS, since)
    return found


def _import_problems(
    course: Course, plan: Plan, known: tuple[Failure, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what can no longer be imported, a line each, and what may lack a display."""
    stakes = modules_at_stake(course.environment, plan)
    brought = modules_to_import(course.environment, plan)
    failures = _broken_imports(course, tuple(dict.fromkeys((*brought, *stakes))))
    before = {failure.module for failure in known}
    count = that_count(failures, before, set(brought) - set(stakes))
    problems = tuple(f"`import {f.module}` fails: {_last_line(f.said)}" for f in count)
    hints = tuple(
        f"`import {f.module}` does not work here: {_last_line(f.said)}"
        for f in failures
        if f not in count and f.module not in before
    )
    return problems, hints


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def _journal(course: Course) -> Journal:
    """Give the environment's journal; one for this command alone where it cannot be written."""
    prefix = course.environment.prefix
    journal = Journal(prefix)
    return journal if journal.is_writable() else Journal(prefix, str(course.folder / "journal"))


def _begun(course: Course, cleared: Cleared, journal: Journal) -> Entry:
    entry = entry_of(
        course.request,
        cleared,
        course.environment,
        id=journal.new_id(),
        arguments=with_whole_places(course.shown_command),
        began=timestamp(),
        versions=(__version__, course.engine.pip_version),
        can_undo=course.keeps_undo,
    )
    tag = course.environment.interpreter.cache_tag
    sweep_unpacked(course.environment.prefix)
    try:
        return begin(journal, entry, *paths_of(cleared.plan, tag))
    except NotWritable:
        course.engine.stop()
        raise


def with_whole_places(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Give pip's arguments for the journal, which knows no working folder to look for links in."""
    places = values_of(arguments, ("--find-links",))
    return with_values(arguments, FIND_LINKS, {place: _whole(place) for place in places})


def _whole(place: str) -> str:
    is_whole = "://" in place or place.startswith("file:") or not os.path.exists(place)
    return place if is_whole else os.path.abspath(place)


def _done(course: Course, acting: _Acting, hints: tuple[str, ...]) -> Outcome:
    cleared, journal = acting.cleared, acting.journal
    seen = seen_after(course.environment, cleared.plan)
    entry = replace(acting.entry, seconds=dict(course.seconds), seen=seen)
    since = time.monotonic()
    if course.engine.interrupted:
        return _undone(course, acting, Exit.INTERRUPTED, ())
    try:
        entry = finish(journal, entry)
    except OSError as error:
        problem = f"the journal cannot be written: {error.strerror}"
        return _undone(course, acting, Exit.CHANGED, (problem,))
    prune(journal, course.settings.undo_limits)
    course.timed("verify", since)
    undo = entry.id if entry.can_undo and journal.is_lasting else ""
    if not journal.is_lasting:
        folder = f"{journal.prefix}/conda-meta"
        hints += (f"this cannot be taken back later, because `{folder}` cannot be written",)
    done = course.outcome(Exit.DONE, cleared, acted=True, undo=undo, hints=hints)
    return replace(done, exit_code=Exit.DONE)  # too late for an interruption


def _undone(
    course: Course,
    acting: _Acting,
    code: int,
    problems: tuple[str, ...],
    *,
    by_imports: bool = False,
) -> Outcome:
    """Take a change back, and give the end of a command that came to nothing."""
    cleared, before = acting.cleared, acting.before
    has_acted = bool(traces(cleared.plan, before))
    left = abandon(acting.journal, acting.entry)
    left += tuple(f"{p} belongs to conda" for p in disturbed(course.environment, before))
    if left:
        return course.outcome(Exit.CHANGED, cleared, acted=True, problems=(*problems, *left))
    if course.engine.unanswered:
        fixes = course.again(_ANSWERED)
        return course.outcome(Exit.NEEDS_YES, cleared, fixes=fixes)
    failed = code not in (Exit.DONE, Exit.CHANGED) or not problems
    end = code if failed else Exit.TAKEN_BACK
    told = () if failed else problems
    fixes = course.again(_ANYWAY) if by_imports and told else ()
    return course.outcome(end, cleared, problems=told, taken_back=has_acted, fixes=fixes)
