"""Package indexes: a folder that pip can read, and a server on the loopback that keeps a log.

The server speaks PEP 503 (HTML), PEP 691 (JSON) and PEP 658 (metadata beside the wheel).
"""

from __future__ import annotations

import base64
import html
import io
import json
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

from tests.lab.wheels import Wheel, normalised

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"


def write_index(folder: Path, wheels: Iterable[Wheel]) -> str:
    """A PEP 503 tree in ``folder``; its URL, for ``--index-url``, comes back."""
    by_name = _by_name(wheels)
    for name, files in by_name.items():
        for file in files:
            file.write(folder / name)
        links = [_Link(file.filename, file.sha256, None, None) for file in files]
        (folder / name / "index.html").write_text(_page(links))
    names = [_Link(f"{name}/", "", None, None) for name in sorted(by_name)]
    (folder / "index.html").write_text(_page(names))
    return folder.as_uri()


class Request(NamedTuple):
    """One request, as the server saw and answered it."""

    method: str
    path: str
    status: int
    size_bytes: int
    """Of the answer's body."""
    authorised: bool
    """Whether it carried the right user and password; ``True`` where none are asked for."""


@dataclass
class Index:
    """A running server. What is public here may be changed while it runs."""

    url: str = ""
    """Of the index, without user and password."""
    url_with_login: str = ""
    requests: list[Request] = field(default_factory=list)
    files: dict[str, Wheel] = field(default_factory=dict)
    yanked: set[str] = field(default_factory=set)
    """File names."""
    metadata: bool = False
    cache_control: str | None = None
    as_json: bool = True
    login: str | None = None
    ranges: bool = False
    delay: float = 0.0
    """Seconds before each answer."""

    def add(self, *wheels: Wheel) -> None:
        """Offer more files."""
        self.files.update({wheel.filename: wheel for wheel in wheels})

    def downloads(self) -> list[str]:
        """The names of the wheels and sdists that were fetched whole, in order."""
        fetched = [one.path.rpartition("/")[2] for one in self.requests if one.status == 200]
        return [name for name in fetched if name in self.files]


@contextmanager
def serve_index(
    wheels: Sequence[Wheel] = (),
    *,
    login: tuple[str, str] | None = None,
    metadata: bool = False,
    cache_control: str | None = None,
    as_json: bool = True,
    ranges: bool = False,
) -> Iterator[Index]:
    """An index on the loopback for as long as the block lasts.

    ``login``: the user and password that every request must carry. ``metadata``: advertise and
    serve the METADATA of wheels. ``cache_control``: sent with pages and files (pip caches nothing
    without it). ``ranges``: parts of files can be had.
    """
    index = Index(metadata=metadata, cache_control=cache_control, as_json=as_json, ranges=ranges)
    index.add(*wheels)
    index.login = ":".join(login) if login else None
    handler = type("Handler", (_Handler,), {"index": index})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    where = f"127.0.0.1:{server.server_address[1]}/simple/"
    index.url = f"http://{where}"
    index.url_with_login = f"http://{index.login}@{where}" if login else index.url
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Link(NamedTuple):
    """One line of an index page."""

    target: str
    digest: str
    metadata_digest: str | None
    yanked: str | None


class _Handler(BaseHTTPRequestHandler):
    """Answers for one `Index`."""

    index: ClassVar[Index]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(self.index.delay)
        kind, _, rest = self.path.partition("?")[0].strip("/").partition("/")
        if not self._authorised():
            self._send(401, HTML, b"login needed", {"WWW-Authenticate": 'Basic realm="lab"'})
        elif kind == "simple" and rest:
            self._send_page(rest)
        elif kind == "simple":
            self._send(
                200,
                HTML,
                _page([_Link(f"{name}/", "", None, None) for name in self._names()]).encode(),
            )
        else:
            self._send_file(rest)

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def _names(self) -> list[str]:
        return sorted(_by_name(self.index.files.values()))

    def _send_page(self, project: str) -> None:
        files = _by_name(self.index.files.values()).get(normalised(project), [])
        if not files:
            self._send(404, HTML, b"no such project")
            return
        links = [self._link(file) for file in files]
        if self.index.as_json and JSON in self.headers.get("Accept", ""):
            self._send(200, JSON, _json_page(project, links))
        else:
            self._send(200, HTML, _page(links).encode())

    def _link(self, file: Wheel) -> _Link:
        said = metadata_of(file) if self.index.metadata else None
        yanked = "broken" if file.filename in self.index.yanked else None
        digest = sha256(said).hexdigest() if said is not None else None
        return _Link(f"/files/{file.filename}", file.sha256, digest, yanked)

    def _send_file(self, name: str) -> None:
        file = self.index.files.get(name.removesuffix(".metadata"))
        said = metadata_of(file) if file and self.index.metadata else None
        body = said if name.endswith(".metadata") else file.data if file else None
        if body is None:
            self._send(404, HTML, b"no such file")
        elif self.index.ranges:
            self._send_part(body)
        else:
            self._send(200, "application/octet-stream", body)

    def _send_part(self, body: bytes) -> None:
        """The part that is asked for: `bytes=0-99` or `bytes=-100`."""
        start, _, end = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        headers = {"Accept-Ranges": "bytes"}
        if not (start or end):
            self._send(200, "application/octet-stream", body, headers)
            return
        first = int(start) if start else max(0, len(body) - int(end))
        last = min(int(end) if start and end else len(body), len(body) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        self._send(206, "application/octet-stream", body[first : last + 1], headers)

    def _authorised(self) -> bool:
        wanted = self.index.login
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        return wanted is None or sent == base64.b64encode(wanted.encode()).decode()

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        # Before the answer goes out: who has the answer finds the request in the log.
        request = Request(self.command, self.path, status, len(body), self._authorised())
        self.index.requests.append(request)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.index.cache_control and status == 200:
            self.send_header("Cache-Control", self.index.cache_control)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(BrokenPipeError):  # who asked had not the patience
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
        """Nothing on stderr; the log is a value."""


def metadata_of(file: Wheel) -> bytes | None:
    """The METADATA of a wheel; ``None`` for an sdist."""
    if not file.filename.endswith(".whl"):
        return None
    archive = zipfile.ZipFile(io.BytesIO(file.data))
    return archive.read(
        next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    )


def _by_name(wheels: Iterable[Wheel]) -> dict[str, list[Wheel]]:
    found: defaultdict[str, list[Wheel]] = defaultdict(list)
    for wheel in wheels:
        sdist = wheel.filename.endswith(".tar.gz")
        name = wheel.filename.rpartition("-")[0] if sdist else wheel.filename.split("-")[0]
        found[normalised(name)].append(wheel)
    return found


def _page(links: Iterable[_Link]) -> str:
    rows = []
    for link in links:
        fragment = f"#sha256={link.digest}" if link.digest else ""
        said = (
            f' data-core-metadata="sha256={link.metadata_digest}"' if link.metadata_digest else ""
        )
        said += (
            f' data-dist-info-metadata="sha256={link.metadata_digest}"'
            if link.metadata_digest
            else ""
        )
        said += f' data-yanked="{html.escape(link.yanked)}"' if link.yanked else ""
        shown = html.escape(link.target.rpartition("/files/")[2])
        rows.append(f'<a href="{html.escape(link.target)}{fragment}"{said}>{shown}</a><br>\n')
    return f"<!DOCTYPE html>\n<html><body>\n{''.join(rows)}</body></html>\n"


def _json_page(project: str, links: Iterable[_Link]) -> bytes:
    files = [
        {
            "filename": link.target.rpartition("/")[2],
            "url": link.target,
            "hashes": {"sha256": link.digest},
            "core-metadata": {"sha256": link.metadata_digest} if link.metadata_digest else False,
            "yanked": link.yanked or False,
        }
        for link in links
    ]
    return json.dumps(
        {"meta": {"api-version": "1.1"}, "name": normalised(project), "files": files}
    ).encode()
