"""Parsing what an engine reports, and joining it with an environment."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.decisions.judging.requirements import relation
from safepip.decisions.planning.report import parse_account, parse_options, plan_of
from safepip.values.account import Account, WheelContents
from safepip.values.errors import UnreadableReport
from safepip.values.request import PipOptions
from tests.build import SITE, conda, environment, pip

SCHEME = {
    "purelib": SITE,
    "platlib": SITE,
    "headers": "/opt/conda/envs/lab/include/x",
    "scripts": "/opt/conda/envs/lab/bin",
    "data": "/opt/conda/envs/lab",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def entry(name: str, version: str, *requires: str, **more: Any) -> dict[str, Any]:
    """What the runner says of one distribution."""
    report = {
        "download_info": {
            "url": f"https://me:secret@example.org/{name}-{version}-py3-none-any.whl",
            "archive_info": {"hash": "sha256=abc"},
        },
        "is_direct": False,
        "requested": True,
        "metadata": {"name": name, "version": version, "requires_dist": list(requires)},
    }
    report.update(more.pop("report", {}))
    return {
        "report": report,
        "wheel": f"/house/{name}.whl",
        "scheme": SCHEME,
        "before": None,
        **more,
    }


def account(*entries: dict[str, Any]) -> Account:
    return parse_account({"entries": list(entries), "places": {"user": False}})


@given(JSON)
def test_anything_is_an_account_or_a_named_error(message: object) -> None:
    with contextlib.suppress(UnreadableReport):
        assert isinstance(parse_account(message), Account)


@given(st.dictionaries(st.sampled_from(["report", "wheel", "scheme", "before"]), JSON))
def test_an_entry_with_anything_in_it_is_read_or_refused_by_name(changed: dict[str, Any]) -> None:
    with contextlib.suppress(UnreadableReport):
        assert account({**entry("six", "1.16"), **changed}).entries


@given(st.dictionaries(st.sampled_from([*PipOptions._fields, "other"]), JSON))
def test_options_are_read_or_refused_by_name(options: dict[str, Any]) -> None:
    with contextlib.suppress(UnreadableReport):
        assert isinstance(parse_options(options), PipOptions)


def test_an_error_says_where_the_report_is_wrong() -> None:
    broken = entry("six", "1.16", report={"metadata": {"name": 3}})
    with pytest.raises(UnreadableReport) as caught:
        account(broken)
    assert caught.value.message == (
        "expected str, got int in pip's report at `entries[0].report.metadata.name`"
    )


def test_no_secret_of_a_url_is_kept() -> None:
    assert account(entry("six", "1.16")).entries[0].url == (
        "https://****@example.org/six-1.16-py3-none-any.whl"
    )


def test_the_hash_is_found_in_both_places_where_pip_writes_it() -> None:
    hashes = {"url": "https://x/a.whl", "archive_info": {"hashes": {"sha256": "def"}}}
    found = account(entry("a", "1"), entry("b", "1", report={"download_info": hashes}))
    assert [one.sha256 for one in found.entries] == ["abc", "def"]


def test_what_an_artifact_was_is_read_off_its_origin() -> None:
    origins = {
        "wheel": {"url": "https://x/a-1.whl#sha256=1", "archive_info": {}},
        "sdist": {"url": "https://x/a-1.tar.gz", "archive_info": {}},
        "vcs": {"url": "https://x/a", "vcs_info": {"vcs": "git", "commit_id": "1"}},
        "directory": {"url": "file:///a", "dir_info": {}},
        "editable": {"url": "file:///a", "dir_info": {"editable": True}},
    }
    found = account(*(entry("a", "1", report={"download_info": o}) for o in origins.values()))
    assert [one.source for one in found.entries] == list(origins)


def test_a_plan_names_what_is_displaced_and_who_needs_what() -> None:
    env = environment(conda("numpy==1.26"), pip("rich==13.0"))
    before = {
        "name": "numpy",
        "version": "1.26",
        "metadata_path": env.conda_owned["numpy"].metadata_path,
        "removes": [f"{SITE}/numpy"],
    }
    dependency = entry("numpy", "2.0", before=before, report={"requested": False})
    dependency["report"]["requested"] = False
    message = account(entry("vision", "5.0", "numpy>=2", "tests; extra == 'dev'"), dependency)
    contents = WheelContents(("x.py", "x-1.dist-info/METADATA"), is_pure=True)
    wheels = {e.wheel: contents for e in message.entries}
    plan = plan_of(message, wheels, env, PipOptions(), ("install", "vision>=5"))
    told = [(c.name, c.action, c.after, c.requested, c.needed_by) for c in plan.changes]
    assert told == [
        ("vision", "add", "5.0", True, ()),
        ("numpy", "upgrade", "2.0", False, ("vision",)),
    ]
    assert plan.requested == ("vision>=5",)
    assert plan.changes[1].before == env.conda_owned["numpy"]


def test_versions_that_are_none_are_compared_as_text() -> None:
    pairs = [("1", "1.0"), ("1", "2"), ("2", "1"), ("x!", "x!"), ("x!", "1")]
    assert [relation(*pair) for pair in pairs] == [
        "same",
        "upgrade",
        "downgrade",
        "same",
        "upgrade",
    ]


def test_an_account_survives_the_way_through_json() -> None:
    message = {"entries": [entry("six", "1.16")], "places": {}}
    assert parse_account(json.loads(json.dumps(message))) == parse_account(message)


def test_an_extra_that_another_asks_for_counts_as_asked() -> None:
    asked = {"requested": False}
    message = account(
        entry("app", "1", "rich[jupyter]"),
        entry("rich", "13", "ipywidgets; extra == 'jupyter'", report=asked),
        entry("ipywidgets", "8", report=asked),
    )
    wheels = {e.wheel: WheelContents((), is_pure=True) for e in message.entries}
    found = plan_of(message, wheels, environment(), PipOptions()).by_name
    assert found["rich"].extras == ("jupyter",)
    assert found["ipywidgets"].needed_by == ("rich",)
