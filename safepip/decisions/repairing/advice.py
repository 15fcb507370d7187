"""Commands for what `doctor --fix` leaves to the user, as they are pasted. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.fixing.commands import command_line, is_printable
from safepip.decisions.judging.pins import as_requirement
from safepip.decisions.judging.requirements import parse_requirement, parse_version
from safepip.decisions.repairing.redirecting import redirected
from safepip.decisions.repairing.wants import is_known_by_name, keeps_the_rest
from safepip.decisions.repairing.ways import Ways
from safepip.decisions.wording.phrases import listed
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
    StaleConstraints,
    TwoCopies,
    Unfinished,
    UnreadableBook,
    UnreadableChange,
    WrongInterpreter,
    WrongKernel,
)
from safepip.values.findings import SecondCopy, Shadows
from safepip.values.repair import Redirect
from safepip.values.target import UNFINISHED
from safepip.values.text import normalised
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from safepip.decisions.fixing.shell import CondaVerb, Shell
    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Repair

_Condas = Replaced | TwoCopies | Overwritten | Missing | Altered | LostRecord | WrongInterpreter
_CONDAS = (Replaced, TwoCopies, Overwritten, Missing, Altered, LostRecord, WrongInterpreter)

_MOST = 4
"""More commands than these are no help."""
_ASIDE = ".aside"


def advice(
    inspection: Inspection,
    damage: Iterable[Finding],
    repair: Repair,
    shell: Shell,
    names: Sequence[str] = (),
) -> tuple[Fix, ...]:
    """Give the commands by which a user can mend these findings, `--fix` first where it helps.

    ``names``: what was asked about; empty for all.
    """
    if not inspection.environment.writable:
        return ()
    damage = tuple(damage)
    ways = Ways(inspection, shell, tuple(names)).with_tool()
    fixes: list[Fix | None] = []
    if repair.steps:
        says = "mend what can be mended; it shows the steps, and asks"
        fixes.append(Fix(ways.fix(), f"{says}{ways.although}"))
    blocking = dict.fromkeys(one.obstacle for one in repair.unfixed if one.obstacle)
    for path in blocking:
        aside = command_line("mv", path, path + _ASIDE)
        name = path.rpartition("/")[2]
        fixes.append(Fix(shell.then(aside, ways.fix()), f"move `{name}` out of the way first"))
    blocked = {getattr(one.finding, "conda_package", "") for one in repair.unfixed if one.obstacle}
    condas = [f for f in damage if isinstance(f, _CONDAS) and f.conda_package]
    blocked |= {
        getattr(one.finding, "conda_package", "")
        for one in repair.unfixed
        if one.reason.why == "gone-source"
    }
    condas = [f for f in condas if f.conda_package not in blocked]  # conda would fail, too
    turned = [step for step in repair.steps if isinstance(step, Redirect)]
    condas = [f for f in condas if not redirected(f, turned)]  # the channel need not be asked
    fixes += _by_conda(ways, condas)
    fixes += _of_records(ways, [f for f in damage if isinstance(f, UnreadableBook)])
    for finding in _not_taken_out(damage):
        fixes += _advice(ways, finding) if not redirected(finding, turned) else ()
    is_left = any(not one.follows for one in repair.unfixed)
    if is_left and not any(fix is not None and fix.command for fix in fixes):
        fixes.append(Fix(ways.fix("--dry-run"), "see why each is left as it is"))
    found: dict[str, Fix] = {}
    for fix in fixes:
        if fix is not None and fix.command and is_printable(fix.command):
            found.setdefault(fix.command, fix)
    most = _MOST + bool(repair.steps)
    return tuple(found.values())[:most]


def _not_taken_out(damage: Sequence[Finding]) -> Iterator[Finding]:
    """Leave out the metadata of what lies over conda's files: it goes with it."""
    lying = [f for f in damage if isinstance(f, _CONDAS) and not isinstance(f, WrongInterpreter)]
    over = {f.distribution for f in lying if f.distribution}
    for finding in damage:
        if not (isinstance(finding, Leftover) and finding.distribution in over):
            yield finding


# ------------------------------------------------------------------------------- conda's


def _by_conda(ways: Ways, findings: Sequence[_Condas]) -> Iterator[Fix]:
    """Give the order that conda's own repair needs: what lies over its files goes first.

    But nothing goes before conda has what comes in place of it. Not where it cannot be told to
    pip what goes: of two copies it takes the one that it finds first, and none of which the list
    of files is gone. And only by a tool that is here.
    """
    if not ways.has_tool or any(isinstance(finding, TwoCopies) for finding in findings):
        return
    going = [f for f in findings if f.distribution and _goes(ways, f)]
    culprits = list(dict.fromkeys(f.distribution for f in going))
    if culprits and (ways.shell.manager == "pixi" or ways.shell.in_notebook):
        return  # the one cannot only fetch, and the other goes on where a line has failed
    claims = ways.inspection.claims
    if any(c.unlisted for c in claims if c.distribution.name in culprits):
        return
    known = [f.conda_package for f in findings if not _is_uncertain(f)]
    bare = [f.conda_package for f in findings if is_known_by_name(f) and not _is_uncertain(f)]
    lost = [f.conda_package for f in findings if isinstance(f, LostRecord)]
    there = [dist for dist in known if dist not in lost]
    lost = [dist for dist in lost if dist in known]
    channels = [r.channel for r in ways.environment.records if r.dist in there]
    wanted: list[tuple[CondaVerb, list[str], Iterable[str]]] = []
    wanted += [("reinstall", there, channels)] if there else []
    wanted += [("install", lost, ways.sources(lost))] if lost else []
    commands = [
        ways.conda(verb, _specs(dists, ways.shell, bare), where, ("-y", "--download-only"))
        for verb, dists, where in wanted
        if culprits
    ]
    commands += [ways.uninstall(*culprits)] if culprits else []
    commands += [
        ways.conda(verb, _specs(dists, ways.shell, bare), at) for verb, dists, at in wanted
    ]
    if wanted:
        lasting = dict.fromkeys(f.distribution for f in going if isinstance(f, Overwritten))
        says = f"have {ways.shell.tool} do it{ways.although}"
        says += f": any version of {listed(bare)} that fits" if bare else ""
        says += f"; {listed(lasting)} will not be there any more" if lasting else ""
        yield Fix(ways.shell.then(*commands), says)


def _goes(ways: Ways, finding: _Condas) -> bool:
    """Say whether a distribution has to go before conda's files come back, as by `--fix`."""
    if isinstance(finding, Overwritten):
        return not keeps_the_rest(ways.inspection, finding)
    return not isinstance(finding, Missing | Altered | WrongInterpreter)


def _of_records(ways: Ways, books: Sequence[UnreadableBook]) -> Iterator[Fix]:
    """Give the way to have records anew that conda stumbles over: all at once, or it does again."""
    records = [book for book in books if book.record.endswith(".json")]
    if not records:
        return
    paths = [f"{ways.environment.prefix}/conda-meta/{book.record}" for book in records]
    asides = [command_line("mv", path, f"{path}.unreadable") for path in paths]
    dists = [book.conda_package for book in records if book.conda_package]
    if dists and not ways.has_tool:
        return
    if dists:
        asides.append(ways.conda("install", _specs(dists, ways.shell), ways.sources(dists)))
    them = ("the record", "its package") if len(records) == 1 else ("the records", "the packages")
    says = f"put {them[0]} aside, and have {them[1]} installed again"
    yield Fix(ways.shell.then(*asides), says if dists else f"put {them[0]} aside")


def _is_uncertain(finding: Finding) -> bool:
    return isinstance(finding, LostRecord) and bool(finding.candidates)


def _specs(dists: Iterable[str], shell: Shell, bare: Sequence[str] = ()) -> tuple[str, ...]:
    """Give the packages as the tool takes them: exactly these, where it can say so.

    ``bare``: those of which only the name is known; it may have dashes.
    """
    unique = dict.fromkeys(dists)
    parts = [[dist] if dist in bare else dist.rsplit("-", 2) for dist in unique]
    return tuple(part[0] if shell.manager == "pixi" else "=".join(part) for part in parts)


# ------------------------------------------------------------------------------- one by one


def _advice(ways: Ways, finding: Finding) -> Iterator[Fix]:
    match finding:
        case TwoCopies(conda_package=""):
            yield _one_only(ways, finding)
        case DependsUnmet():
            yield from _depends(ways, finding)
        case Lacks():
            yield from _requirement(ways, finding)
        case PinBroken() if wanted := as_requirement(finding.pin, finding.distribution):
            if finding.distribution not in ways.environment.conda_owned:
                yield Fix(ways.install(wanted), "install what is pinned")
        case Leftover():
            yield from _metadata(ways, finding)
        case Shadows(reason="user-site"):
            yield Fix(ways.uninstall(finding.distribution), "take it out of the user site")
        case WrongInterpreter() | WrongKernel():
            yield from _leading_out(ways, finding)
        case SecondCopy():
            command = ways.shell.safepip(("uninstall", "-y", finding.distribution))
            yield Fix(command, "take the second copy out")
        case _:
            yield from _of_books(ways, finding)


def _of_books(ways: Ways, finding: Finding) -> Iterator[Fix]:
    prefix = ways.environment.prefix
    match finding:
        case LostRecord() if finding.candidates:
            for dist in [dist for dist in finding.candidates if not dist.startswith("/")][:2]:
                command = ways.conda("install", _specs([dist], ways.shell), ways.sources([dist]))
                yield Fix(command, f"if it was {dist}")
        case Unfinished():
            mark = command_line("rm", f"{prefix}/{UNFINISHED}")
            yield Fix(mark, "leave all as it is, if it works")
        case UnreadableChange():
            removal = command_line("rm", "-r", finding.path)
            yield Fix(removal, "forget that change, which cannot be undone then")
        case StaleConstraints():
            command = ways.shell.safepip(("constraints", "-o", finding.path))
            yield Fix(command, "bring the constraints up to date")
        case _:
            pass


def _leading_out(ways: Ways, finding: WrongInterpreter | WrongKernel) -> Iterator[Fix]:
    """Give the way to have this Python started; commands of conda's packages come by themselves."""
    if isinstance(finding, WrongKernel):
        yield _kernel(ways, finding)
    elif not finding.conda_package:
        yield from _scripts(ways, finding)


def _kernel(ways: Ways, finding: WrongKernel) -> Fix:
    prefix = ways.environment.prefix
    name = finding.path.rpartition("/")[0].rpartition("/")[2]
    python = ways.environment.interpreter.executable
    command = ways.shell.run(
        python, "-m", "ipykernel", "install", "--prefix", prefix, "--name", name
    )
    if "ipykernel" not in ways.environment.installed:
        command = ways.shell.then(ways.install("ipykernel"), command)
    return Fix(command, "have the kernel start this Python")


def _scripts(ways: Ways, finding: WrongInterpreter) -> Iterator[Fix]:
    """Give the way to have the commands of a distribution written anew, by pip, from an index."""
    names = [finding.distribution]
    here = [d for d in ways.environment.distributions if [d.name] == names and not d.outside]
    if len(here) == 1 and parse_version(here[0].version) is not None:
        wanted = f"{here[0].name}=={here[0].version}"
        command = ways.install("--force-reinstall", "--no-deps", wanted)
        them = "it" if len(finding.paths) == 1 else "them"
        yield Fix(command, f"have {them} start this Python")


def _depends(ways: Ways, finding: DependsUnmet) -> Iterator[Fix]:
    """Give the way to have what a conda package depends on: of pip's versions `--fix` has it."""
    if finding.owner != "pip":
        command = ways.conda("install", (finding.depends,), ways.sources([""]))
        yield Fix(command, f"let {ways.shell.tool} look for what goes together")
    elif ways.names and finding.found is not None:  # it was not asked about
        culprit = finding.found.partition(" ")[0]
        yield Fix(replace(ways, names=(culprit,)).fix(), f"mend {culprit}")


def _requirement(ways: Ways, finding: Lacks) -> Iterator[Fix]:
    """Give who brings what is required: conda, where it has a package of it already."""
    requirement = parse_requirement(finding.requirement)
    environment = ways.environment
    if requirement is None or requirement.url is not None:
        return
    name = normalised(requirement.name)
    owned = environment.conda_owned.get(name)
    if owned is not None and owned.record is not None:
        record = owned.record
        spec = f"{record.name}{requirement.specifier}"
        command = ways.conda("install", (spec,), [record.channel])
        yield Fix(command, f"let {ways.shell.tool} change it")
    elif finding.distribution not in environment.conda_owned and not _is_told(environment, name):
        yield Fix(ways.install(finding.requirement), "install it")


def _is_told(environment: Environment, name: str) -> bool:
    """Say whether a conda package brought it, so that its loss is told of itself."""
    return any(name in shipped_in(environment, record.files) for record in environment.records)


def _metadata(ways: Ways, finding: Leftover) -> Iterator[Fix]:
    """Give the way to have the metadata of a distribution anew.

    pip looks past what it cannot uninstall, but not past a METADATA that is no text.
    """
    if not finding.distribution or parse_version(finding.version) is None:
        return
    wanted = f"{finding.distribution}=={finding.version}"
    known = {c.distribution.metadata_path: c.distribution for c in ways.inspection.claims}
    distribution = known.get(finding.path)
    says = "install it again over itself"
    if distribution is not None and distribution.broken:
        aside = command_line("mv", finding.path, finding.path + _ASIDE)
        yield Fix(ways.shell.then(aside, ways.install("--no-deps", wanted)), says)
    else:
        yield Fix(ways.install("--ignore-installed", "--no-deps", wanted), says)


def _one_only(ways: Ways, finding: TwoCopies) -> Fix:
    """Give the way to have one copy: each uninstall takes the one that pip sees first.

    Guarded, as either may claim files of conda's; and only once it is known that pip can have it.
    """
    name = finding.distribution
    wanted = ("--no-deps", f"{name}=={finding.versions[0]}")
    passing = ways.passing()
    asked = ways.shell.safepip(("plan", *passing, "--ignore-installed", *wanted))
    removal = ways.shell.safepip(("uninstall", *passing, "-y", name))
    again = ways.install(*wanted)
    return Fix(ways.shell.then(asked, removal, removal, again), f"have one {name} only")
