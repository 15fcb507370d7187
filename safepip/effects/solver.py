"""Tell what conda's channels offer and what its solver makes of specifications, by py-rattler.

This file is a script: safepip's own Python runs it, so that what py-rattler does in its threads can
neither outlive an answer that is waited for no longer, nor take safepip along when it ends. It
imports nothing of safepip. It changes an environment only where it is told to `install`, and then
only by adding to it; to `stage` lays the same into another folder. It ends with whoever started it.
Questions are lines of JSON on stdin, answers are lines on stdout; the first line is no question and
has `records`, the files of conda's records, `channels`, `fetches`, whether these may be asked anew,
and `parent`, the process that started this. How long it may take is for those who ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import threading
import time
from inspect import signature
from typing import Any

_OTHERWISE = "the solver has another solution than before"
_MEANWHILE = "something else has changed the environment meanwhile"
_GLANCE = 0.1
"""Seconds between two looks at whether somebody still wants to know."""


class Solver:
    """The channels that the packages of one environment came from."""

    def __init__(
        self, rattler: Any, records: list[str], channels: list[str], *, fetches: bool
    ) -> None:
        """Read the records, which must all be known: what is not cannot be kept."""
        self.rattler = rattler
        self.channels = [rattler.Channel(channel) for channel in channels]
        self.files = records
        self.records = [rattler.PrefixRecord.from_path(path) for path in records]
        self.solved: dict[str, list[Any]] = {}
        source = rattler.SourceConfig(
            cache_action="cache-or-fetch" if fetches else "force-cache-only"
        )
        self.gateway = rattler.Gateway(default_config=source)

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Give the answer to one question."""
        if question["do"] == "query":
            return await self._rows(question["names"])
        if question["do"] in {"install", "stage"}:
            done = self._installed if question["do"] == "install" else self._staged
            return await done(**{key: each for key, each in question.items() if key != "do"})
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
        new = [r for r in found if r.name.normalized not in before]
        needs = {r.name.normalized: [str(spec) for spec in r.depends] for r in new}
        return {"possible": True, "before": before, "after": after, "needs": needs}

    async def _staged(
        self, prefix: str, specs: list[str], constraints: list[str], expected: dict[str, str]
    ) -> dict[str, Any]:
        """Lay what `install` would add into an empty folder, as it would lie in an environment.

        Packages for any Python are told by its record where their modules go.
        """
        found = await self._as_expected(specs, constraints, expected)
        if found is None:
            return {"said": _OTHERWISE}
        here = {record.name.normalized for record in self.records}
        os.makedirs(os.path.join(prefix, "conda-meta"))
        wanted = [record for record in found if record.name.normalized not in here]
        for file, record in zip(self.files, self.records, strict=True):
            if record.name.normalized == "python":
                shutil.copy(file, os.path.join(prefix, "conda-meta"))
                wanted.append(record)
        await self._laid(prefix, wanted, {"python"})
        return {"said": ""}

    async def _installed(
        self, prefix: str, specs: list[str], constraints: list[str], expected: dict[str, str]
    ) -> dict[str, Any]:
        """Install what was solved before; nothing where that is another solution by now."""
        found = await self._as_expected(specs, constraints, expected)
        if found is None:
            return {"said": _OTHERWISE}
        here = {record.name.normalized for record in self.records}
        if not self._are_all(prefix):  # py-rattler would remove what it was not told of
            return {"said": _MEANWHILE}
        await self._laid(prefix, found, here)
        asked = {self.rattler.MatchSpec(spec).name.normalized: spec for spec in specs}
        for record in found:
            name = record.name.normalized
            if name in asked and name not in here:
                file = f"{name}-{record.version}-{record.build}.json"
                _note_request(os.path.join(prefix, "conda-meta", file), asked[name])
        return {"said": ""}

    def _are_all(self, prefix: str) -> bool:
        """Say whether the records of an environment are those that were read, by their names."""
        names = os.listdir(os.path.join(prefix, "conda-meta"))
        there = {name for name in names if name.endswith(".json") and not name.startswith("._")}
        return there == {os.path.basename(file) for file in self.files}

    async def _as_expected(
        self, specs: list[str], constraints: list[str], expected: dict[str, str]
    ) -> list[Any] | None:
        """Give the solution where it has these versions, and all that is there as it is."""
        question = json.dumps([specs, constraints])
        if question not in self.solved:
            strict = self.rattler.ChannelPriority.Strict
            self.solved[question] = await self._found(specs, constraints, strict)
        found = self.solved[question]
        after = {record.name.normalized: str(record.version) for record in found}
        before, stays = ({_exact(r) for r in records} for records in (self.records, found))
        return found if after == expected and before <= stays else None

    async def _laid(self, prefix: str, records: list[Any], ignored: set[str]) -> None:
        is_known = "ignored_packages" in signature(self.rattler.install).parameters
        stays = {"ignored_packages": ignored} if is_known else {}  # older releases know it not
        await self.rattler.install(records, target_prefix=prefix, show_progress=False, **stays)

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


def _end_with(parent: int) -> None:
    """End at once when whoever started this has ended: nobody would put right what is half done."""
    while os.getppid() == parent:
        time.sleep(_GLANCE)
    os._exit(1)


def _note_request(path: str, spec: str) -> None:
    """Write into a new record that it was asked for.

    Not by py-rattler's `requested_specs`: it would take that wish out of all other records.
    """
    with contextlib.suppress(OSError, ValueError):  # without it the package is there all the same
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        text = json.dumps({**record, "requested_specs": [spec]}, indent=2)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        shutil.copymode(path, f"{path}.new")
        os.replace(f"{path}.new", path)


def _exact(record: Any) -> tuple[str, str, str]:
    return record.name.normalized, str(record.version), record.build


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
    threading.Thread(target=_end_with, args=(setup["parent"],), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what others print is no answer
    loop = asyncio.new_event_loop()
    try:
        import rattler
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it
        answers.write(json.dumps({"unknown": "broken", "said": f"{error}"}) + "\n")
        answers.flush()
        os._exit(1)
    solver = None
    for line in sys.stdin:
        try:
            if solver is None:
                solver = Solver(
                    rattler, setup["records"], setup["channels"], fetches=setup["fetches"]
                )
            answer = loop.run_until_complete(solver.answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - a release of it may raise what it likes
            unknown = {"unknown": type(error).__name__, "said": str(error)}
            answer = {"possible": False} if _is_refusal(error) else unknown
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    os._exit(0)  # without waiting for threads of others


if __name__ == "__main__":
    main()
