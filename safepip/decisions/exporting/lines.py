"""What one line of pip's part of an environment file is. Pure.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import option_values
from safepip.decisions.judging.requirements import is_active, parse_requirement
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMENT = re.compile(r"(^|\s+)#.*$")
_EXTRAS = re.compile(r"\[[^\]]*\]$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-[^-/]+(?:-[^-/]+){3,4}\.whl$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_ARCHIVE = re.compile(r".*\.(?:whl|zip|tar\.gz|tar\.bz2)", re.IGNORECASE)
_EDITABLE = "--editable"
_CLONED = re.compile(r"git\+[a-z+]+:", re.IGNORECASE)

Option = tuple[str, str]
"""An option by its full name, and its value; empty for a flag."""


def without_comment(line: str) -> str:
    """Give a line without its comment, as pip reads it."""
    return _COMMENT.sub("", line).strip()


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Give a text with variables filled in as pip does it; those that are not set stay."""
    return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[0], text)


def path_in(line: str) -> str:
    """Give the path of a project or an archive that a line asks for; empty for another line."""
    editable = editable_in(line)
    text = editable or requirement_text(line)
    path = _EXTRAS.sub("", text)
    if "://" in path or (not editable and " @ " in path):
        return ""
    is_file = _ARCHIVE.fullmatch(path) is not None  # though it would do as a name
    is_path = is_file or path.startswith(".") or ("/" in path and parse_requirement(text) is None)
    return path if editable or is_path else ""


def options_in(line: str) -> tuple[Option, ...]:
    """Give the options of a line that is not about a requirement, as pip would read them."""
    text = without_comment(line)
    if not text.startswith("-"):
        return ()
    try:
        words = shlex.split(text)
    except ValueError:  # pip will say so
        words = text.split()
    return tuple(option_values(("", *words)))


def editable_in(line: str) -> str:
    """Give the path or URL of an editable project; empty for another line."""
    return next((value for option, value in options_in(line) if option == _EDITABLE), "")


def cloned_in(line: str) -> str:
    """Give the normalised name of what is to be edited in a clone that pip makes of a repository.

    It is empty for another line.
    """
    value = editable_in(line)
    requirement = parse_requirement(value)
    if requirement is not None and requirement.url is not None:
        return normalised(requirement.name) if _CLONED.match(requirement.url) else ""
    found = _EGG.search(value) if _CLONED.match(value) else None
    return normalised(found[1]) if found is not None else ""


def name_in(line: str) -> str:
    """Give the normalised name of what a line asks for; empty where the line does not tell."""
    text = without_comment(line)
    requirement = parse_requirement(_without_options(text))
    if requirement is not None and not text.startswith("-"):
        return normalised(requirement.name)
    found = _EGG.search(text) or _WHEEL.search(text.partition("#")[0])
    return normalised(found[1]) if found is not None else ""


def requirement_text(line: str) -> str:
    """Give the requirement of a line without comment and options; empty for a line of options."""
    text = without_comment(line)
    return "" if text.startswith("-") else _without_options(text)


def is_for_others(line: str, markers: Mapping[str, str]) -> bool:
    """Say whether a line has a marker by which it counts elsewhere, but not for these markers."""
    requirement = parse_requirement(requirement_text(line))
    if requirement is None or not markers:
        return False
    return not is_active(requirement, markers, ())


def with_marker_of(written: str, line: str) -> str:
    """Give a line with the marker that it has in a file; what is to be edited can have none."""
    requirement = parse_requirement(requirement_text(written))
    if requirement is None or requirement.marker is None or not requirement_text(line):
        return line
    return f"{line} ; {requirement.marker}"


def _without_options(text: str) -> str:
    return re.split(r"\s--?[A-Za-z]", text, maxsplit=1)[0].strip()


def key_of(line: str) -> str:
    """Give what makes two lines be about the same."""
    if (name := name_in(line)) != "":
        return name
    if editable := editable_in(line):
        return f"-e {posixpath.normpath(_EXTRAS.sub('', editable))}"
    told = " ".join(f"{option} {value}" for option, value in options_in(line))
    return told or without_comment(line)
