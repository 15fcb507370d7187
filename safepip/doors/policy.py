"""How strict to be, by safepip's own options and variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.effects.importing import is_wanted
from safepip.values.request import Policy
from safepip.values.text import normalised

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions


def policy_of(own: OwnOptions) -> Policy:
    """Give the policy of one command."""
    return Policy(
        strict=own.strict,
        allow=tuple(dict.fromkeys(normalised(name) for name in own.allow)),
        override_frozen=own.override_frozen,
        imports=not own.no_import_check and is_wanted(os.environ),
        keeps_undo=not own.no_undo and os.environ.get("SAFEPIP_UNDO", "").lower() != "off",
    )
