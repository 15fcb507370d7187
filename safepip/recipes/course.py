"""What is known so far of one guarded command, and the steps that every recipe takes with it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from safepip.decisions.fixing.again import again
from safepip.decisions.fixing.commands import can_be_repeated, with_version
from safepip.decisions.fixing.fixes import fixes_for
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.judging.judge import Judgement, judge
from safepip.decisions.planning.report import plan_of
from safepip.decisions.wording.hints import not_all_tried, unknown_names
from safepip.effects.destination import at_home, not_by_falling_back, refuse_other_environments
from safepip.effects.landings import find_landings
from safepip.effects.sparing import refuse_wild_removals
from safepip.effects.wheels import read_wheels
from safepip.values.errors import SafepipError
from safepip.values.exits import Exit
from safepip.values.findings import Breaks
from safepip.values.request import PipOptions
from safepip.values.retry import Retry
from safepip.values.text import without_secrets
from safepip.values.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from safepip.effects.asking import Asking, Engine
    from safepip.effects.conda_solver import CondaSolver
    from safepip.effects.requirement_files import Inputs
    from safepip.recipes.settings import Settings
    from safepip.values.account import Account, Depth, Failed
    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.plan import Plan
    from safepip.values.request import Request
    from safepip.values.universe import Conflict
    from safepip.values.verdict import Fix, HeldBack, Verdict

_SECONDS_FOR_HELP = 30.0
"""For all that comes after a verdict: plans that pip only tries, the search for reasons, conda."""
_WITHOUT_TRIALS = 5.0
"""Of these, what is left to reasons and to conda, which need little, and say much."""
_TOO_LITTLE = 0.5
"""The part of what the last trial has taken with which another is not begun."""


def shown_words(request: Request) -> tuple[str, ...]:
    """Give what pip was given, the verb first, without secrets."""
    return tuple(without_secrets(argument) for argument in request.told or request.words)


def again_of(request: Request, retry: Retry, environ: Mapping[str, str]) -> tuple[Fix, ...]:
    """Give the command of a request, changed; an option to be left out may be a variable."""
    names = [f"PIP_{option[2:].upper()}" for option in retry.without if option.startswith("--")]
    unset = tuple((name, None) for name in names if name in environ)
    retry = retry._replace(variables=(*retry.variables, *unset))
    shell = replace(shell_of(request.target), through=request.through)
    words = shown_words(request)
    words = ("plan", *words[1:]) if request.verb == "plan" else words
    return again(shell, words, request.policy.options, retry)


def all_by_pip(request: Request, environ: Mapping[str, str]) -> tuple[Fix, ...]:
    """Give the command of a request that prefers conda as one that does not."""
    policy = request.policy._replace(prefers_conda=False)
    return again_of(request._replace(policy=policy), Retry("let pip take all of it"), environ)


def by_pip_of(request: Request) -> tuple[Fix, ...]:
    """Give the command that has pip do what uv was asked to; none where pip has no such options."""
    from safepip.decisions.uv.words import as_pip  # for when something is wrong
    from safepip.values.verdict import Fix

    words = as_pip(shown_words(request))
    if not words or not can_be_repeated(words):
        return ()
    shell = shell_of(request.target)
    command = shell.safepip(words, request.policy.options)
    return (Fix(command, "have pip do it, guarded in the same way"),)


@dataclass
class Course:
    """The course of one command: what was asked, whom to ask, and what came of it so far."""

    request: Request
    engine: Engine
    asking: Asking
    environment: Environment
    since: float
    """When it began, by the monotonic clock, in seconds."""
    settings: Settings
    options: PipOptions = field(default_factory=PipOptions)
    seconds: dict[str, float] = field(default_factory=dict)
    asides: tuple[str, ...] = ()
    """What is to be said at the end, whatever it is."""
    solver: CondaSolver | None = None
    """Who knows conda's channels, once that was asked."""
    is_trial: bool = False
    """Nothing will be carried out."""
    until: float = math.inf
    """When to look no further for ways out, by the monotonic clock, in seconds."""
    seconds_of_trial: float = 0.0
    """What the last plan took that was only tried."""

    @property
    def folder(self) -> Path:
        """Private to this command, and gone after it."""
        return self.asking.folder()

    @property
    def shown_arguments(self) -> tuple[str, ...]:
        """What pip was given, without secrets."""
        return shown_words(self.request)

    @cached_property
    def spelled_words(self) -> tuple[str, ...]:
        """What pip was given, with the lines of files in their place; as it was, where it must."""
        from safepip.effects.requirement_files import spelled_out  # for when something is wrong

        words = self.request.words
        return spelled_out(words, self.asking.environ) or words

    @cached_property
    def inputs(self) -> Inputs:
        """What files of requirements and constraints say."""
        from safepip.decisions.fixing.commands import FILES, values_of
        from safepip.effects.requirement_files import read_inputs

        words, environ = self.request.words, self.asking.environ
        named = (*values_of(words, FILES), *environ.get("PIP_REQUIREMENT", "").split())
        return read_inputs(named, self.options.constraints, environ)

    @cached_property
    def wider_options(self) -> PipOptions:
        """What pip was told about where things come from, also in files of requirements."""
        options, inputs = self.options, self.inputs
        return options._replace(
            no_index=options.no_index or "--no-index" in inputs.options,
            no_binary=options.no_binary
            or any(line.startswith("--no-binary") for line in inputs.options),
            require_hashes=options.require_hashes or inputs.hashed,
            pre=options.pre or "--pre" in inputs.options,
        )

    @property
    def told_elsewhere(self) -> frozenset[str]:
        """Give the flags that pip is told by variables or its settings, of those that matter."""
        from safepip.decisions.fixing.left_for_pip import told_elsewhere  # as above

        return told_elsewhere(self.options, self.request.words, self.asking.environ)

    @property
    def shown_command(self) -> tuple[str, ...]:
        """The same with safepip's own options behind the verb."""
        if undoes := self.request.undoes or self.request.part_of:
            return ("undo", undoes)
        verb, *rest = self.shown_arguments
        return (*self.request.through, verb, *self.request.policy.options, *rest)

    @property
    def keeps_undo(self) -> bool:
        """The change can be taken back later: the user wants it, and is not making an image."""
        return self.request.policy.keeps_undo and self.options.caches

    @property
    def is_reached(self) -> bool:
        """The environment is the one that a command without `--env` reaches."""
        return self.request.target.is_reached

    def timed(self, step: str, since: float) -> None:
        """Add the time since then, in seconds, to a step."""
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - since

    def has_verdict(self) -> None:
        """Begin to look for what helps, which is bounded in time."""
        self.until = time.monotonic() + _SECONDS_FOR_HELP

    @property
    def left(self) -> float:
        """How long help may still be looked for, in seconds."""
        return max(self.until - time.monotonic(), 0.0)

    def is_over(self) -> bool:
        """Say whether plans are tried no longer, and show that help is still looked for."""
        if self.settings.looking is not None and self.until < math.inf:
            self.settings.looking(0)
        return self.left <= _WITHOUT_TRIALS

    def may_try(self) -> bool:
        """Say whether there is time to try one more plan."""
        return self.left - _WITHOUT_TRIALS > self.seconds_of_trial * _TOO_LITTLE

    def has_tried(self, since: float) -> None:
        """Note what a trial took that began then. Where it was cut off, that is said at the end."""
        self.seconds_of_trial = time.monotonic() - since
        if self.left <= _WITHOUT_TRIALS:
            self.is_cut_short()

    def is_cut_short(self) -> None:
        """Say at the end that ways out were left that nobody has looked at."""
        if (said := not_all_tried(_SECONDS_FOR_HELP)) not in self.asides:
            self.asides = (*self.asides, said)

    @property
    def depth(self) -> Depth:
        """How much of a plan has to be there: what is only shown, or tried, is not fetched."""
        return "lists" if self.is_trial or self.request.verb == "plan" else "files"

    def plan(self) -> Account | Failed:
        """Let pip plan.

        pip's own refusal of a marked environment has had its say: it was judged before, and where
        it stands only `plan` comes here, which changes nothing.
        """
        by_conda = self.request.policy.prefers_conda  # which takes what is left to pip from it
        account = self.engine.plan(
            self.environment,
            break_system_packages=True,
            is_refused=None if by_conda else self._is_plainly_refused,
            depth=self.depth,
        )
        self.timed("plan", self.since)
        return account

    def plan_held(self, constraints: Sequence[str]) -> Account | Failed:
        """Let pip plan again, under constraints."""
        since = time.monotonic()
        account = self.engine.plan_again(
            self.environment,
            constraints,
            is_refused=self._is_plainly_refused,
            depth=self.depth,
        )
        self.timed("plan", since)
        return account

    def plan_further(self, depth: Depth) -> Account | Failed:
        """Give more of the first plan, of which not all was there."""
        since = time.monotonic()
        account = self.engine.plan_further(depth)
        self.timed("plan", since)
        return account

    def _is_plainly_refused(self, outline: Account) -> bool:
        """Say whether a plan is refused whatever is in its files, so that none need be fetched.

        That is where names and versions say it: pip would replace what is conda's, break it, or
        pass a pin. Of what is only tried, it may be conda that takes care of what would break.
        """
        try:
            found = self.judged(self.joined(outline)).findings
        except SafepipError:
            return False  # whatever that is, it is said of the whole plan
        refusals = (finding for finding in found if finding.severity == "refuse")
        return any(not (self.is_trial and isinstance(finding, Breaks)) for finding in refusals)

    def joined(self, account: Account) -> Plan:
        """Join pip's account with the wheels and with what is installed.

        Raises: CannotJudge, WrongEnvironment.
        """
        since = time.monotonic()
        account = at_home(account, self.environment)
        wheels = read_wheels(account.entries)
        plan = plan_of(account, wheels, self.environment, self.options, self.shown_arguments)
        plan = not_by_falling_back(plan, self.options, self.environment)
        refuse_wild_removals(self.environment, plan)
        refuse_other_environments(self.environment, plan, self.asking.environ)
        self.timed("judge", since)
        return plan

    def judged(self, plan: Plan) -> Judgement:
        """Judge a plan."""
        since = time.monotonic()
        judgement = judge(
            self.environment,
            plan,
            self.request.policy,
            find_landings(plan, self.environment),
            break_system_packages=self.options.break_system_packages,
            asked=self.request.words[1:],
        )
        self.timed("judge", since)
        return judgement

    def fixes(
        self,
        plan: Plan,
        findings: Sequence[Finding],
        fitting: tuple[HeldBack, ...] = (),
        *,
        others_fit: bool = False,
        bounds_fit: bool = True,
        conflict: Conflict | None = None,
        within: tuple[str, ...] = (),
        barred: Collection[str] = (),
        along: Mapping[tuple[str, ...], tuple[str, ...]] | None = None,
        bounds: Mapping[str, tuple[Requirement, ...]] | None = None,
        direct: bool = False,
        there: Mapping[str, str] | None = None,
        first: tuple[Fix, ...] = (),
        fits: str = "",
        newest: Mapping[str, str] | None = None,
    ) -> tuple[Fix, ...]:
        """Give the commands that do what the user wanted, without what was refused.

        ``newest``: versions to ask for, where an older one is there by then.
        """
        arguments = self.shown_arguments
        for name, version in (newest or {}).items():
            arguments = with_version(arguments, name, version)
        return fixes_for(
            self.environment,
            self.request.verb,
            arguments,
            plan,
            findings,
            fitting or None,
            others_fit=others_fit,
            bounds_fit=bounds_fit,
            told=self.told_elsewhere,
            ways=conflict.ways if conflict is not None else (),
            enough=conflict.enough if conflict is not None else (),
            within=within,
            barred=barred,
            along=along,
            bounds=bounds,
            direct=direct,
            there=there,
            first=first,
            spelled=tuple(map(without_secrets, self.spelled_words)),
            policy=self.request.policy,
            obvious=self.is_reached,
            through=self.request.through,
            in_notebook=self.request.target.in_notebook,
            fits=fits,
            start=self.request.target.start,
        )

    def again(self, retry: Retry) -> tuple[Fix, ...]:
        """Give the same command, changed."""
        return again_of(self.request, retry, self.asking.environ)

    def outcome(self, exit_code: int, verdict: Verdict | None, **more: Any) -> Outcome:  # noqa: ANN401
        """Give the end of this command; ``more`` are further fields of `Outcome`."""
        unknown = unknown_names(self.request.policy.allow, self.environment)
        unheeded = self.request.policy.settings.unheeded
        hints = (*self.asides, *more.pop("hints", ()), *unknown, *unheeded)
        # That the environment is changed is more than that the user interrupted.
        ends_otherwise = not self.engine.interrupted or exit_code == Exit.CHANGED
        return Outcome(
            hints=hints,
            exit_code=exit_code if ends_otherwise else Exit.INTERRUPTED,
            verdict=verdict,
            environment=self.environment,
            target=self.request.target,
            verb=self.request.verb,
            arguments=self.shown_arguments,
            through=self.request.through,
            options=self.request.policy.options,
            engine=self.engine.name,
            seconds=dict(self.seconds),
            verbosity=self.options.verbosity,
            no_color=self.options.no_color,
            caches=self.options.caches,
            **more,
        )
