"""The functions for shells, printed, or in the startup file of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.guarding.startup import folders_made, functions, with_block, without_block
from safepip.effects.itself import own_command, own_package, read_texts
from safepip.effects.startup_files import (
    laid_scripts,
    missing_folders,
    read_startup,
    remove_scripts,
    startup_file,
    write_startup,
)
from safepip.values.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.guarding.startup import ShellName


class Startup(NamedTuple):
    """A startup file, and what becomes of it."""

    path: str
    before: bytes | None
    after: bytes | None
    laid: tuple[str, ...] = ()
    """The scripts that its functions had laid, and that go with them."""

    @property
    def changes(self) -> bool:
        """Whether it becomes another."""
        return self.before != self.after


def shell_functions(shell: ShellName) -> str:
    """Give the functions for a shell."""
    return functions(shell, read_texts(), own_command(), own_package())


def change_startup(
    shell: ShellName, environ: Mapping[str, str], *, remove: bool, dry_run: bool
) -> Startup:
    """Have the functions in the startup file of a shell, or no longer.

    Raises: UsageError, NotWritable.
    """
    path = startup_file(shell, environ)
    before = read_startup(path)
    try:
        made = folders_made(before) if remove else 0
        missing = 0 if remove or before is not None else missing_folders(path)
        after = (
            without_block(before)
            if remove
            else with_block(before, shell_functions(shell), folders=missing)
        )
    except UsageError as error:
        raise UsageError(f"`{path}` is left alone: {error.message}", why=error.why) from error
    done = Startup(path, before, after, laid_scripts(shell, environ) if remove else ())
    if done.changes and not dry_run:
        write_startup(path, after, made=made)
    if not dry_run:
        remove_scripts(done.laid)
    return done
