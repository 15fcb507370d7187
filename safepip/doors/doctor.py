"""`doctor`: what is wrong in an environment, in words and as JSON."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from safepip.decisions.wording.as_json import as_json_diagnosis
from safepip.decisions.wording.diagnosis import diagnosis_lines
from safepip.doors.progress import Progress
from safepip.doors.recovering import recover_first
from safepip.doors.saying import print_json
from safepip.doors.terminal import show, width_of
from safepip.recipes.doctor import examine
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from safepip.values.target import Target


def doctor_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "doctor",
        params=list(common),
        short_help="Say what is wrong in the environment.",
        help="Compare the environment with what conda and pip wrote of it, every file by its "
        "bytes, and say what is wrong and whose doing it is. Ends with 1 when there is damage.",
    )


def doctor(target: Target, *, as_json: bool) -> int:
    """Examine the environment, and say what was found."""
    recover_first(target.prefix)
    with Progress("checking files") as progress:
        found = examine(target, os.environ, os.getcwd(), progress.tell)
    code = Exit.DAMAGED if found.damage else Exit.DONE
    if as_json:
        answer = as_json_diagnosis(
            found.inspection, found.findings, (), target=target, seconds=found.seconds
        )
        print_json({**answer, "exit_code": int(code)})
    else:
        lines = diagnosis_lines(found.inspection, found.findings, (), width=width_of())
        show(lines, sys.stdout)
    return code
