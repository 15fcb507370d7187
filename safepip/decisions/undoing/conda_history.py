"""An entry of conda's own history, by which conda knows what is there and what is wanted. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.exporting.urls import channel_name, has_secret
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.journal import Entry

_LONGEST = 10_000
"""Characters of a command, which nobody reads but people, and of the name of a package."""
_MARK = "# safepip change: "
"""What stands before the id of a change, in a line that is a comment to conda and its like."""
_BEGINNING = re.compile(rb"^(?===> )", re.MULTILINE)


def dist_of(channel: str, platform: str, name: str) -> str:
    """Give a package as conda's history names it: CHANNEL/PLATFORM::NAME-VERSION-BUILD.

    Without the channel where that is not known, or may be a secret.

    Source: `conda.models.records.PackageRecord.dist_str`
    """
    place = "" if has_secret(channel) or "/t/" in channel else channel_name(channel)
    return f"{place}/{platform}::{name}" if place and platform else name


def history_text(entry: Entry, command: str, time: str) -> str:
    """Give what conda would have written of a change of its packages.

    Without `# conda version:`, as none has made it. ``time``: local, as conda has it.

    Source: `conda.history.History`
    """
    sign, what = ("-", "remove") if entry.removes_records else ("+", "update")
    lines = [f"==> {time} <==", f"# cmd: {shown(command, _LONGEST)}", f"{_MARK}{entry.id}"]
    lines += (f"{sign}{shown(dist, _LONGEST)}" for dist in sorted(entry.dists))
    lines += [f"# {what} specs: {_listed(entry.specs)}"] if entry.specs else []
    return "".join(f"{line}\n" for line in lines)


def _listed(specs: Sequence[str]) -> str:
    """Give a list as Python reads it, which conda does: whole, what cannot be shown as escapes."""
    return repr([*specs])


def is_noted(history: bytes, change: str) -> bool:
    """Say whether a history of conda's has the entry of a change of safepip's."""
    return any(_is_of(change, part) for part in _parts(history))


def without_entry(history: bytes, change: str) -> bytes:
    """Give a history of conda's without the entry of a change; all else is as it was."""
    return b"".join(part for part in _parts(history) if not _is_of(change, part))


def _parts(history: bytes) -> list[bytes]:
    return _BEGINNING.split(history)


def _is_of(change: str, part: bytes) -> bool:
    return f"{_MARK}{change}".encode() in part.splitlines()
