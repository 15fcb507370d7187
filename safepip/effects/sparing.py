"""Carrying out a cleared plan: which wheels pip gets, and what it may not remove."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safepip.decisions.judging.ownership import given_away
from safepip.effects.record_lines import record_of, script_without
from safepip.effects.wheels import without_members
from safepip.values.errors import WildRemoval
from safepip.values.guarding import OWN, PATH_FILE
from safepip.values.text import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan
    from safepip.values.request import Policy
    from safepip.values.verdict import Cleared


_BYTECODE = (".pyc", ".pyo")


def spared_wheels(cleared: Cleared, folder: Path) -> Mapping[str, str]:
    """Write the wheels again without what would land on spared paths, and give new by old path.

    Raises: UnreadableWheel.
    """
    instead = {}
    spared = set(cleared.spared)
    for index, change in enumerate(cleared.plan.changes):
        members = [f.member for f in change.files if f.member and f.path in spared]
        if members and change.artifact is not None:
            place = folder / f"spared-{index}"
            place.mkdir()
            copy = without_members(change.artifact.wheel, members, place)
            instead[change.artifact.wheel] = str(copy)
    return instead


def given_away_to_pip(environment: Environment, policy: Policy) -> frozenset[str]:
    """Give the paths below the prefix that the user let pip take over with `--allow`."""
    given = given_away(environment, policy)
    return frozenset(
        path for record in environment.records if record.dist in given for path in record.files
    )


def refuse_wild_removals(environment: Environment, plan: Plan) -> None:
    """Refuse a plan that would delete what no distribution can claim.

    That is what holds conda's records, the settings and the guard of the environment, or all of it,
    and any folder outside of it, but for what lies beside the metadata that names it (in the user
    site). And any folder with files that the list which names it does not name, and conda does not
    have, which stay by themselves.

    Raises: WildRemoval.
    """
    prefix, library = environment.prefix, environment.interpreter.purelib
    guards = (*(f"{prefix}/{path}" for path in OWN), f"{library}/{PATH_FILE}")
    own = tuple(map(folded, guards))
    books = (folded(f"{prefix}/conda-meta/"), *own)
    wild: dict[str, Change] = {}
    for change in plan.changes:
        home = f"{change.before.location}/" if change.before is not None else "/dev/null/"
        for path in change.removes:
            as_folder = folded(f"{path.rstrip('/')}/")
            is_book = folded(path).startswith(books)
            is_inside = environment.relative(path) is not None or path.startswith(home)
            if (
                is_book
                or any(book.startswith(as_folder) for book in books)
                or (not is_inside and _is_folder(path))
                or _takes_along(environment, change, path)
            ):
                wild.setdefault(path, change)
    if wild:
        # Whether a distribution brought a file of safepip's, or only names it, nobody can tell:
        # so it neither goes with it nor stays where it would count from then on.
        aside = [p for p in wild if folded(p).startswith(own) and not _is_folder(p)]
        moves = [("mv", path, _beside(path)) for path in aside]
        cuts = _cuts({path: change for path, change in wild.items() if path not in aside})
        path, change = next(iter(wild.items()))
        raise WildRemoval(change.name, path, moves, cuts)


def _takes_along(environment: Environment, change: Change, path: str) -> bool:
    """Say whether a RECORD names a folder in which there is what it does not name: pip takes all.

    Older metadata need not have a list, and means its folders whole. Bytecode is made anew.
    """
    info = change.before.metadata_path if change.before is not None else ""
    if not info.endswith(".dist-info") or f"{path}/".startswith(f"{info}/") or not _is_folder(path):
        return False
    listed = frozenset(change.removes)
    for folder, folders, names in os.walk(path):
        links = (name for name in folders if os.path.islink(f"{folder}/{name}"))
        paths = {f"{folder}/{name}" for name in (*names, *links) if not name.endswith(_BYTECODE)}
        left = {environment.relative(one) or one for one in paths - listed}
        if left - environment.owners_of(left).keys():
            return True
    return False


def _cuts(wild: Mapping[str, Change]) -> tuple[tuple[str, ...], ...] | None:
    """Give commands that take what names these paths out of RECORDs; None where that cannot be."""
    commands = []
    for before in dict.fromkeys(change.before for change in wild.values()):
        named = [path for path, change in wild.items() if change.before is before]
        script = script_without(before, named) if before is not None else ""
        if before is None or not script:
            return None
        commands.append(("sed", "-i", "-e", script, record_of(before)))
    return tuple(commands)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _beside(path: str) -> str:
    """Give a name beside a file that nothing has."""
    count = 0
    while os.path.lexists(there := f"{path}.aside{count or ''}"):
        count += 1
    return there


def protected_paths(
    environment: Environment, plan: Plan, given_away: Collection[str]
) -> tuple[str, ...]:
    """Give the absolute paths that the plan's removals would take along and that have to stay.

    That is what conda owns, and what lies outside the environment: pip deletes whatever RECORD
    names, wherever a row of it leads.
    """
    inside: set[str] = set()
    outside: set[str] = set()
    for change in plan.changes:
        at_home = change.before is None or not (change.before.user_site or change.before.outside)
        for path in change.removes:
            relative = environment.relative(path)
            if relative is not None:
                inside.add(relative)
            elif at_home:
                outside.add(path)
    owned = environment.owners_in(inside).keys() - set(given_away)
    return tuple(sorted({*outside, *(f"{environment.prefix}/{path}" for path in owned)}))
