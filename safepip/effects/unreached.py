"""Channels that did not answer a while ago, in the user's own cache, so that nobody waits again."""

from __future__ import annotations

import contextlib
import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from safepip.effects.user_places import user_cache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SECONDS = 600
"""For how long that is believed."""


def note_unreached(channels: Iterable[str], environ: Mapping[str, str]) -> None:
    """Remember that these channels did not answer; where that cannot be, it is not remembered."""
    path = _path(environ)
    if not os.path.isabs(path):  # nobody has a home
        return
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(_key(channels))


def were_unreached(channels: Iterable[str], environ: Mapping[str, str]) -> bool:
    """Say whether these channels did not answer, and that is not long ago."""
    path = _path(environ)
    try:
        with open(path, encoding="ascii") as file:
            is_meant = file.read(100) == _key(channels)
            since = time.time() - os.fstat(file.fileno()).st_mtime
    except (OSError, ValueError):
        return False
    return is_meant and 0 <= since < _SECONDS


def _key(channels: Iterable[str]) -> str:
    return sha256("\n".join(sorted(channels)).encode()).hexdigest()


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(user_cache(environ), "unreached")
