"""The terms of offers, as stories: what adds up, and what each type of offer may say."""

from collections.abc import Sequence

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.offer_terms import Damages, Deductible, OfferTerms
from domain.errors import BadValue, CurrencyMismatch, DateOrder
from domain.money import Money
from domain.refusals.money import (
    AmountNegative,
    AmountNotPositive,
    CostsTermsConflict,
    InvalidPart36Offer,
    OfferTermsIncomplete,
)
from domain.terms import CostsTerms, OfferScope, OfferType
from domain.value import replace
from tests.facts import (
    DAY,
    after,
    allocated,
    calderbank,
    contractual,
    damages,
    gbp,
    notified,
    offered,
    part36,
    strategy_set,
)
from tests.given import Outcome, given

RAND = Money(1, "ZAR")


def offering(terms: OfferTerms) -> Outcome[Claim]:
    def make(claim: Claim) -> Sequence[Fact]:
        return decisions.make_offer(claim, offered(terms), DAY)

    return given(notified(), allocated(), strategy_set()).when(make)


def test_gross_less_deductions_is_net() -> None:
    terms = replace(part36(), damages=damages(1_000, 150, 50))
    assert terms.damages.deducted == gbp(200)
    assert terms.damages.net == gbp(800)
    offering(terms).then(offered(terms))
    off = replace(terms, damages=replace(terms.damages, net=gbp(801)))
    offering(off).refused(OfferTermsIncomplete, gross=gbp(1_000), deducted=gbp(200), net=gbp(801))


def test_the_deductions_may_take_all_of_the_damages_but_no_more() -> None:
    offering(replace(part36(), damages=damages(100, 100))).then(
        offered(replace(part36(), damages=damages(100, 100)))
    )
    offering(replace(part36(), damages=damages(100, 101))).refused(AmountNegative, asked=gbp(-1))


def test_no_amount_of_an_offer_is_negative_and_its_gross_is_above_nil() -> None:
    negative = Damages(gbp(100), gbp(105), (Deductible("benefit", gbp(-5)),))
    offering(replace(part36(), damages=negative)).refused(AmountNegative, asked=gbp(-5))
    offering(part36(0)).refused(AmountNotPositive, asked=gbp(0))


@pytest.mark.parametrize(
    "mixed",
    [
        Damages(RAND, RAND),
        Damages(gbp(5), RAND),
        Damages(gbp(5), gbp(5), (Deductible("benefit", RAND),)),
    ],
    ids=["gross", "net", "deduction"],
)
def test_an_offer_is_in_the_currency_of_the_file(mixed: Damages) -> None:
    offering(replace(part36(), damages=mixed)).refused(
        CurrencyMismatch, expected="GBP", found="ZAR"
    )


def test_fixed_costs_say_their_amount_and_no_other_costs_do() -> None:
    fixed = replace(calderbank(), costs_terms=CostsTerms.FIXED, fixed_costs=gbp(50))
    offering(fixed).then(offered(fixed))
    offering(replace(fixed, fixed_costs=None)).refused(BadValue, path="terms.fixed_costs")
    offering(replace(fixed, fixed_costs=RAND)).refused(CurrencyMismatch)
    offering(replace(fixed, fixed_costs=gbp(0))).refused(AmountNotPositive)
    offering(replace(fixed, costs_terms=CostsTerms.INCLUSIVE)).refused(
        BadValue, path="terms.fixed_costs"
    )


@pytest.mark.parametrize("days", [21, 28])
def test_a_part_36_offer_leaves_at_least_21_days(days: int) -> None:
    offering(part36(days=days)).then(offered(part36(days=days)))


@pytest.mark.parametrize("days", [None, -1, 0, 20])
def test_a_part_36_offer_without_21_days_is_none(days: int | None) -> None:
    offering(part36(days=days)).refused(InvalidPart36Offer)


def test_a_trial_within_21_days_shortens_the_relevant_period() -> None:
    near = replace(part36(days=10), days_to_trial=20)
    offering(near).then(offered(near))
    at_the_door = replace(part36(days=0), days_to_trial=1)
    offering(at_the_door).then(offered(at_the_door))
    offering(replace(near, days_to_trial=21)).refused(InvalidPart36Offer)
    offering(replace(near, relevant_period_days=None)).refused(InvalidPart36Offer)


@pytest.mark.parametrize("costs", [CostsTerms.INCLUSIVE, CostsTerms.FIXED, CostsTerms.NONE])
def test_a_part_36_offer_pays_reasonable_costs_as_part_36_itself_says(costs: CostsTerms) -> None:
    fixed = gbp(5) if costs is CostsTerms.FIXED else None
    offering(replace(part36(), costs_terms=costs, fixed_costs=fixed)).refused(
        CostsTermsConflict, costs_terms=costs.value
    )


def test_a_part_36_offer_cannot_expire() -> None:
    offering(replace(part36(), expires_on=after(30))).refused(InvalidPart36Offer)


def test_a_part_36_offer_may_withdraw_itself_but_only_after_its_relevant_period() -> None:
    by_itself = replace(part36(), auto_withdraw_on=after(22))
    offering(by_itself).then(offered(by_itself))
    offering(replace(by_itself, auto_withdraw_on=after(21))).refused(InvalidPart36Offer)


@pytest.mark.parametrize(
    ("field", "value"),
    [("relevant_period_days", 21), ("days_to_trial", 5), ("auto_withdraw_on", after(30))],
)
@pytest.mark.parametrize("kind", [OfferType.CALDERBANK, OfferType.WP_OFFER, OfferType.OPEN])
def test_what_belongs_to_part_36_belongs_to_no_other_offer(
    kind: OfferType, field: str, value: object
) -> None:
    terms: OfferTerms = replace(contractual(kind), **{field: value})
    offering(terms).refused(BadValue, path=f"terms.{field}")


def test_a_contractual_offer_expires_on_or_after_the_day_it_is_served() -> None:
    today = calderbank(expires_on=DAY)
    offering(today).then(offered(today))
    offering(calderbank(expires_on=after(-1))).refused(DateOrder, path="terms.expires_on")


@pytest.mark.parametrize("days", [-1, 1])
def test_an_offer_is_effective_on_the_day_it_is_served(days: int) -> None:
    offering(part36(served_on=after(days))).refused(BadValue, path="terms.served_on")


def test_the_digest_of_terms_changes_with_everything_an_approval_is_bound_to() -> None:
    terms = part36()
    changed = [
        replace(terms, type=OfferType.OPEN),
        replace(terms, scope=OfferScope.DAMAGES),
        replace(terms, relevant_period_days=30),
        replace(terms, expires_on=after(40)),
        replace(terms, auto_withdraw_on=after(40)),
        replace(terms, costs_terms=CostsTerms.NONE),
        replace(terms, fixed_costs=gbp(5)),
        replace(terms, damages=damages(1_001)),
        replace(terms, damages=damages(1_000, 5)),
        replace(terms, damages=damages(1_000, 5, 5)),
    ]
    digests = {each.digest() for each in [terms, *changed]}
    assert len(digests) == 1 + len(changed)
    later = replace(terms, served_on=after(9))
    assert later.digest() == terms.digest()
    ends = replace(later, expires_on=after(19)).digest()
    assert ends == replace(terms, expires_on=after(10)).digest()
