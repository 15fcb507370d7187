"""A plan as Markdown, for pull requests and the summaries of CI. Pure.

Texts of packages stand in code, where neither marks nor mentions mean anything, and what would end
the code is spelled as an entity.

Source: https://github.github.com/gfm
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.decisions.drawing.graph import graph_of
from safepip.decisions.drawing.mermaid import mermaid
from safepip.decisions.drawing.summary import summary_of, summary_of_error
from safepip.decisions.wording.environment_files import finding_text
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import FEW, count
from safepip.decisions.wording.picture import picture_of
from safepip.decisions.wording.table import HEADS, rows_by_conda, rows_of
from safepip.decisions.wording.tree import already_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.decisions.drawing.summary import Summary
    from safepip.decisions.wording.picture import Picture
    from safepip.values.environment_file import FileFinding
    from safepip.values.errors import SafepipError
    from safepip.values.verdict import Fix, Outcome

_TICKABLE = re.compile(r"[A-Za-z0-9._+!<>=~,:/\[\]()@\"' -]*[A-Za-z0-9._+!<>=~,:/\[\]()@\"'-]")
_FOUND_LATER = re.compile(r"[@#]|://|\bwww\.", re.IGNORECASE)
_MEANINGFUL = re.compile(r"[^\w .,;'()/=>+%?:-]|_|:(?! |$)")
_LONGEST = 1000
"""Letters of a path."""
_WORDS = {"clear": "clear", "kept": "kept", "block": "blocked", "error": "error"}


def markdown(outcome: Outcome) -> str:
    """Give the document."""
    return "\n".join(_lines(summary_of(outcome), picture_of(outcome))) + "\n"


def markdown_of_error(error: SafepipError, verb: str) -> str:
    """Give the document where safepip could not do its work."""
    return "\n".join(_lines(summary_of_error(error, verb), None)) + "\n"


def markdown_of_file(path: str, found: Sequence[FileFinding]) -> str:
    """Give the document on an environment file: what is wrong, and what is worth knowing."""
    bad = count(sum(one.severity == "problem" for one in found), "problem")
    lines = [f"### safepip: {bad}", "", f"In {_code(clean(path, _LONGEST))}:", ""]
    for one in found:
        where = f"line {one.line}: " if one.line is not None else ""
        note = "" if one.severity == "problem" else "note: "
        lines.append(f"- {where}{note}{_text(finding_text(one))}")
    return "\n".join(lines) + "\n"


def _lines(summary: Summary, picture: Picture | None) -> Iterator[str]:
    code = f" ({summary.code})" if summary.code else ""
    yield f"### safepip: {_WORDS[summary.verdict]}{_text(code)}"
    yield ""
    if summary.command:
        yield from _fenced(summary.command)
        yield ""
    yield from _said(summary)
    yield from _fixes("First", summary.by_conda)
    if picture is not None and (picture.plan.changes or picture.by_conda):
        yield from _table(picture)
        yield from _picture(picture)
    if picture is not None and (unchanged := picture.unchanged()):
        yield _text(already_there(unchanged))
        yield ""
    yield from _fixes("Hint" if summary.verdict == "clear" else "Fix", summary.fixes)
    yield _text(summary.end)


def _said(summary: Summary) -> Iterator[str]:
    """Give the sentences, a paragraph each."""
    yield f"**{_text(summary.headline)}**"
    yield ""
    if summary.environment:
        yield f"Environment: {_code(summary.environment)}"
        yield ""
    for also in summary.also[:FEW]:
        yield f"- {_text(also)}"
    if len(summary.also) > FEW:
        yield f"- {len(summary.also) - FEW} more"
    if summary.also:
        yield ""
    if summary.why:
        yield f"Why: {_text(summary.why)}"
        yield ""
    for note in summary.notes:
        yield f"- {_text(note)}"
    if summary.notes:
        yield ""


def _table(picture: Picture) -> Iterator[str]:
    yield f"|  | {' | '.join(HEADS)} |"
    yield "|---" * (len(HEADS) + 1) + "|"
    for row in (*rows_by_conda(picture), *rows_of(picture)):
        name, before, after, owner, why = row.cells
        cells = (_code(row.sign), _code(name), _code(before), _code(after), owner, _text(why))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _picture(picture: Picture) -> Iterator[str]:
    graph = graph_of(picture)
    if not graph.is_worth_drawing:
        return
    yield "```mermaid"
    yield from mermaid(graph)
    yield "```"
    if graph.hidden:
        yield f"{count(graph.hidden, 'more change')} in the table only."
    yield ""


def _fixes(label: str, fixes: tuple[Fix, ...]) -> Iterator[str]:
    for fix in fixes:
        yield f"{label}: {_text(clean(fix.says))}"
        yield ""
        if fix.command:
            yield from _fenced(fix.command)
            yield ""


def _fenced(command: str) -> Iterator[str]:
    """Give a command as it is to be pasted; the fence is longer than any in it."""
    lines = [clean(line, len(line) + 1) for line in command.split("\n")]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}sh"
    yield from lines
    yield fence


def _code(text: str) -> str:
    """Give text in which nothing is a mark, a link or a mention."""
    if not text:
        return ""
    if _TICKABLE.fullmatch(text) and not text.startswith(" "):
        return f"`{text}`"
    return f"<code>{_spelled(text)}</code>"


def _text(text: str) -> str:
    """Give a sentence that does not begin a line, with names that mark nothing.

    Mentions (`@name`) and references (`#1`) are found in the finished page, where no spelling hides
    them: a word that may be one becomes code.
    """
    return " ".join(
        f"<code>{_spelled(word)}</code>" if _FOUND_LATER.search(word) else _spelled(word)
        for word in text.split(" ")
    )


def _spelled(text: str) -> str:
    """Spell what has a meaning in Markdown or HTML by numbers, which have none."""
    return _MEANINGFUL.sub(lambda found: f"&#{ord(found.group())};", text)
