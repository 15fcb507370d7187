"""What an update takes out of an environment file, and what of it is a secret. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from safepip.decisions.exporting.lines import key_of, name_in, path_in
from safepip.decisions.exporting.urls import bare, has_secret
from safepip.values.environment import spec_name
from safepip.values.sheet import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.environment_file import EnvironmentFile
    from safepip.values.sheet import NoteKind

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def dropped(before: EnvironmentFile, after: EnvironmentFile) -> tuple[Note, ...]:
    """Give what stands in a file no more, and the logins that stand in it still."""
    name = posixpath.basename(before.path)
    gone = (Note(_kind(text), bare(text), name) for text in _gone(before, after))
    logins = (Note("login-there", bare(text), name) for text in texts_with_login(after))
    return (*gone, *logins)


def _kind(line: str) -> NoteKind:
    """Say what can be known: a path or a URL does not tell the name of what is there."""
    nameless = path_in(line) or URL.search(line)
    return "rewritten" if nameless and not name_in(line) else "dropped"


def _gone(before: EnvironmentFile, after: EnvironmentFile) -> Iterator[str]:
    specs = {spec_name(spec) for spec in after.specs}
    yield from (spec for spec in before.specs if spec_name(spec) not in specs)
    keys = {key_of(line.text) for line in after.lines}
    yield from (line.text for line in before.lines if key_of(line.text) not in keys)


def texts_with_login(file: EnvironmentFile) -> Iterator[str]:
    """Give what is written with what it logs in with."""
    for text in (*file.channels, *file.specs, *(line.text for line in file.lines)):
        if any(map(has_secret, URL.findall(text))):
            yield text
