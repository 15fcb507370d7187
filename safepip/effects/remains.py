"""What can be read of a conda record that is no JSON any more: where its package came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.effects.records import RECORD_LIMIT, read_text
from safepip.values.inspection import Details

if TYPE_CHECKING:
    from collections.abc import Iterator

_FACT = re.compile(
    r"^([ \t]+)\"(url|sha256|size)\": (?:\"([^\"\\\x00-\x1f]*)\"|(\d{1,15})),?\r?$", re.MULTILINE
)
_KEYS = ("url", "sha256", "size")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENDS = (".conda", ".tar.bz2")
_SCHEMES = ("https://", "http://", "file:///")


def read_remains(prefix: str, record: str, dist: str) -> Details:
    """Give the URL of the archive of NAME-VERSION-BUILD, its hash and its size; empty if not there.

    Every writer prints a key on a line of its own, and those of the package itself less deep than
    those of its files. The least deep URL counts where it ends with the name of the package, and
    what stands as deep as it does, once, belongs to it.
    """
    try:
        text = read_text(f"{prefix}/conda-meta/{record}", RECORD_LIMIT)
    except (OSError, ValueError):
        return Details()
    facts = list(_facts(text))
    depths = [depth for depth, key, _ in facts if key == "url"]
    depth = min(depths, key=len, default="")
    known = {key: [v for d, k, v in facts if (d, k) == (depth, key)] for key in _KEYS}
    url = known["url"][0] if depths else ""
    if not (url.startswith(_SCHEMES) and _is_of(url, dist)):
        return Details()
    (sums, sizes) = (known[key] if len(known[key]) == 1 else [""] for key in ("sha256", "size"))
    return Details(
        url=url,
        sha256=sums[0] if _SHA256.fullmatch(sums[0]) else "",
        size_bytes=int(sizes[0]) if sizes[0].isdigit() else 0,
    )


def _facts(text: str) -> Iterator[tuple[str, str, str]]:
    for found in _FACT.finditer(text):
        yield found[1], found[2], found[3] or found[4] or ""


def _is_of(url: str, dist: str) -> bool:
    return any(url.endswith(f"/{dist}{end}") for end in _ENDS)
