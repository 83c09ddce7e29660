"""What keeps a file from being closed, each its own refusal: E207 and E22x."""

from dataclasses import dataclass

from domain.errors import Refused
from domain.money import Money
from domain.terms import Line


@dataclass(eq=False)
class OutstandingRemains(Refused):
    """The file cannot be closed while {outstanding} is outstanding on {line}."""

    code = "E207"
    remedy = "Set the estimate of each line to what was paid on it, with the reason."
    line: Line
    outstanding: Money


@dataclass(eq=False)
class EscalationUndecided(Refused):
    """The file cannot be closed while escalation {escalation_id} is undecided."""

    code = "E220"
    remedy = "Have the escalation decided or withdraw it."
    escalation_id: str


@dataclass(eq=False)
class OfferStillLive(Refused):
    """The file cannot be closed while our offer {offer_id} is live."""

    code = "E221"
    remedy = "Withdraw the offer, or record its acceptance or its lapse."
    offer_id: str


@dataclass(eq=False)
class SettlementUnpaid(Refused):
    """The file cannot be closed: {paid} of the {damages} agreed as damages is paid."""

    code = "E222"
    remedy = "Issue the payment of the agreed damages first."
    damages: Money
    paid: Money


@dataclass(eq=False)
class PaymentInProgress(Refused):
    """The file cannot be closed while payment {payment_id} is requested and not issued."""

    code = "E223"
    remedy = "Issue the payment or reject it."
    payment_id: str


@dataclass(eq=False)
class ClosureCodeConflicts(Refused):
    """The closure code {closure} contradicts the file: {rule}."""

    code = "E224"
    remedy = "Choose the code that says how the file ended."
    where = "closure"
    closure: str
    rule: str
