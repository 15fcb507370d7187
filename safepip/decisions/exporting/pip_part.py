"""The part of a file that is pip's: what to install, by which words, and from where. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

from safepip.decisions.exporting.asked import INDEX, Asked
from safepip.decisions.exporting.urls import (
    bare,
    has_secret,
    path_of,
    with_commit,
    without_fragment,
)
from safepip.decisions.exporting.wanted import wanted
from safepip.decisions.judging.consistency import standing
from safepip.decisions.judging.requirements import parse_version
from safepip.values.late import dataclass
from safepip.values.sheet import Note, Origin, PipEntry
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.environment import Distribution, Environment, Record

_NOTHING = Origin()
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]+")
_PLAIN = re.compile(r"[\w./~+-]+")
"""A path that need not be quoted."""
_QUOTABLE = re.compile(r"[\w./~+-]+(?: [\w./~+-]+)*")
"""A path that is whole when it is quoted: pip cuts a line at a `#`, and fills in `${NAME}`."""


@dataclass(frozen=True)
class PipPart:
    """Everything that pip is to be told."""

    options: tuple[str, ...]
    entries: tuple[PipEntry, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Told:
    """What is known of an environment besides its books."""

    origins: Mapping[str, Origin]
    """By the path of the metadata."""
    asked: Mapping[str, Asked]
    """By the journal, for what is there in just that version."""
    taken: Mapping[str, Record]
    """The packages of conda's that pip's distributions replaced, by distribution."""
    folder: str = ""
    """Where the file will lie; empty for nowhere in particular."""


def counted(environment: Environment) -> Mapping[str, Distribution]:
    """Give the distributions that are the environment's own, one for each name."""
    return standing(d for d in environment.distributions if not d.user_site)


def pip_part(environment: Environment, told: Told, *, everything: bool) -> PipPart:
    """Give the part that is pip's. ``everything``: also what comes by itself."""
    here = counted(environment)
    markers = environment.interpreter.markers
    requested = [name for name, d in here.items() if _is_requested(name, d, told)]
    extras = {name: asked.extras for name, asked in told.asked.items()}
    names, with_extras = wanted(here, requested, extras, markers)
    if everything:
        names = tuple(sorted(name for name, d in here.items() if d.record is None))
    entries, notes = [], []
    for name in names:
        text, more = _line(here[name], told, with_extras.get(name, frozenset()))
        record = told.taken.get(name)
        package = f"{record.name} {record.version}" if record is not None else ""
        entries.append(PipEntry(name, text, package))
        notes += [*more, *([Note("taken-over", name, package)] if package else [])]
    from_index = [name for name in names if not _origin(here[name], told).url]
    options, found = _options(from_index, told)
    return PipPart(options, tuple(entries), (*found, *notes))


def _is_requested(name: str, distribution: Distribution, told: Told) -> bool:
    if distribution.record is not None:
        return False
    asked = told.asked.get(name)
    return _origin(distribution, told).requested or (asked is not None and asked.requested)


def _origin(distribution: Distribution, told: Told) -> Origin:
    return told.origins.get(distribution.metadata_path, _NOTHING)


def _line(
    distribution: Distribution, told: Told, extras: Iterable[str]
) -> tuple[str, tuple[Note, ...]]:
    """Give the words for one distribution, and what they do not tell."""
    origin = _origin(distribution, told)
    spelled = distribution.raw_name
    is_name = spelled.isascii() and normalised(spelled) == distribution.name
    project = spelled if is_name else distribution.name
    brackets = f"[{','.join(sorted(extras))}]" if extras else ""
    if not origin.url:
        return f"{project}{brackets}{pin(distribution.version)}", ()
    if not origin.is_there:
        note = Note("gone", distribution.name, bare(origin.url))
        return f"{project}{brackets}{pin(distribution.version)}", (note,)
    notes = tuple(_notes_on(distribution.name, origin))
    if origin.is_editable:
        return f"-e {_place(origin, project, brackets, told.folder)}", notes
    return f"{project}{brackets} @ {_url(origin)}", notes


def pin(version: str) -> str:
    """Give the bound that just this version is within; none for what is no version at all."""
    if not _VERSION.fullmatch(version):
        return ""
    return f"=={version}" if parse_version(version) is not None else f"==={version}"


def _url(origin: Origin) -> str:
    url = bare(origin.url)
    if origin.vcs:
        return with_commit(origin.vcs, url, origin.commit, origin.subdirectory)
    parts = [f"sha256={origin.sha256}"] if origin.sha256 and not origin.is_folder else []
    parts += [f"subdirectory={origin.subdirectory}"] if origin.subdirectory else []
    return without_fragment(url) + (f"#{'&'.join(parts)}" if parts else "")


def _place(origin: Origin, project: str, brackets: str, folder: str) -> str:
    """Give where an editable project is: a commit, or a path that is seen from the file."""
    if origin.remote:
        url, egg = bare(origin.remote), f"{project}{brackets}"
        return with_commit(origin.vcs, url, origin.commit, origin.subdirectory, egg)
    return _path(path_of(origin.url), folder, brackets)


def _path(path: str, folder: str, brackets: str = "") -> str:
    """Give a path as a line has it: as seen from the file where that lies near it."""
    if not _QUOTABLE.fullmatch(path):
        return f"file://{quote(path)}{brackets}"
    if folder and (_is_within(path, folder) or _is_within(folder, path)):
        below = posixpath.relpath(path, folder)
        path = below if below.startswith(".") else f"./{below}"
    whole = f"{path}{brackets}"
    return whole if _PLAIN.fullmatch(path) else shlex.quote(whole)


def _is_within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _notes_on(name: str, origin: Origin) -> Iterator[Note]:
    url = origin.remote or origin.url
    if has_secret(url):
        yield Note("credentials", name, bare(url))
    if url.startswith(("file:", "/")):
        yield Note("only-here", name, path_of(url) or url)


# ------------------------------------------------------------------------------- where from


def _options(names: Iterable[str], told: Told) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Give the indexes that what is named came from, and what is left out of them.

    An index that took the place of the usual one keeps that place only where everything came from
    it; else it is one more beside it.
    """
    by_name = [told.asked[name].sources if name in told.asked else () for name in names]
    indexes = {tuple(v for k, v in sources if k == INDEX)[-1:] for sources in by_name}
    main = next(iter(indexes)) if len(indexes) == 1 else ()
    lines: dict[str, None] = {}
    notes: dict[Note, None] = {}
    for key, value in dict.fromkeys(pair for sources in by_name for pair in sources):
        option = "--extra-index-url" if key == INDEX and (value,) != main else key
        url = bare(value)
        if option == "--find-links" and "://" not in url and not url.startswith("/"):
            notes[Note("relative", option, url)] = None
            continue
        place = _path(url, told.folder) if url.startswith("/") else url
        lines[f"{option} {place}"] = None
        if option != key:
            notes[Note("index", option, url)] = None
        if has_secret(value):
            notes[Note("credentials", option, url)] = None
        if url.startswith(("/", "file:")):
            notes[Note("only-here", option, url)] = None
    return tuple(sorted(lines, key=_rank)), tuple(notes)


def _rank(line: str) -> tuple[bool, bool]:
    return (not line.startswith(INDEX), not line.startswith("--extra"))
