"""The finding `runtime-twice`: native runtimes that a wheel bundles and conda has too. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safepip.values.findings import RuntimeTwice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.environment import Environment
    from safepip.values.plan import Change, Plan

# `auditwheel` puts a hash into the names of what it bundles: `libgomp-a34b3233.so.1.0.0`.
_LIBRARY = re.compile(r"lib[\w+]+[^/]*\.(so|dylib)\b")
_RUNTIMES = {
    "OpenMP": re.compile(r"lib(gomp|iomp5|omp)[-.]"),
    "MKL": re.compile(r"libmkl_"),
    "OpenBLAS": re.compile(r"lib(scipy_)?openblas"),
    "libstdc++": re.compile(r"libstdc\+\+[-.]"),
    "CUDA": re.compile(r"lib(cudart|cublas|cudnn)"),
}


def runtimes_twice(environment: Environment, plan: Plan) -> Iterator[RuntimeTwice]:
    """Find the runtimes that one process may come to load twice.

    Two copies of OpenMP end a process (`OMP: Error #15`) or slow it down; nothing of that can be
    seen in files or versions, so this is a note.
    """
    arriving = [change for change in plan.changes if change.after is not None]
    bundled = {change.name: _bundled(change) for change in arriving}
    if not any(bundled.values()):
        return
    there = _runtimes_of_conda(environment)
    for change in arriving:
        for runtime, library in bundled[change.name].items():
            if runtime in there:
                yield RuntimeTwice(
                    distribution=change.name,
                    runtime=runtime,
                    bundled=library,
                    conda_package=there[runtime],
                )


def _bundled(change: Change) -> dict[str, str]:
    """Give one library for each runtime that the wheel brings along."""
    names = sorted({file.path.rpartition("/")[2] for file in change.files})
    found: dict[str, str] = {}
    for name in names:
        if runtime := _runtime(name):
            found.setdefault(runtime, name)
    return found


def _runtimes_of_conda(environment: Environment) -> dict[str, str]:
    found: dict[str, str] = {}
    for record in environment.records:
        for path in record.files:
            if path.startswith("lib/lib") and (runtime := _runtime(path[4:])):
                found.setdefault(runtime, record.dist)
    return found


def _runtime(name: str) -> str:
    if not name.startswith("lib") or not _LIBRARY.match(name):
        return ""
    return next((runtime for runtime, shape in _RUNTIMES.items() if shape.match(name)), "")
