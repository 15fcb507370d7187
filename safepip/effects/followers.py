"""The files of constraints that are to follow what conda changes in an environment.

Their paths lie in `conda-meta/safepip`, beside the journal.
"""

from __future__ import annotations

import contextlib
import json

from safepip.effects.records import read_object
from safepip.effects.states import make_shared
from safepip.effects.writing import write_whole
from safepip.values.errors import SafepipError

NAME = "conda-meta/safepip/followers"
"""Below the prefix; not `*.json`, as it is no entry of the journal."""
_MOST = 100


def followers(prefix: str) -> tuple[str, ...]:
    """Give the absolute paths of these files."""
    paths = read_object(f"{prefix}/{NAME}").get("constraints")
    found = paths if isinstance(paths, list) else []
    return tuple(path for path in found if isinstance(path, str) and path.startswith("/"))


def follow(prefix: str, path: str) -> None:
    """Have a file follow; where the environment cannot be written, it does not."""
    known = followers(prefix)
    if path in known:
        return
    text = json.dumps({"constraints": [*known, path][-_MOST:]}) + "\n"
    with contextlib.suppress(OSError, SafepipError):
        make_shared(f"{prefix}/conda-meta/safepip", prefix)
        # Whoever may write to the environment's books must not reach the files of others by it.
        write_whole(f"{prefix}/{NAME}", text, follows=False)
