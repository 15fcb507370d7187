"""Commands of an environment that start the Python of where it was copied or moved from. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.around import is_as_built
from safepip.values.damage import WrongInterpreter
from safepip.values.repair import Redirect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safepip.values.environment import Record
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection


def redirects(inspection: Inspection, findings: Iterable[Finding]) -> tuple[Redirect, ...]:
    """Give the steps by which commands start the environment's own Python again.

    Only what a package or a distribution brought, as it brought it, and only where it starts the
    Python that the environment had where it was made: another may be meant.
    """
    old = original_prefixes(inspection)
    return tuple(
        step
        for finding in findings
        if isinstance(finding, WrongInterpreter) and finding.severity == "damage"
        if finding.starts in _pythons(inspection, old)
        for step in _redirect(inspection, finding)
    )


def redirected(finding: Finding, steps: Iterable[Redirect]) -> bool:
    """Say whether all that a finding is about is well after these steps."""
    return isinstance(finding, WrongInterpreter) and any(
        step.starts == finding.starts
        and step.conda_package == finding.conda_package
        and step.name == finding.distribution
        and {*finding.paths} <= {*step.paths, *step.links}
        for step in steps
    )


def original_prefixes(inspection: Inspection) -> frozenset[str]:
    """Give the folders in which conda made this environment, if that was not here.

    Its Python has commands of its own that name it. One that is as its record says was written so
    by conda, for the prefix of that time.
    """
    owners = inspection.environment.owners_of([one.path for one in inspection.surroundings.scripts])
    known = inspection.checked
    found = set()
    for script in inspection.surroundings.scripts:
        folder = script.starts.rpartition("/")[0]
        is_proven = script.path not in known.altered and script.path not in known.unproven
        of_python = any(map(_is_python, owners.get(script.path, ())))
        if of_python and is_proven and not script.is_link and not is_as_built(inspection, script):
            found.add(folder.removesuffix("/bin") if folder.endswith("/bin") else "")
    return frozenset(found - {"", inspection.environment.prefix})


def _is_python(record: Record) -> bool:
    return record.name == "python" or record.name.startswith("pypy")


def _pythons(inspection: Inspection, prefixes: Iterable[str]) -> frozenset[str]:
    """Give the names of the interpreter that there is by the same one here."""
    minor = inspection.environment.interpreter.minor
    names = ("python", f"python{minor.partition('.')[0]}", f"python{minor}")
    return frozenset(f"{prefix}/bin/{name}" for prefix in prefixes for name in names)


def _redirect(inspection: Inspection, finding: WrongInterpreter) -> Iterator[Redirect]:
    is_link = {one.path: one.is_link for one in inspection.surroundings.scripts}
    owned = [path for path in finding.paths if path not in inspection.checked.altered]
    files = tuple(path for path in owned if not is_link.get(path))
    if files:
        claim = next(iter(_claimants(inspection, finding)), None)
        yield Redirect(
            files,
            finding.starts,
            conda_package=finding.conda_package,
            distribution=claim.distribution if claim is not None else None,
            links=tuple(path for path in owned if is_link.get(path)),
        )


def _claimants(inspection: Inspection, finding: WrongInterpreter) -> Iterator[Claim]:
    for claim in inspection.claims:
        if not finding.conda_package and claim.distribution.name == finding.distribution:
            yield claim
