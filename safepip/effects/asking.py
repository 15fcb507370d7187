"""What the engines have in common: how pip is asked, and what they may raise among themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from safepip.values.errors import NoEngine, UnreadableReport
from safepip.values.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from safepip.values.account import Account, Depth, Failed
    from safepip.values.environment import Environment, Interpreter
    from safepip.values.request import PipOptions
    from safepip.values.verdict import EngineName


RUNNER = os.path.join(os.path.dirname(__file__), "runner.py")
"""What the interpreter of an environment runs for safepip."""


class Asking(NamedTuple):
    """Everything an engine needs to start pip."""

    python: str
    """The interpreter of the environment."""
    arguments: tuple[str, ...]
    """pip's, exactly as the user gave them."""
    environ: Mapping[str, str]
    folder: Callable[[], Path]
    """Gives a folder that is private to this command, and gone after it."""
    pip_from: str = ""
    """The folder that holds the pip to use; empty for the environment's own."""
    python_chosen: bool = False
    """`--python` has been followed already."""
    uv: str = ""
    """The uv to ask, by its path; empty where it is pip."""
    quiet_stdout: bool = False
    """pip's output goes to stderr, because stdout is for something else."""
    silent: bool = False
    """Nobody is to see what pip says: the plan is safepip's own idea."""
    is_over: Callable[[], bool] = lambda: False
    """Asked again and again while pip is waited for: whether to wait no longer, and end it."""


def not_started(python: str, code: int, *, why: str = "") -> NoEngine:
    """Give the error of an interpreter that ended before it said anything.

    Raises: KeyboardInterrupt, where it was interrupted.
    """
    from safepip.effects.processes import is_interruption

    if is_interruption(code):
        raise KeyboardInterrupt
    return in_no_folder() or NoEngine(f"`{python}` did not start ({code})", why=why)


def in_no_folder() -> NoEngine | None:
    """Give the error where the working folder is gone; None where it is there."""
    try:
        os.getcwd()
    except OSError:
        from safepip.decisions.fixing.commands import command_line
        from safepip.values.verdict import Fix

        go = Fix(command_line("cd", os.path.expanduser("~")), "go to a folder that is there")
        return NoEngine("the folder in which this was said is no longer there", fixes=[go])
    return None


class SeamsMoved(Exception):
    """Say that this pip has not the private interfaces that the one-pass engine needs."""

    def __init__(self, seams: Sequence[str]) -> None:
        super().__init__(", ".join(seams))
        self.seams = tuple(seams)


class OtherPython(Exception):
    """pip was told, by option or configuration, to act on another interpreter."""

    def __init__(self, python: str, verb: str = "", verb_at: int = 0) -> None:
        super().__init__(python)
        self.python = python
        self.verb = verb
        self.verb_at = verb_at
        """Which of the arguments that is."""


class Engine(Protocol):
    """One command of pip, from its arguments to its end, in steps that wait for a verdict.

    The order is `greet`, `read_options`, `plan`, perhaps `plan_again`, and then `act` or `stop`;
    `pass_through` takes the place of `plan` and all that follows.
    """

    @property
    def name(self) -> EngineName:
        """What the engine is called, to people and in JSON."""

    @property
    def interrupted(self) -> bool:
        """Somebody wanted the command to end."""

    @property
    def unanswered(self) -> bool:
        """Pip asked whether to go on, and nobody could answer."""

    @property
    def unsolved(self) -> bool:
        """Pip is known to have failed because no versions go together, or there are none."""

    @property
    def missing(self) -> Sequence[tuple[str, str]]:
        """Requirements by a path that is not there: name and path."""

    @property
    def pip_version(self) -> str:
        """The version of the pip that is asked."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End whatever still runs; what was not told to act has changed nothing."""

    def greet(self) -> Interpreter:
        """Give what the environment's Python says of itself."""

    def read_options(self) -> PipOptions | Failed:
        """Give what pip's own parser makes of the arguments."""

    def plan(
        self,
        environment: Environment,
        *,
        break_system_packages: bool = False,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip resolve, fetch and build.

        ``is_refused``: where it is certain of an outline, that is the plan. ``depth``: what of any
        other has to be there, at least. Only an engine that has outlines gives less than all.
        """

    def plan_again(
        self,
        environment: Environment,
        constraints: Sequence[str],
        *,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip do so under further constraints, without a word to the user.

        Not under those of the time before.
        """

    def plan_further(self, depth: Depth) -> Account | Failed:
        """Give more of the first plan, of which not all was there; at least what is asked for."""

    def act(self, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        """Let pip install or remove what it planned, and give its exit code."""

    def pass_through(self, *, dry_run: bool = False) -> int:
        """Let pip do what it was asked to, unguarded, and give its exit code.

        ``dry_run``: it only says what it would do.
        """

    def stop(self, code: int = 1, *, dry_run: bool = False) -> int:
        """End pip with nothing done, and give its exit code.

        ``dry_run``: pip still says what it would have installed.
        """


def interpreter_of(raw: object) -> Interpreter:
    """Give the interpreter that the runner describes.

    Raises: UnreadableReport.
    """
    from safepip.values.environment import Interpreter  # not before pip is started
    from safepip.values.late import fields

    if not isinstance(raw, dict):
        raise UnreadableReport("interpreter", "dict", type(raw).__name__)
    known: dict[str, Any] = {}
    for field in fields(Interpreter):
        if field.name not in raw:
            raise UnreadableReport(f"interpreter.{field.name}", "a value", "nothing")
        value = raw[field.name]
        known[field.name] = tuple(value) if isinstance(value, list) else value
    return Interpreter(**known)
