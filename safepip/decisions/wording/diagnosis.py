"""What `doctor` says: a line for each finding, and what can be done. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from safepip.decisions.wording.complaints import complaint, subject
from safepip.decisions.wording.layout import Line, Span, clean, columns, paragraph
from safepip.decisions.wording.phrases import count, listed
from safepip.decisions.wording.refusal import fix_lines
from safepip.values.damage import Overwritten, Replaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.decisions.wording.layout import Style
    from safepip.values.findings import Finding
    from safepip.values.inspection import Inspection
    from safepip.values.verdict import Fix

_WIDEST = 18
"""Columns of names; a longer one pushes its sentence to the right."""
_ALL_WELL = "every file of conda's is in place"
_WELL_AS_FAR_AS_KNOWN = (
    "every file in conda's records is in place; conda's history is empty, so that a record that "
    "was deleted is known only where another package needs it"
)
_MOST_OF_A_KIND = 12
"""Findings of one kind that are told; the others are counted."""


def diagnosis_lines(
    inspection: Inspection,
    findings: Sequence[Finding],
    fixes: Sequence[Fix],
    *,
    width: int,
    names: Sequence[str] = (),
    sound: Sequence[str] = (),
) -> tuple[Line, ...]:
    """Give the whole report; or that on these names, of which nothing is wrong with some."""
    lines = [*_head(inspection, width)]
    told = _told(findings)
    environment = inspection.environment
    room = min(max((columns(subject(f, environment)) for f in told), default=0), _WIDEST)
    if told:
        lines.append(Line())
    for finding in told:
        sign, style = _sign(finding)
        name = subject(finding, environment)
        start = (Span(f" {sign}  ", style), Span(f"{name.ljust(room)}  "))
        said = complaint(finding, environment)
        lines += paragraph((Span(said),), width, start=start, indent=room + 6)
    lines += _more(findings, told)
    if told:
        lines.append(Line())
    lines += sound_lines(sound)
    if findings or not sound:
        all_well = _ALL_WELL if inspection.linked else _WELL_AS_FAR_AS_KNOWN
        if any(isinstance(f, Replaced | Overwritten) and f.severity == "note" for f in findings):
            all_well = all_well.replace("every file", "every other file", 1)  # `--allow` took these
        lines += _end(findings, width, "nothing of that is damaged" if names else all_well)
    return (*lines, *fix_lines(fixes, width))


def sound_lines(names: Sequence[str]) -> tuple[Line, ...]:
    """Give what is said of the names with which nothing is wrong."""
    if not names:
        return ()
    return (Line((Span(f"safepip: nothing is wrong with {listed(names)}"),)),)


def _head(inspection: Inspection, width: int) -> tuple[Line, ...]:
    environment, checked = inspection.environment, inspection.checked
    facts = [
        f"Python {clean(environment.interpreter.minor)}",
        count(len(environment.records), "conda package"),
        f"{checked.files} files, {checked.hashed} of them by their bytes",
    ]
    start = (Span(clean(environment.name), "label"), Span("  "))
    text = f"{clean(environment.prefix)}  ({', '.join(facts)})"
    return paragraph((Span(text),), width, start=start, indent=2)


def _sign(finding: Finding) -> tuple[str, Style]:
    return ("!", "refuse") if finding.severity == "damage" else ("~", "note")


def _told(findings: Sequence[Finding]) -> list[Finding]:
    """Give those that are told one by one: of each kind the first."""
    number: Counter[tuple[str, str]] = Counter()
    told = []
    for finding in findings:
        kind = (finding.kind, finding.severity)
        number[kind] += 1
        if number[kind] <= _MOST_OF_A_KIND:
            told.append(finding)
    return told


def _more(findings: Sequence[Finding], told: Sequence[Finding]) -> list[Line]:
    left = Counter(f.kind for f in findings) - Counter(f.kind for f in told)
    return [Line((Span(f"    and {left[kind]} more of {kind}", "dim"),)) for kind in left]


def _end(findings: Sequence[Finding], width: int, well: str) -> tuple[Line, ...]:
    damaged = sum(finding.severity == "damage" for finding in findings)
    notes = len(findings) - damaged
    said = [f"{damaged} damaged"] if damaged else []
    said += [count(notes, "note")] if notes else []
    if not damaged:
        start = (Span("safepip: "), Span("sound. ", "good"))
        text = well + (f"; {said[0]}" if said else "")
        return paragraph((Span(text),), width, start=start, indent=2)
    return (Line((Span(f"{', '.join(said)}."),)),)
