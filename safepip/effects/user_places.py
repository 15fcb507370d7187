"""Where a user's own files lie, by the XDG Base Directory Specification.

`platformdirs` knows the same for every system, and takes ten milliseconds to be imported, half of
what pip's start may be delayed by. So it is asked only where a system has rules of its own.

Source: https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def user_cache(environ: Mapping[str, str]) -> str:
    """Give safepip's folder for what can be made again; it is not absolute without a home."""
    return _place("XDG_CACHE_HOME", "~/.cache", environ)


def user_config(environ: Mapping[str, str]) -> str:
    """Give safepip's folder for settings; it is not absolute without a home."""
    if sys.platform == "darwin":
        from platformdirs import user_config_dir

        return user_config_dir("safepip", appauthor=False)
    return _place("XDG_CONFIG_HOME", "~/.config", environ)


def _place(variable: str, usual: str, environ: Mapping[str, str]) -> str:
    told = environ.get(variable, "")  # one that is relative is to be ignored
    return os.path.join(told if os.path.isabs(told) else os.path.expanduser(usual), "safepip")
