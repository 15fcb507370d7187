"""An environment as a whole, read from the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from safepip.effects.reading import read_environment
from safepip.effects.records import read_records
from safepip.values.environment import Distribution, Environment, Interpreter, Manager
from safepip.values.errors import CannotJudge, UnreadableRecord, WrongEnvironment
from safepip.values.seal import SEAL_MARK
from safepip.values.verdict import Fix
from tests.lab import CondaEnvironment, Writer, create, from_wheel, make_wheel, restyle

SITE = "lib/python3.11/site-packages"
RECORD = {"name": "six", "version": "1.16.0", "build": "0", "depends": [], "files": ["six.py"]}
STARTED = "==> 2024-02-06 13:15:42 <==\n# cmd: {}\n# conda version: 24.5.0\n+six-1.16.0-0\n"
CONDA = STARTED.format("/opt/conda/bin/conda create -n lab")


def interpreter_of(prefix: Path, **facts: Any) -> Interpreter:
    site = f"{prefix}/{SITE}"
    plain = Interpreter(
        executable=f"{prefix}/bin/python",
        version="3.11.7",
        prefix=str(prefix),
        base_prefix=str(prefix),
        sys_path=(f"{prefix}/lib/python3.11", site),
        purelib=site,
        platlib=site,
        scripts=f"{prefix}/bin",
        stdlib=f"{prefix}/lib/python3.11",
        user_site="",
        user_site_enabled=False,
    )
    return replace(plain, **facts)


def lay(prefix: Path, files: Mapping[str, str | bytes | None] | None = None) -> Path:
    given = {"conda-meta/history": CONDA, "conda-meta/six-1.16.0-0.json": json.dumps(RECORD)}
    folders = {f"{SITE}/README.txt": "", "bin/python": ""}
    for name, data in {**given, **folders, **(files or {})}.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data.encode() if isinstance(data, str) else data)
    return prefix


def read(prefix: Path) -> Environment:
    return read_environment(str(prefix), interpreter_of(prefix))


# Real environments


ASK = """
import json, site, sys, sysconfig
path = sysconfig.get_path
print(json.dumps({
    "executable": sys.executable, "version": sys.version.split()[0], "prefix": sys.prefix,
    "base_prefix": sys.base_prefix, "sys_path": [p for p in sys.path if p],
    "purelib": path("purelib"), "platlib": path("platlib"), "scripts": path("scripts"),
    "stdlib": path("stdlib"), "user_site": site.getusersitepackages(), "user_site_enabled": True,
}))
"""


def interpreter_in(environment: CondaEnvironment) -> Interpreter:
    facts = json.loads(environment.run(environment.python, "-c", ASK).stdout)
    return Interpreter(**{**facts, "sys_path": tuple(facts["sys_path"])})


@pytest.mark.parametrize("writer", get_args(Writer))
def test_an_environment_of_every_writer_is_read(tmp_path: Path, writer: Writer) -> None:
    tool = make_wheel("tool", "1.0", requires=["six"])
    made = create(tmp_path / "envs" / "lab", from_wheel(tool, name="conda-tool", depends=()))
    restyle(made.prefix, writer)
    mine = make_wheel("mine", "2.0").write(tmp_path)
    made.pip("install", "--no-deps", mine)
    interpreter, prefix = interpreter_in(made), str(made.prefix)
    found = read_environment(prefix, interpreter)
    records = {record.name: record for record in read_records(prefix)}
    site = str(made.site_packages)
    expected = {
        Distribution(
            "tool", "1.0", f"{site}/tool-1.0.dist-info", "tool", ("six",), records["conda-tool"]
        ),
        Distribution("mine", "2.0", f"{site}/mine-2.0.dist-info", "mine"),
        *(d for d in found.distributions if d.name == "pip" and d.record == records["pip"]),
    }
    assert set(found.distributions) == expected
    managers = {"conda": "conda", "conda-old": "conda", "ancient": "conda"}
    wishes = {"pixi": None, "rattler": {}}.get(writer, {"python": "python"})
    assert replace(found, distributions=()) == Environment(
        prefix=prefix,
        interpreter=interpreter,
        records=tuple(sorted(records.values(), key=lambda record: record.file)),
        distributions=(),
        name="lab",
        manager=managers.get(writer, writer),  # type: ignore[arg-type]
        wishes=wishes,
    )


# Whose it is, and what it is called


@pytest.mark.parametrize(
    ("command", "manager"),
    [
        ("/opt/conda/bin/conda install conda-build", "conda"),
        ("/opt/conda/bin/mamba install conda", "mamba"),
        ("micromamba create -n lab python", "micromamba"),
        ("C:\\Users\\ada\\Scripts\\conda-script.py install x", "conda"),
        ("C:\\micromamba.exe install x", "micromamba"),
        ("/opt/conda/lib/python3.11/site-packages/conda/__main__.py install x", "conda"),
        ("/root/_conda constructor --prefix /opt/micromamba-env", "conda"),
    ],
)
def test_the_manager_is_the_program_of_the_history(
    tmp_path: Path, command: str, manager: Manager
) -> None:
    prefix = lay(tmp_path, {"conda-meta/history": STARTED.format(command)})
    assert read(prefix).manager == manager


def test_the_last_program_counts(tmp_path: Path) -> None:
    history = STARTED.format("micromamba create") + STARTED.format("mamba install x") + "# cmd: ?\n"
    assert read(lay(tmp_path, {"conda-meta/history": history})).manager == "mamba"


def test_only_the_end_of_a_long_history_is_read(tmp_path: Path) -> None:
    history = STARTED.format("micromamba create") + "+a::b-1-0\n" * 200_000
    assert read(lay(tmp_path, {"conda-meta/history": history})).manager == "conda"


@pytest.mark.parametrize("history", ["", "\n"])
def test_an_empty_history_is_rattlers(tmp_path: Path, history: str) -> None:
    assert read(lay(tmp_path, {"conda-meta/history": history})).manager == "rattler"


def test_without_a_history_it_is_rattlers(tmp_path: Path) -> None:
    prefix = lay(tmp_path)
    (prefix / "conda-meta" / "history").unlink()
    assert read(prefix).manager == "rattler"


def test_pixi_leaves_a_file_of_its_own(tmp_path: Path) -> None:
    prefix = lay(tmp_path / ".pixi" / "envs" / "default", {"conda-meta/pixi": "{}"})
    found = read(prefix)
    assert (found.manager, found.is_pixi, found.name) == ("pixi", True, "default")


@pytest.mark.parametrize(
    ("folder", "files", "name"),
    [
        ("opt/conda", ["conda-meta/conda-24.5.0-0.json"], "base"),
        ("opt/micromamba", ["pkgs/urls.txt"], "base"),
        ("opt/conda/envs/lab", [], "lab"),
        ("opt/conda/envs/lab", ["conda-meta/conda-24.5.0-0.json"], "lab"),
        ("opt/conda/envs/lab", ["pkgs/urls.txt"], "lab"),
        ("envs/miniforge3", ["conda-meta/conda-24.5.0-0.json", "pkgs/urls.txt"], "base"),
        ("project/env", ["conda-meta/conda-build-24.5.0-0.json"], "env"),
        ("project/env", ["conda-meta/._conda-24.5.0-0.json"], "env"),
    ],
)
def test_base_is_where_conda_lives(
    tmp_path: Path, folder: str, files: list[str], name: str
) -> None:
    prefix = lay(tmp_path / folder, dict.fromkeys(files, json.dumps(RECORD)))
    found = read(prefix)
    assert (found.name, found.is_base) == (name, name == "base")


def test_a_prefix_is_resolved(tmp_path: Path) -> None:
    prefix = lay(tmp_path / "lab")
    (tmp_path / "link").symlink_to("lab")
    found = read_environment(f"{tmp_path}/link/", interpreter_of(prefix))
    assert (found.prefix, found.name) == (str(prefix), "lab")


def test_a_python_that_calls_the_prefix_otherwise_is_refused(tmp_path: Path) -> None:
    prefix = lay(tmp_path / "lab")
    interpreter = interpreter_of(prefix)  # as `PYTHONHOME` bends one
    with pytest.raises(WrongEnvironment, match="for its prefix"):
        read_environment(str(prefix), replace(interpreter, prefix=str(tmp_path / "link")))


# What is said about changing it


def test_pins_and_messages_are_read(tmp_path: Path) -> None:
    notes = {
        "conda-meta/pinned": "python 3.11.*\n",
        "conda-meta/frozen": '{"message": "managed by ops"}',
        "lib/python3.11/EXTERNALLY-MANAGED": "[externally-managed]\nError=Ask\n  the %owner.\n",
    }
    found = read(lay(tmp_path, notes))
    expected = (("python 3.11.*",), "managed by ops", "Ask\nthe %owner.")
    assert (found.pins, found.frozen, found.externally_managed) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ("no section\n", ""),
        ("[externally-managed]\n", ""),
        (b"[externally-managed]\nError=\xff\n", "\ufffd"),
        (f"[externally-managed]\nError={'x' * 5000}\n", "x" * 2000),
        (f"# {'x' * 100_000}\n", ""),
        ("[externally-managed]\nError=safepip is here\n", "safepip is here"),
        (f"{SEAL_MARK}\n[externally-managed]\nError=use safepip\n", None),
    ],
)
def test_only_the_seal_of_others_is_a_seal(
    tmp_path: Path, text: str | bytes, message: str | None
) -> None:
    prefix = lay(tmp_path, {"lib/python3.11/EXTERNALLY-MANAGED": text})
    assert read(prefix).externally_managed == message


def test_nothing_said_is_nothing_read(tmp_path: Path) -> None:
    found = read(lay(tmp_path))
    assert (found.pins, found.frozen, found.externally_managed) == ((), None, None)


def test_pins_that_cannot_be_read_stop(tmp_path: Path) -> None:
    prefix = lay(tmp_path)
    (prefix / "conda-meta" / "pinned").mkdir()
    with pytest.raises(CannotJudge, match="`conda-meta/pinned`: it is not a regular file"):
        read(prefix)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("folder", [SITE, "bin", "conda-meta"])
def test_each_folder_that_pip_writes_to_must_be_writable(tmp_path: Path, folder: str) -> None:
    prefix = lay(tmp_path)
    (prefix / folder).chmod(0o555)
    assert not read(prefix).writable
    (prefix / folder).chmod(0o755)
    assert read(prefix).writable


def test_a_folder_that_is_still_to_be_made_is_as_writable_as_the_one_above(tmp_path: Path) -> None:
    prefix = lay(tmp_path)
    interpreter = interpreter_of(prefix, scripts=f"{prefix}/not/yet/bin")
    assert read_environment(str(prefix), interpreter).writable
    nowhere = interpreter_of(prefix, scripts="/proc/no/bin")
    assert read_environment(str(prefix), nowhere).writable == os.access("/proc", os.W_OK)


# Damage


def test_traces_of_an_interrupted_pip_are_found(tmp_path: Path) -> None:
    files = {f"{SITE}/{name}": "" for name in ("~umpy/a.py", "a-1.dist-info/REQUESTED", "b.py")}
    prefix = lay(tmp_path / "env", {**files, "../else/c-1.dist-info/REQUESTED": ""})
    site, elsewhere = f"{prefix}/{SITE}", f"{tmp_path}/else"
    interpreter = interpreter_of(prefix, sys_path=(elsewhere, site))
    found = read_environment(str(prefix), interpreter)
    assert found.leftovers == (f"{site}/~umpy", f"{site}/a-1.dist-info")


@pytest.mark.parametrize(
    ("notes", "command"),
    [
        ({}, "conda install -p '{}' six=1.16.0=0"),
        ({"conda-meta/history": ""}, "conda install -p '{}' six=1.16.0=0"),
        (
            {"conda-meta/history": STARTED.format("micromamba install x")},
            "micromamba install -p '{}' six=1.16.0=0",
        ),
        ({"conda-meta/pixi": "{}"}, "pixi reinstall --manifest-path '{}' six"),
    ],
)
def test_a_damaged_record_comes_with_the_command_that_mends_it(
    tmp_path: Path, notes: Mapping[str, str], command: str
) -> None:
    prefix = lay(tmp_path / "my" / ".pixi" / "envs" / "default", notes)
    record = prefix / "conda-meta" / "six-1.16.0-0.json"
    record.write_text("{")
    with pytest.raises(UnreadableRecord) as caught:
        read(prefix)
    place = tmp_path / "my" if "pixi" in command else prefix
    again = command.format(place).replace("'", "")
    says = "put the record aside, and have its package installed again"
    assert caught.value.fixes == (Fix(f"mv {record} {record}.unreadable && {again}", says),)


@pytest.mark.parametrize("name", ["notes.json", "-a-1-0.json", "a\n-1-0.json"])
def test_where_no_command_is_sure_to_mend_a_record_none_is_given(tmp_path: Path, name: str) -> None:
    prefix = lay(tmp_path, {"conda-meta/pixi": "", f"conda-meta/{name}": "{"})
    with pytest.raises(UnreadableRecord) as caught:
        read(prefix)
    assert caught.value.fixes == ()


def test_a_record_that_cannot_be_opened_is_not_moved(tmp_path: Path) -> None:
    prefix = lay(tmp_path)
    (prefix / "conda-meta" / "a-1-0.json").symlink_to("a-1-0.json")
    with pytest.raises(UnreadableRecord, match="Too many levels") as caught:
        read(prefix)
    assert caught.value.fixes == ()
