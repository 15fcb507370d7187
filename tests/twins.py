"""Plain pip and safepip in two worlds that are the same in everything, also in where they lie.

    assert alike(tmp_path, build, "install", "tool").exit_code == 0

A world is a folder with an environment and all that a command reads; both are made at one path, one
after the other, so that what was written there can be compared byte by byte: shebangs, RECORDs and
URLs hold the path.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests import forked
from tests.forked import SAFEPIP
from tests.guarded import PATIENCE_SECONDS
from tests.lab import CondaEnvironment, Ledger, changed
from tests.lab.ledger import owned_paths, with_modes

ENGINES = ("", "two-pass")
"""The values of `SAFEPIP_ENGINE`: a test of the guard meets both, or one in turn (`engine_for`)."""


def engine_for(test: str) -> str:
    """The engine that a test meets which is not about engines: always the same, by its name.

    Both give the same account of every request (`test_two_pass`), and what is made of an account is
    decided without knowing whose it is. So each half of such tests meets one of them.
    """
    return ENGINES[zlib.crc32(test.encode()) % len(ENGINES)]


_OF_OTHERS = (".git", ".cache", ".rustup")
"""Folders of what pip keeps for itself, and of git's own files."""

_OF_SAFEPIP = "env/conda-meta/safepip/"
"""safepip's own books: no other tool reads them."""
_CHANCE = re.compile(r"pip-([a-z-]+)-[a-z0-9_]{8}")
"""The names of pip's temporary folders."""

_WIDE = "400"
"""Columns, so that a line is broken nowhere: by which name pip was started changes its length."""

_CLONE = re.compile(r"_[0-9a-f]{32}\b")
"""The end of a name that pip makes up for a folder of sources."""

_SAFEPIPS = re.compile(r"^(safepip: |note\[).*\n(  .*\n)*", re.MULTILINE)
"""What safepip says: a line, and those that go on with it."""


@dataclass(frozen=True)
class World:
    """A folder in which one command is run."""

    folder: Path

    @property
    def prefix(self) -> Path:
        """Where the environment is to be made."""
        return self.folder / "env"

    @property
    def links(self) -> Path:
        """What `--find-links` leads to."""
        return self.folder / "links"

    @property
    def work(self) -> Path:
        """The working directory of the command."""
        return self.folder / "work"


Build = Callable[[World], CondaEnvironment]


@dataclass(frozen=True)
class Ran:
    """What a command did, without what differs from one run of plain pip to the next."""

    exit_code: int
    stdout: str
    stderr: str
    """Without the lines of safepip."""
    written: Mapping[str, tuple[str, str]]
    """By path in the world: what was there and what is, with its mode. Of bytecode only the mode,
    because a date is in it."""
    touched: Mapping[str, tuple[str, str]]
    """The conda-owned paths that are not what they were."""
    said: str = field(compare=False, default="")
    """What safepip said on stderr."""


def alike(
    place: Path,
    build: Build,
    *arguments: str,
    pip: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    shell: str = "",
    but: Collection[str] = (),
    says_so_too: bool = True,
) -> Ran:
    """Run the command with plain pip and with both engines, each in a world of its own.

    They are to do the same, and to say the same. Comes back: what one pass did. ``pip``: what
    starts plain pip, when it is not the environment's own. ``shell``: a line for bash, in which
    `"$@"` stands for the command. ``but``: paths whose bytes may differ. ``says_so_too=False``: two
    passes may say it in other words.

    Raises: AssertionError.
    """
    world = World(place / "world")
    found = []
    for engine in (None, *ENGINES):
        environment = make(world, build)
        plain = pip or (str(environment.python), "-m", "pip")
        start = plain if engine is None else SAFEPIP
        start = ("bash", "-c", shell, "bash", *start) if shell else start
        given = {"SAFEPIP_ENGINE": engine or "", **(env or {})}
        done = ran(world, environment, [*start, *arguments], env=given)
        written = {path: ("", "") if path in but else w for path, w in done.written.items()}
        found.append(replace(done, written=written))
        world.folder.rename(place / f"after-{len(found)}")
    by_pip, one_pass, two_pass = found
    assert one_pass == by_pip
    if not says_so_too:
        by_pip, two_pass = (replace(ran, stdout="", stderr="") for ran in (by_pip, two_pass))
    assert two_pass == by_pip
    assert one_pass.touched == {}
    return one_pass


def make(world: World, build: Build) -> CondaEnvironment:
    """Make a world."""
    for folder in (world.work, world.links, world.folder / "tmp", world.folder / "home"):
        folder.mkdir(parents=True)
    return build(world)


def make_again(world: World, build: Build) -> CondaEnvironment:
    """Make a world, at a path where only this build makes worlds: once, and then by a copy of it.

    What has several links, as conda's files have, is linked, and all else copied: so, as anywhere
    in the laboratory, nobody may write into a file of conda's in place. The world that was there is
    put away: what a killed command has left behind may still be at work in it.
    """
    kept = world.folder.with_name(f"{world.folder.name}-as-made")
    if kept in _made:
        used = len(list(world.folder.parent.iterdir()))
        world.folder.rename(world.folder.with_name(f"{world.folder.name}-{used}"))
        shutil.copytree(kept, world.folder, symlinks=True, copy_function=_link_or_copy)
    else:
        _made[kept] = make(world, build)
        shutil.copytree(world.folder, kept, symlinks=True, copy_function=_link_or_copy)
    return _made[kept]


_made: dict[Path, CondaEnvironment] = {}
"""The environments in what was made, by where the copy of their world is."""


def _link_or_copy(source: str, target: str) -> None:
    if os.lstat(source).st_nlink > 1:
        os.link(source, target, follow_symlinks=False)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def ran(
    world: World,
    environment: CondaEnvironment,
    words: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command in a world, and see what it does there."""
    own = {"HOME": str(world.folder / "home"), "TMPDIR": str(world.folder / "tmp")}
    links = {"PIP_FIND_LINKS": str(world.links), "COLUMNS": _WIDE}
    before = with_modes(world.folder, without=_OF_OTHERS)
    owned = owned_paths(environment.prefix)
    given = environment.environ({**own, **links, **(env or {})})
    done = forked.run(words, given, cwd=world.work, timeout=PATIENCE_SECONDS)
    after = with_modes(world.folder, without=_OF_OTHERS)
    owned |= owned_paths(environment.prefix)
    by_safepip = "".join(found.group() for found in _SAFEPIPS.finditer(done.stderr))
    return Ran(
        done.returncode,
        _by_pip(done.stdout),
        _by_pip(_SAFEPIPS.sub("", done.stderr)),
        changed(_written(before), _written(after)),
        changed(_of_conda(before, owned), _of_conda(after, owned)),
        by_safepip,
    )


def _by_pip(text: str) -> str:
    """Give what pip said, by whichever name it was started, without what chance names."""
    said = _CHANCE.sub(r"pip-\1-*", _CLONE.sub("_*", text))
    return re.sub(r"\S*/python\S* -m pip\b", "pip", said)


def _written(contents: Mapping[str, tuple[str, int]]) -> Ledger:
    """What pip is compared by."""
    return {
        path: f"{'bytecode' if path.endswith('.pyc') else what} {mode:o}"
        for path, (what, mode) in contents.items()
        if not path.startswith(_OF_SAFEPIP)
    }


def _of_conda(contents: Mapping[str, tuple[str, int]], owned: Collection[str]) -> Ledger:
    """The files of conda, which lie in `env`."""
    return {path: contents[f"env/{path}"][0] for path in owned if f"env/{path}" in contents}
