"""What a plan brings, what that needs, and what stands in the way, as nodes and edges. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    is_met,
    parse_requirement,
)
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import count, is_condas, versions
from safepip.values.environment import spec_name
from safepip.values.findings import CondaOwned
from safepip.values.text import normalised
from safepip.values.universe import PYTHON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import Specifier

    from safepip.decisions.wording.picture import Picture
    from safepip.values.environment import Distribution
    from safepip.values.plan import Change

Look = Literal["new", "changed", "conda", "refused", "holder"]
"""`conda`: stays as it is. `refused`: the change that may not be. `holder`: a conda package that
needs what would change."""

_MOST = 40
"""More boxes than these are no picture; the table has them all."""
_FEW_HOLDERS = 4
_BY_CONDA = "by conda {}"
"""The key of what conda brings: a name with spaces is no distribution's."""


@dataclass(frozen=True, slots=True)
class Box:
    """One node."""

    key: str
    lines: tuple[str, ...]
    look: Look


@dataclass(frozen=True, slots=True)
class Edge:
    """That one needs the other, with its bounds."""

    start: str
    end: str
    label: str
    against: bool = False
    """It wants what the other end does not: it is why there is a refusal."""


@dataclass(frozen=True)
class Graph:
    """A picture before it has a place."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    hidden: int = 0
    """Changes that are not in it, of pip's and of conda's."""

    @property
    def is_worth_drawing(self) -> bool:
        """Boxes without an edge say no more than the table does."""
        return bool(self.edges)


def graph_of(picture: Picture) -> Graph:
    """Give the graph of a plan."""
    drawing = _Drawing(picture, _visible(picture))
    drawing.add_there()
    for change in picture.ordered():
        if change.name in drawing.visible:
            drawing.add(change)
    drawing.add_by_conda()
    hidden = len(picture.plan.changes) - len(drawing.visible)
    hidden += len(drawing.brought) - len(drawing.keys)
    return Graph(tuple(drawing.boxes.values()), tuple(_joined(drawing.edges)), hidden)


def _joined(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Give one edge for each pair, with all the bounds: a distribution may say several."""
    pairs: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        pairs.setdefault((edge.start, edge.end), []).append(edge)
    for (start, end), those in pairs.items():
        labels = [*dict.fromkeys(edge.label for edge in those)]
        yield Edge(start, end, _all_bounds(labels), any(edge.against for edge in those))


def _all_bounds(labels: Sequence[str]) -> str:
    """Give several requirements on one name in one: `numpy>=1.20,<3`, and not `numpy, numpy<3`."""
    parsed = [parse_requirement(label) for label in labels]
    those = [each for each in parsed if each is not None and each.url is None]
    names = {normalised(each.name) for each in those}
    if len(labels) == 1 or len(those) < len(labels) or len(names) > 1:
        return ", ".join(labels)
    whole = Requirement(those[0].name)
    whole.extras = {extra for each in those for extra in each.extras}
    whole.specifier = _tightest([one for each in those for one in each.specifier])
    return as_text(whole)


def _tightest(specifiers: Iterable[Specifier]) -> SpecifierSet:
    """Give the bounds without those that others imply."""
    kept: dict[str, Specifier] = {}
    for one in specifiers:
        key = one.operator if one.operator in {">=", "<"} else str(one)
        known = kept.setdefault(key, one)
        if one.operator == key and known != one:
            versions = (Version(one.version), Version(known.version))
            is_tighter = versions[0] > versions[1] if key == ">=" else versions[0] < versions[1]
            kept[key] = one if is_tighter else known
    return SpecifierSet(",".join(map(str, kept.values())))


def _visible(picture: Picture) -> Collection[str]:
    """Choose the changes to draw: all, or those that lead to a refusal and then the first."""
    names = [change.name for change in picture.ordered()]
    if len(names) <= _MOST:
        return names
    leading = picture.leading_to_refusals()
    return [*(n for n in names if n in leading), *(n for n in names if n not in leading)][:_MOST]


@dataclass
class _Drawing:
    picture: Picture
    visible: Collection[str]
    boxes: dict[str, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Draw a change, what it needs, and who needs what is there instead."""
        words = ", ".join(self.picture.words(change))
        lines = tuple(filter(None, (f"{clean(change.name)} {versions(change)}", words)))
        self.boxes[change.name] = Box(change.name, lines, self._look(change))
        self._needs(change)
        finding = self.picture.refusals.get(change.name)
        if isinstance(finding, CondaOwned):
            self._holders(change, finding)

    def add_there(self) -> None:
        """Draw what was asked for and stays, where it brings something by an extra."""
        for here, asked in self.picture.asked_and_there():
            markers = self.picture.environment.interpreter.markers
            for requirement in active_requirements(here.requires, markers, asked.extras):
                name = normalised(requirement.name)
                if name in self.visible:
                    key = self._staying(here)
                    self.edges.append(Edge(key, name, clean(as_text(requirement))))

    def add_by_conda(self) -> None:
        """Draw what conda brings before pip, and what that needs of the same and of what is there.

        Python, which all of it needs, is left out.
        """
        part = self.picture.condas_part
        for name, key in self.keys.items():
            lines = (f"{clean(name)} {clean(self.brought[name])}", "new, from conda")
            self.boxes[key] = Box(key, lines, "conda")
        needs = part.needs if part is not None else {}
        pairs = ((name, spec) for name in self.keys for spec in needs.get(name, ()))
        for name, spec in pairs:
            other = spec_name(spec)
            end = self.keys.get(other) or self._there(other)
            if end and other != PYTHON:
                self.edges.append(Edge(self.keys[name], end, clean(spec)))

    @cached_property
    def brought(self) -> Mapping[str, str]:
        """What conda brings that was not there: its version, by conda's name."""
        part = self.picture.condas_part
        return {m.name: m.after for m in part.moves if not m.before} if part is not None else {}

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The boxes of that, by conda's name: all, or what pip's part needs and then the first."""
        needed = {self._condas_name(name) for name in self._needed_by_pip()}
        order = sorted(self.brought, key=lambda name: name not in needed)
        return {name: _BY_CONDA.format(name) for name in order[:_MOST]}

    def _needed_by_pip(self) -> Iterator[str]:
        markers = self.picture.environment.interpreter.markers
        for change in self.picture.plan.changes:
            if change.name in self.visible:
                for requirement in active_requirements(change.requires, markers, change.extras):
                    yield normalised(requirement.name)

    def _condas_name(self, name: str) -> str:
        part = self.picture.condas_part
        return part.names.get(name, name) if part is not None else name

    def _there(self, conda_name: str) -> str:
        """Give the box of what conda has already, drawn if need be; only of distributions."""
        record = self.picture.environment.record_named(conda_name)
        provided = self.picture.environment.provides(record) if record is not None else ()
        return self._staying(provided[0]) if provided else ""

    def _staying(self, here: Distribution) -> str:
        """Give the box of what is there and stays, drawn if need be."""
        is_condas = here.record is not None
        whose = "conda's, stays" if is_condas else "there, stays"
        lines = (f"{clean(here.name)} {clean(here.version)}", whose)
        self.boxes.setdefault(here.name, Box(here.name, lines, "conda" if is_condas else "changed"))
        return here.name

    def _brought(self, name: str) -> str:
        """Give the box of what conda brings of a distribution; empty where there is none."""
        return self.keys.get(self._condas_name(name), "") if name not in self.visible else ""

    def _look(self, change: Change) -> Look:
        if change.name in self.picture.refusals or is_condas(change):
            return "refused"
        return "new" if change.action == "add" else "changed"

    def _needs(self, change: Change) -> None:
        environment = self.picture.environment
        markers = environment.interpreter.markers
        for requirement in active_requirements(change.requires, markers, change.extras):
            name, text = normalised(requirement.name), clean(as_text(requirement))
            here = environment.conda_owned.get(name)
            if name == change.name:  # an extra that asks for other extras of the same
                continue
            if name in self.visible:
                against = name in self.picture.refusals and (
                    here is None or not is_met(requirement, here.version)
                )
                self.edges.append(Edge(change.name, name, text, against))
            elif key := self._brought(name):
                self.edges.append(Edge(change.name, key, text))
            elif here is not None and name not in self.picture.plan.by_name:
                self.edges.append(Edge(change.name, self._staying(here), text))

    def _holders(self, change: Change, finding: CondaOwned) -> None:
        """Draw who needs what is there; a distribution has one box, whatever it is in the plan.

        What another release takes the place of needs nothing any more.
        """
        for key, lines, spec in _held_by(finding):
            provided = self._distributions(lines[0])
            if any(name in self.picture.plan.by_name for name in provided):
                continue
            box = provided[0] if len(provided) == 1 else key
            self.boxes[box] = Box(box, lines, "holder")
            self.edges.append(Edge(box, change.name, spec, _excludes(spec, change.after)))

    def _distributions(self, package: str) -> tuple[str, ...]:
        """Give the names of the distributions in a conda package, which is `NAME VERSION`."""
        record = self.picture.environment.record_named(package.partition(" ")[0])
        return tuple(d.name for d in self.picture.environment.provides(record)) if record else ()


def _excludes(spec: str, version: str | None) -> bool:
    """Say whether a specification of conda is certain not to mean this version."""
    pin = parse_pin(spec)
    return version is None or (pin is not None and accepts(pin.versions, version) is False)


def _held_by(finding: CondaOwned) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for dependent in finding.dependents[:_FEW_HOLDERS]:
        package, _, bounds = dependent.partition(" (")
        key = f"conda package {package}"  # a name with spaces is no distribution's
        yield key, (clean(package), "conda package"), clean(bounds.removesuffix(")"))
    more = len(finding.dependents) - _FEW_HOLDERS
    if more > 0:
        key = f"conda packages of {finding.distribution}"
        yield key, (count(more, "more conda package"),), ""
