"""After pip has found nothing: whether what would do is for another Python, and where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing import fixes_elsewhere
from safepip.decisions.fixing.fix_case import same_command
from safepip.decisions.judging.requirements import is_met, parse_requirement, parse_version
from safepip.decisions.planning.loosen import without_bounds
from safepip.decisions.wording.causes import causes
from safepip.decisions.wording.hints import no_such_python
from safepip.recipes.asking_conda import conda_shell, solver_of
from safepip.recipes.keep import tried
from safepip.recipes.why import find_python
from safepip.values.verdict import HeldBack

if TYPE_CHECKING:
    from safepip.recipes.course import Course
    from safepip.values.universe import Conflict
    from safepip.values.verdict import Fix


class Elsewhere(NamedTuple):
    """Why conda's Python is in the way, and where it is not."""

    conflict: Conflict | None = None
    hints: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    """What this Python can have; and the new environment that has another, only where the channels
    have it, if that is known."""


def with_another_python(course: Course) -> Elsewhere:
    """Give why conda's Python is in the way, where it is, and what would do."""
    conflict = find_python(course)
    if conflict is None:
        return Elsewhere()
    environment = course.environment
    course.has_verdict()
    older = _for_this_python(course)
    found = Elsewhere(conflict, causes(conflict, environment), older)
    bounds = [bound for way in conflict.ways for freed in way for bound in freed.bounds]
    if not bounds or environment.manager == "pixi":
        return found
    known = _is_offered(course, bounds[0])
    if known is False:
        return found._replace(hints=(*found.hints, no_such_python(bounds[0])))
    shell, arguments = conda_shell(course), course.shown_arguments
    same = same_command(is_shown=course.request.verb == "plan")
    fixes = fixes_elsewhere.with_another_python(
        shell, environment, arguments, bounds[0], same=same, known=bool(known)
    )
    return found._replace(fixes=(*older, *fixes))


def _for_this_python(course: Course) -> tuple[Fix, ...]:
    """Give the command for the newest of what was asked for that this Python can have.

    Only where a whole plan of it was made, with conda's versions held, and not refused.
    """
    arguments, names = without_bounds(course.spelled_words, course.environment)
    found = tried(course, arguments) if arguments else None
    if found is None or found[1].refuses:
        return ()
    plan, _ = found
    fitting = (HeldBack(c.name, None, c.after) for c in plan.changes if c.name in names and c.after)
    return course.fixes(plan, (), tuple(fitting), fits="this Python")


def _is_offered(course: Course, bound: str) -> bool | None:
    """Say whether the channels have a Python within the bound; None where that is not known."""
    wanted = parse_requirement(bound)
    versions = solver_of(course).versions_of("python")
    if wanted is None or versions is None:
        return None
    parsed = {version: parse_version(version) for version in versions}
    return any(
        each is not None and not each.is_prerelease and is_met(wanted, version)
        for version, each in parsed.items()
    )
