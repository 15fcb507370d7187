"""What `doctor` found and mended, as the one object that `--json` prints. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.decisions.wording.as_json import (
    finding_as_json,
    fixes_as_json,
    safe,
    target_as_json,
)
from safepip.decisions.wording.reasons import why_left
from safepip.values.exits import SCHEMA
from safepip.values.repair import Discard, Disown, PutBack, Redirect, TakeOut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Repair, Step
    from safepip.values.target import Target
    from safepip.values.verdict import Fix


def as_json_diagnosis(
    inspection: Inspection,
    findings: Sequence[Finding],
    fixes: Sequence[Fix],
    *,
    target: Target,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Give the object for `doctor`: the same findings as of a plan, with other severities."""
    damage = [finding for finding in findings if finding.severity == "damage"]
    return {
        "schema": SCHEMA,
        "verdict": "damaged" if damage else "clear",
        "code": damage[0].kind if damage else None,
        "target": target_as_json(target, inspection.environment),
        "checked": {"files": inspection.checked.files, "hashed": inspection.checked.hashed},
        "findings": [finding_as_json(finding) for finding in findings],
        "fixes": fixes_as_json(fixes),
        "seconds": {step: round(took, 3) for step, took in seconds.items()},
    }


def repair_as_json(repair: Repair) -> dict[str, Any]:
    """Give the steps of a repair, and what is left as it is."""
    return {
        "steps": [_step(step) for step in repair.steps],
        "breaks": [finding_as_json(one) for one in repair.breaks],
        "unfixed": [
            {**finding_as_json(one.finding), "why": one.reason.why, "reason": why_left(one.reason)}
            for one in repair.unfixed
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    match step:
        case TakeOut() | Disown():
            known = step.distribution
            return {
                "step": "take-out" if isinstance(step, TakeOut) else "disown",
                "distribution": safe(known.name),
                "version": safe(known.version),
                "files": len(step.paths),
            }
        case PutBack():
            return {
                "step": "put-back",
                "conda_package": step.conda_package,
                "files": len(step.paths),
                "record": bool(step.record),
                "over": [safe(path) for path in step.over],
                "from": step.supply.kind,
                "place": safe(step.supply.place),
                "size_bytes": step.supply.size_bytes,
            }
        case Redirect():
            return {
                "step": "redirect",
                "paths": [safe(path) for path in step.paths],
                "starts": safe(step.starts),
                "conda_package": step.conda_package,
                "distribution": safe(step.name),
            }
        case Discard():
            return {"step": "clear", "path": step.path}
