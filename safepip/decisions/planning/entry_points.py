"""The scripts that `entry_points.txt` asks for, read as pip reads it. Pure.

pip goes by `importlib.metadata`, or by `pkg_resources` on old Pythons. Not by `configparser`, to
which an indented line goes on with the one before, so that it would see fewer scripts than pip.

Source: https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations


def script_names(text: str, group: str) -> tuple[str, ...]:
    """Give the names in a group of scripts: every one that some pip might find there."""
    names: dict[str, None] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]").strip()
        elif section == group:
            name = line.partition("=")[0].strip()
            names.update({name: None} if name else {})
    return tuple(names)
