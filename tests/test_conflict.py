"""Why a request cannot be met while conda's versions are held, on small worlds of releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from safepip.decisions.explaining.conflict import find_conflict
from safepip.decisions.explaining.solving import solve
from safepip.values.universe import Chain, Conflict, Freed, Held, Needs, Question, Release, TooHard
from tests.build import MARKERS

CASES = tomli.loads(Path(__file__).with_name("conflicts.toml").read_text("utf-8"))["case"]


@dataclass
class Memory:
    """A shelf of releases that are written down."""

    lines: Mapping[str, Sequence[str]]
    """By `name version`."""
    python: Mapping[str, str] = field(default_factory=dict)
    yanked: Sequence[str] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    """`Requires-Python` that the index does not tell, and the metadata does."""

    def releases(self, name: str) -> list[Release]:
        keys = [key for key in self.lines if key.split()[0] == name]
        keys.sort(key=lambda key: Version(key.split()[1]), reverse=True)
        return [Release(k.split()[1], self.python.get(k, ""), k in self.yanked) for k in keys]

    def requires(self, name: str, version: str) -> Needs | None:
        return Needs(tuple(self.lines[f"{name} {version}"]), self.said.get(f"{name} {version}", ""))


def held(lines: Mapping[str, Sequence[str]]) -> dict[str, Held]:
    pairs = ((key.split(), tuple(requires)) for key, requires in lines.items())
    return {name: Held(version, requires) for (name, version), requires in pairs}


def question(wanted: Sequence[str], holds: Mapping[str, Sequence[str]], **more: Any) -> Question:
    return Question(tuple(map(Requirement, wanted)), held(holds), markers=MARKERS, **more)


# ------------------------------------------------------------------------------- cases


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_conflict_is_told_from_the_request_to_what_is_held(case: dict[str, Any]) -> None:
    asked = question(
        case["wanted"],
        case["holds"],
        bounds=tuple(map(Requirement, case.get("bounds", ()))),
        installed=held(case.get("installed", {})),
    )
    shelf = Memory(
        case["shelf"], case.get("python", {}), case.get("yanked", ()), case.get("said", {})
    )
    found = find_conflict(asked, shelf) or Conflict((), ())
    assert [list(holds) for holds in found.sets] == case["conflict"]
    assert [chain_text(chain) for chain in found.chains] == case.get("chains", [])
    assert [[freed_text(each) for each in way] for way in found.ways] == case.get("ways", [])


def chain_text(chain: Chain) -> str:
    links = [
        f"{(link.name + ' ' + link.version).strip() or 'you'} needs {link.needs}"
        for link in chain.links
    ]
    links[0] = links[0].replace("you needs", "you need")
    becomes = f", would be {chain.becomes}" if chain.becomes else ""
    itself = f" needs {chain.itself_needs}" if chain.itself_needs else ""
    return f"{'; '.join(links)} | {chain.hold} {chain.version}{itself}{becomes}"


def freed_text(freed: Freed) -> str:
    becomes = f", would be {freed.becomes}" if freed.becomes else ""
    return f"{freed.name}: {', '.join(freed.bounds)}{becomes}"


def test_a_url_and_unknown_metadata_are_too_hard() -> None:
    with pytest.raises(TooHard):
        solve(question(["x @ https://example.org/x.whl"], {}), Memory({}))
    with pytest.raises(TooHard):
        solve(question(["x"], {}), Memory({"x 1": ["y @ https://example.org/y.whl"]}))


# ------------------------------------------------------------------------------- brute force

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2")
_BOUNDS = st.sampled_from(["", ">=2", "<2"])
_LINES = st.lists(st.tuples(st.sampled_from(NAMES), _BOUNDS).map("".join), max_size=2)


@dataclass
class Asked(Memory):
    """A shelf that writes down of what it was asked."""

    names: set[str] = field(default_factory=set)

    def releases(self, name: str) -> list[Release]:
        self.names.add(name)
        return super().releases(name)


HOUSE = {
    **{f"easy{number} {version}": [f"need{number}"] for number in range(9) for version in "21"},
    **{f"need{number} {version}": [] for number in range(9) for version in "21"},
    "vision 5": ["numpy>=2"],
    "vision 4": ["numpy"],
    "sliding 2": ["numpy>=2"],
    "sliding 1": ["numpy"],
    "numpy 2": [],
}


@pytest.mark.parametrize(
    ("more", "conflict"), [(["vision>=5", "sliding"], [["numpy"]]), (["sliding"], [])]
)
def test_of_a_large_request_nobody_is_asked_about_what_would_do_by_itself(
    more: list[str], conflict: list[list[str]]
) -> None:
    """What slides to an older release is no reason; without a reason, all has been looked at."""
    wanted = [*(f"easy{number}" for number in range(9)), *more]
    planned = {
        **{f"easy{number}": (f"need{number}",) for number in range(9)},
        "vision": ("numpy>=2",),
        "sliding": ("numpy>=2",),
    }
    shelf = Asked(HOUSE)
    asked = question(wanted, {"numpy 1": []}, planned=planned)
    found = find_conflict(asked, shelf) or Conflict((), ())
    assert [list(holds) for holds in found.sets] == conflict
    easy = {name for name in shelf.names if name.startswith(("easy", "need"))}
    assert bool(easy) is not bool(conflict)


def test_a_large_request_of_which_only_two_parts_do_not_go_together_is_explained() -> None:
    shelf = Memory(
        {**HOUSE, "left 1": ["numpy", "far"], "far 1": ["libc==1"], "right 1": ["libc==2"]}
    )
    wanted = [*(f"easy{number}" for number in range(9)), "left", "right"]
    planned = {"left": ("numpy", "far"), "far": ("libc==1",), "right": ("libc==2",)}
    asked = question(wanted, {"numpy 1": [], "libc 1": []}, planned=planned)
    found = find_conflict(asked, shelf)
    assert found is None  # what is wanted contradicts itself, whatever conda has


def test_a_prerelease_is_not_tried_where_final_releases_did_not_do() -> None:
    """As pip has it; each would be a question to an index, and one more way to try."""
    lines = {"app 2": ["numpy>=2"], "app 1": ["numpy>=2"], "app 3rc1": ["numpy"]}
    asked = question(["app"], {"numpy 1": []})
    assert solve(asked, Memory(lines)).solution is None


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Question, Memory]:
    lines = {f"{name} {version}": draw(_LINES) for name in NAMES for version in VERSIONS}
    names = draw(st.sets(st.sampled_from(NAMES), max_size=4))
    holds = {f"{name} {draw(st.sampled_from(VERSIONS))}": draw(_LINES) for name in sorted(names)}
    wanted = draw(
        st.lists(st.tuples(st.sampled_from(NAMES), _BOUNDS).map("".join), min_size=1, max_size=2)
    )
    return question(wanted, holds), Memory(lines)


def possible(asked: Question, shelf: Memory, free: frozenset[str]) -> bool:
    """Whether any choice of versions meets the request: all are tried."""
    for choice in product((None, *VERSIONS), repeat=len(NAMES)):
        chosen = {name: version for name, version in zip(NAMES, choice, strict=True) if version}
        kept = (
            chosen.get(name, hold.version) == hold.version or name in free
            for name, hold in asked.holds.items()
        )
        if all(kept) and all(_met(each, chosen) for each in _all_wishes(asked, shelf, chosen)):
            return True
    return False


def _all_wishes(asked: Question, shelf: Memory, chosen: Mapping[str, str]) -> Iterator[Requirement]:
    yield from asked.wanted
    for name, version in chosen.items():
        hold = asked.holds.get(name)
        is_there = hold is not None and hold.version == version
        lines = hold.requires if hold is not None and is_there else shelf.lines[f"{name} {version}"]
        yield from (Requirement(line) for line in lines if Requirement(line).name != name)


def _met(requirement: Requirement, chosen: Mapping[str, str]) -> bool:
    version = chosen.get(requirement.name)
    return version is not None and requirement.specifier.contains(version)


@given(worlds(), st.sets(st.sampled_from(NAMES)))
@settings(max_examples=300)
def test_a_solution_is_found_when_there_is_one(
    world: tuple[Question, Memory], free: set[str]
) -> None:
    asked, shelf = world
    solution = solve(asked, shelf, free).solution
    assert (solution is not None) == possible(asked, shelf, frozenset(free))
    if solution is not None:
        assert all(
            _met(each, solution.versions) for each in _all_wishes(asked, shelf, solution.versions)
        )


def test_what_the_resolver_forgets_is_part_of_a_solution() -> None:
    lines = {"b 2": ["c"], "b 1": [], "c 2": ["a", "b<2"], "c 1": [], "a 2": ["c<2"], "a 1": []}
    solution = solve(question(["b"], {}), Memory(lines)).solution
    assert solution is not None
    assert solution.versions == {"b": "2", "c": "1"}


@given(worlds())
@settings(max_examples=300)
def test_a_conflict_is_the_smallest_and_so_is_what_frees(world: tuple[Question, Memory]) -> None:
    asked, shelf = world
    everything = frozenset(asked.holds)
    conflict = find_conflict(asked, shelf)
    is_condas = not possible(asked, shelf, frozenset()) and possible(asked, shelf, everything)
    assert (conflict is not None) == is_condas
    if conflict is None:
        return
    for holds in map(frozenset, conflict.sets):
        assert not possible(asked, shelf, everything - holds)
        assert all(possible(asked, shelf, everything - (holds - {hold})) for hold in holds)
    ways = [frozenset(freed.name for freed in way) for way in conflict.ways]
    size = next(n for n in range(5) if any(possible(asked, shelf, f) for f in _sets(everything, n)))
    smallest = [free for free in _sets(everything, size) if possible(asked, shelf, free)]
    assert set(ways) <= set(smallest)
    assert len(ways) == min(len(smallest), 3)
    in_the_way = {hold for holds in conflict.sets for hold in holds}
    assert {chain.hold for chain in conflict.chains} <= in_the_way


def _sets(names: frozenset[str], size: int) -> list[frozenset[str]]:
    return [frozenset(each) for each in combinations(sorted(names), size)]
