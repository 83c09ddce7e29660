"""Random values of the field: amounts, lines, shares, damages and terms that are valid."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from domain.claim.offer_terms import Damages, Deductible, OfferTerms
from domain.money import Money
from domain.terms import Basis, CostsTerms, CostType, Head, Line, OfferScope, OfferType
from domain.value import replace

T = TypeVar("T")
Choose = Callable[[SearchStrategy[int]], int]  # a DrawFn, or the draw of a test's data

CURRENCIES = ("GBP", "ZAR", "JPY", "KWD")


@cache
def _upto(last: int) -> SearchStrategy[int]:
    return st.integers(0, last)


def pick(draw: Choose, options: Sequence[T]) -> T:
    """One of the options, the first for preference when shrinking; cheaper than a new strategy."""
    return options[draw(_upto(len(options) - 1))]


@cache
def amounts(low: int = 0, high: int = 10**9) -> SearchStrategy[int]:
    """Whole minor units, small and round ones often."""
    return st.one_of(
        st.integers(low, min(high, low + 10)),
        st.integers(-(-low // 10_000), high // 10_000).map(lambda thousands: thousands * 10_000),
        st.integers(low, high),
    )


def a_line(draw: DrawFn, currencies: tuple[str, ...] = CURRENCIES) -> Line:
    """Any reserve line."""
    cost_type = pick(draw, list(CostType))
    head = pick(draw, [None, *Head]) if cost_type is CostType.DAMAGES else None
    return Line(cost_type, pick(draw, currencies), head, pick(draw, list(Basis)))


@cache
def _weights(most: int) -> SearchStrategy[list[int]]:
    return st.lists(st.integers(1, 97), min_size=2, max_size=most)


def some_shares(draw: DrawFn, parties_max: int = 6) -> list[Fraction]:
    """Exact shares that sum to one: halves, thirds, sevenths and stranger ones."""
    weights = draw(_weights(parties_max))
    return [Fraction(weight, sum(weights)) for weight in weights]


def some_damages(draw: DrawFn, currency: str = "GBP", high: int = 10**8) -> Damages:
    """Damages whose gross less its deductions is the net."""
    deducted = [draw(_upto(10**5)) for _ in range(pick(draw, [0, 0, 1, 3]))]
    net = draw(amounts(1, high))
    items = tuple(
        Deductible(f"benefit-{number}", Money(minor, currency))
        for number, minor in enumerate(deducted)
    )
    return Damages(Money(net + sum(deducted), currency), Money(net, currency), items)


def some_terms(draw: DrawFn, served_on: date, currency: str = "GBP") -> OfferTerms:
    """Terms of an offer that are valid for their type."""
    terms = OfferTerms(
        type=pick(draw, list(OfferType)),
        damages=some_damages(draw, currency),
        costs_terms=CostsTerms.PLUS_REASONABLE_COSTS,
        served_on=served_on,
        scope=pick(draw, list(OfferScope)),
    )
    if terms.type is OfferType.PART36:
        period = pick(draw, [21, 28, 60])
        ends = served_on + timedelta(days=period)
        by_itself = pick(draw, [None, ends + timedelta(days=9)])
        return replace(terms, relevant_period_days=period, auto_withdraw_on=by_itself)
    expires = pick(draw, [None, 0, 7, 30])
    terms = replace(terms, costs_terms=pick(draw, list(CostsTerms)))
    if terms.costs_terms is CostsTerms.FIXED:
        terms = replace(terms, fixed_costs=Money(2_500_00, currency))
    if expires is not None:
        terms = replace(terms, expires_on=served_on + timedelta(days=expires))
    return terms


lines = st.composite(a_line)
shares = st.composite(some_shares)
damages = st.composite(some_damages)
offer_terms = st.composite(some_terms)
