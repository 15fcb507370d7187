"""What the resolver deals in: requirements on names, and versions that may be chosen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import as_text, parse_version
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True)
class Pick:
    """A version that may be chosen."""

    name: str
    version: str
    extras: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What the resolver knows it by: with extras it is another thing, which needs the plain."""
        return _key(self.name, self.extras)


@dataclass(frozen=True)
class Wish:
    """A requirement on one name."""

    name: str
    extras: frozenset[str]
    requirement: Requirement | None
    """None: exactly ``version``."""
    version: str = ""

    @property
    def key(self) -> str:
        """As that of `Pick`."""
        return _key(self.name, self.extras)

    @property
    def text(self) -> str:
        """The requirement as a person would write it."""
        if self.requirement is None:
            return f"{self.name}=={self.version}"
        return as_text(self.requirement)

    def accepts(self, version: str) -> bool:
        """Say whether it is met by this version."""
        if self.requirement is None:
            return version == self.version
        parsed = parse_version(version)
        return parsed is not None and self.requirement.specifier.contains(parsed, prereleases=True)


def _key(name: str, extras: frozenset[str]) -> str:
    return f"{name}[{','.join(sorted(extras))}]" if extras else name


def wish_of(requirement: Requirement) -> Wish | None:
    """Give the wish; None for a URL, of which nothing is known before it is fetched."""
    if requirement.url is not None:
        return None
    extras = frozenset(map(normalised, requirement.extras))
    return Wish(normalised(requirement.name), extras, requirement)
