"""Whose a module is, by the name that it is imported by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.modules import inside_site, providers, top_level
from safepip.effects.removals import declared_files

if TYPE_CHECKING:
    from safepip.values.environment import Distribution, Environment, Record


def owner_of_module(environment: Environment, name: str) -> Record | Distribution | None:
    """Give conda's package, or else the distribution of pip's, that has a whole top-level module.

    None where nobody is known to have it: one that several share is nobody's.
    """
    if not name.isidentifier():
        return None
    record = providers(environment, [name]).get(name)
    if record is not None:
        return record
    for distribution in environment.distributions:
        if distribution.record is None and not distribution.outside:
            inside = (inside_site(environment, path) for path in declared_files(distribution))
            if top_level(path for path in inside if path).get(name):
                return distribution
    return None
