"""Answering `safepip guard status`, which tries whether safepip is reached."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from safepip.doors.target import target_of
from safepip.effects.probing import PROBE, answer_probe
from safepip.values.errors import SafepipError
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.doors.arguments import OwnOptions


def answer(own: OwnOptions, arguments: Sequence[str], *, as_module: bool) -> int:
    """Say which environment this would have been about, do nothing, and give the exit code."""
    try:
        facts = {"prefix": target_of(own, arguments, as_module=as_module).prefix}
    except SafepipError as error:
        facts = {"error": error.code}
    return answer_for(facts)


def answer_for(facts: Mapping[str, str]) -> int:
    """Say what is known, do nothing, and give the exit code."""
    answer_probe(os.environ[PROBE], facts)
    sys.stderr.write(f"safepip: only asked whether it is reached ({PROBE}); nothing was done\n")
    return Exit.BLOCKED
