"""What conda's channels offer and could change, by py-rattler (the extra `conda`).

From what this machine has fetched of the channels before; fetched anew only where that is wanted.
`solver.py` asks py-rattler, in a process of its own.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import parse_version
from safepip.effects.conda_names import conda_names
from safepip.values.channel import Answer, Moved, Offer
from safepip.values.environment import spec_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from safepip.values.environment import Environment

_GLANCE = 0.2
"""Seconds between two looks at whether it is enough."""
_SOLVER = Path(__file__).with_name("solver.py")
_PYTHON = ("python", "python_abi")
_OFFLINE = ("PIP_NO_INDEX", "CONDA_OFFLINE", "MAMBA_OFFLINE")
_NO = ("", "0", "false", "no", "off")


def is_offline(environ: Mapping[str, str]) -> bool:
    """Say whether the user wants no index asked, be it pip's or conda's."""
    return any(environ.get(name, "").lower() not in _NO for name in _OFFLINE)


class CondaSolver:
    """The channels that the packages of one environment came from.

    A process of its own answers, which is ended when time is up.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        seconds: float,
        fetches: bool = False,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep for one command. ``seconds``: for all questions together. ``fetches``: go online.

        ``is_enough`` is asked again and again whether anybody still wants to know.
        """
        self._is_enough = is_enough
        self._environment = environment
        self._left = seconds
        self._until = 0.0
        self._fetches = fetches
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            process.wait()

    def offers(self, names: Collection[str]) -> Mapping[str, Offer]:
        """Give what the channels have of distributions, by their normalised names.

        Only packages that need Python: under the name of a distribution, conda may have a program.
        Empty where it cannot be known: py-rattler is not there, a record is one that it does not
        read, the index of a channel was never fetched, or it takes too long.
        """
        wanted = {name: self._names_of(name) for name in names}
        asked = sorted({each for found in wanted.values() for each in found})
        answer = self._asked({"do": "query", "names": asked}) if asked else {}
        rows: dict[str, list[str]] = {}
        for row in answer.get("rows", ()):
            if self._is_for_python(row["depends"]):
                rows.setdefault(row["name"], []).append(row["version"])
        offered = (_offer(name, packages, rows) for name, packages in wanted.items())
        return {offer.name: offer for offer in offered if offer is not None}

    def ask(self, specs: Sequence[str]) -> Answer | None:
        """Ask for the environment with these specifications in place of what it has of their names.

        None where that cannot be known, as above.
        """
        constraints = [*self._environment.pins, *self._same_python(specs)]
        question = {"do": "solve", "specs": [*specs], "constraints": constraints}
        found = self._asked({**question, "seconds": max(self._left, 0.0)})
        if not found.get("possible"):
            return Answer(possible=False) if found.get("possible") is False else None
        before, after = found["before"], found["after"]
        moves = (
            Moved(name, before.get(name, ""), after.get(name, ""))
            for name in sorted(before.keys() | after.keys())
        )
        changed = tuple(moved for moved in moves if moved.before != moved.after)
        return Answer(possible=True, moves=changed, versions=after)

    # --------------------------------------------------------------------------- asking

    def _asked(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the answer; empty where there is none.

        Where what the channels have cannot be fetched, what was fetched before has to do.
        """
        if self._left <= 0 or (self._process is None and find_spec("rattler") is None):
            return {}
        since = time.monotonic()
        self._until = since + self._left
        try:
            line = self._answer(json.dumps(question).encode() + b"\n")
            answer = json.loads(line) if line else {"unknown": "no answer"}
        except (OSError, ValueError):
            answer = {"unknown": "no answer"}
        self._left -= time.monotonic() - since
        if "unknown" not in answer:
            return dict(answer)
        self.close()
        if not self._fetches or self._is_enough():
            return {}
        self._fetches = False
        return self._asked(question)

    def _answer(self, question: bytes) -> bytes:
        """Give the line that answers; empty where time is up, or the process has ended."""
        process = self._process = self._process or self._started()
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
            return b""
        process.stdin.write(question)
        process.stdin.flush()
        said = bytearray()
        while not said.endswith(b"\n"):
            if self._is_over():
                return b""
            if not select.select([process.stdout], [], [], _GLANCE)[0]:
                continue
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                return b""
            said += more
        return bytes(said)

    def _is_over(self) -> bool:
        return self._is_enough() or time.monotonic() > self._until

    def _started(self) -> subprocess.Popen[bytes]:
        folder = Path(self._environment.prefix, "conda-meta")
        records = [str(folder / record.file) for record in self._environment.records]
        process = subprocess.Popen(
            [sys.executable, str(_SOLVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interruption is for safepip, which ends it
        )
        setup = {"records": records, "fetches": self._fetches}
        process.stdin.write(json.dumps(setup).encode() + b"\n")  # type: ignore[union-attr]
        return process

    # --------------------------------------------------------------------------- what is meant

    def _same_python(self, specs: Sequence[str]) -> Iterable[str]:
        """Keep to the Python that is there, as conda does unless it is told otherwise."""
        is_there = self._environment.record_named("python") is not None
        if is_there and "python" not in map(spec_name, specs):
            yield f"python {self._environment.interpreter.minor}.*"

    def _names_of(self, name: str) -> tuple[str, ...]:
        """Give conda's names of a distribution; `rattler` has them in small letters."""
        here = self._environment.conda_owned.get(name)
        if here is not None and here.record is not None:
            return (here.record.name.lower(),)
        return conda_names(name)

    def _is_for_python(self, depends: Sequence[str]) -> bool:
        """Say whether a package has to do with Python, and goes with the one that is here."""
        pins = [parse_pin(spec) for spec in depends if spec_name(spec) in _PYTHON]
        interpreter = self._environment.interpreter
        return bool(pins) and all(
            pin is not None
            and accepts(pin.versions, interpreter.version if pin.name == "python" else "")
            is not False
            for pin in pins
        )


def _offer(name: str, packages: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Offer | None:
    """Give the offer of the package with the newest version, where there are several."""
    found = []
    for package in packages:
        known = {text: parsed for text in rows.get(package, ()) if (parsed := parse_version(text))}
        ordered = sorted(known, key=lambda text: known[text], reverse=True)
        found += [(known[ordered[0]], Offer(name, package, tuple(ordered)))] if ordered else []
    return max(found, key=lambda pair: pair[0])[1] if found else None
