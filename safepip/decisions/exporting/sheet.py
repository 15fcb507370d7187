"""From what is known of an environment to what a file says of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.exporting.asked import Asked, asked_for
from safepip.decisions.exporting.conda_part import (
    asked_specs,
    channels_of,
    exact_specs,
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

    from safepip.values.environment import Environment
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
    taken = taken_over(environment)
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
        notes=(*owner, *about_channels, *part.notes, *about_variables),
        constraints=wanted.constraints,
    )
    return sheet if for_pip else replace(sheet, options=())


def asked_here(environment: Environment, known: Known) -> Mapping[str, Asked]:
    """Give how what is there was asked for, as far as nobody changed it since."""
    here = counted(environment)
    return {
        name: one
        for name, one in asked_for(known.entries).items()
        if name in here and here[name].version == one.version
    }


def requirements_text(sheet: Sheet, head: str) -> str:
    """Give the part that is pip's as a file of requirements."""
    lines = [*sheet.options, *(entry.text for entry in sheet.entries)]
    return head + "".join(f"{line}\n" for line in lines)
