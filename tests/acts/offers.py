"""Agreements in a random history: offers, settlement, apportionment, escalation."""

from datetime import date, timedelta
from functools import partial

from hypothesis.strategies import DrawFn

from domain.claim import Claim, Fact, decisions, escalation
from domain.claim.apportionment import (
    Apportionment,
    ApportionmentProposed,
    ApportionmentStatus,
    PartyShare,
)
from domain.claim.escalation import ApprovalAsk, Escalated, Escalation, EscalationDecided
from domain.claim.offers import Offer, OfferMade, OfferReceived, OfferStatus
from domain.money import Money
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    Decision,
    EscalationKind,
    EscalationOutcome,
)
from tests.acts.choices import back, one
from tests.scribe import ANN, CAT, PEOPLE, Scribe, judged
from tests.values import amounts, pick, some_shares, some_terms


def _offer(draw: DrawFn, scribe: Scribe) -> str:
    return one(draw, scribe.claim.offers.by_id, lambda offer: offer.ended is None, "offer-0")


def _accepted(offer: Offer) -> bool:
    return offer.ended is OfferStatus.ACCEPTED


def _proposed(apportionment: Apportionment) -> bool:
    return apportionment.status is ApportionmentStatus.PROPOSED


def _undecided(question: Escalation) -> bool:
    return question.open


def offer(draw: DrawFn, scribe: Scribe) -> None:
    on = back(draw, scribe)
    offer_id = f"offer-{len(scribe.claim.offers.by_id) + 1}"
    terms = some_terms(draw, on, scribe.claim.currency)
    if pick(draw, [True, False]):
        made = OfferMade(offer_id, terms)
        judgement = judged(scribe, ANN, Decision.OFFER, terms.damages.gross)
        scribe.write(lambda claim: decisions.make_offer(claim, made, on), on, judgement=judgement)
    else:
        received = OfferReceived(offer_id, terms)
        scribe.write(lambda claim: decisions.receive_offer(claim, received, on), on)


def accept_offer(draw: DrawFn, scribe: Scribe) -> None:
    key, on = _offer(draw, scribe), back(draw, scribe)
    scribe.write(lambda claim: decisions.accept_offer(claim, key, on), on)


def reject_offer(draw: DrawFn, scribe: Scribe) -> None:
    key, on = _offer(draw, scribe), back(draw, scribe)
    scribe.write(lambda claim: decisions.reject_offer(claim, key, on), on)


def withdraw_offer(draw: DrawFn, scribe: Scribe) -> None:
    key, today = _offer(draw, scribe), scribe.today
    scribe.write(lambda claim: decisions.withdraw_offer(claim, key, today), today)


def lapse_offer(draw: DrawFn, scribe: Scribe) -> None:
    key, today = _offer(draw, scribe), scribe.today
    scribe.write(lambda claim: decisions.lapse_offer(claim, key, today), today)


def settle(draw: DrawFn, scribe: Scribe) -> None:
    on = back(draw, scribe)
    offer_id = one(draw, scribe.claim.offers.by_id, _accepted, "")
    if offer_id:
        terms = scribe.claim.offers.by_id[offer_id].terms
    else:
        terms = some_terms(draw, on, scribe.claim.currency)
    scribe.write(
        lambda claim: decisions.agree_settlement(
            claim, terms.damages, terms.costs_terms, offer_id, on
        ),
        on,
        judgement=judged(scribe, ANN, Decision.SETTLE, terms.damages.gross),
    )


def propose(draw: DrawFn, scribe: Scribe) -> None:
    asked = ApportionmentProposed(
        apportionment_id=f"share-{len(scribe.claim.apportionments.by_id) + 1}",
        covers=pick(draw, list(ApportionmentCovers)),
        basis=pick(draw, list(ApportionmentBasis)),
        parties=tuple(
            PartyShare(f"org-{number}", share) for number, share in enumerate(some_shares(draw, 4))
        ),
        ours="org-0",
    )
    scribe.write(lambda claim: decisions.propose_apportionment(claim, asked), scribe.today)


def agree(draw: DrawFn, scribe: Scribe) -> None:
    key = one(draw, scribe.claim.apportionments.by_id, _proposed, "share-0")
    role, on = pick(draw, PEOPLE).role, back(draw, scribe)
    scribe.write(lambda claim: decisions.agree_apportionment(claim, key, role), on, CAT)


def refuse_shares(draw: DrawFn, scribe: Scribe) -> None:
    key = one(draw, scribe.claim.apportionments.by_id, _proposed, "share-0")
    scribe.write(lambda claim: decisions.reject_apportionment(claim, key), scribe.today, CAT)


def escalate(draw: DrawFn, scribe: Scribe) -> None:
    kind, asker = pick(draw, list(EscalationKind)), pick(draw, PEOPLE)
    maximum = Money(draw(amounts(1, 10**8)), scribe.claim.currency)
    asked = Escalated(
        escalation_id=f"ask-{len(scribe.claim.escalations.by_id) + 1}",
        kind=kind,
        question="May we?",
        asked_by=asker.person,
        seen_version=len(scribe.records),
        approval=ApprovalAsk(Decision.OFFER, maximum) if kind is EscalationKind.APPROVAL else None,
    )
    scribe.write(lambda claim: decisions.escalate(claim, asked), scribe.today, asker)


def decide(draw: DrawFn, scribe: Scribe) -> None:
    key = one(draw, scribe.claim.escalations.by_id, _undecided, "ask-0")
    decider, outcome = pick(draw, PEOPLE), pick(draw, list(EscalationOutcome))
    approves = outcome is not EscalationOutcome.DECLINED and escalation.asked_for(
        scribe.claim.escalations, key
    )
    decided = EscalationDecided(
        escalation_id=key,
        outcome=outcome,
        decided_by=decider.person,
        directions="so",
        valid_until=scribe.today + timedelta(days=10) if approves else None,
    )
    today = scribe.today
    scribe.write(lambda claim: decisions.decide_escalation(claim, decided, today), today, decider)


def take_question_back(draw: DrawFn, scribe: Scribe) -> None:
    key = one(draw, scribe.claim.escalations.by_id, _undecided, "ask-0")
    asker = pick(draw, PEOPLE)
    scribe.write(
        lambda claim: decisions.withdraw_escalation(claim, key, asker.person), scribe.today, asker
    )


def offer_by_approval(draw: DrawFn, scribe: Scribe) -> None:
    """Ask for approval of exact terms, have it given, and use it; then try to use it again."""
    today, key = scribe.today, f"ask-{len(scribe.claim.escalations.by_id) + 1}"
    terms = some_terms(draw, today, scribe.claim.currency)
    use = ApprovalAsk(Decision.OFFER, terms.damages.gross, terms.digest())
    asked = Escalated(key, EscalationKind.APPROVAL, "May we?", ANN.person, len(scribe.records), use)
    scribe.write(lambda claim: decisions.escalate(claim, asked), today)
    decided = EscalationDecided(key, EscalationOutcome.APPROVED, CAT.person, "", today)
    scribe.write(lambda claim: decisions.decide_escalation(claim, decided, today), today, CAT)
    for number in range(2):
        made = OfferMade(f"offer-{key}-{number}", terms)
        scribe.write(partial(_make_by_approval, made=made, key=key, use=use, on=today), today)


def _make_by_approval(
    claim: Claim, made: OfferMade, key: str, use: ApprovalAsk, on: date
) -> list[Fact]:
    facts = decisions.make_offer(claim, made, on)
    consumed, _ = escalation.use_approval(claim.escalations, key, use, ANN.person, on)
    return [*facts, consumed]
