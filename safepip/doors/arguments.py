"""safepip's own options, taken out of the arguments before pip sees the rest. Pure.

pip's arguments are never interpreted: only exact spellings of safepip's own options count, and
nothing behind `--`. Light: every call passes here.
"""

from __future__ import annotations

from safepip.values.light import TYPE_CHECKING, NamedTuple
from safepip.values.verbs import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import click

    from safepip.values.errors import UsageError

FLAGS = {
    "--strict": "strict",
    "--prefer-conda": "prefer_conda",
    "--json": "json",
    "--no-undo": "no_undo",
    "--no-import-check": "no_import_check",
    "--override-frozen": "override_frozen",
    "--tree": "tree",
    "--table": "table",
    "--markdown": "markdown",
}
_CONDAS_NAME = ("-n", "--name")
_CONDAS_PREFIX = ("-p", "--prefix")
VALUES = {"--env": "env", "--allow": "allow", "--html": "html"}


class OwnOptions(NamedTuple):
    """What stood among the arguments for safepip itself."""

    env: str | None = None
    allow: tuple[str, ...] = ()
    strict: bool = False
    prefer_conda: bool = False
    json: bool = False
    no_undo: bool = False
    no_import_check: bool = False
    override_frozen: bool = False
    tree: bool = False
    table: bool = False
    markdown: bool = False
    html: str | None = None
    """The file to write a page to."""


def split(arguments: list[str]) -> tuple[OwnOptions, list[str]]:
    """Separate safepip's options from pip's arguments.

    Raises: UsageError.
    """
    own = OwnOptions()
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        word = remaining.pop(0)
        if word == "--":
            return own, [*rest, word, *remaining]
        name, equals, value = word.partition("=")
        if word in FLAGS:
            own = _with_flag(own, FLAGS[word])
        elif name in VALUES:
            if not equals:
                if not remaining:
                    raise _without_value(name)
                value = remaining.pop(0)
            own = _with_value(own, name, value)
        else:
            rest.append(word)
    return own, rest


def _with_flag(own: OwnOptions, field: str) -> OwnOptions:
    changes: dict[str, Any] = {field: True}
    return own._replace(**changes)


def _with_value(own: OwnOptions, name: str, value: str) -> OwnOptions:
    if not value:
        raise _without_value(name)
    if name == "--env":
        return own._replace(env=value)
    if name == "--html":
        return own._replace(html=value)
    return own._replace(allow=(*own.allow, *(n.strip() for n in value.split(",") if n.strip())))


def _without_value(name: str) -> UsageError:
    from safepip.values.errors import UsageError

    return UsageError(f"`{name}` needs a value")


def leading_only(arguments: list[str]) -> tuple[OwnOptions, list[str]]:
    """Separate only the options that stand before pip's verb: the rest is pip's, whatever it says.

    Raises: UsageError.
    """
    count = 0
    while count < len(arguments):
        name, equals, _ = arguments[count].partition("=")
        if name in VALUES:
            count += 1 if equals else 2
        elif arguments[count] in FLAGS:
            count += 1
        else:
            break
    own, _ = split(arguments[:count])
    return own, arguments[count:]


def misunderstood(error: click.ClickException) -> UsageError:
    """Give the error of words that click does not understand; it has several lines for choices."""
    from safepip.values.errors import UsageError

    return UsageError(" ".join(error.format_message().split()))


def said_again(own: OwnOptions) -> list[str]:
    """Give the options as words of a command line, but for the environment."""
    flags = [flag for flag, field in FLAGS.items() if getattr(own, field)]
    allow = ["--allow", ",".join(own.allow)] if own.allow else []
    return [*flags, *allow, *(["--html", own.html] if own.html is not None else [])]


def without_env(arguments: Sequence[str]) -> list[str]:
    """Give the arguments without `--env` and its value, wherever they stand before `--`."""
    found: list[str] = []
    rest = list(arguments)
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if word == "--env":
            del rest[:1]
        elif not word.startswith("--env="):
            found.append(word)
    return [*found, *rest]


def from_conda(arguments: Sequence[str]) -> list[str]:
    """Give the arguments with safepip's `--env` for conda's `-n` and `-p`.

    Behind the verb only where that is safepip's own: to pip they mean something else.
    """
    found: list[str] = []
    rest = list(arguments)
    is_own = False
    while rest and (is_own or rest[0].startswith("-") or rest[0] in OWN):
        word = rest.pop(0)
        is_own = is_own or word in OWN
        name, equals, value = word.partition("=")
        if name in (*_CONDAS_NAME, *_CONDAS_PREFIX):
            value = value if equals or not rest else rest.pop(0)
            is_path = "/" in value or value.startswith((".", "~"))
            path = value if is_path or name in _CONDAS_NAME else f"./{value}"
            found += ["--env", path]
        else:
            found.append(word)
    return [*found, *rest]
