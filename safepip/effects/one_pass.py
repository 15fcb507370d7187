"""The engine that lets one pip process plan, wait for the verdict, and go on.

The environment's pip runs `runner.py`, which stops it at the one place where every wheel is on
disk and nothing has been changed yet. What was judged is then what is installed: the same files.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from safepip.effects.asking import (
    RUNNER,
    Asking,
    OtherPython,
    SeamsMoved,
    interpreter_of,
    not_started,
)
from safepip.effects.processes import (
    cut_off,
    deaf,
    exit_code_of,
    listen,
    refuse_interrupted,
    set_handlers,
)
from safepip.values.account import Account, Failed
from safepip.values.errors import NoEngine, UnreadableReport
from safepip.values.exits import Exit
from safepip.values.request import PipOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from typing_extensions import Self

    from safepip.values.account import Depth
    from safepip.values.environment import Environment, Interpreter
    from safepip.values.verdict import EngineName

_MESSAGE_LIMIT = 512 * 1024 * 1024
_PATIENCE = 1.0
"""Seconds between looks at what happened besides: an interruption, a dead child."""


class OnePass:
    """A conversation with one pip process. Use it as a context manager."""

    name: ClassVar[EngineName] = "one-pass"

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.options = PipOptions()
        self.pip_version = ""
        self.verb = ""
        """The verb that pip finds in the arguments."""
        self.verb_at = 0
        """Which of the arguments that is."""
        self.usage_error = False
        """pip cannot make out its verb; `read_options` gives its exit code."""
        self.interrupted = False
        self._acting = False
        self._is_started = False
        self._is_heard = False
        """It has said that it is loaded."""
        self.unanswered = False
        """pip asked whether to go on, and nobody could answer."""
        self.unsolved = False
        """pip found no versions that go together, or none at all."""
        self.missing: list[tuple[str, str]] = []
        """Requirements by path that is not there: name and path."""
        self._is_refused: Callable[[Account], bool] | None = None
        self._depth: Depth = "files"
        self._is_held = False
        """pip waits with a plan under further constraints, or because there is none."""
        self._looks_at_first = False
        """What the runner was last told to look at is its first plan."""

    # The whole conversation, in the order in which it is held.

    def __enter__(self) -> Self:
        to_child, self._answers = os.pipe()
        self._messages, from_child = os.pipe()
        self._buffer = b""
        self._handlers = listen(self._note)
        try:
            self._process = self._start(to_child, from_child)
            self._is_started = True
        except BaseException:
            set_handlers(self._handlers)
            raise
        finally:
            os.close(to_child)
            os.close(from_child)
        return self

    def greet(self) -> Interpreter:
        """Wait until pip is loaded, and give what its Python says of itself.

        Raises: SeamsMoved, OtherPython, NoEngine.
        """
        message = self._receive()
        self._is_heard = True
        if message is None or message.get("type") != "hello":
            raise not_started(self._asking.python, exit_code_of(self._process.wait()))
        if moved := message.get("moved"):
            raise SeamsMoved([str(seam) for seam in moved])
        self.verb, self.verb_at = str(message.get("verb") or ""), int(message.get("verb_at") or 0)
        self.usage_error = bool(message.get("usage_error"))
        if (python := message.get("python")) and not self._asking.python_chosen:
            raise OtherPython(str(python), self.verb, self.verb_at)
        self.pip_version = str(message.get("pip_version", ""))
        return interpreter_of(message.get("interpreter"))

    def read_options(self) -> PipOptions | Failed:
        """Let pip parse its arguments, and give what it made of them."""
        self._answer({"do": "go"})
        message = self._receive()
        if message is None:
            return self._ended()
        from safepip.decisions.planning.report import parse_options  # not while pip could load

        self.options = parse_options(message.get("options"))
        return self.options

    def plan(
        self,
        environment: Environment,  # noqa: ARG002 - pip itself knows what it would take away
        *,
        break_system_packages: bool = False,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip plan: resolve, fetch, build."""
        self._is_refused, self._depth = is_refused, depth
        go = {"do": "go", "break_system_packages": break_system_packages}
        self._answer({**go, "outline": is_refused is not None})
        return self._account()

    def plan_again(
        self,
        environment: Environment,  # noqa: ARG002 - as above
        constraints: Sequence[str],
        *,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip plan again, under further constraints, without a word to the user."""
        self._is_refused, self._depth, self._is_held = is_refused, depth, True
        files: list[str] = []
        if constraints:  # (The runner reads no file twice.)
            path = self._asking.folder() / "held-by-conda.txt"
            path.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
            files.append(str(path))
        self._answer({"do": "again", "constraints": files})
        return self._account()

    def plan_further(self, depth: Depth) -> Account | Failed:
        """Let pip say more of its first plan, or fetch it; whatever it has planned since."""
        self._is_refused, self._depth = None, depth
        if depth == "lists":
            self._look(first=True)
        else:
            self._back_to_first()
        return self._account()

    def act(self, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        """Let pip go on with the plan, and give its exit code.

        ``instead`` names wheels to take in place of others, ``protect`` absolute paths that are
        not removed whatever pip believes.
        """
        self._acting = True  # first: an interruption from here on cuts pip off
        if self.interrupted:
            return self.stop(Exit.INTERRUPTED)
        self._answer({"do": "go", "instead": dict(instead), "protect": list(protect)})
        if (message := self._receive()) is not None:
            self.unanswered = message.get("type") == "no-answer"
        return exit_code_of(self._process.wait())

    def pass_through(self, *, dry_run: bool = False) -> int:
        """Let pip go on unguarded, and give its exit code."""
        self._answer({"do": "unguarded", "dry_run": dry_run})
        return exit_code_of(self._process.wait())

    def stop(self, code: int = 1, *, dry_run: bool = False) -> int:
        """End pip with nothing done; for a dry run it says what it would have installed."""
        self._answer({"do": "stop", "code": code, "dry_run": dry_run})
        return exit_code_of(self._process.wait())

    def __exit__(self, *raised: object) -> None:
        os.close(self._answers)  # the runner takes a closed pipe for stop
        self._process.wait()
        os.close(self._messages)
        set_handlers(self._handlers)
        refuse_interrupted(raised, interrupted=self.interrupted)

    # How a message goes there and back.

    def _setup(self) -> dict[str, Any]:
        """Give what the runner is told at its start."""
        return {"pip": self._asking.pip_from, "arguments": list(self._asking.arguments)}

    def _start(self, read: int, write: int) -> subprocess.Popen[bytes]:
        setup = {"read": read, "write": write, **self._setup()}
        for handle in (read, write):
            os.set_inheritable(handle, True)  # noqa: FBT003 - that is its signature
        try:
            with deaf():  # until the runner hears it: Python would say where it was cut off
                return subprocess.Popen(
                    [self._asking.python, RUNNER, json.dumps(setup)],
                    close_fds=False,  # `-r <(…)` is a file that only an inherited handle opens
                    env=dict(self._asking.environ),
                    stdin=subprocess.DEVNULL if self._asking.silent else None,
                    stdout=self._stdout(),
                    stderr=subprocess.DEVNULL if self._asking.silent else None,
                )
        except OSError as error:
            raise NoEngine(f"cannot run `{self._asking.python}`: {error.strerror}") from error

    def _stdout(self) -> int | None:
        if self._asking.silent:
            return subprocess.DEVNULL
        return sys.stderr.fileno() if self._asking.quiet_stdout else None

    def _account(self) -> Account | Failed:
        """Give the plan that is the next; let pip go on with it until enough of it is there."""
        found = self._next_account()
        while isinstance(found, Account) and not self._is_enough(found):
            if self._depth == "lists":
                self._look(first=False)
            else:
                self._answer({"do": "go"})
            found = self._next_account()
        return found

    def _is_enough(self, found: Account) -> bool:
        if found.depth == "outline":
            return self._is_refused is not None and self._is_refused(found)
        return found.depth == "files" or self._depth == "lists"

    def _look(self, *, first: bool) -> None:
        """Have the runner find which files are in the wheels of a plan: its first, or this one."""
        self._looks_at_first = first
        self._answer({"do": "look", "first": first, "folder": str(self._asking.folder())})

    def _back_to_first(self) -> None:
        """Let pip go on with its first plan, which it makes anew where it is at another."""
        self._answer({"do": "again", "constraints": []} if self._is_held else {"do": "go"})
        self._is_held = False

    def _next_account(self) -> Account | Failed:
        message = self._receive()
        if message is None:
            return self._ended()
        if message.get("type") == "moved":
            raise SeamsMoved([str(seam) for seam in message.get("seams", [])])
        if message.get("type") == "no-lists":
            self._depth = "files"
            if self._looks_at_first:
                self._back_to_first()
            else:
                self._answer({"do": "go"})
            return self._next_account()
        if message.get("type") == "failed":
            return Failed(1, str(message.get("reason", "")), str(message.get("said", "")))
        from safepip.decisions.planning.report import parse_account

        return parse_account(message)

    def _answer(self, answer: Mapping[str, Any]) -> None:
        data = memoryview(json.dumps(answer).encode() + b"\n")
        try:
            while data:
                data = data[os.write(self._answers, data) :]
        except BrokenPipeError:
            return  # pip has ended already; the next look at the messages says so

    def _receive(self) -> dict[str, Any] | None:
        """Give the next message that wants an answer, or None when pip has ended."""
        while (message := self._next_message()) is not None:
            if message.get("type") == "unsolved":
                self.unsolved = True
                continue
            if message.get("type") != "missing":
                return message
            self.missing.append((str(message.get("name")), str(message.get("path"))))
        return None

    def _next_message(self) -> dict[str, Any] | None:
        while b"\n" not in self._buffer:
            if not select.select([self._messages], [], [], _PATIENCE)[0]:
                self._while_waiting()
                continue
            chunk = os.read(self._messages, 1 << 20)
            if not chunk:
                return None
            self._buffer += chunk
            if len(self._buffer) > _MESSAGE_LIMIT:
                raise UnreadableReport("plan", "a report", f"{len(self._buffer)} bytes")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise UnreadableReport("plan", "JSON", str(error)) from error
        return message if isinstance(message, dict) else {}

    def _ended(self) -> Failed:
        return Failed(exit_code_of(self._process.wait()))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.interrupted = True
        if self._acting:
            # Whatever pip has done by now is taken back, so there is nothing to wait for.
            cut_off(self._process)
        elif self._is_started and not self._is_heard:
            cut_off(self._process)  # it is deaf, and may hang in what Python's own start does
        elif number != signal.SIGINT and self._is_started:
            self._process.terminate()

    def _while_waiting(self) -> None:
        """Interrupt a pip that did not get the signal itself, being in another process group.

        One that is only tried is ended when its time is up.
        """
        if self._asking.is_over():
            cut_off(self._process)
        if self.interrupted and not self._acting and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            time.sleep(_PATIENCE)
