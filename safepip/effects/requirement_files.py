"""Reading requirement and constraint files: what they name, and where they say it is found.

pip reads them for itself; this is for what has to be known besides: the index options that an
artifact is fetched with, and whether anything is meant by URL, path or hash.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import codecs
import contextlib
import optparse
import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from safepip.decisions.exporting.urls import path_of
from safepip.decisions.fixing.commands import FILES, values_of, without_options
from safepip.effects.requirement_lines import is_direct, name_of
from safepip.values.text import normalised, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_URL = re.compile(r"^(http|https|file):", re.IGNORECASE)
_CUT_OFF = re.compile(r"#|\$\{")
"""What begins a comment or a variable, to uv within quotes as well."""
_LOCK = re.compile(r"pylock(\.[^.]+)?\.toml(\[.*\])?")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_IN_A_GROUP = re.compile(r"-[A-Za-z]+r")
_MOST_LINES = 8
_DEPTH = 50
"""Files that lead to each other; pip itself stops at a file that leads to itself."""


@dataclass
class Inputs:
    """What requirement files say, all of them together."""

    requirements: list[str] = field(default_factory=list)
    """As written, without their options and with variables filled in."""
    editables: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    """Lines for another file in the same format: indexes, and what may be taken from them."""
    build_options: dict[str, str] = field(default_factory=dict)
    """What the line of a requirement says about building it, by normalised name."""
    constraints: list[str] = field(default_factory=list)
    """As written, with variables filled in."""
    hashed: bool = False
    """A hash is given for some requirement, so that pip demands one for each."""
    unseen: bool = False
    """Something is named that this cannot read: a URL, a lock file."""


class _NoOption(Exception):
    """A line that pip will complain of itself."""


class _Parser(optparse.OptionParser):
    def exit(self, status: int = 0, msg: str | None = None) -> NoReturn:
        raise _NoOption(msg or status)

    def error(self, msg: str) -> NoReturn:
        raise _NoOption(msg)


def read_inputs(
    requirements: Iterable[str], constraints: Iterable[str], environ: Mapping[str, str]
) -> Inputs:
    """Read these files and all that they lead to. What cannot be read is left to pip to say."""
    inputs = Inputs()
    for path in requirements:
        _read(path, inputs, environ, is_constraint=False, depth=0)
    for path in constraints:
        _read(path, inputs, environ, is_constraint=True, depth=0)
    return inputs


def spelled_out(arguments: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give pip's arguments with the lines of requirement files in place of the files.

    The same arguments, where there are no such files. Empty where that would be another request:
    a file has hashes or things that are no plain names, or too much to be typed. So it is where a
    file has a secret, or a variable, in an option: the arguments of a process are seen by others.
    """
    left = without_options(arguments, FILES)
    if left == arguments:
        return () if any(map(_IN_A_GROUP.match, arguments)) else arguments
    inputs = read_inputs(values_of(arguments, FILES), (), environ)
    lines = tuple(inputs.requirements)
    options = [word for line in inputs.options for word in shlex.split(line)]
    is_open = all(without_secrets(w) == w and not _VARIABLE.search(w) for w in options)
    others = inputs.hashed or inputs.unseen or inputs.editables or not is_open
    plain = all(name_of(line) and not is_direct(line) for line in lines)
    if not lines or others or inputs.build_options or not plain or len(lines) > _MOST_LINES:
        return ()
    # Behind those of the command: what a file says of an index counts in place of that.
    return (*left, *options, *lines)


def _read(
    path: str, inputs: Inputs, environ: Mapping[str, str], *, is_constraint: bool, depth: int
) -> None:
    path = path_of(path) or path
    if _URL.match(path) or _LOCK.fullmatch(os.path.basename(path)):
        inputs.unseen = True
        return
    if not os.path.isfile(path):  # a pipe has been read by then, and would be waited for
        inputs.unseen = inputs.unseen or os.path.exists(path)
        return
    with contextlib.suppress(OSError, UnicodeError, LookupError):
        with open(path, "rb") as file:
            text = _decoded(file.read())
        for line in _logical_lines(text):
            leads_to = _take(line, path, inputs, environ, is_constraint=is_constraint)
            if leads_to is not None and depth < _DEPTH:
                nested, constrains = leads_to
                _read(nested, inputs, environ, is_constraint=constrains, depth=depth + 1)


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding)
    for line in data.split(b"\n")[:2]:
        if line.startswith(b"#") and (found := _CODING.search(line)):
            return data.decode(found[1].decode("ascii"))
    return data.decode("utf-8")


def _logical_lines(text: str) -> Iterator[str]:
    """Give the lines with continuations joined, and without comments and what is empty then."""
    joined = ""
    for line in text.splitlines():
        is_comment = _COMMENT.match(line) is not None
        if line.endswith("\\") and not is_comment:
            joined += line.strip("\\")
            continue
        yield from _bare(joined + (f" {line}" if is_comment else line))
        joined = ""
    yield from _bare(joined)


def _bare(line: str) -> Iterator[str]:
    if bare := _COMMENT.sub("", line).strip():
        yield bare


def _take(
    line: str, path: str, inputs: Inputs, environ: Mapping[str, str], *, is_constraint: bool
) -> tuple[str, bool] | None:
    """Note what a line says; where it names another file, give that and whether it constrains."""
    words = line.split(" ")
    count = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = _filled(" ".join(words[:count]).strip(), environ)
    try:
        options, _ = _parser().parse_args(shlex.split(" ".join(words[count:])))
    except (ValueError, _NoOption):
        return None
    inputs.hashed |= bool(options.hashes or options.require_hashes)
    if requirement or options.editables:
        if is_constraint:
            inputs.constraints.append(requirement or options.editables[0])
        else:
            _take_requirement(requirement, options, inputs, environ)
        return None
    for found, constrains in ((options.requirements, False), (options.constraints, True)):
        if found:
            return _nested(_filled(found[0], environ), path), constrains
    inputs.options += _option_lines(options, path)
    return None


def _take_requirement(
    requirement: str, options: optparse.Values, inputs: Inputs, environ: Mapping[str, str]
) -> None:
    if not requirement:
        inputs.editables.append(_filled(options.editables[0], environ))
        return
    inputs.requirements.append(requirement)
    named = name_of(requirement)
    pairs = (("--config-settings", options.settings), ("--global-option", options.globals))
    said = [f"{option}={shlex.quote(value)}" for option, given in pairs for value in given or []]
    if named and said:
        inputs.build_options[normalised(named)] = " ".join(said)


def _nested(target: str, path: str) -> str:
    if _URL.match(target):
        return target
    return os.path.abspath(os.path.join(os.path.dirname(path), target))


def _option_lines(options: optparse.Values, path: str) -> list[str]:
    """Spell out the options of a line. Variables in them stay, since they may be secrets."""
    lines = [f"--index-url {shlex.quote(options.index_url)}"] if options.index_url else []
    for name, values in (
        ("--extra-index-url", options.extra_index_urls),
        ("--find-links", [_seen_from(path, found) for found in (options.find_links or [])[:1]]),
        ("--trusted-host", options.trusted_hosts),
        ("--no-binary", options.no_binary),
        ("--only-binary", options.only_binary),
    ):
        lines += [f"{name} {shlex.quote(value)}" for value in values or []]
    flags = ("no_index", "pre", "prefer_binary")
    return lines + ["--" + f.replace("_", "-") for f in flags if getattr(options, f)]


def _seen_from(path: str, link: str) -> str:
    """Give a place as another file has to name it: by a URL where a path would be cut off."""
    near = os.path.join(os.path.dirname(os.path.abspath(path)), link)
    if not os.path.exists(near):
        return link
    return Path(near).as_uri() if _CUT_OFF.search(near) else near


def _filled(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[0], text)


def _parser() -> _Parser:
    parser = _Parser(add_help_option=False)
    parser.add_option("-i", "--index-url", "--pypi-url", dest="index_url")
    for dest, names in (
        ("extra_index_urls", ("--extra-index-url",)),
        ("constraints", ("-c", "--constraint")),
        ("requirements", ("-r", "--requirement")),
        ("editables", ("-e", "--editable")),
        ("find_links", ("-f", "--find-links")),
        ("no_binary", ("--no-binary",)),
        ("only_binary", ("--only-binary",)),
        ("trusted_hosts", ("--trusted-host",)),
        ("features", ("--use-feature",)),
        ("hashes", ("--hash",)),
        ("settings", ("-C", "--config-settings", "--config-setting")),
        ("globals", ("--global-option",)),
    ):
        parser.add_option(*names, dest=dest, action="append")
    for flag in ("no_index", "pre", "prefer_binary", "require_hashes"):
        parser.add_option("--" + flag.replace("_", "-"), dest=flag, action="store_true")
    return parser
