"""From a command's parts to the domain's values: field by field, no rule of its own."""

from collections.abc import Sequence

from commands import models, parts
from domain.claim.apportionment import PartyShare
from domain.claim.escalation import ApprovalAsk
from domain.claim.lifecycle import ClaimNotified, StrategySet
from domain.claim.offer_terms import Damages, Deductible, OfferTerms
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.claim.settlement import settlement_digest
from domain.errors import BadValue
from domain.money import nil
from domain.terms import Decision


def matter(part: parts.Matter) -> ClaimNotified:
    """What came in."""
    return ClaimNotified(
        matter_type=part.matter_type,
        jurisdiction=part.jurisdiction,
        currency=nil(part.currency).currency,  # refuses what is no currency
        event_date=part.event_date,
        notified_on=part.notified_on,
        member=part.member,
        claimant=part.claimant,
        pathway_hint=part.pathway_hint,
        allegations=part.allegations,
    )


def strategy(part: parts.Strategy) -> StrategySet:
    """How the file is to be resolved."""
    return StrategySet(part.objective, part.next_steps, part.review_on)


def estimate(part: parts.EstimateLine) -> EstimateSet:
    """The expected total of one line; what it was before is the domain's to say."""
    return EstimateSet(
        line=part.line,
        previous=nil(part.amount.currency),
        amount=part.amount,
        trigger=part.trigger,
        basis=part.basis,
        full_quantum=part.full_quantum,
        probability_bp=part.probability_bp,
    )


def estimates(asked: Sequence[parts.EstimateLine]) -> list[EstimateSet]:
    """The expected totals of several lines."""
    return [estimate(part) for part in asked]


def recovery(part: parts.Recovery) -> RecoveryReceived:
    """Money that came back."""
    return RecoveryReceived(part.recovery_id, part.line, part.category, part.amount, part.source)


def damages(part: parts.DamagesIn) -> Damages:
    """Gross, deductions and net."""
    deductions = tuple(Deductible(each.benefit, each.amount) for each in part.deductions)
    return Damages(part.gross, part.net, deductions)


def offer_terms(part: parts.OfferTermsIn) -> OfferTerms:
    """What is offered."""
    return OfferTerms(
        type=part.type,
        damages=damages(part.damages),
        costs_terms=part.costs_terms,
        served_on=part.served_on,
        scope=part.scope,
        fixed_costs=part.fixed_costs,
        relevant_period_days=part.relevant_period_days,
        days_to_trial=part.days_to_trial,
        expires_on=part.expires_on,
        auto_withdraw_on=part.auto_withdraw_on,
    )


def parties(asked: Sequence[models.PartyShareIn]) -> tuple[PartyShare, ...]:
    """Who bears which share."""
    return tuple(PartyShare(each.party, each.share) for each in asked)


def approval_ask(part: models.ApprovalAskIn) -> ApprovalAsk:
    """What approval is asked for, bound to the digest of the terms it names."""
    if part.offer is not None and part.settlement is not None:
        raise BadValue("asks", "the terms of an offer or of a settlement, not both")
    digest = ""
    if part.offer is not None:
        if part.decision not in (Decision.OFFER, Decision.SETTLE):
            raise BadValue("asks.offer", "an offer's terms belong to offer or settle")
        digest = offer_terms(part.offer).digest()
    elif part.settlement is not None:
        if part.decision is not Decision.SETTLE:
            raise BadValue("asks.settlement", "a settlement's terms belong to settle")
        digest = settlement_digest(damages(part.settlement.damages), part.settlement.costs_terms)
    elif part.decision in (Decision.OFFER, Decision.SETTLE):
        raise BadValue("asks", f"approval for {part.decision.value} is bound to terms: give them")
    return ApprovalAsk(part.decision, part.maximum, digest)
