"""What may be done on a file: what another region must say comes first, by name.

Each decision takes the file as it stands and plain values, and answers with facts, with none when
nothing would change, or with a refusal. `on` is the effective day.
"""

from collections.abc import Sequence
from datetime import date

from domain.claim import (
    Claim,
    Fact,
    apportionment,
    escalation,
    evolve_all,
    lifecycle,
    offers,
    payments,
    reserves,
    settlement,
)
from domain.claim.lifecycle import ClaimClosed, ClaimReopened
from domain.claim.offer_terms import Damages
from domain.claim.offers import OfferMade, OfferReceived
from domain.claim.payments import PaymentIssued, PaymentRequested
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.claim.settlement import SettlementAgreed
from domain.money import Money
from domain.refusals.authority import SelfApproval
from domain.refusals.closure import (
    ClosureCodeConflicts,
    EscalationUndecided,
    OfferStillLive,
    OutstandingRemains,
    PaymentInProgress,
    SettlementUnpaid,
)
from domain.refusals.state import FreshEstimateMissing, IllegalTransition, NoStrategy
from domain.terms import Basis, ClosureCode, CostsTerms, CostType, Line, OfferScope, Role

NIL = {
    ClosureCode.NIL_WITHDRAWN,
    ClosureCode.NIL_REPUDIATED,
    ClosureCode.NIL_TIME_BARRED,
    ClosureCode.NIL_NO_FURTHER_CONTACT,
}


def set_estimates(claim: Claim, asked: Sequence[EstimateSet], on: date) -> list[Fact]:
    """Set what lines should cost in all; a line that stays as it is adds nothing."""
    lifecycle.require_open(claim.lifecycle)
    return _estimates(claim, asked, on)


def _estimates(claim: Claim, asked: Sequence[EstimateSet], on: date) -> list[Fact]:
    facts: list[Fact] = []
    for each in asked:
        committed = claim.payments.in_progress_on(each.line)
        fresh = reserves.set_estimate(claim.reserves, each, committed, str(on))
        facts += fresh
        if len(asked) > 1:  # an import sets one at a time, a million times
            claim = evolve_all(claim, fresh, on)
    return facts


def receive_recovery(claim: Claim, recovery: RecoveryReceived) -> list[Fact]:
    """Book money that came back; it may come after the file was closed."""
    return [*reserves.receive_recovery(claim.reserves, recovery)]


def make_offer(claim: Claim, made: OfferMade, on: date) -> list[Fact]:
    """Make an offer: the file is handled and has a strategy."""
    lifecycle.require_allocated(claim.lifecycle)
    if claim.lifecycle.strategy is None:
        raise NoStrategy
    _require_unsettled(claim, "made an offer on")
    return [*offers.make(claim.offers, made, claim.currency, on)]


def receive_offer(claim: Claim, received: OfferReceived, on: date) -> list[Fact]:
    """Record the claimant's offer."""
    lifecycle.require_open(claim.lifecycle)
    _require_unsettled(claim, "made an offer on")
    return [*offers.receive(claim.offers, received, claim.currency, on)]


def accept_offer(claim: Claim, offer_id: str, on: date) -> list[Fact]:
    """Record an acceptance, theirs of ours or ours of theirs."""
    lifecycle.require_open(claim.lifecycle)
    _require_unsettled(claim, "accepted on")
    return [*offers.accept(claim.offers, offer_id, on)]


def reject_offer(claim: Claim, offer_id: str, on: date) -> list[Fact]:
    """Record a rejection or a counter-offer."""
    lifecycle.require_open(claim.lifecycle)
    return [*offers.reject(claim.offers, offer_id, on)]


def withdraw_offer(claim: Claim, offer_id: str, on: date) -> list[Fact]:
    """Give, or record, a notice of withdrawal."""
    lifecycle.require_open(claim.lifecycle)
    return [*offers.withdraw(claim.offers, offer_id, on)]


def lapse_offer(claim: Claim, offer_id: str, on: date) -> list[Fact]:
    """Record that a contractual offer expired."""
    lifecycle.require_open(claim.lifecycle)
    return [*offers.lapse(claim.offers, offer_id, on)]


def agree_settlement(
    claim: Claim, damages: Damages, costs_terms: CostsTerms, offer_id: str, on: date
) -> list[Fact]:
    """Settle the claim; every other live offer ends in the same transaction."""
    lifecycle.require_allocated(claim.lifecycle)
    paid = claim.damages_paid(claim.currency)
    asked = SettlementAgreed(damages, costs_terms, offer_id, paid)
    agreed = settlement.agree(claim.settlement, claim.offers, asked)
    return [*agreed, *offers.supersede_others(claim.offers, offer_id or None, on)]


def _require_unsettled(claim: Claim, asked: str) -> None:
    if claim.settlement.agreed is not None:
        raise IllegalTransition("the claim", "settled", asked)


def request_payment(claim: Claim, asked: PaymentRequested) -> list[Fact]:
    """Ask for a payment on a line."""
    lifecycle.require_open(claim.lifecycle)
    reserves.require_line(asked.line, asked.amount)
    outstanding = claim.reserves.outstanding(asked.line)
    return [*payments.request(claim.payments, asked, outstanding)]


def approve_payment(claim: Claim, payment_id: str, approver: str, approval: str = "") -> list[Fact]:
    """Approve a payment that somebody else asked for, nor on an approval that they gave."""
    lifecycle.require_open(claim.lifecycle)
    facts = payments.approve(claim.payments, payment_id, approver)
    given = claim.escalations.by_id.get(approval)
    requested_by = claim.payments.by_id[payment_id].requested_by
    if given and given.decided and given.decided.decided_by == requested_by:
        raise SelfApproval(requested_by, f"payment {payment_id}")
    return [*facts]


def reject_payment(claim: Claim, payment_id: str, why: str) -> list[Fact]:
    """Turn a payment down before it is issued."""
    return [*payments.reject(claim.payments, payment_id, why)]


def issue_payment(claim: Claim, payment_id: str) -> list[Fact]:
    """The bank's word that an approved payment left."""
    lifecycle.require_open(claim.lifecycle)
    return [*payments.issue(claim.payments, payment_id)]


def pay_at_source(claim: Claim, paid: PaymentIssued) -> list[Fact]:
    """A payment that the source of an import had asked for, approved and issued itself."""
    lifecycle.require_open(claim.lifecycle)
    payments.require_new(claim.payments, paid.payment_id)
    outstanding = claim.reserves.outstanding(paid.line)
    payments.require_payable(claim.payments, paid.line, paid.amount, outstanding)
    return [paid]


def void_payment(claim: Claim, payment_id: str, why: str) -> list[Fact]:
    """Take an issued payment back; what was outstanding is outstanding again."""
    lifecycle.require_open(claim.lifecycle)
    return [*payments.void(claim.payments, payment_id, why)]


def propose_apportionment(claim: Claim, asked: apportionment.ApportionmentProposed) -> list[Fact]:
    """Put shares forward."""
    lifecycle.require_open(claim.lifecycle)
    return [*apportionment.propose(claim.apportionments, asked)]


def agree_apportionment(claim: Claim, apportionment_id: str, role: Role) -> list[Fact]:
    """Agree what was proposed."""
    lifecycle.require_open(claim.lifecycle)
    return [*apportionment.agree(claim.apportionments, apportionment_id, role)]


def reject_apportionment(claim: Claim, apportionment_id: str) -> list[Fact]:
    """Turn down what was proposed."""
    lifecycle.require_open(claim.lifecycle)
    return [*apportionment.reject(claim.apportionments, apportionment_id)]


def escalate(claim: Claim, asked: escalation.Escalated) -> list[Fact]:
    """Ask a question, or for approval."""
    lifecycle.require_open(claim.lifecycle)
    return [*escalation.escalate(claim.escalations, asked)]


def decide_escalation(claim: Claim, decided: escalation.EscalationDecided, on: date) -> list[Fact]:
    """Answer what somebody else asked."""
    lifecycle.require_open(claim.lifecycle)
    return [*escalation.decide(claim.escalations, decided, on)]


def withdraw_escalation(claim: Claim, escalation_id: str, person: str) -> list[Fact]:
    """Take one's own question back."""
    lifecycle.require_open(claim.lifecycle)
    return [*escalation.withdraw(claim.escalations, escalation_id, person)]


def close(claim: Claim, closure: ClosureCode, outcome: str, on: date) -> list[Fact]:
    """Close the file: nothing is outstanding, asked, offered, owed or on its way."""
    lifecycle.require_open(claim.lifecycle)
    for payment_id, payment in claim.payments.by_id.items():
        if payment.in_progress:
            raise PaymentInProgress(payment_id)
    for line, state in claim.reserves.lines.items():
        if state.outstanding:
            raise OutstandingRemains(line, Money(state.outstanding, line.currency))
    for escalation_id in claim.escalations.undecided():
        raise EscalationUndecided(escalation_id)
    for offer_id, offer in claim.offers.live_on(on):
        if offer.ours:
            raise OfferStillLive(offer_id)
    agreed = claim.settlement.agreed
    paid = claim.damages_paid(claim.currency)
    if agreed is not None:
        due = _settled_share(claim, agreed)
        if paid - agreed.paid_before < due:
            raise SettlementUnpaid(due, paid - agreed.paid_before)
    accepted = claim.offers.accepted_in(OfferScope.WHOLE_CLAIM)
    if closure in NIL and (agreed is not None or accepted or paid.minor):
        raise ClosureCodeConflicts(closure.value, "damages were accepted, agreed or paid")
    if closure is ClosureCode.SETTLED and agreed is None:
        raise ClosureCodeConflicts(closure.value, "no settlement was recorded")
    return [ClaimClosed(closure, outcome)]


def _settled_share(claim: Claim, agreed: SettlementAgreed) -> Money:
    """What falls due on this file: the net damages, or our part where damages are kept so."""
    net = agreed.damages.net
    if all(line.basis is Basis.GROSS for line, _ in claim.reserves.damages(claim.currency)):
        return net
    whole = Line(CostType.DAMAGES, net.currency)
    return Money(claim.apportionments.our_part(whole, net.minor), net.currency)


def reopen(claim: Claim, why: str, estimates: Sequence[EstimateSet], on: date) -> list[Fact]:
    """Reopen the file with a fresh estimate of at least one line."""
    if claim.lifecycle.closed_on is None:
        raise IllegalTransition("the file", claim.lifecycle.status.value, "reopened")
    if on < claim.lifecycle.closed_on:
        raise IllegalTransition("the file", "open on that day", "reopened")
    fresh = _estimates(claim, estimates, on)
    reserved = evolve_all(claim, fresh, on).reserves
    if not any(state.outstanding for state in reserved.lines.values()):
        raise FreshEstimateMissing
    return [ClaimReopened(why), *fresh]
