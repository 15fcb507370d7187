"""The build backend of the projects that `projects.py` writes.

It makes the wheel that ``recipe.json`` describes.
Never imported here: each project holds a copy of it and of `wheels.py`, under the same names.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.lab.wheels import Files, Wheel, as_module, make_wheel

ROOT = Path(__file__).resolve().parents[3]
RECIPE: dict[str, Any] = json.loads((ROOT / "recipe.json").read_text(encoding="utf-8"))

Settings = dict[str, Any] | None


def build_wheel(
    wheel_directory: str, settings: Settings = None, metadata: str | None = None
) -> str:
    """PEP 517."""
    exec(RECIPE["on_build"], {"ROOT": ROOT})  # noqa: S102 - the author of the test wrote it
    return _wheel(_sources()).write(Path(wheel_directory)).name


def build_editable(
    wheel_directory: str, settings: Settings = None, metadata: str | None = None
) -> str:
    """PEP 660: a path file that leads to the sources."""
    exec(RECIPE["on_build"], {"ROOT": ROOT})  # noqa: S102 - the author of the test wrote it
    path_file = {f"__editable__.{as_module(RECIPE['name'])}.pth": f"{ROOT / 'src'}\n"}
    return _wheel(path_file).write(Path(wheel_directory)).name


if RECIPE["metadata_hook"]:

    def prepare_metadata_for_build_wheel(folder: str, settings: Settings = None) -> str:
        """PEP 517, and for an editable build the same: the metadata does not depend on the kind."""
        archive = zipfile.ZipFile(io.BytesIO(_wheel(_sources()).data))
        info = [name for name in archive.namelist() if ".dist-info/" in name]
        archive.extractall(folder, [name for name in info if not name.endswith("/RECORD")])
        return info[0].split("/")[0]

    prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def _wheel(files: Files) -> Wheel:
    return make_wheel(RECIPE["name"], RECIPE["version"], files, **RECIPE["options"])


def _sources() -> Files:
    found = [path for path in sorted((ROOT / "src").rglob("*")) if path.is_file()]
    kept = [path for path in found if "__pycache__" not in path.parts]
    return {path.relative_to(ROOT / "src").as_posix(): path.read_bytes() for path in kept}
