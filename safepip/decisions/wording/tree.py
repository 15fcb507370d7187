"""A plan as a tree: what was asked for, and below it what that needs. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from safepip.decisions.fixing.bounds import required
from safepip.decisions.fixing.commands import command_line
from safepip.decisions.wording.layout import Node, Span, clean
from safepip.decisions.wording.phrases import count, few, is_condas, needed_by, package, versions
from safepip.values.findings import Breaks, CondaOwned, Finding, SameFiles, SecondCopy, Unmet
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.decisions.wording.layout import Style
    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.verdict import HeldBack

_TITLE = 72
_SIGNS: Mapping[str, tuple[str, Style]] = {
    "add": ("+", "add"),
    "upgrade": ("~", "change"),
    "downgrade": ("~", "change"),
    "same": ("~", "change"),
    "remove": ("-", "refuse"),
}
_OWNED: tuple[str, Style] = ("!", "refuse")
_WORDS = {"add": "new", "downgrade": "older", "same": "again"}
_SOURCES = {
    "sdist": "built from source",
    "vcs": "built from a repository",
    "directory": "built from a folder",
    "editable": "editable",
}


def plan_tree(
    plan: Plan,
    environment: Environment,
    arguments: tuple[str, ...],
    *,
    refusals: Sequence[Finding] = (),
    held_back: Sequence[HeldBack] = (),
    whole: bool = True,
) -> Node:
    """Give the tree of a plan.

    What is not ``whole`` shows the branches that lead to a refusal, and counts the others.
    """
    picture = _Picture(plan, environment, refusals, held_back)
    visible = set(plan.by_name) if whole else picture.leading_to_refusals()
    branches = [*picture.branches(visible)]
    if hidden := len(plan.changes) - len(visible):
        branches.append(Node((Span("+ ", "add"), Span(f"{count(hidden, 'other change')}"))))
    unchanged = tuple(_unchanged(plan, environment)) if whole else ()
    if unchanged:
        branches.append(Node((Span("= ", "dim"), Span(f"already there: {few(unchanged)}"))))
    return Node((Span(_title(arguments)),), tuple(branches))


def subject(finding: Finding) -> str:
    """Give the name of the change that a finding is about: what breaks stays as it is."""
    return finding.changed if isinstance(finding, Breaks) else finding.distribution


class _Picture:
    """The changes of one plan, and how they hang together."""

    def __init__(
        self,
        plan: Plan,
        environment: Environment,
        refusals: Sequence[Finding],
        held_back: Sequence[HeldBack],
    ) -> None:
        self.plan = plan
        self.environment = environment
        self.held = {held.name: held for held in held_back}
        self.refusals: dict[str, Finding] = {}
        for finding in sorted(refusals, key=lambda f: not isinstance(f, CondaOwned)):
            self.refusals.setdefault(subject(finding), finding)
        self.needs: dict[str, list[Change]] = defaultdict(list)
        for change in plan.changes:
            for parent in change.needed_by:
                self.needs[parent].append(change)

    def leading_to_refusals(self) -> set[str]:
        """Give the names of the refused changes, and of those that bring them."""
        wanted = list(self.refusals)
        found: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in self.plan.by_name and name not in found:
                found.add(name)
                wanted += self.plan.by_name[name].needed_by
        return found

    def branches(self, visible: set[str]) -> Iterator[Node]:
        """Give the branches: first what was requested, and each change once."""
        seen: set[str] = set()
        for change in sorted(self.plan.changes, key=lambda c: (not c.requested, *c.needed_by[:1])):
            if change.name in visible and change.name not in seen:
                yield self._branch(change, visible, seen)

    def _branch(self, change: Change, visible: set[str], seen: set[str]) -> Node:
        seen.add(change.name)
        finding = self.refusals.get(change.name)
        dependents = finding.dependents if isinstance(finding, CondaOwned) else ()
        branches = [Node((Span(needed_by(dependents)),))] if dependents else []
        branches += (
            self._branch(child, visible, seen)
            for child in self.needs[change.name]
            if child.name in visible and child.name not in seen and not child.requested
        )
        return Node(self._label(change), tuple(branches))

    def _label(self, change: Change) -> tuple[Span, ...]:
        refused = change.name in self.refusals
        sign, style = _OWNED if refused or is_condas(change) else _SIGNS[change.action]
        label = f"{clean(change.name)} {versions(change)}"
        words = ", ".join(filter(None, self._words(change)))
        said = (Span("  "), Span(words, style if refused else "dim")) if words else ()
        return (Span(f"{sign} ", style), Span(label), *said)

    def _words(self, change: Change) -> Iterator[str]:
        finding = self.refusals.get(change.name)
        if finding is not None:
            yield self._harm(finding)
        else:
            word = _WORDS.get(change.action, "")
            yield "taken over from conda" if is_condas(change) else word
        yield _SOURCES.get(change.artifact.source, "") if change.artifact else ""
        held = self.held.get(change.name)
        yield f"instead of {clean(held.newest)}" if held and held.newest else ""

    def _harm(self, finding: Finding) -> str:
        match finding:
            case CondaOwned():
                return "conda owns it"
            case SameFiles():
                owner = package(finding.conda_package, self.environment)
                return f"writes over files of conda's {owner}"
            case SecondCopy():
                return f"conda's {package(finding.conda_package, self.environment)} has it"
            case Breaks():
                return f"breaks {clean(finding.distribution)}"
            case Unmet():
                return f"lacks {clean(finding.requirement)}"
            case _:
                return finding.kind


def _title(arguments: tuple[str, ...]) -> str:
    title = clean(f"safepip {command_line(*arguments)}")
    return title if len(title) <= _TITLE else title[: _TITLE - 4] + " ..."


def _unchanged(plan: Plan, environment: Environment) -> Iterator[str]:
    """Give what the plan requires and finds in the environment, conda's marked by the word."""
    seen = set(plan.by_name)
    for requirement in required(plan, environment):
        name = normalised(requirement.name)
        here = environment.installed.get(name)
        if here is not None and name not in seen:
            seen.add(name)
            yield f"{name} {here.version}" + (" (conda)" if here.record is not None else "")
