"""The environment that a command is about. Light: every call passes here."""

from __future__ import annotations

import os
import sys

from safepip.doors.arguments import without_env
from safepip.effects.called import words_to_type
from safepip.effects.targets import find_target
from safepip.values.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.doors.arguments import OwnOptions
    from safepip.values.target import Target


def target_of(
    own: OwnOptions,
    arguments: Sequence[str],
    *,
    as_module: bool,
    pip_python: str | None = None,
    is_for_pip: bool = True,
    through: tuple[str, ...] = (),
) -> Target:
    """Give the environment that this command is about.

    ``arguments``: the command itself, from its verb on, as an error gives it again; ``through``:
    the words before pip's. ``is_for_pip``: without a Python it could do nothing.

    Raises: WrongEnvironment.
    """
    return find_target(
        own.env,
        pip_python or os.environ.get("PIP_PYTHON") or None,
        os.environ,
        sys.prefix,
        as_module,
        arguments=without_env(arguments),
        is_for_pip=is_for_pip,
        through=through,
        start=words_to_type(os.environ),
    )
