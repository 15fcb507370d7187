"""Commands for what `doctor --fix` leaves to the user, as they are pasted. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.fixing.commands import command_line, is_printable
from safepip.decisions.judging.pins import as_requirement
from safepip.decisions.judging.requirements import parse_requirement, parse_version
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
    Unfinished,
    UnreadableBook,
    UnreadableChange,
    WrongKernel,
)
from safepip.values.findings import SecondCopy, Shadows
from safepip.values.late import dataclass
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

_Condas = Replaced | TwoCopies | Overwritten | Missing | Altered | LostRecord
_CONDAS = (Replaced, TwoCopies, Overwritten, Missing, Altered, LostRecord)

_MOST_CHANNELS = 3
_MOST = 4
"""More commands than these are no help."""
_CHANNEL = re.compile(r"https://conda\.anaconda\.org/([\w.-]+)")
_PLAIN = re.compile(r"[\w.-]+|https?://[^\s@]+|file://[^\s]+")
_DEFAULTS = "https://repo.anaconda.com/pkgs/"
_ASIDE = ".aside"


def advice(
    inspection: Inspection, damage: Iterable[Finding], repair: Repair, shell: Shell
) -> tuple[Fix, ...]:
    """Give the commands by which a user can mend these findings, `--fix` first where it helps."""
    if not inspection.environment.writable:
        return ()
    damage = tuple(damage)
    ways = _Ways(inspection, shell)
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
    condas = [f for f in condas if f.conda_package not in blocked]  # conda would fail, too
    fixes += _by_conda(ways, condas)
    fixes += _of_records(ways, [f for f in damage if isinstance(f, UnreadableBook)])
    for finding in _not_taken_out(damage):
        fixes += _advice(ways, finding)
    found: dict[str, Fix] = {}
    for fix in fixes:
        if fix is not None and fix.command and is_printable(fix.command):
            found.setdefault(fix.command, fix)
    most = _MOST + bool(repair.steps)
    return tuple(found.values())[:most]


def _not_taken_out(damage: Sequence[Finding]) -> Iterator[Finding]:
    """Leave out the metadata of what lies over conda's files: it goes with it."""
    over = {f.distribution for f in damage if isinstance(f, _CONDAS) and f.distribution}
    for finding in damage:
        if not (isinstance(finding, Leftover) and finding.distribution in over):
            yield finding


@dataclass(frozen=True)
class _Ways:
    """The commands of each tool, as this environment takes them."""

    inspection: Inspection
    shell: Shell

    @property
    def environment(self) -> Environment:
        return self.inspection.environment

    @property
    def although(self) -> str:
        """What is said of a command that passes a seal."""
        sealed = self._is_frozen or self._is_managed
        return ", although the environment is not to be changed" if sealed else ""

    @property
    def _is_frozen(self) -> bool:
        return self.environment.frozen is not None

    @property
    def _is_managed(self) -> bool:
        return self.environment.externally_managed is not None

    def fix(self) -> str:
        passes = ("--override-frozen",) if self._is_frozen or self._is_managed else ()
        return self.shell.safepip(("doctor", "--fix", *passes))

    def install(self, *words: str) -> str:
        """Give a guarded install."""
        passes = ("--override-frozen",) if self._is_frozen else ()
        return self.shell.safepip(("install", *passes, *self._breaking(), *words))

    def uninstall(self, *names: str) -> str:
        """Give pip's own uninstall: what lies over conda's files may be conda's by name."""
        return self.shell.safepip(("pip", "uninstall", "-y", *self._breaking(), *names))

    def sources(self, dists: Iterable[str]) -> tuple[str, ...]:
        """Give the channels in which packages without a record may be found: known, or all."""
        known = [self.inspection.channels.get(dist, "") for dist in dists]
        found = known if all(known) else [r.channel for r in self.environment.records]
        return tuple(dict.fromkeys(found))[:_MOST_CHANNELS]

    def conda(self, verb: CondaVerb, specs: Sequence[str], channels: Iterable[str]) -> str:
        """Give a command of the environment's own tool; nothing where it could not pass a seal."""
        options: list[str] = []
        if self._is_frozen:
            if self.shell.tool != "conda":
                return ""
            options.append("--override-frozen")
        if self.shell.manager != "pixi":
            named = dict.fromkeys(map(_as_option, channels))
            options += [word for one in named if one for word in ("-c", one)]
        return self.shell.conda(verb, tuple(specs), tuple(options))

    def _breaking(self) -> tuple[str, ...]:
        return ("--break-system-packages",) if self._is_managed else ()


def _as_option(channel: str) -> str:
    """Give a channel as the tools take it; nothing where there is a secret in it, or none known."""
    url = channel.rstrip("/")
    if url.startswith(_DEFAULTS):
        return "defaults"
    if "/" in url and url.rpartition("/")[2] in ("noarch", _subdir(url)):
        url = url.rpartition("/")[0]
    named = _CHANNEL.fullmatch(url)
    if named is not None:
        return named[1]
    return url if _PLAIN.fullmatch(url) and "/t/" not in url else ""


def _subdir(url: str) -> str:
    """Give the last part of a URL where it is the name of a platform, such as `linux-64`."""
    last = url.rpartition("/")[2]
    return last if re.fullmatch(r"(linux|osx|win|emscripten|freebsd)-[\w]+", last) else ""


# ------------------------------------------------------------------------------- conda's


def _by_conda(ways: _Ways, findings: Sequence[_Condas]) -> Iterator[Fix]:
    """Give the order that conda's own repair needs: what lies over its files goes first.

    Not where that cannot be told to pip: of two copies it takes the one that it finds first, and
    none of which the list of files is gone.
    """
    if any(isinstance(finding, TwoCopies) for finding in findings):
        return
    culprits = [f.distribution for f in findings if not isinstance(f, Missing | Altered)]
    culprits = list(filter(None, dict.fromkeys(culprits)))
    claims = ways.inspection.claims
    if any(c.unlisted for c in claims if c.distribution.name in culprits):
        return
    known = [f.conda_package for f in findings if not _is_uncertain(f)]
    lost = [f.conda_package for f in findings if isinstance(f, LostRecord)]
    there = [dist for dist in known if dist not in lost]
    lost = [dist for dist in lost if dist in known]
    channels = [r.channel for r in ways.environment.records if r.dist in there]
    commands = [ways.uninstall(*culprits)] if culprits else []
    if there:
        commands.append(ways.conda("reinstall", _specs(there, ways.shell), channels))
    if lost:
        commands.append(ways.conda("install", _specs(lost, ways.shell), ways.sources(lost)))
    if there or lost:
        yield Fix(ways.shell.then(*commands), f"have {ways.shell.tool} do it{ways.although}")


def _of_records(ways: _Ways, books: Sequence[UnreadableBook]) -> Iterator[Fix]:
    """Give the way to have records anew that conda stumbles over: all at once, or it does again."""
    records = [book for book in books if book.record.endswith(".json")]
    if not records:
        return
    paths = [f"{ways.environment.prefix}/conda-meta/{book.record}" for book in records]
    asides = [command_line("mv", path, f"{path}.unreadable") for path in paths]
    if dists := [book.conda_package for book in records if book.conda_package]:
        asides.append(ways.conda("install", _specs(dists, ways.shell), ways.sources(dists)))
    them = ("the record", "its package") if len(records) == 1 else ("the records", "the packages")
    says = f"put {them[0]} aside, and have {them[1]} installed again"
    yield Fix(ways.shell.then(*asides), says if dists else f"put {them[0]} aside")


def _is_uncertain(finding: Finding) -> bool:
    return isinstance(finding, LostRecord) and bool(finding.candidates)


def _specs(dists: Iterable[str], shell: Shell) -> tuple[str, ...]:
    """Give the packages as the tool takes them: exactly these, where it can say so."""
    parts = [dist.rsplit("-", 2) for dist in dict.fromkeys(dists)]
    return tuple(part[0] if shell.manager == "pixi" else "=".join(part) for part in parts)


# ------------------------------------------------------------------------------- one by one


def _advice(ways: _Ways, finding: Finding) -> Iterator[Fix]:
    match finding:
        case TwoCopies(conda_package=""):
            yield _one_only(ways, finding)
        case DependsUnmet() if finding.owner != "pip":
            command = ways.conda("install", (finding.depends,), ways.sources([""]))
            yield Fix(command, f"let {ways.shell.tool} look for what goes together")
        case Lacks():
            yield from _requirement(ways, finding)
        case PinBroken() if wanted := as_requirement(finding.pin, finding.distribution):
            if finding.distribution not in ways.environment.conda_owned:
                yield Fix(ways.install(wanted), "install what is pinned")
        case Leftover():
            yield from _metadata(ways, finding)
        case Shadows(reason="user-site"):
            yield Fix(ways.uninstall(finding.distribution), "take it out of the user site")
        case SecondCopy():
            command = ways.shell.safepip(("uninstall", "-y", finding.distribution))
            yield Fix(command, "take the second copy out")
        case _:
            yield from _of_books(ways, finding)


def _of_books(ways: _Ways, finding: Finding) -> Iterator[Fix]:
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
        case WrongKernel() if "ipykernel" in ways.environment.installed:
            name = finding.path.rpartition("/")[0].rpartition("/")[2]
            python = ways.environment.interpreter.executable
            words = (python, "-m", "ipykernel", "install", "--prefix", prefix, "--name", name)
            yield Fix(ways.shell.run(*words), "have the kernel start this Python")


def _requirement(ways: _Ways, finding: Lacks) -> Iterator[Fix]:
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


def _metadata(ways: _Ways, finding: Leftover) -> Iterator[Fix]:
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


def _one_only(ways: _Ways, finding: TwoCopies) -> Fix:
    """Give the way to have one copy: each uninstall takes the one that pip sees first."""
    name = finding.distribution
    removal = ways.uninstall(name)
    again = ways.install(f"{name}=={finding.versions[0]}")
    return Fix(ways.shell.then(removal, removal, again), f"have one {name} only")
