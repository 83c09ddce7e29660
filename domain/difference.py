"""What differs between two states: each field by its path, with what it was and what it became."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from domain.money import Money
from domain.terms import Line

Plain = str | int | bool | None
_VALUES = (str, int, Money, Line, date, Enum, Fraction)


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
    return tuple(sorted(_changed("", before, after), key=lambda changed: changed.path))


def _changed(path: str, before: Any, after: Any) -> Iterator[Changed]:
    if before is after:
        return
    old, new = _parts(before), _parts(after)
    if old is None and new is None:
        was, became = _plain(before), _plain(after)
        if (type(was), was) != (type(became), became):
            yield Changed(path, was, became)
        return
    if old is None and before is not None:  # one value gave way to something with parts
        yield Changed(path, _plain(before), None)
    if new is None and after is not None:
        yield Changed(path, None, _plain(after))
    old, new = old or {}, new or {}
    prefix = f"{path}." if path else ""
    for key in [*old, *(key for key in new if key not in old)]:
        yield from _changed(prefix + key, old.get(key), new.get(key))


def _parts(value: Any) -> dict[str, Any] | None:
    """What a value is made of, by name; None for what is one value."""
    if value is None or isinstance(value, _VALUES):
        return None
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}  # type: ignore[misc]
    if isinstance(value, tuple | list):
        return {str(index): part for index, part in enumerate(value)}
    if isinstance(value, Set):
        return {str(member): True for member in value}
    if is_dataclass(value):
        return {name: getattr(value, name) for name in _names(type(value))}
    return None


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _plain(value: Any) -> Plain:
    if isinstance(value, Enum):
        return str(value.value)
    return value if value is None or isinstance(value, str | int) else str(value)
