"""What is not done with uv: each refusal says why, and ends with what works in its place."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.uv.projects import MODULES_PYTHON, USUAL, without
from safepip.decisions.uv.words import VERBS, parted
from safepip.doors.arguments import FLAGS, VALUES, said_again
from safepip.doors.forms import NO_OBJECT
from safepip.effects.called import words_to_type
from safepip.effects.destination import TargetInCondaEnvironment, conda_prefix_above
from safepip.effects.prefixes import is_conda_prefix
from safepip.effects.uv_projects import read_wish
from safepip.effects.uv_target import ask_option
from safepip.values.errors import CannotJudge, UsageError
from safepip.values.request import THROUGH
from safepip.values.text import shown, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.decisions.uv.words import UnknownOption, UvCommand
    from safepip.doors.arguments import OwnOptions
    from safepip.effects.uv_target import Elsewhere
    from safepip.values.target import Target
    from safepip.values.verdict import Fix

_FORMS = ("--tree", "--table", "--markdown", "--html")
_OWN = tuple(name for name in (*FLAGS, *VALUES) if name not in ("--strict", *_FORMS))
"""Options of safepip that stand before `uv`, and that uv has not, too."""


class _Target(CannotJudge):
    code = TargetInCondaEnvironment.code


def knows_better(
    uv: str, own: OwnOptions, words: list[str], error: UnknownOption, *, in_notebook: bool
) -> bool:
    """Say whether uv will refuse an option itself; else ``error`` has what works without it.

    Raises: UsageError, for an option of safepip's behind uv's verb.
    """
    name = error.name
    if name in _FORMS:
        refuse_forms(own, words, in_notebook=in_notebook)
    if name in _OWN:
        own, rest = _without_forms(own, words)
        front: list[str] = []
        for one in _OWN:
            moved, rest = parted(rest, one, takes_value=one in VALUES)
            front += moved
        said = f"`{name}` is an option of safepip, and stands before `uv`"
        if "--env" in (word.partition("=")[0] for word in front):
            own = own._replace(env=None)  # the later one counts
        again = _again(own, front, rest, in_notebook=in_notebook)
        raise UsageError(said, fixes=again("say it there"))
    verb = next((word for word in words if word in VERBS), "install")
    known = ask_option(uv, ("pip", verb), name, os.environ)
    _, rest = parted(words, name, takes_value=known == "value")
    error.fixes = _again(own, (), rest, in_notebook=in_notebook)("do it without that")
    return known == "unknown"


def refuse_forms(own: OwnOptions, words: Sequence[str], *, in_notebook: bool) -> NoReturn:
    """Refuse to show a plan of uv's in a form of safepip's.

    Raises: UsageError.
    """
    own, rest = _without_forms(own, words)
    raise UsageError(
        "the forms of a plan are options of `plan`, which is pip's",
        fixes=_again(own, (), rest, in_notebook=in_notebook)("do it without that"),
    )


def refuse_json(own: OwnOptions, words: Sequence[str], *, in_notebook: bool) -> NoReturn:
    """Refuse an object for a command that is uv's own.

    Raises: UsageError.
    """
    do = _again(own._replace(json=False), (), words, in_notebook=in_notebook)
    raise UsageError(NO_OBJECT.format("uv"), fixes=do("do it without that"))


def _without_forms(own: OwnOptions, words: Sequence[str]) -> tuple[OwnOptions, tuple[str, ...]]:
    rest = tuple(words)
    for one in _FORMS:
        _, rest = parted(rest, one, takes_value=one in VALUES)
    return own._replace(table=False, markdown=False, tree=False, html=None), rest


def _again(
    own: OwnOptions, more: Sequence[str], words: Sequence[str], *, in_notebook: bool
) -> Callable[[str], tuple[Fix, ...]]:
    """Give what makes a fix of the command, with these options of safepip's and words of uv's."""
    env = ("--env", own.env) if own.env is not None else ()
    shell = _shell(in_notebook=in_notebook)
    command = shell.safepip(("uv", *words), (*env, *said_again(own), *more))
    return lambda says: _fixes(command, words, says, shell)


def _fixes(command: str, words: Sequence[str], says: str, shell: Shell) -> tuple[Fix, ...]:
    """Give the command, where it is the same when it is pasted; ``words`` are the user's in it."""
    from safepip.decisions.fixing.again import can_be_pasted
    from safepip.decisions.fixing.commands import can_be_repeated
    from safepip.values.verdict import Fix

    works = can_be_repeated(tuple(map(without_secrets, words)))
    works = works and can_be_pasted(command, in_notebook=shell.in_notebook)
    return (Fix(command, says),) if works else ()


def _shell(*, in_notebook: bool) -> Shell:
    from safepip.decisions.fixing.shell import Shell

    start = words_to_type(os.environ)
    return Shell("", in_notebook=in_notebook, through=THROUGH, start=start)


def refuse_elsewhere(
    own: OwnOptions, command: UvCommand, elsewhere: Elsewhere, *, in_notebook: bool
) -> None:
    """Refuse to have uv write past the books of a conda environment, whichever it works in.

    Raises: CannotJudge.
    """
    above = conda_prefix_above(elsewhere.path)
    if above is None:
        return
    from dataclasses import replace

    from safepip.decisions.fixing.again import again
    from safepip.values.retry import Retry

    option = elsewhere.option
    shell = replace(_shell(in_notebook=in_notebook), prefix=above, obvious=False)
    if command.verb == "sync":
        raise _cannot_sync(command, shell)
    what = "uninstall from" if command.verb == "uninstall" else "install into"
    retry = Retry(f"{what} that environment", without=(option,))
    if elsewhere.by_settings:
        gone = (("UV_CONFIG_FILE", None),) if "UV_CONFIG_FILE" in os.environ else ()
        without = (option, "--config-file")
        says = f"{retry.says}, without uv's settings"
        retry = Retry(says, more=("--no-config",), without=without, variables=gone)
    words = tuple(map(without_secrets, command.words))
    fixes = again(shell, words, tuple(said_again(own._replace(json=False))), retry)
    named = f"`{option[2:]}` in uv's settings" if elsewhere.by_settings else f"`{option}`"
    kind = _Target if option == "--target" else CannotJudge
    raise kind(
        f"{named} leads into the conda environment `{shown(above)}`",
        why="what uv would replace there cannot be judged",
        fixes=fixes,
    )


def refuse_sync(command: UvCommand, target: Target) -> NoReturn:
    """Refuse to have all removed that a file does not name.

    Raises: CannotJudge.
    """
    from safepip.decisions.fixing.shell import shell_of

    raise _cannot_sync(command, shell_of(target))


def _cannot_sync(command: UvCommand, shell: Shell) -> CannotJudge:
    from dataclasses import replace

    shell = replace(shell, through=THROUGH)
    files = tuple(word for file in command.names for word in ("-r", file))
    install = shell.safepip(("install", *files))
    return CannotJudge(
        f"`uv pip sync` removes all that its file does not name from `{shown(shell.prefix)}`",
        why="conda's packages are among that, Python's own and pip too",
        fixes=_fixes(install, files, "install what the file asks for", shell) if files else (),
    )


def _started_by(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give what starts uv: a module of the Python that says so, which need not be on `PATH`."""
    python = environ.get(MODULES_PYTHON)
    return (python, "-m", "uv") if python else ("uv",)


def refuse_for_a_project(
    uv: str, words: list[str], environ: Mapping[str, str], *, in_notebook: bool
) -> None:
    """Refuse to have uv bring a conda environment in step with a project, or with a script.

    Raises: CannotJudge.
    """
    wish = read_wish(uv, words, environ)
    if wish is None:
        return
    taken = list(takewhile(lambda place: is_conda_prefix(place.folder), wish.places))
    if not taken:
        return
    names = [place.named_by for place in taken]
    start, rest = without(words, wish.command, names)
    shell = _shell(in_notebook=in_notebook)
    says = f"which is its `{USUAL}`" if names[0] == USUAL else f"as `{names[0]}` says"
    of = "project" if wish.of_project else "script"
    raise CannotJudge(
        f"uv would make the conda environment `{shown(taken[0].folder)}` that of a {of}, {says}",
        why=f"it would replace and remove what conda has there, as the {of} asks for",
        fixes=_fixes(
            shell.run(*start, *_started_by(environ), *rest),
            rest,
            f"let the {of} have an environment of its own",
            shell,
        ),
    )
