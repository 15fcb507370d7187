"""What a file is to say of an environment, and what is wrong with one: on data alone."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.commands import commands_dict

from safepip.decisions.exporting.arguments import arguments_of
from safepip.decisions.exporting.asked import Asked, asked_for, sources_of
from safepip.decisions.exporting.checking import check
from safepip.decisions.exporting.conda_part import (
    asked_specs,
    channels_of,
    exact_specs,
    provided,
    taken_over,
    told_variables,
)
from safepip.decisions.exporting.constraints import constraints_text, is_constraints, pins_in, stale
from safepip.decisions.exporting.lines import key_of, name_in, options_in, path_in, requirement_text
from safepip.decisions.exporting.lock import explicit_text, from_index, pylock, without_hash
from safepip.decisions.exporting.names import constraints_name, free_name, lock_names
from safepip.decisions.exporting.parsing import parse_environment_file
from safepip.decisions.exporting.pip_part import Told, pip_part
from safepip.decisions.exporting.sheet import Known, Wanted, as_it_should_be, sheet_of
from safepip.decisions.exporting.slots import Slot, Slots, updated
from safepip.decisions.exporting.urls import bare, channel_name, has_secret
from safepip.decisions.exporting.wanted import wanted
from safepip.decisions.fixing.commands import option_values
from safepip.decisions.wording.environment_files import checked_lines, finding_text
from safepip.decisions.wording.exported import note_text
from safepip.decisions.wording.hints import hints_on_creating
from safepip.effects.half_made import half_made
from safepip.values.environment_file import Beside, EnvironmentFile, Line
from safepip.values.errors import AlreadyThere, Busy, UnreadableFile
from safepip.values.journal import Entry, Step
from safepip.values.sheet import Note, Origin, Package, PipEntry
from safepip.values.verbs import OWN
from safepip.values.verdict import Fix
from tests.build import MARKERS, conda, environment, pip
from tests.saying import expected, text


def entry(number: int, *words: str, **facts: Any) -> Entry:
    known: dict[str, Any] = {
        "stage": "done",
        "verb": words[0],
        "began": "2026-11-25T09:12:00+00:00",
        "safepip": "0",
        "pip": "25.3",
    }
    return Entry(id=f"2026-11-25-{number}", arguments=words, **{**known, **facts})


def step(name: str, after: str | None, *, requested: bool = True, **facts: Any) -> Step:
    return Step(name, "add", None, after, "none", requested, **facts)


# ------------------------------------------------------------------------------- the journal


def test_the_journal_tells_extras_and_indexes_of_what_is_there() -> None:
    entries = (
        entry(1, "install", "app[web]", "-i", "https://one/", steps=(step("app", "1"),)),
        entry(
            2,
            *("install", "-U", "app", "lib", "-fhttps://links/", "--extra-index-url=https://two"),
            steps=(step("app", "2"), step("lib", "1"), step("dep", "3", requested=False)),
        ),
        entry(3, "install", "gone[x]", steps=(step("gone", "1"),)),
        entry(4, "uninstall", "gone", steps=(step("gone", None),)),
        entry(5, "install", "taken-back", steps=(step("taken-back", "1"),)),
        entry(6, "undo", "2026-11-25-5", undoes="2026-11-25-5", steps=(step("taken-back", None),)),
    )
    sources = (("--find-links", "https://links/"), ("--extra-index-url", "https://two"))
    assert asked_for(entries) == {
        "app": Asked("2", True, frozenset({"web"}), sources),
        "lib": Asked("1", True, frozenset(), sources),
        "dep": Asked("3", False, frozenset(), sources),
    }


def test_a_clone_that_pip_made_is_told_from_a_folder_of_the_user_s() -> None:
    places = ("-egit+https://h/x#egg=A.b[c]&subdirectory=d", "--editable", "c @ git+ssh://g@h/c")
    steps = (step("a-b", "1"), step("c", "1"), step("mine", "1"))
    first = entry(1, "install", *places, "-e", "./mine", "-e", "d @ file:///d", steps=steps)
    later = entry(2, "install", "-e", "./c", steps=(step("c", "2"),))
    names = [[n for n, one in asked_for(done).items() if one.cloned] for done in ([first], [later])]
    assert names == [["a-b", "c"], []]


def test_where_something_was_found_is_added_to_where_pip_looks() -> None:
    asked = Asked("1", sources=(("--index-url", "https://****@one/"), ("--find-links", "w")))
    assert sources_of(asked) == ("--extra-index-url=https://one/", "--find-links=w")
    there = Asked("1", sources=(("--index-url", "https://a:${T}@one/"),))
    assert sources_of(there) == ("--extra-index-url=https://one/",)
    assert sources_of(None) == ()


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("install", "x", "-fDIR", "--pre"), [("--find-links", "DIR")]),
        (
            ("install", "--index-url", "u", "-Uqi", "v"),
            [("--index-url", "u"), ("--index-url", "v")],
        ),
        (("install", "--extra-index=u", "--", "-f", "x"), [("--extra-index-url", "u")]),
    ],
)
def test_options_are_read_with_their_values(
    words: tuple[str, ...], values: list[tuple[str, str]]
) -> None:
    found = [(name, value) for name, value in option_values(words) if value]
    assert found == values


# ------------------------------------------------------------------------------- what to name


def named(*packages: Any, requested: tuple[str, ...] = (), **extras: str) -> Any:
    env = environment(*packages)
    given_extras = {name: frozenset(value.split()) for name, value in extras.items()}
    names, found = wanted(env.installed, requested, given_extras, MARKERS)
    return [f"{n}[{','.join(sorted(found[n]))}]" if found[n] else n for n in names]


def test_what_comes_by_itself_is_not_named() -> None:
    app, dep = pip("app==1", "dep"), pip("dep==1", "six")
    assert named(app, dep, conda("six==1"), requested=("app",)) == ["app"]


def test_an_extra_that_explains_what_is_there_was_asked_for() -> None:
    app = pip("app==1", "dep; extra == 'web'", "other; extra == 'db'", "far; extra == 'big'")
    dep, far = pip("dep==1"), pip("far==1")
    assert named(app, dep, requested=("app",)) == ["app[web]"]
    assert named(app, dep, far, requested=("app", "far")) == ["app[web]", "far"]
    assert named(app, requested=("app",)) == ["app"]
    assert named(app, requested=("app",), app="db") == ["app[db]"]


def test_where_nothing_was_written_down_the_roots_are_named() -> None:
    assert named(pip("app==1", "dep"), pip("dep==1")) == ["app"]
    ring = named(pip("a==1", "b"), pip("b==1", "a"))
    assert ring == ["a"]


@given(st.lists(st.sampled_from("abcdef"), max_size=8), st.data())
def test_everything_of_pip_s_is_reached_by_what_is_named(names: list[str], data: Any) -> None:
    packages = [
        pip(f"{name}==1", *data.draw(st.lists(st.sampled_from("abcdef"), max_size=3)))
        for name in dict.fromkeys(names)
    ]
    here = environment(*packages).installed
    found, _ = wanted(here, data.draw(st.sets(st.sampled_from("abcdef"))), {}, MARKERS)
    reached, waiting = set[str](), list(found)
    while waiting:
        name = waiting.pop()
        if name in here and name not in reached:
            reached.add(name)
            waiting += here[name].requires
    assert reached == set(here)


# ------------------------------------------------------------------------------- pip's part


def part(*packages: Any, folder: str = "", everything: bool = False, **origins: Origin) -> Any:
    env = environment(*packages)
    by_path = {d.metadata_path: origins[d.name] for d in env.distributions if d.name in origins}
    told = Told(by_path, {}, taken_over(env), folder)
    return pip_part(env, told, everything=everything)


def test_a_commit_is_named_without_what_it_was_fetched_with() -> None:
    origin = Origin(True, "https://u:p@host/x.git", "git", "abc", subdirectory="sub")
    found = part(pip("app==1"), app=origin)
    assert found.entries == (PipEntry("app", "app @ git+https://host/x.git@abc#subdirectory=sub"),)
    assert found.notes == (Note("credentials", "app", "https://host/x.git"),)


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("/home/ada", "-e ./app"),
        ("/home/ada/app", "-e ."),
        ("/home/ada/app/envs", "-e .."),
        ("/srv", "-e /home/ada/app"),
        ("", "-e /home/ada/app"),
    ],
)
def test_an_editable_project_is_named_as_seen_from_the_file(folder: str, line: str) -> None:
    origin = Origin(True, "file:///home/ada/app", is_editable=True, is_folder=True)
    assert part(pip("app==1"), app=origin, folder=folder).entries[0].text == line


def test_pip_s_own_checkout_is_named_by_where_it_came_from() -> None:
    origin = Origin(True, "file:///x", "git", "abc", is_editable=True, remote="https://host/x.git")
    assert part(pip("app==1"), app=origin).entries[0].text == (
        "-e git+https://host/x.git@abc#egg=app"
    )
    below = Origin(True, "file:///x", "git", "abc", "sub", is_editable=True, remote="ssh://g@h/r")
    assert part(pip("app==1"), app=below).entries[0].text == (
        "-e git+ssh://g@h/r@abc#egg=app&subdirectory=sub"
    )


def test_what_was_built_elsewhere_is_named_by_its_version() -> None:
    gone = Origin(True, "file:///croot/app_1/work", is_folder=True, is_there=False)
    found = part(pip("app==1"), app=gone)
    assert found.entries == (PipEntry("app", "app==1"),)
    assert found.notes == (Note("gone", "app", "file:///croot/app_1/work"),)


def test_a_url_that_is_none_is_no_reason_to_fail() -> None:
    for url in ("http://[x/y", "file://[x/y"):
        assert part(pip("app==1"), app=Origin(True, url)).entries[0].text == f"app @ {url}"


def test_an_archive_is_named_with_its_hash_and_an_odd_version_as_it_is() -> None:
    archive = Origin(True, "https://host/app.whl?token=abc#x", sha256="0" * 64)
    found = part(pip("app==1"), pip("odd==2004d-x!"), app=archive)
    assert [e.text for e in found.entries] == [
        f"app @ https://host/app.whl#sha256={'0' * 64}",
        "odd===2004d-x!",
    ]


def test_an_index_is_the_main_one_only_where_all_came_from_it() -> None:
    env = environment(pip("a==1"), pip("b==1"))
    one = Asked("1", True, sources=(("--index-url", "https://****@one/"), ("--find-links", "w")))

    def options(**asked: Asked) -> Any:
        return pip_part(env, Told({}, asked, {}), everything=False)

    both = options(a=one, b=one)
    assert both.options == ("--index-url https://one/",)
    assert both.notes == (
        Note("credentials", "--index-url", "https://one/"),
        Note("relative", "--find-links", "w"),
    )
    local = replace(one, sources=(("--find-links", "/srv/lab/wh"), ("--find-links", "/my wheels")))
    near = pip_part(env, Told({}, {"a": local}, {}, "/srv/lab"), everything=False)
    assert near.options == ("--find-links ./wh", "--find-links '/my wheels'")
    assert options(a=one).options == ("--extra-index-url https://one/",)
    assert Note("index", "--extra-index-url", "https://one/") in options(a=one).notes


def test_a_copy_in_the_user_site_is_not_the_environment_s() -> None:
    assert part(pip("a==1", user_site=True)).entries == ()


def test_metadata_cannot_put_words_into_a_line() -> None:
    found = part(pip("a==1 --index-url https://evil"), pip("\u212a==1"))
    assert [entry.text for entry in found.entries] == ["a", "k==1"]


def test_a_folder_with_spaces_is_quoted_as_pip_reads_it() -> None:
    origin = Origin(True, "file:///home/my%20app", is_editable=True, is_folder=True)
    (entry,) = part(pip("app==1"), app=origin, folder="/home").entries
    assert entry.text == "-e './my app'"
    for odd, line in (
        ("/x%0A--index-url%20http://evil", "-e file:///x%0A--index-url%20http%3A//evil"),
        ("/home/a%20%23b", "-e file:///home/a%20%23b"),
        ("/home/$%7BX%7D", "-e file:///home/%24%7BX%7D"),
    ):
        origin = Origin(True, f"file://{odd}", is_editable=True, is_folder=True)
        assert part(pip("app==1"), app=origin, folder="/home").entries[0].text == line
    file = EnvironmentFile("e.yml", lines=lines(entry.text))
    assert arguments_of(file, {}).words == ("--editable", "./my app")


# ------------------------------------------------------------------------------- conda's part


def over(name: str) -> Any:
    """A package of conda's whose distribution pip replaced."""
    package = conda(f"{name}==1")
    return type(package)(package.record, None)


def test_what_pip_took_over_is_on_pip_s_side_only() -> None:
    env = environment(over("numpy"), conda("six==1"), pip("numpy==2"))
    taken = taken_over(env)
    assert {name: record.dist for name, record in taken.items()} == {"numpy": "numpy-1-py311_0"}
    assert exact_specs(provided(env, taken), builds=True) == ("six=1=py311_0",)
    found = pip_part(env, Told({}, {}, taken), everything=False)
    assert found.entries == (PipEntry("numpy", "numpy==2", "numpy 1"),)


def test_what_nobody_allowed_pip_to_take_is_told_as_conda_s() -> None:
    env = environment(
        over("numpy"), over("six"), pip("numpy==2", "lib"), pip("six==2"), pip("lib==1")
    )
    given = entry(
        1,
        *("install", "--prefer-conda", "--strict", "--allow", "six", "six"),
        steps=(step("six", "2"),),
    )
    sheet = sheet_of(env, Known({}, {}, (given,), {}), Wanted(builds=False))
    assert (sheet.specs, sheet.entries) == (
        ("numpy=1", "pip"),
        (PipEntry("lib", "lib==1"), PipEntry("six", "six==2", "six 1")),
    )
    assert Note("damaged", "numpy", "numpy 1") in sheet.notes
    whole, *_ = as_it_should_be(env, (given,))
    assert pins_in(constraints_text(whole, "2026")) == {"numpy": "1"}


def test_files_beside_two_files_of_one_folder_are_four() -> None:
    assert constraints_name("x/environment.yml") == constraints_name("") == "constraints.txt"
    assert constraints_name("x/dev.yml") == "dev.constraints.txt"
    assert free_name("x/dev.yml", "my lab") == "x/mylab.yml"
    assert free_name("lab.yaml", "lab") == "lab-2.yaml"
    assert lock_names("x/environment.yml") == ("x/environment.explicit.txt", "x/pylock.toml")
    assert lock_names("dev.1.yml") == ("dev.1.explicit.txt", "pylock.dev-1.toml")


def test_what_was_asked_of_conda_is_told_in_the_same_words() -> None:
    records = environment(conda("six==1"), conda("numpy==1", depends=["six"])).records
    told = {
        "numpy-1-py311_0": Package(specs=("conda-forge/linux-64::numpy[version='>=1']",)),
        "six-1-py311_0": Package(),
    }
    assert asked_specs(records, told, for_pip=True) == (
        "conda-forge::numpy[version='>=1']",
        "pip",
        "python",
    )
    assert asked_specs(records, {}, for_pip=False) == ("numpy",)
    bounds = {"six-1-py311_0": Package(specs=("six >=1", "six <2,!=1.5"))}
    assert asked_specs(records, bounds, for_pip=False) == ("six >=1,<2,!=1.5",)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
        ("https://conda.anaconda.org/t/ab-cdefgh-123/mine/noarch", "mine"),
        ("https://repo.anaconda.com/pkgs/main/linux-64", "defaults"),
        ("pkgs/r", "defaults"),
        ("conda-forge", "conda-forge"),
        ("https://user:pw@host/channel/", "https://host/channel"),
        ("file:///srv/channel/linux-64", "file:///srv/channel"),
        ("<unknown>", ""),
        ("", ""),
    ],
)
def test_a_channel_has_the_name_that_people_write(written: str, name: str) -> None:
    assert channel_name(written) == name


def test_channels_come_by_how_much_they_gave() -> None:
    records = environment(conda("a==1"), conda("b==1"), conda("c==1"), conda("d==1")).records
    told = {
        "a-1-py311_0": Package(channel="defaults"),
        "b-1-py311_0": Package(channel="https://x:y@host/c/noarch"),
        "c-1-py311_0": Package(channel="https://host/c"),
    }
    assert channels_of(records, told) == (
        ("https://host/c", "defaults"),
        (Note("credentials", "channel", "https://host/c"), Note("no-channel", "d", "d-1-py311_0")),
    )


def test_variables_that_look_like_secrets_stay_behind() -> None:
    variables = {"MODE": "fast", "MY_TOKEN": "abc", "PROXY": "http://u:p@host"}
    secret = ("PGPASS", "DB_PASS", "GH_PAT", "MY_PWD", "PASSPHRASE")
    assert told_variables(dict.fromkeys((*secret, "MY_PATH", "COMPASS"), "x"))[0] == {
        "MY_PATH": "x",
        "COMPASS": "x",
    }
    assert told_variables(variables) == (
        {"MODE": "fast"},
        (Note("secret-variable", "MY_TOKEN"), Note("secret-variable", "PROXY")),
    )


def test_a_sheet_says_whose_the_environment_is() -> None:
    env = environment(conda("six==1"), conda("pip==25.3"), pip("rich==13"), is_pixi=True)
    sheet = sheet_of(env, Known({}, {}, (), {"MODE": "fast"}), Wanted(constraints="c.txt"))
    assert (sheet.name, sheet.specs) == ("lab", ("pip=25.3=py311_0", "six=1=py311_0"))
    assert (sheet.options, sheet.variables) == (("-c c.txt",), {"MODE": "fast"})
    assert sheet.notes[0] == Note("pixi", "lab")
    assert all(note_text(note) for note in sheet.notes)
    alone = sheet_of(environment(conda("six==1")), Known({}, {}, (), {}), Wanted(constraints="c"))
    assert (alone.specs, alone.options, alone.entries) == (("six=1=py311_0",), (), ())


# ------------------------------------------------------------------------------- constraints


def test_constraints_say_of_what_and_when_and_whether_they_are_stale() -> None:
    env = environment(conda("numpy==1.26.4"), conda("torch==2.1", name="pytorch"), pip("rich==13"))
    made = constraints_text(env, "2026-11-25T09:12:00+00:00")
    assert made.splitlines()[0] == "# conda's versions in lab, as of 2026-11-25T09:12:00+00:00"
    assert made.splitlines()[3:] == ["numpy==1.26.4", "torch==2.1"]
    assert is_constraints(made)
    assert pins_in("a==1\nb == 2 # x\nc==3; a>1\n") == {"a": "1", "b": "2"}
    assert stale(made, env) == ()
    mine = f"{made}# why\nrich>=13\ngone==1\n"
    again = constraints_text(env, "2026", mine).splitlines()
    assert again[3:] == ["numpy==1.26.4", "torch==2.1", "# why", "rich>=13"]
    changed = environment(conda("numpy==2.0"), conda("six==1.16"))
    assert stale(made, changed) == (
        ("numpy", "1.26.4", "2.0"),
        ("six", "", "1.16"),
        ("torch", "2.1", ""),
    )


# ------------------------------------------------------------------------------- locks


def test_a_lock_names_artifacts_with_hashes_and_where_the_rest_is() -> None:
    env = environment(pip("a==1"), pip("b==2"), pip("c==3"), pip("d==4"), pip("e==5"))
    paths = {d.name: d.metadata_path for d in env.distributions}
    remote = "https://u:secret@host/e.git"
    origins = {
        paths["c"]: Origin(url="file:///home/c", is_folder=True, is_editable=True),
        paths["d"]: Origin(url="https://host/d.whl?sig=secret", sha256="44"),
        paths["e"]: Origin(url=remote, vcs="git", commit="abc", subdirectory="sub"),
    }
    known = {"a": ("https://host/a.whl#x", "11"), "b": ("https://host/b.zip", "22")}
    assert from_index(env.distributions, origins, {"a": known["a"]}) == (env.installed["b"],)
    found = pylock(env.distributions, origins, known, python="3.11", folder="/home")
    assert without_hash(found) == ()
    vcs = {"type": "git", "url": "https://host/e.git", "commit-id": "abc", "subdirectory": "sub"}
    assert found["packages"] == [
        {"name": "a", "version": "1", "wheels": [hashed("https://host/a.whl", "11")]},
        {"name": "b", "version": "2", "sdist": hashed("https://host/b.zip", "22")},
        {"name": "c", "directory": {"path": "c", "editable": True}},
        {"name": "d", "archive": hashed("https://host/d.whl", "44")},
        {"name": "e", "vcs": vcs},
    ]
    unknown = pylock(env.distributions, {}, {}, python="3.11", folder="/home")
    assert without_hash(unknown) == ("a", "b", "c", "d", "e")


def hashed(url: str, sha256: str) -> dict[str, Any]:
    return {"url": url, "hashes": {"sha256": sha256}}


def test_an_explicit_file_has_the_hash_that_every_conda_understands() -> None:
    records = environment(conda("a==1"), conda("b==1"), conda("c==1"), conda("d==1")).records
    told = {
        "a-1-py311_0": Package("https://u:pw@host/c/a-1.conda#00", md5="11", sha256="22"),
        "b-1-py311_0": Package("https://host/t/tokentoken/b-1.conda", sha256="33"),
        "c-1-py311_0": Package("https://host/c-1.conda"),
    }
    text, notes = explicit_text("# head\n", records, told)
    assert text.splitlines() == [
        "# head",
        "@EXPLICIT",
        "https://host/b-1.conda#sha256:33",
        "https://host/c-1.conda",
        "https://host/c/a-1.conda#11",
    ]
    assert notes == (Note("no-hash", "c", "c-1-py311_0"), Note("no-channel", "d", "d-1-py311_0"))


# ------------------------------------------------------------------------------- lines and lists


@pytest.mark.parametrize(
    ("line", "name", "key"),
    [
        ("Rich[x]>=13 ; python_version > '3'", "rich", "rich"),
        ("rich==1 --hash=sha256:00  # why", "rich", "rich"),
        ("app @ git+https://host/x.git@v1", "app", "app"),
        ("git+https://host/x.git#egg=App", "app", "app"),
        ("-e git+https://host/x.git#egg=App&subdirectory=y", "app", "app"),
        ("https://host/My_App-1.0-py3-none-any.whl", "my-app", "my-app"),
        ("-e ./app[dev]", "", "-e app"),
        ("--editable=app", "", "-e app"),
        ("-c constraints.txt", "", "--constraint constraints.txt"),
        ("-i https://host", "", "--index-url https://host"),
        ("-rmore.txt", "", "--requirement more.txt"),
        ("-e.", "", "-e ."),
        ("--extra-index=https://a -fb", "", "--extra-index-url https://a --find-links b"),
        ("--pre", "", "--pre "),
        ("# nothing", "", ""),
    ],
)
def test_a_line_is_known_by_what_it_is_about(line: str, name: str, key: str) -> None:
    assert (name_in(line), key_of(line)) == (name, key)


def test_a_requirement_is_read_without_what_is_behind_it() -> None:
    assert requirement_text("rich>=1 --hash=sha256:0 # c") == "rich>=1"
    assert options_in("-r 'my file.txt'") == (("--requirement", "my file.txt"),)
    assert options_in("-r 'my") == (("--requirement", "'my"),)
    assert requirement_text("-e .") == ""


def test_comments_stay_where_they_are_when_their_entries_go() -> None:
    old = Slots(
        "",
        (
            Slot("a", "a", "# why a", "# about b\n"),
            Slot("b", "b", "# why b", "# about what follows\n"),
            Slot("", {"pip": []}),
        ),
    )
    assert updated(old, {"a": Slot("a", "a=1"), "c": Slot("c", "c")}) == Slots(
        "",
        (
            Slot("a", "a=1", "# why a", ""),
            Slot("c", "c", "", "# about b\n# about what follows\n"),
            Slot("", {"pip": []}),
        ),
    )
    assert updated(old, {"b": Slot("b", "b")}).above == "# about b\n"
    twice = Slots("", (Slot("a", "a"), Slot("a", "a>1", "", "# more\n")))
    assert updated(twice, {"a": Slot("a", "a=1")}).entries == (Slot("a", "a=1", "", "# more\n"),)


PIECES = (
    "https://",
    "file:",
    "git+",
    "ssh://",
    "u:p@",
    "[",
    "]",
    "/x",
    "#",
    " @ ",
    "-e ",
    "-i",
    "a",
)


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_is_too_odd_for_a_line(line: str) -> None:
    key_of(line)
    path_in(line)
    arguments_of(EnvironmentFile("e.yml", lines=(Line(line),)), {})
    check(EnvironmentFile("e.yml", specs=(line,), lines=(Line(line),)), Beside())


# ------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@host/simple",
        "https://secret@host/simple",
        "git+https://u:secret@host/x.git@main",
        "https://host/t/secret-secret-secret/x",
        "https://host/x.whl?sig=secret",
        "--index-url https://****@host/simple",
    ],
)
def test_nothing_secret_is_left_in_a_url(url: str) -> None:
    assert has_secret(url)
    assert "secret" not in bare(url)
    assert "****" not in bare(url)


def test_a_url_without_secrets_stays_as_it_is() -> None:
    for url in ("ssh://git@host/x.git", "git+ssh://git@host/x.git@v1", "git+file:///x/y@z"):
        assert (bare(url), has_secret(url)) == (url, False)
    for url in ("https://${USER}:${PASSWORD}@host/simple", "https://${TOKEN}@host/simple"):
        assert (bare(url), has_secret(url)) == (url, False)
    for url in (
        "https://me:${PASSWORD}@host/simple",
        "git+https://oauth2:${T}@github.com/o/r.git",
        "x @ git+https://x-access-token:${T}@github.com/o/r.git",
    ):
        assert (bare(url), has_secret(url)) == (url, False)
    for url in ("https://${USER}:hunter2@h/s", "https://a:${T}x@h/s", "https://a:b:${T}@h/s"):
        assert has_secret(url)


# ------------------------------------------------------------------------------- files


def parsed(**document: Any) -> EnvironmentFile:
    return parse_environment_file("e.yml", document, lambda _, at: at == 1, lambda *_: 0)


def test_an_environment_file_is_read_strictly() -> None:
    found = parsed(
        name="lab",
        channels=["c"],
        dependencies=["a", {"pip": ["x", "y"]}],
        variables={"V": 1},
        odd=0,
    )
    assert found == EnvironmentFile(
        "e.yml",
        name="lab",
        channels=("c",),
        specs=("a",),
        lines=(Line("x"), Line("y", allows=True)),
        pip_parts=1,
        variables={"V": "1"},
        unknown=("odd",),
    )


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"channels": ["a"] * 10_001}, "expected at most 10000 entries, got 10001 at `channels`"),
        ({"dependencies": [["a"]]}, "expected text or `pip:`, got a list in `dependencies[0]`"),
        ({"dependencies": [{"sel(unix)": "a"}]}, "got a mapping with `sel(unix)`"),
        ({"dependencies": [{"pip": "x"}]}, "expected a list, got `x` at `pip`"),
        ({"channels": [None]}, "expected text, got nothing in the list at `channels`"),
        ({"dependencies": ["a\nb"]}, "expected a line of text, got"),
        ({"dependencies": [{"pip": ["a" * 5000]}]}, "expected a line of text, got `aaa"),
        ({"name": ["x"]}, "expected text, got a list at `name`"),
        ({"variables": ["x"]}, "expected a mapping, got a list at `variables`"),
    ],
)
def test_what_is_no_environment_file_is_said(document: dict[str, Any], says: str) -> None:
    with pytest.raises(UnreadableFile, match=r"cannot read `e\.yml`") as caught:
        parsed(**document)
    assert says in caught.value.message


def lines(*texts: str) -> tuple[Line, ...]:
    return tuple(map(Line, texts))


def given_to_pip(*texts: str, **environ: str) -> tuple[tuple[str, ...], ...]:
    return tuple(arguments_of(EnvironmentFile("e.yml", lines=lines(*texts)), environ))


def test_what_may_be_why_pip_s_part_fails_is_told() -> None:
    differing = {"c.txt": [("owned", "1.0", "2.0"), ("gone", "1", "")]}
    versions, login = hints_on_creating(differing, has_index=True)
    assert versions.endswith("conda's part came to: owned 1.0 (2.0 here), gone 1 (none here)")
    assert login.endswith("https://${USER}:${PASSWORD}@…")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rich [x] >= 1 ; a > '3'  # why", ("rich [x] >= 1 ; a > '3'",)),
        ("-e ./app[dev]", ("--editable", "./app[dev]")),
        ("-e.", ("--editable", ".")),
        ("-c constraints.txt", ("--constraint", "constraints.txt")),
        ("-c ${HOME}/c.txt", ("--constraint", "/home/c.txt")),
        ("--index-url https://${UNSET}@host", ("--index-url", "https://${UNSET}@host")),
        ("./x.whl", ("./x.whl",)),
        ("--no-binary 'a b' --pre", ("--no-binary", "a b", "--pre")),
    ],
)
def test_lines_become_arguments_as_pip_would_read_them(line: str, words: tuple[str, ...]) -> None:
    assert given_to_pip(line, HOME="/home")[:2] == (words, ())


@pytest.mark.parametrize(
    ("line", "in_a_file", "told"),
    [
        ("app[x]==1 --hash=sha256:0", "app[x]==1 --hash=sha256:0", ("app[x]==1",)),
        ("a @ https://h/${T}/a.whl", "a @ https://h/${T}/a.whl", ("a @ https://h/${T}/a.whl",)),
        ("-i https://${T}@h", "--index-url 'https://${T}@h'", ("--index-url", "https://${T}@h")),
        (
            "-r https://h/${T}/r",
            "--requirement 'https://h/${T}/r'",
            ("--requirement", "https://h/${T}/r"),
        ),
        ("-ihttps://u:p@h", "--index-url https://u:p@h", ("--index-url", "https://u:p@h")),
        ("--target /etc", "--target /etc", ("--target", "/etc")),
        ("--upgrade", "--upgrade", ("--upgrade",)),
        ("-e", "-e", ("--editable",)),
        ("-e . --config-settings a=b", "-e . --config-settings a=b", None),
    ],
)
def test_what_pip_takes_in_a_file_only_and_what_is_secret_goes_by_a_file(
    line: str, in_a_file: str, told: tuple[str, ...] | None
) -> None:
    words, in_file, found = given_to_pip(line, T="s3cret")
    assert (words, in_file) == ((), (in_a_file,))
    assert told in (None, found)


# ------------------------------------------------------------------------------- check-file


def found_in(*specs: str, pip: tuple[str, ...] = (), beside: Beside | None = None) -> list[str]:
    file = EnvironmentFile("e.yml", specs=("pip", *specs), lines=lines(*pip))
    found = check(file, beside or Beside())
    return [f"{f.kind}: {f.about}" for f in found if f.severity == "problem"]


@pytest.mark.parametrize(
    ("specs", "pip_lines", "found"),
    [
        (["numpy>=1.26"], ["numpy"], ["twice: numpy"]),
        (["pytorch"], ["torch>=2"], ["twice: torch>=2"]),
        (["graphviz"], ["graphviz"], []),
        (["conda-forge::numpy=1.26"], ["rich"], []),
        ([], ["rich>=3", "rich<2"], ["contradiction: rich"]),
        ([], ["rich>1.0", "rich<1.0.1"], []),
        ([], ["rich==1.*", "rich!=1.0"], []),
        (["numpy=1.26", "numpy<1.26"], [], ["contradiction: numpy"]),
        (["numpy=1.26.4=py311_0", "numpy>=1.26"], [], []),
        (["numpy >=1,<2", "numpy 2.*"], [], ["contradiction: numpy"]),
        (["tzdata"], ["tzdata==2024.1"], []),
        ([], ["https://u:p@host/x.whl"], ["credentials: https://host/x.whl"]),
        ([], ["--index-url https://${U}:${P}@host"], []),
        ([], ["???"], ["unreadable: ???"]),
        (["python ==== 3"], [], ["unreadable: python ==== 3"]),
        (
            ["a>=", "b <1 >2", "c>=1, <2", "d =1", "e[version='>=1']", "f 1|2"],
            [],
            ["unreadable: a>=", "unreadable: b <1 >2"],
        ),
        (["python=3.7", "python=3.11"], [], ["contradiction: conda's python"]),
        ([], ["--no-such x"], ["unreadable: --no-such x"]),
        ([], ["--upgrade"], ["unreadable: --upgrade"]),
        ([], ["--prefer-bin", "--only-bin :all:"], []),
        ([], ["sub/dir", "-rmore.txt", "-e.", "x.zip"], []),
        ([], ['a==1; python_version<"3.8"', 'a==2; python_version>="3.8"'], []),
        ([], ['a==1; os_name=="x"', "a==2", "a>=0"], ["contradiction: a"]),
    ],
)
def test_a_file_is_judged(specs: list[str], pip_lines: list[str], found: list[str]) -> None:
    assert found_in(*specs, pip=tuple(pip_lines)) == found


def test_a_file_is_judged_with_what_lies_beside_it() -> None:
    beside = Beside(
        missing=("nope.txt",),
        nested=("rich<2", "pandas"),
        pins={"c.txt": {"rich": "3.0", "numpy": "1.26"}},
        solved=("numpy=1.26.4=py311_0",),
    )
    assert found_in("pandas", pip=("numpy",), beside=beside) == [
        "missing: nope.txt",
        "twice: numpy",
        "twice: pandas",
        "contradiction: rich",
    ]
    locally = Beside(pins={"c.txt": {"torch": "2.1.0+cu118"}})
    assert found_in("pytorch=2.1.0=cuda118", beside=locally) == []
    assert found_in(beside=Beside(unsolvable="no such package")) == ["unsolvable: dependencies"]


def test_what_is_only_worth_knowing_comes_last() -> None:
    file = EnvironmentFile("e.yml", lines=lines("rich"), unknown=("odd",))
    assert text(checked_lines("e.yml", check(file, Beside()), width=80)) == expected("""
        e.yml: 1 problem
         !  there is a part for pip, and conda's part does not name `pip`
         -  nothing holds conda's versions while conda runs `pip install -U`; `safepip
            export -f FILE` writes constraints for that
         -  conda ignores `odd`
        """)


def test_a_file_that_asks_for_nothing_is_told() -> None:
    (found,) = check(EnvironmentFile("e.yml", name="x"), Beside())
    assert (found.kind, found.severity) == ("empty", "problem")
    assert (
        finding_text(found) == "there are no dependencies, and conda makes no environment of that"
    )


def test_a_file_that_lets_pip_take_over_what_is_conda_s_does_not_do_so_silently() -> None:
    file = EnvironmentFile("e.yml", specs=("pip", "a=1"), lines=(Line("a==2", allows=True),))
    kinds = [(one.kind, one.severity, one.about) for one in check(file, Beside())]
    assert kinds == [("no-constraints", "note", "pip"), ("allows", "note", "a")]
    assert "--allow a" in finding_text(check(file, Beside())[1])


def test_no_verb_of_safepip_s_own_is_one_of_pip_s() -> None:
    assert not set(OWN) & set(commands_dict)


def test_every_finding_on_a_file_has_its_words() -> None:
    secret = EnvironmentFile("e.yml", channels=("https://u:hunter2@host/c",), specs=("a",))
    (found,) = check(secret, Beside())
    assert "hunter2" not in finding_text(found)
    assert "`${NAME}`" in finding_text(found)


# ------------------------------------------------------------------------------- whole, or gone

ELSEWHERE = Fix("safepip create", "make it elsewhere")


def fail_to_make(prefix: Path) -> None:
    """As where another makes an environment while one is solving."""
    with half_made(str(prefix), ELSEWHERE):
        prefix.mkdir()
        raise AlreadyThere(str(prefix))


def test_what_was_made_through_a_link_is_taken_away_and_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there")
    with half_made(str(link), ELSEWHERE):
        (link / "conda-meta").mkdir()
        (link / "bin").symlink_to("/usr")
    assert list((tmp_path / "there").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_a_place_is_for_one_at_a_time_and_who_comes_second_takes_nothing_away(
    tmp_path: Path,
) -> None:
    prefix = tmp_path / "some" / "env"
    with half_made(str(prefix), ELSEWHERE) as attempt:
        with (
            pytest.raises(Busy, match="another safepip is making"),
            half_made(str(prefix), ELSEWHERE),
        ):
            pass
        prefix.mkdir()
        (prefix / "mine").touch()
        attempt.is_made = True
    with pytest.raises(AlreadyThere):
        fail_to_make(prefix)
    assert [path.name for path in prefix.parent.iterdir()] == ["env"]
    assert (prefix / "mine").exists()


def test_what_others_made_meanwhile_is_theirs(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    with pytest.raises(AlreadyThere) as caught:
        fail_to_make(prefix)
    assert (prefix.exists(), caught.value.fixes) == (True, (ELSEWHERE,))


def test_who_was_cut_off_left_a_torso_and_that_is_said(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    prefix.mkdir()
    (prefix / "half").touch()
    (tmp_path / ".env.safepip").touch()  # as a safepip leaves it that is killed
    commands = list[str]()
    for _ in range(2):
        with pytest.raises(AlreadyThere, match="is there already") as caught:
            fail_to_make(prefix)
        assert "was cut off" in caught.value.why
        commands.append(caught.value.fixes[0].command)
    subprocess.run(shlex.split(commands[0]), check=True)
    assert list(tmp_path.iterdir()) == []
    with half_made(str(prefix), ELSEWHERE) as attempt:
        attempt.is_made = True
    assert list(tmp_path.iterdir()) == []
