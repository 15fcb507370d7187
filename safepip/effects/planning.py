"""A plan out of pip's report of a dry run: joined with what is installed, and with wheels."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from safepip.decisions.planning.report import parse_account
from safepip.effects.editable import egg_info_in
from safepip.effects.exact import Item
from safepip.effects.removals import removal_of
from safepip.effects.requirement_lines import spellings
from safepip.effects.wheels import sha256_of
from safepip.values.errors import UnreadableReport
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from safepip.effects.fetching import Fetcher
    from safepip.effects.parsing import Command, Parsed
    from safepip.effects.streams import Said
    from safepip.values.account import Account, Entry, Removal, Scheme
    from safepip.values.environment import Environment


@dataclass(frozen=True)
class Planned:
    """A plan, and what acting on it needs."""

    account: Account
    items: tuple[Item, ...]
    report: Path
    said: Said
    constraints: tuple[str, ...]
    """Options that it was made with, besides the user's."""


def planned(
    command: Command,
    environment: Environment,
    fetcher: Fetcher,
    *,
    report: Path,
    said: Said,
    constraints: tuple[str, ...],
) -> Planned:
    """Give the plan of which pip wrote this report, with every wheel on disk.

    Raises: UnreadableReport, PipFailed, CannotJudge.
    """
    raw = _read(report)
    account = _parsed_report(raw, command.parsed)
    lines = _requirements(command, account)
    named = spellings(lines)
    items = []
    for entry, item in zip(account.entries, raw, strict=True):
        name = named.get(entry.name) or str(item["metadata"]["name"])
        before = _before(entry, environment, command.parsed, user_site=account.user_site)
        whole = replace(entry, scheme=_scheme(entry.scheme, name), before=before)
        items.append(Item(whole, item["download_info"]))
    wheels = fetcher.wheels_of(items, command, lines)
    items = [
        replace(
            item,
            entry=_developed(_with_wheel(item.entry, wheel), str(item.download.get("url"))),
        )
        for item, wheel in zip(items, wheels, strict=True)
    ]
    account = replace(account, entries=tuple(item.entry for item in items))
    return Planned(account, tuple(items), report, said, constraints)


def _requirements(command: Command, account: Account) -> list[str]:
    """Give every requirement that pip met, as written: the user's own come first."""
    parsed, inputs = command.parsed, command.inputs
    given = (*parsed.arguments, *parsed.editables, *inputs.requirements, *inputs.editables)
    return [*given, *(line for entry in account.entries for line in entry.requires)]


def delivered(plan: Planned, path: str, say: Callable[[bytes], None]) -> bool:
    """Put the report of a plan where the user wants it, and say whether that was possible.

    The report of the pip that acts would name the files in a private folder.
    """
    try:
        if path == "-":
            say(plan.report.read_bytes())
        else:
            shutil.copyfile(plan.report, path)
    except OSError:
        return False  # pip will fail at it, too, and say why
    return True


def _read(report: Path) -> list[Any]:
    try:
        found = json.loads(report.read_bytes())
    except OSError:
        raise UnreadableReport("report", "a file", "none") from None
    except ValueError as error:
        raise UnreadableReport("report", "JSON", str(error)) from error
    install = found.get("install") if isinstance(found, dict) else None
    if not isinstance(install, list):
        raise UnreadableReport("report.install", "list", type(install).__name__)
    return install


def _parsed_report(raw: Sequence[Any], parsed: Parsed) -> Account:
    entries = [{"report": item, "wheel": "", "scheme": dict(parsed.scheme)} for item in raw]
    return parse_account(
        {"entries": entries, "places": dict(parsed.places), "compiles": parsed.compiles}
    )


def _scheme(scheme: Scheme, name: str) -> Scheme:
    """Give the scheme with the folder of headers, which is named as the requirement spells it."""
    return replace(scheme, headers=os.path.join(scheme.headers, name))


def _with_wheel(entry: Entry, wheel: str) -> Entry:
    # Where the index gives no hash and pip has read only the metadata, nobody knew it until now.
    known = entry.sha256 or (sha256_of(wheel) if entry.source == "wheel" else "")
    return replace(entry, wheel=wheel, sha256=known)


def _developed(entry: Entry, url: str) -> Entry:
    """Give the entry with its metadata where the project is installed by `setup.py develop`."""
    if entry.wheel or entry.source != "editable":
        return entry
    return replace(entry, egg_info=egg_info_in(unquote(urlsplit(url).path), entry.name))


def _before(
    entry: Entry, environment: Environment, parsed: Parsed, *, user_site: bool
) -> Removal | None:
    """Give what pip finds by this name, and what it would take away for the new one.

    With `--ignore-installed` that is nothing; nor is it when the new one goes to the user's site
    and the old one lies elsewhere.
    """
    found = environment.installed.get(entry.name)
    if found is None:
        return None
    removal = removal_of(found, environment.interpreter)
    if parsed.options.ignore_installed or (user_site and not found.user_site):
        return replace(removal, removes=(), cannot_remove="")
    return removal
