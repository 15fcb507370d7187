"""Records of every writer, whole and damaged."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.effects.records import (
    read_details,
    read_frozen,
    read_pins,
    read_records,
    site_packages_of,
)
from safepip.values.environment import Record
from safepip.values.errors import CannotJudge, UnreadableRecord
from tests.lab import CondaEnvironment, Writer, create, fake, from_wheel, make_wheel, restyle

SIX: Mapping[str, Any] = {
    "build": "pyhd8ed1ab_0",
    "channel": "https://conda.example.org/conda-forge/noarch",
    "depends": ["python >=3.8"],
    "files": ["bin/six", "lib/python3.11/site-packages/six.py"],
    "name": "six",
    "noarch": "python",
    "paths_data": {
        "paths": [
            {"_path": "python-scripts/six", "path_type": "hardlink", "sha256": "a" * 64},
            {"_path": "site-packages/six.py", "path_type": "hardlink", "sha256": "b" * 64},
        ],
        "paths_version": 1,
    },
    "version": "1.16.0",
}
PYTHON: Mapping[str, Any] = {
    "build": "h_0",
    "depends": [],
    "files": ["bin/python3.11"],
    "name": "python",
    "version": "3.11.7",
}
AS_RECORD = Record(
    name="six",
    version="1.16.0",
    build="pyhd8ed1ab_0",
    channel="https://conda.example.org/conda-forge/noarch",
    depends=("python >=3.8",),
    files=("bin/six", "lib/python3.11/site-packages/six.py"),
    file="six-1.16.0-pyhd8ed1ab_0.json",
)


def write(prefix: Path, record: object, name: str = AS_RECORD.file, indent: int | None = 2) -> None:
    text = record if isinstance(record, str) else json.dumps(record, indent=indent)
    (prefix / "conda-meta").mkdir(exist_ok=True)
    (prefix / "conda-meta" / name).write_text(text, encoding="utf-8")


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in SIX.items() if key not in keys}


def with_files(*files: str) -> dict[str, Any]:
    return {**SIX, "files": list(files)}


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What real writers write


@pytest.fixture(scope="module", params=get_args(Writer))
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Writer, CondaEnvironment]:
    tool = make_wheel("tool", "1.0", {"tool/__init__.py": "x = 1\n", "tool/empty.py": ""})
    commanded = make_wheel("cmd", "1.0", scripts={"cmd": "cmd:main"})
    library = fake("libx", "1.0", {"lib/libx.so.1": b"\0@PREFIX@\0"}, links={"lib/x": "libx.so.1"})
    environment = create(
        tmp_path_factory.mktemp("written") / "env",
        from_wheel(tool, noarch=False),
        from_wheel(commanded),
        library,
        fake("meta", "1.0"),
    )
    restyle(environment.prefix, request.param)
    return request.param, environment


def test_records_of_every_writer_are_read(written: tuple[Writer, CondaEnvironment]) -> None:
    _, environment = written
    expected = {path.name: json.loads(path.read_bytes()) for path in records_in(environment)}
    found = {record.file: record for record in read_records(str(environment.prefix))}
    assert {
        name: (r.name, r.version, r.build, r.channel, list(r.depends), list(r.files))
        for name, r in found.items()
    } == {
        name: (r["name"], r["version"], r["build"], r["channel"], r.get("depends", []), r["files"])
        for name, r in expected.items()
    }
    assert all(os.path.lexists(environment.prefix / f) for r in found.values() for f in r.files)


def records_in(environment: CondaEnvironment) -> list[Path]:
    return sorted(environment.conda_meta.glob("*.json"))


def test_hashes_of_every_writer_are_those_of_the_disk(
    written: tuple[Writer, CondaEnvironment],
) -> None:
    writer, environment = written
    hashes: dict[str, str] = {}
    owned: set[str] = set()
    for record in read_records(str(environment.prefix)):
        hashes.update(read_details(str(environment.prefix), record).hashes)
        owned.update(record.files)
    assert hashes == {path: sha256_of(environment.prefix / path) for path in hashes}
    plain = {path for path in owned if not (environment.prefix / path).is_symlink()}
    unhashed = {path for path in plain - set(hashes) if not path.endswith(".pyc")}
    # Only rattler hashes the command that it made itself; the oldest hash nothing.
    assert unhashed == {"rattler": set(), "ancient": unhashed}.get(writer, {"bin/cmd"})
    assert bool(hashes) == (writer != "ancient")


def test_the_folder_of_modules_is_known(written: tuple[Writer, CondaEnvironment]) -> None:
    _, environment = written
    records = read_records(str(environment.prefix))
    found = environment.prefix / site_packages_of(records)
    assert found == environment.site_packages


# Where a record lies, and what it is called


def test_only_json_files_are_records(tmp_path: Path) -> None:
    write(tmp_path, SIX)
    for name in ("history", "state", "pinned", f"._{AS_RECORD.file}", "six.json.bak"):
        write(tmp_path, "{", name)
    assert read_records(str(tmp_path)) == (AS_RECORD,)


def test_records_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        write(tmp_path, {**SIX, "name": name}, f"{name}-1.16.0-0.json")
    assert [record.name for record in read_records(str(tmp_path))] == ["a", "b", "c"]


def test_a_record_under_another_name_owns_its_files_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, SIX, "renamed.json")
    (record,) = read_records(str(tmp_path))
    assert (record.file, record.files) == ("renamed.json", AS_RECORD.files)


def test_a_folder_without_conda_meta_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecord, match=r"`conda-meta`: No such file or directory"):
        read_records(str(tmp_path))


# What the shape of a record does not change


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NOISE = st.text(alphabet='ab]}[{",:\\\n \u2028é', max_size=12)
OTHERS = st.dictionaries(
    st.sampled_from(["link", "paths_data", "files", "x", '"paths_data": {\n'])
    | st.text(max_size=5),
    JSON | NOISE,
    max_size=5,
)


@given(
    files=st.lists(NOISE, max_size=4),
    paths=st.lists(st.fixed_dictionaries({"_path": NOISE, "path_type": NOISE}), max_size=4),
    version_first=st.booleans(),
    others=OTHERS,
    sort=st.booleans(),
    indent=st.sampled_from([1, 2, 4, "\t"]),
)
def test_how_a_record_is_printed_does_not_matter(
    *,
    files: list[str],
    paths: list[dict[str, str]],
    version_first: bool,
    others: dict[str, Any],
    sort: bool,
    indent: int | str,
) -> None:
    data = {"paths_version": 1, "paths": paths}
    data = data if version_first else dict(reversed(data.items()))
    record = {**SIX, "files": files, "paths_data": data, **others}
    with tempfile.TemporaryDirectory() as folder:
        printed = json.dumps(record, indent=indent, sort_keys=sort)
        assert read_or_reason(folder, printed) == read_or_reason(folder, json.dumps(record))


def read_or_reason(prefix: str, text: str | bytes) -> tuple[Record, ...] | str:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    (Path(prefix) / "conda-meta").mkdir(exist_ok=True)
    (Path(prefix) / "conda-meta" / AS_RECORD.file).write_bytes(data)
    try:
        return read_records(prefix)
    except UnreadableRecord as error:
        return str(error)


def test_a_large_record_is_read_from_both_ends(tmp_path: Path) -> None:
    names = [f"lib/python3.11/site-packages/six/{number:05}.py" for number in range(5000)]
    rows = [{"_path": name, "path_type": "hardlink", "sha256": "c" * 64} for name in names]
    write(tmp_path, {**SIX, "files": names, "paths_data": {"paths": rows, "paths_version": 1}})
    (record,) = read_records(str(tmp_path))
    assert record.files == tuple(names)
    assert read_details(str(tmp_path), record).hashes == dict.fromkeys(names, "c" * 64)


def test_damage_among_the_hashes_is_no_damage_to_ownership(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(SIX, indent=2).replace('"hardlink"', "\0" * 10))
    (record,) = read_records(str(tmp_path))
    assert record == AS_RECORD
    with pytest.raises(UnreadableRecord, match="Expecting value"):
        read_details(str(tmp_path), record)


# What cannot be read is never skipped


@given(
    data=st.binary()
    | st.text().map(str.encode)
    | JSON.map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_record_or_unreadable(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert isinstance(read_or_reason(folder, data), str)


@given(kept=st.floats(0, 1, exclude_max=True), indent=st.sampled_from([None, 2, 4]))
def test_a_record_that_is_cut_anywhere_is_unreadable(kept: float, indent: int | None) -> None:
    text = json.dumps(SIX, indent=indent)
    with tempfile.TemporaryDirectory() as folder:
        reason = read_or_reason(folder, text[: int(len(text) * kept)])
    assert str(reason).startswith(f"cannot read the conda record `{AS_RECORD.file}`: ")


@given(
    key=st.sampled_from(["name", "version", "build", "depends", "files", "paths_data"]),
    value=JSON,
    indent=st.sampled_from([None, 2]),
)
def test_a_key_with_anything_in_it_is_read_or_unreadable(
    key: str, value: object, indent: int | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = read_or_reason(folder, json.dumps({**SIX, key: value}, indent=indent))
    assert isinstance(found, str) or len(found) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("[]", "expected an object, got list"),
        ("[" * 100_000, "it is nested too deep"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        (without("name"), "expected text, got nothing at `name`"),
        ({**SIX, "version": ""}, "expected text, got nothing at `version`"),
        ({**SIX, "build": 0}, "expected text, got int at `build`"),
        ({**SIX, "files": {}}, "expected a list, got dict at `files`"),
        ({**SIX, "files": ["a", 1]}, "expected only text in the list at `files`"),
        ({**SIX, "depends": "python"}, "expected a list, got str at `depends`"),
        (without("files", "paths_data"), "expected `files` or `paths_data`, got neither"),
        ({**without("files"), "paths_data": 1}, "expected a list, got int at `paths_data.paths`"),
        (
            {**without("files"), "paths_data": {"paths": None}},
            "expected a list, got NoneType at `paths_data.paths`",
        ),
        (
            {**without("files"), "paths_data": {"paths": [{"path": "six.py"}]}},
            "expected only objects with `_path` in `paths_data.paths`",
        ),
    ],
)
def test_what_is_wrong_with_a_record_is_said(tmp_path: Path, record: object, reason: str) -> None:
    write(tmp_path, record)
    with pytest.raises(UnreadableRecord) as caught:
        read_records(str(tmp_path))
    assert (caught.value.record, caught.value.message) == (
        AS_RECORD.file,
        f"cannot read the conda record `{AS_RECORD.file}`: {reason}",
    )


def test_a_record_that_leads_nowhere_is_unreadable(tmp_path: Path) -> None:
    write(tmp_path, SIX, "other.txt")
    (tmp_path / "conda-meta" / AS_RECORD.file).symlink_to("gone")
    assert read_or_reason_at(tmp_path) == "No such file or directory"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, SIX, "other.txt")
    os.mkfifo(tmp_path / "conda-meta" / AS_RECORD.file)
    assert read_or_reason_at(tmp_path) == "it is not a regular file"


def test_a_record_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, SIX)
    os.truncate(tmp_path / "conda-meta" / AS_RECORD.file, 1 << 30)
    assert read_or_reason_at(tmp_path) == "its 1073741824 bytes are more than 268435456"


def read_or_reason_at(prefix: Path) -> str:
    with pytest.raises(UnreadableRecord) as caught:
        read_records(str(prefix))
    return caught.value.message.rpartition("`: ")[2]


# Paths


def test_paths_of_mamba_on_windows_get_forward_slashes(tmp_path: Path) -> None:
    write(tmp_path, with_files("Lib\\site-packages\\six.py", "Scripts\\six.exe", "python.exe"))
    (record,) = read_records(str(tmp_path))
    assert record.files == ("Lib/site-packages/six.py", "Scripts/six.exe", "python.exe")


def test_bytecode_that_mamba_lists_with_forward_slashes_changes_nothing(tmp_path: Path) -> None:
    files = ["Lib\\six\\a.py", "Lib\\six-1.dist-info\\METADATA", "Lib/six/__pycache__/a.pyc"]
    write(tmp_path, with_files(*files))
    (record,) = read_records(str(tmp_path))
    assert record.files == tuple(name.replace("\\", "/") for name in files)


def test_a_backslash_in_the_name_of_a_file_stays(tmp_path: Path) -> None:
    files = ("lib/systemd/system-cryptsetup\\x2dlocal.slice", "lib/a")
    write(tmp_path, with_files(*files))
    (record,) = read_records(str(tmp_path))
    assert record.files == files


def test_a_name_that_is_not_utf8_is_that_of_the_disk(tmp_path: Path) -> None:
    write(tmp_path, with_files(os.fsdecode(b"lib/\xff")))
    (record,) = read_records(str(tmp_path))
    assert os.fsencode(record.files[0]) == b"lib/\xff"


@pytest.mark.parametrize("record", [without("files"), {**SIX, "files": []}, {**SIX, "files": None}])
def test_without_files_those_of_the_paths_count(tmp_path: Path, record: object) -> None:
    write(tmp_path, record)
    write(tmp_path, PYTHON, "python-3.11.7-h_0.json")
    assert read_records(str(tmp_path))[1] == AS_RECORD


def test_without_files_and_python_the_paths_are_as_written(tmp_path: Path) -> None:
    write(tmp_path, without("files"))
    assert read_records(str(tmp_path))[0].files == ("bin/six", "site-packages/six.py")


def test_on_windows_scripts_have_a_folder_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, without("files"))
    write(tmp_path, {**PYTHON, "files": ["python.exe"]}, "python-3.11.7-h_0.json")
    expected = ("Scripts/six", "Lib/site-packages/six.py")
    assert read_records(str(tmp_path))[1].files == expected


def test_a_metapackage_has_no_files(tmp_path: Path) -> None:
    write(tmp_path, {**without("paths_data"), "files": []})
    write(tmp_path, {**SIX, "name": "b", "files": [], "paths_data": {"paths": []}}, "b-1-0.json")
    assert [record.files for record in read_records(str(tmp_path))] == [(), ()]


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ([Record("python", "3.11.7", "h_0")], "lib/python3.11/site-packages"),
        ([Record("python", "3.8", "h_0")], "lib/python3.8/site-packages"),
        ([Record("python", "3.13.1", "h", site_packages="lib/python3.13t/s")], "lib/python3.13t/s"),
        ([Record("python", "3.11.7", "h_0", files=("python.exe",))], "Lib/site-packages"),
        ([Record("numpy", "1", "h")], ""),
        ([], ""),
    ],
)
def test_python_says_where_modules_are(python: list[Record], expected: str) -> None:
    assert site_packages_of([Record("bzip2", "1", "h"), *python]) == expected


# Hashes


def test_hashes_are_found_by_the_final_path(tmp_path: Path) -> None:
    write(tmp_path, SIX)
    expected = {"bin/six": "a" * 64, "lib/python3.11/site-packages/six.py": "b" * 64}
    assert read_details(str(tmp_path), AS_RECORD).hashes == expected


def test_a_folder_called_site_packages_below_another_does_not_mislead(tmp_path: Path) -> None:
    inner = "lib/python3.11/site-packages/copy/site-packages/six.py"
    write(tmp_path, with_files(inner, *AS_RECORD.files))
    (record,) = read_records(str(tmp_path))
    assert "lib/python3.11/site-packages/six.py" in read_details(str(tmp_path), record).hashes


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"sha256": "a", "sha256_in_prefix": "b"}, {"x": "b"}),
        ({"sha256": "a", "path_type": "hardlink"}, {"x": "a"}),
        ({"sha256": "a", "path_type": "softlink"}, {}),
        ({"sha256": "a", "path_type": "directory"}, {}),
        ({"sha256": "a", "path_type": "unix_python_entry_point"}, {"x": "a"}),
        ({"sha256": "a", "_path": "x.pyc"}, {}),
        ({"path_type": "unix_python_entry_point"}, {}),
        ({"sha256": 1}, {}),
    ],
)
def test_only_what_has_the_hash_of_its_bytes_is_given(
    tmp_path: Path, row: dict[str, Any], expected: dict[str, str]
) -> None:
    write(tmp_path, {**SIX, "files": ["x"], "paths_data": {"paths": [{"_path": "x", **row}]}})
    (record,) = read_records(str(tmp_path))
    assert read_details(str(tmp_path), record).hashes == expected


# What the owner of the environment says


def note(prefix: Path, name: str, data: str | bytes) -> str:
    (prefix / "conda-meta").mkdir(exist_ok=True)
    path = prefix / "conda-meta" / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(prefix)


def test_pins_are_the_lines_without_comments(tmp_path: Path) -> None:
    text = "# ours\nnumpy 1.26.*\n\n  python 3.11.* # why\nconda-forge::scipy>=1.11\r\n"
    expected = ("numpy 1.26.*", "python 3.11.*", "conda-forge::scipy>=1.11")
    assert read_pins(note(tmp_path, "pinned", text)) == expected


def test_most_environments_have_no_pins(tmp_path: Path) -> None:
    assert read_pins(note(tmp_path, "history", "")) == ()


def test_pins_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    prefix = note(tmp_path, "pinned", b"#" * (1024 * 1024 + 1))
    with pytest.raises(CannotJudge, match="cannot read `conda-meta/pinned`: its 1048577 bytes"):
        read_pins(prefix)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"message": "managed by ops"}', "managed by ops"),
        ('{"message": 1}', ""),
        ("{}", ""),
        ("[]", ""),
        ("", ""),
        ("managed by ops", ""),
        (b"\xff", ""),
        ("[" * 100_000, ""),
        (json.dumps({"message": "x" * 10_000}), "x" * 2000),
    ],
)
def test_an_environment_is_frozen_whatever_the_file_says(
    tmp_path: Path, data: str | bytes, expected: str
) -> None:
    assert read_frozen(note(tmp_path, "frozen", data)) == expected


def test_without_the_file_nothing_is_frozen(tmp_path: Path) -> None:
    assert read_frozen(str(tmp_path)) is None


def test_a_folder_called_frozen_freezes_too(tmp_path: Path) -> None:
    (tmp_path / "conda-meta" / "frozen").mkdir(parents=True)
    assert read_frozen(str(tmp_path)) == ""
