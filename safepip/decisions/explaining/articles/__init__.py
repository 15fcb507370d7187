"""Articles on the words in brackets: every kind of finding, and every code of an error. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.explaining.articles.damages import DAMAGES
from safepip.decisions.explaining.articles.errors import ERRORS
from safepip.decisions.explaining.articles.notes import NOTES
from safepip.decisions.explaining.articles.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.explanation import Article

ARTICLES: Mapping[str, Article] = {a.kind: a for a in (*REFUSALS, *NOTES, *DAMAGES, *ERRORS)}
"""By the word in brackets."""
