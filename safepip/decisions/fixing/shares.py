"""Which part of a plan conda could take on, so that pip has only the rest. Pure.

What conda has, take from conda: what was asked for, where its channels have it; else what that
needs. What is taken over by conda is no more looked into, since conda knows what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safepip.decisions.fixing.bounds import conda_spec
from safepip.decisions.fixing.commands import (
    CONSTRAINTS,
    has_files,
    without_names,
    without_options,
    words_of,
)
from safepip.decisions.fixing.solvers_answer import named_along, other_moves
from safepip.decisions.judging.consistency import before, standing
from safepip.decisions.judging.requirements import (
    active_requirements,
    is_active,
    is_met,
    parse_requirement,
    parse_version,
)
from safepip.decisions.wording.phrases import few
from safepip.values.late import dataclass
from safepip.values.text import normalised
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.channel import Answer, Offer
    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.request import PipOptions

_PYPI = ("files.pythonhosted.org", "pypi.org")
"""Hosts of the index for which the names of conda's packages are known."""
_FIRST_YEAR = 1990
_UNTRIED = " (unchecked)"
"""What pip makes of its part is worked out, and was not tried."""


@dataclass(frozen=True)
class Share:
    """A plan, divided between conda and pip."""

    offers: tuple[Offer, ...]
    """What conda takes on."""
    wanted: tuple[tuple[Requirement, ...], ...]
    """Of each of them: what the user and the rest of the plan ask."""
    specs: tuple[str, ...]
    """The same in conda's words."""
    rest: tuple[Change, ...]
    """What pip would still do."""
    arguments: tuple[str, ...]
    """pip's, for the rest; empty where nothing is left."""
    names: frozenset[str]
    """What conda takes on of that which was asked for by name."""


def against_sharing(options: PipOptions, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Give the options with which pip is asked for something else than conda would put there."""
    # conda builds nothing, and has archives of other hashes.
    given = {
        "--target": options.target_dir,
        "--prefix": options.prefix_path,
        "--root": options.root_path,
        "--user": options.use_user_site,
        "--no-deps": options.ignore_dependencies,
        "--ignore-installed": options.ignore_installed,
        "--force-reinstall": options.force_reinstall,
        "--no-binary": options.no_binary,
        "--require-hashes": options.require_hashes,
        "--upgrade-strategy eager": options.eager,
        "--pre": options.pre,
        # pip would go on to upgrade what conda has just brought.
        "--upgrade and a file": options.upgrade and has_files(arguments),
    }
    return tuple(option for option, is_given in given.items() if is_given)


def shares(
    plan: Plan,
    environment: Environment,
    arguments: tuple[str, ...],
    offers: Mapping[str, Offer],
    spelled: tuple[str, ...] = (),
    *,
    constrained: bool = False,
    bounds: Mapping[str, tuple[Requirement, ...]] | None = None,
) -> tuple[Share, ...]:
    """Give the ways to divide a plan, the one that leaves most to conda first; empty for none.

    ``spelled``: the arguments with the lines of files in their place, where that is known.
    ``constrained``: the user has constraints, which are not known here. ``bounds``: those that are.
    """
    words = spelled or arguments
    if bounds is not None:
        words = without_options(words, CONSTRAINTS)
    asked = _asked(plan, words, constrained=constrained)
    markers = environment.interpreter.markers
    applying = {
        name: tuple(each for each in those if is_active(each, markers, ()))
        for name, those in (bounds or {}).items()
    }
    may = frozenset(
        c.name
        for c in plan.changes
        if c.name in offers
        and _may_be_condas(c)
        and _is_the_same(c, offers[c.name])
        and _is_missing(environment, c, offers[c.name])
    )
    only_requested = frozenset(c.name for c in plan.changes if c.requested and c.name in may)
    found: dict[tuple[str, ...], Share] = {}
    for names in (may, only_requested):
        on = {name: offers[name] for name in names}
        share = _share(plan, environment, arguments, on, asked, bounds=applying)
        if share is not None:
            found.setdefault(share.specs, share)
    return tuple(found.values())


def _may_be_condas(change: Change) -> bool:
    """Say whether conda's package would be the same thing, and in nobody's way.

    Of extras conda knows nothing, and a copy that pip has put there would come twice.
    """
    artifact, here = change.artifact, change.before
    from_an_index = artifact is None or (
        not artifact.is_direct and artifact.source in ("wheel", "sdist")
    )
    record = here.record if here is not None else None
    is_new_or_condas = here is None or (
        record is not None and record.version == here.version and not change.requested
    )
    differs = here is None or here.version != change.after
    return (
        change.after is not None
        and from_an_index
        and is_new_or_condas
        and differs
        and not (change.extras)
    )


def _is_the_same(change: Change, offer: Offer) -> bool:
    """Say whether conda's package is of the project that pip has found.

    What its own index has under a name that PyPI also knows is another thing. On conda's side only
    a channel of the user's own may have that, too. Another major version may be another thing, or
    one that was given up.
    """
    url = urlsplit(change.artifact.url if change.artifact is not None else "")
    is_of_pypi = change.artifact is None or url.hostname in _PYPI
    is_namesake = normalised(offer.package) == change.name
    is_alike = is_namesake or _series(change.after or "") in map(_series, offer.versions)
    return (is_of_pypi or offer.is_here) and is_alike


def _series(version: str) -> int | None:
    """Give the major version; one for all that are numbered by years."""
    parsed = parse_version(version)
    return min(parsed.major, _FIRST_YEAR) if parsed is not None else None


def _is_missing(environment: Environment, change: Change, offer: Offer) -> bool:
    """Say whether conda's package is not there yet without metadata that pip sees."""
    return change.before is not None or environment.record_named(offer.package) is None


def _asked(
    plan: Plan, arguments: tuple[str, ...], *, constrained: bool
) -> Mapping[str, tuple[Requirement, ...]]:
    """Give what the user asks of each name; of what stands in files, only pip's choice is known.

    Constraints may be on anything, and a file of requirements may name others of constraints.
    """
    in_files = has_files(arguments)
    asked: dict[str, tuple[Requirement, ...]] = {}
    for word in words_of(arguments):
        requirement = parse_requirement(word.text) if word.name else None
        if requirement is not None:
            asked[word.name] = (*asked.get(word.name, ()), requirement)
    for change in plan.changes:
        exact = parse_requirement(f"{change.name}=={change.after}")
        is_told = not in_files and (change.name in asked or not change.requested)
        if (constrained or not is_told) and exact is not None:
            asked[change.name] = (exact,)
    return asked


def _share(
    plan: Plan,
    environment: Environment,
    arguments: tuple[str, ...],
    offers: Mapping[str, Offer],
    asked: Mapping[str, tuple[Requirement, ...]],
    *,
    bounds: Mapping[str, tuple[Requirement, ...]],
) -> Share | None:
    """Divide a plan so that all of conda's part has a version that everybody else accepts."""
    while True:
        taken, rest = _divided(plan, offers.keys())
        needed = _needed(plan, rest, environment, asked)
        wanted = {name: (*asked.get(name, ()), *needed.get(name, ())) for name in taken}
        # What nobody asks for is needed by something that is not known here.
        unasked = {name for name in taken if not wanted[name]}
        wanted = {name: (*those, *bounds.get(name, ())) for name, those in wanted.items()}
        misfits = {n for n in taken if n in unasked or not _fits(offers[n], wanted[n])}
        if not misfits:
            break
        offers = {name: offer for name, offer in offers.items() if name not in misfits}
    if all(plan.by_name[name].before is not None for name in taken):
        return None  # only what conda has already, and could change
    specs = tuple(conda_spec(offers[name].package, name, wanted[name]) for name in taken)
    names = frozenset(name for name in taken if plan.by_name[name].requested)
    left = without_names(arguments, names) if rest else ()
    wishes = tuple(wanted[name] for name in taken)
    return Share(tuple(offers[name] for name in taken), wishes, specs, rest, left, names)


def _divided(plan: Plan, offered: AbstractSet[str]) -> tuple[tuple[str, ...], tuple[Change, ...]]:
    """Give what conda takes on, and what stays with pip, from the user's requests downwards."""
    known = plan.by_name
    waiting = [c for c in plan.changes if c.requested or not known.keys() & set(c.needed_by)]
    seen = {change.name for change in waiting}
    taken: list[str] = []
    rest: list[Change] = []
    for change in waiting:
        if change.name in offered:
            taken.append(change.name)
            continue
        rest.append(change)
        needed = [c for c in plan.changes if change.name in c.needed_by and c.name not in seen]
        waiting += needed
        seen.update(c.name for c in needed)
    return tuple(taken), tuple(rest)


def _needed(
    plan: Plan,
    rest: tuple[Change, ...],
    environment: Environment,
    asked: Mapping[str, tuple[Requirement, ...]],
) -> Mapping[str, tuple[Requirement, ...]]:
    """Give what pip's part needs, and what stays as it is, by name.

    Of what is conda's only the extras that the user asks for: for the rest conda itself cares.
    """
    markers = environment.interpreter.markers
    known = before(environment).extras
    found: dict[str, tuple[Requirement, ...]] = {}
    lines = [(change.requires, change.extras) for change in rest]
    for name, each in standing(environment.distributions).items():
        extras = tuple(extra for wish in asked.get(name, ()) for extra in wish.extras)
        if name not in plan.by_name and (each.record is None or extras):
            lines.append((each.requires, (*known.get(name, ()), *extras)))
    for requires, wished in lines:
        for requirement in active_requirements(requires, markers, wished):
            name = normalised(requirement.name)
            found[name] = (*found.get(name, ()), requirement)
    return found


def _fits(offer: Offer, wanted: tuple[Requirement, ...]) -> bool:
    return any(
        all(is_met(requirement, version) for requirement in wanted)
        for version in offer.versions
        if (parsed := parse_version(version)) is not None and not parsed.is_prerelease
    )


def shared_fix(
    share: Share, answer: Answer, plan: Plan, shell: Shell, options: tuple[str, ...]
) -> Fix:
    """Give the two commands, conda's first, and what they do. ``options``: safepip's own."""
    says = f"take {few(taken_by_conda(share, answer, plan))} from conda"
    if share.arguments:
        # With other versions than pip has planned with, its part may come out otherwise.
        is_sure = not shell.is_as_asked or _is_as_planned(share, answer, plan)
        says += f", and pip the rest{'' if is_sure else _UNTRIED}"
    others = other_moves(answer, {normalised(offer.package) for offer in share.offers})
    says += f"; that also {others}" if others else ""
    tool = "pixi" if shell.manager == "pixi" else shell.tool
    says += "" if shell.is_as_asked else f", if {tool} can (unchecked)"
    says += shell.warning
    specs = (*share.specs, *named_along(answer, share.specs, shell))
    commands = [shell.conda("install", specs)]
    commands += [shell.safepip(share.arguments, options)] if share.arguments else []
    return Fix(shell.then(*commands), says)


def taken_by_conda(share: Share, answer: Answer, plan: Plan) -> list[str]:
    """Give what conda takes on, with its version, and pip's where that is another."""
    return [_taken(offer, answer, plan) for offer in share.offers]


def _is_as_planned(share: Share, answer: Answer, plan: Plan) -> bool:
    return all(
        answer.versions[offer.package.lower()] == plan.by_name[offer.name].after
        for offer in share.offers
    )


def _taken(offer: Offer, answer: Answer, plan: Plan) -> str:
    version = answer.versions[offer.package.lower()]
    by_pip = plan.by_name[offer.name].after
    return f"{offer.package} {version}{f' (pip: {by_pip})' if by_pip != version else ''}"
