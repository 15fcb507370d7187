"""The files that people asked for, written whole or not at all; and what is there of them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safepip.effects.records import read_text
from safepip.values.errors import SafepipError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMIT = 16 * 1024 * 1024


def text_at(path: str) -> str:
    """Give the text of a file; nothing where there is none.

    Raises: UsageError.
    """
    try:
        return read_text(path, _LIMIT)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read `{path}`: {getattr(error, 'strerror', None) or error}"
        ) from error


def write_changed(texts: Mapping[str, str], *, follows: bool = True) -> tuple[str, ...]:
    """Write the files that do not say it already, and give their paths.

    ``follows``: links lead to what is written; else they are replaced.
    """
    changed = [
        path for path, text in texts.items() if not os.path.isfile(path) or text_at(path) != text
    ]
    for path in changed:
        write_whole(path, texts[path], follows=follows)
    return tuple(changed)


def text_or_none(path: str) -> str:
    """Give the text of a file; nothing where it cannot be read."""
    try:
        return text_at(path)
    except SafepipError:
        return ""


def write_whole(path: str, text: str, *, follows: bool = True) -> None:
    """Put a text into a file; permissions stay. ``follows``: a link leads to it.

    Raises: UsageError.
    """
    _write(os.path.realpath(path) if follows else path, path, text)


def _write(real: str, path: str, text: str) -> None:
    """Put a text into a file that is no link; a link itself is replaced.

    Raises: UsageError.
    """
    try:
        if os.path.exists(real) and not os.path.isfile(real):
            Path(real).write_text(text, encoding="utf-8")  # /dev/stdout, or a folder, which is told
            return
        replace_bytes(real, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error


def replace_bytes(path: str, data: bytes) -> None:
    """Put these bytes in place of a file, whose permissions stay.

    Raises: OSError.
    """
    handle, beside = tempfile.mkstemp(
        dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}."
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _mode(path: str) -> int:
    """Give the permissions of a file, or those that a new one would have."""
    try:
        return os.stat(path).st_mode & 0o7777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
