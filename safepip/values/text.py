"""Text from packages, indexes and environments, made fit to be named and shown. Pure."""

from __future__ import annotations

import re

from safepip.values.verbs import GUARDED, HOOKS, OWN

WIDTH = 80
"""Columns of what people read, where nothing else is known."""

# Texts, which `re` compiles once each, when they are first asked for: most commands need few.
_SEPARATORS = r"[-_.]+"
_URL = r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+"
_USERINFO = r"(?<=://)[^/\s]*@"
_IN_PATH = r"(?<=/t/)[A-Za-z0-9-]{8,}(?![A-Za-z0-9_%~+-]|\.[A-Za-z0-9])"
"""In the path of a channel or index of Anaconda's: `https://pypi.anaconda.org/t/TOKEN/…`."""
_IN_QUERY = (
    r"(?i)([?&;](?:[^=&#;\s]*(?:token|key|secret|passw|signature|sig|credential|auth)[^=&#;\s]*)=)"
    # A quote that is the last of it closes what the URL stands in, as in a line for a shell.
    r"(?:[^&#;\s'\"`]|['\"`](?![)\]>,.:;'\"`]{0,3}(?:\s|$)))*"
)

_VARIABLES = r"(?:[^:@/\s]+:)?\$\{[A-Z0-9_]+\}"
"""A login of which pip fills in the secret from a variable; nothing of it is one as it stands."""
_LOGIN = r"(?<![^\s='\"])[^\s/:@='\"]+:[^\s/]+@(?=[^\s/@]+(:\d+)?/?(?![^\s'\"]))"
"""`user:password@host:8080`, as pip takes a proxy."""
_VERBS = "|".join((*GUARDED, *OWN, *HOOKS, "list", "uv"))
_COMMAND = rf"(?m)(^ *|[`>]|in full: )safepip (?=(?:{_VERBS})\b)"
"""A command where it begins: in a line of its own, between backticks, or in a tag."""


def normalised(name: str) -> str:
    """Give the name by which distributions are compared.

    Source: https://peps.python.org/pep-0503/#normalized-names
    """
    return re.sub(_SEPARATORS, "-", name).lower()


def folded(path: str) -> str:
    """Give a path as a disk may compare it that does not tell upper from lower case.

    Such disks leave out what cannot be seen as well, and know several letters for one. To be
    compared with names in ASCII, of which none is to be missed: so what is not in it goes.
    """
    if path.isascii():
        return path.lower()
    import unicodedata  # seldom needed

    return "".join(c for c in unicodedata.normalize("NFKD", path.casefold()) if c.isascii())


def shown(text: object, limit: int = 300) -> str:
    """Give text that a terminal displays and does not obey.

    Control and format characters (escapes, bidirectional overrides, line breaks) become `?`, and
    what exceeds ``limit`` characters is cut.
    """
    line = "".join(c if c.isprintable() else "?" for c in str(text))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_secrets(text: str) -> str:
    """Give the text with what may be a secret taken out of the URLs and proxies in it.

    User information goes whole, since tokens are often given as the user's name; but not the name
    that `ssh` logs in with, nor where the password is the name of a variable. So do the values of
    query parameters that are named like credentials.
    """
    if "://" not in text and "@" not in text:
        return text
    return re.sub(_LOGIN, "****@", re.sub(_URL, lambda found: _without_secret(found.group()), text))


def _without_secret(url: str) -> str:
    from urllib.parse import urlsplit, urlunsplit  # many commands tell of no URL

    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(_IN_QUERY, r"\1****", re.sub(_USERINFO, "****@", url))
    netloc = parts.netloc
    login = netloc.rpartition("@")[0]
    is_told = parts.scheme.endswith("ssh") and ":" not in login
    if login and not is_told and not re.fullmatch(_VARIABLES, login):
        netloc = "****@" + netloc.rpartition("@")[2]
    path = re.sub(_USERINFO, "****@", parts.path)  # another URL may be stuck to this one
    path = re.sub(_IN_PATH, "****", path)
    whole = urlunsplit(parts._replace(netloc=netloc, path=path))
    if not netloc:  # `urlunsplit` leaves out the slashes of `git+file:///x`
        whole = f"{parts.scheme}://{whole.removeprefix(f'{parts.scheme}:').removeprefix('//')}"
    return re.sub(_IN_QUERY, r"\1****", whole)


def in_notebook(text: str) -> str:
    """Give a text with safepip's commands in it as a notebook takes them.

    Those that are printed to be pasted are made so from the start; this is for sentences.
    """
    return re.sub(_COMMAND, r"\1%safepip ", text)
