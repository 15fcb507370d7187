"""What `doctor` finds in an environment that is there, besides what a plan may bring. Pure.

The fields are the facts, as in `values.findings`; a path is one below the prefix.
"""

from __future__ import annotations

from typing import Literal

from safepip.values.findings import Finding, Severity
from safepip.values.late import dataclass

Evidence = Literal["history", "depends", "cache"]
"""What tells of a package without a record: conda's own history, what depends on it, and the cache
of unpacked packages."""

Where = Literal["working folder", "PYTHONPATH", "path file", "user site"]
"""Why a folder comes before the environment's own on `sys.path`."""


@dataclass(frozen=True)
class Source:
    """Where a distribution came from, as far as it is proven."""

    installer: str = ""
    """The word in its INSTALLER, as `pip` or `uv`; empty where it says nothing."""
    requested: bool = False
    """Somebody asked for it by name (REQUESTED)."""
    written: str = ""
    """The day on which its RECORD was written, in UTC, as ISO 8601 has it."""
    change: str = ""
    """The change of safepip's that brought it."""


@dataclass(frozen=True, kw_only=True)
class Replaced(Finding):
    """A distribution of conda was replaced by one that conda knows nothing of."""

    kind = "replaced"
    severity: Severity = "damage"
    conda_package: str
    """NAME-VERSION-BUILD of the record."""
    version: str
    """Conda's."""
    there: str
    """What is there instead."""
    source: Source
    altered: tuple[str, ...]
    missing: tuple[str, ...]
    files: int
    """How many the record has, without bytecode."""
    foreign: int
    """Files of the other distribution that conda does not own."""
    allowed: bool = False
    """The user gave it away, by `--allow`."""


@dataclass(frozen=True, kw_only=True)
class TwoCopies(Finding):
    """Two distributions of one name lie in one folder; which one counts is left to chance."""

    kind = "two-copies"
    severity: Severity = "damage"
    location: str
    """Absolute."""
    versions: tuple[str, ...]
    """The one that pip finds first comes first."""
    conda_package: str = ""
    """The package that has one of them; empty where none is conda's."""
    source: Source
    """Of the one that is not conda's."""
    altered: tuple[str, ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]
    """Files that only the one has which is not conda's."""


@dataclass(frozen=True, kw_only=True)
class Overwritten(Finding):
    """Files of a conda package were written over by a distribution with another name."""

    kind = "overwritten"
    severity: Severity = "damage"
    version: str
    """Of ``distribution``, which claims the files in its RECORD."""
    conda_package: str
    source: Source
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SharedFiles(Finding):
    """Files of a conda package are whole, and another distribution claims them, too."""

    kind = "shared-files"
    severity: Severity = "note"
    version: str
    conda_package: str
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Altered(Finding):
    """Files of a conda package have other bytes, and nobody claims them."""

    kind = "altered"
    severity: Severity = "damage"
    conda_package: str
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Missing(Finding):
    """Files of a conda package are gone; nothing tells who took them."""

    kind = "missing"
    severity: Severity = "damage"
    conda_package: str
    paths: tuple[str, ...]
    files: int
    """How many the record has, without bytecode."""
    uninstalled: bool = False
    """The metadata of its distribution is among them, so that Python sees none."""


@dataclass(frozen=True, kw_only=True)
class LostRecord(Finding):
    """A conda package has no record any more."""

    kind = "lost-record"
    severity: Severity = "damage"
    conda_package: str
    """NAME-VERSION-BUILD, or only the name where nothing tells more."""
    evidence: tuple[Evidence, ...]
    needed_by: tuple[str, ...] = ()
    """Conda packages that depend on it, each with its specification."""
    there: str = ""
    """The version of the distribution of that name that is there; empty for none."""
    source: Source
    candidates: tuple[str, ...] = ()
    """The packages that it may have been, where that is not certain: NAME-VERSION-BUILD, or the
    folders in which several of one such name lie."""


@dataclass(frozen=True, kw_only=True)
class UnreadableBook(Finding):
    """A record that cannot be read: what it owns is unknown, and was not looked at."""

    kind = "unreadable-record"
    severity: Severity = "damage"
    record: str
    """The name of the file in `conda-meta`."""
    reason: str
    conda_package: str = ""
    """NAME-VERSION-BUILD, by the name of the file; empty where that tells none."""
    candidates: tuple[str, ...] = ()
    """As of a lost record."""


@dataclass(frozen=True, kw_only=True)
class UnreadableChange(Finding):
    """An entry of safepip's journal that cannot be read, so that the change cannot be undone."""

    kind = "unreadable-change"
    severity: Severity = "damage"
    change: str
    path: str
    """Absolute: of the entry."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Leftover(Finding):
    """A trace of an install or uninstall that did not end, or metadata that was damaged since."""

    kind = "leftover"
    severity: Severity = "damage"
    path: str
    """Absolute."""
    reason: str
    version: str = ""
    """Of ``distribution``, where the path is the metadata of one."""


@dataclass(frozen=True, kw_only=True)
class Lacks(Finding):
    """A distribution does not have what it requires, by Python's book."""

    kind = "unmet"
    severity: Severity = "damage"
    version: str
    requirement: str
    found: str | None
    """The version that is there; None for nothing."""
    provided_by: str = ""
    """A conda package that has the module all the same."""


@dataclass(frozen=True, kw_only=True)
class DependsUnmet(Finding):
    """A conda package does not have what it depends on, counting what is really installed."""

    kind = "depends"
    severity: Severity = "damage"
    conda_package: str
    depends: str
    """The specification."""
    found: str | None
    """NAME VERSION of what is there, with its build where that is the reason; None for nothing."""
    owner: Literal["conda", "pip", "none"]
    is_limit: bool = False
    """It need not be there, but if it is, it has to be so (`constrains`)."""


@dataclass(frozen=True, kw_only=True)
class PinBroken(Finding):
    """What is installed is not what `conda-meta/pinned` asks for."""

    kind = "pinned"
    severity: Severity = "damage"
    pin: str
    found: str
    """The version that is there."""


@dataclass(frozen=True, kw_only=True)
class WrongInterpreter(Finding):
    """Commands of the environment start a Python that is not the environment's."""

    kind = "wrong-python"
    severity: Severity = "damage"
    starts: str
    """The interpreter that is started, absolute."""
    exists: bool
    paths: tuple[str, ...]
    conda_package: str = ""
    """What brought them, if conda did; ``distribution`` if pip did; neither where nobody did."""


@dataclass(frozen=True, kw_only=True)
class WrongKernel(Finding):
    """A notebook kernel of the environment starts a Python that is not the environment's."""

    kind = "wrong-kernel"
    severity: Severity = "damage"
    path: str
    starts: str


@dataclass(frozen=True, kw_only=True)
class StaleConstraints(Finding):
    """A file of constraints that safepip wrote does not say what conda has here by now."""

    kind = "stale-constraints"
    severity: Severity = "note"
    path: str
    """Absolute."""
    names: tuple[str, ...]
    """Of the distributions that it is wrong about."""


@dataclass(frozen=True, kw_only=True)
class OtherOnPath(Finding):
    """The environment is active, and a command on `PATH` is another environment's."""

    kind = "wrong-path"
    severity: Severity = "note"
    command: str
    path: str
    """Absolute: what is found first."""


@dataclass(frozen=True, kw_only=True)
class HiddenModule(Finding):
    """A module or folder of modules lies before the environment's own on `sys.path`."""

    kind = "hidden-module"
    severity: Severity = "note"
    module: str
    path: str
    """Absolute: what is imported."""
    where: Where
    conda_package: str = ""
    """What is hidden; empty for a module of the standard library."""


@dataclass(frozen=True, kw_only=True)
class NoPython(Finding):
    """The environment's Python does not start, so that only conda's book was looked at."""

    kind = "no-python"
    severity: Severity = "damage"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Unfinished(Finding):
    """A change of safepip's was cut off, and could not be taken back."""

    kind = "unfinished"
    severity: Severity = "damage"
    change: str


@dataclass(frozen=True, kw_only=True)
class Unchecked(Finding):
    """Files that could not be read, so that nothing is known of them."""

    kind = "unchecked"
    severity: Severity = "note"
    paths: tuple[str, ...]
