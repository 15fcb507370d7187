"""safepip's own verbs, whose arguments are parsed here, by click; among them `undo`, `history`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.fixing.again import again
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.undoing.inverse import inverse_steps
from safepip.decisions.undoing.journaling import told
from safepip.decisions.wording.changes import history_lines, undone_message
from safepip.doors.arguments import misunderstood, said_again, without_env
from safepip.doors.asking import ask
from safepip.doors.create import check_command, create_command, run_check, run_create
from safepip.doors.doctor import doctor, doctor_command
from safepip.doors.explain import explain_command, run_explain
from safepip.doors.export import constraints_command, export_command, run_constraints, run_export
from safepip.doors.guarding import guard_command
from safepip.doors.policy import policy_of, say_unheeded
from safepip.doors.recovering import recover_first
from safepip.doors.saying import print_json, say_bug, say_error, say_event, say_interrupted
from safepip.doors.shell_init import shell_init_command
from safepip.doors.target import target_of
from safepip.doors.terminal import show, width_of
from safepip.effects.astray import no_condas
from safepip.effects.prefixes import name_of
from safepip.recipes.history import history
from safepip.recipes.undo import undo
from safepip.values.errors import SafepipError
from safepip.values.exits import SCHEMA, Exit

if TYPE_CHECKING:
    from types import FrameType

    from safepip.decisions.undoing.past import Since
    from safepip.doors.arguments import OwnOptions
    from safepip.recipes.undo import Undone
    from safepip.values.journal import Entry
    from safepip.values.target import Target

_UNCHANGED = "nothing was changed"
_STANDS = {
    "create": "nothing is left of it",
    "doctor": "`safepip history` says what stands",
}
"""What is so after an interruption, by verb."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(verb: str, own: OwnOptions, arguments: list[str], *, as_module: bool) -> int:
    """Carry out one of these verbs, and give the exit code."""
    try:
        options = _parsed(verb, arguments)
    except click.exceptions.Exit:
        return 0
    except click.ClickException as error:
        as_json = own.json or "--json" in arguments
        return say_error(misunderstood(error), verb=verb, as_json=as_json)
    as_json = own.json or options["json"]
    _end_once()
    try:
        return _run(verb, own, options, arguments, as_module=as_module, as_json=as_json)
    except SafepipError as error:
        return say_error(error, verb=verb, as_json=as_json)
    except KeyboardInterrupt:
        return say_interrupted(f"interrupted; {_STANDS.get(verb, _UNCHANGED)}", as_json=as_json)
    except Exception:  # noqa: BLE001 - a bug may be anything, and is told here and nowhere else
        return say_bug(as_json=as_json)


def _end_once() -> None:
    """Have the signals that ask to end end the command, once: taking back is not to be cut off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    heard = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, end)


def _run(
    verb: str,
    own: OwnOptions,
    options: dict[str, Any],
    given: list[str],
    *,
    as_module: bool,
    as_json: bool,
) -> int:
    said = [verb, *said_again(own), *given]
    own = own._replace(
        env=options.get("env") or own.env,
        override_frozen=own.override_frozen or options.get("override_frozen", False),
    )
    if verb == "explain":
        return run_explain(own, options["name"], said, as_module=as_module, as_json=as_json)
    if verb == "create":
        return run_create(own, options, as_json=as_json)
    if verb == "check-file":
        return run_check(options, as_json=as_json)
    is_for_pip = verb != "doctor"  # which also looks at what has no Python any more
    target = target_of(own, said, as_module=as_module, is_for_pip=is_for_pip)
    if not target.is_conda:
        raise no_condas(target, os.environ, without_env(said))
    try:
        return _on(target, verb, own, options, as_json=as_json)
    except SafepipError as error:
        if error.retry is not None:
            shell = shell_of(target)
            error.fixes = again(shell, (verb, *given), (), error.retry)
        return say_error(error, verb=verb, as_json=as_json, target=target)


def _on(
    target: Target, verb: str, own: OwnOptions, options: dict[str, Any], *, as_json: bool
) -> int:
    """Carry out a verb that is about one environment.

    Raises: SafepipError.
    """
    match verb:
        case "doctor":
            return doctor(target, options, own, as_json=as_json)
        case "export":
            return run_export(target, options, as_json=as_json)
        case "constraints":
            return run_constraints(target, options, as_json=as_json)
        case "history":
            return _history(target, as_json=as_json)
        case _:
            return _undo(target, options, own, as_json=as_json)


def commands() -> dict[str, click.Command]:
    """Give these verbs as click describes them."""
    env = click.Option(["--env"], metavar="PATH|NAME", help="The environment to act on.")
    json = click.Option(["--json"], is_flag=True, help="One JSON object on stdout.")
    dry_run = click.Option(["--dry-run"], is_flag=True, help="Only say what that would do.")
    yes = click.Option(["--yes", "-y"], is_flag=True, help="Do not ask.")
    override = click.Option(
        ["--override-frozen"], is_flag=True, help="Act although the environment is marked frozen."
    )
    name = click.Argument(["id"], required=False)
    return {
        "doctor": doctor_command(yes, dry_run, override, env, json),
        "explain": explain_command(env, json),
        "guard": guard_command(),
        "shell-init": shell_init_command(),
        "export": export_command(env, json),
        "constraints": constraints_command(env, json),
        "create": create_command(json),
        "check-file": check_command(json),
        "undo": click.Command(
            "undo",
            params=[name, dry_run, yes, override, env, json],
            short_help="Take back a change, to the byte.",
            help="Take back the change ID of `safepip history`, or the last one.",
        ),
        "history": click.Command(
            "history",
            params=[env, json],
            short_help="List the changes, and what was changed past safepip.",
            help="List the changes that safepip made, and what was changed past it since.",
        ),
    }


def _parsed(verb: str, arguments: list[str]) -> dict[str, Any]:
    command = commands()[verb]
    with command.make_context(f"safepip {verb}", list(arguments)) as context:
        return dict(context.params)


def _undo(target: Target, options: dict[str, Any], own: OwnOptions, *, as_json: bool) -> int:
    def agree(entry: Entry) -> None:
        if not options["yes"]:
            _ask(entry, target, as_json=as_json)

    policy = policy_of(own, target.prefix)
    say_unheeded(policy.settings)
    done = undo(
        target,
        options["id"],
        environ=os.environ,
        agree=None if options["dry_run"] else agree,
        tell=say_event,
        policy=policy,
    )
    if as_json:
        print_json(_undone_as_json(done, target))
        return Exit.DONE
    where = name_of(target.prefix) if target.obvious else target.prefix
    dry_run = done.is_dry_run
    lines = undone_message(done.entry, done.left, dry_run=dry_run, where=where, width=width_of())
    show(lines, sys.stdout if dry_run else sys.stderr)
    return Exit.DONE


def _ask(entry: Entry, target: Target, *, as_json: bool) -> None:
    """Ask whether to go on.

    Raises: NeedsYes, when nobody can answer, or the answer is no.
    """
    shell = shell_of(target)
    where = name_of(target.prefix)
    lines = undone_message(entry, (), dry_run=True, where=where, width=width_of())
    ask("undo", lines, shell.safepip(("undo", "--yes", entry.id)), as_json=as_json)


def _undone_as_json(done: Undone, target: Target) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "verdict": "clear",
        "code": None,
        "exit_code": 0,
        "target": {"prefix": target.prefix, "python": target.python},
        "undone": told(done.entry),
        "changes": [asdict(step) for step in inverse_steps(done.entry)],
        "left": list(done.left),
        "findings": [],
        "fixes": [],
        "undo": done.by.id if done.by is not None else None,
    }


def _history(target: Target, *, as_json: bool) -> int:
    recover_first(target.prefix)
    found = history(target, os.environ)
    if as_json:
        entries = [
            {
                **told(entry, found.taken_back.get(entry.id)),
                "past": _since_as_json(found.between.get(entry.id)),
            }
            for entry in found.entries
        ]
        print_json(
            {
                "schema": SCHEMA,
                "exit_code": 0,
                "target": {"prefix": target.prefix, "python": target.python},
                "changes": entries,
                "unreadable": list(found.unreadable),
                "since": _since_as_json(found.since),
            }
        )
        return Exit.DONE
    show(history_lines(found, width=width_of()), sys.stdout)
    return Exit.DONE


def _since_as_json(past: Since | None) -> dict[str, Any] | None:
    if past is None:
        return None
    return {
        "distributions": [
            {"name": name, "from": before, "to": after}
            for name, before, after in past.distributions
        ],
        "records": [{"how": how, "dist": dist} for how, dist in past.records],
    }
