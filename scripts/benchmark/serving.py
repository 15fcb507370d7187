"""A package index on the loopback, as far away as it is told to be.

Unlike the lab's it has everything ready before the first request, so that what it does costs
little; it answers late and slowly on purpose; and it knows whether a cached answer is still good.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tests.lab.index import JSON, metadata_of
from tests.lab.wheels import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.lab import Wheel

_CHUNK = 128 * 1024


@dataclass(frozen=True)
class Network:
    """What an index is like to those who use it."""

    latency_seconds: float = 0.0
    """Before each answer."""
    bytes_per_second: float = 0.0
    """Of each answer; 0: as fast as it goes."""
    metadata: bool = True
    """PEP 658: the METADATA of a wheel can be fetched alone."""
    cached: bool = True
    """Answers may be kept: wheels for ever, pages for ten minutes."""

    def __str__(self) -> str:
        metadata = "with" if self.metadata else "without"
        cached = "with" if self.cached else "without"
        speed = f"{self.bytes_per_second / 1e6:g} MB/s" if self.bytes_per_second else "at once"
        late = f"{self.latency_seconds * 1000:g} ms, then {speed}"
        return f"{late}; {metadata} PEP 658, {cached} cache headers"


class Traffic(NamedTuple):
    """What went over the wire."""

    requests: int = 0
    size_bytes: int = 0
    """Of the bodies of answers."""


class _Answer(NamedTuple):
    kind: str
    body: bytes
    keep_seconds: int
    tag: str


@dataclass
class Index:
    """A running index."""

    url: str
    network: Network
    answers: Mapping[str, _Answer]
    _sizes: list[int] = field(default_factory=list)

    def note(self, size_bytes: int) -> None:
        """Count an answer."""
        self._sizes.append(size_bytes)

    def take(self) -> Traffic:
        """Give what was served since this was last asked."""
        sizes, self._sizes = self._sizes, []
        return Traffic(len(sizes), sum(sizes))


@contextmanager
def serve(wheels: Sequence[Wheel], network: Network) -> Iterator[Index]:
    """Serve these wheels for as long as the block lasts."""
    index = Index("", network, _answers(wheels, network))
    handler = type("Handler", (_Handler,), {"index": index})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answers(wheels: Sequence[Wheel], network: Network) -> dict[str, _Answer]:
    pages: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    answers: dict[str, _Answer] = {}
    for wheel in wheels:
        path = f"/files/{wheel.filename}"
        row: dict[str, object] = {"filename": wheel.filename, "url": path}
        row["hashes"] = {"sha256": wheel.sha256}
        answers[path] = _answer("application/octet-stream", wheel.data, 365 * 24 * 3600)
        said = metadata_of(wheel) if network.metadata else None
        if said is not None:
            answers[f"{path}.metadata"] = _answer("text/plain", said, 365 * 24 * 3600)
            digest = {"sha256": sha256(said).hexdigest()}
            row.update({"core-metadata": digest, "dist-info-metadata": digest})
        pages[normalised(wheel.filename.split("-")[0])].append(row)
    for project, rows in pages.items():
        page = {"meta": {"api-version": "1.1"}, "name": project, "files": rows}
        answers[f"/simple/{project}/"] = _answer(JSON, json.dumps(page).encode(), 600)
    return answers


def _answer(kind: str, body: bytes, keep_seconds: int) -> _Answer:
    return _Answer(kind, body, keep_seconds, f'"{sha256(body).hexdigest()[:20]}"')


_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class _Handler(BaseHTTPRequestHandler):
    """Answers for one `Index`."""

    index: ClassVar[Index]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        network = self.index.network
        time.sleep(network.latency_seconds)
        found = self.index.answers.get(self.path.partition("?")[0])
        if found is None:
            self._send(404, b"", {"Content-Type": "text/plain"})
            return
        headers = {"Content-Type": found.kind}
        if network.cached:
            headers["ETag"] = found.tag
            headers["Cache-Control"] = f"max-age={found.keep_seconds}"
            if self.headers.get("If-None-Match") == found.tag:
                self._send(304, b"", headers)
                return
        headers["Accept-Ranges"] = "bytes"
        if (part := _RANGE.fullmatch(self.headers.get("Range", ""))) is None:
            self._send(200, found.body, headers)
            return
        length = len(found.body)
        start = int(part[1]) if part[1] else max(0, length - int(part[2] or 0))
        end = int(part[2]) + 1 if part[1] and part[2] else length
        body = found.body[start:end]
        headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{length}"
        self._send(206, body, headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.index.note(len(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:  # noqa: PLR2004 - "not modified", which has no body
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self._pour(body)

    def _pour(self, body: bytes) -> None:
        speed, begun = self.index.network.bytes_per_second, time.monotonic()
        for start in range(0, len(body), _CHUNK):
            self.wfile.write(body[start : start + _CHUNK])
            if speed:
                due = begun + min(start + _CHUNK, len(body)) / speed
                time.sleep(max(0.0, due - time.monotonic()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
        """Nothing on stderr."""
