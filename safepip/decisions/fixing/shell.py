"""The words of each tool, as they are pasted into a terminal or a notebook. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Literal

from safepip.decisions.fixing.channels import channel_options
from safepip.decisions.fixing.commands import command_line
from safepip.values.environment import spec_name
from safepip.values.late import dataclass
from safepip.values.verbs import GUARDED, HOOKS, OWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.environment import Environment, Manager, Record
    from safepip.values.target import Target

CondaVerb = Literal["install", "update", "remove", "reinstall"]

# `pixi update` and `pixi upgrade` know only what the manifest names; `add` takes any package.
_PIXI: Mapping[CondaVerb, str] = {
    "install": "add",
    "update": "add",
    "remove": "remove",
    "reinstall": "reinstall",
}


_TAKE_OPTIONS = frozenset((*GUARDED, *OWN, *HOOKS))
"""Verbs behind which safepip's own options may stand."""
_ASKING = {"uninstall": "-y", "undo": "--yes", "doctor": "--yes"}
"""Verbs that ask whether to go on, and what answers in advance."""


@dataclass(frozen=True)
class Shell:
    """Where commands are pasted, and whose words they are in."""

    prefix: str
    """Of the environment that the commands are about; for safepip its name will do, too."""
    manager: Manager = "conda"
    obvious: bool = True
    """The environment need not be named to safepip."""
    in_notebook: bool = False
    channels: tuple[str, ...] = ()
    """Where conda is to take packages from; empty for what the user has set for all commands."""
    unasked: tuple[Record, ...] = field(default=(), repr=False)
    """All records, where conda's history does not know that each of them is wanted.

    There `remove` of one package takes along what it does not know (seen with conda 26.8; unchecked
    of mamba and micromamba), unless it is told to remove just this, `--force`. So that is said,
    and only where nothing that stays needs one of them; else there is no command.
    """
    through: tuple[str, ...] = ()
    """The words between `safepip` and a verb of pip's: `uv pip` where uv is who acts."""
    start: tuple[str, ...] = ("safepip",)
    """The words that start safepip from a shell; in a notebook it is a magic."""

    @property
    def is_as_asked(self) -> bool:
        """Whether the tool would do what a solver says that was asked for the same channels.

        Not where there are several: it depends on how strict the user is about their order. Nor is
        it so of pixi, which solves for its manifest and not for what is there, and where conda's
        history does not know what is wanted: conda is free to remove that then.
        """
        return (
            not self.unasked
            and self.manager != "pixi"
            and len(self.channels) == 1
            and bool(self._from())
        )

    @property
    def warning(self) -> str:
        """What is to be said of what conda installs here; empty for nothing.

        Its history, which did not know what is wanted, knows this alone from then on.
        """
        said = (
            "; a later `conda remove` may take all else along, which conda's history does not know"
        )
        return said if self.unasked else ""

    @property
    def tool(self) -> str:
        """The program that makes environments here."""
        return "conda" if self.manager in ("rattler", "pixi") else self.manager

    def safepip(
        self,
        arguments: tuple[str, ...],
        options: tuple[str, ...] = (),
        variables: tuple[tuple[str, str], ...] = (),
    ) -> str:
        """Give safepip's command for pip's arguments, of which the first is the verb.

        ``variables``: to be set for it, which a magic of a notebook cannot: there is no command.
        """
        if variables:
            given = " ".join(f"{name}={value}" for name, value in variables)
            return "" if self.in_notebook else f"{given} {self.safepip(arguments, options)}"
        env = () if self._reaches or not self.prefix else ("--env", self.prefix)
        if arguments[0] not in _TAKE_OPTIONS:  # what follows is pip's own
            return self.itself(*env, *options, *arguments)
        if self.through and arguments[0] in ("install", "uninstall"):  # which ask nothing
            return self.itself(*env, *options, *self.through, *arguments)
        options = (*options, *self._answered(arguments))
        return self.itself(arguments[0], *env, *options, *arguments[1:])

    def itself(self, *words: str) -> str:
        """Give safepip's command for just these words, which name no environment to it."""
        if self.in_notebook:
            return f"%{command_line('safepip', *words)}"
        return command_line(*self.start, *words)

    @property
    def _reaches(self) -> bool:
        """Whether the environment need not be named: `python -m safepip` would mean its own."""
        return self.obvious and (self.in_notebook or len(self.start) == 1)

    def conda(self, verb: CondaVerb, names: tuple[str, ...], options: tuple[str, ...] = ()) -> str:
        """Give the command of the environment's own tool; empty for no names, or what is none."""
        words = self.conda_words(verb, names, options)
        return self.run(*words) if words else ""

    def conda_words(
        self, verb: CondaVerb, names: tuple[str, ...], options: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Give the same in words, as a process is started by."""
        if not names or any(name.startswith("-") for name in names):
            return ()
        if verb == "remove" and self._is_needed(names):
            return ()
        if self.manager == "pixi":
            option = "--environment" if verb == "reinstall" else "--feature"
            there = (*self._manifest(), *self._pixi_s(option))
            return ("pixi", _PIXI[verb], *there, *names)
        force = ("--force-reinstall",) if verb == "reinstall" else ()
        force = ("--force",) if verb == "remove" and self.unasked else force
        word = "install" if verb == "reinstall" else verb
        there = () if "-c" in options or not self._takes_channels(verb) else self._from()
        options = (*there, *options, *force)
        return (self.tool, word, *self._yes(), "-p", self.prefix, *options, *names)

    def _takes_channels(self, verb: CondaVerb) -> bool:
        """Say whether to name channels: conda's `remove` solves, too, unless it is forced.

        That of mamba and micromamba is not known to take them.
        """
        return verb != "remove" or (self.tool == "conda" and not self.unasked)

    def _is_needed(self, names: tuple[str, ...]) -> bool:
        """Say whether something that stays needs one of these, where just these would go."""
        gone = {name.lower() for name in names}
        return any(
            spec_name(spec) in gone
            for record in self.unasked
            if record.name.lower() not in gone
            for spec in record.depends
        )

    def pixi_add_pypi(self, requirements: tuple[str, ...]) -> str:
        """Give the command that makes pixi itself install from PyPI."""
        there = (*self._manifest(), *self._pixi_s("--feature"))
        return self.run("pixi", "add", *there, "--pypi", *requirements)

    def create(self, name: str, what: tuple[str, ...]) -> str:
        """Give the command that makes a new environment."""
        there = () if "--clone" in what else self._from()
        return self.run(self.tool, "create", *self._yes(), "-n", name, *there, *what)

    def then(self, *commands: str) -> str:
        """Give the commands in order, each only after the one before it; nothing if one is empty.

        A notebook takes them as lines of one cell.
        """
        return ("\n" if self.in_notebook else " && ").join(commands) if all(commands) else ""

    def run(self, *words: str) -> str:
        """Give any command, as it is pasted there."""
        return ("!" if self.in_notebook else "") + command_line(*words)

    def _yes(self) -> tuple[str, ...]:
        """Nobody can answer in a notebook, though it looks like a terminal."""
        return ("-y",) if self.in_notebook else ()

    def _answered(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """Answer what safepip or pip would ask."""
        yes = _ASKING.get(arguments[0], "") if self.in_notebook else ""
        asks = arguments[0] != "doctor" or "--fix" in arguments
        return (yes,) if yes and asks and not {"-y", "--yes"}.intersection(arguments) else ()

    def _from(self) -> tuple[str, ...]:
        return channel_options(self.channels)

    def _manifest(self) -> tuple[str, ...]:
        workspace, found, _ = self.prefix.partition("/.pixi/envs/")
        return ("--manifest-path", workspace) if found and not self.obvious else ()

    def _pixi_s(self, option: str) -> tuple[str, ...]:
        """Keep to this environment: what is added to no feature is added to `default`, and to all.

        That an environment is made of the feature of its name is only pixi's custom.
        """
        name = self.prefix.partition("/.pixi/envs/")[2]
        return (option, name) if name not in ("", "default") else ()


def shell_in(shell: Shell, environment: Environment) -> Shell:
    """Give the shell with the tool of an environment, and what conda would not keep there."""
    unasked = environment.records if environment.unasked else ()
    return replace(shell, manager=environment.manager, unasked=unasked)


def shell_of(target: Target, manager: Manager = "conda") -> Shell:
    """Give where commands about an environment are pasted, which somebody has reached."""
    reached, in_notebook = target.is_reached, target.in_notebook
    start = target.start
    return Shell(target.prefix, manager, obvious=reached, in_notebook=in_notebook, start=start)
