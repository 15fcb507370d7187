"""How strict to be, by safepip's own options and variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.values.request import Policy
from safepip.values.text import normalised

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions


def policy_of(own: OwnOptions) -> Policy:
    """Give the policy of one command."""
    return Policy(
        strict=own.strict,
        prefers_conda=own.prefer_conda,
        allow=tuple(dict.fromkeys(normalised(name) for name in own.allow)),
        override_frozen=own.override_frozen,
        imports=not (own.no_import_check or _is_off("SAFEPIP_IMPORT_CHECK")),
        keeps_undo=not (own.no_undo or _is_off("SAFEPIP_UNDO")),
    )


def _is_off(name: str) -> bool:
    return os.environ.get(name, "").lower() == "off"
