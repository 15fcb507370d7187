"""From the document in an environment file to what it asks for. Pure, and strict.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safepip.values.environment_file import EnvironmentFile, Line
from safepip.values.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KNOWN = frozenset(
    {"name", "channels", "dependencies", "prefix", "variables", "platforms", "category"}
)
_LONGEST = 4000
"""Characters of an entry."""
_MOST = 10_000
"""Entries of a list: by its aliases, YAML makes many of few bytes."""
_PLAIN = (str, int, float)
"""What YAML makes of plain words: `- 7zip` is text, and a name of digits a number."""


def parse_environment_file(
    path: str,
    document: Mapping[str, Any],
    allows: Callable[[Any, int], bool],
    line_of: Callable[[Any, Any], int],
) -> EnvironmentFile:
    """Give what a file asks for.

    ``allows``: whether the comment of an entry of a list does; ``line_of``: the number of the line
    of an entry, or of a key, or 0.

    Raises: UnreadableFile.
    """
    specs, lines, parts = list[str](), list[Line](), 0
    places = {f"{key}:": line_of(document, key) for key in document}
    dependencies = _bounded(path, document.get("dependencies") or [], "dependencies")
    for at, entry in enumerate(dependencies):
        if isinstance(entry, str):
            (spec,) = (spec.strip() for spec in _texts(path, [entry], _at(at)[1:-1]))
            specs.append(spec)
            places.setdefault(spec, line_of(dependencies, at))
        elif isinstance(entry, dict) and list(entry) == ["pip"]:
            parts += 1
            for inner, line in _lines(path, entry["pip"], allows):
                lines.append(line)
                places.setdefault(line.text, line_of(entry["pip"], inner))
        else:
            raise UnreadableFile(path, f"expected text or `pip:`, got {kind(entry)} in {_at(at)}")
    return EnvironmentFile(
        path=path,
        name=_text(path, document, "name"),
        channels=tuple(_texts(path, document.get("channels"), "channels")),
        specs=tuple(specs),
        lines=tuple(lines),
        pip_parts=parts,
        variables=dict(_variables(path, document.get("variables"))),
        unknown=tuple(str(key) for key in document if key not in _KNOWN),
        at={text: number for text, number in places.items() if number},
    )


def _lines(
    path: str,
    part: Any,  # noqa: ANN401 - it is YAML
    allows: Callable[[Any, int], bool],
) -> Iterator[tuple[int, Line]]:
    for at, text in enumerate(_texts(path, part, "pip")):
        if text.strip():
            yield at, Line(text.strip(), allows(part, at))


def _texts(path: str, found: object, key: str) -> Iterator[str]:
    if found is None:
        return
    if not isinstance(found, list):
        raise UnreadableFile(path, f"expected a list, got {kind(found)} at `{key}`")
    for entry in _bounded(path, found, key):
        if not isinstance(entry, _PLAIN) or isinstance(entry, bool):
            raise UnreadableFile(path, f"expected text, got {kind(entry)} in the list at `{key}`")
        text = str(entry)
        if len(text) > _LONGEST or not text.isprintable():
            raise UnreadableFile(path, f"expected a line of text, got `{text[:80]}` at `{key}`")
        yield text


def _bounded(path: str, found: Any, key: str) -> Any:  # noqa: ANN401 - a list or a mapping
    if len(found) > _MOST:
        raise UnreadableFile(path, f"expected at most {_MOST} entries, got {len(found)} at `{key}`")
    return found


def _text(path: str, document: Mapping[str, Any], key: str) -> str:
    found = document.get(key)
    if found is not None and (not isinstance(found, _PLAIN) or isinstance(found, bool)):
        raise UnreadableFile(path, f"expected text, got {kind(found)} at `{key}`")
    return "" if found is None else str(found)


def _variables(path: str, found: object) -> Iterator[tuple[str, str]]:
    if found is None:
        return
    if not isinstance(found, dict):
        raise UnreadableFile(path, f"expected a mapping, got {kind(found)} at `variables`")
    for name, value in _bounded(path, found, "variables").items():
        if not isinstance(value, _PLAIN):
            raise UnreadableFile(path, f"expected text, got {kind(value)} at `variables.{name}`")
        yield str(name), str(value)


def kind(found: object) -> str:
    """Give in words what stands in a file."""
    if isinstance(found, dict) and any(isinstance(key, Mapping) for key in found):
        return "a variable of a template (`{{ … }}`), which conda does not fill in here"
    if isinstance(found, dict):
        return f"a mapping with {', '.join(f'`{key}`' for key in found)}" if found else "a mapping"
    return "nothing" if found is None else f"`{found}`" if isinstance(found, _PLAIN) else "a list"


def _at(at: int) -> str:
    return f"`dependencies[{at}]`"
