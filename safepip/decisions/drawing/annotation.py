"""What GitHub shows beside a job: a line for a command that was not clear, or for a problem. Pure.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from safepip.decisions.drawing.summary import summary_of, summary_of_error
from safepip.decisions.wording.environment_files import finding_text
from safepip.decisions.wording.layout import clean
from safepip.values.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.decisions.drawing.summary import Summary
    from safepip.values.environment_file import FileFinding
    from safepip.values.errors import SafepipError
    from safepip.values.verdict import Outcome

_OF_SAFEPIP = (Exit.BLOCKED, Exit.FROZEN, Exit.NEEDS_YES, Exit.TAKEN_BACK, Exit.CHANGED)
"""Ends that are safepip's doing. Why pip itself failed is in what pip says."""
_MOST = 3
"""Ways out."""
_MOST_OF_FILE = 10
"""As many as GitHub takes of a step."""
_LONGEST = 1000
"""Letters of a path."""


def is_worth_telling(outcome: Outcome) -> bool:
    """Say whether the end of a command is more than that all is well, or pip's own affair."""
    return outcome.exit_code in _OF_SAFEPIP or summary_of(outcome).verdict == "kept"


def annotation(outcome: Outcome) -> str:
    """Give the line for the end of a command that is worth telling."""
    return _line(summary_of(outcome))


def annotation_of_error(error: SafepipError, verb: str) -> str:
    """Give the line where safepip could not do its work."""
    return _line(summary_of_error(error, verb))


def annotations_of_file(
    path: str, found: Sequence[FileFinding], *, workspace: str = ""
) -> tuple[str, ...]:
    """Give a line for each problem of an environment file, where it stands in that.

    ``workspace``: the folder of the job's repository, below which GitHub looks for ``path``.
    """
    bad = [one for one in found if one.severity == "problem"]
    name = clean(path.removeprefix(f"{workspace}/") if workspace else path, _LONGEST)
    lines = []
    for one in bad[: _MOST_OF_FILE - (len(bad) > _MOST_OF_FILE)]:
        line = f",line={one.line}" if one.line is not None else ""
        where = f"file={_property(name)}{line}"
        lines.append(f"::error {where},title=safepip {one.kind}::{_escaped(finding_text(one))}")
    if more := len(bad) - len(lines):
        said = _escaped(f"{name}: {more} more problems, which the summary of the job lists")
        lines.append(f"::error file={_property(name)},title=safepip check-file::{said}")
    return tuple(lines)


def _line(summary: Summary) -> str:
    level: Literal["notice", "error"] = "notice" if summary.verdict == "kept" else "error"
    title = f"safepip {summary.code or summary.verdict}"
    texts = [summary.headline, *summary.also[:_MOST]]
    for fix in summary.fixes[:_MOST]:
        lines = fix.command.split("\n") if fix.command else ()
        says = f"{clean(fix.says)}{':' if fix.command else ''}"
        texts += [says, *(clean(line, len(line) + 1) for line in lines)]
    text = "\n".join(filter(None, [*texts, summary.end]))
    return f"::{level} title={_property(title)}::{_escaped(text)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
