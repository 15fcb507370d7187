"""What the files are called that lie beside an environment file. Pure."""

from __future__ import annotations

import posixpath

_USUAL = frozenset({"environment.yml", "environment.yaml"})


def constraints_name(path: str) -> str:
    """Give the usual name of the file of constraints, so that two in one folder have two."""
    own = _own(path)
    return f"{own}.constraints.txt" if own else "constraints.txt"


def free_name(path: str, name: str) -> str:
    """Give another path in the same folder, for an environment of this name."""
    folder, own = posixpath.split(path)
    stem = "".join(c for c in name if c.isalnum() or c in "-_") or "environment"
    end = posixpath.splitext(own)[1]
    free = next(one for one in (f"{stem}{end}", f"{stem}-2{end}") if one != own)
    return posixpath.join(folder, free)


def lock_names(path: str) -> tuple[str, str]:
    """Give the paths of the two locks beside an environment file, for conda and for pip.

    Source: https://packaging.python.org/en/latest/specifications/pylock-toml/#file-name
    """
    own = _own(path).replace(".", "-")
    lock = f"pylock.{own}.toml" if own else "pylock.toml"
    explicit = f"{posixpath.splitext(path)[0]}.explicit.txt"
    return explicit, posixpath.join(posixpath.dirname(path), lock)


def _own(path: str) -> str:
    """Give what tells a file from the one that every folder may have; empty for that one."""
    name = posixpath.basename(path)
    return "" if name in _USUAL or not name else posixpath.splitext(name)[0]
