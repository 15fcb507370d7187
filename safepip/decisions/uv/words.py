"""uv's command line, read by what uv's own help says of its options. Pure.

uv has no options by abbreviation, and no configuration that adds any. What its help does not name
is not understood, and so not guarded: that is an error, and never a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.values.errors import CannotJudge
from safepip.values.late import dataclass
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

VERBS = ("install", "uninstall", "sync")
"""Of `uv pip`: those that change an environment."""
_OPTION = re.compile(r" {2,6}(?:(-[A-Za-z]), )?(--[a-z][a-z0-9-]*)(?:\.\.\.)?(?: (<))?")
_HEADING = re.compile(r"([A-Z][a-z]+)(?: options)?:")
_OTHERWISE = {"--no-cache-dir": "--no-cache"}
_AS_PIP = {
    "--requirements": "--requirement",
    "--constraints": "--constraint",
    "--build-constraints": "--build-constraint",
}
"""uv takes both; messages and their fixes know pip's names."""
_PIPS = {
    **{f"--{name}": f"--{name}" for name in ("requirement", "constraint", "editable", "no-deps")},
    **{f"--{name}": f"--{name}" for name in ("index-url", "extra-index-url", "find-links")},
    **{f"--{name}": f"--{name}" for name in ("no-index", "upgrade", "quiet", "verbose", "dry-run")},
    **{f"--{name}": f"--{name}" for name in ("no-build-isolation", "no-binary", "only-binary")},
    "--default-index": "--index-url",
    "--index": "--extra-index-url",
}
"""Options that pip has as well, by their names in uv."""


@dataclass(frozen=True)
class UvOption:
    """An option of uv's."""

    name: str
    takes_value: bool
    group: str
    """The heading that it stands under, in small letters."""


@dataclass(frozen=True)
class UvCommand:
    """A command line of `uv pip`."""

    verb: str
    options: tuple[tuple[str, str | None], ...]
    """By their full names, in order; None for one without a value."""
    names: tuple[str, ...]
    """What stands on the line without an option."""

    def has(self, *names: str) -> bool:
        """Say whether one of these options was given."""
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> tuple[str, ...]:
        """Give the values of these options."""
        return tuple(value for name, value in self.options if name in names and value is not None)

    @property
    def words(self) -> tuple[str, ...]:
        """The same command in words of one form, the verb first, with pip's names for its files."""
        options = ((_AS_PIP.get(name, name), value) for name, value in self.options)
        return (self.verb, *as_words(options), *self.names)


def in_pips_words(words: Iterable[str]) -> Iterator[str]:
    """Give words of uv's with pip's names for the options that pip has as well."""
    for word in words:
        name, equals, value = word.partition("=")
        yield f"{_PIPS.get(name, name)}{equals}{value}"


def as_pip(words: Sequence[str]) -> tuple[str, ...]:
    """Give these words as pip takes them; nothing where pip has not all of the options.

    ``words`` are in the form of `UvCommand.words`.
    """
    if any(word.startswith("-") and word.partition("=")[0] not in _PIPS for word in words):
        return ()
    return tuple(in_pips_words(words))


def as_words(options: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Give options as words of a command line, each one word."""
    for name, value in options:
        yield name if value is None else f"{name}={value}"


def _options_in(text: str) -> dict[str, UvOption]:
    """Give the options in a text of help, by name and by letter."""
    found: dict[str, UvOption] = {}
    group = ""
    for line in text.splitlines():
        if heading := _HEADING.fullmatch(line.strip()):
            group = heading[1].lower() if not line.startswith(" ") else group
        elif (option := _OPTION.match(line)) is not None:
            letter, name, value = option.groups()
            found[name] = UvOption(name, value is not None, group)
            if letter:
                found[letter] = found[name]
    return found


def known_options(text: str) -> Mapping[str, UvOption]:
    """Give the options that a help names.

    Raises: CannotJudge, where that is no help.
    """
    found = _options_in(text)
    if "--python" not in found:
        raise CannotJudge("what uv says of its options is not understood")
    return found


def read_words(words: Sequence[str], known: Mapping[str, UvOption]) -> UvCommand:
    """Give what the words behind `uv` ask for; the verb is empty where it is none of `uv pip`.

    Nothing is read behind another verb: its options are others.

    Raises: CannotJudge, for an option that the help does not name.
    """
    options: list[tuple[str, str | None]] = []
    names: list[str] = []
    left = list(words)
    while left and _goes_on(names):
        word = left.pop(0)
        if word == "--":
            names += left
            break
        if not word.startswith("-") or word == "-":
            names.append(word)
        elif word.startswith("--"):
            options.append(_long(word, left, known))
        else:
            options += _short(word, left, known)
    verb = names[1] if names[:1] == ["pip"] and len(names) > 1 else ""
    return UvCommand(verb, tuple(options), tuple(names[2:]))


def _goes_on(names: Sequence[str]) -> bool:
    """Say whether what follows these names is read, too: not behind any verb but ours."""
    is_pips = not names or names[0] == "pip"
    return is_pips and (len(names) <= 1 or names[1] in VERBS)


def _long(word: str, left: list[str], known: Mapping[str, UvOption]) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    option = known.get(name) or known.get(f"{name}s") or known.get(_OTHERWISE.get(name, ""))
    if option is None:
        raise _unknown(name)
    if not option.takes_value:
        return option.name, None
    return option.name, value if equals else _next(name, left)


def _short(
    word: str, left: list[str], known: Mapping[str, UvOption]
) -> Iterator[tuple[str, str | None]]:
    """Give the options in a word like `-qp3.12`."""
    for at, letter in enumerate(word[1:], 2):
        option = known.get(f"-{letter}")
        if option is None:
            raise _unknown(f"-{letter}")
        if option.takes_value:
            rest = word[at:]
            yield option.name, rest.removeprefix("=") if rest else _next(f"-{letter}", left)
            return
        yield option.name, None


def _next(name: str, left: list[str]) -> str:
    if not left:
        raise CannotJudge(f"`{name}` of uv needs a value")
    return left.pop(0)


def _unknown(name: str) -> CannotJudge:
    return CannotJudge(
        f"`{shown(name)}` is no option that `uv pip install --help` names",
        why="what uv would do with it is not known, so it cannot be judged",
    )
