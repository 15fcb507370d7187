"""Source projects with a build backend of their own: they build offline and in isolation."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.archive import STAMP
from tests.lab.wheels import Files, Wheel, as_module, core_metadata


def make_project(
    folder: Path, name: str, version: str, files: Files | None = None, **options: Any
) -> Path:
    """A source tree in ``folder``, which comes back; its modules are under ``src``.

    ``options`` are those of `make_wheel`, and ``on_build``: Python that the backend runs before
    each build, with ``ROOT`` the folder of the project, to fail or to leave a trace;
    ``metadata_hook=False``: pip has to build in order to learn the requirements;
    ``build_requires``: no longer to be built offline.
    """
    for path, blob in _sources(name, version, files, options).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(blob)
    return folder


def make_sdist(name: str, version: str, files: Files | None = None, **options: Any) -> Wheel:
    """The source distribution of the project that `make_project` would write."""
    stem = f"{as_module(name)}-{version}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, blob in _sources(name, version, files, options).items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size, member.mtime = len(blob), STAMP
            archive.addfile(member, io.BytesIO(blob))
    return Wheel(f"{stem}.tar.gz", gzip.compress(buffer.getvalue(), mtime=STAMP))


def _sources(
    name: str, version: str, files: Files | None, options: Mapping[str, Any]
) -> dict[str, bytes]:
    module = as_module(name)
    modules = {f"{module}/__init__.py": f"__version__ = {version!r}\n"} if files is None else files
    own = {"metadata_hook": True, "on_build": "", "build_requires": ()}
    recipe = {key: options.get(key, default) for key, default in own.items()}
    of_the_wheel = {key: value for key, value in options.items() if key not in own}
    recipe.update({"name": name, "version": version, "options": of_the_wheel})
    texts: dict[str, str | bytes] = {
        "PKG-INFO": core_metadata(name, version),
        "pyproject.toml": _pyproject(options.get("build_requires", ())),
        "recipe.json": json.dumps(recipe, indent=1),
        "backend/tests/__init__.py": "",
        "backend/tests/lab/__init__.py": "",
        **{f"src/{path}": text for path, text in modules.items()},
    }
    for copied in ("backend.py", "wheels.py"):
        texts[f"backend/tests/lab/{copied}"] = Path(__file__).with_name(copied).read_bytes()
    return {path: text.encode() if isinstance(text, str) else text for path, text in texts.items()}


def _pyproject(build_requires: Sequence[str]) -> str:
    return (
        "[build-system]\n"
        f"requires = {json.dumps(list(build_requires))}\n"
        'build-backend = "tests.lab.backend"\n'
        'backend-path = ["backend"]\n'
    )
