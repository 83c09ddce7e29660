"""Choices that every act of a random history makes: which day, which of the known, which line."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TypeVar

from hypothesis.strategies import DrawFn

from domain.terms import CostType, Head, Line
from tests.scribe import Scribe
from tests.values import pick

T = TypeVar("T")


def back(draw: DrawFn, scribe: Scribe) -> date:
    return scribe.today - timedelta(days=pick(draw, [0, 0, 0, 1, 4, 9, 25]))


def one(draw: DrawFn, known: Mapping[str, T], fits: Callable[[T], bool], unknown: str) -> str:
    """Most often one that fits what is to be done with it, else any known one, or none."""
    fitting = [key for key, value in known.items() if fits(value)]
    return pick(draw, [*(fitting * 5), *known, unknown])


def line_of(draw: DrawFn, scribe: Scribe) -> Line:
    known = list(scribe.claim.reserves.lines)
    currency = scribe.claim.currency
    new = [
        Line(CostType.DAMAGES, currency),
        Line(CostType.DAMAGES, currency, Head.PSLA),
        Line(CostType.DEFENCE_COSTS, currency),
        Line(CostType.EXPERT_FEES, "GBP"),
    ]
    return pick(draw, [*(known * 3), *new])
