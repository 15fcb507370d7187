"""What options of uv's mean, in the words that safepip has for those of pip. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.values.request import PipOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.decisions.uv.words import UvCommand

_YES = ("1", "true", "yes", "on", "y", "t")


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Say whether a variable of uv's says yes."""
    return environ.get(name, "").lower() in _YES


def as_pip_options(command: UvCommand, environ: Mapping[str, str]) -> PipOptions:
    """Give what was asked."""
    breaks = is_set(environ, "UV_BREAK_SYSTEM_PACKAGES")
    no_cache = is_set(environ, "UV_NO_CACHE")
    counted = [name for name, _ in command.options]
    return PipOptions(
        dry_run=command.has("--dry-run"),
        yes=True,
        ignore_dependencies=command.has("--no-deps"),
        force_reinstall=command.has("--reinstall", "--reinstall-package"),
        upgrade=command.has("--upgrade", "--upgrade-package"),
        pre="allow" in command.values("--prerelease"),
        no_index=command.has("--no-index", "--offline"),
        no_binary=command.has("--no-binary"),
        require_hashes=command.has("--require-hashes"),
        constrained=command.has("--constraints"),
        break_system_packages=breaks or command.has("--break-system-packages"),
        caches=not (no_cache or command.has("--no-cache")),
        verbosity=counted.count("--verbose") - counted.count("--quiet"),
        no_color="never" in command.values("--color"),
    )
