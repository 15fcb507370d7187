"""Carrying out the steps of a repair.

What is written is made beside, and takes the place of the old one. Nothing is ever written into a
file that is there: it may be one with a file of the package cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from safepip.decisions.planning.files import bytecode_of
from safepip.effects.first_lines import redirect
from safepip.effects.keeping import forget
from safepip.effects.packages import Row, is_noarch, make, rows_of
from safepip.effects.rewriting import write_record
from safepip.effects.states import BESIDE
from safepip.effects.transaction import all_in
from safepip.values.errors import CannotRepair
from safepip.values.late import dataclass
from safepip.values.repair import Discard, Disown, PutBack, Redirect, TakeOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.effects.packages import Made, Place
    from safepip.values.environment import Environment
    from safepip.values.inspection import Inspection
    from safepip.values.repair import Step

_COMPILE = """
import py_compile, sys
for line in sys.stdin.read().splitlines():
    source, _, target = line.partition("\\t")
    try:
        py_compile.compile(source, cfile=target, doraise=True)
    except Exception:
        pass
"""
_COMPILERS = frozenset({"conda", "mamba", "micromamba"})
_PATIENCE = 300.0
"""Seconds for compiling what is put back."""


@dataclass(frozen=True)
class Site:
    """What the steps are carried out in."""

    environment: Environment
    place: Place
    inspection: Inspection
    folders: Mapping[str, str]
    """Of the unpacked packages, by NAME-VERSION-BUILD."""

    def rows(self, step: PutBack) -> Mapping[str, Row]:
        """Give the files that a step puts back, as the package has them."""
        rows = rows_of(self.folders[step.conda_package], self.place)
        return {path: rows[path] for path in step.paths or rows if path in rows}

    def list_of(self, step: Redirect) -> str:
        """Give the path of the list that has the hashes of these commands; empty for none."""
        if step.distribution is not None:
            return f"{step.distribution.metadata_path}/RECORD"
        records = self.environment.records
        name = next((one.file for one in records if one.dist == step.conda_package), "")
        return f"{self.environment.prefix}/conda-meta/{name}" if name else ""

    def compiled(self, step: PutBack) -> tuple[str, ...]:
        """Give the bytecode that conda made and owns, below the prefix; rattler makes none."""
        rows = self.rows(step)
        if not step.record:
            return tuple(p for p in step.paths if p.endswith(".pyc") and p not in rows)
        if self.environment.manager in _COMPILERS and is_noarch(self.folders[step.conda_package]):
            tag = self.environment.interpreter.cache_tag
            inside = f"{self.place.site_packages}/"
            sources = (p for p in rows if p.endswith(".py") and p.startswith(inside))
            return tuple(bytecode_of(path, tag) for path in sources)
        return ()

    def stale(self, step: PutBack) -> tuple[str, ...]:
        """Give the bytecode of what is put back that nobody owns, below the prefix."""
        tag = self.environment.interpreter.cache_tag
        rows = self.rows(step)
        sources = [path for path in rows if path.endswith(".py")]
        own = {*step.paths, *rows}
        return tuple(p for s in sources if (p := bytecode_of(s, tag)) not in own)


def touched_by(site: Site, steps: Iterable[Step]) -> tuple[list[str], list[str]]:
    """Give the absolute paths that the steps touch, and the folders that they may remove."""
    prefix = site.environment.prefix
    paths: dict[str, None] = {}
    folders: list[str] = []
    for step in steps:
        match step:
            case TakeOut():
                paths.update(dict.fromkeys(step.paths))
                folders += map(os.path.dirname, step.paths)
            case Disown():
                paths[f"{step.distribution.metadata_path}/RECORD"] = None
            case Redirect():
                paths.update((f"{prefix}/{path}", None) for path in step.paths)
                paths.update((path, None) for path in [site.list_of(step)] if path)
            case Discard():
                files, inner = all_in(step.path)
                paths.update(dict.fromkeys(files))
                folders += inner
            case PutBack():
                below = (*site.rows(step), *site.compiled(step), *site.stale(step))
                paths.update((f"{prefix}/{path}", None) for path in below)
                if step.record:
                    paths[f"{prefix}/conda-meta/{step.record}"] = None
    return list(paths), folders


def carry_out(site: Site, step: Step) -> None:
    """Carry out one step.

    Raises: OSError; Unproven, where a file of a package is not what it should be; CannotRepair.
    """
    match step:
        case TakeOut():
            _remove(step.paths, site.environment.prefix)
        case Disown():
            record = f"{step.distribution.metadata_path}/RECORD"
            forget(record, step.paths)
        case Discard():
            files, folders = all_in(step.path)
            for path in files:
                with contextlib.suppress(FileNotFoundError):  # whoever claimed it took it along
                    os.unlink(path)
            for folder in reversed(folders):
                os.rmdir(folder)
        case PutBack():
            _put_back(site, step)
        case Redirect():
            redirect(site.environment.prefix, step, site.list_of(step))


def _remove(paths: Iterable[str], prefix: str) -> None:
    """Remove files, and the folders that are empty then."""
    folders = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        folders.add(os.path.dirname(path))
    while folders:
        above = set()
        for folder in folders:
            with contextlib.suppress(OSError):
                if folder.startswith(f"{prefix}/"):
                    os.rmdir(folder)
                    above.add(os.path.dirname(folder))
        folders = above


def _put_back(site: Site, step: PutBack) -> None:
    environment = site.environment
    details = site.inspection.details.get(step.conda_package)
    hashes = details.hashes if details is not None else {}
    rows = site.rows(step)
    for path, row in rows.items():
        _lay(
            f"{environment.prefix}/{path}",
            make(row, site.place, hashes.get(path, "")),
            environment.prefix,
        )
    for path in site.stale(step):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(f"{environment.prefix}/{path}")
    compiled = site.compiled(step)
    _compile(site, compiled)
    if step.record:
        made = [path for path in compiled if os.path.isfile(f"{environment.prefix}/{path}")]
        folder = site.folders[step.conda_package]
        write_record(site.inspection, step, folder, rows, made)


def _lay(path: str, made: Made, prefix: str) -> None:
    """Have this at a path, in place of what is there."""
    folder = os.path.dirname(path)
    if not f"{os.path.realpath(folder)}/".startswith(f"{prefix}/"):
        raise CannotRepair(f"`{folder}` leads out of the environment")
    if not os.path.isdir(folder):
        _make_room(folder)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)  # not with what somebody may have put into it
    beside = path + BESIDE
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    if made.target:
        os.symlink(made.target, beside)
    elif made.source:
        try:
            os.link(made.source, beside)
        except OSError:  # another file system, or one without links
            shutil.copy2(made.source, beside)
    else:
        with open(beside, "xb") as file:
            file.write(made.data)
        os.chmod(beside, made.mode)
    os.replace(beside, path)
    if os.path.lexists(beside):  # `rename` leaves both names where they lead to one file
        os.unlink(beside)


def _make_room(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise CannotRepair(f"a file lies where the folder `{folder}` should be") from error


def _compile(site: Site, paths: Iterable[str]) -> None:
    """Compile what conda had compiled, with the environment's own Python, as conda does.

    Where it does not start it will do so by itself, once it does.
    """
    prefix = site.environment.prefix
    lines = []
    for path in paths:
        folder, _, name = path.rpartition("/__pycache__/")
        source = f"{folder}/{name.partition('.')[0]}.py"
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(f"{prefix}/{path}")
        if os.path.isfile(f"{prefix}/{source}"):
            lines.append(f"{source}\t{path}")
    if lines:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                [site.environment.interpreter.executable, "-I", "-c", _COMPILE],
                input="\n".join(lines),
                cwd=prefix,  # the path is in the bytecode, and conda gives it from there
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="surrogateescape",
                timeout=_PATIENCE,
                check=False,
            )
