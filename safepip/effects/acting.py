"""The second pip of the two-pass engine: the plan's own wheels, or the same work once more."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.planning.files import planned_files
from safepip.effects.as_judged import differences, record_of
from safepip.effects.exact import Item, pinned, with_hashes
from safepip.effects.inputs import FIND_LINKS, with_options, with_values
from safepip.effects.keeping import forget
from safepip.effects.requirement_lines import is_direct
from safepip.effects.wheels import read_wheel
from safepip.values.errors import VerifyFailed
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from safepip.effects.parsing import Command
    from safepip.effects.planning import Planned
    from safepip.values.environment import Environment, Interpreter

_SHOWN = 3


@dataclass(frozen=True)
class Act:
    """How pip is started to carry out a plan."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    items: tuple[Item, ...]
    """What it must install, with the wheels that the result is compared with."""
    spared: frozenset[str]
    """Absolute paths that pip writes, and that are put back as they were."""
    is_offline: bool
    """From a private folder with exactly the wheels of the plan."""


def act_for(
    plan: Planned,
    instead: Mapping[str, str],
    command: Command,
    environment: Environment,
    folder: Path,
) -> Act:
    """Give the way to carry out a plan; ``instead`` names wheels to take in place of others."""
    pins = folder / "pins.txt"
    lines = [pinned(item.entry) for item in plan.items if not item.entry.is_direct]
    pins.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    exact = with_hashes(command.arguments, plan.items)
    held = with_options(exact, [*plan.constraints, "-c", str(pins)])
    if not _needs_no_network(plan, instead, command, environment):
        spared = _spared(plan, instead, environment.interpreter)
        return Act(held, command.environ, plan.items, spared, is_offline=False)
    items = tuple(_with_other_wheel(item, instead) for item in plan.items)
    links = _folder_of(items, folder / "judged").as_uri()
    held = with_values(held, FIND_LINKS, dict.fromkeys(command.parsed.find_links, links))
    offline = ["--no-index"]
    if command.parsed.isolated:
        offline += ["--find-links", links]
    # The variable takes the place of a setting in pip's configuration; an option would add to it.
    variables = {**command.environ, "PIP_FIND_LINKS": links}
    return Act(with_options(held, offline), variables, items, frozenset(), is_offline=True)


def _needs_no_network(
    plan: Planned, instead: Mapping[str, str], command: Command, environment: Environment
) -> bool:
    """Say whether pip can be given the plan's wheels as an index, and come to the same plan."""
    parsed, inputs = command.parsed, command.inputs
    entries = [item.entry for item in plan.items]
    asked = (*parsed.arguments, *inputs.requirements)
    requires = [line for entry in entries for line in entry.requires]
    requires += [line for found in environment.distributions for line in found.requires]
    if any(entry.is_direct or not entry.wheel for entry in entries) or any(map(is_direct, asked)):
        return False  # a direct reference is fetched from where it says, and may be built
    if any("@" in line.partition(";")[0] for line in requires):
        return False
    if parsed.editables or inputs.editables or parsed.unseen or inputs.unseen:
        return False
    hashed = parsed.require_hashes or inputs.hashed
    built = any(entry.source != "wheel" for entry in entries)
    if hashed and (built or instead):
        return False  # the user's hashes are of other files
    if built and (parsed.no_binary or any("--no-binary" in line for line in inputs.options)):
        return False
    return not (instead and any("--find-links" in line for line in inputs.options))


def _with_other_wheel(item: Item, instead: Mapping[str, str]) -> Item:
    wheel = item.entry.wheel
    return replace(item, entry=replace(item.entry, wheel=instead.get(wheel, wheel)))


def _folder_of(items: Iterable[Item], folder: Path) -> Path:
    """Give a folder that holds exactly these wheels."""
    folder.mkdir()
    for item in items:
        wheel = item.entry.wheel
        try:
            os.link(wheel, folder / os.path.basename(wheel))
        except OSError:
            shutil.copyfile(wheel, folder / os.path.basename(wheel))
    return folder


def _spared(plan: Planned, instead: Mapping[str, str], interpreter: Interpreter) -> frozenset[str]:
    """Give the paths that pip will write and must not keep: what the other wheels left out."""
    spared: set[str] = set()
    for item in plan.items:
        if (other := instead.get(item.entry.wheel)) is not None:
            whole, less = (read_wheel(wheel) for wheel in (item.entry.wheel, other))
            files = [
                {
                    file.path
                    for file in planned_files(item.entry, contents, interpreter, compiles=True)
                }
                for contents in (whole, less)
            ]
            spared |= files[0] - files[1]
    return frozenset(spared)


def compare(act: Act, interpreter: Interpreter) -> None:
    """Look at what pip installed, and take spared paths out of its lists.

    Raises: VerifyFailed, when it is not what was judged.
    """
    for item in act.items:
        entry = item.entry
        if not entry.wheel:
            continue
        commit = str(item.download.get("vcs_info", {}).get("commit_id", ""))
        if lines := differences(entry, commit, act.spared, interpreter):
            more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
            raise VerifyFailed(
                f"{entry.name} {entry.version} is not what was judged: "
                f"{'; '.join(lines[:_SHOWN])}{more}",
                why="pip fetched or built it a second time, and the result is another",
            )
        if act.spared:
            forget(record_of(entry), act.spared)
