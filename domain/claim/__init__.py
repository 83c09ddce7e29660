"""A claim is one file, one stream, one history; its regions are the modules beside this one."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, get_args

from domain.claim import (
    apportionment,
    escalation,
    lifecycle,
    offers,
    payments,
    reserves,
    settlement,
)
from domain.claim.apportionment import Apportionments
from domain.claim.correction import FactVoided
from domain.claim.escalation import Escalations
from domain.claim.lifecycle import Lifecycle
from domain.claim.offers import Offers
from domain.claim.payments import PaymentIssued, Payments, PaymentVoided
from domain.claim.reserves import Reserves
from domain.claim.settlement import Settlement, SettlementAgreed
from domain.money import Money
from domain.value import Value, field, replace

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
    return _EVOLVES[type(fact)](claim, fact, on)


def _life(claim: Claim, fact: lifecycle.Fact, on: date) -> Claim:
    return replace(claim, lifecycle=lifecycle.evolve(claim.lifecycle, fact, on))


def _reserves(claim: Claim, fact: reserves.Fact, _: date) -> Claim:
    return replace(claim, reserves=reserves.evolve(claim.reserves, fact))


def _payments(claim: Claim, fact: payments.Fact, _: date) -> Claim:
    return replace(claim, payments=payments.evolve(claim.payments, fact))


def _paid(claim: Claim, fact: PaymentIssued | PaymentVoided, _: date) -> Claim:
    return replace(
        claim,
        reserves=reserves.evolve(claim.reserves, fact),
        payments=payments.evolve(claim.payments, fact),
    )


def _offers(claim: Claim, fact: offers.Fact, _: date) -> Claim:
    return replace(claim, offers=offers.evolve(claim.offers, fact))


def _settlement(claim: Claim, fact: settlement.Fact, _: date) -> Claim:
    return replace(claim, settlement=settlement.evolve(claim.settlement, fact))


def _apportionments(claim: Claim, fact: apportionment.Fact, _: date) -> Claim:
    return replace(claim, apportionments=apportionment.evolve(claim.apportionments, fact))


def _escalations(claim: Claim, fact: escalation.Fact, _: date) -> Claim:
    return replace(claim, escalations=escalation.evolve(claim.escalations, fact))


def _nothing(claim: Claim, _: FactVoided, __: date) -> Claim:
    return claim  # what it takes out is left out by domain.history, not remembered here


# By the facts that each region says it remembers. A table, because every reader passes here for
# each fact of the log: to ask of one whether it is of a kind takes as long as to remember it.
_EVOLVES: dict[type[Fact], Callable[[Claim, Any, date], Claim]] = {
    **dict.fromkeys(get_args(lifecycle.Fact), _life),
    **dict.fromkeys(get_args(reserves.Fact), _reserves),
    **dict.fromkeys(get_args(payments.Fact), _payments),
    **dict.fromkeys(get_args(offers.Fact), _offers),
    **dict.fromkeys(get_args(apportionment.Fact), _apportionments),
    **dict.fromkeys(get_args(escalation.Fact), _escalations),
    PaymentIssued: _paid,
    PaymentVoided: _paid,
    SettlementAgreed: _settlement,
    FactVoided: _nothing,
}


def evolve_all(claim: Claim, facts: Sequence[Fact], on: date) -> Claim:
    """Remember several facts of one day, in order."""
    for fact in facts:
        claim = evolve(claim, fact, on)
    return claim
