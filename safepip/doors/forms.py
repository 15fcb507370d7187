"""The forms in which `plan` shows what an install would do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from safepip.doors import results
from safepip.doors.saying import print_json, print_text, show_card
from safepip.doors.terminal import runs_in_github, show, width_of
from safepip.values.errors import UsageError
from safepip.values.retry import Retry
from safepip.values.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.decisions.wording.refusal import Form
    from safepip.doors.arguments import OwnOptions
    from safepip.values.target import Target
    from safepip.values.verdict import Outcome

NO_OBJECT = "`--json` goes with what safepip does itself, and this is {}'s own"
"""Of a command that is passed on; with the name of the program."""
_ON_STDOUT = ("json", "tree", "table", "markdown")


def check_forms(own: OwnOptions, verb: str) -> None:
    """Find out before pip is asked whether the forms can be had.

    Raises: UsageError.
    """
    chosen = [f"--{name}" for name in _ON_STDOUT if getattr(own, name)]
    asked = [*chosen, *(["--html"] if own.html is not None else [])]
    if verb != "plan" and (others := [name for name in asked if name != "--json"]):
        raise UsageError(f"`{others[0]}` is an option of `plan`, not of `{verb}`")
    if verb == "uninstall" and own.prefer_conda:
        raise UsageError("`--prefer-conda` is an option of `install` and `plan`")
    if len(chosen) > 1:
        raise UsageError(f"expected one of {', '.join(f'`{name}`' for name in chosen)}")
    if own.html is None:
        return
    folder = os.path.dirname(os.path.abspath(own.html))
    if os.path.isdir(own.html) or not os.path.isdir(folder):
        raise UsageError(f"cannot write `{own.html}`: expected a file in a folder that is there")


def refuse_forms_elsewhere(own: OwnOptions, target: Target) -> None:
    """Refuse the forms of a plan where the plan is pip's own.

    Raises: UsageError.
    """
    if not target.is_conda and (own.table or own.markdown or own.html is not None):
        where = f"`{target.prefix or 'PATH'}` is no conda environment"
        raise UsageError(f"{where}: there the plan is pip's own, and has no other form")
    if not target.is_conda and own.prefer_conda:
        where = f"`{target.prefix or 'PATH'}` is no conda environment"
        raise UsageError(f"{where}: there is nothing to prefer with `--prefer-conda`")


def refuse_json(target: Target, words: Sequence[str]) -> NoReturn:
    """Refuse an object for a command that is pip's own: whoever asks would parse what pip prints.

    Raises: UsageError.
    """
    from safepip.decisions.fixing.again import again
    from safepip.decisions.fixing.shell import shell_of

    told = tuple(map(without_secrets, words))
    fixes = again(shell_of(target), told, (), Retry("do it without `--json`"))
    raise UsageError(NO_OBJECT.format("pip"), fixes=fixes)


def refuse_json_alone() -> NoReturn:
    """Refuse an object where no verb is given: the help is none.

    Raises: UsageError.
    """
    from safepip.decisions.fixing.commands import command_line
    from safepip.effects.called import words_to_type
    from safepip.values.verdict import Fix

    help_ = Fix(command_line(*words_to_type(os.environ), "--help"), "see what there is")
    raise UsageError("expected a verb beside `--json`", fixes=[help_])


def show_outcome(outcome: Outcome, own: OwnOptions) -> None:
    """Show how a guarded command ended, in the forms that were asked for.

    Raises: UsageError, when the page cannot be written.
    """
    # Imported as the last: pip need not wait for it.
    from safepip.decisions.wording.as_json import as_json
    from safepip.decisions.wording.message import message

    if own.html is not None:
        _write_page(outcome, own.html)
    if own.json:
        print_json(as_json(outcome))
    elif own.markdown:
        from safepip.decisions.drawing.markdown import markdown

        print_text(markdown(outcome))
    elif results.is_wanted() and not (own.tree or own.table):
        from safepip.decisions.drawing.card import card_of

        stream = sys.stdout if outcome.verb == "plan" else sys.stderr
        show_card(card_of(outcome), stream, no_color=outcome.no_color)
    else:
        form: Form = "table" if own.table else "tree"
        lines = message(outcome, width=width_of(), verbosity=outcome.verbosity, form=form)
        stream = sys.stdout if outcome.verb == "plan" else sys.stderr
        show(lines, stream, no_color=outcome.no_color)
    if runs_in_github():
        from safepip.doors.github import tell_outcome

        tell_outcome(outcome, has_document=own.markdown)


def _write_page(outcome: Outcome, path: str) -> None:
    from safepip.decisions.drawing.page import page

    text = page(outcome)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error
