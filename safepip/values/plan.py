"""What pip intends: every change, its artifact, and the files it would write and remove. Pure."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Distribution

Action = Literal["add", "upgrade", "downgrade", "same", "remove"]
"""`same` is a reinstall of the version that is there."""

Source = Literal["wheel", "sdist", "vcs", "directory", "editable"]
"""What the artifact was before it became a wheel."""

Owner = Literal["conda", "pip", "none"]
"""Of what is there before a change."""

FileKind = Literal["module", "metadata", "script", "data", "header", "bytecode"]


@dataclass(frozen=True)
class Artifact:
    """What a distribution is installed from."""

    url: str
    """Without secrets."""
    sha256: str = ""
    """Of the archive that was fetched; empty where there is none (a folder, a checkout)."""
    source: Source = "wheel"
    wheel: str = ""
    """The wheel on disk, fetched or built; empty where none is made (legacy editable)."""
    is_direct: bool = False
    """Given as a URL or path (PEP 610), not found on an index."""
    in_part: bool = False
    """Of the wheel, only what tells which files are in it need be on disk."""


@dataclass(frozen=True)
class PlannedFile:
    """A file that an install writes."""

    path: str
    """Absolute."""
    kind: FileKind
    member: str = ""
    """Its name in the wheel; empty for what pip makes itself."""


@dataclass(frozen=True)
class Landing:
    """What lies already where a planned file would land."""

    path: str
    """Absolute, as planned."""
    real: str
    """The same after following linked folders on the way; the last part is not followed."""
    same_bytes: bool = False
    """The file that is there has the bytes that would be written."""
    is_folder: bool = False
    """A folder, where a file would be written."""


@dataclass(frozen=True)
class Change:
    """One step of a plan."""

    name: str
    """Normalised."""
    action: Action
    before: Distribution | None = None
    """What pip would take away: the distribution that it finds by this name."""
    after: str | None = None
    """The version that would be there; None when the change is a removal."""
    artifact: Artifact | None = None
    requested: bool = False
    needed_by: tuple[str, ...] = ()
    """Names of the distributions in the plan that require this one."""
    extras: tuple[str, ...] = ()
    missing_extras: tuple[str, ...] = ()
    """Of ``extras`` those that this version does not have: pip goes on without them."""
    requires: tuple[str, ...] = ()
    """`Requires-Dist` of what would be installed, as written."""
    files: tuple[PlannedFile, ...] = ()
    removes: tuple[str, ...] = ()
    """Absolute paths that uninstalling ``before`` takes away; folders stand for all they hold."""
    cannot_remove: str = ""
    """Why pip cannot uninstall ``before``; empty when it can."""


@dataclass(frozen=True)
class Plan:
    """All changes of one command."""

    changes: tuple[Change, ...]
    requested: tuple[str, ...] = ()
    """The requirements as pip understood them, without secrets."""
    ignores_dependencies: bool = False
    """The user asked for it: `--no-deps`."""
    user_site: bool = False
    """Files go to the user site, asked for or because pip cannot write the environment."""
    elsewhere: str = ""
    """The `--prefix` or `--root` that receives the files, when it is not the environment."""

    @cached_property
    def by_name(self) -> Mapping[str, Change]:
        """The change of each distribution."""
        return {change.name: change for change in self.changes}
