"""What services of continuous integration offer for `PATH` of the steps to come. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from safepip.values.errors import UsageError
from safepip.values.guarding import SHIMS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Offer(NamedTuple):
    """How a service takes a folder that is to come first on `PATH`."""

    service: str
    """A word; empty for a service that is not known."""
    line: str
    """What is said: to a file, or on stdout; or what is to be done by hand."""
    file: str = ""
    """What the line is appended to; empty where it is not a file that takes it."""


def offer(prefix: str, environ: Mapping[str, str]) -> Offer:
    """Give what the service that we run in takes.

    Raises: UsageError, where the folder is one that no line can name.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions,
    https://circleci.com/docs/env-vars/ and
    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
    """
    folder = f"{prefix}/{SHIMS}"
    if not folder.isprintable():
        raise UsageError("the name of the environment's folder has characters that no CI takes")
    if file := environ.get("GITHUB_PATH"):
        return Offer("GitHub", folder, file)
    bash = f"export PATH={shlex.quote(folder)}:$PATH"
    if environ.get("CIRCLECI") and (file := environ.get("BASH_ENV")):
        return Offer("CircleCI", bash, file)
    if environ.get("TF_BUILD"):
        return Offer("Azure", f"##vso[task.prependpath]{folder}")
    return Offer("", bash)
