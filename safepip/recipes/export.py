"""`export` and `constraints`: files from which an environment can be made again.

both books ─┐
origins ────┼─▶ Sheet ─▶ environment.yml, and the constraints beside it
journal ────┘
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.exporting.asked import asked_for, sources_of
from safepip.decisions.exporting.conda_part import provided
from safepip.decisions.exporting.constraints import (
    are_of,
    constraints_text,
    is_constraints,
    stale,
)
from safepip.decisions.exporting.dropped import dropped
from safepip.decisions.exporting.lines import cloned_in
from safepip.decisions.exporting.lock import explicit_text, from_index, pylock, without_hash
from safepip.decisions.exporting.names import free_name, lock_names
from safepip.decisions.exporting.pip_part import counted
from safepip.decisions.exporting.sheet import (
    Known,
    as_it_should_be,
    asked_here,
    of_pip_only,
    requirements_text,
    sheet_of,
)
from safepip.decisions.fixing.commands import command_line
from safepip.decisions.fixing.shell import shell_of
from safepip.effects.environment_files import (
    environment_file_of,
    read_environment_file,
    updated_text,
)
from safepip.effects.interpreters import ask_python
from safepip.effects.journal import Journal, timestamp
from safepip.effects.locking import find_artifacts, toml_text
from safepip.effects.origins import own_only, read_origins
from safepip.effects.reading import read_environment
from safepip.effects.wishes import read_packages, read_variables
from safepip.effects.writing import text_at, write_changed
from safepip.values.environment_file import EnvironmentFile
from safepip.values.errors import CannotLock, UsageError
from safepip.values.late import dataclass
from safepip.values.text import shown
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.decisions.exporting.sheet import Wanted
    from safepip.values.environment import Environment
    from safepip.values.sheet import Note, Sheet
    from safepip.values.target import Target

_BY_US = ", by safepip export\n"
"""How the first line of such a file ends."""


@dataclass(frozen=True)
class Exported:
    """What was told of an environment, and where."""

    environment: Environment
    sheet: Sheet
    text: str
    """Of the file itself."""
    written: tuple[str, ...] = ()
    """The files that were written; those that say it already are not."""


def export(
    target: Target,
    environ: Mapping[str, str],
    wanted: Wanted,
    *,
    path: str = "",
    as_requirements: bool = False,
    lock: bool = False,
) -> Exported:
    """Tell how to make an environment again; in files where ``path`` is one, else only as text.

    ``lock``: also by exact artifacts, in two files beside it.

    Raises: SafepipError.
    """
    environment = read_environment(target.prefix, ask_python(target.python, environ))
    environment = own_only(environment)
    folder = os.path.dirname(os.path.realpath(path)) if path else ""
    holds = wanted.holds and bool(path) and not wanted.from_history
    wanted = replace(wanted, folder=folder, holds=holds)
    is_update = not as_requirements and os.path.lexists(path)
    before = read_environment_file(path) if is_update else EnvironmentFile(path)
    known = known_of(environment, (line.text for line in before.lines))
    sheet = sheet_of(environment, known, wanted)
    head = f"# {shown(environment.name)}, as of {timestamp()}{_BY_US}"
    if as_requirements:
        there = text_at(path) if path else ""
        refuse_others(path, there)
        sheet = of_pip_only(sheet)
        text = requirements_text(sheet, head)
        text = _with_old_head(there, text)
    else:
        text = _with_new_head(path, updated_text(path, sheet, head), head)
        if is_update:
            gone = dropped(before, environment_file_of(path, text))
            sheet = replace(sheet, notes=(*gone, *sheet.notes))
    texts = {path: text} if path else {}
    if holds and sheet.entries:
        beside = os.path.join(os.path.dirname(path), wanted.constraints)
        whole, *_ = as_it_should_be(environment, known.entries)
        instead = _instead(target, environment, path, beside)
        texts = {beside: constraints_for(beside, whole, instead), **texts}
    if lock:
        locks, notes = locked_texts(target, environ, environment, known, path)
        texts |= locks
        sheet = replace(sheet, notes=tuple(dict.fromkeys((*sheet.notes, *notes))))
    return Exported(environment, sheet, text, write_changed(texts))


def _instead(target: Target, environment: Environment, path: str, beside: str) -> Fix:
    """Give what to do where the file of constraints there is somebody else's.

    Beside the one of another environment lies a file that is not this one's to write, either.
    """
    shell = shell_of(target)
    if is_constraints(text_at(beside)):
        other = free_name(path, environment.name)
        return Fix(shell.safepip(("export", "-f", other)), "have a file of its own")
    other = f"conda-{os.path.basename(beside)}"
    command = shell.safepip(("export", "-f", path, "--constraints", other))
    return Fix(command, "have safepip's under another name")


def _with_new_head(path: str, text: str, head: str) -> str:
    """Give a text with the time of now in safepip's head, where it says something else by now."""
    first, end, rest = text.partition("\n")
    is_ours = f"{first}{end}".endswith(_BY_US) and _is_of(first, head)
    is_same = not is_ours or text == text_at(path)
    return text if is_same else f"{head}{rest}"


def _with_old_head(there: str, text: str) -> str:
    """Give what is there where no more than its first line differs, which tells the time."""
    return there if there.partition("\n")[2] == text.partition("\n")[2] else text


def locked_texts(
    target: Target,
    environ: Mapping[str, str],
    environment: Environment,
    known: Known,
    path: str,
) -> tuple[Mapping[str, str], tuple[Note, ...]]:
    """Give the texts of the locks beside an environment file, by path.

    Raises: CannotLock; UsageError.
    """
    head = f"# {shown(environment.name)}, as of {timestamp()}{_BY_US}"
    paths = lock_names(path)
    there = [text_at(one) for one in paths]
    for one, text in zip(paths, there, strict=True):
        refuse_others(one, text)
        if text and not _is_of(text, head):
            raise _not_ours(one, "is the lock of another environment")
    environment, taken, _ = as_it_should_be(environment, known.entries)
    records = provided(environment, taken)
    explicit, notes = explicit_text(head, records, known.packages)
    of_pip = [one for one in counted(environment).values() if one.record is None]
    asked = asked_here(environment, known)
    artifacts = {name: (one.url, one.sha256) for name, one in asked.items() if one.sha256}
    unknown = from_index(of_pip, known.origins, artifacts)
    sources = [words for one in unknown for words in sources_of(asked.get(one.name))]
    artifacts |= find_artifacts(target, unknown, tuple(dict.fromkeys(sources)), environ)
    found = pylock(
        of_pip,
        known.origins,
        artifacts,
        python=environment.interpreter.minor,
        folder=os.path.dirname(os.path.realpath(path)),
    )
    if bare := without_hash(found):
        raise CannotLock(", ".join(bare), "nobody wrote down a hash of it")
    texts = (explicit, toml_text(found, head))
    told = map(_with_old_head, there, texts)
    return dict(zip(paths, told, strict=True)), notes


def _is_of(text: str, head: str) -> bool:
    """Say whether the head of a file names the same environment."""
    return text.partition(", as of ")[0] == head.partition(", as of ")[0]


def refuse_others(path: str, there: str, instead: Fix | None = None) -> None:
    """Refuse to write over what somebody wrote. ``instead``: what to do, if not to put it aside.

    Raises: UsageError.
    """
    if there.strip() and _BY_US not in f"{there.partition(chr(10))[0]}\n":
        raise _not_ours(path, "is there, and was not written by safepip", instead)


def _not_ours(path: str, what: str, instead: Fix | None = None) -> UsageError:
    aside = Fix(command_line("mv", path, f"{path}.before"), "put it aside")
    return UsageError(
        f"`{shown(path)}` {what}", why="what is there would be lost", fixes=[instead or aside]
    )


def known_of(environment: Environment, lines: Iterable[str] = ()) -> Known:
    """Read what is known of an environment besides its books. ``lines``: of a file of it."""
    prefix = environment.prefix
    entries = tuple(Journal(prefix).entries())
    cloned = {name for name, one in asked_for(entries).items() if one.cloned}
    of_pip = [d for d in environment.distributions if d.record is None]
    return Known(
        origins=read_origins(prefix, of_pip, cloned.union(map(cloned_in, lines))),
        packages=read_packages(prefix, environment.records),
        entries=entries,
        variables=read_variables(prefix),
    )


def constraints_for(path: str, environment: Environment, instead: Fix | None = None) -> str:
    """Give the text for a file of constraints; the one that is there where that is not stale.

    ``instead``: what to do where somebody else's is there.

    Raises: UsageError, where there is another file.
    """
    there = text_at(path)
    if not is_constraints(there):
        refuse_others(path, there, instead)
    elif not are_of(there, environment):
        raise _not_ours(path, "has the versions of another environment", instead)
    if there and not stale(there, environment):
        return there
    return constraints_text(environment, timestamp(), there)
