"""A claim is one file, one stream, one history; its regions are the modules beside this one."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from domain.claim import (
    apportionment,
    escalation,
    lifecycle,
    offers,
    payments,
    reserves,
    settlement,
)
from domain.claim.apportionment import (
    ApportionmentAgreed,
    ApportionmentProposed,
    ApportionmentRejected,
    Apportionments,
)
from domain.claim.correction import FactVoided
from domain.claim.escalation import (
    ApprovalConsumed,
    Escalated,
    EscalationDecided,
    Escalations,
    EscalationWithdrawn,
)
from domain.claim.lifecycle import (
    ClaimAllocated,
    ClaimClosed,
    ClaimNotified,
    ClaimReopened,
    HandlerChanged,
    Lifecycle,
    StageReached,
    StrategySet,
)
from domain.claim.offers import (
    OfferAccepted,
    OfferLapsed,
    OfferMade,
    OfferReceived,
    OfferRejected,
    Offers,
    OfferSuperseded,
    OfferWithdrawn,
)
from domain.claim.payments import (
    PaymentApproved,
    PaymentIssued,
    PaymentRejected,
    PaymentRequested,
    Payments,
    PaymentVoided,
)
from domain.claim.reserves import EstimateSet, RecoveryReceived, Reserves
from domain.claim.settlement import Settlement, SettlementAgreed
from domain.money import Money
from domain.value import Value, field

Fact = (
    lifecycle.Fact
    | reserves.Fact
    | payments.Fact
    | offers.Fact
    | settlement.Fact
    | apportionment.Fact
    | escalation.Fact
    | FactVoided
)


class Claim(Value, frozen=True):
    """A file as its facts so far tell it, region by region."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    reserves: Reserves = field(default_factory=Reserves)
    payments: Payments = field(default_factory=Payments)
    offers: Offers = field(default_factory=Offers)
    settlement: Settlement = field(default_factory=Settlement)
    apportionments: Apportionments = field(default_factory=Apportionments)
    escalations: Escalations = field(default_factory=Escalations)

    @property
    def currency(self) -> str:
        """The file's own currency, "" before it was notified."""
        return self.lifecycle.notified.currency if self.lifecycle.notified else ""

    def damages_estimated(self, currency: str) -> Money:
        """The estimates of all damages lines in a currency."""
        return Money(sum(s.estimate for _, s in self.reserves.damages(currency)), currency)

    def damages_paid(self, currency: str) -> Money:
        """The damages paid in a currency."""
        return Money(sum(s.paid for _, s in self.reserves.damages(currency)), currency)

    def damages_committed(self, currency: str) -> Money:
        """The damages paid, and approved to be paid, in a currency."""
        approved = Money(self.payments.approved_damages(currency), currency)
        return self.damages_paid(currency) + approved


def evolve(claim: Claim, fact: Fact, on: date) -> Claim:
    """Remember one fact, effective `on` its day: each region remembers its own part."""
    life, money, paid, offered = claim.lifecycle, claim.reserves, claim.payments, claim.offers
    settled, shared, asked = claim.settlement, claim.apportionments, claim.escalations
    # The most frequent ones first, and built at once: a rebuild of the views passes here for each
    # fact of the log, where looking through the cases and `replace` would take most of its time.
    match fact:
        case EstimateSet() | RecoveryReceived():
            money = reserves.evolve(money, fact)
        case PaymentRequested() | PaymentApproved() | PaymentRejected():
            paid = payments.evolve(paid, fact)
        case PaymentIssued() | PaymentVoided():
            paid, money = payments.evolve(paid, fact), reserves.evolve(money, fact)
        case (
            ClaimNotified()
            | ClaimAllocated()
            | HandlerChanged()
            | StrategySet()
            | StageReached()
            | ClaimClosed()
            | ClaimReopened()
        ):
            life = lifecycle.evolve(life, fact, on)
        case (
            OfferMade()
            | OfferReceived()
            | OfferAccepted()
            | OfferRejected()
            | OfferWithdrawn()
            | OfferLapsed()
            | OfferSuperseded()
        ):
            offered = offers.evolve(offered, fact)
        case SettlementAgreed():
            settled = settlement.evolve(settled, fact)
        case ApportionmentProposed() | ApportionmentAgreed() | ApportionmentRejected():
            shared = apportionment.evolve(shared, fact)
        case Escalated() | EscalationDecided() | EscalationWithdrawn() | ApprovalConsumed():
            asked = escalation.evolve(asked, fact)
        case FactVoided():
            return claim  # what it takes out is left out by domain.history, not remembered here
        case _:
            assert_never(fact)
    return Claim(life, money, paid, offered, settled, shared, asked)


def evolve_all(claim: Claim, facts: Sequence[Fact], on: date) -> Claim:
    """Remember several facts of one day, in order."""
    for fact in facts:
        claim = evolve(claim, fact, on)
    return claim
