"""A refusal, with all that its ways out are made from. Pure."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from safepip.decisions.fixing.bounds import required
from safepip.decisions.fixing.commands import can_be_repeated, changed_words, words_of
from safepip.decisions.judging.requirements import parse_requirement, relation
from safepip.values.findings import (
    Breaks,
    CondaOwned,
    Finding,
    Frozen,
    SameFiles,
    SecondCopy,
    Shadows,
)
from safepip.values.late import dataclass
from safepip.values.plan import Plan
from safepip.values.request import Policy
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from safepip.decisions.fixing.shell import Shell
    from safepip.values.environment import Environment, Record
    from safepip.values.universe import Freed
    from safepip.values.verdict import HeldBack


@dataclass(frozen=True)
class Case:
    """What was refused, to whom, and in which words they are helped."""

    environment: Environment
    arguments: tuple[str, ...]
    plan: Plan
    refusals: tuple[Finding, ...]
    shell: Shell
    kept: tuple[HeldBack, ...] = ()
    policy: Policy = field(default_factory=Policy)
    others_fit: bool = False
    """What would break has releases that go with the plan."""
    ways: tuple[tuple[Freed, ...], ...] = ()
    """The smallest changes of conda's that make the request possible; alternatives."""
    enough: tuple[str, ...] = ()
    """The fewest names that pip has to take over, where it would take more by itself."""
    within: tuple[str, ...] = ()
    """Bounds with which the plan is what is pinned."""
    spelled: tuple[str, ...] = ()
    """The arguments with the lines of requirement files in place of the files, where that goes."""
    along: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """What conda is to be given leave to change as well, by what it is asked for."""
    bounds: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    """The constraints that count here, by name, as far as they can be read."""

    there: Mapping[str, str] = field(default_factory=dict)
    """Versions of conda's with which the rest of the request can be had."""
    direct: bool = False
    """Of what pip installs, only what was asked for counts with what it requires of conda's."""
    told: frozenset[str] = frozenset()
    """Flags that pip is told by a variable or its settings, and need not be among the arguments."""
    bounds_fit: bool = True
    """What was asked for has releases that go with what would break."""
    fits: str = "conda's versions"
    """What the versions in ``kept`` go with."""
    is_shown: bool = False
    """The command was `plan`, and what is meant is what it shows."""

    @property
    def same(self) -> str:
        """What the user's own command is called where it cannot be given."""
        return same_command(is_shown=self.is_shown)

    @property
    def removes(self) -> bool:
        """The command was `uninstall`."""
        return self.arguments[0] == "uninstall"

    @cached_property
    def repeatable(self) -> bool:
        """The user's own arguments can be part of a command."""
        return can_be_repeated(self.arguments)

    @cached_property
    def owned(self) -> tuple[CondaOwned, ...]:
        """The refused changes to distributions of conda.

        One that was asked for and would only be hidden, by a copy in the user site, is among them:
        what the user wants of it, conda can do.
        """
        found = [f for f in self.refusals if isinstance(f, CondaOwned)]
        hidden = (self._as_change(f) for f in self.refusals if isinstance(f, Shadows))
        return (*found, *(f for f in hidden if f is not None))

    def _as_change(self, finding: Shadows) -> CondaOwned | None:
        conda = self.environment.conda_owned.get(finding.distribution)
        change = self.plan.by_name.get(finding.distribution)
        if conda is None or change is None or not change.requested or change.after is None:
            return None
        return CondaOwned(
            distribution=finding.distribution,
            action=relation(conda.version, change.after),
            installed=conda.version,
            planned=change.after,
            conda_package=finding.conda_package,
            requested=True,
        )

    @cached_property
    def doubled(self) -> tuple[SameFiles | SecondCopy, ...]:
        """The refusals for what conda has already, under another name."""
        return tuple(f for f in self.refusals if isinstance(f, SameFiles | SecondCopy))

    @cached_property
    def broken(self) -> tuple[Breaks, ...]:
        """The refusals for what would no longer have what it requires."""
        return tuple(f for f in self.refusals if isinstance(f, Breaks))

    @cached_property
    def wanted(self) -> tuple[Requirement, ...]:
        """What the user asks for, and what pip's part requires.

        Not what conda's own require in the versions that pip chose: conda may have others.
        """
        asked = (parse_requirement(word.text) for word in words_of(self.spelled) if word.name)
        given = {finding.distribution for finding in self.owned}
        by_pip = Plan(
            tuple(
                change
                for change in self.plan.changes
                if change.name not in given and (change.requested or not self.direct)
            )
        )
        return (*(r for r in asked if r is not None), *required(by_pip, self.environment))

    @cached_property
    def sealed(self) -> tuple[Frozen, ...]:
        """The refusals for an environment that is not to be changed."""
        return tuple(f for f in self.refusals if isinstance(f, Frozen))

    @cached_property
    def is_about_owned(self) -> bool:
        """Every refusal is about a distribution of conda, or follows from a change to one."""
        names = {finding.distribution for finding in self.owned}
        return bool(names) and all(
            (
                isinstance(f, CondaOwned | Shadows | SameFiles | SecondCopy)
                and f.distribution in names
            )
            or (isinstance(f, Breaks) and f.changed in names)
            for f in self.refusals
        )

    @cached_property
    def is_about_doubles(self) -> bool:
        """Every refusal is about what conda has already, under another name."""
        return bool(self.doubled) and len(self.doubled) == len(self.refusals)

    def again(
        self,
        arguments: tuple[str, ...] | None = None,
        *,
        allow: tuple[str, ...] = (),
        override_frozen: bool = False,
        strict: bool = True,
        variables: tuple[tuple[str, str], ...] = (),
    ) -> str:
        """Give the user's own command, with other arguments or more of safepip's options.

        ``strict=False`` leaves `--strict` out, for what was only tried without it. Where that is
        set for all commands, the command says otherwise by a variable. ``variables``: such ones.
        """
        given = self.arguments if arguments is None else arguments
        options = self._options(allow, override_frozen=override_frozen, strict=strict)
        if not strict and self.policy.strict_for_all:
            variables = (*variables, ("SAFEPIP_POLICY", "keep"))
        return self.shell.safepip(given, options, variables)

    def _options(
        self, allow: tuple[str, ...] = (), *, override_frozen: bool = False, strict: bool = True
    ) -> tuple[str, ...]:
        policy = self.policy._replace(
            allow=tuple(dict.fromkeys((*self.policy.allow, *allow))),
            strict=strict and self.policy.strict,
            override_frozen=override_frozen or self.policy.override_frozen,
        )
        return policy.options

    def fix(
        self,
        says: str,
        arguments: tuple[str, ...] | None = None,
        *,
        allow: tuple[str, ...] = (),
        strict: bool = True,
        told: bool = False,
    ) -> Fix:
        """Give the user's own command, changed as by `again`, as a way out.

        Where it cannot be given whole (there is a secret in it), in words: what to change of it.
        ``told``: what it does is of use where not even that can be said.
        """
        if self.repeatable:
            return Fix(self.again(arguments, allow=allow, strict=strict), says)
        given = self.arguments if arguments is None else arguments
        before = (*self._options(), *self.arguments)
        after = (*self._options(allow, strict=strict), *given)
        changed = changed_words(before, after, self.same)
        if told and not changed:
            return Fix("", says)
        is_by_variable = self.policy.strict_for_all and not strict
        return Fix("", f"{says}: {changed}" if changed and not is_by_variable else "")

    def record(self, conda_package: str) -> Record | None:
        """Give the record that a finding names, in full or by the package's name alone."""
        records = self.environment.records
        by_dist = next((r for r in records if r.dist == conda_package), None)
        return by_dist or self.environment.record_named(conda_package)

    def conda_name(self, conda_package: str) -> str:
        """Give conda's name of the package, which need not be that of its distribution."""
        record = self.record(conda_package)
        return record.name if record else conda_package.rsplit("-", 2)[0]

    def conda_names(self, findings: Iterable[CondaOwned | SameFiles | SecondCopy]) -> list[str]:
        """Give conda's names of the packages that the findings name, each once."""
        return list(dict.fromkeys(self.conda_name(f.conda_package) for f in findings))


def same_command(*, is_shown: bool) -> str:
    """Give what the user's own command is called where it cannot be given. ``is_shown``: `plan`."""
    return "`safepip install` as here," if is_shown else "the same command"
