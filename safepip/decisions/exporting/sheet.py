"""From what is known of an environment to what a file says of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.metadata import shipped_in
from safepip.decisions.exporting.asked import Asked, asked_for
from safepip.decisions.exporting.conda_part import (
    asked_specs,
    channels_of,
    exact_specs,
    homes_of,
    provided,
    taken_over,
    told_variables,
    with_pip,
)
from safepip.decisions.exporting.pip_part import Told, counted, pip_part
from safepip.values.late import dataclass
from safepip.values.sheet import Note, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.environment import Distribution, Environment, Record
    from safepip.values.journal import Entry
    from safepip.values.sheet import Origin, Package


@dataclass(frozen=True)
class Wanted:
    """What is to be told."""

    from_history: bool = False
    """Of conda's packages only what the user asked for, in his words."""
    builds: bool = True
    everything: bool = False
    """Of pip's distributions also those that come by themselves."""
    folder: str = ""
    """Where the file will lie, absolute; empty for nowhere in particular."""
    constraints: str = ""
    """The name of safepip's file of constraints beside it."""
    holds: bool = True
    """The file is to lead to it."""


@dataclass(frozen=True)
class Known:
    """What is known of an environment besides its books."""

    origins: Mapping[str, Origin]
    packages: Mapping[str, Package]
    entries: Sequence[Entry]
    variables: Mapping[str, str]


def sheet_of(environment: Environment, known: Known, wanted: Wanted) -> Sheet:
    """Give what a file says of an environment."""
    environment, taken, damaged = as_it_should_be(environment, known.entries)
    told = Told(known.origins, asked_here(environment, known), taken, wanted.folder)
    part = pip_part(environment, told, everything=wanted.everything)
    records = provided(environment, taken)
    channels, about_channels = channels_of(records, known.packages)
    variables, about_variables = told_variables(known.variables)
    owner = (Note("pixi", environment.name),) if environment.is_pixi else ()
    for_pip = bool(part.entries)
    if wanted.from_history:
        specs = asked_specs(records, known.packages, for_pip=for_pip)
    else:
        specs = exact_specs(records, builds=wanted.builds)
    held = (f"-c {wanted.constraints}",) if wanted.holds and wanted.constraints else ()
    sheet = Sheet(
        name=environment.name,
        channels=channels,
        specs=with_pip(specs) if for_pip else specs,
        options=(*held, *part.options),
        entries=part.entries,
        variables=variables,
        notes=(*owner, *damaged, *about_channels, *part.notes, *about_variables),
        constraints=wanted.constraints,
        homes=homes_of(records, known.packages),
        versions={r.name.lower(): r.version for r in records} if wanted.from_history else {},
        markers=environment.interpreter.markers,
    )
    return sheet if for_pip else replace(sheet, options=())


def as_it_should_be(
    environment: Environment, entries: Sequence[Entry]
) -> tuple[Environment, Mapping[str, Record], tuple[Note, ...]]:
    """Give the environment with all that nobody gave to pip on conda's side, as conda brought it.

    With it, the packages that pip took over by the user's leave, by distribution, and a note for
    each that it took without.
    """
    taken = taken_over(environment)
    asked = asked_for(entries)
    given = {name: one for name, one in taken.items() if name in asked and asked[name].allowed}
    damaged = {name: one for name, one in taken.items() if name not in given}
    distributions = tuple(
        _as_shipped(environment, d, damaged[d.name])
        if d.record is None and d.name in damaged
        else d
        for d in environment.distributions
    )
    notes = (Note("damaged", name, f"{one.name} {one.version}") for name, one in damaged.items())
    return replace(environment, distributions=distributions), given, tuple(notes)


def _as_shipped(
    environment: Environment, distribution: Distribution, record: Record
) -> Distribution:
    """Give a distribution that pip replaced in the version that conda's package has of it."""
    shipped = shipped_in(environment, record.files)[distribution.name]
    return replace(distribution, record=record, version=shipped.version or record.version)


def asked_here(environment: Environment, known: Known) -> Mapping[str, Asked]:
    """Give how what is there was asked for, as far as nobody changed it since."""
    here = counted(environment)
    return {
        name: one
        for name, one in asked_for(known.entries).items()
        if name in here and here[name].version == one.version
    }


def of_pip_only(sheet: Sheet) -> Sheet:
    """Give a sheet without what only an environment file says."""
    notes = tuple(
        note
        for note in sheet.notes
        if note.about != "channel" and note.kind not in ("no-channel", "secret-variable", "pixi")
    )
    return replace(sheet, channels=(), specs=(), variables={}, notes=notes)


def requirements_text(sheet: Sheet, head: str) -> str:
    """Give the part that is pip's as a file of requirements."""
    lines = [*sheet.options, *(entry.text for entry in sheet.entries)]
    return head + "".join(f"{line}\n" for line in lines)
