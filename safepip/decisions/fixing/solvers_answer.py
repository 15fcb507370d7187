"""What is said of a command once conda's solver has answered it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.judging.pins import parse_pin
from safepip.decisions.wording.phrases import few
from safepip.values.environment import spec_name
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.channel import Answer
    from safepip.values.verdict import Fix

UNSURE = ", if it can (unchecked)"
"""What conda's solver makes of it is not known here."""


def with_answer(fix: Fix, answer: Answer, shell: Shell) -> Fix:
    """Say what the solver says of a fix that it finds possible."""
    if not (fix.is_told_by_conda and shell.is_as_asked):
        return fix
    pins = [pin for spec in fix.asks_conda if (pin := parse_pin(spec)) is not None]
    # What is named without a version is what has to give way.
    asked = {pin.name for pin in pins if pin.versions}
    others = other_moves(answer, asked)
    if not others:
        return replace(fix, says=fix.says.replace(UNSURE, ""))
    says = fix.says.replace(UNSURE, f", which also {others}")
    return replace(fix, says=says, besides=(f"that also {others}", *fix.besides))


def named_along(answer: Answer, specs: Collection[str], shell: Shell) -> tuple[str, ...]:
    """Give what else conda has to be asked for, so that it changes that and does not remove it.

    Only where its history does not know all that is wanted.
    """
    asked = {spec_name(spec) for spec in specs}
    moved = (m.name for m in answer.moves if m.before and m.name.lower() not in asked)
    return tuple(moved) if shell.unasked else ()


def other_moves(answer: Answer, asked: Collection[str]) -> str:
    """Say what else of the environment conda would change or remove; empty for nothing."""
    moves = [m for m in answer.moves if m.before and normalised(m.name) not in asked]
    changed = [f"{m.name} {m.before} -> {m.after}" for m in moves if m.after]
    removed = [f"{m.name} {m.before}" for m in moves if not m.after]
    said = [f"changes {few(changed)}"] if changed else []
    said += [f"removes {few(removed)}"] if removed else []
    return " and ".join(said)
