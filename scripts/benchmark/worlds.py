"""The environments that are installed into, and the safepip that does it.

Each environment can be brought back to what it was, which is cheaper than to make it anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmark.artifacts import Shape, shaped
from tests.lab import Recipe, create, download, fake, from_wheel, restyle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LIBRARIES: Mapping[str, int] = {
    "ncurses": 2900,
    "tk": 1350,
    "icu": 820,
    "tzdata": 640,
    "openssl": 180,
    "sqlite": 30,
    "readline": 40,
    "xz": 110,
    "zlib": 12,
    "bzip2": 30,
    "libffi": 20,
    "libgcc": 30,
    "libgomp": 6,
    "libstdcxx": 12,
    "libuuid": 16,
    "ld_impl_linux-64": 6,
    "libexpat": 14,
    "libnsl": 10,
    "libblas": 6,
    "libcblas": 6,
    "liblapack": 6,
    "libopenblas": 10,
    "libgfortran": 8,
    "libxcrypt": 60,
    "ca-certificates": 4,
    "libpng": 40,
    "freetype": 70,
    "libjpeg-turbo": 60,
    "zstd": 24,
}
"""Packages of an ordinary environment that are no distributions, each with its number of files."""

DISTRIBUTIONS = (
    Shape("arrays", 487, 2_000_000, 300, 1_000_000),
    Shape("frames", 900, 3_000_000, 120, 1_000_000, "arrays<3"),
    Shape("plots", 289, 1_500_000, 150, 900_000, "arrays>=1.20"),
    Shape("setup-tools", 430, 1_200_000, 20, 50_000),
    Shape("notebook-like", 320, 900_000, 260, 400_000, "frames"),
    *(Shape(f"tool-{index:02}", 30, 150_000, 6, 20_000) for index in range(9)),
)
"""The distributions that conda owns in an ordinary environment."""

STATE_FOLDER = "conda-meta/safepip"
"""What safepip remembers of an environment; it may keep that from run to run."""


def ordinary(scale: float) -> list[Recipe]:
    """Give 45 packages (with Python and pip) of 15,000 files; fewer files at a smaller scale."""
    libraries = [_library(name, round(count * scale)) for name, count in LIBRARIES.items()]
    versions = {"arrays": "1.26.4"}
    return libraries + [
        from_wheel(
            shaped(shape, versions.get(shape.name, "1.0"), scale=scale),
            noarch=shape.name.startswith("tool"),
        )
        for shape in DISTRIBUTIONS
    ]


def large(scale: float) -> list[Recipe]:
    """Give the ordinary packages and more, so that there are 500 with 250,000 files."""
    each, count = round(515 * scale), round(455 * min(1.0, scale * 4))
    return ordinary(scale) + [_library(f"library-{index:03}", each) for index in range(count)]


def _library(name: str, count: int) -> Recipe:
    paths = [f"lib/{name}.so.1"]
    paths += [f"share/{name}/part_{index // 60}/item_{index}.txt" for index in range(1, count)]
    return fake(name, "1.0", {path: f"{name}: {path}\n" for path in paths})


Stamp = tuple[int, int, int]
"""Inode, size and time of change: another one after any write."""


@dataclass
class World:
    """An environment that can be brought back."""

    prefix: Path
    make: Callable[[Path], None]
    _was: dict[str, Stamp | None] = field(default_factory=dict)

    def begin(self) -> None:
        """Make it."""
        shutil.rmtree(self.prefix, ignore_errors=True)
        self.make(self.prefix)
        # What a first start leaves behind, bytecode for example, belongs to it.
        for arguments in (["list"], ["install", "--help"]):
            python = [str(self.prefix / "bin" / "python"), "-m", "pip", *arguments]
            subprocess.run(python, check=True, stdout=subprocess.DEVNULL, env=clean_environ())
        self._was = dict(_stamps(self.prefix))

    def described(self) -> str:
        """Give its size, in words that follow its name; nothing where it is not conda's."""
        count = sum("/conda-meta/" in path and path.endswith(".json") for path in self._was)
        files = sum(stamp is not None for stamp in self._was.values())
        return f": {count} records, {files:,} files" if count else ""

    def reset(self) -> None:
        """Take away what is new; make all of it anew when something else was done to it."""
        now = dict(_stamps(self.prefix))
        if any(now.get(path, ()) != stamp for path, stamp in self._was.items()):
            self.begin()
            return
        for path in sorted(now.keys() - self._was.keys(), reverse=True):
            if now[path] is None:
                os.rmdir(path)
            else:
                os.unlink(path)


def _stamps(folder: Path) -> Iterator[tuple[str, Stamp | None]]:
    """Give each file with its stamp, and each folder with none."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.path.endswith(STATE_FOLDER):
                        yield entry.path, None
                        waiting.append(entry.path)
                else:
                    stat = entry.stat(follow_symlinks=False)
                    yield entry.path, (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def conda_world(prefix: Path, recipes: list[Recipe], pip: str, *, as_conda: bool = True) -> World:
    """Describe a conda environment; ``as_conda``: with the records of conda, else of rattler."""

    def make(prefix: Path) -> None:
        create(prefix, *recipes, pip=pip)
        if as_conda:
            restyle(prefix, "conda")

    return World(prefix, make)


def venv_world(prefix: Path, pip: str) -> World:
    """Describe a virtual environment with the same pip."""

    def make(prefix: Path) -> None:
        _virtual_environment(prefix)
        wheel = download(f"pip=={pip}").write(prefix.parent / "pip")
        words = [str(prefix / "bin" / "python"), f"{wheel}/pip", "install", "-qq", "--no-index"]
        subprocess.run([*words, str(wheel)], check=True, env=clean_environ())

    return World(prefix, make)


def guarded_world(prefix: Path, recipes: list[Recipe], pip: str, safepip: Path) -> World:
    """Describe two environments that are alike, but that the one beside has a guard."""

    def make(prefix: Path) -> None:
        beside = guarded_beside(prefix)
        shutil.rmtree(beside, ignore_errors=True)
        for folder in (prefix, beside):
            create(folder, *recipes, pip=pip)
        words = [str(safepip), "guard", "on", "--deep", "--env", str(beside)]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL, env=clean_environ())

    return World(prefix, make)


def guarded_beside(prefix: Path) -> Path:
    """Give the place of the environment with a guard that is otherwise like this one."""
    return prefix.with_name("guarded")


def _virtual_environment(prefix: Path) -> None:
    python = getattr(sys, "_base_executable", sys.executable)
    words = [python, "-m", "venv", "--without-pip", str(prefix)]
    subprocess.run(words, check=True, env=clean_environ())


def clean_environ() -> dict[str, str]:
    """Give the variables that any process needs, and nothing of whoever started the benchmark."""
    kept = {name: os.environ[name] for name in ("TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    path = os.pathsep.join(["/usr/bin", "/bin"])
    return {**kept, "PATH": path, "LANG": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull}


def installed_safepip(folder: Path) -> Path:
    """Put safepip and what it needs where an installer would, and give the path of the command.

    An editable install, which developers have, starts by a module that finds it: a fifth of what
    there is to measure. This one has the folders of the project and of its tools on `sys.path`.
    """
    _virtual_environment(folder)
    library = next((folder / "lib").glob("python*/site-packages"))
    places = [str(Path(__file__).resolve().parents[2])]
    places += [path for path in sys.path if path.endswith("site-packages")]
    (library / "places.pth").write_text("".join(f"{place}\n" for place in places), "utf-8")
    command = folder / "bin" / "safepip"
    start = "import sys\n\nfrom safepip.doors.launch import main\n\nsys.exit(main())\n"
    command.write_text(f"#!{folder}/bin/python\n{start}", "utf-8")
    command.chmod(0o755)
    return command
