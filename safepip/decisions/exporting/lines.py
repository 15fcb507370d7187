"""What one line of pip's part of an environment file is. Pure.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import posixpath
import re

from safepip.decisions.judging.requirements import parse_requirement
from safepip.values.text import normalised

_COMMENT = re.compile(r"(^|\s+)#.*$")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]\s*(.+)")
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:[\s=]\s*(.*))?")
_EXTRAS = re.compile(r"\[[^\]]*\]$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-[^-/]+(?:-[^-/]+){3,4}\.whl$")
_SHORT = {
    "-c": "--constraint",
    "-r": "--requirement",
    "-i": "--index-url",
    "-f": "--find-links",
    "-e": "--editable",
}


def without_comment(line: str) -> str:
    """Give a line without its comment, as pip reads it."""
    return _COMMENT.sub("", line).strip()


def option_in(line: str) -> tuple[str, str]:
    """Give the option of a line by its full name, and its value; empty where it is none."""
    found = _OPTION.fullmatch(without_comment(line))
    if found is None:
        return "", ""
    return _SHORT.get(found[1], found[1]), (found[2] or "").strip().strip("\"'")


def editable_in(line: str) -> str:
    """Give the path or URL of an editable project; empty for another line."""
    found = _EDITABLE.fullmatch(without_comment(line))
    return found[1].strip() if found is not None else ""


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


def _without_options(text: str) -> str:
    return re.split(r"\s--?[A-Za-z]", text, maxsplit=1)[0].strip()


def key_of(line: str) -> str:
    """Give what makes two lines be about the same."""
    editable = editable_in(line)
    if (name := name_in(line)) != "":
        return name
    if editable:
        return f"-e {posixpath.normpath(_EXTRAS.sub('', editable))}"
    option, value = option_in(line)
    return f"{option} {value}" if option else without_comment(line)
