"""`guard on` writes what it lists; `guard off` removes exactly that, and nothing of anybody's."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from safepip.decisions.fixing.shell import Shell
from safepip.decisions.guarding.manifest import as_text, known, parse_manifest, steps_off, steps_on
from safepip.decisions.guarding.pieces import pieces
from safepip.decisions.wording.guarding import on_lines
from safepip.effects.guard_files import carry_out, prints, read_manifest
from safepip.effects.itself import read_texts
from safepip.effects.reach import first_closed
from safepip.values.errors import HalfGuarded, NotWritable
from safepip.values.guarding import Known, Manifest, Piece, Steps
from tests.everywhere import SAFEPIP, Done, here, run, with_command
from tests.lab import CondaEnvironment, create
from tests.lab.ledger import with_modes
from tests.saying import text

Place = CondaEnvironment
MANIFEST = "etc/safepip/guard.json"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An environment that every test leaves without a guard."""
    return create(tmp_path_factory.mktemp("place") / "a b")


def guard(place: Place, *words: str, environ: Mapping[str, str] | None = None) -> Done:
    return here("guard", *words, "--env", place.prefix, environ=environ)


def told(done: Done) -> dict[str, Any]:
    found = json.loads(done.out)
    assert isinstance(found, dict)
    assert done.code == found["exit_code"], done
    return found


def joined(text: str) -> str:
    """A message as it is without the ends of its lines."""
    return text.replace("\n  ", " ")


def everything(prefix: Path) -> tuple[object, ...]:
    """Every file with its bytes and its mode, and every folder with its mode."""
    folders = {str(d): os.stat(d).st_mode for d, _, _ in os.walk(prefix)}
    return with_modes(prefix), folders


def test_on_and_off_leave_every_byte_mode_and_folder(place: Place) -> None:
    place.run(place.python, "-c", "import sysconfig, json, pip")  # their bytecode, if it is new
    before = everything(place.prefix)
    assert guard(place, "on").code == 0
    found = told(guard(place, "on", "--deep", "--seal", "--json"))["guard"]
    assert (found["before"], found["levels"]) == (["shims"], ["shims", "deep", "seal"])
    assert (found["removed"], found["left"]) == ([], [])
    listed = json.loads((place.prefix / MANIFEST).read_text("utf-8"))["files"]
    new = set(with_modes(place.prefix)) - set(with_modes_of(before)) - {MANIFEST}
    assert set(listed) == new
    assert {place.run(place.python, "-c", "pass").stderr} == {""}
    done = guard(place, "off")
    assert (done.code, done.err) == (
        0,
        f"safepip: guard off in a b: {len(new)} files removed\n",
    )
    assert everything(place.prefix) == before
    assert guard(place, "off").err == "safepip: there is no guard in a b\n"


def with_modes_of(found: tuple[object, ...]) -> Mapping[str, object]:
    assert isinstance(found[0], dict)
    return found[0]


def test_a_dry_run_writes_nothing(place: Place) -> None:
    before = everything(place.prefix)
    done = guard(place, "on", "--deep", "--dry-run")
    assert "  + libexec/safepip/hook.py\n" in done.out
    assert everything(place.prefix) == before
    guard(place, "on")
    on = everything(place.prefix)
    assert "  - libexec/safepip/shims/pip\n" in guard(place, "off", "--dry-run").out
    assert everything(place.prefix) == on
    guard(place, "off")


def test_what_a_person_edited_stays_and_is_named(place: Place) -> None:
    before = everything(place.prefix)
    guard(place, "on")
    script = "etc/conda/activate.d/zz-safepip.sh"
    (place.prefix / script).write_text("mine\n", encoding="utf-8")
    again = told(guard(place, "on", "--json"))["guard"]
    assert (again["left"], again["written"]) == ([script], [])
    done = guard(place, "off")
    assert f"  {script} was changed by somebody, and is left as it is\n" in done.err
    assert (place.prefix / script).read_text("utf-8") == "mine\n"
    assert not (place.prefix / MANIFEST).exists()
    # It is nobody's but theirs now, also for a guard that comes later; and it is told of.
    assert told(guard(place, "on", "--json"))["guard"]["left"] == [script]
    guard(place, "off")
    assert f"  there all the same: {script}\n" in guard(place, "status").out
    again = told(guard(place, "off", "--json"))
    assert again["guard"]["left"] == [script]
    (fix,) = again["fixes"]
    place.run("sh", "-c", fix["command"])
    assert told(guard(place, "off", "--json"))["guard"]["left"] == []
    for folder in ("etc/conda/activate.d", "etc/conda", "etc"):
        (place.prefix / folder).rmdir()
    assert everything(place.prefix) == before


def test_what_is_gone_is_written_anew_and_what_is_old_is_removed(place: Place) -> None:
    before = everything(place.prefix)
    guard(place, "on", "--deep")
    # As after another minor release of Python: the old folder's files are still listed.
    path, old = place.prefix / MANIFEST, "lib/python3.9/site-packages/safepip_guard.pth"
    manifest = parse_manifest(path.read_text("utf-8"))
    assert manifest is not None
    (place.prefix / old).parent.mkdir(parents=True)
    (place.prefix / old).write_bytes(b"old\n")
    stale = Manifest(
        manifest.levels,
        (*manifest.files, known(Piece(old, b"old\n"))),
        (*manifest.folders, "lib/python3.9", "lib/python3.9/site-packages"),
    )
    path.write_text(as_text(stale), encoding="utf-8")
    (place.prefix / "libexec/safepip/hook.py").unlink()
    found = told(guard(place, "on", "--json"))["guard"]
    assert (found["written"], found["removed"]) == (["libexec/safepip/hook.py"], [old])
    assert not (place.prefix / "lib/python3.9").exists()
    assert guard(place, "off").code == 0
    assert everything(place.prefix) == before


def test_the_way_out_is_open_where_a_setting_is_wrong(place: Place) -> None:
    before = everything(place.prefix)
    guard(place, "on")
    settings = place.prefix / "etc/safepip/config.toml"
    settings.write_text("nonsense = 1\n", encoding="utf-8")
    assert guard(place, "on").code == 2
    status = told(guard(place, "status", "--json"))
    assert {one["path"] for one in status["guard"]["paths"] if one["guarded"]} >= {"script"}
    fault = f"unknown setting `nonsense` in `{settings}`; every guarded command ends with 2"
    assert status["unheeded"] == [f"{fault} until that is mended"]
    done = guard(place, "off")
    assert (done.code, "hint: unknown setting `nonsense`" in joined(done.err)) == (0, True), done
    settings.unlink()
    settings.parent.rmdir()
    settings.parent.parent.rmdir()
    assert everything(place.prefix) == before


def test_a_manifest_that_names_the_seal_of_others_has_it_stay(tmp_path: Path) -> None:
    path, seal = "lib/python3.11/EXTERNALLY-MANAGED", b"[externally-managed]\nError=ask ops\n"
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_bytes(seal)
    named = parse_manifest(as_text(Manifest(("shims",), (known(Piece(path, seal)),))))
    assert named is not None
    assert steps_off(named.files, prints(str(tmp_path), [path])) == Steps(left=(path,))


def test_what_was_cut_off_is_taken_away_all_the_same(place: Place) -> None:
    before = everything(place.prefix)
    guard(place, "on")
    (place.prefix / f"{MANIFEST}.new").write_text("{", encoding="utf-8")
    (place.prefix / "libexec/safepip/shims/pip3").unlink()
    assert guard(place, "off").code == 0
    assert everything(place.prefix) == before


def test_a_manifest_that_is_none_stops_both(place: Place) -> None:
    guard(place, "on")
    path = place.prefix / MANIFEST
    right = path.read_text("utf-8")
    for action in ("on", "off", "status"):
        path.write_text(right.replace('"schema": 1', '"schema": 2'), encoding="utf-8")
        done = guard(place, action)
        assert (done.code, f"`{path}`" in joined(done.err)) == (16, True), done
    path.write_text(right, encoding="utf-8")
    assert guard(place, "off").code == 0


@pytest.mark.parametrize("again", ["off", "on"])
def test_a_guard_goes_whose_manifest_is_torn_or_gone(place: Place, again: str) -> None:
    before = everything(place.prefix)
    guard(place, "on", "--deep", "--seal")
    path = place.prefix / MANIFEST
    path.write_text('{"sch', encoding="utf-8")
    (fix,) = told(guard(place, "on", "--json"))["fixes"]
    remove, off = fix["command"].split(" && ")
    assert shlex.split(remove) == ["rm", "--", str(path)]
    path.unlink()
    if again == "on":  # which writes nothing, and knows its own
        assert told(guard(place, "on", "--json"))["guard"]["written"] == []
    assert here(*shlex.split(off)[1:]).code == 0
    assert everything(place.prefix) == before


def test_a_notebook_is_told_of_no_activation(place: Place) -> None:
    active = {"CONDA_PREFIX": str(place.prefix)}
    kernel = {**active, "SAFEPIP_KERNEL_PREFIX": str(place.prefix)}
    for environ, says in (
        (active, True),
        ({**active, "JPY_PARENT_PID": "1"}, False),
        (kernel, False),
    ):
        done = guard(place, "on", environ=environ)
        assert (done.code, "conda activate" in done.err) == (0, says), done
        guard(place, "off")


def test_others_seals_are_theirs(place: Place) -> None:
    marker = place.site_packages.parent / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=managed by ops\n", encoding="utf-8")
    before = everything(place.prefix)
    done = guard(place, "on", "--seal")
    assert (done.code, str(marker) in joined(done.err)) == (16, True), done
    assert everything(place.prefix) == before
    marker.unlink()
    frozen = place.prefix / "conda-meta/frozen"
    frozen.write_text('{"message": "ask ops"}', encoding="utf-8")
    done = guard(place, "on")
    assert (done.code, "ask ops" in done.err, "--override-frozen" in done.err) == (16, True, True)
    # What it proposes is the whole command, and works as it is pasted.
    (fix,) = told(guard(place, "on", "--deep", "--json"))["fixes"]
    assert (here(*shlex.split(fix["command"])[1:]).code, levels(place)) == (0, ["shims", "deep"])
    frozen.unlink()
    assert guard(place, "off").code == 0


def levels(place: Place) -> list[str]:
    found = json.loads((place.prefix / MANIFEST).read_text("utf-8"))["levels"]
    assert isinstance(found, list)
    return found


def test_a_folder_that_cannot_be_written_is_found_first(place: Place) -> None:
    folder = place.prefix / "etc/conda/deactivate.d"
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    before = everything(place.prefix)
    try:
        user = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=0"]
        words = [*(user if os.geteuid() == 0 else ()), str(SAFEPIP)]
        done = place.run(*words, "guard", "on", "--env", place.prefix, check=False)
        assert (done.returncode, f"`{folder}` cannot be written" in joined(done.stderr)) == (
            16,
            True,
        ), done
        assert everything(place.prefix) == before
    finally:
        folder.rmdir()
        folder.parent.rmdir()
        (place.prefix / "etc").rmdir()


def test_modes_are_the_users(place: Place) -> None:
    place.run("sh", "-c", f"umask 002; exec '{SAFEPIP}' guard on --env '{place.prefix}'")
    shims = place.prefix / "libexec/safepip/shims"
    modes = [
        path.stat().st_mode & 0o777 for path in (shims, shims / "pip", shims / ".safepip-shims")
    ]
    assert modes == [0o775, 0o775, 0o664]
    assert guard(place, "off").code == 0


def test_doctor_takes_nothing_of_it_for_damage(place: Place) -> None:
    clean = told(here("doctor", "--env", place.prefix, "--json"))
    guard(place, "on", "--deep", "--seal")
    found = told(here("doctor", "--env", place.prefix, "--json"))
    assert (found["findings"], found["exit_code"]) == (clean["findings"], 0)
    assert guard(place, "off").code == 0


@pytest.mark.parametrize("words", [["off", "--ci"], ["status", "--seal"], ["maybe"], []])
def test_what_makes_no_sense_is_refused(place: Place, words: list[str]) -> None:
    assert guard(place, *words).code == 2


# ------------------------------------------------------------------------------- CI


def test_a_service_gets_what_it_takes(place: Place, tmp_path: Path) -> None:
    shims = f"{place.prefix}/libexec/safepip/shims"
    file = tmp_path / "path"
    file.write_text("/other", encoding="utf-8")
    for _ in range(2):
        done = guard(place, "on", "--ci", environ={"GITHUB_PATH": str(file)})
        assert (done.code, done.out, "GitHub" in done.err) == (0, "", True), done
        assert file.read_text("utf-8") == f"/other\n{shims}\n"
    bash = {"CIRCLECI": "true", "BASH_ENV": str(tmp_path / "bash")}
    assert guard(place, "on", "--ci", environ=bash).code == 0
    seen = run(["bash", "-c", "command -v pip"], {"PATH": "/usr/bin:/bin", **bash})
    assert seen.out == f"{shims}/pip\n"
    azure = guard(place, "on", "--ci", environ={"TF_BUILD": "True"})
    assert azure.out == f"##vso[task.prependpath]{shims}\n"
    by_hand = told(guard(place, "on", "--ci", "--json"))["fixes"]
    assert [fix["command"] for fix in by_hand] == [f"export PATH='{shims}':$PATH"]
    nowhere = guard(place, "on", "--ci", environ={"GITHUB_PATH": str(tmp_path / "no" / "file")})
    assert (nowhere.code, "/no/file`" in joined(nowhere.err)) == (16, True), nowhere
    assert guard(place, "off").code == 0


def test_beneath_a_virtual_environment_condas_is_offered(place: Place, tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch(0o755)
    (tmp_path / "pyvenv.cfg").touch()
    path = {"PATH": with_command(f"{python.parent}:{place.prefix}/bin:/usr/bin:/bin")}
    active = {**path, "CONDA_PREFIX": str(place.prefix), "VIRTUAL_ENV": str(tmp_path)}
    for words in (("guard", "off"), ("doctor",)):
        done = here(*words, environ=active)
        assert (done.code, "error[wrong-env]" in done.err) == (15, True), done
        again = shlex.join([*words[:1], "--env", str(place.prefix), *words[1:]])
        command = f"safepip {again}".replace("'", '"')
        assert f"{command}\n" in done.err, done


def test_a_shell_in_use_is_told_how_to_forget_the_shims(place: Place, tmp_path: Path) -> None:
    """bash would go on to start them, and no script takes them off `PATH` any more."""
    named = tmp_path / "named"
    named.symlink_to(place.prefix)  # as the environment is called where it was activated
    folder, system = f"{named}/libexec/safepip/active", "/usr/bin:/bin"
    active = {"PATH": f"{folder}:{system}", "SHELL": "/bin/bash"}
    guard(place, "on")
    assert told(guard(place, "off", "--dry-run", "--json", environ=active))["fixes"] == []
    (fix,) = told(guard(place, "off", "--json", environ=active))["fixes"]
    assert fix["command"] == f"PATH=${{PATH#{folder}:}}"
    elsewhere = {**active, "PATH": system}
    assert told(guard(place, "off", "--json", environ=elsewhere))["fixes"] == []


# ------------------------------------------------------------------------------- the steps

ONE, TWO = Piece("a", b"1"), Piece("l", link="a")


def test_a_hook_that_does_nothing_is_said_to() -> None:
    facts = {"where": "lab", "dry_run": False, "fixes": (), "width": 80}
    steps = Steps((ONE,), levels=("shims", "deep"))
    said = text(on_lines(steps, "3.9", **facts))  # type: ignore[arg-type]
    assert said == (
        "safepip: guard on in lab (shims, deep): 1 file written\n"
        "  the hook of --deep does nothing with Python 3.9\n"
    )
    assert "3.10" not in text(on_lines(steps, "3.10", **facts))  # type: ignore[arg-type]


def test_for_whom_the_guard_is_none_is_said() -> None:
    steps = Steps((ONE,), levels=("shims",))
    said = on_lines(steps, "3.11", where="lab", dry_run=False, fixes=(), width=80, closed="/root")
    assert text(said) == (
        "safepip: guard on in lab (shims): 1 file written\n"
        "  not guarded for other users, who cannot start this safepip: /root is closed to\n"
        "  them. Install safepip where they can read it, and turn the guard on from there\n"
    )


def test_what_is_closed_to_others_is_found_on_the_way_and_behind_links() -> None:
    if first_closed([tempfile.gettempdir()]):
        pytest.skip("others cannot come to the folder for temporary files here")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        script, home, link = top / "home" / "bin" / "safepip", top / "home", top / "link"
        script.parent.mkdir(parents=True)
        script.touch()
        link.symlink_to(script)
        modes = {top: 0o755, home: 0o711, script.parent: 0o755, script: 0o755}
        for path, mode in modes.items():
            path.chmod(mode)
        assert first_closed([folder, str(script), str(link)]) == ""  # what is passed is not read
        assert first_closed([str(home)]) == str(home)
        for closed, mode in ((script, 0o700), (script.parent, 0o750), (home, 0o700)):
            closed.chmod(mode)
            assert first_closed([folder, str(link)]) == str(closed)


def test_steps_are_those_that_are_needed() -> None:
    wanted = [ONE, TWO]
    before = Manifest(("shims",), (Known("a", "older"), Known("gone", "x"), Known("mine", "y")))
    found = {"a": "older", "l": None, "gone": "x", "mine": "edited"}
    steps = steps_on(wanted, before, found, ("shims",))
    assert (steps.write, steps.remove, steps.left) == ((ONE, TWO), ("gone",), ("mine",))
    assert steps.files == (known(ONE), known(TWO))
    there = {"a": known(ONE).print, "l": "->a"}
    assert not steps_on(wanted, Manifest(), there, ("shims",)).changes
    somebodys = steps_on(wanted, Manifest(), {"a": "theirs", "l": "->b"}, ("shims",))
    assert (somebodys.write, somebodys.left, somebodys.files) == ((), ("a", "l"), ())
    assert steps_off(before.files, found).remove == ("a", "gone")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with a file of an older guard, and a folder where a newer one wants a file."""
    (tmp_path / "etc/safepip").mkdir(parents=True)
    (tmp_path / A).parent.mkdir(parents=True)
    (tmp_path / A).write_bytes(b"old")
    (tmp_path / D / "full").mkdir(parents=True)
    return tmp_path


A, D = "libexec/safepip/a", "libexec/safepip/d"
OLD = Manifest(("shims",), (known(Piece(A, b"old")),))


def test_a_refresh_that_was_cut_off_orphans_nothing(lab: Path) -> None:
    new, never = Piece(A, b"new"), Piece(D, b"x")
    steps = Steps((new, never), files=(known(new), known(never)), levels=("shims",))
    with pytest.raises(HalfGuarded, match=r"cannot write .*/d") as raised:
        carry_out(str(lab), steps, OLD)
    assert (raised.value.exit, "1 of 2 files" in raised.value.why) == (13, True)
    manifest = read_manifest(str(lab))
    for there in (b"old", b"new"):
        (lab / A).write_bytes(there)
        found = prints(str(lab), (A, D))
        assert steps_off(manifest.files, found).remove == (A,)
        assert steps_on([new], manifest, found, ("shims",)).left == (D,)
    (lab / A).write_bytes(b"mine")
    found = prints(str(lab), (A, D))
    assert steps_off(manifest.files, found).left == (A, D)
    assert steps_on([new], manifest, found, ("shims",)).files.count(known(new)) == 1


@pytest.mark.parametrize("before", [Manifest(), OLD])
def test_where_the_first_write_fails_nothing_was_changed(lab: Path, before: Manifest) -> None:
    if before.levels:
        (lab / MANIFEST).write_text(as_text(before), encoding="utf-8")
    was = everything(lab)
    never = Piece(D, b"x")
    steps = Steps((never, Piece("new/b", b"x")), files=(known(never),), levels=("shims",))
    with pytest.raises(NotWritable, match=r"cannot write .*/d"):
        carry_out(str(lab), steps, before)
    assert everything(lab) == was


def test_a_prefix_that_cannot_be_shown_is_not_written_into_the_seal(tmp_path: Path) -> None:
    prefix = str(tmp_path / "x\udcff\ny")
    found = pieces_of(Shell(prefix, obvious=False), f"{prefix}/safepip", f"{prefix}/package")
    assert b"Undo it:  safepip guard off\n" in found["lib/EXTERNALLY-MANAGED"]
    # Nothing need be active where it is read.
    seal = pieces_of(Shell("/e"), "safepip", "package")["lib/EXTERNALLY-MANAGED"].decode()
    commands = ["install --env /e PACKAGE", "plan --env /e PACKAGE", "guard --env /e off"]
    assert [line.split(":  ")[1].strip() for line in seal.splitlines()[-3:]] == [
        f"safepip {command}" for command in commands
    ]
    # Nor need safepip be on PATH there.
    seal = pieces_of(Shell("/e"), "/o/safepip", "package")["lib/EXTERNALLY-MANAGED"].decode()
    assert "Undo it:  /o/safepip guard --env /e off\n" in seal
    assert os.fsencode(prefix) in found["libexec/safepip/shims/pip"]


def pieces_of(shell: Shell, program: str, package: str) -> Mapping[str, bytes]:
    """What stands in the files of all levels, by their paths."""
    found = pieces(
        ("shims", "deep", "seal"),
        read_texts(),
        (program,),
        package,
        minor="3.11",
        library="lib/s",
        stdlib="lib",
        shell=shell,
    )
    return {piece.path: piece.data for piece in found}


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ("-m pip install x", True),
        ("-m pip uninstall x", True),
        ("-muv pip sync file", True),
        ("/usr/bin/aws s3 sync a b", False),
        ("manage.py sync", False),
        ("-m uv sync", True),
        ("-m uv.__main__ sync", True),
        ("-Imuv version --bump patch", True),
        ("-m uv lock", False),
        ("manage.py run", False),
        ("-m pip list", False),
        ("", False),
    ],
)
def test_the_hook_is_read_for_verbs_of_pip_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, *, runs: bool
) -> None:
    """Each start of any Python in the environment pays for it."""
    found = pieces_of(Shell(str(tmp_path), obvious=False), "safepip", "package")
    (line,) = found["lib/s/safepip_guard.pth"].decode().splitlines()
    hook = tmp_path / "libexec/safepip/hook.py"
    hook.parent.mkdir(parents=True)
    hook.write_text("import sys; sys.read = True\n", encoding="utf-8")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "orig_argv", ["python", *words.split()])
    monkeypatch.setattr(sys, "read", False, raising=False)
    exec(line, {})  # noqa: S102 - as `site` does
    assert sys.read is runs  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a\0b"])
@pytest.mark.parametrize("field", ["files", "folders"])
def test_no_manifest_leads_out_of_the_prefix(path: str, field: str) -> None:
    ours = Known(A, "1")
    right = as_text(Manifest(("shims",), (ours,), ("etc",)))
    assert parse_manifest(right) == Manifest(("shims",), (ours,), ("etc",))
    for wrong in ("{", "[]", "1" * 5000, "[" * 100_000):
        assert parse_manifest(wrong) is None
    told = json.loads(right)
    told[field] = {path: "x"} if field == "files" else [path]
    assert parse_manifest(json.dumps(told)) is None


@pytest.mark.parametrize(
    "path",
    [
        "bin/python",
        "etc/safepipx",
        "etc/safepip/config.toml",
        "etc/conda/activate.d/zz-safepip-mine.sh",
        "etc/ipython/startup/10-safepip.pyc",
        "lib/python3.11/os.py",
        "share/safepip_guard.pth",
    ],
)
def test_no_manifest_has_anything_removed_that_the_guard_never_writes(path: str) -> None:
    """As one that a package brought, before there was a guard."""
    assert parse_manifest(as_text(Manifest(("shims",), (Known(path, "1"),)))) is None
