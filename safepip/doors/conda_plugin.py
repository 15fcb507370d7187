"""safepip in conda: `conda safepip …`, and a health check of `conda doctor`.

conda imports this module with every command of its own, so it imports nothing else of safepip
before it is asked for something.

Source: https://docs.conda.io/projects/conda/en/stable/dev-guide/plugins/index.html
"""

from __future__ import annotations

import sys
from inspect import signature
from typing import TYPE_CHECKING, Any

from conda.plugins import hookimpl
from conda.plugins.types import CondaHealthCheck, CondaPostCommand, CondaSubcommand

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

    from safepip.decisions.wording.layout import Line
    from safepip.values.target import Target


def run(arguments: Sequence[str]) -> int:
    """Run `conda safepip ARGUMENTS`, and give the exit code."""
    from safepip.doors.arguments import from_conda
    from safepip.doors.launch import main

    return main(from_conda(arguments))


def check(prefix: str, verbose: object = None) -> None:
    """Say what is wrong in an environment; nothing where a program reads what conda prints."""
    from conda.base.context import context

    from safepip.doors.doctor import report
    from safepip.doors.saying import say_error
    from safepip.values.errors import SafepipError

    del verbose  # as conda calls it; there is nothing more to say
    if context.json:
        return
    try:
        report(_target(prefix))
    except SafepipError as error:
        say_error(error, verb="doctor")


def fix(prefix: str, args: Namespace, confirm: Callable[[str], None] | None = None) -> int:
    """Mend an environment, when conda's own question is answered by yes.

    Nothing is printed to stdout where a program reads what conda prints.
    """
    from contextlib import nullcontext, redirect_stdout

    from conda.base.context import context

    from safepip.doors.arguments import OwnOptions
    from safepip.doors.doctor import mend
    from safepip.doors.policy import policy_of
    from safepip.doors.saying import say_error
    from safepip.doors.terminal import show
    from safepip.values.errors import SafepipError

    def agree(lines: Sequence[Line]) -> None:
        show(lines, sys.stdout)
        if confirm is not None:
            confirm("Go on?")

    override = bool(getattr(args, "override_frozen", False))
    try:
        with redirect_stdout(sys.stderr) if context.json else nullcontext():
            target = _target(prefix)
            policy = policy_of(OwnOptions(override_frozen=override), target.prefix)
            return mend(target, (), agree, policy)
    except SafepipError as error:
        return say_error(error, verb="doctor")


def keep_constraints(_command: str) -> None:
    """Write anew the constraints that follow the environment that conda has changed.

    Nothing is said where a program reads what conda prints, and conda's command is done: what goes
    wrong here does not fail it.
    """
    from conda.base.context import context

    from safepip.doors.export import follow

    follow(context.target_prefix, quiet=context.json)


def _target(prefix: str) -> Target:
    from safepip.doors.arguments import OwnOptions
    from safepip.doors.target import target_of

    return target_of(OwnOptions(env=prefix), ["doctor"], as_module=False, is_for_pip=False)


@hookimpl  # type: ignore[untyped-decorator]  # conda is not installed where types are checked
def conda_subcommands() -> Iterator[CondaSubcommand]:
    """Give `conda safepip`."""
    yield CondaSubcommand(
        name="safepip",
        summary="pip for conda environments: what conda put there stays whole.",
        action=run,
    )


@hookimpl  # type: ignore[untyped-decorator]  # conda is not installed where types are checked
def conda_health_checks() -> Iterator[CondaHealthCheck]:
    """Give the health check; older releases of conda know of no fix."""
    facts: dict[str, Any] = {
        "name": "safepip",
        "action": check,
        "fixer": fix,
        "summary": "Packages that pip replaced or damaged, by every byte",
        "fix": "Put conda's files back",
    }
    known = signature(CondaHealthCheck).parameters
    yield CondaHealthCheck(**{name: fact for name, fact in facts.items() if name in known})


@hookimpl  # type: ignore[untyped-decorator]  # conda is not installed where types are checked
def conda_post_commands() -> Iterator[CondaPostCommand]:
    """Keep files of constraints in step."""
    yield CondaPostCommand(
        name="safepip-constraints",
        action=keep_constraints,
        run_for={"install", "update", "remove", "env_update"},
    )
