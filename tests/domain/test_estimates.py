"""Estimates and recoveries, as stories: what a line should cost in all, and what came back."""

from collections.abc import Callable, Sequence

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.errors import BadValue, CurrencyMismatch
from domain.money import Money
from domain.refusals.money import AmountNegative, AmountNotPositive, EstimateBelowPaid
from domain.refusals.state import FileClosed, ReferenceTaken, UnknownReference
from domain.terms import Basis, CostType, EstimateBasis, Head, Line, Trigger
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    approved,
    closed,
    estimated,
    gbp,
    issued,
    notified,
    recovered,
    requested,
    turned_down,
    voided,
)
from tests.given import given

Act = Callable[[Claim], Sequence[Fact]]


def estimate(*asked: EstimateSet) -> Act:
    return lambda claim: decisions.set_estimates(claim, asked, DAY)


def book(recovery: RecoveryReceived) -> Act:
    return lambda claim: decisions.receive_recovery(claim, recovery)


def weighted(full: int, basis_points: int, amount: Money) -> EstimateSet:
    return replace(
        estimated(0),
        amount=amount,
        basis=EstimateBasis.PROBABILITY_WEIGHTED,
        full_quantum=gbp(full),
        probability_bp=basis_points,
    )


def test_an_estimate_remembers_what_it_was_before() -> None:
    given(notified()).when(estimate(estimated(500))).then(estimated(500))
    given(notified(), estimated(500)).when(estimate(estimated(800))).then(
        replace(estimated(800), previous=gbp(500))
    )


def test_the_same_estimate_again_adds_nothing_but_a_first_nil_is_told() -> None:
    given(notified(), estimated(500)).when(estimate(estimated(500))).then_nothing()
    given(notified()).when(estimate(estimated(0))).then(estimated(0))
    given(notified(), estimated(0)).when(estimate(estimated(0))).then_nothing()


def test_several_lines_are_estimated_together_one_after_the_other() -> None:
    given(notified()).when(estimate(estimated(500), estimated(90, DEFENCE), estimated(600))).then(
        estimated(500), estimated(90, DEFENCE), replace(estimated(600), previous=gbp(500))
    )


def test_an_estimate_is_never_below_what_was_paid() -> None:
    given(notified(), estimated(500), issued(300)).when(estimate(estimated(299))).refused(
        EstimateBelowPaid, asked=gbp(299), paid=gbp(300), on=str(DAY)
    )
    given(notified(), estimated(500), issued(300)).when(estimate(estimated(300))).then(
        replace(estimated(300), previous=gbp(500))
    )


@pytest.mark.parametrize("on_its_way", [(), (approved(),)], ids=["requested", "approved"])
def test_an_estimate_is_never_below_what_is_on_its_way(on_its_way: tuple[Fact, ...]) -> None:
    file = given(
        notified(), estimated(500), issued(100, payment_id="P0"), requested(200), *on_its_way
    )
    file.when(estimate(estimated(299))).refused(EstimateBelowPaid, paid=gbp(300))


def test_what_was_turned_down_or_voided_does_not_hold_an_estimate_up() -> None:
    given(notified(), estimated(500), requested(200), turned_down()).when(
        estimate(estimated(0))
    ).then(replace(estimated(0), previous=gbp(500)))
    given(notified(), estimated(500), issued(200), voided(200)).when(estimate(estimated(0))).then(
        replace(estimated(0), previous=gbp(500))
    )


def test_an_estimate_is_nil_or_more() -> None:
    given(notified()).when(estimate(estimated(-1))).refused(AmountNegative, asked=gbp(-1))


def test_an_estimate_is_in_the_currency_of_its_line() -> None:
    rand = replace(estimated(500), amount=Money(50_000, "ZAR"))
    given(notified()).when(estimate(rand)).refused(CurrencyMismatch, expected="GBP", found="ZAR")


def test_a_file_may_hold_a_line_in_another_currency() -> None:
    rand = Line(CostType.EXPERT_FEES, "ZAR")
    given(notified(), estimated(500)).when(estimate(estimated(70, rand))).then(estimated(70, rand))


def test_a_head_of_loss_belongs_to_damages() -> None:
    psla = Line(CostType.DAMAGES, "GBP", Head.PSLA)
    given(notified()).when(estimate(estimated(500, psla))).then(estimated(500, psla))
    wrong = Line(CostType.DEFENCE_COSTS, "GBP", Head.PSLA)
    given(notified()).when(estimate(estimated(500, wrong))).refused(BadValue, path="line.head")


def test_a_line_of_our_share_is_another_line_than_the_whole() -> None:
    ours = Line(CostType.DAMAGES, "GBP", basis=Basis.OUR_SHARE)
    claim = given(notified(), estimated(500), estimated(250, ours)).state
    assert (claim.reserves.on(DAMAGES).estimate, claim.reserves.on(ours).estimate) == (50000, 25000)
    assert str(ours) == "damages GBP our share"
    assert str(Line(CostType.DAMAGES, "GBP", Head.PSLA)) == "damages psla GBP"


@pytest.mark.parametrize(
    ("full", "basis_points", "minor"),
    [(1000, 2_500, 25000), (1, 5_050, 51), (1, 5_049, 50), (7, 0, 0), (7, 10_000, 700)],
)
def test_a_weighted_estimate_is_its_quantum_times_its_probability_half_a_penny_up(
    full: int, basis_points: int, minor: int
) -> None:
    asked = weighted(full, basis_points, Money(minor, "GBP"))
    given(notified()).when(estimate(asked)).then(asked)
    penny_off = replace(asked, amount=Money(minor + 1, "GBP"))
    given(notified()).when(estimate(penny_off)).refused(BadValue, path="amount")


@pytest.mark.parametrize(
    "broken",
    [
        replace(weighted(10, 5_000, gbp(5)), full_quantum=None),
        replace(weighted(10, 5_000, gbp(5)), probability_bp=None),
        replace(weighted(10, 5_000, gbp(5)), basis=EstimateBasis.MOST_LIKELY),
        replace(estimated(5), full_quantum=gbp(0)),
        replace(estimated(5), probability_bp=0),
    ],
    ids=["no quantum", "no probability", "not weighted", "only quantum", "only probability"],
)
def test_quantum_and_probability_belong_to_a_weighted_estimate_and_to_no_other(
    broken: EstimateSet,
) -> None:
    given(notified()).when(estimate(broken)).refused(BadValue, path="basis")


def test_a_weighted_estimate_has_its_quantum_in_its_own_currency() -> None:
    rand = replace(weighted(10, 5_000, gbp(5)), full_quantum=Money(1_000, "ZAR"))
    given(notified()).when(estimate(rand)).refused(CurrencyMismatch, expected="GBP", found="ZAR")


def test_a_closed_file_is_not_estimated() -> None:
    given(notified(), closed()).when(estimate(estimated(5))).refused(FileClosed, closed_on=DAY)


def test_incurred_is_paid_and_outstanding_together() -> None:
    state = given(notified(), estimated(500), issued(300), recovered(50)).state.reserves
    line = state.on(DAMAGES)
    assert (line.incurred, line.paid, line.outstanding, line.recovered) == (
        50_000,
        30_000,
        20_000,
        5_000,
    )
    assert (state.estimate(DAMAGES), state.paid(DAMAGES)) == (gbp(500), gbp(300))
    assert state.outstanding(DAMAGES) == gbp(200)
    assert state.outstanding(DEFENCE) == gbp(0)


def test_money_that_comes_back_never_nets_off_what_was_paid() -> None:
    file = given(notified(), estimated(500), issued(500))
    file.when(book(recovered(200))).then(recovered(200))
    after_it = given(notified(), estimated(500), issued(500), recovered(200)).state.reserves
    assert (after_it.on(DAMAGES).paid, after_it.on(DAMAGES).recovered) == (50_000, 20_000)


def test_money_comes_back_once() -> None:
    given(notified(), estimated(500), recovered(200)).when(book(recovered(200))).refused(
        ReferenceTaken, what="recovery", reference="R1"
    )


def test_money_comes_back_on_a_line_that_the_file_has() -> None:
    given(notified(), estimated(500)).when(book(recovered(200, DEFENCE))).refused(
        UnknownReference, what="reserve line"
    )


def test_money_that_comes_back_is_above_nil_in_the_currency_of_its_line() -> None:
    file = given(notified(), estimated(500))
    file.when(book(recovered(0))).refused(AmountNotPositive, asked=gbp(0))
    file.when(book(recovered(-5))).refused(AmountNotPositive, asked=gbp(-5))
    rand = replace(recovered(5), amount=Money(500, "ZAR"))
    file.when(book(rand)).refused(CurrencyMismatch)


def test_an_estimate_says_why_it_was_looked_at() -> None:
    for trigger in Trigger:
        asked = replace(estimated(5), trigger=trigger)
        given(notified()).when(estimate(asked)).then(asked)
