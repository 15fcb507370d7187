"""What was changed past safepip: by plain pip, conda or anybody else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import standing

if TYPE_CHECKING:
    from safepip.values.environment import Environment
    from safepip.values.journal import Seen


@dataclass(frozen=True, slots=True)
class Since:
    """The differences from what was seen after the last change."""

    distributions: tuple[tuple[str, str | None, str | None], ...]
    """Name, version then and version now; None for nothing."""
    records: tuple[tuple[str, str], ...]
    """`added` or `removed`, and NAME-VERSION-BUILD."""


def since(seen: Seen, environment: Environment) -> Since:
    """Give what is otherwise than it was seen."""
    then = seen.distributions
    here = {d.name: d.version for d in standing(environment.distributions).values()}
    names = sorted({*then, *here})
    changed = [(n, then.get(n), here.get(n)) for n in names if then.get(n) != here.get(n)]
    old, new = set(seen.records), {record.dist for record in environment.records}
    added = [("added", dist) for dist in sorted(new - old)]
    removed = [("removed", dist) for dist in sorted(old - new)]
    return Since(tuple(changed), tuple(removed + added))
