"""The steps that mend what was found, in the order that works, and what is left as it is. Pure.

1. Take out what is not conda's: its files would else lie among conda's.
2. Have others give up files of conda's.
3. Discard traces.
4. Put conda's files back, those of lost records too.
5. Have commands of an environment that was copied or moved start its own Python.

What cannot be mended keeps nothing else from it. But where another distribution lies over conda's
files, it goes and they come back, all of them, or both stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.repairing.consequences import broken_by
from safepip.decisions.repairing.left import unfixed_of
from safepip.decisions.repairing.means import Left
from safepip.decisions.repairing.redirecting import redirected, redirects
from safepip.decisions.repairing.wants import source_of
from safepip.values.damage import (
    Altered,
    Leftover,
    WrongInterpreter,
)
from safepip.values.repair import (
    Discard,
    Disown,
    PutBack,
    Reason,
    Redirect,
    Repair,
    Supply,
    TakeOut,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from safepip.decisions.repairing.means import Means
    from safepip.decisions.repairing.wants import Wants
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection
    from safepip.values.repair import Step


def plan_repair(
    inspection: Inspection, findings: Iterable[Finding], wanted: Wants, means: Means
) -> Repair:
    """Give the repair."""
    findings = tuple(findings)
    stuck, stuck_claims = _stuck(inspection, wanted, means)
    single = {dist: _hindered(dist, wanted, means) for dist in wanted.put_back if dist not in stuck}
    # (A command of conda's that starts another Python has other bytes, too.)
    edited = {p for f in findings if isinstance(f, Altered | WrongInterpreter) for p in f.paths}
    puts = _puts(wanted, means, (stuck, single), edited)
    steps: list[Step] = []
    for claim in wanted.take_out:
        if claim.distribution.metadata_path not in stuck_claims:
            paths = _own_files(inspection, claim, means, wanted)
            if paths or claim.distribution.metadata_path not in wanted.instead:
                steps.append(TakeOut(claim.distribution, paths))
    steps += _disowning(inspection, wanted, means, puts)
    steps += [Discard(path) for path in wanted.clear if path not in means.failed]
    steps += puts
    going = {step.distribution.metadata_path for step in steps if isinstance(step, TakeOut)}
    turned = _turned(inspection, findings, means, going)
    steps += turned
    left = unfixed_of(inspection, findings, (stuck, single), means, puts)
    unfixed = tuple(
        one for one in left if not _goes(one.finding, going) and not redirected(one.finding, turned)
    )
    repair = Repair(tuple(steps), unfixed)
    return Repair(repair.steps, unfixed, broken_by(repair, inspection.environment))


def _turned(
    inspection: Inspection, findings: Iterable[Finding], means: Means, going: Collection[str]
) -> list[Redirect]:
    """Give the commands that start this Python again, but for those of what goes."""
    return [
        step
        for step in redirects(inspection, findings)
        if step.paths[0] not in means.failed
        if step.distribution is None or step.distribution.metadata_path not in going
    ]


def _puts(
    wanted: Wants,
    means: Means,
    left: tuple[Mapping[str, Left], Mapping[str, Mapping[str, Left]]],
    edited: Collection[str],
) -> list[PutBack]:
    stuck, single = left
    found = []
    for dist, paths in wanted.put_back.items():
        supply = means.supplies[dist]
        back = _without(paths, single.get(dist, {}))
        if dist not in stuck and isinstance(supply, Supply) and back:
            over = tuple(path for path in back if path in edited)
            found.append(PutBack(dist, back, supply, over=over))
    for dist in wanted.lost:
        supply = means.supplies[dist]
        if dist not in stuck and isinstance(supply, Supply):
            over = means.over.get(dist, ())
            found.append(PutBack(dist, (), supply, record=f"{dist}.json", over=over))
    return found


def _disowning(
    inspection: Inspection, wanted: Wants, means: Means, puts: Iterable[PutBack]
) -> Iterator[Disown]:
    """Give what others give up of what comes back; what does not is theirs still."""
    coming = {path for put in puts for path in put.paths or means.files.get(put.conda_package, ())}
    for claim in inspection.claims:
        place = claim.distribution.metadata_path
        paths = tuple(path for path in wanted.disown.get(place, ()) if path in coming)
        if paths and place not in means.failed:
            prefix = inspection.environment.prefix
            yield Disown(claim.distribution, tuple(f"{prefix}/{path}" for path in paths))


def _without(paths: Iterable[str], hindered: Collection[str]) -> tuple[str, ...]:
    """Leave out what cannot come back, and the bytecode of it."""
    left = (path for path in paths if path not in hindered)
    return tuple(path for path in left if source_of(path) not in hindered)


def _goes(finding: Finding, going: Collection[str]) -> bool:
    """Say whether a finding is about the metadata of a distribution that is taken out."""
    return isinstance(finding, Leftover) and finding.path in going


def _hindered(dist: str, wanted: Wants, means: Means) -> Mapping[str, Left]:
    """Give the files of a package that cannot be put back, and why."""
    supply = means.supplies[dist]
    lacks = supply.lacks if isinstance(supply, Supply) else {}
    found = {path: Left(why) for path, why in lacks.items()}
    for path in wanted.put_back.get(dist) or means.files.get(dist, ()):
        if (obstacle := means.obstacles.get(path)) is not None:
            found[path] = Left(Reason(obstacle.why, (obstacle.path,)), obstacle.path)
    return found


def _stuck(
    inspection: Inspection, wanted: Wants, means: Means
) -> tuple[Mapping[str, Left], frozenset[str]]:
    """Give the packages that nothing is done with, and the distributions that stay, so.

    1. A package that nothing gives, or that was tried in vain.
    2. A package that is not whole afterwards, though a distribution goes for it, or its record is
       written anew.
    3. A distribution that lies over the files of one of these.
    4. The packages that it lies over besides; and so on.
    """
    stuck = {d: Left(why) for d, why in means.supplies.items() if isinstance(why, Reason)}
    stuck |= {dist: Left(why) for dist, why in means.failed.items() if dist in means.supplies}
    over = {c.distribution.metadata_path: _under(inspection, c, wanted) for c in wanted.take_out}
    needed_whole = {dist for dists in over.values() for dist in dists} | {*wanted.lost}
    for dist in needed_whole - stuck.keys():
        if hindered := _hindered(dist, wanted, means):
            stuck[dist] = next(iter(hindered.values()))
    stay = _staying(inspection, wanted, means)
    while True:
        for place, dists in over.items():
            held = next((dist for dist in dists if dist in stuck), None)
            if held is not None:
                stay.setdefault(place, stuck[held])
        more = {dist: left for place, left in stay.items() for dist in over[place]}
        if more.keys() <= stuck.keys():
            return stuck, frozenset(stay)
        stuck = {**more, **stuck}


def _staying(inspection: Inspection, wanted: Wants, means: Means) -> dict[str, Left]:
    """Give the distributions that cannot be taken out, by their metadata folders.

    What was tried in vain; and what has files that it may have brought, or anybody else: with its
    metadata all that tells of them would be gone.
    """
    stay: dict[str, Left] = {}
    for claim in wanted.take_out:
        place = claim.distribution.metadata_path
        if place in means.failed:
            stay[place] = Left(means.failed[place])
        elif rest := _rest(inspection, claim, means):
            stay[place] = _of_rest(inspection, claim, rest)
    return stay


def _rest(inspection: Inspection, claim: Claim, means: Means) -> tuple[str, ...]:
    """Give the files in the folders of a distribution without a list that nobody claims."""
    place = claim.distribution.metadata_path
    found = means.unlisted.get(place, ())
    known = {*inspection.environment.owners_of(found)}.union(*means.files.values())
    known.update(*(one.paths for one in inspection.claims))
    known |= {inspection.environment.relative(path) or "" for path in means.removals.get(place, ())}
    return tuple(path for path in found if path not in known)


def _of_rest(inspection: Inspection, claim: Claim, rest: Sequence[str]) -> Left:
    """Say why a distribution stays, and which folder moves all that is in doubt out of the way."""
    environment = inspection.environment
    name = f"{claim.distribution.name} {claim.distribution.version}"
    reason = Reason("unlisted", (name, *rest))
    site = environment.relative(claim.distribution.location) or ""
    tops = {path.removeprefix(f"{site}/").partition("/")[0] for path in rest}
    top = f"{site}/{min(tops)}"
    others = (path for one in inspection.claims if one != claim for path in one.paths)
    is_shared = any(path == top or path.startswith(f"{top}/") for path in others)
    return Left(reason, "" if is_shared else f"{environment.prefix}/{top}")


def _under(inspection: Inspection, claim: Claim, wanted: Wants) -> tuple[str, ...]:
    """Give the packages that come back in place of a distribution (NAME-VERSION-BUILD)."""
    owners = inspection.environment.owners_of(claim.paths).values()
    touched = dict.fromkeys(record.dist for records in owners for record in records)
    place = claim.distribution.metadata_path
    touched.update(dict.fromkeys((*wanted.instead.get(place, ()), *wanted.sake.get(place, ()))))
    return tuple(dist for dist in touched if dist in wanted.put_back or dist in wanted.lost)


def _own_files(
    inspection: Inspection, claim: Claim, means: Means, wanted: Wants
) -> tuple[str, ...]:
    """Give what a distribution would take along, less what is conda's or another's.

    Of a package without a record whose files are all as conda had them, also less their bytecode.
    """
    environment = inspection.environment
    leaving = {one.distribution.metadata_path for one in wanted.take_out}
    others = {
        path
        for one in inspection.claims
        if one.distribution.metadata_path not in leaving
        for path in one.paths
    }
    place = claim.distribution.metadata_path
    below = {path: environment.relative(path) or "" for path in means.removals.get(place, ())}
    owned = {*environment.owners_of(set(below.values()))}
    lost = (*wanted.instead.get(place, ()), *wanted.sake.get(place, ()))
    owned.update(*(means.files.get(dist, ()) for dist in lost))
    instead = wanted.instead.get(place, ())
    whole = (means.files.get(dist, ()) for dist in instead if not means.over.get(dist))
    theirs = {path for paths in whole for path in paths}
    return tuple(
        path
        for path, short in below.items()
        if short and short not in owned and short not in others
        if source_of(short) not in theirs
        if not short.startswith("conda-meta/")
    )
