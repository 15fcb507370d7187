"""The last verdict on each environment, in the user's own cache.

Not in the environment: `plan` changes nothing there, and a read-only one has a last verdict, too.
It is for nobody else to read, and losing it costs an explanation.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMIT = 16 * 1024 * 1024
"""Characters of a verdict that is still read."""
_MOST = 50
"""Environments whose last verdicts are remembered."""


def keep_last(prefix: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Remember a verdict; where that cannot be, it is not remembered."""
    path = _path(prefix, environ)
    if not os.path.isabs(path):  # nobody has a home
        return
    with contextlib.suppress(OSError):
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=folder)  # for its owner alone
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump({"prefix": prefix, **told}, file)
            os.replace(beside, path)
        except OSError:
            os.unlink(beside)
            raise
        _prune(folder)


def _prune(folder: str) -> None:
    """Forget the oldest verdicts: environments come and go."""
    with os.scandir(folder) as found:
        files = sorted(found, key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-_MOST]:
        os.unlink(file.path)


def read_last(prefix: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Give the last verdict on an environment; None where none is known."""
    try:
        with open(_path(prefix, environ), encoding="utf-8") as file:
            told = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    is_meant = isinstance(told, dict) and told.get("prefix") == prefix and told.get("schema") == 1
    return told if is_meant else None


def _path(prefix: str, environ: Mapping[str, str]) -> str:
    home = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "safepip", "last", f"{sha256(prefix.encode()).hexdigest()[:32]}.json")
