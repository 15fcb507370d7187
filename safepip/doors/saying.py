"""Saying why safepip could not do its work, to people and to programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from safepip.doors import results
from safepip.doors.terminal import runs_in_github, say, show, width_of
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.drawing.card import Card
    from safepip.effects.lock import Waiting
    from safepip.recipes.recover import Recovered
    from safepip.values.channel import CondaPart
    from safepip.values.errors import SafepipError
    from safepip.values.target import Target


def print_json(answer: Mapping[str, Any]) -> None:
    """Print the one object; where nobody reads any more, the exit code still tells."""
    import json

    # GitHub takes `##[` in any line for a command of its own; here it can only stand in a text.
    print_text(json.dumps(answer).replace("##[", "##\\u005b") + "\n")


def print_text(text: str, *, whole: bool = False) -> None:
    """Print text that is for a file or a program, as UTF-8 whatever the locale says.

    ``whole``: the text is the work, and nothing is done where it cannot be written. Whoever reads a
    pipe no further has seen enough all the same.

    Raises: NotWritten.
    """
    out: TextIO | None = sys.stdout
    if out is None:  # it was closed before the start
        return
    try:
        out.flush()
        binary = getattr(out, "buffer", None)  # what stands in for stdout may have none
        if binary is None:
            out.write(text)
        else:
            binary.write(text.encode("utf-8"))
        out.flush()
    except (OSError, ValueError) as error:
        # Python flushes once more as it ends, and would end with 120 for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if whole and isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            from safepip.values.errors import NotWritten

            raise NotWritten(error.strerror or error) from error


_OF_ERROR = ("verdict", "code", "exit_code", "findings", "fixes", "in_words")


def say_error(
    error: SafepipError,
    *,
    verb: str = "install",
    as_json: bool = False,
    target: Target | None = None,
    besides: Mapping[str, Any] | None = None,
) -> int:
    """Say it, and give the exit code.

    ``besides``: the object of a verb that got far enough to have one of its own.
    """
    from safepip.decisions.wording.as_json import as_json_error
    from safepip.decisions.wording.message import error_message

    if as_json:
        answer = as_json_error(error, target=target)
        of_error = {key: answer[key] for key in _OF_ERROR}
        print_json({**besides, **of_error} if besides else answer)
    elif results.is_wanted():
        from safepip.decisions.drawing.card import card_of_error

        show_card(card_of_error(error, verb=verb, target=target))
    else:
        show(error_message(error, verb=verb, width=width_of()))
    if runs_in_github():
        from safepip.doors.github import tell_error

        tell_error(error, verb)
    return error.exit


def show_card(card: Card, stream: TextIO | None = None, *, no_color: bool = False) -> None:
    """Say the one line, and leave the rest to the notebook that shows the card."""
    show(card.head, stream, no_color=no_color)
    results.tell(card)


def say_event(event: Recovered | Waiting | CondaPart) -> None:
    """Say what happened before the command itself could begin; or what is about to, by conda."""
    from safepip.effects.lock import Waiting
    from safepip.values.channel import CondaPart

    if isinstance(event, CondaPart):
        from safepip.decisions.wording.condas_part import part_lines

        show(part_lines(event, width_of()))
        return
    if not isinstance(event, Waiting):
        say_recovered(event)
        return
    from safepip.decisions.wording.changes import waiting_message

    show(waiting_message(*event, width=width_of()))


def say_recovered(recovered: Recovered) -> None:
    """Say that an earlier command was cut off, and what became of that."""
    from safepip.decisions.wording.changes import recovered_message

    lines = recovered_message(
        recovered.entry, recovered.problems, recovered.overtaken, width=width_of()
    )
    show(lines)


def say_bug(*, as_json: bool = False) -> int:
    """Say what nobody expected, and give the exit code; for where an exception is handled.

    What is counted from a working folder that is gone can be expected to be nowhere.
    """
    import traceback  # seldom needed, one hopes

    error = sys.exc_info()[1]
    if isinstance(error, FileNotFoundError) and error.filename is None:
        from safepip.effects.asking import in_no_folder

        if (gone := in_no_folder()) is not None:
            return say_error(gone, verb="pip", as_json=as_json)
    traceback.print_exc()
    text = "this is a bug in safepip; see `safepip list` for what is there"
    say(text)
    return _end(Exit.BUG, "bug", text, as_json=as_json)


def say_interrupted(text: str, *, as_json: bool = False) -> int:
    """Say in which state the environment is, and give the exit code."""
    say(text)
    return _end(Exit.INTERRUPTED, "interrupted", text, as_json=as_json)


def _end(code: Exit, kind: str, text: str, *, as_json: bool) -> int:
    results.tell_end(code, f"safepip: {text}")
    if as_json:
        from safepip.decisions.wording.as_json import as_json_end

        print_json(as_json_end(code, kind, text))
    return code
