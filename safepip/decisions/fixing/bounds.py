"""Bounds of Python requirements, in the words of conda. Pure.

Source: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from safepip.decisions.judging.requirements import active_requirements, parse_version
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement
    from packaging.specifiers import Specifier

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan


def conda_spec(conda_name: str, distribution: str, wanted: Iterable[Requirement]) -> str:
    """Give conda's specification for what is required of a distribution.

    The bare name, where nothing bounds it. What is no version to Python is none to conda either,
    and bounds nothing.
    """
    specifiers = dict.fromkeys(
        specifier
        for requirement in wanted
        if normalised(requirement.name) == distribution and requirement.url is None
        for specifier in requirement.specifier
        if _is_known_to_conda(specifier)
    )
    if not specifiers:
        return conda_name
    texts = sorted(dict.fromkeys(map(_as_conda, _narrowest(list(specifiers)))), key=_order)
    if len(texts) == 1 and texts[0].endswith(".*") and texts[0][0].isdigit():
        return f"{conda_name}={texts[0].removesuffix('.*')}"
    return conda_name + ",".join(texts)


def required(plan: Plan, environment: Environment) -> Iterator[Requirement]:
    """Give what the planned distributions require in this environment."""
    for change in plan.changes:
        yield from needed_by(change, environment)


def needed_by(change: Change, environment: Environment) -> list[Requirement]:
    """Give what one of them requires in this environment."""
    markers = environment.interpreter.markers
    return active_requirements(change.requires, markers, change.extras)


def _is_known_to_conda(specifier: Specifier) -> bool:
    return specifier.operator != "===" or parse_version(specifier.version) is not None


def _as_conda(specifier: Specifier) -> str:
    """Give one bound as conda writes it: a series stands without an operator.

    conda has no `===`; what it takes for equal to that is compared once more with its answer.
    """
    is_series = specifier.operator == "==" and specifier.version.endswith(".*")
    operator = "==" if specifier.operator == "===" else specifier.operator
    return specifier.version if is_series else f"{operator}{specifier.version}"


def _order(text: str) -> tuple[int, str]:
    """Put lower bounds first; a bare series may not follow the name directly."""
    return ({">": 0, "~": 1, "<": 2, "!": 3, "=": 4}.get(text[0], 5), text)


def _narrowest(specifiers: list[Specifier]) -> list[Specifier]:
    """Leave out what another bound implies: the lower lower ones, the higher upper ones."""
    pins = [s for s in specifiers if s.operator in ("==", "===") and not s.version.endswith(".*")]
    if pins and all(s.contains(pins[0].version, prereleases=True) for s in specifiers):
        return pins[:1]
    lower = [s for s in specifiers if s.operator == ">="]
    upper = [s for s in specifiers if s.operator == "<"]
    rest = [s for s in specifiers if s.operator not in (">=", "<")]
    return [
        *sorted(lower, key=lambda s: Version(s.version))[-1:],
        *sorted(upper, key=lambda s: Version(s.version))[:1],
        *rest,
    ]
