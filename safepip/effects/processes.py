"""Processes that run one after the other, are interrupted together, and may be kept quiet.

What a quiet process says goes to files, from which it can be given to the user unchanged.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from safepip.effects.streams import Said, is_one_place, width
from safepip.values.errors import NoEngine, SafepipError
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from typing_extensions import Self

    Handler = Callable[[int, FrameType | None], None]

_PATIENCE = 1.0
"""Seconds that a process has to end by itself, when the user wants to end it."""
_GLANCE = 0.01
"""Seconds between two looks at what a process does."""
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class InProcesses:
    """What works by the processes of one command, for as long as it is entered."""

    _processes: Processes

    @property
    def interrupted(self) -> bool:
        """The user wants this to end."""
        return self._processes.interrupted

    def __enter__(self) -> Self:
        self._processes.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._processes.__exit__()
        refuse_interrupted(raised, interrupted=self.interrupted)


class Processes:
    """The processes of one command. Use it as a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        quiet_stdout: bool,
        silent: bool = False,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder = folder
        self._quiet_stdout = quiet_stdout
        self._silent = silent
        self._is_over = is_over
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.sheltered = False
        """What runs changes the environment: it hears no interruption, and is cut off by one."""
        self.interrupted = False
        self._heard = 0.0
        """When that was noticed, or last passed on."""
        self.called: dict[bytes, bytes] = {}
        """What the user calls by another name than the processes do."""

    def __enter__(self) -> Self:
        self._handlers = listen(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        set_handlers(self._handlers)

    def run(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run a process in front of the user, and give its exit code.

        Raises: NoEngine, when it cannot be started.
        """
        return self._wait(command, environ, stdin=None, stdout=self._out, stderr=None)

    def run_half_quietly(
        self, command: Sequence[str], environ: Mapping[str, str]
    ) -> tuple[int, Said]:
        """Run a process in front of the user, but keep what it says on stderr.

        Raises: NoEngine, when it cannot be started.
        """
        said = self._new_place(apart=True)
        said.out.touch()
        with said.err.open("ab") as err:
            code = self._wait(command, environ, stdin=None, stdout=self._out, stderr=err.fileno())
        return code, said

    def run_quietly(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        apart: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> tuple[int, Said]:
        """Run a process that says nothing to the user and cannot ask; give what it said.

        ``apart`` keeps its streams apart, also where the user's are one. ``meanwhile`` is called
        again and again while it runs.

        Raises: NoEngine, when it cannot be started.
        """
        said = self._new_place(apart=apart)
        wide = {**width(), **environ}
        with said.out.open("ab") as out, said.err.open("ab") as err:
            code = self._wait(
                command,
                wide,
                stdin=subprocess.DEVNULL,
                stdout=out.fileno(),
                stderr=err.fileno(),
                meanwhile=meanwhile,
            )
        return code, said

    def replay(self, said: Said) -> None:
        """Say to the user what a quiet process said, on the streams that it meant."""
        self.say(said.out.read_bytes())
        if said.err != said.out:
            self.say_error(said.err.read_bytes())

    def say(self, data: bytes) -> None:
        """Write to the user's stdout, wherever that goes."""
        self._pour(data, 2 if self._quiet_stdout else 1)

    def say_error(self, data: bytes) -> None:
        """Write to the user's stderr."""
        self._pour(data, 2)

    def _pour(self, data: bytes, handle: int) -> None:
        for own, users in self.called.items():
            data = data.replace(own, users)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        left = memoryview(b"" if self._silent else data)
        with contextlib.suppress(OSError):
            while left:
                left = left[os.write(handle, left) :]

    @property
    def _out(self) -> int | None:
        return 2 if self._quiet_stdout else None

    def _new_place(self, *, apart: bool) -> Said:
        self._count += 1
        out = self._folder / f"said-{self._count}.out"
        one = not apart and (self._quiet_stdout or is_one_place())
        return Said(out, out if one else out.with_suffix(".err"))

    def _wait(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: int | None,
        stdout: int | None,
        stderr: int | None,
        meanwhile: Callable[[], None] | None = None,
    ) -> int:
        with deaf() if self.sheltered else contextlib.nullcontext():
            if self.interrupted or self._is_over():
                return Exit.INTERRUPTED
            self._process = _started(command, environ, stdin, stdout, stderr)
        while True:
            try:
                code = self._process.wait(_PATIENCE if meanwhile is None else _GLANCE)
                self.interrupted = self.interrupted or is_interruption(code)
                return exit_code_of(code)
            except subprocess.TimeoutExpired:
                self._pass_interruption_on()
            if self._is_over():
                cut_off(self._process)
            if meanwhile is not None:
                meanwhile()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.interrupted, self._heard = True, time.monotonic()
        if self.sheltered:
            if self._process is not None:
                cut_off(self._process)
        elif number != signal.SIGINT and self._process is not None:
            self._process.terminate()

    def _pass_interruption_on(self) -> None:
        """Interrupt a process that did not get the signal itself, being in another group."""
        if not self.interrupted or self.sheltered or self._process is None:
            return
        if time.monotonic() - self._heard >= _PATIENCE:
            self._process.send_signal(signal.SIGINT)
            self._heard = time.monotonic()


def listen(note: Handler) -> dict[int, Any]:
    """Have ``note`` called by the signals that ask to end; give the handlers that there were.

    What was ignored stays so, as under `nohup`.
    """
    heard = [n for n in _ENDING if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, note) for number in heard}


def set_handlers(handlers: Mapping[int, Any]) -> None:
    """Have these handlers of signals, by number."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def waited_for() -> Iterator[list[int]]:
    """Have the signals that ask to end only be noted: what has begun is waited for."""
    heard: list[int] = []
    handlers = listen(lambda number, _: heard.append(number))
    try:
        yield heard
    finally:
        set_handlers(handlers)


def cut_off(process: subprocess.Popen[bytes]) -> None:
    """End a process at once, and what it has started; one that has ended already is left alone."""
    if process.poll() is not None:
        return
    for child in [*_descendants(process.pid), process.pid][::-1]:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)


def _descendants(process: int) -> list[int]:
    """Give the processes that one has started, and they; none where the system does not tell."""
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except (OSError, ValueError):
        return []
    return [one for child in children for one in (*_descendants(child), child)]


def is_interruption(code: int) -> bool:
    """Say whether a process with this exit code was interrupted, by whomever.

    ``code``: as `subprocess` gives it, or a shell.
    """
    return code in {-signal.SIGINT, Exit.INTERRUPTED}


def refuse_interrupted(raised: Sequence[object], *, interrupted: bool) -> None:
    """Raise KeyboardInterrupt for an error that comes of an interruption: of a child, say.

    Not for one that says that something was changed: that is more. ``raised``: what `__exit__` is
    given.
    """
    for error in raised[1:2] if interrupted else ():
        # (Anything else is a bug, and told.)
        if isinstance(error, SafepipError | OSError) and getattr(error, "exit", 0) != Exit.CHANGED:
            raise KeyboardInterrupt from error


def exit_code_of(code: int) -> int:
    """Give the exit code of a process as a shell has it, which names a signal otherwise."""
    return code if code >= 0 else 128 - code


def _started(
    command: Sequence[str],
    environ: Mapping[str, str],
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            env=dict(environ),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            close_fds=False,  # `-r <(…)` is a file that only an inherited handle opens
        )
    except OSError as error:
        raise NoEngine(f"cannot run `{command[0]}`: {error.strerror}") from error


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Start what is started meanwhile without an ear for interruptions: it inherits that.

    Not by a session of its own, which would take the terminal from a `git` that asks for a
    password; nor by `preexec_fn`, which is unsafe where there are threads, as in notebooks.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # what came meanwhile is heard now
