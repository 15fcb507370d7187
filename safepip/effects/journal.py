"""The journal on disk: entries, what is kept to go back, and the mark of an unfinished change.

Everything lies in `conda-meta/safepip`, where conda and its relatives look at `*.json` of the
folder above only:

    2026-11-25-1.json     an entry, always replaced as a whole
    kept/2026-11-25-1/    the files that it may need to go back, most of them hard links
    unfinished            the id of the change that is being made, or was cut off

Files are written beside and renamed, so that a crash at any byte leaves the old one or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from typing import TYPE_CHECKING

from safepip.decisions.undoing.journaling import ID, as_json, parse_entry
from safepip.effects.keeping import KEPT_MEANWHILE
from safepip.effects.records import read_text, read_with_owner
from safepip.effects.states import make_shared, sync_folder
from safepip.values.errors import NoSuchChange, UnreadableJournal
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safepip.values.journal import Entry

_MOST_A_DAY = 10_000_000
_SMALL = 1_000_000
"""Bytes of an entry that is not worth to be cut down; few need more."""
_ENTRY_LIMIT = 256 * 1024 * 1024
_MARK_LIMIT = 100
_NAME = re.compile(rf"({ID.pattern})\.json")


class Journal:
    """The journal of one environment. Writing is for whoever holds its lock."""

    def __init__(self, prefix: str, folder: str = "") -> None:
        self.prefix = prefix
        self.folder = folder or f"{prefix}/conda-meta/safepip"

    def absolute(self, path: str) -> str:
        """Give a path of an entry as the system knows it."""
        return path if path.startswith("/") else f"{self.prefix}/{path}"

    def relative(self, path: str) -> str:
        """Give an absolute path as entries have it: below the prefix where it can be."""
        start = f"{self.prefix}/"
        return path.removeprefix(start)

    def kept(self, entry: str) -> str:
        """Give the folder of the files that an entry keeps."""
        return f"{self.folder}/kept/{entry}"

    # Reading.

    def ids(self) -> list[str]:
        """Give the ids of all entries, the oldest first."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        found = [match[1] for name in names if (match := _NAME.fullmatch(name))]
        return sorted(found, key=_order)

    def read(self, entry: str) -> Entry:
        """Give an entry.

        Raises: UnreadableJournal.
        """
        if not ID.fullmatch(entry):
            raise NoSuchChange(shown(entry))
        path = f"{self.folder}/{entry}.json"
        try:
            text, owner = read_with_owner(path, _ENTRY_LIMIT)
            found = parse_entry(json.loads(text), entry)
        except FileNotFoundError:
            raise NoSuchChange(entry) from None
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableJournal(entry, error) from error
        if owner not in (os.geteuid(), 0):
            # Whoever may write in a shared environment must not reach the files of others by it.
            leads_out = next(filter(self._leads_out, found.touched), None)
            if leads_out is not None:
                raise UnreadableJournal(entry, f"another user wrote it, and `{leads_out}` in it")
        return found

    def _leads_out(self, path: str) -> bool:
        """Say whether a path lies outside the environment, by itself or by a linked folder."""
        real = os.path.realpath(os.path.dirname(self.absolute(path)))
        return path.startswith("/") or not f"{real}/".startswith(f"{self.prefix}/")

    def entries(self) -> Iterator[Entry]:
        """Give the entries that can be read, the oldest first."""
        yield from self.entries_and_troubles()[0]

    def entries_and_troubles(self) -> tuple[list[Entry], list[UnreadableJournal]]:
        """Give the entries that can be read, the oldest first, and why each other cannot."""
        found, troubles = [], []
        for entry in self.ids():
            try:
                found.append(self.read(entry))
            except UnreadableJournal as error:
                troubles.append(error)
        return found, troubles

    def path_of(self, entry: str) -> str:
        """Give the file of an entry, or of the mark."""
        return f"{self.folder}/{entry}" + (".json" if ID.fullmatch(entry) else "")

    def written_ns(self, entry: str) -> int:
        """When an entry was written, as the file system counts; 0 where it is not there."""
        try:
            return os.stat(f"{self.folder}/{entry}.json").st_mtime_ns
        except OSError:
            return 0

    def unreadable(self, known: Iterable[Entry]) -> list[str]:
        """Give the ids of entries that are there and not among those that can be read."""
        read = {entry.id for entry in known}
        return [entry for entry in self.ids() if entry not in read]

    def unfinished(self) -> str:
        """Give the id of the change that was begun and not finished; empty where there is none.

        Raises: UnreadableJournal.
        """
        try:
            found = read_text(f"{self.folder}/unfinished", _MARK_LIMIT).strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, ValueError) as error:
            raise UnreadableJournal("unfinished", error) from error
        return found if ID.fullmatch(found) else ""

    @property
    def began_ns(self) -> int:
        """When the change began that is marked as unfinished, as the file system counts."""
        try:
            return os.stat(f"{self.folder}/unfinished").st_mtime_ns
        except OSError:
            return 0

    @property
    def is_lasting(self) -> bool:
        """The journal is the environment's own, and not made for one command."""
        return self.folder == f"{self.prefix}/conda-meta/safepip"

    # Writing.

    def is_writable(self) -> bool:
        """Say whether entries can be written."""
        folder = self.folder if os.path.isdir(self.folder) else os.path.dirname(self.folder)
        return os.access(folder, os.W_OK | os.X_OK)

    def new_id(self) -> str:
        """Give an id that no entry has: the day in UTC, and a number.

        Ids are in the order of the changes, also where the clock was set back meanwhile.
        """
        known = self._known_ids()
        day = time.strftime("%Y-%m-%d", time.gmtime())
        day = max([day, *(entry.rpartition("-")[0] for entry in known)])
        numbers = [int(entry.rpartition("-")[2]) for entry in known if day in entry]
        numbers = [number for number in numbers if number < _MOST_A_DAY]
        return f"{day}-{max(numbers, default=0) + 1}"

    def _known_ids(self) -> list[str]:
        """Give the ids of entries, and of what was kept for an entry that was never written."""
        kept: list[str] = []
        with contextlib.suppress(OSError):
            kept = [name for name in os.listdir(f"{self.folder}/kept") if ID.fullmatch(name)]
        return [*self.ids(), *kept]

    def write(self, entry: Entry) -> None:
        """Write an entry.

        Raises: OSError.
        """
        self._replace(f"{entry.id}.json", json.dumps(as_json(entry), separators=(",", ":")))

    def mark(self, entry: str) -> None:
        """Say that a change is being made; its entry and this are on the disk when it is over.

        Raises: OSError.
        """
        self._replace("unfinished", f"{entry}\n")
        sync_folder(self.folder)

    def unmark(self) -> None:
        """Say that no change is being made. Should that be lost, the entry tells it as well."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(f"{self.folder}/unfinished")

    def _replace(self, name: str, text: str) -> None:
        make_shared(self.folder, self.prefix)
        beside = f"{self.folder}/.{name}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        with open(beside, "x", encoding="utf-8") as file:  # never through a link
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, f"{self.folder}/{name}")

    def forget(self, entry: str) -> None:
        """Delete an entry and all that it keeps."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(f"{self.folder}/{entry}.json")
        self.drop_kept(entry)

    def drop_kept(self, entry: str) -> None:
        """Delete what an entry keeps."""
        shutil.rmtree(self.kept(entry), ignore_errors=True)

    def sweep(self) -> None:
        """Delete what crashes left: files kept for no entry, and half-written files."""
        known = set(self.ids())
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{self.folder}/kept"):
                if name not in known:
                    self.drop_kept(name)
        with contextlib.suppress(OSError):
            for name in os.listdir(self.folder):
                if name.startswith(".") and name.endswith(".new"):
                    os.unlink(f"{self.folder}/{name}")
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{self.prefix}/conda-meta"):
                if name.startswith(KEPT_MEANWHILE):
                    shutil.rmtree(f"{self.prefix}/conda-meta/{name}", ignore_errors=True)

    def is_bulky(self, entry: str) -> bool:
        """Say whether an entry takes more space than a line of history should."""
        return os.path.isdir(self.kept(entry)) or self._size(entry) > _SMALL

    def _size(self, entry: str) -> int:
        try:
            return os.stat(f"{self.folder}/{entry}.json").st_size
        except OSError:
            return 0

    def size_bytes(self, entry: str) -> int:
        """Give what an entry takes with its kept files, as far as no other name leads to them."""
        total = self._size(entry)
        with contextlib.suppress(OSError), os.scandir(self.kept(entry)) as files:
            for file in files:
                found = file.stat(follow_symlinks=False)
                total += found.st_size if found.st_nlink == 1 else 0
        return total


def timestamp() -> str:
    """Give the time in UTC, as ISO 8601 has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def is_later(one: str, other: str) -> bool:
    """Say whether one id is of a later change than another."""
    return _order(one) > _order(other)


def _order(entry: str) -> tuple[str, int]:
    day, _, number = entry.rpartition("-")
    return day, int(number)
