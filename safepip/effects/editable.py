"""What installing a project in editable mode writes, as a wheel that can be judged.

`pip wheel` gives the ordinary wheel of a project, whose files an editable install does not write.
So pip installs it into a private folder, which takes nothing away, and that is packed.
"""

from __future__ import annotations

import csv
import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from safepip.effects.wheels import read_wheel
from safepip.values.errors import UnreadableWheel
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_DEPTH = 3
"""Folders below the project's in which its packages may begin: `src/lib/python`."""
_MADE_BY_PIP = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})
_ARGUMENTS = (
    *("install", "--no-deps", "--ignore-installed", "--no-compile", "--no-user"),
    *("--no-warn-script-location", "--no-warn-conflicts"),
)


def wheel_of_editable(project: str, folder: Path, install: Callable[[Sequence[str]], bool]) -> str:
    """Give the wheel of a project's editable install; nothing where it is `setup.py develop`.

    ``project`` is its URL. ``install`` lets pip install with these arguments, and says whether that
    went well.

    Raises: UnreadableWheel.
    """
    path = unquote(urlsplit(project).path)
    place = folder / f"editable-{len(os.listdir(folder))}"
    # `--prefix` and not `--target`, which mixes the folders; with `--ignore-installed` pip takes
    # nothing out of the environment for it.
    if not install([*_ARGUMENTS, "--root", "/", "--prefix", str(place), "--editable", path]):
        return ""
    infos = list(place.glob("**/*.dist-info"))
    if len(infos) != 1:
        return ""
    wheel = _packed(place, infos[0], folder)
    shutil.rmtree(place)
    return wheel


def egg_info_in(project: str, name: str) -> str:
    """Give the metadata that `setup.py egg_info` left in a project's folder; empty without one.

    It lies beside the packages, which need not be beside `setup.py`.
    """
    for folder, folders, _ in os.walk(project):
        for each in folders:
            stem, ending, _ = each.rpartition(".egg-info")
            if ending and normalised(stem) == name:
                return os.path.join(folder, each)
        depth = folder[len(project) :].count(os.sep)
        folders[:] = [] if depth >= _DEPTH else [f for f in folders if not f.startswith(".")]
    return ""


def _packed(place: Path, info: Path, folder: Path) -> str:
    stem = info.name[: -len(".dist-info")]
    wheel = folder / f"{stem}-editable-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in _recorded(place, info):
            if path.is_relative_to(info.parent):
                archive.write(path, path.relative_to(info.parent).as_posix())
        archive.write(info / "RECORD", f"{info.name}/RECORD")
    contents = read_wheel(str(wheel))
    scripts = {*contents.console_scripts, *contents.gui_scripts}
    with zipfile.ZipFile(wheel, "a") as archive:
        for path in _recorded(place, info):
            if not path.is_relative_to(info.parent):
                below = path.relative_to(place)
                if below.parts[0] != "bin":
                    archive.write(path, f"{stem}.data/data/{below.as_posix()}")
                elif path.name not in scripts:
                    archive.write(path, f"{stem}.data/scripts/{path.name}")
    return str(wheel)


def _recorded(place: Path, info: Path) -> Iterator[Path]:
    """Give the files that the wheel brought, by pip's own list of what it installed."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            path = Path(os.path.normpath(info.parent / row[0])) if row else info
            if not path.is_relative_to(place):
                raise UnreadableWheel(info.name, f"`{row[0]}` leads out of the folder")
            if path.is_file() and not (path.parent == info and path.name in _MADE_BY_PIP):
                yield path
