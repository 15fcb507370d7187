"""Whose a module is, by the name that it is imported by, and whose a file is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.judging.modules import inside_site, module_files, providers, top_level
from safepip.effects.removals import declared_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.environment import Distribution, Environment, Record


class Found(NamedTuple):
    """Somebody has what was asked for."""

    owner: Record | Distribution
    what: str
    """The part of it that this one is known to have: a module, or a path."""


def owner_of(environment: Environment, name: str) -> Found | None:
    """Give who has a module, by its dotted name, or a file, by its path; None where nobody has.

    Of a dotted name whose last parts are no modules (`numpy.linalg.norm`), that of the module.
    """
    if "/" in name:
        return _of_path(environment, name)
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    while parts:
        owner = _owner_of_module(environment, parts)
        if owner is not None:
            return Found(owner, ".".join(parts))
        parts.pop()
    return None


def _owner_of_module(environment: Environment, parts: list[str]) -> Record | Distribution | None:
    """Give who has a module whole; a folder that several share is nobody's."""
    module = "/".join(parts)
    record = providers(environment, [module]).get(module)
    if record is not None:
        return record
    files = module_files(environment, module)
    for distribution, paths in _of_pip(environment):
        inside = [path for path in (inside_site(environment, p) for p in paths) if path]
        is_its_own = len(parts) == 1 and top_level(inside).get(module)
        if is_its_own or not files.isdisjoint(inside):
            return distribution
    is_pythons = len(parts) == 1 and module in environment.interpreter.stdlib_names
    return environment.record_named("python") if is_pythons else None


def _of_pip(environment: Environment) -> Iterator[tuple[Distribution, tuple[str, ...]]]:
    for distribution in environment.distributions:
        if distribution.record is None and not distribution.outside:
            yield distribution, declared_files(distribution)


def _of_path(environment: Environment, path: str) -> Found | None:
    """Give who has a file; a relative path is looked for here, and below the environment."""
    for start in (os.getcwd(), environment.prefix):
        whole = os.path.join(start, path)
        folder, name = os.path.split(os.path.normpath(whole))
        found = _of_file(environment, f"{os.path.realpath(folder)}/{name}")
        if found is not None:
            return found
    return None


def _of_file(environment: Environment, path: str) -> Found | None:
    relative = environment.relative(path) or ""
    for record in environment.owners_of([relative]).get(relative, ()):
        return Found(record, path)
    return next((Found(d, path) for d, paths in _of_pip(environment) if path in paths), None)
