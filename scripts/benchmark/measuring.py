"""Running a command, and finding what it took.

A command is either timed, with nothing looking on, or watched. Only Linux tells what a single
process of a tree took, and which processes there are; elsewhere these stay unknown.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_LOOK_SECONDS = 0.002
_IMPORT = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)
_LAST_WORDS = 4000


class Command(NamedTuple):
    """A command and where it runs."""

    words: Sequence[str]
    environ: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class Timed:
    """What a command took."""

    wall_seconds: float
    cpu_seconds: float
    """Of the command and of all processes that it waited for."""
    own_seconds: float | None
    """CPU of the first process alone; `None` where the system does not tell."""


@dataclass(frozen=True)
class Watched:
    """What a command was seen to do."""

    took: Timed
    """A little more than without anybody looking on."""
    stdout: str
    pythons: int
    """Processes of Python that were seen twice, 2 ms apart. The system's small programs, which pip
    asks for the system's name, and forks that are about to become one, are not of interest."""
    peak_bytes: int
    """Memory that no other process shares, of all of them at the same time."""
    alone_seconds: float
    """In which the first process ran and none of the others did: what the first adds to them."""


class Imports(NamedTuple):
    """What a process imports of itself."""

    modules: int
    own: int
    """Of those, the ones of safepip."""
    seconds: float


class UnexpectedEnd(Exception):
    """A command ended in another way than the benchmark is about."""

    def __init__(self, command: Command, code: int, said: str) -> None:
        words = " ".join(command.words)
        super().__init__(f"`{words}` ended with {code}:\n{said[-_LAST_WORDS:]}")


def timed(command: Command, log: Path, *, ends_with: int = 0) -> Timed:
    """Run a command and give what it took.

    Raises: UnexpectedEnd.
    """
    with log.open("wb") as output:
        since = time.perf_counter()
        process = _start(command, output.fileno(), output.fileno())
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        took = _reaped(process, since)
    _check(command, process, ends_with, log)
    return took


def watched(command: Command, log: Path, *, ends_with: int = 0) -> Watched:
    """Run a command and look at its processes all the while.

    Raises: UnexpectedEnd.
    """
    seen: Counter[int] = Counter()
    peak, alone = 0, 0.0
    out = log.with_suffix(".out")
    with log.open("wb") as error, out.open("wb") as output:
        since = time.perf_counter()
        process = _start(command, output.fileno(), error.fileno())
        looked = since
        while not _has_ended(process.pid):
            tree = list(_tree(process.pid))
            before, looked = looked, time.perf_counter()
            if [pid for pid in tree if _runs(pid)] == [process.pid]:
                alone += looked - before
            seen.update(filter(_is_python, tree))
            peak = max(peak, _private_bytes(tree))
            time.sleep(_LOOK_SECONDS)
        took = _reaped(process, since)
    _check(command, process, ends_with, log, out)
    pythons = sum(count > 1 for count in seen.values())
    return Watched(took, out.read_text("utf-8", "replace"), pythons, peak, alone)


def imported(command: Command, log: Path, *, ends_with: int = 0) -> Imports:
    """Run a command, a program in Python below the folder of its Python, and see what it imports.

    Its imports take a little longer for that. What other processes import does not count.

    Raises: UnexpectedEnd.
    """
    program, *rest = command.words
    python = str(Path(program).with_name("python"))
    command = command._replace(words=[python, "-X", "importtime", program, *rest])
    timed(command, log, ends_with=ends_with)
    found = _IMPORT.findall(log.read_text("utf-8", "replace"))
    own = sum(name.split(".")[0] == "safepip" for _, name in found)
    return Imports(len(found), own, sum(int(took) for took, _ in found) / 1e6)


def _reaped(process: subprocess.Popen[bytes], since: float) -> Timed:
    """Wait for a process, and give what it took."""
    wall = time.perf_counter() - since
    own = _cpu_of(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Timed(wall, usage.ru_utime + usage.ru_stime, own)


def _check(command: Command, process: subprocess.Popen[bytes], ends_with: int, *logs: Path) -> None:
    if process.returncode != ends_with:
        said = "".join(log.read_text("utf-8", "replace") for log in logs)
        raise UnexpectedEnd(command, process.returncode, said)


def _has_ended(pid: int) -> bool:
    """Say whether a process only waits to be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _start(command: Command, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command.words),
        env=dict(command.environ),
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
    )


def _cpu_of(pid: int) -> float | None:
    """Give the CPU seconds of a process that has ended and was not yet waited for."""
    with suppress(OSError, ValueError):
        nanoseconds = Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]
        return int(nanoseconds) / 1e9
    return None


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text("ascii").split():
                yield from _tree(int(child))


def _runs(pid: int) -> bool:
    """Say whether a process has a processor, waits for one, or for a disk."""
    with suppress(OSError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        return stat.rpartition(")")[2].split()[0] in "RD"
    return False


def _is_python(pid: int) -> bool:
    with suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("python")
    return False


def _private_bytes(pids: Iterable[int]) -> int:
    """Give what processes have for themselves.

    One that was just started has the memory of the one that started it, until it runs its program:
    the same to the page, and counted once.
    """
    found: set[tuple[str, ...]] = set()
    for pid in pids:
        with suppress(OSError):
            found.add(tuple(Path(f"/proc/{pid}/statm").read_text("ascii").split()))
    pages = sum(int(of[1]) - int(of[2]) for of in found)
    return pages * os.sysconf("SC_PAGE_SIZE")
