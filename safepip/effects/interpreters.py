"""Asking an environment's Python about itself, where no pip is started anyway."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

from safepip.effects.asking import RUNNER, interpreter_of, not_started
from safepip.effects.records import site_packages_of
from safepip.values.environment import Interpreter
from safepip.values.errors import NoEngine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safepip.values.environment import Record

_LIBRARY = re.compile(r"(lib/python\d+\.\d+/site-packages)/.*", re.DOTALL)
_PATIENCE = 60.0
"""Seconds; it takes a twentieth of one."""


def ask_python(python: str, environ: Mapping[str, str]) -> Interpreter:
    """Give what the interpreter says of itself.

    Raises: NoEngine, when it does not start; UnreadableReport.
    """
    read, write = os.pipe()
    try:
        setup = {"read": read, "write": write, "facts_only": True}
        done = subprocess.run(
            [python, RUNNER, json.dumps(setup)],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(read, write),
            timeout=_PATIENCE,
            check=False,
        )
        os.close(write)
        write = -1
        with os.fdopen(os.dup(read), "rb") as answers:
            message = json.loads(answers.readline() or b"null")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NoEngine(f"cannot run `{python}`: {reason}") from error
    finally:
        for handle in (read, write):
            with contextlib.suppress(OSError):
                os.close(handle)
    if not isinstance(message, dict):
        raise not_started(python, done.returncode)
    return interpreter_of(message.get("interpreter"))


def supposed_python(prefix: str, records: Iterable[Record]) -> Interpreter:
    """Give what conda's records let suppose of a Python that cannot be asked.

    Where python's own cannot be read, the others have files in its folder.
    """
    records = tuple(records)
    library = site_packages_of(records) or _library_in(records) or "lib/python/site-packages"
    stdlib = f"{prefix}/{os.path.dirname(library)}"
    version = next((record.version for record in records if record.name == "python"), "")
    version = version or os.path.dirname(library).partition("python")[2]
    return Interpreter(
        executable=f"{prefix}/bin/python",
        version=version,
        prefix=prefix,
        base_prefix=prefix,
        sys_path=(stdlib, f"{prefix}/{library}"),
        purelib=f"{prefix}/{library}",
        platlib=f"{prefix}/{library}",
        scripts=f"{prefix}/bin",
        stdlib=stdlib,
        user_site="",
        user_site_enabled=False,
    )


def _library_in(records: Iterable[Record]) -> str:
    paths = (path for record in records for path in record.files)
    return next((found[1] for path in paths if (found := _LIBRARY.fullmatch(path))), "")
