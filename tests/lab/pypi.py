"""Real wheels, fetched once and kept.

The only module of the lab that asks an index for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.lab.packages import from_wheel
from tests.lab.recipes import Recipe, lab_folder
from tests.lab.wheels import Wheel

PIP = "25.3"
"""The release that an environment has unless it asks for another."""

PIPS = ("22.3.1", "23.3.2", "24.3.1", "25.3", "26.3")[0 if sys.version_info < (3, 12) else 1 :]
"""The releases that the suite is run on, as far as the running Python runs them."""

AT_START = dict(os.environ)
"""The variables before any test changed them: fetching must not depend on what a test tells pip."""


def download(requirement: str) -> Wheel:
    """The wheel of a pinned requirement (``numpy==1.26.4``) for the running Python.

    From the lab's folder if it was fetched before; else from the index that plain pip is configured
    with.

    Raises: ValueError, when the requirement is not pinned; subprocess.CalledProcessError.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", requirement):
        raise ValueError(f"expected `name==version`, got `{requirement}`")
    python = f"{sys.implementation.cache_tag}"
    home = lab_folder() / "downloads" / python / requirement.lower()
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        bench = Path(tempfile.mkdtemp(dir=home.parent, prefix=".fetching-"))
        try:
            _fetch(requirement, bench)
            bench.rename(home)
        except OSError:
            if not home.exists():
                raise
        finally:
            shutil.rmtree(bench, ignore_errors=True)
    path = next(home.glob("*.whl"))
    return Wheel(path.name, path.read_bytes())


def _fetch(requirement: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    subprocess.run([*pip, "download", *options, requirement], check=True, env=AT_START)


@cache
def pip(version: str = PIP, *, noarch: bool = False) -> Recipe:
    """The conda package of pip.

    Not noarch, as conda-forge's is, unless asked for: it ships its bytecode, and starts in a
    quarter of the time. (py-rattler compiles nothing.)
    """
    return from_wheel(download(f"pip=={version}"), noarch=noarch)
