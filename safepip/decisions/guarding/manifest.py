"""The list of what the guard has written: its text, and what follows from it. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from safepip.values.guarding import (
    ACTIVATE,
    DEACTIVATE,
    LEVELS,
    PATH_FILE,
    ROOT,
    STARTUP,
    Known,
    Level,
    Manifest,
    Piece,
    Steps,
)
from safepip.values.seal import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SCHEMA = 1
_SUFFIX = r"\.(sh|fish|ps1)"
_PIECES = re.compile(
    "|".join(
        (
            # A folder of its own, in which another release may have had other files.
            f"{re.escape(ROOT)}/.+",
            re.escape(STARTUP),
            *(re.escape(path) + _SUFFIX for path in (ACTIVATE, DEACTIVATE)),
            # Python's own folders; of a seal it is looked at, too, whose it is.
            rf"lib[^/]*/(.+/)?({re.escape(PATH_FILE)}|{re.escape(MARKER)})",
        )
    )
)
"""Where the guard has files, of any level and for any Python: `pieces`. Beside the manifest lie the
settings of the environment, which are none."""


def print_of(data: bytes) -> str:
    """Give what the manifest keeps of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def print_of_link(target: str) -> str:
    """Give what the manifest keeps of a link."""
    return f"->{target}"


def known(piece: Piece) -> Known:
    """Give what the manifest keeps of a piece."""
    return Known(piece.path, print_of_link(piece.link) if piece.link else print_of(piece.data))


def as_text(manifest: Manifest) -> str:
    """Give the manifest as it is written."""
    files: dict[str, str] = {}
    also: dict[str, list[str]] = {}
    for file in manifest.files:
        if file.path in files:
            also.setdefault(file.path, []).append(file.print)
        else:
            files[file.path] = file.print
    told: dict[str, object] = {
        "schema": _SCHEMA,
        "about": "written by `safepip guard on`; `safepip guard off` removes what is listed here",
        "levels": list(manifest.levels),
        "files": files,
        "folders": list(manifest.folders),
    }
    # Only while something is written, or where that was cut off: what else may lie there.
    told |= {"also": also} if also else {}
    return json.dumps(told, indent=1) + "\n"


def parse_manifest(text: str) -> Manifest | None:
    """Give the manifest that a text is; None for one that safepip did not write so.

    A path that leads out of the prefix is none of the guard's, nor is one where the guard has no
    file, whoever wrote it there: what is named is what `guard off` removes.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("schema") != _SCHEMA:
        return None
    files, levels, folders = (told.get(name) for name in ("files", "levels", "folders"))
    also = told.get("also", {})
    if not (isinstance(files, dict) and _are_texts(levels) and _are_texts(folders)):
        return None
    if not isinstance(also, dict) or not all(map(_are_texts, also.values())):
        return None
    are_ours = all(map(_is_below, folders)) and all(map(_is_of_guard, (*files, *also)))  # type: ignore[arg-type]  # a list of texts, as was seen
    if not (are_ours and _are_texts([*files.values()])):
        return None
    others = (Known(path, found) for path in also for found in also[path])
    return Manifest(
        levels=tuple(level for level in LEVELS if level in levels),  # type: ignore[operator]
        files=(*(Known(path, found) for path, found in files.items()), *others),
        folders=tuple(folders),  # type: ignore[arg-type]
    )


def _are_texts(value: Any) -> bool:  # noqa: ANN401 - it is JSON
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_below(path: str) -> bool:
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", ".."}.intersection(parts)


def _is_of_guard(path: str) -> bool:
    return _is_below(path) and _PIECES.fullmatch(path) is not None


def steps_on(
    pieces: Sequence[Piece],
    before: Manifest,
    found: Mapping[str, str | None],
    levels: Sequence[Level],
) -> Steps:
    """Give what makes an environment hold exactly these pieces.

    ``found``: what lies at the paths of both, as `Known.print` has it; None where nothing does.
    What is neither as it is wanted nor as the guard once wrote it is somebody's, and stays.
    """
    listed = _by_path(before.files)
    write, left, files = [], [], []
    for piece in pieces:
        there, wanted = found[piece.path], known(piece)
        if there == wanted.print:
            files.append(wanted)
        elif there is None or there in listed.get(piece.path, ()):
            write.append(piece)
            files.append(wanted)
        else:
            left.append(piece.path)
            files += [Known(piece.path, one) for one in listed.get(piece.path, ())]
    gone = steps_off(
        [file for file in before.files if file.path not in {piece.path for piece in pieces}], found
    )
    return Steps(
        tuple(write), gone.remove, (*left, *gone.left), (*files, *gone.files), tuple(levels)
    )


def steps_off(files: Iterable[Known], found: Mapping[str, str | None]) -> Steps:
    """Give what takes these files away, but for those that somebody changed."""
    there = {path: p for path, p in _by_path(files).items() if found[path] is not None}
    remove = [path for path, prints in there.items() if found[path] in prints]
    return Steps(remove=tuple(remove), left=tuple(path for path in there if path not in remove))


def _by_path(files: Iterable[Known]) -> dict[str, list[str]]:
    """Give what the manifest knows of each path: more than one print where it was cut off."""
    prints: dict[str, list[str]] = {}
    for file in files:
        prints.setdefault(file.path, []).append(file.print)
    return prints
