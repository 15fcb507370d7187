"""The process that solves and installs with py-rattler.

One request is a line of JSON on stdin, and its answer a line on stdout. A process of its own,
because py-rattler's threads can abort the exit of the interpreter that imported it; this one leaves
by `os._exit`. It lives as long as the process that asks, and so does its package cache. Started as
a file: imports nothing of the lab.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import rattler

Stamps = dict[str, tuple[int, int]]


class Cache:
    """The extracted packages that environments are hard-linked from.

    A test that writes into a file of an environment in place changes the cache too: they are one
    inode. So the cache is not shared between processes, and a package whose files were touched is
    extracted again before its next use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps: dict[str, Stamps] = {}

    def drop_damaged(self, records: list[Any]) -> None:
        """Forget those of these packages whose files were touched."""
        for name in {_folder_of(record) for record in records} & self._stamps.keys():
            if (
                not (self.folder / name).is_dir()
                or _stamps(self.folder / name) != self._stamps[name]
            ):
                shutil.rmtree(self.folder / name, ignore_errors=True)
                (self.folder / f"{name}.lock").unlink(missing_ok=True)
                del self._stamps[name]

    def note_new(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in self._stamps:
                self._stamps[path.name] = _stamps(path)


def _folder_of(record: Any) -> str:
    """The name of the folder that a package is extracted to."""
    return f"{record.name.normalized}-{record.version}-{record.build}"


def _stamps(folder: Path) -> Stamps:
    found: Stamps = {}
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    seen = entry.stat(follow_symlinks=False)
                    found[entry.path] = seen.st_mtime_ns, seen.st_size
    return found


async def _install(request: dict[str, Any], cache: Cache) -> list[str]:
    """The file names of the packages that the prefix now holds."""
    records = await rattler.solve(
        sources=[rattler.Channel(request["channel"])],
        specs=request["specs"],
        gateway=rattler.Gateway(cache_dir=cache.folder / "repodata"),
        locked_packages=_there(request["prefix"]) if request["keep"] else None,
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    cache.drop_damaged(records)
    await rattler.install(
        records,
        target_prefix=request["prefix"],
        cache_dir=cache.folder,
        show_progress=False,
        requested_specs=_specs(request["requested"]),
        reinstall_packages=set(request["reinstall"]) or None,
    )
    return sorted(record.file_name for record in records)


def _there(prefix: str) -> list[Any]:
    files = sorted(Path(prefix, "conda-meta").glob("*.json"))
    return [rattler.PrefixRecord.from_path(file) for file in files]


def _specs(texts: list[str]) -> list[Any]:
    """The specs as `rattler.install` takes them: 0.28 unwraps nothing, against its type hint."""
    specs = [rattler.MatchSpec(text) for text in texts]
    return [getattr(spec, "_match_spec", spec) for spec in specs]


def _answer(line: str, cache: Cache) -> dict[str, Any]:
    try:
        names = asyncio.run(_install(json.loads(line), cache))
    except Exception as error:  # noqa: BLE001 - it goes to the process that asked, which raises it
        return {"error": f"{type(error).__name__}: {error}"}
    cache.note_new()
    return {"installed": names}


def main(folder: Path) -> None:
    """Answer until stdin ends, then remove the cache and leave."""
    cache = Cache(folder)
    for line in sys.stdin:
        print(json.dumps(_answer(line, cache)), flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
