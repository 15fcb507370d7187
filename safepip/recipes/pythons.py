"""After pip has found nothing: whether what would do is for another Python, and where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing import fixes_by_conda
from safepip.decisions.judging.requirements import is_met, parse_requirement, parse_version
from safepip.decisions.wording.causes import causes
from safepip.decisions.wording.hints import no_such_python
from safepip.recipes.from_conda import conda_shell, solver_of
from safepip.recipes.why import find_python

if TYPE_CHECKING:
    from safepip.recipes.course import Course
    from safepip.values.verdict import Fix


def with_another_python(course: Course) -> tuple[tuple[str, ...], tuple[Fix, ...]]:
    """Give why conda's Python is in the way, and the new environment that has another.

    The latter only where the channels of this environment have such a Python, as far as is known.
    """
    conflict = find_python(course)
    if conflict is None:
        return (), ()
    environment = course.environment
    hints = causes(conflict, environment)
    bounds = [bound for way in conflict.ways for freed in way for bound in freed.bounds]
    if not bounds or environment.manager == "pixi":
        return hints, ()
    known = _is_offered(course, bounds[0])
    if known is False:
        return (*hints, no_such_python(bounds[0])), ()
    shell, arguments = conda_shell(course), course.shown_arguments
    found = fixes_by_conda.with_another_python(
        shell, environment, arguments, bounds[0], known=bool(known)
    )
    return hints, tuple(found)


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
