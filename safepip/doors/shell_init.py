"""`shell-init`: functions for the shell that people type in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.guarding.startup import RID, SHELLS
from safepip.decisions.wording.layout import Line, Span, clean, command
from safepip.doors.saying import print_json, print_text
from safepip.doors.terminal import show
from safepip.recipes.shell_init import change_startup, shell_functions
from safepip.values.errors import UsageError
from safepip.values.exits import SCHEMA, Exit

if TYPE_CHECKING:
    from safepip.doors.arguments import OwnOptions
    from safepip.recipes.shell_init import Startup


def shell_init_command() -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "shell-init",
        params=[
            click.Argument(["shell"], type=click.Choice(SHELLS)),
            click.Option(["--write"], is_flag=True, help="Into the startup file of the shell."),
            click.Option(["--remove"], is_flag=True, help="Out of it again, to the byte."),
            click.Option(["--dry-run"], is_flag=True, help="Only say what that would do."),
            click.Option(["--json"], is_flag=True, help="One JSON object on stdout."),
        ],
        short_help="Print functions that guard what is typed in a shell.",
        help="Print functions `pip` and `pip3` for a shell, which send `install` and `uninstall` "
        'through safepip, and its completion: eval "$(safepip shell-init bash)"',
    )


def shell_init(own: OwnOptions, options: dict[str, Any]) -> int:
    """Print the functions, or have them in the startup file, and give the exit code.

    Raises: UsageError, NotWritable.
    """
    shell, remove, dry_run = (options[name] for name in ("shell", "remove", "dry_run"))
    as_json = own.json or options["json"]
    if options["write"] and remove:
        raise UsageError("expected one of `--write`, `--remove`")
    if options["write"] or remove:
        done = change_startup(shell, os.environ, remove=remove, dry_run=dry_run)
        _tell(done, dry_run=dry_run, as_json=as_json, rid=RID[shell] if remove else "")
    elif dry_run or as_json:
        raise UsageError("`--dry-run` and `--json` go with `--write` or `--remove`")
    else:
        print_text(shell_functions(shell), whole=True)
    return Exit.DONE


def _tell(done: Startup, *, dry_run: bool, as_json: bool, rid: str) -> None:
    """Say what became of the file. ``rid``: what takes out of a shell what is no more in it."""
    if as_json:
        file = {"path": done.path, "changed": done.changes, "scripts_removed": [*done.laid]}
        print_json({"schema": SCHEMA, "verdict": "clear", "exit_code": 0, "file": file})
        return
    word = "would be changed" if dry_run else "changed"
    said = f"safepip: {clean(done.path)} {word if done.changes else 'is as it should be already'}"
    show((Line((Span(said),)),))
    if done.laid:
        folder, gone = clean(os.path.dirname(done.laid[0])), "would be" if dry_run else "are"
        show((Line((Span(f"  The scripts in {folder} {gone} gone with it."),)),))
    if rid and done.changes and not dry_run:
        show((Line((Span("  New shells are without it; this one once you have said"),)),))
        show(command(rid, 4))
    elif done.changes and not dry_run:
        show((Line((Span("  New shells have it; this one once it has read the file anew."),)),))
