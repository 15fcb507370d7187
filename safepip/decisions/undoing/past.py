"""What was changed past safepip: by plain pip, conda or anybody else. Pure."""

from __future__ import annotations

import itertools
from dataclasses import field
from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import standing
from safepip.values.journal import Seen
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.environment import Environment
    from safepip.values.journal import Entry


@dataclass(frozen=True)
class Since:
    """The differences from what was seen after the last change."""

    distributions: tuple[tuple[str, str | None, str | None], ...]
    """Name, version then and version now; None for nothing."""
    records: tuple[tuple[str, str], ...]
    """`added` or `removed`, and NAME-VERSION-BUILD."""


@dataclass(frozen=True)
class History:
    """The changes of an environment."""

    entries: tuple[Entry, ...]
    """The oldest first."""
    taken_back: Mapping[str, str]
    """By change: the one that took it back."""
    since: Since | None
    """What others changed after the last of them; None where that cannot be told."""
    between: Mapping[str, Since] = field(default_factory=dict)
    """By change: what others changed between it and the one before."""
    unreadable: tuple[str, ...] = ()
    """Changes of which nothing can be read."""


def since(seen: Seen, environment: Environment) -> Since:
    """Give what is otherwise than it was seen."""
    here = {d.name: d.version for d in standing(environment.distributions).values()}
    return _differences(seen, Seen(here, tuple(record.dist for record in environment.records)))


def between(entries: Sequence[Entry]) -> Mapping[str, Since]:
    """Give, by the id of a change, what was changed past safepip between it and the one before."""
    made = [entry for entry in entries if entry.stage == "done" and entry.seen.records]
    found = {}
    for earlier, later in itertools.pairwise(made):
        past = _differences(earlier.seen, _seen_before(later))
        if past.distributions or past.records:
            found[later.id] = past
    return found


def _seen_before(entry: Entry) -> Seen:
    """Give what was there before a change, by what was there after it."""
    versions = dict(entry.seen.distributions)
    for step in entry.steps:
        if versions.get(step.name) != step.after:
            continue  # it went elsewhere
        versions.pop(step.name, None)
        if step.before is not None:
            versions[step.name] = step.before
    records = {*entry.seen.records}
    records = records | entry.records if entry.removes_records else records - entry.records
    return Seen(versions, tuple(sorted(records)))


def _differences(then: Seen, later: Seen) -> Since:
    was, here = then.distributions, later.distributions
    names = sorted({*was, *here})
    changed = [(n, was.get(n), here.get(n)) for n in names if was.get(n) != here.get(n)]
    old, new = set(then.records), set(later.records)
    added = [("added", dist) for dist in sorted(new - old)]
    removed = [("removed", dist) for dist in sorted(old - new)]
    return Since(tuple(changed), tuple(removed + added))
