"""From a row's cells to what the ledger is asked to import, column by column, every fault named.

A reserve line is written as its cost type; a head of loss follows a slash, and ` our_share` says
that the line is kept for our share and not for the whole claim: `damages`, `damages/psla`,
`defence_costs our_share`.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, TypeVar

from pydantic import ValidationError

from commands.history_import import Row, RowKind
from domain.errors import BadMoney, BadValue, MissingField, Refused
from domain.money import EXPONENT, Money, nil
from domain.refusals.money import AmountNegative, AmountNotPositive
from domain.terms import Basis, CostType, Head, Jurisdiction, Line, Pathway
from edge.importing.refusals import NotADay, NotInList
from edge.importing.source import COLUMNS

SHOWN_CHARS_MAX = 40  # of a cell, in a message
VALUES_KEPT = 20_000  # days and lines that are met again and again are made out once
LINE_DEFAULT = "damages"
ROW_MONEY = ("amount", "estimate")
_PLACE = {name: number for number, name in enumerate(COLUMNS)}

Kind = TypeVar("Kind", bound=StrEnum)
Fault = tuple[str, Refused]  # the column and what is wrong there


class Values(dict[str, Any]):
    """What could be made out of a row, by column; what is not there or unreadable is left out."""

    def money(self, column: str) -> Money | None:
        """The amount in a column."""
        return self.get(column)


def values_of(cells: tuple[str, ...], currency: str) -> tuple[Values, list[Fault]]:
    """The values of a row and its faults; `currency` is that of a row that names none."""
    values, faults = Values(), list[Fault]()
    own = cells[_PLACE["currency"]] or currency
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
            elif column in ("effective_on", "kind"):
                raise MissingField(column)
        except Refused as error:
            faults.append((column, error))
    if own in EXPONENT:
        faults += _read_money(values, cells, own)
    return values, faults


def _read_money(values: Values, cells: tuple[str, ...], currency: str) -> list[Fault]:
    faults: list[Fault] = []
    readers: dict[str, Callable[[str], Any]] = {
        "line": partial(_line, currency=currency),
        "amount": partial(_amount, currency=currency),
        "estimate": partial(_estimate, currency=currency),
    }
    for column, read in readers.items():
        text = cells[_PLACE[column]] or (LINE_DEFAULT if column == "line" else "")
        try:
            if text:
                values[column] = read(text)
        except Refused as error:
            faults.append((column, error))
    return faults


def row_of(number: int, values: Values) -> Row | Fault:
    """The row as the ledger takes it, under the bounds that hold for every command."""
    try:
        return Row(row=number, **{name: values[name] for name in values if name != "currency"})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        column = str(first["loc"][0])
        return column, BadValue(column, first["msg"])


def _amount(text: str, currency: str) -> Money:
    amount = Money.parse(text, currency, "amount")
    if amount <= nil(currency):
        raise AmountNotPositive(amount)
    return amount


def _estimate(text: str, currency: str) -> Money:
    estimate = Money.parse(text, currency, "estimate")
    if estimate < nil(currency):
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
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotADay(column, _shown(text))


def _one_of(kind: type[Kind], column: str, text: str) -> Kind:
    try:
        return kind(text)
    except ValueError:
        raise NotInList(column, _shown(text), ", ".join(kind)) from None


def _shown(text: str) -> str:
    """The beginning of a cell, for a message: enough to find it, and never a whole note."""
    shown = text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 1] + "\u2026"
    return "".join(char if char.isprintable() else "\ufffd" for char in shown)


_READ: dict[str, Callable[[str], Any]] = {
    "effective_on": partial(_day, "effective_on"),
    "kind": partial(_one_of, RowKind, "kind"),
    "handler": str,
    "pathway": partial(_one_of, Pathway, "pathway"),
    "jurisdiction": partial(_one_of, Jurisdiction, "jurisdiction"),
    "event_date": partial(_day, "event_date"),
    "notified_on": partial(_day, "notified_on"),
    "note": str,
}
_READERS = tuple((column, _PLACE[column], read) for column, read in _READ.items())
