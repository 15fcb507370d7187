"""What folders and programs are, before anything is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from safepip.effects.prefixes import (
    SHIMS_MARK,
    behind,
    interpreters_of,
    is_base,
    is_conda_prefix,
    name_of,
    programs_on_path,
    python_of,
)
from tests.everywhere import here


def lay(path: Path, text: str = "", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def conda(prefix: Path) -> Path:
    lay(prefix / "conda-meta" / "history")
    lay(prefix / "bin" / "python3.11", "\x7fELF")
    (prefix / "bin" / "python").symlink_to("python3.11")
    return prefix


def nothing(name: str) -> Iterable[str]:
    return ()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["conda-meta/history"], True),
        (["conda-meta/six-1-0.json"], True),
        (["conda-meta/._six-1-0.json", "conda-meta/state"], False),
        (["conda-meta"], False),
        (["bin/python"], False),
    ],
)
def test_a_conda_environment_has_a_history_or_a_record(
    tmp_path: Path,
    files: list[str],
    expected: bool,
) -> None:
    for name in files:
        lay(tmp_path / name)
    assert is_conda_prefix(str(tmp_path)) is expected


def test_an_environment_that_cannot_be_looked_into_is_still_condas(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").symlink_to("conda-meta")
    assert is_conda_prefix(str(tmp_path))


def test_a_folder_that_is_no_environment_is_not_base(tmp_path: Path) -> None:
    assert (is_base(str(tmp_path)), name_of(str(tmp_path))) == (False, tmp_path.name)


@pytest.mark.parametrize("name", ["bin/python", "bin/python3", "python.exe", "Scripts/python.exe"])
def test_an_interpreter_lies_where_each_system_puts_it(tmp_path: Path, name: str) -> None:
    assert python_of(str(tmp_path)) == ""
    assert python_of(str(lay(tmp_path / name).parents[name.count("/")])) == str(tmp_path / name)


def test_programs_come_in_the_order_of_the_path(tmp_path: Path) -> None:
    first = lay(tmp_path / "a" / "pip")
    second = lay(tmp_path / "b" / "pip")
    lay(tmp_path / "data" / "pip", mode=0o644)
    lay(tmp_path / "shims" / SHIMS_MARK)
    lay(tmp_path / "shims" / "pip")
    (tmp_path / "folder" / "pip").mkdir(parents=True)
    folders = ["shims", "folder", "data", "gone", "a", "b"]
    path = os.pathsep.join(str(tmp_path / folder) for folder in folders)
    assert list(programs_on_path("pip", path)) == [str(first), str(second)]


def test_an_empty_part_of_the_path_is_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = lay(tmp_path / "pip")
    monkeypatch.chdir(tmp_path)
    assert list(programs_on_path("pip", "")) == [str(pip)]


def test_what_is_counted_from_a_working_folder_that_is_gone_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip, gone = lay(tmp_path / "there" / "pip"), tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert list(programs_on_path("pip", f"bin::.:{pip.parent}")) == [str(pip)]
    for words in (["guard", "--env=./x", "status"], ["plan", "--env=./x"], ["--env=./x", "list"]):
        done = here(*words)
        assert (done.code, "Traceback" in done.err) == (10, False)
        assert "the folder in which this was said is no longer there\nfix   go to" in done.err


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("#!/opt/my/bin/python3.11\nimport sys\n", "/opt/my/bin/python3.11"),
        ("#! /opt/my/bin/pypy3 -s\n", "/opt/my/bin/pypy3"),
        ("#!/bin/sh\n'''exec' /opt/long/bin/python \"$0\" \"$@\"\n' '''\n", "/opt/long/bin/python"),
        ('#!/bin/sh\n\'\'\'exec\' "/opt/a b/bin/python" "$0" "$@"\n', "/opt/a b/bin/python"),
        ("#!/usr/bin/env python3\n", "found/python3"),
        ("#!/usr/bin/env bash\npyenv exec\n", None),
        ("#!/usr/bin/env\n", None),
        ("#!/bin/sh\n'''exec' \n", None),
        ("#!/bin/sh\n'''exec' \"", None),
        ("#!\n", None),
        ("\x7fELF", None),
        ("", None),
    ],
)
def test_a_pip_names_its_interpreter(tmp_path: Path, script: str, named: str | None) -> None:
    pip = str(lay(tmp_path / "bin" / "pip", script))
    beside = [f"{tmp_path}/bin/python", f"{tmp_path}/bin/python3"]
    found = list(interpreters_of(pip, lambda name: [f"found/{name}"]))
    assert found == [*([named] if named else []), *beside]


def test_the_pip_of_a_copied_environment_acts_on_the_copy(tmp_path: Path) -> None:
    prefix = conda(tmp_path / "copy")
    pip = str(lay(prefix / "bin" / "pip", f"#!{conda(tmp_path / 'original')}/bin/python\n"))
    assert behind(interpreters_of(pip, nothing), {}) == (str(prefix), f"{prefix}/bin/python")


def test_the_pip_of_a_virtual_environment_acts_on_that(tmp_path: Path) -> None:
    base, venv = conda(tmp_path / "base"), tmp_path / "venv"
    lay(venv / "pyvenv.cfg")
    pip = str(lay(venv / "bin" / "pip", "#!/bin/sh\n"))
    (venv / "bin" / "python").symlink_to(base / "bin" / "python")
    assert behind(interpreters_of(pip, nothing), {}) == (str(venv), f"{venv}/bin/python")


def test_a_link_to_an_interpreter_has_the_prefix_of_what_it_leads_to(tmp_path: Path) -> None:
    prefix = conda(tmp_path / "base")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "py"
    link.symlink_to(prefix / "bin" / "python")
    assert behind(["", "gone", str(link)], {}) == (str(prefix), str(link))


def test_a_plain_interpreter_has_the_prefix_above_it(tmp_path: Path) -> None:
    python = lay(tmp_path / "usr" / "bin" / "python3", "\x7fELF")
    assert behind([str(python)], {}) == (f"{tmp_path}/usr", str(python))


def test_an_interpreter_of_windows_lies_in_the_prefix_itself(tmp_path: Path) -> None:
    lay(tmp_path / "env" / "conda-meta" / "history")
    python = lay(tmp_path / "env" / "python.exe")
    assert behind([str(python)], {}) == (f"{tmp_path}/env", str(python))


def test_a_shim_is_asked(tmp_path: Path) -> None:
    shim = lay(tmp_path / "shims" / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    assert behind([str(shim)], os.environ) == (os.path.realpath(sys.prefix), sys.executable)


def test_a_link_to_a_program_that_decides_is_asked(tmp_path: Path) -> None:
    lay(tmp_path / "mise", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    shim = tmp_path / "python"
    shim.symlink_to("mise")
    assert behind([str(shim)], os.environ) == (os.path.realpath(sys.prefix), sys.executable)


@pytest.mark.parametrize(
    "answer", ["echo 'pyenv: python: not found' >&2; exit 127", "echo /opt", "kill $$"]
)
def test_a_shim_without_an_answer_is_passed_over(tmp_path: Path, answer: str) -> None:
    shim = lay(tmp_path / "shims" / "python", f"#!/bin/sh\n{answer}\n")
    assert behind([str(shim)], os.environ) is None


def test_a_pip_that_cannot_be_read_is_taken_by_its_folder(tmp_path: Path) -> None:
    assert next(iter(interpreters_of(f"{tmp_path}/bin/pip", nothing))) == f"{tmp_path}/bin/python"
