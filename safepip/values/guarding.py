"""What `safepip guard` writes into an environment, and what it says of that. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from safepip.values.late import dataclass

Level = Literal["shims", "deep", "seal"]
LEVELS: tuple[Level, ...] = ("shims", "deep", "seal")

ROOT = "libexec/safepip"
SHIMS = f"{ROOT}/shims"
"""Where the shims lie, for whoever puts them on `PATH` for good, as in an image."""
ACTIVE = f"{ROOT}/active"
"""The same folder by the name that activation uses, so that it takes away no other entry."""
HOOK = f"{ROOT}/hook.py"
NOTEBOOK = f"{ROOT}/notebook.py"
STARTUP = "etc/ipython/startup/10-safepip.py"
"""Run by every IPython of the environment, in notebooks and terminals alike."""
MANIFEST = "etc/safepip/guard.json"

# Scripts of the same suffix run in the order of their names when an environment is activated, and
# in the reverse order when it is deactivated: ours come last both times.
ACTIVATE = "etc/conda/activate.d/zz-safepip"
DEACTIVATE = "etc/conda/deactivate.d/00-safepip"
"""Without the suffix, which each shell has its own of."""
SUFFIXES = (".sh", ".fish", ".ps1")
PATH_FILE = "safepip_guard.pth"
"""In the folder of the modules; Python runs it at each start."""

OWN = ("etc/safepip/", f"{ROOT}/", ACTIVATE, DEACTIVATE, STARTUP)
"""How the paths below a prefix begin at which nobody but safepip and the user writes."""


@dataclass(frozen=True)
class Piece:
    """A file that the guard has in an environment, or a link."""

    path: str
    """Below the prefix."""
    data: bytes = b""
    link: str = ""
    """What the link leads to; empty for a file."""
    executable: bool = False


@dataclass(frozen=True)
class Known:
    """A file of the guard, by what the manifest keeps of it."""

    path: str
    print: str
    """SHA-256 of a file in hexadecimal; of a link `->` and what it leads to."""


@dataclass(frozen=True)
class Manifest:
    """What the guard has written into an environment; empty where there is none."""

    levels: tuple[Level, ...] = ()
    files: tuple[Known, ...] = ()
    """A path that is being written anew is there twice: as it was, and as it is to be."""
    folders: tuple[str, ...] = ()
    """Those that were made for the files, each after the one that holds it."""


@dataclass(frozen=True)
class Steps:
    """What is to be done so that an environment holds what it should."""

    write: tuple[Piece, ...] = ()
    remove: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Files that others changed, or put there, and that stay as they are."""
    files: tuple[Known, ...] = ()
    """What the manifest names afterwards."""
    levels: tuple[Level, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.write or self.remove)


class Tried(NamedTuple):
    """One way to pip, and what was seen when it was tried."""

    path: str
    """A word for programs: `script`, `module`."""
    says: str
    """The same for people."""
    guarded: bool | None
    """None where it could not be tried."""
    why: str = ""
    """What else was seen, or why it could not be tried."""
    fix: str = ""
    """The command that closes the gap; empty where there is none to close, or none that does."""
