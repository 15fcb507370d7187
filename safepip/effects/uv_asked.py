"""What the user asked uv for: on the line, in files of requirements, in projects and scripts.

What cannot be read, or is known to a build alone, is left out: uv has it all the same.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from safepip.effects.opened import read_bytes
from safepip.effects.requirement_files import read_inputs
from safepip.effects.toml import parse_toml
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.decisions.uv.words import UvCommand

_PROJECT = "pyproject.toml"
_SCRIPTS = (".py", ".pyw")
_MOST_BYTES = 16 * 1024**2
_START = re.compile(rb"^# /// script\r?\n", re.MULTILINE)
_TABLE = re.compile(rb"((?:#(?: [^\r\n]*)?\r?\n)*)# ///\r?$", re.MULTILINE)
"""The table of a script, which may be empty, and ends with the last such line of the comment.

No part of a line can be read in two ways: a `.` that takes a carriage return would have each line
of a long comment double the time. And it is looked for once, behind the first line that starts one:
from each of many such lines, all that follows would be read again.

Source: https://packaging.python.org/en/latest/specifications/inline-script-metadata/"""


def asked_of(command: UvCommand, environ: Mapping[str, str]) -> list[str]:
    """Give the requirements of the user, as written."""
    files = command.values("--requirements")
    of_projects = [file for file in files if os.path.basename(file) == _PROJECT]
    scripts = [file for file in files if file.lower().endswith(_SCRIPTS)]
    others = [file for file in files if file not in (*of_projects, *scripts)]
    return [
        *command.names,
        *read_inputs(others, (), environ).requirements,
        *(line for file in of_projects for line in _of_project(file, command)),
        *(line for file in scripts for line in _strings(_script(file).get("dependencies"))),
        *(
            line
            for group in command.values("--group")
            for line in _of_group(group, command, environ)
        ),
    ]


def _of_project(file: str, command: UvCommand) -> Iterator[str]:
    project = _table(_read(file).get("project"))
    yield from _strings(project.get("dependencies"))
    wanted = set(map(normalised, command.values("--extra")))
    for extra, lines in _table(project.get("optional-dependencies")).items():
        if command.has("--all-extras") or normalised(extra) in wanted:
            yield from _strings(lines)


def _of_group(given: str, command: UvCommand, environ: Mapping[str, str]) -> Iterator[str]:
    """Give what is in a group, which may be named by its file: `FILE:GROUP`."""
    path, _, name = given.rpartition(":")
    found = _table(_read(command.path(path or _PROJECT, environ)).get("dependency-groups"))
    groups = {normalised(group): items for group, items in found.items()}
    todo, seen = [normalised(name)], set()
    while todo:
        group = todo.pop()
        if group not in seen and isinstance(items := groups.get(group), list):
            yield from _strings(items)
            others = (_table(item).get("include-group") for item in items)
            todo += [normalised(other) for other in others if isinstance(other, str)]
        seen.add(group)


def _script(file: str) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        text = read_bytes(file, _MOST_BYTES)
        start = _START.search(text)
        found = _TABLE.match(text, start.end()) if start is not None else None
        return parse_toml(re.sub(rb"(?m)^# ?", b"", found[1])) if found is not None else {}
    return {}


def _read(file: str) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return parse_toml(read_bytes(file, _MOST_BYTES))
    return {}


def _table(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _strings(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
