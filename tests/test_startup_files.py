"""The block in a startup file: there and gone again, and not a byte of anything else."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safepip.decisions.guarding.startup import RID, functions, with_block, without_block
from safepip.effects.itself import read_texts
from safepip.values.errors import UsageError
from tests.everywhere import here

TEXT = "pip() { :; }\n"

FILES = [
    b"",
    b"alias x=y\n",
    b"alias x=y",
    b"alias x=y\r\n\r\n",
    b"\r\n x",
    b"caf\xe9 \xff\x00 \x80\n",
    b"\n\n\n",
    b"if true; then\n",
]


@pytest.mark.parametrize("before", FILES)
def test_what_stood_there_is_there_again(before: bytes) -> None:
    after = with_block(before, TEXT)
    assert after.startswith(before)
    assert TEXT.encode() in after
    assert with_block(after, TEXT) == after
    newer = with_block(after, "other\n")
    assert without_block(newer) == without_block(after) == before
    # What others add below stays, wherever the block is.
    assert without_block(newer + b"more") == as_a_line(before) + b"more"


def as_a_line(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_no_file_loses_a_byte(before: bytes, added: bytes) -> None:
    assume(b"safepip" not in before + added)  # which hypothesis finds in the code
    after = with_block(before, TEXT)
    assert without_block(after) == before
    assert without_block(after + added) == (as_a_line(before) + added if added else before)


def test_a_file_that_was_made_goes_unless_it_holds_more() -> None:
    made = with_block(None, TEXT)
    assert without_block(made) is None
    assert without_block(made + b"x\n") == b"x\n"
    assert without_block(None) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"pip()", b"pip ()"),
        lambda data: data.replace(b"# <<< safepip <<<\n", b""),
        lambda data: data[data.index(b"pip()") :],
        lambda data: data + data,
    ],
)
def test_a_block_that_somebody_changed_is_theirs(change: object) -> None:
    changed = change(with_block(b"a\n", TEXT))  # type: ignore[operator]
    for act in (without_block, lambda data: with_block(data, TEXT)):
        with pytest.raises(UsageError, match=r"was changed \(line [12]\)"):
            act(changed)


def rc(home: Path, shell: str) -> Path:
    names = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/conf.d/safepip.fish"}
    return home / names.get(shell, ".config/powershell/profile.ps1")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_command_writes_and_removes(shell: str, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    file = rc(tmp_path, shell)
    assert here("shell-init", shell, "--write", "--dry-run", environ=home).code == 0
    assert not file.exists()
    done = here("shell-init", shell, "--write", environ=home)
    assert (done.code, f"safepip: {file} changed" in done.said) == (0, True), done
    assert here("shell-init", shell).out in file.read_text("utf-8")
    again = here("shell-init", shell, "--write", "--json", environ=home)
    assert json.loads(again.out)["file"] == {
        "path": str(file),
        "changed": False,
        "scripts_removed": [],
    }
    done = here("shell-init", shell, "--remove", environ=home)
    assert (done.code, f"this one once you have said {RID[shell]}" in done.said) == (0, True)
    assert f"\n    {RID[shell]}\n" in done.err
    assert [*tmp_path.iterdir()] == []  # nor the folders that were made for it


def test_no_path_ends_a_string_of_powershells() -> None:
    """It takes each of these for the quote that a string begins with."""
    program = "/home/O\u2019Brien/\u2018\u201a\u201b'/safepip"
    printed = functions("powershell", read_texts(), (program,), "/p")
    quoted = printed.split('"#!/bin/sh`n" + \'', 1)[1].split('\' + "`n"\n', 1)[0]
    quote = "['\u2018\u2019\u201a\u201b]"
    assert re.search(quote, re.sub(f"({quote})\\1", "", quoted)) is None
    script = re.sub(f"({quote})\\1", r"\1", quoted)
    assert f"program={shlex.quote(program)}\n" in script
    # What is laid and cannot be made a program stands before nothing.
    assert "if ($LASTEXITCODE -ne 0) {" in printed


def test_what_powershell_was_laid_goes_with_its_block(tmp_path: Path) -> None:
    data, home = tmp_path / "data", {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    laid = data / "safepip" / "powershell"
    laid.mkdir(parents=True)
    mine = data / "safepip" / "mine"
    names = (".new-123", ".safepip-shims", "pip", "pip3", "uv")
    for file in (mine, *(laid / name for name in names)):
        file.touch()
    words = ("shell-init", "powershell", "--remove")
    for option in ("--write", "--remove", "--dry-run"):  # of others, and before it is meant
        shell = "bash" if option == "--remove" else "powershell"
        done = here("shell-init", shell, option, *(["--remove"] * ("dry" in option)), environ=home)
        assert (done.code, len([*laid.iterdir()])) == (0, 5), done
    found = json.loads(here(*words, "--json", environ=home).out)["file"]
    assert found["scripts_removed"] == [str(laid / name) for name in names]
    assert (laid.exists(), mine.exists()) == (False, True)
    # A folder that leads elsewhere is somebody's.
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "pip").touch()
    laid.symlink_to(tmp_path / "victim")
    assert here(*words, environ=home).code == 0
    assert (tmp_path / "victim" / "pip").exists()


def test_a_link_stays_a_link_and_modes_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "bashrc"
    real.parent.mkdir()
    real.write_bytes(b"caf\xe9")
    real.chmod(0o640)
    link = tmp_path / ".bashrc"
    link.symlink_to("dotfiles/bashrc")
    for option, expected in (("--write", True), ("--remove", False)):
        assert here("shell-init", "bash", option, environ={"HOME": str(tmp_path)}).code == 0
        assert link.is_symlink()
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        assert (b"safepip" in real.read_bytes()) == expected
    assert real.read_bytes() == b"caf\xe9"


def test_without_a_shell_the_choice_is_told() -> None:
    done = here("shell-init")
    assert done.code == 2
    choice = "Choose from: bash, zsh, fish, powershell"
    assert " ".join(done.err.split()).endswith(f"{choice} Nothing was changed.")


def test_what_cannot_be_written_is_named_and_left(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    rc(tmp_path, "zsh").mkdir()
    done = here("shell-init", "zsh", "--write", environ=home)
    assert (done.code, f"`{tmp_path}/.zshrc`" in done.said) == (16, True), done
    rc(tmp_path, "zsh").rmdir()
    os.mkfifo(rc(tmp_path, "zsh"))  # which would be waited for
    done = here("shell-init", "zsh", "--write", environ=home)
    assert (done.code, "is not a file" in done.said) == (16, True), done
    rc(tmp_path, "bash").symlink_to("nowhere/at/all")
    done = here("shell-init", "bash", "--write", environ=home)
    assert (done.code, "a link that leads nowhere" in done.said) == (16, True), done
    rc(tmp_path, "bash").unlink()
    rc(tmp_path, "bash").write_text("# >>> safepip >>>\n", encoding="utf-8")
    done = here("shell-init", "bash", "--remove", environ=home)
    assert (done.code, "is left alone" in done.said) == (2, True), done
    (object_,) = json.loads(here("shell-init", "bash", "--remove", "--json", environ=home).out)[
        "findings"
    ]
    assert "is left alone" in object_["message"]
    done = here("shell-init", "bash", "--write", environ={"HOME": ""})
    assert (done.code, "`HOME` is not set" in done.said) == (2, True), done
    done = here("shell-init", "bash", "--write", environ={"HOME": "relative"})
    assert (done.code, "got `relative`" in done.said) == (2, True), done


def test_a_read_only_file_is_left(tmp_path: Path) -> None:
    file = rc(tmp_path, "bash")
    file.write_bytes(b"x\n")
    file.chmod(0o444)
    done = here("shell-init", "bash", "--write", environ={"HOME": str(tmp_path)})
    assert (done.code, "is read-only" in done.said, file.read_bytes()) == (16, True, b"x\n")


def test_a_file_that_is_too_large_is_left(tmp_path: Path) -> None:
    file = rc(tmp_path, "bash")
    with file.open("wb") as opened:
        opened.truncate(16 * 1024 * 1024 + 1)
    done = here("shell-init", "bash", "--write", environ={"HOME": str(tmp_path)})
    assert (done.code, "is larger than" in done.said) == (16, True), done
    assert file.stat().st_size == 16 * 1024 * 1024 + 1


@pytest.mark.parametrize("words", [["--write", "--remove"], ["--dry-run"], ["--json"]])
def test_options_that_make_no_sense_are_refused(words: list[str]) -> None:
    assert here("shell-init", "bash", *words).code == 2
