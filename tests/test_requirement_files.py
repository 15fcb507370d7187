"""Requirement files, read for what pip's own reading of them does not tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepip.effects.requirement_files import Inputs, read_inputs, spelled_out
from safepip.effects.requirement_lines import is_direct, missing_files, name_of_wheel, spellings

EVERYTHING = """\
# A comment, and a line that goes on
numpy >=1.26 ; python_version \\
    > "3.8"  # why not
pandas[io]==2.2 --hash=sha256:abc \\
    --hash sha256:def
-e ./project
--index-url https://${TOKEN}@one.example/simple
--extra-index-url=https://two.example/simple --trusted-host two.example
-f links
-f nowhere
--no-binary :all:
--only-binary scipy
--pre
--prefer-binary
--no-such-option
built==1 --config-settings "a=b c" --config-settings x=y --global-option=--fast
${PACKAGE}==1
-r nested/more.txt
-c held.txt
"""


def test_everything_that_a_file_may_say_is_read(tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested" / "more.txt").write_text("-r ../last.txt\nsix\n")
    (tmp_path / "last.txt").write_bytes(b"\xef\xbb\xbfattrs\n")
    (tmp_path / "held.txt").write_text("wheel<1\n--no-index\n-e ./never\n")
    (tmp_path / "requirements.txt").write_text(EVERYTHING)
    environ = {"PACKAGE": "wanted", "TOKEN": "s3cr3t"}
    inputs = read_inputs([str(tmp_path / "requirements.txt")], (), environ)
    assert inputs == Inputs(
        requirements=[
            'numpy >=1.26 ; python_version     > "3.8"',
            "pandas[io]==2.2",
            "built==1",
            "wanted==1",
            "attrs",
            "six",
        ],
        editables=["./project"],
        options=[
            "--index-url 'https://${TOKEN}@one.example/simple'",
            "--extra-index-url https://two.example/simple",
            "--trusted-host two.example",
            f"--find-links {tmp_path}/links",
            "--find-links nowhere",
            "--no-binary :all:",
            "--only-binary scipy",
            "--pre",
            "--prefer-binary",
            "--no-index",
        ],
        build_options={
            "built": "--config-settings='a=b c' --config-settings=x=y --global-option=--fast"
        },
        constraints=["wheel<1", "./never"],
        hashed=True,
    )


def test_a_file_that_leads_to_itself_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r requirements.txt\n")
    assert read_inputs([str(tmp_path / "requirements.txt")], (), {}) == Inputs()


@pytest.mark.parametrize(
    "path", ["https://example.org/requirements.txt", "pylock.toml", "a/pylock.dev.toml[test]"]
)
def test_what_only_pip_can_read_is_known_to_be_there(path: str) -> None:
    assert read_inputs([path], (), {}) == Inputs(unseen=True)


def test_a_folder_with_a_hash_is_named_by_a_url(tmp_path: Path) -> None:
    folder = tmp_path / "#1 50%"
    (folder / "links").mkdir(parents=True)
    (folder / "r.txt").write_text("-f links\nsix\n")
    (tmp_path / "top.txt").write_text(f"-r {(folder / 'r.txt').as_uri()}\n")
    options = [f"--find-links {tmp_path.as_uri()}/%231%2050%25/links"]
    found = read_inputs([str(tmp_path / "top.txt")], (), {})
    assert found == Inputs(requirements=["six"], options=options)


def test_what_cannot_be_read_is_left_to_pip(tmp_path: Path) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "latin.txt").write_bytes(b"# coding: latin-1\nsix # caf\xe9\n")
    (tmp_path / "odd.txt").write_bytes(b"# coding: no-such-thing\nsix\n")
    paths = [str(tmp_path / name) for name in ("absent.txt", "bytes.txt", "latin.txt", "odd.txt")]
    assert read_inputs(paths, (), {}) == Inputs(requirements=["six"])


@pytest.mark.parametrize(
    ("requirement", "direct"),
    [
        ("numpy>=1 ; python_version > '3'", False),
        ("numpy[x]", False),
        ("numpy @ https://example.org/numpy.whl", True),
        ("./numpy", True),
        ("numpy-1.0-py3-none-any.whl", True),
        ("git+https://example.org/numpy#egg=numpy", True),
    ],
)
def test_a_direct_reference_is_told_from_a_name(requirement: str, direct: bool) -> None:
    assert is_direct(requirement) == direct


def test_files_that_are_not_there_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    lines = [
        f"there @ {(tmp_path / 'there').as_uri()}",
        "numpy @ file:///croot/numpy%20x/work",
        "gone-1.0.tar.gz",
        "file:///croot/unnamed",
        "six",
        "https://example.org/six-1.0.tar.gz",
    ]
    assert missing_files(lines) == [
        ("numpy", "/croot/numpy x/work"),
        ("", str(tmp_path / "gone-1.0.tar.gz")),
        ("", "/croot/unnamed"),
    ]


def test_a_name_is_spelled_as_it_comes_first() -> None:
    lines = ["./Some_Tool-1.0-py3-none-any.whl", "some.tool>1", "NumPy", "numpy", "./project"]
    assert spellings(lines) == {"some-tool": "Some_Tool", "numpy": "NumPy"}
    assert name_of_wheel("https://example.org/a/b_c-1-py3-none-any.whl#sha256=0") == "b_c"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--index-url https://x.example/simple", ("--index-url", "https://x.example/simple")),
        ("--index-url https://me:secret@x.example/simple", None),
        ("--index-url https://${TOKEN}@x.example/simple", None),
    ],
)
def test_what_a_file_says_of_indexes_is_spelled_out_unless_it_is_a_secret(
    option: str, words: tuple[str, ...] | None, tmp_path: Path
) -> None:
    file = tmp_path / "in.txt"
    file.write_text(f"{option}\ntop>=2\n")
    found = spelled_out(("install", "-r", str(file)), {"TOKEN": "secret"})
    assert found == (("install", *words, "top>=2") if words else ())
