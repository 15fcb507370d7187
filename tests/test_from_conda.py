"""What conda has is taken from conda: said in plans and refusals, and executed as it is printed."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from safepip.effects.conda_solver import CondaSolver
from safepip.effects.interpreters import ask_python
from safepip.effects.reading import read_environment
from safepip.values.channel import Answer
from tests.guarded import Guarded, safepip
from tests.lab import CondaEnvironment, create, fake, from_wheel, make_wheel, replace
from tests.lab.channel import channel
from tests.pasting import conda_install, paste_both

WHEELS = {
    (wheel.filename.split("-")[0], wheel.filename.split("-")[1]): wheel
    for wheel in (
        make_wheel("torch", "2.4", requires=["shared>=2"]),
        make_wheel("torch", "2.2", requires=["shared"]),
        make_wheel("shared", "2.1"),
        make_wheel("shared", "1.5"),
        make_wheel("graphviz", "0.20"),
        make_wheel("mine", "1.0", requires=["shared>=2", "graphviz", "private-thing"]),
        make_wheel("private-thing", "3.0"),
        make_wheel("pure", "1.0"),
        make_wheel("lonely", "1.0"),
        make_wheel("libnum", "2.0"),
        make_wheel("libnum", "1.0"),
        make_wheel("libnum", "3.0"),
        make_wheel("far", "2.0", requires=["libnum>=3"]),
        make_wheel("far", "1.0", requires=["libnum"]),
        make_wheel("wide", "3.0", requires=["libnum>=3"]),
        make_wheel("wide", "2.0", requires=["libnum>=2,<3"]),
        make_wheel("wide", "1.0", requires=["libnum"]),
        *(make_wheel("pair", each, requires=[f"half=={each}"]) for each in ("1.0", "2.0", "3.0")),
        *(make_wheel("half", each) for each in ("1.0", "2.0", "3.0")),
        make_wheel("uses-pair", "2.0", requires=["pair>=2", "io"]),
        make_wheel("uses-pair", "1.0", requires=["pair"]),
        make_wheel("io", "2.0", requires=["libnum>=3"]),
        make_wheel("io", "1.0"),
        make_wheel("stuck", "1.0"),
        make_wheel("vision", "5.0", requires=["libnum>=2"]),
        make_wheel("vision", "4.0", requires=["libnum"]),
    )
}
CONDA = [
    from_wheel(WHEELS["libnum", "1.0"]),
    fake("stats", "1.4", depends=["libnum >=1,<2"]),
    from_wheel(WHEELS["pair", "1.0"]),
    from_wheel(WHEELS["half", "1.0"]),
]
CHANNEL = [
    from_wheel(WHEELS["torch", "2.2"], name="pytorch"),
    from_wheel(WHEELS["shared", "2.1"]),
    from_wheel(WHEELS["shared", "1.5"]),
    from_wheel(WHEELS["graphviz", "0.20"], name="python-graphviz"),
    fake("graphviz", "12.0", {"bin/dot": "a program"}),
    fake("pure", "1.0", {"bin/pure": "a program"}),
    from_wheel(WHEELS["libnum", "2.0"]),
    fake("stats", "2.0", depends=["libnum >=2"]),
    from_wheel(WHEELS["vision", "5.0"]),
    from_wheel(make_wheel("stuck", "1.0", requires=["nowhere"])),
    from_wheel(WHEELS["pair", "2.0"]),
    from_wheel(WHEELS["half", "2.0"]),
]
"""What else the channel has."""
UNSURE = (
    ", if conda can (unchecked); a later `conda remove` may take all else along, "
    "which conda's history does not know"
)
"""Of an environment without a history conda may remove what it likes; now, and later."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CondaEnvironment:
    place = tmp_path_factory.mktemp("from-conda")
    for wheel in WHEELS.values():
        wheel.write(place / "wheels")
    return create(place / "lab", *CONDA, available=CHANNEL)


def links(environment: CondaEnvironment) -> dict[str, str]:
    return {"PIP_FIND_LINKS": str(environment.prefix.parent / "wheels"), "PIP_NO_CACHE_DIR": "1"}


def planned(environment: CondaEnvironment, *arguments: str) -> Guarded:
    done = safepip(environment, "plan", *arguments, env=links(environment))
    assert done.touched == {}
    return done


def test_no_command_of_conda_s_brings_what_constraints_rule_out(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    constraints = tmp_path / "constraints.txt"
    found = {}
    for line in ("stats<2", "libnum<2.5"):
        constraints.write_text(f"{line}\nlibnum<1; python_version < '3'\n")
        env = {**links(lab), "PIP_CONSTRAINT": str(constraints)}
        done = safepip(lab, "plan", "libnum>=2", env=env)
        assert (done.exit_code, done.touched) == (10, {}), done
        found[line] = done.answer
    ruled_out = "with `libnum>=2`, conda would bring what the constraints rule out: stats 2.0"
    said = [finding.get("message", "") for finding in found["stats<2"]["findings"]]
    assert any(text.startswith(ruled_out) for text in said), said
    assert "conda install" not in str(found["stats<2"]["fixes"])
    commands = [fix["command"] for fix in found["libnum<2.5"]["fixes"]]
    assert f'{conda_install(lab, CHANNEL)} "libnum>=2,<2.5" stats' in commands


def test_constraints_that_conda_has_no_words_for_are_neither_dropped_nor_made_up(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    constraints = tmp_path / "constraints.txt"
    lonely = (lab.prefix.parent / "wheels" / WHEELS["lonely", "1.0"].filename).as_uri()
    bounds, cannot = {}, "conda cannot have `libnum>=2,!=2.0` here, by its channels"
    for name, line in {
        constraints: f"lonely @ {lonely}",
        constraints.as_uri(): "lonely<9",
        constraints.as_uri() + "#": "libnum!=2.0",
    }.items():
        constraints.write_text(f"{line}\n")
        done = planned(lab, "libnum>=2", "-c", str(name))
        commands = [fix["command"] for fix in done.answer["fixes"]]
        by_conda = [each for each in commands if each.startswith("conda install ")]
        bounds[line.partition(" @")[0]] = [one.split()[-2].strip('"') for one in by_conda]
        said = [finding.get("message", "") for finding in done.answer["findings"]]
        assert any(text.startswith(cannot) for text in said) == (not by_conda), said
        assert not any("rule out" in text for text in said), said
    assert bounds == {
        "lonely": ["libnum>=2"],
        "lonely<9": ["libnum>=2"],
        "libnum!=2.0": [],
    }


def test_where_pip_goes_by_hashes_conda_brings_just_what_has_one(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    lines = [
        f"{name}=={version} --hash=sha256:{WHEELS[name, version].sha256}\n"
        for name, version in (("wide", "2.0"), ("libnum", "2.0"))
    ]
    (tmp_path / "hashed.txt").write_text("".join(lines))
    done = planned(lab, "-r", str(tmp_path / "hashed.txt"))
    command = f"{conda_install(lab, CHANNEL)} libnum==2.0 stats && safepip install "
    assert done.answer["fixes"][0]["command"].startswith(command), done


def test_what_pip_would_bring_in_another_version_is_said(lab: CondaEnvironment) -> None:
    (fix,) = planned(lab, "torch").answer["fixes"]
    assert fix["says"] == f"take pytorch 2.2 (pip: 2.4) from conda{UNSURE}"
    assert planned(lab, "torch==2.4").answer["fixes"][0]["command"].endswith("torch==2.4")


def test_what_conda_cannot_do_is_said_also_where_the_plan_goes_on(lab: CondaEnvironment) -> None:
    kept = planned(lab, "far")
    assert kept.answer["verdict"] == "kept"
    said = [finding["message"] for finding in kept.answer["findings"] if "message" in finding]
    cannot = "conda cannot have `libnum>=3` here, by its channels as this machine knows them"
    assert cannot in said, kept
    assert not [fix for fix in kept.answer["fixes"] if "conda install" in fix["command"]]


def test_where_conda_cannot_have_all_of_it_what_it_can_is_said(lab: CondaEnvironment) -> None:
    (fix,) = planned(lab, "stuck", "torch").answer["fixes"]
    assert fix == {
        "command": f"{conda_install(lab, CHANNEL)} pytorch && "
        f"safepip install --env {lab.prefix} stuck",
        "says": f"take pytorch 2.2 (pip: 2.4) from conda, and pip the rest{UNSURE}",
    }


def test_where_conda_has_no_room_for_the_newest_an_older_one_is_offered(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=CHANNEL)
    for wheel in WHEELS.values():
        wheel.write(tmp_path / "wheels")
    done = planned(lab, "wide>=2")
    fix = done.answer["fixes"][0]
    assert fix == {
        "command": f"{conda_install(lab, CHANNEL)} libnum==2.0 stats && "
        f"safepip install --env {lab.prefix} wide==2.0",
        "says": "let conda change libnum to 2.0 first, with which wide 2.0 goes, not the newest; "
        f"that also changes stats 1.4 -> 2.0{UNSURE.replace('conda can', 'it can', 1)}",
    }, done
    assert "though you ask for >=2" in done.answer["fixes"][1]["says"]
    pasted = paste_both(lab, fix["command"], CHANNEL, env=links(lab))
    assert pasted is not None
    assert (pasted.exit_code, pasted.touched, pasted.answer["verdict"]) == (0, {}, "clear")


def test_conda_is_asked_for_what_was_asked_for_and_not_for_what_its_newest_would_need(
    lab: CondaEnvironment,
) -> None:
    start = conda_install(lab, CHANNEL)
    found = {
        words: [fix["command"] for fix in planned(lab, *words.split()).answer["fixes"]]
        for words in ("pair>=2", "pair[x]>=2", "pair>=3 pure", "uses-pair>=2")
    }
    by_pip = f"safepip install --env {lab.prefix}"
    assert found["pair>=2"][0] == f'{start} "pair>=2" half'
    assert found["pair[x]>=2"][0] == f'{start} "pair>=2" half && {by_pip} "pair[x]>=2"'
    # conda has no 3; and no room for the newest `io`, of which pip has an older one.
    there, elsewhere, _ = found["pair>=3 pure"]
    assert there == f"{by_pip} pair==1.0 pure"
    assert elsewhere.startswith("conda create ")
    assert f'{start} "pair>=2" half && {by_pip} "uses-pair>=2"' in found["uses-pair>=2"], found
    hinted = planned(lab, "uses-pair>=2", "--force-reinstall").answer["findings"]
    said = "with `--force-reinstall`, neither why"
    assert any(each.get("message", "").startswith(said) for each in hinted), hinted


def test_the_newest_anyway_is_had_by_the_command_that_an_install_names(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=CHANNEL)
    for wheel in WHEELS.values():
        wheel.write(tmp_path / "wheels")
    kept = safepip(lab, "install", "uses-pair", env=links(lab))
    assert (kept.exit_code, kept.answer["verdict"]) == (0, "kept"), kept
    command = kept.answer["fixes"][0]["command"]
    by_pip = f"safepip install --env {lab.prefix} uses-pair==2.0"
    assert command == f'{conda_install(lab, CHANNEL)} "pair>=2" && {by_pip}'
    pasted = paste_both(lab, command, CHANNEL, env=links(lab))
    assert pasted is not None
    assert (pasted.exit_code, pasted.touched) == (0, {}), pasted
    found = lab.distributions()
    assert (found["uses-pair"], found["pair"], found["io"]) == ("2.0", "2.0", "1.0")


def test_a_clear_plan_says_what_conda_has_and_that_works_as_pasted(lab: CondaEnvironment) -> None:
    done = planned(lab, "mine", "pure")
    assert (done.exit_code, done.answer["verdict"]) == (0, "clear")
    (fix,) = done.answer["fixes"]
    # conda's `graphviz` and `pure` are programs; only the first has its distribution there.
    assert fix == {
        "command": f'{conda_install(lab, CHANNEL)} "shared>=2" python-graphviz && '
        f"safepip install --env {lab.prefix} mine pure",
        "says": f"take shared 2.1, python-graphviz 0.20 from conda, and pip the rest{UNSURE}",
    }
    pasted = paste_both(lab, fix["command"], CHANNEL, env=links(lab))
    assert pasted is not None
    assert (pasted.exit_code, pasted.touched, pasted.answer["verdict"]) == (0, {}, "clear")
    assert [change["name"] for change in pasted.answer["changes"]] == [
        "pure",
        "private-thing",
        "mine",
    ]


def test_a_refusal_and_a_plan_with_conda_s_versions_held_say_it_too(lab: CondaEnvironment) -> None:
    kept = planned(lab, "vision")
    assert kept.answer["verdict"] == "kept"
    assert kept.answer["fixes"][-1] == {
        "command": f"{conda_install(lab, CHANNEL)} vision libnum stats",
        "says": "take vision 5.0 (pip: 4.0) from conda; "
        f"that also changes libnum 1.0 -> 2.0, stats 1.4 -> 2.0{UNSURE}",
    }
    done = planned(lab, "vision>=5", "lonely")
    assert (done.exit_code, done.answer["code"]) == (10, "conda-owned")
    fix = done.answer["fixes"][0]
    assert fix["command"].startswith(f'{conda_install(lab, CHANNEL)} "vision>=5" libnum stats && ')
    pasted = paste_both(lab, fix["command"], CHANNEL, env=links(lab))
    assert pasted is not None
    assert (pasted.exit_code, pasted.touched) == (0, {}), pasted
    found = lab.distributions()
    assert (found["vision"], found["libnum"], found["lonely"]) == ("5.0", "2.0", "1.0")


def test_a_part_by_conda_is_no_way_out_where_the_rest_would_be_refused_again(
    lab: CondaEnvironment,
) -> None:
    done = planned(lab, "far>=2", "torch")
    assert (done.exit_code, done.answer["code"]) == (10, "conda-owned")
    assert not [fix for fix in done.answer["fixes"] if "pytorch" in fix["command"]], done
    said = {finding.get("message") for finding in done.answer["findings"]}
    why = "conda has pytorch 2.2 (pip: 2.4) of this; that alone does not make the rest possible"
    assert why in said, done


def test_a_py_rattler_that_does_not_work_is_said_and_no_channel_is_blamed(
    lab: CondaEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "rattler").mkdir()
    (tmp_path / "rattler" / "__init__.py").write_text("raise ImportError('no such symbol')")
    env = {**links(lab), "PYTHONPATH": str(tmp_path)}
    done = safepip(lab, "plan", "--prefer-conda", "torch", env=env)
    (finding,) = done.answer["findings"]
    assert finding["message"] == (
        "what conda has cannot be asked: py-rattler cannot be imported: no such symbol"
    )


def test_explain_says_what_the_channels_have(lab: CondaEnvironment) -> None:
    done = safepip(lab, "explain", "torch", env=links(lab))
    (package,) = done.answer["packages"]
    assert (package["owner"], package["on_conda"]) == (
        "none",
        {"package": "pytorch", "versions": ["2.2"]},
    )
    unknown = safepip(lab, "explain", "pure-nothing", env=links(lab))
    assert unknown.exit_code == 2


def test_a_change_of_conda_s_that_harms_what_pip_has_is_not_offered(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=CHANNEL)
    for wheel in (*WHEELS.values(), make_wheel("house", "1.0", requires=["libnum<2"])):
        wheel.write(tmp_path / "wheels")
    lab.pip("install", "house", env=links(lab))
    done = planned(lab, "vision>=5")
    said = {finding.get("message") for finding in done.answer["findings"]}
    assert "with `libnum>=2` from conda, house would not have what it requires" in said
    assert not [fix for fix in done.answer["fixes"] if fix["command"].startswith("conda install")]


def test_what_hangs_on_the_order_of_channels_is_not_called_impossible(tmp_path: Path) -> None:
    lab = create(tmp_path / "lab", *CONDA, available=CHANNEL)
    # With strict priorities `libnum` is only what its first channel has, which is 1.0.
    other = channel([*CONDA, fake("another", "1.0")])
    for file in set(lab.conda_meta.glob("*.json")) - set(lab.conda_meta.glob("pip-*.json")):
        record = json.loads(file.read_bytes())
        replace(file, json.dumps({**record, "channel": other.as_uri()}))
    assert solver_says(lab, "libnum>=9") == Answer(possible=False)
    assert solver_says(lab, "libnum>=2") is None


def solver_says(lab: CondaEnvironment, spec: str) -> Answer | None:
    found = read_environment(str(lab.prefix), ask_python(str(lab.python), os.environ))
    with closing(CondaSolver(found, seconds=60)) as solver:
        return solver.ask([spec])
