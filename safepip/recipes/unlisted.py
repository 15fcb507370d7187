"""A guard that no manifest lists, or a torn one: its files are known by their bytes."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.guarding.manifest import known
from safepip.effects.guard_files import (
    FOREIGN,
    folders_of,
    in_its_places,
    prints,
    read_manifest,
)
from safepip.values.errors import CannotJudge, NotWritable
from safepip.values.guarding import MANIFEST, Known, Manifest
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.guarding import Piece


def listed(prefix: str, shell: Shell) -> Manifest:
    """Give what the guard has written into an environment; empty where there is no guard.

    Raises: NotWritable, where the manifest is none, with the way on without it.
    """
    try:
        return read_manifest(prefix)
    except NotWritable as error:
        gone = shell.run("rm", "--", f"{prefix}/{MANIFEST}")
        off = shell.then(gone, shell.safepip(("guard", "off")))
        error.fixes = (Fix(off, "go on without it: what is safepip's is known by its bytes, too"),)
        raise


def with_unlisted(prefix: str, before: Manifest, make: Callable[[], Sequence[Piece]]) -> Manifest:
    """Give a manifest with what lies in the places of the guard besides.

    What is not as ``make`` gives it has no print that it could be known by, and so stays.
    """
    listed_paths = {file.path for file in before.files}
    there = {path: p for path, p in in_its_places(prefix).items() if path not in listed_paths}
    found = {path: p for path, p in there.items() if p != FOREIGN}
    if not found:
        return before
    pieces: Sequence[Piece] = ()
    with contextlib.suppress(CannotJudge):  # as by a Python that does not start
        pieces = make()
    ours = {piece.path: known(piece).print for piece in pieces}
    files = tuple(Known(path, ours.get(path, "")) for path in found)
    made = folders_of([MANIFEST, *(path for path in found if found[path] == ours.get(path))])
    folders = tuple(sorted({*before.folders, *made}))
    return replace(before, files=(*before.files, *files), folders=folders)


def adopted(prefix: str, pieces: Sequence[Piece], before: Manifest) -> Manifest:
    """Give what was before a guard is turned on, with the folders that hold nothing but its files.

    So `guard off` takes them away, too, after a manifest that was lost.
    """
    if before.levels:
        return before
    ours = {piece.path: known(piece).print for piece in pieces}
    there = [path for path, found in prints(prefix, ours).items() if found == ours[path]]
    return replace(before, folders=folders_of(there, prefix)) if there else before
