"""Fetch of a wheel what tells its metadata and which files are in it, and leave the rest.

This file is a script: `runner.py` and `lister.py` load it, and the environment's own Python runs it
(3.7 or newer) inside pip, so it uses the standard library alone and nothing of safepip.

A zip file has its list at the end, and a wheel its `.dist-info` before that. What comes of it is a
file of the wheel's own length with holes in it.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import re
import struct
import zipfile
from importlib import import_module
from typing import Any

_TAIL = 64 * 1024
"""Bytes asked for first: enough for a few hundred names and their metadata."""
_MOST_BYTES = 64 * 1024 * 1024
_MOST_UNASKED = 1024 * 1024
"""Of an answer that is the whole wheel, because the server gives no part of it."""
_MOST_BETWEEN = 256 * 1024
"""Bytes that are rather fetched along than asked for apart."""
_END = struct.Struct("<4s4H2LH")
_PLAIN = {"Accept-Encoding": "identity"}
"""As pip asks for files, by which its cache knows them again."""
_WHOLE = 200
_PART = 206
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_TOLD_BY = ("METADATA", "RECORD", "WHEEL", "entry_points.txt")


class NoParts(Exception):
    """Say that the parts of a wheel cannot be had."""


def fetch(session: Any, url: str, path: str) -> bool:  # noqa: ANN401 - pip's own
    """Write a wheel in part; whole, where it is in pip's cache or small. Give whether it is whole.

    Raises: NoParts, and whatever pip's session does.
    """
    parts = _Parts(session, url, path)
    is_whole = parts.begin()
    if not is_whole:
        parts.complete()
    _check(path)
    return is_whole


class _Parts:
    def __init__(self, session: Any, url: str, path: str) -> None:  # noqa: ANN401 - as above
        self._session = session
        self._url = url
        self._path = path
        self._since = 0
        """From where on all is there."""
        self._left = _MOST_BYTES

    def begin(self) -> bool:
        """Fetch the end; give whether that was all of it."""
        if self._is_cached():
            with self._get(_PLAIN) as answer:
                if self._is_whole(answer, _MOST_BYTES):
                    return True
        with self._get({**_PLAIN, "Range": f"bytes=-{_TAIL}"}) as answer:
            if answer.status_code == _WHOLE:
                if not self._is_whole(answer, _MOST_UNASKED):
                    raise NoParts("all of it")
                return True
            start, length = self._place(answer)
            with open(self._path, "wb") as file:
                file.truncate(length)
            count = self._write(answer, start, _TAIL)
        if start + count != length:
            raise NoParts("not the end")
        self._since = start
        return start == 0

    def complete(self) -> None:
        """Fetch the list of files, and what is told of them."""
        with open(self._path, "rb") as file:
            file.seek(self._since)
            data = file.read()
        at = data.rfind(b"PK\x05\x06")
        if not 0 <= at <= len(data) - _END.size:
            raise NoParts("no end")
        size, offset = _END.unpack_from(data, at)[5:7]
        if offset + size > self._since + at:
            raise NoParts("too large a list")  # or none at all
        self._fill(offset, self._since)
        self._since = min(offset, self._since)
        with zipfile.ZipFile(self._path) as wheel:
            members = sorted(wheel.infolist(), key=lambda member: member.header_offset)
        for start, end in _spans(members, offset):
            self._fill(start, min(end, self._since))

    def _is_cached(self) -> bool:
        """Say whether pip's cache has it, which gives no parts of anything."""
        adapter = self._session.get_adapter(self._url)
        controller = getattr(adapter, "controller", None)
        if controller is None:
            return False
        requests = import_module("pip._vendor.requests")
        asked = requests.Request("GET", self._url, headers=_PLAIN)
        return bool(controller.cached_request(self._session.prepare_request(asked)))

    def _is_whole(self, answer: Any, most: int) -> bool:  # noqa: ANN401 - as above
        """Read all of it, unless that is too much."""
        if int(answer.headers.get("Content-Length", 0)) > most:
            return False
        with open(self._path, "wb"):
            pass
        self._write(answer, 0, most)
        return True

    def _fill(self, start: int, end: int) -> None:
        if start >= end:
            return
        with self._get({**_PLAIN, "Range": f"bytes={start}-{end - 1}"}) as answer:
            if self._place(answer)[0] != start:
                raise NoParts("no part")
            count = self._write(answer, start, end - start)
        if count != end - start:
            raise NoParts("too little")

    def _get(self, headers: dict[str, str]) -> Any:  # noqa: ANN401 - as above
        answer = self._session.get(self._url, headers=headers, stream=True)
        answer.raise_for_status()
        return answer

    @staticmethod
    def _place(answer: Any) -> tuple[int, int]:  # noqa: ANN401 - as above
        """Give where a part begins, and how long all of it is."""
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        if answer.status_code != _PART or found is None:
            raise NoParts("no part")
        return int(found.group(1)), int(found.group(3))

    def _write(self, answer: Any, start: int, most: int) -> int:  # noqa: ANN401 - as above
        """Write what comes to where it belongs, and give how many bytes that are."""
        count, most = 0, min(most, self._left)
        with open(self._path, "r+b") as file:
            file.seek(start)
            for chunk in answer.iter_content(_TAIL):
                count += len(chunk)
                if count > most:
                    raise NoParts("too large")
                file.write(chunk)
        self._left -= count
        return count


def _check(path: str) -> None:
    """Read what is told of the files, by which a checksum shows that all of it is there.

    Raises: NoParts, where that is too much; what zipfile raises.
    """
    left = _MOST_BYTES
    with zipfile.ZipFile(path) as wheel:
        for member in filter(_is_told_by, wheel.infolist()):
            left -= member.file_size
            if left < 0:
                raise NoParts("too large")
            with wheel.open(member) as stream:
                while stream.read(_TAIL):
                    pass


def _is_told_by(member: zipfile.ZipInfo) -> bool:
    folder, _, name = member.filename.partition("/")
    return folder.endswith(".dist-info") and name in _TOLD_BY


def _spans(members: list[zipfile.ZipInfo], end: int) -> list[tuple[int, int]]:
    """Give where what is told of the files lies; ``end`` is where their list begins."""
    after = [member.header_offset for member in members[1:]] + [end]
    spans: list[tuple[int, int]] = []
    for member, until in zip(members, after):
        if not _is_told_by(member):
            continue
        if spans and member.header_offset - spans[-1][1] <= _MOST_BETWEEN:
            spans[-1] = (spans[-1][0], until)
        else:
            spans.append((member.header_offset, until))
    return spans
