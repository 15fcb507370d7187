"""`guard`, `shell-init` and `exec`: what shells, images and CI wait for at their start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from safepip.doors.arguments import misunderstood, said_again, without_env
from safepip.doors.recovering import recover_around, recover_first
from safepip.doors.saying import say_bug, say_error, say_interrupted
from safepip.doors.target import target_of
from safepip.values.errors import SafepipError

if TYPE_CHECKING:
    import click

    from safepip.doors.arguments import OwnOptions


def run(verb: str, own: OwnOptions, arguments: list[str], *, as_module: bool) -> int:
    """Carry out one of these verbs, and give the exit code."""
    # What `exec` runs has options of its own.
    as_json = own.json or (verb != "exec" and "--json" in arguments)
    try:
        return _run(verb, own, arguments, as_module=as_module)
    except SafepipError as error:
        return say_error(error, verb=verb, as_json=as_json)
    except KeyboardInterrupt:
        return say_interrupted(f"interrupted; say `safepip {verb}` again", as_json=as_json)
    except Exception:  # noqa: BLE001 - a bug may be anything, and is told here and nowhere else
        return say_bug(as_json=as_json)


def _run(verb: str, own: OwnOptions, arguments: list[str], *, as_module: bool) -> int:
    if verb == "exec":
        from safepip.doors.executing import execute

        recover_around(os.environ)
        execute(own, arguments)
    if verb == "shell-init":
        from safepip.doors.shell_init import shell_init, shell_init_command

        options = _parsed(shell_init_command(), arguments)
        return 0 if options is None else shell_init(own, options)
    from safepip.doors.guarding import guard, guard_command

    options = _parsed(guard_command(), arguments)
    if options is None:
        return 0
    said = [verb, *said_again(own), *arguments]
    own = own._replace(
        env=options["env"] or own.env,
        json=own.json or options["json"],
        override_frozen=own.override_frozen or options["override_frozen"],
    )
    target = target_of(own, said, as_module=as_module)
    if not target.is_conda:
        from safepip.effects.astray import no_condas

        raise no_condas(target, os.environ, without_env(said))
    recover_first(target.prefix)
    try:
        return guard(target, options, own)
    except SafepipError as error:
        if error.retry is not None:
            from safepip.decisions.fixing.again import again
            from safepip.decisions.fixing.shell import shell_of

            shell = shell_of(target)
            error.fixes = again(shell, (verb, *arguments), (), error.retry)
        raise


def _parsed(command: click.Command, arguments: list[str]) -> dict[str, Any] | None:
    """Give the options of a verb; None where its help was wanted, and is shown.

    Raises: UsageError.
    """
    import click

    try:
        # (click takes the words out of the list that it is given.)
        with command.make_context(f"safepip {command.name}", list(arguments)) as context:
            return dict(context.params)
    except click.exceptions.Exit:
        return None
    except click.ClickException as error:
        raise misunderstood(error) from error
