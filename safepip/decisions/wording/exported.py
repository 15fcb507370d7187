"""What `export` and `constraints` say beside the files that they write. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import Line, Span, clean, paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.values.environment_file import EnvironmentFile
    from safepip.values.sheet import Note, NoteKind, Sheet

_NOTHING = "nothing of conda's"
_MANY = 200
"""Characters of a path or URL that are shown."""

_TEXTS: Mapping[NoteKind, str] = {
    "credentials": "{about}: what it logs in with was left out of {detail}",
    "only-here": "{about}: {detail} is a place on this machine",
    "gone": "{about}: {detail} is gone, so it is named by its version",
    "no-channel": "{about}: conda does not know which channel {detail} came from",
    "pixi": "{about} is pixi's, whose manifest and lock say more than this",
    "no-hash": "{about}: nobody wrote down a hash of {detail}",
    "taken-over": "{about}: pip has it in place of conda's {detail}, which comes back where "
    "another package of conda's needs it; `safepip create` asks for `--allow {about}`",
    "damaged": "{about}: pip put another in place of conda's {detail}, and nobody allowed it; the "
    "file has conda's, and `safepip doctor` says what is damaged",
    "dropped": "`{about}` stood in {detail} and is not in the environment, so it was taken out",
    "rewritten": "`{about}` stood in {detail}, and is not in the environment any more, or told "
    "otherwise: by its name, or by where it came from",
    "login-there": "`{about}` in {detail} was written with what it logs in with, and stays so",
    "index": "{about}: {detail} was the only index of what came from it, and is one of several "
    "here: whoever has a name of it on another index may be taken for it",
    "relative": "{about} {detail}: where that lies is not known any more, so it was left out",
    "secret-variable": "the variable {about} looks like a secret, and was left out",
}


def written_lines(
    sheet: Sheet, written: Sequence[str], given: Sequence[str], *, width: int
) -> tuple[Line, ...]:
    """Say what was written. ``given``: the files that were asked for."""
    if written:
        files = " and ".join(clean(path, _MANY) for path in written)
        of_conda = f"{len(sheet.specs)} of conda's, " if sheet.specs else ""
        said = f"wrote {files}: {of_conda}{len(sheet.entries)} of pip's"
    else:
        said = f"{' and '.join(clean(path, _MANY) for path in given)} says all that already"
    return paragraph((Span(said),), width, start=(Span("safepip: "),), indent=2)


def note_lines(notes: Sequence[Note], *, width: int) -> tuple[Line, ...]:
    """Say what a file does not tell."""
    return tuple(line for note in notes for line in _lines(note, width))


def _lines(note: Note, width: int) -> Iterator[Line]:
    start = (Span("note  ", "note"),)
    yield from paragraph((Span(note_text(note)),), width, start=start, indent=6)


def note_text(note: Note) -> str:
    """Give a note in words."""
    about, detail = clean(note.about), clean(note.detail, _MANY)
    return _TEXTS[note.kind].format(about=about, detail=detail)


def stale_lines(
    path: str, differences: Sequence[tuple[str, str, str]], *, width: int
) -> tuple[Line, ...]:
    """Say whether a file of constraints still holds."""
    head = f"{clean(path, _MANY)} is {'stale' if differences else 'as it should be'}"
    lines = list(paragraph((Span(head),), width, start=(Span("safepip: "),), indent=2))
    for name, was, is_now in differences:
        words = f"{clean(was) or 'nothing'} -> {clean(is_now) or _NOTHING}"
        lines.append(Line((Span("  ~ ", "change"), Span(f"{clean(name)} {words}"))))
    return tuple(lines)


def created_lines(
    prefix: str, maker: str, file: EnvironmentFile, *, width: int
) -> tuple[Line, ...]:
    """Say what was made."""
    by = "py-rattler" if maker == "rattler" else maker
    said = f"made {clean(prefix, _MANY)}: conda's part by {by}"
    said += ", pip's part through the guard" if file.lines else ""
    return paragraph((Span(said),), width, start=(Span("safepip: "),), indent=2)


def not_created_lines(prefix: str, left: str, *, width: int) -> tuple[Line, ...]:
    """Say what is left of an environment that could not be made; ``left``: why, if anything."""
    rest = f"something of it is left: {clean(left, _MANY)}" if left else "nothing of it is left."
    said = f"{clean(prefix, _MANY)} was not made, and {rest}"
    return paragraph((Span(said),), width)
