"""`guard on|off|status`: hooks of one environment, so that plain pip is guarded there, too."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from safepip.doors.policy import say_unheeded, say_wrong_settings, settings_or_fault
from safepip.doors.saying import print_json, print_text
from safepip.doors.terminal import show, width_of
from safepip.effects.prefixes import name_of
from safepip.recipes.settings import configuration_of
from safepip.values.errors import UsageError
from safepip.values.exits import SCHEMA, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.doors.arguments import OwnOptions
    from safepip.recipes.guarding import Turned
    from safepip.values.guarding import Level
    from safepip.values.target import Target
    from safepip.values.verdict import Fix

_ACTIONS = ("on", "off", "status")
_UNTIL = "; every guarded command ends with 2 until that is mended"


def guard_command() -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "guard",
        params=[
            click.Argument(["action"], type=click.Choice(_ACTIONS)),
            click.Option(["--deep"], is_flag=True, help="on: python -m pip and bin/pip, too."),
            click.Option(["--seal"], is_flag=True, help="on: nothing but safepip installs here."),
            click.Option(["--ci"], is_flag=True, help="on: for the later steps of this CI job."),
            click.Option(["--check"], is_flag=True, help="status: end with 1 for any gap."),
            click.Option(["--dry-run"], is_flag=True, help="Only say what that would do."),
            click.Option(["--override-frozen"], is_flag=True, help="Although it is marked frozen."),
            click.Option(["--env"], metavar="PATH|NAME", help="The environment to act on."),
            click.Option(["--json"], is_flag=True, help="One JSON object on stdout."),
        ],
        short_help="Guard plain pip in an environment, too.",
        help="Have plain `pip install` and `pip uninstall` in the environment go through safepip. "
        "`on` writes shims that come first on PATH when the environment is activated; `off` "
        "removes exactly that again; `status` tries each way to pip, and says which is guarded.",
    )


def guard(target: Target, options: dict[str, Any], own: OwnOptions) -> int:
    """Turn the guard on or off, or say what it guards, and give the exit code.

    Raises: SafepipError.
    """
    action, dry_run = options["action"], options["dry_run"]
    levels: list[Level] = [level for level in ("deep", "seal") if options[level]]
    if action != "on" and (options["ci"] or levels):
        raise UsageError("`--deep`, `--seal` and `--ci` go with `guard on`; `off` takes all away")
    if options["check"] and action != "status":
        raise UsageError("`--check` goes with `guard status`")
    if action == "status":
        return _status(target, as_json=own.json, check=options["check"])
    from safepip.decisions.fixing.shell import shell_of

    shell = shell_of(target)
    if action == "off":
        from safepip.recipes.guarding import guard_off

        # The way out of the guard does not depend on what somebody may have written wrongly.
        patience = say_wrong_settings(target.prefix).number("lock-seconds")
        done = guard_off(target, shell, os.environ, patience=patience, dry_run=dry_run)
        fixes = () if dry_run else _rid_of(target, done, shell)
        return _tell(target, done, fixes, action, dry_run=dry_run, as_json=own.json)
    from safepip.recipes.guarding import guard_on

    settings = configuration_of(target.prefix, os.environ)
    say_unheeded(settings)
    patience = settings.number("lock-seconds")
    done = guard_on(
        target,
        levels,
        shell,
        os.environ,
        patience=patience,
        dry_run=dry_run,
        override_frozen=own.override_frozen,
    )
    fixes = () if dry_run else _next(target, done, shell)
    if options["ci"]:
        fixes = _for_later_steps(target, dry_run=dry_run, as_json=own.json)
    return _tell(target, done, fixes, action, dry_run=dry_run, as_json=own.json)


def _tell(
    target: Target,
    done: Turned,
    fixes: Sequence[Fix],
    action: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    if as_json:
        print_json(_as_json(done, target, fixes))
        return Exit.DONE
    from safepip.decisions.wording.guarding import off_lines, on_lines

    where, width = _where(target), width_of()
    if action == "on":
        lines = on_lines(
            done.steps,
            done.minor,
            where=where,
            dry_run=dry_run,
            fixes=fixes,
            width=width,
            closed=done.closed,
        )
    else:
        lines = off_lines(
            done.before, done.steps, where=where, dry_run=dry_run, fixes=fixes, width=width
        )
    show(lines, sys.stdout if dry_run else sys.stderr)
    return Exit.DONE


def _where(target: Target) -> str:
    return name_of(target.prefix) if target.obvious else target.prefix


def _status(target: Target, *, as_json: bool, check: bool) -> int:
    from safepip.decisions.fixing.shell import shell_of
    from safepip.decisions.wording.guarding import status_lines
    from safepip.decisions.wording.settings import settings_as_json, settings_lines
    from safepip.recipes.coverage import guard_status

    settings = settings_or_fault(target.prefix, _UNTIL)
    shell = shell_of(target)
    found = guard_status(target, shell, os.environ)
    code = Exit.DAMAGED if check and found.has_gap else Exit.DONE
    if as_json:
        levels, paths = list(found.levels), [one._asdict() for one in found.tried]
        told = {"levels": levels, "paths": paths, "unlisted": list(found.unlisted)}
        told["closed"] = found.closed or None
        answer = {"exit_code": int(code), "guard": told}
        told_of = {"settings": settings_as_json(settings), "unheeded": list(settings.unheeded)}
        print_json({**_start(target), **answer, **told_of})
    else:
        off = shell.safepip(("guard", "off"))
        lines = status_lines(
            found.levels,
            found.tried,
            found.unlisted,
            off,
            where=_where(target),
            width=width_of(),
            closed=found.closed,
        )
        show((*lines, *settings_lines(settings)), sys.stdout)
    return code


def _rid_of(target: Target, done: Turned, shell: Shell) -> Sequence[Fix]:
    """Give how what was left goes, too: nothing lists it any more, nor takes it off `PATH`."""
    from safepip.decisions.guarding.path import off_path
    from safepip.values.guarding import ACTIVE
    from safepip.values.verdict import Fix

    paths = [f"{target.prefix}/{path}" for path in done.steps.left]
    fixes = [Fix(shell.run("rm", "--", *paths), "remove that, too")] if paths else []
    path, end = os.environ.get("PATH", ""), f"/{ACTIVE}"
    # As activation has put it there: by the name that the environment has in the shell.
    ends = (one for one in path.split(os.pathsep) if one.endswith(end) and not os.path.exists(one))
    gone = (one for one in ends if os.path.realpath(one.removesuffix(end)) == target.prefix)
    rid = off_path(next(gone, ""), path, os.path.basename(os.environ.get("SHELL", "")))
    if rid and not _is_notebook(target):
        fixes.append(Fix(rid, "have this shell forget it, too (new ones do not know it)"))
    return fixes


def _is_notebook(target: Target) -> bool:
    """Say whether a notebook asks, in which no command changes the `PATH` of the kernel."""
    return target.in_notebook or "JPY_PARENT_PID" in os.environ


def _next(target: Target, done: Turned, shell: Shell) -> Sequence[Fix]:
    """Give what is left to do: the shims are on PATH only after an activation."""
    from safepip.values.verdict import Fix

    active = os.environ.get("CONDA_PREFIX")
    fixes = []
    # (A kernel has them by now.)
    is_active = active is not None and os.path.realpath(active) == target.prefix
    if done.steps.changes and is_active and not _is_notebook(target):
        again = shell.run("conda", "activate", target.prefix)
        fixes.append(Fix(again, "have it in this shell, too (new ones have it)"))
    if "deep" not in done.steps.levels:
        deep = shell.safepip(("guard", "on", "--deep"))
        fixes.append(Fix(deep, "guard `python -m pip` and conda's `pip:` section as well"))
    return fixes


def _for_later_steps(target: Target, *, dry_run: bool, as_json: bool) -> Sequence[Fix]:
    """Have the shims on `PATH` in what the job does next; give what is left to do by hand.

    Raises: UsageError, NotWritable.
    """
    from safepip.decisions.guarding.services import offer
    from safepip.effects.appending import append_line
    from safepip.values.verdict import Fix

    found = offer(target.prefix, os.environ)
    if not found.service:
        return [Fix(found.line, "say this in each step, since this CI offers nothing else")]
    if dry_run:
        return ()
    if found.file:
        append_line(found.file, found.line)
    elif as_json:
        from safepip.decisions.fixing.commands import command_line

        return [Fix(command_line("echo", found.line), "say this, since Azure reads it on stdout")]
    else:
        print_text(f"{found.line}\n")
    sys.stderr.write(f"safepip: {found.service} has the shims first on PATH in later steps\n")
    return ()


def _start(target: Target) -> dict[str, Any]:
    where = {"prefix": target.prefix, "python": target.python}
    return {"schema": SCHEMA, "verdict": "clear", "code": None, "exit_code": 0, "target": where}


def _as_json(done: Turned, target: Target, fixes: Sequence[Fix]) -> dict[str, Any]:
    steps = done.steps
    turned = {
        "before": list(done.before.levels),
        "levels": list(steps.levels),
        "written": [piece.path for piece in steps.write],
        "removed": list(steps.remove),
        "left": list(steps.left),
        "closed": done.closed or None,
    }
    ways = [{"command": fix.command, "says": fix.says} for fix in fixes]
    return {**_start(target), "guard": turned, "findings": [], "fixes": ways}
