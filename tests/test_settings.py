"""What is set for all commands: by whom, which of them holds, and what a project may not do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_config_dir

from safepip.decisions.configuring import configured, heeded_in, values_in, values_of
from safepip.doors.arguments import OwnOptions
from safepip.doors.policy import policy_of
from safepip.effects.config_files import read_layers
from safepip.effects.user_places import user_config
from safepip.values.errors import UnreadableFile, UsageError
from safepip.values.setting import ANYBODYS, SETTINGS, Layer, Source, Value
from tests.everywhere import here
from tests.guarded import Guarded, run
from tests.lab import CondaEnvironment, create, fake, from_wheel, make_wheel

LIBNUM = make_wheel("libnum", "1.26")
HOUSE = (
    make_wheel("libnum", "2.4"),
    make_wheel("vision", "4.11", requires=["libnum>=1.20"]),
    make_wheel("vision", "5.0", requires=["libnum>=2"]),
)
VALUES: Mapping[str, tuple[Value, ...]] = {
    "policy": ("keep", "strict"),
    "allow": ((), ("numpy",), ("scipy", "numpy")),
    "undo": (True, False),
    "import-check": (True, False),
    "engine": ("one-pass", "two-pass"),
    "lock-seconds": (30.0, 0.0),
    "import-seconds": (10.0, 1.0),
    "undo-changes": (50.0, 5.0),
    "undo-megabytes": (1000.0, 0.0),
}
CONFIG = "etc/safepip/config.toml"
NUMBER = "expected a number from 0 to 1000000000"
DIGITS = "a number with thousands of digits"
LOOSER = "has no effect: `{}` is stricter, and a project cannot loosen it"
OTHER = "has no effect: the file of a project can make safepip stricter, and nothing else"


def layer(source: Source, **values: Value) -> Layer:
    given = {key.replace("_", "-"): value for key, value in values.items()}
    return Layer(source, "" if source == "variable" else f"/{source}.toml", given)


def test_the_stronger_source_holds() -> None:
    layers = [
        layer("user", policy="strict", lock_seconds=1.0, allow=("a",)),
        layer("prefix", policy="keep", undo=False, allow=("b", "a")),
        layer("variable", lock_seconds=3.0, allow=("c",)),
    ]
    found = configured(layers).chosen
    set_by = {key: (one.value, one.origins) for key, one in found.items() if one.origins}
    variables = ("SAFEPIP_ALLOW", "SAFEPIP_LOCK_SECONDS")
    assert set_by == {
        "policy": ("keep", ("/prefix.toml",)),
        "allow": (("a", "b", "c"), ("/user.toml", "/prefix.toml", variables[0])),
        "undo": (False, ("/prefix.toml",)),
        "lock-seconds": (3.0, (variables[1],)),
    }


@pytest.mark.parametrize("source", ANYBODYS)
@pytest.mark.parametrize("key", [setting.key for setting in SETTINGS])
def test_anybodys_file_makes_safepip_stricter_and_nothing_else(key: str, source: Source) -> None:
    strict = {"policy": "strict", "undo": True, "import-check": True}
    for before, asked in product((None, *VALUES[key]), VALUES[key]):
        below = [] if before is None else [Layer("user", "/user.toml", {key: before})]
        without = configured(below)
        found = configured([*below, Layer(source, "/anybodys.toml", {key: asked})])
        assert found.chosen[key].value in (without.chosen[key].value, strict.get(key))
        heeded = found.chosen[key].value == asked
        assert heeded is not bool(found.unheeded), found


def test_what_a_project_asks_for_in_vain_is_said() -> None:
    layers = [layer("prefix", policy="strict"), layer("project", policy="keep", allow=("a",))]
    assert configured(layers).unheeded == (
        f'`policy = "keep"` in `/project.toml` {LOOSER.format("/prefix.toml")}',
        f'`allow = ["a"]` in `/project.toml` {OTHER}',
    )


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"polcy": "strict"}, "unknown setting `polcy` in `/f.toml`"),
        ({"policy": "lax"}, '`policy` in `/f.toml` is `"lax"`, expected `keep` or `strict`'),
        ({"undo": "off"}, '`undo` in `/f.toml` is `"off"`, expected `true` or `false`'),
        ({"undo": 0}, "`undo` in `/f.toml` is `0`, expected `true` or `false`"),
        ({"lock-seconds": True}, f"`lock-seconds` in `/f.toml` is `true`, {NUMBER}"),
        ({"lock-seconds": float("inf")}, f"`lock-seconds` in `/f.toml` is `inf`, {NUMBER}"),
        (
            {"lock-seconds": 10**400},
            f"`lock-seconds` in `/f.toml` is `1{'0' * 58}…`, {NUMBER}",
        ),
        ({"lock-seconds": -1}, f"`lock-seconds` in `/f.toml` is `-1`, {NUMBER}"),
        ({"undo-megabytes": -1e303}, f"`undo-megabytes` in `/f.toml` is `-1e+303`, {NUMBER}"),
        ({"undo-changes": 16**6000}, f"`undo-changes` in `/f.toml` is {DIGITS}, {NUMBER}"),
        ({"policy": 16**6000}, f"`policy` in `/f.toml` is {DIGITS}, expected `keep` or `strict`"),
        ({"allow": [16**6000]}, f"`allow` in `/f.toml` is {DIGITS}, expected a list of names"),
        ({"allow": "numpy"}, '`allow` in `/f.toml` is `"numpy"`, expected a list of names'),
        ({"allow": ["a", 1]}, "`allow` in `/f.toml` is `['a', 1]`, expected a list of names"),
        (
            {"allow": ["a\x1b[2J"]},
            "`allow` in `/f.toml` is `['a\\x1b[2J']`, expected a list of names",
        ),
        (3, "`tool.safepip` in `/f.toml` is `3`, expected a table"),
    ],
)
def test_an_error_names_file_and_key(table: object, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        values_in(table, "/f.toml", "tool.safepip")
    assert caught.value.message == says


def test_what_is_wrong_in_a_project_is_left_out_and_the_rest_heeded() -> None:
    table = {"policy": "strict", "future-key": 1, "undo": "on", "lock-seconds": 10**400}
    values, faults = heeded_in(table, "/p.toml", "tool.safepip")
    assert (values, len(faults)) == ({"policy": "strict"}, 3)
    assert configured([Layer("project", "/p.toml", values, faults)]).unheeded[:2] == (
        "unknown setting `future-key` in `/p.toml`; that has no effect",
        '`undo` in `/p.toml` is `"on"`, expected `true` or `false`; that has no effect',
    )
    assert heeded_in([], "/p.toml", "tool.safepip") == (
        {},
        ("`tool.safepip` in `/p.toml` is `[]`, expected a table",),
    )
    many = heeded_in({f"k{number}": 1 for number in range(1000)}, "/p.toml", "tool.safepip")
    assert many[1][4:] == ("unknown setting `k4` in `/p.toml`", "995 more in `/p.toml`")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("SAFEPIP_UNDO", "maybe", "`SAFEPIP_UNDO` is `maybe`, expected `on` or `off`"),
        ("SAFEPIP_POLICY", "x", "`SAFEPIP_POLICY` is `x`, expected `keep` or `strict`"),
        ("SAFEPIP_LOCK_SECONDS", "nan", f"`SAFEPIP_LOCK_SECONDS` is `nan`, {NUMBER}"),
        ("SAFEPIP_UNDO_MEGABYTES", "1e303", f"`SAFEPIP_UNDO_MEGABYTES` is `1e303`, {NUMBER}"),
        ("SAFEPIP_ALLOW", "a b", "`SAFEPIP_ALLOW` is `a b`, expected names of distributions"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        values_of({name: text})
    assert caught.value.message == says


def test_variables_are_read() -> None:
    given = {"SAFEPIP_UNDO": "OFF", "SAFEPIP_ALLOW": "A_b, c", "SAFEPIP_ENGINE": ""}
    assert values_of(given) == {"undo": False, "allow": ("a-b", "c")}


def unwrapped(text: str) -> str:
    """A message as it is without the ends of its lines."""
    return " ".join(text.split())


def layers_at(folder: Path, prefix: Path | None = None) -> list[Layer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return list(read_layers(str(prefix or folder / "prefix"), {}))


def test_the_nearest_project_that_knows_safepip_counts(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b" / "c"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.safepip]\nundo = true\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.safepip]\npolicy = 'strict'\n")
    (tmp_path / "a" / "b" / "pyproject.toml").write_text("[project]\nname = [broken\n")
    assert layers_at(below)[:-1] == [
        Layer("project", str(tmp_path / "a" / "pyproject.toml"), {"policy": "strict"})
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prefix" / CONFIG
    file.parent.mkdir(parents=True)
    file.write_text("policy = \n")
    with pytest.raises(UnreadableFile, match=r"config\.toml`: it is not TOML: "):
        layers_at(tmp_path)
    file.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(UnreadableFile, match="are more than 1048576"):
        layers_at(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(UnreadableFile, match="not a regular file"):
        layers_at(tmp_path)
    file.unlink()
    file.mkdir()  # a policy that somebody meant to set would not hold
    with pytest.raises(UnreadableFile, match="not a regular file"):
        layers_at(tmp_path)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("RECORD", "../../../etc/safepip/config.toml,sha256=x,1"),
        ("RECORD", "../../../Etc/safepip/CONFIG.toml,,"),  # the same on some disks
        ("RECORD", "../../../etc/\u017fafepip/con\ufb01g.toml,,"),
        ("RECORD", "../../.././etc/x/../safepip//config.toml,,"),
        ("installed-files.txt", "../../../../etc/safepip/config.toml"),
    ],
)
def test_a_file_that_a_distribution_lists_makes_safepip_stricter_and_nothing_else(
    tmp_path: Path, name: str, line: str
) -> None:
    """Plain pip lets any wheel put one there, and any name one that was there before it."""
    file, listed = suspect(tmp_path, name)
    listed.write_text("sneaky.py,,\n" + line.replace("toml", "toml.bak"))
    assert layers_at(tmp_path)[0].values["allow"] == ("numpy",)
    listed.write_text(f"sneaky.py,,\n{line}\n")
    found = configured(layers_at(tmp_path))
    assert (found.word("policy"), found.names("allow")) == ("strict", ())
    (said,) = found.unheeded
    assert said == (
        f'`allow = ["numpy"]` in `{file}` has no effect: sneaky-1.0 lists it as its own, and '
        "the file of a package can make safepip stricter, and nothing else"
    )
    # Nor does it stop anything by an error.
    file.write_text('policy = "strict"\nfuture = 1\n')
    assert layers_at(tmp_path)[0][2:4] == (
        {"policy": "strict"},
        (f"unknown setting `future` in `{file}`",),
    )
    file.write_text("policy = \n")
    assert layers_at(tmp_path)[0].values == {}
    assert "it is not TOML" in configured(layers_at(tmp_path)).unheeded[0]


@pytest.mark.parametrize("how", ["too large", "a pipe", "a folder"])
def test_a_list_that_cannot_be_read_may_list_anything(tmp_path: Path, how: str) -> None:
    """pip keeps what a wheel's RECORD names, and 64 MB of that are a few KB in the wheel."""
    file, listed = suspect(tmp_path, "RECORD")
    match how:
        case "too large":
            listed.touch()
            os.truncate(listed, 64 * 1024 * 1024 + 1)
        case "a pipe":
            os.mkfifo(listed)
        case _:
            listed.mkdir()
    found = configured(layers_at(tmp_path))
    assert (found.word("policy"), found.names("allow")) == ("strict", ())
    (said,) = found.unheeded
    assert said == (
        f'`allow = ["numpy"]` in `{file}` has no effect: `{listed}`, which may list it, cannot be '
        "read, and the file of a package can make safepip stricter, and nothing else"
    )


def suspect(folder: Path, name: str) -> tuple[Path, Path]:
    """Settings of an environment, and where a distribution would list them."""
    file = folder / "prefix" / CONFIG
    metadata = "sneaky-1.0.dist-info" if name == "RECORD" else "sneaky-1.0.egg-info"
    listed = folder / "prefix/lib/python3.11/site-packages" / metadata / name
    for path in (file, listed):
        path.parent.mkdir(parents=True)
    file.write_text('policy = "strict"\nallow = ["numpy"]\n')
    return file, listed


def test_no_project_stops_anything_by_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.safepip]\npolicy = 'strict'\nlater = 1\n")
    (tmp_path / "a" / "pyproject.toml").write_text("this is about safepip\n")
    os.mkfifo(below / "pyproject.toml")
    piped, talking, knowing = layers_at(below)[:-1]
    whys = ("it is not a regular file", "it is not TOML: ")
    for layer, why in zip((piped, talking), whys, strict=True):
        (fault,) = layer.faults
        assert fault.startswith(f"cannot read `{layer.path}`: {why}")
    assert (knowing.values, len(knowing.faults)) == ({"policy": "strict"}, 1)


def test_a_working_folder_that_is_gone_has_no_project(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(gone)
        gone.rmdir()
        assert [one.source for one in read_layers(str(tmp_path), {})] == ["variable"]


def test_who_set_strictness_is_known_unless_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAFEPIP_POLICY", "strict")
    prefix = str(tmp_path)
    assert policy_of(OwnOptions(), prefix).strict_by == "SAFEPIP_POLICY"
    assert policy_of(OwnOptions(strict=True), prefix).strict_by == ""
    monkeypatch.setenv("SAFEPIP_POLICY", "keep")
    assert policy_of(OwnOptions(strict=True), prefix).strict_by == ""


# Through the door.


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("settings")
    for wheel in HOUSE:
        wheel.write(place / "wheels")
    return create(place / "lab", from_wheel(LIBNUM), fake("stats", "1.4"))


def plan(lab: CondaEnvironment, cwd: Path, *words: str, **env: str) -> Guarded:
    start = [sys.executable, "-m", "safepip", "--json", "plan"]
    links = {"PIP_FIND_LINKS": str(lab.prefix.parent / "wheels"), "PIP_NO_CACHE_DIR": "1"}
    given = {
        "SAFEPIP_TARGET_PREFIX": str(lab.prefix),
        "PIP_NO_INDEX": "1",
        "CONDA_OFFLINE": "1",
        **links,
        **env,
    }
    return run(lab, [*start, *words], env=given, cwd=cwd, watched=False)


def ended(done: Guarded) -> tuple[int, str]:
    answer = done.answer
    return done.exit_code, answer["verdict"]


def messages(done: Guarded) -> str:
    """What is said in sentences, one a line."""
    return "\n".join(finding.get("message", "") for finding in done.answer["findings"])


def test_files_decide_how_strict_a_command_is(lab: CondaEnvironment, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own = home / ".config" / "safepip" / "config.toml"
    own.parent.mkdir(parents=True)
    project = tmp_path / "pyproject.toml"
    env = {"HOME": str(home)}
    own.write_text('policy = "strict"\n')
    strict = plan(lab, tmp_path, "vision", **env)
    assert ended(strict) == (10, "block")
    assert f"as `{own}` says" in messages(strict)
    # The way out works as it is pasted: the command says what is set otherwise.
    assert (
        strict.answer["fixes"][0]["command"] == "SAFEPIP_POLICY=keep safepip install vision==4.11"
    )
    assert ended(plan(lab, tmp_path, "vision==4.11", SAFEPIP_POLICY="keep", **env))[0] == 0
    own.write_text('allow = ["LibNum"]\n')
    assert ended(plan(lab, tmp_path, "vision==5.0", **env)) == (0, "clear")
    own.unlink()
    project.write_text('[tool.safepip]\nallow = ["libnum"]\n')
    asked = plan(lab, tmp_path, "vision==5.0", **env)
    assert ended(asked) == (10, "block")
    assert f'`allow = ["libnum"]` in `{project}` {OTHER}' in messages(asked).splitlines()
    project.write_text("[tool.safepip]\nno-such = 1\n")
    newer = plan(lab, tmp_path, "vision==5.0", **env)
    assert ended(newer) == (10, "block")
    told = f"unknown setting `no-such` in `{project}`; that has no effect"
    assert told in messages(newer).splitlines()
    own.write_text("no-such = 1\n")
    wrong = plan(lab, tmp_path, "vision", **env)
    assert (wrong.exit_code, wrong.answer["code"]) == (2, "usage")
    assert f"unknown setting `no-such` in `{own}`" in wrong.stdout


@pytest.mark.parametrize("by", ["variable", "pip.conf"])
def test_constraints_of_the_users_own_hold_beside_those_of_safepip(
    lab: CondaEnvironment, tmp_path: Path, by: str
) -> None:
    """Else the version that fits conda's, 4.11, would be taken."""
    bounds, conf = tmp_path / "bounds.txt", tmp_path / "pip.conf"
    bounds.write_text("vision!=4.11\n")
    conf.write_text(f"[install]\nconstraint = {bounds}\n")
    given = {"PIP_CONSTRAINT": str(bounds)} if by == "variable" else {"PIP_CONFIG_FILE": str(conf)}
    assert ended(plan(lab, tmp_path, "vision", **given)) == (10, "block")


def test_the_status_of_the_guard_says_what_is_set_and_where(
    lab: CondaEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = lab.prefix / CONFIG
    file.parent.mkdir(parents=True)
    file.write_text('policy = "strict"\nlock-seconds = 5\n')
    try:
        (tmp_path / "pyproject.toml").write_text('[tool.safepip]\npolicy = "keep"\n')
        words = ("guard", "status", "--env", lab.prefix)
        said = here(*words, environ={"SAFEPIP_UNDO": "off"}).out
        _, _, settings = said.partition("settings here:\n")
        assert settings.splitlines() == [
            f'  policy        "strict"  from {file}',
            "  undo          false  from SAFEPIP_UNDO",
            f"  lock-seconds  5  from {file}",
            f'  `policy = "keep"` in `{tmp_path}/pyproject.toml` {LOOSER.format(file)}',
        ]
        told: dict[str, Any] = json.loads(here(*words, "--json").out)["settings"]
        assert told["policy"] == {"value": "strict", "from": [str(file)]}
        assert told["allow"] == {"value": [], "from": []}
        # What somebody else has in the folder of the guard stays there; and every verb that goes
        # by settings says what is set in vain.
        vain = f'hint: `policy = "keep"` in `{tmp_path}/pyproject.toml` has no effect'
        for verb in ("guard on", "guard off", "doctor --fix", "doctor", "undo"):
            done = here(*verb.split(), "--env", lab.prefix)
            ends = (done.code == 0) is (verb != "undo")  # of which there is nothing
            assert (ends, vain in unwrapped(done.err)) == (True, True), done
        assert file.read_text().startswith("policy")
    finally:
        file.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is platformdirs that says")
@pytest.mark.parametrize("told", ["", "  ", "relative", "~/x", "/absolute"])
def test_the_users_settings_lie_where_platformdirs_has_them(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", told)
    assert user_config(os.environ) == user_config_dir("safepip", appauthor=False)
