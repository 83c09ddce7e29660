"""Settlement: agreed once, on an accepted offer's terms or directly, and paid by payments."""

import hashlib
from typing import assert_never

from domain.claim.offer_terms import Damages, OfferTerms, require_damages
from domain.claim.offers import Offers, OfferStatus
from domain.money import Money
from domain.refusals.money import SettlementDiffersFromOffer
from domain.refusals.state import IllegalTransition, OfferNotOpen, UnknownReference
from domain.terms import CostsTerms, OfferScope
from domain.value import Value


class SettlementAgreed(Value, frozen=True):
    """The claim was settled; `offer_id` names the accepted offer it rests on, "" if none.

    `paid_before` is what had been paid as damages when it was agreed: the settlement's gross
    damages come on top of it, as an offer's do.
    """

    damages: Damages
    costs_terms: CostsTerms
    offer_id: str
    paid_before: Money


Fact = SettlementAgreed


class Settlement(Value, frozen=True):
    """What was agreed, if anything was."""

    agreed: SettlementAgreed | None = None


def evolve(state: Settlement, fact: Fact) -> Settlement:
    """Remember one fact."""
    match fact:
        case SettlementAgreed():
            return Settlement(agreed=fact)
        case _:
            assert_never(fact)


def agree(state: Settlement, offers: Offers, asked: SettlementAgreed) -> list[Fact]:
    """Settle: on the accepted offer's own terms where one is named."""
    if state.agreed is not None:
        raise IllegalTransition("the claim", "settled", "settled again")
    accepted = offers.accepted_in(OfferScope.DAMAGES)
    if accepted and not asked.offer_id:
        raise SettlementDiffersFromOffer("offer_id", "none", accepted)
    if asked.offer_id:
        offer = offers.by_id.get(asked.offer_id)
        if offer is None:
            raise UnknownReference("offer", asked.offer_id)
        if offer.ended is not OfferStatus.ACCEPTED:
            raise OfferNotOpen(asked.offer_id, "not accepted", "settled on")
        _require_same(asked, offer.terms)
    require_damages(asked.damages, asked.paid_before.currency)
    return [asked]


def _require_same(asked: SettlementAgreed, terms: OfferTerms) -> None:
    pairs = [
        ("gross damages", asked.damages.gross, terms.damages.gross),
        ("net damages", asked.damages.net, terms.damages.net),
        ("costs terms", asked.costs_terms.value, terms.costs_terms.value),
    ]
    for name, ours, accepted in pairs:
        if ours != accepted:
            raise SettlementDiffersFromOffer(name, str(ours), str(accepted))


def settlement_digest(damages: Damages, costs_terms: CostsTerms) -> str:
    """SHA-256 (hex) of a settlement's terms: an approval is bound to it."""
    deductions = [f"{item.benefit}={item.amount}" for item in damages.deductions]
    parts = [costs_terms, damages.gross, damages.net, *deductions]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
