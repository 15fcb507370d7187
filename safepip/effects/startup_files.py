"""The files that shells read when they start: where they are, reading and writing them."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import tempfile
from io import BufferedReader
from typing import TYPE_CHECKING

from safepip.effects.opened import UnfitFile, opened
from safepip.values.errors import NotWritable, UsageError
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.decisions.guarding.startup import ShellName

_LIMIT = 16 * 1024 * 1024
_LAID = re.compile(r"\.safepip-shims|pip3?|uv|\.new-\d+")
"""What `init.ps1` lays."""


def startup_file(shell: ShellName, environ: Mapping[str, str]) -> str:
    """Give the file that an interactive shell of this user reads.

    Raises: UsageError, where there is no home.
    """
    home = _home(environ)
    # Terminals of macOS start login shells, of which bash reads another file.
    bash = ".bash_profile" if sys.platform == "darwin" else ".bashrc"
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    places: Mapping[ShellName, str] = {
        "bash": f"{home}/{bash}",
        "zsh": f"{environ.get('ZDOTDIR') or home}/.zshrc",
        "fish": f"{config}/fish/conf.d/safepip.fish",
        "powershell": f"{config}/powershell/profile.ps1",
    }
    return places[shell]


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if not home:
        raise UsageError("`HOME` is not set, so it is not known which startup file is meant")
    if not os.path.isabs(home):
        raise UsageError(f"expected a whole path in `HOME`, got `{shown(home)}`")
    return home


def laid_scripts(shell: ShellName, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the scripts that the functions of a shell have laid for it, as they are there.

    Only PowerShell's lay any: `init.ps1`. Where somebody made a link of their folder, they are his.

    Raises: UsageError, where there is no home.
    """
    if shell != "powershell":
        return ()
    base = environ.get("XDG_DATA_HOME") or f"{_home(environ)}/.local/share"
    folder = os.path.join(base, "safepip", "powershell")
    if not os.path.isabs(folder) or os.path.islink(folder):
        return ()
    try:
        found = sorted(os.listdir(folder))
    except OSError:
        return ()
    return tuple(f"{folder}/{name}" for name in found if _LAID.fullmatch(name))


def remove_scripts(paths: Sequence[str]) -> None:
    """Have these scripts gone, and the two folders above them, where they are empty then.

    Raises: NotWritable.
    """
    for path in paths:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        except OSError as error:
            raise NotWritable(f"cannot remove `{path}`: {error.strerror}") from error
    for folder in dict.fromkeys(map(os.path.dirname, paths)):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
            os.rmdir(os.path.dirname(folder))


def read_startup(path: str) -> bytes | None:
    """Give what a startup file holds; None where there is none.

    Raises: NotWritable.
    """
    try:
        with opened(path) as file, BufferedReader(file) as buffered:
            data = buffered.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise NotWritable(f"`{path}` is larger than {_LIMIT} bytes, and is left alone")
    except FileNotFoundError:
        if os.path.islink(path):
            raise NotWritable(f"`{path}` is a link that leads nowhere") from None
        return None
    except UnfitFile as error:
        raise NotWritable(f"`{path}` is not a file") from error
    except OSError as error:
        raise NotWritable(f"cannot read `{path}`: {error.strerror}") from error
    return data


def missing_folders(path: str) -> int:
    """Give how many folders have to be made for a file."""
    count, folder = 0, os.path.dirname(path)
    while not os.path.lexists(folder):
        count, folder = count + 1, os.path.dirname(folder)
    return count


def write_startup(path: str, data: bytes | None, *, made: int = 0) -> None:
    """Have a startup file hold this at once, or be gone; where it is a link, what that leads to.

    It keeps its mode and its owner. With the file go as many of the folders above it as were
    ``made`` for it, where they are empty.

    Raises: NotWritable.
    """
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    try:
        if data is None:
            os.unlink(real)
            with contextlib.suppress(OSError):
                for _ in range(made):
                    os.rmdir(folder)
                    folder = os.path.dirname(folder)
            return
        if os.path.lexists(real) and _is_read_only(real):
            raise NotWritable(f"`{path}` is read-only")
        os.makedirs(folder, exist_ok=True)
        handle, new = tempfile.mkstemp(prefix=".safepip-", dir=folder)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            _take_after(new, real)
            os.replace(new, real)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise
    except OSError as error:
        raise NotWritable(f"cannot write `{path}`: {error.strerror}") from error


def _is_read_only(path: str) -> bool:
    """Say whether its owner does not want it to be written, also where root could."""
    return not os.access(path, os.W_OK) or not os.stat(path).st_mode & 0o222


def _take_after(new: str, old: str) -> None:
    """Give a file mode and owner of another, or where there is none the usual mode."""
    try:
        found = os.stat(old)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(new, 0o666 & ~mask)
        return
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(OSError):
            os.chown(new, found.st_uid, found.st_gid)
    os.chmod(new, stat.S_IMODE(found.st_mode))
