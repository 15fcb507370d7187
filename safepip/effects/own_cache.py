"""What safepip remembers of environments in the user's own cache: one file of a kind for each.

Not in the environment: `plan` changes nothing there, and a read-only one is remembered, too. It
is for nobody else to read, and can be lost at any time.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from safepip.effects.opened import opened
from safepip.effects.user_places import user_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["last", "records"]

_OURS = re.compile(r"[0-9a-f]{32}\.json|\.new-\w+")
_MOST: Mapping[Kind, int] = {"last": 50, "records": 20}
"""Environments of which this is remembered."""


def cached_at(kind: Kind, prefix: str, environ: Mapping[str, str]) -> str:
    """Give the path of the file; it is not absolute where nobody has a home."""
    name = sha256(prefix.encode(errors="surrogateescape")).hexdigest()[:32]
    return os.path.join(user_cache(environ), kind, f"{name}.json")


def keep(kind: Kind, prefix: str, environ: Mapping[str, str], data: bytes) -> None:
    """Write the file, whole; where that cannot be, nothing is remembered."""
    path = cached_at(kind, prefix, environ)
    if not os.path.isabs(path):
        return
    with contextlib.suppress(OSError):
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.path.islink(folder):  # what is there may be anything
            return
        handle, beside = tempfile.mkstemp(dir=folder, prefix=".new-")  # for its owner alone
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(beside, path)
        except OSError:
            os.unlink(beside)
            raise
        _prune(folder, _MOST[kind])


def _prune(folder: str, most: int) -> None:
    """Forget what is oldest: environments come and go."""
    with os.scandir(folder) as found:
        ours = [file for file in found if _OURS.fullmatch(file.name)]
    files = sorted(ours, key=lambda file: file.stat(follow_symlinks=False).st_mtime_ns)
    for file in files[:-most]:
        os.unlink(file.path)


def recalled(kind: Kind, prefix: str, environ: Mapping[str, str], limit: int) -> bytes | None:
    """Give what is in the file; None where there is none of at most ``limit`` bytes.

    And where it is somebody else's, which it may be under `sudo`, or others may write it.
    """
    path = cached_at(kind, prefix, environ)
    try:
        with opened(path, limit) as file:
            found = os.fstat(file.fileno())
            if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
                return None
            return file.readall()
    except (OSError, ValueError):
        return None
