"""Whether an install that leads elsewhere can be guarded: `--target`, `--prefix`, `--root`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.effects.targets import is_conda_prefix
from safepip.values.errors import CannotJudge, WrongEnvironment
from safepip.values.plan import Plan
from safepip.values.retry import Retry
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.account import Account
    from safepip.values.environment import Environment
    from safepip.values.request import PipOptions


_ALONE = Retry("let only this environment count", variables=(("PYTHONPATH", None),))


_WHY_NO_TARGET = {
    "pip": "with --target pip replaces whole folders, even `bin`, whoever owns them",
    "uv": "with --target uv does not ask whose the files are that are there already",
}


class TargetInCondaEnvironment(CannotJudge):
    """`--target` leads into a conda environment, and whoever installs asks for no owner."""

    code = "target"

    def __init__(self, target: str, prefix: str, by: str) -> None:
        super().__init__(
            f"`--target {shown(target)}` leads into the conda environment `{shown(prefix)}`",
            why=_WHY_NO_TARGET[by],
            retry=Retry("install into that environment", without=("--target",), prefix=prefix),
        )


def is_guarded(options: PipOptions, environment: Environment, *, by_uv: bool = False) -> bool:
    """Say whether this install concerns a conda environment at all.

    `--prefix` and `--root` do wherever they lead, because pip uninstalls what it replaces from the
    running environment (pypa/pip#12422). `--target` to a folder of the user's own does not.

    Raises: CannotJudge, WrongEnvironment.
    """
    _refuse_writing_to(options.log, ("--log", "pip-log.txt"), environment)
    _refuse_writing_to(options.report, ("--report", "pip-report.json"), environment)
    if options.target_dir:
        above = conda_prefix_above(options.target_dir)
        if above is not None:
            raise TargetInCondaEnvironment(options.target_dir, above, "uv" if by_uv else "pip")
        return False
    for path in (options.prefix_path, options.root_path):
        above = conda_prefix_above(path) if path else None
        if above is not None and above != environment.prefix:
            raise WrongEnvironment(
                f"this would write into the conda environment `{shown(above)}` with the pip of "
                f"`{shown(environment.prefix)}`",
                why="pip takes what it replaces out of the environment that it runs in",
                retry=Retry(
                    "install into that environment",
                    without=("--prefix", "--root"),
                    prefix=above,
                ),
            )
    return True


def nothing_yet(options: PipOptions) -> Plan:
    """Give the plan of which only the place is known: what stops it, stops any plan."""
    elsewhere = options.prefix_path or options.root_path or ""
    return Plan((), user_site=bool(options.use_user_site), elsewhere=elsewhere)


def not_by_falling_back(plan: Plan, options: PipOptions, environment: Environment) -> Plan:
    """Give a plan for the environment where pip would go to the user site without being told to.

    What lies there comes before conda's in every environment of the same Python, so an environment
    that cannot be written is that, and no reason to write elsewhere.
    """
    falls_back = plan.user_site and options.use_user_site is None and not environment.writable
    return replace(plan, user_site=False) if falls_back else plan


def _refuse_writing_to(
    path: str | None, elsewhere: tuple[str, str], environment: Environment
) -> None:
    """Refuse a file for pip's own words that is conda's, or among its records.

    Raises: CannotJudge.
    """
    real = os.path.realpath(path) if path and path != "-" else ""
    below = environment.relative(real) if os.path.lexists(real) else None
    if (below and environment.owners_of([below])) or real.startswith(
        f"{environment.prefix}/conda-meta/"
    ):
        raise CannotJudge(
            f"pip would write its log or report to `{shown(path)}`, which is conda's",
            why="it writes in place, and so into every environment that shares the file",
            retry=Retry("write it elsewhere", more=elsewhere, without=elsewhere[:1]),
        )


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


def refuse_other_environments(
    environment: Environment, plan: Plan, environ: Mapping[str, str]
) -> None:
    """Refuse a plan that takes something out of another conda environment, found on `PYTHONPATH`.

    Raises: WrongEnvironment.
    """
    for change in plan.changes:
        if change.before is None or not change.before.outside or not change.removes:
            continue
        other = conda_prefix_above(change.before.location)
        if other is not None and other != environment.prefix:
            raise WrongEnvironment(
                f"this would take {change.name} {shown(change.before.version)} out of another "
                f"conda environment, `{shown(other)}`",
                why="it is on `PYTHONPATH` or in a path file, so pip takes it for installed here",
                retry=_ALONE if _is_on_path(change.before.location, environ) else None,
            )


def _is_on_path(folder: str, environ: Mapping[str, str]) -> bool:
    return any(_is_same(f, folder) for f in environ.get("PYTHONPATH", "").split(os.pathsep) if f)


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
