"""Appending to the files by which a service takes settings for later steps."""

from __future__ import annotations

import os

from safepip.values.errors import NotWritable


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
