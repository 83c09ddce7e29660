"""What differs between two states: each field by its path, with what it was and what it became."""

from collections.abc import Callable, Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

from domain.claim.reserves import LineState
from domain.money import Money
from domain.terms import Line

Plain = str | int | bool | None
_VALUES = (str, int, Money, Line, date, Enum, Fraction)
_READERS: dict[type, Callable[[Any], Mapping[Any, Any] | None]] = {}  # found once for each kind


class Changed(NamedTuple):
    """One field: its dotted path, and its values as plain data; None is also "not there"."""

    path: str
    before: Plain
    after: Plain


def changed_fields(before: object, after: object) -> tuple[Changed, ...]:
    """Every field that differs, by path, in the order of the paths.

    Dataclasses are read field by field, mappings by key, tuples by index, sets by member. An
    amount, a line, a date, an enum or a fraction is one value, given as text.
    Complexity: what both share as one object is not looked into.
    """
    found: list[Changed] = []
    _find(found, "", before, after)
    return tuple(sorted(found, key=lambda changed: changed.path))


def _find(found: list[Changed], path: str, before: Any, after: Any) -> None:
    if before is after:
        return
    old, new = _parts(before), _parts(after)
    if old is None and new is None:
        was, became = _plain(before), _plain(after)
        if (type(was), was) != (type(became), became):
            found.append(Changed(path, was, became))
        return
    if old is None and before is not None:  # one value gave way to something with parts
        found.append(Changed(path, _plain(before), None))
    if new is None and after is not None:
        found.append(Changed(path, None, _plain(after)))
    old, new = old or {}, new or {}
    prefix = f"{path}." if path else ""
    for key in [*old, *(key for key in new if key not in old)]:
        was, became = old.get(key), new.get(key)
        if was is not became:
            _find(found, f"{prefix}{key}", _counted(key, was), _counted(key, became))


def _parts(value: object) -> Mapping[Any, Any] | None:
    """What a value is made of, by name, key or index; None for what is one value."""
    kind = type(value)
    reader = _READERS.get(kind)
    if reader is None:
        reader = _READERS[kind] = _reader(kind)
    return reader(value)


def _reader(kind: type[object]) -> Callable[[Any], Mapping[Any, Any] | None]:
    """How the parts of a kind of value are found."""
    if issubclass(kind, _VALUES):
        return lambda _: None
    if is_dataclass(kind):
        names = [each.name for each in fields(kind)]
        return lambda value: {name: getattr(value, name) for name in names}
    if issubclass(kind, Mapping):
        return lambda value: value
    if issubclass(kind, tuple | list):
        return lambda value: dict(enumerate[Any](value))
    if issubclass(kind, Set):
        return lambda value: dict.fromkeys(value, True)
    return lambda _: None


def _counted(key: object, part: object) -> object:
    """A reserve line's figures as amounts: its state is counted in the currency of its key."""
    if not (isinstance(key, Line) and isinstance(part, LineState)):
        return part
    figures = (part.estimate, part.paid, part.recovered)
    names = ("estimate", "paid", "recovered")
    return {name: Money(minor, key.currency) for name, minor in zip(names, figures, strict=True)}


def _plain(value: Any) -> Plain:
    if isinstance(value, Enum):
        return str(value.value)
    return value if value is None or isinstance(value, str | int) else str(value)
