"""`doctor`: what is wrong in an environment, in words and as JSON; and mending it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.repairing.advice import advice
from safepip.decisions.wording.diagnosis import diagnosis_lines, sound_lines
from safepip.decisions.wording.doctor_as_json import as_json_diagnosis, repair_as_json
from safepip.decisions.wording.refusal import fix_lines
from safepip.decisions.wording.repairs import repair_lines, unfixed_lines
from safepip.doors.asking import ask
from safepip.doors.policy import policy_of, say_unheeded, say_wrong_settings
from safepip.doors.progress import Progress
from safepip.doors.saying import print_json, say_error, say_event
from safepip.doors.terminal import show, width_of
from safepip.effects.prefixes import name_of
from safepip.recipes.doctor import examine, narrowed, settle
from safepip.recipes.mending import planned_repair
from safepip.recipes.repair import Asking, Repaired, repair
from safepip.values.damage import StaleConstraints
from safepip.values.errors import NeedsYes, UsageError
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safepip.decisions.wording.layout import Line
    from safepip.doors.arguments import OwnOptions
    from safepip.recipes.doctor import Diagnosis
    from safepip.values.repair import Repair
    from safepip.values.request import Policy
    from safepip.values.target import Target
    from safepip.values.verdict import Fix


def doctor_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "doctor",
        params=[
            click.Argument(["names"], nargs=-1, metavar="[NAME]..."),
            click.Option(["--fix"], is_flag=True, help="Mend what is wrong; asks first."),
            *common,
        ],
        short_help="Say what is wrong in the environment; mend it.",
        help="Compare the environment with what conda and pip wrote of it, every file by its "
        "bytes, and say what is wrong and whose doing it is, or what is wrong with what is named. "
        "Ends with 1 when there is damage.",
    )


def doctor(target: Target, options: dict[str, Any], own: OwnOptions, *, as_json: bool) -> int:
    """Examine the environment, and say what was found; or mend it."""
    if options["fix"]:
        return _fix(target, options, own, as_json=as_json)
    for option in ("yes", "dry_run"):
        if options[option]:
            raise UsageError("`--yes` and `--dry-run` go with `--fix`")
    return report(target, options["names"], as_json=as_json)


def report(target: Target, names: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Examine the environment, say what was found, and give the exit code.

    ``names``: of what alone that is said; empty for all.
    """
    settle(target, os.environ, say_event)
    say_wrong_settings(target.prefix)
    with Progress("checking files") as progress:
        whole = examine(target, os.environ, working_folder(), progress.tell)
    found = narrowed(whole, names)
    code = _code(found)
    if as_json:
        answer = _diagnosis_as_json(found, target, names)
        sound = {"sound": list(found.sound)} if names else {}
        print_json({**answer, **sound, "exit_code": int(code)})
    else:
        show(_lines(found, target, names), sys.stdout)
    return code


def working_folder() -> str:
    """Give the working folder; `/`, in which no module is looked for, where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


def _code(found: Diagnosis) -> Exit:
    return Exit.DAMAGED if found.damage else Exit.DONE


def _lines(found: Diagnosis, target: Target, names: Sequence[str] = ()) -> Sequence[Line]:
    fixes = _fixes(found, target, names)
    return diagnosis_lines(
        found.inspection, found.findings, fixes, width=width_of(), names=names, sound=found.sound
    )


def _fixes(found: Diagnosis, target: Target, names: Sequence[str] = ()) -> tuple[Fix, ...]:
    stale = [one for one in found.findings if isinstance(one, StaleConstraints)]
    if not (found.damage or stale):
        return ()
    shell = shell_of(target, found.inspection.environment.manager)
    repair = planned_repair(found, names)
    return advice(found.inspection, (*found.damage, *stale), repair, shell, names)


def _diagnosis_as_json(
    found: Diagnosis, target: Target, names: Sequence[str] = ()
) -> dict[str, Any]:
    return as_json_diagnosis(
        found.inspection,
        found.findings,
        _fixes(found, target, names),
        target=target,
        seconds=found.seconds,
    )


def _fix(target: Target, options: dict[str, Any], own: OwnOptions, *, as_json: bool) -> int:
    def agree(lines: Sequence[Line]) -> None:
        if not options["yes"]:
            shell = shell_of(target)
            again = shell.safepip(("doctor", "--fix", "--yes", *options["names"]))
            ask("doctor --fix", lines, again, as_json=as_json)

    asks = None if options["dry_run"] else agree
    return mend(target, options["names"], asks, policy_of(own, target.prefix), as_json=as_json)


def mend(
    target: Target,
    names: Sequence[str],
    agree: Callable[[Sequence[Line]], None] | None,
    policy: Policy,
    *,
    as_json: bool = False,
) -> int:
    """Mend the environment, say what was done and what is left, and give the exit code.

    ``agree`` is given what would be done, and raises where it is not to be; None for a dry run.
    """
    where = name_of(target.prefix) if target.obvious else target.prefix
    say_unheeded(policy.settings)

    asked_about: list[Repaired] = []

    def agreed(before: Diagnosis, planned: Repair) -> None:
        progress.clear()
        asked_about[:] = [Repaired(before, planned, sound=narrowed(before, names).sound)]
        environment, width = before.inspection.environment, width_of()
        kept = policy.keeps_undo
        lines = repair_lines(planned, environment, done="", where=where, width=width, can_undo=kept)
        left = unfixed_lines(planned.unfixed, environment, width=width)
        if agree is not None:
            agree((*lines, *left))

    with Progress("checking files") as progress:
        asking = Asking(
            os.environ,
            working_folder(),
            progress.tell,
            say_event,
            agreed if agree is not None else None,
        )
        try:
            done = repair(target, names, asking, policy)
        except NeedsYes as error:
            if not as_json:
                raise
            told = _repaired_as_json(asked_about[0], target)
            return say_error(error, verb="doctor", as_json=True, besides=told)
    code = _code(done.after or done.before)
    if as_json:
        print_json({**_repaired_as_json(done, target), "exit_code": int(code)})
    else:
        _say(done, target, where, names, policy)
    return code


def _repaired_as_json(done: Repaired, target: Target) -> dict[str, Any]:
    before = _diagnosis_as_json(done.before, target)["findings"]
    entry = done.entry
    undo = entry.id if entry is not None and entry.can_undo else None
    after = _diagnosis_as_json(done.after or done.before, target)
    told = repair_as_json(done.repair)
    return {**after, "before": before, **told, "sound": list(done.sound), "undo": undo}


def _say(done: Repaired, target: Target, where: str, names: Sequence[str], policy: Policy) -> None:
    environment, width = done.before.inspection.environment, width_of()
    show(sound_lines(done.sound), sys.stdout)
    if done.before.findings and (done.repair.steps or done.repair.unfixed):
        name = done.entry.id if done.entry is not None else ""
        kept = policy.keeps_undo
        lines = repair_lines(
            done.repair, environment, done=name, where=where, width=width, can_undo=kept
        )
        show(lines, sys.stdout)
    if done.after is None or done.repair.unfixed:
        show(unfixed_lines(done.repair.unfixed, environment, width=width), sys.stdout)
    if not done.repair.steps:
        fixes = _fixes(narrowed(done.before, names), target, names)
        show(fix_lines(fixes, width), sys.stdout)
    if done.after is not None or not done.before.damage:
        after = done.after or done.before
        show(_lines(after, target), sys.stdout)
