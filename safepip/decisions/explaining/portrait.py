"""All that both books say of one package: who owns it, who needs it, what pip may do with it. Pure.

A name is that of a distribution or of a conda package; where conda's package is called otherwise
than what is in it, either name leads to both.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from safepip.decisions.judging.consistency import before, standing
from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    is_met,
    parse_requirement,
    required_name,
)
from safepip.values.late import dataclass
from safepip.values.text import normalised
from safepip.values.universe import PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement

    from safepip.values.environment import Distribution, Environment, Record
    from safepip.values.plan import Owner


@dataclass(frozen=True)
class Need:
    """That something installed needs the package."""

    who: str
    version: str
    owner: Owner
    spec: str
    """In the words of ``book``."""
    book: str
    """`conda`: the `depends` of a record. `python`: the metadata of a distribution."""
    is_met: bool | None
    """None: conda's specification is one that cannot be evaluated here."""

    def excludes(self, version: str) -> bool:
        """Say whether another version of the package is known not to do for this."""
        if self.book == "python":
            requirement = parse_requirement(self.spec)
            return requirement is not None and not is_met(requirement, version)
        pin = parse_pin(self.spec)
        return pin is not None and accepts(pin.versions, version) is False


@dataclass(frozen=True)
class Asked:
    """A package with bounds, which was asked about."""

    requirement: Requirement
    command: str
    """What shows whether it can be had; empty where it is no project that pip would find."""


@dataclass(frozen=True)
class Portrait:
    """One package."""

    name: str
    distribution: Distribution | None
    """What Python has of it; None for a conda package without metadata, or for nothing."""
    record: Record | None
    """The conda package that owns it."""
    together: tuple[str, ...]
    """Other distributions in the same conda package, each with its version."""
    copies: tuple[Distribution, ...]
    """Further metadata of the same name; the first on `sys.path` is the one imported."""
    needs: tuple[Need, ...]
    pins: tuple[str, ...]
    """The specifications of `conda-meta/pinned` that are about it."""
    bounds: str
    """What all Python requirements on it leave, as a specifier; empty for any version."""
    still: Record | None = None
    """The conda package that lists it, too, though pip has put another in its place."""

    @property
    def owner(self) -> Owner:
        """Who put it here."""
        if self.record is not None:
            return "conda"
        return "pip" if self.distribution is not None else "none"

    @property
    def condas_bounds(self) -> tuple[tuple[str, str], ...]:
        """The packages of conda that bound its version, and their specifications."""
        return tuple(
            (f"{need.who} {need.version}", need.spec)
            for need in self.needs
            if need.book == "conda" and (pin := parse_pin(need.spec)) is not None and pin.versions
        )

    @property
    def is_python(self) -> bool:
        """It is Python itself, with its standard library."""
        return self.record is not None and self.record.name == PYTHON and not self.distribution

    @property
    def version(self) -> str:
        """What is there; empty for nothing."""
        if self.distribution is not None:
            return self.distribution.version
        return self.record.version if self.record is not None else ""


def portraits_of(environment: Environment, name: str) -> tuple[Portrait, ...]:
    """Give the portrait of each distribution that is meant, or of the conda package without one.

    Empty where nothing of this name is there and nobody needs it.
    """
    wanted = normalised(name)
    counted = standing(environment.distributions)
    if wanted in counted:
        return (_portrait(environment, wanted, counted[wanted]),)
    record = environment.record_named(name)
    if record is None:
        missing = absent(environment, name)
        return (missing,) if missing.needs or missing.pins else ()
    provided = [d for d in environment.provides(record) if counted.get(d.name) is d]
    if provided:
        return tuple(_portrait(environment, d.name, d) for d in provided)
    return (_portrait(environment, wanted, None, record),)


def absent(environment: Environment, name: str) -> Portrait:
    """Give the portrait of what is not there."""
    return _portrait(environment, normalised(name), None)


def similar_names(environment: Environment, name: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """Give names that may have been meant."""
    known = {d.name for d in environment.distributions} | {r.name for r in environment.records}
    return tuple(get_close_matches(normalised(name), sorted(known | set(others)), 3))


def _portrait(
    environment: Environment,
    name: str,
    distribution: Distribution | None,
    record: Record | None = None,
) -> Portrait:
    owner = distribution.record if distribution is not None else record
    conda_name = owner.name if owner is not None else ""
    wishes = tuple(_wishes(environment, name))
    version = distribution.version if distribution is not None else None
    by_python = (_python_need(other, requirement, version) for other, requirement in wishes)
    pins = (pin for text in environment.pins if (pin := parse_pin(text)) is not None)
    about = {normalised(conda_name)} if conda_name else {name}
    others = environment.provides(owner) if owner is not None else ()
    return Portrait(
        name,
        distribution,
        owner,
        tuple(f"{d.name} {d.version}" for d in others if d.name != name),
        tuple(d for d in environment.distributions if d.name == name and d is not distribution),
        (*_conda_needs(environment, owner), *by_python),
        tuple(pin.text for pin in pins if pin.name in about),
        _together(requirement for _, requirement in wishes),
        _still_listing(environment, name) if distribution is not None and owner is None else None,
    )


def _still_listing(environment: Environment, name: str) -> Record | None:
    """Give the package of conda's that has the name, and metadata of it among its files."""
    record = environment.record_named(name)
    folders = (path.rpartition("/")[0] for path in record.files) if record is not None else ()
    inside = (folder.rpartition("/")[2] for folder in folders if folder.endswith(".dist-info"))
    return record if any(normalised(each.partition("-")[0]) == name for each in inside) else None


def _conda_needs(environment: Environment, owner: Record | None) -> Iterator[Need]:
    if owner is None:
        return
    for record, spec in environment.dependents(owner.name):
        pin = parse_pin(spec)
        holds = accepts(pin.versions, owner.version) if pin is not None else None
        yield Need(record.name, record.version, "conda", spec, "conda", holds)


def _wishes(environment: Environment, name: str) -> Iterator[tuple[Distribution, Requirement]]:
    """Give the requirements of what is installed that count here and are about this name."""
    there = before(environment)
    for other in standing(environment.distributions).values():
        lines = [line for line in other.requires if required_name(line) == name]
        if other.name != name and lines:
            extras = there.extras.get(other.name, ())
            for each in active_requirements(lines, environment.interpreter.markers, extras):
                yield other, each


def _python_need(other: Distribution, requirement: Requirement, version: str | None) -> Need:
    owner: Owner = "pip" if other.record is None else "conda"
    holds = is_met(requirement, version)
    return Need(other.name, other.version, owner, as_text(requirement), "python", holds)


def _together(requirements: Iterable[Requirement]) -> str:
    """Join the bounds of several requirements; each bound once, the lower ones first."""
    found = SpecifierSet()
    for requirement in requirements:
        found &= requirement.specifier
    order = {">": 0, "~": 1, "=": 2, "!": 3, "<": 4}
    return ",".join(sorted(map(str, found), key=lambda text: (order.get(text[0], 5), text)))
