"""Tell what conda's channels offer and what its solver makes of specifications, by py-rattler.

This file is a script: safepip's own Python runs it, so that what py-rattler does in its threads can
neither outlive an answer that is waited for no longer, nor take safepip along when it ends. It
imports nothing of safepip. Questions are lines of JSON on stdin, answers are lines on stdout; the
first line is no question and has `records`, the files of conda's records, `channels`, and
`fetches`, whether these may be asked anew. How long it may take is for those who ask.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


class Solver:
    """The channels that the packages of one environment came from."""

    def __init__(
        self, rattler: Any, records: list[str], channels: list[str], *, fetches: bool
    ) -> None:
        """Read the records, which must all be known: what is not cannot be kept."""
        self.rattler = rattler
        self.channels = [rattler.Channel(channel) for channel in channels]
        self.records = [rattler.PrefixRecord.from_path(path) for path in records]
        source = rattler.SourceConfig(
            cache_action="cache-or-fetch" if fetches else "force-cache-only"
        )
        self.gateway = rattler.Gateway(default_config=source)

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Give the answer to one question."""
        if question["do"] == "query":
            return await self._rows(question["names"])
        return await self._solved(question["specs"], question["constraints"])

    async def _rows(self, names: list[str]) -> dict[str, Any]:
        platforms = {str(record.subdir) for record in self.records} | {"noarch"}
        found = await self.gateway.query(self.channels, sorted(platforms), names, recursive=False)
        rows = [
            {
                "name": row.name.normalized,
                "version": str(row.version),
                "depends": row.depends,
                "channel": str(row.channel),
            }
            for each in found
            for row in each
        ]
        return {"rows": rows}

    async def _solved(self, specs: list[str], constraints: list[str]) -> dict[str, Any]:
        """Solve as conda does with strict priorities; say that it cannot be only if no others can.

        In which order the user has the channels is not known, and conda may be less strict.
        """
        priorities = self.rattler.ChannelPriority
        try:
            found = await self._found(specs, constraints, priorities.Strict)
        except Exception as error:
            if not _is_refusal(error) or len(self.channels) == 1:
                raise
            await self._found(specs, constraints, priorities.Disabled)
            return {"possible": None}
        versions = ({r.name.normalized: str(r.version) for r in rs} for rs in (self.records, found))
        before, after = versions
        return {"possible": True, "before": before, "after": after}

    async def _found(self, specs: list[str], constraints: list[str], priority: Any) -> list[Any]:
        asked = {self.rattler.MatchSpec(spec).name.normalized for spec in specs}
        names = [record.name.normalized for record in self.records]
        found: list[Any] = await self.rattler.solve(
            self.channels,  # the names of these two are not the same in all releases
            [*(name for name in names if name not in asked), *specs],
            constraints=constraints or None,
            gateway=self.gateway,
            locked_packages=self.records,
            virtual_packages=self.rattler.VirtualPackage.detect(),
            channel_priority=priority,
        )
        return found


def _is_refusal(error: Exception) -> bool:
    """Say whether the solver has found that there is no solution; releases differ in the name.

    One that was ended before it found any says so in the same class.
    """
    is_its_own = type(error).__name__ in {"SolverError", "SolverException"}
    return is_its_own and "cancel" not in str(error).lower()


def main() -> None:
    """Answer until nobody asks any more."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    setup = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what others print is no answer
    loop = asyncio.new_event_loop()
    solver = None
    for line in sys.stdin:
        try:
            if solver is None:
                import rattler

                solver = Solver(
                    rattler, setup["records"], setup["channels"], fetches=setup["fetches"]
                )
            answer = loop.run_until_complete(solver.answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - a release of it may raise what it likes
            unknown = {"unknown": type(error).__name__}
            answer = {"possible": False} if _is_refusal(error) else unknown
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    os._exit(0)  # without waiting for threads of others


if __name__ == "__main__":
    main()
