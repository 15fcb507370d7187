"""Why a distribution was held back: the requirement that conda's versions do not meet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import active_requirements, as_text, is_met
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from safepip.values.environment import Distribution, Environment
    from safepip.values.plan import Change, Plan


@dataclass(frozen=True)
class Plans:
    """What pip alone would have done, and what it does with conda's versions held."""

    environment: Environment
    first: Plan
    second: Plan


def reasons(plans: Plans, change: Change) -> tuple[str, ...]:
    """Give the chains that lead from what pip alone would have installed to what conda has.

    1. The distribution is conda's own.
    2. It requires what conda's version does not meet; or else what it requires does, and so on:
       the shortest chains are given.
    3. It was chosen for one that is held back itself and no longer accepts it.

    What is not installed at all is not needed by what is there now, whatever it requires itself.
    """
    conda = _held(plans, change.name)
    if conda is not None:
        return (f"{conda.name} {conda.version} is conda's",)
    return tuple(_unneeded(plans, change)) or _down(plans, change) or tuple(_up(plans, change))


def _down(plans: Plans, change: Change) -> tuple[str, ...]:
    """Follow the requirements of the first plan, level by level, to conda's versions."""
    level: list[tuple[Change, str]] = [(change, "")]
    seen = {change.name}
    while level:
        found: list[str] = []
        deeper: list[tuple[Change, str]] = []
        for current, chain in level:
            for requirement in _requirements(plans, current):
                wanted = normalised(requirement.name)
                step = f"{chain}{current.name} {current.after} needs {as_text(requirement)}; "
                conda = _held(plans, wanted)
                if conda is not None and not is_met(requirement, conda.version):
                    found.append(f"{step}{conda.name} {conda.version} is conda's")
                following = plans.first.by_name.get(wanted)
                if following is not None and wanted not in seen and _differs(plans, following):
                    seen.add(wanted)
                    deeper.append((following, step))
        if found:
            return tuple(dict.fromkeys(found))
        level = deeper
    return ()


def _held(plans: Plans, name: str) -> Distribution | None:
    """Give what conda has of this name and keeps: what pip may take over is no reason."""
    return None if name in plans.second.by_name else plans.environment.conda_owned.get(name)


def _up(plans: Plans, change: Change) -> Iterator[str]:
    """Find what the second plan chose instead that does not want this version."""
    for other in plans.second.changes:
        for requirement in _requirements(plans, other):
            if normalised(requirement.name) == change.name and not is_met(
                requirement, change.after
            ):
                yield f"{other.name} {other.after} needs {as_text(requirement)}"


def _unneeded(plans: Plans, change: Change) -> Iterator[str]:
    """Find what needed it in the first plan, and is another version or away in the second."""
    if change.name in plans.second.by_name or change.name in plans.environment.installed:
        return
    for name in change.needed_by:
        parent, conda = plans.second.by_name.get(name), _held(plans, name)
        if parent is not None and parent.after is not None and _differs(plans, parent):
            yield f"{parent.name} {parent.after} does not need it"
        elif conda is not None:
            yield f"conda's {conda.name} {conda.version} does not need it"
        elif parent is None and name in plans.first.by_name.keys() - plans.environment.installed:
            yield f"{name} is left out, too"


def _requirements(plans: Plans, change: Change) -> list[Requirement]:
    markers = plans.environment.interpreter.markers
    return active_requirements(change.requires, markers, change.extras)


def _differs(plans: Plans, change: Change) -> bool:
    """Say whether the two plans choose different versions of it."""
    first, second = plans.first.by_name.get(change.name), plans.second.by_name.get(change.name)
    return first is None or second is None or first.after != second.after
