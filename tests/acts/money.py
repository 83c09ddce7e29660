"""Money in a random history: estimates, payments and recoveries."""

from hypothesis.strategies import DrawFn

from domain.claim import decisions
from domain.claim.payments import PaymentIssued, PaymentRequested, PaymentStatus
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.envelope import BY_SOURCE
from domain.money import Money, nil
from domain.terms import Decision, EstimateBasis, Line, PaymentKind, RecoveryCategory, Trigger
from tests.acts.choices import back, line_of, one
from tests.scribe import ANN, BOB, PEOPLE, Scribe, judged
from tests.values import amounts, pick

IN_PROGRESS = (PaymentStatus.REQUESTED, PaymentStatus.APPROVED)


def an_estimate(draw: DrawFn, line: Line, low: int = 0) -> EstimateSet:
    amount = Money(low + draw(amounts(high=10**7)), line.currency)
    asked = EstimateSet(line, nil(line.currency), amount, pick(draw, list(Trigger)))
    if pick(draw, [False, False, False, True]):
        probability = pick(draw, range(10_001))
        return EstimateSet(
            line,
            asked.previous,
            Money((amount.minor * probability + 5_000) // 10_000, line.currency),
            asked.trigger,
            EstimateBasis.PROBABILITY_WEIGHTED,
            full_quantum=amount,
            probability_bp=probability,
        )
    return asked


def estimate(draw: DrawFn, scribe: Scribe) -> None:
    line, today = line_of(draw, scribe), scribe.today
    asked = [an_estimate(draw, line, low=pick(draw, [0, scribe.claim.reserves.on(line).paid]))]
    measured = scribe.claim.damages_estimated(line.currency) + asked[0].amount
    judgement = judged(scribe, ANN, Decision.RESERVE, measured)
    scribe.write(
        lambda claim: decisions.set_estimates(claim, asked, today), today, judgement=judgement
    )


def request_payment(draw: DrawFn, scribe: Scribe) -> None:
    line = line_of(draw, scribe)
    free = scribe.claim.reserves.on(line).outstanding - scribe.claim.payments.in_progress_on(line)
    amount = pick(draw, [free, free // 2, free + 1, 1])
    asker = pick(draw, PEOPLE)
    asked = PaymentRequested(
        payment_id=f"pay-{len(scribe.claim.payments.by_id) + 1}",
        line=line,
        amount=Money(amount, line.currency),
        kind=pick(draw, list(PaymentKind)),
        payee="party-2",
        requested_by=asker.person,
    )
    scribe.write(lambda claim: decisions.request_payment(claim, asked), scribe.today, asker)


def _payment(draw: DrawFn, scribe: Scribe, *fitting: PaymentStatus) -> str:
    known = scribe.claim.payments.by_id
    return one(draw, known, lambda payment: payment.status in fitting, "pay-0")


def approve_payment(draw: DrawFn, scribe: Scribe) -> None:
    payment_id = _payment(draw, scribe, PaymentStatus.REQUESTED)
    approver = pick(draw, PEOPLE)
    payment = scribe.claim.payments.by_id.get(payment_id)
    amount = payment.amount if payment else nil(scribe.claim.currency)
    scribe.write(
        lambda claim: decisions.approve_payment(claim, payment_id, approver.person),
        scribe.today,
        approver,
        judged(scribe, approver, Decision.PAY, amount),
    )


def reject_payment(draw: DrawFn, scribe: Scribe) -> None:
    key = _payment(draw, scribe, *IN_PROGRESS)
    scribe.write(lambda claim: decisions.reject_payment(claim, key, "no"), scribe.today, BOB)


def issue_payment(draw: DrawFn, scribe: Scribe) -> None:
    key, on = _payment(draw, scribe, PaymentStatus.APPROVED), back(draw, scribe)
    scribe.write(lambda claim: decisions.issue_payment(claim, key), on, BOB)


def pay(draw: DrawFn, scribe: Scribe) -> None:
    """The whole of a payment, from the request to the bank."""
    for act in (request_payment, approve_payment, issue_payment):
        act(draw, scribe)


def pay_at_source(draw: DrawFn, scribe: Scribe) -> None:
    line, on = line_of(draw, scribe), back(draw, scribe)
    amount = pick(draw, [scribe.claim.reserves.on(line).outstanding, 1])
    payment_id = f"source-{len(scribe.claim.payments.by_id) + 1}"
    paid = PaymentIssued(payment_id, line, Money(amount, line.currency))
    scribe.write(lambda claim: decisions.pay_at_source(claim, paid), on, judgement=BY_SOURCE)


def void_payment(draw: DrawFn, scribe: Scribe) -> None:
    key, on = _payment(draw, scribe, PaymentStatus.ISSUED), back(draw, scribe)
    scribe.write(lambda claim: decisions.void_payment(claim, key, "bounced"), on, BOB)


def recover(draw: DrawFn, scribe: Scribe) -> None:
    line = line_of(draw, scribe)
    recovery = RecoveryReceived(
        recovery_id=f"back-{len(scribe.claim.reserves.recoveries) + 1}",
        line=line,
        category=pick(draw, list(RecoveryCategory)),
        amount=Money(draw(amounts(1, 10**6)), line.currency),
    )
    on = back(draw, scribe)
    scribe.write(lambda claim: decisions.receive_recovery(claim, recovery), on, BOB)
