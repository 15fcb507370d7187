"""The environment, the index, the home and the working folder that a case is about."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace as replaced
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tests.cases.reading import Case, Package
from tests.lab import (
    CondaEnvironment,
    Recipe,
    Wheel,
    change,
    create,
    download,
    fake,
    from_wheel,
    make_project,
    make_sdist,
    make_wheel,
    replace,
    write_index,
)
from tests.lab.contents import conda_bounds, read_label
from tests.lab.wheels import as_module, normalised

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/{PYTHON}/site-packages"


class World:
    """One case, in a folder of its own; its environments are alike, byte for byte."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.work = folder / "here"
        self.home = folder / "home"
        self.recipes = tuple(self._recipe(package) for package in case.conda)
        self._fill_work()
        self._fill_home()
        self.behind = create(folder / "behind") if case.behind else None
        self.index = "" if case.real else self._index()

    @property
    def env(self) -> dict[str, str]:
        """The variables of the person's shell, but for those of the active environment."""
        given = {name: self._placed(text) for name, text in self.case.env.items()}
        # Compiling what real wheels bring takes minutes in all, and shows nothing new. The variable
        # sets the value behind `--no-compile`, which is whether to compile: so 0 it is.
        where = {"PIP_NO_COMPILE": "0"} if self.case.real else {"PIP_INDEX_URL": self.index}
        alone = {} if self.case.real else {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""}
        return {"HOME": str(self.home), **alone, **where, **given}

    def words(self, command: str) -> list[str]:
        """pip's arguments."""
        return [self._placed(word) for word in command.split()]

    def environment(self, name: str) -> CondaEnvironment:
        """One more environment."""
        place = self.folder / name
        pip = self.case.pip or None
        made = create(place, *self.recipes, pip=pip, available=tuple(self._available()))
        if self.case.pip_owned:
            files = [_wheel(one).write(self.folder / "wheels") for one in self.case.pip_owned]
            made.pip("install", "--no-index", "--no-deps", *files)
        if self.case.later:
            made = change(made, *(self._recipe(package) for package in self.case.later))
        for old, new in self.case.copies.items():
            shutil.copytree(place / _placed_in(old), place / _placed_in(new))
        for path, (was, becomes) in self.case.edits.items():
            text = (place / _placed_in(path)).read_text(encoding="utf-8")
            assert was in text, f"expected `{was}` in {path}"
            replace(place / _placed_in(path), text.replace(was, becomes))
        for pattern in self.case.deletes:
            found = list(place.glob(_placed_in(pattern)))
            assert found, f"expected {pattern}"
            for each in found:
                each.unlink()
        for new, text in self.case.writes.items():
            replace(place / _placed_in(new), text)
        return made

    def path(self, environment: CondaEnvironment) -> dict[str, str]:
        """`PATH`, where another environment is on it."""
        if self.behind is None:
            return {}
        folders = [environment.prefix / "bin", self.behind.prefix / "bin", os.environ["PATH"]]
        return {"PATH": os.pathsep.join(map(str, folders))}

    def _placed(self, text: str) -> str:
        return text.replace("{here}", str(self.work))

    def _index(self) -> str:
        (self.folder / "index").mkdir()
        return write_index(self.folder / "index", [_wheel(one) for one in self.case.index])

    def _fill_work(self) -> None:
        self.work.mkdir(parents=True)
        for path, text in self.case.folder.items():
            (self.work / path).write_text(self._placed(text), encoding="utf-8")
        for project in self.case.projects:
            make_project(
                self.work / project.name,
                project.name,
                project.version,
                requires=project.needs,
                build_requires=project.build_needs,
            )
            if project.git:
                _commit(self.work / project.name)
        for one in self.case.python_path:
            _unpack(_wheel(one), self.work / "elsewhere")

    def _fill_home(self) -> None:
        self.home.mkdir(parents=True)
        for one in self.case.user_site:
            _unpack(_wheel(one), self.home / ".local" / "lib" / PYTHON / "site-packages")

    def _recipe(self, package: Package) -> Recipe:
        if package.tool:
            files = {_placed_in(path): f"# {package.name}'s {path}\n" for path in package.files}
            files.update({_placed_in(path): text for path, text in package.texts.items()})
            return fake(package.name, package.version, files, depends=package.depends or ())
        wheel = _wheel(package)
        extra = {_placed_in(path): f"# conda's {path}\n" for path in package.extra_files}
        return from_wheel(
            wheel,
            name=package.conda or None,
            noarch=package.noarch,
            channel=package.channel,
            info=package.info,
            extra_files=extra,
            depends=self._depends(package, wheel),
        )

    def _available(self) -> Iterator[Recipe]:
        """What conda's channel has besides what is installed."""
        if self.case.real:
            return
        conda = {normalised(one.name): one for one in self.case.conda if not one.tool}
        conda["pip"] = Package(name="pip", version=self.case.pip, noarch=True)
        for one in self.case.index:
            there = conda.get(normalised(one.name))
            if there is not None and one.version != there.version and not one.sdist:
                yield self._recipe(replaced(one, conda=there.conda, noarch=there.noarch))
        yield from map(self._recipe, self.case.available)

    def _depends(self, package: Package, wheel: Wheel) -> Sequence[str]:
        """The requirements that hold in this environment: a channel's are right about it."""
        if package.depends is not None:
            return package.depends
        there = {normalised(one.name): one for one in self.case.conda if not one.tool}
        found = []
        for line in read_label(wheel).metadata.get_all("Requires-Dist", []):
            try:
                asked = Requirement(line)
            except InvalidRequirement:
                continue
            one = there.get(normalised(asked.name))
            applies = asked.marker is None or asked.marker.evaluate({"extra": ""})
            if one and applies and asked.specifier.contains(one.version, prereleases=True):
                name = one.conda or normalised(one.name)
                found.append(f"{name} {conda_bounds(str(asked.specifier))}".strip())
        return sorted(set(found))


def _wheel(package: Package) -> Wheel:
    """The real one, or the stand-in."""
    if package.real:
        return download(f"{package.name}=={package.version}")
    if package.sdist:
        return make_sdist(package.name, package.version, requires=package.needs)
    module = as_module(package.name)
    files = package.files or (f"{module}/__init__.py",)
    made = {path: f"# {path} of {package.name} {package.version}\n" for path in files}
    return make_wheel(
        package.name,
        package.version,
        made,
        requires=package.needs,
        provides_extra=package.extras,
        scripts=dict.fromkeys(package.scripts, f"{module}:main"),
        data_files=dict.fromkeys(package.data, f"{package.name} {package.version}\n"),
    )


def _placed_in(path: str) -> str:
    return path.replace("{site}", SITE).replace("{stdlib}", f"lib/{PYTHON}")


def _unpack(wheel: Wheel, folder: Path) -> None:
    zipfile.ZipFile(io.BytesIO(wheel.data)).extractall(folder)


def _commit(folder: Path) -> None:
    """Make a folder a repository with one commit, whoever runs this."""
    author = ["-c", "user.name=lab", "-c", "user.email=lab@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["add", "--force", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", *author, *words], cwd=folder, check=True)
