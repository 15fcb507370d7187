"""What pip believes is installed, and whose it is."""

from __future__ import annotations

import email
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepip.effects.installed import NO_METADATA, find_remains, read_distributions
from safepip.effects.records import read_records
from safepip.values.environment import Distribution, Record
from safepip.values.text import normalised
from tests.lab import CondaEnvironment, create, from_wheel, make_wheel
from tests.lab.conversion import Info

SITE = "lib/python3.11/site-packages"
KINDS: tuple[Info, ...] = ("dist-info", "no-record", "minimal", "egg-info", "egg-info-file")
METADATA = "Metadata-Version: 2.1\nName: Six\nVersion: 1.16.0\nRequires-Dist: a>=1\n\nBody: x\n"


def lay(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def read(folder: Path, *records: Record, prefix: Path | None = None) -> tuple[Distribution, ...]:
    return read_distributions([str(folder)], records, str(prefix or folder), "")


def six(folder: Path, **facts: Any) -> Distribution:
    given = {"raw_name": "Six", "requires": ("a>=1",), "has_record": False, **facts}
    path = str(folder / "six-1.16.0.dist-info")
    return Distribution("six", "1.16.0", given.pop("metadata_path", path), **given)


def record(name: str, *files: str) -> Record:
    return Record(name, "1.0", "0", files=files)


# As pip sees it


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    requires = ["six>1", "A; extra=='x'"]
    wheels = {kind: make_wheel(f"of-{kind}", "1.0", requires=requires) for kind in KINDS}
    recipes = [from_wheel(wheel, info=kind, depends=()) for kind, wheel in wheels.items()]
    made = create(tmp_path_factory.mktemp("installed") / "env", *recipes)
    lay(made.site_packages, {"ghost-2.0.dist-info/REQUESTED": ""})
    return made


def test_distributions_are_those_that_pip_sees(environment: CondaEnvironment) -> None:
    report = json.loads(environment.pip("inspect").stdout)["installed"]
    expected = {
        (
            normalised(found["metadata"]["name"]),
            found["metadata"]["version"],
            found["metadata_location"],
            tuple(found["metadata"].get("requires_dist", ())),
        )
        for found in report
        if "ghost" not in found["metadata_location"]
    }
    found = read_in(environment)
    sound = {(d.name, d.version, d.metadata_path, d.requires) for d in found if not d.broken}
    assert sound == expected


def read_in(environment: CondaEnvironment) -> tuple[Distribution, ...]:
    prefix = str(environment.prefix)
    return read_distributions([str(environment.site_packages)], read_records(prefix), prefix, "")


def test_metadata_belongs_to_the_record_that_lists_it(environment: CondaEnvironment) -> None:
    owners = {d.name: d.record.name if d.record else None for d in read_in(environment)}
    assert owners == {"pip": "pip", "ghost": None, **{f"of-{kind}": f"of-{kind}" for kind in KINDS}}


def test_pip_can_uninstall_by_record_or_egg_info(environment: CondaEnvironment) -> None:
    cannot = {d.name for d in read_in(environment) if not d.has_record}
    assert cannot == {"of-no-record", "of-minimal", "of-egg-info-file", "ghost"}


# One distribution


def test_a_distribution_is_read_from_its_headers(tmp_path: Path) -> None:
    lay(tmp_path, {"six-1.16.0.dist-info/METADATA": METADATA, "six-1.16.0.dist-info/RECORD": ""})
    assert read(tmp_path) == (six(tmp_path, has_record=True),)


@pytest.mark.parametrize(
    "metadata",
    [
        METADATA.replace("\n", "\r\n"),
        METADATA.replace("\n\nBody: x\n", "\n"),
        METADATA.replace("\n\nBody: x\n", ""),
        METADATA.replace("Name:", "NAME:"),
        METADATA.replace("a>=1", "\n a>=1"),
        METADATA.replace("Requires-Dist", "Summary: \u00e9\nRequires-Dist").encode("latin-1"),
        METADATA.replace("Name", f"License: {'x' * 70_000}\n more\nName"),
        METADATA.replace("Name", "Name:\nName"),
    ],
)
def test_headers_may_be_written_in_many_ways(tmp_path: Path, metadata: str | bytes) -> None:
    lay(tmp_path, {"six-1.16.0.dist-info/METADATA": metadata})
    assert read(tmp_path) == (six(tmp_path),)


def test_requirements_that_are_none_are_kept_as_written(tmp_path: Path) -> None:
    metadata = METADATA.replace("a>=1", "what (is >= this\nRequires-Dist: b (>=1)\n  ,<2")
    lay(tmp_path, {"six-1.16.0.dist-info/METADATA": metadata})
    assert read(tmp_path) == (six(tmp_path, requires=("what (is >= this", "b (>=1) ,<2")),)


def test_what_pip_does_not_read_as_a_header_ends_them(tmp_path: Path) -> None:
    metadata = METADATA.replace("Requires", "License: MIT\nAll rights reserved\nRequires")
    lay(tmp_path, {"six-1.16.0.dist-info/METADATA": metadata})
    assert read(tmp_path) == (six(tmp_path, requires=()),)


@given(
    st.lists(
        st.sampled_from(
            ["Name: six", "Requires-Dist: a", "Requires-Dist:", "x", " b", "", "From a"]
        )
        | st.text(alphabet="abR:- \t.;>=1\u00e9", max_size=12),
        max_size=8,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_headers_are_those_that_email_finds(lines: list[str], end: str) -> None:
    text = end.join(["Metadata-Version: 2.1", *lines])
    expected = email.message_from_string(text.replace("\r\n", "\n")).get_all("Requires-Dist", [])
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder), {"six-1.dist-info/METADATA": text})
        (found,) = read(Path(folder))
    assert [" ".join(r.split()) for r in found.requires] == [" ".join(r.split()) for r in expected]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_distribution(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder), {"six-1.dist-info/METADATA": data})
        (found,) = read(Path(folder))
    assert (found.name, bool(found.version)) == ("six", True)


# Names and versions


@pytest.mark.parametrize(
    ("folder", "headers", "name", "version"),
    [
        ("six-1.16.0.dist-info", "Name: six\nVersion: 1.16.0", "six", "1.16.0"),
        ("Ruamel.Yaml-0.18.dist-info", "Name: ruamel_yaml\nVersion: 0.18", "ruamel-yaml", "0.18"),
        ("six.dist-info", "Name: six\nVersion: 1", "six", "1"),
        ("old-name-1.0.dist-info", "Name: old-name\nVersion: 1.0", "old-name", "1.0"),
        ("other-1.0.dist-info", "Name: six\nVersion: 2.0", "other", "2.0"),
        ("six-1.0.DIST-INFO", "Name: six\nVersion: 1.0", "six", "1.0"),
    ],
)
def test_pip_goes_by_the_name_of_the_folder(
    tmp_path: Path, folder: str, headers: str, name: str, version: str
) -> None:
    lay(tmp_path, {f"{folder}/METADATA": headers})
    assert [(d.name, d.version) for d in read(tmp_path)] == [(name, version)]


@pytest.mark.parametrize("name", ["~ix-1.0.dist-info", "-ix-1.0.dist-info", ".dist-info", "six"])
def test_what_has_no_name_is_no_distribution(tmp_path: Path, name: str) -> None:
    lay(tmp_path, {f"{name}/METADATA": ""})
    assert read(tmp_path) == ()


# Damage


def test_a_folder_without_metadata_is_a_ghost(tmp_path: Path) -> None:
    lay(tmp_path, {"six-1.16.0.dist-info/REQUESTED": "", "a-2-py3.11.egg-info/top_level.txt": ""})
    facts = {(d.name, d.raw_name, d.version, d.broken) for d in read(tmp_path)}
    assert facts == {("six", "six", "1.16.0", NO_METADATA), ("a", "a", "2", NO_METADATA)}


@pytest.mark.parametrize(
    ("metadata", "broken"),
    [
        ("", "METADATA has no Name and no Version"),
        ("Name: six\n", "METADATA has no Version"),
        ("Version: 1\n", "METADATA has no Name"),
        ("\nName: six\nVersion: 1\n", "METADATA has no Name and no Version"),
        ("A: b\n" * 1_000_000, "METADATA has headers of more than 4194304 bytes"),
    ],
)
def test_what_is_wrong_with_metadata_is_said(tmp_path: Path, metadata: str, broken: str) -> None:
    lay(tmp_path, {"six-1.dist-info/METADATA": metadata})
    assert [(d.name, d.version, d.broken) for d in read(tmp_path)] == [("six", "1", broken)]


def test_metadata_that_cannot_be_opened_is_broken(tmp_path: Path) -> None:
    (tmp_path / "six-1.dist-info").mkdir()
    (tmp_path / "six-1.dist-info" / "METADATA").symlink_to("METADATA")
    (found,) = read(tmp_path)
    assert found.broken == "METADATA cannot be read: Too many levels of symbolic links"


def test_what_pip_moved_aside_is_found(tmp_path: Path) -> None:
    lay(tmp_path, {"~ix/__init__.py": "", "~ix-1.0.dist-info/METADATA": "", "six/__init__.py": ""})
    assert find_remains(str(tmp_path)) == (f"{tmp_path}/~ix", f"{tmp_path}/~ix-1.0.dist-info")
    assert find_remains(str(tmp_path / "gone")) == ()


# Eggs and links


def test_an_egg_info_requires_what_its_own_file_says(tmp_path: Path) -> None:
    requires = 'a>=1\n# b\n\n[Test_It]\nc\n[:python_version < "3"]\nd\n[x:os_name == "nt"]\ne[f]\n'
    head = METADATA.replace("Requires-Dist: a>=1\n", "")
    lay(tmp_path, {"s.egg-info/PKG-INFO": head, "s.egg-info/requires.txt": requires})
    (found,) = read(tmp_path)
    assert found.requires == (
        "a>=1",
        'c ; extra == "test-it"',
        'd ; (python_version < "3")',
        'e[f] ; (os_name == "nt") and extra == "x"',
    )


def test_an_egg_info_may_be_a_file(tmp_path: Path) -> None:
    lay(tmp_path, {"six-1.16.0-py3.11.egg-info": METADATA})
    path = f"{tmp_path}/six-1.16.0-py3.11.egg-info"
    owner = record("six", "six-1.16.0-py3.11.egg-info")
    assert read(tmp_path, owner) == (six(tmp_path, metadata_path=path, record=owner),)


def test_an_egg_on_the_path_is_a_distribution(tmp_path: Path) -> None:
    egg = lay(tmp_path / SITE / "six-1.16.0-py3.11.EGG", {"EGG-INFO/PKG-INFO": METADATA})
    owner = record("six", f"{SITE}/{egg.name}/EGG-INFO/PKG-INFO")
    (found,) = read(egg, owner, prefix=tmp_path)
    expected = six(egg, metadata_path=f"{egg}/EGG-INFO", record=owner, has_record=True)
    assert found == expected
    assert read(lay(tmp_path / "no", {"EGG-INFO/PKG-INFO": METADATA})) == ()


def test_a_develop_link_leads_to_the_metadata(tmp_path: Path) -> None:
    source = lay(tmp_path / "src", {"six.egg-info/PKG-INFO": METADATA})
    links = {"six.egg-link": f"{source}\n.", "empty.egg-link": "\n", "up.egg-link": "../src"}
    site = lay(tmp_path / "env" / SITE, links)
    (found,) = read(site, prefix=tmp_path / "env")
    path = f"{source}/six.egg-info"
    assert found == six(source, metadata_path=path, outside=True, has_record=True)


# Whose it is


@pytest.mark.parametrize(
    "file", ["METADATA", "RECORD", "INSTALLER", "licenses/LICENSE", "__pycache__/x.pyc"]
)
def test_any_file_of_the_metadata_makes_it_condas(tmp_path: Path, file: str) -> None:
    site = lay(tmp_path / SITE, {"six-1.16.0.dist-info/METADATA": METADATA})
    owner = record("six", f"{SITE}/six.py", f"{SITE}/six-1.16.0.dist-info/{file}")
    assert read(site, owner, prefix=tmp_path) == (six(site, record=owner),)


def test_the_installer_makes_nothing_condas(tmp_path: Path) -> None:
    files = {"METADATA": METADATA, "INSTALLER": "conda"}
    lay(tmp_path / "six-1.16.0.dist-info", files)
    assert read(tmp_path, record("six", "six.py")) == (six(tmp_path),)


def test_metadata_belongs_to_the_one_that_brought_it(tmp_path: Path) -> None:
    lay(tmp_path, {"six-1.16.0.dist-info/METADATA": METADATA})
    other = record("a", "six-1.16.0.dist-info/REQUESTED", "six-1.16.0.dist-infos", "x-info")
    owner = record("b", "six-1.16.0.dist-info/METADATA")
    again = record("c", "six-1.16.0.dist-info/METADATA")
    assert read(tmp_path, other, owner, again) == (six(tmp_path, record=owner),)


def test_one_record_may_own_many(tmp_path: Path) -> None:
    lay(tmp_path, {"a-1.dist-info/METADATA": METADATA, "b-1.dist-info/METADATA": METADATA})
    owner = record("both", "a-1.dist-info/METADATA", "b-1.dist-info/METADATA")
    assert [d.record for d in read(tmp_path, owner)] == [owner, owner]


# Where it lies


def test_distributions_come_in_the_order_of_the_path_and_none_is_dropped(tmp_path: Path) -> None:
    folders = [lay(tmp_path / name, {"six-1.dist-info/METADATA": ""}) for name in ("b", "a", "c")]
    paths = ["", "relative", str(tmp_path / "gone.zip"), *map(str, folders), str(folders[0])]
    found = read_distributions(paths, (), str(tmp_path), "")
    assert [d.location for d in found] == [str(folder) for folder in folders]


def test_of_one_folder_pip_takes_the_first_on_disk(tmp_path: Path) -> None:
    lay(tmp_path, {f"six-{number}.dist-info/METADATA": "" for number in range(20)})
    expected = [str(tmp_path / name) for name in os.listdir(tmp_path)]
    assert [d.metadata_path for d in read(tmp_path)] == expected


def test_what_lies_elsewhere_is_marked(tmp_path: Path) -> None:
    names = ("env/site", "home/site", "python-path", "environment")
    folders = [lay(tmp_path / name, {"six-1.dist-info/METADATA": ""}) for name in names]
    paths = [str(folder) for folder in folders]
    found = read_distributions(paths, (), str(tmp_path / "env"), str(tmp_path / "home" / "site"))
    expected = [(False, False), (True, True), (True, False), (True, False)]
    assert [(d.outside, d.user_site) for d in found] == expected


def test_a_prefix_reached_by_a_link_is_the_same(tmp_path: Path) -> None:
    site = lay(tmp_path / "real" / SITE, {"six-1.16.0.dist-info/METADATA": METADATA})
    (tmp_path / "link").symlink_to("real")
    owner = record("six", f"{SITE}/six-1.16.0.dist-info/METADATA")
    paths = [str(tmp_path / "link" / SITE), str(site)]
    expected = (six(site, record=owner),)
    assert read_distributions(paths, [owner], str(tmp_path / "link"), "") == expected
