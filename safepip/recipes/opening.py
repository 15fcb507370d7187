"""Opening a guarded command: the lock, what an earlier one left, pip, and the environment.

lock ─▶ recover ─▶ pip is started ─▶ both books are read ─▶ `guard`

What only judging needs is imported, and read, while pip is being loaded: that takes it a while.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from safepip.effects.asking import SeamsMoved
from safepip.effects.engines import prepare, start, without_copies
from safepip.effects.lock import locked
from safepip.effects.prefixes import is_unfinished
from safepip.effects.private_folder import private_folder
from safepip.recipes.settings import settings_of
from safepip.values.errors import CannotJudge, SafepipError, UnreadableWheel, WildRemoval
from safepip.values.late import make_classes_of
from safepip.values.light import NamedTuple
from safepip.values.text import without_secrets

_NEEDED_BY_ALL = tuple(
    f"safepip.{name}"
    for name in (
        *("values.environment", "values.account", "values.plan", "values.journal"),
        *("decisions.judging.same_files", "decisions.judging.consistency"),
        *("values.verdict", "decisions.judging.judge", "decisions.drawing.summary"),
        *("decisions.fixing.commands", "effects.installed", "effects.verify", "recipes.acting"),
    )
)
"""The modules whose classes nearly every command makes values of."""
_ANY_URL = "https://user:password@example.org/?token=1"

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.effects.asking import Asking
    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.recipes.settings import Settings
    from safepip.values.environment import Distribution
    from safepip.values.request import Request
    from safepip.values.verdict import EngineName, Outcome


def guard(
    request: Request,
    environ: Mapping[str, str],
    *,
    quiet_stdout: bool = False,
    redirected: bool = False,
    tell: Callable[[Recovered | Waiting], None],
    looking: Callable[[int], None] | None = None,
    reading: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Carry out one guarded command.

    ``tell`` is called where an earlier command was cut off, and what it left was taken back, and
    where another has to be waited for; ``looking`` while the reason of a block is looked for;
    ``reading`` while many records are read, with how many of how many.

    Raises: SafepipError; OtherPython, when pip's configuration names another interpreter.
    """
    found = request.policy.settings
    settings = settings_of(found, tell, looking, reading)
    with private_folder() as folder:
        asking = prepare(request, environ, folder, quiet_stdout=quiet_stdout, redirected=redirected)
        try:
            if request.uv:
                return _guarded(request, asking, "uv", settings)
            if found.word("engine") != "two-pass":
                with suppress(SeamsMoved):  # nothing has been changed then
                    return _guarded(request, asking, "one-pass", settings)
            return _guarded(request, asking, "two-pass", settings)
        except SafepipError as error:
            refused = isinstance(error, (UnreadableWheel, WildRemoval))  # whoever would do it
            if request.uv and isinstance(error, CannotJudge) and not (error.fixes or refused):
                from safepip.recipes.course import by_pip_of

                error.fixes = by_pip_of(request)
            if error.retry is not None:
                from safepip.recipes.course import again_of

                error.fixes = again_of(request, error.retry, environ)
            raise


def _guarded(request: Request, asking: Asking, name: EngineName, settings: Settings) -> Outcome:
    prefix = request.target.prefix
    needs_lock = request.verb != "plan" or is_unfinished(prefix)
    with locked(prefix, settings.patience, settings.tell) if needs_lock else nullcontext():
        if needs_lock and is_unfinished(prefix):
            from safepip.recipes.recover import recover_wholly

            recover_wholly(prefix, settings.tell)
        opened = _Opened(request, name, settings, time.monotonic())
        try:
            return _conversed(opened, asking)
        except _Hiding as hiding:
            # pip would count such copies as installed: ask it again without them.
            copies = hiding.copies
        asking = asking._replace(environ=without_copies(asking.environ, copies))
        return _conversed(opened, asking, copies)


def _prepare_the_rest() -> None:
    """Do now, while pip is being loaded, what would be done later, while nobody else does anything.

    That is half of the time that passes between pip's plan and the verdict.
    """
    import safepip.decisions.explaining.verdicts  # noqa: F401 - it imports all that tells the end

    make_classes_of(*_NEEDED_BY_ALL)
    without_secrets(_ANY_URL)


def _remembers(asking: Asking) -> bool:
    """Say whether something may be kept in the user's cache, before pip can tell for certain."""
    return "--no-cache-dir" not in asking.arguments and "PIP_NO_CACHE_DIR" not in asking.environ


class _Hiding(Exception):
    """Copies that hide conda's are the first that pip sees."""

    def __init__(self, copies: tuple[Distribution, ...]) -> None:
        super().__init__(copies)
        self.copies = copies


class _Opened(NamedTuple):
    """A command in an environment that is locked for it."""

    request: Request
    engine: EngineName
    settings: Settings
    since: float
    """By the monotonic clock, in seconds."""


def _conversed(opened: _Opened, asking: Asking, copies: tuple[Distribution, ...] = ()) -> Outcome:
    """Let pip plan and act; ``copies`` are those that it does not see.

    Raises: _Hiding.
    """
    request, name, settings, since = opened
    prefix = request.target.prefix
    with start(name, asking) as engine:
        # pip is being loaded by now.
        from dataclasses import replace

        from safepip.effects.reading import read_books, read_environment
        from safepip.recipes.course import Course
        from safepip.recipes.guard import converse

        books = None
        with suppress(SafepipError):  # pip may be set to another environment; else it comes again
            books = read_books(
                prefix, asking.environ, opened.settings.reading, remember=_remembers(asking)
            )
        _prepare_the_rest()
        environment = read_environment(prefix, engine.greet(), books)
        if environment.hiding and not copies and request.verb != "uninstall":
            # (What is uninstalled is the copy that pip finds first, and that is as it should be.)
            raise _Hiding(environment.hiding)
        environment = replace(environment, copies=copies)
        course = Course(request, engine, asking, environment, since, settings)
        try:
            return converse(course)
        finally:
            if course.solver is not None:
                course.solver.close()
