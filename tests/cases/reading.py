"""The words of the case files. Pure but for reading them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Verdict = Literal["clear", "kept", "block", "error"]

Plainly = Literal["", "damages", "harmless", "fails", "elsewhere"]
"""What plain pip does: changes bytes of conda's; changes none; ends with another code than 0 and
changes none; acts on another environment than the active one. Empty: of no interest."""

EXIT_CODES: Mapping[Verdict, int] = {"clear": 0, "kept": 0, "block": 10, "error": 1}


@dataclass(frozen=True, kw_only=True)
class Package:
    """A distribution, or with ``tool`` a conda package that is none.

    A stand-in is made in memory: it has the name, the version, the requirements and the paths that
    matter, and nothing else of the real thing.
    """

    name: str
    version: str
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Paths in site-packages; of a tool, in the prefix. By default a package of its own name."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Of a tool: files of which the text matters."""
    data: tuple[str, ...] = ()
    """Paths that a wheel puts below the prefix."""
    scripts: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    real: bool = False
    """The wheel on PyPI, not a stand-in."""
    sdist: bool = False
    tool: bool = False
    conda: str = ""
    """conda's name, where it is another."""
    info: Any = "dist-info"
    channel: Any = "conda-forge"
    noarch: bool | None = None
    extra_files: tuple[str, ...] = ()
    """Paths in the prefix that only the conda package has."""
    depends: tuple[str, ...] | None = None
    """conda's; by default the requirements that the other packages of the case meet."""
    git: bool = False
    """Of a project: its folder is a repository."""
    build_needs: tuple[str, ...] = ()
    """Of a project: what its build requires."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of pip's, and how it ends: without safepip (``plain``) and with it."""

    run: str
    verdict: Verdict
    exit_code: int
    plain: Plainly = ""
    after: tuple[str, ...] = ()
    """Commands that the same program ran before, without harm."""
    neighbour: bool = False
    """Look whether plain pip reaches the package cache, and with it other environments."""
    code: str = ""
    """Of an error or a block, as `--json` has it."""
    refuses: frozenset[str] = frozenset()
    """The kinds of the findings that refuse, all of them."""
    notes: frozenset[str] = frozenset()
    """The kinds of the notes, all of them."""
    finds: tuple[Mapping[str, str], ...] = ()
    """Facts of findings, as patterns: for each mapping there is a finding that fits it."""
    installs: Mapping[str, str] = field(default_factory=dict)
    """What is there afterwards and was not before, by version or bounds; `absent` for removed."""
    brings_more: bool = False
    """New distributions that are not listed are fine, as PyPI's of tomorrow may be others."""
    held_back: frozenset[str] = frozenset()
    fixes: tuple[str, ...] = ()
    """Patterns of commands that are offered."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A report, the environment that it is about, and the commands."""

    name: str
    report: str
    """Where people told of it."""
    story: str
    commands: tuple[Command, ...]
    real: bool = False
    """Every wheel comes from PyPI: the course of things hangs on details of theirs."""
    pythons: str = ""
    """The Pythons for which PyPI has these wheels."""
    pip: str = "25.3"
    """The environment's; empty for an environment without pip."""
    conda: tuple[Package, ...] = ()
    index: tuple[Package, ...] = ()
    """What pip finds; of what conda has here, conda's channel has the same releases."""
    available: tuple[Package, ...] = ()
    """What else conda's channel has."""
    pip_owned: tuple[Package, ...] = ()
    later: tuple[Package, ...] = ()
    """What conda installs after pip has installed its own."""
    user_site: tuple[Package, ...] = ()
    projects: tuple[Package, ...] = ()
    """Sources in the working folder."""
    python_path: tuple[Package, ...] = ()
    """Unpacked in a folder on `PYTHONPATH`."""
    behind: bool = False
    """A second environment, with pip, comes next on `PATH`."""
    folder: Mapping[str, str] = field(default_factory=dict)
    """Files in the working folder."""
    writes: Mapping[str, str] = field(default_factory=dict)
    """Files put into the environment behind conda's back."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Folders copied in the environment behind conda's back: the new one by the old one."""
    edits: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By file: text in it, and what stands there instead behind everybody's back."""
    deletes: tuple[str, ...] = ()
    """Patterns of files deleted behind conda's back."""
    env: Mapping[str, str] = field(default_factory=dict)


def read_cases() -> Iterator[Case]:
    """Every case, file by file in order."""
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            yield _case(name, table)


def _case(name: str, table: dict[str, Any]) -> Case:
    real = bool(table.get("real"))
    packages = (
        "conda",
        "index",
        "available",
        "pip_owned",
        "later",
        "user_site",
        "projects",
        "python_path",
    )
    for key in packages:
        table[key] = tuple(_package(entry, real=real) for entry in table.get(key, ()))
    table["commands"] = tuple(_command(entry) for entry in table["commands"])
    return Case(name=name, **_frozen(table, Case))


def _package(entry: str | dict[str, Any], *, real: bool) -> Package:
    table = {"is": entry} if isinstance(entry, str) else entry
    name, _, version = table.pop("is").partition("==")
    return Package(name=name, version=version, **{"real": real, **_frozen(table, Package)})


def _command(table: dict[str, Any]) -> Command:
    table.setdefault("exit_code", EXIT_CODES[table["verdict"]])
    for key in ("refuses", "notes", "held_back"):
        table[key] = frozenset(table.get(key, ()))
    return Command(**_frozen(table, Command))


def _frozen(table: dict[str, Any], kind: type) -> dict[str, Any]:
    """The table with tuples for lists.

    Raises: ValueError, on a word that means nothing.
    """
    known = {one.name for one in fields(kind)}
    if unknown := set(table) - known:
        raise ValueError(f"expected words of {kind.__name__}, found {sorted(unknown)}")
    return {key: tuple(one) if isinstance(one, list) else one for key, one in table.items()}
