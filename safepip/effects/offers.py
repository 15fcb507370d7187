"""Asking channels, by py-rattler, for packages whose record is gone: these very builds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safepip.decisions.fixing.channels import is_here
from safepip.effects.conda_solver import is_offline
from safepip.effects.unpacking import run_unpacker
from safepip.values.errors import CannotRepair
from safepip.values.inspection import Offered
from safepip.values.repair import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safepip.decisions.repairing.sources import Sought

_PATIENCE = 180.0
"""Seconds; the index of the largest channel has 50 MB."""


def find_offers(
    wanted: Iterable[Sought], environ: Mapping[str, str], prefix: str
) -> Mapping[str, Offered | Reason]:
    """Give what channels have of each of these packages; else why that is not known.

    Channels on the net are not asked where the user wants to be offline.
    """
    offline = is_offline(environ, prefix)
    tasks, found = [], {}
    for one in wanted:
        channels = [channel for channel in one.channels if is_here(channel) or not offline]
        if channels:
            tasks.append({"dist": one.dist, "channels": channels, "platforms": one.platforms})
        else:
            found[one.dist] = Reason("offline" if one.channels else "unknown-build")
    return {**found, **(_asked(tasks, environ) if tasks else {})}


def _asked(
    tasks: Sequence[Mapping[str, Any]], environ: Mapping[str, str]
) -> Mapping[str, Offered | Reason]:
    try:
        said = run_unpacker("ask the channels", {"find": tasks}, environ, _PATIENCE)
        answers = json.loads(said)
    except (CannotRepair, ValueError) as error:
        return {task["dist"]: Reason("said", (str(error),)) for task in tasks}
    pairs = zip(tasks, answers, strict=True)
    return {task["dist"]: the_one(task["dist"], answer) for task, answer in pairs}


def the_one(dist: str, answer: Mapping[str, Any]) -> Offered | Reason:
    """Give the one package of this name, version and build; of several none."""
    found = {row["sha256"]: row for row in answer["rows"] if _is_whole(row)}
    if len(found) == 1 and not answer["failed"]:
        return Offered(next(iter(found.values())))
    if answer["failed"]:  # which of them has it is known only when all have answered
        return Reason("no-answer", (answer["failed"][0],))
    urls = tuple(row["url"] for row in found.values())
    return Reason("several", urls) if urls else Reason("not-offered", (dist,))


def _is_whole(row: Mapping[str, Any]) -> bool:
    """Say whether an index tells enough of a package to fetch it and to know it again."""
    return all(isinstance(row.get(key), str) and row[key] for key in ("url", "sha256"))
