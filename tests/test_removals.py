"""What an uninstall deletes, read from the disk: the same as pip's own answer, which is the oracle.

All kinds of installations stand in one real environment, and one pip is asked about all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from safepip.decisions.fixing.again import again
from safepip.decisions.fixing.shell import Shell
from safepip.effects.asking import Asking
from safepip.effects.one_pass import OnePass
from safepip.effects.reading import read_environment
from safepip.effects.record_lines import script_without
from safepip.effects.removals import removal_of
from safepip.effects.sparing import refuse_wild_removals
from safepip.values.account import Account, Removal
from safepip.values.environment import Distribution, Environment
from safepip.values.errors import WildRemoval
from safepip.values.plan import Change, Plan
from safepip.values.retry import Retry
from tests.build import conda, environment
from tests.lab import CondaEnvironment, create, from_wheel, make_project, make_wheel, replace

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
BY_CONDA = make_wheel(
    "by-conda",
    "1.0",
    {"by_conda/__init__.py": "", "by_conda/data.txt": "data\n"},
    scripts={"by-conda": "by_conda:main"},
)
BY_PIP = make_wheel(
    "By.Pip",
    "1.0",
    {"by_pip/__init__.py": "def main(): pass\n", "by_pip_flat.py": "", "by_pip/with,comma.txt": ""},
    scripts={"by-pip": "by_pip:main"},
    gui_scripts={"By-Pip-Gui": "by_pip:main"},
    data_files={"share/by-pip/data": "data\n"},
    data_scripts={"by-pip-raw": "#!python\n"},
    data_headers={"by_pip.h": ""},
)
KINDS = (
    *("by-conda", "by-pip", "by-user", "astray", "scriptless", "linked", "editable"),
    *("listed-egg", "unlisted-egg", "nameless", "develop", "in-egg", "distutils", "recordless"),
)


@dataclass(frozen=True)
class Asked:
    """One environment, and both answers on everything in it."""

    environment: Environment
    by_pip: Mapping[str, Removal]
    folder: Path


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("removals")
    lab = create(folder / "env", from_wheel(BY_CONDA))
    environ = lab.environ({"HOME": str(folder), "PIP_NO_INDEX": "1"})
    _install_all(lab, folder, environ)
    arguments = ("uninstall", "-y", *KINDS, "absent")
    private = folder / "private"
    private.mkdir()
    with OnePass(Asking(str(lab.python), arguments, environ, lambda: private)) as engine:
        environment = read_environment(str(lab.prefix), engine.greet())
        engine.read_options()
        account = engine.plan(environment)
        engine.stop()
    assert isinstance(account, Account)
    assert account.not_installed == ("absent",)
    return Asked(environment, {removal.name: removal for removal in account.removals}, folder)


def _install_all(lab: CondaEnvironment, folder: Path, environ: Mapping[str, str]) -> None:
    site = lab.site_packages
    for wheel in (BY_PIP, make_wheel("linked", "1.0"), make_wheel("astray", "1.0")):
        lab.pip("install", wheel.write(folder / "wheels"), env=environ)
    lab.pip("install", "--user", _user_wheel(folder), env=environ)
    lab.pip("install", "-e", make_project(folder / "editable", "editable", "1.0"), env=environ)
    _astray(site, folder)
    _linked(site, folder)
    _eggs(site)
    _developed(site, folder)
    _write(
        site / "distutils-1.0.egg-info", "Metadata-Version: 1.0\nName: distutils\nVersion: 1.0\n"
    )
    _metadata(site / "recordless-1.0.dist-info", "recordless")
    _metadata(site / "scriptless-1.0.dist-info", "scriptless")
    _write(
        site / "scriptless-1.0.dist-info/RECORD",
        "scriptless.py,,\nscriptless-1.0.dist-info/RECORD,,\n",
    )
    _write(site / "scriptless-1.0.dist-info/entry_points.txt", "[other]\nscriptless = no:script\n")
    for name in ("scriptless.py", "scriptless.pyc", "scriptless.pyo"):
        _write(site / name, "")


def _user_wheel(folder: Path) -> Path:
    return make_wheel("by-user", "1.0", scripts={"by-user": "by_user:main"}).write(
        folder / "wheels"
    )


def _astray(site: Path, folder: Path) -> None:
    """A RECORD that leads out of the environment, and scripts that it does not list."""
    _write(folder / "outside.py", "")
    _write(folder / "absolute.txt", "")
    info = site / "astray-1.0.dist-info"
    outside = os.path.relpath(folder / "outside.py", site)
    rows = f"{outside},,\n{folder}/absolute.txt,,\nno/such/file.py,,\n"
    replace(info / "RECORD", (info / "RECORD").read_text() + rows)
    replace(info / "entry_points.txt", "[console_scripts]\npydoc = x:y\nAstray = astray:main\n")
    _write(site.parents[2] / "bin/Astray", "")


def _linked(site: Path, folder: Path) -> None:
    """A package whose folder is a link, a file that is one, and one that leads nowhere."""
    (site / "linked").rename(folder / "linked-elsewhere")
    (site / "linked").symlink_to(folder / "linked-elsewhere")
    (site / "linked_file.py").symlink_to(folder / "outside.py")
    (site / "linked_nowhere.py").symlink_to(folder / "nowhere")
    record = site / "linked-1.0.dist-info/RECORD"
    replace(record, record.read_text() + "linked_file.py,,\nlinked_nowhere.py,,\n")


def _eggs(site: Path) -> None:
    listed = site / "listed_egg-1.0-py3.11.egg-info"
    _metadata(listed, "listed-egg", "PKG-INFO")
    _write(listed / "installed-files.txt", "../listed_egg.py\n../../../../bin/listed\nPKG-INFO\n")
    _write(site / "listed_egg.py", "")
    _write(site.parents[2] / "bin/listed", "")
    _write(listed / "scripts/listed-script", "")
    _write(site.parents[2] / "bin/listed-script", "")
    unlisted = site / "unlisted_egg-1.0.egg-info"
    _metadata(unlisted, "unlisted-egg", "PKG-INFO")
    _write(unlisted / "top_level.txt", "unlisted\nshared\nunlisted_flat\n\n")
    _write(unlisted / "namespace_packages.txt", "shared\n")
    for name in (
        "unlisted/__init__.py",
        "shared/other.py",
        "unlisted_flat.py",
        "unlisted_flat.pyc",
    ):
        _write(site / name, "")
    _write(site / "__pycache__" / f"unlisted_flat.{sys.implementation.cache_tag}.pyc", "")
    nameless = site / "nameless.egg-info"
    _metadata(nameless, "nameless", "PKG-INFO")
    _write(nameless / "top_level.txt", "unlisted\n")
    in_egg = site / "in_egg-1.0-py3.11.egg"
    _metadata(in_egg / "EGG-INFO", "in-egg", "PKG-INFO")
    _write(in_egg / "in_egg.py", "")
    _write(site / "easy-install.pth", "./in_egg-1.0-py3.11.egg\n")


def _developed(site: Path, folder: Path) -> None:
    project = folder / "develop"
    _metadata(project / "develop.egg-info", "develop", "PKG-INFO")
    _write(
        project / "develop.egg-info/entry_points.txt", "[console_scripts]\ndevelop = develop:main\n"
    )
    _write(site.parents[2] / "bin/develop", "")
    _write(site / "develop.egg-link", f"{project}\n.\n")


def _metadata(info: Path, name: str, file: str = "METADATA") -> None:
    _write(info / file, f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", KINDS)
def test_an_uninstall_deletes_what_pip_says_it_would(name: str, asked: Asked) -> None:
    found = removal_of(asked.environment.installed[name], asked.environment.interpreter)
    expected = asked.by_pip[name]
    assert (found.removes, bool(found.cannot_remove)) == (
        expected.removes,
        bool(expected.cannot_remove),
    )
    assert (found.name, found.version, found.metadata_path) == (
        expected.name,
        expected.version,
        expected.metadata_path,
    )


def test_a_record_may_lead_out_of_the_environment(asked: Asked) -> None:
    found = removal_of(asked.environment.installed["astray"], asked.environment.interpreter)
    assert {f"{asked.folder}/outside.py", f"{asked.folder}/absolute.txt"} < set(found.removes)


def test_only_what_exists_is_deleted(asked: Asked) -> None:
    interpreter = asked.environment.interpreter
    found = [removal_of(asked.environment.installed[name], interpreter) for name in KINDS]
    assert [path for one in found for path in one.removes if not os.path.exists(path)] == []


def test_a_reason_is_given_where_pip_refuses(asked: Asked) -> None:
    interpreter = asked.environment.interpreter
    reasons = {
        name: removal_of(asked.environment.installed[name], interpreter).cannot_remove
        for name in ("distutils", "recordless")
    }
    assert reasons == {
        "distutils": "it was installed by distutils, which keeps no list of files",
        "recordless": "it has no RECORD, which lists its files",
    }


@pytest.mark.parametrize(
    ("paths", "aside"),
    [
        (("etc/safepip/config.toml",), (".aside1",)),
        (("etc/safepip/guard.json", "libexec/safepip/hook.py"), (".aside", ".aside")),
        (("ETC/Safepip/x.toml",), (".aside",)),  # the same on some disks
        (("etc/safepip",), ()),
        (("Conda-Meta/libnum-1.26-0.json",), ()),
        (("etc/safepip/guard.json", "conda-meta/history"), ()),
    ],
)
def test_what_safepip_goes_by_is_moved_aside_before_an_uninstall(
    tmp_path: Path, paths: tuple[str, ...], aside: tuple[str, ...]
) -> None:
    folder = tmp_path / "etc" / "safepip"
    folder.mkdir(parents=True)
    (folder / "config.toml.aside").touch()
    found = [f"{tmp_path}/{path}" for path in paths]
    changes = tuple(Change(name, "remove", removes=tuple(found)) for name in ("evil", "too"))
    with pytest.raises(WildRemoval) as caught:
        refuse_wild_removals(environment(prefix=str(tmp_path)), Plan(changes))
    retry = caught.value.retry
    moves = tuple(("mv", here, here + end) for here, end in zip(found, aside, strict=False))
    assert (retry.first if retry is not None else ()) == moves


@pytest.mark.parametrize(
    ("removes", "is_wild"),
    [
        (("books", "books/a.json"), True),  # books/sub/b.json would go, too
        (("books", "books/a.json", "books/sub/b.json"), False),
        (("books/sub", "books/sub/b.json"), False),
        (("books/a.json",), False),
        (("empty", "link", "cached", "cached/x.py"), False),
        (("linked",), True),
        (("condas",), False),  # what conda has stays by itself
        (("site/x-1.0.dist-info",), False),
    ],
)
@pytest.mark.parametrize("info", ["x-1.0.dist-info", "x.egg-info"])
def test_a_folder_with_what_its_list_does_not_name_is_nobodys_to_delete(
    tmp_path: Path, removes: tuple[str, ...], is_wild: bool, info: str
) -> None:
    for name in ("books/a.json", "books/sub/b.json", "condas/c.py", f"site/{info}/METADATA"):
        _write(tmp_path / name, "")
    for name in ("cached/x.py", "cached/__pycache__/x.cpython-311.pyc", "cached/y.pyc"):
        _write(tmp_path / name, "")
    for name in ("empty", "linked"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("books")
    (tmp_path / "linked" / "books").symlink_to("../books")
    before = Distribution("x", "1.0", str(tmp_path / "site" / info))
    paths = tuple(f"{tmp_path}/{path}" for path in removes)
    plan = Plan((Change("x", "remove", before=before, removes=paths),))
    owned = environment(conda("c==1", files=["condas/c.py"]), prefix=str(tmp_path))
    with pytest.raises(WildRemoval) if is_wild and "dist" in info else nullcontext():
        refuse_wild_removals(owned, plan)


@pytest.mark.parametrize(
    ("lines", "script"),
    [
        (
            ["x.py,,", "../books,,", "../books/a.json,,", "y.py,,", "../books/b.py,,"],
            r"/^\.\.\/books/d;/^\.\.\/books\/b\.py,,/d",
        ),
        (
            ["../books/,,", '"../books/a.json",sha256=x,1', "{}/books/b.py,,"],
            r'/^\.\.\/books\/,,/d;/^"\.\.\/books\/a\.json",sha256=x,1/d;/^TOP\/books\/b\.py,,/d',
        ),
        (
            ["../books,,", "../books/a.json,,", "../books/b.py,,", "../bookshelf.py,,"],
            r"/^\.\.\/books,,/d;/^\.\.\/books\/a\.json,,/d;/^\.\.\/books\/b\.py,,/d",
        ),
        (["../books,,", "x.py,,"], ""),  # nothing names the rest
        (['"x', 'y.py",,', "../books,,", "../books/a.json,,", "../books/b.py,,"], ""),
        (
            [
                *(line for n in range(25) for line in (f"{n},,", f"{'./' * n}../books,,")),
                *("../books/a.json,,", "../books/b.py,,"),
            ],
            "",
        ),
    ],
)
def test_lines_of_a_record_go_by_their_text_and_a_second_time_none_does(
    tmp_path: Path, lines: list[str], script: str
) -> None:
    info = tmp_path / "site" / "evil-1.0.dist-info"
    info.mkdir(parents=True)
    record = info / "RECORD"
    record.write_text("".join(f"{line}\n" for line in lines).format(tmp_path))
    evil = Distribution("evil", "1.0", str(info))
    named = [f"{tmp_path}/books{end}" for end in ("", "/a.json", "/b.pyc")]
    found = script_without(evil, named)
    assert found == script.replace("TOP", str(tmp_path).replace("/", r"\/"))
    for _ in range(2 if script else 0):
        subprocess.run(["sed", "-i", "-e", found, record], check=True)
        left = [line for line in lines if line in ("x.py,,", "y.py,,", "../bookshelf.py,,")]
        assert record.read_text().split() == left


def test_what_is_to_run_first_is_a_line_of_its_own_in_a_notebook() -> None:
    retry = Retry("so it works", first=(("mv", "a b", "c"),))
    for in_notebook, expected in (
        (False, 'mv "a b" c && safepip uninstall x'),
        (True, '!mv "a b" c\n%safepip uninstall -y x'),
    ):
        shell = Shell("/p", in_notebook=in_notebook)
        (fix,) = again(shell, ("uninstall", "x"), (), retry)
        assert fix.command == expected
