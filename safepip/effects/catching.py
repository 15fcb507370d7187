"""Keeping what a dry run of pip downloads, so that nothing is downloaded twice.

Where an index tells no metadata, pip has to download an artifact to learn its requirements, and
throws it away when it ends. A second name for the file, given meanwhile, keeps it. How pip lays out
its temporary folder is its own affair: what is not caught is fetched again, and what is caught is
used only by its hash.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from safepip.effects.wheels import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_DOWNLOADS = "pip-unpack-"
"""The beginning of the names of the folders that pip downloads to."""


class Catcher:
    """A folder for temporary files, and another for those worth keeping."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        """What a process is to take for its `TMPDIR`."""
        self.temporary.mkdir()
        self._caught = folder / "caught"
        self._caught.mkdir()
        self._seen: set[str] = set()
        self._by_name: dict[str, list[str]] = {}

    def look(self) -> None:
        """Keep what was downloaded since the last look, finished or not."""
        with contextlib.suppress(OSError):
            for folder in os.listdir(self.temporary):
                if folder.startswith(_DOWNLOADS):
                    self._look_into(folder)

    def _look_into(self, folder: str) -> None:
        for name in os.listdir(self.temporary / folder):
            path = os.path.join(self.temporary, folder, name)
            if path not in self._seen and name.endswith(_ARCHIVES):
                self._seen.add(path)
                kept = os.path.join(self._caught, f"{len(self._seen)}-{name}")
                with contextlib.suppress(OSError):
                    os.link(path, kept)
                    self._by_name.setdefault(name, []).append(kept)

    def find(self, name: str, sha256: str) -> str:
        """Give the path of a file by its name and hash; empty when it was not caught."""
        found = (path for path in self._by_name.get(name, ()) if sha256_of(path) == sha256)
        return next(found, "")
