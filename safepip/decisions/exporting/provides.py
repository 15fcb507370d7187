"""Which distribution a conda package is likely to have, by its name alone. Pure.

An environment tells by its metadata. A file has only names, and few of them differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.values.text import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "libopencv": ("opencv-python", "opencv-python-headless"),
    "matplotlib-base": ("matplotlib",),
    "msgpack-python": ("msgpack",),
    "opencv": ("opencv-python", "opencv-python-headless"),
    "py-opencv": ("opencv-python", "opencv-python-headless"),
    "py-xgboost": ("xgboost",),
    "pyqt": ("pyqt5",),
    "pytables": ("tables",),
    "python-flatbuffers": ("flatbuffers",),
    "python-graphviz": ("graphviz",),
    "pytorch": ("torch",),
    "pytorch-cpu": ("torch",),
    "pytorch-gpu": ("torch",),
    "tensorflow-base": ("tensorflow",),
}
_NOTHING = frozenset(
    """blosc boost bzip2 ca-certificates curl fftw freetype git graphviz hdf5 icu jpeg libpng
    libxgboost lz4-c make nodejs openjdk openssl postgresql python readline redis snappy sqlite tk
    tzdata xz yaml zeromq zlib zstd""".split()  # noqa: SIM905 - legible
)
"""What is no Python project under conda, though one on the index is called the same."""


def likely_distributions(conda_name: str) -> tuple[str, ...]:
    """Give the normalised names of what a conda package of this name has."""
    name = normalised(conda_name)
    return () if name in _NOTHING else _OTHERWISE.get(name, (name,))
