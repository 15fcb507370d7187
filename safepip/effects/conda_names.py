"""What conda calls a distribution, where that is not the name that PyPI has for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def conda_names(name: str) -> tuple[str, ...]:
    """Give the names of conda that may stand for a distribution, by its normalised name.

    Empty where conda has another thing under that name. Packages that have the same name in both
    worlds are not in the table; conda writes them with a dash, an underscore or a dot.
    """
    known = _table().get(name)
    if known is not None:
        return () if known == "-" else (known,)
    return tuple(dict.fromkeys(name.replace("-", mark) for mark in "-_."))


def distribution_of(package: str) -> str:
    """Give the distribution that conda has under this name; the name, where no other is known."""
    table = _table()
    names = [name for name, known in table.items() if known == package]
    return names[0] if len(names) == 1 and table.get(package, "-") == "-" else package


@cache
def _table() -> Mapping[str, str]:
    """Read the table; what it is and where it is from stands in it."""
    text = Path(__file__).with_name("conda_names.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: package for name, _, package in (line.partition("\t") for line in lines)}
