"""After a block: why what was asked cannot be had, and which changes of conda's would allow it.

Request, holds ─▶ resolvelib over pip's own indexes ─▶ Conflict ─▶ its ways out, each tried by pip
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from safepip.decisions.explaining.conflict import find_conflict
from safepip.decisions.fixing.commands import can_be_repeated
from safepip.decisions.judging.consistency import standing
from safepip.decisions.judging.ownership import is_allowed
from safepip.decisions.wording.hints import not_explained
from safepip.effects.asking import OtherPython, SeamsMoved
from safepip.effects.catalogue import SECONDS, Catalogue
from safepip.recipes.keep import goes_with, tried
from safepip.values.errors import SafepipError
from safepip.values.findings import CondaOwned
from safepip.values.plan import Plan
from safepip.values.text import normalised
from safepip.values.universe import PYTHON, Held, Question, TooHard, TooLong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.judging.judge import Judgement
    from safepip.effects.catalogue import Wanted
    from safepip.recipes.course import Course
    from safepip.values.universe import Conflict, Freed

_SECONDS_FOR_PYTHON = 5.0
"""pip has failed, and the user waits for nothing but a hint."""
_MOST_TRIALS = 2
"""Plans of pip that are made only to check a way out; each may fetch what it plans."""


def find_why(course: Course, plan: Plan, first: Judgement) -> Conflict | None:
    """Give why conda's versions are in the way of a refused plan; None where that is not found.

    Less is said, never something wrong: pip has refused before this is asked, and what is too hard
    to find out, or too slow, is left out.
    """
    # (What releases there are, pip is asked, with the user's words; those of uv are none of its.)
    if course.request.uv or not _may_be_told(course, first):
        return None
    policy = course.request.policy
    held = {
        name: Held(d.version, d.requires)
        for name, d in standing(course.environment.distributions).items()
        if d.record is not None and not is_allowed(policy, d)
    }
    found = _found(course, plan, held, SECONDS)
    if found is None:
        return None
    # What `--upgrade` was made to mean here is nothing that the user has said.
    said = (c for c in found.chains if not (course.options.upgrade and len(c.links) == 1))
    ways = tuple(tuple(_as_said(course, plan, freed) for freed in way) for way in found.ways)
    return _checked(course, first, replace(found, chains=tuple(said), ways=ways))


def find_python(course: Course) -> Conflict | None:
    """Give how conda's Python is in the way, after pip itself has found nothing that would do.

    pip tells of a Python that is too old or too new for what was asked for, and not always of one
    that is for what that needs.
    """
    if course.request.verb == "uninstall" or not can_be_repeated(course.request.words):
        return None
    return _found(course, Plan(()), {}, _SECONDS_FOR_PYTHON)


def _found(course: Course, plan: Plan, held: Mapping[str, Held], seconds: float) -> Conflict | None:
    """Give the conflict with what is held, and with conda's Python; None where there is none."""
    since = time.monotonic()
    known = {(c.name, c.after): c.requires for c in plan.changes if c.after is not None}
    asking = course.asking._replace(arguments=course.request.words, silent=True)
    found = None
    try:
        seconds = min(seconds, course.left)
        with Catalogue(asking, known, seconds, course.settings.looking) as shelf:
            question = _question(course, plan, held, shelf)
            found = find_conflict(question, shelf)
    except TooLong as error:
        if plan.changes:  # else pip itself has said what is wrong
            course.asides = (*course.asides, not_explained(str(error)))
    except (TooHard, SeamsMoved, OtherPython, SafepipError):
        found = None
    course.timed("explain", since)
    return found


def _may_be_told(course: Course, first: Judgement) -> bool:
    """Say whether the refusal is for what pip chose of conda's, and pip can be asked once more.

    Who asks for a package of conda's by name knows what is in the way. To reinstall, or to install
    for the user or elsewhere, is another question than which versions go together.
    """
    options = course.options
    another = options.ignore_installed or options.force_reinstall or options.ignore_dependencies
    refusals = [finding for finding in first.findings if finding.severity == "refuse"]
    owned = any(isinstance(f, CondaOwned) and not f.requested for f in refusals)
    return (
        owned
        and course.request.verb != "uninstall"
        and not (another or options.use_user_site or options.root_path or options.prefix_path)
        and can_be_repeated(course.request.words)
    )


def _question(course: Course, plan: Plan, held: Mapping[str, Held], shelf: Catalogue) -> Question:
    """Put together what is wanted and what is held.

    Raises: TooHard.
    """
    wanted = shelf.open()
    environment = course.environment
    holds = dict(held)
    if environment.record_named(PYTHON) is not None:
        holds[PYTHON] = Held(environment.interpreter.version)
    counted = standing(environment.distributions)
    requirements = [_newer(course, plan, requirement) for requirement in wanted.requirements]
    others = {n: Held(d.version, d.requires) for n, d in counted.items() if n not in holds}
    return Question(
        (*requirements, *_direct(plan, wanted, shelf)),
        holds,
        others,
        wanted.bounds,
        environment.interpreter.markers,
        wanted.pre,
        {c.name: c.requires for c in plan.changes if c.after is not None},
    )


def _newer(course: Course, plan: Plan, requirement: Requirement) -> Requirement:
    """Ask for what `--upgrade` is meant to bring: the version that conda has would do otherwise."""
    change = plan.by_name.get(normalised(requirement.name))
    is_asked = course.options.upgrade and change is not None and change.requested
    if not is_asked or change is None or change.action != "upgrade" or requirement.url is not None:
        return requirement
    bound = Requirement(f"{requirement.name}>={change.after}")
    bound.extras, bound.marker = requirement.extras, requirement.marker
    bound.specifier &= requirement.specifier
    return bound


def _as_said(course: Course, plan: Plan, freed: Freed) -> Freed:
    """Ask conda for what is newer than here, where that is all that `--upgrade` says."""
    change = plan.by_name.get(freed.name)
    if not course.options.upgrade or change is None or change.before is None:
        return freed
    newest, newer = f">={change.after}", f">{change.before.version}"
    bounds = tuple(
        text.replace(newest, newer) if change.requested else text for text in freed.bounds
    )
    return replace(freed, bounds=bounds)


def _direct(plan: Plan, wanted: Wanted, shelf: Catalogue) -> list[Requirement]:
    """Ask for what was given by path or URL as pip found it.

    Raises: TooHard, where pip knows no name of it yet.
    """
    found = []
    for change in plan.changes:
        is_direct = change.artifact is not None and change.artifact.is_direct
        if is_direct and change.requested and change.after is not None:
            shelf.offer(change.name, change.after)
            extras = f"[{','.join(change.extras)}]" if change.extras else ""
            found.append(Requirement(f"{change.name}{extras}==={change.after}"))
    names = {normalised(requirement.name) for requirement in found}
    if len(wanted.direct) > len(found) or not names.issuperset(map(normalised, wanted.direct)):
        raise TooHard("something given by a path or URL")
    return found


def _checked(course: Course, first: Judgement, conflict: Conflict) -> Conflict:
    """Give the ways out that pip confirms: with these let go, its plan touches no other of conda's.

    Where its first plan changed just these, that was the confirmation. Where pip may take over less
    than it planned to, and nothing is refused then, that is enough.
    """
    changed = {f.distribution for f in first.findings if isinstance(f, CondaOwned)}
    good: list[tuple[Freed, ...]] = []
    enough: tuple[str, ...] = ()
    trials = 0
    for way in conflict.ways:
        names = tuple(freed.name for freed in way)
        if PYTHON in names:
            continue  # no plan for another Python can be made here
        if changed == set(names):
            good.append(way)
        elif trials < _MOST_TRIALS:
            trials += 1
            found = tried(course, course.request.words, allow=names)
            good += [way] if found is not None and goes_with(course, found[1], names) else []
            is_less = changed > set(names) and found is not None and not found[1].refuses
            enough = enough or (names if is_less else ())
    return replace(conflict, ways=tuple(good), enough=enough)
