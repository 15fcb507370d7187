"""`explain NAME`: one package, from both books, and what safepip last did with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.explaining.portrait import Portrait, portraits_of, similar_names
from safepip.decisions.undoing.inverse import taken_back_by
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal
from safepip.effects.reading import read_environment
from safepip.values.errors import UsageError
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.environment import Environment
    from safepip.values.journal import Entry
    from safepip.values.target import Target


@dataclass(frozen=True)
class Explained:
    """What a name means in an environment."""

    environment: Environment
    portraits: tuple[Portrait, ...]
    last: Mapping[str, Entry]
    """The last change of each, by name; changes that were cut off do not count."""
    taken_back: Mapping[str, str]
    """By change: the one that took it back."""


def explain(
    target: Target, name: str, environ: Mapping[str, str], others: Sequence[str]
) -> Explained:
    """Give all that is known of a package. Nothing is written, and no index is asked.

    ``others``: what else could have been meant, to be named where there is no such package.

    Raises: UsageError, when nothing of this name is known; SafepipError.
    """
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    entries = tuple(Journal(target.prefix).entries())
    portraits = portraits_of(environment, name)
    if not portraits:
        similar = similar_names(environment, name, tuple(others))
        meant = f"; did you mean {' or '.join(f'`{each}`' for each in similar)}?" if similar else ""
        where = environment.name or environment.prefix
        raise UsageError(f"`{name}` is neither installed in {where} nor a kind of finding{meant}")
    last = {step.name: entry for entry in entries if entry.stage == "done" for step in entry.steps}
    return Explained(environment, portraits, last, taken_back_by(entries))
