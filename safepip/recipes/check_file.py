"""`check-file`: an environment file, judged before anyone makes an environment of it."""

from __future__ import annotations

import os
from dataclasses import replace
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
from safepip.effects.writing import text_or_none
from safepip.values.environment_file import Beside
from safepip.values.errors import CannotCreate, Unsolvable, UsageError

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
    pins = {path: text_or_none(path) for o, path in there if o == "--constraint"}
    return check(
        file,
        _solved(
            file,
            environ if solve else None,
            beside=Beside(
                missing=tuple(_missing(file, folder, environ)),
                nested=tuple(nested.requirements),
                pins={path: pins_in(text) for path, text in pins.items()},
            ),
        ),
    )


def _solved(file: EnvironmentFile, environ: Mapping[str, str] | None, beside: Beside) -> Beside:
    """Add what conda's part comes to, where a solver may be asked, with these variables.

    Raises: UsageError.
    """
    if environ is None:
        return beside
    try:
        return replace(beside, solved=solved(file, environ))
    except Unsolvable as error:
        return replace(beside, unsolvable=error.why or error.message)
    except CannotCreate as error:  # which says nothing of the file
        raise UsageError(error.message, why=error.why, fixes=error.fixes) from error


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
        named += [value for option, value in options_in(line.text) if option == "--find-links"]
        text = requirement_text(line.text)
        requirement = parse_requirement(text)
        url = requirement.url if requirement is not None else editable_in(line.text) or text
        named.append(path_in(line.text) or _place_of(url or ""))
    for path in filter(None, named):
        place = filled(path_of(path) or path, environ)
        is_anywhere = "${" in place or "://" in place
        if not is_anywhere and not os.path.exists(_at(folder, place)):
            yield path


def _place_of(url: str) -> str:
    """Give the folder or file that a URL leads to, also that of a repository."""
    repository = url.removeprefix("git+")
    return path_of(url) or path_of(repository).partition("@")[0]


def _at(folder: str, path: str) -> str:
    return os.path.join(folder, path)
