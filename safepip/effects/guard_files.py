"""The files of the guard in an environment: what lies there, writing them, and taking them away."""

from __future__ import annotations

import contextlib
import glob
import os
from typing import TYPE_CHECKING

from safepip.decisions.guarding.manifest import as_text, parse_manifest, print_of, print_of_link
from safepip.effects.opened import read_bytes
from safepip.effects.records import read_text
from safepip.values.errors import HalfGuarded, NotWritable
from safepip.values.guarding import (
    ACTIVATE,
    DEACTIVATE,
    MANIFEST,
    PATH_FILE,
    ROOT,
    STARTUP,
    SUFFIXES,
    Manifest,
)
from safepip.values.seal import MARKER, SEAL_MARK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from safepip.values.guarding import Piece, Steps

_LIMIT = 1024 * 1024
_NEW = f"{MANIFEST}.new"
"""What is being written, before it gets its name."""


FOREIGN = "foreign: a seal of somebody else's"
"""What a seal is called that is not the guard's."""


def read_manifest(prefix: str) -> Manifest:
    """Give what the guard has written into an environment; empty where there is no guard.

    Raises: NotWritable, where the manifest is none: then nobody knows what is whose.
    """
    path = f"{prefix}/{MANIFEST}"
    if not os.path.lexists(path):
        return Manifest()
    try:
        found = parse_manifest(read_text(path, _LIMIT))
    except (OSError, ValueError) as error:
        raise NotWritable(f"cannot read `{path}`: {error}") from error
    if found is None:
        raise NotWritable(
            f"`{path}` is not as safepip writes it, so it is not known what the guard consists of",
            why="whoever has that file as it was can bring it back",
        )
    return found


def prints(prefix: str, paths: Iterable[str]) -> dict[str, str | None]:
    """Give what lies at these paths, as the manifest would name it; None where nothing does."""
    return {path: _print(f"{prefix}/{path}") for path in paths}


def _print(path: str) -> str | None:
    try:
        if os.path.islink(path):
            return print_of_link(os.readlink(path))
        data = read_bytes(path, _LIMIT)
        is_seal = os.path.basename(path) == MARKER
        # (A manifest may have been written by anybody, and so name the seal of somebody else.)
        foreign = is_seal and not data.startswith(SEAL_MARK.encode())
        return FOREIGN if foreign else print_of(data)
    except FileNotFoundError:
        return None
    # A folder, a pipe, far too much, or nobody may read it: it is not what was written.
    except (OSError, ValueError) as error:
        return f"unreadable: {getattr(error, 'strerror', None) or error}"


def in_its_places(prefix: str) -> dict[str, str | None]:
    """Give all that lies where the guard has files, whoever wrote it, by what it is."""
    found = [f"{path}{suffix}" for path in (ACTIVATE, DEACTIVATE) for suffix in SUFFIXES]
    found.append(STARTUP)
    for name in (f"site-packages/{PATH_FILE}", MARKER):
        for path in glob.glob(f"lib*/python*/{name}", root_dir=prefix):
            library = os.path.dirname(f"{prefix}/{path}")
            found += [path] if os.path.realpath(library) == library else []
    for folder, folders, files in os.walk(f"{prefix}/{ROOT}"):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        found += [os.path.relpath(f"{folder}/{name}", prefix) for name in (*links, *files)]
    return {path: what for path, what in prints(prefix, sorted(found)).items() if what is not None}


def folders_of(paths: Iterable[str], prefix: str = "") -> tuple[str, ...]:
    """Give the folders in which these files lie, but for those of Python, each after its own.

    ``prefix``: where they are looked into; only what holds nothing else is given then.
    """
    paths = set(paths)
    parts = [path.split("/")[:-1] for path in paths if not path.startswith("lib/")]
    above = {"/".join(part[:count]) for part in parts for count in range(1, len(part) + 1)}
    return tuple(f for f in sorted(above) if not prefix or _holds_only(prefix, f, paths))


def _holds_only(prefix: str, folder: str, paths: Collection[str]) -> bool:
    found = (
        os.path.relpath(f"{below}/{name}", prefix)
        for below, folders, files in os.walk(f"{prefix}/{folder}")
        for name in (*files, *(one for one in folders if os.path.islink(f"{below}/{one}")))
    )
    return all(path in paths for path in found)


def carry_out(prefix: str, steps: Steps, before: Manifest) -> None:
    """Write and remove what is to be, and keep the manifest.

    It names everything before the first file is written, as it is to be and as it was: what is cut
    off is known all the same.

    Raises: NotWritable, where nothing came of it; HalfGuarded.
    """
    done = 0
    folders = [*before.folders]
    try:
        for path in (MANIFEST, *(piece.path for piece in steps.write)):
            folders += _make_folders(prefix, path)
        named = tuple(dict.fromkeys((*steps.files, *before.files)))
        _write_manifest(prefix, Manifest(steps.levels, named, tuple(folders)))
        for piece in steps.write:
            _write(prefix, piece)
            done += 1
        gone = _remove(prefix, steps.remove, folders)
        left = tuple(folder for folder in folders if folder not in gone)
        _write_manifest(prefix, Manifest(steps.levels, steps.files, left))
    except OSError as error:
        where = error.filename2 or error.filename or prefix
        said = f"cannot write `{where}`: {error.strerror}"
        if done:
            why = f"{done} of {len(steps.write)} files of the guard are written, and all are listed"
            raise HalfGuarded(said, why=why) from error
        with contextlib.suppress(OSError):
            _as_before(prefix, before, folders)
        raise NotWritable(said) from error


def _as_before(prefix: str, before: Manifest, folders: Sequence[str]) -> None:
    made = [folder for folder in folders if folder not in before.folders]
    if before.levels:
        _remove(prefix, (_NEW,), made)
        _write_manifest(prefix, before)
    else:
        _remove(prefix, (_NEW, MANIFEST), made)


def take_away(prefix: str, steps: Steps, before: Manifest) -> None:
    """Remove what is to be removed, the manifest as the last, and the folders that were made.

    Raises: NotWritable, where nothing came of it; HalfGuarded.
    """
    try:
        _remove(prefix, steps.remove, ())
        _remove(prefix, (_NEW, MANIFEST), before.folders)
    except OSError as error:
        said = f"cannot remove `{error.filename}`: {error.strerror}"
        if not all(os.path.lexists(f"{prefix}/{path}") for path in steps.remove):
            raise HalfGuarded(said, why="what is left is still listed") from error
        raise NotWritable(said) from error


def _make_folders(prefix: str, path: str) -> list[str]:
    """Make the folders that a file lies in, and give those that were not there."""
    made: list[str] = []
    parts = path.split("/")[:-1]
    for count in range(1, len(parts) + 1):
        folder = "/".join(parts[:count])
        with contextlib.suppress(FileExistsError):
            os.mkdir(f"{prefix}/{folder}")
            made.append(folder)
    return made


def _write_manifest(prefix: str, manifest: Manifest) -> None:
    _put(prefix, MANIFEST, as_text(manifest).encode(), 0o666)


def _write(prefix: str, piece: Piece) -> None:
    if piece.link:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{prefix}/{piece.path}")
        os.symlink(piece.link, f"{prefix}/{piece.path}")
    else:
        _put(prefix, piece.path, piece.data, 0o777 if piece.executable else 0o666)


def _put(prefix: str, path: str, data: bytes, mode: int) -> None:
    """Have a file with these bytes at once, with the mode that the user's mask leaves of this."""
    new = f"{prefix}/{_NEW}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "wb") as file:
        file.write(data)
    os.replace(new, f"{prefix}/{path}")


def _remove(prefix: str, paths: Iterable[str], folders: Sequence[str]) -> list[str]:
    """Remove files, and then those of the folders that are empty; give these."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{prefix}/{path}")
    gone = []
    for folder in sorted(folders, key=lambda one: -one.count("/")):
        with contextlib.suppress(OSError):
            os.rmdir(f"{prefix}/{folder}")
            gone.append(folder)
    return gone
