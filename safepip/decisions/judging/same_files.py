"""The finding `same-files`: what a plan writes over, or takes away from, conda's packages. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from safepip.decisions.judging.modules import inside_site, is_stray, site_folders
from safepip.decisions.judging.ownership import given_away, overtaken
from safepip.values.findings import SameFiles
from safepip.values.late import dataclass
from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from safepip.values.environment import Distribution, Environment, Record
    from safepip.values.plan import Change, Landing, Plan, PlannedFile
    from safepip.values.request import Policy

Reason = Literal["files", "scripts", "removal", "link", "stray", "namespace", "given"]

SPARED: frozenset[Reason] = frozenset({"stray", "namespace"})
"""Where conda's file may stay in place of the plan's, and both packages work."""


@dataclass(frozen=True)
class Collisions:
    """Where a plan and conda's packages meet."""

    findings: tuple[SameFiles, ...]
    spared: tuple[str, ...]
    """Absolute paths of planned files that are left out, and of files that an uninstall keeps."""


@dataclass(frozen=True)
class _Hit:
    """One path of a change that conda owns."""

    path: str
    """Absolute."""
    conda_package: str
    reason: Reason
    same_bytes: bool = False


def collisions(
    environment: Environment, plan: Plan, policy: Policy, landings: Mapping[str, Landing]
) -> Collisions:
    """Find every file of conda's that the plan would write over or take away."""
    given = given_away(environment, policy)
    view = _View(environment, landings, _owners(environment, landings))
    kept = _kept(plan, policy)
    findings: list[SameFiles] = []
    spared: set[str] = set()
    for change in plan.changes:
        replaced = overtaken(environment, plan, change)
        exempt = given | exempt_by_name(replaced)
        written = _written(view, change, exempt)
        removed = _removed(environment, change, exempt)
        spared |= {hit.path for hit in written + removed if hit.same_bytes or hit.reason in kept}
        hits = [hit for hit in written + removed if not hit.same_bytes]
        findings += _grouped(environment, change, hits, kept)
        findings += _given(view, change, given - exempt_by_name(replaced))
    return Collisions(tuple(findings), tuple(sorted(spared)))


def exempt_by_name(replaced: Distribution | None) -> frozenset[str]:
    """Give the record of the distribution that a change replaces, which is told of elsewhere."""
    return frozenset([replaced.record.dist] if replaced and replaced.record else [])


def _given(view: _View, change: Change, given: Collection[str]) -> Iterator[SameFiles]:
    """Find what the change takes over from packages that the user gave away: notes."""
    if not given:
        return
    others = {record.dist for record in view.environment.records} - set(given)
    for finding in _grouped(view.environment, change, _written(view, change, others), ()):
        yield replace(finding, severity="note", reason="given")


def _kept(plan: Plan, policy: Policy) -> frozenset[Reason]:
    """Give the reasons for which conda's file simply stays, and the rest of the plan goes on.

    An uninstall leaves out what conda owns, and what was meant happens all the same. An upgrade
    that did so would mix two packages.
    """
    if all(change.after is None for change in plan.changes):
        return SPARED | {"removal"}
    return frozenset() if policy.strict else SPARED


@dataclass(frozen=True)
class _View:
    """What lies where the plan's files would land."""

    environment: Environment
    landings: Mapping[str, Landing]
    owners: Mapping[str, tuple[Record, ...]]
    """Of each path below the prefix that something would land on."""

    def owner(self, path: str, exempt: Collection[str]) -> str:
        """Give the conda package whose file would be written, or an empty text."""
        real = self.landings[path].real
        for place in (real, path):
            relative = self.environment.relative(place) or ""
            for record in self.owners.get(relative, ()):
                if record.dist not in exempt:
                    return record.dist
            if place == path and self.landings[path].is_folder:
                inside = self.environment.owned_folders.get(relative)
                return inside.dist if inside is not None else ""
        return "" if real == path or self.environment.relative(real) else self._cached(real, exempt)

    def _cached(self, real: str, exempt: Collection[str]) -> str:
        """Give the package in whose unpacked copy, outside the prefix, a linked folder leads."""
        parts = real.split("/")
        for record in self.environment.records:
            if record.dist in parts and record.dist not in exempt:
                return record.dist
        at = parts.index("pkgs") + 1 if "pkgs" in parts[:-1] else 0
        return parts[at] if at else ""


def _owners(
    environment: Environment, landings: Mapping[str, Landing]
) -> dict[str, tuple[Record, ...]]:
    places = {place for landing in landings.values() for place in (landing.path, landing.real)}
    below = (environment.relative(place) for place in places)
    return environment.owners_of({path for path in below if path})


def _written(view: _View, change: Change, exempt: Collection[str]) -> list[_Hit]:
    """Find the conda-owned files that the change would write.

    Bytecode shares the fate of its source: what is left out is not compiled, and where the source
    is refused its bytecode tells nothing new.
    """
    hits: dict[str, _Hit] = {}
    bytecode = [file for file in change.files if file.kind == "bytecode"]
    for file in [file for file in change.files if file.kind != "bytecode"] + bytecode:
        if file.path not in view.landings or _source(file) in hits:
            continue
        if owner := view.owner(file.path, exempt):
            landing = view.landings[file.path]
            reason = _reason(view, change, file, owner)
            hits[file.path] = _Hit(file.path, owner, reason, landing.same_bytes)
    return list(hits.values())


def _reason(view: _View, change: Change, file: PlannedFile, owner: str) -> Reason:
    inside = inside_site(view.environment, file.path)
    landing = view.landings[file.path]
    if landing.is_folder or file.path.startswith(f"{landing.real}/"):
        return "files"  # one of both would have to be a folder, and the other a file
    if landing.real != file.path:
        return "link"
    if inside is not None and is_stray(inside):
        return "stray"
    if inside is not None and _is_namespace(view, change, inside, owner):
        return "namespace"
    return "scripts" if file.kind == "script" else "files"


def _is_namespace(view: _View, change: Change, inside: str, owner: str) -> bool:
    """Say whether this is the `__init__.py` of a namespace that both share in the old style.

    It is when the project is named for a part of it (`backports.zoneinfo` in `backports/`) and
    conda's package has no other module directly in the folder: then the file only holds the
    folder open for others, and one copy serves all.
    """
    folder, _, name = inside.partition("/")
    if name != "__init__.py" or not change.name.startswith(normalised(folder) + "-"):
        return False
    record = next((r for r in view.environment.records if r.dist == owner), None)
    roots = [f"{root}/{folder}/" for root in site_folders(view.environment)]
    return record is not None and not any(
        path.startswith(root) and path.endswith(".py") and path != f"{root}__init__.py"
        for root in roots
        for path in record.files
        if "/" not in path[len(root) :]
    )


def _source(file: PlannedFile) -> str:
    """Give the path of the module that this bytecode is compiled from; empty for other files."""
    folder, cache, name = file.path.rpartition("/__pycache__/")
    return f"{folder}/{name.partition('.')[0]}.py" if cache and file.kind == "bytecode" else ""


def _removed(environment: Environment, change: Change, exempt: Collection[str]) -> list[_Hit]:
    """Find the conda-owned files, of other packages, that uninstalling would take away."""
    below = {path for path in map(environment.relative, change.removes) if path}
    owned = environment.owners_in(below).items()
    pairs = {(owner.dist, path) for path, owners in owned for owner in owners}
    hits = []
    for dist, relative in sorted(pairs):
        if dist not in exempt:
            path = f"{environment.prefix}/{relative}"
            inside = inside_site(environment, path)
            reason: Reason = "stray" if inside is not None and is_stray(inside) else "removal"
            hits.append(_Hit(path, dist, reason))
    return hits


def _grouped(
    environment: Environment, change: Change, hits: Iterable[_Hit], kept: Collection[Reason]
) -> Iterator[SameFiles]:
    """Give one finding for each conda package and reason."""
    groups: dict[tuple[str, Reason], list[str]] = {}
    for hit in hits:
        shown = environment.relative(hit.path) or hit.path
        groups.setdefault((hit.conda_package, hit.reason), []).append(shown)
    for (conda_package, reason), paths in groups.items():
        yield SameFiles(
            severity="note" if reason in kept else "refuse",
            distribution=change.name,
            conda_package=conda_package,
            paths=tuple(sorted(set(paths))),
            reason=reason,
        )
