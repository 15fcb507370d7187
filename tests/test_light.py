"""The named tuple that is quick to import does what that of the standard library does."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from safepip.values import light

if TYPE_CHECKING:
    from collections.abc import Callable


def values_of(base: Any) -> Any:
    """A class of values by a named tuple."""

    class Value(base):  # type: ignore[misc] # either of both
        name: str
        parts: tuple[int, ...] = ()
        size: int = 0

        @property
        def is_empty(self) -> bool:
            return not self.parts

    return Value


Usual, Light = values_of(NamedTuple), values_of(light.NamedTuple)


def matched(of: Any, value: Any) -> Any:
    match value:
        case of(name, parts, size=found):
            return name, parts, found
        case _:
            return None


USES: dict[str, Callable[[Any], Any]] = {
    "by place": lambda of: of("a", (1,), 2),
    "by name": lambda of: of(size=2, name="a"),
    "both": lambda of: of("a", size=2),
    "defaults": lambda of: of("a"),
    "replaced": lambda of: of("a", (1,))._replace(name="b", size=3),
    "fields": lambda of: (of("a").name, of("a", (1,)).parts, of("a", size=5).size),
    "property": lambda of: (of("a").is_empty, of("a", (1,)).is_empty),
    "as a dict": lambda of: of("a", (1,))._asdict(),
    "matched": lambda of: matched(of, of("a", (1,), 2)),
    "unpacked": lambda of: [*of("a", (1,), 2)],
    "equal": lambda of: (of("a") == of("a"), of("a") == of("b"), of("a") == ("a", (), 0)),
    "hash": lambda of: hash(of("a", (1,))),
    "shown": lambda of: repr(of("a", (1,), 2)).replace(of.__name__, ""),
    "copied": lambda of: copy.deepcopy(of("a", (1,), 2)),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_it_does_what_the_usual_one_does(use: Callable[[Any], Any]) -> None:
    found = use(Light)
    assert found == use(Usual)
    assert type(found) is (Light if type(use(Usual)) is Usual else type(use(Usual)))


@pytest.mark.parametrize(
    "use",
    [
        lambda of: of(),
        lambda of: of("a", (), 0, 1),
        lambda of: of("a", name="b"),
        lambda of: of("a", colour=1),
        lambda of: of("a")._replace(colour=1),
    ],
    ids=["too few", "too many", "twice", "unknown", "unknown to replace"],
)
def test_what_does_not_fit_the_fields_is_an_error(use: Callable[[Any], Any]) -> None:
    for of in (Usual, Light):
        with pytest.raises((TypeError, ValueError)):
            use(of)


@pytest.mark.parametrize("of", [Usual, Light])
def test_no_field_can_be_set(of: Any) -> None:
    with pytest.raises(AttributeError):
        of("a").name = "b"
    with pytest.raises(AttributeError):
        of("a").colour = "red"
