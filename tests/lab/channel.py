"""Conda channels on disk: folders of packages with an index."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.lab.archive import SUBDIR
from tests.lab.recipes import Built, Recipe, build, lab_folder


def channel(recipes: Sequence[Recipe]) -> Path:
    """The folder of a channel with exactly these packages, built as needed.

    In the lab's folder, under a name made from the recipes: asked for twice, it is the same
    channel, with the same URL in the records of all environments.
    """
    keys = sorted({recipe.key for recipe in recipes})
    home = lab_folder() / "channels" / hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        bench = Path(tempfile.mkdtemp(dir=home.parent, prefix=".making-"))
        try:
            write_channel(bench, [build(recipe) for recipe in recipes])
            bench.rename(home)
        except OSError:
            if not home.exists():
                raise
        finally:
            shutil.rmtree(bench, ignore_errors=True)
    return home


def write_channel(folder: Path, packages: Iterable[Built]) -> None:
    """Fill ``folder`` with the packages (hard links where possible) and index it.

    Source: https://docs.conda.io/projects/conda-build/en/stable/concepts/generating-index.html
    """
    rows: dict[str, dict[str, Any]] = {SUBDIR: {}, "noarch": {}}
    for package in packages:
        subdir = package.row["subdir"]
        rows[subdir][package.path.name] = package.row
        _link(package.path, folder / subdir / package.path.name)
    for subdir, listed in rows.items():
        head = {
            "info": {"subdir": subdir},
            "packages": {},
            "packages.conda": listed,
            "repodata_version": 1,
        }
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        (folder / subdir / "repodata.json").write_text(json.dumps(head, indent=1, sort_keys=True))


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
