"""The laboratory itself: what it makes is what conda, its channels and pip would have made."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.lab import (
    PIPS,
    CommandFailed,
    CondaEnvironment,
    InstallFailed,
    Request,
    Wheel,
    Writer,
    change,
    changed,
    conda_bytes,
    create,
    everything,
    fake,
    from_wheel,
    lab_folder,
    make_project,
    make_sdist,
    make_wheel,
    replace,
    restyle,
    serve_index,
    write_index,
)

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
NOTHING_ELSE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_NO_INDEX": "",
}
OFFLINE = {**NOTHING_ELSE, "PIP_NO_INDEX": "1"}
TOOL_CODE = {"tool/__init__.py": "def main() -> None:\n    print('tool 1')\n"}
TOOL = make_wheel("tool", "1.0", TOOL_CODE, scripts={"tool": "tool:main"})
LIBX = fake(
    "libx",
    "1.0",
    {"lib/libx.so.1": b"\x7fELF\0@PREFIX@/share\0\0", "etc/x.conf": "at @PREFIX@\n"},
    links={"lib/libx.so": "libx.so.1"},
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    """An environment to look at, not to change."""
    return create(tmp_path_factory.mktemp("plain") / "env", from_wheel(TOOL), LIBX)


def records(environment: CondaEnvironment) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_bytes()) for path in environment.conda_meta.glob("*.json")]
    return {record["name"]: record for record in found}


def record_file(environment: CondaEnvironment, info: str) -> dict[str, str]:
    text = (environment.site_packages / info / "RECORD").read_text(encoding="utf-8")
    return {row[0]: row[1] for row in csv.reader(text.splitlines())}


def test_python_behaves_as_condas_does(plain: CondaEnvironment) -> None:
    program = (
        "import json, site, sys, sysconfig\n"
        "paths = [sysconfig.get_path(name) for name in ('purelib', 'platlib', 'scripts', 'data')]\n"
        "strange = [path for path in sys.path if path and not path.startswith(sys.prefix)]\n"
        "print(json.dumps([sys.prefix, sys.base_prefix, sysconfig.get_default_scheme(), paths,\n"
        "    site.getsitepackages(), sys.path[-1], strange, 'sitecustomize' in sys.modules]))\n"
    )
    prefix, site = str(plain.prefix), str(plain.site_packages)
    paths = [site, site, f"{prefix}/bin", prefix]
    expected = [prefix, prefix, "posix_prefix", paths, [site], site, [], False]
    done = plain.run(plain.python, "-s", "-c", program)
    assert json.loads(done.stdout) == expected
    assert list(plain.prefix.rglob("EXTERNALLY-MANAGED")) == []


def test_running_python_changes_no_file_of_conda(tmp_path: Path) -> None:
    environment = create(tmp_path / "env")
    before = conda_bytes(environment.prefix)
    environment.run(environment.python, "-c", "import sysconfig; sysconfig.get_config_vars()")
    environment.pip("list")
    assert changed(before, conda_bytes(environment.prefix)) == {}


def test_python_makes_virtual_environments(tmp_path: Path, plain: CondaEnvironment) -> None:
    plain.run(plain.python, "-m", "venv", "--without-pip", tmp_path / "venv")
    program = "import sys; print(sys.prefix, sys.base_prefix)"
    done = plain.run(tmp_path / "venv" / "bin" / "python", "-c", program)
    assert done.stdout.split() == [str(tmp_path / "venv"), str(plain.prefix)]


def test_pip_installs_a_wheel_made_here(tmp_path: Path) -> None:
    environment = create(tmp_path / "env")
    before, owned = everything(environment.prefix), conda_bytes(environment.prefix)
    wheel = make_wheel(
        "something",
        "1.0",
        scripts={"thing": "something:main"},
        data_files={"share/thing": "data\n"},
        data_scripts={"raw": "#!python\nprint('raw')\n"},
        data_headers={"thing.h": "/* */\n"},
    )
    environment.pip("install", "--no-compile", wheel.write(tmp_path), env=OFFLINE)
    python = SITE.split("/")[1]
    files = ["METADATA", "WHEEL", "top_level.txt", "entry_points.txt", "RECORD"]
    files += ["INSTALLER", "REQUESTED", "direct_url.json"]
    expected = {f"{SITE}/something-1.0.dist-info/{name}" for name in files}
    expected |= {f"{SITE}/something/__init__.py", "bin/thing", "bin/raw", "share/thing"}
    expected |= {f"include/{python}/something/thing.h"}
    assert set(changed(before, everything(environment.prefix))) == expected
    assert changed(owned, conda_bytes(environment.prefix)) == {}
    assert environment.run("raw").stdout == "raw\n"


def test_the_ledger_sees_what_pip_does_to_conda(tmp_path: Path) -> None:
    environment = create(tmp_path / "env", from_wheel(TOOL))
    before = conda_bytes(environment.prefix)
    newer = make_wheel("tool", "2.0", scripts={"tool": "tool:main"}).write(tmp_path)
    environment.pip("install", newer, env=OFFLINE)
    found = changed(before, conda_bytes(environment.prefix))
    gone = {path for path, (_, now) in found.items() if now == "missing"}
    assert {f"{SITE}/tool/__init__.py", "bin/tool"} == set(found) - gone
    assert {path.split("/")[-2] for path in gone} == {"tool-1.0.dist-info"}


@pytest.mark.parametrize("version", PIPS)
def test_pip_of_every_release_runs(tmp_path: Path, version: str) -> None:
    environment = create(tmp_path / "env", pip=version)
    environment.pip("install", TOOL.write(tmp_path), env=OFFLINE)
    assert environment.distributions() == {"pip": version, "tool": "1.0"}
    assert environment.run("tool").stdout == "tool 1\n"


def test_an_environment_may_have_no_pip(tmp_path: Path) -> None:
    environment = create(tmp_path / "env", pip=None)
    assert environment.distributions() == {}
    with pytest.raises(CommandFailed, match="No module named pip"):
        environment.pip("--version")


@pytest.mark.parametrize("noarch", [True, False])
def test_commands_come_from_the_installer_or_from_the_package(tmp_path: Path, noarch: bool) -> None:
    environment = create(tmp_path / "env", from_wheel(TOOL, noarch=noarch))
    pyc = f"{SITE}/tool/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    record = records(environment)["tool"]
    types = {row["_path"]: row["path_type"] for row in record["paths_data"]["paths"]}
    assert types["bin/tool"] == ("unix_python_entry_point" if noarch else "hardlink")
    assert (pyc in record["files"], record["subdir"] == "noarch") == (not noarch, noarch)
    assert environment.run("tool").stdout == "tool 1\n"


def test_a_dist_info_is_as_conda_build_leaves_it(plain: CondaEnvironment) -> None:
    info = plain.site_packages / "tool-1.0.dist-info"
    recorded = record_file(plain, info.name)
    url = json.loads((info / "direct_url.json").read_bytes())["url"]
    assert (info / "INSTALLER").read_bytes() == b"conda"
    assert recorded[f"{info.name}/INSTALLER"].startswith("sha256=zuuue4kno")
    assert url.startswith("file:///home/conda/feedstock_root/build_artifacts/tool_")
    assert {"../../../bin/tool", f"{info.name}/REQUESTED"} < set(recorded)


def test_a_package_of_defaults_is_built_for_one_python_in_croot(tmp_path: Path) -> None:
    recipe = from_wheel(TOOL, channel="defaults", direct_url="wheel")
    environment = create(tmp_path / "env", recipe, pip=None)
    info = environment.site_packages / "tool-1.0.dist-info"
    direct_url = json.loads((info / "direct_url.json").read_bytes())
    assert direct_url["url"].startswith("file:///croot/tool_")
    assert direct_url["archive_info"]["hashes"] == {"sha256": TOOL.sha256}
    assert records(environment)["tool"]["subdir"] != "noarch"


@pytest.mark.parametrize(
    ("info", "known", "uninstalled"),
    [
        ("dist-info", True, True),
        ("no-record", True, False),
        ("minimal", True, False),
        ("egg-info", True, True),
        ("egg-info-file", True, False),
        ("none", False, False),
    ],
)
def test_a_distribution_is_known_and_removable_as_its_metadata_allows(
    tmp_path: Path,
    info: Any,
    known: bool,
    uninstalled: bool,
) -> None:
    environment = create(tmp_path / "env", from_wheel(TOOL, info=info))
    assert ("tool" in environment.distributions()) is known
    environment.pip("uninstall", "--yes", "tool", check=False)
    assert (environment.site_packages / "tool" / "__init__.py").exists() is not uninstalled


def test_a_fake_package_knows_its_prefix(plain: CondaEnvironment) -> None:
    prefix = str(plain.prefix)
    binary = (plain.prefix / "lib" / "libx.so").read_bytes()
    assert (plain.prefix / "etc" / "x.conf").read_text(encoding="utf-8") == f"at {prefix}\n"
    assert binary.rstrip(b"\0") == f"\x7fELF\0{prefix}/share".encode()
    assert (plain.prefix / "lib" / "libx.so").readlink() == Path("libx.so.1")


def test_requirements_become_depends(tmp_path: Path) -> None:
    wheel = make_wheel("needy", "1.0", requires=["tool~=1.0", "absent; extra == 'x'"])
    environment = create(tmp_path / "env", from_wheel(wheel), from_wheel(TOOL), pip=None)
    assert records(environment)["needy"]["depends"] == ["python", "tool >=1.0,1.*"]
    with pytest.raises(InstallFailed, match="tool"):
        create(tmp_path / "other", from_wheel(wheel), pip=None)


@contextmanager
def unlike_rattler(environment: CondaEnvironment, writer: Writer) -> Iterator[None]:
    """Whatever the shape of the records, they own the same and it is all there."""
    before = conda_bytes(environment.prefix)
    restyle(environment.prefix, writer)
    yield
    after = conda_bytes(environment.prefix)
    assert before.items() <= after.items()
    assert "missing" not in after.values()


@pytest.mark.parametrize("writer", get_args(Writer))
def test_records_are_as_their_writer_writes_them(tmp_path: Path, writer: Writer) -> None:
    environment = create(tmp_path / "env", from_wheel(TOOL), LIBX, requested=["tool"])
    with unlike_rattler(environment, writer):
        tool, libx = records(environment)["tool"], records(environment)["libx"]
    text = next(environment.conda_meta.glob("tool-*.json")).read_text(encoding="utf-8")
    rows = {row["_path"]: row for row in tool.get("paths_data", {}).get("paths", [])}
    module = rows.get("site-packages/tool/__init__.py") or rows.get(f"{SITE}/tool/__init__.py", {})
    link = [
        row for row in libx.get("paths_data", {}).get("paths", []) if row["_path"].endswith(".so")
    ]
    history = (environment.conda_meta / "history").read_text(encoding="utf-8")
    seen = {
        "indent": len(text.splitlines()[1]) - len(text.splitlines()[1].lstrip()),
        "sorted": list(tool) == sorted(tool),
        "packaged path": "site-packages/tool/__init__.py" in rows,
        "hash in prefix": "sha256_in_prefix" in module,
        "hash of link": ["sha256_in_prefix" in row for row in link],
        "hash of command": "sha256" in rows.get("bin/tool", {}),
        "owns bytecode": any(path.endswith(".pyc") for path in tool["files"]),
        "wish": (tool.get("requested_spec"), tool.get("requested_specs")),
        "no wish": (libx.get("requested_spec"), libx.get("requested_specs")),
        "channel": tool["channel"].endswith("/noarch"),
        "history": f"::tool-1.0-{tool['build']}\n" in history,
    }
    names = list(seen)
    expected: dict[str, tuple[object, ...]] = {
        "conda": (2, False, True, True, [False], False, True, ("tool", ["tool"]), (None, None)),
        "conda-old": (2, True, True, True, [False], False, True, ("tool", None), ("None", None)),
        "mamba": (4, True, False, True, [True], False, True, ("tool", None), ("", None)),
        "rattler": (2, False, False, False, [True], True, False, (None, ["tool"]), (None, [])),
        "ancient": (2, True, False, False, [], False, True, ("tool", None), ("None", None)),
    }
    by_conda = writer != "rattler"
    assert seen == dict(zip(names, (*expected[writer], by_conda, by_conda), strict=True))


def test_conda_upgrades_removes_and_repairs(tmp_path: Path) -> None:
    environment = create(tmp_path / "env", from_wheel(TOOL), LIBX, pip=None)
    sound = conda_bytes(environment.prefix)
    replace(environment.prefix / "etc" / "x.conf", "damaged\n")
    change(environment, reinstall=["libx"])
    assert conda_bytes(environment.prefix) == sound
    newer = change(environment, from_wheel(make_wheel("tool", "2.0")), remove=["libx"])
    assert newer.distributions() == {"tool": "2.0"}
    assert set(records(newer)) == {"python", "tool"}


def test_damage_does_not_reach_the_next_environment(tmp_path: Path) -> None:
    first = create(tmp_path / "first", from_wheel(TOOL), pip=None)
    module = first.site_packages / "tool" / "__init__.py"
    one_disk = lab_folder().stat().st_dev == tmp_path.stat().st_dev
    assert (module.stat().st_nlink > 1) is one_disk
    module.write_text("damaged in place\n", encoding="utf-8")
    second = create(tmp_path / "second", from_wheel(TOOL), pip=None)
    again = second.site_packages / "tool" / "__init__.py"
    assert again.read_text(encoding="utf-8") == TOOL_CODE["tool/__init__.py"]


@pytest.mark.parametrize("hook", [True, False])
def test_projects_build_offline_and_in_isolation(tmp_path: Path, hook: bool) -> None:
    environment = create(tmp_path / "env")
    options: dict[str, Any] = {"scripts": {"tool": "tool:main"}, "metadata_hook": hook}
    trace = "(ROOT / 'trace').write_text('built')"
    folder = make_project(tmp_path / "tool", "tool", "1.0", TOOL_CODE, on_build=trace, **options)
    sdist = make_sdist("sdist-only", "2.0", **options).write(tmp_path)
    environment.pip("install", "--editable", folder, sdist, env=OFFLINE)
    where = environment.run(environment.python, "-c", "import tool; print(tool.__file__)").stdout
    assert where == f"{folder}/src/tool/__init__.py\n"
    assert (folder / "trace").read_text(encoding="utf-8") == "built"
    found = environment.distributions()
    assert found == {"pip": found["pip"], "tool": "1.0", "sdist-only": "2.0"}


def test_a_build_can_fail(tmp_path: Path, plain: CondaEnvironment) -> None:
    broken = make_project(tmp_path / "broken", "broken", "1.0", on_build="raise ValueError('no')")
    with pytest.raises(CommandFailed, match="ValueError: no"):
        plain.pip("wheel", "--no-deps", "-w", tmp_path, broken, env=OFFLINE)


def test_a_folder_is_an_index(tmp_path: Path) -> None:
    environment = create(tmp_path / "env")
    url = write_index(tmp_path / "index", [TOOL, make_wheel("leaf", "1.0", requires=["tool"])])
    environment.pip("install", "--index-url", url, "leaf", env=NOTHING_ELSE)
    assert {"leaf", "tool"} < set(environment.distributions())


@pytest.mark.parametrize("as_json", [True, False])
def test_a_server_keeps_a_log(tmp_path: Path, plain: CondaEnvironment, as_json: bool) -> None:
    other: Wheel = make_wheel("other", "1.0")
    options = {"login": ("me", "secret"), "metadata": True, "as_json": as_json}
    with serve_index([TOOL, other], **options) as index:  # type: ignore[arg-type]  # of mixed kinds
        command = ("download", "--no-deps", "-d", tmp_path, "--index-url")
        plain.pip(*command, index.url_with_login, "tool", env=NOTHING_ELSE)
        with pytest.raises(CommandFailed):
            plain.pip(*command, index.url, "tool", "--no-input", env=NOTHING_ELSE)
    assert (tmp_path / TOOL.filename).read_bytes() == TOOL.data
    assert index.downloads() == [TOOL.filename]
    assert index.requests[-1][:3] == ("GET", "/simple/tool/", 401)
    whole = Request("GET", f"/files/{TOOL.filename}", 200, len(TOOL.data), authorised=True)
    assert whole in index.requests


def test_what_is_made_twice_is_the_same() -> None:
    assert make_wheel("tool", "1.0", TOOL_CODE, scripts={"tool": "tool:main"}) == TOOL
    assert make_sdist("tool", "1.0") == make_sdist("tool", "1.0")
    assert from_wheel(TOOL).key == from_wheel(TOOL).key != from_wheel(TOOL, noarch=False).key
