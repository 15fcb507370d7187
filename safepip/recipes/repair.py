"""`doctor --fix`: mend what can be mended, and look again.

examine ─▶ wants ─▶ where the files are to be had ─▶ Repair ─▶ a yes ─▶ journal ─▶ steps
                                                       ▲                            │
                                  done ◀── every byte that was put back is right ◀──┤
                                                       │                            │
                                                       └── less what failed ◀── taken back
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip import __version__
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.repairing.entries import steps_of
from safepip.decisions.repairing.left import left_after
from safepip.decisions.repairing.wants import chosen
from safepip.decisions.undoing.entries import seen_after
from safepip.effects.journal import Journal, timestamp
from safepip.effects.lock import locked
from safepip.effects.packages import Unproven
from safepip.effects.placing import Site, carry_out, touched_by
from safepip.effects.prune import prune
from safepip.effects.transaction import abandon, begin, finish
from safepip.effects.unpacking import unpacked
from safepip.recipes.doctor import diagnosed, examine, inspect, narrowed
from safepip.recipes.mending import place_of, planned_repair, with_offers
from safepip.recipes.recover import recover_wholly
from safepip.recipes.sealed import refuse_sealed
from safepip.recipes.settings import limits_of
from safepip.values.errors import CannotRepair, VerifyFailed
from safepip.values.journal import Entry
from safepip.values.late import dataclass
from safepip.values.plan import Plan
from safepip.values.repair import Discard, Disown, PutBack, Reason, Redirect, TakeOut
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.effects.lock import Waiting
    from safepip.recipes.doctor import Diagnosis
    from safepip.recipes.recover import Recovered
    from safepip.values.inspection import Inspection
    from safepip.values.limits import Limits
    from safepip.values.repair import Repair, Step
    from safepip.values.request import Policy
    from safepip.values.target import Target


@dataclass(frozen=True)
class Repaired:
    """A repair that was made, or would be."""

    before: Diagnosis
    repair: Repair
    after: Diagnosis | None = None
    """None where nothing was done."""
    entry: Entry | None = None
    sound: tuple[str, ...] = ()
    """The names that were given of what nothing is wrong with."""


@dataclass(frozen=True)
class Asking:
    """How to look, and whom to ask."""

    environ: Mapping[str, str]
    working_folder: str
    tell: Callable[[int, int], None]
    """Hears how many files of how many have been looked at."""
    recovered: Callable[[Recovered | Waiting], None]
    """Hears that an earlier command was cut off, and that another is waited for."""
    agree: Callable[[Diagnosis, Repair], None] | None
    """Asks the user, and raises when the answer is no; None for a dry run."""


def repair(target: Target, names: Sequence[str], asking: Asking, policy: Policy) -> Repaired:
    """Mend the damage in an environment, or what has one of these names.

    Raises: UsageError, where nothing here has a name; CannotRepair; NotWritable; Busy.
    """
    with locked(target.prefix, policy.settings.number("lock-seconds"), asking.recovered):
        recover_wholly(target.prefix, asking.recovered)
        found = examine(target, asking.environ, asking.working_folder, asking.tell)
        before = with_offers(found, names, asking.environ)
        sound = narrowed(before, names).sound
        planned = planned_repair(before, names)
        if not planned.steps or asking.agree is None:
            return Repaired(before, planned, sound=sound)
        shell = shell_of(target)
        command = shell.safepip(("doctor", "--fix", "--override-frozen", *names))
        again = Fix(command, "mend it all the same")
        refuse_sealed(target.prefix, before.inspection.environment, policy, again)
        asking.agree(before, planned)
        done = _as_far_as_it_goes(target, before, names, planned, asking, policy)
        return replace(done, sound=sound)


def _as_far_as_it_goes(  # noqa: PLR0917 - what was looked at, and how to go on
    target: Target,
    before: Diagnosis,
    names: Sequence[str],
    planned: Repair,
    asking: Asking,
    policy: Policy,
) -> Repaired:
    """Carry a repair out; where a step fails, all of it is taken back, and done without that."""
    failed: dict[str, Reason] = {}
    agreed = planned
    with unpacked(target.prefix, planned.steps, asking.environ) as (folders, why):
        failed |= why
        while True:
            planned = planned_repair(before, names, failed=failed, folders=folders)
            if not planned.steps:
                return Repaired(before, planned)
            if asking.agree is not None and _goes_further(planned, agreed):
                asking.agree(before, planned)
                agreed = planned
            entry = replace(_entry(planned, before, names), can_undo=policy.keeps_undo)
            try:
                entry, after = _carried_out(
                    target,
                    planned,
                    before,
                    asking,
                    entry,
                    folders,
                    limits=limits_of(policy.settings),
                )
            except _StepFailed as error:
                failed[error.what] = error.reason
            else:
                meant = chosen(before.inspection, before.findings, names)
                left = left_after(planned, meant, after.findings, before.findings)
                planned = replace(planned, unfixed=left)
                return Repaired(before, planned, after, entry)


def _goes_further(planned: Repair, agreed: Repair) -> bool:
    """Say whether a repair touches what nobody was shown: it is known once all is unpacked."""
    known = {p for step in agreed.steps for p in _taken(step)}
    return any(path not in known for step in planned.steps for path in _taken(step))


def _taken(step: Step) -> tuple[str, ...]:
    """Give the paths at which a step takes something from what is not conda's."""
    match step:
        case TakeOut():
            return (step.distribution.metadata_path, *step.paths)
        case Disown():
            return tuple(f"{step.distribution.metadata_path}:{path}" for path in step.paths)
        case PutBack():
            return step.over
        case Redirect():
            return tuple(f"{step.starts}:{path}" for path in step.paths)
        case Discard():
            return (step.path,)


class _StepFailed(Exception):
    """A step did not work, and all is as it was before."""

    def __init__(self, step: Step, reason: Reason) -> None:
        super().__init__(reason)
        self.what = _subject(step)
        self.reason = reason


def _subject(step: Step) -> str:
    match step:
        case TakeOut() | Disown():
            return step.distribution.metadata_path
        case PutBack():
            return step.conda_package
        case Redirect():
            return step.paths[0]
        case Discard():
            return step.path


def _entry(planned: Repair, before: Diagnosis, names: Sequence[str]) -> Entry:
    return Entry(
        id="",
        stage="acting",
        verb="doctor",
        arguments=("doctor", "--fix", *names),
        began=timestamp(),
        safepip=__version__,
        pip="",
        steps=steps_of(planned, before.inspection.environment),
    )


def _carried_out(  # noqa: PLR0917 - what was looked at, and how to go on
    target: Target,
    planned: Repair,
    before: Diagnosis,
    asking: Asking,
    entry: Entry,
    folders: Mapping[str, str],
    *,
    limits: Limits,
) -> tuple[Entry, Diagnosis]:
    """Carry a repair out, or leave everything as it was.

    Raises: _StepFailed; CannotRepair; VerifyFailed, when it could not be left so.
    """
    since = time.monotonic()
    environment = before.inspection.environment
    journal = Journal(target.prefix)
    site = Site(environment, place_of(environment), before.inspection, folders)
    touched = touched_by(site, planned.steps)
    entry = begin(journal, replace(entry, id=journal.new_id()), *touched)
    try:
        for step in planned.steps:
            _do(site, step)
        seen_now = inspect(target, asking.environ, asking.working_folder, asking.tell)
        _refuse_wrong(planned, seen_now)
        seen = seen_after(seen_now.environment, Plan(()))
        seconds = {"act": time.monotonic() - since}
        entry = finish(journal, replace(entry, seen=seen, seconds=seconds))
    except BaseException as error:
        _take_back(journal, entry, error)
        raise
    prune(journal, limits)
    known = before.inspection.offered
    now = replace(seen_now, unfinished="", entries=tuple(journal.entries()), offered=known)
    return entry, diagnosed(now, seconds)


def _do(site: Site, step: Step) -> None:
    """Carry one step out.

    Raises: _StepFailed.
    """
    try:
        carry_out(site, step)
    except Unproven as error:
        raise _StepFailed(step, error.reason) from error
    except (OSError, ValueError, LookupError, TypeError, CannotRepair) as error:
        raise _StepFailed(step, Reason("said", (str(error),))) from error


def _take_back(journal: Journal, entry: Entry, error: BaseException) -> None:
    """Have everything as it was before.

    Raises: CannotRepair, for what went wrong; VerifyFailed, where not all could be put back.
    """
    if not journal.unfinished():
        return  # it was done already
    if problems := abandon(journal, entry):
        raise VerifyFailed(
            f"the repair failed ({error}), and could not be taken back: {problems[0]}"
        ) from error
    if isinstance(error, OSError):
        raise CannotRepair(f"the repair failed, and was taken back: {error}") from error


def _refuse_wrong(planned: Repair, after: Inspection) -> None:
    """Look whether all that was put back is as its record says.

    Raises: _StepFailed.
    """
    checked = after.checked
    for step in planned.steps:
        for path in step.paths if isinstance(step, PutBack | Redirect) else ():
            if path in checked.altered or path in checked.missing:
                raise _StepFailed(step, Reason("put-back-wrong", (path,)))
