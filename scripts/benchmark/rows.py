"""What is measured: one row each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Place = Literal["ordinary", "large", "venv", "guarded"]
Cache = Literal["warm", "cold"]

OWN_BUDGET_SECONDS: Mapping[Place, float] = {"ordinary": 0.060, "large": 0.150}
"""In which safepip may run alone, for what is short: pip has to wait that long."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What safepip may take: at most so many times what pip does, or so many seconds more."""

    times: float = 0.0
    more_seconds: float = 0.0

    def __str__(self) -> str:
        return f"≤ {self.times:g} ×" if self.times else f"≤ +{self.more_seconds * 1000:g} ms"


@dataclass(frozen=True)
class Row:
    """One comparison of `pip ARGUMENTS` and `safepip ARGUMENTS`."""

    name: str
    title: str
    arguments: tuple[str, ...]
    place: Place = "ordinary"
    cache: Cache = "warm"
    before: tuple[str, ...] = ()
    """What plain pip is told before each run, to set the stage."""
    ends_with: int = 0
    """safepip's exit code; plain pip's is 0."""
    instead: tuple[str, ...] = ()
    """What safepip is told, where pip has no such command."""
    with_guard: tuple[str, ...] = ()
    """In an environment with a guard: a program below its prefix, and its arguments. `arguments`
    are then the same for the environment beside it that has none."""
    times: int = 1
    """Runs for each one of a long row: what is short is measured more often."""
    both_engines: bool = False
    all_settings: bool = False
    """Also without what is kept for an undo, and without imports afterwards."""
    guarded: bool = True
    by_uv: bool = False
    """Plain uv, and safepip in front of it: `uv pip` and `safepip uv pip`."""
    is_first: bool = False
    """safepip has not seen the environment before."""
    own_budget_seconds: float = 0.0
    """In place of that of `OWN_BUDGET_SECONDS`."""
    quick: bool = True
    """Also run where it is only seen that all goes; not so where another row goes the same way."""
    budget: Budget | None = None


def all_rows(requirements: tuple[str, ...] = (), count: int = 25) -> tuple[Row, ...]:
    """Give every row in the order of the table.

    ``requirements`` are those for which pip installs ``count`` wheels.
    """
    many, wheels = ("install", *requirements), f"{count} wheels"
    pass_through = Budget(more_seconds=0.040)
    hooks = Budget(more_seconds=0.003)
    for_one, for_many = Budget(times=1.6), Budget(times=1.1)
    small = ("install", "bench-small")
    return (
        Row(
            *("freeze", "`freeze`", ("freeze",)),
            times=4,
            guarded=False,
            quick=False,
            budget=pass_through,
        ),
        Row("list", "`list`", ("list",), times=4, guarded=False, budget=pass_through),
        Row(
            *("venv", "one small wheel into a venv", small, "venv"),
            times=2,
            guarded=False,
            budget=pass_through,
        ),
        Row(
            *("doctor", "`doctor`, beside pip's `check`", ("check",)),
            instead=("doctor",),
            times=2,
            guarded=False,
            budget=Budget(more_seconds=1.5),
        ),
        Row("small", "one small wheel", small, times=2, quick=False, budget=for_one),
        Row(
            "small-cold",
            "one small wheel, cache cold",
            small,
            cache="cold",
            times=2,
            budget=for_one,
        ),
        Row("sdist", "a source distribution", ("install", "bench-source"), cache="cold", times=2),
        Row("nothing", "nothing to do", ("install", "arrays"), times=2, quick=False),
        Row("block", "a block", ("install", "arrays<1.25"), ends_with=10, times=2),
        Row(
            *("block-no-cache", "a block, `--no-cache-dir`"),
            ("install", "--no-cache-dir", "arrays<1.25"),
            ends_with=10,
            times=2,
            quick=False,
        ),
        Row(
            *("why", "a block that has to be explained", ("install", "workbench>=2")),
            ends_with=10,
            times=2,
        ),
        Row(
            *("much", "a block with more releases than are looked into", ("install", "bench-maze")),
            ends_with=10,
            quick=False,
        ),
        Row(
            *(
                "conda",
                "a plan, with conda's channels asked",
                ("install", "--dry-run", "bench-small"),
            ),
            instead=("plan", "bench-small"),
            times=2,
        ),
        Row("kept", "kept: conda's versions held", ("install", "workbench"), times=2),
        Row(
            *("kept-no-cache", "kept, `--no-cache-dir`"),
            ("install", "--no-cache-dir", "workbench"),
            times=2,
            quick=False,
        ),
        Row(
            *("uninstall", "uninstall of 320 files", ("uninstall", "-y", "bench-medium")),
            before=("install", "bench-medium"),
            times=2,
        ),
        Row(
            *("upgrade", "upgrade of 320 files", ("install", "-U", "bench-medium")),
            before=("install", "bench-medium==1.0"),
            times=2,
            all_settings=True,
            quick=False,
        ),
        Row("25", wheels, many, both_engines=True, all_settings=True, budget=for_many),
        Row(
            *("25-cold", f"{wheels}, cache cold", many),
            cache="cold",
            both_engines=True,
            quick=False,
            budget=for_many,
        ),
        Row(
            *("25-no-cache", f"{wheels}, `--no-cache-dir`", (*many, "--no-cache-dir")),
            both_engines=True,
            quick=False,
            budget=for_many,
        ),
        Row(
            *("25-no-compile", f"{wheels}, `--no-compile`", (*many, "--no-compile")),
            both_engines=True,
            quick=False,
        ),
        Row("uv-small", "uv: one small wheel", small, by_uv=True, times=2, quick=False),
        Row("uv-25", f"uv: {wheels}", many, by_uv=True, times=2),
        Row("large-list", "`list`", ("list",), "large", guarded=False, budget=pass_through),
        Row(
            *("large-doctor", "`doctor`, beside pip's `check`", ("check",), "large"),
            instead=("doctor",),
            guarded=False,
        ),
        Row("large-small", "one small wheel", small, "large", times=2, quick=False),
        Row(
            *("large-first", "one small wheel, seen for the first time", small, "large"),
            times=2,
            is_first=True,
            own_budget_seconds=0.6,
        ),
        Row("large-nothing", "nothing to do", ("install", "arrays"), "large", times=2),
        Row("large-25", wheels, many, "large", quick=False, budget=for_many),
        Row(
            *("hook", "a start of Python", ("bin/python", "-c", "pass"), "guarded"),
            with_guard=("bin/python", "-c", "pass"),
            times=40,
            guarded=False,
            budget=hooks,
        ),
        Row(
            *("shim", "`pip --version`", ("bin/pip", "--version"), "guarded"),
            with_guard=("libexec/safepip/shims/pip", "--version"),
            times=10,
            guarded=False,
            budget=hooks,
        ),
    )
