"""What conda's channels offer and could change, by py-rattler (the extra `conda`).

From what this machine has fetched of the channels before; fetched anew only where that is wanted.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import parse_version
from safepip.effects.conda_names import conda_names
from safepip.values.channel import Answer, Moved, Offer
from safepip.values.environment import spec_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence

    from safepip.values.environment import Environment

_PYTHON = ("python", "python_abi")
_OFFLINE = ("PIP_NO_INDEX", "CONDA_OFFLINE", "MAMBA_OFFLINE")
_NO = ("", "0", "false", "no", "off")


def is_offline(environ: Mapping[str, str]) -> bool:
    """Say whether the user wants no index asked, be it pip's or conda's."""
    return any(environ.get(name, "").lower() not in _NO for name in _OFFLINE)


class CondaSolver:
    """The channels that the packages of one environment came from."""

    def __init__(self, environment: Environment, *, seconds: float, fetches: bool = False) -> None:
        """Keep for one command. ``seconds``: for all questions together. ``fetches``: go online."""
        self._environment = environment
        self._until = time.monotonic() + seconds
        self._fetches = fetches
        self._gateway: Any = None
        self._read: list[Any] | None = None

    def offers(self, names: Collection[str]) -> Mapping[str, Offer]:
        """Give what the channels have of distributions, by their normalised names.

        Only packages that need Python: under the name of a distribution, conda may have a program.
        Empty where it cannot be known: py-rattler is not there, a record is one that it does not
        read, the index of a channel was never fetched, or it takes too long.
        """
        wanted = {name: self._names_of(name) for name in names}
        asked = sorted({each for found in wanted.values() for each in found})
        answer = self._asked(self._queried(asked)) if asked else None
        rows: dict[str, list[Any]] = {}
        for row in answer or ():
            if self._is_for_python(row):
                rows.setdefault(row.name.normalized, []).append(row)
        offered = (
            self._offer(name, [each for each in packages if each in rows], rows)
            for name, packages in wanted.items()
        )
        return {offer.name: offer for offer in offered if offer is not None}

    def ask(self, specs: Sequence[str]) -> Answer | None:
        """Ask for the environment with these specifications in place of what it has of their names.

        None where that cannot be known, as above.
        """
        found = self._asked(self._solved(specs))
        if found is None or found is False:
            return Answer(possible=False) if found is False else None
        before = {r.name.normalized: str(r.version) for r in self._records()}
        after = {r.name.normalized: str(r.version) for r in found}
        moves = (
            Moved(name, before.get(name, ""), after.get(name, ""))
            for name in sorted(before.keys() | after.keys())
        )
        changed = tuple(moved for moved in moves if moved.before != moved.after)
        return Answer(possible=True, moves=changed, versions=after)

    # --------------------------------------------------------------------------- asking rattler

    def _asked(self, question: Awaitable[Any]) -> Any:  # noqa: ANN401 - rattler has no types
        """Give the answer; None where there is none, and False where the solver says no."""
        left = self._until - time.monotonic()
        try:
            from rattler import exceptions
        except ImportError:
            question.close()  # type: ignore[attr-defined]
            return None
        own = (each for each in vars(exceptions).values() if isinstance(each, type))
        unknown: tuple[type[Exception], ...] = (
            *(each for each in own if issubclass(each, Exception)),
            *(OSError, ValueError, asyncio.TimeoutError),
            *(AttributeError, TypeError),  # of a release that names things otherwise
        )
        try:
            return asyncio.run(asyncio.wait_for(question, max(left, 0.0)))
        except exceptions.SolverError:
            return False
        except unknown:
            return None

    async def _queried(self, names: Sequence[str]) -> list[Any]:
        records = self._records()
        subdirs = {str(r.subdir) for r in records if str(r.subdir) != "noarch"} | {"noarch"}
        found = await self._open().query(
            [_channel(each) for each in _channels(records)],
            sorted(subdirs),
            list(names),
            recursive=False,
        )
        return [row for rows in found for row in rows]

    async def _solved(self, specs: Sequence[str]) -> list[Any]:
        import rattler

        records = self._records()
        asked = {rattler.MatchSpec(spec).name.normalized for spec in specs}
        names = [r.name.normalized for r in records]
        left = timedelta(seconds=max(self._until - time.monotonic(), 0.1))
        return await rattler.solve(
            sources=[_channel(each) for each in _channels(records)],
            specs=[*(name for name in names if name not in asked), *specs],
            constraints=[*self._environment.pins, *self._same_python(asked)] or None,
            gateway=self._open(),
            locked_packages=records,
            virtual_packages=rattler.VirtualPackage.detect(),
            timeout=left,
        )

    def _open(self) -> Any:  # noqa: ANN401 - as above
        import rattler

        if self._gateway is None:
            action: Any = "cache-or-fetch" if self._fetches else "force-cache-only"
            source = rattler.SourceConfig(cache_action=action)
            self._gateway = rattler.Gateway(default_config=source)
        return self._gateway

    def _records(self) -> list[Any]:
        import rattler

        if self._read is None:
            folder = Path(self._environment.prefix, "conda-meta")
            files = [folder / record.file for record in self._environment.records]
            self._read = [rattler.PrefixRecord.from_path(file) for file in files]
        return self._read

    # --------------------------------------------------------------------------- what is meant

    def _same_python(self, asked: Collection[str]) -> Iterable[str]:
        """Keep to the Python that is there, as conda does unless it is told otherwise."""
        is_there = self._environment.record_named("python") is not None
        if is_there and "python" not in asked:
            yield f"python {self._environment.interpreter.minor}.*"

    def _names_of(self, name: str) -> tuple[str, ...]:
        here = self._environment.conda_owned.get(name)
        if here is not None and here.record is not None:
            return (here.record.name,)
        return conda_names(name)

    def _is_for_python(self, row: Any) -> bool:  # noqa: ANN401 - as above
        """Say whether a package has to do with Python, and goes with the one that is here."""
        pins = [parse_pin(spec) for spec in row.depends if spec_name(spec) in _PYTHON]
        interpreter = self._environment.interpreter
        return bool(pins) and all(
            pin is not None
            and accepts(pin.versions, interpreter.version if pin.name == "python" else "")
            is not False
            for pin in pins
        )

    def _offer(
        self, name: str, packages: Sequence[str], rows: Mapping[str, Sequence[Any]]
    ) -> Offer | None:
        """Give the offer of the package with the newest version, where there are several."""
        found = []
        for package in packages:
            versions = {str(row.version) for row in rows[package]}
            known = {text: parsed for text in versions if (parsed := parse_version(text))}
            ordered = sorted(known, key=lambda text: known[text], reverse=True)
            found += [(known[ordered[0]], Offer(name, package, tuple(ordered)))] if ordered else []
        return max(found, key=lambda pair: pair[0])[1] if found else None


def _channel(address: str) -> Any:  # noqa: ANN401 - as above
    import rattler

    return rattler.Channel(address)


def _channels(records: Iterable[Any]) -> list[str]:
    """Give the channels that the packages came from; conda writes them with the platform."""
    found: dict[str, None] = {}
    for record in records:
        channel = str(record.channel).rstrip("/")
        if channel and not channel.startswith("<"):  # `<unknown>`: from an archive
            found.setdefault(channel.removesuffix(f"/{record.subdir}"))
    return list(found)
