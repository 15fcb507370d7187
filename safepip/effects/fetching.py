"""Getting the artifacts of a plan onto disk, as wheels, by pip itself: each once.

What an index gave with a hash is asked for by name, version and hash, so that it is the same file.
Everything else (a checkout, a folder, an archive without a hash) needs a call of its own, because
to pip one hash means hashes for all.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from safepip.effects.editable import wheel_of_editable
from safepip.effects.exact import Item, file_name, line_for
from safepip.effects.wheels import sha256_of
from safepip.values.errors import CannotJudge, UnreadableWheel
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from safepip.effects.catching import Catcher
    from safepip.effects.parsing import Command
    from safepip.effects.processes import Processes
    from safepip.effects.streams import Said

_NOT_INHERITED = (
    *("PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_GROUP", "PIP_REQUIREMENTS_FROM_SCRIPT"),
    *("PIP_ONLY_DEPS", "PIP_ONLY_DEPENDENCIES", "PIP_WHEEL_DIR", "PIP_REPORT", "PIP_DRY_RUN"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_UPGRADE", "PIP_FORCE_REINSTALL"),
)
"""What `pip install` was told by variables, and `pip wheel` must not be told again."""


class PipFailed(Exception):
    """A quiet pip ended without what was wanted of it."""

    def __init__(self, code: int, said: Said, *, after: Said | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.said = said
        self.after = after
        """What was said in the dry run, when only fetching failed."""

    @property
    def reason(self) -> str:
        """The last error in what pip said."""
        errors = [line for line in self.said.text.splitlines() if line.startswith("ERROR: ")]
        return errors[-1].removeprefix("ERROR: ") if errors else ""


class Fetcher:
    """Fetches for one command; what it fetched for one plan it has for the next."""

    def __init__(
        self,
        processes: Processes,
        pip: Callable[[Sequence[str]], tuple[str, ...]],
        environ: Mapping[str, str],
        folder: Path,
        catcher: Catcher,
    ) -> None:
        self._catcher = catcher
        self._processes = processes
        self._pip = pip
        self._environ = {k: v for k, v in environ.items() if k not in _NOT_INHERITED}
        self._folder = folder
        self._known: dict[tuple[str, ...], str] = {}
        self._count = 0
        self.said: list[Said] = []
        """What pip said to each call."""

    def wheels_of(
        self, items: Sequence[Item], command: Command, logins: Iterable[str]
    ) -> list[str]:
        """Give the wheel of each item; an empty path where none is made (legacy editable).

        Raises: PipFailed, CannotJudge.
        """
        self._count += 1
        folder = self._folder / f"wheels-{self._count}"
        folder.mkdir()
        for item in items:
            if _key(item) not in self._known and (path := self._at_hand(item, folder)):
                self._known[_key(item)] = path
        new = [item for item in items if _key(item) not in self._known]
        editables = [item for item in new if item.entry.source == "editable"]
        others = [item for item in new if item.entry.source != "editable"]
        urls = list(logins)
        hashed = [item for item in others if item.entry.sha256]
        rest = [item for item in others if not item.entry.sha256]
        self._fetch(hashed, folder, command, urls)
        self._fetch(rest, folder, command, urls)
        self._note(others, folder)
        for item in editables:
            project = str(item.download["url"])
            self._known[_key(item)] = self._built_editable(project, folder, command)
        return [self._known[_key(item)] for item in items]

    def _fetch(
        self,
        items: Sequence[Item],
        folder: Path,
        command: Command,
        urls: Sequence[str],
    ) -> None:
        if not items:
            return
        lines = list(command.inputs.options)
        for item in items:
            # Without a cache only: in the cache it would be found under the address of this copy.
            sdist = "" if command.parsed.caches else self._caught(item)
            lines.append(line_for(item, command.inputs, urls, sdist))
        locked = folder / f"locked-{len(os.listdir(folder))}.txt"
        locked.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments = ["wheel", "--no-deps", "-w", str(folder), "-r", str(locked)]
        code, said = self._call(arguments, command)
        self.said.append(said)
        if code != 0:
            raise PipFailed(code, said)

    def _call(self, arguments: Sequence[str], command: Command) -> tuple[int, Said]:
        words = [*arguments, *command.parsed.network, "--disable-pip-version-check"]
        return self._processes.run_quietly(self._pip(words), self._environ)

    def _at_hand(self, item: Item, folder: Path) -> str:
        """Give a copy of a wheel that need not be fetched; empty when there is none.

        It lies in a folder of the user's, or the dry run has downloaded it.
        """
        if item.entry.source != "wheel":
            return ""
        parts = urlsplit(str(item.download.get("url")))
        path = unquote(parts.path) if parts.scheme == "file" else self._caught(item)
        if not os.path.isfile(path):
            return ""
        copy = folder / file_name(item)
        shutil.copyfile(path, copy)
        if sha256_of(str(copy)) == item.entry.sha256:
            return str(copy)
        copy.unlink()
        return ""

    def _caught(self, item: Item) -> str:
        sha256 = item.entry.sha256
        return self._catcher.find(file_name(item), sha256) if sha256 else ""

    def _built_editable(self, project: str, folder: Path, command: Command) -> str:
        def install(arguments: Sequence[str]) -> bool:
            return self._call(arguments, command)[0] == 0

        return wheel_of_editable(project, folder, install)

    def _note(self, items: Sequence[Item], folder: Path) -> None:
        found = _wheels_in(folder)
        for item in items:
            entry = item.entry
            wheel = found.get(entry.name)
            if wheel is None:
                raise CannotJudge(
                    f"pip planned {entry.name} {shown(entry.version)}, and fetched "
                    f"{', '.join(sorted(os.listdir(folder)))}"
                )
            if entry.source == "wheel" and entry.sha256 and sha256_of(wheel) != entry.sha256:
                raise UnreadableWheel(os.path.basename(wheel), "its hash is not the planned one")
            self._known[_key(item)] = wheel


def _key(item: Item) -> tuple[str, ...]:
    entry = item.entry
    commit = str(item.download.get("vcs_info", {}).get("commit_id", ""))
    return (entry.name, entry.version, entry.url, entry.sha256, commit)


def _wheels_in(folder: Path) -> Mapping[str, str]:
    """Give the wheels in a folder by name; a plan has one of each."""
    return {normalised(path.name.partition("-")[0]): str(path) for path in folder.glob("*.whl")}
