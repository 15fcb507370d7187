"""A class that is made late is, from its first value on, what the standard library makes of it."""

from __future__ import annotations

import dataclasses
import gc
import subprocess
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from safepip.values import late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


def kinds(decorate: Any) -> tuple[type, type]:
    """A class and one that goes on with it, decorated alike."""

    @decorate(frozen=True)
    class Base:
        kind: ClassVar[str] = "base"
        name: str
        parts: tuple[int, ...] = ()
        known: dict[str, str] = dataclasses.field(default_factory=dict)

    @decorate(frozen=True, kw_only=True)
    class More(Base):
        size: int = dataclasses.field(default=0, compare=False)
        secret: str = dataclasses.field(default="", repr=False)

    return Base, More


LATE, AT_ONCE = kinds(late.dataclass), kinds(dataclasses.dataclass)


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_what_the_standard_library_makes(which: int) -> None:
    ours, theirs = LATE[which], AT_ONCE[which]
    made = [cls("a", (1,), known={"b": "c"}) for cls in (ours, theirs)]
    assert repr(made[0]) == repr(made[1])
    assert dataclasses.asdict(made[0]) == dataclasses.asdict(made[1])
    assert [f.name for f in late.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
    assert made[0] == dataclasses.replace(made[0])
    assert made[0] != dataclasses.replace(made[0], name="z")
    assert vars(ours)["__match_args__"] == vars(theirs)["__match_args__"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made[0].name = "b"
    assert len({ours("a", known=()), ours("a", known=())}) == 1
    for cls in (ours, theirs):
        with pytest.raises(TypeError, match="name"):
            cls()


def test_a_class_may_be_made_before_the_one_it_goes_on_with() -> None:
    base, more = kinds(late.dataclass)
    assert more("a", size=3) == more("a", size=4) != base("a")


def test_a_class_without_a_value_has_fields() -> None:
    _, more = kinds(late.dataclass)
    assert [one.name for one in late.fields(more)] == ["name", "parts", "known", "size", "secret"]


def test_what_makes_no_value_makes_no_class() -> None:
    counted = (
        "from safepip.values import findings\n"
        "def made():\n"
        "    kinds = (one for one in vars(findings).values() if isinstance(one, type))\n"
        "    return sorted(k.__name__ for k in kinds if '__dataclass_fields__' in vars(k))\n"
        "print(made(), 'Base' in vars(findings))\n"
        "findings.Pixi()\n"
        "print(made())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", counted], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[] True", "['Finding', 'Pixi']"]


@pytest.fixture
def _no_collection() -> Iterator[None]:
    """No interruption can be raised out of what is called back by the collector of garbage."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection")
def test_who_is_interrupted_while_it_is_made_can_make_it_again() -> None:
    """An interruption comes between any two lines: here at each seventh, in makings of its own."""
    before, struck, after = sys.gettrace(), True, 0
    while struck:
        _, more = kinds(late.dataclass)
        try:
            sys.settrace(interrupted(after))
            more("a", size=3)
        except KeyboardInterrupt:
            after += 7
        else:
            struck = False
        finally:
            sys.settrace(before)
        assert more("a", size=3) == more("a", size=4) != more("b")
    assert after > 100


def interrupted(lines: int) -> Callable[[FrameType, str, object], Any]:
    """What has a program interrupted once, before that many lines of it."""
    left = lines

    def trace(_frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    return trace
