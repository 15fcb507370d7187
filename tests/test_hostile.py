"""Wheels, records and surroundings that would lead pip astray: conda's bytes stay, in any case."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.forked import SAFEPIP
from tests.guarded import paste
from tests.lab import CondaEnvironment, Wheel, create, everything, from_wheel, make_wheel
from tests.twins import Ran, World, engine_for, make, ran

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
OWNED = make_wheel(
    "owned",
    "1.0",
    {"owned/__init__.py": "def main(): ...\n", "single.py": "# conda's\n"},
    scripts={"owned-tool": "owned:main"},
)
USER = make_wheel("user", "1.0", requires=["owned<2"])
DEP = make_wheel("dep", "1.0")
NEEDS = make_wheel("needs", "1.0", requires=["dep<2"])


def build(world: World, *wheels: Wheel) -> CondaEnvironment:
    """conda's `owned` and `user`, and what is offered besides."""
    for wheel in (DEP, NEEDS, make_wheel("dep", "2.0"), make_wheel("owned", "2.0"), *wheels):
        wheel.write(world.links)
    return create(world.prefix, from_wheel(OWNED, noarch=False), from_wheel(USER))


class Lab:
    """One environment, and safepip in it."""

    def __init__(self, place: Path, engine: str, *wheels: Wheel) -> None:
        self.world = World(place / "world")
        self.engine = engine
        self.environment = make(self.world, lambda world: build(world, *wheels))

    def safepip(self, *words: str, **env: str) -> Ran:
        command = [*SAFEPIP, *words]
        given = {"SAFEPIP_ENGINE": self.engine, **env}
        return ran(self.world, self.environment, command, env=given)

    def pip(self, *words: str, **env: str) -> None:
        self.environment.pip(
            "install", "--no-index", "--find-links", str(self.world.links), *words, env=env
        )

    def refuses(self, code: str, *words: str, exit_code: int = 10, **env: str) -> Mapping[str, Any]:
        """safepip says so, and changes nothing at all."""
        before = everything(self.environment.prefix)
        done = self.safepip(words[0], "--json", *words[1:], **env)
        answer = json.loads(done.stdout)
        assert (done.exit_code, answer["code"]) == (exit_code, code), done
        assert everything(self.environment.prefix) == before
        assert isinstance(answer, dict)
        return answer

    def paste(self, answer: Mapping[str, Any], **env: str) -> None:
        """The first fix of a refusal does what was wanted, and harms nothing."""
        own = {"SAFEPIP_ENGINE": self.engine, "PIP_FIND_LINKS": str(self.world.links), **env}
        line = answer["fixes"][0]["command"]
        done = paste(self.environment, line, env=own, cwd=self.world.work)
        assert (done.exit_code, done.touched) == (0, {}), done


Given = Callable[..., Lab]


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return lambda *wheels: Lab(tmp_path, engine_for(request.node.name), *wheels)


def with_rows(*rows: str) -> Wheel:
    """A distribution whose uninstall would take these along."""
    return make_wheel("evil", "1.0", {"evil.py": ""}, record_extra=rows)


# ------------------------------------------------------------------------------- what is removed


@pytest.mark.parametrize(
    "row",
    [
        "../../../conda-meta",
        "../../../conda-meta/",
        "../../../../env",
        "../../../etc/safepip/x.toml",
    ],
)
def test_no_uninstall_takes_condas_books_or_safepips(lab: Given, row: str) -> None:
    place = lab(with_rows(row))
    place.pip("evil")
    settings = place.environment.prefix / "etc" / "safepip" / "x.toml"
    settings.parent.mkdir(parents=True)
    settings.touch()
    answer = place.refuses("wild-removal", "uninstall", "-y", "evil")
    make_wheel("evil", "2.0").write(place.world.links)
    place.refuses("wild-removal", "install", "evil==2.0")
    # Whose settings are, only the user can say: they are where they do not count, and not gone.
    place.paste(answer)
    moved = row.endswith(".toml")
    assert (settings.exists(), Path(f"{settings}.aside").exists()) == (not moved, moved)
    assert "evil" not in place.environment.distributions()


def test_no_uninstall_takes_a_folder_outside(lab: Given) -> None:
    place = lab(with_rows("../../../../outside"))
    (place.world.folder / "outside").mkdir()
    (place.world.folder / "outside" / "file").write_text("mine", encoding="utf-8")
    place.pip("evil")
    place.paste(place.refuses("wild-removal", "uninstall", "-y", "evil"))
    assert (place.world.folder / "outside" / "file").exists()
    assert "evil" not in place.environment.distributions()


@pytest.mark.parametrize("row", ["owned/", "owned/__init__.py", "../site-packages/owned/"])
def test_what_conda_owns_outlives_an_uninstall(lab: Given, row: str) -> None:
    place = lab(with_rows(row))
    place.pip("evil")
    done = place.safepip("uninstall", "-y", "evil")
    assert (done.exit_code, done.touched) == (0, {}), done
    assert "evil" not in place.environment.distributions()


def test_a_folder_of_an_egg_with_a_slash_is_the_same_folder(lab: Given) -> None:
    info = "evil-1.0-py3.11.egg-info"
    place = lab()
    folder = place.environment.site_packages / info
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Name: evil\nVersion: 1.0\n", encoding="utf-8")
    (folder / "top_level.txt").write_text("owned/\n", encoding="utf-8")
    done = place.safepip("uninstall", "-y", "evil")
    assert done.touched == {}, done


def test_no_uninstall_takes_the_metadata_of_others_unseen(lab: Given) -> None:
    place = lab(with_rows("dep-1.0.dist-info/METADATA", "dep/__init__.py"))
    place.pip("evil", "needs")
    answer = place.refuses("breaks", "uninstall", "-y", "evil")
    assert [one["changed"] for one in answer["findings"]] == ["dep"]


def test_another_conda_environment_is_not_reached_by_a_path(lab: Given, tmp_path: Path) -> None:
    place = lab()
    other = create(tmp_path / "other", from_wheel(DEP), pip=None)
    before = everything(other.prefix)
    path = {"PYTHONPATH": str(other.site_packages)}
    place.refuses("wrong-env", "uninstall", "-y", "dep", exit_code=15, **path)
    answer = place.refuses("wrong-env", "install", "dep==2.0", exit_code=15, **path)
    place.paste(answer, **path)
    assert place.environment.distributions()["dep"] == "2.0"
    assert everything(other.prefix) == before


def test_a_copy_in_the_user_site_is_what_uninstalling_removes(lab: Given) -> None:
    place = lab()
    home = {"HOME": str(place.world.folder / "home")}
    place.pip("--user", "--ignore-installed", "owned==2.0", **home)
    copies = place.world.folder / "home" / ".local" / SITE
    assert (copies / "owned").exists()
    done = place.safepip("uninstall", "-y", "owned")
    assert (done.exit_code, done.touched, (copies / "owned").exists()) == (0, {}, False), done


# ------------------------------------------------------------------------------- what is written


ENTRY_POINTS = {
    "double brackets": "[[console_scripts]]\nowned-tool = evil:main",
    "an indented line": "[console_scripts]\na = evil:main\n  owned-tool = evil:main",
    "another line end": "[console_scripts]\na = evil:main\rowned-tool = evil:main",
    "a graphical one": "[gui_scripts]\nowned-tool = evil:main",
    "no space": "[console_scripts]\nowned-tool=evil:main",
}


@pytest.mark.parametrize("how", ENTRY_POINTS)
def test_every_script_that_pip_would_write_is_seen(lab: Given, how: str) -> None:
    info = {"entry_points.txt": ENTRY_POINTS[how]}
    place = lab(make_wheel("evil", "1.0", {"evil.py": ""}, info_files=info))
    place.refuses("same-files", "install", "evil")


OTHERS_METADATA: dict[str, Mapping[str, Any]] = {
    "an egg beside it": {"files": {"evil.py": "", "owned-9.egg-info/PKG-INFO": "Name: owned\n"}},
    "an egg in a file": {"files": {"evil.py": "", "owned-9.egg-info": "Name: owned\n"}},
    "by another way": {"data_files": {f"{SITE}/owned-9.dist-info/METADATA": "Name: owned\n"}},
    "a link": {"files": {"evil.py": "", "owned.egg-link": "/tmp\n"}},  # noqa: S108 - never made
    "conda's books": {"data_files": {"conda-meta/evil-1-0.json": "{}"}},
    "Python's own": {"data_scripts": {"pyvenv.cfg": "home = /usr/bin\n"}},
    "a claim": {"files": {"evil.py": ""}, "record_extra": ["../../../etc/safepip/config.toml"]},
    "safepip's settings": {"data_files": {"etc/safepip/config.toml": 'allow = ["owned"]\n'}},
}


@pytest.mark.parametrize("how", OTHERS_METADATA)
def test_a_wheel_speaks_for_itself_alone(lab: Given, how: str) -> None:
    options: dict[str, Any] = {"files": {"evil.py": ""}, **OTHERS_METADATA[how]}
    place = lab(make_wheel("evil", "1.0", **options))
    place.refuses("unreadable-wheel", "install", "evil")


def test_condas_modules_are_not_hidden_from_another_folder(lab: Given) -> None:
    stdlib = SITE.rpartition("/")[0]
    place = lab(
        make_wheel("evil", "1.0", data_files={f"{stdlib}/owned/__init__.py": "# evil\n"}),
        make_wheel("wide", "1.0", {"single/__init__.py": "# wide\n"}),
    )
    place.refuses("second-copy", "install", "evil")
    place.refuses("second-copy", "install", "wide")


def test_a_file_and_a_folder_of_one_name_meet(lab: Given) -> None:
    place = lab(
        make_wheel("flat", "1.0", {"flat.py": "", "owned": "a file\n"}),
        make_wheel("deep", "1.0", {"deep.py": "", "single.py/x.py": ""}),
    )
    place.refuses("same-files", "install", "flat")
    place.refuses("same-files", "install", "deep")


@pytest.mark.parametrize("option", ["--log", "--report"])
@pytest.mark.parametrize("path", [f"{SITE}/owned/__init__.py", "conda-meta/history", "bin/python"])
def test_pips_own_words_are_not_written_over_condas_files(
    lab: Given, option: str, path: str
) -> None:
    place = lab()
    file = str(place.environment.prefix / path)
    answer = place.refuses("unreadable", "install", option, file, "dep")
    place.paste(answer)
    assert place.environment.distributions()["dep"] == "2.0"


# ------------------------------------------------------------------------------- how it ends


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [("install dep", 0), ("install --json owned==2.0", 10), ("list", 0)],
)
def test_a_closed_stdout_is_no_bug(lab: Given, words: str, exit_code: int) -> None:
    place = lab()
    command = ["bash", "-c", '"$@" >&-', "bash", sys.executable, "-m", "safepip", *words.split()]
    done = ran(place.world, place.environment, command, env={"SAFEPIP_ENGINE": place.engine})
    assert done.exit_code in (exit_code, 120), done
    assert "Traceback" not in done.stderr


def test_a_question_that_cannot_be_heard_needs_a_yes(lab: Given) -> None:
    place = lab()
    place.pip("dep==1.0")
    line = '"$@" <&-'
    command = ["bash", "-c", line, "bash", sys.executable, "-m", "safepip", "uninstall", "dep"]
    done = ran(place.world, place.environment, command, env={"SAFEPIP_ENGINE": place.engine})
    assert done.exit_code == 11, done
    assert "dep" in place.environment.distributions()


def test_a_verb_behind_two_dashes_is_one(lab: Given) -> None:
    place = lab()
    assert place.safepip("--", "install", "dep").exit_code == 0


def test_an_update_of_others_is_offered_only_where_there_is_one(lab: Given) -> None:
    place = lab()
    place.pip("needs")
    fixes = place.refuses("breaks", "install", "dep==2.0")["fixes"]
    assert not any("update needs" in fix["says"] for fix in fixes)
    make_wheel("needs", "2.0", requires=["dep"]).write(place.world.links)
    fixes = place.refuses("breaks", "install", "dep==2.0")["fixes"]
    assert any("update needs" in fix["says"] for fix in fixes)
