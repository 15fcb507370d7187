"""Settings out of files and variables, and which of them holds. Pure.

user's file ─▶ environment's file ─▶ project's file ─▶ variables: the later one holds, but for the
project's. That may have been written by anybody, as by whoever wrote a repository that was merely
cloned; so it makes safepip stricter, and never anything else. The same goes for an environment's
file that a package may have brought: were it left out, a package that merely names it would take
away what it makes stricter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.values.errors import UsageError
from safepip.values.setting import ANYBODYS, BY_KEY, SETTINGS, USUAL, Chosen, Configuration
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safepip.values.setting import Layer, Setting, Value

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_LARGEST = 1_000_000_000
"""Of seconds, megabytes and changes: far beyond any need, and what every computation bears."""
_MOST_FAULTS = 5
"""Of one file that are told one by one."""
_SWITCH = {
    **dict.fromkeys(("on", "1", "true", "yes"), True),
    **dict.fromkeys(("off", "0", "false", "no"), False),
}


def values_in(table: object, path: str, within: str = "") -> dict[str, Value]:
    """Give what the table of a file sets. ``within`` names the table in the file, if it has a name.

    Raises: UsageError, which names file and key.
    """
    found = _table(table, path, within)
    return {key: _value_in(key, value, path) for key, value in found.items()}


def heeded_in(table: object, path: str, within: str) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Give what a table sets that makes sense, and a sentence for each thing that does not."""
    try:
        found = _table(table, path, within)
    except UsageError as error:
        return {}, (error.message,)
    values: dict[str, Value] = {}
    faults = []
    for key, value in found.items():
        try:
            values[key] = _value_in(key, value, path)
        except UsageError as error:
            faults.append(error.message)
    more = len(faults) - _MOST_FAULTS
    told = faults[:_MOST_FAULTS]
    return values, (*told, *((f"{more} more in `{shown(path)}`",) if more > 0 else ()))


def _table(table: object, path: str, within: str) -> Mapping[str, object]:
    if not isinstance(table, dict):
        raise UsageError(f"`{within}` in `{shown(path)}` is {_found(table)}, expected a table")
    return table


def _value_in(key: str, found: object, path: str) -> Value:
    where = f"`{shown(path)}`"
    setting = BY_KEY.get(key)
    if setting is None:
        raise UsageError(
            f"unknown setting `{shown(key)}` in {where}",
            why=f"the settings are {', '.join(BY_KEY)}",
        )
    value = _value(setting, found)
    if value is None:
        expected = _expected(setting, in_file=True)
        raise UsageError(f"`{key}` in {where} is {_found(found)}, expected {expected}")
    return value


def values_of(environ: Mapping[str, str]) -> dict[str, Value]:
    """Give what variables set; an empty one counts as none.

    Raises: UsageError, which names the variable.
    """
    values = {}
    for setting in SETTINGS:
        text = environ.get(setting.variable, "").strip()
        if not text:
            continue
        value = _value(setting, _read(setting, text))
        if value is None:
            expected = _expected(setting, in_file=False)
            raise UsageError(f"`{setting.variable}` is `{shown(text)}`, expected {expected}")
        values[setting.key] = value
    return values


def configured(layers: Iterable[Layer]) -> Configuration:
    """Give the settings; ``layers`` come from the weakest to the strongest source."""
    chosen = dict(USUAL.chosen)
    unheeded: list[str] = []
    for layer in layers:
        unheeded += (f"{fault}; that has no effect" for fault in layer.faults)
        for key, value in layer.values.items():
            setting, before = BY_KEY[key], chosen[key]
            origin = layer.path or setting.variable
            if layer.source in ANYBODYS and value not in (setting.strict, before.value):
                unheeded.append(_in_vain(setting, value, layer, before))
            elif setting.kind == "names":
                names = tuple(dict.fromkeys((*_names(before.value), *_names(value))))
                chosen[key] = Chosen(names, (*before.origins, origin) if names else ())
            elif layer.source not in ANYBODYS or value != before.value:
                chosen[key] = Chosen(value, (origin,))
    return Configuration(chosen, tuple(unheeded))


def _in_vain(setting: Setting, value: Value, layer: Layer, before: Chosen) -> str:
    asked = f"`{setting.key} = {written(value)}` in `{shown(layer.path)}` has no effect"
    who, why = "project", ""
    if layer.source == "brought":
        who, why = "package", f"{layer.why}, and "
    if setting.strict is not None and before.origins:
        origin = shown(before.origins[-1])
        return f"{asked}: {why}`{origin}` is stricter, and a {who} cannot loosen it"
    return f"{asked}: {why}the file of a {who} can make safepip stricter, and nothing else"


def written(value: Value) -> str:
    """Give a value as files have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    return f'"{value}"'


def _read(setting: Setting, text: str) -> object:
    """Give the text of a variable as a file would have it."""
    match setting.kind:
        case "switch":
            return _SWITCH.get(text.lower(), text)
        case "number":
            try:
                return float(text)
            except ValueError:
                return text
        case "names":
            return [name.strip() for name in text.split(",") if name.strip()]
        case "word":
            return text


def _value(setting: Setting, found: object) -> Value | None:
    """Give the value; None where it is no value of this setting."""
    match setting.kind:
        case "word":
            return found if isinstance(found, str) and found in setting.words else None
        case "switch":
            return found if isinstance(found, bool) else None
        case "number":
            return _number(found)
        case "names":
            return _all_names(found) if isinstance(found, list) else None


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    # (Compared as it is: an integer may be too large for a float.)
    return float(found) if 0 <= found <= _LARGEST else None


def _all_names(found: Sequence[object]) -> tuple[str, ...] | None:
    names = [name for name in found if isinstance(name, str) and _NAME.fullmatch(name)]
    return tuple(map(normalised, names)) if len(names) == len(found) else None


def _names(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _expected(setting: Setting, *, in_file: bool) -> str:
    match setting.kind:
        case "word":
            return " or ".join(f"`{word}`" for word in setting.words)
        case "switch":
            return "`true` or `false`" if in_file else "`on` or `off`"
        case "number":
            return f"a number from 0 to {_LARGEST}"
        case "names":
            return "a list of names" if in_file else "names of distributions"


def _found(value: object) -> str:
    try:
        text = written(value) if isinstance(value, bool | str) else str(value)
    except ValueError:  # Python writes no integer of thousands of digits, as hexadecimals can give
        return "a number with thousands of digits"
    return f"`{shown(text, 60)}`"
