"""Who knows conda's channels, and what rules out what conda would bring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.afterwards import doubled_by, out_of_bounds
from safepip.decisions.fixing.shell import shell_in, shell_of
from safepip.decisions.judging.requirements import parse_requirement
from safepip.effects.conda_names import conda_names
from safepip.effects.conda_solver import CondaSolver, is_offline
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.shell import Shell
    from safepip.recipes.course import Course
    from safepip.values.channel import Moved
    from safepip.values.environment import Environment
    from safepip.values.plan import Plan

_SECONDS = 10.0
"""For all questions of one command together. Where all is there already, it takes one or two."""
_AT_LEAST = 3.0
"""Also where no time for help is left: a way by conda that nobody has checked is little help."""


def solver_of(course: Course) -> CondaSolver:
    """Give who knows the channels of the environment; unless the user is offline, it fetches them.

    Nothing waits for it but a plan that is shown, and a refusal. One for the whole command: what is
    read is kept, and the time is for all questions together.
    """
    if course.solver is None:
        environ, prefix = course.asking.environ, course.environment.prefix
        course.solver = CondaSolver(
            course.environment,
            seconds=min(_SECONDS, max(course.left, _AT_LEAST)),
            fetches=not (course.wider_options.no_index or is_offline(environ, prefix)),
            environ=environ,
            is_enough=lambda: course.engine.interrupted,
            looking=course.settings.looking,
        )
    return course.solver


def conda_shell(course: Course) -> Shell:
    """Give where commands about the environment are pasted, with its channels."""
    environment, channels = course.environment, solver_of(course).channels
    shell = shell_in(shell_of(course.request.target), environment)
    return replace(shell, channels=channels, through=course.request.through)


def constraints_of(course: Course) -> Mapping[str, tuple[Requirement, ...]] | None:
    """Give the constraints by name, wherever they are set; None where not all can be read.

    Of what they want from a URL, that is known, and that conda does not bring it.
    """
    inputs, options = course.inputs, course.options
    if inputs.unseen or (options.constrained and not options.constraints):
        return None
    parsed = [parse_requirement(line) for line in inputs.constraints]
    found: dict[str, tuple[Requirement, ...]] = {}
    for each in parsed:
        if each is None:
            return None
        name = normalised(each.name)
        found[name] = (*found.get(name, ()), each)
    return found


def doubled(environment: Environment, moves: Iterable[Moved]) -> tuple[str, ...]:
    """Give what pip has put there and these changes of conda's would bring once more."""
    return doubled_by(environment, {m.name for m in moves if not m.before}, conda_names)


def constrained_out(course: Course, plan: Plan, moves: Iterable[Moved]) -> tuple[str, ...]:
    """Give what these changes of conda's would bring and the constraints rule out.

    Where these cannot be read, what they may rule out: all but what pip has chosen.
    """
    bounds = constraints_of(course)
    if bounds is None:
        moved = {move.name.lower(): move.after for move in moves if move.after}
        return tuple(
            f"{package} {moved[package]} (pip: {change.after})"
            for change in plan.changes
            for package in map(str.lower, conda_names(change.name))
            if change.after is not None and moved.get(package, change.after) != change.after
        )
    return out_of_bounds(moves, bounds, course.environment.interpreter.markers, conda_names)
