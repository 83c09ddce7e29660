"""Random values of the field: amounts, lines, shares, damages and terms that are valid."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from domain.claim.offer_terms import Damages, Deductible, OfferTerms
from domain.money import Money
from domain.terms import Basis, CostsTerms, CostType, Head, Line, OfferScope, OfferType

CURRENCIES = ("GBP", "ZAR", "JPY", "KWD")


def amounts(low: int = 0, high: int = 10**9) -> SearchStrategy[int]:
    """Whole minor units, small and round ones often."""
    return st.one_of(
        st.integers(low, min(high, low + 10)),
        st.integers(-(-low // 10_000), high // 10_000).map(lambda thousands: thousands * 10_000),
        st.integers(low, high),
    )


def money(currency: str = "GBP", low: int = 0, high: int = 10**9) -> SearchStrategy[Money]:
    """An amount of money."""
    return amounts(low, high).map(lambda m: Money(m, currency))


@st.composite
def lines(draw: DrawFn, currencies: tuple[str, ...] = CURRENCIES) -> Line:
    """Any reserve line."""
    cost_type = draw(st.sampled_from(CostType))
    head = draw(st.sampled_from([None, *Head])) if cost_type is CostType.DAMAGES else None
    return Line(
        cost_type, draw(st.sampled_from(currencies)), head, draw(st.sampled_from(list(Basis)))
    )


@st.composite
def shares(draw: DrawFn, parties_max: int = 6) -> list[Fraction]:
    """Exact shares that sum to one: halves, thirds, sevenths and stranger ones."""
    weights = draw(st.lists(st.integers(1, 97), min_size=2, max_size=parties_max))
    return [Fraction(weight, sum(weights)) for weight in weights]


@st.composite
def damages(draw: DrawFn, currency: str = "GBP", high: int = 10**8) -> Damages:
    """Damages whose gross less its deductions is the net."""
    deducted = draw(st.lists(st.integers(0, 10**5), max_size=3))
    net = draw(st.integers(1, high))
    items = tuple(
        Deductible(f"benefit-{number}", Money(minor, currency))
        for number, minor in enumerate(deducted)
    )
    return Damages(Money(net + sum(deducted), currency), Money(net, currency), items)


@st.composite
def offer_terms(
    draw: DrawFn, served_on: date, currency: str = "GBP", kind: OfferType | None = None
) -> OfferTerms:
    """Terms that are valid for their type."""
    terms = OfferTerms(
        type=kind or draw(st.sampled_from(OfferType)),
        damages=draw(damages(currency)),
        costs_terms=CostsTerms.PLUS_REASONABLE_COSTS,
        served_on=served_on,
        scope=draw(st.sampled_from(OfferScope)),
    )
    if terms.type is OfferType.PART36:
        days = draw(st.sampled_from([21, 28, 60]))
        ends = served_on + timedelta(days=days)
        by_itself = draw(st.sampled_from([None, ends + timedelta(days=9)]))
        return replace(terms, relevant_period_days=days, auto_withdraw_on=by_itself)
    expires = draw(st.sampled_from([None, 0, 7, 30]))
    terms = replace(terms, costs_terms=draw(st.sampled_from(CostsTerms)))
    if terms.costs_terms is CostsTerms.FIXED:
        terms = replace(terms, fixed_costs=Money(2_500_00, currency))
    if expires is not None:
        terms = replace(terms, expires_on=served_on + timedelta(days=expires))
    return terms
