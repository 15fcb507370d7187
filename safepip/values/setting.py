"""What can be set for all commands: by files, by variables, and what each setting may be. Pure.

This table is the only place that knows the names. What stands on a command line is for that command
alone, and is not here.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from safepip.values.light import NamedTuple

Value: TypeAlias = "str | bool | float | tuple[str, ...]"
Kind = Literal["word", "switch", "number", "names"]
Source = Literal["user", "prefix", "brought", "project", "variable"]
"""Who sets something, from the weakest to the strongest. The environment's file is `brought` where
a package may have brought it."""
ANYBODYS: tuple[Source, ...] = ("brought", "project")
"""Those that may be anybody's, and so make safepip stricter, and nothing else."""


class Setting(NamedTuple):
    """One of the things that can be set."""

    key: str
    """Its name in files."""
    variable: str
    kind: Kind
    usual: Value
    """What is so where nobody sets it."""
    words: tuple[str, ...] = ()
    """Of a word: those that it may be."""
    strict: Value | None = None
    """What makes safepip stricter, and so may be asked by anybody's file; None for nothing."""


SETTINGS = (
    Setting("policy", "SAFEPIP_POLICY", "word", "keep", ("keep", "strict"), strict="strict"),
    Setting("allow", "SAFEPIP_ALLOW", "names", ()),
    Setting("undo", "SAFEPIP_UNDO", "switch", True, strict=True),  # noqa: FBT003 - its value
    Setting("import-check", "SAFEPIP_IMPORT_CHECK", "switch", True, strict=True),  # noqa: FBT003
    Setting("engine", "SAFEPIP_ENGINE", "word", "one-pass", ("one-pass", "two-pass")),
    Setting("lock-seconds", "SAFEPIP_LOCK_SECONDS", "number", 30.0),
    Setting("import-seconds", "SAFEPIP_IMPORT_SECONDS", "number", 10.0),
    Setting("undo-changes", "SAFEPIP_UNDO_CHANGES", "number", 50.0),
    Setting("undo-megabytes", "SAFEPIP_UNDO_MEGABYTES", "number", 1000.0),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}


class Layer(NamedTuple):
    """What one source sets."""

    source: Source
    path: str
    """The file; empty for variables, of which each has a name of its own."""
    values: dict[str, Value]
    """By key."""
    faults: tuple[str, ...] = ()
    """What is wrong with it and was left out, a sentence each; none where that is an error."""
    why: str = ""
    """Why a package may have brought it."""


class Chosen(NamedTuple):
    """The value of a setting, and where it comes from."""

    value: Value
    origins: tuple[str, ...] = ()
    """Files and variables; none where nobody set it. Lists of names add up."""


class Configuration(NamedTuple):
    """All settings as they are for one command."""

    chosen: dict[str, Chosen]
    """By key; every setting is there."""
    unheeded: tuple[str, ...] = ()
    """What a file asks for in vain, or wrongly, a sentence each."""

    def word(self, key: str) -> str:
        """Give a setting that is one of some words."""
        return str(self.chosen[key].value)

    def is_on(self, key: str) -> bool:
        """Say whether a switch is on."""
        return self.chosen[key].value is True

    def number(self, key: str) -> float:
        """Give a setting that is a number, not negative."""
        value = self.chosen[key].value
        return max(0.0, value) if isinstance(value, float) else 0.0

    def names(self, key: str) -> tuple[str, ...]:
        """Give a setting that is a list of names."""
        value = self.chosen[key].value
        return value if isinstance(value, tuple) else ()


USUAL = Configuration({setting.key: Chosen(setting.usual) for setting in SETTINGS})
"""The settings where nobody sets any."""
