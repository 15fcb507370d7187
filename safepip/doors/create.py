"""`create` and `check-file`: environments from files."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.as_json import as_json as outcome_as_json
from safepip.decisions.wording.environment_files import checked_lines, finding_text
from safepip.decisions.wording.exported import created_lines, not_created_lines
from safepip.doors.forms import show_outcome
from safepip.doors.policy import policy_of, say_unheeded
from safepip.doors.saying import print_json, say_event
from safepip.doors.terminal import runs_in_github, show, width_of
from safepip.effects.called import words_to_type
from safepip.effects.environment_files import read_environment_file
from safepip.effects.targets import place_for
from safepip.recipes.check_file import check_file
from safepip.recipes.create import Created, Making, command_of, create
from safepip.values.environment import FAMILY
from safepip.values.errors import UsageError
from safepip.values.exits import SCHEMA, Exit
from safepip.values.findings import CondaOwned
from safepip.values.verdict import Blocked, Fix

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions
    from safepip.values.environment_file import EnvironmentFile


def create_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "create",
        params=[
            click.Option(
                ["--file", "-f"], metavar="FILE", default="environment.yml", help="environment.yml."
            ),
            click.Option(["--prefix", "-p"], metavar="PATH", help="Where to make it."),
            click.Option(["--name", "-n"], metavar="NAME", help="Or by name, as conda does."),
            click.Option(["--allow"], metavar="NAME[,NAME]", help="Let pip take these over."),
            click.Option(
                ["--with", "maker"],
                type=click.Choice([*FAMILY, "rattler"]),
                help="What makes conda's part; usually the first of these that is there.",
            ),
            *common,
        ],
        short_help="Make an environment from an environment.yml, whole or not at all.",
        help="Make conda's part by conda, mamba or micromamba, or by py-rattler where none of them "
        "is there; then pip's part through the guard. Where either fails, nothing is left.",
    )


def check_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "check-file",
        params=[
            click.Argument(["file"], default="environment.yml"),
            click.Option(["--solve"], is_flag=True, help="Ask py-rattler what conda would bring."),
            *common,
        ],
        short_help="Judge an environment.yml before an environment is made of it.",
        help="Say what is wrong with FILE, and end with 1 where something is: what pip would "
        "install over conda's packages, versions that contradict each other, secrets, missing "
        "files.",
    )


def run_check(options: dict[str, Any], *, as_json: bool) -> int:
    """Judge a file, say what was found, and give the exit code.

    Raises: SafepipError.
    """
    file = read_environment_file(options["file"])
    found = check_file(file, os.environ, solve=options["solve"])
    bad = [finding for finding in found if finding.severity == "problem"]
    code = Exit.DAMAGED if bad else Exit.DONE
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "exit_code": int(code),
                "code": bad[0].kind if bad else None,
                "file": file.path,
                "findings": [{**asdict(one), "says": finding_text(one)} for one in found],
            }
        )
    else:
        show(checked_lines(file.path, found, width=width_of()), sys.stdout)
    if bad and runs_in_github():
        from safepip.doors.github import tell_file

        tell_file(file.path, found)
    return code


def run_create(own: OwnOptions, options: dict[str, Any], *, as_json: bool) -> int:
    """Make the environment, say how that ended, and give the exit code.

    Raises: SafepipError.
    """
    file = read_environment_file(options["file"])
    file = replace(file, path=os.path.abspath(file.path))
    prefix = _place(file, own, options)
    allow = tuple(filter(None, (options["allow"] or "").split(",")))
    own = own._replace(allow=(*own.allow, *allow), json=as_json)
    environ = dict(os.environ)
    os.chdir(os.path.dirname(os.path.realpath(file.path)))  # as conda does it for pip's part
    making = Making(
        prefix=prefix,
        policy=policy_of(own, prefix),
        environ=environ,
        tell=say_event,
        quiet_stdout=as_json,
        maker=options["maker"] or "",
    )
    created = create(file, making)
    if created.exit_code:
        return _not_made(created, own)
    if as_json:
        print_json({**_answer(created), "prefix": prefix, "made_by": created.maker})
    else:
        say_unheeded(making.policy.settings)
        show(created_lines(prefix, created.maker, file, width=width_of()), sys.stderr)
    return Exit.DONE


def _place(file: EnvironmentFile, own: OwnOptions, options: dict[str, Any]) -> str:
    """Give where the environment is to be; `--env` may be its path or its name.

    Raises: UsageError.
    """
    env = own.env or ""
    is_path = "/" in env or env.startswith((".", "~"))
    given = [options["prefix"], options["name"], env]
    if sum(map(bool, given)) > 1:
        raise UsageError("expected one of `-p` and `-n`")
    path: str = options["prefix"] or (env if is_path else "")
    if path:
        return os.path.abspath(os.path.expanduser(path))
    name = env or file.name if options["name"] is None else options["name"]
    if not name or name in (".", "..", "base", "root") or set(name) & set("/\\ :#"):
        found = f"`{name}` is no name for an environment" if name else "no name is given"
        raise UsageError(f"{found}; expected `-n NAME` or `-p PATH`")
    prefix = place_for(name, os.environ, sys.prefix)
    if not prefix:
        raise UsageError(
            f"there is no folder for an environment called `{name}`; name a path by `-p`"
        )
    return prefix


def _not_made(created: Created, own: OwnOptions) -> int:
    """Say why pip's part could not be installed; its fixes would be for what is not there."""
    outcome = created.outcome
    if outcome is None:  # pragma: no cover - without a part for pip nothing can fail here
        return Exit.DONE
    outcome = replace(outcome, fixes=())
    if isinstance(outcome.verdict, Blocked):
        fixes = _fixes(created, outcome.verdict, own.allow)
        outcome = replace(outcome, verdict=replace(outcome.verdict, fixes=fixes))
    if own.json:
        left = created.left or None
        print_json({**outcome_as_json(outcome), "prefix": created.prefix, "left": left})
    else:
        show_outcome(outcome, own)
        show(not_created_lines(created.prefix, created.left, width=width_of()))
    return outcome.exit_code


def _fixes(created: Created, blocked: Blocked, allowed: tuple[str, ...]) -> tuple[Fix, ...]:
    """Give the command again, with what pip would have to take over."""
    owned = [f.distribution for f in blocked.refusals if isinstance(f, CondaOwned)]
    words = (*words_to_type(os.environ), "check-file", created.file.path)
    check = Fix(command_line(*words), "see what else is in it")
    if len(owned) < len(blocked.refusals):
        return (check,)
    allow = command_of(created.file, created.prefix, (*allowed, *owned))
    return (Fix(allow, "let pip take over what conda has, on purpose"), check)


def _answer(created: Created) -> dict[str, Any]:
    if created.outcome is not None:
        return outcome_as_json(created.outcome)
    return {"schema": SCHEMA, "verdict": "clear", "code": None, "exit_code": 0, "changes": []}
