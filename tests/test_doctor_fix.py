"""`safepip doctor --fix`: what comes back, byte by byte, and how that is taken back again."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import rattler

from tests.doctoring import Patient
from tests.guarded import PATIENCE_SECONDS, paste
from tests.lab import Ledger, Writer, change, changed, everything, replace
from tests.test_doctor import BESIDE, ill, made

__all__ = ["ill", "made"]

_OWN = ("conda-meta/safepip/",)


def contents(patient: Patient) -> Ledger:
    """Everything but safepip's own books, and what Python itself compiles."""
    found = everything(patient.prefix, bytecode=True)
    return {
        path: state
        for path, state in found.items()
        if not path.startswith(_OWN)
        if "site-packages" in path or not path.endswith(".pyc")
    }


def fix(patient: Patient, *words: str, **where: Any) -> dict[str, Any]:
    return patient.doctor("--fix", "--yes", *words, **where)


def left(before: Ledger, after: Ledger) -> dict[str, tuple[str, str]]:
    """What is not as it was; but for the command of which conda's shape of record has no hash:
    it is written as conda does it, and the laboratory's was by rattler."""
    return {path: pair for path, pair in changed(before, after).items() if path != "bin/owned"}


@pytest.mark.parametrize("writer", ["conda", "mamba", "rattler", "ancient"])
def test_a_replaced_package_comes_back_to_the_byte(made: Patient, writer: Writer) -> None:
    made.fresh(writer)
    before = contents(made)
    made.install("owned==2.0")
    answer = fix(made)
    assert (answer["exit_code"], answer["verdict"], answer["findings"]) == (0, "clear", [])
    assert [step["step"] for step in answer["steps"]] == ["take-out", "put-back"]
    assert left(before, contents(made)) == {}
    text = (made.prefix / "bin" / "owned").read_text(encoding="utf-8")
    assert text.startswith(f"#!{made.prefix}/bin/python3")


def test_what_lies_over_condas_goes_and_condas_comes_back(made: Patient) -> None:
    made.fresh()
    change(made.environment, BESIDE)
    before = contents(made)
    made.install("egg-a==2.0", "cv-two-headless")  # f, and c
    made.install("--ignore-installed", "cv-two==5.0")  # f4
    made.install("--force-reinstall", "owned==1.0")
    damaged = contents(made)
    answer = fix(made)
    assert (answer["exit_code"], answer["findings"]) == (0, [])
    assert changed(before, contents(made)) == {}
    undone = made.run("undo", "--yes")
    assert undone.returncode == 0, undone
    assert changed(damaged, contents(made)) == {}
    again = made.doctor()
    assert again["exit_code"] == 1
    assert all(f["severity"] == "damage" for f in again["findings"])


def test_what_has_more_than_a_command_of_condas_keeps_the_rest(ill: Patient) -> None:
    before = contents(ill)
    ill.install("taker", "spread", "tool")
    answer = fix(ill)
    assert answer["exit_code"] == 0
    # pip deletes the commands of entry points, whatever RECORD says; safepip does not.
    told = [(f["kind"], f["distribution"], f["paths"]) for f in answer["findings"]]
    assert told == [("shared-files", "taker", ["bin/owned"])]
    assert ill.environment.distributions()["taker"] == "1.0"
    after = contents(ill)
    assert {path: state for path, state in after.items() if path in before} == before
    assert ill.run("uninstall", "-y", "taker", "spread", "tool").returncode == 0
    assert changed(before, contents(ill)) == {}


def test_links_and_files_that_hold_the_prefix_come_back(ill: Patient) -> None:
    before = contents(ill)
    (ill.prefix / "lib" / "libtool.so").unlink()
    (ill.prefix / "lib" / "libtool.so.1").unlink()
    replace(ill.prefix / "bin" / "tool", "other\n")
    shutil.rmtree(ill.site / "native")
    (ill.site / "native").symlink_to(ill.prefix.parent)
    partly = fix(ill)  # the rest is mended, and the command for this works
    [left_alone] = partly["unfixed"]
    assert "leads out of the environment" in left_alone["reason"]
    assert {f["conda_package"].rsplit("-", 2)[0] for f in partly["findings"]} == {"native"}
    fixes = [one["command"] for one in partly["fixes"]]
    assert fixes[0] == (f"mv {ill.site}/native {ill.site}/native.aside && safepip doctor --fix")
    (ill.site / "native").unlink()
    answer = fix(ill)
    assert (answer["exit_code"], answer["findings"]) == (0, [])
    assert changed(before, contents(ill)) == {}


def test_conda_again_over_pip_and_uninstalled(ill: Patient) -> None:
    before = contents(ill)
    ill.install("owned==2.0")
    change(ill.environment, reinstall=["owned"])
    ill.pip("uninstall", "-y", "native")
    assert fix(ill)["exit_code"] == 0
    assert changed(before, contents(ill)) == {}


@pytest.mark.parametrize("writer", ["conda", "rattler"])
def test_a_lost_record_is_written_anew(made: Patient, writer: Writer) -> None:
    made.fresh(writer)
    before = contents(made)
    made.install("owned==2.0")
    record = other = next(made.environment.conda_meta.glob("owned-*.json"))
    was = json.loads(record.read_bytes())
    record.unlink()
    if writer == "conda":  # nothing but a history tells of what nobody depends on
        other = next(made.environment.conda_meta.glob("native-*.json"))  # it ships its bytecode
        other.unlink()
    damaged = contents(made)
    answer = fix(made)
    assert (answer["exit_code"], answer["findings"]) == (0, [])
    now = json.loads(record.read_bytes())
    if writer == "rattler":  # to the letter, but for what nothing tells: who asked for it
        assert now == {**was, "requested_specs": []}
        assert list(now) == list(was)
    else:
        keys = (
            *("name", "version", "build", "build_number", "depends", "noarch", "subdir", "url"),
            *("md5", "sha256", "size", "fn", "channel", "timestamp", "license", "link"),
        )
        assert {key: now[key] for key in keys} == {key: was[key] for key in keys}
        assert sorted(now["files"]) == sorted(was["files"])
        kinds = [
            {row["path_type"] for row in record["paths_data"]["paths"]} for record in (now, was)
        ]
        assert kinds[0] == kinds[1] == {"hardlink", "pyc_file", "unix_python_entry_point"}
    name = f"conda-meta/{record.name}"
    rattler.PrefixRecord.from_path(record)
    unlike = {p: x for p, x in left(before, contents(made)).items() if not p.endswith(".pyc")}
    assert set(unlike) - {name} <= {f"conda-meta/{other.name}"}
    assert made.run("undo", "--yes").returncode == 0
    assert changed(damaged, contents(made)) == {}


def test_books_that_cannot_be_read_come_back_from_the_cache(ill: Patient) -> None:
    record = next(ill.environment.conda_meta.glob("owned-*.json"))
    was = json.loads(record.read_bytes())
    before = ill.bytes()
    replace(record, record.read_text(encoding="utf-8")[:300])
    ill.install("same")
    replace(ill.site / "same-1.0.dist-info" / "RECORD", b"\xff\xfe")
    for name in ("python", "python3", "python3.11"):
        (ill.prefix / "bin" / name).unlink()
    change = ill.environment.conda_meta / "safepip" / "2026-01-01-1.json"
    replace(change, "{")
    answer = ill.doctor("--fix", "--yes")
    told = [f["kind"] for f in answer["before"] if f["severity"] == "damage"]
    assert told == ["no-python", "unreadable-change", "unreadable-record", "missing", "leftover"]
    assert [(f["kind"], f.get("path")) for f in answer["findings"]] == [
        ("unreadable-change", str(change)),
        ("leftover", str(ill.site / "same-1.0.dist-info")),
    ]
    assert {"unreadable-change", "leftover"} == {one["kind"] for one in answer["unfixed"]}
    assert json.loads(record.read_bytes()) == {**was, "requested_specs": []}
    assert ill.bytes() == before


def test_what_has_no_list_of_its_files_goes_once_nothing_of_it_is_in_doubt(ill: Patient) -> None:
    before = ill.bytes()
    ill.install("owned==2.0")
    (ill.site / "owned-2.0.dist-info" / "RECORD").unlink()
    replace(ill.site / "owned" / "mine.csv", "1,2\n")
    damaged = contents(ill)
    answer = fix(ill)
    assert (answer["exit_code"], answer["steps"]) == (1, [])
    assert changed(damaged, contents(ill)) == {}
    named = "`lib/python3.11/site-packages/owned/mine.csv`, `lib/python3.11/site-packages/owned/new"
    assert named in answer["unfixed"][0]["reason"]
    command = answer["fixes"][0]["command"]
    assert command == f"mv {ill.site}/owned {ill.site}/owned.aside && safepip doctor --fix"
    (ill.site / "owned").rename(ill.site / "owned.aside")
    answer = fix(ill)
    assert (answer["exit_code"], answer["findings"], answer["unfixed"]) == (0, [], [])
    assert ill.bytes() == before
    assert (ill.site / "owned.aside" / "mine.csv").read_text(encoding="utf-8") == "1,2\n"


def test_a_cache_that_was_edited_with_the_file_is_not_believed(ill: Patient) -> None:
    before = contents(ill)
    path = ill.site / "native" / "__init__.py"
    was = path.read_bytes()
    with path.open("ab") as file:  # in place: the cache and every environment have it, too
        file.write(b"edited\n")
    try:
        answer = fix(ill)
        step = answer["steps"][0]
        assert (step["step"], step["from"]) == ("put-back", "archive")
        assert (answer["exit_code"], answer["findings"]) == (0, [])
        assert changed(before, contents(ill)) == {}
    finally:
        unpacked = Path(_record(ill, "native")["extracted_package_dir"])
        for copy in (*ill.prefix.parent.glob("kept-*"), unpacked):
            for file_there in copy.glob("**/native/__init__.py"):
                replace(file_there, was)


def test_an_exact_archive_is_fetched_from_the_channel(ill: Patient) -> None:
    before = contents(ill)
    channel = Path(urlsplit(_record(ill, "native")["url"]).path).parent
    handler = partial(SimpleHTTPRequestHandler, directory=str(channel))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _hide_sources(ill, "native", f"http://127.0.0.1:{server.server_port}")
        records = {p: s for p, s in contents(ill).items() if p.startswith("conda-meta/")}
        ill.pip("uninstall", "-y", "native")
        answer = fix(ill)
        server.shutdown()
    step = answer["steps"][0]
    assert (step["from"], step["size_bytes"]) == ("download", _record(ill, "native")["size"])
    assert (answer["exit_code"], answer["findings"]) == (0, [])
    assert changed({**before, **records}, contents(ill)) == {}


def test_an_archive_with_other_bytes_is_not_taken(ill: Patient, tmp_path: Path) -> None:
    name = Path(urlsplit(_record(ill, "native")["url"]).path).name
    (tmp_path / name).write_bytes(b"something else")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _hide_sources(ill, "native", f"http://127.0.0.1:{server.server_port}")
        ill.pip("uninstall", "-y", "native")
        before = contents(ill)
        answer = fix(ill)
        server.shutdown()
    assert (answer["exit_code"], answer["steps"]) == (1, [])
    assert "cannot unpack native" in answer["unfixed"][0]["reason"]
    assert contents(ill) == before


def test_what_no_cache_has_comes_from_the_channel_that_its_record_or_another_names(
    ill: Patient,
) -> None:
    """One record is cut off before it tells anything, the other is only no JSON any more."""
    _hide_sources(ill, "", "")
    before = ill.bytes()
    records = {name: _record(ill, name) for name in ("owned", "native")}
    cut, spoilt = (next(ill.environment.conda_meta.glob(f"{name}-*.json")) for name in records)
    replace(cut, cut.read_text(encoding="utf-8")[:100])
    replace(spoilt, spoilt.read_text(encoding="utf-8").replace('"depends": [', '"depends": [[', 1))
    ill.install("owned==2.0")
    assert ill.doctor()["fixes"][0]["command"] == "safepip doctor --fix"
    damaged = contents(ill)
    answer = fix(ill)
    assert (answer["exit_code"], answer["findings"]) == (0, []), answer
    steps = [(step["step"], step.get("from")) for step in answer["steps"]]
    assert steps == [("take-out", None), ("put-back", "archive"), ("put-back", "archive")]
    for name, was in records.items():
        assert _record(ill, name) == {**_without_folder(was), "requested_specs": []}
    assert ill.bytes() == before
    assert ill.run("undo", "--yes").returncode == 0
    assert changed(damaged, contents(ill)) == {}


def _without_folder(record: dict[str, Any]) -> dict[str, Any]:
    of_a_cache = ("extracted_package_dir", "link")
    return {key: value for key, value in record.items() if key not in of_a_cache}


def test_what_no_cache_has_comes_from_the_channel_in_history(made: Patient) -> None:
    made.fresh("conda")
    was = _record(made, "native")
    before = made.bytes()
    _hide_sources(made, "", "")
    channel = Path(urlsplit(was["url"]).path).parent.parent
    handler = partial(SimpleHTTPRequestHandler, directory=str(channel))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        history = made.environment.conda_meta / "history"
        text = history.read_text(encoding="utf-8")
        replace(
            history,
            text.replace(f"{channel.as_uri()}/linux-64::native", f"{base}/linux-64::native"),
        )
        next(made.environment.conda_meta.glob("native-*.json")).unlink()
        (made.site / "native" / "__init__.py").unlink()
        online = {"PIP_NO_INDEX": ""}
        offline = fix(made)
        assert offline["unfixed"][0]["why"] == "offline"
        answer = fix(made, env=online)
        server.shutdown()
    assert len(answer["steps"]) == 1, answer
    [step] = answer["steps"]
    assert (step["from"], step["size_bytes"]) == ("download", was["size"])
    assert (answer["exit_code"], answer["findings"]) == (0, [])
    now = _record(made, "native")
    assert now["url"] == was["url"].replace(channel.as_uri(), base)
    assert now["channel"] == f"{base}/linux-64"
    kept = ("name", "version", "build", "depends", "subdir", "md5", "sha256", "size", "fn", "files")
    assert {key: now[key] for key in kept} == {key: was[key] for key in kept}
    assert made.bytes() == before


def _record(patient: Patient, name: str) -> dict[str, Any]:
    record = json.loads(next(patient.environment.conda_meta.glob(f"{name}-*.json")).read_bytes())
    assert isinstance(record, dict)
    return record


def _hide_sources(patient: Patient, name: str, base: str) -> None:
    """Have records that lead to no cache, and to a channel at ``base`` for this package."""
    for path in patient.environment.conda_meta.glob("*.json"):
        record = json.loads(path.read_bytes())
        record["extracted_package_dir"] = "/nowhere/x"
        if record["name"] == name:
            record["url"] = f"{base}/{record['fn']}" if base else ""
            record["sha256"] = record["sha256"] if base else ""
        replace(path, json.dumps(record, indent=2))


def test_without_any_source_it_is_left_and_the_command_is_said(
    ill: Patient, tmp_path: Path
) -> None:
    _hide_sources(ill, "owned", "")
    ill.install("owned==2.0")
    before = contents(ill)
    answer = fix(ill)
    assert (answer["exit_code"], answer["steps"]) == (1, [])
    assert answer["unfixed"][0]["kind"] == "replaced"
    assert contents(ill) == before
    commands = [one["command"] for one in answer["fixes"]]
    dist = answer["unfixed"][0]["conda_package"].replace("-", "=")
    assert commands == ["safepip doctor --fix --dry-run"]  # no tool of conda's family is here
    # Where one is, nothing goes before it has what comes back; this one never has.
    replace(tmp_path / "conda", "#!/bin/sh\nexit 1\n")
    (tmp_path / "conda").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{ill.environment.environ()['PATH']}"}
    channel = _record(ill, "owned")["channel"].rstrip("/")
    by_conda, source = f"conda install -p {ill.prefix}", f"--override-channels -c {channel}"
    [only] = ill.doctor(env=path)["fixes"]
    assert only["command"] == (
        f"{by_conda} -y --download-only {source} --force-reinstall {dist} && "
        f"safepip pip uninstall -y owned && {by_conda} {source} --force-reinstall {dist}"
    )
    assert paste(ill.environment, only["command"], env=path).exit_code == 1
    assert contents(ill) == before


def test_only_what_is_named_is_mended(ill: Patient) -> None:
    ill.install("owned==2.0", "cv-two-headless")
    answer = ill.doctor("cv-two", "native")
    assert (answer["exit_code"], answer["sound"]) == (1, ["native"])
    assert [(f["kind"], f["distribution"]) for f in answer["findings"]] == [
        ("overwritten", "cv-two-headless")
    ]
    assert [one["command"] for one in answer["fixes"]] == ["safepip doctor --fix cv-two native"]
    answer = fix(ill, "cv-two")
    assert answer["exit_code"] == 1
    assert {f["distribution"] for f in answer["findings"] if f["kind"] == "replaced"} == {"owned"}
    assert "overwritten" not in {f["kind"] for f in answer["findings"]}
    refused = ill.run("doctor", "--fix", "--yes", "nonsense")
    assert (refused.returncode, "`nonsense`: there is no" in refused.stderr) == (2, True)
    assert "did you mean `native`?" in ill.run("doctor", "--fix", "natve").stderr
    assert "did you mean `native`?" in ill.run("doctor", "natve").stderr
    for words, code in ((("native",), 0), (("--fix", "--yes", "native"), 1)):
        sound = ill.run("doctor", *words)
        assert (sound.returncode, "nothing is wrong with native" in sound.stdout) == (code, True)


def test_traces_of_an_interrupted_pip_are_cleared(ill: Patient) -> None:
    (ill.site / "~ative-0.9.dist-info").mkdir()
    replace(ill.site / "~ative-0.9.dist-info" / "METADATA", "x")
    (ill.site / "ghost-1.0.dist-info").mkdir()
    (ill.site / "ghost-1.0.dist-info" / "REQUESTED").touch()
    before = contents(ill)
    assert fix(ill)["exit_code"] == 0
    assert not list(ill.site.glob("~*")) + list(ill.site.glob("ghost*"))
    assert ill.run("undo", "--yes").returncode == 0
    assert contents(ill) == before


def test_it_asks_and_a_no_changes_nothing(ill: Patient) -> None:
    ill.install("owned==2.0")
    before = contents(ill)
    nobody = ill.run("doctor", "--fix")
    assert (nobody.returncode, "safepip doctor --fix --yes" in nobody.stderr) == (11, True)
    assert "- take out owned 2.0" in nobody.stderr
    told = ill.doctor("--fix")
    assert (told["exit_code"], told["code"], told["target"]["name"]) == (11, "needs-yes", "env")
    assert [step["step"] for step in told["steps"]] == ["take-out", "put-back"]
    assert "replaced" in {one["kind"] for one in told["before"]}
    assert told["fixes"][0]["command"] == "safepip doctor --fix --yes"
    dry = ill.run("doctor", "--fix", "--dry-run")
    assert (dry.returncode, "would repair" in dry.stdout) == (1, True)
    assert contents(ill) == before
    assert answered(ill, "n") == 11
    assert contents(ill) == before
    assert answered(ill, "y") == 0
    # A repair that cannot be taken back any more says how to have the same again.
    replace(ill.site / "owned" / "part1.py", "MINE = 1\n")
    refused = ill.run("undo", "--json", "--yes")
    [again] = json.loads(refused.stdout)["fixes"]
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(ill.links)}
    assert paste(ill.environment, again["command"], env=offline).exit_code == 0
    assert ill.environment.distributions()["owned"] == "2.0"


def answered(patient: Patient, answer: str) -> int:
    """How it ends when somebody at a terminal gives this answer."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "safepip", "doctor", "--fix"],
        env=patient.environment.environ({"TERM": "xterm"}),
        cwd=patient.prefix.parent,
        stdin=slave,
        stdout=subprocess.DEVNULL,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(master, 4096)
    os.write(master, f"{answer}\n".encode())
    code = process.wait(PATIENCE_SECONDS)
    os.close(master)
    assert b"take out owned 2.0" in said
    return code


def test_a_sealed_environment_is_not_mended(ill: Patient) -> None:
    ill.install("owned==2.0")
    replace(ill.environment.conda_meta / "frozen", "{}")
    assert ill.run("doctor", "--fix", "--yes").returncode == 16
    answer = fix(ill, "--override-frozen")
    assert (answer["exit_code"], [f["kind"] for f in answer["findings"]]) == (0, ["frozen"])


def test_what_cannot_come_back_whole_stays_as_it_is(ill: Patient) -> None:
    ill.install("owned==2.0")
    shutil.rmtree(ill.site / "owned" / "__pycache__", ignore_errors=True)
    (ill.site / "owned" / "gone.py").mkdir()  # where a file of conda's belongs, and not empty
    (ill.site / "owned" / "gone.py" / "mine").touch()
    before = contents(ill)
    answer = fix(ill)  # neither goes what is there, nor comes back a part of conda's
    assert (answer["exit_code"], answer["steps"]) == (1, [])
    assert "it is a folder with files in it" in answer["unfixed"][0]["reason"]
    assert contents(ill) == before


STRUCK = """
import os, signal, sys
from safepip.doors.launch import main
name, left = sys.argv[1], int(sys.argv[2])
def strike(frame, event, _):
    global left
    if frame.f_code.co_name == name and "safepip" in frame.f_code.co_filename:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.settrace(strike)
sys.exit(main(sys.argv[3:]))
"""
"""safepip, killed where it begins with a function for the n-th time."""


@pytest.mark.parametrize("place", [("_lay", 3), ("finish", 1)])
def test_a_repair_that_was_killed_is_taken_back_by_the_next_command(
    ill: Patient, place: tuple[str, int]
) -> None:
    ill.install("owned==2.0")
    next(ill.environment.conda_meta.glob("owned-*.json")).unlink()
    before = contents(ill)
    mark = ill.environment.conda_meta / "safepip" / "unfinished"
    killed = ill.environment.run(
        *(sys.executable, "-c", STRUCK, *map(str, place), "doctor", "--fix", "--yes"), check=False
    )
    assert (killed.returncode, mark.exists()) == (-signal.SIGKILL, True), killed
    assert contents(ill) != before
    said = ill.run("doctor")
    assert (said.returncode, "taken back" in said.stderr, mark.exists()) == (1, True, False), said
    assert contents(ill) == before
