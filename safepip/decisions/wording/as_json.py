"""How a command ended, as the one object that `--json` prints. Pure.

Keys are only ever added under the same schema number. Secrets in URLs never appear.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from safepip.decisions.judging.ownership import owner_of
from safepip.decisions.undoing.journaling import told
from safepip.decisions.wording.causes import conflict_as_json
from safepip.decisions.wording.explained import may_be
from safepip.decisions.wording.refusal import code_of, state_after
from safepip.values.exits import SCHEMA, Exit
from safepip.values.text import without_secrets
from safepip.values.verdict import Blocked, Clear, Kept, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.explaining.portrait import Asked, Portrait
    from safepip.values.channel import CondaPart, Offer
    from safepip.values.environment import Environment
    from safepip.values.errors import SafepipError
    from safepip.values.explanation import Article
    from safepip.values.findings import Finding
    from safepip.values.journal import Entry
    from safepip.values.plan import Change, Plan
    from safepip.values.target import Target
    from safepip.values.verdict import Fix, HeldBack, Verdict

STEPS = ("plan", "judge", "act", "verify")
_ERRORS: Mapping[int, str] = {
    Exit.NEEDS_YES: "needs-yes",
    Exit.TAKEN_BACK: "verify-failed",
    Exit.CHANGED: "verify-failed",
    Exit.INTERRUPTED: "interrupted",
}


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give the object for a guarded command, however it ended.

    What is wrong after pip acted, and why pip itself may have failed, stand among the findings
    under the outcome's code, each with a `message`.
    """
    verdict = outcome.verdict
    word, code = verdict_and_code(outcome)
    plan = verdict.plan if verdict is not None else None
    of_hints = None if word == "block" else code
    is_cut_off = Exit.INTERRUPTED in (outcome.exit_code, outcome.pip_ended)
    state = (state_after(outcome),) if is_cut_off else ()
    return {
        "schema": SCHEMA,
        "verdict": word,
        "code": code,
        "exit_code": int(outcome.exit_code),
        "target": target_as_json(outcome.target, outcome.environment),
        "requested": safe(plan.requested) if plan else [],
        "changes": _changes(plan, outcome.environment),
        "findings": [
            *(finding_as_json(finding) for finding in _findings(verdict)),
            *(_said(code or "hint", "refuse", problem) for problem in outcome.problems),
            *(_said(of_hints or "hint", "note", hint) for hint in (*state, *outcome.hints)),
        ],
        "held_back": [_held(h) for h in verdict.held_back] if isinstance(verdict, Kept) else [],
        **ways_as_json((*getattr(verdict, "fixes", ()), *outcome.fixes)),
        "conflict": _conflict(outcome),
        "conda": _condas_part(outcome.conda),
        "undo": outcome.undo or None,
        "engine": outcome.engine,
        "seconds": _seconds(outcome.seconds),
    }


def as_json_error(
    error: SafepipError, *, target: Target | None = None, environment: Environment | None = None
) -> dict[str, Any]:
    """Give the object for a command that safepip could not carry out.

    What went wrong stands as the one finding, with `message` and `why`.
    """
    finding = {**_said(error.code, "refuse", error.message), "why": safe(error.why)}
    return {
        **as_json(Outcome(error.exit, None, environment=environment, target=target)),
        "verdict": "error",
        "code": error.code,
        "findings": [finding],
        **ways_as_json(error.fixes),
    }


def as_json_end(exit_code: int, code: str, text: str) -> dict[str, Any]:
    """Give the object for a command that ended before there was anything to tell of it."""
    return {
        **as_json(Outcome(exit_code, None)),
        "verdict": "error",
        "code": code,
        "findings": [_said(code, "refuse", text)],
    }


def portrait_as_json(
    portrait: Portrait,
    last: Entry | None,
    taken_back: Mapping[str, str],
    offer: Offer | None = None,
    *,
    module: str = "",
    verdict: Mapping[str, str] | None = None,
    asked: Asked | None = None,
    is_guess: bool = False,
) -> dict[str, Any]:
    """Give what `explain` knows of a package; the files of conda's package are counted."""
    record, distribution = portrait.record, portrait.distribution
    conda = ("name", "version", "build", "channel")
    return {
        "name": safe(portrait.name),
        "version": safe(portrait.version) or None,
        "owner": portrait.owner,
        "conda_package": {
            **{field: safe(getattr(record, field)) for field in conda},
            "files": len(record.files),
        }
        if record
        else None,
        "still_listed": safe(f"{portrait.still.name} {portrait.still.version}")
        if portrait.still
        else None,
        "metadata": safe(distribution.metadata_path) if distribution else None,
        "together": safe(portrait.together),
        "copies": [safe(copy.metadata_path) for copy in portrait.copies],
        "needed_by": [
            {f.name: safe(getattr(need, f.name)) for f in fields(need)} for need in portrait.needs
        ],
        "pinned": safe(portrait.pins),
        "bounds": safe(portrait.bounds),
        "conda_bounds": {safe(who): safe(spec) for who, spec in portrait.condas_bounds},
        "asked": {
            "requirement": safe(str(asked.requirement)),
            "says": safe(may_be(portrait, asked.requirement)),
            "command": safe(asked.command) or None,
        }
        if asked is not None
        else None,
        "on_conda": {"package": safe(offer.package), "versions": safe(offer.versions)}
        if offer
        else None,
        "module": safe(module) or None,
        "module_by": ("name" if is_guess else "files") if module else None,
        "last_verdict": safe(dict(verdict)) if verdict is not None else None,
        "last_change": told(last, taken_back.get(last.id)) if last else None,
    }


def article_as_json(article: Article) -> dict[str, Any]:
    """Give an article."""
    plain = {f.name: safe(getattr(article, f.name)) for f in fields(article)}
    fixes = [{"says": says, "command": command} for says, command in article.fixes]
    return {**plain, "fixes": fixes}


def verdict_and_code(outcome: Outcome) -> tuple[str, str | None]:
    """Give the word for how a command ended, and what that was for."""
    verdict = outcome.verdict
    if outcome.pip_ended is not None:
        return verdict_and_code(replace(outcome, exit_code=outcome.pip_ended, pip_ended=None))
    if outcome.exit_code in _ERRORS:
        return "error", _ERRORS[outcome.exit_code]
    if isinstance(verdict, Blocked):
        is_for_conda = outcome.conda is not None and outcome.conda.state == "refused"
        return "block", "prefer-conda" if is_for_conda else code_of(verdict)
    if outcome.exit_code != Exit.DONE:
        return "error", "pip-failed"
    return ("kept" if isinstance(verdict, Kept) else "clear"), None


def _said(kind: str, severity: str, text: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "severity": severity,
        "distribution": "",
        "message": safe(text),
    }


def target_as_json(target: Target | None, environment: Environment | None) -> dict[str, Any]:
    """Give the environment that a command is about."""
    prefix = environment.prefix if environment else target.prefix if target else ""
    python = environment.interpreter.executable if environment else ""
    return {
        "prefix": safe(prefix) or None,
        "name": safe(environment.name) or None if environment else None,
        "python": safe(target.python if target else python) or None,
        "manager": environment.manager if environment else None,
    }


def _changes(plan: Plan | None, environment: Environment | None) -> list[dict[str, Any]]:
    return [_change(change, environment) for change in plan.changes] if plan else []


def _change(change: Change, environment: Environment | None) -> dict[str, Any]:
    artifact = change.artifact
    return {
        "name": safe(change.name),
        "action": change.action,
        "from": safe(change.before.version) if change.before else None,
        "to": safe(change.after),
        "owner": owner_of(change, environment),
        "requested": change.requested,
        "needed_by": safe(change.needed_by),
        "artifact": {"url": safe(artifact.url), "sha256": artifact.sha256 or None}
        if artifact
        else None,
    }


def _conflict(outcome: Outcome) -> Any:  # noqa: ANN401 - it is JSON
    found = outcome.verdict.conflict if isinstance(outcome.verdict, Blocked) else outcome.conflict
    return safe(conflict_as_json(found, outcome.environment)) if found is not None else None


def _condas_part(part: CondaPart | None) -> dict[str, Any] | None:
    """Give what conda does of a request, or has done, before pip."""
    if part is None:
        return None
    return {
        "tool": part.tool,
        "command": safe(part.command),
        "changes": [
            {"name": safe(m.name), "from": safe(m.before) or None, "to": safe(m.after) or None}
            for m in part.moves
        ],
        "done": part.state == "done",
        "warning": safe(part.warning),
        "back": safe(part.back),
    }


def _findings(verdict: Verdict | None) -> Sequence[Finding]:
    match verdict:
        case Blocked():
            return verdict.findings
        case Clear() | Kept():
            return verdict.notes
        case _:
            return ()


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """Give the facts of a finding."""
    facts = {f.name: safe(getattr(finding, f.name)) for f in fields(finding)}
    return {
        "kind": finding.kind,
        "severity": facts.pop("severity"),
        "distribution": facts.pop("distribution"),
        **facts,
    }


def _held(held: HeldBack) -> dict[str, Any]:
    return {f.name: safe(getattr(held, f.name)) for f in fields(held)}


def ways_as_json(ways: Sequence[Fix]) -> dict[str, Any]:
    """Give the ways out: the commands, and apart from them what is in words alone.

    So that whoever runs the first command finds one.
    """
    return {
        "fixes": fixes_as_json([fix for fix in ways if fix.command]),
        "in_words": [safe(fix.says) for fix in ways if not fix.command],
    }


def fixes_as_json(fixes: Sequence[Fix]) -> list[dict[str, str]]:
    """Give ways out that have commands."""
    return [{"command": safe(fix.command), "says": safe(fix.says)} for fix in fixes]


def _seconds(seconds: Mapping[str, float]) -> dict[str, float | None]:
    """Give the time of each step; None for one that was not reached."""
    return {step: round(seconds[step], 3) if step in seconds else None for step in STEPS}


def safe(value: Any) -> Any:  # noqa: ANN401 - any fact of a finding
    """Give the value in JSON's types, the texts without secrets."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, tuple | list):
        return [safe(item) for item in value]
    if is_dataclass(value):
        return {f.name: safe(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {key: safe(item) for key, item in value.items()}
    return value
