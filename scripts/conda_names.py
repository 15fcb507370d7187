"""Write the table of names that conda and PyPI do not share, from a public mapping of conda-forge.

    python -m scripts.conda_names MAPPING.json NAMES.txt > safepip/effects/conda_names.tsv

MAPPING.json is `files/v0/conda-forge/compressed_mapping.json` of the parselmouth repository
(https://github.com/prefix-dev/parselmouth): for every package of conda-forge the distributions
whose metadata is among its files. NAMES.txt has the names that PyPI knows, one a line: what is not
among them nobody asks pip for, and it is left out.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

HEAD = """\
# Where conda's name of a distribution is not the one that PyPI has for it.
#
# distribution<TAB>conda package. `-` in place of the package: what conda has under that name is
# another thing, or has no metadata of this name. All that is not listed has the same name there.
#
# Facts from https://github.com/prefix-dev/parselmouth (files/v0/conda-forge), which reads them from
# the packages of conda-forge; made by scripts/conda_names.py. State: {state}.
"""
STATE = "2026-08-19"
_MOST = 2
"""A package with more distributions than these is something that bundles others."""
_BY_HAND = {
    "antlr4-python3-runtime": "antlr-python-runtime",
    "apex": "-",
    "augur": "-",
    "bem": "-",
    "eccodes": "python-eccodes",
    "hpy": "-",
    "mace": "-",
    "mace-torch": "pymace",
    "neo4j": "neo4j-python-driver",
    "oasis": "-",
    "object-detection": "-",
    "onnxruntime-gpu": "-",  # what conda has is built for one or the other
    "opencv-python": "py-opencv",
    "pdal": "python-pdal",
    "pyqt5": "-",  # in one channel that is `pyqt`, in another that is version 6
    "ray": "ray-core",
}
"""Where several packages have the metadata, or one that bundles: the one that people ask for. Where
one names itself in its metadata as another project is called on PyPI: none."""


def normalised(name: str) -> str:
    """Give the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def spellings(name: str) -> tuple[str, ...]:
    """Give the ways in which safepip tries a name that is not in the table."""
    return tuple(name.replace("-", mark) for mark in "-_.")


def table(mapping: dict[str, list[str] | None], names: set[str]) -> dict[str, str]:
    """Give conda's package for each distribution that has another there; `-` for none."""
    holders: dict[str, list[str]] = {}
    for package, held in mapping.items():
        for distribution in held or ():
            holders.setdefault(normalised(distribution), []).append(package)
    rows = {normalised(package): "-" for package in mapping}
    for name, packages in holders.items():
        namesakes = [package for package in packages if normalised(package) == name]
        if namesakes:
            found = [each for each in spellings(name) if each in namesakes]
            rows[name] = "" if found else min(namesakes)
        else:
            rows[name] = _best(name, packages, mapping)
    rows.update(dict.fromkeys(_variants(rows), "-"))
    rows.update(_BY_HAND)
    return {name: package for name, package in rows.items() if package and name in names}


def _variants(rows: dict[str, str]) -> list[str]:
    """Give the distributions that share one package: it is built as one of them at a time."""
    counts = Counter(package for package in rows.values() if package not in ("", "-"))
    return [name for name, package in rows.items() if counts[package] > 1]


def _best(name: str, packages: list[str], mapping: dict[str, list[str] | None]) -> str:
    """Give the package that is meant by the name; `-` where that is not plain."""
    usual = (f"python-{name}", f"py-{name}", f"{name}-python", f"{name}-py", f"py{name}")
    plain = [package for package in packages if normalised(package) in usual]
    alone = [package for package in packages if _is_of_its_own(package, mapping)]
    return min(plain or alone, key=len) if len(plain) == 1 or len(alone) == 1 else "-"


def _is_of_its_own(package: str, mapping: dict[str, list[str] | None]) -> bool:
    held = [normalised(name) for name in mapping[package] or ()]
    return len(held) <= _MOST and (len(held) == 1 or normalised(package) not in held)


def main() -> None:
    """Print the table."""
    mapping, names = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:])
    rows = table(json.loads(mapping), set(map(normalised, names.split())))
    sys.stdout.write(HEAD.format(state=STATE))
    sys.stdout.writelines(f"{name}\t{rows[name]}\n" for name in sorted(rows))


if __name__ == "__main__":
    main()
