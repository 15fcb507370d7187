"""What a wheel says of itself is the same by its parts as by all of it."""

from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pip._vendor.requests import Session

from safepip.effects import lister
from safepip.effects.parts import NoParts, fetch
from safepip.effects.wheels import describe_wheel, has_bytes, read_wheel
from safepip.values.errors import UnreadableWheel
from tests.lab import Wheel, make_wheel, serve_index

NOISE = random.Random(7).randbytes(400_000)
LARGE = {"large/__init__.py": "", "large/data.bin": NOISE, "large/text.py": "TEXT = 1\n"}
LONG_NAMES = {f"large/{'of-a-name-that-is-long/' * 3}{n:05d}.py": "" for n in range(1200)}


def turned(wheel: Wheel, order: Callable[[zipfile.ZipInfo], Any]) -> Wheel:
    """The same files in another order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as source, zipfile.ZipFile(packed, "w") as target:
        for info in sorted(source.infolist(), key=order):
            target.writestr(info, source.read(info))
    return Wheel(wheel.filename, packed.getvalue())


def large(**more: Any) -> Wheel:
    files = {**LARGE, **more.pop("files", {})}
    words = {"requires": ["leaf>=1"], "provides_extra": ["x"], "scripts": {"large": "large:main"}}
    return make_wheel("large", "1.0", files, **{**words, **more})


USUAL = large()
WHEELS = {
    "usual": USUAL,
    "info-first": turned(USUAL, lambda info: ".dist-info/" not in info.filename),
    "info-apart": turned(USUAL, lambda info: info.filename.rpartition("/")[2]),
    "long-list": large(files=LONG_NAMES),
    "claims": large(record_extra=["elsewhere.py"], data_scripts={"raw": "#!python\n"}),
}


@pytest.mark.parametrize("name", WHEELS)
def test_parts_tell_what_all_of_it_tells(name: str, tmp_path: Path) -> None:
    wheel = WHEELS[name]
    whole, part = wheel.write(tmp_path / "whole"), tmp_path / wheel.filename
    with serve_index([wheel], ranges=True) as index:
        url = index.url.replace("/simple/", f"/files/{wheel.filename}")
        assert not fetch(Session(), url, str(part))
        parts = [request.size_bytes for request in index.requests]
        assert {request.status for request in index.requests} == {206}
    assert read_wheel(str(part)) == read_wheel(str(whole))
    assert describe_wheel(str(part)) == describe_wheel(str(whole))
    assert part.stat().st_size == whole.stat().st_size
    assert sum(parts) < len(wheel.data) - 250_000
    assert len(parts) <= 5
    with zipfile.ZipFile(part) as archive, pytest.raises(zipfile.BadZipFile):
        archive.read("large/data.bin")


def test_a_file_is_known_again_by_the_list_alone(tmp_path: Path) -> None:
    part = tmp_path / USUAL.filename
    with serve_index([USUAL], ranges=True) as index:
        fetch(Session(), index.url.replace("/simple/", f"/files/{USUAL.filename}"), str(part))
    there = tmp_path / "data.bin"
    for data, is_same in ((NOISE, True), (NOISE[:-1] + b"?", False), (NOISE + b"?", False)):
        there.write_bytes(data)
        with zipfile.ZipFile(part) as archive:
            found = has_bytes(archive, "large/data.bin", str(there), in_part=True)
            assert found == is_same
            assert not has_bytes(archive, "large/none.bin", str(there), in_part=True)


def test_what_is_small_or_not_to_be_had_in_parts(tmp_path: Path) -> None:
    small = make_wheel("small", "1.0")
    huge = make_wheel("huge", "1.0", {"huge.bin": random.Random(1).randbytes(1_500_000)})
    for ranges in (False, True):
        with serve_index([small, huge], ranges=ranges) as index:
            where = index.url.replace("/simple/", "/files/")
            path = tmp_path / f"{ranges}-{small.filename}"
            assert fetch(Session(), where + small.filename, str(path))
            assert path.read_bytes() == small.data
            if not ranges:
                with pytest.raises(NoParts):
                    fetch(Session(), where + huge.filename, str(tmp_path / huge.filename))


def moved(start: int, end: int, length: int) -> str:
    return f"bytes {start + 1}-{end + 1}/{length}"


def longer(start: int, end: int, length: int) -> str:
    return f"bytes {start}-{end}/{length + 9}"


def none(start: int, end: int, length: int) -> str:
    del start, end, length
    return "all of it"


@pytest.mark.parametrize("told", [moved, longer, none])
def test_a_server_that_says_something_else_than_it_gives(
    told: Callable[[int, int, int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.lab import index as lab_index

    plain = lab_index._Handler._send

    def send(self: Any, status: int, kind: str, body: bytes, headers: Any = None) -> None:
        if status == 206:
            start, rest = headers["Content-Range"].split()[1].split("-")
            end, length = rest.split("/")
            headers = {**headers, "Content-Range": told(int(start), int(end), int(length))}
        plain(self, status, kind, body, headers)

    monkeypatch.setattr(lab_index._Handler, "_send", send)
    with serve_index([USUAL], ranges=True) as index:
        url = index.url.replace("/simple/", f"/files/{USUAL.filename}")
        with pytest.raises(NoParts):
            fetch(Session(), url, str(tmp_path / USUAL.filename))


@pytest.mark.parametrize("cut", [b"", b"PK\x05\x06", b"no wheel" * 20_000])
def test_what_is_no_wheel_has_no_parts(cut: bytes, tmp_path: Path) -> None:
    with serve_index([Wheel("none-1.0-py3-none-any.whl", NOISE + cut)], ranges=True) as index:
        url = index.url.replace("/simple/", "/files/none-1.0-py3-none-any.whl")
        with pytest.raises(NoParts):
            fetch(Session(), url, str(tmp_path / "none-1.0-py3-none-any.whl"))


def test_a_part_that_was_damaged_on_its_way_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.lab import index as lab_index

    plain = lab_index._Handler._send

    def send(self: Any, status: int, kind: str, body: bytes, headers: Any = None) -> None:
        record = body.find(b"large-1.0.dist-info/RECORD")
        damaged = body[: record + 60] + bytes([body[record + 60] ^ 255]) + body[record + 61 :]
        plain(self, status, kind, damaged, headers)

    monkeypatch.setattr(lab_index._Handler, "_send", send)
    with serve_index([USUAL], ranges=True) as index:
        url = index.url.replace("/simple/", f"/files/{USUAL.filename}")
        with pytest.raises((zipfile.BadZipFile, zlib.error)):
            fetch(Session(), url, str(tmp_path / USUAL.filename))


@pytest.mark.parametrize("vary", [{}, {"Vary": "Accept-Encoding"}], ids=["plain", "vary"])
def test_what_pip_has_in_its_cache_is_not_asked_for(
    vary: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pip._internal.network.session import PipSession

    from tests.lab import index as lab_index

    plain = lab_index._Handler._send

    def send(self: Any, status: int, kind: str, body: bytes, headers: Any = None) -> None:
        plain(self, status, kind, body, {**(headers or {}), **vary})

    monkeypatch.setattr(lab_index._Handler, "_send", send)
    path = tmp_path / USUAL.filename
    with serve_index([USUAL], ranges=True, cache_control="max-age=600") as index:
        url = index.url.replace("/simple/", f"/files/{USUAL.filename}")
        host = url.split("/")[2]
        session = PipSession(cache=str(tmp_path / "cache"), trusted_hosts=[host], index_urls=[])
        assert not fetch(session, url, str(path))
        whole = session.get(url, headers={"Accept-Encoding": "identity"})
        assert whole.content == USUAL.data
        index.requests.clear()
        assert fetch(session, url, str(path))
        assert path.read_bytes() == USUAL.data
        assert index.requests == []


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_is_an_unreadable_wheel(method: int, tmp_path: Path) -> None:
    path = tmp_path / USUAL.filename
    with zipfile.ZipFile(io.BytesIO(USUAL.data)) as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, source.read(info), compress_type=method)
        record = target.getinfo("large-1.0.dist-info/RECORD")
    data = bytearray(path.read_bytes())
    start = record.header_offset + 30 + len(record.filename)
    data[start : start + 40] = bytes(40 * [255])
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableWheel):
        read_wheel(str(path))


def test_what_unpacks_to_far_too_much_is_not_read(tmp_path: Path) -> None:
    packed = io.BytesIO(large(scripts=None).data)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large-1.0.dist-info/entry_points.txt", bytes(65 * 1024 * 1024))
    bomb = Wheel(USUAL.filename, packed.getvalue())
    with serve_index([bomb], ranges=True) as index:
        url = index.url.replace("/simple/", f"/files/{USUAL.filename}")
        with pytest.raises(NoParts):
            fetch(Session(), url, str(tmp_path / USUAL.filename))


@pytest.mark.parametrize("name", ["entry_points.txt", "WHEEL"])
def test_a_text_that_is_far_too_long_is_not_taken_apart(name: str, tmp_path: Path) -> None:
    wheel = make_wheel("small", "1.0", info_files={name: b"\n" * (4 * 1024 * 1024 + 1)})
    with pytest.raises(UnreadableWheel, match="is over 4194304 bytes"):
        read_wheel(str(wheel.write(tmp_path)))


def test_metadata_that_unpacks_to_far_too_much_is_not_taken_apart(tmp_path: Path) -> None:
    text = b"Metadata-Version: 2.1\nName: small\nVersion: 1.0\n\n" + bytes(31 * 1024 * 1024)
    wheel = make_wheel("small", "1.0", info_files={"METADATA": text}).write(tmp_path)
    with pytest.raises(OSError, match="too large"):
        lister._of_wheel(str(wheel))  # type: ignore[no-untyped-call]


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    wheel = make_wheel("small", "1.0", {"small/__init__.py": ""}).write(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for in_part in (False, True):
        with zipfile.ZipFile(wheel) as archive:
            assert not has_bytes(archive, "small/__init__.py", str(pipe), in_part=in_part)
