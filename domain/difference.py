"""What differs between two states: each field by its path, with what it was and what it became."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from domain.claim.reserves import LineState
from domain.money import Money, decimal
from domain.terms import Line
from domain.value import Value

AMOUNTS_KEPT_MAX = 4_096  # what a line became is soon what it was, and nil comes all the time

Plain = str | int | bool | None
_PLAIN = (str, int, bool)
_VALUES = (str, int, Money, Line, date, Enum, Fraction, type(None))


class Changed(NamedTuple):
    """One field: its dotted path, and its values as plain data; None is also "not there"."""

    path: str
    before: Plain
    after: Plain


def changed_fields(before: object, after: object) -> tuple[Changed, ...]:
    """Every field that differs, by path, in the order of the paths.

    Values are read field by field, mappings by key, tuples by index, sets by member. An
    amount, a line, a date, an enum or a fraction is one value, given as text.
    Complexity: what both share as one object is not looked into.
    """
    if before is after:
        return ()
    found: list[Changed] = []
    _find(found, "", before, after)
    found.sort(key=itemgetter(0))
    return tuple(found)


def _find(found: list[Changed], prefix: str, before: Any, after: Any) -> None:
    """What differs between two objects that are not one; what they are is `prefix` but its dot."""
    old, new = _KINDS[type(before)], _KINDS[type(after)]
    if old is None or new is None:  # one value took the place of another, or of what has parts
        was, became = None if old else _plain(before), None if new else _plain(after)
        if was != became or type(was) is not type(became):
            found.append(Changed(prefix[:-1], was, became))
        if old is new:
            return
    if old is new and old is not None and old.names:
        pairs: Iterable[tuple[Any, Any, Any]]
        pairs = zip(old.names, old.values(before), old.values(after), strict=False)
    else:
        pairs = _pairs(old, before, new, after)
    for key, part, other in pairs:
        if part is other:
            continue
        if type(key) is Line and LineState in (type(part), type(other)):
            _find_figures(found, f"{prefix}{key}", key.currency, part, other)
        else:
            _find(found, f"{prefix}{key}.", part, other)


class _Kind(NamedTuple):
    """How values of a type are taken apart: into parts by key, or by the names they all have."""

    parts: Callable[[Any], Mapping[Any, Any]]
    names: tuple[str, ...] = ()
    values: Callable[[Any], tuple[Any, ...]] = tuple


class _Kinds(dict[type[Any], _Kind | None]):
    """Each type that was met, None for one whose values have no parts."""

    def __missing__(self, kind: type[Any]) -> _Kind | None:
        self[kind] = found = _found(kind)
        return found


_KINDS = _Kinds()
_NOTHING: Mapping[Any, Any] = {}


def _found(kind: type[Any]) -> _Kind | None:
    if issubclass(kind, _VALUES):
        return None
    if issubclass(kind, Value):
        return _of_fields(kind.__struct_fields__)
    if issubclass(kind, Mapping):
        return _Kind(_same)
    if issubclass(kind, tuple | list):
        return _Kind(_by_index)
    if issubclass(kind, Set):
        return _Kind(_by_member)
    return None


def _same(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return value


def _by_index(value: Sequence[Any]) -> Mapping[Any, Any]:
    return dict(enumerate(value))


def _by_member(value: Set[Any]) -> Mapping[Any, Any]:
    return dict.fromkeys(value, True)


def _of_fields(names: tuple[str, ...]) -> _Kind:
    read = attrgetter(*names, "__class__")  # of a single name it would not give a tuple

    def parts(value: object) -> Mapping[Any, Any]:
        return dict(zip(names, read(value), strict=False))

    return _Kind(parts, names, read)


def _pairs(
    old: _Kind | None, before: Any, new: _Kind | None, after: Any
) -> Iterable[tuple[Any, Any, Any]]:
    """Each key with what is there before and after; None is "not there"."""
    was, became = old.parts(before) if old else _NOTHING, new.parts(after) if new else _NOTHING
    if not was:
        return [(key, None, part) for key, part in became.items()]
    keys = list(became)
    if list(was) == keys[: len(was)]:  # a state mostly grows: to compare is cheaper than to look up
        return zip_longest(keys, was.values(), became.values())
    return [(key, was.get(key), became.get(key)) for key in {**was, **became}]


_FIGURES = ("estimate", "paid", "recovered")
_figures = attrgetter(*_FIGURES)
_NO_FIGURES = (None, None, None)


def _find_figures(
    found: list[Changed],
    path: str,
    currency: str,
    before: LineState | None,
    after: LineState | None,
) -> None:
    """A reserve line's figures as amounts: its state is counted in the currency of its key."""
    earlier = _figures(before) if before else _NO_FIGURES
    later = _figures(after) if after else _NO_FIGURES
    for name, was, became in zip(_FIGURES, earlier, later, strict=True):
        if was != became:
            amounts = _amount(was, currency), _amount(became, currency)
            found.append(Changed(f"{path}.{name}", *amounts))


@lru_cache(AMOUNTS_KEPT_MAX)
def _amount(minor: int | None, currency: str) -> Plain:
    return None if minor is None else f"{currency} {decimal(minor, currency)}"


def _plain(value: Any) -> Plain:
    if value is None or type(value) in _PLAIN:
        plain: Plain = value
        return plain
    return str(value.value if isinstance(value, Enum) else value)
