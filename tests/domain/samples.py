"""One sample of every stored name, in full: what `tests/domain/stored/` was written from.

Run `python -m tests.domain.samples` to write the samples that are missing. One that is there is
never written again: it is what a released program stored, and has to stay readable.
"""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from domain.claim.apportionment import (
    ApportionmentAgreed,
    ApportionmentProposed,
    ApportionmentRejected,
    PartyShare,
)
from domain.claim.correction import FactVoided
from domain.claim.escalation import (
    ApprovalAsk,
    ApprovalConsumed,
    Escalated,
    EscalationDecided,
    EscalationWithdrawn,
)
from domain.claim.lifecycle import (
    ClaimAllocated,
    ClaimClosed,
    ClaimNotified,
    ClaimReopened,
    HandlerChanged,
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
    OfferSuperseded,
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
from domain.envelope import (
    Actor,
    DataClass,
    Envelope,
    Evidence,
    Grounds,
    Imported,
    Judgement,
    Labels,
    Privilege,
    Recorded,
)
from domain.mandate import (
    Limit,
    MandateAmended,
    MandateAttested,
    MandateGranted,
    MandateRestored,
    MandateRevoked,
    MandateSuspended,
)
from domain.money import Money
from domain.refusal_log import CommandRefused
from domain.schema import NAME_OF, to_stored
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    Attestor,
    Basis,
    ClosureCode,
    CostsTerms,
    CostType,
    Decision,
    EscalationKind,
    EscalationOutcome,
    EstimateBasis,
    Head,
    Jurisdiction,
    Line,
    MatterType,
    OfferScope,
    OfferType,
    Pathway,
    PaymentKind,
    RecoveryCategory,
    Role,
    Stage,
    Trigger,
)
from domain.value import replace

STORED = Path(__file__).with_name("stored")
DAY, LATER = date(2026, 3, 2), date(2026, 4, 1)
STREAM, VERSION = "claim-DC-2026-000042", 7

GBP = Money(125_050, "GBP")
PSLA = Line(CostType.DAMAGES, "GBP", Head.PSLA, Basis.OUR_SHARE)
COSTS = Line(CostType.DEFENCE_COSTS, "KWD")
DAMAGES = Damages(
    Money(130_050, "GBP"), GBP, (Deductible("income support \u2013 \u00a34", Money(5_000, "GBP")),)
)
TERMS = OfferTerms(
    type=OfferType.PART36,
    damages=DAMAGES,
    costs_terms=CostsTerms.PLUS_REASONABLE_COSTS,
    served_on=DAY,
    scope=OfferScope.DAMAGES,
    relevant_period_days=14,
    days_to_trial=15,
    auto_withdraw_on=LATER,
)
LIMIT = Limit(
    Decision.OFFER,
    Money(50_000_000, "GBP"),
    (Pathway.DENTAL,),
    (Jurisdiction.ENGLAND_WALES, Jurisdiction.SOUTH_AFRICA),
    (Stage.PRE_CLAIM, Stage.NEGOTIATING),
)
ENVELOPE = Envelope(
    stream=STREAM,
    version=VERSION,
    recorded_at=datetime(2026, 3, 3, 16, 5, 9, 120_001, tzinfo=UTC),
    effective_on=DAY,
    actor=Actor("p-117", Role.NEGOTIATOR, "dental-1"),
    command_id="0198c0de-7",
    previous="c0ffee" * 10 + "beef",
    judgement=Judgement(
        grounds=Grounds.MANDATE,
        decision=Decision.OFFER,
        measured=GBP,
        limit=Money(50_000_000, "GBP"),
        headroom=Money(49_874_950, "GBP"),
        person="p-117",
        mandate_version=4,
        delegators=(("p-9", 12), ("p-1", 3)),
        approval="E-1",
    ),
    jurisdiction="england_wales",
    ruleset="built-in.1",
    rationale='Counsel\'s view of 2 March: "settle".\nSee the note.',
    reason_code="counsel",
    on_behalf_of="p-118",
    source_system="core-admin",
    correlation_id="corr-1",
    causation_id="cause-1",
    evidence=(Evidence("doc-1", "ab" * 32, "advice"),),
    labels=Labels(DataClass.CLINICAL, Privilege.WPSATC),
    corrects=3,
    voids=2,
    imported=Imported("bordereau 2025 \u2116 4", 318),
)

FACTS: list[Any] = [
    ClaimNotified(
        MatterType.CLAIM,
        Jurisdiction.SOUTH_AFRICA,
        "ZAR",
        date(2024, 2, 29),
        DAY,
        "m-1",
        "c-1",
        Pathway.DENTAL,
        "Extraction of UR6;\tna\u00efve \u6b6f",
    ),
    ClaimAllocated(Pathway.MEDICAL, "medical-2", "p-117"),
    HandlerChanged("p-117", "p-118", "dental-1"),
    StrategySet("settle before issue", ("expert on causation", "offer"), LATER),
    StageReached(Stage.RESPONDED, Stage.NEGOTIATING),
    ClaimClosed(ClosureCode.SETTLED, "paid in full"),
    ClaimReopened("a second letter"),
    EstimateSet(
        PSLA,
        Money(0, "GBP"),
        GBP,
        Trigger.EXPERT,
        EstimateBasis.PROBABILITY_WEIGHTED,
        Money(250_100, "GBP"),
        5_000,
    ),
    RecoveryReceived("R-1", COSTS, RecoveryCategory.COSTS_ORDER, Money(1_234, "KWD"), "insurer-3"),
    PaymentRequested("P-1", PSLA, GBP, PaymentKind.INTERIM, "payee-1", "p-117"),
    PaymentApproved("P-1", "p-9"),
    PaymentRejected("P-1", "not due yet"),
    PaymentIssued("P-1", PSLA, GBP),
    PaymentVoided("P-1", PSLA, GBP, "bounced"),
    OfferMade("O-1", TERMS, commercial=True),
    OfferReceived(
        "O-2",
        replace(
            TERMS,
            type=OfferType.CALDERBANK,
            costs_terms=CostsTerms.FIXED,
            scope=OfferScope.WHOLE_CLAIM,
            fixed_costs=Money(99, "GBP"),
            relevant_period_days=None,
            days_to_trial=None,
            auto_withdraw_on=None,
            expires_on=LATER,
        ),
    ),
    OfferAccepted("O-1", in_relevant_period=False),
    OfferRejected("O-1"),
    OfferWithdrawn("O-1", LATER),
    OfferLapsed("O-2"),
    OfferSuperseded("O-2"),
    SettlementAgreed(DAMAGES, CostsTerms.INCLUSIVE, "O-1", Money(1, "GBP")),
    ApportionmentProposed(
        "A-1",
        ApportionmentCovers.CLAIMANT_COSTS,
        ApportionmentBasis.BY_HEAD,
        (
            PartyShare("us", Fraction(1, 3)),
            PartyShare("mdo-2", Fraction(1, 3)),
            PartyShare("trust-3", Fraction(1, 3)),
        ),
        "us",
    ),
    ApportionmentAgreed("A-1"),
    ApportionmentRejected("A-1"),
    Escalated(
        "E-1",
        EscalationKind.APPROVAL,
        "May we offer this?",
        "p-117",
        6,
        ApprovalAsk(Decision.OFFER, GBP, "0f" * 32),
    ),
    EscalationDecided(
        "E-1", EscalationOutcome.APPROVED_WITH_DIRECTIONS, "p-9", "not before the 9th", LATER
    ),
    EscalationWithdrawn("E-1"),
    ApprovalConsumed("E-1", Decision.OFFER, GBP),
    FactVoided("entered on the wrong file"),
    MandateGranted("p-117", Role.NEGOTIATOR, (LIMIT,), DAY, LATER, "p-1", "p-9"),
    MandateAttested(Attestor.HEAD_OF_DEPARTMENT, "p-1"),
    MandateAmended((LIMIT, replace(LIMIT, decision=Decision.PAY)), DAY, None),
    MandateSuspended("leave"),
    MandateRestored("back"),
    MandateRevoked("left"),
    CommandRefused(
        "make-offer",
        "E301",
        "AuthorityExceeded",
        "offer measured at \u2026",
        "Escalate.",
        "terms",
        STREAM,
        VERSION,
        {"person": "p-117", "limit": "GBP 5.00"},
    ),
]
SAMPLES = {NAME_OF[type(fact)]: Recorded(ENVELOPE, fact) for fact in FACTS}


def write_missing() -> None:
    """Store the samples of names that have none yet."""
    STORED.mkdir(exist_ok=True)
    for record in SAMPLES.values():
        name, stored = to_stored(record)
        path = STORED / f"{name}.json"
        if not path.exists():
            path.write_bytes(stored)


if __name__ == "__main__":
    write_missing()
