"""Appending to the files by which a service takes settings for later steps."""

from __future__ import annotations

import os
import stat

from safepip.values.errors import NotWritable
from safepip.values.text import shown

_SUMMARY_LIMIT = 1024 * 1024
"""Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""


def append_line(path: str, line: str) -> bool:
    """Have a file end with a line, unless it holds that already; say whether it was written.

    Raises: NotWritable.
    """
    wanted = os.fsencode(line)
    try:
        with open(path, "a+b") as file:
            file.seek(0)
            held = file.read()
            if wanted in held.splitlines():
                return False
            file.write((b"" if held.endswith(b"\n") or not held else b"\n") + wanted + b"\n")
    except OSError as error:
        raise NotWritable(f"cannot write `{path}`: {error.strerror}") from error
    return True


def append_summary(path: str, document: str) -> None:
    """Add a document to the summary of a step, which may have a mebibyte in all.

    More than that GitHub drops as a whole, what others wrote included.

    Raises: NotWritable.
    """
    data = f"\n{document}\n".encode("utf-8", "backslashreplace")
    try:
        # A pipe that nobody reads is not waited for.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags, 0o644), "ab", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise NotWritable(f"`{shown(path)}` is no file")
            if found.st_size + len(data) > _SUMMARY_LIMIT:
                raise NotWritable(f"`{shown(path)}` would have more than 1 MiB")
            file.write(data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotWritable(f"cannot write `{shown(path)}`: {reason}") from error
