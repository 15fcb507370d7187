"""An environment that is being made: claimed, so that one makes it at a time, and whole or gone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line
from safepip.values.errors import AlreadyThere, Busy, CannotCreate, NotWritable, SafepipError
from safepip.values.text import shown
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator


class Attempt:
    """The making of one environment."""

    def __init__(self) -> None:
        self.is_made = False
        """It is to stay."""
        self.left = ""
        """Why something of it is left, though it is not to stay."""


@contextlib.contextmanager
def half_made(prefix: str, elsewhere: Fix) -> Iterator[Attempt]:
    """Take away what was made of an environment, and of the folders to it, unless it is to stay.

    ``elsewhere``: what to do where something is there already.

    Raises: AlreadyThere; Busy, where another safepip is making it; NotWritable; CannotCreate, where
    what was made cannot be taken away again.
    """
    real = os.path.realpath(prefix)
    missing = _missing(real)
    attempt = Attempt()
    if _is_taken(prefix) and not os.path.lexists(_beside(real)):
        raise AlreadyThere(prefix, elsewhere)
    try:
        with _claimed(real, prefix, elsewhere):
            if _is_taken(prefix):  # since the look before
                raise AlreadyThere(prefix, elsewhere)
            keeps_folder = os.path.isdir(real)
            try:
                yield attempt
            except AlreadyThere as error:
                error.fixes = (elsewhere,)
                raise
            except BaseException as error:
                _clear(real, attempt, keeps_folder=keeps_folder)
                if attempt.left:
                    raise _remains(prefix, attempt.left, error) from error
                raise
            if not attempt.is_made:
                _clear(real, attempt, keeps_folder=keeps_folder)
    finally:
        for folder in missing if not attempt.is_made else ():
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _is_taken(prefix: str) -> bool:
    return os.path.lexists(prefix) and not (os.path.isdir(prefix) and not os.listdir(prefix))


def _torso(prefix: str) -> AlreadyThere:
    command = command_line("rm", "-r", prefix, _beside(os.path.realpath(prefix)))
    remove = Fix(command, "take it away, and make it again then")
    error = AlreadyThere(prefix, remove)
    error.why = "a safepip that was making it was cut off, so it is not whole"
    return error


def _remains(prefix: str, left: str, error: BaseException) -> CannotCreate:
    message = f"`{shown(prefix)}` was not made, and something of it is left: {shown(left)}"
    why = error.message if isinstance(error, SafepipError) else type(error).__name__
    fix = Fix(command_line("rm", "-r", prefix), "take it away")
    return CannotCreate(message, why=why, fixes=[fix])


def _missing(prefix: str) -> list[str]:
    """Give the folders that have to be made, the innermost first."""
    missing, folder = [], os.path.dirname(prefix)
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


def _clear(real: str, attempt: Attempt, *, keeps_folder: bool) -> None:
    """Take away what was made; a folder that was there before is empty then, as it was."""
    with contextlib.suppress(FileNotFoundError):
        paths = [f"{real}/{name}" for name in os.listdir(real)] if keeps_folder else [real]
        for path in paths:
            try:
                _remove(path)
            except OSError as error:
                attempt.left = f"{error.filename or path}: {error.strerror}"


def _remove(path: str) -> None:
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
        return
    shutil.rmtree(path, ignore_errors=True)  # as much as can be
    if os.path.lexists(path):
        shutil.rmtree(path)


@contextlib.contextmanager
def _claimed(real: str, prefix: str, elsewhere: Fix) -> Iterator[None]:
    """Hold the claim on a place: a lock on a file beside it, or on the folder where it is there.

    A safepip that is killed leaves such a file, beside what it had not finished.

    Raises: AlreadyThere, where one was; Busy; NotWritable.
    """
    is_torso = _is_taken(prefix) and os.path.lexists(_beside(real))
    beside = "" if os.path.isdir(real) and not is_torso else _beside(real)
    try:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        handle = _opened(beside or real, os.O_RDWR | os.O_CREAT if beside else os.O_RDONLY)
    except OSError as error:
        raise NotWritable(f"cannot make `{shown(prefix)}`: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_same = os.path.samestat(os.fstat(handle), os.stat(beside or real))
    except FileNotFoundError:
        is_same = False  # who held it was just done with it
    except BlockingIOError:
        is_same = False
    except OSError:
        is_same = True  # this file system knows no locks
    try:
        if not is_same:
            raise Busy(
                f"another safepip is making `{shown(prefix)}`",
                why="of two at once, one would take away what the other made",
                fixes=[elsewhere],
            )
        if is_torso:
            raise _torso(prefix)
        yield
        # The name goes before the lock, and whoever waits for it finds another file or none.
    finally:
        if beside and is_same and not is_torso:
            with contextlib.suppress(OSError):
                os.unlink(beside)
        os.close(handle)


def _beside(real: str) -> str:
    folder, name = os.path.split(real)
    return f"{folder}/.{name}.safepip"


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
