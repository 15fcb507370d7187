"""Where a package without a record is looked for: by what is left of it, and by what others say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from safepip.decisions.repairing.sources import sought
from safepip.decisions.wording.reasons import why_left
from safepip.effects import offers
from safepip.effects.offers import find_offers
from safepip.effects.packages import Place, unproven_in
from safepip.effects.remains import read_remains
from safepip.effects.unpacking import family_tools
from safepip.values.environment import Environment
from safepip.values.inspection import Details, Inspection, Offered
from safepip.values.repair import Reason
from tests.build import environment
from tests.test_installed import lay

DIST = "six-1.16.0-py_0"
URL = f"https://conda.example/forge/noarch/{DIST}.conda"
SUM = "ab" * 32
FORGE = "https://conda.anaconda.org/conda-forge"


def record(indent: int, **facts: object) -> str:
    rows = [{"_path": "six.py", "sha256": "cd" * 32}]
    paths = {"paths_data": {"paths": rows}}
    known = {"name": "six", **paths, "url": URL, "sha256": SUM, "size": 7, **facts}
    return json.dumps(known, indent=indent)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (record(2)[:-2], Details(url=URL, sha256=SUM, size_bytes=7)),
        (record(4)[20:], Details(url=URL, sha256=SUM, size_bytes=7)),
        (record(2).replace(SUM, "AB"), Details(url=URL, size_bytes=7)),
        (record(2) + record(2), Details(url=URL)),  # which of the sums is meant is unknown
        (record(2)[:150], Details()),
        (record(2).replace(URL, "https://x/other-1-0.conda"), Details()),
        (record(2).replace(URL, f"ftp://x/{DIST}.conda"), Details()),
        (record(2).replace(URL, f"https://x\\u0000/{DIST}.conda"), Details()),
        ("\xff\xfe", Details()),
    ],
)
def test_what_is_left_of_a_record(tmp_path: Path, text: str, found: Details) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / f"{DIST}.json").write_text(text, encoding="latin-1")
    assert read_remains(str(tmp_path), f"{DIST}.json", DIST) == found


@pytest.mark.parametrize(
    ("told", "others", "channels"),
    [
        (f"{FORGE}/noarch", ["https://x/y/noarch"], [FORGE]),
        ("conda-forge/noarch", [], ["conda-forge"]),
        (
            "conda-forge/noarch",
            ["https://mirror.example/conda-forge/linux-64"],
            ["https://mirror.example/conda-forge"],
        ),
        (
            "defaults/linux-64",
            [],
            ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"],
        ),
        (
            "defaults/linux-64",
            ["https://repo.anaconda.com/pkgs/main/linux-64"],
            ["https://repo.anaconda.com/pkgs/main"],
        ),
        ("pkgs/main/linux-64", [], ["https://repo.anaconda.com/pkgs/main"]),
        ("<unknown>", ["https://x/y/noarch", "https://x/z/noarch"], ["https://x/y", "https://x/z"]),
        ("", ["https://x/y/noarch"], ["https://x/y"]),
        ("", [], []),
    ],
)
def test_which_channel_is_asked(told: str, others: list[str], channels: list[str]) -> None:
    details = {str(at): Details(url=f"{place}/a-1-0.conda") for at, place in enumerate(others)}
    inspection = seen(details=details, channels={DIST: told})
    assert sought(inspection, DIST).channels == tuple(channels)


def test_what_is_left_of_the_record_tells_more_than_history() -> None:
    inspection = seen(channels={DIST: "conda-forge/noarch"}, remains={DIST: Details(url=URL)})
    found = sought(inspection, DIST)
    assert (found.channels, found.platforms) == (("https://conda.example/forge",), ("noarch",))


def seen(**facts: object) -> Inspection:
    found: Environment = environment()
    return Inspection(environment=found, **facts)  # type: ignore[arg-type]


ROW = {"url": URL, "sha256": SUM}


@pytest.mark.parametrize(
    ("rows", "failed", "answer"),
    [
        ([ROW, ROW], [], Offered(ROW)),
        (
            [ROW, {"url": "https://else", "sha256": "cd"}],
            [],
            Reason("several", (URL, "https://else")),
        ),
        ([ROW], ["no route"], Reason("no-answer", ("no route",))),
        ([{"url": URL, "sha256": None}], [], Reason("not-offered", (DIST,))),
    ],
)
def test_of_several_packages_none_is_taken(
    rows: list[dict[str, str]], failed: list[str], answer: Offered | Reason
) -> None:
    assert offers.the_one(DIST, {"rows": rows, "failed": failed}) == answer


def test_nobody_is_asked_where_nothing_tells_whom_or_all_is_to_be_offline() -> None:
    wanted = [sought(seen(channels={DIST: told}), DIST) for told in ("", "conda-forge/noarch")]
    unknown, offline = (find_offers([one], {"CONDA_OFFLINE": "1"}, "/x")[DIST] for one in wanted)
    assert (unknown, offline) == (Reason("unknown-build"), Reason("offline"))


def test_a_tool_is_here_where_a_shell_starts_it(tmp_path: Path) -> None:
    lay(tmp_path, {"bin/mamba": "", "bin/conda": "", "opt/micromamba": ""})
    for name in ("bin/mamba", "opt/micromamba"):
        (tmp_path / name).chmod(0o755)
    environ = {"PATH": str(tmp_path / "bin"), "MAMBA_EXE": str(tmp_path / "opt" / "micromamba")}
    assert family_tools(environ) == ("mamba", "micromamba")


def test_what_was_made_for_another_place_is_told_by_its_path(tmp_path: Path) -> None:
    text = "#!/opt/built/bin/python\n"
    row = {"_path": "bin/tool", "sha256": hashlib.sha256(text.encode()).hexdigest()}
    row |= {"prefix_placeholder": "/opt/built", "file_mode": "text"}
    lay(tmp_path, {"info/paths.json": json.dumps({"paths": [row]}), "bin/tool": text})
    place = Place("/here", "lib/python3.11/site-packages", "bin/python")
    there = hashlib.sha256(b"#!/there/bin/python\n").hexdigest()
    lacks = unproven_in(str(tmp_path), place, (), {"bin/tool": there})
    assert lacks == {"bin/tool": Reason("gives-other-bytes", ("bin/tool",))}
    assert why_left(lacks["bin/tool"]).startswith("`bin/tool` comes out with other bytes")
