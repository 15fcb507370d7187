"""What each refusal says to a person: one sentence, and the harm that is spared. Pure.

Every refusal names the package, its version, and who owns what would be harmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.requirements import required_name
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import count, few, listed, needed_by, package, planned
from safepip.values.findings import (
    Breaks,
    CondaOwned,
    Finding,
    Frozen,
    NoMetadata,
    Pinned,
    SameFiles,
    SecondCopy,
    Shadows,
    Unmet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safepip.values.environment import Environment
    from safepip.values.plan import Plan

_FEW_NAMES = 3
_SEALS = {
    "frozen": "this environment is marked read-only by its owner",
    "externally-managed": "this environment is marked as managed by something else than pip",
    "read-only": "this environment cannot be written",
}


def headline(findings: Sequence[Finding], plan: Plan, environment: Environment) -> str:
    """Give what is wrong in one sentence, for refusals of one kind."""
    owned = [finding for finding in findings if isinstance(finding, CondaOwned)]
    if len(owned) <= 1:
        return sentence(findings[0], plan, environment)
    if all(finding.planned is None for finding in owned):
        names = listed(f"{finding.distribution} {finding.installed}" for finding in owned)
        return f"{names} were installed by conda, so pip cannot remove them cleanly"
    return f"this install would replace {len(owned)} packages that conda put here"


def sentence(  # noqa: PLR0911 - a sentence for each kind
    finding: Finding, plan: Plan, environment: Environment
) -> str:
    """Give one refusal in one sentence."""
    name = planned(finding.distribution, plan)
    match finding:
        case CondaOwned():
            return _conda_owned(finding, environment)
        case SameFiles():
            return _same_files(finding, name, environment)
        case SecondCopy():
            return _second_copy(finding, name, environment)
        case Breaks():
            return breaks(finding, environment)
        case Unmet():
            return f"{name} {lacks(finding)}"
        case Shadows():
            return _shadows(finding, name, environment)
        case Pinned():
            return f"{name} contradicts the pin `{clean(finding.pin)}` of this environment"
        case Frozen():
            return _SEALS[finding.marker]
        case NoMetadata():
            return no_metadata(finding)
        case _:
            return "this install is refused"


def _conda_owned(finding: CondaOwned, environment: Environment) -> str:
    here = f"{clean(finding.distribution)} {clean(finding.installed)}"
    if finding.planned is None:
        return f"{here} was installed by conda, so pip cannot remove it cleanly"
    if finding.action == "same":
        owner = package(finding.conda_package, environment)
        return f"this install would write {here} again, over the conda package {owner}"
    return f"this install would replace conda's {here} with {clean(finding.planned)}"


def _same_files(finding: SameFiles, name: str, environment: Environment) -> str:
    files = count(len(finding.paths), "file")
    owner = f"the conda package {package(finding.conda_package, environment)}"
    match finding.reason:
        case "removal":
            return f"replacing {clean(finding.distribution)} would delete {files} of {owner}"
        case "scripts":
            commands = count(len(finding.paths), "command")
            return f"{name} would replace {commands} of {owner}"
        case "link":
            return f"{name} would write through a linked folder into {owner}"
        case _:
            return f"{name} would write over {files} of {owner}"


def _second_copy(finding: SecondCopy, name: str, environment: Environment) -> str:
    modules, owner = few(finding.modules), package(finding.conda_package, environment)
    if environment.is_seen(finding.conda_package):
        return f"{name} would be imported in place of {modules} of conda's {owner}"
    return f"{name} would be a second copy of {modules}, which conda's {owner} has"


def _shadows(finding: Shadows, name: str, environment: Environment) -> str:
    hidden = package(finding.conda_package, environment)
    hidden = f"conda's {hidden}" if hidden else "all others"
    return f"{name} would go to {clean(finding.path)}, which Python searches before {hidden}"


def breaks(finding: Breaks, environment: Environment) -> str:
    """Say what an installed distribution would lose."""
    broken = environment.installed.get(finding.distribution)
    owner = "conda's " if broken is not None and broken.record is not None else ""
    name = f"{clean(finding.distribution)} {clean(broken.version if broken else '')}".strip()
    change = f"{clean(finding.changed)} {clean(finding.before)}"
    change = f"{change} -> {clean(finding.after)}" if finding.after else f"removing {change}"
    return f"{change} would break {owner}{name}, which requires {clean(finding.requirement)}"


def lacks(finding: Unmet) -> str:
    """Say what a planned distribution would not have."""
    wanted = clean(finding.requirement)
    if finding.found is None:
        return f"requires {wanted}, which would be missing"
    return f"requires {wanted}, and {required_name(wanted)} {clean(finding.found)} would be there"


def no_metadata(finding: NoMetadata) -> str:
    """Say what pip cannot uninstall."""
    here = f"{clean(finding.distribution)} {clean(finding.installed)}"
    return f"pip cannot uninstall {here}: {clean(finding.reason)}"


def why(  # noqa: PLR0911 - a reason for each kind
    refusals: Sequence[Finding], environment: Environment, *, in_tree: bool
) -> str:
    """Give the harm that is spared the user, for the first of these; empty where it is plain."""
    match refusals[0]:
        case CondaOwned() as finding:
            owned = [each for each in refusals if isinstance(each, CondaOwned)]
            return _why_conda_owned(finding, dict.fromkeys(owned), in_tree=in_tree)
        case SameFiles(reason="removal" | "link"):
            return "conda would still count on these files"
        case SameFiles() as finding:
            return _why_same_files(finding, refusals, environment)
        case SecondCopy() as finding if environment.is_seen(finding.conda_package):
            return "all that imports it would get the new one, also conda's own packages"
        case SecondCopy():
            return (
                "conda's copy has no metadata that pip can see, so there may be nothing to "
                "install; of two copies, one hides or overwrites the other"
            )
        case Breaks() | Unmet():
            return "pip would do it all the same, and report it afterwards, if at all"
        case Shadows():
            minor = clean(environment.interpreter.minor)
            return f"what lies there counts for every environment with Python {minor}"
        case Pinned():
            return "the pin stands in conda-meta/pinned, and conda keeps to it"
        case NoMetadata():
            return "pip would fail when part of the plan is done"
        case _:
            return ""


def _why_same_files(
    finding: SameFiles, refusals: Sequence[Finding], environment: Environment
) -> str:
    for other in refusals:
        if isinstance(other, SecondCopy) and other.distribution == finding.distribution:
            owner, modules = package(other.conda_package, environment), few(other.modules)
            return (
                f"conda's {owner} has {modules} already, so there may be nothing to install; of "
                "two packages with the same files, removing either one breaks the other"
            )
    return "both hold the same files, so removing either one later breaks the other"


def _why_conda_owned(finding: CondaOwned, owned: Iterable[CondaOwned], *, in_tree: bool) -> str:
    replaced = sorted((f for f in owned if f.planned is not None), key=lambda f: not f.requested)
    if len(replaced) > 1:
        old = few((f"{f.distribution} {f.installed}" for f in replaced), _FEW_NAMES)
        return f"pip would delete conda's files and write its own, and conda would still list {old}"
    name, version = clean(finding.distribution), clean(finding.installed)
    needed = "" if in_tree or not finding.dependents else f"; it is {needed_by(finding.dependents)}"
    if finding.planned is None:
        return f"conda would still list {name} {version}{needed}"
    return (
        f"pip would delete conda's {name} files and write its own, and conda would still list "
        f"{version}{needed}"
    )
