"""Bytecode files, for packages that ship theirs.

Without them an environment would compile pip on its first run, and each run of a read-only one.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
import warnings

HEADER_BYTES = 16


def pyc_path(path: str) -> str:
    """Where Python looks for the bytecode of the module at ``path``."""
    folder, _, name = path.rpartition("/")
    cached = f"__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached


def compiled(source: bytes, shown_as: str, mtime: int) -> bytes | None:
    """The bytecode file of a source of that date; ``None`` when it is no Python of this version.

    Such sources are normal: templates, tests of parsers.
    """
    with warnings.catch_warnings():
        # Invalid escapes in other people's code must not end a test run that turns warnings
        # into errors.
        warnings.simplefilter("ignore")
        try:
            code = compile(source, shown_as, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            return None
    return _header(mtime, len(source)) + marshal.dumps(code)


def redated(pyc: bytes, source: bytes, was: int, mtime: int) -> bytes | None:
    """The bytecode for a source whose date moved to ``mtime``; ``None`` if it was stale before.

    Far cheaper than compiling, where an interpreter came with its bytecode.
    """
    if pyc[:HEADER_BYTES] != _header(was, len(source)):
        return None
    return _header(mtime, len(source)) + pyc[HEADER_BYTES:]


def _header(mtime: int, size: int) -> bytes:
    """Source: PEP 552; zero flags mean: valid while date and size of the source are these."""
    numbers = (0, mtime & 0xFFFFFFFF, size & 0xFFFFFFFF)
    return importlib.util.MAGIC_NUMBER + b"".join(
        number.to_bytes(4, "little") for number in numbers
    )
