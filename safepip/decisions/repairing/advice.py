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
    from collections.abc import Iterable, Sequence

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection

_Condas = Replaced | TwoCopies | Overwritten | Missing | Altered | LostRecord
_CONDAS = (Replaced, TwoCopies, Overwritten, Missing, Altered, LostRecord)

_MOST = 4
"""More commands than these are no help."""


def advice(inspection: Inspection, damage: Iterable[Finding], shell: Shell) -> tuple[Fix, ...]:
    """Give the commands by which a user can mend these findings without `--fix`."""
    damage = tuple(damage)
    fixes = [_by_conda([f for f in damage if isinstance(f, _CONDAS) and f.conda_package], shell)]
    fixes += (_advice(inspection, finding, shell) for finding in damage)
    found: dict[str, Fix] = {}
    for fix in fixes:
        if fix is not None and fix.command and is_printable(fix.command):
            found.setdefault(fix.command, fix)
    return tuple(found.values())[:_MOST]


def _advice(inspection: Inspection, finding: Finding, shell: Shell) -> Fix | None:
    match finding:
        case TwoCopies(conda_package=""):
            return _one_only(finding, shell)
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


def _by_conda(findings: Sequence[_Condas], shell: Shell) -> Fix | None:
    """Give the order that conda's own repair needs: what lies over its files goes first."""
    culprits = [f.distribution for f in findings if not isinstance(f, Missing | Altered)]
    lost = [f.conda_package for f in findings if isinstance(f, LostRecord)]
    there = [f.conda_package for f in findings if not isinstance(f, LostRecord)]
    commands = []
    if culprits := list(filter(None, dict.fromkeys(culprits))):
        commands.append(shell.safepip(("pip", "uninstall", "-y", *culprits)))
    if there:
        commands.append(shell.conda("reinstall", _specs(there, shell)))
    if lost:
        commands.append(shell.conda("install", _specs(lost, shell)))
    return Fix(shell.then(*commands), f"have {shell.tool} do it") if commands else None


def _specs(dists: Iterable[str], shell: Shell) -> tuple[str, ...]:
    """Give the packages as the tool takes them: exactly these, where it can say so."""
    parts = [dist.rsplit("-", 2) for dist in dict.fromkeys(dists)]
    return tuple(part[0] if shell.manager == "pixi" else "=".join(part) for part in parts)
