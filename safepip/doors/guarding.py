"""`guard on|off|status`: hooks of one environment, so that plain pip is guarded there, too."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.wording.as_json import fixes_as_json
from safepip.decisions.wording.guarding import off_lines, on_lines, status_lines
from safepip.doors.saying import print_json
from safepip.doors.terminal import show, width_of
from safepip.effects.prefixes import name_of
from safepip.recipes.course import is_reached
from safepip.recipes.coverage import guard_status
from safepip.recipes.guarding import guard_off, guard_on
from safepip.values.errors import UsageError
from safepip.values.exits import Exit
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.recipes.guarding import Turned
    from safepip.values.guarding import Level
    from safepip.values.target import Target

_SCHEMA = 1
_ACTIONS = ("on", "off", "status")


def guard_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "guard",
        params=[
            click.Argument(["action"], type=click.Choice(_ACTIONS)),
            click.Option(["--deep"], is_flag=True, help="on: python -m pip and bin/pip, too."),
            click.Option(["--seal"], is_flag=True, help="on: nothing but safepip installs here."),
            *common,
        ],
        short_help="Guard plain pip in an environment, too.",
        help="Have plain `pip install` and `pip uninstall` in the environment go through safepip. "
        "`on` writes shims that come first on PATH when the environment is activated; `off` "
        "removes exactly that again; `status` tries each way to pip, and says which is guarded.",
    )


def guard(target: Target, options: dict[str, Any], *, frozen: bool, as_json: bool) -> int:
    """Turn the guard on or off, or say what it guards, and give the exit code.

    ``frozen``: the user overrides the mark of a frozen environment.
    """
    action = options["action"]
    levels: list[Level] = [level for level in ("deep", "seal") if options[level]]
    if action != "on" and levels:
        raise UsageError(f"`--{levels[0]}` goes with `guard on`; `guard off` takes it away as well")
    shell = Shell(target.prefix, obvious=is_reached(target))
    if action == "status":
        return _status(target, shell, as_json=as_json)
    if action == "on":
        done = guard_on(
            target,
            levels,
            shell,
            os.environ,
            dry_run=options["dry_run"],
            override_frozen=frozen,
        )
    else:
        done = guard_off(target, os.environ, dry_run=options["dry_run"])
    fixes = _next(target, done, shell) if action == "on" and not options["dry_run"] else ()
    if as_json:
        print_json(_as_json(done, target, fixes))
        return Exit.DONE
    where = _where(target)
    facts: dict[str, Any] = {"where": where, "dry_run": options["dry_run"], "width": width_of()}
    if action == "on":
        lines = on_lines(done.steps, fixes=fixes, **facts)
    else:
        lines = off_lines(done.before, done.steps, **facts)
    show(lines, sys.stdout if options["dry_run"] else sys.stderr)
    return Exit.DONE


def _where(target: Target) -> str:
    return name_of(target.prefix) if target.obvious else target.prefix


def _status(target: Target, shell: Shell, *, as_json: bool) -> int:
    found = guard_status(target, shell, os.environ)
    if as_json:
        print_json(
            {
                "schema": _SCHEMA,
                "exit_code": 0,
                "target": {"prefix": target.prefix, "python": target.python},
                "guard": {
                    "levels": list(found.levels),
                    "paths": [asdict(one) for one in found.tried],
                },
            }
        )
    else:
        lines = status_lines(found.levels, found.tried, where=_where(target), width=width_of())
        show(lines, sys.stdout)
    return Exit.DONE


def _next(target: Target, done: Turned, shell: Shell) -> Sequence[Fix]:
    """Give what is left to do: the shims are on PATH only after an activation."""
    active = os.environ.get("CONDA_PREFIX")
    fixes = []
    if done.steps.changes and active and os.path.realpath(active) == target.prefix:
        again = shell.run("conda", "activate", target.prefix)
        fixes.append(Fix(again, "have it in this shell, too (new ones have it)"))
    if "deep" not in done.steps.levels:
        deep = shell.safepip(("guard", "on", "--deep"))
        fixes.append(Fix(deep, "guard `python -m pip` and conda's `pip:` section as well"))
    return fixes


def _as_json(done: Turned, target: Target, fixes: Sequence[Fix]) -> dict[str, Any]:
    steps = done.steps
    return {
        "schema": _SCHEMA,
        "verdict": "clear",
        "code": None,
        "exit_code": 0,
        "target": {"prefix": target.prefix, "python": target.python},
        "guard": {
            "before": list(done.before.levels),
            "levels": list(steps.levels),
            "written": [piece.path for piece in steps.write],
            "removed": list(steps.remove),
            "left": list(steps.left),
        },
        "findings": [],
        "fixes": fixes_as_json(fixes),
    }
