"""A plan as a table, a row for each change, in the order of the tree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.ownership import owner_of
from safepip.decisions.wording.layout import Line, Span, clean, columns, paragraph
from safepip.decisions.wording.phrases import few
from safepip.decisions.wording.tree import already_there
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safepip.decisions.wording.layout import Style
    from safepip.decisions.wording.picture import Picture
    from safepip.values.plan import Change, Owner

HEADS = ("package", "now", "then", "owner", "why")
_LIMITS = (28, 14, 14, 5)
"""Columns of each but the last, which has the rest."""
_NARROWEST = 16
_GAP = 2
_FEW_WISHES = 2
_FIRST = "from conda, before pip"


@dataclass(frozen=True)
class Row:
    """One change, in words."""

    sign: str
    style: Style
    name: str
    before: str
    after: str
    owner: Owner
    """Of what is there now."""
    why: str
    refused: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The text under each head; `-` for nothing, so that no cell is empty."""
        owner = "-" if self.owner == "none" else self.owner
        return (self.name, self.before or "-", self.after or "-", owner, self.why)


def rows_of(picture: Picture) -> tuple[Row, ...]:
    """Give the rows, first what was requested and then what each needs."""
    return tuple(_row(picture, change) for change in picture.ordered())


def rows_by_conda(picture: Picture) -> tuple[Row, ...]:
    """Give the rows of what conda brings before pip; safepip lets it change nothing else."""
    return tuple(
        Row("+", "add", clean(move.name), "", clean(move.after), "conda", _FIRST, refused=False)
        for move in picture.by_conda
    )


def _row(picture: Picture, change: Change) -> Row:
    sign, style = picture.sign(change)
    return Row(
        sign,
        style,
        clean(change.name),
        clean(change.before.version) if change.before is not None else "",
        clean(change.after) if change.after is not None else "",
        owner_of(change, picture.environment),
        "; ".join(_why(picture, change)),
        change.name in picture.refusals,
    )


def _why(picture: Picture, change: Change) -> Iterator[str]:
    yield from picture.words(change)
    if change.requested:
        yield "requested"
    wishes = [f"{clean(w.parent.name)} ({w.requirement})" for w in picture.wishes(change)]
    if wishes and not change.requested:
        yield f"needed by {few(wishes, _FEW_WISHES)}"


def plan_table(picture: Picture, width: int) -> tuple[Line, ...]:
    """Give the table as lines of text. What is too long for its column goes on below."""
    rows = rows_of(picture)
    widths = _widths([HEADS, *(row.cells for row in rows)], width)
    lines = list(_laid_out("", "", HEADS, widths, "label"))
    for row in rows:
        lines += _laid_out(row.sign, row.style, row.cells, widths, "")
    if unchanged := picture.unchanged():
        start = (Span("= ", "dim"),)
        lines += paragraph((Span(already_there(unchanged)),), width, start=start, indent=2)
    return tuple(lines)


def _widths(texts: Sequence[Sequence[str]], width: int) -> tuple[int, ...]:
    natural = (max(map(columns, column)) for column in zip(*texts, strict=True))
    fixed = tuple(min(n, limit) for n, limit in zip(natural, _LIMITS, strict=False))
    taken = _GAP + sum(fixed) + _GAP * len(fixed)
    return (*fixed, max(_NARROWEST, width - taken))


def _laid_out(
    sign: str, style: Style, cells: Sequence[str], widths: Sequence[int], cell_style: Style
) -> Iterator[Line]:
    """Give the lines of one row, its cells wrapped within their columns."""
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for at in range(max(map(len, wrapped))):
        parts = [lines[at] if at < len(lines) else "" for lines in wrapped]
        padded = [part + " " * (w - columns(part)) for part, w in zip(parts, widths, strict=True)]
        text = (" " * _GAP).join(padded).rstrip()
        yield Line((Span((sign if at == 0 else "").ljust(_GAP), style), Span(text, cell_style)))


def _wrapped(text: str, width: int) -> list[str]:
    """Break the text at spaces, and a word that is longer than the width wherever it must be."""
    found: list[str] = []
    for line in paragraph((Span(text),), width):
        rest = line.text
        while columns(rest) > width:
            end = next(
                at for at in range(len(rest), 0, -1) if columns(rest[:at]) <= width or at == 1
            )
            found.append(rest[:end])
            rest = rest[end:]
        found.append(rest)
    return found
