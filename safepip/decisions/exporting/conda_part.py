"""The part of a file that is conda's: packages, channels and variables. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.exporting.pip_part import counted
from safepip.decisions.exporting.urls import channel_name, has_secret
from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.values.environment import spec_name
from safepip.values.sheet import Note
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.values.environment import Environment, Record
    from safepip.values.sheet import Package, Sheet

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE"
    r"|(?:^|_|PG)PASS(?:_|$)|(?:^|_)PAT(?:_|$)|_PWD(?:_|$)",
    re.IGNORECASE,
)
_BOUNDS = re.compile(r"(?:(?:[<>!=~]=|[<>])[\w.*+!]+,?)+")
"""On versions, in words that can be joined by a comma."""
_CHANNEL = re.compile(r"(?P<channel>.+?)(?:/(?:noarch|[a-z]+-[a-z0-9_]+))?::(?P<rest>.*)")


def taken_over(environment: Environment) -> Mapping[str, Record]:
    """Give the conda packages whose distribution pip has replaced, by that distribution."""
    here = counted(environment)
    return {
        name: record
        for record in environment.records
        for name in shipped_in(environment, record.files)
        if name in here and here[name].record is None
    }


def provided(environment: Environment, taken: Mapping[str, Record]) -> tuple[Record, ...]:
    """Give the packages that conda is to install again: all but what pip provides by now."""
    gone = {record.dist for record in taken.values()}
    return tuple(
        record
        for record in environment.records
        if record.dist not in gone or not set(shipped_in(environment, record.files)) <= set(taken)
    )


def exact_specs(records: Iterable[Record], *, builds: bool) -> tuple[str, ...]:
    """Give every package by its version, and its build unless that is not wanted."""
    specs = (
        f"{r.name}={r.version}={r.build}" if builds and r.build else f"{r.name}={r.version}"
        for r in records
    )
    return tuple(sorted(specs))


def asked_specs(
    records: Iterable[Record], packages: Mapping[str, Package], *, for_pip: bool
) -> tuple[str, ...]:
    """Give what the user asked conda for, in his words; python and pip go without saying.

    Where nothing of that is known, the packages that no other depends on. ``for_pip``: pip has
    something to install.
    """
    there = {record.name.lower(): record for record in records}
    found = {
        spec_name(package.specs[0]): _as_one(package.specs)
        for record in there.values()
        if (package := packages.get(record.dist)) is not None and package.specs
    }
    specs = {name: _plain(spec) for name, spec in found.items() if name in there}
    if not specs:
        needed = {spec_name(spec) for r in there.values() for spec in r.depends}
        specs = {name: name for name in there if name not in needed}
    for name in ("python", "pip") if for_pip else ():
        specs.setdefault(name, name)
    return tuple(specs[name] for name in sorted(specs))


def _as_one(specs: tuple[str, ...]) -> str:
    """Give what was asked for in several words as one; the first where that cannot be."""
    first, *more = specs
    name = spec_name(first)
    bounds = [spec.removeprefix(name).strip().replace(" ", "") for spec in dict.fromkeys(specs)]
    is_plain = all(_BOUNDS.fullmatch(bound) for bound in bounds)
    return f"{name} {','.join(bounds)}" if more and is_plain else first


def _plain(spec: str) -> str:
    """Give a spec without the platform that older releases of conda put to the channel."""
    found = _CHANNEL.fullmatch(spec)
    if found is None:
        return spec
    channel = channel_name(found["channel"])
    return f"{channel}::{found['rest']}" if channel else found["rest"]


def with_words_of(written: str, spec: str, sheet: Sheet) -> str:
    """Give a spec as a file has it that is there: by its channel, and its bounds where they count.

    A channel that the package does not come from is one that has not got it.
    """
    name = spec_name(spec)
    pin = parse_pin(written)
    version = sheet.versions.get(name)
    if pin is not None and pin.versions and version and accepts(pin.versions, version):
        return written
    channel, mark, _ = written.partition("::")
    if not mark or "::" in spec:
        return spec
    return f"{sheet.homes.get(name, channel)}::{spec}"


def with_pip(specs: tuple[str, ...]) -> tuple[str, ...]:
    """Give the specs with pip among them, which conda wants to be told."""
    names = {normalised(spec_name(spec)) for spec in specs}
    return specs if "pip" in names else tuple(sorted((*specs, "pip")))


def channels_of(
    records: Iterable[Record], packages: Mapping[str, Package]
) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Give the channels, that of the most packages first, and what is not told of them."""
    counts: Counter[str] = Counter()
    notes: dict[Note, None] = {}
    for record in records:
        written = _channel_of(record, packages)
        name = channel_name(written)
        if not name:
            notes[Note("no-channel", record.name, record.dist)] = None
            continue
        counts[name] += 1
        if has_secret(written):
            notes[Note("credentials", "channel", name)] = None
        if name.startswith(("file:", "/")):
            notes[Note("only-here", "channel", name)] = None
    return tuple(name for name, _ in counts.most_common()), tuple(notes)


def homes_of(records: Iterable[Record], packages: Mapping[str, Package]) -> Mapping[str, str]:
    """Give the channel that each package came from, where that is known, by its name."""
    written = {r.name.lower(): _channel_of(r, packages) for r in records}
    return {name: home for name, one in written.items() if (home := channel_name(one))}


def _channel_of(record: Record, packages: Mapping[str, Package]) -> str:
    package = packages.get(record.dist)
    return (package.channel if package is not None else "") or record.channel


def told_variables(
    variables: Mapping[str, str],
) -> tuple[Mapping[str, str], tuple[Note, ...]]:
    """Give conda's variables but those that look like secrets, and the names of these."""
    secret = [
        name for name, value in variables.items() if _SECRET.search(name) or has_secret(value)
    ]
    told = {name: value for name, value in variables.items() if name not in secret}
    return told, tuple(Note("secret-variable", name) for name in secret)
