"""What is in an environment, byte by byte: the oracle of the tests.

Read in the plainest possible way, and sharing no code with safepip: what both get wrong would be no
error.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

Ledger = dict[str, str]
"""By path in the prefix: the sha256 of a file, ``link:TARGET``, or ``missing``."""


def conda_bytes(prefix: Path) -> Ledger:
    """Every file that a record owns, as it is on disk now."""
    owned: set[str] = set()
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        owned.update(json.loads(record.read_bytes())["files"])
    return {path: state(prefix / path) for path in sorted(owned)}


def everything(prefix: Path, *, bytecode: bool = False) -> Ledger:
    """Every file and link under the prefix; without ``bytecode``, nothing in a ``__pycache__``.

    Running Python writes bytecode, so it tells nothing of what an installer did.
    """
    found: Ledger = {}
    for root, folders, files in os.walk(prefix):
        if not bytecode and "__pycache__" in folders:
            folders.remove("__pycache__")
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in [*files, *links]:
            path = Path(root, name)
            found[path.relative_to(prefix).as_posix()] = state(path)
    return dict(sorted(found.items()))


def changed(before: Ledger, after: Ledger) -> dict[str, tuple[str, str]]:
    """What differs, with ``missing`` for what only one of them has."""
    paths = sorted({*before, *after})
    pairs = {path: (before.get(path, "missing"), after.get(path, "missing")) for path in paths}
    return {path: (was, now) for path, (was, now) in pairs.items() if was != now}


def state(path: Path) -> str:
    """What is at a path."""
    if path.is_symlink():
        return f"link:{path.readlink()}"
    if not path.is_file():
        return "missing"
    return hashlib.sha256(path.read_bytes()).hexdigest()
