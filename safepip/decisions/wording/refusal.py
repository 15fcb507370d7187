"""The message of a refusal: what, where, why, and the ways out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from safepip.decisions.wording.causes import causes
from safepip.decisions.wording.layout import Line, Span, clean, command, drawn, paragraph
from safepip.decisions.wording.notes import note_lines
from safepip.decisions.wording.phrases import FEW, count, said_of
from safepip.decisions.wording.picture import Picture, picture_of, subject
from safepip.decisions.wording.sentences import headline, sentence, why
from safepip.decisions.wording.table import plan_table
from safepip.decisions.wording.tree import plan_tree
from safepip.values.exits import Exit
from safepip.values.findings import Breaks, CondaOwned, Finding, Frozen, SameFiles, SecondCopy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.environment import Environment
    from safepip.values.verdict import Blocked, Fix, Outcome

Form = Literal["tree", "table"]
"""How a plan is shown as text."""

_KINDS = (
    *("frozen", "pinned", "conda-owned", "same-files", "second-copy", "shadows", "breaks"),
    *("unmet", "no-metadata"),
)
"""A refusal for several reasons is named for the first of these."""
_LABEL = len("why   ")
_PARTICIPLES = {"install": "installed", "uninstall": "removed", "plan": "changed"}


def code_of(blocked: Blocked) -> str:
    """Give the kind of finding that a refusal is named for."""
    kinds = {finding.kind for finding in blocked.refusals}
    return next((kind for kind in _KINDS if kind in kinds), min(kinds, default="blocked"))


def same_as_code(blocked: Blocked) -> list[Finding]:
    """Give the refusals that the whole is named for."""
    code = code_of(blocked)
    return [finding for finding in blocked.refusals if finding.kind == code]


def refusal_lines(
    outcome: Outcome, blocked: Blocked, width: int, form: Form = "tree"
) -> tuple[Line, ...]:
    """Give the whole message; its last line is the state of the environment."""
    environment = outcome.environment
    code = code_of(blocked)
    if environment is None or not blocked.refusals:
        return (*error_line(code, "this install is refused", width), untouched(outcome.verb))
    same = same_as_code(blocked)
    tree = _tree(outcome, blocked, width, form)
    reason = why([*same, *blocked.refusals], environment, in_tree=bool(tree))
    reason = said_of(reason, outcome.through)
    what = said_of(headline(same, blocked.plan, environment), outcome.through)
    head = (
        *error_line(code, what, width),
        *environment_line(environment, width),
        *_particulars(same, width),
    )
    reasons = (
        *_others(blocked, same, environment, width),
        *_causes(blocked, environment, width),
        *(labelled("why", reason, width) if reason else ()),
    )
    notes = note_lines(blocked.findings, blocked.plan, environment, width)
    end = (*notes, untouched(outcome.verb))
    parts = [head, tree, reasons, fix_lines(blocked.fixes, width), end]
    gap = (Line(),) if tree else ()
    return tuple(line for part in parts if part for line in (*gap, *part))[len(gap) :]


def error_line(code: str, what: str, width: int) -> tuple[Line, ...]:
    """Give the first line of everything that went wrong."""
    start = (Span(f"error[{clean(code)}]", "error"), Span(": "))
    return paragraph((Span(what),), width, start=start, indent=2)


def environment_line(environment: Environment, width: int) -> tuple[Line, ...]:
    """Give the environment that is meant."""
    facts = filter(
        None,
        (
            clean(environment.name),
            f"Python {clean(environment.interpreter.minor)}",
            count(len(environment.records), "conda package"),
        ),
    )
    text = f"{clean(environment.prefix)}  ({', '.join(facts)})"
    return paragraph((Span(text),), width, start=(Span("  env  ", "label"),), indent=7)


def labelled(label: str, text: str, width: int) -> tuple[Line, ...]:
    """Give a paragraph with a word before it."""
    start = (Span(label.ljust(_LABEL), "label"),)
    return paragraph((Span(text),), width, start=start, indent=_LABEL)


def fix_lines(fixes: Sequence[Fix], width: int, label: str = "fix") -> tuple[Line, ...]:
    """Give the ways out, each command alone on its line."""
    lines: list[Line] = []
    for fix in fixes:
        start = Span("      or ") if lines else Span(label.ljust(_LABEL), "label")
        said = f"{clean(fix.says)}{':' if fix.command else ''}"
        lines += paragraph((Span(said),), width, start=(start,), indent=_LABEL)
        lines += command(fix.command, _LABEL + 2) if fix.command else ()
    return tuple(lines)


NOT_BY_PIP = "Nothing was installed by pip."
CHANGED = "The environment was changed, and is not what was planned."


def end_of_pip_s_part(outcome: Outcome) -> str:
    """Say what is left of pip's part, where conda's is done and pip's is not."""
    is_back = outcome.pip_ended == Exit.TAKEN_BACK
    return "What pip had installed was taken back." if is_back else NOT_BY_PIP


def state_after(outcome: Outcome) -> str:
    """Say in which state the environment is after an interruption."""
    if outcome.problems:
        return CHANGED
    is_by_conda = outcome.conda is not None and outcome.conda.state == "done"
    if outcome.taken_back:
        end = "nothing of its part is left" if is_by_conda else "the environment is as it was"
        return said_of(f"What pip had begun was taken back: {end}.", outcome.through)
    if is_by_conda:
        return NOT_BY_PIP
    return untouched(outcome.verb).text


def untouched(verb: str) -> Line:
    """Say that nothing happened."""
    return Line((Span(f"Nothing was {_PARTICIPLES.get(verb, 'changed')}."),))


def plan_lines(picture: Picture, width: int, form: Form, *, whole: bool = True) -> tuple[Line, ...]:
    """Give the plan in the form that was asked for."""
    if form == "table":
        return plan_table(picture, width)
    return drawn(plan_tree(picture, whole=whole), width)


def _tree(outcome: Outcome, blocked: Blocked, width: int, form: Form) -> tuple[Line, ...]:
    """Show the plan where it says what a sentence cannot: who brings the change that harms."""
    refused = {subject(finding) for finding in blocked.refusals}
    changes = [change for change in blocked.plan.changes if change.name in refused]
    is_told_by_a_sentence = len(changes) == 1 and changes[0].requested
    is_told_anyway = outcome.verb == "uninstall" or not changes or is_told_by_a_sentence
    picture = picture_of(outcome)
    if not blocked.plan.changes or picture is None:
        return ()
    if is_told_anyway and outcome.verb != "plan":
        return ()
    return plan_lines(picture, width, form, whole=outcome.verb == "plan")


def _particulars(findings: Sequence[Finding], width: int) -> tuple[Line, ...]:
    """Give the paths, or the words of whoever sealed the environment."""
    first = findings[0]
    if isinstance(first, SameFiles):
        paths = [clean(path) for path in first.paths]
        more = [f"... {len(paths) - FEW} more"] if len(paths) > FEW else []
        return tuple(Line((Span(f"  {path}"),)) for path in (*paths[:FEW], *more))
    if isinstance(first, Frozen):
        lines: list[Line] = []
        for line in first.message.splitlines()[:FEW]:
            lines += paragraph((Span(clean(line)),), width, start=(Span("  "),), indent=2)
        return (*lines, Line((Span(f"  {clean(first.path)}", "dim"),)))
    return ()


def _others(
    blocked: Blocked, same: Sequence[Finding], environment: Environment, width: int
) -> tuple[Line, ...]:
    rest = other_refusals(blocked, same)
    lines: list[Line] = []
    for finding in rest[:FEW]:
        lines += labelled("also", sentence(finding, blocked.plan, environment), width)
    if len(rest) > FEW:
        lines += labelled("", f"... {len(rest) - FEW} more", width)
    return tuple(lines)


def _causes(blocked: Blocked, environment: Environment, width: int) -> tuple[Line, ...]:
    """Give the ways on which the request leads to what conda holds."""
    texts = causes(blocked.conflict, environment) if blocked.conflict is not None else ()
    lines: list[Line] = []
    for at, text in enumerate(texts[:FEW]):
        lines += labelled("cause" if at == 0 else "", text, width)
    return tuple(lines)


def other_refusals(blocked: Blocked, same: Sequence[Finding]) -> list[Finding]:
    """Give the refusals that neither the headline nor the tree has told."""
    told = same if isinstance(same[0], CondaOwned) else same[:1]
    return [f for f in blocked.refusals if f not in told and not _is_told(f, told)]


def _is_told(finding: Finding, told: Sequence[Finding]) -> bool:
    """Say whether a refusal adds nothing to those that were told.

    What breaks is named among those that need a package of conda; the module that comes twice is
    in the files that come twice.
    """
    if isinstance(finding, SecondCopy):
        files = [other for other in told if isinstance(other, SameFiles)]
        return any(other.distribution == finding.distribution for other in files)
    return isinstance(finding, Breaks) and any(
        dependent.partition(" ")[0] == finding.distribution
        for other in told
        if isinstance(other, CondaOwned) and other.distribution == finding.changed
        for dependent in other.dependents
    )
