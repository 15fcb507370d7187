"""A conda environment with IPython's kernel in it, and that kernel at work.

    with kernel(place, environ) as at_work:
        assert at_work.run("%safepip list").error == ""

The packages are those that the tests' own Python has, by the same versions.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager
from packaging.requirements import Requirement

from tests.lab import CondaEnvironment, Recipe, download, from_wheel
from tests.lab.wheels import normalised

PATIENCE_SECONDS = 120
NAME = "lab"
_LARGE = ("debugpy", "jedi")
_COLOUR = re.compile(r"\x1b\[[\d;]*m|\r")


@cache
def kernel_packages(*more: str) -> tuple[Recipe, ...]:
    """What conda would install for ipykernel, and more. Not noarch: that ships its bytecode.

    Less what is large, and missed by no kernel.
    """
    pinned = kernel_requirements(*more, without=_LARGE)
    return tuple(from_wheel(download(each), noarch=False, depends=[]) for each in pinned)


def kernel_requirements(*more: str, without: tuple[str, ...] = ()) -> list[str]:
    """What ipykernel and more need: `name==version`, as in the tests' own Python."""
    found: dict[str, str] = {}
    wanted = ["ipykernel", *more]
    while wanted:
        name = wanted.pop()
        if name not in (*found, *without):
            known = distribution(name)
            found[name] = known.version
            needs = [Requirement(line) for line in known.requires or ()]
            here = (r for r in needs if r.marker is None or r.marker.evaluate({"extra": ""}))
            wanted += [normalised(requirement.name) for requirement in here]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


@dataclass
class Cell:
    """What became of a cell."""

    painted: str = ""
    """What it wrote, with colours."""
    shown: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    """The traceback."""

    @property
    def streams(self) -> str:
        """What it wrote, without colours."""
        return _COLOUR.sub("", self.painted)

    @property
    def card(self) -> str:
        """The plain text of the one thing that was shown; empty where nothing was."""
        return "".join(data["text/plain"] for data in self.shown)


class AtWork:
    """A kernel that runs, and its one client."""

    def __init__(self, manager: KernelManager) -> None:
        self._client = manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE_SECONDS)

    def run(self, code: str) -> Cell:
        """Run a cell. Nobody answers what it may ask."""
        cell = Cell()

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    cell.painted += content["text"]
                case "display_data" | "execute_result":
                    cell.shown.append(content["data"])
                case "error":
                    cell.error = "\n".join(content["traceback"])
                case _:
                    pass

        run = self._client.execute_interactive
        run(code, allow_stdin=False, timeout=PATIENCE_SECONDS, output_hook=hear)
        return cell

    def value(self, expression: str) -> Any:
        """The value of an expression, which is JSON."""
        cell = self.run(f"print(__import__('json').dumps({expression}))")
        assert not cell.error, cell
        return json.loads(cell.streams)

    def close(self) -> None:
        self._client.stop_channels()


def write_spec(place: CondaEnvironment, folder: Path) -> Path:
    """Make the kernel known by the name `lab`, and give the folder for `JUPYTER_PATH`."""
    spec = folder / "kernels" / NAME
    spec.mkdir(parents=True)
    words = [str(place.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": words, "display_name": "lab", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@contextmanager
def kernel(place: CondaEnvironment, environ: Mapping[str, str], folder: Path) -> Iterator[AtWork]:
    """A kernel of the environment as a server starts it that has these variables."""
    path = str(write_spec(place, folder))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = path
    try:
        manager = KernelManager(kernel_name=NAME)
        given, null = {**environ, "IPYTHONDIR": str(folder)}, subprocess.DEVNULL
        manager.start_kernel(env=given, cwd=str(folder), stdout=null, stderr=null)
    finally:
        os.environ.pop("JUPYTER_PATH")
        if before is not None:
            os.environ["JUPYTER_PATH"] = before
    at_work = None
    try:
        at_work = AtWork(manager)
        yield at_work
    finally:
        if at_work is not None:
            at_work.close()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
