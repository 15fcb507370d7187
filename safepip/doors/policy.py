"""How strict to be, by safepip's own options, and by what is set for all commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.recipes.settings import configuration_of
from safepip.values.request import Policy
from safepip.values.text import normalised

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions


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
