"""Where installed distributions came from: `REQUESTED`, `direct_url.json`, and checkouts of pip's.

Source: https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from safepip.decisions.exporting.urls import path_of
from safepip.effects.records import read_object
from safepip.values.sheet import Origin
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from safepip.values.environment import Distribution, Environment

_LIMIT = 64 * 1024
_GIT_SECONDS = 10.0
_AT_HOST = re.compile(r"(?P<host>[^/:\s]+):(?P<path>[^\s]+)")
_WORD = re.compile(r"[!-~]+")


def own_only(environment: Environment) -> Environment:
    """Give the environment with only the distributions that were installed into it.

    What `PYTHONPATH` and the user site add is not; what a link of `setup.py develop` leads to is.
    """
    interpreter = environment.interpreter
    folders = dict.fromkeys((interpreter.purelib, interpreter.platlib))
    links = {name for folder in folders for name in _linked(folder)}

    def is_own(distribution: Distribution) -> bool:
        if not distribution.outside:
            return not distribution.user_site
        return distribution.name in links

    return replace(environment, distributions=tuple(filter(is_own, environment.distributions)))


def _linked(folder: str) -> Iterator[str]:
    """Give the normalised names of the links of `setup.py develop`, however spelled."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            stem, end = os.path.splitext(name)
            if end == ".egg-link":
                yield normalised(stem)


def read_origins(
    prefix: str, distributions: Iterable[Distribution], cloned: Collection[str] = ()
) -> Mapping[str, Origin]:
    """Give the origin of each distribution, by its metadata's path.

    ``cloned``: the names that pip was asked for by a repository, to be edited. Where no virtualenv
    is, and a conda environment is none to pip, it clones into `src` of the working folder, and a
    folder in which somebody cloned himself looks just so.
    """
    return {d.metadata_path: _origin(prefix, d, d.name in cloned) for d in distributions}


def _origin(prefix: str, distribution: Distribution, is_cloned: bool) -> Origin:  # noqa: FBT001
    info = distribution.metadata_path
    requested = os.path.exists(f"{info}/REQUESTED")
    raw = read_object(f"{info}/direct_url.json", _LIMIT)
    url = _text(raw, "url")
    if not url:
        # `setup.py develop` leaves no more than a link to where the metadata lies.
        if not distribution.outside:
            return Origin(requested)
        return _editable(prefix, _project_with(distribution.location), is_cloned=is_cloned)
    vcs, archive, folder = (_table(raw, f"{key}_info") for key in ("vcs", "archive", "dir"))
    path = path_of(url)
    if folder.get("editable") is True and path:
        return _editable(prefix, path, is_cloned=is_cloned)
    return Origin(
        requested=requested,
        url=url,
        vcs=_text(vcs, "vcs"),
        commit=_text(vcs, "commit_id"),
        subdirectory=_text(raw, "subdirectory"),
        sha256=_sha256(archive),
        is_folder="dir_info" in raw,
        is_there=not path or os.path.exists(path),
    )


def _editable(prefix: str, path: str, *, is_cloned: bool) -> Origin:
    """Give the origin of a project in a folder; pip's own checkouts lie in a `src`."""
    there = os.path.isdir(path)
    url = f"file://{quote(path)}"
    found = Origin(requested=True, url=url, is_editable=True, is_folder=True, is_there=there)
    if not there or not (is_cloned or _is_within(os.path.realpath(path), prefix)):
        return found
    top = _git(path, "rev-parse", "--show-toplevel")
    is_pips = is_cloned and os.path.basename(os.path.dirname(top)) == "src"
    if not is_pips and not _is_within(top, prefix):  # the repository may be around the prefix
        return found
    # Not as `insteadOf` has it, which is for this machine.
    remote = _as_url(_git(path, "config", "--get", "remote.origin.url"), top)
    commit = _git(path, "rev-parse", "HEAD")
    if not _WORD.fullmatch(remote) or not _WORD.fullmatch(commit):
        return found
    return Origin(
        requested=True,
        url=url,
        vcs="git",
        commit=commit,
        subdirectory=quote(_git(path, "rev-parse", "--show-prefix").strip("/")),
        is_editable=True,
        remote=remote,
    )


def _is_within(path: str, prefix: str) -> bool:
    return f"{path}/".startswith(f"{prefix}/src/")


def _as_url(remote: str, top: str) -> str:
    """Give what git clones from as pip wants it: a path and `user@host:path` are no URLs to it."""
    if "://" in remote or not remote:
        return remote
    at_host = _AT_HOST.fullmatch(remote)
    if at_host is not None:
        return f"ssh://{at_host['host']}/{quote(at_host['path'].lstrip('/'))}"
    return f"file://{quote(os.path.normpath(os.path.join(top, remote)))}"


def _project_with(folder: str) -> str:
    """Give the folder of the project whose metadata lies in a folder, such as its `src`."""
    for above in (folder, os.path.dirname(folder), os.path.dirname(os.path.dirname(folder))):
        if any(os.path.isfile(f"{above}/{name}") for name in ("setup.py", "pyproject.toml")):
            return above
    return folder


def _git(folder: str, *words: str) -> str:
    """Give what git answers in a folder, on one line; nothing where it does not."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env={n: value for n, value in os.environ.items() if not n.startswith("GIT_")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    answer = os.fsdecode(done.stdout).strip()
    return answer if answer.isprintable() else ""


def _sha256(archive: Mapping[str, Any]) -> str:
    hashes = archive.get("hashes")
    found = _text(hashes, "sha256") if isinstance(hashes, dict) else ""
    return found or _text(archive, "hash").removeprefix("sha256=")


def _table(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _text(raw: Mapping[str, Any], key: str) -> str:
    """Give a text of one word: what had spaces in it would be several in a line of requirements."""
    value = raw.get(key)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
