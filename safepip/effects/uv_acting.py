"""How uv is started to carry out a plan: with the wheels that were judged, and nothing else.

What was given by URL, uv has from there once more, so that it notes where that is from: the hash
holds it to what was judged.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from safepip.decisions.uv.words import as_words
from safepip.effects.keeping import forget
from safepip.effects.wheels import read_wheel, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from safepip.decisions.uv.words import UvCommand
    from safepip.values.account import Account, Entry

_OF_SPEECH = ("--quiet", "--verbose", "--color")
_WANTED = (
    *_OF_SPEECH,
    *("--output-format", "--no-progress"),
    *("--link-mode", "--compile-bytecode", "--no-compile-bytecode", "--no-cache", "--cache-dir"),
    *("--no-installer-metadata", "--preview", "--no-preview", "--preview-features"),
    *("--allow-insecure-host", "--cert", "--native-tls", "--no-native-tls", "--system-certs"),
    *("--no-system-certs", "--keyring-provider", "--offline", "--no-offline"),
)
"""What the user may want of the installation itself, and of the way to a URL."""
_OF_MACHINE = frozenset(
    f"UV_{name}"
    for name in (
        *("CACHE_DIR", "NO_CACHE", "LINK_MODE", "COMPILE_BYTECODE", "NO_PROGRESS"),
        *("CONCURRENT_DOWNLOADS", "CONCURRENT_INSTALLS", "HTTP_TIMEOUT", "INSECURE_HOST"),
        *("NATIVE_TLS", "SYSTEM_CERTS", "KEYRING_PROVIDER", "OFFLINE"),
    )
)
"""Variables that say how uv works here. The others say what it is to choose, or even not to check
hashes; by then that is settled."""


def environ_to_act(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that uv sees as it acts."""
    return {k: v for k, v in environ.items() if not k.startswith("UV_") or k in _OF_MACHINE}


def words_to_remove(account: Account, command: UvCommand) -> Iterator[str]:
    """Give what follows `uv pip uninstall`."""
    yield from _options(command, _OF_SPEECH)
    names = [*(removal.name for removal in account.removals), *account.not_installed]
    # Of what is not there, uv says so; and of files that name nothing, or are not there.
    yield from names or ("--dry-run", *_options(command, ("--requirements",)))


def words_to_install(
    account: Account,
    command: UvCommand,
    instead: Mapping[str, str],
    urls: Mapping[str, str],
    folder: Path,
) -> Iterator[str]:
    """Give what follows `uv pip install`.

    ``instead`` names wheels to take in place of others; ``urls`` are those of what was given by
    URL, by name; ``folder`` is made, and holds the wheels.
    """
    folder.mkdir()
    lines = []
    for entry in account.entries:
        wheel = instead.get(entry.wheel, entry.wheel)
        os.symlink(wheel, folder / os.path.basename(wheel))
        # By its URL, uv notes where it is from. The hash holds it to what was judged.
        url = urls.get(entry.name) if wheel == entry.wheel else None
        what = f"{entry.name} @ {url}" if url else f"{entry.name}=={entry.version}"
        lines.append(f"{what} --hash=sha256:{sha256_of(wheel)}\n")
    pins = folder.with_suffix(".txt")
    pins.write_text("".join(lines), encoding="utf-8")
    yield from ("--no-deps", "--no-index", f"--find-links={folder}", "--require-hashes")
    yield from (f"--reinstall-package={entry.name}" for entry in account.entries)
    yield from (*_options(command, _WANTED), "-r", str(pins))


def _options(command: UvCommand, names: tuple[str, ...]) -> Iterator[str]:
    return as_words((name, value) for name, value in command.options if name in names)


def forget_request(entry: Entry) -> None:
    """Have no mark that somebody asked for it where nobody did: uv was given each by name."""
    if entry.requested:
        return
    contents = read_wheel(entry.wheel)
    library = entry.scheme.purelib if contents.is_pure else entry.scheme.platlib
    info = f"{library}/{contents.dist_info}"
    with contextlib.suppress(OSError, ValueError):
        forget(f"{info}/RECORD", {f"{info}/REQUESTED"})
        os.unlink(f"{info}/REQUESTED")
