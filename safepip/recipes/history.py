"""`history`: the changes that safepip made, and what was changed past it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.undoing.inverse import taken_back_by
from safepip.decisions.undoing.past import History, between, since
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal
from safepip.effects.reading import read_environment
from safepip.values.errors import SafepipError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.target import Target


def history(target: Target, environ: Mapping[str, str]) -> History:
    """Give the changes of an environment."""
    journal = Journal(target.prefix)
    entries = tuple(journal.entries())
    made = [entry for entry in entries if entry.stage == "done" and entry.seen.records]
    past = None
    if made:
        try:
            environment = read_environment(target.prefix, ask_python(target.python, environ))
            past = since(made[-1].seen, environment)
        except SafepipError:
            past = None  # an environment that cannot be read has a history all the same
    unreadable = tuple(journal.unreadable(entries))
    return History(entries, taken_back_by(entries), past, between(entries), unreadable)
