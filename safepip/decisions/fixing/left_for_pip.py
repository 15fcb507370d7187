"""pip's part of a command of which conda does the rest: nothing may change that again. Pure.

What is said by a flag can be said by a variable, or in pip's settings, too. There it is not to be
left out, but a variable says otherwise, which precedes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import (
    BRING,
    named_with_extras,
    with_others_instead,
    without_flag,
    without_options,
    words_of,
)
from safepip.values.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from safepip.values.request import PipOptions

_UPGRADE = ("--upgrade", "U")
_AGAINST_OTHERS = (("--ignore-installed", "I"), ("--force-reinstall", ""), ("--user", ""))
"""Flags with which pip would change, or hide, what somebody else has just installed."""
_NOT_SET = frozenset(("", "0", "f", "false", "n", "no", "off"))


class Left(NamedTuple):
    """One command of pip's."""

    arguments: tuple[str, ...]
    """The verb first."""
    variables: tuple[tuple[str, str], ...] = ()
    """To be set for it."""


def told_elsewhere(
    options: PipOptions, arguments: tuple[str, ...], environ: Mapping[str, str]
) -> frozenset[str]:
    """Give the flags that these arguments alone would not bring, of those that matter here.

    ``options``: what pip makes of all that it is told. Where a flag is among the arguments, that it
    stands in pip's settings as well is not known.
    """
    given = {
        "--upgrade": options.upgrade,
        "--ignore-installed": options.ignore_installed,
        "--force-reinstall": options.force_reinstall,
        "--user": options.use_user_site,
    }
    return frozenset(
        flag
        for flag, letter in (_UPGRADE, *_AGAINST_OTHERS)
        if given[flag]
        and (
            without_flag(arguments, flag, letter) == arguments
            or environ.get(_variable(flag), "").lower() not in _NOT_SET
        )
    )


def _variable(flag: str) -> str:
    return f"PIP_{flag[2:].replace('-', '_').upper()}"


def leaving_others(arguments: tuple[str, ...], told: Collection[str] = ()) -> Left:
    """Leave out the flags with which pip would change, or hide, what conda has just installed.

    ``told``: those that pip is told elsewhere.
    """
    for flag, letter in _AGAINST_OTHERS:
        arguments = without_flag(arguments, flag, letter)
    flags = (flag for flag, _ in _AGAINST_OTHERS if flag in told)
    return Left(arguments, tuple((_variable(flag), "0") for flag in flags))


def left_by(
    arguments: tuple[str, ...],
    names: frozenset[str],
    others: Sequence[str] = (),
    told: Collection[str] = (),
) -> tuple[Left, ...]:
    """Give pip's part of a command of which conda does these names; nothing when that was all.

    It comes as one command or two. What is asked for with extras stays, of which conda's packages
    know nothing: without `--upgrade`, by which pip would change again what conda has just changed.
    ``others``: what comes along. ``told``: flags that pip is told elsewhere.
    """
    arguments, variables = leaving_others(arguments, told)
    partly = names & named_with_extras(arguments)
    once = without_flag(arguments, *_UPGRADE)
    is_told = _UPGRADE[0] in told
    if once == arguments and not is_told:
        parts = [Left(with_others_instead(arguments, names - partly, others), variables)]
    else:
        as_is = ((_variable(_UPGRADE[0]), "0"),) if is_told else ()
        parts = [
            Left(_with_names_alone(once, partly), (*as_is, *variables)),
            Left(with_others_instead(arguments, names, others), variables),
        ]
    return tuple(part for part in parts if part.arguments)


def _with_names_alone(arguments: tuple[str, ...], names: frozenset[str]) -> tuple[str, ...]:
    """Ask for these names and nothing else, by the same options; nothing when none is asked for."""
    words = words_of(without_options(arguments, tuple(BRING)))
    kept = [word for word in words if not word.brings or word.name in names]
    return tuple(word.text for word in kept) if any(word.brings for word in kept) else ()
