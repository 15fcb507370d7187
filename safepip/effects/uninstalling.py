"""What `pip uninstall` was asked to take away, by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from safepip.effects.removals import removal_of
from safepip.effects.requirement_lines import name_of, name_of_wheel
from safepip.values.account import Account
from safepip.values.errors import CannotJudge
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from safepip.effects.parsing import Command, Parsed
    from safepip.values.environment import Environment

_EGG = re.compile(r"#(?:.*&)?egg=([^&\[]+)")


def names_in_files(command: Command) -> list[str]:
    """Give the names in the requirement files of an uninstall.

    Raises: CannotJudge, for a file that only pip can read.
    """
    inputs = command.inputs
    if inputs.unseen:
        raise CannotJudge("this engine cannot read a requirement file from a URL for an uninstall")
    return _names([*inputs.requirements, *inputs.editables])


def account_of(parsed: Parsed, in_files: Iterable[str], environment: Environment) -> Account:
    """Give what an uninstall would delete."""
    names = dict.fromkeys(map(normalised, [*_names(parsed.arguments), *in_files]))
    found = {name: environment.installed.get(name) for name in names}
    return Account(
        removals=tuple(
            removal_of(distribution, environment.interpreter)
            for distribution in found.values()
            if distribution is not None
        ),
        not_installed=tuple(name for name, distribution in found.items() if distribution is None),
    )


def flattened(parsed: Parsed, names: Iterable[str], folder: Path) -> Mapping[str, str]:
    """Write files with exactly these names, and say which stands for which of the user's.

    So pip takes away what was judged, whatever else it might read out of the user's files.
    """
    text = "".join(f"{name}\n" for name in names)
    files = {}
    for count, path in enumerate(dict.fromkeys(parsed.requirements)):
        file = folder / f"names-{count}.txt"
        file.write_text("" if count else text, encoding="utf-8")
        files[path] = str(file)
    return files


def _names(requirements: Iterable[str]) -> list[str]:
    """Give the names in requirements; pip leaves out what has none, and says so."""
    return [name for requirement in requirements if (name := _name(requirement))]


def _name(requirement: str) -> str:
    if name := name_of(requirement):
        return name
    if found := _EGG.search(requirement):
        return unquote(found[1])
    return name_of_wheel(requirement)
