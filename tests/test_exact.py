"""The line that asks pip for exactly one artifact."""

from __future__ import annotations

from typing import Any

import pytest

from safepip.effects.exact import Item, line_for, pinned, with_login
from safepip.effects.requirement_files import Inputs
from safepip.values.account import Entry, Scheme

NOWHERE = Scheme("", "", "", "", "")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def item(version: str = "1.0", sha256: str = "", direct: bool = False, **download: Any) -> Item:
    entry = Entry(
        *("tool", version, "", sha256, "wheel", direct, False, (), (), (), "", NOWHERE, None)
    )
    return Item(entry, download)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (item(url="https://x/tool.whl", archive_info={}), "tool==1.0"),
        (item("1.0.post1+cpu", url="https://x", archive_info={}), "tool==1.0.post1+cpu"),
        (item("not a version", url="https://x", archive_info={}), "tool===not a version"),
        (
            item(sha256="ab", url="https://x/tool.whl", archive_info={}),
            "tool==1.0 --hash=sha256:ab",
        ),
        (
            item(sha256="ab", direct=True, url="https://x/tool.whl", archive_info={}),
            "tool @ https://x/tool.whl --hash=sha256:ab",
        ),
        (
            item(url="file:///a/b", dir_info={}, subdirectory="c"),
            "tool @ file:///a/b#subdirectory=c",
        ),
        (
            item(
                direct=True,
                url="https://git.example/r",
                vcs_info={"vcs": "git", "commit_id": COMMIT},
            ),
            f"tool @ git+https://token@git.example/r@{COMMIT}",
        ),
    ],
)
def test_an_artifact_is_asked_for_by_what_identifies_it(asked: Item, line: str) -> None:
    given = ["six", "tool @ git+https://token@git.example/r@main"]
    assert line_for(asked, Inputs(), given, "") == line


def test_what_a_file_says_about_building_goes_along() -> None:
    inputs = Inputs(build_options={"tool": "--config-settings=a=b"})
    asked = item(sha256="ab", url="https://x", archive_info={})
    assert line_for(asked, inputs, (), "/x/a b.tar.gz") == (
        "tool @ file:///x/a%20b.tar.gz --hash=sha256:ab --config-settings=a=b"
    )
    assert pinned(asked.entry) == "tool==1.0"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://one.example/x", "https://me:secret@one.example/x"),
        ("https://two.example/x", "https://two.example/x"),
        ("https://git@one.example/x", "https://git@one.example/x"),
        ("file:///x", "file:///x"),
    ],
)
def test_a_login_that_a_report_left_out_is_put_back(url: str, expected: str) -> None:
    assert with_login(url, ["six", "tool @ https://me:secret@one.example/y"]) == expected
