"""Writing the files that people asked for: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from safepip.values.errors import UsageError


def write_whole(path: str, text: str) -> None:
    """Put a text into a file; a link is followed, and permissions stay.

    Raises: UsageError.
    """
    real = os.path.realpath(path)
    try:
        if os.path.lexists(real) and not os.path.isfile(real):
            Path(real).write_text(text, encoding="utf-8")  # /dev/stdout, or a folder, which is told
            return
        _replace(real, text)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error


def _replace(path: str, text: str) -> None:
    handle, beside = tempfile.mkstemp(
        dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}."
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
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
