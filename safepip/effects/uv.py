"""The engine that has uv plan and act: `uv pip install`, and `uninstall`.

uv says what it would do, and where it has that from; pip fetches just these wheels, by their
hashes, so that the verdict is on files. Then uv installs exactly those, without network, index or
configuration. What uv would build is not judged, and so not installed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from safepip.decisions.uv.answers import page_of, parse_changes, parse_lock, pins_of
from safepip.decisions.uv.words import UvCommand, as_words, options_in, read_words
from safepip.effects.exact import with_login
from safepip.effects.inputs import copied_once
from safepip.effects.interpreters import ask_python
from safepip.effects.keeping import forget, kept
from safepip.effects.processes import Processes
from safepip.effects.removals import removal_of
from safepip.effects.requirement_files import read_inputs
from safepip.effects.requirement_lines import extras_in, name_of, name_of_wheel
from safepip.effects.wheels import describe_wheel, read_wheel, sha256_of
from safepip.values.account import Account, Entry, Failed, Scheme
from safepip.values.errors import CannotJudge, UnreadableReport
from safepip.values.exits import Exit
from safepip.values.request import PipOptions
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from typing_extensions import Self

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
_OF_ACT = (
    *("--quiet", "--verbose", "--color", "--output-format", "--no-progress"),
    *("--link-mode", "--compile-bytecode", "--no-compile-bytecode", "--no-cache", "--cache-dir"),
)
"""What the user may want of the installation itself."""
_OF_PLACES = ("index", "cache", "python", "build", "global", "installer")
"""Groups of options that say where artifacts come from, and how uv gets there."""
_AND = (
    *("--no-binary", "--only-binary", "--no-build", "--torch-backend", "--cert"),
    *("--exclude-newer", "--exclude-newer-package", "--no-sources", "--no-sources-package"),
)
_BUT = ("--reinstall", "--reinstall-package", "--link-mode", "--compile-bytecode")
_FILES = ("--requirements", "--constraints", "--build-constraints", "--overrides", "--excludes")
_UNJUDGED = ("--prefix", "--exact", "--python-version", "--python-platform", "--user")
_LOGINS = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_PIPS = (
    "CONFIG_FILE",
    "CERT",
    "CLIENT_CERT",
    "PROXY",
    "TRUSTED_HOST",
    "TIMEOUT",
    "RETRIES",
    "DEFAULT_TIMEOUT",
)
_OF_MACHINE = frozenset(
    f"UV_{name}"
    for name in (
        *("CACHE_DIR", "NO_CACHE", "LINK_MODE", "COMPILE_BYTECODE", "NO_PROGRESS"),
        *("CONCURRENT_DOWNLOADS", "CONCURRENT_INSTALLS", "HTTP_TIMEOUT", "INSECURE_HOST"),
        *("NATIVE_TLS", "SYSTEM_CERTS", "KEYRING_PROVIDER", "OFFLINE"),
    )
)
"""Variables that say how uv works here. The others say what it is to choose, or even not to check
hashes; by then that is settled."""
_LOCK_LIMIT = 64 * 1024 * 1024


class _UvFailed(Exception):
    def __init__(self, code: int, said: Said) -> None:
        super().__init__(code)
        self.code = code
        self.said = said


class Uv:
    """One command of uv in several processes. Use it as a context manager."""

    name: ClassVar[EngineName] = "uv"
    unanswered = False
    unsolved = False
    missing: Sequence[tuple[str, str]] = ()

    def __init__(self, asking: Asking) -> None:
        folder = Path(tempfile.mkdtemp(prefix="uv-", dir=asking.folder))
        self._asking = replace(asking, folder=folder)
        self._processes = Processes(
            folder,
            quiet_stdout=asking.quiet_stdout,
            silent=asking.silent,
            is_over=asking.is_over,
        )
        gone = ("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES")
        self._environ = {k: v for k, v in asking.environ.items() if k not in gone}
        self._count = 0
        self._account: Account | None = None
        self._of_compile: Mapping[str, UvOption] = {}
        self._said: Said | None = None
        self.options = PipOptions()
        self.pip_version = ""

    @property
    def interrupted(self) -> bool:
        """The user wants this to end."""
        return self._processes.interrupted

    def __enter__(self) -> Self:
        self._processes.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.__exit__()

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
        self._known = uv_options(self._help("pip", "install"))
        command = read_words(("pip", *self._asking.arguments), self._known)
        if "-" in command.values(*_FILES):
            raise CannotJudge("uv would read its requirements from a stream, and more than once")
        copies = copied_once(command.values(*_FILES), self._asking.folder)
        options = tuple((n, copies.get(v, v) if v else v) for n, v in command.options)
        self._command = replace(command, options=options)
        if "--output-format" not in self._known:
            raise CannotJudge("this uv does not say its plan to programs: it is too old")
        for option in _UNJUDGED:
            if command.has(option):
                raise CannotJudge(f"what `uv pip install {option}` changes cannot be judged")
        self.options = _as_pip_options(command, self._asking.environ)
        return self.options

    def plan(
        self, environment: Environment, *, break_system_packages: bool = False
    ) -> Account | Failed:
        """Let uv plan without acting, and fetch what it planned.

        Raises: CannotJudge, UnreadableReport.
        """
        del break_system_packages  # uv is let through a seal that safepip itself has made
        self._environment = environment
        if self._command.verb == "uninstall":
            self._account = self._removals(environment)
            return self._account
        try:
            self._account = self._attempt()
        except _UvFailed as failure:
            self._processes.replay(failure.said)
            return Failed(failure.code)
        return self._account

    def plan_again(self, environment: Environment, constraints: Sequence[str]) -> Account | Failed:
        """Let uv plan again, under further constraints, without a word to the user.

        Raises: CannotJudge, UnreadableReport.
        """
        self._environment = environment
        held = self._asking.folder / "held.txt"
        held.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        files = [str(held)]
        if not self._command.has("--constraints"):
            # An option takes the place of the variable.
            files += self._environ.get("UV_CONSTRAINT", "").split()
        try:
            self._account = self._attempt(*(f"--constraints={file}" for file in files))
        except _UvFailed as failure:
            return Failed(failure.code)
        return self._account

    def act(self, instead: Mapping[str, str], protect: Sequence[str]) -> int:
        """Let uv carry out the plan, and give its exit code.

        ``instead`` names wheels to take in place of others, ``protect`` absolute paths that are
        there afterwards whatever uv removes.
        """
        if self.interrupted:
            return Exit.INTERRUPTED
        account = self._account
        if account is None or not (account.entries or account.removals):
            return self._nothing_to_do()
        words = self._act_words(account, instead)
        self._processes.sheltered = True
        environ = {k: v for k, v in self._environ.items() if k[:3] != "UV_" or k in _OF_MACHINE}
        with kept(protect, self._environment.prefix, self._asking.folder):
            code = self._processes.run(words, environ)
        if code == 0:
            for entry in account.entries:
                _forget_request(entry)
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

    def _help(self, *verb: str) -> str:
        code, said = self._quietly((self._asking.uv, *verb, "--help"))
        if code:
            raise CannotJudge(f"`uv {' '.join(verb)} --help` ends with {code}")
        return said.out.read_text("utf-8", "replace")

    def _attempt(self, *constraints: str) -> Account:
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
        wheels = self._fetched(changes)
        asked = self._asked()
        asked_names = frozenset(normalised(name_of(a) or name_of_wheel(a)) for a in asked)
        entries = [self._entry(change, *wheels[change.name], asked_names) for change in changes]
        lines = [*asked, *(line for entry in entries for line in entry.requires)]
        extras = extras_in(lines)
        entries = [replace(entry, extras=extras.get(entry.name, ())) for entry in entries]
        return Account(entries=tuple(entries), compiles=command.has("--compile-bytecode"))

    def _fetched(self, changes: Sequence[UvChange]) -> Mapping[str, tuple[str, Located]]:
        """Give the wheel of each change, and where it is from, by name.

        Raises: CannotJudge, _UvFailed.
        """
        self._count += 1
        folder = self._asking.folder / f"wheels-{self._count}"
        folder.mkdir()
        lock = parse_lock(_document(self._lock(changes)))
        pins = folder / "pins.txt"
        pins.write_text(pins_of(changes, lock), encoding="utf-8")
        known = self._logins()
        found = [replace(w, url=with_login(w.url, known)) for each in lock.values() for w in each]
        page = folder / "links.html"
        page.write_text(page_of(found), encoding="utf-8")
        how = ("download", "--no-deps", "--only-binary=:all:", "--no-index")
        words = (*how, "--find-links", str(page), "-d", str(folder), "-r", str(pins))
        code, said = self._processes.run_quietly(self._pip(words), self._pip_environ())
        if code:
            errors = [line for line in said.text.splitlines() if line.startswith("ERROR: ")]
            reason = errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with {code}"
            raise CannotJudge(f"what uv planned cannot be fetched: {shown(reason)}")
        return _by_name(folder, changes, lock)

    def _lock(self, changes: Sequence[UvChange]) -> bytes:
        """Give where uv would take these from.

        Raises: _UvFailed.
        """
        asked = self._asking.folder / f"asked-{self._count}.txt"
        asked.write_text("".join(f"{change.pin}\n" for change in changes), encoding="utf-8")
        self._of_compile = self._of_compile or uv_options(self._help("pip", "compile"))
        known = self._of_compile
        given = ((n, v) for n, v in self._command.options if self._is_of_places(n) and n in known)
        form = ("--no-deps", "--no-header", "--format=pylock.toml", "--quiet")
        words = ("pip", "compile", *self._there(), *form, *as_words(given), str(asked))
        code, said = self._quietly((self._asking.uv, *words))
        if code:
            raise _UvFailed(code, said)
        with said.out.open("rb") as file:
            return file.read(_LOCK_LIMIT)

    def _is_of_places(self, name: str) -> bool:
        is_such = self._known[name].group in _OF_PLACES or name in _AND
        return is_such and name not in (*_OURS, *_BUT)

    def _logins(self) -> list[str]:
        names = ("--index", "--default-index", "--index-url", "--extra-index-url", "--find-links")
        given = " ".join(self._environ.get(name, "") for name in _LOGINS)
        return [*self._command.values(*names), *given.split(), *self._command.names]

    def _pip(self, words: Sequence[str]) -> tuple[str, ...]:
        more = (*words, "--disable-pip-version-check")
        if self._asking.pip_from:
            return (self._asking.python, f"{self._asking.pip_from}/pip/__pip-runner__.py", *more)
        return (self._asking.python, "-m", "pip", *more)

    def _pip_environ(self) -> dict[str, str]:
        allowed = {f"PIP_{name}" for name in _PIPS}
        return {k: v for k, v in self._environ.items() if k[:4] != "PIP_" or k in allowed}

    # What comes of it.

    def _asked(self) -> list[str]:
        """Give the requirements of the user, as written."""
        files = self._command.values("--requirements")
        return [*self._command.names, *read_inputs(files, (), self._environ).requirements]

    def _entry(
        self, change: UvChange, wheel: str, located: Located, asked: frozenset[str]
    ) -> Entry:
        home = self._environment.interpreter
        described = describe_wheel(wheel)
        include = f"{home.prefix}/include/python{home.minor}/{described.name}"
        installed = self._environment.installed.get(change.name)
        return Entry(
            name=change.name,
            version=described.version,
            url=located.url,
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

    def _nothing_to_do(self) -> int:
        """Have uv say so: of an install it was asked already."""
        if self._command.verb == "uninstall":
            return self.pass_through()
        self.stop(dry_run=True)
        return 0

    def _act_words(self, account: Account, instead: Mapping[str, str]) -> tuple[str, ...]:
        command = self._command
        mine = as_words((n, v) for n, v in command.options if n in _OF_ACT)
        ours = ("--no-config", "--break-system-packages")
        start = (self._asking.uv, "pip", command.verb, *self._there(), *ours)
        if command.verb == "uninstall":
            said = as_words((n, v) for n, v in command.options if n in _OF_ACT[:3])
            return (*start, *said, *(removal.name for removal in account.removals))
        folder = self._asking.folder / "judged"
        folder.mkdir()
        lines = []
        for entry in account.entries:
            wheel = instead.get(entry.wheel, entry.wheel)
            os.symlink(wheel, folder / os.path.basename(wheel))
            # By its URL, uv notes where it is from. The hash holds it to what was judged.
            is_direct = entry.is_direct and wheel == entry.wheel
            what = f"{entry.name} @ {entry.url}" if is_direct else f"{entry.name}=={entry.version}"
            lines.append(f"{what} --hash=sha256:{sha256_of(wheel)}\n")
        pins = folder.with_suffix(".txt")
        pins.write_text("".join(lines), encoding="utf-8")
        exact = ("--no-deps", "--no-index", f"--find-links={folder}", "--require-hashes")
        again = [f"--reinstall-package={entry.name}" for entry in account.entries]
        return (*start, *exact, *again, *mine, "-r", str(pins))


def uv_options(text: str) -> Mapping[str, UvOption]:
    """Give the options that a help names.

    Raises: CannotJudge, where that is no help.
    """
    found = options_in(text)
    if "--python" not in found:
        raise CannotJudge("what uv says of its options is not understood")
    return found


def _as_pip_options(command: UvCommand, environ: Mapping[str, str]) -> PipOptions:
    targets = command.values("--target")
    is_set = {"1", "true", "yes", "on", "y", "t"}
    breaks = environ.get("UV_BREAK_SYSTEM_PACKAGES", "").lower() in is_set
    no_cache = environ.get("UV_NO_CACHE", "").lower() in is_set
    counted = [name for name, _ in command.options]
    return PipOptions(
        target_dir=os.path.abspath(targets[-1]) if targets else None,
        dry_run=command.has("--dry-run"),
        yes=True,
        ignore_dependencies=command.has("--no-deps"),
        force_reinstall=command.has("--reinstall", "--reinstall-package"),
        upgrade=command.has("--upgrade", "--upgrade-package"),
        pre="allow" in command.values("--prerelease"),
        no_index=command.has("--no-index", "--offline"),
        no_binary=command.has("--no-binary"),
        require_hashes=command.has("--require-hashes"),
        constrained=command.has("--constraints"),
        break_system_packages=breaks or command.has("--break-system-packages"),
        caches=not (no_cache or command.has("--no-cache")),
        verbosity=counted.count("--verbose") - counted.count("--quiet"),
        no_color="never" in command.values("--color"),
    )


def _document(text: bytes) -> dict[str, Any]:
    from safepip.effects.toml import parse_toml

    try:
        return parse_toml(text)
    except ValueError as error:
        raise UnreadableReport("uv's lock", "TOML", error) from error


def _by_name(
    folder: Path, changes: Sequence[UvChange], lock: Mapping[str, Sequence[Located]]
) -> Mapping[str, tuple[str, Located]]:
    wheels = {normalised(path.name.partition("-")[0]): path for path in folder.glob("*.whl")}
    found = {}
    for change in changes:
        wheel = wheels.get(change.name)
        origin = next((w for w in lock[change.name] if wheel and w.file == wheel.name), None)
        if wheel is None or origin is None:
            raise CannotJudge(f"pip fetched no wheel of {change.name} {shown(change.version)}")
        found[change.name] = (str(wheel), origin)
    return found


def _forget_request(entry: Entry) -> None:
    """Have no mark that somebody asked for it where nobody did: uv was given each by name."""
    if entry.requested:
        return
    contents = read_wheel(entry.wheel)
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    info = f"{library}/{contents.dist_info}"
    with contextlib.suppress(OSError, ValueError):
        forget(f"{info}/RECORD", {f"{info}/REQUESTED"})
        os.unlink(f"{info}/REQUESTED")
