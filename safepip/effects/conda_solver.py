"""What conda's channels offer and could change, by py-rattler (the extra `conda`).

From what this machine has fetched of the channels before; fetched anew only where that is wanted.
`solver.py` asks py-rattler, in a process of its own.
"""

from __future__ import annotations

import json
import math
import os
import re
import select
import subprocess
import sys
import time
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safepip.decisions.fixing.channels import channels_of, is_here, keeps_names
from safepip.decisions.judging.pins import accepts, held_wishes, parse_pin
from safepip.decisions.judging.requirements import parse_version
from safepip.effects.conda_names import conda_names
from safepip.effects.opened import read_bytes
from safepip.effects.unreached import note_unreached, were_unreached
from safepip.values.channel import Answer, Moved, Offer
from safepip.values.environment import spec_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from safepip.values.environment import Environment

_GLANCE = 0.2
"""Seconds between two looks at whether it is enough."""
_ONLINE = 0.6
"""The part of the time in which channels have to answer; what was fetched before has the rest."""
_SOLVER = Path(__file__).with_name("solver.py")
_PYTHON = ("python", "python_abi")
_BROKEN = "broken"
"""What `solver.py` answers where it has no py-rattler that works."""
_OFFLINE = ("PIP_NO_INDEX", "CONDA_OFFLINE", "MAMBA_OFFLINE")
_NO = ("", "0", "false", "no", "off")
_SET_OFFLINE = re.compile(
    r"^offline\s*:\s*[\"']?(?:true|yes|on|y|1)\b", re.IGNORECASE | re.MULTILINE
)
_SETTINGS = ("~/.condarc", "~/.conda/.condarc", "~/.conda/condarc", "~/.mambarc")
"""Files of conda's settings, besides those in the environment and those that variables name."""
_MOST_BYTES = 1_000_000


def is_offline(environ: Mapping[str, str], prefix: str) -> bool:
    """Say whether the user wants no index asked, be it pip's or conda's.

    Source: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/
    """
    if any(environ.get(name, "").lower() not in _NO for name in _OFFLINE):
        return True
    home = environ.get("HOME") or "~"
    named = (environ.get("CONDARC", ""), environ.get("MAMBARC", ""))
    roots = (prefix, environ.get("CONDA_ROOT", ""), environ.get("MAMBA_ROOT_PREFIX", ""))
    places = [*named, *(each.replace("~", home, 1) for each in _SETTINGS), "/etc/conda/.condarc"]
    places += [f"{root}/.condarc" for root in roots if root]
    return any(_SET_OFFLINE.search(_read(os.path.expanduser(place))) for place in places if place)


def _read(path: str) -> str:
    try:
        return read_bytes(path, _MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


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
        environ: Mapping[str, str] = os.environ,
        is_enough: Callable[[], bool] = lambda: False,
        looking: Callable[[int], None] | None = None,
    ) -> None:
        """Keep for one command. ``seconds``: for all questions together. ``fetches``: go online.

        ``is_enough`` is asked again and again whether anybody still wants to know; ``looking`` is
        called meanwhile, with 0: how many there are to be is not known.
        """
        self.channels = channels_of(environment.records)
        """With the secrets in them."""
        self._is_enough = is_enough
        self._looking = looking
        self._answered = 0
        self._environment = environment
        self._environ = environ
        self._left = seconds
        self._left_online = seconds * _ONLINE
        self._until = 0.0
        self._fetches = fetches and not were_unreached(self.channels, environ)
        self._process: subprocess.Popen[bytes] | None = None
        self.has_failed = False
        """A question has no answer: what the channels have is not known."""
        self.broken = ""
        """What py-rattler says, where it is there and cannot be imported."""

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

        Only packages that need Python: under the name of a distribution, conda may have a program;
        and of channels of which nobody knows what they call a distribution only what is here.
        Empty where it cannot be known: py-rattler is not there, a record is one that it does not
        read, the index of a channel was never fetched, or it takes too long.
        """
        wanted = {name: self._names_of(name) for name in names}
        asked = sorted({each for found in wanted.values() for each in found})
        answer = self._asked({"do": "query", "names": asked}) if asked else {}
        rows: dict[str, list[tuple[str, str]]] = {}
        for row in answer.get("rows", ()):
            is_meant = keeps_names(row["channel"]) or row["name"] in self._here
            if is_meant and self._is_for_python(row["depends"]):
                rows.setdefault(row["name"], []).append((row["version"], row["channel"]))
        offered = (_offer(name, packages, rows) for name, packages in wanted.items())
        return {offer.name: offer for offer in offered if offer is not None}

    def versions_of(self, package: str) -> tuple[str, ...] | None:
        """Give the versions that the channels have of a package; None where that is not known."""
        rows = self._asked({"do": "query", "names": [package]}).get("rows")
        return tuple(row["version"] for row in rows) if rows is not None else None

    def ask(self, specs: Sequence[str]) -> Answer | None:
        """Ask for the environment with these specifications in place of what it has of their names.

        None where that cannot be known, as above.
        """
        question = {"do": "solve", "specs": [*specs], "constraints": self._constraints(specs)}
        found = self._asked(question)
        if not found.get("possible"):
            return Answer(possible=False) if found.get("possible") is False else None
        before, after = found["before"], found["after"]
        moves = (
            Moved(name, before.get(name, ""), after.get(name, ""))
            for name in sorted(before.keys() | after.keys())
        )
        changed = tuple(moved for moved in moves if moved.before != moved.after)
        needs = {name: tuple(specs) for name, specs in found.get("needs", {}).items()}
        return Answer(possible=True, moves=changed, versions=after, needs=needs)

    def install(self, specs: Sequence[str], answer: Answer) -> str:
        """Add to the environment what the answer to these specifications has, and nothing else.

        Give why that was not done, which changes nothing of what is there already; empty where it
        was done. It takes as long as it takes.
        """
        said = self._carried_out("install", self._environment.prefix, specs, answer)
        self.close()
        return said

    def stage(self, specs: Sequence[str], answer: Answer, folder: str) -> str:
        """Lay into an empty folder what `install` would add, as it would lie in the environment.

        Give why that was not done; empty where it was.
        """
        return self._carried_out("stage", folder, specs, answer)

    def _carried_out(self, what: str, prefix: str, specs: Sequence[str], answer: Answer) -> str:
        question = {
            "do": what,
            "prefix": prefix,
            "specs": [*specs],
            "constraints": self._constraints(specs),
            "expected": dict(answer.versions),
        }
        self._left = self._left_online = self._until = math.inf
        answered = self._told(question)
        said = answered.get("said")
        if "unknown" in answered:  # an error may have no words
            return str(said or answered["unknown"] or "no answer")
        return said if isinstance(said, str) else "no answer"

    # --------------------------------------------------------------------------- asking

    def _asked(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the answer; empty where there is none.

        Where what the channels have cannot be fetched, what was fetched before has to do.
        """
        found = self._answered_to(question)
        self.has_failed = self.has_failed or not found
        return found

    def _answered_to(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._left <= 0 or not self.channels:
            return {}
        if self._process is None and find_spec("rattler") is None:
            return {}
        is_online = self._fetches
        since = time.monotonic()
        self._until = since + (min(self._left, self._left_online) if is_online else self._left)
        answer = self._told(question)
        taken = time.monotonic() - since
        self._left -= taken
        self._left_online -= taken
        if "unknown" not in answer:
            self._answered += 1
            return answer
        self.close()
        if answer["unknown"] == _BROKEN:
            self.broken, self._left = str(answer.get("said")), 0.0
            return {}
        if not is_online or self._is_enough():
            return {}
        if not self._answered:
            note_unreached(self.channels, self._environ)
        self._fetches = False
        return self._answered_to(question)

    def _told(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what the process says; `unknown` is in it where it does not know."""
        try:
            line = self._answer(json.dumps(question).encode() + b"\n")
            answer = json.loads(line) if line else None
        except (OSError, ValueError):
            answer = None
        return answer if isinstance(answer, dict) else {"unknown": "no answer"}

    def _answer(self, question: bytes) -> bytes:
        """Give the line that answers; empty where time is up, or the process has ended."""
        if self._process is None:
            self._process = self._started()
            question = json.dumps(self._setup()).encode() + b"\n" + question
        process = self._process
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
            return b""
        process.stdin.write(question)
        process.stdin.flush()
        said = bytearray()
        while not said.endswith(b"\n"):
            if self._looking is not None:
                self._looking(0)
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

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(_SOLVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=False,  # it holds the environment's lock as well, should safepip be killed
            start_new_session=True,  # an interruption is for safepip, which ends it
        )

    def _setup(self) -> Mapping[str, Any]:
        """Give what the process is told at its start."""
        folder = Path(self._environment.prefix, "conda-meta")
        records = [str(folder / record.file) for record in self._environment.records]
        setup = {"records": records, "channels": self.channels, "fetches": self._fetches}
        return {**setup, "parent": os.getpid()}

    # --------------------------------------------------------------------------- what is meant

    def _constraints(self, specs: Sequence[str]) -> list[str]:
        held = held_wishes(self._environment, {spec_name(spec) for spec in specs})
        return [*self._environment.pins, *self._same_python(specs), *held]

    def _same_python(self, specs: Sequence[str]) -> Iterable[str]:
        """Keep to the Python that is there, as conda does unless it is told otherwise."""
        is_there = self._environment.record_named("python") is not None
        if is_there and "python" not in map(spec_name, specs):
            yield f"python {self._environment.interpreter.minor}.*"

    @cached_property
    def _here(self) -> frozenset[str]:
        """What conda has put here: what that is, its own metadata says."""
        return frozenset(record.name.lower() for record in self._environment.records)

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


def _offer(
    name: str, packages: Sequence[str], rows: Mapping[str, Sequence[tuple[str, str]]]
) -> Offer | None:
    """Give the offer of the package with the newest version, where there are several."""
    found = []
    for package in packages:
        those = rows.get(package, ())
        known = {text: parsed for text, _ in those if (parsed := parse_version(text))}
        ordered = sorted(known, key=lambda text: known[text], reverse=True)
        here = all(is_here(channel) for _, channel in those)
        found += [(known[ordered[0]], Offer(name, package, tuple(ordered), here))] if known else []
    return max(found, key=lambda pair: pair[0])[1] if found else None
