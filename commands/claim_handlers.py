"""Each claim command's handler: from the command's fields to one decision of the domain."""

from collections.abc import Callable
from datetime import date
from typing import Any

from commands import models
from commands.correction_handlers import correct_fact, void_fact
from commands.file import File
from commands.parts import ClaimCommand, EstimateLine
from commands.ruling import Ask, Ruling, ruling
from commands.translate import (
    approval_ask,
    damages,
    estimates,
    matter,
    offer_terms,
    parties,
    recovery,
    strategy,
)
from domain.claim import Claim, decisions, lifecycle
from domain.claim.apportionment import ApportionmentProposed
from domain.claim.escalation import Escalated, EscalationDecided, asked_for
from domain.claim.offers import OfferMade, OfferReceived
from domain.claim.payments import PaymentRequested
from domain.claim.settlement import settlement_digest
from domain.errors import BadValue
from domain.money import Money
from domain.terms import CostType, Decision, EscalationOutcome

F = File[Claim]


def notify_matter(file: F, command: models.NotifyMatter, on: date) -> Ruling:
    notified = matter(command)
    if command.effective_on not in (None, notified.notified_on):
        raise BadValue("effective_on", "a matter is effective on the day it was notified")
    facts = lifecycle.notify(file.state.lifecycle, notified, command.claim)
    return ruling(facts, notified.notified_on)


def allocate_claim(file: F, command: models.AllocateClaim, on: date) -> Ruling:
    facts = lifecycle.allocate(file.state.lifecycle, command.pathway, command.team, command.handler)
    return ruling(facts, on)


def change_handler(file: F, command: models.ChangeHandler, on: date) -> Ruling:
    return ruling(lifecycle.change_handler(file.state.lifecycle, command.handler, command.team), on)


def set_strategy(file: F, command: models.SetStrategy, on: date) -> Ruling:
    return ruling(lifecycle.set_strategy(file.state.lifecycle, strategy(command), on), on)


def reach_stage(file: F, command: models.ReachStage, on: date) -> Ruling:
    return ruling(lifecycle.reach_stage(file.state.lifecycle, command.stage), on)


def close_claim(file: F, command: models.CloseClaim, on: date) -> Ruling:
    return ruling(decisions.close(file.state, command.closure, command.outcome, on), on)


def reopen_claim(file: F, command: models.ReopenClaim, on: date) -> Ruling:
    facts = decisions.reopen(file.state, command.why, estimates(command.estimates), on)
    return ruling(facts, on, _reserve_ask(file, command.estimates, facts, on))


def set_estimate(file: F, command: models.SetEstimate, on: date) -> Ruling:
    facts = decisions.set_estimates(file.state, estimates(command.estimates), on)
    return ruling(facts, on, _reserve_ask(file, command.estimates, facts, on))


def _reserve_ask(
    file: F, asked: tuple[EstimateLine, ...], facts: list[Any], on: date
) -> Ask | None:
    """An estimate above nil needs RESERVE for all the damages then estimated on the file."""
    currencies = {each.line.currency for each in asked}
    if len(currencies) != 1:
        raise BadValue("estimates", "one command sets estimates in one currency")
    if all(each.amount.minor == 0 for each in asked):
        return None
    state = file.state
    for fact in facts:
        state = file.evolve(state, fact, on)
    return Ask(Decision.RESERVE, state.damages_estimated(currencies.pop()))


def receive_recovery(file: F, command: models.ReceiveRecovery, on: date) -> Ruling:
    return ruling(decisions.receive_recovery(file.state, recovery(command)), on)


def request_payment(file: F, command: models.RequestPayment, on: date) -> Ruling:
    asked = PaymentRequested(
        command.payment_id,
        command.line,
        command.amount,
        command.kind,
        command.payee,
        command.actor.person,
    )
    return ruling(decisions.request_payment(file.state, asked), on)


def approve_payment(file: F, command: models.ApprovePayment, on: date) -> Ruling:
    facts = decisions.approve_payment(
        file.state, command.payment_id, command.actor.person, command.approval
    )
    payment = file.state.payments.by_id[command.payment_id]
    measured = file.state.damages_committed(payment.amount.currency)
    if payment.line.cost_type is CostType.DAMAGES:
        measured = measured + payment.amount
    return ruling(facts, on, Ask(Decision.PAY, measured))


def reject_payment(file: F, command: models.RejectPayment, on: date) -> Ruling:
    return ruling(decisions.reject_payment(file.state, command.payment_id, command.why), on)


def issue_payment(file: F, command: models.IssuePayment, on: date) -> Ruling:
    return ruling(decisions.issue_payment(file.state, command.payment_id), on)


def void_payment(file: F, command: models.VoidPayment, on: date) -> Ruling:
    return ruling(decisions.void_payment(file.state, command.payment_id, command.why), on)


def _with_damages(file: F, gross: Money) -> Money:
    """The damages the file would be committed to: paid and approved so far, and these."""
    return file.state.damages_committed(gross.currency) + gross


def make_offer(file: F, command: models.MakeOffer, on: date) -> Ruling:
    terms = offer_terms(command.terms)
    facts = decisions.make_offer(
        file.state, OfferMade(command.offer_id, terms, command.commercial), on
    )
    measured = _with_damages(file, terms.damages.gross)
    return ruling(facts, on, Ask(Decision.OFFER, measured, terms.digest()))


def receive_offer(file: F, command: models.ReceiveOffer, on: date) -> Ruling:
    received = OfferReceived(command.offer_id, offer_terms(command.terms))
    return ruling(decisions.receive_offer(file.state, received, on), on)


def accept_offer(file: F, command: models.AcceptOffer, on: date) -> Ruling:
    """Our acceptance of theirs commits us and needs SETTLE; theirs of ours was ours to offer."""
    facts = decisions.accept_offer(file.state, command.offer_id, on)
    offer = file.state.offers.by_id[command.offer_id]
    if offer.ours:
        return ruling(facts, on)
    measured = _with_damages(file, offer.terms.damages.gross)
    return ruling(facts, on, Ask(Decision.SETTLE, measured, offer.terms.digest()))


def reject_offer(file: F, command: models.RejectOffer, on: date) -> Ruling:
    return ruling(decisions.reject_offer(file.state, command.offer_id, on), on)


def withdraw_offer(file: F, command: models.WithdrawOffer, on: date) -> Ruling:
    return ruling(decisions.withdraw_offer(file.state, command.offer_id, on), on)


def lapse_offer(file: F, command: models.LapseOffer, on: date) -> Ruling:
    return ruling(decisions.lapse_offer(file.state, command.offer_id, on), on)


def agree_settlement(file: F, command: models.AgreeSettlement, on: date) -> Ruling:
    agreed = damages(command.damages)
    facts = decisions.agree_settlement(
        file.state, agreed, command.costs_terms, command.offer_id, on
    )
    digest = settlement_digest(agreed, command.costs_terms)
    return ruling(facts, on, Ask(Decision.SETTLE, _with_damages(file, agreed.gross), digest))


def propose_apportionment(file: F, command: models.ProposeApportionment, on: date) -> Ruling:
    asked = ApportionmentProposed(
        command.apportionment_id,
        command.covers,
        command.basis,
        parties(command.parties),
        command.ours,
    )
    return ruling(decisions.propose_apportionment(file.state, asked), on)


def agree_apportionment(file: F, command: models.AgreeApportionment, on: date) -> Ruling:
    facts = decisions.agree_apportionment(file.state, command.apportionment_id, command.actor.role)
    measured = file.state.damages_estimated(file.state.currency)
    return ruling(facts, on, Ask(Decision.APPORTION, measured))


def reject_apportionment(file: F, command: models.RejectApportionment, on: date) -> Ruling:
    return ruling(decisions.reject_apportionment(file.state, command.apportionment_id), on)


def escalate(file: F, command: models.Escalate, on: date) -> Ruling:
    asked = Escalated(
        escalation_id=command.escalation_id,
        kind=command.kind,
        question=command.question,
        asked_by=command.actor.person,
        seen_version=file.version if command.expected_version is None else command.expected_version,
        approval=approval_ask(command.asks) if command.asks else None,
    )
    return ruling(decisions.escalate(file.state, asked), on)


def decide_escalation(file: F, command: models.DecideEscalation, on: date) -> Ruling:
    """Giving an approval takes the authority for what is approved."""
    decided = EscalationDecided(
        command.escalation_id,
        command.outcome,
        command.actor.person,
        command.directions,
        command.valid_until,
    )
    facts = decisions.decide_escalation(file.state, decided, on)
    ask = asked_for(file.state.escalations, command.escalation_id)
    if ask is None or command.outcome is EscalationOutcome.DECLINED:
        return ruling(facts, on)
    return ruling(facts, on, Ask(ask.decision, ask.maximum, ask.terms_digest))


def withdraw_escalation(file: F, command: models.WithdrawEscalation, on: date) -> Ruling:
    facts = decisions.withdraw_escalation(file.state, command.escalation_id, command.actor.person)
    return ruling(facts, on)


HANDLERS: dict[type[ClaimCommand], Callable[[F, Any, date], Ruling]] = {
    models.NotifyMatter: notify_matter,
    models.AllocateClaim: allocate_claim,
    models.ChangeHandler: change_handler,
    models.SetStrategy: set_strategy,
    models.ReachStage: reach_stage,
    models.CloseClaim: close_claim,
    models.ReopenClaim: reopen_claim,
    models.SetEstimate: set_estimate,
    models.ReceiveRecovery: receive_recovery,
    models.RequestPayment: request_payment,
    models.ApprovePayment: approve_payment,
    models.RejectPayment: reject_payment,
    models.IssuePayment: issue_payment,
    models.VoidPayment: void_payment,
    models.MakeOffer: make_offer,
    models.ReceiveOffer: receive_offer,
    models.AcceptOffer: accept_offer,
    models.RejectOffer: reject_offer,
    models.WithdrawOffer: withdraw_offer,
    models.LapseOffer: lapse_offer,
    models.AgreeSettlement: agree_settlement,
    models.ProposeApportionment: propose_apportionment,
    models.AgreeApportionment: agree_apportionment,
    models.RejectApportionment: reject_apportionment,
    models.Escalate: escalate,
    models.DecideEscalation: decide_escalation,
    models.WithdrawEscalation: withdraw_escalation,
    models.CorrectFact: correct_fact,
    models.VoidFact: void_fact,
}
