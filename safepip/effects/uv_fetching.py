"""Having the wheels of a plan of uv's on disk: uv says where they are, and pip fetches them.

uv keeps what it downloads in a form of its own, of which nobody can say what was judged. pip takes
these wheels alone, by their hashes, and builds nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safepip.decisions.uv.answers import page_of, parse_lock, pins_of
from safepip.decisions.uv.words import as_words
from safepip.effects.exact import with_login
from safepip.effects.requirement_files import read_inputs
from safepip.effects.toml import parse_toml
from safepip.values.errors import CannotJudge, UnreadableReport
from safepip.values.text import normalised, shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from safepip.decisions.uv.answers import Located, UvChange
    from safepip.decisions.uv.words import UvCommand, UvOption
    from safepip.effects.asking import Asking
    from safepip.effects.processes import Processes

    Ask = Callable[[Sequence[str]], Path]
    """Runs uv without a word to the user, and gives the file with what it wrote on stdout."""

_GROUPS = ("index", "cache", "python", "build", "global")
"""Headings of options that say where artifacts come from, and how uv gets there."""
_AND = (
    *("--no-binary", "--only-binary", "--no-build", "--torch-backend", "--cert"),
    *("--exclude-newer", "--exclude-newer-package", "--no-sources", "--no-sources-package"),
)
"""Options under other headings that say so."""
_SAID_ALREADY = ("--python", "--quiet", "--verbose", "--color", "--refresh")
_LOGINS = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_LINKS = ("--index", "--default-index", "--index-url", "--extra-index-url", "--find-links")
_FILES = ("--requirements", "--constraints")
_NO_LINES = (".toml", ".py", ".pyw")
_OF_FILES = frozenset(
    (
        "--index-url",
        "--extra-index-url",
        "--find-links",
        "--no-index",
        "--no-binary",
        "--only-binary",
    )
)
"""What uv, too, heeds in files of requirements."""
_OF_PIP = frozenset(
    f"PIP_{name}"
    for name in (
        *("CONFIG_FILE", "CERT", "CLIENT_CERT", "PROXY", "TRUSTED_HOST"),
        *("TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES"),
    )
)
"""Variables that say how pip gets anywhere. What it is to choose is settled by then."""
_LOCK_LIMIT = 64 * 1024 * 1024


class UvFetcher:
    """Fetches for one command of uv's."""

    def __init__(self, asking: Asking, processes: Processes, ask: Ask) -> None:
        self._asking = asking
        self._processes = processes
        self._ask = ask
        self._count = 0

    def wheels_of(
        self,
        changes: Sequence[UvChange],
        command: UvCommand,
        known: Mapping[str, UvOption],
        of_compile: Mapping[str, UvOption],
    ) -> Mapping[str, tuple[str, Located]]:
        """Give the wheel of each change, and where it is from, by name.

        ``known`` and ``of_compile`` are the options of `uv pip install` and `uv pip compile`.

        Raises: CannotJudge, UnreadableReport; whatever ``ask`` raises.
        """
        self._count += 1
        folder = self._asking.folder() / f"wheels-{self._count}"
        folder.mkdir()
        options = [
            (name, value)
            for name, value in command.options
            if (known[name].group in _GROUPS or name in _AND)
            and name in of_compile
            and name not in _SAID_ALREADY
        ]
        of_files = self._of_files(command)
        lock = parse_lock(self._lock(changes, as_words(options), folder / "asked.txt", of_files))
        pins = folder / "pins.txt"
        pins.write_text(pins_of(changes, lock), encoding="utf-8")
        given = [change.url for change in changes if change.url]
        logins = [*given, *command.values(*_LINKS), *self._variables()]
        found = [replace(w, url=with_login(w.url, logins)) for each in lock.values() for w in each]
        page = folder / "links.html"
        page.write_text(page_of(found), encoding="utf-8")
        self._download(page, pins, folder, tuple(_way_for_pip(command, self._asking.environ)))
        return _by_name(folder, changes, lock)

    def _of_files(self, command: UvCommand) -> list[str]:
        """Give the lines of files that say where artifacts are: no other place is to be asked."""
        files = [f for f in command.values(*_FILES) if not f.lower().endswith(_NO_LINES)]
        lines = read_inputs(files, (), self._asking.environ).options
        return [line for line in lines if line.partition(" ")[0] in _OF_FILES]

    def _lock(
        self, changes: Sequence[UvChange], options: Iterator[str], asked: Path, lines: Sequence[str]
    ) -> dict[str, Any]:
        """Give where uv would take these from. ``lines`` say where that may be."""
        pins = (change.pin for change in changes)
        asked.write_text("".join(f"{line}\n" for line in (*lines, *pins)), encoding="utf-8")
        form = ("--no-deps", "--no-header", "--format=pylock.toml", "--quiet")
        said = self._ask(("compile", *form, *options, str(asked)))
        with said.open("rb") as file:
            text = file.read(_LOCK_LIMIT)
        try:
            return parse_toml(text)
        except ValueError as error:
            raise UnreadableReport("uv's lock", "TOML", error) from error

    def _variables(self) -> Iterator[str]:
        for name in _LOGINS:
            yield from self._asking.environ.get(name, "").split()

    def _download(self, page: Path, pins: Path, folder: Path, way: tuple[str, ...]) -> None:
        how = ("download", "--no-deps", "--only-binary=:all:", "--no-index")
        where = ("--find-links", str(page), "-d", str(folder), "-r", str(pins))
        runner = f"{self._asking.pip_from}/pip/__pip-runner__.py"
        start = (runner,) if self._asking.pip_from else ("-m", "pip")
        words = (self._asking.python, *start, *how, *where, *way, "--disable-pip-version-check")
        given = self._asking.environ.items()
        environ = {k: v for k, v in given if not k.startswith("PIP_") or k in _OF_PIP}
        code, said = self._processes.run_quietly(words, environ)
        if code:
            errors = [line for line in said.text.splitlines() if line.startswith("ERROR: ")]
            reason = errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with {code}"
            raise CannotJudge(
                f"what uv planned cannot be fetched: {shown(without_secrets(reason))}"
            )


def _way_for_pip(command: UvCommand, environ: Mapping[str, str]) -> Iterator[str]:
    """Give what uv was told of the way to its wheels, in pip's words."""
    hosts = (*command.values("--allow-insecure-host"), environ.get("UV_INSECURE_HOST", ""))
    for host in " ".join(hosts).split():
        yield f"--trusted-host={host.partition('://')[2].partition('/')[0] or host}"
    yield from (f"--cert={file}" for file in command.values("--cert")[-1:])


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
