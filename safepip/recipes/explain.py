"""`explain NAME`: one package, from both books, and what safepip last did with it."""

from __future__ import annotations

from contextlib import closing
from copy import copy
from typing import TYPE_CHECKING

from safepip.decisions.explaining.portrait import (
    Asked,
    Portrait,
    absent,
    portraits_of,
    similar_names,
)
from safepip.decisions.explaining.usual_names import is_usual, usual_project
from safepip.decisions.explaining.verdicts import said_of
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.judging.requirements import is_met, parse_requirement
from safepip.decisions.undoing.inverse import taken_back_by
from safepip.effects.conda_names import distribution_of
from safepip.effects.conda_solver import CondaSolver, is_offline
from safepip.effects.importables import owner_of
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal
from safepip.effects.last import read_last
from safepip.effects.reading import read_environment
from safepip.values.errors import UsageError
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.requirements import Requirement

    from safepip.values.channel import Offer
    from safepip.values.environment import Environment
    from safepip.values.journal import Entry
    from safepip.values.target import Target

_SECONDS = 5.0
"""To find out what conda's channels have."""


@dataclass(frozen=True)
class Explained:
    """What a name means in an environment."""

    environment: Environment
    portraits: tuple[Portrait, ...]
    last: Mapping[str, Entry]
    """The last change of each, by name; changes that were cut off do not count."""
    taken_back: Mapping[str, str]
    """By change: the one that took it back."""
    offers: Mapping[str, Offer]
    """What conda's channels have, by name, as far as that is known."""
    module: str = ""
    """The module or file of it that the name is of; empty where the name is its own."""
    is_guess: bool = False
    """That the module is of it is known by its name alone."""
    asked: Asked | None = None
    """What was asked about: the name with bounds; None where there are none."""
    verdict: Mapping[str, str] | None = None
    """What the last verdict said, where it was about this name."""


def explain(
    target: Target, name: str, environ: Mapping[str, str], others: Sequence[str]
) -> Explained:
    """Give all that is known of a package.

    Nothing is changed, and no index but conda's is asked, unless the user is offline; what is
    fetched of that is kept in the user's cache, as conda keeps it.

    ``others``: what else could have been meant, to be named where there is no such package.

    ``name`` may also be that of a module, or the path of a file, or have bounds (`numpy>=2`).

    Raises: UsageError, when nothing of this name is known; SafepipError.
    """
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    requirement = _bounded(name)
    name = requirement.name if requirement is not None else name
    entries = tuple(Journal(target.prefix).entries())
    portraits = portraits_of(environment, name) if "/" not in name else ()
    module = ""
    if not portraits and (found := owner_of(environment, name)) is not None:
        portraits, module = portraits_of(environment, found.owner.name), found.what
    where = environment.name or environment.prefix
    if not portraits and "/" in name:
        raise UsageError(f"`{name}` is no file that conda or a distribution has in {where}")
    verdict = said_of(read_last(target.prefix, environ), normalised(name))
    fetches = not is_offline(environ, target.prefix)
    solving = CondaSolver(environment, seconds=_SECONDS, fetches=fetches, environ=environ)
    with closing(solving) as solver:
        # Where conda's name is that of another project, it is that project's.
        meant = distribution_of(normalised(name))
        offers = solver.offers([p.name for p in portraits] or [meant])
        usual = usual_project(name) if not portraits and not offers else ""
        if usual:
            portraits = portraits_of(environment, usual) or (absent(environment, usual),)
            offers, module = solver.offers([usual]), name
    if not portraits and (offers or verdict is not None or is_usual(normalised(name))):
        portraits, module = (absent(environment, meant if offers else name),), ""
    if not portraits:
        similar = similar_names(environment, name, tuple(others))
        meant = f"; did you mean {' or '.join(f'`{each}`' for each in similar)}?" if similar else ""
        raise UsageError(f"`{name}` is neither installed in {where} nor a kind of finding{meant}")
    last = {step.name: entry for entry in entries if entry.stage == "done" for step in entry.steps}
    taken_back = taken_back_by(entries)
    asked = _asked(target, requirement, portraits) if requirement is not None else None
    return Explained(
        environment,
        portraits,
        last,
        taken_back,
        offers,
        module,
        bool(usual),
        asked,
        verdict,
    )


def _bounded(name: str) -> Requirement | None:
    """Give a name with bounds as what it asks for; None for a name alone, or what is none."""
    requirement = parse_requirement(name)
    if requirement is None or requirement.url is not None or not requirement.specifier:
        return None
    return requirement


def _asked(target: Target, requirement: Requirement, portraits: Sequence[Portrait]) -> Asked:
    """Give what is asked for, and the command for it, by the name that pip has for that."""
    (first, *others) = portraits
    command = ""
    if not others and (first.distribution is not None or first.owner == "none"):
        wanted = copy(requirement)
        wanted.name = first.name if normalised(wanted.name) != first.name else wanted.name
        is_barred = first.owner == "conda" and not is_met(wanted, first.version)
        allow = ("--allow", first.name) if is_barred and not first.is_python else ()
        command = shell_of(target).safepip(("plan", *allow, str(wanted)))
    return Asked(requirement, command)
