"""The engine that has uv plan and act: `uv pip install`, and `uninstall`.

uv says what it would do, and where it has that from; pip fetches just these wheels, by their
hashes, so that the verdict is on files. Then uv installs exactly those, without index or
configuration; what was given by URL, it has from there again. What uv would build is not judged,
and so not installed.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from safepip.decisions.judging.requirements import extras_asked
from safepip.decisions.uv.answers import as_given, parse_changes
from safepip.decisions.uv.options import as_pip_options, is_set
from safepip.decisions.uv.words import UvCommand, as_words, known_options, read_words
from safepip.effects.interpreters import ask_python
from safepip.effects.keeping import kept
from safepip.effects.processes import InProcesses, Processes
from safepip.effects.removals import removal_of
from safepip.effects.requirement_files import read_inputs
from safepip.effects.requirement_lines import name_of, name_of_wheel
from safepip.effects.uv_acting import (
    environ_to_act,
    forget_request,
    words_to_install,
    words_to_remove,
)
from safepip.effects.uv_asked import asked_of
from safepip.effects.uv_fetching import UvFetcher
from safepip.effects.uv_inputs import INPUT_COPY, with_files
from safepip.effects.wheels import describe_wheel, sha256_of
from safepip.values.account import Account, Depth, Entry, Failed, Scheme
from safepip.values.errors import CannotJudge
from safepip.values.exits import Exit
from safepip.values.request import PipOptions
from safepip.values.retry import Retry
from safepip.values.text import normalised, shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from safepip.decisions.uv.answers import Located, UvChange
    from safepip.decisions.uv.words import UvOption
    from safepip.effects.asking import Asking
    from safepip.effects.streams import Said
    from safepip.values.environment import Environment, Interpreter
    from safepip.values.verdict import EngineName

_OURS = (
    *("--python", "--system", "--no-system", "--dry-run", "--output-format"),
    *("--break-system-packages", "--no-break-system-packages"),
    *("--quiet", "--verbose", "--color"),
)
"""What safepip says itself."""
_UNJUDGED = {
    "--exact": "install it, and remove nothing",
    "--python-version": "have what is for the Python that is there",
    "--python-platform": "have what is for the machine that is there",
}
"""Options of which it cannot be judged what they do, and what the command does without them."""
_USAGE = re.compile(rb"^Usage: uv pip (\w+) .*$", re.MULTILINE)
_NOTHING = b"Would make no changes\n"


class _UvFailed(Exception):
    def __init__(self, code: int, said: Said) -> None:
        super().__init__(code)
        self.code = code
        self.said = said


class Uv(InProcesses):
    """One command of uv in several processes. Use it as a context manager."""

    name: ClassVar[EngineName] = "uv"
    unanswered = False
    unsolved = False
    missing: Sequence[tuple[str, str]] = ()

    def __init__(self, asking: Asking) -> None:
        folder = Path(tempfile.mkdtemp(prefix="uv-", dir=asking.folder()))
        self._asking = asking._replace(folder=lambda: folder)
        self._processes = Processes(
            folder,
            quiet_stdout=asking.quiet_stdout,
            silent=asking.silent,
            is_over=asking.is_over,
        )
        gone = ("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES")
        self._environ = {k: v for k, v in asking.environ.items() if k not in gone}
        self._fetcher = UvFetcher(self._asking, self._processes, self._asked_quietly)
        self._urls: Mapping[str, str] = {}
        self._account: Account | None = None
        self._of_compile: Mapping[str, UvOption] = {}
        self._said: Said | None = None
        self._prefix = ""
        self._known: Mapping[str, UvOption] = {}
        self._command = UvCommand("", (), ())
        self.options = PipOptions()
        self.pip_version = ""

    # The whole conversation, in the order in which it is held.

    def greet(self) -> Interpreter:
        """Give what the environment's Python says of itself.

        Raises: NoEngine.
        """
        said = self._quietly((self._asking.uv, "--version"))[1]
        self.pip_version = said.out.read_text("utf-8", "replace").strip().partition(" (")[0]
        return ask_python(self._asking.python, self._environ)

    def read_options(self) -> PipOptions | Failed:
        """Give what the arguments mean, by uv's own help.

        Raises: CannotJudge.
        """
        self._known = known_options(self._help("pip", "install"))
        command = read_words(("pip", *self._asking.arguments), self._known)
        self._command = command = with_files(command, self._environ, self._asking.folder())
        if command.verb == "install" and "--output-format" not in self._known:
            uv = shown(self.pip_version)
            raise CannotJudge(f"{uv} is too old to say its plan to programs; 0.13 does")
        for option, says in _UNJUDGED.items():
            if command.has(option):
                raise CannotJudge(
                    f"what `uv pip install {option}` changes cannot be judged",
                    retry=Retry(says, without=(option,)),
                )
        self.options = as_pip_options(command, self._asking.environ)
        return self.options

    def plan(
        self,
        environment: Environment,
        *,
        break_system_packages: bool = False,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let uv plan without acting, and fetch what it planned.

        Raises: CannotJudge, UnreadableReport.
        """
        # uv is let through a seal that safepip itself has made, and fetches after its plan alone.
        del break_system_packages, is_refused, depth
        self._prefix = environment.prefix
        if self._command.verb == "uninstall":
            self._account = self._removals(environment)
            return self._account
        try:
            self._account = self._attempt(environment)
        except _UvFailed as failure:
            self._tell(failure.said.out.read_bytes(), failure.said.err.read_bytes())
            return Failed(failure.code)
        return self._account

    def plan_again(
        self,
        environment: Environment,
        constraints: Sequence[str],
        *,
        is_refused: Callable[[Account], bool] | None = None,
        depth: Depth = "files",
    ) -> Account | Failed:
        """Let uv plan again, under further constraints, without a word to the user.

        Raises: CannotJudge, UnreadableReport.
        """
        del is_refused, depth  # as above
        held = self._asking.folder() / "held.txt"
        held.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        files = [str(held)]
        if not self._command.has("--constraints"):
            # An option takes the place of the variable.
            files += self._environ.get("UV_CONSTRAINT", "").split()
        try:
            self._account = self._attempt(environment, *(f"--constraints={file}" for file in files))
        except _UvFailed as failure:
            return Failed(failure.code)
        return self._account

    def plan_further(self, depth: Depth) -> Account | Failed:
        """Give the plan, which was all there."""
        del depth
        return self._account or Account()

    def act(self, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        """Let uv carry out the plan, and give its exit code.

        ``instead`` names wheels to take in place of others, ``protect`` absolute paths that are
        there afterwards whatever uv removes.
        """
        if self.interrupted:
            return Exit.INTERRUPTED
        account, command = self._account or Account(), self._command
        if command.verb == "install" and not account.entries:
            return self._nothing_to_do()
        ours = (*self._there(), "--no-config", "--break-system-packages")
        start = (self._asking.uv, "pip", command.verb, *ours)
        folder = self._asking.folder() / "judged"
        words = (
            words_to_install(account, command, instead, self._urls, folder)
            if command.verb == "install"
            else words_to_remove(account, command)
        )
        whole = (*start, *words)
        self._processes.sheltered = True
        with kept(protect, self._prefix, self._asking.folder()):
            code = self._processes.run(whole, environ_to_act(self._environ))
        if code == 0:
            for entry in account.entries:
                forget_request(entry)
        return code

    def pass_through(self, *, dry_run: bool = False) -> int:
        """Let uv do its work unguarded, and give its exit code."""
        more = ("--dry-run",) if dry_run else ()
        words = (self._command.verb, *self._there(), *self._options(but=("--python", "--system")))
        words = (self._asking.uv, "pip", *words, *more, "--", *self._command.names)
        return self._processes.run(words, self._environ)

    def stop(self, code: int = 1, *, dry_run: bool = False) -> int:
        """End with nothing done; for a dry run, with uv's own words on what it would have done."""
        if dry_run and self._said is not None:
            if self._command.has("--output-format"):
                self._processes.say(self._said.out.read_bytes())
            self._processes.say_error(self._said.err.read_bytes())
        return code

    def _nothing_to_do(self) -> int:
        """Say what uv says where all is there; it was asked already, though by a dry run."""
        if self._said is not None:
            self._tell(b"", self._said.err.read_bytes().replace(_NOTHING, b""))
        return 0

    def _tell(self, out: bytes, err: bytes) -> None:
        """Say what uv said, but for the options and the copy that safepip gave it."""
        self._processes.say(out)
        err = err.replace(os.fsencode(self._asking.folder() / INPUT_COPY), b"-")
        self._processes.say_error(_USAGE.sub(rb"Usage: uv pip \1 [OPTIONS] ...", err))

    # How uv is asked.

    def _there(self) -> tuple[str, str]:
        """Name the environment to uv, however it was found."""
        return ("--python", self._asking.python)

    def _options(self, *, but: Iterable[str]) -> Iterable[str]:
        return as_words((n, v) for n, v in self._command.options if n not in but)

    def _quietly(self, words: Sequence[str]) -> tuple[int, Said]:
        loud = ("FORCE_COLOR", "CLICOLOR_FORCE")
        environ = {name: value for name, value in self._environ.items() if name not in loud}
        return self._processes.run_quietly(words, {**environ, "NO_COLOR": "1"}, apart=True)

    def _asked_quietly(self, words: Sequence[str]) -> Path:
        """Give the file with what `uv pip` wrote on stdout.

        Raises: _UvFailed.
        """
        verb, *rest = words
        code, said = self._quietly((self._asking.uv, "pip", verb, *self._there(), *rest))
        if code:
            raise _UvFailed(code, said)
        return said.out

    def _help(self, *verb: str) -> str:
        code, said = self._quietly((self._asking.uv, *verb, "--help"))
        if code:
            raise CannotJudge(f"`uv {' '.join(verb)} --help` ends with {code}")
        return said.out.read_text("utf-8", "replace")

    def _attempt(self, environment: Environment, *constraints: str) -> Account:
        """Give a plan of uv's, with its wheels on disk.

        Raises: _UvFailed, CannotJudge, UnreadableReport.
        """
        command = self._command
        ours = ("--dry-run", "--output-format=json", "--break-system-packages")
        words = ("pip", "install", *self._there(), *ours, *self._options(but=_OURS), *constraints)
        code, said = self._quietly((self._asking.uv, *words, "--", *command.names))
        if code:
            raise _UvFailed(code, said)
        self._said = said
        text = said.err.read_text("utf-8", "replace")
        changes, gone = parse_changes(said.out.read_bytes(), text)
        if gone:
            raise CannotJudge(f"uv would also remove {', '.join(gone)}")
        if not changes:
            return Account(compiles=False)
        asked = asked_of(command, self._environ)
        changes = tuple(replace(c, url=as_given(c.url, asked)) for c in changes)
        self._of_compile = self._of_compile or known_options(self._help("pip", "compile"))
        wheels = self._fetcher.wheels_of(changes, command, self._known, self._of_compile)
        self._urls = {change.name: change.url for change in changes if change.url}
        asked_names = frozenset(normalised(name_of(a) or name_of_wheel(a)) for a in asked)
        entries = [
            self._entry(change, *wheels[change.name], asked_names, environment)
            for change in changes
        ]
        wished = {"": asked, **{entry.name: entry.requires for entry in entries}}
        extras = extras_asked(wished, environment.interpreter.markers)
        whole = (replace(e, extras=tuple(sorted(extras.get(e.name, ())))) for e in entries)
        return Account(entries=tuple(whole), compiles=self._compiles)

    # What comes of it.

    @property
    def _compiles(self) -> bool:
        is_wanted = is_set(self._environ, "UV_COMPILE_BYTECODE")
        return is_wanted or self._command.has("--compile-bytecode")

    @staticmethod
    def _entry(
        change: UvChange,
        wheel: str,
        located: Located,
        asked: frozenset[str],
        environment: Environment,
    ) -> Entry:
        home = environment.interpreter
        described = describe_wheel(wheel)
        include = f"{home.prefix}/include/python{home.minor}/{described.name}"
        installed = environment.installed.get(change.name)
        return Entry(
            name=change.name,
            version=described.version,
            url=without_secrets(located.url),
            sha256=sha256_of(wheel),
            source="wheel",
            is_direct=bool(change.url),
            requested=change.name in asked,
            extras=(),
            provides=described.provides,
            requires=described.requires,
            wheel=wheel,
            scheme=Scheme(home.purelib, home.platlib, include, home.scripts, home.prefix),
            before=removal_of(installed, home) if installed is not None else None,
            by_uv=True,
        )

    def _removals(self, environment: Environment) -> Account:
        files = self._command.values("--requirements")
        inputs = read_inputs(files, (), self._environ)
        if inputs.unseen or inputs.editables:
            raise CannotJudge("what uv would uninstall is not known by name")
        lines = [*self._command.names, *inputs.requirements]
        names = dict.fromkeys(normalised(name_of(line)) for line in lines)
        if "" in names:
            raise CannotJudge("what uv would uninstall is not known by name")
        found = {name: environment.installed.get(name) for name in names}
        removals = [removal_of(one, environment.interpreter) for one in found.values() if one]
        missing = tuple(name for name, one in found.items() if one is None)
        return Account(removals=tuple(removals), not_installed=missing)
