"""The importable modules of a plan, and conda's packages that have the same ones. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from safepip.values.environment import Environment, Record
    from safepip.values.plan import Change

_STRAY_FOLDERS = frozenset(
    (
        *("test", "tests", "testing", "doc", "docs", "example", "examples", "samples"),
        *("benchmark", "benchmarks"),
    )
)
_STRAY_FILES = re.compile(
    r"(authors|change(s|log)|contribut(ing|ors)|copying|history|licen[cs]e|news|notice|readme)"
    r"([-_.](?!(py|pyc|pyi|pyd|so)$)[^/]*)?"
    r"|conftest\.py|setup\.(py|cfg)|pyproject\.toml|manifest\.in|requirements[^/]*\.txt",
    re.IGNORECASE,
)
_EXTENSIONS = (".py", ".so", ".pyd")


def inside_site(environment: Environment, path: str) -> str | None:
    """Give an absolute path below the folder from which Python imports it; None when in none."""
    return _below(_roots(environment), path)


def _roots(environment: Environment) -> tuple[str, ...]:
    interpreter = environment.interpreter
    folders = (interpreter.purelib, interpreter.platlib, interpreter.user_site)
    return tuple(dict.fromkeys(f"{folder}/" for folder in folders if folder))


def _below(roots: tuple[str, ...], path: str) -> str | None:
    return next((path[len(root) :] for root in roots if path.startswith(root)), None)


def is_stray(path: str) -> bool:
    """Say whether a path below site-packages is one that no one imports.

    Wheels ship them by mistake; two packages that do so meet, and neither needs the file.
    """
    top, slash, _ = path.partition("/")
    if slash:
        return top.lower() in _STRAY_FOLDERS
    return _STRAY_FILES.fullmatch(top) is not None


def top_level(paths: Iterable[str]) -> dict[str, bool]:
    """Give the modules that paths below site-packages make, and whether each is a whole one.

    A folder without `__init__` is not: it is a namespace, which distributions share.
    """
    modules: dict[str, bool] = {}
    for path in paths:
        top, slash, rest = path.partition("/")
        if slash and modules.get(top):
            continue
        name = top if slash else _module_name(top)
        if name.isidentifier() and name != "__pycache__" and not is_stray(path):
            is_whole = not slash or _module_name(rest) == "__init__"
            modules[name] = modules.get(name, False) or is_whole
    return modules


def planned_modules(environment: Environment, change: Change) -> dict[str, bool]:
    """Give the top-level modules that the change brings, and whether each is a whole one.

    Also those in the folder of the standard library, which comes before site-packages.
    """
    roots = (*_roots(environment), *_before_site(environment))
    paths = (_below(roots, file.path) for file in change.files if file.path.endswith(_EXTENSIONS))
    return top_level(path for path in paths if path is not None)


def hidden_modules(
    environment: Environment, files: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, tuple[Record, ...]]]:
    """Give conda's modules in whose place these files are imported, by their dotted names.

    ``files``: those of each distribution, absolute; the modules are given for each as well.

    Of one name in one folder Python takes the package before the extension module, and that before
    the source; and a folder that comes earlier before all others. Not at the same path: that would
    be written over, which is another finding.

    Source: https://docs.python.org/3/library/importlib.html#importlib.machinery.FileFinder
    """
    passed = {name: _passed_over(environment, paths) for name, paths in files.items()}
    owners = environment.owners_of({file for some in passed.values() for file in some})
    found: dict[str, dict[str, tuple[Record, ...]]] = {}
    for name, some in passed.items():
        modules = found.setdefault(name, {})
        for file in some.keys() & owners.keys():
            modules[some[file]] = (*modules.get(some[file], ()), *owners[file])
    return found


def _passed_over(environment: Environment, paths: Iterable[str]) -> dict[str, str]:
    """Give the files below the prefix that Python would pass over for these, with their modules."""
    endings = (*_binary_extensions(environment), ".py")
    roots, early = _roots(environment), _before_site(environment)
    folders = site_folders(environment)
    passed: dict[str, str] = {}
    for path in paths:
        if not path.endswith(endings):
            continue
        inside = _below(roots, path)
        is_early = inside is None
        inside = _below(early, path) if is_early else inside
        if inside is not None:
            later = _all_files(inside, endings) if is_early else _later_files(inside, endings)
            named = [(module.replace("/", "."), file) for module, file in later]
            passed.update((f"{root}/{file}", module) for root in folders for module, file in named)
    return passed


def _later_files(inside: str, endings: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the files that Python would pass over for this one, each with its module before it."""
    folder, slash, name = inside.rpartition("/")
    ending = next((each for each in endings if name.endswith(each)), "")
    stem = name.removesuffix(ending)
    module = folder if slash and stem == "__init__" else f"{folder}{slash}{stem}"
    for later in endings[endings.index(ending) + 1 :]:
        yield module, f"{folder}{slash}{stem}{later}"
    if module == folder:
        yield from ((module, f"{module}{each}") for each in endings)


def _all_files(inside: str, endings: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give all files that the module of this one can be, each with the module before it."""
    ending = next(each for each in endings if inside.endswith(each))
    module = inside.removesuffix(ending).removesuffix("/__init__")
    for start in (module, f"{module}/__init__"):
        yield from ((module, f"{start}{each}") for each in endings)


def _before_site(environment: Environment) -> tuple[str, ...]:
    """Give the folders of the standard library, each with a slash."""
    stdlib = environment.interpreter.stdlib
    return (f"{stdlib}/lib-dynload/", f"{stdlib}/") if stdlib else ()


def providers(environment: Environment, modules: Collection[str]) -> dict[str, Record]:
    """Give for each of these modules, with slashes for dots, a conda package that has it whole.

    Asked for by the names that such a module's file can have, so that no index of all of conda's
    files is needed.
    """
    files: dict[str, str] = {}
    for root in site_folders(environment):
        for module in modules:
            files.update((f"{root}/{file}", module) for file in module_files(environment, module))
    owners = environment.owners_of(files)
    return {files[path]: owners[path][0] for path in files if path in owners}


def module_files(environment: Environment, module: str) -> frozenset[str]:
    """Give the files that a module can be, below the folder from which Python imports it.

    ``module``: with slashes for dots.
    """
    endings = (".py", *_binary_extensions(environment))
    starts = (module, f"{module}/__init__")
    return frozenset(f"{start}{ending}" for start in starts for ending in endings)


def site_folders(environment: Environment) -> tuple[str, ...]:
    """Give the folders below the prefix, relative to it, that hold modules."""
    interpreter = environment.interpreter
    folders = map(environment.relative, (interpreter.purelib, interpreter.platlib))
    return tuple(dict.fromkeys(folder for folder in folders if folder))


def modules_of(environment: Environment, record: Record) -> tuple[str, ...]:
    """Give the whole top-level modules that a conda package has."""
    roots = tuple(f"{root}/" for root in site_folders(environment))
    paths = (path[len(root) :] for root in roots for path in record.files if path.startswith(root))
    return tuple(sorted(name for name, is_whole in top_level(paths).items() if is_whole))


def _module_name(file: str) -> str:
    return file.partition(".")[0] if file.endswith(_EXTENSIONS) else ""


def _binary_extensions(environment: Environment) -> tuple[str, ...]:
    """Give the endings that this Python's extension modules may have.

    Source: https://peps.python.org/pep-3149/
    """
    markers = environment.interpreter.markers
    tag = environment.interpreter.minor.replace(".", "")
    machine = markers.get("platform_machine", "")
    if markers.get("sys_platform") == "darwin":
        return (f".cpython-{tag}-darwin.so", ".abi3.so", ".so")
    if markers.get("sys_platform") == "win32":
        return (f".cp{tag}-win_{machine.lower()}.pyd", f".cp{tag}-win32.pyd", ".pyd")
    return (f".cpython-{tag}-{machine}-linux-gnu.so", ".abi3.so", ".so")
