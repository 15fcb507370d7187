"""Recipes: conda packages that are described now and built once, by whoever comes first.

The only module that writes into the lab's folder of built packages.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.lab.archive import CondaPackage, pack

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one conda package."""

    name: str
    version: str
    key: str
    """A hash of all that the package depends on: equal keys, equal packages."""
    make: Callable[[], CondaPackage]

    @property
    def spec(self) -> str:
        """What a person would ask conda for to get exactly this."""
        return f"{self.name} =={self.version}"


@dataclass(frozen=True, slots=True)
class Built:
    """A package on disk."""

    path: Path
    row: dict[str, Any]
    """Its row in a channel's ``repodata.json``."""


def lab_folder() -> Path:
    """Where built and fetched things are kept: ``$SAFEPIP_LAB``, or ``.lab`` in the repository."""
    return Path(os.environ.get("SAFEPIP_LAB") or REPOSITORY / ".lab").resolve()


def key_of(*parts: object) -> str:
    """A key for a recipe: these parts, the running Python, and the lab's own code.

    The lab's code is in it so that nobody has to remember to throw old packages away.
    """
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {_own_code()}".encode())
    for part in parts:
        blob = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(b"%d:" % len(blob) + blob)
    return digest.hexdigest()[:20]


def build(recipe: Recipe) -> Built:
    """The package of a recipe, from the lab's folder if it is there.

    Safe between processes: each builds in a folder of its own, and the first to rename it wins.
    """
    home = lab_folder() / "built" / recipe.key
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        bench = Path(tempfile.mkdtemp(dir=home.parent, prefix=".making-"))
        try:
            package = recipe.make()
            path = pack(package, bench)
            row = {**package.index(), **_measured(path)}
            (bench / "row.json").write_text(json.dumps([path.name, row]))
            _rename(bench, home)
        finally:
            shutil.rmtree(bench, ignore_errors=True)
    name, row = json.loads((home / "row.json").read_text())
    return Built(home / name, row)


def _measured(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"md5": md5, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def _rename(bench: Path, home: Path) -> None:
    try:
        bench.rename(home)
    except OSError:
        if not home.exists():
            raise


@cache
def _own_code() -> str:
    digest = hashlib.sha256()
    for name in ("archive", "contents", "conversion", "interpreter", "packages", "pyc", "stdlib"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()
