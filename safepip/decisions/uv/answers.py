"""What uv says that it would do, and where the artifacts for that are. Pure, and strict.

Source: `uv pip install --dry-run --output-format json`, and
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from safepip.values.errors import CannotJudge, UnreadableReport
from safepip.values.late import dataclass
from safepip.values.text import normalised, shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIRECT = re.compile(r" [+~] ([^\s=]+)(?:==\S+ \(from | @ )(\S+?)\)?\Z")
_LOGIN_IN_URL = re.compile(r"(\w+://)([^\s/?#]*@)([^\s#]*)")


@dataclass(frozen=True)
class UvChange:
    """A distribution that uv would install."""

    name: str
    """Normalised."""
    version: str
    url: str = ""
    """Where it is from, when it was given by URL or path."""

    @property
    def pin(self) -> str:
        """The requirement that only this meets."""
        return f"{self.name} @ {self.url}" if self.url else f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Located:
    """A wheel of a distribution, and where it is."""

    name: str
    url: str
    sha256: str
    """Empty where the index gives none."""

    @property
    def file(self) -> str:
        """The name of the file."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]


def parse_changes(text: bytes, said: str) -> tuple[tuple[UvChange, ...], tuple[str, ...]]:
    """Give what uv would install, and the names of what it would only remove.

    ``said``: what it says to people, which alone tells of URLs.

    Raises: UnreadableReport.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise UnreadableReport("uv", "JSON", str(error)) from error
    changes = raw.get("changes") if isinstance(raw, dict) else None
    if not isinstance(changes, list):
        raise UnreadableReport("uv.changes", "list", type(changes).__name__)
    found = filter(None, map(_DIRECT.match, said.splitlines()))
    urls = {normalised(match[1]): match[2] for match in found}
    installed: dict[str, UvChange] = {}
    gone: dict[str, None] = {}
    for at, change in enumerate(changes):
        name, action = (_text(change, key, at) for key in ("name", "action"))
        # Of a folder it is not known before it is built.
        version = _text(change, "version", at) if "version" in change else ""
        if not _NAME.fullmatch(normalised(name)) or (version and not _VERSION.fullmatch(version)):
            said = shown(f"{name} {version}")  # these become lines of requirements
            raise UnreadableReport(f"uv.changes[{at}]", "a name and a version", said)
        if action not in ("installed", "uninstalled", "reinstalled"):
            raise UnreadableReport(f"uv.changes[{at}].action", "a known action", shown(action))
        if action == "uninstalled":
            gone[normalised(name)] = None
        else:
            key = normalised(name)
            installed[key] = UvChange(key, version, urls.get(key, ""))
    return tuple(installed.values()), tuple(name for name in gone if name not in installed)


def as_given(url: str, asked: Iterable[str]) -> str:
    """Give a URL as uv says it with the login that somebody gave with it, which uv does not say.

    ``asked``: requirements, as they were written.
    """
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    if "****" not in login:
        return url
    plain = urlunsplit(parts._replace(netloc=host, fragment=""))
    found = (_LOGIN_IN_URL.search(text) for text in asked)
    logins = (match[2] for match in found if match and f"{match[1]}{match[3]}" == plain)
    return urlunsplit(parts._replace(netloc=f"{next(logins, '')}{host}"))


def _text(raw: Any, key: str, at: int) -> str:  # noqa: ANN401 - whatever uv wrote
    found = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(found, str):
        raise UnreadableReport(f"uv.changes[{at}].{key}", "str", type(found).__name__)
    return found


def parse_lock(document: Mapping[str, Any]) -> Mapping[str, tuple[Located, ...]]:
    """Give the wheels of each distribution in a lock, by name; none for one that has none.

    Raises: UnreadableReport.
    """
    try:
        packages = document.get("packages", [])
        return {normalised(str(package["name"])): tuple(_located(package)) for package in packages}
    except (TypeError, KeyError, AttributeError) as error:
        raise UnreadableReport("uv's lock", "a list of packages", error) from error


def _located(package: Mapping[str, Any]) -> Iterable[Located]:
    wheels = list(package.get("wheels", []))
    wheels += [package["archive"]] if "archive" in package else []
    for wheel in wheels:
        url = str(wheel["url"]) if "url" in wheel else f"file://{quote(str(wheel['path']))}"
        sha256 = str(wheel.get("hashes", {}).get("sha256", ""))
        if sha256 and not _SHA256.fullmatch(sha256):
            raise UnreadableReport("uv's lock", "a hash of SHA-256", shown(sha256))
        found = Located(str(package["name"]), url, sha256)
        if found.file.endswith(".whl"):
            yield found


def pins_of(changes: Sequence[UvChange], lock: Mapping[str, Sequence[Located]]) -> str:
    """Give lines that ask for just these artifacts, with the hashes where all have them.

    Raises: CannotJudge, for what uv would build.
    """
    hashed = all(wheel.sha256 for change in changes for wheel in lock.get(change.name, ()))
    lines = []
    for change in changes:
        wheels = lock.get(change.name, ())
        if not wheels:
            origin = shown(without_secrets(change.url)) or f"the sources of {shown(change.version)}"
            raise CannotJudge(
                f"uv would build {change.name} from {origin}",
                why="what that installs is known only once it is built",
            )
        hashes = dict.fromkeys(wheel.sha256 for wheel in wheels) if hashed else {}
        version = change.version or _version_of(wheels[0].file)
        line = [f"{change.name}=={version}", *(f"--hash=sha256:{h}" for h in hashes)]
        lines.append(f"{' '.join(line)}\n")
    return "".join(lines)


def _version_of(file: str) -> str:
    """Give the version in the name of a wheel.

    Raises: CannotJudge.
    """
    version = file.split("-")[1] if "-" in file else ""
    if not _VERSION.fullmatch(version):
        raise CannotJudge(f"`{shown(file)}` is no name of a wheel")
    return version


def page_of(wheels: Iterable[Located]) -> str:
    """Give a page of links, as pip takes it for `--find-links`."""
    links = (
        f'<a href="{escape(w.url)}{f"#sha256={w.sha256}" if w.sha256 else ""}">{escape(w.file)}</a>'
        for w in wheels
    )
    return "<!DOCTYPE html>\n<html><body>\n" + "\n".join(links) + "\n</body></html>\n"
