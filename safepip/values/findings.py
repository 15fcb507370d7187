"""Facts about a plan or an environment that a person should know. Pure.

One class for each kind; the fields are the facts, and words are made in `decisions.wording`.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from safepip.values.late import dataclass

Severity = Literal["refuse", "note", "damage"]
"""`damage` is what `doctor` finds wrong with what is there."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fact. It refuses the plan, is damage that is there, or a note beside either."""

    kind: ClassVar[str]
    severity: Severity = "refuse"
    distribution: str = ""
    """Normalised; empty when the finding is about the environment."""


@dataclass(frozen=True, kw_only=True)
class CondaOwned(Finding):
    """The plan changes a distribution that conda owns."""

    kind = "conda-owned"
    action: str
    installed: str
    planned: str | None
    """None: it would be removed."""
    conda_package: str
    """NAME-VERSION-BUILD of the record."""
    dependents: tuple[str, ...] = ()
    """Conda packages that need it, each with its bounds: `scipy 1.11.4 (numpy >=1.26,<2)`."""
    requested: bool = False


@dataclass(frozen=True, kw_only=True)
class SameFiles(Finding):
    """Planned files land on paths that conda owns."""

    kind = "same-files"
    conda_package: str
    paths: tuple[str, ...]
    """Below the prefix, sorted."""
    reason: Literal["files", "scripts", "removal", "link", "stray", "namespace", "given"] = "files"
    """`stray`: top-level files such as `tests/` that no one imports; conda's copy stays in place.
    `namespace`: the `__init__.py` of a namespace that both share, likewise.
    `removal`: uninstalling the old version would delete them. `link`: written through a linked
    folder. `given`: the user lets pip have them."""


@dataclass(frozen=True, kw_only=True)
class Breaks(Finding):
    """An installed distribution loses a requirement that was met."""

    kind = "breaks"
    requirement: str
    """What ``distribution`` requires."""
    changed: str
    before: str
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Unmet(Finding):
    """A planned distribution would not have what it requires."""

    kind = "unmet"
    requirement: str
    found: str | None
    """The version that would be there; None for nothing."""
    provided_by: str = ""
    """A conda package that has the module all the same, so that the code works."""


@dataclass(frozen=True, kw_only=True)
class SecondCopy(Finding):
    """The plan brings a module that a conda package provides where pip cannot see it."""

    kind = "second-copy"
    conda_package: str
    modules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Shadows(Finding):
    """A copy lies, or would lie, before another on `sys.path`."""

    kind = "shadows"
    path: str
    """Where the copy that wins lies."""
    version: str = ""
    conda_package: str = ""
    """What is hidden; empty when it is a module of the standard library or nothing yet."""
    reason: Literal["user-site", "path", "stdlib"] = "user-site"


@dataclass(frozen=True, kw_only=True)
class Pinned(Finding):
    """The change contradicts `conda-meta/pinned`."""

    kind = "pinned"
    pin: str
    planned: str | None


@dataclass(frozen=True, kw_only=True)
class Frozen(Finding):
    """The environment is not to be changed."""

    kind = "frozen"
    marker: Literal["frozen", "externally-managed", "read-only"]
    path: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Pixi(Finding):
    """pixi owns the prefix and takes back what others change in it."""

    kind = "pixi"
    severity: Severity = "note"


@dataclass(frozen=True, kw_only=True)
class Builds(Finding):
    """Code of the project ran while its wheel was built, before any verdict on it."""

    kind = "builds"
    severity: Severity = "note"
    source: str
    url: str


@dataclass(frozen=True, kw_only=True)
class NoMetadata(Finding):
    """A distribution that pip cannot uninstall stands in the way."""

    kind = "no-metadata"
    severity: Severity = "note"
    installed: str
    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RuntimeTwice(Finding):
    """The wheel bundles a native runtime that conda provides too."""

    kind = "runtime-twice"
    severity: Severity = "note"
    runtime: str
    bundled: str
    conda_package: str


@dataclass(frozen=True, kw_only=True)
class Base(Finding):
    """The environment is conda's own."""

    kind = "base"
    severity: Severity = "note"


@dataclass(frozen=True, kw_only=True)
class AlreadyDamaged(Finding):
    """What is there is damaged before anything is done."""

    kind = "already-damaged"
    severity: Severity = "note"
    what: tuple[str, ...] = field(default=())
    """One line for each damage, for people."""
