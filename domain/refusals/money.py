"""What the rules of money and of offer terms refuse: E12x, E20x, E21x."""

from dataclasses import dataclass

from domain.errors import Refused
from domain.money import Money
from domain.terms import Line


@dataclass(eq=False)
class OfferTermsIncomplete(Refused):
    """The gross {gross} less the deductions of {deducted} is not the net {net}."""

    code = "E120"
    remedy = "State gross, each deductible amount and net, so that gross - deductions = net."
    where = "terms"
    gross: Money
    deducted: Money
    net: Money


@dataclass(eq=False)
class InvalidPart36Offer(Refused):
    """This is not a valid Part 36 offer: {rule}."""

    code = "E121"
    remedy = "Mend the terms (CPR 36.5), or make the offer as a Calderbank or an open offer."
    where = "terms"
    rule: str


@dataclass(eq=False)
class CostsTermsConflict(Refused):
    """A Part 36 offer cannot be made with costs terms {costs_terms}."""

    code = "E122"
    remedy = "Use plus_reasonable_costs, which Part 36 itself provides, or another type of offer."
    where = "terms.costs_terms"
    costs_terms: str


@dataclass(eq=False)
class EstimateBelowPaid(Refused):
    """An estimate of {asked} on {line} is below the {paid} paid or committed there on {on}."""

    code = "E203"
    remedy = "Set the estimate to at least what was paid, or void the payment first."
    where = "amount"
    line: Line
    asked: Money
    paid: Money
    on: str


@dataclass(eq=False)
class PaymentExceedsOutstanding(Refused):
    """A payment of {asked} on {line} is more than the {outstanding} that is outstanding there."""

    code = "E204"
    remedy = "Raise the estimate of the line first, or pay less."
    where = "amount"
    line: Line
    asked: Money
    outstanding: Money


@dataclass(eq=False)
class ScopeAlreadyAccepted(Refused):
    """Offer {accepted} was already accepted for {scope}."""

    code = "E206"
    remedy = "One offer is accepted in each scope; record what else was agreed as its own scope."
    where = "offer_id"
    accepted: str
    scope: str


@dataclass(eq=False)
class SettlementDiffersFromOffer(Refused):
    """The settlement's {term} of {asked} differs from the {accepted} of the accepted offer."""

    code = "E212"
    remedy = "Settle on the accepted offer's terms, or agree the settlement without naming it."
    where = "damages"
    term: str
    asked: str
    accepted: str


@dataclass(eq=False)
class AmountNotPositive(Refused):
    """The amount {asked} has to be above nil."""

    code = "E213"
    remedy = "Send an amount above nil; to take money back, void the payment or the recovery."
    where = "amount"
    asked: Money


@dataclass(eq=False)
class AmountNegative(Refused):
    """The amount {asked} is below nil."""

    code = "E214"
    remedy = "Send nil or more."
    where = "amount"
    asked: Money
