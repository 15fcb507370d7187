"""The ways out of a refusal: commands that work as they are printed, the gentlest first. Pure.

A command that cannot be given whole (a secret was taken out of the arguments, an input can be read
only once) is not given at all: words say what to change of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing import fixes_by_conda, fixes_by_pip, fixes_elsewhere
from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.channels import channels_of
from safepip.decisions.fixing.fix_case import Case
from safepip.decisions.fixing.shell import Shell, shell_in
from safepip.values.request import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.plan import Plan
    from safepip.values.universe import Freed
    from safepip.values.verdict import Fix, HeldBack

    Way = Callable[[Case], Iterator[Fix]]

_MOST = 4
"""More ways out than these are no help."""

_OF_UNINSTALL: tuple[Way, ...] = (
    fixes_by_conda.removed_by_conda,
    fixes_by_pip.those_that_need_it_too,
    fixes_by_conda.others_by_conda,
    fixes_by_pip.taken_over,
)
_OF_INSTALL: tuple[Way, ...] = (
    fixes_by_pip.by_pixi,
    fixes_by_pip.without_reinstalling,
    fixes_by_pip.not_to_the_user_site,
    fixes_by_pip.versions_that_fit,
    fixes_by_pip.what_is_pinned,
    fixes_by_pip.what_keeps_others_working,
    fixes_by_pip.what_is_required,
    fixes_by_pip.the_project_alone,
    fixes_by_pip.all_but_what_conda_has,
    fixes_by_conda.by_conda,
    fixes_by_conda.others_by_conda,
    fixes_by_conda.swapped,
    fixes_by_pip.taken_over,
)
_NEED_ARGUMENTS: tuple[Way, ...] = (fixes_by_conda.others_by_conda, fixes_by_conda.swapped)
"""What gives the user's command whole, behind one of conda's."""
_OF_A_SEAL: tuple[Way, ...] = (
    fixes_by_pip.by_pixi,
    fixes_elsewhere.in_a_clone,
    fixes_by_pip.although_sealed,
)
_LAST: tuple[Way, ...] = (fixes_elsewhere.in_a_new_environment,)
_WITHOUT_CONDA: tuple[Way, ...] = (*_LAST, fixes_by_pip.taken_over)
"""Where conda cannot do what pip was not to do."""


def fixes_for(  # noqa: PLR0917 - a refusal has these parts
    environment: Environment,
    request_verb: str,
    arguments: tuple[str, ...],
    plan: Plan,
    findings: Sequence[Finding],
    kept: tuple[HeldBack, ...] | None,
    *,
    others_fit: bool = False,
    bounds_fit: bool = True,
    told: frozenset[str] = frozenset(),
    ways: tuple[tuple[Freed, ...], ...] = (),
    enough: tuple[str, ...] = (),
    within: tuple[str, ...] = (),
    barred: Collection[str] = (),
    along: Mapping[tuple[str, ...], tuple[str, ...]] | None = None,
    bounds: Mapping[str, tuple[Requirement, ...]] | None = None,
    direct: bool = False,
    there: Mapping[str, str] | None = None,
    in_notebook: bool = False,
    first: tuple[Fix, ...] = (),
    spelled: tuple[str, ...] = (),
    policy: Policy | None = None,
    obvious: bool = True,
    through: tuple[str, ...] = (),
    fits: str = "",
    start: tuple[str, ...] = ("safepip",),
) -> tuple[Fix, ...]:
    """Give the commands that do what the user wanted, without the harm that was refused.

    ``arguments`` are pip's own, without secrets, beginning with pip's verb; ``spelled``: the same
    with the lines of files in their place. ``kept`` is what the second plan held back, where there
    is such a plan and it was not taken. ``others_fit``: what would break has releases that go with
    the plan. ``bounds_fit``: what was asked for has one that goes with that, as it is. ``ways``:
    the smallest changes of conda's that make the request possible, where they were found out;
    ``enough``: the fewest names that pip has to take over. ``within``: bounds with which the plan
    is what is pinned. ``barred``: commands that are known not to work; ``along``: what conda is to
    change as well, by what it is asked for; ``bounds``: the constraints, by name; ``direct``: of
    what pip installs, only what was asked for counts with what it requires of conda's; ``there``:
    versions of conda's with which the rest can be had; then only that is given. ``first``: commands
    that come first. ``policy`` is what the user said to safepip, which the commands say
    again; ``told``: flags that pip is told elsewhere than in the arguments; ``through``: the words
    before pip's verb; ``start``: those that start safepip. ``fits``: what ``kept`` goes with; then
    only that is given.
    """
    channels = channels_of(environment.records)
    prefix, manager = environment.prefix, environment.manager
    shell = Shell(prefix, manager, obvious, in_notebook, channels, through=through, start=start)
    case = Case(
        environment,
        arguments or (request_verb,),
        plan,
        tuple(finding for finding in findings if finding.severity == "refuse"),
        shell_in(shell, environment),
        kept or (),
        policy or Policy(),
        others_fit,
        ways,
        enough,
        within,
        spelled or arguments,
        along or {},
        bounds or {},
        there=there or {},
        direct=direct,
        told=told,
        bounds_fit=bounds_fit,
        is_shown=request_verb == "plan",
        fits=fits or "conda's versions",
    )
    if there:
        return _found(case, (fixes_by_pip.what_is_there,), barred)
    if fits:
        return _found(case, (fixes_by_pip.versions_that_fit,), barred)
    found = _found(case, _ways(case), barred) or _found(case, _LAST, barred)
    if barred and not case.sealed and found == _found(case, (fixes_by_pip.taken_over,), barred):
        found = _found(case, _WITHOUT_CONDA, barred)
    unlike = {fix.key for fix in first}
    fixes = (*first, *(fix for fix in found if fix.key not in unlike))
    # The last resort is one: it stays, whatever comes before it.
    return fixes if len(fixes) <= _MOST else (*fixes[: _MOST - 1], fixes[-1])


def _ways(case: Case) -> tuple[Way, ...]:
    """Choose the ways out that can apply."""
    if case.sealed:
        can_be_cloned = any(True for _ in fixes_elsewhere.in_a_clone(case))
        return _OF_A_SEAL if can_be_cloned else (*_LAST, *_OF_A_SEAL)
    ways = _OF_UNINSTALL if case.removes else _OF_INSTALL
    return ways if case.repeatable else tuple(way for way in ways if way not in _NEED_ARGUMENTS)


def _found(case: Case, ways: tuple[Way, ...], barred: Collection[str]) -> tuple[Fix, ...]:
    """Give the fixes of these ways that can be pasted, each command once."""
    fixes: dict[str, Fix] = {}
    for way in ways:
        for fix in way(case):
            is_whole = can_be_pasted(fix.command, in_notebook=case.shell.in_notebook)
            is_told = not fix.command and not case.repeatable and fix.says
            if (is_whole or is_told) and fix.key not in barred:
                fixes.setdefault(fix.key, fix)
    return tuple(fixes.values())
