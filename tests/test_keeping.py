"""Files that are as they were after a block, whatever happens in it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from safepip.effects.keeping import forget, gone, kept


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    (tmp_path / "prefix/conda-meta").mkdir(parents=True)
    (tmp_path / "prefix/lib").mkdir()
    (tmp_path / "prefix/lib/file").write_text("conda's\n")
    (tmp_path / "prefix/lib/link").symlink_to("nowhere")
    return tmp_path / "prefix"


def test_what_is_removed_or_replaced_comes_back(prefix: Path, tmp_path: Path) -> None:
    paths = [str(prefix / "lib" / name) for name in ("file", "link", "absent")]
    before = [os.lstat(path) for path in paths[:2]]
    with kept(paths, str(prefix), tmp_path):
        shutil.rmtree(prefix / "lib")
    after = [os.lstat(path) for path in paths[:2]]
    assert [(a.st_ino, a.st_mtime_ns, a.st_mode) for a in after] == [
        (b.st_ino, b.st_mtime_ns, b.st_mode) for b in before
    ]
    assert (prefix / "lib/file").read_text() == "conda's\n"
    with kept(paths, str(prefix), tmp_path):
        (prefix / "lib/file").unlink()
        (prefix / "lib/file").mkdir()
        (prefix / "lib/file/inner").write_text("")
    assert (prefix / "lib/file").stat().st_ino == before[0].st_ino
    assert not (prefix / "lib/absent").exists()
    assert list((prefix / "conda-meta").iterdir()) == []


def test_files_come_back_after_an_error_too(prefix: Path, tmp_path: Path) -> None:
    path = prefix / "lib/file"
    with suppress(ZeroDivisionError), kept([str(path)], str(prefix), tmp_path):
        path.unlink()
        print(1 / 0)
    assert path.read_text() == "conda's\n"


def test_where_the_prefix_is_closed_another_folder_serves(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept\n")
    with kept([str(path)], str(tmp_path / "no-prefix"), tmp_path):
        path.write_text("changed in place, which a link cannot undo\n")
        path.unlink()
    assert path.exists()


def test_what_was_not_there_is_gone_again(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    with gone([str(tmp_path / "old"), str(tmp_path / "new"), str(tmp_path / "never")]):
        (tmp_path / "new").write_text("")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_list_of_files_loses_lines_and_keeps_the_rest(tmp_path: Path) -> None:
    info = tmp_path / "x-1.dist-info"
    info.mkdir()
    record = info / "RECORD"
    record.write_text('x.py,sha256=a,1\n../bin/x,sha256=b,2\n"a,b.txt",,\nx-1.dist-info/RECORD,,\n')
    record.chmod(0o640)
    forget(str(record), {str(tmp_path.parent / "bin/x"), str(tmp_path / "other")})
    assert record.read_text() == 'x.py,sha256=a,1\n"a,b.txt",,\nx-1.dist-info/RECORD,,\n'
    assert record.stat().st_mode & 0o777 == 0o640
    inode = record.stat().st_ino
    forget(str(record), {str(tmp_path / "other")})
    forget(str(tmp_path / "absent/RECORD"), {"x"})
    assert record.stat().st_ino == inode
