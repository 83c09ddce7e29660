"""From a row's cells to what the ledger is asked to import, column by column, every fault named.

A reserve line is written as its cost type; a head of loss follows a slash, and ` our_share` says
that the line is kept for our share and not for the whole claim: `damages`, `damages/psla`,
`defence_costs our_share`.
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from commands.fields import Day, Maybe, Text
from commands.history_import import Row, RowKind
from domain.errors import BadMoney, BadValue, MissingField, Refused
from domain.money import EXPONENT, Money
from domain.refusals.money import AmountNegative, AmountNotPositive
from domain.terms import Basis, CostType, Head, Jurisdiction, Line, Pathway
from edge.importing.refusals import NotADay, NotInList
from edge.importing.source import COLUMNS

SHOWN_CHARS_MAX = 40  # of a cell, in a message
VALUES_KEPT = 20_000  # days and lines that are met again and again are made out once
LINE_DEFAULT = "damages"
_NEEDED = frozenset({"effective_on", "kind"})
_PLACE = {name: number for number, name in enumerate(COLUMNS)}
_CURRENCY = _PLACE["currency"]

# What could be made out of a row, by column; what is not there or unreadable is left out.
Values = dict[str, Any]
Kind = TypeVar("Kind", bound=StrEnum)
Bounded = TypeVar("Bounded", date, str)
Fault = tuple[str, Refused]  # the column and what is wrong there


def values_of(cells: Sequence[str], currency: str) -> tuple[Values, list[Fault]]:
    """The values of a row and its faults; `currency` is that of a row that names none.

    Values are under the bounds that hold for every command.
    """
    values, faults = dict[str, Any](), list[Fault]()
    own = cells[_CURRENCY] or currency
    if own in EXPONENT:
        values["currency"] = own
    else:
        faults.append(
            ("currency", BadMoney("currency", f"{own[:8]!r} is not an ISO 4217 currency"))
        )
    for column, place, read in _READERS:
        text = cells[place]
        try:
            if text:
                values[column] = read(text)
            elif column in _NEEDED:
                raise MissingField(column)
        except Refused as error:
            faults.append((column, error))
    if own in EXPONENT:
        for column, place, default, read_money in _MONEY_READERS:
            text = cells[place] or default
            try:
                if text:
                    values[column] = read_money(text, own)
            except Refused as error:
                faults.append((column, error))
    return values, faults


def row_of(number: int, values: Values) -> Row:
    """The row as the ledger takes it, from the values of a row without a fault."""
    get = values.get
    return Row(
        number,
        values["kind"],
        values["effective_on"],
        values["line"],
        get("amount"),
        get("estimate"),
        get("handler", ""),
        get("pathway"),
        get("jurisdiction"),
        get("event_date"),
        get("notified_on"),
        get("note", ""),
    )


def _amount(text: str, currency: str) -> Money:
    amount = Money.parse(text, currency, "amount")
    if amount.minor <= 0:
        raise AmountNotPositive(amount)
    return amount


def _estimate(text: str, currency: str) -> Money:
    estimate = Money.parse(text, currency, "estimate")
    if estimate.minor < 0:
        raise AmountNegative(estimate)
    return estimate


@lru_cache(VALUES_KEPT)
def _line(text: str, currency: str) -> Line:
    what, _, share = text.partition(" ")
    if share and share != Basis.OUR_SHARE.value:
        raise NotInList("line", _shown(text), "damages, damages/psla, defence_costs our_share ...")
    cost, slash, head = what.partition("/")
    cost_type = _one_of(CostType, "line", cost)
    if slash and cost_type is not CostType.DAMAGES:
        raise BadValue("line", f"a {cost_type.value} line has no head of loss")
    basis = Basis.OUR_SHARE if share else Basis.GROSS
    return Line(cost_type, currency, _one_of(Head, "line", head) if slash else None, basis)


@lru_cache(VALUES_KEPT)
def _day(column: str, text: str) -> date:
    try:
        if len(text) == len("2026-03-31") and text[4] == text[7] == "-":
            return _bounded(_days, column, date.fromisoformat(text))
    except ValueError:
        pass
    raise NotADay(column, _shown(text))


@lru_cache(VALUES_KEPT)
def _handler(text: str) -> str:
    return _bounded(_references, "handler", text)


def _note(text: str) -> str:
    return _bounded(_texts, "note", text)


def _bounded(bounds: TypeAdapter[Bounded], column: str, value: Bounded) -> Bounded:
    """The value, under the bounds of every command's fields."""
    try:
        return bounds.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadValue(column, first["msg"]) from None


def _one_of(kind: type[Kind], column: str, text: str) -> Kind:
    try:
        return kind(text)
    except ValueError:
        raise NotInList(column, _shown(text), ", ".join(kind)) from None


def _shown(text: str) -> str:
    """The beginning of a cell, for a message: enough to find it, and never a whole note."""
    shown = text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 1] + "\u2026"
    return "".join(char if char.isprintable() else "\ufffd" for char in shown)


_days: TypeAdapter[date] = TypeAdapter(Day)
_references: TypeAdapter[str] = TypeAdapter(Maybe)
_texts: TypeAdapter[str] = TypeAdapter(Text)
_READ: dict[str, Callable[[str], Any]] = {
    "effective_on": partial(_day, "effective_on"),
    "kind": partial(_one_of, RowKind, "kind"),
    "handler": _handler,
    "pathway": partial(_one_of, Pathway, "pathway"),
    "jurisdiction": partial(_one_of, Jurisdiction, "jurisdiction"),
    "event_date": partial(_day, "event_date"),
    "notified_on": partial(_day, "notified_on"),
    "note": _note,
}
_READERS = tuple((column, _PLACE[column], read) for column, read in _READ.items())
_READ_MONEY: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "line": (LINE_DEFAULT, _line),
    "amount": ("", _amount),
    "estimate": ("", _estimate),
}
_MONEY_READERS = tuple((column, _PLACE[column], *how) for column, how in _READ_MONEY.items())
