"""The process that knows conda's channels: how long it is waited for, and what is asked of it."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from safepip.effects import conda_solver
from safepip.effects.conda_solver import CondaSolver, is_offline
from safepip.effects.solver import _is_refusal
from safepip.values.channel import Answer, Offer
from safepip.values.environment import Environment
from tests.build import PREFIX, conda, environment

FORGE = "https://conda.anaconda.org/conda-forge"
LAB = environment(conda("numpy==1.26.4"))
POSSIBLE = '{"possible": true, "before": {"numpy": "1.26.4"}, "after": {"numpy": "2.4"}}'
STUB = """\
import json, sys, time
setup = json.loads(sys.stdin.readline())
with open({notes!r}, "a") as notes:
    notes.write(json.dumps(setup) + "\\n")
for line in sys.stdin:
    question = json.loads(line)
"""


def of(channel: str = FORGE, packages: Environment = LAB) -> Environment:
    records = (replace(r, channel=f"{channel}/linux-64") for r in packages.records)
    return replace(packages, records=tuple(records))


class Stub:
    """A process in place of the one that asks py-rattler, and what it was told at each start."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes = folder / "notes"
        self.environ = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
        self._file = folder / "stub.py"
        monkeypatch.setattr(conda_solver, "_SOLVER", self._file)

    def does(self, *lines: str) -> None:
        text = STUB.format(notes=str(self.notes)) + "".join(f"    {line}\n" for line in lines)
        self._file.write_text(text)

    @property
    def starts(self) -> list[bool]:
        """Whether it was to go online, each time."""
        return [json.loads(line)["fetches"] for line in self.notes.read_text().splitlines()]


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    pytest.importorskip("rattler")
    return Stub(tmp_path, monkeypatch)


def says(text: str) -> str:
    return f"print({text!r}, flush=True)"


# ------------------------------------------------------------------------------- time


def test_who_does_not_answer_in_time_has_not_said_that_it_cannot_be(stub: Stub) -> None:
    stub.does("time.sleep(60)")
    since = time.monotonic()
    with closing(CondaSolver(of(), seconds=0.5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) is None
        assert solver.ask(["numpy>=2"]) is None  # nor is anybody asked again
    assert time.monotonic() - since < 10
    assert stub.starts == [False]


def test_a_network_that_hangs_leaves_time_for_what_was_fetched_before(stub: Stub) -> None:
    stub.does('time.sleep(60) if setup["fetches"] else None', says(POSSIBLE))
    asked = CondaSolver(of(), seconds=5, fetches=True, environ=stub.environ)
    with closing(asked) as solver:
        answer = solver.ask(["numpy>=2"])
    assert answer is not None
    assert (answer.possible, answer.versions) == (True, {"numpy": "2.4"})
    assert stub.starts == [True, False]
    # For a while nobody waits for it again.
    with closing(CondaSolver(of(), seconds=5, fetches=True, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) == answer
    assert stub.starts == [True, False, False]
    other = of("https://conda.anaconda.org/bioconda")
    stub.does(says(POSSIBLE))
    with closing(CondaSolver(other, seconds=5, fetches=True, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) == answer
    assert stub.starts == [True, False, False, True]


def test_what_nobody_wants_to_know_any_more_is_not_waited_for(stub: Stub) -> None:
    stub.does("time.sleep(60)")
    since = time.monotonic()
    looks: list[int] = []
    asked = CondaSolver(
        of(),
        seconds=60,
        fetches=True,
        environ=stub.environ,
        is_enough=lambda: len(looks) > 1,
        looking=looks.append,
    )
    with closing(asked) as solver:
        assert solver.ask(["numpy>=2"]) is None
    assert time.monotonic() - since < 30
    assert (stub.starts, set(looks)) == ([True], {0})


@pytest.mark.parametrize(
    "does", ["break", "print('no JSON', flush=True)", "print('[]', flush=True)"]
)
def test_a_process_that_fails_is_asked_no_more_and_is_gone(stub: Stub, does: str) -> None:
    stub.does(does)
    with closing(CondaSolver(of(), seconds=5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) is None
        assert solver._process is None


def test_a_process_that_ends_before_it_is_told_anything_leaves_nothing(
    stub: Stub, tmp_path: Path
) -> None:
    (tmp_path / "stub.py").write_text("import os\nos.close(0)\nos._exit(1)\n")
    many = environment(*(conda(f"package-of-some-length-{n}==1") for n in range(3000)))
    many = replace(
        many, records=tuple(replace(r, file=f"{r.dist}.json") for r in of("x", many).records)
    )
    with closing(CondaSolver(many, seconds=5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) is None
        assert solver._process is None


class SolverError(Exception):
    """As py-rattler calls it."""


def test_a_solver_that_was_ended_has_not_refused() -> None:
    assert _is_refusal(SolverError("Cannot solve the request because of: nothing provides x"))
    assert not _is_refusal(SolverError("Solve operation has been cancelled"))
    assert not _is_refusal(OSError("network"))


# ------------------------------------------------------------------------------- what is asked


def test_only_no_is_an_answer_of_its_own(stub: Stub) -> None:
    stub.does(says('{"possible": false}'))
    with closing(CondaSolver(of(), seconds=5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) == Answer(possible=False)
    stub.does(says('{"possible": null}'))
    with closing(CondaSolver(of(), seconds=5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"said": ""}', ""),
        ('{"said": "no space"}', "no space"),
        ('{"unknown": "MemoryError", "said": ""}', "MemoryError"),
        ('{"unknown": "OSError", "said": "full"}', "full"),
        ('{"possible": false}', "no answer"),
        ("[]", "no answer"),
    ],
)
def test_an_error_without_words_is_one_all_the_same(stub: Stub, line: str, why: str) -> None:
    stub.does(says(line))
    answer = Answer(possible=True)
    with closing(CondaSolver(of(), seconds=0, environ=stub.environ)) as solver:
        assert solver.stage(["numpy>=2"], answer, "/nowhere") == why
        assert solver.install(["numpy>=2"], answer) == why


def test_without_a_channel_nothing_is_known(stub: Stub) -> None:
    stub.does(says('{"possible": false}'))
    with closing(CondaSolver(LAB, seconds=5, environ=stub.environ)) as solver:
        assert solver.ask(["numpy>=2"]) is None


@pytest.mark.parametrize(
    ("channel", "names"),
    [
        (FORGE, {"click", "numpy"}),
        ("https://mirror.example/conda-forge", {"click", "numpy"}),
        ("https://repo.anaconda.com/pkgs/main", {"click", "numpy"}),
        ("file:///srv/channel", {"click", "numpy"}),
        ("https://conda.anaconda.org/bioconda", {"numpy"}),
        ("https://conda.example/private", {"numpy"}),
    ],
)
def test_what_a_channel_calls_by_a_name_is_known_only_of_some(
    stub: Stub, channel: str, names: set[str]
) -> None:
    rows = [
        {"name": name, "version": "8.1", "depends": ["python >=3.10"], "channel": channel}
        for name in ("click", "numpy")
    ]
    stub.does(says(json.dumps({"rows": rows})))
    with closing(CondaSolver(of(channel), seconds=5, environ=stub.environ)) as solver:
        here = channel.startswith("file:")
        assert solver.offers(["click", "numpy"]) == {
            name: Offer(name, name, ("8.1",), here) for name in names
        }


@pytest.mark.parametrize(
    ("environ", "file", "text", "offline"),
    [
        ({}, "", "", False),
        ({"PIP_NO_INDEX": "1"}, "", "", True),
        ({"PIP_NO_INDEX": "0"}, "", "", False),
        ({"CONDA_OFFLINE": "True"}, "", "", True),
        ({}, ".condarc", "channels:\n  - x\noffline: true\n", True),
        ({}, ".condarc", "offline: false\n", False),
        ({}, ".condarc", "# offline: true\n", False),
        ({}, ".mambarc", "offline : yes", True),
        ({}, ".conda/.condarc", "offline: True", True),
        ({"CONDARC": "{home}/mine"}, "mine", "offline: true", True),
    ],
)
def test_who_is_offline_says_so_in_one_of_many_places(
    tmp_path: Path, environ: dict[str, str], file: str, text: str, *, offline: bool
) -> None:
    if file:
        place = tmp_path / file
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    environ = {name: value.format(home=tmp_path) for name, value in environ.items()}
    assert is_offline({"HOME": str(tmp_path), **environ}, PREFIX) is offline


def test_settings_in_the_environment_itself_count(tmp_path: Path) -> None:
    assert not is_offline({"HOME": os.devnull}, str(tmp_path))
    (tmp_path / ".condarc").write_text("offline: true\n")
    assert is_offline({"HOME": os.devnull}, str(tmp_path))
