"""Whether what pip installed is what was judged: by the RECORD that pip wrote.

Needed where pip fetched or built once more for the installation itself.
"""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.decisions.planning.files import planned_files
from safepip.effects.wheels import has_bytes, read_wheel

if TYPE_CHECKING:
    from safepip.values.account import Entry
    from safepip.values.environment import Interpreter
    from safepip.values.plan import PlannedFile

Rows = Mapping[str, str]
"""The hash in a RECORD, by absolute path."""


def differences(
    entry: Entry, commit: str, spared: Collection[str], interpreter: Interpreter
) -> tuple[str, ...]:
    """Give what differs between an installed distribution and its judged wheel, a line each.

    ``commit`` is that of a checkout. The bytes are compared where the artifact was a file already;
    what was built once more may differ in them.
    """
    if not entry.wheel:
        return ()
    contents = read_wheel(entry.wheel)
    planned = planned_files(entry, contents, interpreter, compiles=False)
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    info = f"{library}/{contents.dist_info}"
    installed = _rows(_text(f"{info}/RECORD"), library)
    if installed is None:
        return (f"{info}/RECORD is not there",)
    expected = {file.path for file in planned} - set(spared)
    found = {path for path in installed if "/__pycache__/" not in path and path not in spared}
    lines = [f"{path} is missing" for path in sorted(expected - found)]
    lines += [f"{path} was not planned" for path in sorted(found - expected)]
    if entry.source == "wheel":
        mine = [file for file in planned if file.path not in spared]
        lines += _other_bytes(entry.wheel, mine, installed, contents.dist_info)
    if commit and (actual := _commit(f"{info}/direct_url.json")) != commit:
        lines.append(f"it was built from {actual or 'an unknown commit'}, not from {commit}")
    return tuple(lines)


def record_of(entry: Entry) -> str:
    """Give the path of the RECORD that installing a wheel writes."""
    contents = read_wheel(entry.wheel)
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    return f"{library}/{contents.dist_info}/RECORD"


def _other_bytes(
    wheel: str, planned: Collection[PlannedFile], installed: Rows, dist_info: str
) -> list[str]:
    own = f"{dist_info}/RECORD"  # which pip writes anew
    with zipfile.ZipFile(wheel) as archive:
        return [
            f"{file.path} has other bytes"
            for file in planned
            # The first line of a script is rewritten as it is installed.
            if file.member not in ("", own) and file.kind != "script" and file.path in installed
            if not has_bytes(archive, file.member, file.path)
        ]


def _rows(text: str | None, folder: str) -> Rows | None:
    if text is None:
        return None
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    return {os.path.normpath(os.path.join(folder, row[0])): (row[1:] or [""])[0] for row in rows}


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return None


def _commit(path: str) -> str:
    try:
        return str(json.loads(_text(path) or "{}").get("vcs_info", {}).get("commit_id", ""))
    except (ValueError, AttributeError):
        return ""
