"""The functions for shells, and their block in a startup file. Pure.

A startup file is bytes here: it may be in any encoding, or in none.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import TYPE_CHECKING, Literal

from safepip.decisions.guarding.pieces import as_function, filled
from safepip.values.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ShellName = Literal["bash", "zsh", "fish", "powershell"]
SHELLS: tuple[ShellName, ...] = ("bash", "zsh", "fish", "powershell")

_PARTS: Mapping[ShellName, tuple[str, ...]] = {
    "bash": ("init.sh", "complete.bash"),
    "zsh": ("init.sh", "complete.zsh"),
    "fish": ("init.fish",),
    "powershell": ("init.ps1",),
}
RID: Mapping[str, str] = {
    "bash": "unset -f pip pip3 uv 2>/dev/null",
    "zsh": "unfunction -m pip pip3 uv",
    "fish": "functions -e pip pip3 uv",
    "powershell": "Remove-Item Alias:pip, Alias:pip3, Alias:uv -ErrorAction Ignore",
}
"""What takes the functions out of a shell that has them already; there need be none for uv."""

_SINGLE_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
_BEGIN = b"# >>> safepip >>>"
_END = b"# <<< safepip <<<"
_NOTES = {"": b"", "joined": b" (the line before it had no end)", "made": b" (made the file)"}
"""How the file was before the block came: what is needed to have it so again."""
_FOLDERS = re.compile(rb" \(made the file and folders (\d)\)")
_BLOCK = re.compile(
    rb"^# >>> safepip >>>(?P<note> \([a-z0-9 ]+\))? (?P<print>[0-9a-f]{12})\n"
    rb"(?P<text>.*?)^# <<< safepip <<<\n?",
    re.MULTILINE | re.DOTALL,
)


def functions(
    shell: ShellName, texts: Mapping[str, str], safepip: Sequence[str], package: str
) -> str:
    """Give the functions for a shell, as text for it to run: they hold the shim."""
    quote = {"fish": _quoted_for_fish, "powershell": _quoted_for_powershell}.get(shell, shlex.quote)
    shim = quote(as_function(filled(texts["shell/shims/pip"], safepip, package)))
    parts = (texts[f"shell/{part}"] for part in _PARTS[shell])
    return "".join(part.replace("'@SHIM@'", shim) for part in parts)


def _quoted_for_fish(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quoted_for_powershell(word: str) -> str:
    """Double what ends a string: PowerShell takes typographic quotes for the plain one.

    Source: `EscapeSingleQuotedStringContent` of System.Management.Automation's `CodeGeneration`.
    """
    doubled = _SINGLE_QUOTES.sub(r"\g<0>\g<0>", word)
    return f"'{doubled}'"


def with_block(data: bytes | None, text: str, *, folders: int = 0) -> bytes:
    """Give a startup file with the block in it: where it stood, or else at the end.

    ``data`` is None where there is no file; ``folders``: how many are to be made for it then.

    Raises: UsageError, where somebody changed the block, or half of one is there.
    """
    found = _found(data or b"")
    if data is not None and found is not None:
        return data[: found.start()] + _block(text, found["note"] or b"") + data[found.end() :]
    how = "made" if data is None else "joined" if data and not data.endswith(b"\n") else ""
    note = b" (made the file and folders %d)" % folders if not data and folders else _NOTES[how]
    return (data or b"") + (b"\n" if how == "joined" else b"") + _block(text, note)


def folders_made(data: bytes | None) -> int:
    """Give how many folders were made for the file, by what its block says.

    Raises: UsageError, as `without_block`.
    """
    found = _found(data or b"")
    count = _FOLDERS.fullmatch(found["note"] or b"") if found is not None else None
    return int(count[1]) if count is not None else 0


def without_block(data: bytes | None) -> bytes | None:
    """Give a startup file as it was before the block came, to the byte; None for no file.

    What others wrote below the block stays a line of its own.

    Raises: UsageError, where somebody changed the block, or half of one is there.
    """
    found = _found(data or b"")
    if data is None or found is None:
        return data
    below = data[found.end() :]
    # The line before the block gets back that it has no end, unless it would run into another.
    joined = found["note"] == _NOTES["joined"] and not below
    left = data[: found.start() - joined] + below
    made = (found["note"] or b"").startswith(b" (made the file")
    return None if made and not left else left


def _block(text: str, note: bytes) -> bytes:
    inner = text.encode()
    return b"%s%s %s\n%s%s\n" % (_BEGIN, note, _print(inner), inner, _END)


def _print(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:12].encode()


def _found(data: bytes) -> re.Match[bytes] | None:
    """Give the one block, where there is one that is as it was written.

    Raises: UsageError.
    """
    count = max(data.count(_BEGIN), data.count(_END))
    if count == 0:
        return None
    found = _BLOCK.search(data)
    if count != 1 or found is None or _print(found["text"]) != found["print"]:
        line = data[: max(0, data.find(_BEGIN))].count(b"\n") + 1
        raise UsageError(
            f"the block of safepip in it was changed (line {line})",
            why="what somebody wrote there is not safepip's to remove: take the lines from "
            "`# >>> safepip >>>` to `# <<< safepip <<<` out by hand",
        )
    return found
