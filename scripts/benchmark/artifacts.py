"""The wheels that are installed, and those that the conda packages are made of.

Either real ones, fetched once from the index that plain pip is configured with and kept in the
lab's folder; or made here, with as many files and bytes as those.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.lab import Wheel, lab_folder, make_wheel
from tests.lab.pypi import AT_START

SET = ("pandas", "matplotlib", "requests", "rich", "jinja2", "click", "attrs")
"""Seven requirements that pip answers with 25 wheels: 5,500 files, 57 MB."""


class Shape(NamedTuple):
    """The size of a wheel: how many modules with how many bytes, and how much besides."""

    name: str
    modules: int
    module_bytes: int
    others: int
    other_bytes: int
    requires: str = ""


LIKE_THE_SET = (
    Shape("like-attrs", 19, 193_000, 13, 40_000),
    Shape("like-certifi", 5, 4_000, 4, 238_000),
    Shape("like-charset-normalizer", 12, 192_000, 10, 590_000),
    Shape("like-click", 17, 444_000, 2, 5_000),
    Shape("like-contourpy", 17, 120_000, 7, 944_000, "like-numpy"),
    Shape("like-cycler", 1, 16_000, 3, 5_000),
    Shape("like-fonttools", 352, 4_697_000, 56, 18_786_000),
    Shape("like-idna", 10, 332_000, 3, 10_000),
    Shape("like-jinja2", 25, 490_000, 3, 6_000, "like-markupsafe"),
    Shape("like-kiwisolver", 2, 2_000, 8, 5_586_000),
    Shape("like-markdown-it-py", 66, 239_000, 5, 19_000, "like-mdurl"),
    Shape("like-markupsafe", 2, 13_000, 9, 53_000),
    Shape(
        "like-matplotlib",
        *(289, 8_077_000, 342, 16_908_000),
        "like-contourpy like-cycler like-fonttools like-kiwisolver like-numpy like-packaging "
        "like-pillow like-pyparsing like-python-dateutil",
    ),
    Shape("like-mdurl", 6, 18_000, 2, 4_000),
    Shape("like-numpy", 487, 9_118_000, 676, 48_241_000),
    Shape("like-packaging", 22, 481_000, 4, 17_000),
    Shape(
        "like-pandas",
        *(1440, 24_537_000, 277, 19_126_000),
        "like-numpy like-python-dateutil like-tzdata",
    ),
    Shape("like-pillow", 97, 1_176_000, 44, 19_209_000),
    Shape("like-pygments", 343, 4_577_000, 3, 43_000),
    Shape("like-pyparsing", 17, 471_000, 3, 17_000),
    Shape("like-python-dateutil", 21, 304_000, 2, 19_000),
    Shape(
        "like-requests",
        *(19, 217_000, 4, 17_000),
        "like-certifi like-charset-normalizer like-idna like-urllib3",
    ),
    Shape("like-rich", 100, 1_218_000, 2, 27_000, "like-markdown-it-py like-pygments"),
    Shape("like-tzdata", 22, 300, 608, 582_000),
    Shape("like-urllib3", 36, 434_000, 3, 15_000),
)
"""The 25 wheels as they were in the autumn of 2026."""

SMALL = Shape("bench-small", 5, 20_000, 1, 2_000)
MEDIUM = Shape("bench-medium", 300, 3_000_000, 20, 100_000)


class WheelSet(NamedTuple):
    """What a person asks for, and what pip has to fetch for it."""

    requirements: tuple[str, ...]
    wheels: tuple[Wheel, ...]


def the_set(*, offline: bool) -> WheelSet:
    """Give the 25 wheels: real ones, or of the same shape."""
    if not offline:
        return WheelSet(SET, tuple(_fetched()))
    asked = tuple(f"like-{name}" for name in SET)
    return WheelSet(asked, tuple(map(shaped, LIKE_THE_SET)))


def a_tiny_set() -> WheelSet:
    """Give four wheels in place of the 25, to see whether anything runs at all."""
    asked = ("like-jinja2", "like-click", "like-attrs")
    wanted = [shape for shape in LIKE_THE_SET if shape.name in {*asked, "like-markupsafe"}]
    return WheelSet(asked, tuple(shaped(shape, scale=0.1) for shape in wanted))


def _fetched() -> list[Wheel]:
    home = lab_folder() / "downloads" / f"{sys.implementation.cache_tag}-bench"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        bench = Path(tempfile.mkdtemp(dir=home.parent, prefix=".fetching-"))
        try:
            pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
            command = [*pip, "download", "--only-binary=:all:", "--dest", str(bench), *SET]
            subprocess.run(command, check=True, env=AT_START)
            bench.rename(home)
        finally:
            shutil.rmtree(bench, ignore_errors=True)
    return [Wheel(path.name, path.read_bytes()) for path in sorted(home.glob("*.whl"))]


def shaped(
    shape: Shape, version: str = "1.0", *, scale: float = 1.0, requires: tuple[str, ...] = ()
) -> Wheel:
    """Give a wheel with the files and bytes of a shape, the same on every run."""
    chance = random.Random(f"{shape.name} {version}")  # noqa: S311 - not a secret
    module = shape.name.replace("-", "_")
    files: dict[str, str | bytes] = {f"{module}/__init__.py": f"__version__ = {version!r}\n"}
    modules = max(1, round(shape.modules * scale))
    for index in range(1, modules):
        size = round(shape.module_bytes * scale / modules)
        files[f"{module}/part_{index // 40}/module_{index}.py"] = _source(chance, size)
    others = max(1, round(shape.others * scale))
    for index in range(others):
        size = round(shape.other_bytes * scale / others)
        files[f"{module}/data/{index // 100}/file_{index}.bin"] = _blob(chance, size)
    needed = requires or tuple(shape.requires.split())
    return make_wheel(shape.name, version, files, requires=needed)


_WORDS = ("axis", "bound", "chart", "delta", "edge", "field", "grid", "hull", "joint", "kernel")


def _source(chance: random.Random, size: int) -> str:
    """Give a module that takes as long to compile as hand-written ones of its size."""
    parts, length = ['"""A module of the benchmark."""\n'], 0
    while length < size:
        name, first, second = (chance.choice(_WORDS) for _ in range(3))
        part = (
            f"\n\ndef {name}_{len(parts)}({first}, {second}_=None, *rest, **options):\n"
            f'    """Give the {name} of the {first}, which is bound to the {second}."""\n'
            f"    if {second}_ is None:\n"
            f"        {second}_ = [{first}, {chance.randrange(1000)}, {name!r}]\n"
            f"    found = {{key: value for key, value in options.items() if key != {first!r}}}\n"
            f"    for item in {second}_:\n"
            f"        found[str(item)] = len(rest) * {chance.randrange(100)} + len(found)\n"
            f"    return found\n"
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)


def _blob(chance: random.Random, size: int) -> bytes:
    """Give bytes of which a third is left when they are packed, as of shared libraries."""
    return chance.randbytes(size // 3) + bytes(size - size // 3)
