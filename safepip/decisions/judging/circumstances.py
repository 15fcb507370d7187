"""Findings on the environment itself, and on how a plan's artifacts come to be. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.consistency import concerned
from safepip.decisions.judging.ownership import is_allowed, overtaken
from safepip.decisions.judging.requirements import parse_requirement
from safepip.values.findings import AlreadyDamaged, Base, Builds, Frozen, NoMetadata, Pixi
from safepip.values.seal import MARKER
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from safepip.values.environment import Distribution, Environment
    from safepip.values.plan import Plan
    from safepip.values.request import Policy


def frozen(
    environment: Environment, plan: Plan, policy: Policy, *, break_system_packages: bool
) -> Iterator[Frozen]:
    """Find what says that the environment is not to be changed.

    A prefix that cannot be written stops no plan whose files go elsewhere.
    """
    if environment.frozen is not None and not policy.override_frozen:
        path = f"{environment.prefix}/conda-meta/frozen"
        yield Frozen(marker="frozen", path=path, message=environment.frozen)
    if environment.externally_managed is not None and not break_system_packages:
        path = f"{environment.interpreter.stdlib}/{MARKER}"
        message = environment.externally_managed
        yield Frozen(marker="externally-managed", path=path, message=message)
    if not environment.writable and not (plan.user_site or plan.elsewhere):
        yield Frozen(marker="read-only", path=environment.prefix)


def told_of_any_change(environment: Environment, plan: Plan) -> Iterator[Pixi | Base | Builds]:
    """Find what makes this environment a bad place for changes, and what ran code already."""
    if plan.changes and environment.is_pixi:
        yield Pixi()
    if plan.changes and environment.is_base:
        yield Base()
    yield from _builds(plan)


def _builds(plan: Plan) -> Iterator[Builds]:
    """Find the distributions whose own code makes their wheel.

    A wheel of an sdist that pip has cached counts: it was built on this machine all the same.
    """
    for change in plan.changes:
        artifact = change.artifact
        if change.after is not None and artifact is not None and artifact.source != "wheel":
            yield Builds(distribution=change.name, source=artifact.source, url=artifact.url)


def no_metadata(environment: Environment, plan: Plan, policy: Policy) -> Iterator[NoMetadata]:
    """Find installed distributions in the plan's way that pip cannot uninstall.

    A note beside the refusal where conda owns it. Otherwise it refuses by itself: pip removes and
    installs one distribution after the other, so it would fail with some of the plan done.
    """
    for change in plan.changes:
        if not change.cannot_remove or change.before is None:
            continue
        owned = overtaken(environment, plan, change)
        is_refused = owned is not None and not is_allowed(policy, owned)
        if is_refused and change.after is None:
            continue  # what pip could not have removed is no news: conda is to remove it
        yield NoMetadata(
            severity="note" if is_refused else "refuse",
            distribution=change.name,
            installed=change.before.version,
            path=change.before.metadata_path,
            reason=change.cannot_remove,
        )


def already_damaged(
    environment: Environment, plan: Plan, asked: Collection[str]
) -> Iterator[AlreadyDamaged]:
    """Find damage that was there before: traces of an interrupted pip, and what the plan touches.

    Damage to what the plan has nothing to do with is for `doctor`, not for every install.
    """
    if environment.leftovers:
        yield AlreadyDamaged(what=environment.leftovers)
    about = concerned(environment, plan, asked)
    found: dict[str, list[Distribution]] = {}
    for distribution in environment.distributions:
        if distribution.name in about:
            found.setdefault(distribution.name, []).append(distribution)
    for name, distributions in sorted(found.items()):
        if what := tuple(_damage(distributions)):
            yield AlreadyDamaged(distribution=name, what=what)
    yield from _met_by_name_only(environment, plan, asked)


def _met_by_name_only(
    environment: Environment, plan: Plan, asked: Collection[str]
) -> Iterator[AlreadyDamaged]:
    """Find what pip takes for installed because a name agrees, though the module is another.

    conda's `ruamel_yaml` counts as `ruamel.yaml`, and has no module of that name.
    """
    for line in asked:
        requirement = parse_requirement(line)
        if requirement is None or "." not in requirement.name:
            continue
        name = normalised(requirement.name)
        owned = environment.conda_owned.get(name)
        if owned is None or owned.record is None or name in plan.by_name:
            continue
        module = f"/{requirement.name.lower().replace('.', '/')}"
        if not any(module in f"/{path.lower()}" for path in owned.record.files):
            said = f"it has no module `{requirement.name}`, and pip takes it for installed"
            yield AlreadyDamaged(distribution=name, what=(said,))


def _damage(distributions: Sequence[Distribution]) -> Iterator[str]:
    """Tell what is wrong with the distributions of one name."""
    folders: dict[str, list[str]] = {}
    for distribution in distributions:
        name = distribution.metadata_path.rpartition("/")[2]
        folders.setdefault(distribution.location, []).append(name)
        if distribution.broken:
            yield f"{name}: {distribution.broken}"
    for names in folders.values():
        if len(names) > 1:
            yield f"{' and '.join(sorted(names))} are there at once"
