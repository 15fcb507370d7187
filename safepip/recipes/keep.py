"""Planning again with conda's versions held, when the first plan is refused."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import named_with_extras, with_version, without_names
from safepip.decisions.judging.pins import as_requirement
from safepip.decisions.planning.keep import compare, holds, loses_extras, may_hold, named_in, slides
from safepip.decisions.planning.loosen import with_constraints, without_bounds
from safepip.effects.asking import OtherPython, SeamsMoved
from safepip.effects.engines import start
from safepip.values.account import Failed
from safepip.values.errors import SafepipError
from safepip.values.findings import Breaks, CondaOwned, Pinned
from safepip.values.verdict import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.judging.judge import Judgement
    from safepip.recipes.course import Course
    from safepip.values.plan import Plan
    from safepip.values.verdict import Blocked, HeldBack


_AS_THEY_ARE: Mapping[str, str] = {}


def keep(course: Course, plan: Plan, first: Judgement) -> Kept | tuple[HeldBack, ...]:
    """Give the verdict on a second plan, or what it would change too much of the request.

    Empty when there is no such plan. Where the user wants none (`--strict`), it is only offered.
    """
    if not may_hold(plan, first.findings):
        return ()
    account = course.plan_held(holds(course.environment, course.request.policy))
    if isinstance(account, Failed):
        return ()
    second = course.joined(account)
    judged = course.judged(second)
    if judged.refuses or loses_extras(plan, second):
        return ()
    if slid := slides(plan, second, named_in(course.request.words)):
        return slid
    held_back = compare(course.environment, plan, second)
    if course.request.policy.strict:
        return held_back
    return Kept(second, held_back, judged.findings, judged.spared, first.findings)


def find_fitting(course: Course, plan: Plan, first: Judgement) -> tuple[HeldBack, ...]:
    """Find what fits conda's versions when the bounds that the user gave are set aside.

    It is only offered, and only when a whole plan of it was judged and not refused.
    """
    arguments, names = without_bounds(course.spelled_words, course.environment)
    if not arguments or not any(isinstance(f, CondaOwned) for f in first.findings):
        return ()
    found = _accepted(course, arguments)
    if found is None or loses_extras(plan, found):
        return ()
    fitting = compare(course.environment, plan, found)
    return tuple(held for held in fitting if held.name in names)


def as_it_is(course: Course, first: Blocked) -> Mapping[str, str]:
    """Give the versions of conda's with which all else that the user asks for can be had.

    Empty where the user asks for nothing else, or for no other version of conda's.
    """
    there = {
        finding.distribution: finding.installed
        for finding in first.findings
        if isinstance(finding, CondaOwned) and finding.requested and finding.action != "same"
    }
    arguments = course.spelled_words
    plain = there.keys() - named_with_extras(arguments)
    if not there or not without_names(arguments, frozenset(plain)):
        return {}
    for name, version in there.items():
        arguments = with_version(arguments, name, version)
    found = _accepted(course, arguments)
    return there if found is not None and found.changes else {}


def others_fit(course: Course, first: Judgement) -> bool:
    """Say whether what the plan would break has releases that go with it."""
    names = sorted({finding.distribution for finding in _broken(course, first)})
    return bool(names) and _accepted(course, (*course.request.words, *names)) is not None


def bounds_fit(course: Course, first: Judgement) -> bool:
    """Say whether pip finds what was asked for within the bounds of what the plan would break."""
    bounds = dict.fromkeys(finding.requirement for finding in _broken(course, first))
    return bool(bounds) and _accepted(course, (*course.request.words, *bounds)) is not None


def _broken(course: Course, first: Judgement) -> list[Breaks]:
    """Give what an install would break; empty where it is refused for anything else as well."""
    refusals = [finding for finding in first.findings if finding.severity == "refuse"]
    found = [finding for finding in refusals if isinstance(finding, Breaks)]
    is_all = len(found) == len(refusals) and course.request.verb != "uninstall"
    return found if is_all else []


def within_pins(course: Course, first: Judgement) -> tuple[str, ...]:
    """Give the bounds with which the plan is what `conda-meta/pinned` allows; empty for none."""
    refusals = [finding for finding in first.findings if finding.severity == "refuse"]
    pins = [finding for finding in refusals if isinstance(finding, Pinned)]
    bounds = tuple(dict.fromkeys(as_requirement(pin.pin, pin.distribution) for pin in pins))
    if course.request.verb == "uninstall" or len(pins) != len(refusals) or not all(bounds):
        return ()
    return bounds if _accepted(course, (*course.request.words, *bounds)) is not None else ()


def _accepted(course: Course, arguments: tuple[str, ...]) -> Plan | None:
    """Give the plan for other arguments; None when there is none, or it is refused."""
    found = tried(course, arguments)
    return found[0] if found is not None and not found[1].refuses else None


def tried(
    course: Course,
    arguments: tuple[str, ...],
    *,
    allow: tuple[str, ...] = (),
    instead: Mapping[str, str] = _AS_THEY_ARE,
    variables: tuple[tuple[str, str], ...] = (),
) -> tuple[Plan, Judgement] | None:
    """Give the plan for other arguments, with conda's versions held, and what is said of it.

    A pip of its own makes it, unseen. None also where that fails or takes too long: what was found
    before stands without it. ``allow``: names that it may take over from conda. ``instead``: the
    versions at which some of these are held. ``variables``: what pip is told otherwise by them.
    """
    since = time.monotonic()
    if not course.may_try():
        course.is_cut_short()
        return None
    try:
        return _tried(course, arguments, allow, instead, variables)
    except (OtherPython, SafepipError, SeamsMoved):
        return None
    finally:
        course.timed("plan", since)
        course.has_tried(since)


def _tried(
    course: Course,
    arguments: tuple[str, ...],
    allow: tuple[str, ...],
    instead: Mapping[str, str],
    variables: tuple[tuple[str, str], ...],
) -> tuple[Plan, Judgement] | None:
    held = course.folder / "held.txt"
    policy = course.request.policy
    policy = policy._replace(allow=(*policy.allow, *allow))
    lines = (
        *holds(course.environment, policy),
        *(f"{name}=={version}" for name, version in instead.items()),
    )
    held.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    bounded = with_constraints(arguments, str(held))
    environ = {**course.asking.environ, **dict(variables)}
    asking = course.asking._replace(
        arguments=bounded, environ=environ, silent=True, is_over=course.is_over
    )
    with start(course.engine.name, asking) as engine:
        request = course.request._replace(policy=policy)
        trial = replace(
            course, request=request, engine=engine, asking=asking, seconds={}, is_trial=True
        )
        engine.greet()
        options = engine.read_options()
        account = options if isinstance(options, Failed) else trial.plan()
        found = None
        if not isinstance(account, Failed):
            plan = trial.joined(account)
            found = plan, trial.judged(plan)
            engine.stop()
    if engine.interrupted:  # it had the ear of the command
        raise KeyboardInterrupt
    return found


def goes_with(course: Course, judged: Judgement, names: tuple[str, ...]) -> bool:
    """Say whether only such things are refused as conda takes care of when it changes these."""
    owned: Mapping[str, object] = course.environment.conda_owned
    return all(
        isinstance(finding, Breaks) and finding.changed in names and finding.distribution in owned
        for finding in judged.findings
        if finding.severity == "refuse"
    )
