"""The steps that mend what was found, in the order that works, and what is left as it is. Pure.

1. Take out what is not conda's: its files would else lie among conda's.
2. Have others give up files of conda's.
3. Put conda's files back, those of lost records too.
4. Discard traces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.ownership import owners_of
from safepip.values.damage import (
    Altered,
    DependsUnmet,
    Lacks,
    Leftover,
    LostRecord,
    Missing,
    Overwritten,
    PinBroken,
    Replaced,
    TwoCopies,
)
from safepip.values.repair import Discard, Disown, PutBack, Repair, Supply, TakeOut, Unfixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.decisions.repairing.wants import Wants
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection
    from safepip.values.repair import Step

_FOLLOWS = "it may follow from something else that is wrong, and is looked at again afterwards"
_BY_HAND = "which of them is meant is yours to say: uninstall one"


def plan_repair(
    inspection: Inspection,
    findings: Iterable[Finding],
    wanted: Wants,
    supplies: Mapping[str, Supply | str],
    removals: Mapping[str, tuple[str, ...]],
) -> Repair:
    """Give the repair.

    ``supplies``: where the files of each package are to be had, or why they are not, by
    NAME-VERSION-BUILD. ``removals``: what uninstalling a distribution deletes, as absolute paths of
    files, by its metadata folder.
    """
    lacking = {dist: why for dist, why in supplies.items() if isinstance(why, str)}
    steps: list[Step] = []
    for claim in wanted.take_out:
        if not _is_stuck(inspection, claim, wanted, lacking):
            paths = _own_files(inspection, claim, removals, wanted)
            steps.append(TakeOut(claim.distribution, paths))
    for claim in inspection.claims:
        place = claim.distribution.metadata_path
        if place in wanted.disown:
            prefix = inspection.environment.prefix
            given = tuple(f"{prefix}/{path}" for path in wanted.disown[place])
            steps.append(Disown(claim.distribution, given))
    for dist, paths in wanted.put_back.items():
        supply = supplies[dist]
        if isinstance(supply, Supply) and paths:
            steps.append(PutBack(dist, paths, supply))
    for lost in wanted.lost:
        supply = supplies[lost.conda_package]
        if isinstance(supply, Supply):
            file = f"{lost.conda_package}.json"
            steps.append(PutBack(lost.conda_package, (), supply, record=file))
    steps += [Discard(path) for path in wanted.clear]
    return Repair(tuple(steps), tuple(_unfixed(inspection, findings, lacking)))


def _is_stuck(
    inspection: Inspection, claim: Claim, wanted: Wants, lacking: Mapping[str, str]
) -> bool:
    """Say whether conda's files could not take the place of what would be taken out."""
    owners = owners_of(inspection.environment, claim.paths).values()
    touched = {record.dist for records in owners for record in records}
    touched &= wanted.put_back.keys()
    touched |= {f.conda_package for f in wanted.lost if f.distribution == claim.distribution.name}
    return not touched.isdisjoint(lacking)


def _own_files(
    inspection: Inspection,
    claim: Claim,
    removals: Mapping[str, tuple[str, ...]],
    wanted: Wants,
) -> tuple[str, ...]:
    """Give what a distribution would take along, less what is conda's or another's."""
    environment = inspection.environment
    leaving = {one.distribution.metadata_path for one in wanted.take_out}
    others = {
        path
        for one in inspection.claims
        if one.distribution.metadata_path not in leaving
        for path in one.paths
    }
    paths = removals.get(claim.distribution.metadata_path, ())
    below = {path: environment.relative(path) or "" for path in paths}
    owned = owners_of(environment, set(below.values()))
    return tuple(
        path
        for path, short in below.items()
        if short and short not in owned and short not in others
        if not short.startswith("conda-meta/")
    )


def _unfixed(
    inspection: Inspection, findings: Iterable[Finding], lacking: Mapping[str, str]
) -> Iterable[Unfixed]:
    leftovers = inspection.environment.leftovers
    for finding in findings:
        match finding:
            case Replaced() | Overwritten() | Missing() | Altered() | LostRecord():
                if finding.conda_package in lacking:
                    yield Unfixed(finding, lacking[finding.conda_package])
            case TwoCopies():
                if not finding.conda_package:
                    yield Unfixed(finding, _BY_HAND)
                elif finding.conda_package in lacking:
                    yield Unfixed(finding, lacking[finding.conda_package])
            case Leftover() if finding.path in leftovers:
                pass
            case DependsUnmet() | Lacks() | PinBroken():
                yield Unfixed(finding, _FOLLOWS, follows=True)
            case _:
                yield Unfixed(finding, "it is not for safepip to mend")
