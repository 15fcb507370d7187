"""One row: plain pip and safepip in turns, each on the same environment as it was."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from scripts.benchmark.measuring import Command, Imports, Timed, Watched, imported, timed, watched
from scripts.benchmark.serving import Index, Traffic
from scripts.benchmark.worlds import World, clean_environ, guarded_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.benchmark.rows import Row

UV = Path(sys.executable).with_name("uv")
"""The one that is installed with safepip's own tools."""

_LOOKS = 4
"""Times that a short row is watched again: once more is little to go by."""

Contender = Literal["pip", "safepip", "two-pass", "no-undo", "no-imports"]

_SETTINGS: Mapping[Contender, Mapping[str, str]] = {
    "two-pass": {"SAFEPIP_ENGINE": "two-pass"},
    "no-undo": {"SAFEPIP_UNDO": "off"},
    "no-imports": {"SAFEPIP_IMPORT_CHECK": "off"},
}
"""What makes a contender of safepip another one."""


@dataclass
class Result:
    """How one contender did in one row."""

    row: Row
    contender: Contender
    watched: Watched
    runs: list[Timed] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    """Of the last run."""
    imports: Imports | None = None
    """Of a short row."""
    alone: list[float] = field(default_factory=list)
    """The seconds in which safepip ran alone, each time that it was watched."""

    @property
    def counted(self) -> list[Timed]:
        """The runs that count."""
        return self.runs or [self.watched.took]

    @property
    def walls(self) -> list[float]:
        """The seconds of each run."""
        return [run.wall_seconds for run in self.counted]

    @property
    def cpu_seconds(self) -> float:
        """The median over the runs."""
        return median(run.cpu_seconds for run in self.counted)

    @property
    def own_seconds(self) -> list[float]:
        """The CPU of safepip itself in each run; empty where it is not known."""
        return [run.own_seconds for run in self.counted if run.own_seconds is not None]

    @property
    def steps(self) -> Mapping[str, float | None]:
        """The seconds that safepip says its steps took; empty for a command that is not guarded."""
        return dict(json.loads(self.watched.stdout)["seconds"]) if self.row.guarded else {}


@dataclass(frozen=True)
class Stage:
    """What a row is carried out with."""

    world: World
    index: Index
    safepip: Path
    folder: Path
    """For caches, logs, and what passes for the home folder."""

    def results(self, row: Row, repeats: int) -> list[Result]:
        """Run a row, plain pip's result first; without ``repeats`` only what is watched counts.

        Raises: UnexpectedEnd.
        """
        contenders: list[Contender] = ["pip", "safepip"]
        contenders += ["two-pass"] if row.both_engines else []
        contenders += ["no-undo", "no-imports"] if row.all_settings else []
        # This also fills the caches of disk, HTTP and bytecode.
        results = [self._watched(row, contender) for contender in contenders]
        # (Where it is only seen that all goes, what is not guarded tells enough.)
        if row.times > 1 and not row.with_guard and (repeats or not row.guarded):
            self._set(row)
            command, end = self._command(row, "safepip"), _end_of(row, "safepip")
            results[1].imports = imported(command, self._log, ends_with=end)
        for number in range(repeats * row.times):
            # Who comes second finds the disk busy with what the first has left.
            for result in results if number % 2 == 0 else reversed(results):
                self._set(row)
                command = self._command(row, result.contender)
                end = _end_of(row, result.contender)
                result.runs.append(timed(command, self._log, ends_with=end))
                result.traffic = self.index.take()
        for _ in range(min(repeats, _LOOKS) if row.times > 1 else 0):
            results[1].alone.append(self._watched(row, "safepip").watched.alone_seconds)
        self.world.reset()
        return results

    def _watched(self, row: Row, contender: Contender) -> Result:
        self._set(row)
        command = self._command(row, contender, as_json=row.guarded)
        seen = watched(command, self._log, ends_with=_end_of(row, contender))
        traffic = self.index.take()
        return Result(row, contender, seen, traffic=traffic, alone=[seen.alone_seconds])

    @property
    def _log(self) -> Path:
        return self.folder / "said.txt"

    def _set(self, row: Row) -> None:
        self.world.reset()
        if row.before:
            words = [*self._words("pip", as_json=False), *row.before]
            timed(Command(words, self._environ(row, "pip"), self.folder), self._log)
        if row.cache == "cold":
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
        if row.is_first:
            shutil.rmtree(self.folder / ".cache" / "safepip", ignore_errors=True)
        self.index.take()

    def _command(self, row: Row, contender: Contender, *, as_json: bool = False) -> Command:
        if row.with_guard:
            return self._beside(row, contender)
        told = row.arguments if contender == "pip" else row.instead or row.arguments
        words = [*self._words(contender, as_json=as_json, by_uv=row.by_uv), *told]
        return Command(words, self._environ(row, contender), self.folder)

    def _beside(self, row: Row, contender: Contender) -> Command:
        """Give what an environment without a guard and one with it do."""
        is_plain = contender == "pip"
        prefix = self.world.prefix if is_plain else guarded_beside(self.world.prefix)
        program, *rest = row.arguments if is_plain else row.with_guard
        environ = {**clean_environ(), "HOME": str(self.folder)}
        environ["PATH"] = f"{prefix}/bin:{environ['PATH']}"
        return Command([f"{prefix}/{program}", *rest], environ, self.folder)

    def _words(self, contender: Contender, *, as_json: bool, by_uv: bool = False) -> Iterator[str]:
        if contender != "pip":
            yield str(self.safepip)
            if as_json:
                yield "--json"
        if by_uv:
            yield from (str(UV) if contender == "pip" else "uv", "pip")
        elif contender == "pip":
            yield str(self.world.prefix / "bin" / "pip")

    def _environ(self, row: Row, contender: Contender) -> dict[str, str]:
        prefix = str(self.world.prefix)
        environ = clean_environ()
        environ["PATH"] = f"{prefix}/bin:{environ['PATH']}"
        environ["HOME"] = str(self.folder)
        environ["PIP_INDEX_URL"] = self.index.url
        environ["PIP_CACHE_DIR"] = str(self.folder / "cache")
        environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        # Without this pip keeps no answers that came by plain HTTP.
        environ["PIP_TRUSTED_HOST"] = "127.0.0.1"
        if row.by_uv:
            environ["PATH"] = f"{UV.parent}:{environ['PATH']}"
            environ["UV_DEFAULT_INDEX"] = self.index.url
            environ["UV_CACHE_DIR"] = str(self.folder / "cache" / "uv")
        if row.place == "venv":
            environ["VIRTUAL_ENV"] = prefix
        else:
            environ |= {"CONDA_PREFIX": prefix, "CONDA_DEFAULT_ENV": prefix, "CONDA_SHLVL": "1"}
        return environ | _SETTINGS.get(contender, {})


def _end_of(row: Row, contender: Contender) -> int:
    return 0 if contender == "pip" else row.ends_with
