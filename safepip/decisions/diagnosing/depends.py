"""What conda packages depend on, and whether that is what is really there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.pins import accepts, accepts_build, parse_pin
from safepip.values.damage import DependsUnmet
from safepip.values.environment import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from safepip.decisions.judging.pins import Pin
    from safepip.values.environment import Record
    from safepip.values.inspection import Inspection


def unmet_depends(inspection: Inspection, there: Mapping[str, str]) -> Iterator[DependsUnmet]:
    """Find conda packages that do not have what they depend on, or have what they exclude.

    ``there``: the version that lies in place of a package's own, by NAME-VERSION-BUILD. What was
    built against one version may load with another and give wrong results; `pip check` knows
    nothing of that, and conda goes by its records. What another version lies in place of is told
    of as that: it was built against nothing of conda's, and what it requires is asked elsewhere.
    """
    environment = inspection.environment
    known = {record.name.lower(): record for record in environment.records}
    for record in environment.records:
        if record.dist in there:
            continue
        for spec, is_limit in _specs(record):
            needed = known.get(named(spec))
            if needed is not None:
                yield from _unmet(record, spec, needed, there.get(needed.dist), is_limit=is_limit)


def _specs(record: Record) -> Iterator[tuple[str, bool]]:
    yield from ((spec, False) for spec in record.depends)
    yield from ((spec, True) for spec in record.constrains)


def _unmet(
    record: Record, spec: str, needed: Record, there: str | None, *, is_limit: bool
) -> Iterator[DependsUnmet]:
    owner: Literal["conda", "pip"] = "conda" if there is None else "pip"
    version = there or needed.version
    if not suits(spec, version):
        found = f"{needed.name} {version}"
    elif there is None and not suits(spec, version, needed.build):
        found = f"{needed.name} {version} {needed.build}"
    else:
        return
    yield depends_unmet(record, spec, found, owner, is_limit=is_limit)


def depends_unmet(
    record: Record,
    spec: str,
    found: str | None,
    owner: Literal["conda", "pip", "none"],
    *,
    is_limit: bool = False,
) -> DependsUnmet:
    """Give the finding."""
    return DependsUnmet(
        conda_package=record.dist, depends=spec, found=found, owner=owner, is_limit=is_limit
    )


def suits(spec: str, version: str, build: str | None = None) -> bool:
    """Say whether a package may be what a specification means; what cannot be told may be.

    ``build``: None where that does not count.
    """
    pin = parse_pin(spec)
    return pin is None or allows(pin, version, build)


def allows(pin: Pin, version: str, build: str | None) -> bool:
    """Say the same of a specification that has been read."""
    return accepts(pin.versions, version) is not False and (
        build is None or accepts_build(pin.build, build) is not False
    )


def named(spec: str) -> str:
    """Give the package that a specification is about; empty where it cannot be read."""
    return spec_name(spec) if parse_pin(spec) is not None else ""
