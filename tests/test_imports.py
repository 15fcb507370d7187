"""What was installed is imported; what no longer can be is taken back."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab import CondaEnvironment, create, everything, from_wheel, make_wheel
from tests.twins import Ran, World, make, ran

Files = Mapping[str, str | bytes]

BY_HAND = {"native/__init__.py": "import ctypes\nctypes.CDLL('libnothere.so.7')\n"}
NO_ELF: Files = {
    "native/__init__.py": "from native import _fast\n",
    "native/_fast.abi3.so": b"no ELF",
}
CRASH = {"native/__init__.py": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"}
SLOW = {"native/__init__.py": "import time\ntime.sleep(60)\n"}
DISPLAY = {"native/__init__.py": "raise ImportError('libGL.so.1: cannot open shared object')\n"}
SETTINGS = {"native/__init__.py": "raise RuntimeError('settings are not configured')\n"}
PLUGIN = {"native/__init__.py": "import a_host_that_is_not_there\n"}
FINE = {"native/__init__.py": "import sys\nprint('noise')\n"}
OWNED = make_wheel("condas", "1.0", {"condas/__init__.py": "SIZE = 88\n"})
USER_CODE = (
    "import condas\nif condas.SIZE != 88:\n    raise ValueError('condas.dtype size changed')\n"
)
USER = make_wheel("user", "1.0", {"user/__init__.py": USER_CODE}, requires=["condas"])


def build(world: World) -> CondaEnvironment:
    make_wheel("condas", "2.0", {"condas/__init__.py": "SIZE = 96\n"}).write(world.links)
    return create(world.prefix, from_wheel(OWNED), from_wheel(USER))


class Place:
    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "world")
        self.environment = make(self.world, build)
        # Python compiles what it needs of its own library.
        self.environment.run(self.environment.python, "-c", "import user")

    def offer(self, version: str, files: Mapping[str, str | bytes]) -> None:
        make_wheel("native", version, files).write(self.world.links)

    def safepip(self, *words: str, **env: str) -> Ran:
        command = [sys.executable, "-m", "safepip", *words]
        return ran(self.world, self.environment, command, env=env)

    def state(self) -> Mapping[str, str]:
        found = everything(self.environment.prefix)
        return {path: s for path, s in found.items() if not path.startswith("conda-meta/safepip/")}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("files", "said"),
    [(NO_ELF, "ImportError"), (BY_HAND, "OSError"), (CRASH, "SIGSEGV")],
    ids=["a module that does not load", "a library that does not load", "a crash"],
)
def test_what_cannot_be_imported_is_taken_back(
    place: Place, files: Mapping[str, str | bytes], said: str
) -> None:
    place.offer("1.0", files)
    before = place.state()
    done = place.safepip("install", "--json", "native")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"]) == (12, "verify-failed"), done
    assert "`import native` fails" in answer["findings"][0]["message"]
    assert said in answer["findings"][0]["message"]
    assert place.state() == before
    again = place.safepip("install", "native")
    assert "as it was" in again.stderr + again.said
    assert place.safepip("install", "--no-import-check", "native").exit_code == 0


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        (FINE, ""),
        (SLOW, "did not come to an end"),
        (SETTINGS, "settings are not configured"),
        (PLUGIN, "a_host_that_is_not_there"),
    ],
    ids=["noise", "a slow start", "missing settings", "a plugin without its host"],
)
def test_what_is_not_for_an_install_to_mend_is_installed(
    place: Place, files: Mapping[str, str | bytes], hint: str
) -> None:
    place.offer("1.0", files)
    done = place.safepip("install", "native", SAFEPIP_IMPORT_SECONDS="1")
    assert done.exit_code == 0, done
    assert "noise" not in done.stdout
    assert hint in " ".join((done.stderr + done.said).split())


def test_a_missing_display_is_a_hint(place: Place) -> None:
    place.offer("1.0", DISPLAY)
    done = place.safepip("install", "--json", "native")
    findings = json.loads(done.stdout)["findings"]
    assert done.exit_code == 0
    assert [one["severity"] for one in findings if "libGL" in one["message"]] == ["note"]


def test_a_failure_of_before_is_none_of_this_change(place: Place) -> None:
    place.offer("1.0", NO_ELF)
    assert place.safepip("install", "--no-import-check", "native").exit_code == 0
    place.offer("2.0", NO_ELF)
    assert place.safepip("install", "-U", "native").exit_code == 0
    place.offer("3.0", FINE)
    assert place.safepip("install", "-U", "native").exit_code == 0
    place.offer("4.0", PLUGIN)
    done = place.safepip("install", "--json", "-U", "native")
    assert done.exit_code == 12  # it could be imported before
    assert place.environment.distributions()["native"] == "3.0"


def test_condas_packages_that_need_what_was_given_away_are_imported_too(place: Place) -> None:
    before = place.state()
    done = place.safepip("install", "--json", "--allow", "condas", "condas==2.0")
    message = json.loads(done.stdout)["findings"]
    assert done.exit_code == 12, done
    assert any("`import user` fails" in one.get("message", "") for one in message), message
    assert (place.state(), done.touched) == (before, {})
