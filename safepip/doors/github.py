"""In a job of GitHub's: an annotation, and a part of the job's summary. Nothing else changes there.

The annotation goes to standard error: GitHub reads both streams, and stdout is pip's, or the JSON.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from safepip.decisions.drawing.annotation import (
    annotation,
    annotation_of_error,
    annotations_of_file,
    is_worth_telling,
)
from safepip.decisions.drawing.markdown import markdown, markdown_of_error, markdown_of_file
from safepip.effects.appending import append_summary
from safepip.values.errors import NotWritable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.environment_file import FileFinding
    from safepip.values.errors import SafepipError
    from safepip.values.verdict import Outcome


def tell_outcome(outcome: Outcome, *, has_document: bool) -> None:
    """Tell how a guarded command ended, unless all is well.

    What cannot be told ends nothing: the exit code is that of what was done.

    ``has_document``: the summary's text was printed already, for whoever asked for it.
    """
    try:
        _tell(outcome, has_document=has_document)
    except Exception as error:  # noqa: BLE001 - as above
        _say(f"safepip: the job's summary says nothing of this: {type(error).__name__}")


def _tell(outcome: Outcome, *, has_document: bool) -> None:
    tells = is_worth_telling(outcome)
    if tells:
        _say(annotation(outcome))
    if (tells or outcome.verb == "plan") and not has_document:
        _append(markdown(outcome))


def tell_error(error: SafepipError, verb: str) -> None:
    """Tell that safepip could not do its work."""
    _say(annotation_of_error(error, verb))
    _append(markdown_of_error(error, verb))


def tell_file(path: str, found: Sequence[FileFinding]) -> None:
    """Tell what is wrong with an environment file, at the lines where it stands."""
    workspace = os.environ.get("GITHUB_WORKSPACE", "")
    for line in annotations_of_file(os.path.abspath(path), found, workspace=workspace):
        _say(line)
    _append(markdown_of_file(path, found))


def _append(document: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        append_summary(path, document)
    except NotWritable as error:
        _say(f"safepip: the job's summary says nothing of this: {error.message}")


def _say(line: str) -> None:
    if sys.stderr is None:
        return
    try:
        # Escaped, so that no encoding of the stream is in the way.
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # nobody reads any more
