"""Whether conda could make a change, by the solver of py-rattler (the extra `conda`), offline.

What the channels offer is read from what this machine has fetched before; nothing is fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.environment import Environment

_SECONDS = 5.0


class Answer(NamedTuple):
    """What the solver says."""

    possible: bool
    moves: tuple[tuple[str, str, str], ...] = ()
    """Conda packages that would have another version: name, before and after."""


def ask_solver(environment: Environment, specs: Sequence[str]) -> Answer | None:
    """Ask for the environment with these specifications in place of what it has of their names.

    None where that cannot be known: py-rattler is not there, a record is one that it does not read,
    the index of a channel was never fetched, or it takes too long.
    """
    try:
        import asyncio

        import rattler
        from rattler import exceptions
    except ImportError:
        return None
    folder = Path(environment.prefix, "conda-meta")
    own = (each for each in vars(exceptions).values() if isinstance(each, type))
    unknown: tuple[type[Exception], ...] = (
        *(each for each in own if issubclass(each, Exception)),
        *(OSError, ValueError, asyncio.TimeoutError),
        *(AttributeError, TypeError),  # of a release that names things otherwise
    )
    try:
        records = [rattler.PrefixRecord.from_path(folder / r.file) for r in environment.records]
        found = asyncio.run(asyncio.wait_for(_solved(records, environment.pins, specs), _SECONDS))
    except exceptions.SolverError:
        return Answer(possible=False)
    except unknown:
        return None
    before = {record.name.normalized: str(record.version) for record in records}
    after = {record.name.normalized: str(record.version) for record in found}
    moves = ((name, before.get(name, ""), version) for name, version in after.items())
    return Answer(possible=True, moves=tuple(m for m in sorted(moves) if m[1] != m[2]))


async def _solved(records: Sequence[Any], pins: Sequence[str], specs: Sequence[str]) -> list[Any]:
    import rattler

    asked = {rattler.MatchSpec(spec).name.normalized for spec in specs}
    names = [record.name.normalized for record in records]
    action = rattler.SourceConfig(cache_action="force-cache-only")
    return await rattler.solve(
        sources=[rattler.Channel(channel) for channel in _channels(records)],
        specs=[*(name for name in names if name not in asked), *specs],
        constraints=list(pins) or None,
        gateway=rattler.Gateway(default_config=action),
        locked_packages=records,
        virtual_packages=rattler.VirtualPackage.detect(),
    )


def _channels(records: Sequence[Any]) -> list[str]:
    """Give the channels that the packages came from; conda writes them with the platform."""
    found: dict[str, None] = {}
    for record in records:
        channel = str(record.channel).rstrip("/")
        found.setdefault(channel.removesuffix(f"/{record.subdir}"))
    return list(found)
