"""What can be looked up: articles on what safepip says. Pure."""

from __future__ import annotations

from safepip.values.late import dataclass


@dataclass(frozen=True)
class Article:
    """What a word in safepip's messages means, with an example and the ways out."""

    kind: str
    title: str
    severity: str
    """`refuses`, `note`, either of them with a condition, or the exit code of an error."""
    what: tuple[str, ...]
    """Paragraphs."""
    example: tuple[str, ...]
    """Lines as a terminal shows them."""
    fixes: tuple[tuple[str, str], ...] = ()
    """What to do, and its command; NAME and PREFIX stand for the user's own."""
