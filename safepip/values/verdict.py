"""What safepip decides, and how the command ended. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.channel import CondaPart
    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.plan import Plan
    from safepip.values.target import Target
    from safepip.values.universe import Conflict

EngineName = Literal["one-pass", "two-pass", "uv"]


@dataclass(frozen=True)
class Fix:
    """A command that works, and what it does."""

    command: str
    """Empty where it cannot be given whole: then the words say what to change of the user's own."""
    says: str
    asks_conda: tuple[str, ...] = field(default=(), compare=False)
    """The specifications that conda's solver is asked whether it can be done at all."""
    is_told_by_conda: bool = field(default=False, compare=False)
    """Where the solver can do that, the command does what is said of it."""
    besides: tuple[str, ...] = field(default=(), compare=False)
    """Of what it does that which the command does not show, for where only that is given."""

    @property
    def key(self) -> str:
        """What tells it from others."""
        return self.command or self.says


@dataclass(frozen=True)
class HeldBack:
    """A distribution for which something else was chosen than pip alone would have."""

    name: str
    newest: str | None
    """What pip alone would have installed."""
    chosen: str | None
    """What is there instead; None when it is not installed at all."""
    because: tuple[str, ...] = ()
    """Chains such as `opencv-python 4.13.0.90 needs numpy>=2; numpy 1.26.4 is conda's`."""


@dataclass(frozen=True)
class Clear:
    """The plan harms nothing: pip may go on as it planned."""

    plan: Plan
    notes: tuple[Finding, ...] = ()
    spared: tuple[str, ...] = ()
    """Absolute, conda-owned paths on which the plan has a file of its own that is left out."""


@dataclass(frozen=True)
class Kept:
    """A second plan, made with conda's versions held, harms nothing."""

    plan: Plan
    held_back: tuple[HeldBack, ...]
    notes: tuple[Finding, ...] = ()
    spared: tuple[str, ...] = ()
    refused: tuple[Finding, ...] = ()
    """Why the first plan was refused."""
    fixes: tuple[Fix, ...] = ()
    """How to have what was held back all the same."""


@dataclass(frozen=True)
class Blocked:
    """Nothing may be done."""

    plan: Plan
    findings: tuple[Finding, ...]
    """Those that refuse come first."""
    fixes: tuple[Fix, ...] = ()
    conflict: Conflict | None = None
    """Why conda's versions are in the way, where that was found out."""

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """The findings that refuse."""
        return tuple(f for f in self.findings if f.severity == "refuse")


Cleared: TypeAlias = Clear | Kept
"""The only verdicts that acting code accepts."""

Verdict: TypeAlias = Clear | Kept | Blocked


@dataclass(frozen=True)
class Outcome:
    """How a guarded command ended."""

    exit_code: int
    verdict: Verdict | None
    """None: there was no plan to judge (pip itself failed first, or safepip did)."""
    environment: Environment | None = None
    verb: Literal["install", "uninstall", "plan"] = "install"
    arguments: tuple[str, ...] = ()
    """The user's own, without secrets."""
    through: tuple[str, ...] = ()
    """The words between `safepip` and these: `uv pip`."""
    options: tuple[str, ...] = ()
    """safepip's own, such as `--prefer-conda`."""
    engine: EngineName | None = None
    acted: bool = False
    """pip went on and changed the environment (or found nothing to do)."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """`plan`, `judge`, `act`, `verify`."""
    verbosity: int = 0
    """pip's `-v` and `-q` turn safepip up and down too."""
    no_color: bool = False
    problems: tuple[str, ...] = ()
    """What is not as it was judged, after pip acted; with exit codes 12 and 13."""
    undo: str = ""
    """The id of the change, where it can be taken back."""
    taken_back: bool = False
    """pip had begun to change the environment, and it is as it was."""
    hints: tuple[str, ...] = ()
    """Why pip itself may have failed, for people."""
    target: Target | None = None
    """Where pip would have acted; None only where that is not known or of no interest."""
    fixes: tuple[Fix, ...] = ()
    """Ways on that no verdict carries, as when pip's question cannot be answered."""
    conflict: Conflict | None = None
    """Why conda's Python is in the way, where pip itself found nothing that would do."""
    conda: CondaPart | None = None
    """What conda does of it, or has done, before pip (`--prefer-conda`)."""
    pip_ended: int | None = None
    """How pip's part ended, where conda's is done and pip's is not; the exit code is of both."""
    caches: bool = True
    """False: nothing is to be kept beside the environment (pip's `--no-cache-dir`)."""

    @property
    def command(self) -> tuple[str, ...]:
        """The words behind `safepip`, as they are typed."""
        if self.through:
            return (*self.options, *self.through, *self.arguments)
        return (*self.arguments[:1], *self.options, *self.arguments[1:])
