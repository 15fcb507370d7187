"""What resolvelib asks, answered from the question and the shelf. Pure but for the shelf.

Source: https://resolvelib.readthedocs.io
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolvelib import AbstractProvider

from safepip.decisions.explaining.wishes import Pick, Wish, wish_of
from safepip.decisions.judging.requirements import (
    active_requirements,
    is_active,
    parse_requirement,
    parse_version,
)
from safepip.values.text import normalised
from safepip.values.universe import PYTHON, Needs, Release, TooHard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import Any

    from packaging.requirements import Requirement

    from safepip.values.universe import Question, Shelf

if TYPE_CHECKING:
    _Base = AbstractProvider["Wish", "Pick", str]
else:
    _Base = AbstractProvider  # resolvelib 1.0 knows no types


@dataclass
class Provider(_Base):
    """Tells what there is and what it needs, and notes which holds that depends on."""

    question: Question
    shelf: Shelf
    free: AbstractSet[str]
    touched: set[str] = field(default_factory=set)
    pythons: dict[tuple[str, str], str] = field(default_factory=dict)
    """By name and version: the Python that is needed, where it is not this one."""

    def identify(self, requirement_or_candidate: Wish | Pick) -> str:
        """Give the name, with extras, that the two have in common."""
        return requirement_or_candidate.key

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Pick],  # noqa: ARG002 - resolvelib's signature
        candidates: Mapping[str, Iterator[Pick]],  # noqa: ARG002
        information: Mapping[str, Iterator[Any]],  # noqa: ARG002
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, str]:
        """Decide on what is held first, since that fails soonest, and then on what failed."""
        name = identifier.partition("[")[0]
        causes = {cause.requirement.key for cause in backtrack_causes}
        is_held = name in self.question.holds and name not in self.free
        return not is_held, identifier not in causes, identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Wish]],
        incompatibilities: Mapping[str, Iterator[Pick]],
    ) -> list[Pick]:
        """Give what meets all these requirements, what is preferred first."""
        wishes = list(requirements[identifier])
        excluded = {pick.version for pick in incompatibilities[identifier]}
        # After steps back there may be nobody left who wants it: resolvelib asks all the same.
        name, _, listed = identifier.rstrip("]").partition("[")
        extras = frozenset(filter(None, listed.split(",")))
        found = [
            release
            for release in self._pool(name)
            if all(wish.accepts(release.version) for wish in wishes)
            and self._is_bounded(name, release.version)
        ]
        # As pip does: where no final one has proved good, no pre-release is tried in its place.
        chosen = self._chosen_among(found, wishes)
        return [Pick(name, r.version, extras) for r in chosen if r.version not in excluded]

    def _pool(self, name: str) -> Iterator[Release]:
        """Give what there is of a name: what is held, or what is there and then the newest."""
        held = self.question.holds.get(name)
        if held is not None:
            self.touched.add(name)
            if name not in self.free:
                yield Release(held.version)
                return
        if name == PYTHON:
            return  # no other can be asked for
        here = held or self.question.installed.get(name)
        if here is not None:
            yield Release(here.version)
        for release in self.shelf.releases(name):
            if here is None or release.version != here.version:
                yield from self._for_this_python(name, release)

    def _for_this_python(self, name: str, release: Release) -> Iterator[Release]:
        """Give the release where Python does not forbid it, or is let go."""
        if not release.requires_python:
            yield release
            return
        self.pythons[name, release.version] = release.requires_python
        if PYTHON in self.question.holds:
            self.touched.add(PYTHON)
            if PYTHON in self.free:
                yield release

    def _is_bounded(self, name: str, version: str) -> bool:
        parsed = parse_version(version)
        return all(
            parsed is not None and bound.specifier.contains(parsed, prereleases=True)
            for bound in self.question.bounds
            if normalised(bound.name) == name and self._is_active(bound)
        )

    def _is_active(self, requirement: Requirement) -> bool:
        return is_active(requirement, self.question.markers, ())

    def _chosen_among(self, found: list[Release], wishes: Sequence[Wish]) -> list[Release]:
        """Leave out what pip would not take: yanked releases, and pre-releases beside finals."""
        exact = any(
            wish.requirement is None
            or any(s.operator in ("==", "===") for s in wish.requirement.specifier)
            for wish in wishes
        )
        if not exact:
            found = [release for release in found if not release.yanked]
        asked = self.question.pre or any(
            wish.requirement is None or wish.requirement.specifier.prereleases for wish in wishes
        )
        finals = [release for release in found if not _is_prerelease(release.version)]
        return found if asked or not finals else finals

    def is_satisfied_by(self, requirement: Wish, candidate: Pick) -> bool:
        """Say whether this version is what is required."""
        return requirement.accepts(candidate.version)

    def get_dependencies(self, candidate: Pick) -> Iterable[Wish]:
        """Give what a version needs, and of one with extras the plain one first."""
        needs = self._needs(candidate)
        if candidate.extras:
            yield Wish(candidate.name, frozenset(), None, candidate.version)
        for each in active_requirements(needs.lines, self.question.markers, candidate.extras):
            wish = wish_of(each)
            if wish is None:
                raise TooHard("a URL")
            if wish.name != candidate.name or wish.extras - candidate.extras:
                yield wish
        if needs.python and PYTHON not in self.free:
            yield Wish(PYTHON, frozenset(), parse_requirement(f"{PYTHON}{needs.python}"))

    def _needs(self, candidate: Pick) -> Needs:
        for known in (self.question.holds, self.question.installed):
            here = known.get(candidate.name)
            if here is not None and here.version == candidate.version:
                return Needs(here.requires)
        needs = self.shelf.requires(candidate.name, candidate.version)
        if needs is None and PYTHON in self.free:
            return Needs(())  # what is for another Python only may not be known here
        if needs is None:
            raise TooHard(f"the metadata of {candidate.name} {candidate.version}")
        if needs.python:
            self.pythons[candidate.name, candidate.version] = needs.python
        return needs


def _is_prerelease(version: str) -> bool:
    parsed = parse_version(version)
    return parsed is not None and parsed.is_prerelease
