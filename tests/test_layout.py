"""Lines, wrapped to a width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.wording.layout import Line, Node, Span, clean, columns, drawn, paragraph
from safepip.values.text import in_notebook, without_secrets
from tests.saying import text


def test_wide_characters_count_double_and_accents_nothing() -> None:
    assert [columns("abc"), columns("漢字"), columns("e\u0301")] == [3, 4, 1]
    assert text(paragraph((Span("漢字 漢字 漢字"),), 9)) == "漢字 漢字\n漢字\n"


def test_a_word_that_does_not_fit_stands_whole_on_its_line() -> None:
    lines = paragraph((Span("a "), Span("b" * 12, "add"), Span("c d")), 10, indent=2)
    assert text(lines) == "a\n  bbbbbbbbbbbb\n  c d\n"
    assert lines[1].spans == (Span("  "), Span("bbbbbbbbbbbb", "add"))


def test_nothing_is_a_line_of_nothing() -> None:
    assert paragraph((), 10, start=(Span(""),)) == (Line(),)


def test_a_wrapped_branch_stays_below_itself() -> None:
    tree = Node((Span("root"),), (Node((Span("a long label"),), (Node((Span("leaf"),)),)),))
    assert text(drawn(tree, 12)) == "root\n└── a long\n    │   label\n    └── leaf\n"


def test_text_is_shown_without_secrets_and_escapes() -> None:
    assert clean("at https://ada:pw@host/x?token=t\x1b[31m") == "at https://****@host/x?token=****"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ada:s3cret@proxy:8080", "****@proxy:8080"),
        ("--proxy=ada:s3cret@proxy", "--proxy=****@proxy"),
        ("PIP_PROXY='ada:s3cret@proxy:8080/'", "PIP_PROXY='****@proxy:8080/'"),
        ("https://ada:s3cret@proxy:8080", "https://****@proxy:8080"),
        ("https://ada:it's\"<so>@host/simple", "https://****@host/simple"),
        ("--proxy=ada:it's\"so@host:80", "--proxy=****@host:80"),
        ("https://pypi.anaconda.org/t/ab-12345678-9abc/x/", "https://pypi.anaconda.org/t/****/x/"),
        ("'https://pypi.anaconda.org/t/ab-12345678-9abc'", "'https://pypi.anaconda.org/t/****'"),
        ("https://host/t/no_token_1.0.whl", "https://host/t/no_token_1.0.whl"),
        (
            "install '--index-url=https://h/?token=t' x",
            "install '--index-url=https://h/?token=****' x",
        ),
        ("at `https://h/?key=it's\".so`, y", "at `https://h/?key=****`, y"),
        ("git+ssh://git@github.com/a/b", "git+ssh://git@github.com/a/b"),
        ("git+ssh://git:s3cret@github.com/a", "git+ssh://****@github.com/a"),
        ("pip @ file:///pip", "pip @ file:///pip"),
        ("many[a,b]>=1; python_version>'3'", "many[a,b]>=1; python_version>'3'"),
        (
            "https://a.example/==https://me:pw@b.example/",
            "https://a.example/==https://****@b.example/",
        ),
    ],
)
def test_logins_are_not_shown(given: str, shown: str) -> None:
    assert without_secrets(given) == shown


@given(st.lists(st.text("ab漢 ", max_size=15)), st.integers(5, 40))
def test_no_line_is_longer_than_the_width_but_for_one_word(texts: list[str], width: int) -> None:
    for line in paragraph([Span(t) for t in texts], width, indent=2):
        assert columns(line.text) <= width or " " not in line.text.strip()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("and `safepip undo` brings it back", "and `%safepip undo` brings it back"),
        ("in full: safepip explain", "in full: %safepip explain"),
        ("fix\n        safepip install x", "fix\n        %safepip install x"),
        ("<code>safepip doctor</code>", "<code>%safepip doctor</code>"),
        *((text, text) for text in ("!env A=1 safepip install x", "`%safepip undo`", "`safepip`")),
        *((text, text) for text in ("safepip has changed nothing", "safepip: clear")),
    ],
)
def test_sentences_in_a_notebook_name_its_own_command(said: str, shown: str) -> None:
    assert in_notebook(said) == shown
