"""Ways out of a refusal that ask pip for something else. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from safepip.decisions.fixing.bounds import needed_by, required
from safepip.decisions.fixing.commands import with_version, without_flag, words_of
from safepip.decisions.judging.lacking import left_lacking
from safepip.decisions.judging.ranges import is_empty
from safepip.decisions.judging.requirements import is_met, parse_requirement
from safepip.decisions.wording.phrases import listed, then_lacking
from safepip.values.findings import CondaOwned, SameFiles, SecondCopy, Shadows, Unmet
from safepip.values.text import normalised
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.fix_case import Case
    from safepip.values.findings import Breaks
    from safepip.values.plan import Change
    from safepip.values.verdict import HeldBack

_MOST_OTHERS = 8
"""A command with more requirements than these is not one to read and paste."""


def by_pixi(case: Case) -> Iterator[Fix]:
    """Let pixi, which owns the prefix, resolve both worlds at once."""
    words = [word for word in words_of(case.arguments) if word.brings]
    if case.shell.manager != "pixi" or not case.repeatable or not words:
        return
    if all(word.name for word in words):
        command = case.shell.pixi_add_pypi(tuple(word.text for word in words))
        yield Fix(command, "let pixi install it, so that it stays")


def without_reinstalling(case: Case) -> Iterator[Fix]:
    """Give the same command without the flag that installs again what is there."""
    arguments = without_flag(case.arguments, "--ignore-installed", "I")
    arguments = without_flag(arguments, "--force-reinstall")
    # Without the flag, what asks for another version still does.
    asked_for = any(f.planned != f.installed and _is_wanted(case, f) for f in case.owned)
    if case.owned and arguments != case.arguments and not asked_for:
        yield case.fix("leave what is installed as it is", arguments)


def _is_wanted(case: Case, finding: CondaOwned) -> bool:
    """Say whether somebody asks for something else than is there, and not just for anything new."""
    wanted = [r for r in required(case.plan, case.environment) if _is_not_met(case, r)]
    return finding.requested or finding.distribution in {normalised(r.name) for r in wanted}


def not_to_the_user_site(case: Case) -> Iterator[Fix]:
    """Install into the environment itself, where conda's versions can be held."""
    hiding = [f for f in case.refusals if isinstance(f, Shadows)]
    changes = [case.plan.by_name.get(finding.distribution) for finding in hiding]
    if not hiding or any(change is not None and change.requested for change in changes):
        return
    says = "install into the environment itself"
    arguments = without_flag(case.arguments, "--user")
    if arguments != case.arguments:
        yield case.fix(says, arguments)
    elif case.repeatable and case.environment.writable and not case.shell.in_notebook:
        # pip's own settings say so (`PIP_USER`, `user = true`); the variable precedes the file.
        yield Fix(f"PIP_USER=0 {case.again()}", says)


def versions_that_fit(case: Case) -> Iterator[Fix]:
    """Ask for the versions that conda's own allow."""
    chosen = {}
    for held in case.kept:
        here = case.environment.installed.get(held.name)
        if held.chosen is None or not _is_requested(case, held):
            continue
        if here is None or here.version != held.chosen:
            chosen[held.name] = held.chosen
    if chosen:
        # A line of a file that excludes what is chosen cannot stay.
        arguments = case.spelled if _is_spelled(case, chosen) else case.arguments
        for name, version in chosen.items():
            arguments = with_version(arguments, name, version)
        fitting = listed([f"{name} {version}" for name, version in chosen.items()])
        says = f"take the newest that fits {case.fits}, {fitting}"
        is_spelled = _is_spelled(case, chosen)
        asked = _asked_otherwise(case, chosen)
        says += ", in place of what the file asks" if is_spelled else ""
        says += f", though you ask for {listed(asked)}" if asked and not is_spelled else ""
        yield case.fix(says, arguments, strict=False, told=True)
    elif case.policy.strict and case.kept and not any(_is_requested(case, h) for h in case.kept):
        kept = listed([f"{h.name} {h.chosen}" for h in case.kept if h.chosen is not None])
        yield case.fix(f"let safepip hold conda's versions ({kept})", strict=False)


def what_is_there(case: Case) -> Iterator[Fix]:
    """Ask for the versions of conda's that are there, and the rest."""
    there = case.there
    arguments = case.spelled if _is_spelled(case, there) else case.arguments
    for name, version in there.items():
        arguments = with_version(arguments, name, version)
    asked = _asked_otherwise(case, there)
    says = f"take what is there, {listed(f'{name} {each}' for name, each in there.items())}"
    says += ", in place of what the file asks" if _is_spelled(case, there) else ""
    says += f", though you ask for {listed(asked)}" if asked else ""
    yield case.fix(says, arguments)


def _asked_otherwise(case: Case, chosen: Mapping[str, str]) -> list[str]:
    """Give the bounds that were typed and that what is chosen does not meet."""
    return [
        str(line.specifier) if len(chosen) == 1 else word.text
        for word in words_of(case.arguments)
        if word.name in chosen
        and (line := parse_requirement(word.text)) is not None
        and not is_met(line, chosen[word.name])
    ]


def _is_spelled(case: Case, chosen: Mapping[str, str]) -> bool:
    typed = {word.name for word in words_of(case.arguments)}
    lines = [parse_requirement(word.text) for word in words_of(case.spelled) if word.name]
    return any(
        not is_met(line, chosen[name])
        for line in lines
        if line is not None and (name := normalised(line.name)) in chosen and name not in typed
    )


def _is_requested(case: Case, held: HeldBack) -> bool:
    change = case.plan.by_name.get(held.name)
    return change is not None and change.requested


def what_is_pinned(case: Case) -> Iterator[Fix]:
    """Ask for what `conda-meta/pinned` allows."""
    if case.within:
        yield case.fix("take a version that is pinned", (*case.arguments, *case.within))


def what_keeps_others_working(case: Case) -> Iterator[Fix]:
    """Ask for a version that the others accept too, or for newer others."""
    if not case.broken or len(case.broken) != len(case.refusals):
        return
    bounds = tuple(dict.fromkeys(f.requirement for f in case.broken))
    others = sorted({f.distribution for f in case.broken})
    if case.bounds_fit and all(_may_be_bounded(case, finding) for finding in case.broken):
        says = f"take a version that {listed(others)} can work with"
        yield case.fix(says, (*case.arguments, *bounds))
    if case.others_fit and not any(name in case.environment.conda_owned for name in others):
        yield case.fix(f"update {listed(others)} with it", (*case.arguments, *others))


def _may_be_bounded(case: Case, finding: Breaks) -> bool:
    """Say whether what the user asked for leaves room for this bound."""
    bound = parse_requirement(finding.requirement)
    asked = [parse_requirement(w.text) for w in words_of(case.spelled) if w.name]
    specifier = bound.specifier if bound is not None else SpecifierSet()
    for requirement in asked:
        if requirement is not None and normalised(requirement.name) == finding.changed:
            specifier &= requirement.specifier
    return bound is not None and not is_empty(specifier)


def what_is_required(case: Case) -> Iterator[Fix]:
    """Let pip install what would be missing."""
    unmet = [f for f in case.refusals if isinstance(f, Unmet)]
    if not unmet or len(unmet) != len(case.refusals):
        return
    arguments = without_flag(case.arguments, "--no-deps")
    arguments = without_flag(arguments, "--no-dependencies")
    if arguments == case.arguments:
        arguments = (*arguments, *dict.fromkeys(f.requirement for f in unmet))
    yield case.fix("install what it requires, too", arguments)


def the_project_alone(case: Case) -> Iterator[Fix]:
    """Install a project in a folder or a repository without what it asks of conda's packages."""
    projects = [c.name for c in case.plan.changes if c.requested and _is_project(c)]
    blocked = {f.distribution for f in case.owned}
    others = [c for c in case.plan.changes if c.name not in blocked and not _is_project(c)]
    lacking = any(
        _is_not_met(case, each) for c in others for each in needed_by(c, case.environment)
    )
    if projects and case.is_about_owned and not lacking and not _asks_for(case, blocked):
        says = f"install {listed(projects)} with conda's versions as they are"
        asked = [str(r) for r in required(case.plan, case.environment) if _is_not_met(case, r)]
        without = f"without the {listed(asked)} that is asked for" if asked else ""
        says += f", {without}" if without else ""
        for fix in _all_but(case, blocked, says):
            yield replace(fix, besides=(without,) if without and fix.command else ())


def _asks_for(case: Case, names: Collection[str]) -> bool:
    return any(f.requested for f in case.owned if f.distribution in names)


def _is_not_met(case: Case, requirement: Requirement) -> bool:
    here = case.environment.conda_owned.get(normalised(requirement.name))
    return here is not None and not is_met(requirement, here.version)


def _is_project(change: Change) -> bool:
    artifact = change.artifact
    return artifact is not None and artifact.source in ("directory", "editable", "vcs")


def all_but_what_conda_has(case: Case) -> Iterator[Fix]:
    """Install everything except what conda has already, under another name."""
    doubled = {f.distribution for f in case.doubled}
    requested = {c.name for c in case.plan.changes if c.requested}
    if case.is_about_doubles and not doubled & requested:
        says = f"use conda's {listed(case.conda_names(case.doubled))}, and install the rest"
        yield from _all_but(case, doubled, says)


def _all_but(case: Case, names: Collection[str], says: str) -> Iterator[Fix]:
    """Give a command that installs the plan without these, which are not requested."""
    others = [
        f"{c.name}=={c.after}"
        for c in case.plan.changes
        if c.after and not c.requested and c.name not in names
    ]
    verb, *rest = case.arguments
    if len(others) <= _MOST_OTHERS and not case.plan.ignores_dependencies:
        yield case.fix(says, (verb, "--no-deps", *rest, *others))


def taken_over(case: Case) -> Iterator[Fix]:
    """Let pip replace exactly these, on purpose, or put its own beside them."""
    if not all(isinstance(f, CondaOwned | SameFiles | SecondCopy) for f in case.refusals):
        return
    # Without uninstalling first, two copies of the metadata would remain.
    if without_flag(case.arguments, "--ignore-installed", "I") != case.arguments:
        return
    changes = [case.plan.by_name.get(f.distribution) for f in case.owned]
    if any(change is not None and change.cannot_remove for change in changes):
        return
    names = [*case.enough] or [f.distribution for f in case.owned]
    names += [normalised(name) for name in case.conda_names(case.doubled)]
    allow = tuple(dict.fromkeys(names))
    verb = "remove" if case.removes else "replace"
    lacking = [name for f in case.owned for name in left_lacking(f, case.plan)]
    then = then_lacking(lacking)
    says = f"{verb} conda's {listed(allow)} on purpose{then}"
    if all(isinstance(f, SecondCopy) for f in case.refusals):
        says = f"have it beside conda's {listed(allow)} on purpose; Python imports one of both"
    fix = case.fix(says, allow=allow)
    yield replace(fix, besides=(then.removeprefix("; "),) if then and fix.command else ())


def those_that_need_it_too(case: Case) -> Iterator[Fix]:
    """Remove what would no longer work along with what it needs."""
    others = sorted({f.distribution for f in case.broken})
    if not others or len(case.broken) != len(case.refusals):
        return
    if not any(name in case.environment.conda_owned for name in others):
        yield case.fix(f"remove {listed(others)} with it", (*case.arguments, *others))


def although_sealed(case: Case) -> Iterator[Fix]:
    """Pass the seal, which only the owner of the environment may want."""
    markers = {finding.marker for finding in case.sealed}
    if not case.repeatable or "read-only" in markers or len(case.sealed) != len(case.refusals):
        return
    arguments = case.arguments
    if "externally-managed" in markers:
        arguments = (arguments[0], "--break-system-packages", *arguments[1:])
    command = case.again(arguments, override_frozen="frozen" in markers)
    yield Fix(command, "if the environment is yours, change it all the same")
