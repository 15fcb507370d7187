"""Real conda environments, made in a fraction of a second and without any channel on the net."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.channel import channel
from tests.lab.conversion import SITE_PACKAGES
from tests.lab.installer import install
from tests.lab.interpreter import python
from tests.lab.pypi import PIP
from tests.lab.pypi import pip as pip_package
from tests.lab.recipes import Recipe
from tests.lab.wheels import normalised

NOT_INHERITED = ("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""Of other Pythons: they would bend the environment's."""


@dataclass(frozen=True)
class CondaEnvironment:
    """An environment, by its place and by the packages it was made of."""

    prefix: Path
    recipes: tuple[Recipe, ...]

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return self.prefix / SITE_PACKAGES

    @property
    def conda_meta(self) -> Path:
        return self.prefix / "conda-meta"

    def environ(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of a shell in which this environment is active, with ``env`` on top."""
        kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        path = os.pathsep.join([str(self.prefix / "bin"), kept.get("PATH", os.defpath)])
        active = {
            "CONDA_PREFIX": str(self.prefix),
            "CONDA_DEFAULT_ENV": str(self.prefix),
            "CONDA_SHLVL": "1",
        }
        return {**kept, **active, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(env or {})}

    def run(
        self,
        *argv: str | Path,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        cwd: Path | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a program with the environment active, and catch what it says.

        Raises: CommandFailed.
        """
        command = [str(part) for part in argv]
        done = subprocess.run(
            command,
            env=self.environ(env),
            cwd=cwd or self.prefix,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise CommandFailed(done)
        return done

    def pip(
        self, *args: str | Path, env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's own pip, plain."""
        return self.run(self.python, "-m", "pip", *args, env=env, check=check)

    def freeze(self) -> list[str]:
        """The lines of ``pip freeze --all``."""
        return self.pip("freeze", "--all").stdout.splitlines()

    def distributions(self) -> dict[str, str]:
        """Version by normalised name of what Python tools see in site-packages; needs no pip."""
        found = importlib.metadata.distributions(path=[str(self.site_packages)])
        return {normalised(one.metadata["Name"]): one.version for one in found}


class CommandFailed(Exception):
    """A command ended with another status than 0."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"{done.args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.done = done


def create(
    prefix: Path,
    *recipes: Recipe,
    pip: str | None = PIP,
    available: Sequence[Recipe] = (),
    requested: Sequence[str] | None = None,
) -> CondaEnvironment:
    """A conda environment at ``prefix`` with Python, pip and these packages.

    ``pip``: its release, or ``None`` for an environment without pip.

    The records are py-rattler's, and ``history`` is empty, as py-rattler leaves it;
    `shapes.restyle` changes both. ``available``: further packages of the same channel, not
    installed. ``requested``: what the records name as asked for; every package by its name if
    ``None``.

    The files are hard links into a package cache that lives as long as this process. A file that is
    changed in place is changed in all environments made before; to alter one as installers do, use
    `replace`.
    """
    given = {recipe.name for recipe in recipes}
    wanted = [] if "python" in given else [python()]
    wanted += [] if pip is None or "pip" in given else [pip_package(pip)]
    return _install(prefix, (*wanted, *recipes), available, requested)


def change(
    environment: CondaEnvironment,
    *recipes: Recipe,
    remove: Sequence[str] = (),
    reinstall: Sequence[str] = (),
) -> CondaEnvironment:
    """The environment after conda installed and removed these packages.

    They replace those of their names. What pip did to the environment meanwhile is as unknown to
    this as it is to conda. ``reinstall``: names of packages to be written anew as they are.
    """
    new = {recipe.name for recipe in recipes}
    kept = tuple(one for one in environment.recipes if one.name not in {*new, *remove})
    return _install(environment.prefix, (*kept, *recipes), reinstall=reinstall)


def replace(path: Path, data: str | bytes) -> None:
    """Put other bytes at ``path``, but not into the package cache that it may be a hard link to."""
    mode = path.stat().st_mode if path.exists() else None
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    if mode is not None:
        path.chmod(mode)


def _install(
    prefix: Path,
    recipes: tuple[Recipe, ...],
    available: Sequence[Recipe] = (),
    requested: Sequence[str] | None = None,
    reinstall: Sequence[str] = (),
) -> CondaEnvironment:
    asked = [recipe.name for recipe in recipes] if requested is None else requested
    specs = [recipe.spec for recipe in recipes]
    install(prefix, channel([*recipes, *available]), specs, requested=asked, reinstall=reinstall)
    return CondaEnvironment(prefix, recipes)
