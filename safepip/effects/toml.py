"""Reading TOML, on each Python that safepip runs on."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse_toml(text: bytes) -> dict[str, Any]:
    """Give the document.

    Raises: ValueError.
    """
    try:
        return tomllib.loads(text.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
