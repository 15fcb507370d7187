"""The engine that goes by what pip documents: a dry run with a report, then a second pip that acts.

Between the two the planned artifacts are fetched, or built, once, so that the verdict is on files
and not on names. Where the plan is wheels of an index, the second pip gets exactly those and no
network. Otherwise it does its work again, under the plan's versions, and what it installed is
compared with what was judged.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from safepip.effects.acting import Act, act_for, compare
from safepip.effects.asking import Asking, OtherPython, interpreter_of
from safepip.effects.catching import Catcher
from safepip.effects.fetching import Fetcher, PipFailed
from safepip.effects.inputs import repeatable, with_copies, with_options
from safepip.effects.keeping import gone, kept
from safepip.effects.parsing import ask_parsers
from safepip.effects.planning import Planned, delivered, planned
from safepip.effects.processes import InProcesses, Processes
from safepip.effects.requirement_lines import missing_files
from safepip.effects.retelling import Told, as_one, failed
from safepip.effects.streams import hide, is_terminal
from safepip.effects.uninstalling import account_of, flattened, names_in_files
from safepip.values.account import Account, Depth, Failed
from safepip.values.exits import Exit
from safepip.values.request import PipOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.values.environment import Environment, Interpreter
    from safepip.values.verdict import EngineName

_SAID_LIMIT = 20_000
_EXPERIMENTAL = b"--report is currently an experimental option"


class TwoPass(InProcesses):
    """One command of pip in several processes. Use it as a context manager."""

    name: ClassVar[EngineName] = "two-pass"

    def __init__(self, asking: Asking) -> None:
        folder = Path(tempfile.mkdtemp(prefix="two-pass-", dir=asking.folder()))
        self._asking = asking._replace(folder=lambda: folder)
        self._processes = Processes(
            folder,
            quiet_stdout=asking.quiet_stdout,
            silent=asking.silent,
            is_over=asking.is_over,
        )
        self._count = 0
        self._plan: Planned | None = None
        self._breaks: tuple[str, ...] = ()
        self.options = PipOptions()
        self.pip_version = ""
        self.unanswered = False
        """pip asked whether to go on, and nobody could answer."""
        self.unsolved = False  # pip's public options do not say why it failed
        self.missing: list[tuple[str, str]] = []
        """Requirements by path that is not there: name and path."""

    # The whole conversation, in the order in which it is held.

    def greet(self) -> Interpreter:
        """Let pip parse its arguments, and give what its Python says of itself.

        Raises: OtherPython, NoEngine.
        """
        self._greeting = ask_parsers(self._asking, self._processes)
        if self._greeting.python and not self._asking.python_chosen:
            raise OtherPython(self._greeting.python, self._greeting.verb)
        self.pip_version = self._greeting.pip_version
        return interpreter_of(self._greeting.interpreter)

    def read_options(self) -> PipOptions | Failed:
        """Give what pip made of its arguments; copy what can be read only once.

        Raises: CannotJudge.
        """
        if self._greeting.parsed is None:
            self._processes.replay(self._greeting.said)
            return Failed(self._greeting.code)
        self._command, copies = repeatable(self._greeting.parsed, self._asking)
        users = {copy: path for path, copy in copies.items()}
        users[str(self._asking.folder() / "tmp")] = tempfile.gettempdir()
        self._processes.called = {os.fsencode(k): os.fsencode(v) for k, v in users.items()}
        self.options = self._command.parsed.options
        return self.options

    def plan(
        self,
        environment: Environment,
        *,
        break_system_packages: bool = False,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip plan without acting, and fetch what it planned.

        Raises: CannotJudge, UnreadableReport.
        """
        del is_refused, depth  # pip fetches before it reports
        command, self._environment = self._command, environment
        if break_system_packages and command.parsed.breaks:
            self._breaks = ("--break-system-packages",)
        if command.parsed.verb == "uninstall":
            self._names = names_in_files(command)
            return account_of(command.parsed, self._names, environment)
        self.missing = missing_files([*command.parsed.arguments, *command.inputs.requirements])
        folder = self._asking.folder()
        self._catcher = Catcher(folder)
        self._fetcher = Fetcher(self._processes, self._pip, command.environ, folder, self._catcher)
        try:
            self._plan = self._attempt()
        except PipFailed as failure:
            self._tell(failed(failure.after, failure.said))
            return Failed(failure.code)
        return self._plan.account

    def plan_again(
        self,
        environment: Environment,
        constraints: Sequence[str],
        *,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let pip plan again, under further constraints, without a word to the user.

        Raises: CannotJudge, UnreadableReport.
        """
        del is_refused, depth  # as above
        self._environment = environment
        path = self._asking.folder() / "held-by-conda.txt"
        path.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        try:
            self._plan = self._attempt("-c", str(path))
        except PipFailed as failure:
            return Failed(1, failure.reason, failure.said.text[-_SAID_LIMIT:])
        return self._plan.account

    def plan_further(self, depth: Depth) -> Account | Failed:
        """Give the plan, which was all there."""
        del depth
        return self._plan.account if self._plan is not None else Account()

    def act(self, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        """Let pip carry out the plan, and give its exit code.

        ``instead`` names wheels to take in place of others, ``protect`` absolute paths that are
        there afterwards whatever pip removes.

        Raises: VerifyFailed, CannotJudge.
        """
        if self.interrupted:
            return Exit.INTERRUPTED
        if self._plan is None:
            with kept(protect, self._environment.prefix, self._asking.folder()):
                return self._uninstall()
        return self._install(self._plan, instead, protect)

    def pass_through(self, *, dry_run: bool = False) -> int:
        """Let pip do its work unguarded, and give its exit code."""
        more = ("--dry-run",) if dry_run else ()
        arguments = with_options(self._command.arguments, more)
        return self._processes.run(self._pip(arguments), self._command.environ)

    def stop(self, code: int = 1, *, dry_run: bool = False) -> int:
        """End with nothing done; for a dry run, with pip's own words on what it would have done."""
        if dry_run and self._plan is not None:
            self._deliver_report(self._plan)
            self._processes.replay(self._plan.said)
        return code

    # How pip is started.

    def _pip(self, arguments: Sequence[str]) -> tuple[str, ...]:
        if self._asking.pip_from:
            runner = f"{self._asking.pip_from}/pip/__pip-runner__.py"
            return (self._asking.python, runner, *arguments)
        return (self._asking.python, "-m", "pip", *arguments)

    def _attempt(self, *constraints: str) -> Planned:
        self._count += 1
        report = self._asking.folder() / f"report-{self._count}.json"
        options = (*constraints, "--dry-run", "--report", str(report))
        arguments = with_options(self._command.arguments, options)
        environ = {k: v for k, v in self._command.environ.items() if k != "FORCE_COLOR"}
        environ["TMPDIR"] = str(self._catcher.temporary)
        code, said = self._processes.run_quietly(
            self._pip(arguments), environ, meanwhile=self._catcher.look
        )
        if self._command.parsed.report is None:
            hide(_EXPERIMENTAL, said)
        if code != 0:
            raise PipFailed(code, said)
        try:
            return planned(
                self._command,
                self._environment,
                self._fetcher,
                report=report,
                said=said,
                constraints=constraints,
            )
        except PipFailed as failure:
            raise PipFailed(failure.code, failure.said, after=said) from failure

    def _install(self, plan: Planned, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        environment, folder = self._environment, self._asking.folder()
        act = act_for(plan, instead, self._command, environment, folder)
        options = [*self._breaks, *self._deliver_report(plan)]
        if not act.is_offline and not plan.items:
            # Nothing to do, and pip has said so. A second pip might find something after all.
            self._processes.replay(plan.said)
            return 0
        self._processes.sheltered = True
        with gone(act.spared), kept([*protect, *act.spared], environment.prefix, folder):
            code = self._run(act, options, plan)
        if code == 0:
            compare(act, environment.interpreter)
        return code

    def _run(self, act: Act, options: Sequence[str], plan: Planned) -> int:
        """Let pip act; from a private folder in words that do not speak of it."""
        command = self._pip(with_options(act.arguments, options))
        if not act.is_offline or is_terminal(1):
            return self._processes.run(command, act.environ)
        code, said = self._processes.run_quietly(command, act.environ, apart=True)
        self._tell(as_one(plan.said, self._fetcher.said, said, code))
        return code

    def _tell(self, told: Told) -> None:
        self._processes.say(told.out)
        self._processes.say_error(told.err)

    def _uninstall(self) -> int:
        files = flattened(self._command.parsed, self._names, self._asking.folder())
        given = with_copies(self._command.arguments, self._command.environ, files)
        command, environ = self._pip(with_options(given[0], self._breaks)), given[1]
        self._processes.sheltered = self.options.yes
        if self.options.yes or is_terminal(0):
            return self._processes.run(command, environ)
        code, said = self._processes.run_half_quietly(command, environ)
        self.unanswered = "EOFError" in said.text or "lost sys.stdin" in said.text
        if self.unanswered:
            return 1
        self._processes.replay(said)
        return code

    def _deliver_report(self, plan: Planned) -> tuple[str, ...]:
        """Put the plan's report where the user wants one, and give options that keep it there."""
        path = self._command.parsed.report
        if path is None or not delivered(plan, path, self._processes.say):
            return ()
        return ("--report", str(self._asking.folder() / "report-of-act.json"))
