"""uv's command line, read by what uv's own help says of its options. Pure.

uv has no options by abbreviation, and no configuration that adds any. What neither its help names
nor the list here of what that hides is not understood, and so not guarded: that is an error, and
never a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from safepip.values.errors import CannotJudge
from safepip.values.late import dataclass
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

VERBS = ("install", "uninstall", "sync")
"""Of `uv pip`: those that change an environment."""
_OPTION = re.compile(r" {2,6}(?:(-[A-Za-z]), )?(--[a-z][a-z0-9-]*)(?:\.\.\.)?(?: (<))?")
_HEADING = re.compile(r"([A-Z][a-z]+)(?: options)?:")
_HIDDEN_FLAGS: Mapping[str, tuple[str, ...]] = {
    "global": (
        *("--allow-python-downloads", "--no-installer-metadata", "--no-offline"),
        *("--no-preview", "--no-system-certs", "--preview"),
    ),
    "hidden": (
        *("--build", "--build-isolation", "--deps", "--disable-pip-version-check", "--inexact"),
        *("--no-all-extras", "--no-compile-bytecode", "--no-reinstall", "--no-require-hashes"),
        *("--no-strict", "--no-system", "--no-upgrade", "--show-settings", "--verify-hashes"),
        "--yes",
    ),
}
_IN_VAIN = ("--disable-pip-version-check", "--yes")
_HIDDEN_VALUES = ("--preview-features", "--python-fetch", "--python-preference")
"""Options that uv 0.13 takes, and that its help does not name; those without a value by heading."""
_OTHERWISE: Mapping[str, tuple[str, str | None]] = {
    "--compile": ("--compile-bytecode", None),
    "--config-settings": ("--config-setting", None),
    "--force-reinstall": ("--reinstall", None),
    "--isolated": ("--no-config", None),
    "--native-tls": ("--system-certs", None),
    "--no-cache-dir": ("--no-cache", None),
    "--no-color": ("--color", "never"),
    "--no-compile": ("--no-compile-bytecode", None),
    "--no-exact": ("--inexact", None),
    "--no-native-tls": ("--no-system-certs", None),
    "--pre": ("--prerelease", "allow"),
    "--preview-feature": ("--preview-features", None),
    "--trusted-host": ("--allow-insecure-host", None),
    "-y": ("--yes", None),
}
"""Other names of uv's for the same, some of them pip's, and the value that is said by them."""
_TAKEN_BACK = {
    "--allow-python-downloads": "--no-python-downloads",
    "--build": "--no-build",
    "--build-isolation": "--no-build-isolation",
    "--deps": "--no-deps",
    "--inexact": "--exact",
    "--no-active": "--active",
    "--no-all-extras": "--all-extras",
    "--no-break-system-packages": "--break-system-packages",
    "--no-check": "--check",
    "--no-compile-bytecode": "--compile-bytecode",
    "--no-frozen": "--frozen",
    "--no-offline": "--offline",
    "--no-preview": "--preview",
    "--no-reinstall": "--reinstall",
    "--no-require-hashes": "--require-hashes",
    "--no-strict": "--strict",
    "--no-system": "--system",
    "--no-system-certs": "--system-certs",
    "--no-upgrade": "--upgrade",
    "--verify-hashes": "--no-verify-hashes",
}
_OPPOSITES = {**_TAKEN_BACK, **{taken: by for by, taken in _TAKEN_BACK.items()}}
"""Of two such options, the later one counts."""
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
    **{f"--{name}": f"--{name}" for name in ("require-hashes", "cert", "cache-dir")},
    "--allow-insecure-host": "--trusted-host",
    "--color=never": "--no-color",
    "--compile-bytecode": "--compile",
    "--default-index": "--index-url",
    "--index": "--extra-index-url",
    "--no-cache": "--no-cache-dir",
    "--no-compile-bytecode": "--no-compile",
    "--no-progress": "--progress-bar=off",
    "--prerelease=allow": "--pre",
    "--reinstall": "--force-reinstall",
}
"""Options that pip has as well, by their names in uv, some of them only with one value."""
_NOTHING_TO_PIP = frozenset(
    (
        *("--system", "--no-system", "--break-system-packages", "--no-break-system-packages"),
        *("--link-mode", "--no-config", "--strict", "--no-strict", "--system-certs", "--deps"),
        *("--no-upgrade", "--no-reinstall", "--no-offline", "--build", "--build-isolation"),
    )
)
"""Options that say how uv works, what safepip has settled, or what is so with pip anyway."""


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

    def path(self, given: str, environ: Mapping[str, str]) -> str:
        """Give a path as uv reads it, which may be told to work in another folder."""
        folder = "".join(self.values("--directory")[-1:]) or environ.get("UV_WORKING_DIR", "")
        return f"{folder}/{given}" if folder and not given.startswith("/") else given

    @property
    def words(self) -> tuple[str, ...]:
        """The same command in words of one form, the verb first, with pip's names for its files."""
        options = ((_AS_PIP.get(name, name), value) for name, value in self.options)
        return (self.verb, *as_words(options), *self.names)


def in_pips_words(words: Iterable[str]) -> Iterator[str]:
    """Give words of uv's with pip's names for the options that pip has as well."""
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _NOTHING_TO_PIP:
            yield _PIPS.get(word) or f"{_PIPS.get(name, name)}{equals}{value}"


def as_pip(words: Sequence[str]) -> tuple[str, ...]:
    """Give these words as pip takes them; nothing where pip has not all of the options.

    ``words`` are in the form of `UvCommand.words`.
    """
    known = {*_PIPS, *_NOTHING_TO_PIP}
    options = [word for word in words if word.startswith("-")]
    if any(known.isdisjoint((word, word.partition("=")[0])) for word in options):
        return ()
    return tuple(in_pips_words(words))


def as_words(options: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Give options as words of a command line, each one word."""
    for name, value in options:
        yield name if value is None else f"{name}={value}"


class UnknownOption(CannotJudge):
    """An option of uv's that nobody here knows: whether it has a value, and what it changes."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"`{shown(name)}` is no option that `uv pip install --help` names",
            why="what uv would do with it is not known, so it cannot be judged",
        )
        self.name = name


def parted(
    words: Sequence[str], name: str, *, takes_value: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give an option with its values, wherever it stands in these words, and the other words."""
    taken: list[str] = []
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            rest += [word, *left]
            break
        is_meant = word.partition("=")[0] == name
        (taken if is_meant else rest).append(word)
        if is_meant and takes_value and "=" not in word and left:
            taken.append(left.pop(0))
    return tuple(taken), tuple(rest)


def options_in(text: str) -> dict[str, UvOption]:
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


def hidden_options(*groups: str) -> Mapping[str, UvOption]:
    """Give the options of each verb that no help names, and those of these groups."""
    flags = [(name, group) for group in ("global", *groups) for name in _HIDDEN_FLAGS[group]]
    hidden = [UvOption(name, takes_value=False, group=group) for name, group in flags]
    hidden += [UvOption(name, takes_value=True, group="global") for name in _HIDDEN_VALUES]
    return {option.name: option for option in hidden}


def known_options(text: str) -> Mapping[str, UvOption]:
    """Give the options that a help names, and those that it hides.

    Raises: CannotJudge, where that is no help.
    """
    found = options_in(text)
    if "--python" not in found:
        raise CannotJudge("what uv says of its options is not understood")
    return {**hidden_options("hidden"), **found}


def read_words(words: Sequence[str], known: Mapping[str, UvOption]) -> UvCommand:
    """Give what the words behind `uv` ask for; the verb is empty where it is none of `uv pip`.

    Nothing is read behind another verb: its options are others. What uv takes for the sake of
    pip, and does nothing with, is left out.

    Raises: UnknownOption; CannotJudge.
    """
    options, names, _ = read_options(words, known, _goes_on)
    verb = names[1] if names[:1] == ("pip",) and len(names) > 1 else ""
    if verb != "uninstall" and ("--yes", None) in options:
        raise UnknownOption("--yes")
    return UvCommand(verb, tuple(that_count(options)), names[2:])


class Reading(NamedTuple):
    """What was read of a command line."""

    options: tuple[tuple[str, str | None], ...]
    """By their full names, in order, and all of them."""
    names: tuple[str, ...]
    words: int
    """How many of the words were read for options; none behind is one."""


def read_options(
    words: Sequence[str],
    known: Mapping[str, UvOption],
    goes_on: Callable[[Sequence[str]], bool],
) -> Reading:
    """Read words for as long as ``goes_on`` says so of what stood there without an option.

    Raises: UnknownOption; CannotJudge.
    """
    options: list[tuple[str, str | None]] = []
    names: list[str] = []
    left = list(words)
    while left and goes_on(names):
        word = left.pop(0)
        if word == "--":
            return Reading(tuple(options), (*names, *left), len(words) - len(left) - 1)
        if not word.startswith("-") or word == "-":
            names.append(word)
        elif word.startswith("--"):
            options.append(_long(word, left, known))
        else:
            options += _short(word, left, known)
    return Reading(tuple(options), tuple(names), len(words) - len(left))


def that_count(options: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
    """Give the options but for those in vain, and those that a later one takes back."""
    last = {name: at for at, (name, _) in enumerate(options)}
    for at, (name, value) in enumerate(options):
        if name not in _IN_VAIN and last.get(_OPPOSITES.get(name, ""), -1) < at:
            yield name, value


def _goes_on(names: Sequence[str]) -> bool:
    """Say whether what follows these names is read, too: not behind any verb but ours."""
    is_pips = not names or names[0] == "pip"
    return is_pips and (len(names) <= 1 or names[1] in VERBS)


def _long(word: str, left: list[str], known: Mapping[str, UvOption]) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    other, said = _OTHERWISE.get(name, (f"{name}s", None))
    option = known.get(name) or known.get(other)
    if option is None:
        raise UnknownOption(name)
    if said is not None and name not in known:
        return option.name, said
    if not option.takes_value:
        return option.name, None
    return option.name, value if equals else _next(name, left)


def _short(
    word: str, left: list[str], known: Mapping[str, UvOption]
) -> Iterator[tuple[str, str | None]]:
    """Give the options in a word like `-qp3.12`."""
    for at, letter in enumerate(word[1:], 2):
        name = f"-{letter}"
        option = known.get(name) or known.get(_OTHERWISE.get(name, ("", None))[0])
        if option is None:
            raise UnknownOption(name)
        if option.takes_value:
            rest = word[at:]
            yield option.name, rest.removeprefix("=") if rest else _next(name, left)
            return
        yield option.name, None


def _next(name: str, left: list[str]) -> str:
    if not left:
        raise CannotJudge(f"`{name}` of uv needs a value")
    return left.pop(0)
