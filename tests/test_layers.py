"""The rule of the layers: who may import whom, and who may print, exit, and start processes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "safepip"
LAYERS = ("values", "decisions", "effects", "recipes", "doors")
PURE = ("values", "decisions")
SCRIPTS = (
    *(
        f"safepip.effects.{name}"
        for name in ("runner", "importer", "lister", "parts", "solver", "unpacker", "maker", "hook")
    ),
    "safepip.effects.kernel_trial",
    "safepip.doors.ipython",
)
"""Run by other Pythons, or in processes of their own: they import nothing of safepip."""

WORLDLY = (
    *("io.open", "glob", "os", "pathlib", "platform", "shutil", "site", "sysconfig", "tempfile"),
    *("random", "secrets", "select", "signal", "socket", "subprocess", "sys", "threading", "time"),
    "urllib.request",
)
"""What pure code knows nothing of: disk, processes, clock, chance. Pure paths are allowed."""

STARTING = (
    *("os.exec", "os.fork", "os.popen", "os.posix_spawn", "os.spawn", "os.system"),
    *("multiprocessing", "pty", "runpy", "subprocess"),
)
EXITING = frozenset({"sys.exit", "os._exit", "os.abort", "exit", "quit", "SystemExit"})
READING = frozenset({"open", "input"})
CLOCK = frozenset({"now", "utcnow", "today"})


def layer_of(module: str) -> str:
    """The layer of a dotted name; `safepip.__main__` is a door, and `safepip` itself a value."""
    _, _, rest = module.partition(".")
    return {"": "values", "__main__": "doors"}.get(rest, rest.partition(".")[0])


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Every dotted name that ``module`` imports, `if TYPE_CHECKING` and functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def used(tree: ast.AST) -> Iterator[str]:
    """Every name, and every attribute of anything, that the code reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield f"{ast.unparse(node.value)}.{node.attr}"


def offences(module: str, source: str) -> list[str]:
    """What ``module`` does that its layer must not."""
    tree, layer = ast.parse(source), layer_of(module)
    imports, uses = set(imported(tree, module)), set(used(tree))
    found = {name for name in imports if not may_import(module, layer, name)}
    if layer != "effects":
        found |= {name for name in imports | uses if name.startswith(STARTING)}
    if layer != "doors" and module not in SCRIPTS:
        found |= (imports | uses) & (EXITING | {"print"})
    if layer in PURE:
        found |= {name for name in imports if any(within(name, top) for top in WORLDLY)}
        found -= {name for name in found if name.startswith("pathlib.Pure")}
        found |= {name for name in uses if name.rpartition(".")[2] in CLOCK} | uses & READING
    return sorted(found)


def may_import(module: str, layer: str, name: str) -> bool:
    """Whether ``name`` is outside safepip, or in this layer or one above it."""
    if not within(name, "safepip"):
        return True
    if layer_of(name) not in LAYERS:
        return name == "safepip.__version__"
    if module == "safepip":  # `%load_ext safepip` looks for its door here
        return within(name, "safepip.doors.ipython")
    return module not in SCRIPTS and LAYERS.index(layer_of(name)) <= LAYERS.index(layer)


def within(name: str, package: str) -> bool:
    """Whether ``name`` is ``package`` or something in it."""
    return f"{name}.".startswith(f"{package}.")


def modules() -> dict[str, Path]:
    """Every module of safepip by its dotted name."""
    files = sorted(PACKAGE.rglob("*.py"))
    names = (".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


@pytest.mark.parametrize("module", modules())
def test_a_module_keeps_to_its_layer(module: str) -> None:
    assert offences(module, modules()[module].read_text("utf-8")) == []


def test_every_module_has_a_layer() -> None:
    assert {layer_of(module) for module in modules()} <= set(LAYERS)


@pytest.mark.parametrize("module", SCRIPTS)
def test_a_script_is_written_for_old_pythons(module: str) -> None:
    source = modules()[module].read_text("utf-8")
    assert isinstance(ast.parse(source, feature_version=(3, 8)), ast.Module)


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("safepip.values.plan", "from safepip.decisions import judge", ["safepip.decisions.judge"]),
        ("safepip.values.plan", "from ..effects.lock import hold", ["safepip.effects.lock.hold"]),
        ("safepip.decisions.judge", "if x:\n import safepip.recipes", ["safepip.recipes"]),
        ("safepip.decisions.judge", "from .. import doors", ["safepip.doors"]),
        ("safepip.decisions.judge", "from safepip.values.plan import Plan", []),
        ("safepip.decisions.judge", "from safepip.decisions.words import say", []),
        ("safepip.decisions.judge", "def f():\n import os.path", ["os.path"]),
        ("safepip.decisions.judge", "from pathlib import Path", ["pathlib.Path"]),
        ("safepip.decisions.judge", "from pathlib import PurePosixPath", []),
        ("safepip.decisions.judge", "open(x); datetime.now(UTC)", ["datetime.now", "open"]),
        ("safepip.effects.lock", "print(1); raise SystemExit", ["SystemExit", "print"]),
        ("safepip.effects.lock", "import subprocess, os, safepip.values.plan", []),
        ("safepip.effects.runner", "print(1)", []),
        ("safepip.effects.runner", "import safepip.values.text", ["safepip.values.text"]),
        ("safepip.values.errors", "class E:\n    exit: int = 1", []),
        ("safepip.recipes.guard", "import subprocess", ["subprocess"]),
        ("safepip.recipes.guard", "from sys import exit", ["sys.exit"]),
        ("safepip.doors.launch", "os.execve(a, b, c)", ["os.execve"]),
        ("safepip.doors.launch", "import safepip.recipes.guard, sys\nsys.exit(print())", []),
        ("safepip.__main__", "from safepip.doors.launch import main", []),
    ],
)
def test_an_offence_is_seen(module: str, source: str, expected: list[str]) -> None:
    assert offences(module, source) == expected
