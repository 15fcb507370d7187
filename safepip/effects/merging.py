"""Putting what an environment has into an environment file that is there, entry by entry.

The file's own entries keep their place and their comments, and keys that are not known stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.conda_part import with_words_of
from safepip.decisions.exporting.lines import (
    editable_in,
    is_for_others,
    key_of,
    options_in,
    with_marker_of,
)
from safepip.decisions.exporting.places import are_there, places_in
from safepip.decisions.exporting.slots import Slot, Slots, updated
from safepip.effects.commented import put, slots_of
from safepip.values.environment import spec_name
from safepip.values.environment_file import ALLOWS
from safepip.values.text import shown

if TYPE_CHECKING:
    from safepip.values.sheet import PipEntry, Sheet


def merge(document: Any, sheet: Sheet) -> None:  # noqa: ANN401 - a mapping that keeps comments
    """Have a file say what the sheet says."""
    if sheet.name and not document.get("name"):
        document.insert(0, "name", sheet.name)
    channels = _list_at(document, "channels") if sheet.channels else []
    known = {str(channel) for channel in channels}
    _extend(channels, [name for name in sheet.channels if name not in known])
    dependencies = _list_at(document, "dependencies")
    _merge_conda(dependencies, sheet)
    _merge_pip(dependencies, sheet)
    if sheet.variables:
        variables = document.get("variables") or {}
        document["variables"] = variables
        variables.update(sheet.variables)


def _list_at(document: Any, key: str) -> Any:  # noqa: ANN401 - a list that keeps comments
    if not isinstance(document.get(key), list):
        document[key] = _new_list()
    return document[key]


def _new_list() -> Any:  # noqa: ANN401 - as above
    from ruamel.yaml.comments import CommentedSeq

    return CommentedSeq()


def _extend(sequence: Any, values: list[str]) -> None:  # noqa: ANN401 - as above
    if values:
        old = slots_of(sequence, str)
        put(sequence, updated(old, {**_by_key(old), **{v: Slot(v, v) for v in values}}))


def _by_key(slots: Slots) -> dict[str, Slot]:
    return {slot.key: slot for slot in slots.entries}


def _merge_conda(dependencies: Any, sheet: Sheet) -> None:  # noqa: ANN401 - as above
    def key(entry: object) -> str:
        # conda's names are not Python's: `ruamel.yaml` and `ruamel_yaml` are two packages.
        return spec_name(entry) if isinstance(entry, str) else ""

    old = slots_of(dependencies, key)
    written = {slot.key: slot.value for slot in old.entries if slot.key}
    specs = {
        key(spec): with_words_of(written.get(key(spec), ""), spec, sheet) for spec in sheet.specs
    }
    put(dependencies, updated(old, {name: Slot(name, spec) for name, spec in specs.items()}))


def _merge_pip(dependencies: Any, sheet: Sheet) -> None:  # noqa: ANN401 - as above
    new = _new_slots(sheet)
    part = next((one for one in dependencies if isinstance(one, dict) and "pip" in one), None)
    if part is None:
        if new:
            _append_part(dependencies, list(new.values()))
        return
    lines = part["pip"] if isinstance(part["pip"], list) else _new_list()
    part["pip"] = lines
    # What is for other platforms stays, and is about nothing that is here.
    old = slots_of(
        lines, lambda line: "" if is_for_others(str(line), sheet.markers) else key_of(str(line))
    )
    written = {slot.key: str(slot.value) for slot in old.entries if slot.key}
    new = {
        key: replace(slot, value=with_marker_of(written.get(key, ""), slot.value))
        for key, slot in new.items()
    }
    kept = {s.key: s for s in old.entries if _stays(str(s.value), sheet)}
    known = {where for slot in kept.values() for where in places_in(str(slot.value))}
    missing = {key: s for key, s in new.items() if not are_there(str(s.value), known)}
    put(lines, updated(old, {**kept, **missing}))


def _stays(line: str, sheet: Sheet) -> bool:
    """Say whether a line is for the user to take out: options, and not safepip's."""
    options = options_in(line)
    is_ours = options == (("--constraint", sheet.constraints),)
    return bool(options) and not editable_in(line) and not is_ours


def _append_part(dependencies: Any, entries: list[Slot]) -> None:  # noqa: ANN401 - as above
    """Add a part for pip; what stood below the last entry stands below it."""
    from ruamel.yaml.comments import CommentedMap

    old = slots_of(dependencies, lambda _: "")
    *before, final = old.entries or (Slot("", ""),)
    lines = _new_list()
    entries[-1] = Slot(entries[-1].key, entries[-1].value, entries[-1].comment, final.below)
    put(lines, Slots("", tuple(entries)))
    kept = (*before, Slot("", final.value, final.comment, "", final.column)) if old.entries else ()
    part = CommentedMap()
    part["pip"] = lines
    put(dependencies, Slots("", (*kept, Slot("", part))))


def _new_slots(sheet: Sheet) -> dict[str, Slot]:
    slots = {key_of(line): Slot(key_of(line), line) for line in sheet.options}
    for entry in sheet.entries:
        key = key_of(entry.text)
        slots[key] = Slot(key, entry.text, _comment(entry))
    return slots


def _comment(entry: PipEntry) -> str:
    return f"# {ALLOWS} in place of conda's {shown(entry.takes_over)}" if entry.takes_over else ""
