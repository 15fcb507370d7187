"""Command lines in which something is put for something else, in every spelling that pip takes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from safepip.effects.inputs import (
    CONSTRAINT,
    FIND_LINKS,
    REQUIREMENT,
    copied_once,
    with_copies,
    with_options,
    with_values,
)
from safepip.recipes.acting import with_whole_places
from safepip.values.errors import CannotJudge


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("-r OLD", "-r new"),
        ("-rOLD", "-rnew"),
        ("-qrOLD", "-qrnew"),
        ("-Uqr OLD", "-Uqr new"),
        ("--requirement OLD", "--requirement new"),
        ("--requirement=OLD", "--requirement=new"),
        ("--requ=OLD", "--requ=new"),
        ("--requ OLD", "--requ new"),
        ("OLD", "OLD"),
        ("-U OLD", "-U OLD"),
        ("-c OLD", "-c OLD"),
        ("-e OLD", "-e OLD"),
        ("--report OLD", "--report OLD"),
        ("--report=OLD", "--report=OLD"),
        ("-r other OLD", "-r other OLD"),
        ("-- -r OLD", "-- -r OLD"),
        ("-r", "-r"),
    ],
)
def test_a_value_is_found_wherever_it_belongs_to_the_option(given: str, expected: str) -> None:
    changed = with_values(["install", *given.split()], REQUIREMENT, {"OLD": "new"})
    assert changed == ("install", *expected.split())


def test_the_journal_is_told_whole_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wh").mkdir()
    links = ("install", "-Uf", "wh", "-fwh", "--find-l=wh", "-f", "file:wh", "-f", "https://h")
    here = f"{tmp_path}/wh"
    whole = ("install", "-Uf", here, f"-f{here}", f"--find-l={here}", *links[5:])
    assert with_whole_places(links) == whole


def test_each_option_has_its_own_letter() -> None:
    given = ["-r", "x", "-cx", "-f", "x"]
    assert with_values(given, CONSTRAINT, {"x": "y"}) == ("-r", "x", "-cy", "-f", "x")
    assert with_values(given, FIND_LINKS, {"x": "y"}) == ("-r", "x", "-cx", "-f", "y")


def test_options_stand_before_the_end_of_options() -> None:
    assert with_options(["install", "x"], ["--dry-run"]) == ("install", "x", "--dry-run")
    assert with_options(["install", "--", "x"], ["--dry-run"]) == (
        "install",
        "--dry-run",
        "--",
        "x",
    )


def test_only_what_can_be_read_once_is_copied(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("six\n")
    read, write = os.pipe()
    os.write(write, b"attrs\n")
    os.close(write)
    pipe = f"/dev/fd/{read}"
    copies = copied_once([str(tmp_path / "file"), str(tmp_path), "https://x", pipe, pipe], tmp_path)
    os.close(read)
    assert list(copies) == [pipe]
    assert Path(copies[pipe]).read_text() == "attrs\n"


def test_a_copy_is_named_in_variables_too() -> None:
    environ = {"PIP_REQUIREMENT": "a /dev/stdin", "HOME": "/dev/stdin"}
    assert with_copies(["install"], environ, {"/dev/stdin": "copy"}) == (
        ("install",),
        {"PIP_REQUIREMENT": "a copy", "HOME": "/dev/stdin"},
    )


def test_a_pipe_that_only_the_configuration_names_cannot_be_judged() -> None:
    with pytest.raises(CannotJudge) as caught:
        with_copies(["install"], {}, {"/dev/stdin": "copy"})
    assert str(caught.value) == (
        "`/dev/stdin` can be read only once, and this engine reads it twice"
    )


def test_a_pipe_that_cannot_be_read_cannot_be_judged(tmp_path: Path) -> None:

    with socket.socket(socket.AF_UNIX) as server:
        path = str(tmp_path / "s")
        server.bind(path)
        with pytest.raises(CannotJudge) as caught:
            copied_once([path], tmp_path)
    assert str(caught.value).startswith(f"cannot read `{path}`: ")
