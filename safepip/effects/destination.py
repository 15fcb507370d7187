"""Whether an install that leads elsewhere can be guarded: `--target`, `--prefix`, `--root`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.effects.targets import is_conda_prefix
from safepip.values.errors import CannotJudge, WrongEnvironment
from safepip.values.text import shown

if TYPE_CHECKING:
    from safepip.values.account import Account
    from safepip.values.environment import Environment
    from safepip.values.request import PipOptions


class TargetInCondaEnvironment(CannotJudge):
    """`--target` leads into a conda environment, where pip replaces whole folders."""

    code = "target"

    def __init__(self, target: str, prefix: str) -> None:
        super().__init__(
            f"`--target {shown(target)}` leads into the conda environment `{shown(prefix)}`",
            why="with --target pip replaces whole folders, even `bin`, whoever owns them; "
            "leave it out to install into the environment",
            fixes=(),
        )


def is_guarded(options: PipOptions, environment: Environment) -> bool:
    """Say whether this install concerns a conda environment at all.

    `--prefix` and `--root` do wherever they lead, because pip uninstalls what it replaces from the
    running environment (pypa/pip#12422). `--target` to a folder of the user's own does not.

    Raises: TargetInCondaEnvironment, WrongEnvironment.
    """
    if options.target_dir:
        above = conda_prefix_above(options.target_dir)
        if above is not None:
            raise TargetInCondaEnvironment(options.target_dir, above)
        return False
    for path in (options.prefix_path, options.root_path):
        above = conda_prefix_above(path) if path else None
        if above is not None and above != environment.prefix:
            raise WrongEnvironment(
                f"this would write into the conda environment `{shown(above)}` with the pip of "
                f"`{shown(environment.prefix)}`",
                why="pip takes what it replaces out of the environment that it runs in; "
                "name the other one by --env instead",
                fixes=(),
            )
    return True


def at_home(account: Account, environment: Environment) -> Account:
    """Give the account without an "elsewhere" that is the environment itself.

    `--root /`, and `--prefix` with the environment's own, lead back to where they came from.
    """
    home = environment.interpreter
    leads_back = all(
        _is_same(entry.scheme.purelib, home.purelib)
        and _is_same(entry.scheme.scripts, home.scripts)
        for entry in account.entries
    )
    return replace(account, elsewhere="") if account.elsewhere and leads_back else account


def _is_same(folder: str, other: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(other)


def conda_prefix_above(path: str) -> str | None:
    """Give the conda environment in which a path lies, existing or not; None when in none."""
    folder = os.path.realpath(path)
    while True:
        if is_conda_prefix(folder):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
