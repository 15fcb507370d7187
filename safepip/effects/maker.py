"""Makes a conda environment with py-rattler.

Started as a script, with the task as JSON on stdin. Imports nothing of safepip.
"""

import asyncio
import json
import os
import re
import sys
from inspect import signature
from pathlib import Path
from typing import Any

THERE = 3
TROUBLE = 4
"""What the script ends with where another was faster, and where the specifications are not why."""
_OF_THE_FILE = re.compile(
    "SolverError|Invalid(MatchSpec|PackageName|Version|VersionSpec|Channel)Error"
)


async def _make(task: "dict[str, Any]") -> "list[str]":
    import rattler

    asked = [rattler.MatchSpec(spec) for spec in task["specs"]]  # as lenient as conda
    records = await rattler.solve(
        # By place: older releases have another name for the first.
        [rattler.Channel(channel) for channel in task["channels"]],
        asked,
        gateway=rattler.Gateway(),
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    if task["prefix"]:
        _leave_what_is_there(task["prefix"])
        wishes: dict[str, Any] = {
            # 0.28 takes what it wraps, against its type hint.
            "requested_specs": [getattr(spec, "_match_spec", spec) for spec in asked]
        }
        if "requested_specs" not in signature(rattler.install).parameters:
            wishes = {}  # older releases write none down
        await rattler.install(
            records,
            target_prefix=task["prefix"],
            show_progress=False,  # what this writes is read, and shown where it fails
            **wishes,
        )
    return sorted(
        f"{record.name.normalized}={record.version}={record.build}"
        for record in records
        if any(spec.split(" ")[0] in ("python", "python_abi") for spec in record.depends)
    )


def _leave_what_is_there(prefix: str) -> None:
    if Path(prefix, "conda-meta").exists():  # another was faster
        sys.exit(THERE)


def _write_variables(prefix: str, variables: "dict[str, str]") -> None:
    if prefix and variables:
        state = Path(prefix, "conda-meta", "state")
        state.write_text(json.dumps({"version": 1, "env_vars": variables}), encoding="utf-8")


def main() -> None:
    """Carry out the task, and leave without waiting for py-rattler's threads."""
    task = json.load(sys.stdin)
    try:
        made = asyncio.run(_make(task))
        _write_variables(task["prefix"], task["variables"])
    except Exception as error:  # noqa: BLE001 - py-rattler raises what it likes; it is said
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1 if _OF_THE_FILE.fullmatch(type(error).__name__) else TROUBLE)
    except SystemExit:
        os._exit(THERE)
    sys.stdout.write(json.dumps(made))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
