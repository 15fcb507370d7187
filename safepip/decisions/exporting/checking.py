"""What is wrong with an environment file, before anyone makes an environment of it. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from safepip.decisions.exporting.arguments import is_option
from safepip.decisions.exporting.dropped import URL, texts_with_login
from safepip.decisions.exporting.lines import (
    name_in,
    options_in,
    path_in,
    requirement_text,
    without_comment,
)
from safepip.decisions.exporting.provides import likely_distributions
from safepip.decisions.exporting.urls import bare
from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.judging.requirements import is_met, parse_requirement
from safepip.values.environment import spec_name
from safepip.values.environment_file import FileFinding
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safepip.values.environment_file import Beside, EnvironmentFile, Trouble

_VERSION = re.compile(r"(?<![A-Za-z0-9.+])\d[A-Za-z0-9.+!]*")
_ODD = re.compile(r"={3}|[<>=!~]\s*(?:$|[,|])|[<>=!~][^\s,|]*\s+[<>=!~]")
"""No bound of conda's: one without a version, or two with nothing between them."""
_BETWEEN = ("", ".0.0.1", ".1")
"""What makes a version just above another, and a bit more."""

Bound = tuple[str, bool]
"""A bound on the versions of a distribution as written, and whether it is in conda's words."""


def check(file: EnvironmentFile, beside: Beside) -> tuple[FileFinding, ...]:
    """Give what is wrong with a file, and then what is worth knowing."""
    found = (
        *_empty(file),
        *_unreadable(file),
        *_credentials(file),
        *(_problem("missing", bare(p), line=_line_with(file, p)) for p in beside.missing),
        *_without_pip(file),
        *_unsolvable(file, beside),
        *_twice(file, beside),
        *_contradictions(file, beside),
        *_worth_knowing(file),
    )
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.severity == "note"))


def _problem(kind: Trouble, about: str, detail: str = "", line: int | None = None) -> FileFinding:
    return FileFinding(kind, "problem", about, detail, line)


def _of_all(file: EnvironmentFile) -> int | None:
    """Give the line above all entries."""
    return file.at.get("dependencies:")


def _line_with(file: EnvironmentFile, path: str) -> int | None:
    """Give the line of pip's part that names a path."""
    named = re.compile(rf"(?<![\w./-]){re.escape(path)}(?![\w./-])")
    texts = (line.text for line in file.lines if named.search(line.text))
    return file.at.get(next(texts, ""))


def _empty(file: EnvironmentFile) -> Iterator[FileFinding]:
    if not file.specs and not file.lines:
        yield _problem("empty", "dependencies", line=_of_all(file))
    if file.pip_parts > 1:
        yield _problem("two-parts", "pip")


def _unreadable(file: EnvironmentFile) -> Iterator[FileFinding]:
    for spec in file.specs:
        if "://" not in spec and (not spec_name(spec) or _ODD.search(spec.partition("[")[0])):
            yield _problem("unreadable", bare(spec), "conda", file.at.get(spec))
    for line in file.lines:
        text = without_comment(line.text)
        options = options_in(text)
        is_known = options or name_in(text) or path_in(text) or URL.match(text)
        if text and not (is_known and all(map(is_option, options))):
            yield _problem("unreadable", bare(text), "pip", file.at.get(line.text))


def _credentials(file: EnvironmentFile) -> Iterator[FileFinding]:
    for text in texts_with_login(file):
        yield _problem("credentials", bare(text), line=file.at.get(text))


def _without_pip(file: EnvironmentFile) -> Iterator[FileFinding]:
    if file.lines and "pip" not in _conda_names(file):
        yield _problem("no-pip", "pip", line=_of_all(file))


def _conda_names(file: EnvironmentFile) -> Mapping[str, str]:
    """Give the specification of each conda package that is named."""
    return {normalised(spec_name(spec)): spec for spec in file.specs if spec_name(spec)}


def _unsolvable(file: EnvironmentFile, beside: Beside) -> Iterator[FileFinding]:
    if beside.unsolvable:
        yield _problem("unsolvable", "dependencies", bare(beside.unsolvable), _of_all(file))


def _twice(file: EnvironmentFile, beside: Beside) -> Iterator[FileFinding]:
    """Find what pip is to install and conda has: named in both parts, or brought by conda's."""
    named = {
        one: spec for name, spec in _conda_names(file).items() for one in likely_distributions(name)
    }
    brought = {
        one: dist for dist in beside.solved or () for one in likely_distributions(spec_name(dist))
    }
    known = {**brought, **named}
    texts = (*(line.text for line in file.lines if not line.allows), *beside.nested)
    for text in texts:
        name = name_in(text)
        if name and name in known:
            about = bare(without_comment(text))
            yield _problem("twice", about, bare(known[name]), file.at.get(text))


# ------------------------------------------------------------------------------- versions


def _contradictions(file: EnvironmentFile, beside: Beside) -> Iterator[FileFinding]:
    """Find the names for which no version is within all that is written."""
    allowed = {name_in(line.text) for line in file.lines if line.allows}
    for name, those in _bounds(file, beside).items():
        for group in _together(those) if name not in allowed else ():
            if not _go_together(group):
                texts = dict.fromkeys(bare(text) for text, _ in group)
                yield _problem("contradiction", name, ", ".join(texts))


def _bounds(file: EnvironmentFile, beside: Beside) -> Mapping[str, list[Bound]]:
    """Give all bounds on each distribution that either part names."""
    bounds: defaultdict[str, list[Bound]] = defaultdict(list)
    for spec in file.specs:
        if name := spec_name(spec):
            for one in likely_distributions(name) or (f"conda's {name}",):
                bounds[one].append((spec, True))
    for text in (*(line.text for line in file.lines), *beside.nested):
        if name := name_in(text):
            bounds[name].append((requirement_text(text), False))
    for pins in beside.pins.values():
        for name, version in pins.items():
            if name in bounds:
                bounds[name].append((f"{name}=={version}", False))
    return bounds


def _together(bounds: Iterable[Bound]) -> Iterator[list[Bound]]:
    """Give the bounds that count at the same time: with the same marker, or with none."""
    marked = [(bound, _marker(bound)) for bound in bounds]
    markers = dict.fromkeys(marker for _, marker in marked if marker)
    for wanted in markers or ("",):
        yield [bound for bound, marker in marked if marker in ("", wanted)]


def _marker(bound: Bound) -> str:
    text, is_condas = bound
    requirement = None if is_condas else parse_requirement(text)
    return str(requirement.marker or "") if requirement is not None else ""


def _go_together(bounds: Iterable[Bound]) -> bool:
    """Say whether some version is within all bounds; what cannot be told is.

    Bounds change only at the versions that they name. So one of these, or one just above one of
    them, is within all, or none is.
    """
    those = list(bounds)
    named = {version.rstrip(".") for text, _ in those for version in _VERSION.findall(_bound(text))}
    candidates = ["0", *(f"{version}{more}" for version in sorted(named) for more in _BETWEEN)]
    return any(all(_is_within(bound, one) for bound in those) for one in candidates)


def _bound(text: str) -> str:
    """Give what stands behind the name."""
    return re.sub(r"^\s*(?:[^\s\[]*::)?[A-Za-z0-9._-]*[A-Za-z0-9_-](?=\W|$)", "", text)


def _is_within(bound: Bound, version: str) -> bool:
    text, is_condas = bound
    if is_condas:
        pin = parse_pin(text)
        return pin is None or accepts(pin.versions, version) is not False
    requirement = parse_requirement(text)
    return requirement is None or requirement.url is not None or is_met(requirement, version)


# ------------------------------------------------------------------------------- notes


def _worth_knowing(file: EnvironmentFile) -> Iterator[FileFinding]:
    options = {option for line in file.lines for option, _ in options_in(line.text)}
    if any(name_in(line.text) for line in file.lines) and "--constraint" not in options:
        yield FileFinding("no-constraints", "note", "pip")
    for line in file.lines:
        if line.allows and (name := name_in(line.text)):
            yield FileFinding("allows", "note", name, line=file.at.get(line.text))
    for key in file.unknown:
        yield FileFinding("unknown-key", "note", key, line=file.at.get(f"{key}:"))
