"""When a fact may be dated: never in the future, and back only as far as its kind allows.

The windows are days between the effective day and the day of recording (B3 of the model); an
estimate is an opinion held today, a payment carries the bank's value date, a letter may lie on a
desk. They become a dated rule set when rule sets exist; `RULES` names this one in each envelope.
"""

from datetime import date

from domain.claim.apportionment import ApportionmentAgreed
from domain.claim.lifecycle import ClaimAllocated, ClaimNotified, HandlerChanged, StageReached
from domain.claim.offers import OfferAccepted, OfferMade, OfferReceived, OfferRejected
from domain.claim.payments import PaymentIssued, PaymentVoided
from domain.claim.reserves import RecoveryReceived
from domain.claim.settlement import SettlementAgreed
from domain.refusals.dates import BackdatingWindowExceeded, FutureEffective

RULES = "built-in.1"

_DAYS_BACK: dict[type, int] = {
    ClaimNotified: 90,  # the post, and matters that reach us through another organisation
    ClaimAllocated: 10,
    HandlerChanged: 10,
    StageReached: 30,  # court papers reach us late
    OfferMade: 2,
    OfferReceived: 30,
    OfferAccepted: 30,
    OfferRejected: 30,
    SettlementAgreed: 10,
    ApportionmentAgreed: 30,
    PaymentIssued: 10,  # the bank's value date
    PaymentVoided: 10,
    RecoveryReceived: 10,
}


def days_back(fact: object) -> int:
    """How many days a fact of this kind may be dated back; 0 for what is decided on the day."""
    return _DAYS_BACK.get(type(fact), 0)


def require_not_future(effective_on: date, today: date) -> None:
    """Nothing is true before it has happened."""
    if effective_on > today:
        raise FutureEffective(effective_on, today)


def require_within_window(fact: object, effective_on: date, today: date) -> None:
    """The fact that a command leads with may be dated back so far; what follows goes with it."""
    days = (today - effective_on).days
    if days > days_back(fact):
        name = type(fact).__name__
        raise BackdatingWindowExceeded(effective_on, days, name, days_back(fact))
