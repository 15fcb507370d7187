"""Conda packages out of wheels, as the channels ship them, and out of plain descriptions.

Pure: a recipe is only a value, and nothing is built before a channel asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tests.lab.archive import CondaPackage, Link
from tests.lab.contents import read_label, read_wheel
from tests.lab.conversion import Info, Style, convert
from tests.lab.recipes import Recipe, key_of
from tests.lab.wheels import Files, Wheel, normalised


def from_wheel(
    wheel: Wheel,
    *,
    name: str | None = None,
    noarch: bool | None = None,
    channel: Literal["conda-forge", "defaults"] = "conda-forge",
    info: Info = "dist-info",
    depends: Sequence[str] | None = None,
    constrains: Sequence[str] = (),
    extra_files: Files | None = None,
    direct_url: Literal["folder", "wheel"] | None = "folder",
    build: str = "",
    build_number: int = 0,
    index: Mapping[str, Any] | None = None,
) -> Recipe:
    """The conda package that a channel would make of this wheel.

    ``name``: conda's, where it is not the distribution's. ``noarch``: as the wheel's tag says if
    ``None``; ``False`` makes one that ships its ``.pyc`` files and scripts. ``info``: how the
    distribution is made known to Python tools, see `Info`. ``depends``: from the wheel's
    requirements if ``None``, by the same names. ``extra_files`` are relative to the prefix.
    ``index`` adds to ``info/index.json``.
    """
    label = read_label(wheel)
    style = Style(
        name=name or normalised(label.name),
        noarch=label.pure and channel != "defaults" if noarch is None else noarch,
        channel=channel,
        info=info,
        depends=None if depends is None else tuple(depends),
        constrains=tuple(constrains),
        extra_files=dict(extra_files or {}),
        direct_url=direct_url,
        build=build,
        build_number=build_number,
        index=dict(index or {}),
    )
    key = key_of("wheel", wheel.data, style)
    return Recipe(style.name, label.version, key, lambda: convert(read_wheel(wheel), style))


def fake(
    name: str,
    version: str,
    files: Files | None = None,
    *,
    links: Mapping[str, str] | None = None,
    depends: Sequence[str] = (),
    noarch: bool = False,
    build: str = "",
    build_number: int = 0,
    index: Mapping[str, Any] | None = None,
) -> Recipe:
    """A conda package that is no Python distribution: a library, a tool, a metapackage.

    ``@PREFIX@`` in a file becomes the path of the environment, in text and in binaries alike.
    """
    contents, targets = dict(files or {}), dict(links or {})

    def make() -> CondaPackage:
        package = CondaPackage(
            name=name,
            version=version,
            build=build,
            build_number=build_number,
            noarch="generic" if noarch else None,
            depends=tuple(depends),
            index_extra=dict(index or {}),
        )
        for path, text in contents.items():
            package.add(path, text, 0o755 if path.startswith("bin/") or ".so" in path else 0o644)
        package.entries.update({path: Link(target) for path, target in targets.items()})
        return package

    shape = (name, version, contents, targets, tuple(depends), noarch, build, build_number, index)
    return Recipe(name, version, key_of("fake", shape), make)
