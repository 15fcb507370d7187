"""What an engine learnt from pip about one plan, before it is joined with the environment. Pure."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from safepip.values.plan import Source

Depth = Literal["outline", "lists", "files"]
"""What of a plan is there: as far as metadata tells; that, and the lists of the wheels' files; all
that is to be installed."""


@dataclass(frozen=True)
class Scheme:
    """Where the parts of a wheel go; absolute folders.

    Source: https://docs.python.org/3/library/sysconfig.html#installation-paths
    """

    purelib: str
    platlib: str
    headers: str
    scripts: str
    data: str


@dataclass(frozen=True)
class Removal:
    """A distribution that pip finds, and what uninstalling it would delete."""

    name: str
    version: str
    metadata_path: str
    removes: tuple[str, ...] = ()
    cannot_remove: str = ""


@dataclass(frozen=True)
class Entry:
    """One distribution that pip would install."""

    name: str
    version: str
    url: str
    sha256: str
    source: Source
    is_direct: bool
    requested: bool
    extras: tuple[str, ...]
    """Those that are asked for."""
    provides: tuple[str, ...]
    """Those that it has: `Provides-Extra`, as written."""
    requires: tuple[str, ...]
    wheel: str
    """Path of the wheel; empty for what is installed without one."""
    scheme: Scheme
    before: Removal | None
    egg_info: str = ""
    """The metadata of a project that `setup.py develop` installs, in its own folder."""
    by_uv: bool = False
    """uv installs it, which notes more beside it than pip does."""


@dataclass(frozen=True)
class Account:
    """A plan of pip."""

    entries: tuple[Entry, ...] = ()
    removals: tuple[Removal, ...] = ()
    """For `uninstall`."""
    not_installed: tuple[str, ...] = ()
    """Names given to `uninstall` that pip does not find."""
    compiles: bool = True
    """pip will write bytecode."""
    user_site: bool = False
    elsewhere: str = ""
    """The `--prefix` or `--root` that receives the files."""
    depth: Depth = "files"
    """With lists alone, wheels are there in part: nothing but these can be read from them."""


@dataclass(frozen=True)
class Failed:
    """pip ended without a plan."""

    exit_code: int
    reason: str = ""
    """pip's own, where it was kept from the user (the second plan)."""
    said: str = ""


@dataclass(frozen=True)
class WheelContents:
    """What the archive itself says, which is what pip goes by.

    Of a project that `setup.py develop` installs: the scripts that it may write.
    """

    members: tuple[str, ...]
    """Names in the zip file, without folders."""
    is_pure: bool
    """`Root-Is-Purelib`: decides which of the two library folders is meant."""
    console_scripts: tuple[str, ...] = ()
    gui_scripts: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    """What RECORD names and the archive does not have, as written."""

    @cached_property
    def dist_info(self) -> str:
        """The name of the metadata folder."""
        for member in self.members:
            top = member.split("/", 1)[0]
            if top.endswith(".dist-info"):
                return top
        return ""
