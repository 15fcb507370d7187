"""Values as tests need them: environments, plans, and what lies where a plan would write.

    env = environment(conda("pandas==2.2", "idna<3.5"), pip("idna==3.4"))
    wanted = plan(env, artifact("idna==3.6"))

Nothing is read or written; paths are those of a Linux environment with Python 3.11. Everything a
test does not say has a value that makes no finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from safepip.decisions.judging.judge import Judgement, judge
from safepip.decisions.judging.requirements import relation
from safepip.values.environment import Distribution, Environment, Interpreter, Record
from safepip.values.journal import Entry
from safepip.values.plan import Artifact, Change, FileKind, Landing, Plan, PlannedFile, Source
from safepip.values.request import Policy
from safepip.values.text import normalised

PREFIX = "/opt/conda/envs/lab"
LIBRARY = "lib/python3.11/site-packages"
"""Below the prefix."""
SITE = f"{PREFIX}/{LIBRARY}"
USER_SITE = "/home/ada/.local/lib/python3.11/site-packages"

MARKERS: Mapping[str, str] = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.7",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1.0",
    "platform_system": "Linux",
    "platform_version": "#1 SMP",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
}

Metadata = Literal["dist-info", "egg-info", "none"]


@dataclass(frozen=True)
class Package:
    """Something installed: a conda package, a distribution, or a distribution that conda owns."""

    record: Record | None
    distribution: Distribution | None


def conda(
    spec: str,
    *requires: str,
    name: str = "",
    depends: Iterable[str] = (),
    modules: Iterable[str] | None = None,
    files: Iterable[str] = (),
    metadata: Metadata = "dist-info",
    **facts: Any,
) -> Package:
    """A conda package that has the distribution ``spec``, or with ``metadata="none"`` none.

    ``name``: conda's, where it is not the distribution's. ``modules``: paths below site-packages;
    the package's own `__init__.py` unless said otherwise. ``files``: paths below the prefix.
    ``facts``: fields of the distribution.
    """
    project, _, version = spec.partition("==")
    folder = f"{_module(project)}-{version}.{metadata}"
    own = [f"{_module(project)}/__init__.py"] if modules is None else list(modules)
    if metadata != "none":
        own += [f"{folder}/METADATA", f"{folder}/RECORD"]
    paths = (*(f"{LIBRARY}/{path}" for path in own), *files)
    record = Record(
        name=name or normalised(project),
        version=version,
        build="py311_0",
        depends=tuple(depends),
        files=paths,
    )
    if metadata == "none":
        return Package(record, None)
    distribution = Distribution(
        normalised(project), version, f"{SITE}/{folder}", project, requires, record, **facts
    )
    return Package(record, distribution)


def pip(spec: str, *requires: str, location: str = SITE, **facts: Any) -> Package:
    """A distribution that is not conda's; ``facts``: fields of the distribution."""
    project, _, version = spec.partition("==")
    folder = f"{location}/{_module(project)}-{version}.dist-info"
    distribution = Distribution(normalised(project), version, folder, project, requires, **facts)
    return Package(None, distribution)


def in_user_site(spec: str, *requires: str) -> Package:
    """A distribution in the user site, which comes before the environment's own."""
    return pip(spec, *requires, location=USER_SITE, user_site=True, outside=True)


def interpreter(**facts: Any) -> Interpreter:
    """The environment's Python; ``facts``: fields that differ."""
    known: dict[str, Any] = {
        "executable": f"{PREFIX}/bin/python",
        "version": "3.11.7",
        "prefix": PREFIX,
        "base_prefix": PREFIX,
        "sys_path": (f"{PREFIX}/lib/python3.11", USER_SITE, SITE),
        "purelib": SITE,
        "platlib": SITE,
        "scripts": f"{PREFIX}/bin",
        "stdlib": f"{PREFIX}/lib/python3.11",
        "user_site": USER_SITE,
        "user_site_enabled": True,
        "markers": MARKERS,
        "stdlib_names": ("enum", "typing", "re"),
    }
    return Interpreter(**{**known, **facts})


def environment(*packages: Package, **facts: Any) -> Environment:
    """An environment with these packages; ``facts``: fields of the environment."""
    records = [package.record for package in packages if package.record is not None]
    known: dict[str, Any] = {
        "prefix": PREFIX,
        "interpreter": interpreter(),
        "records": tuple(records),
        "distributions": tuple(p.distribution for p in packages if p.distribution is not None),
        "name": "lab",
    }
    return Environment(**{**known, **facts})


@dataclass(frozen=True)
class Step:
    """One step of a plan, before it is known what it displaces."""

    name: str
    version: str | None
    paths: tuple[tuple[FileKind, str], ...] = ()
    """Kind, and path below the folder for files of this kind."""
    source: Source = "wheel"
    facts: Mapping[str, Any] | None = None


def artifact(
    spec: str,
    *requires: str,
    modules: Iterable[str] | None = None,
    scripts: Iterable[str] = (),
    data: Iterable[str] = (),
    bytecode: Iterable[str] = (),
    source: Source = "wheel",
    **facts: Any,
) -> Step:
    """An artifact that a plan would install, asked for by the user unless ``requested=False``.

    ``modules`` and ``bytecode``: paths below site-packages, by default the package's own
    `__init__.py`. ``data``: paths below the prefix. ``facts``: fields of the change.
    """
    project, _, version = spec.partition("==")
    own = [f"{_module(project)}/__init__.py"] if modules is None else modules
    paths: list[tuple[FileKind, str]] = [("module", path) for path in own]
    paths += [("metadata", f"{_module(project)}-{version}.dist-info/METADATA")]
    paths += [("script", path) for path in scripts]
    paths += [("data", path) for path in data]
    paths += [("bytecode", path) for path in bytecode]
    known = {"requested": True, "requires": requires, **facts}
    return Step(normalised(project), version, tuple(paths), source, known)


def written_down(**facts: Any) -> Entry:
    """What the journal says of a change: a request with a part of conda's, but for ``facts``."""
    told: dict[str, Any] = {
        "id": "2026-11-28-1",
        "stage": "done",
        "verb": "install",
        "arguments": ("install", "--prefer-conda", "lonely"),
        "began": "",
        "safepip": "",
        "pip": "",
    }
    return Entry(**told | facts)


def removal(name: str, **facts: Any) -> Step:
    """The removal of a distribution, asked for by the user."""
    return Step(normalised(name), None, facts={"requested": True, **facts})


def plan(env: Environment, *steps: Step, **facts: Any) -> Plan:
    """A plan that pip would make in this environment; ``facts``: fields of the plan."""
    empty = Plan((), **facts)
    changes = tuple(_change(env, step, empty) for step in steps)
    requested = tuple(change.name for change in changes if change.requested)
    return replace(empty, changes=changes, requested=empty.requested or requested)


def landings(
    env: Environment,
    wanted: Plan,
    *,
    same: Collection[str] = (),
    links: Mapping[str, str] | None = None,
) -> dict[str, Landing]:
    """What a plan would land on where every conda-owned file is in its place.

    ``same``: paths below the prefix that have the bytes that would be written. ``links``: folders
    that lead to other ones, absolute.
    """
    found = {}
    paths = [file.path for change in wanted.changes for file in change.files]
    owners = env.owners_of([below for path in paths if (below := env.relative(path))])
    for path in paths:
        real = path
        for link, target in (links or {}).items():
            if path.startswith(f"{link}/"):
                real = target + path[len(link) :]
        if real != path or env.relative(real) in owners:
            found[path] = Landing(path, real, (env.relative(path) or path) in same)
    return found


def judged(env: Environment, wanted: Plan, policy: Policy | None = None, **more: Any) -> Judgement:
    """The judgement on a plan where every conda-owned file is in its place."""
    return judge(env, wanted, policy or Policy(), landings(env, wanted), **more)


def _change(env: Environment, step: Step, wanted: Plan) -> Change:
    before = env.installed.get(step.name)
    facts = dict(step.facts or {})
    if "before" in facts:
        before = facts.pop("before")
    if step.version is None:
        action = "remove"
    else:
        action = relation(before.version, step.version) if before is not None else "add"
    known: dict[str, Any] = {
        "name": step.name,
        "action": action,
        "before": before,
        "after": step.version,
        "artifact": _artifact(step) if step.version is not None else None,
        "files": tuple(
            PlannedFile(f"{_folder(kind, wanted)}/{p}", kind, p) for kind, p in step.paths
        ),
        "removes": _removes(before) if before is not None and not wanted.user_site else (),
    }
    return Change(**{**known, **facts})


def _artifact(step: Step) -> Artifact:
    file = f"{step.name}-{step.version}" + (".whl" if step.source == "wheel" else ".tar.gz")
    return Artifact(f"https://files.example/{file}", sha256="0" * 64, source=step.source)


def _folder(kind: FileKind, wanted: Plan) -> str:
    if wanted.user_site:
        return USER_SITE if kind in {"module", "metadata", "bytecode"} else "/home/ada/.local"
    root = wanted.elsewhere or PREFIX
    below = {"script": f"{root}/bin", "data": root, "header": f"{root}/include/python3.11"}
    return below.get(kind, f"{root}/{LIBRARY}")


def _removes(distribution: Distribution) -> tuple[str, ...]:
    if distribution.record is not None:
        return tuple(f"{PREFIX}/{path}" for path in distribution.record.files)
    module = f"{distribution.location}/{_module(distribution.name)}/__init__.py"
    return (module, f"{distribution.metadata_path}/METADATA")


def _module(project: str) -> str:
    return normalised(project).replace("-", "_")
