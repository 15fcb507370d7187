"""A plan change by change, with what was said against it: all its forms come of this. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from safepip.decisions.fixing.bounds import required
from safepip.decisions.fixing.commands import words_of
from safepip.decisions.judging.requirements import (
    active_requirements,
    as_text,
    is_met,
    parse_requirement,
)
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import few, is_condas, package
from safepip.values.findings import Breaks, CondaOwned, Finding, SameFiles, SecondCopy, Unmet
from safepip.values.late import dataclass
from safepip.values.text import normalised
from safepip.values.verdict import Blocked, Kept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from safepip.decisions.wording.layout import Style
    from safepip.values.channel import CondaPart
    from safepip.values.environment import Distribution, Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.verdict import HeldBack, Outcome

_SIGNS: Mapping[str, tuple[str, Style]] = {
    "add": ("+", "add"),
    "upgrade": ("~", "change"),
    "downgrade": ("~", "change"),
    "same": ("~", "change"),
    "remove": ("-", "refuse"),
}
_OWNED: tuple[str, Style] = ("!", "refuse")
_WORDS = {"add": "new", "downgrade": "older", "same": "again"}
_FEW_HERE = 2
_SOURCES = {
    "sdist": "built from source",
    "vcs": "built from a repository",
    "directory": "built from a folder",
    "editable": "editable",
}


def subject(finding: Finding) -> str:
    """Give the name of the change that a finding is about: what breaks stays as it is."""
    return finding.changed if isinstance(finding, Breaks) else finding.distribution


@dataclass(frozen=True)
class Branch:
    """A change, and below it those that it needs and that stand nowhere before."""

    change: Change
    below: tuple[Branch, ...] = ()


class Wish(NamedTuple):
    """That one planned distribution requires another."""

    parent: Change
    requirement: str
    """Without its marker."""
    is_met: bool
    """By what is there now."""


class Picture:
    """The changes of one plan, and how they hang together."""

    def __init__(
        self,
        plan: Plan,
        environment: Environment,
        arguments: tuple[str, ...] = (),
        refusals: Sequence[Finding] = (),
        held_back: Sequence[HeldBack] = (),
        *,
        command: tuple[str, ...] = (),
        by_conda: CondaPart | None = None,
    ) -> None:
        """Keep what is to be shown. ``command``: the words behind `safepip`, if not pip's own.

        ``by_conda``: what conda does before.
        """
        self.plan = plan
        self.environment = environment
        self.arguments = arguments
        self.command = command or arguments
        self.by_conda = by_conda.moves if by_conda is not None else ()
        self.condas_part = by_conda
        self.held = {held.name: held for held in held_back}
        self.refusals: dict[str, Finding] = {}
        for finding in sorted(refusals, key=lambda f: not isinstance(f, CondaOwned)):
            self.refusals.setdefault(subject(finding), finding)
        self._asked = [word for word in words_of(tuple(arguments)) if word.name]
        self._needs: dict[str, list[Change]] = defaultdict(list)
        for change in plan.changes:
            for parent in change.needed_by:
                self._needs[parent].append(change)

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

    def branches(self, visible: Collection[str] | None = None) -> tuple[Branch, ...]:
        """Give the branches: first what was requested, in that order, and each change once.

        ``visible``: the names of the changes to show; all of them unless given.
        """
        shown = set(self.plan.by_name if visible is None else visible)
        seen: set[str] = set()
        asked = {word.name: at for at, word in reversed([*enumerate(self._asked)])}
        last = len(asked)
        ordered = sorted(
            self.plan.changes,
            key=lambda c: (not c.requested, asked.get(c.name, last), *c.needed_by[:1]),
        )
        return tuple(
            self._branch(change, shown, seen)
            for change in ordered
            if change.name in shown and change.name not in seen
        )

    def _branch(self, change: Change, shown: set[str], seen: set[str]) -> Branch:
        seen.add(change.name)
        below = tuple(
            self._branch(child, shown, seen)
            for child in self._needs[change.name]
            if child.name in shown and child.name not in seen and not child.requested
        )
        return Branch(change, below)

    def ordered(self) -> tuple[Change, ...]:
        """Give the changes as the branches have them, from top to bottom."""
        return tuple(change for branch in self.branches() for change in _flat(branch))

    def sign(self, change: Change) -> tuple[str, Style]:
        """Give the sign of a change, and its style; `!` is for what is conda's, or refused."""
        refused = change.name in self.refusals
        return _OWNED if refused or is_condas(change) else _SIGNS[change.action]

    def words(self, change: Change) -> tuple[str, ...]:
        """Give what is to be said of a change beside its versions: the harm first."""
        return tuple(filter(None, self._words(change)))

    def _words(self, change: Change) -> Iterator[str]:
        finding = self.refusals.get(change.name)
        if finding is not None:
            yield self._harm(finding)
        else:
            word = _WORDS.get(change.action, "")
            yield "taken over from conda" if is_condas(change) else word
        yield _SOURCES.get(change.artifact.source, "") if change.artifact else ""
        if not change.requested and not change.needed_by:
            here = tuple(self._needed_here(change))
            yield f"needed by {few(here, _FEW_HERE)}" if here else ""
        held = self.held.get(change.name)
        yield f"instead of {clean(held.newest)}" if held and held.newest else ""

    def _needed_here(self, change: Change) -> Iterator[str]:
        """Give who needs a change though it is there already, by an extra that was asked for.

        Only pip asks for that anew; who is not asked for by name is not looked at.
        """
        for here, requirement in self.asked_and_there():
            markers = self.environment.interpreter.markers
            needs = active_requirements(here.requires, markers, requirement.extras)
            if any(normalised(need.name) == change.name for need in needs):
                extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
                yield f"{here.name}{extras} {here.version}"

    def _here(self, name: str) -> Distribution | None:
        return None if name in self.plan.by_name else self.environment.installed.get(name)

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

    def wishes(self, change: Change) -> tuple[Wish, ...]:
        """Give who in the plan requires this and how, first those for whom it has to change."""
        found = [wish for name in change.needed_by for wish in self._wishes_of(name, change)]
        return tuple(sorted(found, key=lambda wish: wish.is_met))

    def _wishes_of(self, name: str, change: Change) -> Iterator[Wish]:
        parent = self.plan.by_name.get(name)
        if parent is None:
            return
        here = change.before.version if change.before is not None else None
        markers = self.environment.interpreter.markers
        for requirement in active_requirements(parent.requires, markers, parent.extras):
            if normalised(requirement.name) == change.name:
                yield Wish(parent, clean(as_text(requirement)), is_met(requirement, here))

    def asked_and_there(self) -> Iterator[tuple[Distribution, Requirement]]:
        """Give what was asked for by name and stays as it is, with how it was asked for."""
        for requirement in map(parse_requirement, (word.text for word in self._asked)):
            here = None if requirement is None else self._here(normalised(requirement.name))
            if requirement is not None and here is not None:
                yield here, requirement

    def unchanged(self) -> tuple[Distribution, ...]:
        """Give what was asked for or is required, and is in the environment already."""
        asked = (word.name for word in self._asked)
        needed = (normalised(r.name) for r in required(self.plan, self.environment))
        installed = self.environment.installed
        names = dict.fromkeys((*asked, *needed))
        return tuple(installed[n] for n in names if n in installed and n not in self.plan.by_name)


def picture_of(outcome: Outcome) -> Picture | None:
    """Give the picture of what a command would do; None where there is no plan to show."""
    verdict = outcome.verdict
    if verdict is None or outcome.environment is None:
        return None
    part = outcome.conda
    return Picture(
        verdict.plan,
        outcome.environment,
        outcome.arguments,
        verdict.refusals if isinstance(verdict, Blocked) else (),
        verdict.held_back if isinstance(verdict, Kept) else (),
        command=outcome.command,
        by_conda=part if part is not None and part.state != "refused" else None,
    )


def _flat(branch: Branch) -> Iterator[Change]:
    yield branch.change
    for below in branch.below:
        yield from _flat(below)
