"""How many questions an explanation asks. Pure, and light: it is needed before pip is started."""

from __future__ import annotations

MOST_QUESTIONS = 400
"""An explanation asks pip's indexes no more than this."""
