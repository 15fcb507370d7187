"""pip's account of its plan: parsed strictly, then joined with what is installed. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from safepip.decisions.judging.requirements import active_requirements, extras_asked, relation
from safepip.decisions.planning.files import planned_files
from safepip.decisions.planning.loosen import as_given
from safepip.values.account import Account, Depth, Entry, Removal, Scheme, WheelContents
from safepip.values.environment import Distribution, Environment
from safepip.values.errors import UnreadableReport
from safepip.values.late import fields
from safepip.values.plan import Artifact, Change, Plan, Source
from safepip.values.request import PipOptions
from safepip.values.text import normalised, without_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

T = TypeVar("T")


# ------------------------------------------------------------------------------- parsing


def parse_account(message: object) -> Account:
    """Give the plan that an engine reports.

    Raises: UnreadableReport.
    Source: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    account = _typed(message, dict, "plan")
    entries = _get(account, "entries", list, "plan")
    places = _optional(account, "places", dict, "plan") or {}
    installs = "places" in account
    removed = [] if installs else [_removed(e, f"entries[{i}]") for i, e in enumerate(entries)]
    return Account(
        entries=tuple(_entry(e, f"entries[{i}]") for i, e in enumerate(entries))
        if installs
        else (),
        removals=tuple(found for _, found in removed if found is not None),
        not_installed=tuple(name for name, found in removed if found is None),
        compiles=bool(account.get("compiles", True)),
        user_site=bool(places.get("user")),
        elsewhere=str(places.get("prefix") or places.get("root") or ""),
        depth=_depth(account.get("depth")),
    )


def _depth(raw: object) -> Depth:
    """Give how much of the plan is there: all, unless it says otherwise."""
    if raw == "outline":
        return "outline"
    return "lists" if raw == "lists" else "files"


def _removed(raw: object, at: str) -> tuple[str, Removal | None]:
    entry = _typed(raw, dict, at)
    return normalised(_get(entry, "name", str, at)), _removal(entry.get("before"), at)


def parse_options(raw: object) -> PipOptions:
    """Give what pip's parser made of the arguments.

    Raises: UnreadableReport.
    """
    options = _typed(raw, dict, "options")
    known = {name: options[name] for name in PipOptions._fields if options.get(name) is not None}
    known["constraints"] = _strings(options, "constraints", "options")
    for name, value in known.items():
        if name == "constraints":
            continue
        is_text = name.endswith(("_dir", "_path")) or name in ("log", "report")
        wanted = str if is_text else (bool, int)
        if not isinstance(value, wanted):
            raise UnreadableReport(f"options.{name}", "another type", type(value).__name__)
    return PipOptions(**known)


def _entry(raw: object, at: str) -> Entry:
    entry = _typed(raw, dict, at)
    item = _get(entry, "report", dict, at)
    metadata = _get(item, "metadata", dict, f"{at}.report")
    download = _get(item, "download_info", dict, f"{at}.report")
    url = _get(download, "url", str, f"{at}.report.download_info")
    return Entry(
        name=normalised(_get(metadata, "name", str, f"{at}.report.metadata")),
        version=_get(metadata, "version", str, f"{at}.report.metadata"),
        url=without_secrets(url),
        sha256=_sha256(download, f"{at}.report.download_info"),
        source=_source(download, url, editable=bool(entry.get("editable"))),
        is_direct=bool(item.get("is_direct")),
        requested=bool(item.get("requested")),
        extras=_strings(item, "requested_extras", f"{at}.report"),
        provides=_strings(metadata, "provides_extra", f"{at}.report.metadata"),
        requires=_strings(metadata, "requires_dist", f"{at}.report.metadata"),
        wheel=_get(entry, "wheel", str, at),
        scheme=_scheme(_get(entry, "scheme", dict, at), f"{at}.scheme"),
        before=_removal(entry.get("before"), at),
        egg_info=_optional(entry, "egg_info", str, at) or "",
    )


def _names(cls: type) -> list[str]:
    return [field.name for field in fields(cls)]


def _scheme(raw: Mapping[str, Any], at: str) -> Scheme:
    return Scheme(**{name: _get(raw, name, str, at) for name in _names(Scheme)})


def _removal(raw: object, at: str) -> Removal | None:
    if raw is None:
        return None
    found = _typed(raw, dict, f"{at}.before")
    return Removal(
        name=normalised(_get(found, "name", str, f"{at}.before")),
        version=_get(found, "version", str, f"{at}.before"),
        metadata_path=_get(found, "metadata_path", str, f"{at}.before"),
        removes=_strings(found, "removes", f"{at}.before"),
        cannot_remove=str(found.get("cannot_remove") or ""),
    )


def _source(download: Mapping[str, Any], url: str, *, editable: bool) -> Source:
    folder = download.get("dir_info")
    if editable or (isinstance(folder, dict) and folder.get("editable")):
        return "editable"
    if "vcs_info" in download:
        return "vcs"
    if folder is not None:
        return "directory"
    return "wheel" if url.split("#", 1)[0].split("?", 1)[0].endswith(".whl") else "sdist"


def _sha256(download: Mapping[str, Any], at: str) -> str:
    archive = _optional(download, "archive_info", dict, at) or {}
    hashes = _optional(archive, "hashes", dict, f"{at}.archive_info") or {}
    found = hashes.get("sha256")
    if not found:
        algorithm, _, value = str(archive.get("hash") or "").partition("=")
        found = value if algorithm == "sha256" else ""
    return str(found)


def _typed(value: object, kind: type[T], at: str) -> T:
    if not isinstance(value, kind):
        raise UnreadableReport(at, kind.__name__, type(value).__name__)
    return value


def _get(mapping: Mapping[str, Any], key: str, kind: type[T], at: str) -> T:
    if key not in mapping:
        raise UnreadableReport(f"{at}.{key}", kind.__name__, "nothing")
    return _typed(mapping[key], kind, f"{at}.{key}")


def _optional(mapping: Mapping[str, Any], key: str, kind: type[T], at: str) -> T | None:
    return None if mapping.get(key) is None else _typed(mapping[key], kind, f"{at}.{key}")


def _strings(mapping: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    values = _optional(mapping, key, list, at) or []
    return tuple(_typed(value, str, f"{at}.{key}[{i}]") for i, value in enumerate(values))


# ------------------------------------------------------------------------------- joining


def plan_of(
    account: Account,
    wheels: Mapping[str, WheelContents],
    environment: Environment,
    options: PipOptions,
    arguments: Sequence[str] = (),
) -> Plan:
    """Join pip's account with the wheels' own contents and with what is installed.

    pip lists what it would install, not what that displaces: the displaced distribution is looked
    up in ``environment``.
    """
    entries = _with_all_extras(account.entries, environment.interpreter.markers)
    needed_by = _needed_by(entries, environment.interpreter.markers)
    changes = [
        _change(entry, wheels.get(_place(entry)), account, environment, needed_by[entry.name])
        for entry in entries
    ]
    changes += [_removed_change(removal, environment) for removal in account.removals]
    requested = [_as_requirement(e, arguments) for e in account.entries if e.requested]
    return Plan(
        changes=tuple(changes),
        requested=tuple(requested or (change.name for change in changes if change.requested)),
        ignores_dependencies=options.ignore_dependencies,
        user_site=account.user_site,
        elsewhere=account.elsewhere,
    )


def _place(entry: Entry) -> str:
    """Give where the contents of an entry were read."""
    return entry.wheel or entry.egg_info


def _as_requirement(entry: Entry, arguments: Sequence[str]) -> str:
    """Give the requirement with its bounds, which pip's report does not have."""
    plain = entry.name + (f"[{','.join(entry.extras)}]" if entry.extras else "")
    return without_secrets(as_given(arguments, entry.name, plain))


def _change(
    entry: Entry,
    contents: WheelContents | None,
    account: Account,
    environment: Environment,
    needed_by: tuple[str, ...],
) -> Change:
    before = _displaced(entry.name, entry.before, environment)
    has = set(map(normalised, entry.provides))
    return Change(
        name=entry.name,
        action=relation(before.version, entry.version) if before else "add",
        before=before,
        after=entry.version,
        artifact=Artifact(
            *(entry.url, entry.sha256, entry.source, entry.wheel, entry.is_direct),
            in_part=account.depth == "lists",
        ),
        requested=entry.requested,
        needed_by=needed_by,
        extras=entry.extras,
        missing_extras=tuple(extra for extra in entry.extras if normalised(extra) not in has),
        requires=entry.requires,
        files=()
        if account.depth == "outline"
        else planned_files(entry, contents, environment.interpreter, compiles=account.compiles),
        removes=entry.before.removes if entry.before else (),
        cannot_remove=entry.before.cannot_remove if entry.before else "",
    )


def _removed_change(removal: Removal, environment: Environment) -> Change:
    return Change(
        name=removal.name,
        action="remove",
        before=_displaced(removal.name, removal, environment),
        requested=True,
        removes=removal.removes,
        cannot_remove=removal.cannot_remove,
    )


def _displaced(name: str, removal: Removal | None, environment: Environment) -> Distribution | None:
    """Give the installed distribution that pip means: by its metadata's path, else by its name."""
    if removal is None:
        return environment.conda_owned.get(name)
    for distribution in environment.distributions:
        if removal.metadata_path and distribution.metadata_path == removal.metadata_path:
            return distribution
    found = environment.installed.get(name)
    return found or Distribution(name, removal.version, removal.metadata_path, removal.name)


def _with_all_extras(entries: Sequence[Entry], markers: Mapping[str, str]) -> tuple[Entry, ...]:
    """Give the entries with the extras that others among them ask for: pip names the user's."""
    asked = extras_asked(
        {entry.name: entry.requires for entry in entries},
        markers,
        {entry.name: entry.extras for entry in entries},
    )
    return tuple(_with_extras(entry, asked[entry.name]) for entry in entries)


def _with_extras(entry: Entry, asked: Collection[str]) -> Entry:
    more = sorted(set(asked).difference(map(normalised, entry.extras)))
    return replace(entry, extras=(*entry.extras, *more)) if more else entry


def _needed_by(
    entries: Sequence[Entry], markers: Mapping[str, str]
) -> Mapping[str, tuple[str, ...]]:
    needed: dict[str, list[str]] = {entry.name: [] for entry in entries}
    for entry in entries:
        for requirement in active_requirements(entry.requires, markers, entry.extras):
            name = normalised(requirement.name)
            if name in needed and name != entry.name and entry.name not in needed[name]:
                needed[name].append(entry.name)
    return {name: tuple(sorted(by)) for name, by in needed.items()}
