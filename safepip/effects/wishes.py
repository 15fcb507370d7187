"""What was asked of conda, and where its packages came from: records, history and state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safepip.effects.records import RECORD_LIMIT, read_object, read_text
from safepip.values.environment import spec_name
from safepip.values.sheet import Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.environment import Record

_HISTORY_LIMIT = 64 * 1024 * 1024
_TOLD = re.compile(r"# (?P<what>(?:update|install|remove|neutered) specs|specs): (?P<list>\[.*\])")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NOBODY = frozenset({"", "None", "null"})
"""How the writers say that nobody asked for a package."""
_UNSET = "***unset***"
"""The value by which conda remembers that a variable is to be taken away.

Source: https://github.com/conda/conda/blob/main/conda/base/constants.py
"""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_packages(prefix: str, records: Iterable[Record]) -> Mapping[str, Package]:
    """Give what each record says of its package, by NAME-VERSION-BUILD.

    What conda's history says of wishes goes before what the records say: it knows of changes.
    """
    history = read_wishes(prefix)
    found = {}
    for record in records:
        package = _package(read_object(f"{prefix}/conda-meta/{record.file}", RECORD_LIMIT))
        wish = history.get(record.name.lower())
        if history:
            package = replace(package, specs=(wish,) if wish else ())
        found[record.dist] = package
    return found


def _package(raw: Mapping[str, Any]) -> Package:
    told = raw.get("requested_specs")
    specs = told if isinstance(told, list) else [raw.get("requested_spec")]
    url, md5, sha256, channel = (_text(raw, key) for key in ("url", "md5", "sha256", "channel"))
    asked = (spec for spec in specs if isinstance(spec, str) and spec.isprintable())
    return Package(url, md5, sha256, channel, tuple(s for s in asked if s not in _NOBODY))


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) and value.isprintable() else ""


def read_wishes(prefix: str) -> Mapping[str, str]:
    """Give what conda's history says that the user asked for and did not take back, by name."""
    wishes: dict[str, str] = {}
    try:
        text = read_text(f"{prefix}/conda-meta/history", _HISTORY_LIMIT)
    except (OSError, ValueError):
        return wishes
    for what, spec in _told(text):
        name = spec_name(spec)
        if what.startswith("remove"):
            wishes.pop(name, None)
        elif name:
            wishes[name] = spec
    return wishes


def _told(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if (found := _TOLD.fullmatch(line.strip())) is not None:
            for quoted in _QUOTED.finditer(found["list"]):
                spec = quoted[1] or quoted[2] or ""
                if spec.isprintable():
                    yield found["what"], spec


def read_variables(prefix: str) -> Mapping[str, str]:
    """Give the variables that conda sets when it activates the environment."""
    raw = read_object(f"{prefix}/conda-meta/state").get("env_vars")
    return {
        name: value
        for name, value in (raw if isinstance(raw, dict) else {}).items()
        if isinstance(value, str) and value != _UNSET and _VARIABLE.fullmatch(name)
    }
