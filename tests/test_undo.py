"""A change is taken back to the byte, and so is the taking back; what cannot be is refused."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab import (
    Ledger,
    change,
    conda_bytes,
    from_wheel,
    make_project,
    make_wheel,
    replace,
)
from tests.test_transaction import Place
from tests.twins import Ran, make_again


class Undoing(Place):
    """An environment in which changes are taken back."""

    def change(self, *words: str, exit_code: int = 0) -> str:
        """Make a change, and give its id."""
        done = self.safepip(words[0], "--json", *words[1:])
        assert done.exit_code == exit_code, done
        return self.id_of(done)

    @staticmethod
    def id_of(done: Ran) -> str:
        """The id of the change that a command made; empty when it made none."""
        return json.loads(done.stdout)["undo"] or ""

    def undo(self, *words: str, exit_code: int = 0) -> Mapping[str, Any]:
        done = self.safepip("undo", "--json", "--yes", *words)
        assert done.exit_code == exit_code, done
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def state(self) -> tuple[Ledger, Mapping[str, int]]:
        """The bytes of everything, and the mode of everything."""
        found = self.contents()
        modes = {path: (self.environment.prefix / path).lstat().st_mode for path in found}
        return found, modes


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Undoing:
    return Undoing(tmp_path_factory.getbasetemp() / "changed", making=make_again)


CHANGES = {
    "an upgrade": ("install", "many==2.0", "big==2.0"),
    "a reinstall": ("install", "--force-reinstall", "--no-deps", "many==1.0"),
    "something new": ("install", "--no-compile", "leaf", "many==2.0"),
    "a removal": ("uninstall", "-y", "many", "big"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_undo_restores_every_byte_and_undoing_that_too(place: Undoing, what: str) -> None:
    before = place.state()
    place.change(*CHANGES[what])
    changed = place.state()
    answer = place.undo()
    assert place.state() == before
    again = place.undo(str(answer["undo"]))
    assert place.state() == changed
    place.undo(str(again["undo"]))
    assert place.state() == before


def test_what_was_given_away_comes_back(place: Undoing) -> None:
    make_wheel("owned", "2.0", {"owned/__init__.py": "# pip's\n"}).write(place.world.links)
    before, owned = place.state(), conda_bytes(place.environment.prefix)
    place.change("install", "--allow", "owned", "owned==2.0")
    assert conda_bytes(place.environment.prefix) != owned
    place.undo()
    assert place.state() == before


def test_changes_are_taken_back_in_any_order_that_works(place: Undoing) -> None:
    start = place.state()
    first = place.change("install", "many==2.0")
    second = place.change("install", "many==1.0")
    other = place.change("install", "big==2.0")
    refused = place.undo(first, exit_code=10)
    assert refused["code"] == "undo"
    order = f"safepip undo {second} && safepip undo {first}"
    assert [fix["command"] for fix in refused["fixes"]] == [order]
    for name in (second, first, other):
        place.undo(name)
    assert place.state() == start
    refused = place.undo(first, exit_code=10)
    message = refused["findings"][0]["message"]
    by = message.rpartition(" ")[2]
    assert message == f"the change {first} was taken back already, by {by}"
    assert [fix["command"] for fix in refused["fixes"]] == [
        f"safepip undo {by}",
        "safepip history",
    ]
    unknown = place.undo("1999-01-01-1", exit_code=10)
    assert [fix["command"] for fix in unknown["fixes"]] == ["safepip history"]


def test_what_others_need_is_not_taken_back(place: Undoing) -> None:
    make_wheel("fresh", "1.0").write(place.world.links)
    make_wheel("needy", "1.0", requires=["fresh"]).write(place.world.links)
    first = place.change("install", "fresh")
    place.change("install", "needy")
    before = place.state()
    refused = place.undo(first, exit_code=10)
    assert "needy requires fresh" in refused["findings"][0]["message"]
    assert place.state() == before
    fix = refused["fixes"][0]["command"]
    assert fix == f"safepip uninstall -y needy && safepip undo {first}"


def test_what_somebody_else_changed_stays(place: Undoing) -> None:
    name = place.change("install", "many==2.0")
    path = place.environment.site_packages / "many" / "part7.py"
    replace(path, "mine\n")
    refused = place.undo(name, exit_code=10)
    assert "part7.py" in refused["findings"][0]["message"]
    assert path.read_text(encoding="utf-8") == "mine\n"


def test_what_conda_has_taken_over_since_stays(place: Undoing) -> None:
    shared = {"ns/__init__.py": "", "ns/mine.py": ""}
    make_wheel("shares", "1.0", shared).write(place.world.links)
    name = place.change("install", "shares")
    change(place.environment, from_wheel(make_wheel("also", "1.0", {"ns/__init__.py": ""})))
    owned = conda_bytes(place.environment.prefix)
    refused = place.undo(name, exit_code=10)
    assert "ns/__init__.py" in refused["findings"][0]["message"]
    assert conda_bytes(place.environment.prefix) == owned


def test_no_second_version_comes_back_beside_condas(place: Undoing) -> None:
    name = place.change("uninstall", "-y", "big")
    change(place.environment, from_wheel(make_wheel("big", "3.0", {"other.py": ""})))
    before = place.state()
    refused = place.undo(name, exit_code=10)
    assert "something else has changed that: big 3.0" in refused["findings"][0]["message"]
    assert place.state() == before


def test_what_others_took_away_beside_it_does_not_come_back(place: Undoing) -> None:
    for version in ("1.0", "2.0"):
        make_wheel("flat", version, {"flat.py": version}).write(place.world.links)
        make_wheel("deep", version, {"deep/__init__.py": version}).write(place.world.links)
    site = place.environment.site_packages
    (site / "elsewhere").symlink_to("many")
    place.change("install", "flat==1.0", "deep==1.0")
    name = place.change("install", "flat==2.0")
    place.change("install", "deep==2.0")
    (site / "elsewhere").unlink()
    place.undo(name)
    infos = sorted(path.name for path in site.glob("*-*.dist-info") if path.name[0] in "df")
    assert infos == ["deep-2.0.dist-info", "flat-1.0.dist-info"]
    assert not (site / "elsewhere").is_symlink()


def test_what_is_not_understood_is_said_before_anything_is_done(place: Undoing) -> None:
    place.change("install", "many==2.0")
    before = place.state()
    done = place.safepip("undo", "--yes", env={"SAFEPIP_UNDO_CHANGES": "few"})
    assert (done.exit_code, place.state()) == (2, before)


def test_what_came_for_an_extra_goes_with_who_asked_for_it(place: Undoing) -> None:
    extra = {"requires": ["fresh; extra == 'fast'"], "provides_extra": ["fast"]}
    make_wheel("host", "1.0", **extra).write(place.world.links)  # type: ignore[arg-type]
    make_wheel("fresh", "1.0").write(place.world.links)
    make_wheel("asks", "1.0", requires=["host[fast]"]).write(place.world.links)
    place.change("install", "host")
    before = place.state()
    place.change("install", "asks")
    place.undo()
    assert place.state() == before


def test_without_a_yes_nothing_happens(place: Undoing) -> None:
    name = place.change("install", "many==2.0")
    before = place.state()
    done = place.safepip("undo", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"]) == (11, "needs-yes")
    assert answer["fixes"][0]["command"] == f"safepip undo --yes {name}"
    dry = place.safepip("undo", "--dry-run")
    assert (dry.exit_code, "~ many 2.0 -> 1.0" in dry.stdout) == (0, True), dry
    assert place.state() == before


@pytest.mark.parametrize("options", [("--no-undo",), ("--no-cache-dir",)])
def test_what_was_not_kept_comes_from_the_index(place: Undoing, options: tuple[str, ...]) -> None:
    place.change("install", "leaf==1.0", "many==1.0", "--force-reinstall", "--no-deps")
    before = place.state()[0]
    place.change("install", *options, "many==2.0", "zz-new")
    history = json.loads(place.safepip("history", "--json").stdout)["changes"]
    answer = place.undo(history[-1]["id"])
    assert answer["undone"]["id"] == history[-1]["id"]
    after = place.state()[0]
    # pip writes bytecode with the time of its source.
    assert {p for p in before if before[p] != after.get(p) and not p.endswith(".pyc")} == set()
    assert set(after) == set(before)
    assert "already" in place.undo(history[-1]["id"], exit_code=10)["findings"][0]["message"]


def test_what_the_index_cannot_do_whole_is_not_done_at_all(place: Undoing) -> None:
    place.change("install", "leaf==1.0", "many==1.0", "--force-reinstall", "--no-deps")

    place.change("install", "--no-undo", "many==2.0", "zz-new")
    (place.world.links / "many-1.0-py3-none-any.whl").unlink()
    before = place.without_bytecode()
    history = json.loads(place.safepip("history", "--json").stdout)["changes"]
    name = history[-1]["id"]
    refused = place.undo(name, exit_code=10)
    assert "did not get it from the index" in refused["findings"][0]["message"]
    assert place.without_bytecode() == before
    history = json.loads(place.safepip("history", "--json").stdout)["changes"]
    assert [entry["taken_back_by"] for entry in history if entry["id"] == name] == [None]


def test_an_undo_by_the_index_is_whole_or_not_done_even_when_it_is_killed(place: Undoing) -> None:
    place.change("install", "leaf==1.0", "many==1.0", "--force-reinstall", "--no-deps")
    place.change("install", "--no-undo", "many==2.0", "zz-new")
    name = json.loads(place.safepip("history", "--json").stdout)["changes"][-1]["id"]
    before = place.without_bytecode()
    books = place.environment.conda_meta / "safepip"
    process = place.start("undo", "--yes", name)
    while not place.mark() or not any(
        f'"undoes":"{name}"' in path.read_text() for path in books.glob("*.json")
    ):
        assert process.poll() is None  # its second command has begun to act then
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert place.safepip("list").exit_code == 0
    stages = json.loads(place.safepip("history", "--json").stdout)["changes"]
    if stages[-1]["stage"] == "done":
        assert "zz-new" not in place.environment.distributions()
    else:
        assert place.without_bytecode() == before
        assert [one["stage"] for one in stages[-2:]] == ["taken-back"] * 2


def test_a_dry_run_promises_nothing_that_is_refused(place: Undoing) -> None:
    make_wheel("owned", "2.0", {"owned/__init__.py": "# pip's\n"}).write(place.world.links)
    place.change("install", "--no-undo", "--allow", "owned", "owned==2.0")
    assert place.safepip("undo", "--dry-run").exit_code == 10
    place.change("install", "--no-undo", "--force-reinstall", "--no-deps", "big==1.0")
    assert place.safepip("undo", "--dry-run").exit_code == 10


def test_condas_own_comes_back_by_conda_where_it_was_not_kept(place: Undoing) -> None:
    make_wheel("owned", "2.0", {"owned/__init__.py": "# pip's\n"}).write(place.world.links)
    place.change("install", "--no-undo", "--allow", "owned", "owned==2.0")
    refused = place.undo(exit_code=10)
    prefix = place.environment.prefix
    command = f"conda install -p {prefix} --force-reinstall owned"
    assert [fix["command"] for fix in refused["fixes"]] == [command]


def test_the_oldest_changes_are_let_go(place: Undoing) -> None:
    names = []
    few = {"SAFEPIP_UNDO_CHANGES": "2"}
    for number in range(3):
        words = ("--json", f"many=={1 + (number + 1) % 2}.0")
        names.append(json.loads(place.safepip("install", *words, env=few).stdout)["undo"])
    done = place.safepip("undo", "--yes", "--json", env=few)
    names.append(json.loads(done.stdout)["undo"])
    kept = place.environment.conda_meta / "safepip" / "kept"
    assert sorted(path.name for path in kept.iterdir()) == names[2:]
    history = json.loads(place.safepip("history", "--json").stdout)
    told = [(entry["id"], entry["can_undo"]) for entry in history["changes"]]
    assert told == [(name, name in names[2:]) for name in names]


def test_history_also_tells_what_was_changed_past_safepip(place: Undoing) -> None:
    name = place.change("install", "many==2.0")
    place.environment.pip("uninstall", "-y", "big")
    other = from_wheel(make_wheel("later", "1.0"))
    change(place.environment, other)
    by = place.undo(name, exit_code=0)["undo"]
    done = place.safepip("history")
    assert done.exit_code == 0
    assert "undone by" in done.stdout
    assert "before that, past safepip\n    - big 1.0\n    + later 1.0" in done.stdout
    answer = json.loads(place.safepip("history", "--json").stdout)
    past = answer["since"]
    assert past == {"distributions": [], "records": []}  # the undo has seen it all
    between = {entry["id"]: entry["past"] for entry in answer["changes"]}
    assert between[name] is None
    assert [one["name"] for one in between[by]["distributions"]] == ["big", "later"]
    assert [one["how"] for one in between[by]["records"]] == ["added"]
    place.environment.pip("uninstall", "-y", "many")
    past = json.loads(place.safepip("history", "--json").stdout)["since"]
    assert past["distributions"] == [{"name": "many", "from": "1.0", "to": None}]


def test_an_empty_history_is_one(place: Undoing) -> None:
    assert "changed nothing here" in place.safepip("history").stdout
    assert place.undo(exit_code=10)["code"] == "undo"
    assert place.undo("2020-01-01-1", exit_code=10)["code"] == "undo"
    assert place.undo("../../secret", exit_code=10)["code"] == "undo"


@pytest.mark.parametrize("damage", ["cut", "no JSON", "another id", "a path that climbs"])
def test_a_damaged_entry_is_said(place: Undoing, damage: str) -> None:
    first = place.change("install", "zz-new")
    name = place.change("install", "many==2.0")
    path = place.environment.conda_meta / "safepip" / f"{name}.json"
    text = path.read_text(encoding="utf-8")
    damaged = {
        "cut": text[: len(text) // 2],
        "no JSON": "nothing\n",
        "another id": text.replace(f'"id":"{name}"', '"id":"2020-01-01-1"'),
        "a path that climbs": text.replace("lib/", "../lib/"),
    }
    replace(path, damaged[damage])
    assert place.undo(name, exit_code=10)["code"] == "unreadable-journal"
    assert place.undo(exit_code=10)["code"] == "undo"  # and not the one before
    assert place.undo(first, exit_code=10)["code"] == "undo"
    assert f"{name}  cannot be read" in place.safepip("history").stdout
    assert place.safepip("install", "leaf").exit_code == 0


def test_a_change_of_which_nothing_is_known_stops_nobody_for_ever(place: Undoing) -> None:
    name = place.change("install", "many==2.0")
    folder = place.environment.conda_meta / "safepip"
    (folder / "unfinished").write_text("2020-01-01-1\n", encoding="utf-8")
    assert place.safepip("install", "leaf").exit_code == 0  # it had not begun
    replace(folder / f"{name}.json", "cut")
    (folder / "unfinished").write_text(f"{name}\n", encoding="utf-8")
    done = place.safepip("install", "--json", "leaf")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"]) == (10, "unreadable-journal")
    place.environment.run("sh", "-c", answer["fixes"][0]["command"])
    assert place.safepip("install", "leaf").exit_code == 0


def test_a_sealed_environment_is_not_undone(place: Undoing) -> None:
    place.change("install", "many==2.0")
    (place.environment.conda_meta / "frozen").write_text("{}", encoding="utf-8")
    before = place.state()
    assert place.undo(exit_code=16)["code"] == "frozen"
    assert place.state() == before
    place.undo("--override-frozen")


def test_an_editable_project_and_what_it_needs_go_together(place: Undoing) -> None:
    folder = make_project(place.world.work / "mine", "mine", "1.0", requires=["fresh"])
    make_wheel("fresh", "1.0").write(place.world.links)
    info = folder / "src" / "mine.egg-info"  # as setuptools leaves it among the sources
    info.mkdir(parents=True)
    text = "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: fresh\n"
    (info / "PKG-INFO").write_text(text, encoding="utf-8")
    before = place.state()
    words = ("install", "--no-build-isolation", "-e", str(folder))
    place.change(*words)
    place.undo()
    assert place.state() == before
    place.change(*words)
    done = place.safepip("uninstall", "-y", "mine", "fresh")
    assert done.exit_code == 0, done


def test_files_that_were_given_away_are_said(place: Undoing) -> None:
    make_wheel("taker", "1.0", scripts={"owned": "taker:main"}).write(place.world.links)
    done = place.safepip("install", "--no-import-check", "--allow", "owned", "taker")
    assert done.exit_code == 0
    assert "nothing from conda is touched" not in done.said
    assert "takes over 1 file of conda's owned 1.0: bin/owned" in " ".join(done.said.split())
    assert "--allow owned" in place.safepip("history").stdout
    place.undo()
