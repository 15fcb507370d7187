"""What an inspection of an environment saw, before anything is concluded from it. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.damage import Source, UnreadableBook, Where
    from safepip.values.environment import Distribution, Environment
    from safepip.values.journal import Entry, State
    from safepip.values.repair import Reason


@dataclass(frozen=True)
class Linked:
    """What a record says of a symbolic link."""

    source: str
    """Absolute: the link in the folder that it was made from, which may be gone; or empty."""
    hashes: tuple[str, ...] = ()
    """One writer has the SHA-256 of what is at its end, another that of where it leads."""
    is_of_prefix: bool = False
    """One of them is of this very link, and not of that in the package."""


@dataclass(frozen=True)
class Details:
    """What a record says besides what every command needs of it."""

    hashes: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file whose bytes conda vouches for, by path below the prefix."""
    links: Mapping[str, Linked] = field(default_factory=dict)
    """The symbolic links, by path below the prefix."""
    url: str = ""
    """Of the archive."""
    sha256: str = ""
    """Of the archive."""
    size_bytes: int = 0
    """Of the archive; 0 where that is not known."""
    unpacked: str = ""
    """The folder that the files were linked from; it may be gone."""


@dataclass(frozen=True)
class Checked:
    """The files that conda's records own, as they are on disk; paths are below the prefix."""

    files: int = 0
    """How many were looked at."""
    hashed: int = 0
    """Of how many of them the bytes were compared."""
    altered: Mapping[str, str] = field(default_factory=dict)
    """What has other bytes than its record says: the SHA-256 of what is there; empty for what is
    no file."""
    missing: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    """What is there and cannot be read."""
    unproven: frozenset[str] = frozenset()
    """What has no hash in a record: links, commands that conda made, all of the oldest records."""


@dataclass(frozen=True)
class Claim:
    """A distribution that no conda package brought, and the paths that it says are its own."""

    distribution: Distribution
    paths: frozenset[str]
    """Below the prefix; by its RECORD."""
    scripts: frozenset[str]
    """Commands of its entry points, which pip deletes with it, whatever RECORD says."""
    source: Source
    has_files: bool = False
    """Some file that it lists is there, besides its metadata."""
    record_state: State | None = None
    """Of its RECORD."""
    unlisted: str = ""
    """Why it is not known which files it has; empty where its RECORD tells."""


@dataclass(frozen=True)
class Cached:
    """An unpacked package in a cache of packages."""

    folder: str
    name: str
    version: str
    build: str
    url: str = ""
    sha256: str = ""

    @property
    def dist(self) -> str:
        """NAME-VERSION-BUILD."""
        return f"{self.name}-{self.version}-{self.build}"


@dataclass(frozen=True)
class Offered:
    """A package in a channel."""

    row: Mapping[str, Any]
    """What the channel's index says of it, with `url`, `fn` and `channel`."""

    @property
    def url(self) -> str:
        """Of the archive, perhaps with a secret in it."""
        return str(self.row["url"])

    @property
    def sha256(self) -> str:
        """Of the archive."""
        return str(self.row["sha256"])

    @property
    def md5(self) -> str:
        """Of the archive; empty where the index has none."""
        return str(self.row.get("md5") or "")

    @property
    def size_bytes(self) -> int:
        """Of the archive; 0 where that is not known."""
        size = self.row.get("size")
        return size if isinstance(size, int) else 0


@dataclass(frozen=True)
class Leading:
    """Something of the environment that leads to another Python."""

    path: str
    """Below the prefix; of a command on `PATH` its name."""
    starts: str
    """Absolute: what is started."""
    exists: bool
    is_link: bool = False
    """A link to what leads there."""


@dataclass(frozen=True)
class Before:
    """A folder outside the environment whose modules are imported before its own."""

    folder: str
    where: Where
    modules: tuple[str, ...]


@dataclass(frozen=True)
class StaleFile:
    """A file that safepip wrote, and that says something else than is there by now."""

    path: str
    """Absolute."""
    names: tuple[str, ...]
    """Of the distributions that it is wrong about."""


@dataclass(frozen=True)
class Surroundings:
    """What leads out of an environment, and what comes before it."""

    scripts: tuple[Leading, ...] = ()
    kernels: tuple[Leading, ...] = ()
    on_path: tuple[Leading, ...] = ()
    before: tuple[Before, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """All that `doctor` goes by."""

    environment: Environment
    details: Mapping[str, Details] = field(default_factory=dict)
    """By NAME-VERSION-BUILD."""
    checked: Checked = field(default_factory=Checked)
    claims: tuple[Claim, ...] = ()
    linked: tuple[str, ...] = ()
    """What conda's history says is installed: NAME-VERSION-BUILD."""
    channels: Mapping[str, str] = field(default_factory=dict)
    """Where each of these came from, by conda's history."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """What was asked for, by conda's history: the specification, by the package's name."""
    cached: tuple[Cached, ...] = ()
    """What the caches hold of packages that have no record."""
    unreadable: tuple[UnreadableBook, ...] = ()
    remains: Mapping[str, Details] = field(default_factory=dict)
    """What is still legible in these, by NAME-VERSION-BUILD."""
    offered: Mapping[str, Offered | Reason] | None = None
    """What channels have of packages that have no record and are nowhere here, or why that is not
    known; by NAME-VERSION-BUILD. None where nobody was asked yet."""
    entries: tuple[Entry, ...] = ()
    """The journal, the oldest change first."""
    caches: tuple[str, ...] = ()
    """The folders in which unpacked packages and archives lie."""
    tool: str = ""
    """What can fetch and unpack packages; empty where nothing can."""
    family: tuple[str, ...] = ()
    """The tools of the conda family that a shell here starts, by their names."""
    stale: tuple[StaleFile, ...] = ()
    """The files of constraints that follow the environment, and do not say what is there."""
    unreadable_changes: tuple[tuple[str, str, str], ...] = ()
    """Entries of the journal that cannot be read: the change, the path, and why."""
    unfinished: str = ""
    """The id of a change that was cut off; empty where there is none."""
    standing_again: frozenset[str] = frozenset()
    """What pip had moved aside, in place of which something of that name is by now."""
    surroundings: Surroundings = field(default_factory=Surroundings)
    no_python: str = ""
    """Why the environment's Python could not be asked; empty where it was."""
