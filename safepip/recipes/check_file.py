"""`check-file`: an environment file, judged before anyone makes an environment of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.decisions.exporting.checking import check
from safepip.decisions.exporting.constraints import pins_in
from safepip.decisions.exporting.lines import (
    editable_in,
    filled,
    options_in,
    path_in,
    requirement_text,
)
from safepip.decisions.exporting.urls import path_of
from safepip.decisions.judging.requirements import parse_requirement
from safepip.effects.making import solved
from safepip.effects.requirement_files import read_inputs
from safepip.recipes.export import text_at
from safepip.values.environment_file import Beside
from safepip.values.errors import CannotCreate, SafepipError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safepip.values.environment_file import EnvironmentFile, FileFinding

_FILES = ("--requirement", "--constraint")


def check_file(
    file: EnvironmentFile, environ: Mapping[str, str], *, solve: bool
) -> tuple[FileFinding, ...]:
    """Give what is to be known of a file. ``solve``: ask py-rattler what conda's part comes to.

    Raises: SafepipError.
    """
    folder = os.path.dirname(os.path.realpath(file.path))
    named = [(option, _at(folder, filled(value, environ))) for option, value in _options(file)]
    there = [(option, path) for option, path in named if os.path.exists(path)]
    nested = read_inputs([path for o, path in there if o == "--requirement"], (), environ)
    return check(
        file,
        _solved(
            file,
            solve=solve,
            beside=Beside(
                missing=tuple(_missing(file, folder, environ)),
                nested=tuple(nested.requirements),
                pins={path: pins_in(_text(path)) for o, path in there if o == "--constraint"},
            ),
        ),
    )


def _solved(file: EnvironmentFile, beside: Beside, *, solve: bool) -> Beside:
    if not solve:
        return beside
    try:
        return Beside(beside.missing, beside.nested, beside.pins, solved(file))
    except CannotCreate as error:
        why = error.why or error.message
        return Beside(beside.missing, beside.nested, beside.pins, None, why)


def _options(file: EnvironmentFile) -> Iterator[tuple[str, str]]:
    """Give the files that lines name, but those behind a URL."""
    for line in file.lines:
        for option, value in options_in(line.text):
            if option in _FILES and "://" not in value:
                yield option, value


def _missing(file: EnvironmentFile, folder: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Give the paths that lines name and that are not there, as written.

    What hangs on a variable that is not set may be anywhere.
    """
    named = [value for _, value in _options(file)]
    for line in file.lines:
        requirement = parse_requirement(requirement_text(line.text))
        url = requirement.url if requirement is not None else editable_in(line.text)
        named.append(path_in(line.text) or _place_of(url or ""))
    for path in filter(None, named):
        place = filled(path, environ)
        if "${" not in place and not os.path.exists(_at(folder, place)):
            yield path


def _place_of(url: str) -> str:
    """Give the folder or file that a URL leads to, also that of a repository."""
    repository = url.removeprefix("git+")
    return path_of(url) or path_of(repository).partition("@")[0]


def _at(folder: str, path: str) -> str:
    return os.path.join(folder, path)


def _text(path: str) -> str:
    try:
        return text_at(path)
    except SafepipError:
        return ""
