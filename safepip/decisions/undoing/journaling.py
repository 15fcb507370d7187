"""Entries of the journal as JSON, and back; parsed strictly, as others may write there. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, get_args

from safepip.values.errors import UnreadableJournal
from safepip.values.journal import Absent, Entry, File, Link, Seen, Stage, State, Step, Touched
from safepip.values.late import fields

SCHEMA = 1
ID = re.compile(r"\d{4}-\d\d-\d\d-[1-9]\d{0,8}")
_KEPT = re.compile(r"\d{1,9}")


def as_json(entry: Entry) -> dict[str, Any]:
    """Give what is written of an entry."""
    plain = {f.name: getattr(entry, f.name) for f in fields(entry)}
    return {
        "schema": SCHEMA,
        **plain,
        "steps": [asdict(step) for step in entry.steps],
        "touched": {path: _touched_as_json(touched) for path, touched in entry.touched.items()},
        "seen": {"distributions": dict(entry.seen.distributions), "records": entry.seen.records},
    }


def _touched_as_json(touched: Touched) -> list[Any]:
    """Give both states, shortly: an install of 25 wheels touches 10,000 paths."""
    return [_state_as_json(touched.before), _state_as_json(touched.after)]


def _state_as_json(state: State | None) -> Any:  # noqa: ANN401 - it is JSON
    match state:
        case None:
            return None
        case Absent():
            return "absent"
        case Link(target):
            return {"link": target}
        case File(mode, size_bytes, mtime_ns, kept):
            return [mode, size_bytes, mtime_ns, kept]


def parse_entry(raw: object, name: str) -> Entry:
    """Give the entry that was written under this id.

    Raises: UnreadableJournal.
    """
    try:
        return _entry(raw, name)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableJournal(name, error) from error


def _entry(raw: Any, name: str) -> Entry:  # noqa: ANN401 - whatever was in the file
    if raw["schema"] != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA}, found {raw['schema']}")
    known = {field.name: raw[field.name] for field in fields(Entry) if field.name in raw}
    if known["id"] != name or not ID.fullmatch(name):
        raise ValueError("it is named otherwise than its id says")
    if known["stage"] not in get_args(Stage):
        raise ValueError(f"unknown stage `{known['stage']}`")
    plain = ("verb", "began", "safepip", "pip", "verdict", "undoes")
    _texts([*(known[name] for name in plain), known.get("conda_back", "")])
    known["arguments"] = _texts(known["arguments"])
    for key in ("dists", "specs"):  # earlier entries have none
        known[key] = _texts(known.get(key, []))
    known["steps"] = tuple(Step(**step) for step in known["steps"])
    known["seconds"] = {str(key): float(value) for key, value in known["seconds"].items()}
    known["touched"] = {_path(p): _touched(pair) for p, pair in known["touched"].items()}
    known["new_folders"] = tuple(_path(path) for path in known["new_folders"])
    known["folders"] = {_path(path): int(mode) & 0o7777 for path, mode in known["folders"].items()}
    known["asides"] = tuple(_path(path) for path in known["asides"])
    seen = known["seen"]
    known["seen"] = Seen(dict(seen["distributions"]), _texts(seen["records"]))
    return Entry(**known)


def _texts(raw: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever was in the file
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        raise TypeError("expected a list of texts")
    return tuple(raw)


def _path(raw: str) -> str:
    """Give a path that leads nowhere else than it says."""
    if not raw or "\0" in raw or {"..", "."}.intersection(raw.split("/")):
        raise ValueError(f"`{raw}` is no plain path")
    return raw


def _touched(raw: Any) -> Touched:  # noqa: ANN401 - whatever was in the file
    before, after = raw
    was = _state(before)
    if was is None:
        raise ValueError("what was there before is not said")
    return Touched(was, _state(after))


def _state(raw: Any) -> State | None:  # noqa: ANN401 - whatever was in the file
    if raw is None:
        return None
    if raw == "absent":
        return Absent()
    if isinstance(raw, dict):
        return Link(str(raw["link"]))
    mode, size_bytes, mtime_ns, *_, kept = raw  # earlier entries have a hash before the last
    if kept and not _KEPT.fullmatch(kept):
        raise ValueError(f"`{kept}` is no kept file")
    return File(int(mode) & 0o7777, int(size_bytes), int(mtime_ns), str(kept))


def told(entry: Entry, taken_back_by: str | None = None) -> dict[str, Any]:
    """Give what programs are told of an entry: without its paths."""
    plain = as_json(entry)
    hidden = ("schema", "touched", "new_folders", "folders", "asides", "seen")
    facts = {key: value for key, value in plain.items() if key not in hidden}
    return {**facts, "taken_back_by": taken_back_by}
