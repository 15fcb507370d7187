"""Bounds of Python requirements, in the words of conda. Pure.

Source: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from safepip.decisions.judging.requirements import active_requirements
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement
    from packaging.specifiers import Specifier

    from safepip.values.environment import Environment
    from safepip.values.plan import Plan


def conda_spec(conda_name: str, distribution: str, wanted: Iterable[Requirement]) -> str:
    """Give conda's specification for what is required of a distribution.

    The bare name, where nothing bounds it or where conda could not express the bounds.
    """
    specifiers = dict.fromkeys(
        specifier
        for requirement in wanted
        if normalised(requirement.name) == distribution and requirement.url is None
        for specifier in requirement.specifier
    )
    if not specifiers or not all(_is_known_to_conda(specifier) for specifier in specifiers):
        return conda_name
    texts = sorted(map(_as_conda, _narrowest(list(specifiers))), key=_order)
    if len(texts) == 1 and texts[0].endswith(".*") and texts[0][0].isdigit():
        return f"{conda_name}={texts[0].removesuffix('.*')}"
    return conda_name + ",".join(texts)


def required(plan: Plan, environment: Environment) -> Iterator[Requirement]:
    """Give what the planned distributions require in this environment."""
    for change in plan.changes:
        markers = environment.interpreter.markers
        yield from active_requirements(change.requires, markers, change.extras)


def _is_known_to_conda(specifier: Specifier) -> bool:
    return specifier.operator != "===" and "+" not in specifier.version


def _as_conda(specifier: Specifier) -> str:
    """Give one bound as conda writes it: a series stands without an operator."""
    is_series = specifier.operator == "==" and specifier.version.endswith(".*")
    return specifier.version if is_series else f"{specifier.operator}{specifier.version}"


def _order(text: str) -> tuple[int, str]:
    """Put lower bounds first; a bare series may not follow the name directly."""
    return ({">": 0, "~": 1, "<": 2, "!": 3, "=": 4}.get(text[0], 5), text)


def _narrowest(specifiers: list[Specifier]) -> list[Specifier]:
    """Leave out lower bounds below the highest, and upper bounds above the lowest."""
    lower = [s for s in specifiers if s.operator == ">="]
    upper = [s for s in specifiers if s.operator == "<"]
    rest = [s for s in specifiers if s.operator not in (">=", "<")]
    return [
        *sorted(lower, key=lambda s: Version(s.version))[-1:],
        *sorted(upper, key=lambda s: Version(s.version))[:1],
        *rest,
    ]
