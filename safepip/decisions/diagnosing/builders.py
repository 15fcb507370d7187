"""Paths of the machines on which conda's packages are built. Pure."""

from __future__ import annotations

import re

_BUILD_FOLDER = re.compile(
    r"^(/croot/|/opt/conda/conda-bld/|/tmp/build/|/home/[^/]+/feedstock_root/)"
)
"""Where conda packages are built: Anaconda's machines, conda-build's default, conda-forge's."""


def is_of_a_build(path: str) -> bool:
    """Say whether a path is one of the machines on which conda's packages are built."""
    return _BUILD_FOLDER.match(path) is not None
