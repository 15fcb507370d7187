"""What there is to mend with, and what keeps something from being mended. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.repair import Obstacle, Reason, Supply


@dataclass(frozen=True)
class Means:
    """What there is to mend with, and what is in the way."""

    supplies: Mapping[str, Supply | Reason] = field(default_factory=dict)
    """Where the files of each package are to be had, or why they are not; by
    NAME-VERSION-BUILD."""
    removals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What uninstalling a distribution deletes, as absolute paths of files, by its metadata
    folder."""
    unlisted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What lies in the folders of a distribution that has no list of its files, below the prefix,
    by its metadata folder."""
    obstacles: Mapping[str, Obstacle] = field(default_factory=dict)
    """By path below the prefix."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Below the prefix: all that a package has whose record is written anew, where it lies
    unpacked."""
    over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of ``files`` that are there with other bytes."""
    failed: Mapping[str, Reason] = field(default_factory=dict)
    """What was tried and did not work, and why: a package, the metadata folder of a distribution,
    or the path of a trace."""


@dataclass(frozen=True)
class Left:
    """Why something is left as it is."""

    reason: Reason
    obstacle: str = ""
