"""Payments, as stories: requested by one, approved by another, issued by the bank, voided whole."""

from collections.abc import Callable, Sequence

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.payments import (
    PaymentApproved,
    PaymentIssued,
    PaymentRejected,
    PaymentRequested,
    PaymentStatus,
    PaymentVoided,
)
from domain.errors import BadValue, CurrencyMismatch
from domain.money import Money
from domain.refusals.authority import SelfApproval
from domain.refusals.money import AmountNotPositive, PaymentExceedsOutstanding
from domain.refusals.state import (
    FileClosed,
    IllegalTransition,
    ReferenceTaken,
    UnknownReference,
)
from domain.terms import CostType, Head, Line
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
    requested,
    turned_down,
    voided,
)
from tests.given import given

Act = Callable[[Claim], Sequence[Fact]]


def request(asked: PaymentRequested) -> Act:
    return lambda claim: decisions.request_payment(claim, asked)


def approve(by: str = "bob", payment_id: str = "P1") -> Act:
    return lambda claim: decisions.approve_payment(claim, payment_id, by)


def reject(claim: Claim) -> Sequence[Fact]:
    return decisions.reject_payment(claim, "P1", "not due")


def issue(claim: Claim) -> Sequence[Fact]:
    return decisions.issue_payment(claim, "P1")


def void(claim: Claim) -> Sequence[Fact]:
    return decisions.void_payment(claim, "P1", "bounced")


STATES: dict[str, tuple[Fact, ...]] = {
    "requested": (requested(300),),
    "approved": (requested(300), approved()),
    "rejected": (requested(300), turned_down()),
    "issued": (requested(300), approved(), issued(300)),
    "voided": (requested(300), approved(), issued(300), voided(300)),
}
ACTS: dict[str, tuple[Act, set[str]]] = {
    "approved": (approve(), {"requested"}),
    "rejected": (reject, {"requested", "approved"}),
    "issued": (issue, {"approved"}),
    "voided": (void, {"issued"}),
}


@pytest.mark.parametrize("asked", ACTS)
@pytest.mark.parametrize("state", STATES)
def test_a_payment_goes_only_the_way_it_should(state: str, asked: str) -> None:
    act, lawful = ACTS[asked]
    outcome = given(notified(), estimated(500), *STATES[state]).when(act)
    if state in lawful:
        assert outcome.refusal is None
        assert len(outcome.facts) == 1
    else:
        outcome.refused(IllegalTransition, what="payment P1", state=state, asked=asked)


def test_a_payment_is_asked_for_up_to_what_is_outstanding() -> None:
    file = given(notified(), estimated(500), issued(100, payment_id="P0"))
    file.when(request(requested(400))).then(requested(400))
    file.when(request(requested(401))).refused(
        PaymentExceedsOutstanding, line=DAMAGES, asked=gbp(401), outstanding=gbp(400)
    )


def test_two_payments_together_never_exceed_what_is_outstanding() -> None:
    file = given(notified(), estimated(500), requested(300))
    file.when(request(requested(200, payment_id="P2"))).then(requested(200, payment_id="P2"))
    file.when(request(requested(201, payment_id="P2"))).refused(
        PaymentExceedsOutstanding, outstanding=gbp(200)
    )


def test_one_line_does_not_pay_for_another() -> None:
    given(notified(), estimated(500), estimated(10, DEFENCE)).when(
        request(requested(11, DEFENCE))
    ).refused(PaymentExceedsOutstanding, line=DEFENCE, outstanding=gbp(10))


@pytest.mark.parametrize("pounds", [0, -5])
def test_a_payment_is_above_nil(pounds: int) -> None:
    given(notified(), estimated(500)).when(request(requested(pounds))).refused(
        AmountNotPositive, asked=gbp(pounds)
    )


def test_a_payment_is_in_the_currency_of_its_line_and_its_line_makes_sense() -> None:
    rand = replace(requested(5), amount=Money(500, "ZAR"))
    given(notified(), estimated(500)).when(request(rand)).refused(CurrencyMismatch)
    wrong = Line(CostType.EXPERT_FEES, "GBP", Head.PSLA)
    given(notified(), estimated(500)).when(request(requested(5, wrong))).refused(BadValue)


def test_a_payment_has_a_reference_of_its_own() -> None:
    given(notified(), estimated(500), requested(5)).when(request(requested(6))).refused(
        ReferenceTaken, what="payment", reference="P1"
    )


def test_a_payment_that_was_never_asked_for_cannot_be_approved() -> None:
    given(notified(), estimated(500)).when(approve(payment_id="P9")).refused(
        UnknownReference, what="payment", reference="P9"
    )


def test_a_payment_is_approved_by_somebody_else() -> None:
    file = given(notified(), estimated(500), requested(300, by="ann"))
    file.when(approve("ann")).refused(SelfApproval, person="ann", what="payment P1")
    file.when(approve("bob")).then(PaymentApproved("P1", "bob"))


def test_the_bank_pays_what_was_approved_neither_more_nor_less() -> None:
    given(notified(), estimated(500), requested(300), approved()).when(issue).then(
        PaymentIssued("P1", DAMAGES, gbp(300))
    )


def test_a_payment_may_be_turned_down_until_it_is_issued() -> None:
    given(notified(), estimated(500), requested(300), approved()).when(reject).then(
        PaymentRejected("P1", "not due")
    )


def test_a_voided_payment_restores_exactly_what_was_outstanding() -> None:
    paid = given(notified(), estimated(500), requested(300), approved(), issued(300))
    assert paid.state.reserves.outstanding(DAMAGES) == gbp(200)
    paid.when(void).then(PaymentVoided("P1", DAMAGES, gbp(300), "bounced"))
    restored = given(notified(), estimated(500), *STATES["voided"]).state.reserves
    assert restored.outstanding(DAMAGES) == gbp(500)
    assert restored.paid(DAMAGES) == gbp(0)


def test_what_is_paid_and_what_is_approved_is_committed() -> None:
    claim = given(
        notified(),
        estimated(900),
        estimated(900, DEFENCE),
        requested(100, payment_id="P0"),
        *STATES["approved"],
        requested(50, DEFENCE, "P2"),
        approved("P2"),
        issued(30, payment_id="P3"),
    ).state
    assert claim.damages_paid("GBP") == gbp(30)
    assert claim.damages_committed("GBP") == gbp(330)


def test_a_payment_of_an_imported_history_is_known_when_it_is_issued() -> None:
    def pay(paid: PaymentIssued) -> Act:
        return lambda claim: decisions.pay_at_source(claim, paid)

    file = given(notified(), estimated(500))
    file.when(pay(issued(300))).then(issued(300))
    file.when(pay(issued(501))).refused(PaymentExceedsOutstanding)
    file.when(pay(issued(0))).refused(AmountNotPositive)
    paid = given(notified(), estimated(500), issued(300))
    paid.when(pay(issued(1))).refused(ReferenceTaken)
    assert paid.state.payments.by_id["P1"].status is PaymentStatus.ISSUED
    paid.when(void).then(voided(300))


@pytest.mark.parametrize("act", [request(requested(1, payment_id="P2")), approve(), issue, void])
def test_nothing_is_paid_on_a_closed_file(act: Act) -> None:
    file = given(notified(), estimated(500), *STATES["approved"], closed())
    file.when(act).refused(FileClosed, closed_on=DAY)
