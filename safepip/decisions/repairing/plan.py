"""The steps that mend what was found, in the order that works, and what is left as it is. Pure.

1. Take out what is not conda's: its files would else lie among conda's.
2. Have others give up files of conda's.
3. Discard traces.
4. Put conda's files back, those of lost records too.

What cannot be mended keeps nothing else from it. But where another distribution lies over conda's
files, it goes and they come back, all of them, or both stay as they are.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from safepip.decisions.judging.ownership import owners_of
from safepip.decisions.repairing.consequences import broken_by
from safepip.decisions.repairing.wants import is_aside, is_trace, source_of
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
    UnreadableBook,
)
from safepip.values.late import dataclass
from safepip.values.repair import Discard, Disown, PutBack, Repair, Supply, TakeOut, Unfixed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from safepip.decisions.repairing.wants import Wants
    from safepip.values.findings import Finding
    from safepip.values.inspection import Claim, Inspection
    from safepip.values.repair import Obstacle, Step

_FOLLOWS = "it may follow from something else that is wrong, and is looked at again afterwards"
_BY_HAND = "which of them is meant is yours to say: uninstall one"
_SINCE = "it was met by the version that pip had put there"
_AGAIN = "it was found again afterwards"
_NOT_HERE = "it is not for safepip to mend"
_FEW = 3
"""Paths that are named in a reason."""


@dataclass(frozen=True)
class Means:
    """What there is to mend with, and what is in the way."""

    supplies: Mapping[str, Supply | str] = field(default_factory=dict)
    """Where the files of each package are to be had, or why they are not; by
    NAME-VERSION-BUILD."""
    removals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What uninstalling a distribution deletes, as absolute paths of files, by its metadata
    folder."""
    unlisted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What lies in the folders of a distribution that has no list of its files, below the prefix,
    by its metadata folder."""
    obstacles: Mapping[str, Obstacle] = field(default_factory=dict)
    """By path below the prefix."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Below the prefix: all that a package has whose record is written anew, where it lies
    unpacked."""
    over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of ``files`` that are there with other bytes."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """What was tried and did not work, and why: a package, the metadata folder of a distribution,
    or the path of a trace."""


def left_after(
    repair: Repair,
    before: Iterable[Finding],
    after: Iterable[Finding],
    known_before: Iterable[Finding] = (),
) -> tuple[Unfixed, ...]:
    """Give what a repair left as it was, by what was found ``before`` and ``after`` it.

    ``before``: what it was for; ``known_before``: all that was found.

    Some of what it was not for may be well with the rest, and some that it was for may not. And
    what went with pip's version may lack something now.
    """
    before, after = tuple(before), tuple(after)
    known = {_about(one.finding): one for one in repair.unfixed}
    still = {_about(finding) for finding in after if finding.severity == "damage"}
    left = [
        known.get(_about(finding), Unfixed(finding, _AGAIN))
        for finding in before
        if _about(finding) in still
    ]
    was = {(f.distribution, f.requirement) for f in known_before if isinstance(f, Lacks)}
    lacking = (f for f in after if isinstance(f, Lacks) and f.severity == "damage")
    new = (f for f in lacking if (f.distribution, f.requirement) not in was)
    return (*left, *(Unfixed(finding, _SINCE) for finding in new))


def _about(finding: Finding) -> tuple[str, ...]:
    """Give what a finding is about; of a package with missing files not whether Python sees it."""
    facts = ["kind", "conda_package", "path", "record", "change", "starts"]
    facts += [] if isinstance(finding, Missing) else ["distribution"]
    return tuple(str(getattr(finding, fact, "")) for fact in facts)


@dataclass(frozen=True)
class _Left:
    """Why something is left as it is."""

    reason: str
    obstacle: str = ""


def plan_repair(
    inspection: Inspection, findings: Iterable[Finding], wanted: Wants, means: Means
) -> Repair:
    """Give the repair."""
    stuck, stuck_claims = _stuck(inspection, wanted, means)
    single = {dist: _hindered(dist, wanted, means) for dist in wanted.put_back if dist not in stuck}
    puts = _puts(wanted, means, stuck, single)
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
    left = _unfixed(inspection, findings, (stuck, single), means)
    unfixed = tuple(one for one in left if not _goes(one.finding, going))
    repair = Repair(tuple(steps), unfixed)
    return Repair(repair.steps, unfixed, broken_by(repair, inspection.environment))


def _puts(
    wanted: Wants,
    means: Means,
    stuck: Mapping[str, _Left],
    single: Mapping[str, Mapping[str, _Left]],
) -> list[PutBack]:
    found = []
    for dist, paths in wanted.put_back.items():
        supply = means.supplies[dist]
        back = _without(paths, single.get(dist, {}))
        if dist not in stuck and isinstance(supply, Supply) and back:
            found.append(PutBack(dist, back, supply))
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


def _hindered(dist: str, wanted: Wants, means: Means) -> Mapping[str, _Left]:
    """Give the files of a package that cannot be put back, and why."""
    supply = means.supplies[dist]
    lacks = supply.lacks if isinstance(supply, Supply) else {}
    found = {path: _Left(why) for path, why in lacks.items()}
    for path in wanted.put_back.get(dist) or means.files.get(dist, ()):
        if (obstacle := means.obstacles.get(path)) is not None:
            found[path] = _Left(f"`{obstacle.path}`: {obstacle.reason}", obstacle.path)
    return found


def _stuck(
    inspection: Inspection, wanted: Wants, means: Means
) -> tuple[Mapping[str, _Left], frozenset[str]]:
    """Give the packages that nothing is done with, and the distributions that stay, so.

    1. A package that nothing gives, or that was tried in vain.
    2. A package that is not whole afterwards, though a distribution goes for it, or its record is
       written anew.
    3. A distribution that lies over the files of one of these.
    4. The packages that it lies over besides; and so on.
    """
    stuck = {d: _Left(why) for d, why in means.supplies.items() if isinstance(why, str)}
    stuck |= {dist: _Left(why) for dist, why in means.failed.items() if dist in means.supplies}
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


def _staying(inspection: Inspection, wanted: Wants, means: Means) -> dict[str, _Left]:
    """Give the distributions that cannot be taken out, by their metadata folders.

    What was tried in vain; and what has files that it may have brought, or anybody else: with its
    metadata all that tells of them would be gone.
    """
    stay: dict[str, _Left] = {}
    for claim in wanted.take_out:
        place = claim.distribution.metadata_path
        if place in means.failed:
            stay[place] = _Left(means.failed[place])
        elif rest := _rest(inspection, claim, means):
            stay[place] = _of_rest(inspection, claim, rest)
    return stay


def _rest(inspection: Inspection, claim: Claim, means: Means) -> tuple[str, ...]:
    """Give the files in the folders of a distribution without a list that nobody claims."""
    place = claim.distribution.metadata_path
    found = means.unlisted.get(place, ())
    known = {*owners_of(inspection.environment, found)}.union(*means.files.values())
    known.update(*(one.paths for one in inspection.claims))
    known |= {inspection.environment.relative(path) or "" for path in means.removals.get(place, ())}
    return tuple(path for path in found if path not in known)


def _of_rest(inspection: Inspection, claim: Claim, rest: Sequence[str]) -> _Left:
    """Say why a distribution stays, and which folder moves all that is in doubt out of the way."""
    environment = inspection.environment
    name = f"{claim.distribution.name} {claim.distribution.version}"
    more = f" and {len(rest) - _FEW} more" if len(rest) > _FEW else ""
    named = ", ".join(f"`{path}`" for path in rest[:_FEW])
    reason = f"whether {named}{more} came with {name} is unknown, as it has no list of its files"
    site = environment.relative(claim.distribution.location) or ""
    tops = {path.removeprefix(f"{site}/").partition("/")[0] for path in rest}
    top = f"{site}/{min(tops)}"
    others = (path for one in inspection.claims if one != claim for path in one.paths)
    is_shared = any(path == top or path.startswith(f"{top}/") for path in others)
    return _Left(reason, "" if is_shared else f"{environment.prefix}/{top}")


def _under(inspection: Inspection, claim: Claim, wanted: Wants) -> tuple[str, ...]:
    """Give the packages that come back in place of a distribution (NAME-VERSION-BUILD)."""
    owners = owners_of(inspection.environment, claim.paths).values()
    touched = dict.fromkeys(record.dist for records in owners for record in records)
    place = claim.distribution.metadata_path
    touched.update(dict.fromkeys((*wanted.instead.get(place, ()), *wanted.sake.get(place, ()))))
    return tuple(dist for dist in touched if dist in wanted.put_back or dist in wanted.lost)


def _own_files(
    inspection: Inspection, claim: Claim, means: Means, wanted: Wants
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
    place = claim.distribution.metadata_path
    below = {path: environment.relative(path) or "" for path in means.removals.get(place, ())}
    owned = {*owners_of(environment, set(below.values()))}
    lost = (*wanted.instead.get(place, ()), *wanted.sake.get(place, ()))
    owned.update(*(means.files.get(dist, ()) for dist in lost))
    return tuple(
        path
        for path, short in below.items()
        if short and short not in owned and short not in others
        if not short.startswith("conda-meta/")
    )


def _unfixed(
    inspection: Inspection,
    findings: Iterable[Finding],
    left: tuple[Mapping[str, _Left], Mapping[str, Mapping[str, _Left]]],
    means: Means,
) -> Iterable[Unfixed]:
    stuck, single = left
    for finding in findings:
        match finding:
            case TwoCopies(conda_package=""):
                yield Unfixed(finding, _BY_HAND)
            case Replaced() | Overwritten() | Missing() | Altered() | TwoCopies():
                dist = finding.conda_package
                why = stuck.get(dist) or _first_of(finding, single.get(dist, {}))
                if why is not None:
                    yield Unfixed(finding, why.reason, obstacle=why.obstacle)
            case LostRecord() | UnreadableBook():
                dist = finding.conda_package
                why = stuck.get(dist)
                if why is not None:
                    yield Unfixed(finding, why.reason, obstacle=why.obstacle)
                elif dist not in means.supplies:
                    yield Unfixed(finding, unknown_build(finding))
            case Leftover():
                yield from _of_trace(inspection, finding, means)
            case DependsUnmet() | Lacks() | PinBroken():
                yield Unfixed(finding, _FOLLOWS, follows=True)
            case _:
                yield Unfixed(finding, _NOT_HERE)


def _first_of(finding: Finding, hindered: Mapping[str, _Left]) -> _Left | None:
    paths = (*getattr(finding, "paths", ()), *getattr(finding, "missing", ()))
    paths += getattr(finding, "altered", ())
    return next((hindered[path] for path in paths if path in hindered), None)


def _of_trace(inspection: Inspection, finding: Leftover, means: Means) -> Iterable[Unfixed]:
    if finding.path in means.failed:
        yield Unfixed(finding, means.failed[finding.path])
    elif finding.distribution:
        yield Unfixed(finding, "its own package has to be installed again")
    elif is_aside(finding) and not is_trace(inspection, finding):
        yield Unfixed(finding, "what it was is not there again, so that it may be the only copy")
    elif not is_trace(inspection, finding):
        yield Unfixed(finding, "it may be of a package whose record cannot be read")


def unknown_build(finding: LostRecord | UnreadableBook) -> str:
    """Say why the record of a package cannot be written anew: nobody knows which one it was."""
    if finding.candidates:
        return f"which of these it was is unknown: {', '.join(finding.candidates)}"
    return "no package cache has it, and nothing tells where it came from"
