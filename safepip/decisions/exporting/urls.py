"""URLs in files that others will read: without secrets, and of channels by their names. Pure."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from safepip.values.text import without_secrets

_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win|emscripten|wasi|freebsd|zos)-[a-z0-9_]+)/?$")
_DEFAULTS = frozenset({"main", "r", "msys2", "free", "pro"})
_ANACONDA = re.compile(r"https?://conda\.anaconda\.org/(?:t/[^/]+/)?([^/]+)/?$")
_DEFAULT = re.compile(r"(?:https?://repo\.(?:anaconda\.com|continuum\.io)/)?pkgs/(\w+)/?$")
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")
_LEFT = re.compile(r"\*{4}@|/t/\*{4}(?=/|$)|[?&;][^=&;#]*=\*{4}")


def bare(url: str) -> str:
    """Give a URL without user, password, token, and parameters that are named like secrets.

    The user's name that `ssh` logs in with stays.
    """
    return _LEFT.sub("", without_secrets(url))


def without_login(url: str) -> str:
    """Give a place without all that one logs in there with, variables as well."""
    return _LOGIN.sub("", url)


def has_secret(url: str) -> bool:
    """Say whether a URL holds what may be a secret, or did before it was written down."""
    return bare(url) != url


def channel_place(channel: str) -> str:
    """Give a channel of a record without the platform; empty where it does not know it."""
    place = _SUBDIR.sub("", channel).rstrip("/")
    return "" if "<" in place else place


def channel_name(channel: str) -> str:
    """Give a channel as people write it; empty where a record does not know it."""
    place = channel_place(channel)
    default = _DEFAULT.fullmatch(place)
    if default is not None and default[1] in _DEFAULTS:
        return "defaults"
    found = _ANACONDA.fullmatch(place)
    return found[1] if found is not None else bare(place)


def with_commit(vcs: str, url: str, commit: str, subdirectory: str = "", egg: str = "") -> str:
    """Give the URL of a commit as pip reads it. ``egg``: the project, where nothing else tells."""
    start = url if url.startswith(f"{vcs}+") else f"{vcs}+{url}"
    at = f"@{commit}" if commit else ""
    parts = [f"egg={egg}"] if egg else []
    parts += [f"subdirectory={subdirectory}"] if subdirectory else []
    return f"{start}{at}" + (f"#{'&'.join(parts)}" if parts else "")


def without_fragment(url: str) -> str:
    """Give a URL without what comes behind `#`."""
    return url.partition("#")[0]


def split(url: str) -> SplitResult:
    """Give the parts of a URL; of what is none, everything is path."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def path_of(url: str) -> str:
    """Give the path of a `file:` URL; empty for any other."""
    parts = split(url)
    return unquote(parts.path) if parts.scheme == "file" else ""
