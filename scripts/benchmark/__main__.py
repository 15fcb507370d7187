"""`scripts/bench`: options, and the tables on stdout; what is being done goes to stderr."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING

from scripts.benchmark import table
from scripts.benchmark.artifacts import MEDIUM, SMALL, Shape, WheelSet, a_tiny_set, shaped, the_set
from scripts.benchmark.comparing import Result, Stage
from scripts.benchmark.measuring import UnexpectedEnd
from scripts.benchmark.rows import Place, all_rows
from scripts.benchmark.serving import Network, serve
from scripts.benchmark.worlds import (
    World,
    conda_world,
    guarded_world,
    installed_safepip,
    large,
    ordinary,
    venv_world,
)
from tests.lab import Wheel, lab_folder, make_sdist
from tests.lab.pypi import PIP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAZE = 450
"""Releases, of which safepip looks into 400 at most."""
_HEADINGS: dict[Place, str] = {
    "ordinary": "An ordinary conda environment",
    "large": "A large conda environment",
    "venv": "A virtual environment",
    "guarded": "Without a guard, and with `guard on --deep`",
}
_EPILOG = """\
Everything is made in .lab, or in the folder that SAFEPIP_LAB names: on a disk in memory the times
vary less. A run of all rows takes more than half an hour.
"""


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    rows: tuple[str, ...]
    repeats: int
    offline: bool
    pip: str
    network: Network
    scale: float
    """1: full sizes."""


def options_of(arguments: Sequence[str] | None) -> Options:
    """Parse the arguments; ends the process where they make no sense."""
    names = [row.name for row in all_rows()]
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure what safepip adds to pip: both in turns, on real conda environments.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help="one row of each kind once, all tiny; of PyPI only pip and uv",
    )
    add("--rows", metavar="NAME,...", default="", help=f"only these of: {', '.join(names)}")
    add("--repeats", metavar="N", type=int, default=5, help="runs of each long row (5)")
    add("--offline", action="store_true", help="made-up wheels, as large as the real 25")
    add("--pip", metavar="VERSION", default=PIP, help=f"pip of the environments ({PIP})")
    add("--latency", metavar="MS", type=float, default=25, help="before each answer (25)")
    add("--speed", metavar="MB/S", type=float, default=20, help="of each answer; 0: no limit (20)")
    add("--no-metadata", action="store_true", help="an index without PEP 658")
    add("--no-cache-headers", action="store_true", help="an index of which nothing may be kept")
    given = parser.parse_args(arguments)
    rows = tuple(filter(None, given.rows.split(",")))
    chosen = [row.name for row in all_rows() if row.quick or not given.quick]
    if unknown := set(rows) - set(names):
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    if not (given.repeats > 0 and given.latency >= 0 and given.speed >= 0):
        parser.error("`--repeats`, `--latency` and `--speed` are numbers above 0, or 0 for none")
    network = Network(
        latency_seconds=0 if given.quick else given.latency / 1000,
        bytes_per_second=0 if given.quick else given.speed * 1e6,
        metadata=not given.no_metadata,
        cached=not given.no_cache_headers,
    )
    return Options(
        rows=rows or tuple(chosen),
        repeats=0 if given.quick else given.repeats,
        offline=given.offline or given.quick,
        pip=given.pip,
        network=network,
        scale=0.02 if given.quick else 1.0,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables; give the exit code."""
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it leaves nothing behind, either
    try:
        return _measure(options)
    except KeyboardInterrupt:
        say("interrupted before anything was measured")
        return 130
    except CalledProcessError as error:
        say(f"`{shlex.join(error.cmd)}` ended with {error.returncode}: what it says is above")
        return 2


def _measure(options: Options) -> int:
    any_many = any("?" in r.arguments for r in all_rows(("?",)) if r.name in options.rows)
    many = the_set(offline=options.offline) if any_many and options.scale == 1 else a_tiny_set()
    known = all_rows(many.requirements, len(many.wheels))
    rows = [row for row in known if row.name in options.rows]
    with (
        working_folder() as folder,
        serve(_offered(many, options), options.network) as index,
    ):
        say("installing safepip")
        safepip = installed_safepip(folder / "safepip")
        worlds: dict[Place, World] = {}
        results: list[Result] = []
        failed = False
        for row in rows:
            try:
                if row.place not in worlds:
                    say(f"making: {_HEADINGS[row.place].lower()}")
                    world = _world(row.place, folder, options, safepip)
                    world.begin()
                    worlds[row.place] = world
                say(f"measuring: {row.name}")
                stage = Stage(worlds[row.place], index, safepip, folder)
                results += stage.results(row, options.repeats)
            except UnexpectedEnd as end:
                failed = True
                say(f"left out: {row.name}: {end}")
            except KeyboardInterrupt:
                failed = True
                say(f"interrupted: {row.name}, and what comes after it, is left out")
                break
        for place, heading in _HEADINGS.items():
            _print_tables([r for r in results if r.row.place == place], heading, worlds.get(place))
    print(_circumstances(options, many))
    return int(failed)


def say(what: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"scripts/bench: {what}", file=sys.stderr, flush=True)


@contextmanager
def working_folder() -> Iterator[Path]:
    """Give a folder for as long as the block lasts, where packages can be linked into it."""
    home = lab_folder() / "bench"
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = tempfile.mkdtemp(dir=home)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Path(folder)


def _offered(many: WheelSet, options: Options) -> list[Wheel]:
    arrays = Shape("arrays", 20, 100_000, 2, 10_000)
    source = make_sdist("bench-source", "1.0", {"bench_source.py": "x = 1\n"})
    bench = Shape("workbench", 10, 50_000, 2, 10_000)
    medium = min(1.0, options.scale * 5)
    made = [source, shaped(SMALL), *(shaped(MEDIUM, v, scale=medium) for v in ("1.0", "2.0"))]
    made += [shaped(arrays, version) for version in ("1.20.0", "1.26.4", "2.0.0")]
    made += [shaped(bench, "1.9", requires=("arrays>=1.20",))]
    made += [shaped(bench, "2.0", requires=("arrays>=2",))]
    if "much" in options.rows:  # none of them can be had, which nobody knows before all are asked
        maze = Shape("bench-maze", 1, 1_000, 0, 0)
        versions = (f"1.{number}" for number in range(_MAZE))
        made += [shaped(maze, version, requires=("arrays>=2",)) for version in versions]
    return [*many.wheels, *made]


def _world(place: Place, folder: Path, options: Options, safepip: Path) -> World:
    prefix = folder / place / "env"
    prefix.parent.mkdir()
    if place == "venv":
        return venv_world(prefix, options.pip)
    if place == "guarded":
        return guarded_world(prefix, ordinary(options.scale), options.pip, safepip)
    recipes = large(options.scale) if place == "large" else ordinary(options.scale)
    return conda_world(prefix, recipes, options.pip, as_conda=place == "ordinary")


def _print_tables(results: Sequence[Result], heading: str, world: World | None) -> None:
    if not results or world is None:
        return
    print(f"### {heading}{world.described()}\n")
    print(table.comparison(results))
    if own := table.own_work(results):
        print(f"What safepip itself takes there, without pip:\n\n{own}")
    if imports := table.imports(results):
        print(f"What it imports itself, watched, which takes longer:\n\n{imports}")


def _circumstances(options: Options, many: WheelSet) -> str:
    size = sum(len(wheel.data) for wheel in many.wheels)
    made = "made-up" if options.offline else "real"
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, pip {options.pip}. "
        f"{options.repeats or 'no'} rounds, more of what is short. "
        f"{len(many.wheels)} {made} wheels of {size / 1e6:.1f} MB. "
        f"Index: {options.network}."
    )


if __name__ == "__main__":
    sys.exit(main())
