"""Commands for what `doctor --fix` leaves to the user, as they are pasted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import is_printable
from safepip.values.damage import (
    Altered,
    DependsUnmet,
    Lacks,
    LostRecord,
    Missing,
    Overwritten,
    Replaced,
    TwoCopies,
)
from safepip.values.findings import Shadows
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.decisions.fixing.shell import CondaVerb, Shell
    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection

_MOST = 4
"""More commands than these are no help."""


def advice(inspection: Inspection, damage: Iterable[Finding], shell: Shell) -> tuple[Fix, ...]:
    """Give the commands by which a user can mend these findings without `--fix`."""
    found: dict[str, Fix] = {}
    for finding in damage:
        fix = _advice(inspection, finding, shell)
        if fix is not None and fix.command and is_printable(fix.command):
            found.setdefault(fix.command, fix)
    return tuple(found.values())[:_MOST]


def _advice(inspection: Inspection, finding: Finding, shell: Shell) -> Fix | None:
    match finding:
        case TwoCopies(conda_package=""):
            return _one_only(finding, shell)
        case Replaced() | TwoCopies() | Overwritten() | Missing() | Altered() | LostRecord():
            return _by_conda(finding, shell)
        case DependsUnmet(found=None):
            return Fix(shell.conda("install", (finding.depends,)), "let conda install it")
        case Lacks() if finding.distribution not in inspection.environment.conda_owned:
            return Fix(shell.safepip(("install", finding.requirement)), "install it")
        case Shadows(reason="user-site"):
            removal = shell.safepip(("pip", "uninstall", "-y", finding.distribution))
            return Fix(removal, "take it out of the user site")
        case _:
            return None


def _one_only(finding: TwoCopies, shell: Shell) -> Fix:
    """Give the way to have one copy: each uninstall takes the one that pip sees first."""
    name = finding.distribution
    removal = shell.safepip(("pip", "uninstall", "-y", name))
    again = shell.safepip(("install", f"{name}=={finding.versions[0]}"))
    return Fix(shell.then(removal, removal, again), f"have one {name} only")


def _by_conda(
    finding: Replaced | Overwritten | Missing | Altered | LostRecord | TwoCopies, shell: Shell
) -> Fix:
    """Give the order that conda's own repair needs: what lies over its files goes first."""
    parts = finding.conda_package.rsplit("-", 2)
    spec = "=".join(parts)
    verb: CondaVerb = "install" if isinstance(finding, LostRecord) else "reinstall"
    by_conda = shell.conda(verb, (parts[0] if shell.manager == "pixi" else spec,))
    culprit = "" if isinstance(finding, Missing | Altered) else finding.distribution
    removal = shell.safepip(("pip", "uninstall", "-y", culprit)) if culprit else ""
    command = shell.then(removal, by_conda) if removal else by_conda
    return Fix(command, f"have {shell.tool} put {parts[0]} back")
