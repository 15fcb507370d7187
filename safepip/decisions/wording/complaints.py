"""What each finding of `doctor` says to a person. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import count, few, package
from safepip.values.damage import (
    Altered,
    DependsUnmet,
    HiddenModule,
    Lacks,
    Leftover,
    LostRecord,
    Missing,
    NoPython,
    OtherOnPath,
    Overwritten,
    PinBroken,
    Replaced,
    SharedFiles,
    StaleConstraints,
    TwoCopies,
    Unchecked,
    Unfinished,
    UnreadableBook,
    UnreadableChange,
    WrongInterpreter,
    WrongKernel,
)
from safepip.values.findings import Base, Frozen, Pixi, RuntimeTwice, SecondCopy, Shadows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safepip.values.damage import Source
    from safepip.values.environment import Environment
    from safepip.values.findings import Finding

_FEW_PATHS = 2
_SEALS = {
    "frozen": "marked read-only by its owner",
    "externally-managed": "marked as managed by something else than pip",
    "read-only": "read-only for you",
}
_EVIDENCE = {
    "history": "conda's history",
    "depends": "what depends on it",
    "cache": "the package cache",
}


def subject(finding: Finding, environment: Environment) -> str:
    """Give what a finding is about, in a word."""
    owner = str(getattr(finding, "conda_package", ""))
    if finding.distribution:
        return clean(finding.distribution)
    known = next((record.name for record in environment.records if record.dist == owner), "")
    name = known or (owner.rsplit("-", 2)[0] if owner else "")
    if isinstance(finding, Unfinished | UnreadableChange):
        return "safepip"
    return clean(name or str(getattr(finding, "module", "")) or finding.kind)


def complaint(finding: Finding, environment: Environment) -> str:
    """Give what is wrong in one sentence."""
    say = _SENTENCES.get(type(finding))
    return say(finding, environment) if say is not None else finding.kind


def came(source: Source) -> str:
    """Give who put a distribution there, and when, as far as that is proven."""
    if source.change:
        return f"put there by safepip, {clean(source.change)}"
    who = f"by {clean(source.installer)}" if source.installer else "by whom is unknown"
    asked = ", asked for by name" if source.requested else ""
    return f"put there {who} on {clean(source.written) or 'an unknown day'}{asked}"


def _harm(altered: tuple[str, ...], missing: tuple[str, ...]) -> str:
    said = [f"{count(len(altered), 'file')} altered"] if altered else []
    said += [f"{len(missing)} missing"] if missing else []
    return " and ".join(said)


def _replaced(f: Replaced, _: Environment) -> str:
    harm = _harm(f.altered, f.missing)
    harm = f": {harm} of conda's {f.files}" if harm else ""
    given = ", as `--allow` let it" if f.allowed else ""
    if f.there == f.version:
        return f"conda's {clean(f.version)} was installed again over it, {came(f.source)}{harm}"
    return (
        f"conda has {clean(f.version)}, on disk is {clean(f.there)}, {came(f.source)}{given}{harm}"
    )


def _two_copies(f: TwoCopies, environment: Environment) -> str:
    versions = " and ".join(map(clean, f.versions))
    if not f.conda_package:
        return f"{versions} are both there; chance decides which of them counts"
    owner = package(f.conda_package, environment)
    harm = _harm(f.altered, f.missing)
    harm = f"; of conda's files {harm}" if harm else ""
    strays = f", with {count(len(f.strays), 'file')} of its own" if f.strays else ""
    return (
        f"{versions} are both there, one from conda's {owner}, the other {came(f.source)}"
        f"{strays}; chance decides which of them counts{harm}"
    )


def _overwritten(f: Overwritten, environment: Environment) -> str:
    files = count(len(f.paths), "file")
    owner = package(f.conda_package, environment)
    return (
        f"{clean(f.version)} was written over {files} of conda's {owner} "
        f"({few(f.paths, _FEW_PATHS)}), {came(f.source)}"
    )


def _shared(f: SharedFiles, environment: Environment) -> str:
    files = count(len(f.paths), "file")
    owner = package(f.conda_package, environment)
    are = "is" if len(f.paths) == 1 else "are"
    return (
        f"{clean(f.version)} claims {files} of conda's {owner}, which {are} whole "
        f"({few(f.paths, _FEW_PATHS)}); plain pip's uninstall deletes them, and "
        f"`safepip uninstall {clean(f.distribution)}` does not"
    )


def _altered(f: Altered, environment: Environment) -> str:
    owner = package(f.conda_package, environment)
    files = count(len(f.paths), "file")
    return f"{files} of conda's {owner} altered, by whom is unknown: {few(f.paths, _FEW_PATHS)}"


def _missing(f: Missing, environment: Environment) -> str:
    owner = package(f.conda_package, environment)
    what = f"{len(f.paths)} of {f.files} files of conda's {owner} are gone"
    if f.uninstalled:
        return f"{what}, and Python does not see it any more; by whom is unknown"
    return f"{what}, by whom is unknown: {few(f.paths, _FEW_PATHS)}"


def _lost(f: LostRecord, _: Environment) -> str:
    told = ", ".join(_EVIDENCE[one] for one in f.evidence)
    said = f"conda had {clean(f.conda_package)} (by {told}), and has no record of it any more"
    if f.there:
        said += f"; on disk is {clean(f.there)}, {came(f.source)}"
    if f.needed_by:
        said += f"; needed by {few(f.needed_by, _FEW_PATHS)}"
    return said + _candidates(f.candidates)


def _unreadable(f: UnreadableBook, _: Environment) -> str:
    follows = "what its package owns is unknown, and was not looked at"
    if not f.record.endswith(".json"):
        return clean(f.reason)
    return f"{clean(f.reason)}; {follows}{_candidates(f.candidates)}"


def _change(f: UnreadableChange, _: Environment) -> str:
    return (
        f"{clean(f.path)} cannot be read, safepip's note of the change {clean(f.change)}: "
        f"{clean(f.reason)}; that change cannot be undone"
    )


def _candidates(candidates: tuple[str, ...]) -> str:
    return f"; it may have been {few(candidates, _FEW_PATHS)}" if candidates else ""


def _leftover(f: Leftover, environment: Environment) -> str:
    path = environment.relative(f.path) or f.path
    if f.distribution:
        return f"the metadata of {clean(f.version)} is damaged, {clean(path)}: {clean(f.reason)}"
    return f"{clean(path)} is left of what did not end: {clean(f.reason)}"


def _lacks(f: Lacks, environment: Environment) -> str:
    there = f"{clean(f.found)} is there" if f.found else "which is not there"
    joint = ", and" if f.found else ","
    has = package(f.provided_by, environment) if f.provided_by else ""
    has = f"; conda's {has} has the module" if has else ""
    return f"{clean(f.version)} requires {clean(f.requirement)}{joint} {there}{has}"


def _depends(f: DependsUnmet, environment: Environment) -> str:
    version = package(f.conda_package, environment).rpartition(" ")[2]
    if f.is_limit:
        found = clean(f.found or "nothing")
        return f"conda's {version} goes only with {clean(f.depends)}, and {found} is there"
    if f.found is None:
        return f"conda's {version} depends on {clean(f.depends)}, which is not there"
    return f"conda's {version} was built for {clean(f.depends)}, and {clean(f.found)} is there"


def _pin(f: PinBroken, _: Environment) -> str:
    return f"{clean(f.found)} is there, and conda-meta/pinned says `{clean(f.pin)}`"


def _interpreter(f: WrongInterpreter, _: Environment) -> str:
    commands = count(len(f.paths), "command")
    there = "" if f.exists else ", which does not exist"
    starts = "starts" if len(f.paths) == 1 else "start"
    return f"{commands} {starts} {clean(f.starts)}{there}: {few(f.paths, _FEW_PATHS)}"


def _kernel(f: WrongKernel, _: Environment) -> str:
    return f"the notebook kernel {clean(f.path)} starts {clean(f.starts)}"


def _stale(f: StaleConstraints, _: Environment) -> str:
    return (
        f"{clean(f.path)}, which safepip wrote, is out of date: it is wrong about "
        f"{few(f.names, _FEW_PATHS)}"
    )


def _path(f: OtherOnPath, _: Environment) -> str:
    return f"`{clean(f.command)}` on PATH is {clean(f.path)}, not that of this environment"


def _hidden(f: HiddenModule, environment: Environment) -> str:
    owner = package(f.conda_package, environment) if f.conda_package else ""
    hides = f"conda's {owner}" if owner else "the standard library's"
    return f"{clean(f.path)} ({f.where}) is imported in place of {hides}"


def _no_python(f: NoPython, _: Environment) -> str:
    return f"the environment's Python cannot be asked: {clean(f.reason)}"


def _unfinished(f: Unfinished, _: Environment) -> str:
    return f"the change {clean(f.change)} of safepip was cut off, and is not taken back yet"


def _unchecked(f: Unchecked, _: Environment) -> str:
    return f"{count(len(f.paths), 'file')} cannot be read: {few(f.paths, _FEW_PATHS)}"


def _frozen(f: Frozen, _: Environment) -> str:
    message = f": {clean(f.message.splitlines()[0])}" if f.message else ""
    return f"the environment is {_SEALS[f.marker]}{message}"


def _pixi(_: Pixi, __: Environment) -> str:
    return "pixi owns this environment and takes back what it did not install itself"


def _base(_: Base, __: Environment) -> str:
    return "this is conda's own environment; a new one is safer for your packages"


def _runtime(f: RuntimeTwice, environment: Environment) -> str:
    owner = package(f.conda_package, environment)
    return f"brings its own {clean(f.runtime)} ({clean(f.bundled)}); conda's {owner} has one, too"


def _second(f: SecondCopy, environment: Environment) -> str:
    owner, modules = package(f.conda_package, environment), few(f.modules)
    allowed = ", as `--allow` let it" if f.severity == "note" else ""
    if environment.is_seen(f.conda_package):
        return f"is imported in place of {modules} of conda's {owner}{allowed}"
    return f"is a second copy of {modules}, which conda's {owner} has{allowed}"


def _shadows(f: Shadows, environment: Environment) -> str:
    hidden = package(f.conda_package, environment) if f.conda_package else ""
    hides = f"and hides conda's {hidden}" if hidden else "not in the environment"
    return f"{clean(f.version)} is found in {clean(f.path)}, {hides}"


_SENTENCES: Mapping[type[Finding], Callable[..., str]] = {
    Altered: _altered,
    Base: _base,
    DependsUnmet: _depends,
    Frozen: _frozen,
    HiddenModule: _hidden,
    Lacks: _lacks,
    Leftover: _leftover,
    LostRecord: _lost,
    Missing: _missing,
    NoPython: _no_python,
    OtherOnPath: _path,
    Overwritten: _overwritten,
    PinBroken: _pin,
    Pixi: _pixi,
    Replaced: _replaced,
    RuntimeTwice: _runtime,
    SecondCopy: _second,
    Shadows: _shadows,
    SharedFiles: _shared,
    StaleConstraints: _stale,
    TwoCopies: _two_copies,
    Unchecked: _unchecked,
    Unfinished: _unfinished,
    UnreadableBook: _unreadable,
    UnreadableChange: _change,
    WrongInterpreter: _interpreter,
    WrongKernel: _kernel,
}
