"""Environment files (`environment.yml`): read strictly, and updated with comments and order kept.

Only this, `commented` and `merging` know of YAML.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

from safepip.decisions.exporting.parsing import kind, parse_environment_file
from safepip.effects.commented import comment_at, line_at
from safepip.effects.itself import library_beside
from safepip.effects.merging import merge
from safepip.effects.records import read_text
from safepip.values.environment_file import ALLOWS
from safepip.values.errors import UnreadableFile, UsageError

if TYPE_CHECKING:
    from safepip.values.environment_file import EnvironmentFile
    from safepip.values.sheet import Sheet

_LIMIT = 4 * 1024 * 1024
_EXPLICIT = re.compile(r"^@EXPLICIT\s*$", re.MULTILINE)
_SHAPES = (
    ("dependencies", list, "list"),
    ("channels", list, "list"),
    ("variables", dict, "mapping"),
)
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_WIDTH = 4096
"""Columns beyond which a scalar would be broken, which old readers of such files do not like."""
_FLAT = re.compile(r"^dependencies:.*\n(?:[ \t]*#.*\n|[ \t]*\n)*- ", re.MULTILINE)
"""Lists are not indented."""


def read_environment_file(path: str) -> EnvironmentFile:
    """Give what an environment file asks for.

    Raises: UnreadableFile; UsageError.
    """
    return environment_file_of(path, _text_at(path))


def environment_file_of(path: str, text: str) -> EnvironmentFile:
    """Give what the text of an environment file asks for.

    Raises: UnreadableFile; UsageError.
    """
    return parse_environment_file(path, _parsed(path, text), _allows, line_at)


def refuse_two_parts(file: EnvironmentFile) -> None:
    """Refuse a file with more than one part for pip: conda would forget all but the last.

    Raises: UnreadableFile.
    """
    if file.pip_parts > 1:
        raise UnreadableFile(file.path, f"expected one part for pip, got {file.pip_parts}")


def _allows(entries: object, at: int) -> bool:
    return comment_at(entries, at).lstrip("# ").startswith(ALLOWS)


def _text_at(path: str) -> str:
    try:
        text = read_text(path, _LIMIT)
    except (OSError, ValueError) as error:
        raise UnreadableFile(path, getattr(error, "strerror", None) or error) from error
    if "\N{REPLACEMENT CHARACTER}" in text:  # what is written back would be something else
        line = text.partition("\N{REPLACEMENT CHARACTER}")[0].count("\n") + 1
        raise UnreadableFile(path, f"it is not UTF-8 in line {line}")
    return text


def _parsed(path: str, text: str) -> dict[str, Any]:
    if _EXPLICIT.search(text):
        how = f"`conda create -p PREFIX --file {path}` makes an environment of it"
        raise UnreadableFile(path, f"it is a list of exact packages; {how}")
    yaml, error_type = _yaml()
    try:
        found = yaml.load(text)
    except (error_type, ValueError, RecursionError) as error:
        raise UnreadableFile(path, _first_line(error)) from error
    if found is None:
        found = yaml.load("{}")
        found.fa.set_block_style()
    if not isinstance(found, dict):
        raise UnreadableFile(path, f"expected a mapping, got {kind(found)}")
    for key, wanted, name in _SHAPES:
        there = found.get(key)
        if not isinstance(there, (wanted, type(None))):
            raise UnreadableFile(path, f"expected a {name}, got {kind(there)} at `{key}`")
    entries = found.get("dependencies") or ()
    parts = [one["pip"] for one in entries if isinstance(one, dict) and "pip" in one]
    for part in parts:
        if not isinstance(part, (list, type(None))):
            raise UnreadableFile(path, f"expected a list, got {kind(part)} at `pip`")
    return found


def updated_text(path: str, sheet: Sheet, head: str) -> str:
    """Give the text of an environment file that says what the sheet says.

    What is there already keeps its comments and its order. ``head``: a comment for a new file.

    Raises: UnreadableFile; UsageError.
    """
    text = _text_at(path) if path and os.path.lexists(path) else ""
    mark = _BOM if text.startswith(_BOM) else ""
    end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(_BOM).replace("\r\n", "\n")
    is_new = not old.strip()
    document = _parsed(path, old)
    refuse_two_parts(parse_environment_file(path, document, _allows, line_at))
    merge(document, sheet)
    yaml, _ = _yaml(flat=_FLAT.search(old) is not None)
    out = io.StringIO()
    yaml.dump(document, out)
    return (mark + (head if is_new else "") + out.getvalue()).replace("\n", end)


def _yaml(*, flat: bool = False) -> tuple[Any, type[Exception]]:
    """Give a reader and writer that keeps comments, and what it raises."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError as error:
        fixes = [library_beside("ruamel.yaml")]
        raise UsageError(
            "environment files need `ruamel.yaml`, which is not there", fixes=fixes
        ) from error
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH
    yaml.preserve_quotes = True
    if not flat:
        yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml, YAMLError


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}" if mark is not None else ""
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem}{where}"
