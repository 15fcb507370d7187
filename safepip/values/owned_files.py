"""The files of a record that an index knows, read when somebody asks for them. Pure.

Of 250,000 files of a large environment an install asks for a handful. In which folders a record
has files, and which are metadata, tells of nearly all records that they need not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

METADATA_MARKS = ("-info", "EGG-INFO")
"""What the path of each file of a distribution's metadata has in it."""


class OwnedFiles(Sequence[str]):
    """At least one path below the prefix.

    ``read`` gives all of them; it is called once, and may raise.
    """

    def __init__(
        self,
        folders: Collection[str],
        metadata: tuple[str, ...],
        read: Callable[[], tuple[str, ...]],
    ) -> None:
        self.folders = frozenset(folders)
        """Those that one of the files lies in directly; the prefix itself is the empty text."""
        self.metadata = metadata
        """Those with one of the marks of metadata."""
        self._read = read
        self._all: tuple[str, ...] | None = None

    @property
    def is_read(self) -> bool:
        """Whether somebody has asked for more than is known without reading."""
        return self._all is not None

    def whole(self) -> tuple[str, ...]:
        """Give all of them."""
        if self._all is None:
            self._all = self._read()
        return self._all

    def __bool__(self) -> bool:
        return True

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, str) or folder_of(path) not in self.folders:
            return False
        return path in self.whole()

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def __len__(self) -> int:
        return len(self.whole())

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...

    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self.whole()[at]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (OwnedFiles, tuple)):
            return self.whole() == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.whole())


def folder_of(path: str) -> str:
    """Give the folder that a path below the prefix lies in."""
    return path.rpartition("/")[0]


def folders_of(files: Sequence[str]) -> frozenset[str]:
    """Give the folders that hold one of the files directly."""
    if isinstance(files, OwnedFiles):
        return files.folders
    return frozenset(map(folder_of, files))


def metadata_in(files: Sequence[str], mark: str) -> list[str]:
    """Give the files with a mark of metadata in their paths."""
    return [
        path
        for path in (files.metadata if isinstance(files, OwnedFiles) else files)
        if mark in path
    ]


def among(files: Sequence[str], paths: frozenset[str], folders: frozenset[str]) -> frozenset[str]:
    """Give those of some paths that are among the files; ``folders`` are those they lie in."""
    if isinstance(files, OwnedFiles) and files.folders.isdisjoint(folders):
        return frozenset()
    return paths.intersection(files)
