"""One artifact of a plan, and the line of a requirement file that asks for exactly it. Pure."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.version import InvalidVersion, Version

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safepip.effects.requirement_files import Inputs
    from safepip.values.account import Entry


@dataclass(frozen=True)
class Item:
    """One entry of pip's report: what was parsed of it, and what only fetching needs."""

    entry: Entry
    download: Mapping[str, Any] = field(repr=False)
    """`download_info`, which may hold a secret."""


def line_for(item: Item, inputs: Inputs, urls: Sequence[str], sdist: str) -> str:
    """Give the line that asks for exactly this artifact; ``sdist`` is where a copy of it lies."""
    entry = item.entry
    url = Path(sdist).as_uri() if sdist else _url(item, urls) if _is_by_url(item) else ""
    line = f"{entry.name} @ {url}" if url else pinned(entry)
    if entry.sha256:
        line += f" --hash=sha256:{entry.sha256}"
    if said := inputs.build_options.get(entry.name):
        line += f" {said}"
    return line


def _is_by_url(item: Item) -> bool:
    return item.entry.is_direct or "archive_info" not in item.download


def pinned(entry: Entry) -> str:
    """Give the requirement that only this version meets."""
    try:
        return f"{entry.name}=={Version(entry.version)}"
    except InvalidVersion:
        return f"{entry.name}==={entry.version}"


def _url(item: Item, urls: Sequence[str]) -> str:
    """Give the URL of a direct reference, with the user's login where pip's report left it out."""
    url = with_login(str(item.download["url"]), urls)
    if (info := item.download.get("vcs_info")) is not None:
        url = f"{info['vcs']}+{url}@{info['commit_id']}"
    if subdirectory := item.download.get("subdirectory"):
        url += f"#subdirectory={subdirectory}"
    return url


def with_login(url: str, known: Iterable[str]) -> str:
    """Give the URL with user and password of one that is known with them, if it has none itself."""
    parts = urlsplit(url)
    if "@" in parts.netloc or not parts.netloc:
        return url
    for text in known:
        login, at, host = _netloc(text).rpartition("@")
        if at and host == parts.netloc:
            return urlunsplit(parts._replace(netloc=f"{login}@{host}"))
    return url


def _netloc(text: str) -> str:
    """Give the host and login in a requirement or URL: `x @ git+https://user@host/path`."""
    _, found, rest = text.partition("://")
    return rest.split("/", 1)[0] if found else ""


def with_hashes(arguments: Sequence[str], items: Iterable[Item]) -> tuple[str, ...]:
    """Give the arguments with its hash in the URL of each archive that was judged.

    A server may give something else to the next who asks.
    """
    known = {
        _plain(str(item.download.get("url"))): item.entry.sha256
        for item in items
        if item.entry.is_direct and item.entry.sha256
    }
    return tuple(_with_hash(argument, known) for argument in arguments)


def _with_hash(argument: str, known: Mapping[str, str]) -> str:
    url = argument.rpartition(" @ ")[2] if " @ " in argument else argument
    sha256 = known.get(_plain(url)) if "://" in url else None
    if sha256 is None or "sha256=" in url or ";" in url:
        return argument
    return f"{argument}{'&' if '#' in url else '#'}sha256={sha256}"


def _plain(url: str) -> str:
    """Give the URL without login and fragment, by which two of them are compared."""
    parts = urlsplit(url.strip())
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def file_name(item: Item) -> str:
    """Give the name under which an artifact is downloaded."""
    return unquote(urlsplit(str(item.download.get("url"))).path).rpartition("/")[2]
