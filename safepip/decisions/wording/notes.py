"""What a note says to a person, and the command that follows from it. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.judging.lacking import left_lacking
from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.phrases import FEW, count, few, package, planned, then_lacking
from safepip.decisions.wording.sentences import lacks, no_metadata, sentence
from safepip.values.findings import (
    AlreadyDamaged,
    Base,
    Builds,
    CondaOwned,
    Finding,
    NoMetadata,
    Pixi,
    RuntimeTwice,
    SameFiles,
    Shadows,
    Unmet,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.values.environment import Environment
    from safepip.values.plan import Plan

_TOGETHER = ("already-damaged", "builds", "same-files")
"""Kinds whose notes are one sentence, however many there are."""
_FEW_PATHS = 2
_FEW_DAMAGES = 3


def note_lines(
    findings: Sequence[Finding], plan: Plan, environment: Environment, width: int
) -> tuple[Line, ...]:
    """Give the notes among the findings, those of one kind together."""
    notes = [f for f in findings if f.severity == "note" and not _is_known(f, plan)]
    notes.sort(key=lambda f: f.kind)
    lines: list[Line] = []
    for kind, group in groupby(notes, key=lambda f: f.kind):
        for text in _texts(list(group), plan, environment):
            start = (Span(f"note[{kind}]", "note"), Span(": "))
            lines += paragraph((Span(text),), width, start=start, indent=2)
        if said := _command(kind, plan, environment):
            lines += command(said, 2)
    return tuple(lines)


def _is_known(finding: Finding, plan: Plan) -> bool:
    """Say whether the user knows this: what somebody asks for by a path or URL gets built."""
    change = plan.by_name.get(finding.distribution)
    direct = change is not None and change.artifact is not None and change.artifact.is_direct
    return isinstance(finding, Builds) and direct


def _texts(findings: Sequence[Finding], plan: Plan, environment: Environment) -> Iterator[str]:
    """Word the findings of one kind together, or each where it has facts of its own."""
    given = [f for f in findings if isinstance(f, SameFiles) and f.reason == "given"]
    yield from (_given(finding, plan, environment) for finding in given[:FEW])
    findings = [finding for finding in findings if finding not in given]
    if not findings:
        return
    if findings[0].kind in _TOGETHER:
        yield _together(findings, environment)
        return
    for finding in findings[:FEW]:
        yield _one(finding, plan, environment)
    if len(findings) > FEW:
        yield f"{len(findings) - FEW} more like these"


def _given(finding: SameFiles, plan: Plan, environment: Environment) -> str:
    owner = package(finding.conda_package, environment)
    files = count(len(finding.paths), "file")
    paths = few(finding.paths, _FEW_PATHS)
    name = planned(finding.distribution, plan)
    return f"{name} takes over {files} of conda's {owner}: {paths}"


def _owned(finding: CondaOwned, plan: Plan) -> str:
    name, installed = clean(finding.distribution), clean(finding.installed)
    becomes = f"gives way to {clean(finding.planned)}" if finding.planned else "is removed"
    lacking = then_lacking(left_lacking(finding, plan))
    return f"conda's {name} {installed} {becomes}, and conda goes on to list {installed}{lacking}"


def _together(findings: Sequence[Finding], environment: Environment) -> str:
    names = few(dict.fromkeys(f.distribution for f in findings if f.distribution))
    paths = [path for f in findings if isinstance(f, SameFiles) for path in f.paths]
    match findings[0]:
        case Builds():
            return f"built on this machine, by code that ran before this verdict: {names}"
        case SameFiles():
            packages = {f.conda_package for f in findings if isinstance(f, SameFiles)}
            owners = few(package(p, environment) for p in sorted(packages))
            return f"{names} leaves files of conda's {owners} as they are: {few(paths, _FEW_PATHS)}"
        case _:
            what = [text for f in findings if isinstance(f, AlreadyDamaged) for text in f.what]
            return f"damaged before this command: {few(what, _FEW_DAMAGES)}"


def _one(  # noqa: PLR0911 - a sentence for each kind
    finding: Finding, plan: Plan, environment: Environment
) -> str:
    name = planned(finding.distribution, plan)
    match finding:
        case Pixi():
            return "pixi owns this environment and takes back what it did not install itself"
        case Base():
            return "this is conda's own environment; a new one is safer"
        case CondaOwned():
            return _owned(finding, plan)
        case NoMetadata():
            return no_metadata(finding)
        case RuntimeTwice():
            owner = package(finding.conda_package, environment)
            runtime = clean(finding.runtime)
            return f"{name} brings its own {runtime}, and conda's {owner} has one, too"
        case Unmet():
            has = package(finding.provided_by, environment)
            has = f"; conda's {has} has the module" if has else ""
            return f"{name} {lacks(finding)}{has}"
        case Shadows():
            return _shadows(finding, environment)
        case _:
            return sentence(finding, plan, environment)


def _shadows(finding: Shadows, environment: Environment) -> str:
    path = clean(finding.path)
    if not finding.distribution:
        return f"this goes to {path}, beside the environment"
    copy = f"{clean(finding.distribution)} {clean(finding.version)}".strip()
    if finding.reason == "stdlib":
        return f"{copy} brings {path}, named like a module of the standard library"
    hidden = package(finding.conda_package, environment)
    hides = f"and hides conda's {hidden}" if hidden else "not in the environment"
    return f"{copy} is found in {path}, {hides}"


def _command(kind: str, plan: Plan, environment: Environment) -> str:
    shell = Shell(environment.prefix, environment.manager)
    if kind == "pixi" and plan.requested and not any(c.before for c in plan.changes):
        return shell.pixi_add_pypi(tuple(map(clean, plan.requested)))
    if kind == "base":
        return shell.create("work", (f"python={clean(environment.interpreter.minor)}", "pip"))
    return ""
