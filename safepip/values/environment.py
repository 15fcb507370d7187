"""An environment as both books describe it: conda's records and Python's distributions. Pure."""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from safepip.values.late import dataclass
from safepip.values.owned_files import among, folder_of, folders_of
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Family = Literal["conda", "mamba", "micromamba"]
FAMILY: tuple[Family, ...] = ("conda", "mamba", "micromamba")
"""The tools that do the same with the same words."""
Manager = Literal["conda", "mamba", "micromamba", "pixi", "rattler"]
"""Whose words a fix is given in."""


_SPEC_NAME = re.compile(r"(?:[^\s\[]*::)?\s*([A-Za-z0-9_][A-Za-z0-9_.-]*)")


def spec_name(spec: str) -> str:
    """Give the package that a match specification of conda's is about, in small letters.

    `numpy >=1.26`, `numpy=1.26`, `conda-forge::numpy[version='>=1.26']`; empty where it names none.

    Source: https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html
    """
    found = _SPEC_NAME.match(spec)
    return found[1].lower() if found is not None else ""


@dataclass(frozen=True)
class Record:
    """One `conda-meta/NAME-VERSION-BUILD.json`."""

    name: str
    version: str
    build: str
    channel: str = ""
    depends: tuple[str, ...] = ()
    """Match specifications, as written."""
    files: Sequence[str] = ()
    """Paths below the prefix, with forward slashes, as they lie on disk."""
    file: str = ""
    """The record's own file name."""
    site_packages: str = ""
    """Where noarch packages have their modules, below the prefix; only python's record may say."""
    constrains: tuple[str, ...] = ()
    """Match specifications, as written, of what need not be there."""

    @property
    def dist(self) -> str:
        """NAME-VERSION-BUILD, the name under which conda counts a package."""
        return f"{self.name}-{self.version}-{self.build}"


class RecordStamp(NamedTuple):
    """What tells whether the file of a record was written, replaced or deleted meanwhile."""

    name: str
    size_bytes: int
    device: int
    inode: int
    mtime_ns: int
    """Of the last change, as whoever wrote it lets it look."""
    ctime_ns: int
    """Of the last change, as the system counts it."""


@dataclass(frozen=True)
class Distribution:
    """One `*.dist-info` or `*.egg-info` on the environment's `sys.path`."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    metadata_path: str
    """Absolute: the `*.dist-info` folder, or the `*.egg-info` folder or file."""
    raw_name: str = ""
    requires: tuple[str, ...] = ()
    """`Requires-Dist`, as written; lines that are no requirement are kept."""
    record: Record | None = None
    """The conda record that names this metadata among its files."""
    user_site: bool = False
    outside: bool = False
    """Not below the prefix: found by the user site, `PYTHONPATH` or a path file."""
    has_record: bool = True
    """A `RECORD` lies in it, so that pip can uninstall it."""
    broken: str = ""
    """What is wrong with the metadata itself; empty when it is sound."""

    @property
    def location(self) -> str:
        """The folder on `sys.path` in which the metadata lies."""
        return self.metadata_path.rpartition("/")[0]


@dataclass(frozen=True)
class Interpreter:
    """What the environment's Python says of itself."""

    executable: str
    version: str
    """Full, as in `3.11.7`."""
    prefix: str
    base_prefix: str
    sys_path: tuple[str, ...]
    purelib: str
    platlib: str
    scripts: str
    stdlib: str
    user_site: str
    user_site_enabled: bool
    markers: Mapping[str, str] = field(default_factory=dict)
    """The environment in which PEP 508 markers are evaluated."""
    stdlib_names: tuple[str, ...] = ()
    """Modules of the standard library; empty where Python is older than 3.10."""

    @property
    def cache_tag(self) -> str:
        """What the names of bytecode files have before `.pyc` (PEP 3147)."""
        implementation = self.markers.get("implementation_name", "cpython")
        return f"{implementation}-{self.minor.replace('.', '')}"

    @property
    def minor(self) -> str:
        """The `X.Y` of the version."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True)
class Environment:
    """A conda environment, read whole."""

    prefix: str
    """Absolute and resolved; no trailing slash."""
    interpreter: Interpreter
    records: tuple[Record, ...]
    distributions: tuple[Distribution, ...]
    """As `sys.path` finds them; of several with one name, the first is the one imported."""
    name: str = ""
    manager: Manager = "conda"
    is_base: bool = False
    is_pixi: bool = False
    pins: tuple[str, ...] = ()
    """The specifications in `conda-meta/pinned`."""
    frozen: str | None = None
    """The message of `conda-meta/frozen`; None where there is no such file."""
    externally_managed: str | None = None
    """The message of a foreign `EXTERNALLY-MANAGED`; None where there is none."""
    writable: bool = True
    copies: tuple[Distribution, ...] = ()
    """Copies outside the environment that hide conda's, and that pip is not shown."""
    records_state: tuple[RecordStamp, ...] = field(default=(), compare=False)
    """Of the records, and of what is pinned: it changes with any of them."""
    wishes: Mapping[str, str] | None = None
    """What conda's history knows to be asked for, by name; None where nobody keeps one (pixi)."""
    leftovers: tuple[str, ...] = ()
    """Traces of an interrupted pip: folders such as `~umpy`, metadata without METADATA."""

    @cached_property
    def unasked(self) -> frozenset[str]:
        """What nobody has asked for, as far as conda's history knows; in small letters.

        Neither its specifications nor what these depend on cover it: `conda remove` of anything
        takes it along. In an environment that keeps no history that is all of it.
        """
        if self.wishes is None:
            return frozenset()
        needs = {r.name.lower(): tuple(map(spec_name, r.depends)) for r in self.records}
        waiting, covered = [*self.wishes], set[str]()
        while waiting:
            name = waiting.pop()
            if name in needs and name not in covered:
                covered.add(name)
                waiting += needs[name]
        return frozenset(needs.keys() - covered)

    @cached_property
    def owned_folders(self) -> Mapping[str, Record]:
        """Every folder below the prefix that holds a conda-owned file, with one such owner."""
        folders: dict[str, Record] = {}
        for record in self.records:
            for folder in folders_of(record.files):
                above = folder
                while above and above not in folders:
                    folders[above] = record
                    above = folder_of(above)
        return folders

    @cached_property
    def installed(self) -> Mapping[str, Distribution]:
        """The distribution that is imported, for each name."""
        installed: dict[str, Distribution] = {}
        for distribution in self.distributions:
            installed.setdefault(distribution.name, distribution)
        return installed

    @cached_property
    def conda_owned(self) -> Mapping[str, Distribution]:
        """The distribution that conda owns, for each name that has one, hidden or not."""
        return {d.name: d for d in reversed(self.distributions) if d.record is not None}

    @cached_property
    def hiding(self) -> tuple[Distribution, ...]:
        """The copies from outside the environment that are imported in place of conda's."""
        found = (self.installed[name] for name in self.conda_owned)
        return tuple(d for d in found if d.record is None and (d.user_site or d.outside))

    def relative(self, path: str) -> str | None:
        """Give the path below the prefix, or None for a path that is not below it."""
        start = self.prefix + "/"
        return path[len(start) :] if path.startswith(start) else None

    def owners_of(self, paths: Collection[str]) -> dict[str, tuple[Record, ...]]:
        """Give the records that own each of these paths below the prefix; unowned ones are absent.

        A set intersection for each record. The index of all owners would cost more to build than
        a whole judgement, and a plan asks for few paths.
        """
        wanted = frozenset(paths)
        folders = frozenset(map(folder_of, wanted))
        owners: dict[str, tuple[Record, ...]] = {}
        for record in self.records if wanted else ():
            for path in among(record.files, wanted, folders):
                owners[path] = (*owners.get(path, ()), record)
        return owners

    def owners_in(self, paths: Collection[str]) -> dict[str, tuple[Record, ...]]:
        """Give the same, and the owners of all that lies in those of the paths that are folders."""
        owners = self.owners_of(paths)
        inside = tuple(f"{path}/" for path in paths if path in self.owned_folders)
        for record in self.records if inside else ():
            if any(f"{folder}/".startswith(inside) for folder in folders_of(record.files)):
                for path in record.files:
                    if path.startswith(inside) and path not in paths:
                        owners[path] = (*owners.get(path, ()), record)
        return owners

    def is_seen(self, dist: str) -> bool:
        """Say whether a conda package (NAME-VERSION-BUILD) has metadata that pip sees."""
        return any(d.record is not None and d.record.dist == dist for d in self.distributions)

    def dependents(self, conda_name: str) -> tuple[tuple[Record, str], ...]:
        """Give the records that depend on a conda package, each with its specification."""
        wanted = conda_name.lower()
        return tuple(
            (record, spec)
            for record in self.records
            for spec in record.depends
            if spec_name(spec) == wanted
        )

    def provides(self, record: Record) -> tuple[Distribution, ...]:
        """Give the distributions whose metadata the record owns."""
        return tuple(d for d in self.distributions if d.record is record)

    def record_named(self, name: str) -> Record | None:
        """Give the record of a conda package, by its name."""
        wanted = normalised(name)
        return next((r for r in self.records if normalised(r.name) == wanted), None)
