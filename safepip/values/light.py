"""`NamedTuple` of the standard library, for the few classes that every call passes. Pure.

    class Target(NamedTuple): ...

To import `typing` takes as long as to start Python, and what only becomes pip needs nothing else of
it. This one has fields, defaults, comparing, matching, `_asdict` and `_replace`. To type checkers
it is that of `typing`.
"""

from __future__ import annotations

__all__ = ["TYPE_CHECKING", "NamedTuple"]

TYPE_CHECKING = False
"""As that of `typing`: type checkers take it for true."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NamedTuple


class _NamedTuple(tuple):  # type: ignore[type-arg] # of any values
    __slots__ = ()
    _fields: tuple[str, ...]
    __match_args__: tuple[str, ...]
    _defaults: dict[str, object]

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        cls.__match_args__ = cls._fields  # type: ignore[misc] # mypy expects it to be written out
        cls._defaults = {name: vars(cls)[name] for name in cls._fields if name in vars(cls)}
        for at, name in enumerate(cls._fields):
            setattr(cls, name, property(_itemgetter(at)))

    def __new__(cls, *values: object, **named: object) -> _NamedTuple:  # noqa: PYI034 - Python 3.11
        given = {**dict(zip(cls._fields, values, strict=False)), **named}
        found = {**cls._defaults, **given}
        if len(given) != len(values) + len(named) or found.keys() != {*cls._fields}:
            fields = ", ".join(cls._fields)
            raise TypeError(f"{cls.__name__}({fields}) cannot be made of {values} and {named}")
        return tuple.__new__(cls, [found[name] for name in cls._fields])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of {type(self).__name__} cannot be set")

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        values = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)
        )
        return f"{type(self).__name__}({values})"

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **changes: object) -> _NamedTuple:
        return type(self)(**{**self._asdict(), **changes})


def _itemgetter(at: int) -> Callable[[tuple[Any, ...]], Any]:
    return lambda values: values[at]


if not TYPE_CHECKING:
    NamedTuple = _NamedTuple
