"""What holds for every test: nothing of the person or the machine that runs it reaches it.

Tests see no index, no configuration of pip or conda, no active environment, and an empty home.
Those marked `network` see the index settings that the session was started with.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

_STARTED_WITH = dict(os.environ)

_LEAKS = (
    *("PIP_", "CONDA_", "_CONDA_", "_CE_", "MAMBA_", "PIXI_", "RATTLER_", "SAFEPIP_", "JPY_"),
    *("UV_", "VIRTUAL_ENV", "PYTHON", "XDG_"),
    *("CI", "GITHUB_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "LINES"),
)
"""Beginnings of the names of variables that change what pip, conda, Python or safepip do."""

_OF_THE_SUITE = frozenset({"SAFEPIP_LAB"})
"""Variables with such names that are meant for the tests: where the laboratory keeps its folder."""

_OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_CONFIG_FILE": os.devnull,  # to pip this means no configuration file at all
}

_ONLINE = tuple(
    f"PIP_{name}"
    for name in (
        *("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "CONFIG_FILE", "KEYRING_PROVIDER"),
        *("CERT", "CLIENT_CERT", "TRUSTED_HOST", "PROXY", "DEFAULT_TIMEOUT", "RETRIES"),
    )
)
"""The variables by which pip finds its index, and gets there."""

# The same examples on every run of CI; elsewhere new ones, so that the tests go on searching.
# No deadline: the first example of a test pays for imports, and the machine may be busy.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


_ASKED_BY_PIP = ("lsb_release", "rustc")
"""Commands by which each pip that may need an index asks for what it tells that index. A shell
script of a dozen processes and a compiler: they took a tenth of the time of all tests."""


@pytest.fixture(scope="session", autouse=True)
def _hermetic_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the outside out of fixtures that outlive a test, too."""
    silent = tmp_path_factory.mktemp("silent")
    for name in _ASKED_BY_PIP:
        (silent / name).symlink_to(shutil.which("true") or "/bin/true")
    # Commands that are printed begin with `safepip` where that is on PATH, and with its path else.
    (silent / "safepip").symlink_to(Path(sys.executable).with_name("safepip"))
    with pytest.MonkeyPatch.context() as environ:
        _shut_out(environ, tmp_path_factory.mktemp("home"), _OFFLINE)
        environ.setenv("PATH", f"{silent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(autouse=True)
def _hermetic(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    index_settings: Mapping[str, str],
) -> None:
    """Give every test a home of its own, and no network unless it is marked for it."""
    online = request.node.get_closest_marker("network") is not None
    home = tmp_path_factory.mktemp("home")
    _shut_out(monkeypatch, home, index_settings if online else _OFFLINE)


@pytest.fixture(scope="session")
def index_settings() -> Mapping[str, str]:
    """How pip reaches the index that it had when the session was started."""
    given = {name: _STARTED_WITH[name] for name in _ONLINE if name in _STARTED_WITH}
    return {"PIP_DISABLE_PIP_VERSION_CHECK": "1", **_own_configuration(), **given}


def _shut_out(environ: pytest.MonkeyPatch, home: Path, pip: Mapping[str, str]) -> None:
    for name in tuple(os.environ):
        if name.startswith(_LEAKS) and name not in _OF_THE_SUITE:
            environ.delenv(name)
    for name, value in {**pip, "HOME": str(home)}.items():
        environ.setenv(name, value)


def _own_configuration() -> dict[str, str]:
    """Name the user's configuration of pip, which it would not find from another home."""
    home = Path(_STARTED_WITH.get("HOME", "/"))
    config = Path(_STARTED_WITH.get("XDG_CONFIG_HOME") or home / ".config")
    files = [config / "pip" / "pip.conf", home / ".pip" / "pip.conf"]
    return next(({"PIP_CONFIG_FILE": str(file)} for file in files if file.is_file()), {})
