"""The paths that installing a wheel writes, predicted from the archive's own list of names. Pure.

pip writes what lies in the archive, whatever the wheel's RECORD says, and scripts for entry points
that RECORD never lists.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from safepip.values.errors import NoWheel, UnreadableWheel
from safepip.values.guarding import OWN, PATH_FILE
from safepip.values.plan import FileKind, PlannedFile
from safepip.values.seal import MARKER
from safepip.values.text import folded, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safepip.values.account import Entry, WheelContents
    from safepip.values.environment import Interpreter

_GENERATED = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
_GENERATED_BY_UV = ("uv_cache.json", "uv_build.json")
_READ_BY_PYTHON = frozenset(("pyvenv.cfg", "pybuilddir.txt"))
"""Files beside the interpreter that tell it where it lies."""
_CONDAS = "conda's own books"
_SAFEPIPS = "what safepip itself goes by"
_DATA_KINDS: dict[str, FileKind] = {
    "purelib": "module",
    "platlib": "module",
    "headers": "header",
    "scripts": "script",
    "data": "data",
}


def planned_files(
    entry: Entry, contents: WheelContents | None, interpreter: Interpreter, *, compiles: bool
) -> tuple[PlannedFile, ...]:
    """Give every file that pip would write for one distribution.

    Of a project without a wheel, that is what `setup.py develop` may write.

    Raises: NoWheel, when nobody can say what would be written; UnreadableWheel, when a name would
    leave the folder that it belongs to, or when the wheel writes, or claims, what decides who owns
    what, and what is judged: records, pins, marks, settings, the guard. No record owns those.
    """
    if contents is None:
        raise NoWheel(entry.name, entry.version)
    if not entry.wheel:
        return tuple(_developed(entry, contents))
    files = [*_from_archive(entry, contents), *_made_by_pip(entry, contents, interpreter)]
    _refuse_books(files, entry, contents, interpreter)
    _refuse_claims(entry, contents, interpreter)
    if compiles:
        tag = interpreter.cache_tag
        files += [
            PlannedFile(bytecode_of(f.path, tag), "bytecode") for f in files if _is_compiled(f)
        ]
    return tuple(dict.fromkeys(files))


def _developed(entry: Entry, contents: WheelContents) -> Iterator[PlannedFile]:
    """Give the links to the project's folder, and its scripts.

    Source: `setuptools.command.develop`, which spells the link in one of two ways.
    """
    library = entry.scheme.purelib
    stem = posixpath.basename(entry.egg_info).removesuffix(".egg-info")
    for name in dict.fromkeys((stem, stem.replace("_", "-"))):
        yield PlannedFile(f"{library}/{name}.egg-link", "metadata")
    yield PlannedFile(f"{library}/easy-install.pth", "metadata")
    for name in contents.console_scripts:
        yield PlannedFile(_below(entry.scheme.scripts, name, entry), "script")


def _refuse_books(
    files: Iterable[PlannedFile], entry: Entry, contents: WheelContents, interpreter: Interpreter
) -> None:
    """Refuse what would tell conda, Python, pip or safepip something about others than the wheel.

    Raises: UnreadableWheel.
    """
    libraries = {entry.scheme.purelib, entry.scheme.platlib}
    books = _books_at(entry, interpreter)
    for file in files:
        if whose := books.whose(file.path):
            raise UnreadableWheel(entry.url, f"`{file.member or file.path}` would change {whose}")
        for library in libraries:
            if not file.path.startswith(f"{library}/"):
                continue
            top = file.path[len(library) + 1 :].partition("/")[0]
            if top != contents.dist_info and _is_metadata(top):
                raise UnreadableWheel(entry.url, f"`{top}` would be metadata of something else")


def _refuse_claims(entry: Entry, contents: WheelContents, interpreter: Interpreter) -> None:
    """Refuse a RECORD that says of such a file that the wheel brings it, or of what holds one.

    pip keeps what RECORD names, be it in the wheel or not, and deletes that with the rest; and who
    looks whose the file is, finds the wheel.

    Raises: UnreadableWheel.
    """
    if not contents.claims:
        return
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    books = _books_at(entry, interpreter)
    for row in contents.claims:
        path = posixpath.normpath(posixpath.join(library, row))
        if whose := books.whose(path) or books.within(path):
            raise UnreadableWheel(entry.url, f"its RECORD claims `{shown(row)}`, of {whose}")


class _Books(NamedTuple):
    """How the paths begin of what is nobody's to bring; folded."""

    condas: tuple[str, ...]
    own: tuple[str, ...]
    marks: tuple[str, ...]
    scripts: str

    def whose(self, path: str) -> str:
        """Say what a file would be part of; empty for nothing of the kind."""
        path = folded(path)
        folder, _, name = path.rpartition("/")
        is_read = name in _READ_BY_PYTHON or name.endswith("._pth")
        if path.startswith(self.condas) or path in self.marks:
            return _CONDAS
        if is_read and folder == self.scripts:
            return _CONDAS
        return _SAFEPIPS if path.startswith(self.own) else ""

    def within(self, path: str) -> str:
        """Say the same of what lies in a folder."""
        start = f"{folded(path).rstrip('/')}/"
        if any(book.startswith(start) for book in (*self.condas, *self.marks)):
            return _CONDAS
        return _SAFEPIPS if any(book.startswith(start) for book in self.own) else ""


def _books_at(entry: Entry, interpreter: Interpreter) -> _Books:
    # (With `--prefix` the files go elsewhere, and that may be an environment as well.)
    roots = {interpreter.prefix, entry.scheme.data}
    libraries = {entry.scheme.purelib, entry.scheme.platlib}
    own = [f"{root}/{path}" for root in roots for path in OWN]
    own += [f"{library}/{PATH_FILE}" for library in libraries]
    marks = (f"{interpreter.stdlib}/{MARKER}", f"{interpreter.prefix}/pyvenv.cfg")
    return _Books(
        tuple(folded(f"{root}/conda-meta/") for root in roots),
        tuple(map(folded, own)),
        tuple(map(folded, marks)),
        folded(interpreter.scripts),
    )


def _is_metadata(name: str) -> bool:
    """Say whether a name in a library folder makes pip see a distribution."""
    return name.lower().endswith((".dist-info", ".egg-info", ".egg-link", ".egg"))


def _from_archive(entry: Entry, contents: WheelContents) -> Iterator[PlannedFile]:
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    generated = {*contents.console_scripts, *contents.gui_scripts}
    for member in contents.members:
        top, _, rest = member.partition("/")
        if not top.endswith(".data"):
            kind: FileKind = "metadata" if top.endswith(".dist-info") and rest else "module"
            yield PlannedFile(_below(library, member, entry), kind, member)
            continue
        key, _, path = rest.partition("/")
        if key not in _DATA_KINDS or not path:
            raise UnreadableWheel(entry.url, f"`{member}` belongs to no part of an installation")
        if key == "scripts" and _wraps_entry_point(path, generated):
            continue
        yield PlannedFile(_below(getattr(entry.scheme, key), path, entry), _DATA_KINDS[key], member)


def _below(folder: str, path: str, entry: Entry) -> str:
    joined = posixpath.normpath(f"{folder}/{path}")
    if not joined.startswith(folder.rstrip("/") + "/"):
        raise UnreadableWheel(entry.url, f"`{path}` leads out of the folder it is installed into")
    return joined


def _wraps_entry_point(path: str, generated: set[str]) -> bool:
    """Say whether pip leaves this script out because it writes its own for the entry point."""
    name = posixpath.basename(path)
    for ending in (".exe", "-script.py", ".pya"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
            break
    return name in generated


def _made_by_pip(
    entry: Entry, contents: WheelContents, interpreter: Interpreter
) -> Iterator[PlannedFile]:
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    for name in (*_GENERATED, *(_GENERATED_BY_UV if entry.by_uv else ())):
        if name == "REQUESTED" and not (entry.requested or entry.by_uv):
            continue
        if name == "direct_url.json" and not entry.is_direct:
            continue
        yield PlannedFile(f"{library}/{contents.dist_info}/{name}", "metadata")
    for script in _script_names(contents, interpreter):
        yield PlannedFile(_below(entry.scheme.scripts, script, entry), "script")


def _script_names(contents: WheelContents, interpreter: Interpreter) -> Iterator[str]:
    """Give the scripts that pip writes for entry points; for itself it writes versioned ones."""
    major = interpreter.version.split(".")[0]
    for name in contents.console_scripts:
        if name == "pip" or (name.startswith("pip") and name[3:].replace(".", "").isdigit()):
            yield from ("pip", f"pip{major}", f"pip{interpreter.minor}")
        elif name.startswith("easy_install"):
            yield from ("easy_install", f"easy_install-{interpreter.minor}")
        else:
            yield name
    yield from contents.gui_scripts


def _is_compiled(file: PlannedFile) -> bool:
    return file.path.endswith(".py") and bool(file.member)


def bytecode_of(path: str, cache_tag: str) -> str:
    """Give where Python keeps the bytecode of a source file (PEP 3147)."""
    folder, name = posixpath.split(path)
    return f"{folder}/__pycache__/{name[:-3]}.{cache_tag}.pyc"
