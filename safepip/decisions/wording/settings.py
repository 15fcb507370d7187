"""What is said of settings: which are set, and by whom. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.decisions.configuring import written
from safepip.decisions.wording.layout import Line, Span, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.setting import Configuration


def settings_lines(found: Configuration) -> Iterator[Line]:
    """Give the settings that somebody set, each with where; nothing where nobody did."""
    given = {key: one for key, one in found.chosen.items() if one.origins}
    column = max(map(len, given), default=0)
    if given or found.unheeded:
        yield Line((Span("settings here:", "label"),))
    for key, one in given.items():
        origins = ", ".join(map(clean, one.origins))
        yield Line((Span(f"  {key.ljust(column)}  {clean(written(one.value))}  from {origins}"),))
    for sentence in found.unheeded:
        yield Line((Span(f"  {clean(sentence, len(sentence) + 1)}", "note"),))


def settings_as_json(found: Configuration) -> dict[str, Any]:
    """Give all settings, by key."""
    return {
        key: {
            "value": list(one.value) if isinstance(one.value, tuple) else one.value,
            "from": list(one.origins),
        }
        for key, one in found.chosen.items()
    }
