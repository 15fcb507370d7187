"""What `doctor --fix` does: steps, each with all that it touches. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Distribution
    from safepip.values.findings import Breaks, Finding


Why = Literal[
    "follows",
    "said",
    "own-package",
    "only-copy",
    "book-unreadable",
    "several",
    "unknown-build",
    "unknown-version",
    "gone-source",
    "one-of-two",
    "was-met",
    "found-again",
    "not-here",
    "no-source",
    "no-tool",
    "no-row",
    "no-package",
    "is-link",
    "other-bytes",
    "gives-other-bytes",
    "command-differs",
    "unlisted",
    "leads-out",
    "no-folder",
    "not-writable",
    "full-folder",
    "special-file",
    "put-back-wrong",
    "offline",
    "no-answer",
    "not-offered",
]
"""Why something is not mended; what each means, `decisions.wording.reasons` says."""


@dataclass(frozen=True)
class Reason:
    """Why something is not mended."""

    why: Why
    what: tuple[str, ...] = ()
    """The names and paths that it is about; of `said` the words of a tool or of the system."""


@dataclass(frozen=True)
class Supply:
    """Where the files of a conda package are to be had."""

    kind: Literal["folder", "archive", "download", "channel"]
    place: str
    """Of an unpacked package, of an archive, the URL of one, or of a channel that may have it."""
    sha256: str = ""
    """Of the archive that is fetched."""
    md5: str = ""
    """The same, where it is known besides."""
    size_bytes: int = 0
    """Of what is fetched; 0 where that is not known."""
    lacks: Mapping[str, Reason] = field(default_factory=dict)
    """The paths below the prefix that it cannot give as they should be, and why."""


@dataclass(frozen=True)
class Obstacle:
    """What lies in the way of a file that is put back, and is not safepip's to remove."""

    path: str
    """Absolute: of what is in the way."""
    why: Why


@dataclass(frozen=True)
class TakeOut:
    """Remove what a distribution has that is not conda's."""

    distribution: Distribution
    paths: tuple[str, ...]
    """Absolute: what uninstalling it deletes, but for what conda or another distribution has."""


@dataclass(frozen=True)
class Disown:
    """Take files of conda's out of the RECORD of a distribution, which keeps the rest."""

    distribution: Distribution
    paths: tuple[str, ...]
    """Absolute."""


@dataclass(frozen=True)
class PutBack:
    """Have files of a conda package as they were linked."""

    conda_package: str
    paths: tuple[str, ...]
    """Below the prefix; all that the package has where its record is lost."""
    supply: Supply
    record: str = ""
    """The file name of the record that is written; empty where there is one."""
    over: tuple[str, ...] = ()
    """What is there with other bytes and is not named by another step; below the prefix. Of a
    package without a record all of that, else what nobody claims: it may be somebody's own edit."""


@dataclass(frozen=True)
class Discard:
    """Remove a trace of what did not end."""

    path: str
    """Absolute; a folder goes with all that is in it."""


@dataclass(frozen=True)
class Redirect:
    """Have commands start the environment's own Python, in place of that of its original."""

    paths: tuple[str, ...]
    """Below the prefix."""
    starts: str
    """The Python that they start, absolute; its name is that of the environment's own."""
    conda_package: str = ""
    """NAME-VERSION-BUILD of what brought them, if conda did."""
    distribution: Distribution | None = None
    """What brought them else."""
    links: tuple[str, ...] = ()
    """Links to these, or to others, that start it for this reason alone."""

    @property
    def name(self) -> str:
        """Of the distribution; empty for a package of conda's."""
        return self.distribution.name if self.distribution is not None else ""


Step: TypeAlias = TakeOut | Disown | PutBack | Discard | Redirect


@dataclass(frozen=True)
class Unfixed:
    """A finding that is left as it is, and why."""

    finding: Finding
    reason: Reason
    follows: bool = False
    """It may be well again when the rest is."""
    obstacle: str = ""
    """What has to be moved out of the way first; an absolute path."""


@dataclass(frozen=True)
class Repair:
    """All that is to be done, in the order that works, and what is not."""

    steps: tuple[Step, ...]
    unfixed: tuple[Unfixed, ...] = ()
    breaks: tuple[Breaks, ...] = ()
    """What is met now, and would not be any more."""

    @property
    def downloads_bytes(self) -> int:
        """How much is fetched, as far as that is known."""
        supplies = [s.supply for s in self.steps if isinstance(s, PutBack)]
        return sum(s.size_bytes for s in supplies if s.kind == "download")
