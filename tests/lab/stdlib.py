"""The standard library of the running interpreter, as upstream Python would have installed it.

Reads the disk, writes nothing.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.lab.archive import STAMP
from tests.lab.pyc import compiled, pyc_path, redated

LEFT_OUT_FOLDERS = frozenset(
    """__pycache__ dist-packages site-packages test tests idle_test idlelib lib2to3 pydoc_data
    tkinter turtledemo""".split()  # noqa: SIM905 - as a list it would fill the page
)
"""Large, and of no use to a test; Debian's ``dist-packages`` belongs to Debian."""

LEFT_OUT_FILES = frozenset(
    ["EXTERNALLY-MANAGED", "_distutils_system_mod.py", "sitecustomize.py", "usercustomize.py"]
)
"""The distributor's word about his own Python: nothing of it is true of a conda environment."""

ENCODINGS = """
# The interpreter carries its distributor's `site` in itself, and would not look at the one on disk.
# This module is the first that it reads from disk.
import _imp

if hasattr(_imp, "_override_frozen_modules_for_tests"):
    _imp._override_frozen_modules_for_tests(-1)
"""

SITE = '''
def getsitepackages(prefixes=None):
    """The site-packages folder of each prefix, as upstream Python has it."""
    version = "python%d.%d" % sys.version_info[:2]
    wanted = dict.fromkeys(PREFIXES if prefixes is None else prefixes)
    return [os.path.join(one, "lib", version, "site-packages") for one in wanted if one]


import _imp

if hasattr(_imp, "_override_frozen_modules_for_tests"):
    _imp._override_frozen_modules_for_tests(0)

'''

SYSCONFIG = """
for _scheme in ("posix_local", "deb_system"):
    _INSTALL_SCHEMES.pop(_scheme, None)


def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}

"""

DISTUTILS = '''

def is_virtual_environment():
    """True everywhere: Debian's code then does what upstream's does."""
    return True
'''


class Patch(NamedTuple):
    """Text that takes back what Debian changed in a module."""

    text: str
    before: str
    """It goes in front of this text, where what it replaces is defined and not yet used; if this is
    empty, to the end."""


PATCHES = {
    "encodings/__init__.py": Patch(ENCODINGS, ""),
    "site.py": Patch(SITE, "\ndef main():"),
    "sysconfig.py": Patch(SYSCONFIG, "\ndef get_preferred_scheme("),
    "sysconfig/__init__.py": Patch(SYSCONFIG, "\ndef get_preferred_scheme("),
    "distutils/sysconfig.py": Patch(DISTUTILS, ""),
}
"""Definitions of our own, not edits of Debian's, whose text differs from release to release."""


class StdlibFile(NamedTuple):
    """One file, by its path in the standard library's folder."""

    path: str
    data: bytes
    mode: int


def stdlib_files(place: str) -> Iterator[StdlibFile]:
    """Every file of the standard library with its bytecode, dated for a package.

    ``place`` is the folder that tracebacks are to show.
    """
    root = Path(sysconfig.get_path("stdlib"))
    patches = PATCHES if b"dist-packages" in (root / "site.py").read_bytes() else {}
    for path in sorted(_kept(root)):
        relative = path.relative_to(root).as_posix()
        original = data = path.read_bytes()
        if relative in patches:
            data = _patched(relative, data.decode(), patches[relative]).encode()
        elif relative.startswith("_sysconfigdata"):
            data = _with_open_prefix(data.decode()).encode()
        yield StdlibFile(relative, data, 0o755 if path.suffix == ".so" else 0o644)
        # No bytecode where the installer writes the prefix into the source: it would be stale at
        # once, and the first run of Python would rewrite a file that conda owns.
        if path.suffix == ".py" and b"@PREFIX@" not in data:
            ready = _bytecode_beside(path, data) if data == original else None
            pyc = ready or compiled(data, f"{place}/{relative}", STAMP)
            if pyc:
                yield StdlibFile(pyc_path(relative), pyc, 0o644)


def _kept(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.is_dir():
            if path.name not in LEFT_OUT_FOLDERS and not path.name.startswith("config-"):
                yield from _kept(path)
        elif path.name not in LEFT_OUT_FILES and path.suffix not in (".a", ".pyc"):
            yield path


def _patched(relative: str, text: str, patch: Patch) -> str:
    """Raises: ValueError, when the module has not the shape that the patch was written for."""
    if patch.before and text.count(patch.before) != 1:
        raise ValueError(f"cannot patch `{relative}`: expected one `{patch.before.strip()}` in it")
    at = text.index(patch.before) if patch.before else len(text)
    whole = text[:at] + patch.text + text[at:]
    compile(whole, relative, "exec", dont_inherit=True)
    return whole


def _with_open_prefix(text: str) -> str:
    """What `sysconfig` read from the build's Makefile, with ``@PREFIX@`` for the build's prefix.

    Only where the prefix stands as a whole path: for Debian it is ``/usr``, which is also the start
    of the names of its compilers' files.
    """
    prefix = str(sysconfig.get_config_var("prefix"))
    built = re.search(r"'prefix': '([^']+)'", text)
    found = {prefix, sys.base_prefix, built.group(1) if built else prefix}
    for one in sorted(found, key=len, reverse=True):
        text = re.sub(rf"(?<=[\"'=]){re.escape(one)}(?=[/'\" ])", "@PREFIX@", text)
    return text


def _bytecode_beside(path: Path, data: bytes) -> bytes | None:
    cached = path.parent / pyc_path(path.name)
    if not cached.is_file():
        return None
    return redated(cached.read_bytes(), data, int(path.stat().st_mtime), STAMP)
