"""`doctor --fix`: mend what was found, all of it or nothing, and look again.

examine ─▶ wants ─▶ where the files are to be had ─▶ Repair ─▶ a yes ─▶ journal ─▶ steps
                                                                                    │
                                  done ◀── every byte that was put back is right ◀──┤
                                                                    taken back ◀────┘
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip import __version__
from safepip.decisions.fixing.shell import Shell
from safepip.decisions.repairing.entries import steps_of
from safepip.decisions.repairing.plan import plan_repair
from safepip.decisions.repairing.wants import chosen, wants
from safepip.decisions.undoing.entries import seen_after
from safepip.effects.journal import Journal, timestamp
from safepip.effects.lock import locked
from safepip.effects.packages import Place, Unproven
from safepip.effects.placing import Site, carry_out, touched_by
from safepip.effects.prune import prune
from safepip.effects.records import site_packages_of
from safepip.effects.supplies import files_to_remove, find_supply, unpacked
from safepip.effects.transaction import abandon, begin, finish
from safepip.recipes.course import is_reached
from safepip.recipes.doctor import diagnosed, examine, inspect
from safepip.recipes.recover import recover_wholly
from safepip.recipes.sealed import refuse_sealed
from safepip.recipes.settings import limits_of, patience_of
from safepip.values.errors import CannotRepair, UsageError, VerifyFailed
from safepip.values.journal import Entry
from safepip.values.late import dataclass
from safepip.values.plan import Plan
from safepip.values.repair import PutBack
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safepip.effects.lock import Waiting
    from safepip.recipes.doctor import Diagnosis
    from safepip.recipes.recover import Recovered
    from safepip.values.environment import Environment
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Repair
    from safepip.values.request import Policy
    from safepip.values.target import Target

_SHOWN = 3


@dataclass(frozen=True)
class Repaired:
    """A repair that was made, or would be."""

    before: Diagnosis
    repair: Repair
    after: Diagnosis | None = None
    """None where nothing was done."""
    entry: Entry | None = None


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

    Raises: UsageError, where nothing is wrong with a name; CannotRepair; NotWritable; Busy.
    """
    with locked(target.prefix, patience_of(asking.environ), asking.recovered):
        recover_wholly(target.prefix, asking.recovered)
        before = examine(target, asking.environ, asking.working_folder, asking.tell)
        inspection = before.inspection
        planned = _planned(before, names)
        if not planned.steps:
            return Repaired(before, planned)
        if asking.agree is None:
            return Repaired(before, planned)
        shell = Shell(target.prefix, obvious=is_reached(target))
        command = shell.safepip(("doctor", "--fix", "--override-frozen", *names))
        again = Fix(command, "mend it all the same")
        refuse_sealed(target.prefix, inspection.environment, policy, again)
        asking.agree(before, planned)
        entry = replace(_entry(planned, before, names), can_undo=policy.keeps_undo)
        entry, after = _carried_out(target, planned, before, asking, entry)
        return Repaired(before, planned, after, entry)


def _planned(before: Diagnosis, names: Sequence[str]) -> Repair:
    inspection = before.inspection
    for name in names:
        if not chosen(inspection, before.findings, [name]):
            raise UsageError(f"nothing is wrong with `{name}`")
    findings = chosen(inspection, before.findings, names)
    wanted = wants(inspection, findings)
    place = _place(inspection.environment)
    supplies = {
        dist: find_supply(inspection, dist, paths, place) for dist, paths in wanted.put_back.items()
    }
    for lost in wanted.lost:
        supplies[lost.conda_package] = find_supply(inspection, lost.conda_package, (), place)
    removals = {
        claim.distribution.metadata_path: files_to_remove(
            claim.distribution, inspection.environment.interpreter
        )
        for claim in wanted.take_out
    }
    return plan_repair(inspection, findings, wanted, supplies, removals)


def _place(environment: Environment) -> Place:
    site_packages = site_packages_of(environment.records)
    minor = next((r.version for r in environment.records if r.name == "python"), "")
    minor = ".".join(minor.split(".")[:2]) or environment.interpreter.minor
    return Place(environment.prefix, site_packages, f"bin/python{minor}")


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


def _carried_out(
    target: Target, planned: Repair, before: Diagnosis, asking: Asking, entry: Entry
) -> tuple[Entry, Diagnosis]:
    """Carry a repair out, or leave everything as it was.

    Raises: CannotRepair; VerifyFailed, when it could not be left so.
    """
    since = time.monotonic()
    inspection = before.inspection
    environment = inspection.environment
    journal = Journal(target.prefix)
    with unpacked(target.prefix, planned.steps) as folders:
        site = Site(environment, _place(environment), inspection.details, folders)
        touched = touched_by(site, planned.steps)
        entry = begin(journal, replace(entry, id=journal.new_id()), *touched)
        try:
            for step in planned.steps:
                carry_out(site, step)
            seen_now = inspect(target, asking.environ, asking.working_folder, asking.tell)
            _refuse_wrong(planned, seen_now)
            seen = seen_after(seen_now.environment, Plan(()))
            seconds = {"act": time.monotonic() - since}
            entry = finish(journal, replace(entry, seen=seen, seconds=seconds))
        except BaseException as error:
            _take_back(journal, entry, error)
            raise
    prune(journal, limits_of(asking.environ))
    now = replace(seen_now, unfinished="", entries=tuple(journal.entries()))
    return entry, diagnosed(now, seconds)


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
    if isinstance(error, OSError | Unproven):
        raise CannotRepair(f"the repair failed, and was taken back: {error}") from error


def _refuse_wrong(planned: Repair, after: Inspection) -> None:
    """Look whether all that was put back is as its record says.

    Raises: CannotRepair.
    """
    checked = after.checked
    paths = [path for step in planned.steps if isinstance(step, PutBack) for path in step.paths]
    wrong = [path for path in paths if path in checked.altered or path in checked.missing]
    if wrong:
        shown = ", ".join(wrong[:_SHOWN])
        raise CannotRepair(f"what was put back is not as it should be: {shown}")
