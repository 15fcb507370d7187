"""Looking at every file that conda's records own: is it there, with the bytes of the record.

Every byte is read. Size and time are no proof: the package cache shares its inodes with every
environment, and pip, uv and `cp -p` set times as they like.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

from safepip.values.inspection import Checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from safepip.values.environment import Record
    from safepip.values.inspection import Details, Linked

    Expected = Mapping[str, tuple[str, ...]]
    """The hashes that a path may have: one for each record that owns it; none where one of those
    records has none."""

_AT_ONCE = 200
"""Files that a thread looks at before it says so."""
_CHUNK = 1024 * 1024
_THREADS = 4
"""More do not help: two cores hash faster than a disk reads."""
_MISSING = "missing"
_UNREAD = "unread"


def check_files(
    prefix: str,
    records: Sequence[Record],
    details: Mapping[str, Details],
    tell: Callable[[int, int], None],
) -> Checked:
    """Look at all files of these records. ``tell`` hears how many of how many are done.

    Bytecode is left out: Python writes it anew as it likes, and not every writer owns it.
    """
    expected = _expected(records, details)
    links = _links(records, details)
    paths = list(expected)
    done, states = 0, []
    with ThreadPoolExecutor(_THREADS) as threads:
        parts = [paths[at : at + _AT_ONCE] for at in range(0, len(paths), _AT_ONCE)]
        try:
            for part in threads.map(lambda part: _look(prefix, part, expected, links), parts):
                states.append(part)
                done = min(done + _AT_ONCE, len(paths))
                tell(done, len(paths))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return _checked(expected, dict(zip(paths, chain.from_iterable(states), strict=True)))


def _expected(records: Iterable[Record], details: Mapping[str, Details]) -> Expected:
    """Give what each path should hold.

    Conda packages write over each other's files silently, so that of two owners one is right.
    """
    expected: dict[str, tuple[str, ...]] = {}
    for record in records:
        known = details[record.dist].hashes if record.dist in details else {}
        for path in record.files:
            if path.endswith(".pyc"):
                continue
            own = (known[path],) if path in known else ()
            others = expected.get(path)
            together = (*others, *own) if others and own else ()
            expected[path] = own if others is None else together
    return expected


def _links(
    records: Iterable[Record], details: Mapping[str, Details]
) -> Mapping[str, tuple[Linked, bool]]:
    """Give the paths at which every owner has a link, and whether conda has files below it.

    Of packages that share a path the one may have a link, and the other a file or a folder.
    """
    found = {p: link for one in details.values() for p, link in one.links.items()}
    if not found:
        return {}
    owners = Counter(path for record in records for path in record.files if path in found)
    folders: set[str] = set()
    for record in records:
        for path in record.files:
            above = path.rpartition("/")[0]
            while above and above not in folders:
                folders.add(above)
                above = above.rpartition("/")[0]
    return {p: (link, p in folders) for p, link in found.items() if owners[p] == 1}


def _look(
    prefix: str,
    paths: Sequence[str],
    expected: Expected,
    links: Mapping[str, tuple[Linked, bool]],
) -> list[str | None]:
    """Give None for each path that is as it should be, else what is there."""
    return [
        _state_of_link(f"{prefix}/{path}", links[path][0], is_above=links[path][1])
        if path in links
        else _state(f"{prefix}/{path}", expected[path])
        for path in paths
    ]


def _state_of_link(path: str, linked: Linked, *, is_above: bool) -> str | None:
    """Give what is in place of a link, or None where it is right.

    1. It leads where the link of the package does, if that is there to compare.
    2. Its hash is that of where it leads, or that of what is there.
    3. Else it has to lead somewhere. What does not may never have done so, and is not judged,
       unless the record has a hash of this very link.
    """
    original, target = _target(linked.source), _target(path)
    if target is None:
        return _instead_of_link(path, linked, original, is_above=is_above)
    here = hashlib.sha256(os.fsencode(target)).hexdigest()
    if original is not None:
        return None if target == original else here
    if here in linked.hashes or os.path.isdir(path):
        return None
    if not os.path.exists(path):
        return here if linked.is_of_prefix else _UNREAD
    is_right = not linked.is_of_prefix or _state(path, linked.hashes) is None
    return None if is_right else here


def _instead_of_link(
    path: str, linked: Linked, original: str | None, *, is_above: bool
) -> str | None:
    """Give what is at a path that should be a link and is none.

    A folder may be right where conda has files below it, and a copy of what the link leads to: for
    an absolute one conda makes that itself.
    """
    if not os.path.lexists(path):
        return _MISSING
    if os.path.isdir(path):
        return None if is_above else ""
    if original is not None and os.path.isabs(original):
        return None
    return _state(path, linked.hashes or ("",))


def _target(path: str) -> str | None:
    try:
        return os.readlink(path) if path else None
    except (OSError, ValueError):
        return None


def _state(path: str, hashes: tuple[str, ...]) -> str | None:
    if not hashes:
        return None if os.path.lexists(path) else _MISSING
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return "" if os.path.islink(path) else _MISSING
    except OSError:
        return _UNREAD if os.path.isfile(path) else ""
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        found = _sha256(handle)
    except OSError:
        return _UNREAD
    finally:
        os.close(handle)
    return None if found in hashes else found


def _sha256(handle: int) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(handle, _CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _checked(expected: Expected, states: Mapping[str, str | None]) -> Checked:
    wrong = {path: state for path, state in states.items() if state is not None}
    return Checked(
        files=len(states),
        hashed=sum(map(bool, expected.values())),
        altered={path: s for path, s in wrong.items() if s not in (_MISSING, _UNREAD)},
        missing=frozenset(path for path, state in wrong.items() if state == _MISSING),
        unread=tuple(path for path, state in wrong.items() if state == _UNREAD),
        unproven=frozenset(path for path, hashes in expected.items() if not hashes),
    )
