"""What conda says to a plan: what its channels offer of it, and what its solver makes of fixes.

Less is said, never something wrong: without py-rattler, or an index of the channels, nothing.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.afterwards import (
    doubled_by,
    environment_after,
    harm_of,
    out_of_bounds,
    works,
)
from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.commands import (
    CONSTRAINTS,
    can_be_repeated,
    has_files,
    leaving_others,
    without_options,
    words_of,
)
from safepip.decisions.fixing.fixes_by_conda import named_along, with_answer
from safepip.decisions.fixing.shares import (
    against_sharing,
    shared_fix,
    shares,
    taken_by_conda,
)
from safepip.decisions.fixing.shell import shell_in, shell_of
from safepip.decisions.judging.pins import held_wishes, parse_pin
from safepip.decisions.judging.requirements import is_active, parse_requirement
from safepip.decisions.wording.hints import (
    conda_against_constraints,
    conda_against_unread,
    conda_cannot,
    conda_has_a_part,
    conda_has_no_local,
    conda_would_double,
    conda_would_harm,
)
from safepip.decisions.wording.phrases import listed
from safepip.effects.conda_names import conda_names
from safepip.effects.conda_solver import CondaSolver, is_offline
from safepip.recipes.keep import goes_with, tried
from safepip.values.environment import spec_name
from safepip.values.plan import Plan
from safepip.values.text import normalised, without_secrets
from safepip.values.universe import PYTHON
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.shares import Share
    from safepip.decisions.fixing.shell import Shell
    from safepip.decisions.judging.judge import Judgement
    from safepip.recipes.course import Course
    from safepip.values.channel import Answer, Moved, Offer
    from safepip.values.environment import Environment
    from safepip.values.plan import Change

_SECONDS = 10.0
"""For all questions of one command together. Where all is there already, it takes one or two."""
_MOST_PARTS = 8
"""Parts of a plan that conda's solver is asked about one after the other."""


def solver_of(course: Course) -> CondaSolver:
    """Give who knows the channels of the environment; unless the user is offline, it fetches them.

    Nothing waits for it but a plan that is shown, and a refusal. One for the whole command: what is
    read is kept, and the time is for all questions together.
    """
    if course.solver is None:
        environ, prefix = course.asking.environ, course.environment.prefix
        course.solver = CondaSolver(
            course.environment,
            seconds=min(_SECONDS, course.left),
            fetches=not (course.wider_options.no_index or is_offline(environ, prefix)),
            environ=environ,
            is_enough=lambda: course.engine.interrupted,
            looking=course.settings.looking,
        )
    return course.solver


def from_conda(course: Course, plan: Plan) -> tuple[Fix, ...]:
    """Give the command that takes from conda what conda has of a plan, and the rest by pip."""
    found = shared(course, plan) if may_be_shared(course, plan) else None
    return _as_fixes(course, plan, found) if found is not None else ()


def helped_by_conda(course: Course, plan: Plan) -> Checked:
    """Give the same for a plan that is refused: a way out only where pip's rest is not refused."""
    found = shared(course, plan) if may_be_shared(course, plan) else None
    if found is None:
        return Checked(())
    if judged_rest(course, plan, found)[1].refuses:
        return Checked((), (conda_has_a_part(taken_by_conda(found.share, found.answer, plan)),))
    return Checked(_as_fixes(course, plan, found))


def judged_rest(course: Course, plan: Plan, found: Shared) -> tuple[Plan, Judgement]:
    """Give what pip still has to do, not what conda's part brings along, and what is said to it."""
    there = {d.name for d in found.there.distributions}
    left = tuple(
        c for c in found.share.rest if c.requested or c.name not in there or c.before is not None
    )
    rest = Plan(left, plan.requested, plan.ignores_dependencies)
    return rest, replace(course, environment=found.there).judged(rest)


def _as_fixes(course: Course, plan: Plan, found: Shared) -> tuple[Fix, ...]:
    fix = fix_of(course, plan, found)
    in_notebook = course.request.target.in_notebook
    return (fix,) if can_be_pasted(fix.command, in_notebook=in_notebook) else ()


def may_be_shared(course: Course, plan: Plan, *, as_shown: bool = True) -> bool:
    """Say whether a part of a plan may be conda's, if its channels have that.

    ``as_shown``: the rest is for somebody to paste, who is not given secrets.
    """
    return not why_not_shared(course, plan, as_shown=as_shown)


def why_not_shared(course: Course, plan: Plan, *, as_shown: bool = True) -> str:
    """Say what is against it; empty for nothing. ``as_shown``: as above."""
    environment = course.environment
    words = course.shown_arguments if as_shown else course.request.words
    sealed = environment.frozen is not None or environment.externally_managed is not None
    if options := against_sharing(course.wider_options, words):
        return f"with {listed(options)}"
    if sealed or not environment.writable:
        return f"where the environment {'is sealed' if sealed else 'cannot be written'}"
    is_to_come = any(change.after is not None for change in plan.changes)
    if not is_to_come or not environment.records or course.request.verb == "uninstall":
        return "with nothing that could come from there"
    return "" if can_be_repeated(words) else "with what cannot be read, or shown, once more"


class Shared(NamedTuple):
    """A plan that is divided between conda and pip, and what conda's solver makes of its part."""

    share: Share
    answer: Answer
    there: Environment
    """As it would be after conda's part."""


def shared(course: Course, plan: Plan) -> Shared | None:
    """Divide a plan so that conda can do its part, and pip then the rest; None where none can be.

    Where conda cannot do the whole of its part, as much of it as it can.
    """
    since = time.monotonic()
    wanted = [change.name for change in plan.changes if change.after is not None]
    offers = solver_of(course).offers(wanted)
    found = _shared(course, plan, offers) or _partly_shared(course, plan, offers)
    course.timed("conda", since)
    return found


def _shared(course: Course, plan: Plan, offers: Mapping[str, Offer]) -> Shared | None:
    return next(
        filter(None, (_tried(course, plan, *each) for each in _ways(course, plan, offers))), None
    )


def _partly_shared(course: Course, plan: Plan, offers: Mapping[str, Offer]) -> Shared | None:
    """Add one after the other, what was asked for first, and leave out what makes it impossible."""
    order = sorted((c for c in plan.changes if c.name in offers), key=lambda c: not c.requested)
    if len(order) == 1:
        return None  # that is all, and was asked already
    taken: dict[str, Offer] = {}
    best: Shared | None = None
    for change in order[:_MOST_PARTS]:
        more = {**taken, change.name: offers[change.name]}
        way = next(_ways(course, plan, more), None)
        if way is None or (best is not None and way[0].specs == best.share.specs):
            continue
        if (found := _tried(course, plan, *way)) is not None:
            taken, best = more, found
    return best


def _ways(
    course: Course, plan: Plan, offers: Mapping[str, Offer]
) -> Iterator[tuple[Share, Mapping[str, Offer]]]:
    spelled = tuple(map(without_secrets, course.spelled_words))
    bounds = constraints_of(course)
    found = shares(
        plan,
        course.environment,
        course.shown_arguments,
        offers,
        spelled,
        constrained=bounds is None,
        bounds=bounds,
    )
    return ((share, offers) for share in found)


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


def _tried(course: Course, plan: Plan, share: Share, offers: Mapping[str, Offer]) -> Shared | None:
    answer = solver_of(course).ask(share.specs)
    if answer is None or not answer.possible:
        return None
    environment = course.environment
    if doubled(environment, answer.moves) or constrained_out(course, plan, answer.moves):
        return None
    if not works(share, environment, answer, offers):
        return None
    return Shared(share, answer, environment_after(environment, answer, offers))


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


def fix_of(course: Course, plan: Plan, found: Shared) -> Fix:
    """Give the two commands, for somebody to paste."""
    policy = course.request.policy._replace(prefers_conda=False)
    return shared_fix(found.share, found.answer, plan, conda_shell(course), policy.options)


class Checked(NamedTuple):
    """Ways out of a refusal, as far as conda's solver knows them to work."""

    fixes: tuple[Fix, ...]
    hints: tuple[str, ...] = ()
    """What conda cannot do."""


def checked_by_conda(course: Course, plan: Plan, fixes: Callable[..., tuple[Fix, ...]]) -> Checked:
    """Leave out what conda's solver refuses, and say of the rest what else it would change.

    ``fixes`` gives the ways out without those commands that it is given as ``barred``. Where conda
    has no way to all that pip would install, it is asked for what is needed by that which was asked
    for; pip may have older releases of the rest.
    """
    answers: dict[str, Fix | str] = {}
    found = _checked(course, plan, fixes, answers)
    if not found.hints or any(fix.asks_conda for fix in found.fixes) or course.left <= 0:
        return found
    less = _checked(course, plan, partial(fixes, direct=True), answers)
    return less._replace(hints=()) if any(fix.asks_conda for fix in less.fixes) else found


def _checked(
    course: Course,
    plan: Plan,
    fixes: Callable[..., tuple[Fix, ...]],
    answers: dict[str, Fix | str],
) -> Checked:
    """``answers``: what is known already of commands."""
    along: dict[tuple[str, ...], tuple[str, ...]] = {}
    bounds = _bounds_here(course, plan)
    while True:
        barred = [command for command, fix in answers.items() if isinstance(fix, str)]
        found = fixes(barred=barred, along=along, bounds=bounds)
        unasked = [fix for fix in found if fix.key not in answers]
        if not unasked:
            break
        for fix in unasked:
            answer = solver_of(course).ask(fix.asks_conda) if fix.asks_conda else None
            more = _to_be_named(course, fix.asks_conda, answer)
            if more and fix.asks_conda not in along:
                along[fix.asks_conda] = more
            else:
                answers[fix.key] = _as_conda_sees_it(course, fix, plan, answer)
    told = [answers[fix.key] for fix in found]
    hints = dict.fromkeys(said for said in answers.values() if isinstance(said, str))
    return Checked(tuple(fix for fix in told if isinstance(fix, Fix)), tuple(hints))


def _bounds_here(course: Course, plan: Plan) -> Mapping[str, tuple[Requirement, ...]]:
    """Give those constraints that can be read and count in this environment, by name.

    What pip may install by its hash alone is bound to be what it has chosen; so is what a file asks
    for that is not read here.
    """
    markers = course.environment.interpreter.markers
    bounds = {
        name: tuple(each for each in those if is_active(each, markers, ()))
        for name, those in (constraints_of(course) or {}).items()
    }
    hashed = course.wider_options.require_hashes
    unread = has_files(without_options(course.spelled_words, CONSTRAINTS))
    for change in plan.changes:
        if change.after is not None and (hashed or (unread and change.requested)):
            exact = parse_requirement(f"{change.name}=={change.after}")
            known = bounds.get(change.name, ())
            bounds[change.name] = known if exact is None else (*known, exact)
    return bounds


def _to_be_named(course: Course, specs: tuple[str, ...], answer: Answer | None) -> tuple[str, ...]:
    """Give what has to be named as well: what conda would remove, or what the user once asked for.

    Versions in conda's history are the user's own wishes, and no limit of the channels.
    """
    if answer is None:
        return ()
    if answer.possible:
        return named_along(answer, specs, conda_shell(course))
    named = set(map(spec_name, specs))
    held = set(map(spec_name, held_wishes(course.environment, named))) - {PYTHON}
    freed = solver_of(course).ask((*specs, *sorted(held))) if held else None
    if freed is None or not freed.possible:
        return ()
    return tuple(m.name for m in freed.moves if m.before and m.name.lower() in held)


def _cannot(course: Course, specs: tuple[str, ...]) -> str:
    """Say what conda cannot have: just that part of it that it cannot have by itself."""
    bounded = [spec for spec in specs if (pin := parse_pin(spec)) is not None and pin.versions]
    freely = [spec for spec in specs if spec not in bounded]
    alone = [solver_of(course).ask((spec, *freely)) for spec in bounded[:_MOST_PARTS]]
    if len(bounded) <= 1 or None in alone or len(alone) < len(bounded):
        return conda_cannot(specs, pinned=course.environment.pins)
    possible = [s for s, a in zip(bounded, alone, strict=True) if a is not None and a.possible]
    impossible = [spec for spec in bounded if spec not in possible]
    return conda_cannot(impossible or bounded, possible, pinned=course.environment.pins)


def _as_conda_sees_it(course: Course, fix: Fix, plan: Plan, answer: Answer | None) -> Fix | str:
    """Give the fix with what the solver says; or why it is none: it cannot be, or does harm."""
    if against := _against_constraints(course, fix, plan, answer):
        return against
    if answer is None:
        local = [spec for spec in fix.asks_conda if "+" in spec]
        return conda_has_no_local(local) if local else fix
    if not answer.possible:
        return _cannot(course, fix.asks_conda)
    environment = course.environment
    if twice := doubled(environment, answer.moves):
        return conda_would_double(fix.asks_conda, twice)
    there = environment_after(environment, answer, {})
    named = (word.name for word in words_of(course.request.words) if word.name)
    by_pip = (*(change.name for change in plan.changes), *named)
    leaving = frozenset(by_pip).difference(environment.conda_owned)
    rest = _left_for_pip(plan, environment) if fix.is_told_by_conda else ()
    harmed = harm_of(environment, there, rest, leaving)
    if harmed and not _comes_along(course, plan, fix, harmed):
        newest = {c.name: c.after for c in rest if c.requested}
        # Where pip finds other releases of what nobody asked for, all is well.
        if not rest or course.request.policy.strict or taken_by_pip(course, plan, answer) != newest:
            return conda_would_harm(fix.asks_conda, harmed)
    return with_answer(fix, answer, conda_shell(course))


def _against_constraints(course: Course, fix: Fix, plan: Plan, answer: Answer | None) -> str:
    """Say what the user's constraints have against a change of conda's; empty for nothing.

    Where they cannot all be read, pip, which can, is asked whether it goes on with what conda
    would bring.
    """
    bounds = constraints_of(course)
    if answer is None:
        asked = {spec_name(spec) for spec in fix.asks_conda}
        changed = {c.name for c in plan.changes if not asked.isdisjoint(_packages(c.name))}
        elsewhere = [name for name in changed if any(r.url for r in (bounds or {}).get(name, ()))]
        is_known = not changed or (bounds is not None and not elsewhere)
        return "" if is_known else conda_against_unread(fix.asks_conda, ())
    out = constrained_out(course, plan, answer.moves) if answer.possible else ()
    if not out or (bounds is None and taken_by_pip(course, plan, answer) is not None):
        return ""
    said = conda_against_unread if bounds is None else conda_against_constraints
    return said(fix.asks_conda, out)


def _packages(name: str) -> set[str]:
    return set(map(str.lower, conda_names(name)))


def taken_by_pip(course: Course, plan: Plan, answer: Answer) -> Mapping[str, str | None] | None:
    """Give the versions that pip takes of what was asked for once conda has done its part.

    Without those that are conda's own. None where pip finds no plan that leaves as it is what conda
    brings, or somebody would not have what it requires.
    """
    environment = course.environment
    owned = environment.conda_owned
    moved = {move.name.lower(): move.after for move in answer.moves}
    theirs = {
        name: moved[each.record.name.lower()]
        for name, each in owned.items()
        if each.record is not None
        and each.record.name.lower() in moved
        and each.record.version == each.version
    }
    new = {
        change.name: moved[package]
        for change in plan.changes
        for package in _packages(change.name) & moved.keys()
        if change.name not in owned
    }
    instead = {name: version for name, version in {**new, **theirs}.items() if version}
    if not can_be_repeated(course.request.words):
        return None
    allow = tuple({**new, **theirs})
    words = leaving_others(course.request.words)
    found = tried(course, words, allow=allow, instead=instead)
    if found is None or not goes_with(course, found[1], allow):
        return None
    rest = tuple(change for change in found[0].changes if change.name not in owned)
    there = environment_after(environment, answer, {})
    if harm_of(environment, there, rest, frozenset(change.name for change in rest)):
        return None
    asked = {c.name for c in plan.changes if c.requested and c.name not in owned}
    here = {name: each.version for name, each in environment.installed.items() if name in asked}
    return {**here, **{c.name: c.after for c in rest if c.requested and c.after is not None}}


def conda_shell(course: Course) -> Shell:
    """Give where commands about the environment are pasted, with its channels."""
    environment, channels = course.environment, solver_of(course).channels
    shell = shell_in(shell_of(course.request.target), environment)
    return replace(shell, channels=channels, through=course.request.through)


def _comes_along(course: Course, plan: Plan, fix: Fix, names: tuple[str, ...]) -> bool:
    """Say whether the command also names all these, and pip has releases of them that fit."""
    if not set(names) <= set(fix.command.split()):
        return False
    owned = course.environment.conda_owned
    allow = tuple(change.name for change in plan.changes if change.name in owned)
    found = tried(course, (*course.request.words, *names), allow=allow)
    return found is not None and goes_with(course, found[1], allow)


def _left_for_pip(plan: Plan, environment: Environment) -> tuple[Change, ...]:
    """Give what stays with pip, as it was planned."""
    owned = environment.conda_owned
    return tuple(c for c in plan.changes if c.name not in owned and c.after is not None)
