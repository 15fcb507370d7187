"""`dataclass` of the standard library, applied to a class when its first value is made. Pure.

    @dataclass(frozen=True)
    class Step: ...

What it writes into a class is compiled anew in every process, and that takes half a millisecond a
class: together half of what pip itself needs to start, while most commands make values of few
classes. So here, until the first value, a class only has a way to begin. From then on it is what
the standard library makes of it, but for what need not be compiled: comparing, hashing and showing
are the same few lines for all, and half of the time.
"""

from __future__ import annotations

from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dataclasses
    from collections.abc import Callable
    from dataclasses import dataclass

__all__ = ["dataclass", "fields", "make_classes_of"]

_pending: dict[type, dict[str, bool]] = {}
"""The classes of which there is no value yet, and how they are to be made."""


def fields(of: Any) -> tuple[dataclasses.Field[Any], ...]:  # noqa: ANN401 - a class, or a value of one
    """Give what `dataclasses.fields` gives, also of a class that has no value yet."""
    import dataclasses

    if isinstance(of, type):
        _make(of)
    return dataclasses.fields(of)


def make_classes_of(*modules: str) -> None:
    """Make the classes of modules that are imported, while nothing else is to be done."""
    for cls in [cls for cls in _pending if cls.__module__ in modules]:
        _make(cls)


def _late(*, frozen: bool, kw_only: bool = False) -> Callable[[type], type]:
    def decorate(cls: type) -> type:
        def begin(self: object, *arguments: object, **named: object) -> None:
            _make(cls)
            cls.__init__(self, *arguments, **named)  # type: ignore[misc] # the one that was made

        cls.__init__ = begin  # type: ignore[misc]
        _pending[cls] = {"frozen": frozen, "kw_only": kw_only}
        return cls

    return decorate


def _make(cls: type) -> None:
    import dataclasses  # with `inspect` and what that needs: before the first value nobody wants it

    for base in reversed(cls.__mro__):
        how = _pending.get(base)
        if how is None:
            continue
        before = dict(vars(base))
        try:
            del base.__init__  # type: ignore[misc]
            dataclasses.dataclass(eq=False, repr=False, **how)(base)
            _add_shared(base, dataclasses.fields(base))
            del _pending[base]
        except BaseException:
            _unmake(base, before)
            _pending[base] = how
            raise


def _add_shared(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> None:
    """Add the methods that are the same for every class; those that it has itself stay."""
    compared = _values_of([f.name for f in fields if f.compare])
    shown = [f.name for f in fields if f.repr]

    def equal(one: Any, other: Any) -> Any:  # noqa: ANN401 - values of any class
        return compared(one) == compared(other) if type(other) is type(one) else NotImplemented

    def digest(one: Any) -> int:  # noqa: ANN401 - as above
        return hash(compared(one))

    @recursive_repr()
    def represent(one: Any) -> str:  # noqa: ANN401 - as above
        values = ", ".join(f"{name}={getattr(one, name)!r}" for name in shown)
        return f"{one.__class__.__qualname__}({values})"

    own = vars(cls)
    if "__repr__" not in own:
        cls.__repr__ = represent  # type: ignore[assignment]
    if "__eq__" not in own:
        cls.__eq__ = equal  # type: ignore[assignment]
        if "__hash__" not in own:
            cls.__hash__ = digest  # type: ignore[assignment]


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _unmake(cls: type, before: dict[str, Any]) -> None:
    """Have a class as it was, so that who is interrupted here can still say so with a value."""
    for name, value in dict(vars(cls)).items():
        if name not in before:
            delattr(cls, name)
        elif value is not before[name]:
            setattr(cls, name, before[name])
    for name in before.keys() - vars(cls).keys():
        setattr(cls, name, before[name])


if not TYPE_CHECKING:
    dataclass = _late
