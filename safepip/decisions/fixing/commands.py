"""Commands for people to paste: quoted for a shell, made from what they typed themselves. Pure.

pip's arguments are edited here, never understood: what is not certainly a requirement, or cannot
be typed again as it stands, is left alone.
"""

from __future__ import annotations

import re
import shlex
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import parse_requirement
from safepip.values.late import dataclass
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Options of `pip install` and `pip uninstall`, of any release, that are followed by a value.
_TAKES_VALUE = frozenset(
    """--abi --all-releases --build --build-constraint --build-option --cache-dir --cert
    --client-cert --config-settings --constraint --cwd --default-timeout --editable
    --exists-action --extra-index-url --find-links --global-option --group --implementation
    --index-url --install-option --keyring-provider --local-log --log --log-file --no-binary
    --only-binary --only-final --platform --prefix --progress-bar --proxy --pypi-url --python
    --python-version --refresh-package --report --requirement --requirements-from-script
    --resume-retries --retries --root --root-user-action --source --source-dir
    --source-directory --src --target --timeout --trusted-host --upgrade-strategy
    --uploaded-prior-to --use-deprecated --use-feature""".split()  # noqa: SIM905 - legible
)
_IN_FULL = {
    "-C": "--config-settings",
    "-b": "--build",
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
    "-t": "--target",
    "--pypi-url": "--index-url",
}
"""The options with a value that have another name."""
# Flags that begin like an option with a value: pip takes a complete name for what it is.
_FLAGS = frozenset(("--pre", "--upgrade"))
BRING = frozenset(("--editable", "--group", "--requirement", "--requirements-from-script"))
"""Options whose values are something to install."""
FILES = ("--requirement",)
"""Options whose values are files of requirements."""
CONSTRAINTS = ("--constraint",)
_IN_FILES = frozenset((*FILES, *CONSTRAINTS, "--group", "--requirements-from-script"))
_SHORTEST_ABBREVIATION = len("--us")
_READ_ONCE = re.compile(r"/dev/(fd|std)|/proc/[^/]+/fd/|^(-[rcb]|.+=)?-$")
_DOUBLE_QUOTES_SUFFICE = re.compile(r"[^\"$`\\!]*")


@dataclass(frozen=True)
class Word:
    """One of pip's arguments, and what it is."""

    text: str
    name: str = ""
    """The project, where the word is a requirement given by name; normalised."""
    brings: bool = False
    """It adds something to install: a requirement, a path, a URL, a file of requirements."""


def quoted(word: str) -> str:
    """Give the word as a shell reads it; in double quotes where they do, as people write it."""
    if shlex.quote(word) == word:
        return word
    return f'"{word}"' if _DOUBLE_QUOTES_SUFFICE.fullmatch(word) else shlex.quote(word)


def command_line(*words: str) -> str:
    """Give the words as one line for a shell."""
    return " ".join(quoted(word) for word in words)


def can_be_repeated(arguments: tuple[str, ...]) -> bool:
    """Say whether these arguments, typed again, mean the same.

    They do not where a secret was taken out, where an input can be read only once, or where a
    terminal would change the text.
    """
    return not any(
        "****" in argument or _READ_ONCE.search(argument) or not is_printable(argument)
        for argument in arguments
    )


def changed_words(before: tuple[str, ...], after: tuple[str, ...], same: str) -> str:
    """Say how one command becomes the other; empty for the same, or what cannot be shown.

    For a command that cannot be given whole: what stays of it is not shown. ``same``: what the
    first one is called.
    """
    gone: list[str] = []
    new: list[str] = []
    pairs = SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, begin, finish in pairs.get_opcodes():
        if tag != "equal":
            gone += before[start:end]
            new += after[begin:finish]
    if not (gone or new) or not can_be_repeated((*gone, *new)):
        return ""
    if gone and new:
        return f"{same} with `{command_line(*new)}` in place of `{command_line(*gone)}`"
    if gone:
        return f"{same} without `{command_line(*gone)}`"
    return f"{same} with `{command_line(*new)}`"


def has_files(arguments: tuple[str, ...]) -> bool:
    """Say whether more is asked than the arguments tell: requirements or constraints in files."""
    return any(name in _IN_FILES for name, _ in option_values(arguments))


def is_printable(text: str) -> bool:
    """Say whether a terminal shows the text as it is."""
    return shown(text, len(text)) == text


def words_of(arguments: tuple[str, ...]) -> tuple[Word, ...]:
    """Tell requirements from options among pip's arguments, of which the first is the verb."""
    words = [Word(verb) for verb in arguments[:1]]
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "--":
            words += [Word(argument), *(_positional(following) for following in rest)]
        elif argument.startswith("-") and argument != "-":
            words += _option(argument, rest)
        else:
            words.append(_positional(argument))
    return tuple(words)


def what_is_asked_for(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Give the words that bring something to install, an option's with its value, and no others."""
    words = words_of(arguments)
    found: list[str] = []
    for word, following in zip(words, (*words[1:], Word("")), strict=True):
        if word.brings:
            found.append(word.text)
            if word.text.startswith("-") and _name_of(word.text)[1]:
                found.append(following.text)
    return tuple(found)


def option_values(arguments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give the options by their full name, each with its value; that of a flag is empty."""
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "--":
            return
        if argument.startswith("-") and argument != "-":
            name, value_follows = _name_of(argument)
            if value_follows:
                yield name, next(rest, "")
            elif argument.startswith("--"):
                yield name, argument.partition("=")[2]
            else:
                yield name, _behind(argument)


def _positional(argument: str) -> Word:
    requirement = parse_requirement(argument)
    if requirement is None or requirement.url is not None:
        return Word(argument, brings=True)
    return Word(argument, normalised(requirement.name), brings=True)


def _option(argument: str, rest: Iterator[str]) -> list[Word]:
    """Give the option and, where its value is the next word, that."""
    name, value_follows = _name_of(argument)
    value = next(rest, None) if value_follows else None
    words = [Word(argument, brings=name in BRING)]
    return words if value is None else [*words, Word(value)]


def _name_of(argument: str) -> tuple[str, bool]:
    """Give the full name of an option, and whether its value is the next word."""
    return _long(argument) if argument.startswith("--") else _short(argument)


def _long(argument: str) -> tuple[str, bool]:
    """Give the full name of the option, and whether its value is the next word."""
    name, equals, _ = argument.partition("=")
    if name not in _TAKES_VALUE | _FLAGS:
        name = next((o for o in sorted(_TAKES_VALUE) if o.startswith(name)), name)
    return _IN_FULL.get(name, name), name in _TAKES_VALUE and not equals


def _short(argument: str) -> tuple[str, bool]:
    """Give the option with a value in a group of one-letter options, and whether it follows."""
    for at, letter in enumerate(argument[1:], 1):
        if (name := _IN_FULL.get(f"-{letter}")) is not None:
            return name, not argument[at + 1 :]
    return argument, False


def _behind(group: str) -> str:
    """Give the value that stands in a group of one-letter options; empty where there is none."""
    letters = group[1:]
    at = next((i for i, letter in enumerate(letters, 1) if f"-{letter}" in _IN_FULL), len(letters))
    return letters[at:].removeprefix("=")


def with_version(arguments: tuple[str, ...], name: str, version: str) -> tuple[str, ...]:
    """Ask for exactly this version where the name is asked for, or else in addition."""
    words = words_of(arguments)
    if not any(word.name == name for word in words):
        return (*arguments, f"{name}=={version}")
    return tuple(_pinned(word.text, version) if word.name == name else word.text for word in words)


def _pinned(argument: str, version: str) -> str:
    requirement = parse_requirement(argument)
    if requirement is None:  # pragma: no cover - a word has a name because it is a requirement
        return argument
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}=={version}{marker}"


def without_names(arguments: tuple[str, ...], names: frozenset[str]) -> tuple[str, ...]:
    """Leave out the requirements with these names; nothing at all when no other is left."""
    words = [word for word in words_of(arguments) if word.name not in names]
    return tuple(word.text for word in words) if any(word.brings for word in words) else ()


def named_with_extras(arguments: tuple[str, ...]) -> frozenset[str]:
    """Give the names that are asked for with extras, without those in files."""
    asked = (parse_requirement(word.text) for word in words_of(arguments) if word.name)
    return frozenset(normalised(each.name) for each in asked if each is not None and each.extras)


def with_others_instead(
    arguments: tuple[str, ...], names: frozenset[str], others: Sequence[str]
) -> tuple[str, ...]:
    """Ask for others in place of these names, by the same options; nothing when none is left."""
    rest = without_names(arguments, names)
    if rest or not others:
        return (*rest, *others)
    return (*(word.text for word in words_of(arguments) if word.name not in names), *others)


def without_options(arguments: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out these options of pip with their values; ``names`` are in full (`--target`).

    Abbreviations count; an option within a group of one-letter options is not found.
    """
    parts = _parts(arguments[1:])
    kept = (word for name, _, words in parts if name not in names for word in words)
    return (*arguments[:1], *kept)


def values_of(arguments: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the values of these options, in order; ``names`` as for `without_options`."""
    return tuple(value for name, value, _ in _parts(arguments[1:]) if name in names)


def _parts(arguments: tuple[str, ...]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give options and other words: the name in full or nothing, the value, and all its words."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            yield "", "", (argument, *rest)
            return
        if not argument.startswith("-") or argument == "-":
            yield "", "", (argument,)
            continue
        name, value_follows = _name_of(argument)
        following = tuple(islice(rest, 1)) if value_follows else ()
        long = argument.startswith("--")
        joined = argument.partition("=")[2] if long else _behind(argument)
        yield name, "".join(following) or joined, (argument, *following)


def without_flag(arguments: tuple[str, ...], flag: str, letter: str = "") -> tuple[str, ...]:
    """Leave out a flag of pip: in full, abbreviated, or in a group of one-letter flags."""
    kept = []
    for argument in arguments:
        if len(argument) >= _SHORTEST_ABBREVIATION and flag.startswith(argument):
            continue
        if letter and re.fullmatch(r"-[IUqv]+", argument):
            rest = argument.replace(letter, "")
            kept += [rest] if rest != "-" else []
        else:
            kept.append(argument)
    return tuple(kept)
