"""What a repair leaves as it is, and why: before it is made, and afterwards. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.repairing.means import Left
from safepip.decisions.repairing.wants import is_aside, is_trace
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
    WrongInterpreter,
    WrongKernel,
)
from safepip.values.repair import Reason, Unfixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safepip.decisions.repairing.means import Means
    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection
    from safepip.values.repair import PutBack, Repair, Why


_NOT_HERE = Reason("not-here")


def unfixed_of(
    inspection: Inspection,
    findings: Iterable[Finding],
    left: tuple[Mapping[str, Left], Mapping[str, Mapping[str, Left]]],
    means: Means,
    puts: Sequence[PutBack],
) -> Iterable[Unfixed]:
    """Give what is left as it is, and why.

    ``left``: why packages are, and why single paths of others; by NAME-VERSION-BUILD. ``puts``:
    what comes back.
    """
    stuck, single = left
    coming = {path for put in puts for path in put.paths}
    for finding in findings:
        match finding:
            case TwoCopies(conda_package=""):
                yield Unfixed(finding, Reason("one-of-two"))
            case WrongInterpreter(conda_package=""):
                failed = _failed(finding, means)
                yield Unfixed(finding, failed.reason if failed is not None else _NOT_HERE)
            case (
                Replaced()
                | Overwritten()
                | Missing()
                | Altered()
                | TwoCopies()
                | WrongInterpreter()
            ):
                dist = finding.conda_package
                held = stuck.get(dist) or _first_of(finding, single.get(dist, {}))
                held = held if held is not None else _failed(finding, means)
                if held is not None:
                    yield Unfixed(finding, held.reason, obstacle=held.obstacle)
            case LostRecord() | UnreadableBook():
                dist = finding.conda_package
                if (held := stuck.get(dist)) is not None:
                    yield Unfixed(finding, held.reason, obstacle=held.obstacle)
                elif dist not in means.supplies:
                    yield Unfixed(finding, unknown_build(finding))
            case Leftover():
                yield from _of_trace(inspection, finding, means)
            case _:
                follows = isinstance(finding, DependsUnmet | Lacks | PinBroken) or (
                    isinstance(finding, WrongKernel) and finding.path in coming
                )
                why: Why = "follows" if follows else "not-here"
                yield Unfixed(finding, Reason(why), follows=follows)


def _failed(finding: Finding, means: Means) -> Left | None:
    """Say why commands could not be had to start this Python, where that was tried."""
    paths = finding.paths if isinstance(finding, WrongInterpreter) else ()
    return next((Left(means.failed[path]) for path in paths if path in means.failed), None)


def _first_of(finding: Finding, hindered: Mapping[str, Left]) -> Left | None:
    paths = (*getattr(finding, "paths", ()), *getattr(finding, "missing", ()))
    paths += getattr(finding, "altered", ())
    return next((hindered[path] for path in paths if path in hindered), None)


def _of_trace(inspection: Inspection, finding: Leftover, means: Means) -> Iterable[Unfixed]:
    if finding.path in means.failed:
        yield Unfixed(finding, means.failed[finding.path])
    elif finding.distribution:
        yield Unfixed(finding, Reason("own-package"))
    elif is_trace(inspection, finding, means.files):
        return
    elif is_trace(inspection, finding, {}):  # a lost package comes back into it
        yield Unfixed(finding, Reason("follows"), follows=True)
    elif is_aside(finding):
        yield Unfixed(finding, Reason("only-copy"))
    else:
        yield Unfixed(finding, Reason("book-unreadable"))


def unknown_build(finding: LostRecord | UnreadableBook) -> Reason:
    """Say why the record of a package cannot be written anew: nobody knows which one it was."""
    if finding.candidates:
        return Reason("several", finding.candidates)
    return Reason("unknown-version")


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
        known.get(_about(finding), Unfixed(finding, Reason("found-again")))
        for finding in before
        if _about(finding) in still
    ]
    was = {(f.distribution, f.requirement) for f in known_before if isinstance(f, Lacks)}
    lacking = (f for f in after if isinstance(f, Lacks) and f.severity == "damage")
    new = (f for f in lacking if (f.distribution, f.requirement) not in was)
    return (*left, *(Unfixed(finding, Reason("was-met")) for finding in new))


def _about(finding: Finding) -> tuple[str, ...]:
    """Give what a finding is about; of a package with missing files not whether Python sees it."""
    facts = ["kind", "conda_package", "path", "record", "change", "starts"]
    facts += [] if isinstance(finding, Missing) else ["distribution"]
    return tuple(str(getattr(finding, fact, "")) for fact in facts)
