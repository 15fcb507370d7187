"""How strict to be, by safepip's own options, and by what is set for all commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.doors.terminal import show, width_of
from safepip.recipes.settings import configuration_of
from safepip.values.errors import SafepipError
from safepip.values.request import Policy
from safepip.values.setting import USUAL
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.doors.arguments import OwnOptions
    from safepip.values.setting import Configuration


def policy_of(own: OwnOptions, prefix: str) -> Policy:
    """Give the policy of one command in an environment.

    Raises: UsageError; UnreadableFile.
    """
    found = configuration_of(prefix, os.environ)
    allowed = (*found.names("allow"), *map(normalised, own.allow))
    is_set = found.word("policy") == "strict"
    origins = found.chosen["policy"].origins if is_set and not own.strict else ()
    return Policy(
        strict=own.strict or is_set,
        allow=tuple(dict.fromkeys(allowed)),
        prefers_conda=own.prefer_conda,
        override_frozen=own.override_frozen,
        imports=found.is_on("import-check") and not own.no_import_check,
        keeps_undo=found.is_on("undo") and not own.no_undo,
        strict_for_all=is_set,
        strict_by="".join(origins[-1:]),
        settings=found,
    )


def say_unheeded(found: Configuration) -> None:
    """Say what a file sets in vain, for a verb that has no verdict beside which it stands."""
    _say(found.unheeded)


def say_wrong_settings(prefix: str) -> Configuration:
    """Say what is wrong with the settings of an environment, for a verb that nothing is to stop.

    Give the settings; those that are usual, where they cannot be read.
    """
    found = settings_or_fault(prefix)
    _say(found.unheeded)
    return found


def settings_or_fault(prefix: str, what_then: str = "") -> Configuration:
    """Give the settings; where they are wrong, those that are usual, and what is wrong as unheeded.

    ``what_then`` is said of that.
    """
    try:
        return configuration_of(prefix, os.environ)
    except SafepipError as error:
        return USUAL._replace(unheeded=(f"{error.message}{what_then}",))


def _say(sentences: Sequence[str]) -> None:
    if sentences:
        from safepip.decisions.wording.message import hint_lines  # seldom needed

        show(hint_lines(sentences, width_of()))
