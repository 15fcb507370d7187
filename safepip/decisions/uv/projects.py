"""What a command of uv does to the environment of a project, by uv's own help. Pure.

Where nothing is certain, uv goes on: only what plainly changes an environment says so here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.uv.options import is_set
from safepip.decisions.uv.words import read_options, that_count
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safepip.decisions.uv.words import UvOption

ACTIVE = "--active"
VARIABLE = "UV_PROJECT_ENVIRONMENT"
MODULES_PYTHON = "UV_INTERNAL__PARENT_INTERPRETER"
"""The variable in which the module `uv`, or safepip's hook for it, names its Python to uv."""
USUAL = ".venv"
INSTEAD = ".venv-uv"
"""Where a project may have an environment if the usual place is conda's."""
_METADATA = "workspace metadata"
_LEFT_ALONE: Mapping[str, tuple[str, ...]] = {
    "add": ("--frozen", "--no-sync", "--script"),
    "check": ("--isolated", "--no-project", "--no-sync", "--script"),
    "remove": ("--frozen", "--no-sync", "--script"),
    "run": ("--isolated", "--no-project", "--no-sync"),
    "sync": ("--check", "--dry-run"),
    "version": ("--dry-run", "--frozen", "--no-sync"),
    _METADATA: (),
}
"""By verb, the options with which it leaves the environment as it is (seen with uv 0.13)."""
WORDS = frozenset(verb.rpartition(" ")[2] for verb in _LEFT_ALONE)
"""One of these stands on the line of each such command. The shims look for the same."""


@dataclass(frozen=True)
class ProjectCommand:
    """A command that may bring the environment of a project in step with its lock."""

    verb: str
    options: tuple[tuple[str, str | None], ...]
    """By their full names, but for those that a later one takes back; None: without a value."""
    names: tuple[str, ...]
    """What stands behind the verb without an option; of `run`, only the first."""
    count: int
    """How many of its words uv reads for options; of `run`, the command's own lie behind."""
    by_variables: frozenset[str] = frozenset()
    """Options that uv's help knows a variable for, which is set."""

    def has(self, name: str) -> bool:
        """Say whether an option is given, or its variable is set and nothing takes it back."""
        options = {option for option, _ in self.options}
        taken_back = f"--no-{name[2:]}" in options
        return name in options or (name in self.by_variables and not taken_back)

    def value(self, name: str) -> str:
        """Give the value of an option; empty for none."""
        return next((value or "" for option, value in self.options if option == name), "")

    @property
    def script(self) -> str:
        """The file that `run` may find to be a script with requirements of its own."""
        file = "".join(self.names[:1]) if self.verb == "run" and not self.has("--module") else ""
        is_said = self.has("--script") or self.has("--gui-script")
        return file if is_said or file.lower().endswith(".py") else ""


def verb_of(words: Sequence[str], known: Mapping[str, UvOption]) -> str:
    """Give the verb, where it is one that may change the environment of a project.

    ``known`` are the options that stand before each verb.

    Raises: UnknownOption; CannotJudge.
    """
    names = read_options(words, known, lambda names: len(names) < _length(names)).names
    verb = " ".join(names[: _length(names)])
    return verb if verb in _LEFT_ALONE else ""


def _length(names: Sequence[str]) -> int:
    return 2 if names[:1] in (["workspace"], ("workspace",)) else 1


def read_project(
    words: Sequence[str],
    verb: str,
    known: Mapping[str, UvOption],
    help_text: str,
    environ: Mapping[str, str],
) -> ProjectCommand:
    """Give what these words ask for; ``help_text`` and ``known`` are of that verb.

    Raises: UnknownOption; CannotJudge.
    """
    length = len(verb.split())
    most = length + 1 if verb == "run" else len(words)
    found = read_options(words, known, lambda names: len(names) < most)
    variables = {name: f"UV_{name[2:].upper().replace('-', '_')}" for name in known}
    by_variables = (
        name
        for name, variable in variables.items()
        if is_set(environ, variable) and f"{variable}=]" in help_text
    )
    options = tuple(that_count(found.options))
    names = found.names[length:]
    return ProjectCommand(verb, options, names, found.words, frozenset(by_variables))


def changes_environment(command: ProjectCommand, *, is_script: bool) -> bool:
    """Say whether an environment is changed, if only to be as it is said to be.

    ``is_script``: `run` has found a script with requirements of its own, which it always heeds.
    """
    verb = command.verb
    if command.has("--help") or command.has("--version"):
        return False
    if is_script:
        return True
    if verb == "version" and not (command.names or command.has("--bump")):
        return False
    if verb == _METADATA and not command.has("--sync"):
        return False
    return not any(map(command.has, _LEFT_ALONE[verb]))


def named_by(command: ProjectCommand, environ: Mapping[str, str], *, is_script: bool) -> list[str]:
    """Give who names the environment, uv's first choice first.

    A script with requirements of its own has no other than the active one to be put to.
    """
    active = [ACTIVE] if command.has(ACTIVE) and environ.get("VIRTUAL_ENV") else []
    if is_script or (command.verb == "sync" and command.value("--script")):
        return active
    return [*active, *([VARIABLE] if environ.get(VARIABLE) else []), USUAL]


def without(
    words: Sequence[str], command: ProjectCommand, names: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give words to stand before `uv`, and those behind it, that leave these out."""
    front, rest = words[: command.count], words[command.count :]
    if ACTIVE in names:
        front = [word for word in front if word != ACTIVE]
    start: tuple[str, ...] = ("env", "-u", VARIABLE) if VARIABLE in names else ()
    if USUAL in names:
        start = ("env", f"{VARIABLE}={INSTEAD}")
    return start, (*front, *rest)
