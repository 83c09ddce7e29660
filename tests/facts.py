"""Facts by short names, with sensible defaults: what stories begin with. Amounts are pounds."""

from datetime import date, timedelta
from fractions import Fraction

from domain.claim.apportionment import ApportionmentAgreed, ApportionmentProposed, PartyShare
from domain.claim.escalation import ApprovalAsk, Escalated, EscalationDecided
from domain.claim.lifecycle import (
    ClaimAllocated,
    ClaimClosed,
    ClaimNotified,
    ClaimReopened,
    StageReached,
    StrategySet,
)
from domain.claim.offer_terms import Damages, Deductible, OfferTerms
from domain.claim.offers import (
    OfferAccepted,
    OfferLapsed,
    OfferMade,
    OfferReceived,
    OfferRejected,
    OfferWithdrawn,
)
from domain.claim.payments import (
    PaymentApproved,
    PaymentIssued,
    PaymentRejected,
    PaymentRequested,
    PaymentVoided,
)
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.claim.settlement import SettlementAgreed
from domain.money import Money, nil
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    ClosureCode,
    CostsTerms,
    CostType,
    Decision,
    EscalationKind,
    EscalationOutcome,
    Jurisdiction,
    Line,
    MatterType,
    OfferScope,
    OfferType,
    Pathway,
    PaymentKind,
    RecoveryCategory,
    Stage,
    Trigger,
)
from domain.value import replace

DAY = date(2026, 3, 2)  # the day of a story, unless it says another
DAMAGES = Line(CostType.DAMAGES, "GBP")
DEFENCE = Line(CostType.DEFENCE_COSTS, "GBP")


def after(days: int, day: date = DAY) -> date:
    return day + timedelta(days=days)


def gbp(pounds: int) -> Money:
    return Money(pounds * 100, "GBP")


def notified(matter: MatterType = MatterType.CLAIM, currency: str = "GBP") -> ClaimNotified:
    return ClaimNotified(
        matter_type=matter,
        jurisdiction=Jurisdiction.ENGLAND_WALES,
        currency=currency,
        event_date=after(-200),
        notified_on=after(-20),
    )


def allocated(handler: str = "ann") -> ClaimAllocated:
    return ClaimAllocated(Pathway.DENTAL, "dental-1", handler)


def strategy_set(objective: str = "settle early") -> StrategySet:
    return StrategySet(objective, ("expert on quantum",), after(60))


def staged(stage: Stage, previous: Stage = Stage.CLAIM_INTIMATED) -> StageReached:
    return StageReached(previous, stage)


def closed(closure: ClosureCode = ClosureCode.NIL_WITHDRAWN) -> ClaimClosed:
    return ClaimClosed(closure, "done")


def reopened() -> ClaimReopened:
    return ClaimReopened("a new letter")


def estimated(pounds: int, line: Line = DAMAGES) -> EstimateSet:
    amount = Money(pounds * 100, line.currency)
    return EstimateSet(line, nil(line.currency), amount, Trigger.INITIAL)


def recovered(pounds: int, line: Line = DAMAGES, recovery_id: str = "R1") -> RecoveryReceived:
    amount = Money(pounds * 100, line.currency)
    return RecoveryReceived(recovery_id, line, RecoveryCategory.EXCESS, amount)


def requested(
    pounds: int, line: Line = DAMAGES, payment_id: str = "P1", by: str = "ann"
) -> PaymentRequested:
    amount = Money(pounds * 100, line.currency)
    return PaymentRequested(payment_id, line, amount, PaymentKind.FINAL, "party-2", by)


def approved(payment_id: str = "P1", by: str = "bob") -> PaymentApproved:
    return PaymentApproved(payment_id, by)


def turned_down(payment_id: str = "P1") -> PaymentRejected:
    return PaymentRejected(payment_id, "not due")


def issued(pounds: int, line: Line = DAMAGES, payment_id: str = "P1") -> PaymentIssued:
    return PaymentIssued(payment_id, line, Money(pounds * 100, line.currency))


def voided(pounds: int, line: Line = DAMAGES, payment_id: str = "P1") -> PaymentVoided:
    return PaymentVoided(payment_id, line, Money(pounds * 100, line.currency), "bounced")


def damages(gross: int, *benefits: int) -> Damages:
    """Gross pounds, less benefits."""
    items = tuple(Deductible(f"benefit {n}", gbp(each)) for n, each in enumerate(benefits, 1))
    return Damages(gbp(gross), gbp(gross - sum(benefits)), items)


def part36(gross: int = 1_000, days: int | None = 21, served_on: date = DAY) -> OfferTerms:
    return OfferTerms(
        type=OfferType.PART36,
        damages=damages(gross),
        costs_terms=CostsTerms.PLUS_REASONABLE_COSTS,
        served_on=served_on,
        relevant_period_days=days,
    )


def calderbank(
    gross: int = 1_000, expires_on: date | None = None, scope: OfferScope = OfferScope.WHOLE_CLAIM
) -> OfferTerms:
    return OfferTerms(
        type=OfferType.CALDERBANK,
        damages=damages(gross),
        costs_terms=CostsTerms.INCLUSIVE,
        served_on=DAY,
        scope=scope,
        expires_on=expires_on,
    )


def contractual(kind: OfferType, expires_on: date | None = None) -> OfferTerms:
    return replace(calderbank(expires_on=expires_on), type=kind)


def offered(terms: OfferTerms, offer_id: str = "O1") -> OfferMade:
    return OfferMade(offer_id, terms)


def received(terms: OfferTerms, offer_id: str = "O2") -> OfferReceived:
    return OfferReceived(offer_id, terms)


def accepted(offer_id: str = "O1", in_period: bool | None = None) -> OfferAccepted:
    return OfferAccepted(offer_id, in_period)


def refused_by_them(offer_id: str = "O1") -> OfferRejected:
    return OfferRejected(offer_id)


def withdrawn(on: date, offer_id: str = "O1") -> OfferWithdrawn:
    return OfferWithdrawn(offer_id, on)


def lapsed(offer_id: str = "O1") -> OfferLapsed:
    return OfferLapsed(offer_id)


def settled(gross: int = 1_000, offer_id: str = "", paid_before: int = 0) -> SettlementAgreed:
    return SettlementAgreed(damages(gross), CostsTerms.INCLUSIVE, offer_id, gbp(paid_before))


def parties(*shares: str) -> tuple[PartyShare, ...]:
    """The first party is ours."""
    return tuple(PartyShare(f"org-{n}", Fraction(each)) for n, each in enumerate(shares, start=1))


def shared(
    *shares: str,
    covers: ApportionmentCovers = ApportionmentCovers.ALL,
    basis: ApportionmentBasis = ApportionmentBasis.PERCENTAGES,
    apportionment_id: str = "A1",
) -> ApportionmentProposed:
    return ApportionmentProposed(
        apportionment_id, covers, basis, parties(*(shares or ("1/2", "1/2"))), "org-1"
    )


def shares_agreed(apportionment_id: str = "A1") -> ApportionmentAgreed:
    return ApportionmentAgreed(apportionment_id)


def asked(kind: EscalationKind = EscalationKind.QUANTUM, by: str = "ann") -> Escalated:
    return Escalated("E1", kind, "What is it worth?", by, seen_version=3)


def asked_approval(
    maximum: int = 900, terms: OfferTerms | None = None, by: str = "ann"
) -> Escalated:
    """Approval of an offer, up to so many pounds of damages."""
    ask = ApprovalAsk(Decision.OFFER, gbp(maximum), terms.digest() if terms else "")
    return Escalated("E1", EscalationKind.APPROVAL, "May we offer?", by, 3, ask)


def decided(
    outcome: EscalationOutcome = EscalationOutcome.APPROVED,
    valid_until: date | None = None,
    by: str = "cat",
    directions: str = "",
) -> EscalationDecided:
    return EscalationDecided("E1", outcome, by, directions, valid_until)
